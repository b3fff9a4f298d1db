"""Running heads and page numbers between the lines of a text file are told from what the article says."""

import pytest

from tasks.document import Box, Line, Page
from tasks.reflow.furniture import is_running_head, mark_page_furniture, mark_text_furniture
from tasks.reflow.rows import text_rows

HEADS = [
    ("临渚日报　2025年4月18日　第3版", True),
    ("第 7 版 乡村 2023 年 9 月 2 日 北湾商报", True),
    ("2025年4月18日　星期五　芦河观察　第14版　理论", True),
    ("潮声周刊 · 2025.4.18 · 2版", True),
    ("江州青年报 二〇二五年四月十八日", True),
    ("第3版　要闻", True),
    ("来源：北湾商报 2024-03-05", False),
    ("Source: Coldharbour Courier 2024-02-20", False),
    ("2025年4月18日，渡口重新开放", False),
    ("翻开新的一页", False),
    ("堤岸上的灯", False),
]


@pytest.mark.parametrize(("text", "head"), HEADS)
def test_is_running_head(text: str, head: bool) -> None:
    assert is_running_head(text) == head


def _asides(*lines: str) -> list[str]:
    rows = text_rows([Line(line, n) for n, line in enumerate(lines, 1)])
    mark_text_furniture(rows)
    return [row.aside for row in rows]


def test_a_paper_and_its_day_are_a_head_at_the_top_and_said_of_the_article_below_its_title() -> None:
    assert _asides("北湾商报 2024年3月5日", "堤岸上的灯", "灯亮了。") == ["running_head", "", ""]
    assert _asides("堤岸上的灯", "北湾商报 2024年3月5日", "灯亮了。") == ["", "", ""]


def test_a_head_between_lines_is_told_by_its_page_number_or_its_twin() -> None:
    assert _asides("灯亮了，", "北湾商报 2024年3月5日", "2", "船也到了。") == ["", "running_head", "page_number", ""]
    head = "北湾商报 2024年3月5日"
    assert _asides("灯亮了，", head, "船也到了，", head, "人下了船。")[1::2] == ["running_head", "running_head"]


@pytest.mark.parametrize(
    ("text", "aside"),
    [
        ("北湾商报 2024-03-05", "running_head"),
        ("来源：北湾商报 2024-03-05", ""),
        ("Source: Coldharbour Courier 2024-02-20", ""),
    ],
)
def test_at_the_top_of_a_page_stands_a_head_or_what_the_article_says_of_its_source(text: str, aside: str) -> None:
    lines = [Line(text, 1, Box(1, 40, 50, 160, 60), 10.0), Line("灯亮了。", 2, Box(1, 40, 80, 80, 90), 10.0)]
    rows = text_rows(lines)
    mark_page_furniture([Page(1, tuple(lines), 400.0, 600.0)], [rows], 10.0)
    assert [row.aside for row in rows] == [aside, ""]
