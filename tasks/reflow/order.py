"""In which order a page is read: lanes, titles that span them, parts that stand side by side.

The file's own order is never asked. A page is cut in two again and again: across, where a title or a clear gap parts
what is above from what is below; down, where a gutter parts what is left from what is right. All of it works in reading
coordinates, `u` along the lines and `v` across them, so that vertical pages need nothing of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import median

from tasks.clean import CLOSING, OPENING, is_wide
from tasks.document import Box, Page
from tasks.reflow.measure import Fill, first_unit, natural_width
from tasks.reflow.rows import Row

#: A line this much larger than the running text is set for display.
DISPLAY = 1.18
#: A gap across all lanes of this many em more than the usual leading parts what stands above from what stands below.
SECTION_GAP = 0.75
#: Gutters at least this share as wide as the widest are cut together: the lanes of one article.
SAME_GUTTER = 0.95
#: So much better must text read on from lane to lane than from part to part: a byline under its title alone makes half of it.
CLEARLY = 0.5
#: A page with more rows than this is no page of a paper; it is read from the top down, so that none takes for ever.
MOST_ROWS = 4000
#: How finely gutters are looked for, at the most, over the width of a page.
CELLS = 8000
#: How the last line of an article may look: who wrote it, where he works, who edited it.
_CLOSING_LINE = re.compile(r"[）)】\]］〕]$|^[（(]?(责任编辑|责编|编辑)[:：]")


@dataclass(slots=True)
class Span:
    """A row with its rectangle in reading coordinates."""

    row: Row
    u0: float
    u1: float
    v0: float
    v1: float

    @property
    def size(self) -> float:
        """Return one em of the row, in points."""
        return self.row.line.size or (self.v1 - self.v0)

    @property
    def end(self) -> float:
        """Return where the row's last em ends, which may be white."""
        box = self.row.line.box
        assert box is not None
        return box.bottom if self.row.line.vertical else box.x1


@dataclass(slots=True)
class Block:
    """Rows of one lane, from its head to its foot; `fresh` where the block begins a part of the page of its own."""

    spans: list[Span]
    fresh: bool
    u0: float
    u1: float


def page_spans(page: Page, rows: Sequence[Row]) -> tuple[list[Span], list[Span]]:
    """Return the horizontal and the vertical rows of a page in reading coordinates."""
    across: list[Span] = []
    down: list[Span] = []
    for row in rows:
        box, em = row.line.box, row.line.size or 0.0
        assert box is not None
        # What shows of a mark stands in one half of its em; the other half may hang in the gutter.
        head = 0.45 * em if row.text[0] in OPENING and is_wide(row.text[0]) else 0.0
        foot = 0.45 * em if row.text[-1] in CLOSING and is_wide(row.text[-1]) else 0.0
        if row.line.vertical:
            width = page.width or 0.0
            down.append(Span(row, box.top + head, box.bottom - foot, width - box.x1, width - box.x0))
        else:
            across.append(Span(row, box.x0 + head, box.x1 - foot, box.top, box.bottom))
    for spans in (across, down):  # where rows lie upon each other, too, the file's order is not asked
        spans.sort(key=lambda s: (s.v0, s.u0, s.v1, s.u1, s.row.text))
    return across, down


def frames(page: Page, spans: Sequence[Span]) -> list[list[Span]]:
    """Return the spans within each box drawn on the page: a sidebar is read by itself.

    A box is a rectangle, or four lines that meet; one around nearly everything is the page's own border.
    """
    boxes = [b for b in (*page.rules, *page.pictures) if b.x1 - b.x0 > 40 and b.bottom - b.top > 20]
    flat = [b for b in page.rules if b.bottom - b.top < 3 and b.x1 - b.x0 > 40]
    posts = [b for b in page.rules if b.x1 - b.x0 < 3 and b.bottom - b.top > 20]
    for head, foot in combinations(sorted(flat, key=lambda b: b.top), 2):
        if abs(head.x0 - foot.x0) < 3 and abs(head.x1 - foot.x1) < 3 and foot.top - head.top > 20:
            sides = [p for p in posts if abs(p.top - head.top) < 4 and abs(p.bottom - foot.bottom) < 4]
            if any(abs(p.x0 - head.x0) < 4 for p in sides) and any(abs(p.x1 - head.x1) < 4 for p in sides):
                boxes.append(Box(page.number, head.x0, head.top, head.x1, foot.bottom))
    framed: list[list[Span]] = []
    taken: set[int] = set()
    for box in sorted(boxes, key=lambda b: (b.x1 - b.x0) * (b.bottom - b.top)):
        inside = [s for s in spans if id(s) not in taken and _within(s, box)]
        if len(inside) > 1 and len(inside) < 0.7 * len(spans):
            framed.append(inside)
            taken.update(map(id, inside))
    return sorted(framed, key=lambda f: (min(s.v0 for s in f), min(s.u0 for s in f)))


