"""Read a PDF's characters as lines with their origins (the only pdfplumber import).

pdfplumber's own lines, words and `extract_text` join neighbouring columns, so lines are built here from single
characters: grouped by baseline, set apart where a gutter or a wide gap stands between them. Vertical text is read with
x and y exchanged, so that one piece of code serves both.
"""

from __future__ import annotations

import io
import logging
import os
import unicodedata
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import pairwise
from statistics import median
from typing import Any, Literal, NamedTuple

from tasks.clean import HALF_INK, OPENING, is_wide
from tasks.document import Box, Direction, Element, Line, Page, Reading, Reject, Unreadable, count_chars
from tasks.read.ocr import Picture
from tasks.read.structure import Marks, elements

MEDIA_TYPE = "application/pdf"
#: Two glyphs of one line may differ by this much of an em in their baselines (other fonts, superscript figures).
BASELINE_TOLERANCE = 0.3
#: What is drawn no wider than this, in points, is a rule. A page of more rules than that across its lines is a drawing.
MOST_RULE, MOST_POSTS = 3.0, 2000
#: A gap of more than this many em always ends a run of text; a smaller one does where it lies in a gutter.
WIDE_GAP = 1.3
NARROW_GAP = 0.6
#: Latin words of a justified line in a narrow column may stand this many em apart.
WIDEST_GAP = 2.4
#: Latin words are set apart by at least this much of an em when the file holds no space characters.
WORD_GAP = 0.16
#: A page with more than this share of glyphs that name no character cannot be read without OCR.
UNUSABLE_SHARE = 0.3
#: A baseline that climbs or falls by more than this is no line of the page, but a stamp or a watermark across it.
SLANT = 0.1
#: A page without characters is a picture when one covers this share of it (a rule or a border is none); a page with
#: fewer than so many is a stamped scan when a picture covers nearly all of it.
PICTURE_SHARE, STAMP_GLYPHS, SCAN_SHARE = 0.02, 40, 0.8
#: A scanned page is drawn for OCR with so many pixels an inch (small print is 25 of them high), and with at most so many
#: pixels, whatever size it claims: a broadsheet has 14 million.
DPI, MOST_PIXELS = 200, 16_000_000
#: A PDF of more pages is no issue of anything, and each 50 of them are granted a budget.
MOST_PAGES = 10_000
#: The densest pages of a newspaper, its share prices, show 60,000 characters. Of what is drawn so much is kept, and so
#: much looked at: maps and screens of dots are made of many thousands of shapes.
MOST_GLYPHS, MOST_SHAPES, MOST_DRAWN = 100_000, 20_000, 200_000


class Glyph(NamedTuple):
    """A character in reading coordinates: `u` runs along the line, `v` across the lines (both in points)."""

    u0: float
    u1: float
    v: float
    size: float
    text: str
    font: str
    box: tuple[float, float, float, float]
    element: Element | None = None


def read_pdf(data: bytes) -> Reading:
    """Return the lines of every page of a PDF, in no particular order between the columns.

    A page that is a picture, or whose glyphs name no characters, is left out with a reject of its own (`needs_ocr`), as
    is one that holds too many of them (`too_dense`) or lies on its side (`turned`); the others are read. Raises
    `Unreadable` for files that are no PDF, are encrypted, damaged or empty, have too many pages, or hold no usable text
    at all.

    Source: the characters of `pdfplumber`; sizes and places in points from the top left corner of the page.
    """
    return whole([read_pages(data)])


