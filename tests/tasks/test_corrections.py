"""What a person puts right in one source: cases of an article before and after, and of entries that are wrong."""

import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.corrections import Corrected, Correction, correct, digest, parse
from tasks.document import Article, Box, Kind, Paragraph, Stretch, count_chars

SHA = "0" * 64
#: An article of a text file: each paragraph with its lines.
PARAGRAPHS: tuple[tuple[Kind, list[str]], ...] = (
    ("heading", ["河边的春天"]),
    ("body", ["今年春天来得很早，", "柳树已经发芽。孩子们", "在放风筝。"]),
    ("body", ["老人坐在长椅上，"]),
    ("body", ["聊着天。"]),
    ("body", ["The bridge was reo-"]),
    ("body", ["pened on Monday."]),
)


def article(paragraphs: tuple[tuple[Kind, list[str]], ...] = PARAGRAPHS, **facts: Any) -> Article:
    made = []
    number = 0
    for kind, lines in paragraphs:
        starts = [sum(map(len, lines[:k])) for k in range(len(lines))]
        stretches = tuple(Stretch(start, number + k, None) for k, start in enumerate(starts, start=1))
        made.append(
            Paragraph(
                kind,
                "".join(lines),
                0.5,
                ("unify_radicals",),
                line_first=number + 1,
                line_last=number + len(lines),
                stretches=stretches,
            )
        )
        number += len(lines)
    return Article(0, tuple(made), "zh-Hans", 0.5, **facts)


def entry(**keys: Any) -> Correction:
    return Correction(**{"source": "a.txt", "sha256": SHA, "because": "so", "article": 0, **keys})


def corrected(*entries: dict[str, Any], before: Article | None = None) -> Corrected:
    return correct([before or article()], [entry(**keys) for keys in entries])


def told(found: Article) -> list[tuple[str, str, int | None, int | None]]:
    return [(p.kind, p.text, p.line_first, p.line_last) for p in found.paragraphs]


CHANGES: dict[str, tuple[dict[str, Any], list[tuple[str, str, int, int]]]] = {
    "another kind": (
        {"paragraph": 0, "quote": "春天", "kind": "title"},
        [("title", "河边的春天", 1, 1)],
    ),
    "split at a line's start": (
        {"paragraph": 1, "quote": "今年", "split_before": "柳树"},
        [("body", "今年春天来得很早，", 2, 2), ("body", "柳树已经发芽。孩子们在放风筝。", 3, 4)],
    ),
    "split within a line, which both parts lead back to": (
        {"paragraph": 1, "quote": "今年", "split_before": "孩子们"},
        [("body", "今年春天来得很早，柳树已经发芽。", 2, 3), ("body", "孩子们在放风筝。", 3, 4)],
    ),
    "joined": (
        {"paragraph": 2, "quote": "老人", "join_next": "聊着天"},
        [("body", "老人坐在长椅上，聊着天。", 5, 6)],
    ),
    "joined at a hyphen that only the line asked for": (
        {"paragraph": 4, "quote": "bridge", "join_next": "pened"},
        [("body", "The bridge was reopened on Monday.", 7, 8)],
    ),
}