def _within(span: Span, box: Box) -> bool:
    line = span.row.line.box
    return line is not None and (
        box.x0 - 1 <= line.x0 and line.x1 <= box.x1 + 1 and box.top - 1 <= line.top and line.bottom <= box.bottom + 1
    )


def body_size(rows: Sequence[Row]) -> float:
    """Return the size of running text in points: the one that most characters have."""
    sizes: Counter[float] = Counter()
    for row in rows:
        sizes[round(row.line.size or 10.0, 1)] += len(row.text)
    return max(sizes, key=lambda size: (sizes[size], size), default=10.0)


def rules_across(page: Page, *, vertical: bool) -> list[tuple[float, float, float]]:
    """Return the rules that run along the lines of a page, in reading coordinates: from and to in `u`, and `v`."""
    thin = [b for b in page.rules if min(b.x1 - b.x0, b.bottom - b.top) < 3]
    if vertical:
        return [(b.top, b.bottom, (page.width or 0.0) - b.x0) for b in thin if b.bottom - b.top > 40]
    return [(b.x0, b.x1, b.top) for b in thin if b.x1 - b.x0 > 40]


def read_order(spans: list[Span], body: float, rules: Sequence[tuple[float, float, float]] = ()) -> list[Block]:
    """Return the lanes of a page in reading order; one of its `rules` that spans lanes parts what is above from below."""
    if not spans:
        return []
    if len(spans) > MOST_ROWS:
        ordered = sorted(spans, key=lambda s: (s.v0, s.u0))
        return [Block(ordered, True, min(s.u0 for s in spans), max(s.u1 for s in spans))]
    blocks = _cut(spans, Setting(body, *_leading(spans, body), tuple(rules)), fresh=True, depth=0)
    _align(blocks, body)
    return blocks


@dataclass(frozen=True, slots=True)
class Setting:
    """How a page is set: size of running text, white between its lines, the larger white between paragraphs, and rules."""

    body: float
    leading: float
    paragraph_gaps: tuple[float, ...]
    rules: tuple[tuple[float, float, float], ...] = ()


def _leading(spans: list[Span], body: float) -> tuple[float, tuple[float, ...]]:
    """Return the usual white between two lines of running text, and all that goes beyond it between such lines."""
    gaps = []
    plain = sorted((s for s in spans if abs(s.size - body) < 0.1 * body), key=lambda s: s.v0)
    for i, s in enumerate(plain):
        for t in plain[i + 1 : i + 40]:
            if t.u0 < s.u1 and s.u0 < t.u1 and t.v0 > s.v0 + 0.5 * body:
                gaps.append(t.v0 - s.v1)
                break
    leading = median(gaps) if gaps else 0.5 * body
    return leading, tuple(gap - leading for gap in gaps if gap - leading > 0.15 * body)


def _bands(spans: list[Span]) -> list[list[Span]]:
    """Group spans into bands between which the page is white from side to side."""
    bands: list[list[Span]] = []
    foot = -1e9
    for s in sorted(spans, key=lambda s: s.v0):
        if s.v0 >= foot - 0.15 * s.size:
            bands.append([])
            foot = -1e9
        bands[-1].append(s)
        foot = max(foot, s.v1)
    return bands


