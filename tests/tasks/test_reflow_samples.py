"""The text samples come back as their gold says; any text comes back with every character accounted for."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.document import Article, Line, Opening, Page, Reading, count_chars
from tasks.read.text import read_text
from tasks.reflow import reflow

ROOT = Path(__file__).parents[2]
GOLDS: dict[str, dict[str, Any]] = {
    gold["source"]: gold
    for gold in map(json.loads, (ROOT / "tests" / "samples.gold.jsonl").read_text(encoding="utf-8").splitlines())
    if gold["source"].endswith(".txt")
}


def _folded(text: str) -> str:
    return "".join(text.split())


def _accounted(reading: Reading, articles: tuple[Article, ...], left_out: Mapping[str, int]) -> int:
    kept = sum(count_chars(p.text) for article in articles for p in article.paragraphs)
    return kept + sum(left_out.values()) + sum(reading.left_out.values())


@pytest.mark.parametrize("name", sorted(GOLDS))
def test_sample(name: str) -> None:
    reading = read_text((ROOT / "raw" / "samples" / name).read_bytes())
    articles, left_out = reflow(reading)
    gold = GOLDS[name]["articles"]
    assert [article.title for article in articles] == [article["title"] for article in gold]
    for article, wanted in zip(articles, gold, strict=True):
        assert [_folded(p.text) for p in article.paragraphs] == [_folded(p["text"]) for p in wanted["paragraphs"]]
        assert all(
            p.kind in w["kind"].split("|") for p, w in zip(article.paragraphs, wanted["paragraphs"], strict=True)
        )
        assert list(article.authors) == wanted.get("authors", [])
        assert article.publisher == wanted.get("publisher")
        assert article.published_on is None or str(article.published_on) == wanted["published_on"]
        assert article.url == wanted.get("url")
    assert _accounted(reading, articles, left_out) == reading.n_chars


@pytest.mark.parametrize("name", sorted(GOLDS))
def test_paragraphs_lead_back_to_their_lines(name: str) -> None:
    data = (ROOT / "raw" / "samples" / name).read_bytes()
    lines = [line.text for page in read_text(data).pages for line in page.lines]
    articles, _ = reflow(read_text(data))
    for paragraph in (p for article in articles for p in article.paragraphs):
        assert paragraph.line_first is not None
        assert paragraph.line_last is not None
        ends = [*(stretch.start for stretch in paragraph.stretches[1:]), len(paragraph.text)]
        for stretch, end in zip(paragraph.stretches, ends, strict=True):
            assert paragraph.line_first <= stretch.line <= paragraph.line_last
            assert _folded(paragraph.text[stretch.start : end]) in _folded(lines[stretch.line - 1])


LINES = st.lists(
    st.one_of(
        st.text(alphabet=st.sampled_from("河埠头的灯亮了，。“”：（）1 　-aB"), max_size=24),
        st.text(max_size=12),
        st.sampled_from(
            ["来源：北湾商报", "本报记者 林 晓", "第3版", "12", "Abstract", "图为石阶。", "（作者单位：文化站）", ""]
        ),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(LINES)
def test_no_text_is_lost_or_fails(lines: list[str]) -> None:
    page = Page(1, tuple(Line(line, n) for n, line in enumerate(["灯", *lines], start=1)))
    reading = Reading((page,), "text/plain", sum(count_chars(line.text) for line in page.lines))
    articles, left_out = reflow(reading)
    assert _accounted(reading, articles, left_out) == reading.n_chars
    for paragraph in (p for article in articles for p in article.paragraphs):
        assert paragraph.text
        assert 0 <= paragraph.confidence <= 1


#: The lines of one text, and its paragraphs by what is known to begin them.
OPENINGS: dict[Opening | None, list[list[int]]] = {
    None: [[0], [1], [2, 3], [4], [5]],
    "indent": [[0], [1], [2, 3, 4], [5]],
    "gap": [[0], [1, 2, 3], [4, 5]],
}
OPENING_LINES = [
    "河边的春天\n",
    "今年春天来得很早，河边的柳树已经发芽了。\n",
    "　　孩子们在操场上放风筝，一直玩到了天黑\n",
    "为止。\n",
    "\n渡口的船夫解开缆绳，等第一批进城的菜农。\n",
    "　　老人坐在长椅上聊着天，谁也没有再说话。\n",
]


@pytest.mark.parametrize(("opening", "paragraphs"), OPENINGS.items(), ids=str)
def test_paragraphs_open_where_they_are_known_to(opening: Opening | None, paragraphs: list[list[int]]) -> None:
    articles, _ = reflow(read_text("".join(OPENING_LINES).encode()), opening)
    found = [p.text for article in articles for p in article.paragraphs]
    assert found == ["".join("".join(OPENING_LINES[k].split()) for k in lines) for lines in paragraphs]
