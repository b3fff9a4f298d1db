"""Words are jieba's own, Latin words Unicode's, and every span leads back to its text."""

import hashlib
import random
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import jieba
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jieba import finalseg, posseg

from tasks.document import LANGUAGES, Language
from tasks.segment import Dictionary, _tag_of_end, _tags, language_of, segment

Cut = Callable[[str], list[str]]

#: Where cutters differ, if they do: blocks, numbers, words of the dictionary with Latin in them, Han jieba does not know.
ODD = "的一是中国人们 A b1.-%+#&_９．\r\n\t，。㐀\U00020000\u9feb豈ée\u0301😀👨\u200d👩\ufe0f\u200b\ufeff\x1c\x85\u3000·龥𝐀"
PIECES = st.lists(
    st.sampled_from(
        [*ODD, "C++", "A股", "卡拉OK", "T恤", "23", "3.14", "5%", "\r\n", "中华人民共和国", "水文站", "e.g.", "--"]
    )
)
LATIN = re.compile(r"[^\W\d_\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
NO_LATIN = st.lists(st.sampled_from([*LATIN.sub("", ODD), *"水渠长堤灯塔渔船8765"]), max_size=40).map("".join)


def new_tokenizer() -> jieba.Tokenizer:
    """Return jieba's own, with its dictionary read from the package, not from a cache that others may have written."""
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> jieba.Tokenizer:
    return new_tokenizer()


@pytest.fixture(scope="module")
def cut(tokenizer: jieba.Tokenizer) -> Cut:
    lcut: Cut = tokenizer.lcut
    return lcut


def words(text: str, dictionary: Dictionary | None = None) -> list[str]:
    return [text[t.start : t.end] for s in segment(text, "zh-Hans", dictionary) for t in s.tokens]


def tagged(text: str, language: Language) -> str:
    return " ".join(f"{text[t.start : t.end]}/{t.pos}" for s in segment(text, language) for t in s.tokens)


@pytest.fixture
def dictionary(tmp_path: Path) -> Callable[[str], Dictionary]:
    def write(content: str) -> Dictionary:
        path = tmp_path / "words.txt"
        path.write_text(content, encoding="utf-8")
        return Dictionary.load(path)

    return write


@settings(deadline=None)  # the first call loads the dictionaries
@given(NO_LATIN)
def test_chinese_words_are_jiebas(cut: Cut, text: str) -> None:
    assert words(text) == [word for word in cut(text) if not word.isspace()]


@pytest.mark.parametrize("wall", ["，", "OK，", "don't。", "㐀", " "])
@settings(deadline=None)
@given(NO_LATIN, NO_LATIN)
def test_chinese_around_a_latin_run_is_cut_as_without_it(cut: Cut, wall: str, before: str, after: str) -> None:
    aside = {"，", "。", "OK", "don't", "㐀"}
    expected = [word for word in cut(f"{before}，{after}") if not word.isspace()]
    found = words(f"{before}，{wall}{after}")
    assert [word for word in found if word not in aside] == [word for word in expected if word not in aside]


def test_random_dictionary_words_are_cut_as_jieba_cuts_them(tokenizer: jieba.Tokenizer, cut: Cut) -> None:
    known = sorted(word for word in tokenizer.FREQ if not any(c.isascii() and c.isalpha() for c in word))
    draw = random.Random(2)
    for _ in range(2000):
        text = "".join(draw.choice(known) if draw.random() < 0.7 else draw.choice(ODD[5:]) for _ in range(8))
        text = LATIN.sub("", text)
        assert words(text) == [word for word in cut(text) if not word.isspace()]


@settings(deadline=None)  # the first call loads the dictionaries
@given(st.one_of(st.text(), PIECES.map("".join)), st.sampled_from(LANGUAGES))
def test_spans_are_in_order_and_leave_out_nothing_but_white_space(text: str, language: Language) -> None:
    position = 0
    for sentence in segment(text, language):
        assert sentence.tokens[0].start == sentence.start
        assert sentence.tokens[-1].end == sentence.end
        for token in sentence.tokens:
            assert position <= token.start < token.end
            assert not text[position : token.start].strip()
            assert not any(c.isspace() for c in text[token.start : token.end])
            assert token.pos
            position = token.end
    assert not text[position:].strip()


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("zh-Hans", "渔民修好了灯塔。", "渔民/n 修好/v 了/ul 灯塔/n 。/x"),
        ("zh-Hans", "周砚青是渔民", "周砚青/nr 是/v 渔民/n"),  # in no dictionary: recognized, then tagged by its end
        ("zh-Hans", "水位 5 米，上涨 12%", "水位/n 5/m 米/q ，/x 上涨/v 12%/m"),
        ("zh-Hans", "他说don't，就走", "他/r 说/v don't/eng ，/x 就/d 走/v"),
        ("zh-Hans", "按U.S.标准", "按/p U.S./eng 标准/n"),
        ("zh-Hans", "A股和T恤", "A股/n 和/c T恤/n"),  # words of jieba's with Latin in them stay whole
        ("zh-Hans", "共3,000人", "共/d 3/m ,/x 000/m 人/n"),  # no Latin near: jieba's cut
        ("zh-Hant", "潮水退了", "潮水/n 退/v 了/ul"),
        ("en", "Don't sell 3,000.5 tons at 5.2%.", "Don't/eng sell/eng 3,000.5/m tons/eng at/eng 5.2%/m ./x"),
        ("en", "The well-known U.S. firm’s café", "The/eng well/eng -/x known/eng U.S./eng firm’s/eng café/eng"),
        ("en", "It cost 1,200 in 2031", "It/eng cost/eng 1,200/m in/eng 2031/m"),
        ("en", "called 潮水 (tide)", "called/eng 潮水/n (/x tide/eng )/x"),
        ("en", "e\u0301te\u0301", "e\u0301te\u0301/eng"),
    ],
)
def test_words_and_their_parts_of_speech(language: Language, text: str, expected: str) -> None:
    assert tagged(text, language) == expected