def _cut(spans: list[Span], setting: Setting, fresh: bool, depth: int, weigh: bool = True) -> list[Block]:
    """Cut a region across, else down; `weigh` which, where its titles leave it open."""
    if len(spans) == 1 or depth > 40 or _single_lane(spans):
        ordered = sorted(spans, key=lambda s: (s.v0, s.u0))
        return [Block(ordered, fresh, min(s.u0 for s in spans), max(s.u1 for s in spans))]
    body = setting.body
    parts = _across(spans, setting)
    either = weigh and len(parts) > 1 and _titled_lanes(spans, body)
    lanes = [(x, _is_headed(x, body)) for x in _down(spans, body)] if either or len(parts) == 1 else []
    if either and len(lanes) > 1:
        across, down = (
            [b for part, _ in way for b in _cut(part, setting, True, depth + 1, weigh=False)] for way in (parts, lanes)
        )
        if _torn(down, body) < _torn(across, body) - CLEARLY:
            parts = lanes
    if len(parts) == 1:
        parts = lanes
    if len(parts) == 1:
        parts = [(half, False) for half in _widest_gap(spans)]
    if len(parts) > 1:
        return [
            b for k, (part, new) in enumerate(parts)
            for b in _cut(part, setting, new or (fresh and k == 0), depth + 1, weigh)
        ]  # fmt: skip
    ordered = sorted(spans, key=lambda s: (round(s.v0 / (0.5 * body)), s.u0))
    return [Block(ordered, fresh, min(s.u0 for s in spans), max(s.u1 for s in spans))]


def _titled_lanes(spans: list[Span], body: float) -> bool:
    """Return whether there are titles, and none in the middle of the region: they belong to its lanes."""
    left, right = min(s.u0 for s in spans), max(s.u1 for s in spans)
    titles = [s for s in spans if s.size > DISPLAY * body]
    return bool(titles) and all(abs(s.u0 + s.u1 - left - right) > 4 * body for s in titles)


def _torn(blocks: Sequence[Block], body: float) -> float:
    """Return how badly blocks read on in one another in this order, summed up over the places where one ends."""
    return sum(1.0 - _reads_on(a.spans[-1], b.spans[0], b.spans, body) for a, b in pairwise(blocks))


def _single_lane(spans: list[Span]) -> bool:
    """Return whether no two spans stand beside each other."""
    return all(len(band) == 1 for band in _bands(spans))


def _across(spans: list[Span], setting: Setting) -> list[tuple[list[Span], bool]]:
    """Cut a region across: around rows that span its lanes, and at gaps wider than leading.

    Returns the parts from head to foot, each with whether it begins something of its own. A row that crosses a gutter
    always parts what is above from what is below. A title or a gap that crosses none does so only where the text reads
    on better from lane to lane above it than down each lane through it.
    """
    body, leading = setting.body, setting.leading
    bands = _bands(spans)
    if len(bands) < 2:
        return [(spans, False)]
    gutters = _gutters(spans, body)
    left, right = min(s.u0 for s in spans), max(s.u1 for s in spans)
    crossing: list[bool] = []
    masks: list[bool] = []
    for k, band in enumerate(bands):
        lone, alone = band[0], len(band) == 1
        crosses = alone and any(lone.u0 < start and end < lone.u1 for start, end in gutters)
        middle = abs((lone.u0 + lone.u1) / 2 - (left + right) / 2) < 1.0 * body and lone.u0 - left > 1.5 * body
        under = k > 0 and masks[k - 1]
        crossing.append(crosses or (under and crossing[k - 1] and alone and middle))
        masks.append(crosses or (alone and (lone.size > DISPLAY * body or (under and middle))))
    parts: list[tuple[list[Span], bool]] = [([*bands[0]], False)]
    for k in range(1, len(bands)):
        white = min(s.v0 for s in bands[k]) - max(s.v1 for s in bands[k - 1]) - leading
        turn = masks[k] != masks[k - 1]
        headed = any(s.size > DISPLAY * body for s in bands[k - 1]) and not masks[k - 1]
        if crossing[k] != crossing[k - 1] or _ruled(bands[k - 1], bands[k], left, right, setting):
            cut = True
        elif turn or (white > SECTION_GAP * body and not headed and not masks[k]):
            above = parts[-1][0]
            end = next((n for n in range(k + 1, len(bands)) if masks[n] > masks[n - 1]), len(bands))
            below = [s for band in bands[k:end] for s in band]
            usual = not turn and white < 1.2 * body and sum(g > 0.8 * white for g in setting.paragraph_gaps) > 6
            bonus = -0.3 if usual else white / body / 4 + 0.4 * turn
            first = all(masks[:k])
            cut = first or _reads_across(above, below, body, bonus)
        else:
            cut = False
        if cut:
            parts.append(([*bands[k]], (masks[k] and not masks[k - 1]) or not turn))
        else:
            parts[-1][0].extend(bands[k])
    return parts


