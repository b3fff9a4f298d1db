"""Rows: the lines of a source in reading order, cleaned, each with the evidence of how it was set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.clean import DOOR, clean, set_vertical_quotes
from tasks.document import Line
from tasks.reflow.measure import UNMEASURED, Fill, fill_lines
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
    """Set the fill test of the rows of a text file."""
    for row, fill in zip(rows, fill_lines([row.text for row in rows]), strict=True):
        row.fill = fill
