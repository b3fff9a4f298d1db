"""Whatever a file holds, it comes to articles or to a reason, and no character is lost on the way."""

import math
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks import article
from tasks.article import Unfinished, process
from tasks.dataset import build_tables, decode_tables, encode_tables
from tasks.document import Document, Reading, Source, count_chars
from tasks.read import ipc
from tasks.read import pdf as read_pdf
from tasks.reflow import labels
from tasks.sources import kinds_of
from tests.pdf_writer import pdf, show

#: What lines are made of: what tells paragraphs apart, what is left out, what no text should hold.
PIECES = (
    "今年春天来得很早", "，河边的柳树已经发芽", "。", "　　", "本报记者 林晓", "（作者单位：市图书馆）", "2024年5月1日", "第3版", "一、",
    "渡口", "The bridge re-", "opened on Monday.", " ", "\t", "“", "”", "\u00ad", "\u200b", "\u202e", "\ufeff", "\ue000", "\ufffd", "\uffff",
    "\x1b[31m", "\x85", "\u2028", "\f", "\r", "⽂", "︽", "\U000e0041", "葛\U000e0100", "😀", "𠀀", "=1+1", "<b>", "-", "·", "——",
)  # fmt: skip
LINE = st.one_of(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.text(max_size=30))
TEXT = st.lists(LINE, max_size=30).map("\n".join)


def read(data: bytes, name: str = "a.txt", before: Sequence[Reading] | None = None) -> Document:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, name)
        path.write_bytes(data)
        return process(Source(name, str(path), len(data), "0" * 64), before=before)


#: For each medium, what reads the other one, and must never be asked.
OTHERS = {
    "text": (["tasks.read.pdf.read_pages", "tasks.read.image.read_image", "tasks.read.ocr.read_pictures"], "page"),
    "page": (["tasks.article.read_text"], "text"),
}