def _ruled(above: list[Span], below: list[Span], left: float, right: float, setting: Setting) -> bool:
    """Return whether a rule parts two bands over the whole width of their region."""
    foot, head, slip = max(s.v1 for s in above), min(s.v0 for s in below), setting.body
    return any(foot - 1 < v < head + 1 and u0 < left + slip and right - slip < u1 for u0, u1, v in setting.rules)


def _reads_across(above: list[Span], below: list[Span], body: float, bonus: float) -> bool:
    """Return whether text reads on from lane to lane above a cut, rather than down each lane through it."""
    upper, lower = _lanes(above, body), _lanes(below, body)
    if not any(a[0].u0 < b[0].u1 and b[0].u0 < a[0].u1 for a in upper for b in lower):
        return False  # a picture stands above it: it is a lane beside the others
    if len(upper) < 2:
        return True
    along = [_reads_on(a[-1], b[0], b, body) for a, b in pairwise(upper)]
    through = []
    for lane in upper:
        here = [x for x in lower if x[0].u0 < lane[0].u1 and lane[0].u0 < x[0].u1]
        if here:
            through.append(_reads_on(lane[-1], here[0][0], here[0], body))
    if not through:
        return True
    if _CLOSING_LINE.search(upper[-1][-1].row.text):
        bonus += 0.6
    margin = sum(along) / len(along) + bonus - sum(through) / len(through)
    for span in (*(s for lane in upper for s in (lane[0], lane[-1])), *(lane[0] for lane in lower)):
        span.row.turn = min(abs(margin), abs(margin) if span.row.turn is None else span.row.turn)
    return margin >= 0


def _lanes(spans: list[Span], body: float) -> list[list[Span]]:
    """Group a region's spans by the gutters between them, each lane from its head to its foot."""
    covered = _merge(spans)
    gutters = _gutters(spans, body) or [
        (a[1], b[0])
        for a, b in pairwise(covered)
        if b[0] - a[1] > body  # a few titles side by side
    ]
    lanes: dict[int, list[Span]] = {}
    for s in sorted(spans, key=lambda s: s.v0):
        lanes.setdefault(sum(start + end < s.u0 + s.u1 for start, end in gutters), []).append(s)
    return [lanes[k] for k in sorted(lanes)]


def _reads_on(foot: Span, head: Span, lane: list[Span], body: float) -> float:
    """Return how well a row reads on in another, from -1.5 (hardly) to 1 (well)."""
    last, first = foot.row.text[-1], head.row.text[0]
    left = min(s.u0 for s in lane)
    opens = head.size > 1.06 * body or head.u0 - left > 1.5 * body or first in "（【□■"
    stopped = last in "。！？”）】：；…"
    if first in "，。、；：？！”’）》":
        return -1.5
    marked = set(foot.row.text) & set("，。；：！？、”") or _CLOSING_LINE.search(foot.row.text)
    if foot.size > 1.06 * body or (not marked and foot.u1 - foot.u0 < 14 * body):
        # a heading or a byline is followed by its text, never by a title; a last line may look like one
        return -1.5 if head.size > max(DISPLAY * body, foot.size) else (1.0 if opens else 0.5)
    if stopped:
        return 1.0 if opens else 0.1
    return -1.5 if opens else 1.0