def read_pages(data: bytes, first: int = 1, most: int | None = None, direction: Direction | None = None) -> Reading:
    """Return the lines of some pages of a PDF, from the page `first` on, or of all that are left.

    `direction` is that of the running text where it is known; else each page shows it. Raises as `read_pdf`, but not for
    pages without usable text: others may have some (see `whole`).
    """
    if not data:
        raise Unreadable("empty", "the file holds no bytes.", "Copy the file again from its origin.")
    pages: list[Page] = []
    rejects: list[Reject] = []
    scans: dict[int, Reject] = {}
    left_out: Counter[str] = Counter()
    n_chars = 0
    with _told(), _opened(data) as pdf:
        total = len(pdf.pages)
        if not total:
            raise Unreadable("no_pages", "the PDF has no pages.", "Copy the file again: it may be cut short.")
        if total > MOST_PAGES:
            raise Unreadable(
                "too_long", f"the PDF has {total:,} pages, of {MOST_PAGES:,} at most.", "Split it into its issues."
            )
        for page in pdf.pages[first - 1 :][:most]:
            overfull = _lay_out(page)
            chars = [] if overfull else page.chars
            count = _count(chars)
            n_chars += count
            own: Counter[str] = Counter()
            made = Page(page.page_number, (), float(page.width), float(page.height))
            reject = overfull or _needs_ocr(page, chars)
            if not reject:
                made = _page(page, chars, own, direction)
                reject = _turned(page, own["turned"], count)
            if reject:
                if reject.check == "needs_ocr":
                    scans[page.page_number] = reject
                else:
                    rejects.append(reject)
                made, own = replace(made, lines=()), Counter({reject.check: count})
            pages.append(made)
            left_out += own
            page.close()  # pdfplumber keeps every page's objects otherwise
    left = total - (first - 1) - len(pages)
    return Reading(tuple(pages), MEDIA_TYPE, n_chars, None, dict(left_out), tuple(rejects), left, scans)


def whole(readings: Sequence[Reading]) -> Reading:
    """Return what was read of a file's pages, some by some, as one; raises `Unreadable` when all of it is of no use.

    What a later reading says of a page holds: OCR reads those again that are only pictures.
    """
    pages = {page.number: page for reading in readings for page in reading.pages}
    scans = {number: reject for reading in readings for number, reject in reading.scans.items()}
    unread = scans_left(readings)
    rejects = (*(reject for reading in readings for reject in reading.rejects), *map(scans.__getitem__, unread))
    n_chars = sum(reading.n_chars for reading in readings)
    if not any(page.lines for page in pages.values()):
        if rejects:
            raise Unreadable(rejects[0].check, rejects[0].message, rejects[0].remedy, rejects[0].evidence)
        if scans:
            raise Unreadable(
                "nothing_recognised",
                "OCR finds no text on its pictures.",
                "Scan it again, straight and with 300 dots an inch, or remove it if it shows none.",
                next(iter(scans.values())).evidence,
            )
        shown = f"none of its {n_chars:,} characters: they have no size, or lie off the page" if n_chars else "nothing"
        raise Unreadable("no_text", f"the PDF shows {shown}.", "Copy the file again from its origin, or remove it.")
    left_out: Counter[str] = Counter()
    for reading in readings:
        left_out.update(reading.left_out)
    return Reading(tuple(pages.values()), readings[0].media_type, n_chars, None, dict(left_out), rejects, scans=scans)


def scans_left(readings: Sequence[Reading]) -> list[int]:
    """Return the pages that are only pictures and that OCR has not read yet."""
    left: dict[int, Reject] = {}
    for reading in readings:
        for page in reading.pages:
            left.pop(page.number, None)
        left |= reading.scans
    return list(left)


def draw(data: bytes, numbers: Iterable[int], *, dpi: float = DPI, most_pixels: int = MOST_PIXELS) -> Iterator[Picture]:
    """Yield pages as pictures, as OCR wants them, from edge to edge of the paper, as places on a page are measured."""
    import pypdfium2

    with pypdfium2.PdfDocument(data) as pdf:
        for number in numbers:
            page = pdf[number - 1]
            page.set_cropbox(*page.get_mediabox())
            width, height = page.get_size()
            scale = min(dpi / 72, (most_pixels / max(width * height, 1)) ** 0.5)
            grey = page.render(scale=scale, grayscale=True).to_numpy().squeeze()
            page.close()
            yield Picture(number, grey, width / grey.shape[1])


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    os.environ.pop("CMAP_PATH", None)  # pdfminer would unpickle whatever lies there
    import pdfplumber

    for name in ("pdfminer", "pdfplumber"):  # thousands of warnings about fonts that read well
        logging.getLogger(name).setLevel(logging.ERROR)
    with pdfplumber.open(io.BytesIO(data)) as pdf:
        yield pdf