@pytest.mark.parametrize(("keys", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_paragraph_is_changed_and_noted_and_no_character_is_lost(
    keys: dict[str, Any], expected: list[tuple[str, str, int, int]]
) -> None:
    before = article()
    found = corrected(keys, before=before)
    (after,) = found.articles
    n, old = keys["paragraph"], 1 + ("join_next" in keys)
    assert told(after) == told(before)[:n] + expected + told(before)[n + old :]
    for paragraph in after.paragraphs[n : n + len(expected)]:
        assert paragraph.confidence == 1.0
        assert paragraph.fixes[0] == "unify_radicals"
        assert paragraph.fixes[-1].startswith("correction_")
    assert found.outcome == "applied"
    assert after.confidence > before.confidence or keys.get("kind")
    chars = [sum(count_chars(p.text) for p in a.paragraphs) for a in (before, after)]
    assert chars[0] == chars[1] + sum(found.left_out.values())


def test_an_entry_finds_what_those_before_it_left() -> None:
    (after,) = corrected(
        {"paragraph": 1, "quote": "今年", "split_before": "孩子们"},
        {"paragraph": 2, "quote": "孩子们", "join_next": "老人"},
        {"paragraph": 2, "quote": "老人", "split_before": "老人"},
    ).articles
    assert [p.text for p in after.paragraphs[1:4]] == [
        "今年春天来得很早，柳树已经发芽。",
        "孩子们在放风筝。",
        "老人坐在长椅上，",
    ]
    assert [(p.line_first, p.line_last) for p in after.paragraphs[1:4]] == [(2, 3), (3, 4), (5, 5)]


def test_facts_are_set_and_taken_away() -> None:
    before = article(authors=("林晓",), publisher="临江日报", url="https://a.example")
    facts = {"authors": ["林晓", "沈予安"], "publisher": "", "published_on": "2025-04-18", "language": "en"}
    (after,) = corrected({"quote": "柳树", **facts}, before=before).articles
    assert (after.authors, after.publisher) == (("林晓", "沈予安"), None)
    assert (after.published_on, after.language, after.url) == (date(2025, 4, 18), "en", "https://a.example")
    assert after.paragraphs[0].fixes == ("unify_radicals", "correction_facts")
    assert after.paragraphs[1:] == before.paragraphs[1:]


TITLES: dict[str, tuple[str | None, tuple[Kind, Kind], list[dict[str, Any]], str | None]] = {
    "a paragraph becomes the title": (None, ("heading", "body"), [{"kind": "title"}], "河边的春天"),
    "the title is none": ("河边的春天", ("title", "body"), [{"kind": "heading"}], None),
    "the next title takes its place": ("河边的春天", ("title", "title"), [{"kind": "heading"}], "今年春天"),
    "the title is split": ("河边的春天", ("title", "body"), [{"split_before": "春天"}], "河边的"),
    "a title that was set stays": (
        "河边的春天",
        ("title", "body"),
        [{"paragraph": None, "title": "河边"}, {"kind": "heading"}],
        "河边",
    ),
}


@pytest.mark.parametrize(("title", "kinds", "entries", "expected"), TITLES.values(), ids=TITLES)
def test_the_title_follows_its_paragraph(
    title: str | None, kinds: tuple[Kind, Kind], entries: list[dict[str, Any]], expected: str | None
) -> None:
    before = article(((kinds[0], ["河边的春天"]), (kinds[1], ["今年春天"])), title=title)
    (after,) = corrected(*({"paragraph": 0, "quote": "河边", **keys} for keys in entries), before=before).articles
    assert after.title == expected


MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "no such article": ({"article": 1, "paragraph": 0, "quote": "春", "kind": "title"}, "there is no such article"),
    "no such paragraph": ({"paragraph": 9, "quote": "春", "kind": "title"}, "there is no such paragraph"),
    "other words": ({"paragraph": 0, "quote": "秋天", "kind": "title"}, "it does not hold '秋天'"),
    "no word to split at": ({"paragraph": 1, "quote": "今年", "split_before": "秋"}, "it holds '秋' 0 times"),
    "three words to split at": ({"paragraph": 5, "quote": "pened", "split_before": "n"}, "it holds 'n' 3 times"),
    "nothing before the split": ({"paragraph": 1, "quote": "今年", "split_before": "今年"}, "nothing to split"),
    "nothing to join": ({"paragraph": 5, "quote": "pened", "join_next": "x"}, "no paragraph follows it"),
    "other words follow": ({"paragraph": 2, "quote": "老人", "join_next": "秋天"}, "after it does not hold '秋天'"),
    "facts of other words": ({"quote": "秋天", "title": "秋"}, "no paragraph holds '秋天'"),
}


@pytest.mark.parametrize(("keys", "why"), MISFITS.values(), ids=MISFITS)
def test_an_entry_that_does_not_fit_changes_nothing_and_says_so(keys: dict[str, Any], why: str) -> None:
    fits = {"paragraph": 3, "quote": "聊着天", "kind": "list"}
    found = corrected(keys, fits)
    assert why in found.outcome
    assert found.outcome.startswith(f"article {keys.get('article', 0)}")
    assert found.articles == corrected(fits).articles


def test_parts_of_a_page_keep_their_own_boxes() -> None:
    lanes = (Box(1, 10, 10, 50, 40), Box(1, 60, 10, 100, 20))
    lines = [Box(1, 10, 10 + 10 * k, 50, 20 + 10 * k) for k in range(3)] + [Box(1, 60, 10, 90, 20)]
    texts = ["今年春天来得很早，", "柳树已经发芽。孩子", "们在放风筝，", "很是热闹。"]
    stretches = tuple(Stretch(sum(map(len, texts[:k])), k + 1, box) for k, box in enumerate(lines))
    whole = Paragraph("body", "".join(texts), 0.5, boxes=lanes, stretches=stretches)
    (after,) = corrected(
        {"paragraph": 0, "quote": "今年", "split_before": "孩子"},
        before=replace(article(), paragraphs=(whole,)),
    ).articles
    assert [p.boxes for p in after.paragraphs] == [(Box(1, 10, 10, 50, 30),), (Box(1, 10, 20, 50, 40), lines[3])]
    joined = corrected({"paragraph": 0, "quote": "今年", "join_next": "孩子"}, before=after).articles[0].paragraphs[0]
    assert joined.text == whole.text


def test_a_part_whose_lines_are_not_known_keeps_the_place_of_the_whole() -> None:
    whole = Paragraph("body", "天亮了。下雨。", 0.5, line_first=3, line_last=5)
    before = replace(article(), paragraphs=(whole,))
    (after,) = corrected({"paragraph": 0, "quote": "天亮", "split_before": "下雨"}, before=before).articles
    assert told(after) == [("body", "天亮了。", 3, 5), ("body", "下雨。", 3, 5)]


LINE = st.text("春天来了，说 ab-", min_size=1, max_size=8).map(str.strip).filter(bool)


@given(st.lists(st.lists(LINE, min_size=1, max_size=4), min_size=1, max_size=5), st.data())
def test_whatever_is_split_and_joined_no_character_is_lost_and_lines_stay_in_order(
    texts: list[list[str]], data: st.DataObject
) -> None:
    now = before = article(tuple(("body", lines) for lines in texts))
    left_out = 0
    for _ in range(data.draw(st.integers(1, 4))):
        n = data.draw(st.integers(0, len(now.paragraphs) - 1))
        text = now.paragraphs[n].text
        keys: dict[str, Any] = {"paragraph": n, "quote": text}
        if n + 1 < len(now.paragraphs) and data.draw(st.booleans()):
            keys["join_next"] = now.paragraphs[n + 1].text
        else:
            at = data.draw(st.integers(0, len(text) - 1))
            keys["split_before"] = text[at:]
            if not text[at:].strip():
                continue
        found = corrected(keys, before=now)
        now, left_out = found.articles[0], left_out + sum(found.left_out.values())
    chars = [sum(count_chars(p.text) for p in a.paragraphs) for a in (before, now)]
    assert chars[0] == chars[1] + left_out
    for paragraph in now.paragraphs:
        starts = [stretch.start for stretch in paragraph.stretches]
        assert starts == sorted({*starts})
        assert starts[0] == 0
        assert starts[-1] < len(paragraph.text)
        assert not paragraph.text[0].isspace()


TEXT = f"""
[[correct]]
source = "a.txt"
sha256 = "{SHA}"
because = "so"
article = 0
paragraph = 1
quote = "今年"
kind = "list"
"""
WRONG = {
    "not TOML": ("[[correct\n", "not valid TOML"),
    "another table": ("[[corect]]\n", "only entries [[correct]] are known"),
    "one table": ("[correct]\n", "only entries [[correct]] are known"),
    "unknown key": (TEXT + 'knd = "list"\n', "entry 1 (a.txt): knd: no such key; there are source"),
    "no reason": (TEXT.replace('"so"', '" "'), "entry 1 (a.txt): because: a text that is not empty is needed"),
    "no hash": (TEXT.replace(SHA, "12"), "entry 1 (a.txt): sha256: 64 hexadecimal digits are needed"),
    "no quote": (TEXT.replace('quote = "今年"', ""), "entry 1 (a.txt): quote: is missing"),
    "no such kind": (TEXT + TEXT.replace("list", "headline"), "entry 2 (a.txt): kind: input should be 'title'"),
    "no change": (TEXT.replace('kind = "list"', ""), "entry 1 (a.txt): give a paragraph and one of kind"),
    "two changes": (TEXT + 'join_next = "x"\n', "entry 1 (a.txt): give a paragraph and one of kind"),
    "facts of a paragraph": (TEXT + 'title = "x"\n', "entry 1 (a.txt): give a paragraph and one of kind"),
    "no day": (TEXT + 'published_on = "May"\n', "entry 1 (a.txt): published_on: input should be a valid date"),
    "a number in words": (TEXT.replace("paragraph = 1", 'paragraph = "1"'), "entry 1 (a.txt): paragraph: input should"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_names_the_entry_and_what_it_may_be(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(message)) as error:
        parse(text)
    assert "\n" not in str(error.value)


def test_the_hash_is_of_what_is_done_and_not_of_why() -> None:
    (one,) = parse(TEXT)
    assert digest([one]) == digest(parse(TEXT.replace('"so"', '"for another reason"')))
    assert digest([one]) != digest(parse(TEXT.replace("list", "body")))
    assert digest(parse(TEXT + TEXT.replace("list", "body"))) != digest(parse(TEXT.replace("list", "body") + TEXT))
