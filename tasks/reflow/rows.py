"""Rows: the lines of a source in reading order, cleaned, each with the evidence of how it was set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tasks.clean import DOOR, HALF_INK, clean, parts_address, set_vertical_quotes
from tasks.document import Line
from tasks.reflow.measure import UNMEASURED, Fill, fill_lines, natural_width
from tasks.segment import language_of


@dataclass(slots=True)
class Row:
    """A line in its place in the flow of reading.

    `indent` and `right` are the room before and behind the line in em, `gap` is the extra room above it (blank lines
    in text, in em on a page), `stretch` how far justification set its characters apart, in em a character. What a
    medium does not tell is None. `starts` says whether the row is the first of a lane, of a part of the page that
    stands by itself, or of a page. `turn` says of the head or foot of a lane how
    much better the text reads on there than it would in the other order that the page allows.
    """

    line: Line
    text: str
    fixes: tuple[str, ...]
    fill: Fill = UNMEASURED
    indent: float | None = None
    right: float | None = None
    gap: float = 0.0
    stretch: float | None = None
    scale: float = 1.0
    other_font: bool = False
    centred: bool = False
    starts: str = ""
    turn: float | None = None
    goes_on: bool = False  #: set when the row can only go on with the row before it
    aside: str = ""  #: set when the row is furniture or a caption, and so no part of the flow


def text_rows(lines: Sequence[Line]) -> list[Row]:
    """Return the lines of a text file that hold text, with the blank lines before each counted as its gap."""
    rows: list[Row] = []
    gap = 0
    telling = any(line.vertical or DOOR in line.text for line in lines)
    simplified = not telling or language_of("".join(line.text for line in lines)) == "zh-Hans"
    for line in lines:
        text, fixes = clean(line.text, simplified)
        if line.score is not None:
            fixes = (*fixes, "ocr")
        if line.vertical:
            text = set_vertical_quotes(text, simplified)
        if not text:
            gap += 1
            continue
        rows.append(Row(line, text, fixes, indent=_indent(line.text), gap=float(gap)))
        gap = 0
    return rows


def _indent(raw: str) -> float:
    """Return the white space a line begins with, in em."""
    em = 0.0
    for c in raw:
        if c in "\u3000\u2003":
            em += 1.0
        elif c == "\t":
            em += 2.0
        elif c.isspace():
            em += 0.5
        else:
            break
    return em


def measure_text(rows: list[Row]) -> None:
    """Set the fill test of the rows of a text file, a line that a program tore measured as the one that it was."""
    _mark_torn(rows)
    firsts = [i for i, row in enumerate(rows) if not row.goes_on]
    lines = [rows[i:end] for i, end in pairwise([*firsts, len(rows)])]
    for line, fill in zip(lines, fill_lines(["".join(row.text for row in line) for line in lines]), strict=True):
        for row in line:
            row.fill = Fill(fill.width, -1.0, -1.0, 0.0) if fill.width is not None and row is not line[-1] else fill


#: Marks after which no paragraph ends.
_NEVER_LAST = frozenset("，、；：")
#: So many lines end early at such a mark, of all lines, where a program broke lines at their marks.
TORN = 0.06


def _mark_torn(rows: Sequence[Row]) -> None:
    """Mark the lines that can only go on with the line before.

    Such are the rest of an address, and the parts of a line that an extractor broke between marks set close, or behind
    marks: they have room on one line.
    """
    widths = [natural_width(row.text) for row in rows]
    rooms = _rooms(widths)
    early = [
        row.text[-1] in _NEVER_LAST and a + b <= room
        for row, a, b, room in zip(rows, widths, widths[1:], rooms, strict=False)
    ]
    torn = sum(early) > max(5, TORN * len(rows))
    address, line = "", 0.0
    for i, row in enumerate(rows):
        fits = i > 0 and line + widths[i] <= rooms[i] and row.gap <= rows[i - 1].gap
        marked = row.text[0] in HALF_INK or (torn and i > 0 and rows[i - 1].text[-1] in _NEVER_LAST)
        row.goes_on = (fits and marked) or parts_address(address, row.text)
        address = address + row.text if row.goes_on else row.text
        line = line + widths[i] if row.goes_on else widths[i]


def _rooms(widths: Sequence[float]) -> list[float]:
    """Return how wide the lines around each line are as a rule, in em."""
    rooms: list[float] = []
    for first in range(0, len(widths), 40):
        near = sorted(widths[max(0, first - 20) : first + 60])
        rooms += [near[len(near) * 5 // 6] + 0.5] * min(40, len(widths) - first)
    return rooms
