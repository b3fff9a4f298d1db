"""Columns side by side in a text file are read one after the other; what is no column stays as it is."""

from tasks.document import Line
from tasks.reflow.lanes import part_lanes

LEFT = [
    "  天还没亮，渡口已经有人在",
    "等船。船老大把缆绳绕上木",
    "桩，看了看雾，说再等一刻",
    "钟。没有人抱怨，大家把担",
    "子放下来，说起昨夜的雨。",
]
RIGHT = [
    "  雾散的时候，第一班船离",
    "了岸。对岸的集市刚刚开张",
    "，卖菜的认得每一个过河的",
    "人，也记得谁家的孩子上了",
    "学，谁家的老人病好了些。",
]


def _lines(*texts: str) -> list[Line]:
    return [Line(text, n) for n, text in enumerate(texts, start=1)]


def _beside(left: list[str], right: list[str]) -> list[str]:
    """Set two columns side by side, as a program does that keeps the layout."""
    return [f"{a:<18}{b}".rstrip() for a, b in zip(left, right, strict=True)]


def test_columns_follow_one_another() -> None:
    lines = part_lanes(_lines("            渡口的早晨", *_beside(LEFT + LEFT[1:], RIGHT + RIGHT[1:])))
    texts = [line.text.strip() for line in lines]
    assert texts == [text.strip() for text in ["渡口的早晨", *LEFT, *LEFT[1:], *RIGHT, *RIGHT[1:]]]


def test_a_line_keeps_its_number_and_its_indent_in_its_column() -> None:
    lines = part_lanes(_lines(*_beside(LEFT + LEFT, RIGHT + RIGHT)))
    assert [line.number for line in lines] == [*range(1, 11), *range(1, 11)]
    assert [n for n, line in enumerate(lines) if line.text.startswith("\u3000\u3000")] == [0, 5, 10, 15]


def test_what_has_no_columns_stays_as_it_is() -> None:
    plain = _lines(*LEFT * 3)
    table = _lines(*["林晓        记者        渡口"] * 12)
    few = _lines(*LEFT * 4, *_beside(LEFT, RIGHT))
    for lines in (plain, table, few):
        assert part_lanes(lines) == lines