@contextmanager
def _told() -> Iterator[None]:
    """Turn whatever pdfminer stumbles on into `Unreadable`."""
    try:
        yield
    except Unreadable:
        raise
    except Exception as error:  # noqa: BLE001  pdfminer raises errors of every kind
        from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect
        from pdfplumber.utils.exceptions import PdfminerException

        cause = error.args[0] if isinstance(error, PdfminerException) and error.args else error
        if isinstance(cause, MemoryError):
            raise cause from None  # the guard knows what to make of it
        if isinstance(cause, PDFPasswordIncorrect | PDFEncryptionError):
            raise Unreadable(
                "encrypted", "the PDF is protected by a password.", "Save it without a password and copy it again."
            ) from None
        raise Unreadable(
            "damaged_pdf",
            f"the PDF cannot be parsed ({type(cause).__name__}).",
            "Open it in a viewer: if it shows, print it to a new PDF; else fetch it again.",
            evidence=str(cause)[:200],
        ) from None


class _Overfull(Exception):
    """A page shows more than anybody could print on it; the message says of what, and how much is too much."""


def _lay_out(page: Any) -> Reject | None:
    """Have a page's contents interpreted, or return why that was given up.

    pdfplumber keeps whatever a page shows, 4 KB a glyph, and forms that show each other show it a milliard times. Here
    a page that shows too much is given up, and of its shapes and pictures the first are enough: they are but hints
    about the layout.
    """
    from pdfminer.pdfinterp import PDFPageInterpreter

    device = _bounded_device()(page.pdf.rsrcmgr, pageno=page.page_number)
    try:
        PDFPageInterpreter(page.pdf.rsrcmgr, device).process_page(page.page_obj)
    except _Overfull as error:
        return Reject(
            "read",
            "too_dense",
            f"page {page.page_number} shows more than {error}.",
            "Look at the page in a viewer: if it can be read, split it; else fetch the file again.",
            evidence=f"page {page.page_number}",
        )
    page._layout = device.get_result()  # where pdfplumber looks before it does the same without bounds
    return None


@cache
def _bounded_device() -> Any:
    from pdfplumber.page import PDFPageAggregatorWithMarkedContent

    class Bounded(Marks, PDFPageAggregatorWithMarkedContent):
        """Collects what a page shows, as long as it is not too much."""

        glyphs = drawn = 0

        def render_char(self, *args: Any, **options: Any) -> float:
            self.glyphs += 1
            if self.glyphs > MOST_GLYPHS:
                raise _Overfull(f"{MOST_GLYPHS:,} characters")
            advance: float = super().render_char(*args, **options)
            return advance

        def paint_path(self, *args: Any, **options: Any) -> None:
            if self._draw():
                super().paint_path(*args, **options)

        def render_image(self, *args: Any, **options: Any) -> None:
            if self._draw():
                super().render_image(*args, **options)

        def begin_figure(self, *args: Any, **options: Any) -> None:
            self._draw()
            super().begin_figure(*args, **options)

        def _draw(self) -> bool:
            self.drawn += 1
            if self.drawn > MOST_DRAWN:
                raise _Overfull(f"{MOST_DRAWN:,} shapes and pictures")
            return self.drawn <= MOST_SHAPES

    return Bounded


def _needs_ocr(page: Any, chars: list[dict[str, Any]]) -> Reject | None:
    """Return why a page cannot be read without OCR: a picture of text, or fonts that carry no Unicode table.

    A scan stays one when a program has stamped its name or a page number on it.
    """
    glyphs = [c for c in chars if not c["text"].isspace()]
    unusable = sum(_unusable(c["text"]) for c in glyphs)
    covered = _covered(page)
    if unusable > UNUSABLE_SHARE * len(glyphs):
        why = f"{unusable / len(glyphs):.0%} of the glyphs on page {page.page_number} name no character."
    elif not glyphs and covered >= PICTURE_SHARE:
        why = f"page {page.page_number} holds no characters, only pictures on {covered:.0%} of it."
    elif len(glyphs) < STAMP_GLYPHS and covered >= SCAN_SHARE:
        why = f"page {page.page_number} is a picture ({covered:.0%} of it) with only {len(glyphs)} characters on it."
    else:
        return None
    return Reject(
        "read",
        "needs_ocr",
        why,
        "Install the extra `ocr` (make setup-ocr) and run again, or fetch a PDF whose text can be copied in a viewer.",
        evidence=f"page {page.page_number}: {unusable} of {len(glyphs)} glyphs, pictures on {covered:.0%}",
    )


