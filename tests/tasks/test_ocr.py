"""Scans become the same articles as the pages that they show: with a stand-in for the recogniser, and with itself."""

import io
import json
import socket
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.reading_quality import SAMPLES, SAMPLES_GOLD, as_case
from benchmarks.scanning import drawn, scan
from benchmarks.score import count, figures
from tasks import article
from tasks.article import Unfinished, process
from tasks.document import Document, Page, Reading, Source, count_chars
from tasks.instructions import Options
from tasks.read import image, ipc, ocr
from tasks.read import pdf as pages_of_pdf
from tests.pdf_writer import pdf, show
from tests.recogniser import Knowing, knowing

GOLD = {case["source"]: case for case in map(json.loads, SAMPLES_GOLD.read_text(encoding="utf-8").splitlines())}
needs_extra = pytest.mark.skipif(not ocr.is_installed(), reason="the extra `ocr` is not installed (make setup-ocr)")


def read(
    data: bytes, tmp_path: Path, name: str = "scan.pdf", *, recognised: bool = True, before: list[Reading] | None = None
) -> Document:
    path = tmp_path / name
    path.write_bytes(data)
    return process(Source(name, str(path), len(data), "0" * 64), Options(ocr=recognised), before=before)


def checks(document: Document) -> list[str]:
    return [reject.check for reject in document.rejects]


def as_good_as(document: Document, name: str) -> dict[str, float | None]:
    found = figures(count(GOLD[name], as_case(document)))
    return {figure: found[figure] for figure in ("intact", "boundary", "articles", "titles", "kinds")}


ALL = dict.fromkeys(("intact", "boundary", "articles", "titles", "kinds"), 1.0)


@pytest.fixture
def recogniser(monkeypatch: pytest.MonkeyPatch) -> Sequence[Knowing]:
    """Recognisers put into this list are asked one after the other; each knows one file."""
    known: list[Knowing] = []
    monkeypatch.setattr(ocr, "_recogniser", lambda: known[0])
    return known


@pytest.mark.parametrize("name", ["newspaper-page.pdf", "vertical-page.pdf"])
@pytest.mark.parametrize("old", [False, True], ids=["straight", "askew, blurred and speckled"])
def test_a_scan_becomes_the_articles_of_its_page(
    name: str, old: bool, recogniser: list[Knowing], tmp_path: Path
) -> None:
    original = (SAMPLES / name).read_bytes()
    recogniser.append(knowing(original))
    document = read(scan(original, old=old), tmp_path)
    assert document.rejects == ()
    assert as_good_as(document, name) == ALL
    paragraphs = [paragraph for found in document.articles for paragraph in found.paragraphs]
    assert all("ocr" in paragraph.fixes and paragraph.boxes for paragraph in paragraphs)
    kept = sum(count_chars(paragraph.text) for paragraph in paragraphs) + sum(document.left_out.values())
    assert document.n_chars == kept
    assert document.scanned


def test_places_are_those_on_the_page(recogniser: list[Knowing], tmp_path: Path) -> None:
    original = (SAMPLES / "newspaper-page.pdf").read_bytes()
    recogniser.append(knowing(original))
    scanned = {p.text: p.boxes for found in read(scan(original), tmp_path).articles for p in found.paragraphs}
    set_there = {p.text: p.boxes for found in read(original, tmp_path, "a.pdf").articles for p in found.paragraphs}
    assert scanned.keys() & set_there.keys()
    for text in scanned.keys() & set_there.keys():
        for ours, true in zip(scanned[text], set_there[text], strict=True):
            assert ours == pytest.approx(true, abs=4), text


def test_what_the_recogniser_is_unsure_of_is_less_sure(recogniser: list[Knowing], tmp_path: Path) -> None:
    original = (SAMPLES / "newspaper-page.pdf").read_bytes()
    recogniser.append(knowing(original, score=0.99))
    sure = read(scan(original), tmp_path).articles[0].confidence
    recogniser[0] = knowing(original, score=0.66)
    assert read(scan(original), tmp_path).articles[0].confidence == pytest.approx(sure * 0.66 / 0.99, abs=0.01)


def test_what_the_recogniser_takes_for_writing_is_not_always_writing(recogniser: list[Knowing], tmp_path: Path) -> None:
    original = (SAMPLES / "newspaper-page.pdf").read_bytes()
    recogniser.append(knowing(original, score=0.4))
    assert checks(read(scan(original), tmp_path)) == ["nothing_recognised"]
    recogniser[0] = Knowing(iter([Page(1, ())]))
    assert checks(read(scan(original), tmp_path)) == ["nothing_recognised"]


LINES = "".join(show(50, 300 - 12 * k, "The ferry that leaves at noon is back before the night.") for k in range(6))
SCAN = "0.5 g 0 0 400 400 re f"


