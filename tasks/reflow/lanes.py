"""Columns that stand side by side in a text file, as programs leave them that keep a page's layout.

Such a file is a page set on a grid of characters, so the page's own order of reading (`tasks.reflow.order`) finds its way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tasks.document import Line
from tasks.reflow.order import Block, Span, read_order
from tasks.reflow.rows import Row

_PART = re.compile(r"\S+(?: \S+)*")
#: A second column begins this far from the left at least, in characters, and its lines are this long (else it is a
#: table's); so many lines, and this share of all, have a part in one where there are columns.
SECOND, LONG, LEAST_LINES, LEAST_SHARE = 12, 8, 6, 0.3
#: Points a character, and points a line, on the page that the grid is taken for.
EM, PITCH = 10.0, 15.0


def part_lanes(lines: Sequence[Line]) -> list[Line]:
    """Return the lines of one page of a text file in reading order, those of columns side by side taken apart.

    A line of several columns becomes several, of the same number, each with its indent from its column as ideographic
    spaces; a page without columns is returned as it is.
    """
    parts = [[(m.start(), m[0]) for m in _PART.finditer(line.text.expandtabs())] for line in lines]
    beside = sum(any(at >= SECOND and len(text) >= LONG for at, text in found) for found in parts)
    if beside < max(LEAST_LINES, LEAST_SHARE * sum(map(bool, parts))):
        return list(lines)
    spans = [
        Span(Row(replace(line, text=text), text, ()), EM * at, EM * (at + len(text)), PITCH * n, PITCH * n + EM)
        for n, (line, found) in enumerate(zip(lines, parts, strict=True))
        for at, text in found
    ]
    return [line for block in read_order(spans, EM) for line in _indented(block)]


def _indented(block: Block) -> list[Line]:
    """Return the lines of a column, each with its indent: a column begins where most of its lines do."""
    starts = sorted(span.u0 for span in block.spans)
    left = starts[len(starts) // 10]
    return [
        replace(span.row.line, text="\u3000" * max(0, round((span.u0 - left) / EM)) + span.row.text)
        for span in block.spans
    ]
