"""Reading order from geometry alone: pages as data, lines given in any order."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.document import Box, Line, Page, Reading
from tasks.reflow import arrange
from tasks.reflow.order import frames, page_spans
from tasks.reflow.rows import text_rows

EM = 10.0
LEADING = 15.0
PLACES = "0123456789abcdefghijklmnop"
PROSE = "渡口的早晨从一声汽笛开始船老大把缆绳绕上木桩看雾慢慢散去"


def line(text: str, x: float, y: float, size: float = EM, vertical: bool = False) -> Line:
    """Set a line at x, y: one em a character, along x or down y."""
    length = len(text) * size
    if vertical:
        box = Box(1, x, y, x + size, y + length)
        edges = tuple(y + k * size for k in range(len(text) + 1))
    else:
        box = Box(1, x, y, x + length, y + size)
        edges = tuple(x + k * size for k in range(len(text) + 1))
    return Line(text, 0, box, size, "Song", edges, vertical)


def lane(name: str, x: float, y: float, rows: int, width: int = 12, end: str = "") -> list[Line]:
    """Set rows of full lines whose first characters tell lane and place, running on in mid-sentence unless `end`."""
    lines = [line((f"{name}{PLACES[k]}" + PROSE)[:width], x, y + k * LEADING) for k in range(rows)]
    if end:
        lines[-1] = line(f"{name}{PLACES[rows - 1]}终{end}", x, y + (rows - 1) * LEADING)
    return lines


def read(lines: Sequence[Line], rules: tuple[Box, ...] = ()) -> list[str]:
    """Return the first two characters of each line in reading order."""
    page = Page(1, tuple(lines), 600.0, 800.0, rules)
    rows = arrange(Reading((page,), "application/pdf", 1))
    return [row.text[:2] for row in rows if not row.aside]


def names(*lanes: tuple[str, int]) -> list[str]:
    return [f"{name}{PLACES[k]}" for name, rows in lanes for k in range(rows)]


TITLE = line("甲题横跨全部三栏的标题在此", 80, 60, size=22)
THREE = lane("甲", 50, 100, 8) + lane("乙", 190, 100, 8) + lane("丙", 330, 100, 6, end="。")


def test_a_lane_under_a_picture_is_read_in_its_turn_where_the_others_have_ended() -> None:
    beside = lane("甲", 50, 100, 6) + lane("丙", 330, 100, 6, end="。")
    under = [line("乙题", 220, 210, size=11), line("乙1" + PROSE[:10], 190, 235)]
    below = [line("丁题下面一篇的标题", 160, 300, size=22), *lane("丁", 50, 340, 6), *lane("戊", 190, 340, 6)]
    assert read([TITLE, *beside, *under, *below]) == [
        "甲题", *names(("甲", 6)), "乙题", "乙1", *names(("丙", 6)), "丁题", *names(("丁", 6), ("戊", 6)),
    ]  # fmt: skip


def test_articles_that_follow_one_another_in_their_lanes_are_not_cut_at_a_title_beside_a_picture() -> None:
    left = [line("甲题左栏第一篇", 80, 40, size=16), *lane("甲", 50, 80, 4), *lane("乙", 50, 240, 6)]
    left[4] = line("甲3" + PROSE[:10], 50, 125)  # it reads on below the picture
    right = [line("丙题右栏", 340, 40, size=16), *lane("丙", 310, 80, 4, end="。")]
    right += [line("丁题右栏下", 340, 165, size=16), *lane("丁", 310, 205, 9, end="。")]
    assert read([*left, *right]) == [
        "甲题", *names(("甲", 4), ("乙", 6)), "丙题", *names(("丙", 4)), "丁题", *names(("丁", 9)),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_lanes_are_read_one_after_the_other_whatever_the_files_order(seed: int) -> None:
    lines = [TITLE, *THREE]
    random.Random(seed).shuffle(lines)
    assert read(lines) == ["甲题", *names(("甲", 8), ("乙", 8), ("丙", 6))]


def test_articles_one_above_the_other_are_parted_by_their_titles() -> None:
    below = [line("丁题下面一篇的标题", 120, 260, size=22)]
    below += lane("丁", 50, 300, 6) + lane("戊", 190, 300, 6) + lane("己", 330, 300, 5, end="。")
    assert read([TITLE, *THREE, *below]) == [
        "甲题", *names(("甲", 8), ("乙", 8), ("丙", 6)), "丁题", *names(("丁", 6), ("戊", 6), ("己", 5)),
    ]  # fmt: skip


def test_articles_without_titles_are_parted_by_a_gap_where_lanes_run_on() -> None:
    below = lane("丁", 50, 245, 6) + lane("戊", 190, 245, 6) + lane("己", 330, 245, 5, end="。")
    assert read([*THREE, *below]) == names(("甲", 8), ("乙", 8), ("丙", 6), ("丁", 6), ("戊", 6), ("己", 5))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("rule", "parted"),
    [
        pytest.param(Box(1, 45, 218, 455, 218.5), True, id="over all lanes"),
        pytest.param(Box(1, 45, 218, 310, 218.5), False, id="over two of three"),
        pytest.param(Box(1, 45, 208, 455, 208.5), False, id="through a line"),
        pytest.param(Box(1, 180, 95, 180.5, 310), False, id="between lanes"),
    ],
)
def test_a_rule_over_all_lanes_parts_what_stands_above_from_what_stands_below(
    seed: int, rule: Box, parted: bool
) -> None:
    """The lanes stand as close as lines do, and each could go on below: only the rule tells."""
    above = lane("甲", 50, 100, 8) + lane("乙", 190, 100, 8) + lane("丙", 330, 100, 8)
    below = lane("丁", 50, 220, 6) + lane("戊", 190, 220, 6) + lane("己", 330, 220, 6)
    lines = [*above, *below]
    random.Random(seed).shuffle(lines)
    across = names(("甲", 8), ("乙", 8), ("丙", 8), ("丁", 6), ("戊", 6), ("己", 6))
    down = names(("甲", 8), ("丁", 6), ("乙", 8), ("戊", 6), ("丙", 8), ("己", 6))
    assert read(lines, (rule,)) == (across if parted else down)


def test_beside_a_picture_rows_fill_the_rest_of_their_lane() -> None:
    """Eight full lines beside a picture are full, though the lane is twice as wide."""
    wide, narrow = lane("甲", 50, 100, 6, width=24), lane("乙", 50, 190, 8)
    picture = Box(1, 180, 188, 290, 300)
    page = Page(1, (*wide, *narrow), 600.0, 800.0, (), (picture,))
    rows = arrange(Reading((page,), "application/pdf", 1))
    assert [row.right for row in rows] == [0.0] * 14
    assert {row.fill.width for row in rows} == {24.0, 12.0}


def test_a_lane_is_as_wide_as_its_lines_say() -> None:
    """Of two lanes under each other's heads the narrow one is no shorter version of the wide one."""
    rows = arrange(
        Reading(
            (Page(1, (*lane("甲", 50, 100, 8, width=16), *lane("乙", 230, 100, 8, width=10)), 600.0, 800.0),), "", 1
        )
    )
    assert {row.fill.width for row in rows} == {16.0, 10.0}


