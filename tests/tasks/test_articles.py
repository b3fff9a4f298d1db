"""Paragraphs part into articles where the page says so, and an article knows what stands around its text."""

from datetime import date

import pytest

from tasks.clean import sets_space
from tasks.document import Kind, Line
from tasks.reflow.articles import (
    Draft,
    LeftOut,
    Masthead,
    drop_repeated_title,
    join_rows,
    make_article,
    part_articles,
    settle_kinds,
    settle_titles,
    words_of,
)
from tasks.reflow.rows import Row

BODY = "石阶一共十一级，夜里都亮着灯。"
TEXTS: dict[str, tuple[Kind, str]] = {
    "T": ("title", "河埠头的灯"),
    "t": ("title", "另一盏灯"),
    "S": ("subtitle", "一跺脚就亮"),
    "A": ("byline", "本报记者 温以宁"),
    "b": ("body", BODY),
    "h": ("heading", "水里也有一条路"),
    "F": ("affiliation", "（作者单位：河埠镇文化站）"),
    "E": ("metadata", "责任编辑：潘叙"),
    "M": ("metadata", "来源：北湾商报 2024-03-05"),
    "r": ("body", "本报讯（记者 温以宁）石阶亮了。"),
    "c": ("caption", "图为石阶。"),
}


def _draft(kind: Kind, text: str) -> Draft:
    return Draft(kind, [Row(Line(text, 1), text, ())], [0.9], text, starts=[0])


def _drafts(letters: str) -> list[Draft]:
    return [_draft(*TEXTS[letter]) for letter in letters]


#: A source's paragraphs, by the letters above, and where its articles part.
PARTS = [
    ("Tbb", "Tbb"),
    ("TAbhb", "TAbhb"),
    ("TAbbtAbb", "TAbb tAbb"),
    ("TbbtbB", "Tbb tbb"),
    ("bbFbbF", "bbF bbF"),
    ("bbFEbb", "bbFE bb"),
    ("bbEbb", "bbE bb"),
    ("TAbFtb", "TAbF tb"),
    ("TrbtrB", "Trb trb"),
    ("TMbEtMb", "TMbE tMb"),
    ("MbFMb", "MbF Mb"),
    ("TMbFM", "TMbFM"),
    ("MbM", "MbM"),
    ("TFAb", "TFAb"),
    ("cTb", "cTb"),
    ("TbFcTb", "TbFc Tb"),
    ("", ""),
]


@pytest.mark.parametrize(("letters", "parts"), PARTS)
def test_part_articles(letters: str, parts: str) -> None:
    articles = part_articles(_drafts(letters.lower() if letters == "bb" else letters.replace("B", "b")))
    assert [len(article) for article in articles] == [len(part) for part in parts.split()]


def test_a_title_that_nothing_speaks_for_is_a_heading() -> None:
    (article,) = part_articles(_drafts("TAbtb"))
    assert [draft.kind for draft in article] == ["title", "byline", "body", "heading", "body"]


#: What is under a line tells that it is a title: the letters as labelled, and the kinds as they turn out.
TITLES = [
    ("Tbhrb", ["title", "body", "title", "body", "body"]),
    ("TAbhAb", ["title", "byline", "body", "title", "byline", "body"]),
    ("TAbhtAb", ["title", "byline", "body", "title", "subtitle", "byline", "body"]),
    ("TAbhb", ["title", "byline", "body", "heading", "body"]),
    ("TbTb", ["title", "body", "title", "body"]),
    ("TMbhMb", ["title", "metadata", "body", "title", "metadata", "body"]),
    ("TAbhM", ["title", "byline", "body", "heading", "metadata"]),
    ("TSbSb", ["title", "subtitle", "body", "title", "body"]),
]


@pytest.mark.parametrize(("letters", "kinds"), TITLES)
def test_settle_titles(letters: str, kinds: list[Kind]) -> None:
    drafts = _drafts(letters)
    settle_titles(drafts)
    assert [draft.kind for draft in drafts] == kinds


def test_a_title_that_stands_twice_is_left_out_once() -> None:
    left_out = LeftOut()
    kept = drop_repeated_title(_drafts("TTAb"), left_out)
    assert [draft.kind for draft in kept] == ["title", "byline", "body"]
    assert kept[0].fixes == ("repeated_title",)
    assert left_out.chars == {"repeated_title": 5}


def test_a_paragraph_that_stands_twice_stays() -> None:
    left_out = LeftOut()
    assert len(drop_repeated_title(_drafts("TAbb"), left_out)) == 4
    assert not left_out.chars


def test_an_article_knows_what_is_said_of_it() -> None:
    article = make_article(_drafts("TSAMbF"), 3, Masthead("云岭晚报", date(2020, 1, 1)))
    assert (article.ordinal, article.title, article.authors) == (3, "河埠头的灯", ("温以宁",))
    assert (article.publisher, article.published_on) == ("北湾商报", date(2024, 3, 5))
    assert (article.affiliation, article.language) == ("河埠镇文化站", "zh-Hans")


def test_the_running_head_tells_what_the_article_does_not() -> None:
    article = make_article(_drafts("Trb"), 0, Masthead("云岭晚报", date(2020, 1, 1)))
    assert (article.publisher, article.published_on) == ("云岭晚报", date(2020, 1, 1))
    assert article.authors == ("温以宁",)


def test_a_paper_and_a_day_by_themselves() -> None:
    drafts = [_draft("metadata", "白杨镇报 2023年11月26日"), *_drafts("Tb")]
    article = make_article(drafts, 0, Masthead())
    assert (article.publisher, article.published_on) == ("白杨镇报", date(2023, 11, 26))


SETTLED = [
    ("body", "• 先看灯，再看路", "list"),
    ("body", "图为石阶上的灯。", "caption"),
    ("metadata", "来源：" + BODY * 20, "body"),
    ("body", BODY, "body"),
]


@pytest.mark.parametrize(("kind", "text", "settled"), SETTLED)
def test_settle_kinds(kind: Kind, text: str, settled: Kind) -> None:
    drafts = [_draft(kind, text)]
    settle_kinds(drafts)
    assert drafts[0].kind == settled


def _rows(*lines: str) -> list[Row]:
    return [Row(Line(line, n), line, ()) for n, line in enumerate(lines)]


def _joined(*lines: str, spaced: bool = False, elsewhere: str = "") -> tuple[str, dict[str, int]]:
    draft = Draft("body", _rows(*lines), [])
    left_out = LeftOut()
    join_rows(draft, spaced, words_of(_rows(*lines, elsewhere)), left_out)
    return draft.text, dict(left_out.chars)


def test_rows_join_as_their_words_ask() -> None:
    assert _joined("石阶上的", "灯亮了 GDP", "增长") == ("石阶上的灯亮了 GDP增长", {})
    assert _joined("a long-", "term plan of eco-", "nomic growth") == (
        "a long-term plan of economic growth",
        {"join_hyphen": 1},
    )
    assert _joined("the tide-mill and the tide-", "mill pond") == ("the tide-mill and the tide-mill pond", {})
    assert _joined("the tide-", "mill pond", elsewhere="an old tide-mill stands") == ("the tide-mill pond", {})
    assert _joined("a long-", "shore drift", elsewhere="the longshore drift") == (
        "a longshore drift",
        {"join_hyphen": 1},
    )


def test_the_author_sets_a_space_or_not() -> None:
    texts = ["共 12 盏灯", "有 3 盏", "第4盏"]
    assert sets_space(texts)
    assert not sets_space(texts[2:])
