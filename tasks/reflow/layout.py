"""From the lines of a reading to rows in reading order, whatever the medium."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.document import Box, Page, Reading
from tasks.reflow.furniture import mark_page_furniture, mark_text_furniture
from tasks.reflow.lanes import part_lanes
from tasks.reflow.order import DISPLAY, body_size, flow, frames, page_spans, read_order, rules_across
from tasks.reflow.rows import Row, measure_text, text_rows


def arrange(reading: Reading) -> list[Row]:
    """Return the rows of a reading in reading order, measured, furniture and captions marked."""
    if any(line.box is not None for page in reading.pages for line in page.lines):
        return _page_rows(reading)
    rows = text_rows([line for page in reading.pages for line in part_lanes(page.lines)])
    mark_text_furniture(rows)
    measure_text([row for row in rows if not row.aside])
    return rows


def _page_rows(reading: Reading) -> list[Row]:
    pages = [text_rows(page.lines) for page in reading.pages]
    body = body_size([row for rows in pages for row in rows])
    mark_page_furniture(reading.pages, pages, body)
    ordered: list[Row] = []
    sidebars: list[Row] = []
    for page, rows in zip(reading.pages, pages, strict=True):
        across, down = page_spans(page, [row for row in rows if not row.aside])
        boxed = [part for spans in (across, down) for part in frames(page, spans)]
        apart = {id(span) for part in boxed for span in part}
        running: list[Row] = []
        for spans, vertical in ((across, False), (down, True)):
            blocks = read_order([s for s in spans if id(s) not in apart], body, rules_across(page, vertical=vertical))
            running += flow(blocks, body, () if vertical else _pictures(page, rows))
        if sidebars and running and running[0].scale > DISPLAY:  # the text before ended with its page
            ordered += sidebars
            sidebars = []
        ordered += _among(running, [row for row in rows if row.aside])
        sidebars += [row for part in boxed for row in flow(read_order(part, body), body)]
    return ordered + sidebars


def _pictures(page: Page, rows: Sequence[Row]) -> list[Box]:
    """Return where the pictures of a page stand, each with the caption under it."""
    captions = [row.line.box for row in rows if row.aside == "caption" and row.line.box]
    whole: list[Box] = []
    for box in (*page.pictures, *captions):
        above = next(
            (n for n, b in enumerate(whole) if box.x0 < b.x1 and b.x0 < box.x1 and -9 < box.top - b.bottom < 15), None
        )
        if above is None:
            whole.append(box)
        else:
            whole[above] = whole[above].around(box)
    return whole


def _among(running: list[Row], asides: Sequence[Row]) -> list[Row]:
    """Put what stands beside the text where it was met: before the first row of the text that stands below it."""
    ordered = list(running)
    for aside in asides:
        box = aside.line.box
        at = next(
            (
                n
                for n, row in enumerate(ordered)
                if box and row.line.box and not row.aside
                and row.line.box.top >= box.bottom - 1 and row.line.box.x0 < box.x1 and box.x0 < row.line.box.x1
            ),
            len(ordered),
        )  # fmt: skip
        ordered.insert(at, aside)
    return ordered