def test_paragraphs_that_end_side_by_side_do_not_part_the_page() -> None:
    """The gap is the one between paragraphs, and both sentences end at it: the lanes go on below."""
    lines: list[Line] = []
    for name, x in (("甲", 50.0), ("乙", 190.0)):
        lines += lane(name, x, 100, 4, end="。")
        rest = [line((f"{name}{PLACES[k]}" + PROSE)[:12], x, 100 + k * LEADING + 9) for k in range(4, 9)]
        rest[0] = line((f"{name}4" + PROSE)[:10], x + 2 * EM, 100 + 4 * LEADING + 9)
        lines += rest
    assert read(lines) == names(("甲", 9), ("乙", 9))


def test_sections_side_by_side_are_read_each_by_itself() -> None:
    left = [line("左题一篇", 100, 60, size=20), *lane("左", 50, 100, 7), *lane("中", 180, 100, 7)]
    right = [line("右题一篇", 345, 60, size=20), *lane("右", 330, 100, 9)]
    assert read([*right, *left]) == ["左题", *names(("左", 7), ("中", 7)), "右题", *names(("右", 9))]


def test_a_sidebar_is_read_after_the_text_around_it() -> None:
    box = Box(1, 325, 95, 480, 200)
    sidebar = [line((f"框{k}" + PROSE)[:14], 330, 100 + k * LEADING) for k in range(6)]
    lines = lane("甲", 50, 100, 20) + lane("乙", 190, 100, 20) + sidebar + lane("丙", 330, 220, 12)
    got = read(lines, (box,))
    assert got == names(("甲", 20), ("乙", 20), ("丙", 12), ("框", 6))


