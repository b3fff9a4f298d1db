"""Lines that a program tore are measured as the lines that they were."""

from tasks.document import Line
from tasks.reflow.rows import Row, measure_text, text_rows


def _rows(*lines: str) -> list[Row]:
    rows = text_rows([Line(line, n) for n, line in enumerate(lines, 1)])
    measure_text(rows)
    return rows


WHOLE = [
    "渡口的早晨从一声汽笛开始，",
    "船老大把缆绳绕上木桩，看着",
    "雾一点一点从江面上退下去，",
    "孩子们跑过跳板。",
] * 3


def test_a_mark_at_the_head_of_a_line_that_had_room_before_it() -> None:
    rows = _rows(*WHOLE, "这条路叫“友谊之路”", "，走。", *WHOLE)
    torn = len(WHOLE) + 1
    assert [n for n, row in enumerate(rows) if row.goes_on] == [torn]
    assert rows[torn - 1].fill.slack < 0
    assert rows[torn].fill.width == rows[0].fill.width


def test_a_mark_that_a_wrapper_put_first_stays_where_it_is() -> None:
    rows = _rows(
        "渡口的早晨从一声汽笛开始", "，船老大把缆绳绕上木桩看", "着雾一点一点从江面上退下", "。孩子们跑过跳板。"
    )
    assert not any(row.goes_on for row in rows)


def test_lines_broken_behind_their_marks() -> None:
    torn = ["从河面上看，", "船舶、", "木排、都亮着灯。"]
    rows = _rows(*(WHOLE + torn) * 3)
    assert [row.goes_on for row in rows[: len(WHOLE + torn)]] == [False] * (len(WHOLE) + 1) + [True, False]


def test_an_address_over_several_lines() -> None:
    rows = _rows("原文链接：https://news.exam", "ple/2025/09/02/VIDEeCBod", "zU6AV0n41Zcc15.html", "堤岸上的灯")
    assert [row.goes_on for row in rows] == [False, True, True, False]
