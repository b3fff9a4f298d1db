"""How a source was read, as a page to look at: what the file looks like, and beside it what was made of it.

`explain` finds the source and has it drawn (`flows.sketch`), `lay_out` decides what is shown, `page` writes it. The
page is one file that needs no network and runs no script; texts from files are shown, never obeyed.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from flows import look
from flows.html import render
from flows.job import instructions
from flows.look import NotFound, figure
from flows.sketch import Leaf, Mark, Sketch, draw
from tasks.document import Box, Source
from tasks.release import NoRelease
from tasks.sources import Fingerprint, unescape_name

if TYPE_CHECKING:
    import pyarrow as pa

    from flows.settings import Settings


class Band(NamedTuple):
    """A range of confidence with a colour of its own; `least` is its lower end."""

    name: str
    least: float
    words: str


#: The colours and dashes are in the template: told apart by hue, by lightness and by line, whoever looks.
BANDS = (
    Band("sure", 0.9, "0.90 and over"),
    Band("likely", 0.7, "0.70 to 0.89"),
    Band("doubtful", 0.5, "0.50 to 0.69"),
    Band("unsure", 0.0, "under 0.50"),
)
#: Why a rule leaves something out of the text.
WHY = {
    "running_head": "running head: the paper's name, date or page at the edge of a page, no part of an article",
    "page_number": "page number",
    "repeated_title": "the title stands twice; once is enough",
    "turned": "set askew or on its side, as stamps and watermarks are",
    "drawn_twice": "drawn twice in the same place, as programs do for bold",
    "invisible": "of no size, or off the paper",
    "drop_invisible": "control and zero-width characters, which show nothing",
    "not_published": "in no paragraph that is published",
    "join_hyphen": "hyphens that only the line's end asked for",
}


class Piece(NamedTuple):
    """The part of a paragraph that one line of the file gave; `line` is None where that is not known."""

    line: int | None
    text: str


class Patch(NamedTuple):
    """A paragraph's stretch in one lane of a page: the `part`-th of `parts`."""

    number: int
    part: int
    parts: int
    kind: str
    confidence: float
    band: str
    box: Box


class Region(NamedTuple):
    """Lines that are read together, the `number`-th in reading order: a lane, or a part of the page by itself."""

    number: int
    measure: float | None
    box: Box


class Thread(NamedTuple):
    """From where one stretch of a paragraph ends to where it goes on in another lane."""

    number: int
    band: str
    x0: float
    y0: float
    x1: float
    y1: float
    beside: bool


@dataclass(frozen=True, slots=True)
class LineShown:
    """A line of a text file or page: the paragraph it went into, or the `rule` that left it out."""

    mark: Mark
    paragraph: int | None
    band: str = ""
    is_first: bool = False
    rule: str = ""


@dataclass(frozen=True, slots=True)
class PageShown:
    """A page and all that is drawn on it."""

    leaf: Leaf
    patches: Sequence[Patch]
    regions: Sequence[Region]
    threads: Sequence[Thread]
    left: Sequence[LineShown]
    lines: Sequence[LineShown]

    @property
    def address(self) -> str:
        """The picture as a data address."""
        return f"data:image/png;base64,{base64.b64encode(self.leaf.picture or b'').decode()}"

    @property
    def unit(self) -> float:
        """The size of what is written on the page, in points: legible on a screen, but no larger than the print."""
        prints = [min(b.x1 - b.x0, b.bottom - b.top) for b in (line.mark.box for line in self.lines) if b is not None]
        size = max(self.leaf.width, 300.0) / 80
        return min(size, 1.2 * max(median(prints), 3.0)) if prints else size


@dataclass(frozen=True, slots=True)
class ParagraphShown:
    """A paragraph of the clean text; `number` counts them in reading order through the whole source, from 1."""

    number: int
    kind: str
    confidence: float
    band: str
    place: str
    fixes: Sequence[str]
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class ArticleShown:
    """An article: what is known of it, and its paragraphs."""

    facts: Mapping[str, Any]
    paragraphs: Sequence[ParagraphShown]


@dataclass(frozen=True, slots=True)
class View:
    """Everything that the page shows of a source."""

    source: Mapping[str, Any]
    status: str
    rejects: Sequence[Mapping[str, Any]]
    articles: Sequence[ArticleShown]
    pages: Sequence[PageShown]
    lines: Sequence[LineShown]
    left_out: Sequence[tuple[str, int]]
    bands: Sequence[tuple[Band, int]]
    doubts: Sequence[ParagraphShown]
    notes: Sequence[str] = field(default_factory=tuple)


def band_of(confidence: float) -> str:
    """Return the name of the band that a confidence lies in.

    >>> [band_of(c) for c in (1.0, 0.9, 0.7, 0.1)]
    ['sure', 'sure', 'likely', 'unsure']
    """
    return next(band.name for band in BANDS if confidence >= band.least)


