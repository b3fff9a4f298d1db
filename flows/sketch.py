"""What a file looks like and in which order its lines are read: drawn in a child of the guard, as pdfium may abort.

The child hands back JSON; `decode` takes it with mistrust, and nothing in it is ever markup (`flows.explain`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from flows.job import instructions
from flows.read import limits
from tasks.document import Box, Source, Unreadable
from tasks.guard import Guard, Part

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
    try:
        before = [ipc.decode(part) for part in parts]
        reading = read(sources[0], Options(**settings["options"]), before)
        marks = list(_marks(reading))
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
    if settings["pictures"] and Path(sources[0].path).read_bytes()[:1024].find(b"%PDF-") >= 0:
        try:
            leaves = _with_pictures(leaves, sources[0].path)
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


def _with_pictures(leaves: list[dict[str, Any]], path: str) -> list[dict[str, Any]]:
    """Return the pages with their pictures, drawn from edge to edge of the paper as lines are measured."""
    import pypdfium2

    known = {leaf["number"]: leaf for leaf in leaves}
    drawn = []
    with pypdfium2.PdfDocument(path) as document:
        for index in range(min(len(document), MOST_PAGES)):
            page = document[index]
            page.set_cropbox(*page.get_mediabox())
            width, height = page.get_size()
            scale = min(SCALE, (MOST_PIXELS / max(width * height, 1)) ** 0.5)
            png = BytesIO()
            page.render(scale=scale, grayscale=True).to_pil().quantize(SHADES).save(png, "PNG", optimize=True)
            page.close()
            leaf = known.get(index + 1, {"number": index + 1, "width": width, "height": height})
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