def _turned(page: Any, turned: int, count: int) -> Reject | None:
    """Return why a page cannot be read as it lies: it has to be turned first."""
    if turned <= UNUSABLE_SHARE * count:
        return None
    return Reject(
        "read",
        "turned",
        f"{turned / count:.0%} of the characters on page {page.page_number} stand on their side, on their head or askew.",
        "Turn the page upright in a PDF program, and save it anew.",
        evidence=f"page {page.page_number}: {turned} of {count} characters",
    )


def _course(c: dict[str, Any]) -> Literal["right", "down", "askew"]:
    """Return where a glyph's line runs: to the right, or down the page, as Latin letters lie in vertical text.

    The matrix turns the glyph. `adv`, the way to the next one, is negative where a negative font size turns it back,
    and in the fonts of vertical text, which nobody turns.
    """
    a, b = c["matrix"][:2] if c.get("matrix") else (1.0, 0.0)
    if abs(b) <= SLANT * abs(a):
        return "right" if a > 0 or c["adv"] < 0 else "askew"
    return "down" if b < 0 and abs(a) <= SLANT * abs(b) else "askew"


def _covered(page: Any) -> float:
    """Return the share of a page that its largest picture or filled shape covers; outlines and rules cover nothing."""
    shapes = [*page.images, *(s for s in (*page.rects, *page.curves) if s.get("fill"))]
    areas = (
        max(0.0, min(s["x1"], page.width) - max(s["x0"], 0.0))
        * max(0.0, min(s["bottom"], page.height) - max(s["top"], 0.0))
        for s in shapes
    )
    return float(max(areas, default=0.0) / max(page.width * page.height, 1))


