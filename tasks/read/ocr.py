"""Read the picture of a page as lines with their places (the only import of RapidOCR, which the extra `ocr` brings).

The recogniser finds lines and names their characters; where exactly these stand is measured on the picture itself. So all
that follows is the same for a scan and for a page of text.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any, NamedTuple

import numpy as np

from tasks.clean import HALF_INK, OPENING, is_wide
from tasks.document import Box, Line, Page, Reading, count_chars

#: Lines are looked for on a picture reduced to this many pixels a side, but read from the whole one.
DETECTION_SIDE = 1600
#: A page lying askew by up to so many degrees is put straight; by less than the second, it is straight.
MOST_SKEW, LEAST_SKEW = 4.0, 0.15
#: Lines of which the recogniser is less sure than this are no lines: pictures hold much that looks like writing.
LEAST_SCORE = 0.5
#: How high ink stands, in em: Chinese characters fill their em but for a rim; letters by whether any ascends or descends.
HAN_INK, ASCENDING, X_HEIGHT, DESCENDING = 0.92, 0.72, 0.5, 0.21
#: How much of its em ink leaves free: before an opening mark, behind a comma or a stop, on either side of a character.
BEFORE_OPENING, BEHIND_STOP, BESIDE = 0.55, 0.6, 0.05
#: Sizes this much alike on one page are one size, which measuring blurred.
SAME_SIZE = 0.06
#: Edges of lines this near, in em, are one edge; lines set this much closer or wider than solid are set solid.
SAME_EDGE, SOLID = 0.25, 0.008
#: White of so many em within a line is no space: two lanes were taken for one. Of less than the second it is nothing; in
#: between it parts lanes where it goes on through the lines above or below, so many em far.
WIDE_GAP, NARROW_GAP, GUTTER = 1.3, 0.6, 6
#: A line is vertical when it is so many times as high as wide.
TALL = 1.5

#: Where two marks meet, typesetters let them share an em.
_SQUEEZED = re.compile("[，。、；：！？”’）》〉】〕」』—][，。、；：！？”’）》〉】〕」』“‘（《〈【「『]")
_NARROW = re.compile("(?<=[\u2e80-\uffff”])[(),:;?!]|[(),:;?!](?=[\u2e80-\uffff“])")
_WIDENED = str.maketrans("(),:;?!", "（），：；？！")


def is_installed() -> bool:
    """Return whether the extra `ocr` is here, without loading it.

    >>> is_installed() in (True, False)
    True
    """
    return all(importlib.util.find_spec(name) is not None for name in ("rapidocr", "onnxruntime"))


class Picture(NamedTuple):
    """A page as a picture: its number, its pixels (rows of greys, from 0 for black to 255), and the points of a pixel."""

    number: int
    grey: np.ndarray
    points: float


def read_pictures(pictures: Iterable[Picture], media_type: str) -> Reading:
    """Return the lines that OCR finds on pictures of pages, those of each page numbered from its top.

    A page that lies askew by a few degrees is put straight, and places are those on the straight page. The `score` of a
    line tells how sure the recogniser is of its characters.
    """
    pages = []
    for number, grey, points in pictures:
        height, width = grey.shape
        pages.append(Page(number, _recognise(grey, number, points), width * points, height * points))
    return Reading(tuple(pages), media_type, sum(count_chars(line.text) for page in pages for line in page.lines))


def _recognise(picture: np.ndarray, page: int, points: float) -> tuple[Line, ...]:
    picture = straighten(picture)
    strips = [strip for box in _detect(picture) for strip in _strip(picture, *box)]
    found = [line for strip, read in zip(strips, _read(strips), strict=True) for line in _found(strip, *read)]
    _settle_sizes(found)
    ink = _ink(picture)
    pieces = [piece for line in found for piece in _pieces(line, ink)]
    _align(pieces)
    _set_solid(pieces)
    lines = [_line(piece, page, points) for piece in pieces]
    lines.sort(key=lambda line: (line.box.top, line.box.x0) if line.box else (0.0, 0.0))
    return tuple(replace(line, number=n) for n, line in enumerate(lines, start=1))


@lru_cache(maxsize=1)
def _recogniser() -> Any:
    """Load the recogniser: its models from its own package, one thread, nothing downloaded whatever happens.

    In a child of the guard, and nowhere else: the runtime's threads would not outlive a fork.
    """
    import cv2
    import rapidocr

    models = Path(rapidocr.__file__).parent / "models"
    (detection,), (recognition,) = (list(models.glob(f"*_{task}_*.onnx")) for task in ("det", "rec"))
    cv2.setNumThreads(1)
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_preprocess_img": False,
            "Global.return_word_box": True,
            "Det.model_path": str(detection),
            "Det.limit_type": "max",
            "Det.limit_side_len": DETECTION_SIDE,
            "Det.max_candidates": 10_000,
            "Rec.model_path": str(recognition),
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _detect(picture: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Return the rectangles in which lines stand, in pixels: left, top, right, bottom."""
    found = _recogniser()(_coloured(picture), use_det=True, use_cls=False, use_rec=False)
    corners = np.asarray([] if found.boxes is None else found.boxes).reshape(-1, 4, 2)
    low = np.maximum(np.floor(corners.min(axis=1)), 0).astype(int)
    high = np.ceil(corners.max(axis=1)).astype(int)
    return [(x0, y0, x1, y1) for (x0, y0), (x1, y1) in zip(low.tolist(), high.tolist(), strict=True)]