def test_of_a_mixed_document_only_the_scans_are_recognised_and_each_child_reads_a_few(
    recogniser: list[Knowing], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(article, "SCANS_AT_ONCE", 2)
    pages = [LINES.replace("ferry", f"ferry no. {n}") for n in range(5)]
    mixed = pdf(pages[0], pages[1] + SCAN, pages[2] + SCAN, pages[3], pages[4] + SCAN)
    asked: list[int] = []
    draw = pages_of_pdf.draw

    def watched(data: bytes, numbers: Sequence[int]) -> object:
        asked.extend(numbers)
        return draw(pdf(*pages), numbers)

    monkeypatch.setattr(pages_of_pdf, "draw", watched)
    monkeypatch.setattr(pages_of_pdf, "STAMP_GLYPHS", 1_000)
    known = pages_of_pdf.read_pdf(pdf(*pages)).pages
    recogniser.append(Knowing(iter([known[1], known[2], known[4]])))
    before: list[Reading] = []
    limits = []
    while True:
        try:
            document = read(mixed, tmp_path, before=before)
            break
        except Unfinished as unfinished:
            before.append(ipc.decode(ipc.encode(unfinished.reading)))
            limits.append(unfinished.limits)
    assert limits == ["ocr", "ocr", ""]
    assert asked == [2, 3, 5]
    text = "\n".join(found.text for found in document.articles)
    assert [text.count(f"ferry no. {n}") for n in range(5)] == [6] * 5
    assert document.rejects == ()
    assert document.left_out["needs_ocr"] == sum(count_chars(line.text) for n in (1, 2, 4) for line in known[n].lines)


def test_without_ocr_scans_are_rejected_and_the_rest_is_read(tmp_path: Path) -> None:
    document = read(pdf(LINES, SCAN), tmp_path, recognised=False)
    assert checks(document) == ["needs_ocr"]
    assert "page 2" in document.rejects[0].message
    assert "100%" in document.rejects[0].evidence
    assert "ocr" in document.rejects[0].remedy
    assert document.articles
    assert document.scanned
    assert not read(pdf(LINES), tmp_path, recognised=False).scanned


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def picture_of(name: str) -> Image.Image:
    return next(drawn((SAMPLES / name).read_bytes(), 200))


@pytest.mark.parametrize(
    ("name", "kind"), [("page.png", "PNG"), ("page.jpg", "JPEG"), ("page.tif", "TIFF"), ("page", "PNG")]
)
def test_an_image_file_is_a_scan(name: str, kind: str, recogniser: list[Knowing], tmp_path: Path) -> None:
    picture = picture_of("newspaper-page.pdf")
    data = saved(picture, kind, dpi=(200, 200))
    assert checks(read(data, tmp_path, name, recognised=False)) == ["needs_ocr"]
    recogniser.append(knowing((SAMPLES / "newspaper-page.pdf").read_bytes()))
    document = read(data, tmp_path, name)
    assert as_good_as(document, "newspaper-page.pdf") == ALL
    assert document.media_type == f"image/{kind.lower()}"


def test_every_page_of_a_tiff_is_read(recogniser: list[Knowing], tmp_path: Path) -> None:
    picture = picture_of("newspaper-page.pdf")
    data = saved(picture, "TIFF", save_all=True, append_images=[picture], dpi=(200, 200))
    page = (SAMPLES / "newspaper-page.pdf").read_bytes()
    pages = pages_of_pdf.read_pdf(page).pages
    recogniser.append(Knowing(iter([*pages, *pages])))
    document = read(data, tmp_path, "issue.tiff")
    assert {box.page for found in document.articles for p in found.paragraphs for box in p.boxes} == {1, 2}


def test_a_transparent_image_stands_on_white_and_a_turned_one_upright() -> None:
    ink = Image.new("RGBA", (60, 30), (0, 0, 0, 0))
    ink.paste((0, 0, 0, 255), (10, 10, 20, 20))
    (page,) = image.draw(saved(ink, "PNG"), [1])
    assert page.grey[0, 0] == 255
    assert page.grey[15, 15] == 0
    turned = Image.new("L", (60, 30), 255)
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    (page,) = image.draw(saved(turned, "JPEG", exif=exif), [1])
    assert page.grey.shape == (60, 30)


def test_a_damaged_image_says_so(tmp_path: Path) -> None:
    data = saved(picture_of("newspaper-page.pdf"), "PNG")
    assert checks(read(data[: len(data) // 2], tmp_path, "a.png")) == ["damaged_image"]
    assert checks(read(data[:40], tmp_path, "a.png", recognised=False)) == ["damaged_image"]


def test_dashes_that_were_passed_over_are_set() -> None:
    ink = np.zeros((24, 24 * 6), dtype=bool)
    ink[2:22, 2:22] = ink[2:22, 26:46] = ink[2:22, 98:118] = ink[2:22, 122:142] = True
    middles, scores = [12.0, 36.0, 108.0, 132.0], [0.9] * 4
    assert ocr._with_dashes(ink, "渡口开航", scores, middles)[0] == "渡口开航"
    ink[11:13, 50:94] = True
    text, scores, middles = ocr._with_dashes(ink, "渡口开航", scores, middles)
    assert text == "渡口——开航"
    assert len(scores) == len(middles) == len(text)
    assert middles == sorted(middles)


def test_a_vertical_line_is_cut_between_its_characters() -> None:
    ink = np.zeros((30 * 5, 30), dtype=bool)
    for n in range(5):
        ink[30 * n + 2 : 30 * n + 10, 3:27] = ink[30 * n + 18 : 30 * n + 28, 3:27] = True  # as 二 is in two parts
    assert ocr._cells(ink, 30) == pytest.approx([0, 30, 60, 90, 120, 149], abs=3)


def test_white_on_black_is_ink_too() -> None:
    grey = np.full((20, 40), 20, dtype=np.uint8)
    grey[8:12, 10:30] = 240
    assert ocr._ink(grey).sum() == ocr._ink(255 - grey).sum() == 80
    assert not ocr._ink(np.full((5, 5), 7, dtype=np.uint8)).any()


@pytest.mark.ocr
@needs_extra
@pytest.mark.parametrize("name", ["newspaper-page.pdf", "vertical-page.pdf"])
def test_the_recogniser_itself_reads_the_samples_and_asks_no_network(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    found = figures(count(GOLD[name], as_case(read(scan((SAMPLES / name).read_bytes(), old=True), tmp_path))))
    assert (found["cer"] or 0) < 0.01
    assert found["boundary"] == found["articles"] == found["titles"] == 1.0