def _gutters(spans: list[Span], body: float) -> list[tuple[float, float]]:
    """Return where the gutters of a region begin and end: stretches that next to no running text covers."""
    plain = [s for s in spans if s.size < DISPLAY * body]
    if len(plain) < 3:
        return []
    left, right = min(s.u0 for s in plain), max(s.u1 for s in plain)
    step_of = max(1.0, (right - left) / CELLS)  # a point, but on a page as wide as a hostile file may claim
    cover = [0] * (int((right - left) / step_of) + 3)
    for s in plain:
        cover[int((s.u0 - left) / step_of + 0.999)] += 1
        cover[int((s.u1 - left) / step_of) + 1] -= 1
    depth = 0
    for k, step in enumerate(cover):
        depth += step
        cover[k] = depth
    thin = 0.2 * max(cover)
    stretches = []
    start: int | None = None
    for k, n in enumerate(cover):
        if n <= thin:
            start = k if start is None else start
        elif start is not None:
            if (k - start) * step_of > 0.5 * body and start > 0:
                stretches.append((left + start * step_of, left + k * step_of))
            start = None
    return stretches


def _merge(spans: Sequence[Span]) -> list[tuple[float, float]]:
    """Return the stretches along the line that the spans cover together."""
    covered: list[tuple[float, float]] = []
    for s in sorted(spans, key=lambda s: s.u0):
        if covered and s.u0 <= covered[-1][1]:
            covered[-1] = (covered[-1][0], max(covered[-1][1], s.u1))
        else:
            covered.append((s.u0, s.u1))
    return covered


def _down(spans: list[Span], body: float) -> list[list[Span]]:
    """Cut a region down at gutters that no row crosses: first where headed parts stand side by side, else the widest."""
    covered = _merge(spans)
    gaps = [(b[0] - a[1], (a[1] + b[0]) / 2) for a, b in pairwise(covered) if b[0] - a[1] >= 0.4 * body]
    if not gaps:
        return [spans]
    headed = [at for _, at in gaps if all(_is_headed(part, body) for part in _parted(spans, [at]))]
    widest = max(width for width, _ in gaps)
    return _parted(spans, headed or [at for width, at in gaps if width >= SAME_GUTTER * widest])


def _parted(spans: list[Span], places: list[float]) -> list[list[Span]]:
    parts: dict[int, list[Span]] = {}
    for s in spans:
        parts.setdefault(sum(at < s.u0 for at in places), []).append(s)
    return [parts[k] for k in sorted(parts)]


def _is_headed(spans: list[Span], body: float) -> bool:
    """Return whether a title stands over all of these spans, none of them beside it."""
    first = min(spans, key=lambda s: s.v0)
    return first.size > DISPLAY * body and all(s is first or s.v0 > first.v0 + 0.5 * first.size for s in spans)


def _align(blocks: Sequence[Block], body: float) -> None:
    """Give each lane the width of the widest beside it where there is room: a short last column says little of it."""
    lanes = [b for b in blocks if all(s.size < DISPLAY * body for s in b.spans)]
    edge = max((b.u1 for b in lanes), default=0.0)
    ends = {}
    for b in lanes:
        beside = [
            x
            for x in lanes
            if (x.u0 > b.u1 or x.u1 < b.u0) and x.spans[0].v0 < b.spans[-1].v1 and b.spans[0].v0 < x.spans[-1].v1
        ]
        wide = b.u0 + max((x.u1 - x.u0 for x in beside), default=0.0)
        if b.u1 < wide <= min((x.u0 for x in beside if x.u0 > b.u0), default=edge + 0.5 * body):
            ends[id(b)] = wide
    for b in lanes:
        b.u1 = ends.get(id(b), b.u1)


def _widest_gap(spans: list[Span]) -> list[list[Span]]:
    """Cut a region across at its widest gap, when nothing better parts it."""
    bands = _bands(spans)
    if len(bands) < 2:
        return [spans]
    white = [min(s.v0 for s in b) - max(s.v1 for s in a) for a, b in pairwise(bands)]
    k = white.index(max(white)) + 1
    return [[s for b in bands[:k] for s in b], [s for b in bands[k:] for s in b]]