def _coloured(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture[:, :, None], 3, axis=2)


@dataclass(slots=True)
class Strip:
    """The picture of one line, characters upright and side by side, as it is given to the recogniser.

    `ink` says which of its pixels are inked. `across` are the places of `knots` (along the strip) along the line on the
    page. On the page its ink reaches from `u0` to `u1` along the line and from `v0` to `v1` across it, in pixels.
    """

    picture: np.ndarray
    ink: np.ndarray
    knots: np.ndarray
    places: np.ndarray
    vertical: bool
    u0: float
    u1: float
    v0: float
    v1: float

    @property
    def thickness(self) -> float:
        """Return how high the ink stands, in pixels."""
        return self.v1 - self.v0

    @property
    def middle(self) -> float:
        """Return where the middle of the ink stands across the line, in pixels."""
        return (self.v0 + self.v1) / 2


def _strip(picture: np.ndarray, x0: int, y0: int, x1: int, y1: int) -> Iterator[Strip]:
    """Cut a line out of the picture; yield nothing where there is no ink."""
    piece = picture[y0:y1, x0:x1]
    ink = _ink(piece)
    if not ink.any():
        return
    (left, right), (top, bottom) = _extent(ink, 0), _extent(ink, 1)
    if y1 - y0 < TALL * (x1 - x0):
        ends = np.array([0.0, x1 - x0])
        yield Strip(piece, ink, ends, ends + x0, False, x0 + left, x0 + right, y0 + top, y0 + bottom)
        return
    laid, knots, cells = _laid(piece, ink, (right - left) / HAN_INK)
    yield Strip(laid, _ink(laid), knots, cells + y0, True, y0 + top, y0 + bottom, x0 + left, x0 + right)