def test_the_tags_of_words_are_those_of_jiebas_own_table() -> None:
    assert _tags(None) == posseg.POSTokenizer(jieba.dt).word_tag_tab


@settings(deadline=None)
@given(st.lists(st.sampled_from("周砚青潮汐表修渠站长灯塔㐀龥的了一"), min_size=1, max_size=6).map("".join))
def test_an_unknown_word_is_tagged_as_jiebas_tagger_tags_its_end(word: str) -> None:
    _, route = posseg.viterbi(word, posseg.char_state_tab_P, posseg.start_P, posseg.trans_P, posseg.emit_P)
    assert _tag_of_end(word) == route[-1][1]


@pytest.mark.parametrize(
    "text", ["的" * 80_000, "9" * 1_000_000, "a" * 1_000_000, "会" + "\u0301" * 100_000, "㐀" * 50_000]
)
def test_a_run_without_end_is_cut_and_joins_back(text: str) -> None:
    assert "".join(words(text)) == text


def test_a_user_dictionary_changes_the_cut_and_the_tag(dictionary: Callable[[str], Dictionary]) -> None:
    text = "青泽水文站的量潮仪坏了"
    own = dictionary("青泽水文站 20000 nt\n\n量潮仪\n")
    assert "青泽水文站" not in words(text)
    assert words(text, dictionary=own)[:3] == ["青泽水文站", "的", "量潮仪"]
    assert segment(text, "zh-Hans", own)[0].tokens[0].pos == "nt"
    assert "青泽水文站" not in words(text)


def test_a_user_dictionary_does_as_jieba_does_with_it(dictionary: Callable[[str], Dictionary], tmp_path: Path) -> None:
    own = dictionary("潮汐表\n修渠 5 v\n云中 3 ns\n")
    tokenizer = new_tokenizer()
    tokenizer.load_userdict(str(tmp_path / "words.txt"))
    for text in ("查潮汐表再修渠，云中有雨。", "潮汐表，潮汐，修渠道的人在云中"):
        assert words(text, dictionary=own) == tokenizer.lcut(text)


def test_a_word_of_frequency_0_is_split_in_its_own_dictionary_alone(dictionary: Callable[[str], Dictionary]) -> None:
    text = "周砚青是站长"
    never = dictionary("周砚青 0\n")
    assert words(text, dictionary=never)[:3] == ["周", "砚", "青"]
    assert words(text)[0] == "周砚青"
    assert words(text, dictionary=dictionary("灯塔 9 n\n"))[0] == "周砚青"
    assert not finalseg.Force_Split_Words


def test_a_long_run_is_cut_with_a_user_dictionary_too(dictionary: Callable[[str], Dictionary]) -> None:
    text = "的" * 20_000 + "9" * 20_000
    assert "".join(words(text, dictionary=dictionary("灯塔 9 n\n"))) == text


def test_a_dictionary_is_known_by_its_content(dictionary: Callable[[str], Dictionary]) -> None:
    first = dictionary("\ufeff灯塔 9 n\r\n")
    assert first.sha256 == hashlib.sha256("\ufeff灯塔 9 n\r\n".encode()).hexdigest()
    assert first == dictionary("\ufeff灯塔 9 n\r\n")
    assert first != dictionary("灯塔 9 n\n")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("灯塔 9 n\n水 文 站 3 n\n".encode(), "line 2: '水 文 站 3 n' is no entry"),
        ("灯塔 9 N\n".encode(), "line 1: '灯塔 9 N' is no entry"),
        ("灯塔 many n\n".encode(), "line 1: '灯塔 many n' is no entry"),
        ("\n灯塔 9 n\n".encode("gbk"), "line 2: not UTF-8"),
    ],
)
def test_a_broken_dictionary_is_refused_by_file_and_line(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=complaint) as refusal:
        Dictionary.load(path)
    assert str(path) in str(refusal.value)


def test_a_jieba_cache_in_the_temporary_directory_is_neither_read_nor_written(
    dictionary: Callable[[str], Dictionary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    trap = tmp_path / "jieba.cache"
    trap.write_bytes(b"not jieba's")
    assert words("潮水退了", dictionary=dictionary("潮水 99999 n\n")) == ["潮水", "退", "了"]
    assert trap.read_bytes() == b"not jieba's"
    assert {path.name for path in tmp_path.iterdir()} == {"jieba.cache", "words.txt"}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("渔民修好了灯塔，夜里又有了光。", "zh-Hans"),
        ("漁民修好了燈塔，夜裡又有了光。", "zh-Hant"),
        ("The keepers mended the lamp.", "en"),
        ("本站采用 LoRa 与 GPS 定位，由 Heron Inc. 提供设备，误差小于一米。", "zh-Hans"),
        ("The word 潮水 means tide in the diaries of the lighthouse keepers.", "en"),
        ("", "zh-Hans"),
    ],
)
def test_the_language_of_an_article_is_told_by_its_script(text: str, language: Language) -> None:
    assert language_of(text) == language