def _expanded(text: str) -> str:
    r"""Return a glyph's text as it can be written out: ligatures spelled, half a surrogate pair as U+FFFD.

    Spelled are ﬁ and its like, and the two-em dash that fonts make of two dashes.

    >>> _expanded("\ufb01"), _expanded("\ud800")
    ('fi', '\ufffd')
    """
    if text == "\u2e3a":
        return "——"
    if any("\ud800" <= c <= "\udfff" for c in text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return unicodedata.normalize("NFKC", text) if any("\ufb00" <= c <= "\ufb06" for c in text) else text


def _unusable(text: str) -> bool:
    return text.startswith("(cid:") or any(c == "\ufffd" or "\ud800" <= c <= "\uf8ff" for c in text)


def _page(page: Any, chars: list[dict[str, Any]], left_out: Counter[str], direction: Direction | None = None) -> Page:
    """Return one page: its glyphs as lines, its drawn rules and its pictures."""
    number, width, height = page.page_number, float(page.width), float(page.height)
    kept: list[dict[str, Any]] = []
    for c in chars:
        if c["size"] <= 0.5 or c["x1"] - c["x0"] < 0 or not (-width < c["x0"] < 2 * width):
            left_out["invisible"] += _count([c])
        else:
            kept.append(c)
    owners = elements(page, {c["mcid"] for c in kept if c["mcid"] is not None})
    across, down = _directions(_deduped(kept, left_out), direction)
    rules: list[Box] = []
    pictures = [Box(number, i["x0"], i["top"], i["x1"], i["bottom"]) for i in page.images]
    for shape in (*page.rects, *page.lines, *page.curves):
        box = Box(number, shape["x0"], shape["top"], shape["x1"], shape["bottom"])
        thin = min(box.x1 - box.x0, box.bottom - box.top) < MOST_RULE
        if not thin and shape.get("fill") and shape["object_type"] == "rect":
            pictures.append(box)
        else:
            rules.append(box)
    straight = [c for c in across if _course(c) == "right"], [c for c in down if _course(c) != "askew"]
    left_out["turned"] += _count((*across, *down)) - sum(map(_count, straight))
    lines = [
        *_lines([_horizontal(c, owners) for c in straight[0]], rules, number, vertical=False),
        *_lines([_vertical(c, owners) for c in straight[1]], rules, number, vertical=True),
    ]
    lines.sort(key=lambda line: (line.box.top, line.box.x0) if line.box else (0.0, 0.0))
    return Page(
        number,
        tuple(replace(line, number=n) for n, line in enumerate(lines, start=1)),
        width,
        height,
        tuple(rules),
        tuple(pictures),
    )


def _count(chars: Iterable[dict[str, Any]]) -> int:
    """Return how many characters glyphs stand for, white space not counted."""
    return count_chars("".join(_expanded(c["text"]) for c in chars))


def _deduped(chars: list[dict[str, Any]], left_out: Counter[str]) -> list[dict[str, Any]]:
    """Drop glyphs drawn twice within a hair's breadth: fake bold, which reads as 经经济济."""
    seen: dict[tuple[str, int, int], list[tuple[float, float]]] = {}
    kept = []
    for c in chars:
        near = 0.08 * c["size"] + 0.2
        cell = max(near, 0.5)
        col, row = int(c["x0"] // cell), int(c["top"] // cell)
        double = any(
            abs(x - c["x0"]) < near and abs(y - c["top"]) < near
            for dx in (-1, 0, 1)
            for dy in (-1, 0, 1)
            for x, y in seen.get((c["text"], col + dx, row + dy), ())
        )
        if double and not c["text"].isspace():
            left_out["drawn_twice"] += len(_expanded(c["text"]))
            continue
        seen.setdefault((c["text"], col, row), []).append((c["x0"], c["top"]))
        kept.append(c)
    return kept


def _directions(
    chars: list[dict[str, Any]], known: Direction | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Part the glyphs into those of horizontal and those of vertical lines, the running text being set in one `known`.

    A glyph belongs to the direction in which its nearest neighbour stands: within a line characters touch, between
    lines there is leading. The file's order and pdfminer's `upright` say nothing about it.
    """
    if known == "horizontal":
        return chars, []
    inked = [c for c in chars if c["text"] and not c["text"].isspace()]
    wide = [c for c in inked if ord(c["text"][0]) > 0x2E7F]
    rows, columns = _Bins(), _Bins()
    for c in wide:
        rows.add(_middle(c)[1], _middle(c)[0])
        columns.add(*_middle(c))
    down = []
    for c in wide:
        x, y = _middle(c)
        down.append(columns.nearest(x, y) < rows.nearest(y, x) - 0.05 * c["size"])
    if sum(down) <= 0.5 * len(wide):
        return ([], chars) if known == "vertical" else (chars, [])
    # A running head is set across a vertical page: a glyph goes with its row where nearly all of the row lies across.
    across = Counter(rows.key(_middle(c)[1]) for c, d in zip(wide, down, strict=True) if not d)
    along = Counter(rows.key(_middle(c)[1]) for c, d in zip(wide, down, strict=True) if d)
    flat = {row for row, n in across.items() if n > 3 and n > 3 * along[row]}
    for c in inked:
        if ord(c["text"][0]) <= 0x2E7F:
            rows.add(_middle(c)[1], _middle(c)[0])
    upright: list[dict[str, Any]] = []
    lying: list[dict[str, Any]] = []
    for c in chars:
        x, y = _middle(c)
        row = rows.key(y)
        beside = flat & {row - 1, row, row + 1} and rows.nearest(y, x) < 1.8 * c["size"]
        (upright if beside else lying).append(c)
    return upright, lying


def _middle(c: dict[str, Any]) -> tuple[float, float]:
    return (c["x0"] + c["x1"]) / 2, (c["top"] + c["bottom"]) / 2


class _Bins:
    """Places along rows (or columns) two points high, to ask how far the nearest neighbour in a row is."""

    def __init__(self) -> None:
        self.places: dict[int, list[float]] = {}

    @staticmethod
    def key(across: float) -> int:
        return round(across / 2)

    def add(self, across: float, along: float) -> None:
        insort(self.places.setdefault(self.key(across), []), along)

    def nearest(self, across: float, along: float) -> float:
        """Return the distance to the nearest other place in the row at `across`, or right above or below it."""
        best = 1e9
        for k in range(self.key(across) - 1, self.key(across) + 2):
            row = self.places.get(k, [])
            lo, hi = bisect_left(row, along - 1e-6), bisect_right(row, along + 1e-6)
            if lo > 0:
                best = min(best, along - row[lo - 1])
            if hi < len(row):
                best = min(best, row[hi] - along)
        return best


def _horizontal(c: dict[str, Any], owners: Mapping[int, Element]) -> Glyph:
    baseline = c["bottom"]
    matrix = c.get("matrix")
    if matrix and abs(matrix[1]) < 1e-6 and abs(matrix[2]) < 1e-6:
        baseline = c["bottom"] + (c["y0"] - matrix[5])  # the text matrix knows the baseline whatever the font says
    return Glyph(
        c["x0"], c["x1"], baseline, c["size"], _expanded(c["text"]), c["fontname"],
        (c["x0"], c["top"], c["x1"], c["bottom"]), owners.get(c["mcid"]),
    )  # fmt: skip


def _vertical(c: dict[str, Any], owners: Mapping[int, Element]) -> Glyph:
    matrix = c.get("matrix")
    turned = bool(matrix and abs(matrix[1]) > 1e-6)  # Latin letters and figures lie on their side
    size = max(c["x1"] - c["x0"], 0.1) if turned else c["size"]
    return Glyph(
        c["top"], c["bottom"], -(c["x0"] + c["x1"]) / 2, size, _expanded(c["text"]), c["fontname"],
        (c["x0"], c["top"], c["x1"], c["bottom"]), owners.get(c["mcid"]),
    )  # fmt: skip


def _lines(glyphs: Sequence[Glyph], rules: Sequence[Box], page: int, *, vertical: bool) -> list[Line]:
    rows = _rows(glyphs)
    crossings = _Gutters(rows, _posts(rules, vertical=vertical))
    return [_line(run, page, vertical) for n, row in enumerate(rows) for run in _runs(row, n, crossings)]


def _rows(glyphs: Iterable[Glyph]) -> list[list[Glyph]]:
    """Group glyphs by baseline, each row in order along the line."""
    rows: list[list[Glyph]] = []
    start, size = -1e9, 0.0
    for g in sorted(glyphs, key=lambda g: (g.v, g.u0)):
        if not rows or g.v - start > BASELINE_TOLERANCE * max(min(size, g.size), 1.0):
            rows.append([])
            start, size = g.v, g.size
        rows[-1].append(g)
    for row in rows:
        row.sort(key=_ink)
    return [row for row in rows if any(not g.text.isspace() for g in row)]


def _ink(g: Glyph) -> tuple[float, float]:
    """Return where a glyph's ink begins and ends: an opening mark's in the right half of its em, a comma's in the left.

    Where marks are compressed or hang in the gutter, the boxes of ，and “ lie upon each other; their ink never does.
    """
    if len(g.text) == 1 and ord(g.text) > 0x7F:
        if g.text in OPENING:
            return g.u0 + 0.45 * (g.u1 - g.u0), g.u1
        if g.text in HALF_INK:
            return g.u0, g.u1 - 0.45 * (g.u1 - g.u0)
    return g.u0, g.u1


def _posts(rules: Sequence[Box], *, vertical: bool) -> list[tuple[float, float, float]]:
    """Return the drawn rules that stand across the lines: their place along them, from where to where; by place."""
    if vertical:
        turned = [((r.top + r.bottom) / 2, -r.x1, -r.x0) for r in rules if r.bottom - r.top < MOST_RULE]
    else:
        turned = [((r.x0 + r.x1) / 2, r.top, r.bottom) for r in rules if r.x1 - r.x0 < MOST_RULE]
    return sorted(turned) if len(turned) <= MOST_POSTS else []


class _Gutters:
    """Tells whether a gap in a row is part of a gutter.

    The rows above and below leave the same place free, or a rule is drawn there.
    """

    def __init__(self, rows: list[list[Glyph]], posts: list[tuple[float, float, float]]) -> None:
        self.posts = posts
        self.rows = [[g for g in row if not g.text.isspace()] for row in rows]
        self.starts = [[_ink(g)[0] for g in row] for row in self.rows]

    def ruled(self, left: Glyph, right: Glyph) -> bool:
        """Return whether a rule longer than the line is high stands between two glyphs of a row."""
        em = min(left.size, right.size)
        begin, end = _ink(left)[1] - 0.1 * em, _ink(right)[0] + 0.1 * em
        first = bisect_left(self.posts, (begin, -1e9, -1e9))
        for _, v0, v1 in self.posts[first : bisect_right(self.posts, (end, 1e9, 1e9))]:
            if v0 <= left.v - 0.3 * em and left.v <= v1 and v1 - v0 > 1.5 * em:
                return True
        return False

    def open(self, n: int, begin: float, left: Glyph, right: Glyph, reach: int = 12) -> bool:
        """Return whether the rows above row `n`, or those below it, part where `left` and `right` do.

        Rows that begin where `right` begins speak for a gutter, rows that cross the gap against it. Only rows of about
        the same type size have a say: the words of a title stand over the gutters of its columns. The line begins at
        `begin`.
        """
        above = range(n - 1, max(-1, n - 1 - reach), -1)
        below = range(n + 1, min(len(self.rows), n + 1 + reach))
        if any(self._parted(rows, begin, left, right, reach) for rows in (above, below)):
            return True
        nearest = (*above[:4], *below[:4])
        return self._parted(nearest, begin, left, right, reach, least=2 if is_wide(right.text[0]) else 4)

    def closed(self, n: int, left: Glyph, right: Glyph, reach: int = 3) -> bool:
        """Return whether the rows next to row `n` have words between `left` and `right`, and no lane begins there.

        Such a gap is a word space that justification drew out, however wide.
        """
        em = min(left.size, right.size)
        crossed = 0
        for k in (*range(n - 1, max(-1, n - 1 - reach), -1), *range(n + 1, min(len(self.rows), n + 1 + reach))):
            row, starts = self.rows[k], self.starts[k]
            if abs(row[0].v - left.v) > 2.5 * em * reach or max(row[0].size, em) > 1.15 * min(row[0].size, em):
                continue
            first, last = bisect_right(starts, left.u1 + 0.1 * em), bisect_left(starts, right.u0 - 0.3 * em)
            if last >= len(row) or not first:
                continue
            if starts[last] < right.u0 + 0.3 * em and starts[last] - _ink(row[last - 1])[1] > NARROW_GAP * em:
                return False
            crossed += first < last
        return crossed > 1

    def _parted(self, rows: Iterable[int], begin: float, left: Glyph, right: Glyph, reach: int, least: int = 2) -> bool:
        parted = crossed = 0
        em = min(left.size, right.size)
        place = _ink(right)[0]
        hanging = place - _ink(left)[1] < NARROW_GAP * em
        indented = place - begin < 4.6 * em  # rows that begin here may be the first of their paragraphs
        for k in rows:
            row, starts = self.rows[k], self.starts[k]
            if abs(row[0].v - left.v) > 2.5 * em * reach:
                break
            i = bisect_left(starts, place - 0.6 * em)
            if i < len(row) and starts[i] < place - 0.3 * em and not _trimmed(row[i], right):
                i += 1
            before = row[i - 1] if i and row[i - 1].u1 > begin else None  # what stands in a lane further left is none
            behind = row[i] if i < len(row) else None
            near = behind or before
            if near is None or max(near.size, em) > 1.15 * min(near.size, em):
                continue
            gap = starts[i] - _ink(before)[1] if before is not None and behind is not None else 1e9
            if before is not None and (_ink(before)[1] > place - 0.3 * em or gap < _narrow(before, behind) * em):
                crossed += 1
            elif behind is not None and abs(starts[i] - place) < (0.6 if _trimmed(behind, right) else 0.3) * em:
                # Where a mark may hang in the gutter, only rows with text on both sides of it say that it is one.
                parted += gap > NARROW_GAP * em and (before is not None or not (hanging or indented))
            elif before is not None and not hanging and abs(before.u1 - left.u1) < 0.05 * em:
                parted += 1  # justified rows that end here: the lane behind is short, or begins with an indent
        return parted >= least + hanging and crossed <= (0 if hanging else 0.34) * parted


def _trimmed(*heads: Glyph) -> bool:
    """Return whether a lane's head is an opening mark, which may be set half an em to the left."""
    return any(g.text in OPENING for g in heads)


def _narrow(left: Glyph, right: Glyph | None) -> float:
    """Return how many em of white a gutter has at least between two glyphs: marks may hang in it from either side."""
    return 0.2 if left.text in HALF_INK else NARROW_GAP - 0.1 * (right is not None and _trimmed(right))


def _runs(row: list[Glyph], n: int, gutters: _Gutters) -> list[list[Glyph]]:
    """Split a row where a gutter, or a gap too wide for a word space, parts it."""
    runs: list[list[Glyph]] = [[]]
    usual = _usual_gap(row)
    last: Glyph | None = None
    for g in row:
        if g.text.isspace():
            runs[-1].append(g)
            continue
        if last is not None:
            em = min(last.size, g.size)
            hidden = _ink(g)[0] - _ink(last)[1]
            # Between ，and “ the ink leaves an em free wherever they stand; elsewhere such a gap is one.
            bare = g.u0 - last.u1 if g.text in OPENING and last.text in HALF_INK else hidden
            drawn = sum(s.u1 - s.u0 for s in runs[-1] if s.text.isspace() and s.u0 >= last.u1 - 0.1)
            # Words, and the characters of a stretched line, may stand far apart where a narrow column is justified.
            worded = _apart(last, g)
            wide = (WIDEST_GAP if worded else WIDE_GAP) * em
            if (
                gutters.ruled(last, g)
                or (
                    bare > max(wide, 1.8 * usual)
                    and (drawn < 0.5 * bare or bare > 3 * em)
                    and not (worded and _drawn_out(runs[-1], last, g, row) and gutters.closed(n, last, g))
                )
                or (hidden > _narrow(last, g) * em and gutters.open(n, runs[-1][0].u0, last, g))
                or (max(last.size, g.size) > 1.35 * em and bare > 0.3 * em)
            ):
                runs.append([])
        runs[-1].append(g)
        last = g
    return [run for run in runs if any(not g.text.isspace() for g in run)]


def _drawn_out(run: list[Glyph], left: Glyph, right: Glyph, row: list[Glyph]) -> bool:
    """Return whether a gap may be a word space of a justified line: no smaller one stands next to it."""
    gap = right.u0 - left.u1
    before = _word_spaces(run)
    after = _word_spaces([g for g in row if g.u0 >= right.u0])
    return all(w > 0.8 * gap for w in (*before[-1:], *after[:1]))


def _word_spaces(glyphs: list[Glyph]) -> list[float]:
    """Return the distances between the words of a stretch of glyphs, in points."""
    inked = [g for g in glyphs if not g.text.isspace()]
    return [b.u0 - a.u1 for a, b in pairwise(inked) if b.u0 - a.u1 > WORD_GAP * min(a.size, b.size)]


def _usual_gap(row: list[Glyph]) -> float:
    """Return how far apart the Chinese characters of a row stand, in points: the middle of their gaps."""
    inked = [g for g in row if not g.text.isspace()]
    gaps = [b.u0 - a.u1 for a, b in pairwise(inked) if min(ord(a.text[0]), ord(b.text[0])) > 0x2E7F]
    return max(0.0, median(gaps)) if len(gaps) > 2 else 0.0


def _line(run: list[Glyph], page: int, vertical: bool) -> Line:
    """Make a line of a run: white space at its ends dropped, a space put between words set apart by distance alone."""
    while run[0].text.isspace():
        run = run[1:]
    while run[-1].text.isspace():
        run = run[:-1]
    text: list[str] = []
    edges: list[float] = []
    last: Glyph | None = None
    for g in run:
        if last is not None and g.u0 - last.u1 > WORD_GAP * min(g.size, last.size) and _apart(last, g):
            text.append(" ")
            edges.append(last.u1)
        width = (g.u1 - g.u0) / max(len(g.text), 1)
        for k, c in enumerate(g.text):
            text.append(c)
            edges.append(g.u0 + k * width)
        last = g
    edges.append(run[-1].u1)
    sizes = Counter(round(g.size, 2) for g in run if not g.text.isspace())
    fonts = Counter(g.font for g in run if not g.text.isspace())
    boxes = [g.box for g in run if not g.text.isspace()]
    return Line(
        "".join(text),
        0,
        Box(
            page,
            min(b[0] for b in boxes),
            min(b[1] for b in boxes),
            max(b[2] for b in boxes),
            max(b[3] for b in boxes),
        ),
        max(sizes, key=lambda s: (sizes[s], s)),
        fonts.most_common(1)[0][0],
        tuple(edges),
        vertical,
        element=_shared([g.element for g in run if not g.text.isspace()]),
    )


def _shared(owners: Sequence[Element | None]) -> Element | None:
    """Return what nearly all characters of a line are part of, if anything."""
    owner, count = Counter(owners).most_common(1)[0]
    return owner if count > 0.9 * len(owners) else None


def _apart(left: Glyph, right: Glyph) -> bool:
    """Return whether a distance between two glyphs stands for a space: never between Chinese characters."""
    a, b = left.text[-1:], right.text[:1]
    return bool(a and b) and not a.isspace() and not b.isspace() and ord(a) < 0x2E80 and ord(b) < 0x2E80