def _laid(piece: np.ndarray, ink: np.ndarray, em: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lay a vertical line across: its characters upright, side by side, marks where a horizontal line has them.

    So the recogniser reads them as it was taught to, where of a line on its side it loses every comma. Returns the
    picture, and places along it with the places along the piece (from its top) that they come from.
    """
    cuts = _cells(ink, em)
    paper = int(np.median(piece))
    side = max(round(1.06 * em), 4)
    tiles = []
    for top, bottom in pairwise(cuts):
        tile = np.full((round(1.3 * side), side), paper, dtype=piece.dtype)
        cell = ink[top:bottom]
        if cell.any():
            (x0, x1), (y0, y1) = _extent(cell, 0, 0), _extent(cell, 1, 0)
            width, height = x1 - x0, y1 - y0
            strokes = int(np.diff(np.append(0, cell.any(axis=1)).astype(int)).clip(0).sum())
            part = piece[top + y0 : top + y1, x0:x1]
            y, x = (tile.shape[0] - height) // 2, (side - width) // 2
            if width < 0.35 * em and (height < 0.65 * em or strokes == 2):  # a comma or a stop: low and left, as ； is
                y, x = round(1.1 * side) - height, round(0.1 * side)
            elif (0.18 * em < height < 0.5 * em < 2 * width) or (
                width < 0.2 * em and (strokes == 3 or height > 0.85 * em)
            ):  # a bracket, an ellipsis or a dash, which stand on end: 「 is high and right, 」 low and left
                part = np.rot90(part)
                middle = 0.35 if bottom - top - y1 < y0 else 0.65
                y, x = round(middle * tile.shape[0] - width / 2), round((1 - middle) * side - height / 2)
            y, x = max(y, 0), max(x, 0)
            part = part[: tile.shape[0] - y, : side - x]
            tile[y : y + part.shape[0], x : x + part.shape[1]] = part
        tiles.append(tile)
    return np.concatenate(tiles, axis=1), np.arange(len(cuts), dtype=float) * side, np.array(cuts, dtype=float)


def _cells(ink: np.ndarray, em: float) -> list[int]:
    """Cut a vertical line between its characters: about an em apart, and through as little ink as can be.

    Returns the rows of the cuts, the first at or before the first ink, the last at or behind the last.
    """
    rows = np.append(ink.mean(axis=1), 0.0)
    first, last = _extent(ink, 1, 0)
    least, most = max(round(0.4 * em), 1), max(round(1.5 * em), 2)
    cost = np.full(len(rows), np.inf)
    cost[: first + 1] = 0.0
    back = np.full(len(rows), -1)
    for end in range(first + 1, len(rows)):
        starts = np.arange(max(end - most, 0), max(end - least + 1, 0))
        if not len(starts):
            continue
        whole = cost[starts] + ((end - starts) / em - 1.0) ** 2
        best = int(whole.argmin())
        if np.isfinite(whole[best]):
            cost[end], back[end] = whole[best] + 3.0 * rows[end], starts[best]
    if not np.isfinite(cost[last:]).any():
        return [0, len(rows) - 1]
    cuts = [last + int(cost[last:].argmin())]
    while cuts[-1] > first and back[cuts[-1]] >= 0:
        cuts.append(int(back[cuts[-1]]))
    return cuts[::-1]


def _read(strips: Sequence[Strip]) -> list[tuple[str, list[float], list[float]]]:
    """Return what stands on each strip: its text, and of each character that is no space the score and its middle."""
    if not strips:
        return []
    found = _recogniser().recognize_txt([_coloured(strip.picture) for strip in strips])
    read = []
    for strip, text, words in zip(strips, found.txts, found.word_results, strict=True):
        columns = [column for word in words.word_cols for column in word]
        scores = [s for c, s in zip(text, words.confs, strict=False) if not c.isspace()]
        width = strip.picture.shape[1] / words.line_txt_len if columns else 0.0
        read.append((text, scores, [(column + 0.5) * width for column in columns]))
    return read


@dataclass(slots=True)
class Found:
    """A line as it was recognised: its text, and of each character that is no space the score and its place.

    `centres` are the places of the characters' middles along the line on the page, in pixels, as is `size`, one em.
    """

    strip: Strip
    text: str
    scores: list[float]
    centres: list[float]
    size: float


def _found(strip: Strip, text: str, scores: list[float], middles: list[float]) -> Iterator[Found]:
    """Put together what was recognised on a strip and where it stands; yield nothing where that was no writing."""
    text = _full_width("".join(" " if c.isspace() else c for c in text).strip())
    if not scores or fmean(scores) < LEAST_SCORE:
        return
    text, scores, middles = _with_dashes(strip.ink, text, scores, middles)
    em = strip.thickness / _ink_height(text)
    centres = np.interp(middles, strip.knots, strip.places).tolist()
    # The thin stroke of 一 may not show as ink at the end of a line, and dust or a neighbour's stroke beside it may.
    near, far = (0.1, 0.35) if text[0] in OPENING else (0.35, 0.6)
    strip.u0 = min(max(strip.u0, centres[0] - far * em), centres[0] - near * em)
    near, far = (0.1, 0.35) if text[-1] in HALF_INK else (0.35, 0.6)
    strip.u1 = max(min(strip.u1, centres[-1] + far * em), centres[-1] + near * em)
    yield Found(strip, text, scores, centres, min(em, _solid(text, strip.u0, strip.u1, em)))


def _solid(text: str, u0: float, u1: float, em: float) -> float:
    """Return the size at which a line would be set solid: its type is no larger, for lines are stretched, not squeezed.

    `em` is its size as the ink tells it, too much where brackets rise above and fall below the characters.
    """
    width = sum(_width(c, text) for c in text)
    start, end = _ends(text, u0, u1, em)
    solid = (end - start) / width
    return solid if width > 4 and solid > 0.85 * em and " " not in text and not _SQUEEZED.search(text) else em


def _ends(text: str, u0: float, u1: float, em: float) -> tuple[float, float]:
    """Return from where to where text is set whose ink is known: it does not fill the em of its first and last character."""
    head, foot = text[0], text[-1]
    before = (BEFORE_OPENING if head in OPENING else BESIDE) if is_wide(head) else 0.0
    behind = (BEHIND_STOP if foot in HALF_INK else BESIDE) if is_wide(foot) else 0.0
    return u0 - before * em, u1 + behind * em


def _full_width(text: str) -> str:
    """Give marks among Chinese characters their full width: on a picture （ and ( look the same.

    >>> _full_width("(记者林晓)3:1,渡口(ferry)")
    '（记者林晓）3:1，渡口（ferry)'
    """
    return _NARROW.sub(lambda m: m[0].translate(_WIDENED), text)


def _with_dashes(
    ink: np.ndarray, text: str, scores: Sequence[float], middles: Sequence[float]
) -> tuple[str, list[float], list[float]]:
    """Put in the dashes (——) that recognisers pass over: a gap two em wide with one thin stroke all through it."""
    scores, middles = list(scores), list(middles)
    top, bottom = _extent(ink, 1)
    em = (bottom - top) / _ink_height(text)
    inked = _inked(text)
    for k in range(len(inked) - 1, 0, -1):
        left = middles[k - 1] + em * (0.75 if text[inked[k - 1]] in HALF_INK else 0.5)
        right = middles[k] - em * (0.75 if text[inked[k]] in OPENING else 0.5)
        gap = ink[:, round(left + 0.2 * em) : round(right - 0.2 * em)]
        if right - left < 1.5 * em or gap.any(axis=0).mean() < 0.9:
            continue
        top, bottom = _extent(gap, 1)
        if bottom - top < 0.25 * em:
            text = f"{text[: inked[k - 1] + 1]}——{text[inked[k] :]}"
            middles[k:k] = [left + (right - left) * share for share in (0.25, 0.75)]
            scores[k:k] = [min(scores[k - 1 : k + 1])] * 2
    return text, scores, middles


def _settle_sizes(lines: Sequence[Found]) -> None:
    """Give lines of one type size one size: measured by its ink, each differs by a pixel or two."""
    measured = np.array([line.size for line in lines])
    sizes: list[float] = []
    for line in sorted(lines, key=lambda line: (-len(line.text), line.strip.v0, line.strip.u0)):
        # Of a few characters the measure is rough: the usual size it is, if it can be.
        short = len(line.scores) < 4
        near = [size for size in sizes if abs(size - line.size) < (2 if short else 1) * SAME_SIZE * size]
        if not near:
            near = [float(np.median(measured[abs(measured - line.size) < SAME_SIZE * line.size]))]
            sizes += near
        line.size = near[0] if short else min(near, key=lambda size: abs(size - line.size))


def _ink_height(text: str) -> float:
    """Return how high the ink of a line stands, in em.

    >>> _ink_height("渡口"), _ink_height("ferry"), _ink_height("Ox")
    (0.92, 0.93, 0.72)
    """
    if any("\u2e80" <= c <= "\u9fff" and c not in "、。" for c in text):
        return HAN_INK
    top = ASCENDING if any(c.isupper() or c.isdigit() or c in "bdfhklt" for c in text) else X_HEIGHT
    return round(top + (DESCENDING if any(c in "gjpqy,;()" for c in text) else 0.0), 2)


@dataclass(slots=True)
class Piece:
    """A line without gaps, or a part of one: set from `start` to `end` along it, its `middle` across it, in pixels."""

    text: str
    scores: list[float]
    start: float
    end: float
    middle: float
    size: float
    vertical: bool

    @property
    def width(self) -> float:
        """Return how long it would be if it were set solid, in em."""
        return sum(_width(c, self.text) for c in self.text)


def _pieces(line: Found, ink: np.ndarray) -> Iterator[Piece]:
    """Cut a line where white stands between two characters that is no space, and set the spaces overlooked."""
    strip, em, inked = line.strip, line.size, _inked(line.text)
    page = ink.T if strip.vertical else ink
    half = [_width(line.text[n], line.text) / 2 for n in inked]
    text = [line.text[inked[0]]]
    first, u0 = 0, strip.u0
    for k in range(1, len(inked)):
        before, after = line.text[inked[k - 1]], line.text[inked[k]]
        left, right = _white(page[int(strip.v0) : int(strip.v1)], line.centres[k - 1], line.centres[k])
        # White is part of some characters, and the places of their middles are rough: both must speak for a gap.
        bare = (right - left) / em - 0.5 * (before in HALF_INK) - 0.5 * (after in OPENING and is_wide(after))
        gap = min(bare, (line.centres[k] - line.centres[k - 1]) / em - half[k - 1] - half[k])
        if gap > WIDE_GAP or (gap > NARROW_GAP and _is_gutter(page, left, right, strip, em)):
            yield _piece(line, "".join(text), first, k, u0, left)
            text, first, u0 = [], k, right
        elif inked[k] > inked[k - 1] + 1 or (gap > NARROW_GAP and before.isalnum() and after.isalnum()):
            text.append(" ")
        text.append(after)
    yield _piece(line, "".join(text), first, len(inked), u0, strip.u1)


def _piece(line: Found, text: str, first: int, behind: int, u0: float, u1: float) -> Piece:
    """Return a part of a line."""
    start, end = _ends(text, u0, u1, line.size)
    return Piece(text, line.scores[first:behind], start, end, line.strip.middle, line.size, line.strip.vertical)


def _align(pieces: Sequence[Piece]) -> None:
    """Let lines begin and end at common edges: a glyph's ink begins here or there in its em, a lane begins in one place."""
    for vertical in (False, True):
        alike = [piece for piece in pieces if piece.vertical == vertical]
        for side in ("start", "end"):
            group: list[Piece] = []
            for piece in sorted(alike, key=lambda piece: float(getattr(piece, side))):
                if group and getattr(piece, side) - getattr(group[0], side) > SAME_EDGE * piece.size:
                    _set_alike(group, side)
                    group = []
                group.append(piece)
            _set_alike(group, side)


def _set_alike(group: Sequence[Piece], side: str) -> None:
    if len(group) > 2:
        edge = median(getattr(piece, side) for piece in group)
        for piece in group:
            setattr(piece, side, edge)


def _set_solid(pieces: Sequence[Piece]) -> None:
    """Give type the size at which lines that nobody justified, the last ones of paragraphs, are set solid.

    Ink tells it to two or three per cent, but one per cent decides whether a line is justified.
    """
    for size in {piece.size for piece in pieces}:
        alike = [piece for piece in pieces if piece.size == size]
        last = [
            piece
            for piece in alike
            if piece.width > 5
            and not _SQUEEZED.search(piece.text)
            and any(
                other.end - size > piece.end
                and abs(other.start - piece.start) < 2.5 * size
                and abs(other.middle - piece.middle) < 15 * size
                for other in alike
                if other.vertical == piece.vertical
            )
        ]
        solid = [(piece.end - piece.start) / piece.width for piece in last]
        solid = [em for em in solid if abs(em - size) < 0.06 * size]
        em = median(solid) if len(solid) > 1 else size
        for piece in alike:
            piece.size = em
            if abs((piece.end - piece.start) / piece.width - em) < SOLID * em:
                piece.end = piece.start + piece.width * em


def _white(band: np.ndarray, start: float, end: float) -> tuple[int, int]:
    """Return from where to where the longest stretch without ink reaches, between two places along a line."""
    first, last = round(start), round(end)
    places = np.flatnonzero(band[:, first:last].any(axis=0))
    edges = np.concatenate(([-1], places, [max(last - first, 0)]))
    k = int(np.diff(edges).argmax())
    return first + int(edges[k]) + 1, first + int(edges[k + 1])


def _is_gutter(page: np.ndarray, left: int, right: int, strip: Strip, em: float) -> bool:
    """Return whether the white from `left` to `right` goes on above or below the line, with ink on both its sides."""
    reach, rim = round(GUTTER * em), round(0.3 * em)
    beside = round(2 * em)
    top, bottom = int(strip.v0) - rim, int(strip.v1) + rim
    for rows in (page[max(top - reach, 0) : max(top, 0)], page[bottom : bottom + reach]):
        sides = (rows[:, max(left - beside, 0) : left], rows[:, right : right + beside])
        if all(side.size and side.any(axis=1).mean() > 0.1 for side in sides):
            third = (right - left) // 3
            if rows[:, left + third : right - third].any(axis=1).mean() < 0.02:
                return True
    return False


def _inked(text: str) -> list[int]:
    return [n for n, c in enumerate(text) if c != " "]


def _width(c: str, text: str) -> float:
    """Return the width of a character in em; quotation marks and dashes are narrow among letters."""
    latin = c in "“”‘’…—" and not any(other >= "\u2e80" for other in text)
    return 1.0 if is_wide(c) and not latin else 0.5


def _line(piece: Piece, page: int, points: float) -> Line:
    """Return a line in points, its characters set evenly from end to end as a typesetter sets them."""
    widths = np.array([_width(c, piece.text) for c in piece.text])
    shares = np.append(0.0, np.cumsum(widths)) / widths.sum()
    edges = (points * (piece.start + shares * (piece.end - piece.start))).tolist()
    across = (points * (piece.middle - piece.size / 2), points * (piece.middle + piece.size / 2))
    along = (edges[0], edges[-1])
    (x0, x1), (top, bottom) = (across, along) if piece.vertical else (along, across)
    box = Box(page, x0, top, x1, bottom)
    score = round(fmean(piece.scores), 4)
    return Line(piece.text, 0, box, round(points * piece.size, 2), None, tuple(edges), piece.vertical, score)


def straighten(picture: np.ndarray) -> np.ndarray:
    """Put a page straight that lay askew in the scanner: lanes are found by lines that stand one below the other.

    Straight is where the ink of lines, summed up along them, changes most from row to row (or from column to column).
    """
    from PIL import Image

    whole = Image.fromarray(picture)
    small = whole.copy()
    small.thumbnail((1000, 1000))
    ink = Image.fromarray(np.where(_ink(np.asarray(small)), 255, 0).astype(np.uint8))

    def sharpness(angle: float) -> float:
        turned = np.asarray(ink.rotate(angle)).astype(np.float32)
        return max(float(np.square(np.diff(turned.sum(axis=axis))).sum()) for axis in (0, 1))

    skew = 0.0
    for step, reach in ((1.0, 4), (0.25, 4), (0.05, 4)):
        tried = [skew + k * step for k in range(-reach, reach + 1)]
        skew = max(tried, key=lambda angle: (sharpness(angle), -abs(angle)))
    if abs(skew) < LEAST_SKEW:
        return picture
    return np.asarray(whole.rotate(skew, Image.Resampling.BICUBIC, fillcolor=int(np.median(picture))))


def _ink(piece: np.ndarray) -> np.ndarray:
    """Return where a picture is inked: dark on light or light on dark, parted by Otsu's rule (as clearly as can be)."""
    counts = np.bincount(piece.ravel(), minlength=256).astype(np.float64)
    below, sums = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = (sums[-1] * below / max(below[-1], 1.0) - sums) ** 2 / (below * (below[-1] - below))
    if not np.isfinite(apart).any():
        return np.zeros(piece.shape, dtype=bool)  # all of one grey
    dark = piece <= np.nanargmax(np.where(np.isfinite(apart), apart, np.nan))
    return ~dark if dark.mean() > 0.6 else dark


def _extent(ink: np.ndarray, axis: int, dust: float = 0.02) -> tuple[int, int]:
    """Return from where to where ink reaches, summed along an axis, where it is more than `dust` of what could be."""
    inked = np.flatnonzero(ink.sum(axis=axis) >= max(1, dust * ink.shape[axis]))
    return (int(inked[0]), int(inked[-1]) + 1) if len(inked) else (0, ink.shape[1 - axis])