def flow(blocks: Sequence[Block], body: float, beside: Sequence[Box] = ()) -> list[Row]:
    """Return the rows of blocks in reading order, each measured against its lane.

    Where one of the boxes `beside` (pictures, captions) stands in a lane, its rows have the rest of the lane.
    """
    rows: list[Row] = []
    for n, block in enumerate(blocks):
        lane = _edges(block, body)
        narrowed = _narrowed(block, lane, body, beside)
        previous: Span | None = None
        white, _ = _leading(block.spans, body)
        for k, span in enumerate(block.spans):
            row, em = span.row, span.size
            left, right = narrowed.get(id(span), lane)
            row.scale = em / body
            row.indent = max(0.0, (span.u0 - left) / em)
            row.right = (right - span.u1) / em
            row.centred = abs(row.indent - row.right) < 1.0 and row.indent > 0.8
            row.gap = (span.v0 - previous.v1 - white) / body if previous else 0.0
            row.stretch = _stretch(row)
            row.starts = ("section" if block.fresh else "lane") if k == 0 else ""
            if n == 0 and k == 0:
                row.starts = "page"
            previous = span
            row.fill = Fill((right - left) / em, 0.0, 0.0, (right - span.end) / em)
            rows.append(row)
    for row, after in zip(rows, [*rows[1:], None], strict=False):
        _fill(row, after)
    return rows


#: So many rows that end at one place show the edge of their lane.
FLUSH = 5


def _edges(block: Block, body: float) -> tuple[float, float]:
    """Return the lane's left and right edge: where most rows begin and end, not where a stray one does."""
    plain = [s for s in block.spans if abs(s.size - body) < 0.12 * body] or block.spans
    if len(plain) < 3:
        return block.u0, block.u1
    starts = sorted(s.u0 for s in plain)
    ends = sorted(s.u1 for s in plain)
    left = starts[max(0, len(starts) // 20)]
    right = ends[min(len(ends) - 1, len(ends) - 1 - len(ends) // 20)]
    flush = sum(right - end < 0.6 * body for end in ends)
    if flush < FLUSH:  # a few lines say little of how wide their lane is; what stands beside and above them says more
        right = max(right, min(block.u1, right + 60 * body))
    return min(left, block.u0 if block.u0 > left - 0.6 * body else left), right


def _narrowed(
    block: Block, lane: tuple[float, float], body: float, beside: Sequence[Box]
) -> dict[int, tuple[float, float]]:
    """Return the edges of the rows that share their lane with a picture, by the identity of their spans."""
    left, right = lane
    edges: dict[int, tuple[float, float]] = {}
    for box in beside:
        if box.x0 > right - body or box.x1 < left + body:
            continue
        level = [s for s in block.spans if s.v0 < box.bottom and box.top < s.v1]
        if len(level) < 3:
            continue
        if all(s.u1 < box.x0 + 0.2 * body for s in level):
            edges |= dict.fromkeys(map(id, level), (left, max(s.u1 for s in level)))
        elif all(s.u0 > box.x1 - 0.2 * body for s in level):
            edges |= dict.fromkeys(map(id, level), (min(s.u0 for s in level), right))
    return edges


def _stretch(row: Row) -> float | None:
    """Return how far apart the row's Chinese characters are set beyond their own width, in em a character."""
    edges, text, em = row.line.edges, row.line.text, row.line.size or 1.0
    steps = [
        (edges[i + 1] - edges[i]) / em - 1.0
        for i in range(len(text) - 1)
        if "\u2e80" <= text[i] <= "\u9fff" and text[i] not in "，。、；：" and "\u2e80" <= text[i + 1] <= "\u9fff"
        and text[i] != "\u3000"
    ]  # fmt: skip
    return median(steps) if len(steps) >= 3 else None


def _fill(row: Row, after: Row | None) -> None:
    """Set a page row's fill test from its natural width: as if nothing had been justified."""
    column = row.fill.width
    if column is None:
        return
    proportional = sum(c.isascii() and c.isalpha() for c in row.text) > 0.5 * len(row.text)
    width = natural_width(row.text, proportional) + (row.indent or 0.0)
    unit = first_unit(after.text) if after else "文"
    ahead = natural_width(unit, proportional)
    slack = column - width - ahead
    soft = 0.5 * sum(c in "，。、；：！？”’）》】」』“‘（《【「『" for c in row.text + unit)
    row.fill = Fill(column, slack, slack + soft, row.fill.spare)