def why(rule: str) -> str:
    """Return in words why a rule leaves something out."""
    return WHY.get(rule, rule.replace("_", " "))


def cut(text: str, lines: Sequence[tuple[int, str]]) -> tuple[Piece, ...]:
    """Cut a paragraph's text where its lines met; one piece of no known line where text and lines do not agree.

    Joining lines adds and drops white space, and drops the hyphen that a line's end asked for; nothing else may differ.

    >>> cut("河上的桥 was reo\u200bpened.".replace("\u200b", ""), [(4, "河上的桥 was reo-"), (5, "pened.")])
    (Piece(line=4, text='河上的桥 was reo'), Piece(line=5, text='pened.'))
    >>> cut("别的话", [(4, "河上的桥")])
    (Piece(line=None, text='别的话'),)
    """
    pieces = []
    at = 0
    for n, (number, line) in enumerate(lines):
        start = at
        letters = "".join(line.split())
        for k, letter in enumerate(letters):
            while at < len(text) and text[at].isspace():
                at += 1
            if at < len(text) and text[at] == letter:
                at += 1
            elif not (letter == "-" and k == len(letters) - 1 and n < len(lines) - 1):
                return (Piece(None, text),)
        pieces.append(Piece(number, text[start:at]))
    return tuple(pieces) if not text[at:].strip() else (Piece(None, text),)


def lay_out(found: Mapping[str, Any], sketch: Sketch, notes: Sequence[str] = (), is_published: bool = True) -> View:
    """Decide what is shown of a source: `found` is what `flows.look.explain` tells of it.

    A line belongs to the smallest paragraph around it, by its number in a text file or by its middle on a page.
    """
    paragraphs = [(a, p) for a, article in enumerate(found["articles"]) for p in article["paragraphs"]]
    owners = _owners([p for _, p in paragraphs], sketch.marks)
    own_lines: dict[int, list[Mark]] = {}
    for mark, owner in zip(sketch.marks, owners, strict=True):
        if owner is not None and mark.clean:
            own_lines.setdefault(owner, []).append(mark)
    shown = [
        ParagraphShown(
            number,
            p["kind"],
            p["confidence"],
            band_of(p["confidence"]),
            look.place(p),
            p["fixes"],
            cut(p["text"], [(mark.number, mark.clean) for mark in own_lines.get(number, ())]),
        )
        for number, (_, p) in enumerate(paragraphs, start=1)
    ]
    lines = _lines(sketch.marks, owners, shown, found)
    patches = [patch for p, (_, row) in zip(shown, paragraphs, strict=True) for patch in _patches(p, row["boxes"])]
    counts = Counter(p.band for p in shown)
    return View(
        source=found["source"],
        status=found["source"]["status"] if is_published or not found["articles"] else "not published",
        rejects=found["rejects"],
        articles=[
            ArticleShown(article, [p for p, (owner, _) in zip(shown, paragraphs, strict=True) if owner == a])
            for a, article in enumerate(found["articles"])
        ],
        pages=_pages(sketch, lines, patches),
        lines=[] if sketch.leaves else sorted(lines, key=lambda line: line.mark.number),
        left_out=[(row["rule"], row["chars"]) for row in found["source"]["left_out"]],
        bands=[(band, counts[band.name]) for band in BANDS],
        doubts=sorted((p for p in shown if p.band != "sure"), key=lambda p: p.confidence),
        notes=[*notes, *sketch.trouble],
    )


def _owners(paragraphs: Sequence[Mapping[str, Any]], marks: Sequence[Mark]) -> list[int | None]:
    """Return for every line the number of the paragraph that it is part of, counted from 1."""
    by_line: dict[int, int] = {}
    by_page: dict[int, list[tuple[float, int, Box]]] = {}
    sized = sorted(enumerate(paragraphs, start=1), key=lambda p: (p[1]["line_first"] or 0) - (p[1]["line_last"] or 0))
    for number, paragraph in sized:  # the longest first, so that shorter ones inside it have the last word
        if paragraph["line_first"] is not None:
            by_line |= dict.fromkeys(range(paragraph["line_first"], paragraph["line_last"] + 1), number)
        for row in paragraph["boxes"]:
            box = Box(**row)
            by_page.setdefault(box.page, []).append(((box.x1 - box.x0) * (box.bottom - box.top), number, box))
    for boxes in by_page.values():
        boxes.sort()
    owners: list[int | None] = []
    for mark in marks:
        if mark.aside not in ("", "caption", "blank"):
            owners.append(None)
        elif mark.box is None:
            owners.append(by_line.get(mark.number))
        else:
            x, y = (mark.box.x0 + mark.box.x1) / 2, (mark.box.top + mark.box.bottom) / 2
            around = (n for _, n, b in by_page.get(mark.box.page, ()) if b.x0 <= x <= b.x1 and b.top <= y <= b.bottom)
            owners.append(next(around, None))
    return owners