@pytest.mark.parametrize("medium", OTHERS)
def test_what_reads_the_other_medium_has_no_part_in_a_source(medium: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fingerprint of a text leaves out what reads pages, and the other way round."""
    readers, other = OTHERS[medium]

    def never(*_: object, **__: object) -> None:
        raise AssertionError("asked for what reads the other medium")

    for reader in readers:
        monkeypatch.setattr(reader, never)
    own = labels.model
    monkeypatch.setattr(labels, "model", lambda wanted: never() if wanted == other else own(wanted))
    samples = Path(__file__).parents[2] / "raw" / "samples"
    name = {"text": "journal.txt", "page": "newspaper-page.pdf"}[medium]
    document = read((samples / name).read_bytes(), name)
    assert document.articles, document.rejects
    assert kinds_of(document) == [f"{medium}-reader"]


def kept(document: Document) -> int:
    """Count the characters that are accounted for."""
    texts: Iterable[str] = (
        *(paragraph.text for article in document.articles for paragraph in article.paragraphs),
        *(reject.text for reject in document.rejects),
    )
    return sum(map(count_chars, texts)) + sum(document.left_out.values())


def check(document: Document) -> None:
    assert document.articles or document.rejects
    assert "failed" not in {reject.check for reject in document.rejects}, document.rejects
    assert document.n_chars == kept(document)
    tables = decode_tables(encode_tables(build_tables([document], "f")))
    paragraphs = {
        (row["article_id"], row["paragraph"]): row["text"]
        for row in tables["paragraphs"].select(["article_id", "paragraph", "text"]).to_pylist()
    }
    for name in ("sentences", "tokens"):
        for row in tables[name].select(["article_id", "paragraph", "start", "end", "text"]).to_pylist():
            assert paragraphs[row["article_id"], row["paragraph"]][row["start"] : row["end"]] == row["text"] != ""
    joined = "".join(tables["tokens"]["text"].to_pylist())
    assert joined == "".join("".join(text.split()) for text in paragraphs.values())


@settings(deadline=None, max_examples=60)
@given(TEXT)
def test_any_text_becomes_articles_or_a_reason(text: str) -> None:
    check(read(text.encode()))


@settings(deadline=None, max_examples=60)
@example(b"0")  # a page number and no page
@given(st.binary(max_size=300))
def test_any_bytes_become_articles_or_a_reason(data: bytes) -> None:
    check(read(data))


@pytest.mark.long
@settings(deadline=None, max_examples=5_000)
@given(st.one_of(TEXT, TEXT.map(lambda text: text * 20)))
def test_any_long_text_becomes_articles_or_a_reason(text: str) -> None:
    check(read(text.encode()))


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("会\0议", "binary"),
        ("\ud800会议".encode("utf-8", "surrogatepass").decode("latin-1"), "encoding"),
        ("<script>alert(1)</script>", "markup"),
        ("会\u202e议\u202c开\u200b完\U000e0041了。", "left out: 4"),
        ("\x1b]0;标题\x07会议开完了，" + "大家都回家了。" * 3, "left out: 2"),
    ],
)
def test_what_no_text_should_hold_is_refused_or_left_out_and_counted(text: str, outcome: str) -> None:
    document = read(text.encode("latin-1") if outcome == "encoding" else text.encode())
    if outcome.startswith("left out"):
        assert document.left_out == {"drop_invisible": int(outcome.rpartition(" ")[2])}
        assert document.articles
    else:
        assert [reject.check for reject in document.rejects] == [outcome]
        assert document.rejects[0].remedy


def test_a_million_times_one_character_is_read_within_its_bounds() -> None:
    check(read(("国" * 100_000 + "。").encode()))


def test_pages_that_a_second_parser_does_not_see_are_refused() -> None:
    pdf = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 9/Kids[3 0 R]>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
        b"4 0 obj<</Length 39>>stream\nBT /F 9 Tf 9 50 Td (All is well here.) Tj ET\nendstream endobj\n"
        b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )
    assert [reject.check for reject in read(pdf, "a.pdf").rejects] == ["page_count"]
    assert read(pdf.replace(b"Count 9", b"Count 1"), "a.pdf").articles


def read_by_parts(data: bytes) -> tuple[Document, list[list[int]]]:
    """Read a PDF as the children of the guard do, one after the other; return too which pages each of them read."""
    before: list[Reading] = []
    while True:
        try:
            return read(data, "a.pdf", before), [[page.number for page in reading.pages] for reading in before]
        except Unfinished as unfinished:
            before.append(ipc.decode(ipc.encode(unfinished.reading)))


LINES = "".join(
    show(50, 300 - 12 * k, f"{k}. The ferry that leaves at noon is back before the night.") for k in range(9)
)
BLANK, SCAN = "", "0.5 g 0 0 400 400 re f"


@pytest.mark.parametrize(
    ("contents", "parts"),
    [
        ((LINES,), []),
        ((LINES, LINES), []),
        ((LINES, LINES, LINES), [[1, 2], [3]]),
        ((LINES, BLANK, SCAN, LINES), [[1, 2], [3, 4]]),
        ((BLANK, SCAN, LINES + SCAN, LINES, LINES), [[1, 2], [3, 4], [5]]),
        ((SCAN, SCAN, SCAN), [[1, 2], [3]]),
        ((BLANK, BLANK, BLANK), [[1, 2], [3]]),
    ],
)
def test_a_long_pdf_is_read_by_its_next_pages_and_comes_out_the_same(
    contents: Sequence[str], parts: Sequence[Sequence[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(article, "PAGES_AT_ONCE", 2)
    data = pdf(*contents)
    document, read_at_once = read_by_parts(data)
    monkeypatch.setattr(article, "PAGES_AT_ONCE", 50)
    whole = read(data, "a.pdf")
    assert read_at_once == parts
    assert replace(document, source=whole.source) == whole


def turned(text: str, degrees: float, x: float = 200, y: float = 200) -> str:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return f"BT /F 10 Tf {cos:.4f} {sin:.4f} {-sin:.4f} {cos:.4f} {x} {y} Tm ({text}) Tj ET\n"


def grid(columns: int, width: int, words: Sequence[str]) -> str:
    return "".join(
        show(20 + width * column, 380 - 12 * row, words[(7 * row + column) % len(words)])
        for row in range(30)
        for column in range(columns)
    )


def rules(number: int) -> str:
    return "".join(f"10 {n % 400} m 390 {n % 400} l S\n" for n in range(number))


PAGES = [
    pytest.param(show(50, 300, "Ferry times"), {}, "", id="one line"),
    pytest.param(show(50, 300, "F"), {}, "", id="one character"),
    pytest.param("", {}, "no_text", id="no line"),
    pytest.param(show(50, 300, "     "), {}, "no_text", id="nothing but spaces"),
    pytest.param(LINES + show(53, 301, "Quite another line lies upon the first one."), {}, "", id="overlapping"),
    pytest.param(LINES * 3, {"drawn_twice": 2 * 9 * 47}, "", id="the same text thrice"),
    pytest.param(show(50, 300, "x") * 2000, {"drawn_twice": 1999}, "", id="two thousand in one place"),
    pytest.param(turned("Ferry times", 90), {}, "turned", id="on its side"),
    pytest.param(turned("Ferry times", -90), {}, "turned", id="on its other side"),
    pytest.param(turned("Ferry times", 180), {}, "turned", id="on its head"),
    pytest.param(LINES + turned("DRAFT", 45), {"turned": 5}, "", id="a watermark"),
    pytest.param(LINES + turned("Volume 7", -90, 20), {"turned": 7}, "", id="a stamp at the margin"),
    pytest.param(LINES + turned("Nearly straight", 3, 50, 100), {}, "", id="a scanner's slant"),
    pytest.param(show(50, 300, "Ferry times", 0), {}, "no_text", id="zero size"),
    pytest.param(LINES + show(50, 100, "Ferry times", 0), {"invisible": 10}, "", id="zero size among others"),
    pytest.param(LINES + show(-5000, 100, "Ferry times"), {"invisible": 10}, "", id="off the page"),
    pytest.param(show(50, 300, "Big", 5000), {"invisible": 2}, "", id="larger than the page"),
    pytest.param(grid(1, 20, "abcdefghijk"), {}, "", id="one column of one character"),
    pytest.param(grid(18, 20, "abcdefghijk"), {}, "", id="columns of one character"),
    pytest.param(grid(6, 60, ("1919", "12.8", "Ferry", "-570", "9,152")), {}, "", id="a table"),
    pytest.param(rules(30) + grid(6, 60, ("1919", "12.8", "Ferry")), {}, "", id="a ruled table"),
    pytest.param(rules(500) + LINES, {}, "", id="more shapes than are kept"),
    pytest.param(rules(1001) + LINES, {}, "too_dense", id="too many shapes"),
    pytest.param(LINES * 4, {}, "too_dense", id="too many characters"),
]


@pytest.mark.parametrize(("contents", "left_out", "rejected"), PAGES)
def test_an_odd_page_is_read_or_refused_with_a_reason(
    contents: str, left_out: dict[str, int], rejected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_pdf, "MOST_GLYPHS", 2000)
    monkeypatch.setattr(read_pdf, "MOST_SHAPES", 300)
    monkeypatch.setattr(read_pdf, "MOST_DRAWN", 1000)
    document = read(pdf(contents), "a.pdf")
    check(document)
    assert [reject.check for reject in document.rejects] == ([rejected] if rejected else [])
    assert all(reject.message and reject.remedy for reject in document.rejects)
    assert {
        rule: n for rule, n in document.left_out.items() if rule in ("drawn_twice", "invisible", "turned")
    } == left_out


def test_a_page_that_cannot_be_read_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_pdf, "MOST_GLYPHS", 2000)
    document = read(pdf(LINES, LINES * 5, turned("Ferry times", 90)), "a.pdf")
    assert [(reject.check, reject.evidence[:6]) for reject in document.rejects] == [
        ("too_dense", "page 2"), ("turned", "page 3"),
    ]  # fmt: skip
    assert document.articles
