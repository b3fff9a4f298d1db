"""Where sentences end: the cases a linguist reads in `cases/sentences-*.txt`, and what holds for any text."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.document import LANGUAGES, Language
from tasks.sentences import split_sentences

CASES = Path(__file__).with_name("cases")
FILES: dict[Language, str] = {
    "zh-Hans": "sentences-zh.txt",
    "zh-Hant": "sentences-zh-hant.txt",
    "en": "sentences-en.txt",
}
#: What the rules turn on, thrown together at random.
MARKS = st.text(alphabet='。！？…⋯.!?．，：、“”‘’"「」『』（）()《》[]12他说的了问aB \n　', max_size=60)


def cases(language: Language) -> list[tuple[Language, list[str]]]:
    lines = (CASES / FILES[language]).read_text(encoding="utf-8").splitlines()
    return [(language, line.split("|")) for line in lines if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize(("language", "parts"), [case for language in FILES for case in cases(language)])
def test_sentences_end_where_the_case_says(language: Language, parts: list[str]) -> None:
    text = "".join(parts)
    found = [text[start:end] for start, end in split_sentences(text, language)]
    assert found == [part.strip() for part in parts if part.strip()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_line_end_ends_a_sentence(language: Language) -> None:
    assert list(split_sentences("山高月小\n水落石出\r\n\nnever again", language)) == [(0, 4), (5, 9), (12, 23)]


@given(st.one_of(st.text(), MARKS), st.sampled_from(LANGUAGES))
def test_sentences_leave_out_nothing_but_white_space(text: str, language: Language) -> None:
    spans = list(split_sentences(text, language))
    position = 0
    for start, end in spans:
        assert position <= start < end
        assert not text[position:start].strip()
        assert text[start:end] == text[start:end].strip()
        position = end
    assert not text[position:].strip()


@given(MARKS, st.sampled_from(LANGUAGES))
def test_sentences_alone_are_not_split_again(text: str, language: Language) -> None:
    """But where a sentence was read by what stood around it: an open quotation, or a mark before it."""
    plain = "".join(c for c in text if c not in '“”‘’"「」『』（）()《》[]…⋯.!?')
    for start, end in split_sentences(plain, language):
        assert list(split_sentences(plain[start:end], language)) == [(0, end - start)]


@pytest.mark.parametrize("run", ["（", "“", "”", "（）", "“。”", "……", "。", ".", "a. ", "他问。“", "《！》"])
def test_a_long_run_of_marks_is_read_whole(run: str) -> None:
    text = run * (200_000 // len(run))  # in time that grows with the square it would take hours
    found = "".join(text[start:end] for start, end in split_sentences(text, "zh-Hans"))
    assert "".join(found.split()) == "".join(text.split())