def _lines(
    marks: Sequence[Mark],
    owners: Sequence[int | None],
    shown: Sequence[ParagraphShown],
    found: Mapping[str, Any],
) -> list[LineShown]:
    titles = {a["title"] for a in found["articles"] if any("repeated_title" in p["fixes"] for p in a["paragraphs"])}
    seen: set[int] = set()
    lines = []
    for mark, owner in zip(marks, owners, strict=True):
        if owner is not None:
            lines.append(LineShown(mark, owner, shown[owner - 1].band, owner not in seen))
            seen.add(owner)
        elif mark.aside == "blank":
            lines.append(LineShown(mark, None))
        else:
            rule = mark.aside or ("repeated_title" if mark.clean in titles else "not_published")
            lines.append(LineShown(mark, None, rule=rule))
    return lines


def _patches(paragraph: ParagraphShown, boxes: Sequence[Mapping[str, Any]]) -> list[Patch]:
    return [
        Patch(
            paragraph.number, part, len(boxes), paragraph.kind, paragraph.confidence, paragraph.band, Box(**box)
        )
        for part, box in enumerate(boxes, start=1)
    ]  # fmt: skip


def _pages(sketch: Sketch, lines: Sequence[LineShown], patches: Sequence[Patch]) -> list[PageShown]:
    regions = _regions([line.mark for line in lines if line.paragraph is not None and line.mark.aside == ""])
    pages = []
    for leaf in sketch.leaves:
        here = [line for line in lines if line.mark.box is not None and line.mark.box.page == leaf.number]
        pages.append(
            PageShown(
                leaf,
                [p for p in patches if p.box.page == leaf.number],
                [r for r in regions if r.box.page == leaf.number],
                [
                    _thread(a, b)
                    for a, b in pairwise(patches)
                    if a.number == b.number and a.box.page == b.box.page == leaf.number
                ],
                [line for line in here if line.rule],
                here,
            )
        )
    return pages


def _thread(end: Patch, start: Patch) -> Thread:
    """Lead from the foot of one stretch to the head of the next: through the gutter where they stand side by side."""
    a, b = end.box, start.box
    if a.x1 <= b.x0:
        return Thread(end.number, end.band, a.x1, a.bottom, b.x0, b.top, True)
    return Thread(end.number, end.band, (a.x0 + a.x1) / 2, a.bottom, (b.x0 + b.x1) / 2, b.top, False)


def _regions(marks: Sequence[Mark]) -> list[Region]:
    """Return the regions of lines in reading order, each the rectangle around its lines."""
    regions: list[Region] = []
    for mark in marks:
        box = mark.box
        if box is None:
            continue
        if mark.starts or not regions or regions[-1].box.page != box.page:
            regions.append(Region(len(regions) + 1, mark.measure, box))
        else:
            regions[-1] = regions[-1]._replace(box=regions[-1].box.around(box))
    return regions


def page(view: View) -> str:
    """Return the page as HTML."""
    return render("explain.html", view=view, figure=figure, why=why)


class Unpublished(NamedTuple):
    """The tables of a file that is in no release, with the look of a `flows.look.Shelf`."""

    tables: Mapping[str, pa.Table]

    def rows(self, table: str, column: str | None = None, value: str | None = None) -> list[dict[str, Any]]:
        """Return the rows of a table, or those of them whose column has this value."""
        rows: list[dict[str, Any]] = self.tables[table].to_pylist()
        return [row for row in rows if column is None or row[column] == value]


def explain(settings: Settings, name: str, refused: bool = False) -> View:
    """Return how a source was read: as the release has it, or, where it has not, by reading the file now.

    `name` is an `article_id`, a `source`, or the path of any file. Raises `NotFound`.
    """
    try:
        shelf = look.shelf(settings.processed, refused)
    except NoRelease:
        shelf = None
    key, file = _file(settings, name, shelf)
    rows = shelf.rows("sources", "source", key) if shelf else []
    if file is None:
        gone = Sketch(trouble=["the raw file is gone: it cannot be shown"])
        return lay_out(look.explain(look.shelf(settings.processed, refused), key), gone)
    source = _source_of(key, file)
    sketch = draw(settings, source)
    if shelf and rows and rows[0]["sha256"] == source.sha256:
        return lay_out(look.explain(shelf, key), sketch)
    note = "the file has changed since it was published" if rows else "the file is in no release"
    found = look.explain(Unpublished(_read_now(settings, source)), key)
    return lay_out(found, sketch, [f"{note}: it is shown as it would be read now"], is_published=False)


