"""Rows are labelled by the shipped weights; their probabilities say how far the labels can be trusted."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from tasks.document import Box, Element, Line
from tasks.reflow.discourse import evidence
from tasks.reflow.labels import (
    LABELS,
    PLACES,
    _marginals,
    _viterbi,
    calibrated,
    features,
    indent_style,
    label_rows,
    model,
    opened_by_tree,
    places,
)
from tasks.reflow.measure import Fill
from tasks.reflow.rows import Row, measure_text, text_rows

WRAPPED = """河埠头的灯换成了声控的
本报记者 温以宁
　　河埠头有十一级石阶，从前夜里上下，全靠
摸。上个月，镇里给石阶装了声控灯，一跺脚，
整条石阶都亮。
　　住在桥头的孟家阿婆说，灯亮的时候，水里
也亮，像有两条路。
（作者单位：河埠镇文化站）"""


def _rows(text: str) -> list[Row]:
    rows = text_rows([Line(line, n) for n, line in enumerate(text.split("\n"), start=1)])
    measure_text(rows)
    return rows


def test_a_wrapped_article() -> None:
    labels = label_rows(_rows(WRAPPED))
    assert [(label.kind, label.opens) for label in labels] == [
        ("title", True),
        ("byline", True),
        ("body", True),
        ("body", False),
        ("body", False),
        ("body", True),
        ("body", False),
        ("affiliation", True),
    ]
    assert all(0 < label.certainty <= 1 for label in labels)


def test_rows_are_labelled_alike_however_many_are_scored_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _rows("\n".join([WRAPPED] * 5))
    whole = label_rows(rows)
    monkeypatch.setattr("tasks.reflow.labels.STRETCH", 3)
    monkeypatch.setattr("tasks.reflow.measure.STRETCH", 3)
    assert label_rows(_rows("\n".join([WRAPPED] * 5))) == whole


#: Texts of one paragraph a line: what each line is.
PAGES = [
    (
        ["渡口的早市", "来源：北湾商报　2024年3月5日", "天还没亮，渡口已经有人了。" * 4, "卖鱼的先到，卖菜的后到。" * 5, "责任编辑：潘叙"],
        ["title", "metadata", "body", "body", "metadata"],
    ),
    (
        ["A Market Before Dawn", "Before light, people were already at the ferry. " * 4, '"The fish come first," she said.',
         "The vegetables come second, and the talk comes last. " * 3, "Source: Linden Valley Gazette"],
        ["title", "body", "body", "body", "metadata"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "kinds"), PAGES)
@pytest.mark.parametrize("between", ["\n", "\n\n"])
def test_one_paragraph_a_line(lines: list[str], kinds: list[str], between: str) -> None:
    labels = label_rows(_rows(between.join(lines)))
    assert [label.kind for label in labels] == kinds
    assert all(label.opens for label in labels)


STYLES = [("　　", "kept"), ("", "none")]


@pytest.mark.parametrize(("indent", "style"), STYLES)
def test_indent_style(indent: str, style: str) -> None:
    paragraph = [
        "石阶一共十一级，从前夜里上下，",
        "全靠摸。上个月镇里装了灯，一",
        "跺脚，整条石阶都亮了起来，水",
        "里也亮。",
    ]
    rows = _rows("\n".join((indent + line if n == 0 else line) for _ in range(5) for n, line in enumerate(paragraph)))
    assert indent_style(rows) == style
    assert indent_style(rows[:3]) == "unknown"


def test_no_rows() -> None:
    assert label_rows([]) == []
    assert list(features([])) == []


@pytest.mark.parametrize("medium", ["text", "page"])
def test_weights_are_small_and_sound(medium: str) -> None:
    packed = files("tasks.reflow").joinpath(f"labels-{medium}.json.gz").read_bytes()
    assert len(packed) < 2_000_000
    weights = json.loads(gzip.decompress(packed))
    assert set(weights["labels"]) <= set(LABELS)
    assert "bias" in weights["weights"]
    loaded = model(medium)
    k = len(loaded.labels)
    assert loaded.weights.shape == (len(weights["weights"]), k)
    assert loaded.transitions.shape == (k, k)
    assert np.isfinite(loaded.weights).all()


def test_calibration_rises() -> None:
    confidences = [calibrated(x, "text") for x in np.linspace(0, 1, 50)]
    assert confidences == sorted(confidences)
    assert confidences[0] < 0.8
    assert 0.95 < confidences[-1] <= 1


def test_viterbi_and_marginals_against_all_paths() -> None:
    rng = np.random.default_rng(1)
    scores, transitions = rng.normal(size=(4, 3)), rng.normal(size=(3, 3))
    paths = {
        (a, b, c, d): sum(scores[n, s] for n, s in enumerate((a, b, c, d)))
        + transitions[a, b] + transitions[b, c] + transitions[c, d]
        for a in range(3) for b in range(3) for c in range(3) for d in range(3)
    }  # fmt: skip
    assert tuple(_viterbi(scores, transitions)) == max(paths, key=lambda path: paths[path])
    total = sum(np.exp(score) for score in paths.values())
    for n, state in [(0, 0), (2, 1), (3, 2)]:
        share = sum(np.exp(score) for path, score in paths.items() if path[n] == state) / total
        assert _marginals(scores, transitions)[n, state] == pytest.approx(share)


def test_discourse_sees_only_what_is_near() -> None:
    near = "灯亮了。船靠岸了。"
    assert evidence("远处的话" * 100 + near * 9, "船工说") == evidence(near * 20, "船工说")


def test_a_title_on_one_line_among_broken_lines() -> None:
    title = "河埠头的石阶装上声控灯 夜里上下不再靠摸"
    body = [
        "河埠头有十一级石阶，从前夜里上下，",
        "全靠摸。上个月，镇里给石阶装了灯，",
        "一跺脚，整条石阶都亮，水里也亮，像",
        "有两条路。住在桥头的孟家阿婆说，她",
        "活了八十年，头一回看清石阶的棱角。",
    ]
    labels = label_rows(_rows("\n".join([title, *body])))
    assert [(label.kind, label.opens) for label in labels[:3]] == [("title", True), ("body", True), ("body", False)]


def _on_a_page(gap: float, **more: Any) -> list[Row]:
    """Paragraphs of two lines without indents, the white between them `gap` em."""
    lines = ["渡口的早晨从一声汽笛开始，船", "老大解开缆绳。"] * 8
    return [
        Row(
            Line(text, n, Box(1, 0.0, 15.0 * n, 140.0, 15.0 * n + 10)),
            text,
            (),
            Fill(14.0, 6.0 if n % 2 else -1.0, 6.0 if n % 2 else -1.0),
            indent=0.0,
            right=7.0 if n % 2 else 0.0,
            gap=0.0 if n % 2 else gap,
            **more,
        )
        for n, text in enumerate(lines)
    ]


def test_white_means_what_it_does_on_its_page() -> None:
    assert "w=3y" in list(features(_on_a_page(0.5)))[4]
    assert "w=0n" in list(features(_on_a_page(0.0)))[4]
    assert all(label.opens == (n % 2 == 0) for n, label in enumerate(label_rows(_on_a_page(0.5))))


@pytest.mark.parametrize("end", ["老大解开缆绳。", "老大说：“开船。”"])
def test_a_short_line_ends_its_paragraph_within_quotation_marks_too(end: str) -> None:
    rows = _on_a_page(0.0)
    rows[5].text = end
    assert label_rows(rows)[6].opens


def _in_elements(numbers: Sequence[int]) -> list[Row]:
    """Rows on a page, of which a structure tree counts each to the paragraph of that number."""
    rows = _on_a_page(0.0)
    for row, number in zip(rows, numbers, strict=True):
        row.line = replace(row.line, element=Element(number, "P"))
    return rows


def test_a_tree_that_agrees_with_the_page_settles_what_nothing_else_does() -> None:
    paragraphs = [n // 2 for n in range(16)]
    assert opened_by_tree(_in_elements(paragraphs)) == [None, *(n % 2 == 0 for n in range(1, 16))]
    for numbers, opens in ((paragraphs, True), ([*paragraphs[:8], 3, 3, *paragraphs[10:]], False)):
        rows = _in_elements(numbers)
        rows[7].fill, rows[7].right = Fill(14.0, -1.0, -1.0, 0.0), 0.0  # a full line that ends a sentence
        assert label_rows(rows)[8].opens is opens


def _untagged(rows: Sequence[Row]) -> list[Row]:
    return [replace(row, line=replace(row.line, element=None)) for row in rows]


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(range(16), id="each line a paragraph"),
        pytest.param([1] * 16, id="the page a paragraph"),
        pytest.param([(n + 1) // 2 for n in range(16)], id="one line off"),
        pytest.param([n // 4 for n in range(16)], id="two paragraphs in one"),
    ],
)
def test_a_tree_that_contradicts_the_page_has_no_say(numbers: Sequence[int]) -> None:
    rows = _in_elements(numbers)
    assert opened_by_tree(rows) == [None] * 16
    assert label_rows(rows) == label_rows(_untagged(rows))


def test_a_new_element_at_the_head_of_a_lane_means_nothing() -> None:
    rows = _in_elements([n // 2 for n in range(16)])
    rows[7].starts = "lane"  # in the middle of a paragraph, of which the lane before has another element
    rows[7].line = replace(rows[7].line, element=Element(99, "P"))
    assert opened_by_tree(rows)[7] is None


def test_doubt_about_the_order_lowers_certainty() -> None:
    sure, unsure = label_rows(_on_a_page(0.5)), label_rows(_on_a_page(0.5, turn=0.1))
    assert all(b.certainty < a.certainty for a, b in zip(sure, unsure, strict=True))
    assert places(_on_a_page(0.5, turn=0.1, starts="lane")[0], opens=False) == [0, PLACES - 1]
