"""What a file looks like and in which order its lines are read: drawn in a child of the guard, as pdfium may abort.

The child hands back JSON; `decode` takes it with mistrust, and nothing in it is ever markup (`flows.explain`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from flows.job import instructions
from flows.read import limits
from tasks.document import Box, Reject, Source, Unreadable
from tasks.guard import Guard, Part
from tasks.spool import HEAD_BYTES, page_count, sniff

if TYPE_CHECKING:
    from flows.settings import Settings

#: More than this nobody looks at on one screen; a page that shows less says so.
MOST_PAGES, MOST_LINES = 60, 20_000
#: Pixels a point, and at most on a page: a newspaper's small print stays legible, a poster stays small.
SCALE, MOST_PIXELS = 1.6, 3_000_000
#: Shades of grey in a picture: colour is left to what is said about the page.
SHADES = 16


class Leaf(NamedTuple):
    """A page as it looks: its size in points and its picture as PNG, None where none could be drawn."""

    number: int
    width: float
    height: float
    picture: bytes | None


class Mark(NamedTuple):
    """A line in its place: `text` as it stands in the file, `clean` as it was read, `aside` why it was left out.

    `starts` is not empty where a region begins (see `tasks.reflow.rows.Row`), `measure` its width in em.
    """

    number: int
    text: str
    clean: str
    aside: str
    starts: str
    measure: float | None
    box: Box | None


@dataclass(frozen=True, slots=True)
class Sketch:
    """Pages, and lines in reading order; `trouble` says what could not be drawn, and why."""

    leaves: Sequence[Leaf] = ()
    marks: Sequence[Mark] = ()
    trouble: Sequence[str] = field(default_factory=tuple)


def draw(settings: Settings, source: Source) -> Sketch:
    """Return the sketch of a source, without pictures where drawing them kills the child, and never an exception."""
    troubles: list[str] = []
    for pictures in (True, False):
        with Guard(
            "flows.sketch:work",
            {"pictures": pictures, "options": asdict(instructions(settings).options_for(source.source))},
            decode,
            **limits(settings),
            workers=1,
        ) as guard:
            done = guard.run([source])
        if done.results:
            sketch = done.results[0]
            return Sketch(sketch.leaves, sketch.marks, [*troubles, *sketch.trouble])
        troubles.append(done.rejected[0].rejects[0].message)
    return Sketch(trouble=troubles)


def work(sources: Sequence[Source], settings: dict[str, Any], parts: Sequence[bytes]) -> bytes | Part:
    """Draw the one source that is given (in the child); see `decode` for what comes back."""
    from tasks.article import Unfinished, read
    from tasks.instructions import Options
    from tasks.read import ipc

    trouble: list[str] = []
    leaves: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    scans: Mapping[int, Reject] = {}
    try:
        before = [ipc.decode(part) for part in parts]
        reading = read(sources[0], Options(**settings["options"]), before)
        marks = list(_marks(reading))
        scans = reading.scans
    except Unfinished as unfinished:
        return Part(ipc.encode(unfinished.reading), unfinished.limits)
    except Unreadable:
        pass  # the source's own reject says why
    except Exception as error:  # noqa: BLE001 - a fault of the reader's, which the reject names: a picture may tell more
        trouble.append(f"the lines could not be read ({type(error).__name__})")
    else:
        leaves = [
            {"number": p.number, "width": p.width, "height": p.height, "picture": None}
            for p in reading.pages[:MOST_PAGES]
            if p.width and p.height
        ]
    if settings["pictures"]:
        try:
            leaves = _with_pictures(leaves, Path(sources[0].path).read_bytes(), scans)
        except Exception as error:  # noqa: BLE001 - whatever a damaged file provokes: the lines are shown without
            trouble.append(f"no picture of the pages could be drawn ({type(error).__name__})")
    return json.dumps({"leaves": leaves, "marks": marks[:MOST_LINES], "trouble": trouble, "lines": len(marks)}).encode()


def _marks(reading: Any) -> Iterator[dict[str, Any]]:
    """Yield the lines in reading order, then those that hold nothing to read."""
    from tasks.reflow import arrange

    seen = set()
    for row in arrange(reading):
        seen.add(id(row.line))
        yield {
            "number": row.line.number,
            "text": row.line.text,
            "clean": row.text,
            "aside": row.aside,
            "starts": row.starts,
            "measure": row.fill.width,
            "box": row.line.box,
        }
    for page in reading.pages:
        for line in page.lines:
            if id(line) not in seen:
                aside = "drop_invisible" if line.text.strip() else "blank"
                yield dict.fromkeys(Mark._fields) | {
                    "number": line.number, "text": line.text, "clean": "", "aside": aside, "starts": "", "box": line.box,
                }  # fmt: skip


def _with_pictures(leaves: list[dict[str, Any]], data: bytes, scans: Container[int]) -> list[dict[str, Any]]:
    """Return the pages with their pictures; scans put straight, as their lines are measured."""
    from PIL import Image

    from tasks.read import image, pdf
    from tasks.read.ocr import straighten

    known = {leaf["number"]: leaf for leaf in leaves}
    if (media_type := sniff(data[:HEAD_BYTES])) == pdf.MEDIA_TYPE:
        pages = pdf.draw(data, range(1, min(page_count(data), MOST_PAGES) + 1), dpi=72 * SCALE, most_pixels=MOST_PIXELS)
    elif media_type in image.MEDIA_TYPES:
        numbers = [page.number for page in image.read_image(data, media_type).pages][:MOST_PAGES]
        pages = image.draw(data, numbers, most_pixels=MOST_PIXELS)
    else:
        return leaves
    drawn = []
    for number, grey, points in pages:
        shown = straighten(grey) if number in scans else grey
        png = BytesIO()
        Image.fromarray(shown).quantize(SHADES).save(png, "PNG", optimize=True)
        leaf = known.get(number, {"number": number, "width": grey.shape[1] * points, "height": grey.shape[0] * points})
        drawn.append(leaf | {"picture": base64.b64encode(png.getvalue()).decode()})
    return drawn


def decode(data: bytes, sources: Sequence[Source]) -> Sketch:  # noqa: ARG001 - the guard's signature
    """Return a child's sketch; raises on anything but what `work` would have written."""
    found = json.loads(data)
    leaves = [
        Leaf(
            int(leaf["number"]),
            float(leaf["width"]),
            float(leaf["height"]),
            base64.b64decode(leaf["picture"], validate=True) if leaf["picture"] else None,
        )
        for leaf in found["leaves"]
    ]
    marks = [
        Mark(
            int(mark["number"]),
            str(mark["text"]),
            str(mark["clean"]),
            str(mark["aside"]),
            str(mark["starts"]),
            None if mark["measure"] is None else float(mark["measure"]),
            None if mark["box"] is None else Box(int(mark["box"][0]), *map(float, mark["box"][1:])),
        )
        for mark in found["marks"]
    ]
    trouble = [str(text) for text in found["trouble"]]
    if len(marks) < int(found["lines"]):
        trouble.append(f"only the first {len(marks):,} of {int(found['lines']):,} lines are shown beside the text")
    return Sketch(leaves, marks, trouble)
