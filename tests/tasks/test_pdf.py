"""Lines from a PDF's characters: small files written here, operator by operator, and the sample pages."""

from pathlib import Path

import pytest

from flows.batch import page_of
from tasks.document import Direction, Reading, Unreadable, count_chars
from tasks.read.pdf import read_pages, read_pdf
from tests.pdf_writer import pdf, show

SAMPLES = Path(__file__).parents[2] / "raw" / "samples"


def texts(reading: Reading) -> list[str]:
    return [line.text for page in reading.pages for line in page.lines]


def conserved(reading: Reading) -> bool:
    return sum(map(count_chars, texts(reading))) + sum(reading.left_out.values()) == reading.n_chars


def test_a_line_knows_its_place_and_that_of_each_character() -> None:
    reading = read_pdf(pdf(show(50, 300, "Ferry times")))
    (page,) = reading.pages
    (line,) = page.lines
    assert line.text == "Ferry times"
    assert line.box is not None
    assert line.box.page == 1
    assert line.box.x0 == pytest.approx(50, abs=0.1)
    assert line.box.top == pytest.approx(92, abs=3)
    assert len(line.edges) == len(line.text) + 1
    assert list(line.edges) == sorted(line.edges)


def test_columns_with_a_narrow_gutter_stay_apart() -> None:
    rows = [show(50, 300 - 12 * k, "left column of words") + show(152, 300 - 12 * k, "right one") for k in range(6)]
    assert texts(read_pdf(pdf("".join(rows)))).count("left column of words") == 6


def test_rows_that_end_at_a_gap_make_it_a_gutter_for_a_lane_of_one_row() -> None:
    rows = [show(50, 300 - 12 * k, "left column of words") for k in range(6)]
    assert texts(read_pdf(pdf("".join(rows) + show(150, 300, "right")))).count("right") == 1


RAGGED = "".join(
    show(50, 300 - 12 * k, text)
    for k, text in enumerate(["left column of words", "a column", "of ragged words", "here"])
)


@pytest.mark.parametrize(
    ("rule", "parted"),
    [
        pytest.param("145 250 0.5 60 re f\n", True, id="between the columns"),
        pytest.param("", False, id="none"),
        pytest.param("145 301 0.5 4 re f\n", False, id="shorter than a line"),
        pytest.param("145 320 0.5 60 re f\n", False, id="above them"),
        pytest.param("250 250 0.5 60 re f\n", False, id="behind them"),
        pytest.param("50 297 200 0.5 re f\n", False, id="under the line"),
    ],
)
def test_a_rule_between_two_columns_parts_their_lines(rule: str, parted: bool) -> None:
    assert ("right" in texts(read_pdf(pdf(rule + RAGGED + show(150, 300, "right"))))) is parted


def test_fake_bold_is_read_once_and_counted() -> None:
    reading = read_pdf(pdf(show(50, 300, "Harbour") + show(50.3, 300, "Harbour")))
    assert texts(reading) == ["Harbour"]
    assert reading.left_out == {"drawn_twice": 7}
    assert conserved(reading)


def test_letters_that_stand_twice_by_right_are_kept() -> None:
    assert texts(read_pdf(pdf(show(50, 300, "book keeper")))) == ["book keeper"]


def test_words_set_apart_by_distance_get_a_space() -> None:
    assert texts(read_pdf(pdf(show(50, 300, "[(slow) -400 (river)] TJ")))) == ["slow river"]


def test_kerning_is_no_space() -> None:
    assert texts(read_pdf(pdf(show(50, 300, "[(ri) 60 (v) -60 (er)] TJ")))) == ["river"]


def test_a_title_is_not_split_over_the_gutters_below_it() -> None:
    body = "".join(show(50, 250 - 12 * k, "left column of words") + show(152, 250 - 12 * k, "right") for k in range(6))
    title = show(60, 280, "[(Two) -900 (words)] TJ", 20)
    assert "Two words" in texts(read_pdf(pdf(title + body)))