class Pair(NamedTuple):
    """Lines of the file that stand together, and what became of them.

    `page` is None in a text file. `paragraph` counts those of its article from 0 and `kind` is its kind; where the lines
    are in none it is None, and `kind` the rule that left them out. `text` is empty where the paragraph began before.
    """

    page: int | None
    lines: Sequence[tuple[int, str]]
    paragraph: int | None
    kind: str
    text: str


def beside(settings: Settings, reject: Mapping[str, Any]) -> tuple[list[Pair], str]:
    """Return the file of a reject as it is, beside what it is read as now; and what there is to say of that, if anything.

    Of a rejected article its own lines are shown, of a source all. What stopped its reader once is not read again.
    """
    file = settings.raw / unescape_name(reject["source"])
    if reject["stage"] == "guard":
        return [], "the file stopped its reader, and is not read again for this"
    if not file.is_file():
        return [], "the raw file is gone: it cannot be shown"
    view = reread(settings, reject["source"], file)
    found = pairs(view, reject["article_id"])
    if not found:
        return [], "nothing of the file can be shown as lines of text"
    text = "".join(pair.text for pair in found if pair.paragraph is not None)
    changed = reject["article_id"] and reject["text"] and text != "".join(reject["text"].split("\n"))
    return (
        found,
        "the file, or what reads it, has changed since: it is shown as it would be read now" if changed else "",
    )


def pairs(view: View, article_id: str | None = None) -> list[Pair]:
    """Put lines that stand together and became the same beside it, in the order in which they are read.

    With an `article_id`, those of this article alone. Where a paragraph goes on elsewhere, its text is not shown again.
    """
    articles = [a for a in view.articles if article_id in (None, a.facts["article_id"])]
    known = {p.number: (n, p) for article in articles for n, p in enumerate(article.paragraphs)}
    found: list[Pair] = []
    last: object = None
    begun: set[int] = set()
    for line in [*view.lines, *(line for page in view.pages for line in page.lines)]:
        paragraph = known.get(line.paragraph) if line.paragraph else None
        if paragraph is None and (article_id or not line.rule):
            continue
        page = line.mark.box.page if line.mark.box else None
        became = (page, line.paragraph, line.rule)
        if became == last:
            found[-1] = found[-1]._replace(lines=[*found[-1].lines, (line.mark.number, line.mark.text)])
            continue
        last = became
        lines = [(line.mark.number, line.mark.text)]
        if paragraph is None:
            found.append(Pair(page, lines, None, line.rule, ""))
        else:
            number, p = paragraph
            text = "" if p.number in begun else "".join(piece.text for piece in p.pieces)
            begun.add(p.number)
            found.append(Pair(page, lines, number, p.kind, text))
    return found


def find(settings: Settings, name: str, refused: bool = False) -> dict[str, Any]:
    """Return what `flows.look.explain` tells of a source or an article; of a rejected article as it would be read now.

    Raises `NotFound`.
    """
    shelf = look.shelf(settings.processed, refused)
    rejected = shelf.rows("rejects", "article_id", name)
    if not rejected:
        return look.explain(shelf, name)
    source = rejected[0]["source"]
    file = settings.raw / unescape_name(source)
    if not file.is_file():
        raise NotFound(f"{name}: it was rejected, and the raw file {file} is gone")
    return look.explain(Unpublished(_read_now(settings, _source_of(source, file))), name)


def reread(settings: Settings, key: str, file: Path) -> View:
    """Return how a file would be read now, whatever is published of it."""
    source = _source_of(key, file)
    found = look.explain(Unpublished(_read_now(settings, source)), key)
    return lay_out(found, draw(settings, source), is_published=False)


def _source_of(key: str, file: Path) -> Source:
    with file.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    return Source(key, str(file), file.stat().st_size, digest)


def _file(settings: Settings, name: str, shelf: look.Shelf | None) -> tuple[str, Path | None]:
    """Return the source that a name means and its file, None where that is gone."""
    path, raw = Path(name), settings.raw.resolve()
    for file in (path, settings.raw / name):
        if file.is_file():
            inside = file.resolve().is_relative_to(raw)
            return (file.resolve().relative_to(raw) if inside else path).as_posix(), file
    if shelf is None:
        raise NotFound(f"{name}: no such file, and nothing is published yet")
    key = look.explain(shelf, name)["source"]["source"]
    file = settings.raw / key
    return key, file if file.is_file() else None


def _read_now(settings: Settings, source: Source) -> Mapping[str, pa.Table]:
    """Return a source's tables, read with the limits of a run."""
    from flows.read import open_guard
    from tasks.dataset import build_tables, decode_tables

    with open_guard(settings, instructions(settings), Fingerprint({})) as guard:
        done = guard.run([source])
    return decode_tables(done.results[0]) if done.results else build_tables(done.rejected, "")