def test_a_frame_around_the_whole_page_is_no_sidebar() -> None:
    page = Page(1, tuple(THREE), 600.0, 800.0, (Box(1, 20, 20, 580, 780),))
    across, _ = page_spans(page, text_rows(page.lines))
    assert frames(page, across) == []


def test_four_lines_that_meet_make_a_box() -> None:
    rules = (Box(1, 325, 95, 480, 96), Box(1, 325, 199, 480, 200), Box(1, 325, 95, 326, 200), Box(1, 479, 95, 480, 200))
    page = Page(1, (*lane("甲", 50, 100, 20), *lane("框", 330, 100, 6)), 600.0, 800.0, rules)
    across, _ = page_spans(page, text_rows(page.lines))
    assert [len(part) for part in frames(page, across)] == [6]


def test_vertical_text_is_read_from_the_right() -> None:
    lines = [line((f"竖{k}" + PROSE)[:20], 500 - k * LEADING, 60, vertical=True) for k in range(8)]
    assert read(lines[::-1]) == names(("竖", 8))


def test_running_heads_and_page_numbers_are_no_part_of_the_text() -> None:
    head = line("江岸日报 2024年5月1日 第3版", 50, 30)
    number = line("3", 290, 780)
    assert read([head, *THREE, number]) == names(("甲", 8), ("乙", 8), ("丙", 6))


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="no line"),
        pytest.param([line("一行", 50, 50)], id="one line"),
        pytest.param([line("叠字", 50, 50)] * 4, id="overprinted"),
        pytest.param(
            [line(c, 50 + 30 * k, 50 + 15 * r) for r, c in enumerate("字" * 30) for k in range(9)], id="narrow"
        ),
        pytest.param([line(f"表{r}", 50 + 60 * k, 50 + 15 * r) for r in range(20) for k in range(8)], id="table"),
        pytest.param([line("大" * 3, 1e30 * k, 50) for k in range(5)], id="a page without end"),
    ],
)
def test_odd_pages_lose_nothing(lines: list[Line]) -> None:
    assert len(read(lines)) == len(lines)


@settings(max_examples=60, deadline=None)
@example([(0, 0, 10.0), (5, 0, 10.0), (0, 0, 8.0), (0, 2, 8.0)])  # as many characters of one size as of the other
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 60), st.sampled_from([8.0, 10.0, 22.0])), max_size=40))
def test_every_line_is_read_once_and_the_order_of_the_file_says_nothing(places: list[tuple[int, int, float]]) -> None:
    places = list(dict.fromkeys(places))
    lines = [line("字号不一", 10.0 * x, 12.0 * y, size) for x, y, size in places]
    page = Page(1, tuple(lines), 600.0, 800.0)
    backward = Page(1, tuple(lines[::-1]), 600.0, 800.0)
    there = [row.line for row in arrange(Reading((page,), "application/pdf", 1))]
    back = [row.line for row in arrange(Reading((backward,), "application/pdf", 1))]
    assert sorted(map(id, there)) == sorted(map(id, lines))
    assert [x.box for x in there] == [x.box for x in back]