@pytest.mark.parametrize(
    ("data", "check"),
    [
        pytest.param(b"", "empty", id="no bytes"),
        pytest.param(b"%PDF-1.7\n", "damaged_pdf", id="header only"),
        pytest.param(b"no pdf at all", "damaged_pdf", id="not a PDF"),
        pytest.param(pdf(""), "no_text", id="a blank page"),
        pytest.param(pdf("0.5 g 50 50 300 300 re f"), "needs_ocr", id="a picture and no text"),
        pytest.param(pdf("0.5 g 0 0 400 400 re f\n" + show(50, 20, "Scanned by")), "needs_ocr", id="a stamped scan"),
        pytest.param(pdf("0.5 g 50 50 300 2 re f"), "no_text", id="a rule and no text"),
    ],
)
def test_what_cannot_be_read_says_why_and_what_to_do(data: bytes, check: str) -> None:
    with pytest.raises(Unreadable) as error:
        read_pdf(data)
    assert error.value.reject.check == check
    assert error.value.reject.message
    assert error.value.reject.remedy


def test_a_truncated_file_is_damaged() -> None:
    with pytest.raises(Unreadable) as error:
        read_pdf((SAMPLES / "truncated.pdf").read_bytes())
    assert error.value.reject.check == "damaged_pdf"


def test_the_sample_pages_keep_every_character() -> None:
    for name in ("newspaper-page.pdf", "vertical-page.pdf"):
        assert conserved(read_pdf((SAMPLES / name).read_bytes())), name


def test_a_newspaper_page_has_its_columns_apart() -> None:
    reading = read_pdf((SAMPLES / "newspaper-page.pdf").read_bytes())
    sizes = sorted(line.size or 0 for line in reading.pages[0].lines)
    body = sizes[len(sizes) // 2]
    width = reading.pages[0].width or 0
    for line in reading.pages[0].lines:
        if line.box and abs((line.size or 0) - body) < 0.1 and not line.vertical:
            assert line.box.x1 - line.box.x0 < 0.5 * width, line.text


@pytest.mark.parametrize("direction", ["horizontal", "vertical"])
def test_a_page_set_wider_than_its_leading_is_read_as_it_is_known_to_run(direction: Direction) -> None:
    lines = ["河边的春天", "来得真很早", "柳树已发芽"]
    spaced = page_of("\n".join(lines)).replace(b"10 Tf 12 TL", b"10 Tf 12 TL 4 Tc")  # 2 points between lines, 4 in them
    (page,) = read_pages(spaced, direction=direction).pages
    down = ["".join(letters) for letters in zip(*lines, strict=True)]
    assert sorted(line.text for line in page.lines) == sorted(lines if direction == "horizontal" else down)
    assert {line.vertical for line in page.lines} == {direction == "vertical"}


def test_a_vertical_page_is_read_down_but_its_running_head_across() -> None:
    lines = read_pdf((SAMPLES / "vertical-page.pdf").read_bytes()).pages[0].lines
    down = [line for line in lines if line.vertical]
    assert len(down) > 10
    assert all(line.box and line.box.bottom - line.box.top > 15 for line in down)
    assert any(not line.vertical for line in lines)


def test_a_picture_with_its_caption_is_read() -> None:
    caption = show(20, 20, "The old ferry at its landing, seen from the new bridge in spring.")
    assert texts(read_pdf(pdf("0.5 g 0 0 400 400 re f\n" + caption)))
    assert texts(read_pdf(pdf("0.5 g 50 50 300 200 re f\n" + show(20, 20, "The old ferry"))))


def test_a_page_without_usable_text_is_left_out_and_the_others_are_read() -> None:
    reading = read_pdf(pdf(show(50, 300, "Ferry times"), "0.5 g 50 50 300 300 re f"))
    assert [len(page.lines) for page in reading.pages] == [1, 0]
    (reject,) = reading.rejects
    assert reject.check == "needs_ocr"
    assert "page 2" in reject.message
