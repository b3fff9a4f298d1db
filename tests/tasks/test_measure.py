"""The fill test: how wide is the column, and did the next word have room?"""

import pytest

from tasks.reflow.measure import FAR, UNMEASURED, column_widths, fill_lines, first_unit, natural_width, widths

TEXT = (
    "堤岸上的灯一盏一盏亮起来的时候，最后一班渡船正好靠岸。船工把缆绳绕上木桩，回头数了数乘客，比昨天多了七个人，"
    "其中两个是背着画板的学生，说要在对岸住到月底，把每天的雾都画下来。"
)


def _wrapped(width: int) -> list[str]:
    return [TEXT[k : k + width] for k in range(0, len(TEXT), width)]


@pytest.mark.parametrize("width", [12, 17, 22, 28])
def test_the_column_is_as_wide_as_its_lines(width: int) -> None:
    found, _ = column_widths(widths(_wrapped(width), proportional=False))
    assert set(found) == {float(width)}


def test_the_column_may_change_in_the_middle() -> None:
    lines = _wrapped(14) * 2 + _wrapped(22) * 2
    found, _ = column_widths(widths(lines, proportional=False))
    half = len(_wrapped(14)) * 2
    assert set(found[: half - 1]) == {14.0}
    assert set(found[half + 1 :]) == {22.0}


def test_only_the_last_line_leaves_room() -> None:
    fills = fill_lines(_wrapped(16))
    assert [fill.slack >= 0 for fill in fills] == [False] * (len(fills) - 1) + [True]


def test_marks_are_compressed_only_where_some_line_holds_too_much() -> None:
    plain = fill_lines(_wrapped(16))
    assert all(fill.squeezed == fill.slack for fill in plain)
    tight = [line if n % 2 else line[:4] + "，" + line[4:] for n, line in enumerate(_wrapped(16)[:-1])]
    assert any(fill.squeezed > fill.slack for fill in fill_lines(tight))


def test_one_paragraph_a_line_has_no_column() -> None:
    assert fill_lines([TEXT, TEXT[30:] + TEXT, TEXT * 2]) == [UNMEASURED] * 3


def test_no_lines() -> None:
    assert fill_lines([]) == []


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("“灯塔”亮了", "“灯"),
        ("《渡》，", "《渡》，"),
        ("2030年", "2030"),
        ("7.5%的", "7.5%"),
        ("don't go", "don't"),
        ("", ""),
    ],
)
def test_first_unit(text: str, unit: str) -> None:
    assert first_unit(text) == unit


def test_book_type_is_narrower_than_a_typewriters() -> None:
    assert natural_width("little") == 3.0
    assert natural_width("little", proportional=True) < 2.0 < natural_width("WWWW", proportional=True)


def test_a_line_far_wider_than_the_column_was_never_broken() -> None:
    long_title = "老渡口的最后一班船今晚靠岸 两岸居民自发前来送行"
    for lines in ([long_title, *_wrapped(16)], [*_wrapped(16), long_title, *_wrapped(16)]):
        fill = fill_lines(lines)[lines.index(long_title)]
        assert fill.width == 16
        assert fill.spare < -FAR


def test_a_column_that_changes_for_several_lines_is_no_such_line() -> None:
    assert all(fill.spare >= -FAR for fill in fill_lines(_wrapped(14) * 2 + _wrapped(22) * 2))


def test_a_program_that_breaks_anywhere_would_have_set_one_more_character() -> None:
    lines = [
        "雾从江面上退下去，孩子们",
        "跑过跳板，老人坐着看灯亮",
        "，船工把缆绳绕上木桩，数",
        "，了数乘客，比昨天多七个",
        "，画板在背上，雾在江上。",
    ]
    fills = fill_lines([*lines, "孩子们跑过了跳板去看", "灯，"])
    assert fills[-2].slack == 1.0


def test_a_program_that_counts_characters() -> None:
    text = "".join(f"江面上来了{n}条船和{n * n}个人，" if n % 3 else "雾退了，人都下了船。" for n in range(10, 40))
    counted = [text[k : k + 17] for k in range(0, len(text), 17)]
    assert {fill.width for fill in fill_lines(counted)} == {17.0}
