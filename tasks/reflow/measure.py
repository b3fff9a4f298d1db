"""How wide is the column, and could the next word still have stood on this line?

The fill test is the core signal of reflow: a typesetter breaks a line only where the next unbreakable unit no longer
fits. Where it would have fitted, the paragraph ended. All widths are in em of the line's own size.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.clean import CLOSING, HALF_INK, OPENING, is_wide

#: Marks that a typesetter may set on half an em where the line needs room.
COMPRESSIBLE = frozenset("，。、；：？！”’）》〉】』」“‘（《〈【『「")
#: Candidate column widths: half an em apart, from three characters to a page of English on one line.
WIDTHS = np.arange(3.0, 64.25, 0.5)
#: Costs of the width search, in nats: a line that neither fills the column nor overflows it ended a paragraph (about
#: one line in six does); a first line whose indent was stripped ends two em early; a change of measure is rare, and
#: rarer still for one line alone: what is wider by far was never broken, as a title among the lines of a column.
SHORT, INDENTED, CHANGE, OVERFLOW, UNBROKEN, UNWRAPPED = 1.9, 1.2, 7.0, 9.0, 6.0, 1.75
#: So many em beyond its column, a line was never broken: no mark that hangs or is squeezed in takes so much.
FAR = 2.3

_UNIT = re.compile(r"[^\s\u2e80-\uffff“”‘’…—]+")
_WIDE = re.compile(r"[\u2e80-\U0010ffff“”‘’…⋯—─]")
_SOFT = re.compile(f"[{re.escape(''.join(sorted(COMPRESSIBLE)))}]")
#: What a Latin letter of proportional type takes more or less than half an em: the usual book faces agree on this much.
_UNEVEN = [
    (re.compile(f"[{re.escape(letters)}]"), width - 0.5)
    for width, letters in ((0.25, "ijlI.,:;'|!"), (0.33, "ftr()[]-/ "), (0.72, "wmGOQHNDUKAV"), (0.85, "MW%@"))
]


@dataclass(frozen=True, slots=True)
class Fill:
    """How a line stands in its column: `width` of the column (None where lines are not wrapped), and the room left.

    `slack` is the room that the next unit would have left (negative: it did not fit), `squeezed` the same with every
    mark set on half an em. `spare` is the room that the line itself leaves, at most: an indent of which the layout lost
    sight can be no wider.
    """

    width: float | None
    slack: float
    squeezed: float
    spare: float = 99.0


#: Of a line that was never wrapped, or not measured yet: all the room that anyone could want.
UNMEASURED = Fill(None, 99.0, 99.0)


def natural_width(text: str, proportional: bool = False) -> float:
    """Return the width of `text` in em: one for a wide character, half for another, or the usual Latin widths.

    >>> natural_width("渡口2号")
    3.5
    """
    wide = len(_WIDE.findall(text))
    width = wide + 0.5 * (len(text) - wide)
    if proportional:
        width += sum(more * len(letters.findall(text)) for letters, more in _UNEVEN)
    return width


def first_unit(text: str) -> str:
    """Return what must stand together at the start of a line: a word, or a character with the marks that cling to it.

    >>> first_unit("“蛋糕”。更加"), first_unit("2030年"), first_unit("economy is")
    ('“蛋', '2030', 'economy')
    """
    if not text:
        return ""
    end = 0
    while end < len(text) - 1 and text[end] in OPENING:
        end += 1
    word = _UNIT.match(text, end)
    end = word.end() if word else end + 1
    while end < len(text) and text[end] in CLOSING and is_wide(text[end]):
        end += 1
    return text[:end]


@dataclass(frozen=True, slots=True)
class Widths:
    """What decides where lines end, one number a line in each array, in em.

    `width` and `unit` are the natural widths of the line and of the next line's first unit; `soft` and `unit_soft` say
    how much of them compresses. `ragged` marks Latin lines, which end where a word does.
    """

    width: np.ndarray
    soft: np.ndarray
    unit: np.ndarray
    unit_soft: np.ndarray
    ragged: np.ndarray
    hanging: np.ndarray


def widths(texts: Sequence[str], proportional: bool, counted: bool = False) -> Widths:
    """Measure lines of text.

    With `proportional` Latin letters have the usual widths of book type; with `counted` every character is an em wide, as
    to a program that counts them. Where lines open with marks that no typesetter puts there, a line may end anywhere.
    """
    n = len(texts)
    unit, unit_soft = np.full(n, 1.0), np.zeros(n)
    anywhere = sum(t[:1] in HALF_INK for t in texts) > max(2.0, ANYWHERE * n)

    def width(text: str) -> float:
        return float(len(text)) if counted else natural_width(text, proportional)

    for i, text in enumerate(texts[1:]):
        head = text[:1] if anywhere and is_wide(text[:1] or "文") else first_unit(text)
        gap = 0.3 if head[:1].isascii() and not is_wide(texts[i][-1:] or "文") else 0.0
        unit[i] = width(head) + gap
        unit_soft[i] = 0.5 * len(_SOFT.findall(head))
    return Widths(
        width=np.array([width(t) for t in texts]),
        soft=np.array([0.5 * len(_SOFT.findall(t)) for t in texts]),
        unit=unit,
        unit_soft=unit_soft,
        ragged=np.array([bool(t) and not is_wide(t[len(t) // 2]) and t[: len(t) // 2].isascii() for t in texts]),
        hanging=np.array([bool(t) and t[-1] in CLOSING for t in texts]),
    )


#: A program that breaks lines anywhere opens this share of them with closing marks.
ANYWHERE = 0.02


def _counts_characters(texts: Sequence[str]) -> bool:
    """Return whether Chinese lines with Latin letters or figures among them are as long as others, not as wide."""
    mixed = [t for t in texts if _LATIN.search(t) and _WIDE.search(t)]
    if len(mixed) < 8:
        return False
    long = Counter(map(len, mixed))
    wide = Counter(math.ceil(natural_width(t)) for t in mixed)
    return max(long.values()) > 1.5 * max(wide.values())


_LATIN = re.compile(r"[A-Za-z0-9]{2}")


def fill_lines(texts: Sequence[str]) -> list[Fill]:
    """Return the fill test of every line against the column it was set to, the next line's first unit in hand.

    Latin text may be set in book type or on the even grid of a typewriter; the one that explains the lines better is
    taken. A program may have counted the characters of a Chinese line instead of measuring it. Where no line holds more than its column, marks are not compressed.

    >>> [fill.slack for fill in fill_lines(["渡口的早晨从一声汽笛开始", "船老大把缆绳绕上木桩，看", "雾。"])]
    [-1.0, -2.0, 9.0]
    """
    if not texts:
        return []
    latin = sum(1 for t in texts for c in t[:40] if c.isascii() and c.isalpha())
    faces = [True, False] if latin > 0.5 * sum(min(len(t), 40) for t in texts) else [False]
    counted = faces == [False] and _counts_characters(texts)
    tried = [(w, *column_widths(w)) for w in (widths(texts, proportional, counted) for proportional in faces)]
    w, columns, _ = min(tried, key=lambda t: t[2])
    slack = columns - w.width - w.unit
    # A mark may hang or be squeezed in at the end of a line that no typesetter compressed.
    elastic = np.count_nonzero(w.width - w.hanging > columns + 0.26) > 0.01 * len(texts)
    squeezed = slack + elastic * (w.soft + w.unit_soft)
    spare = columns - w.width + np.maximum(elastic * w.soft, w.hanging)
    return [
        UNMEASURED if np.isnan(fill[0]) else Fill(*map(float, fill))
        for fill in zip(columns, slack, squeezed, spare, strict=True)
    ]


#: So many lines are weighed against all widths at a time.
STRETCH = 1024


def column_widths(lines: Widths) -> tuple[np.ndarray, float]:
    """Find the column width that each line was set to: it may change, even in the middle of a paragraph.

    A Viterbi pass over the lines: a width explains a line well when the line fills it, and badly when the line
    overflows it. Not a number marks lines of text that was never wrapped. The cost of it all comes with the widths.

    >>> column_widths(widths(["渡口的早晨从一声汽笛开始", "船老大把缆绳绕上木桩，看", "雾。"], proportional=False))[0].tolist()
    [12.0, 12.0, 12.0]
    """
    n = len(lines.width)
    own = np.arange(len(WIDTHS) + 1, dtype=np.uint8)
    back = np.zeros((n, len(own)), dtype=np.uint8)
    total = np.zeros(len(own))
    for first in range(0, n, STRETCH):
        for i, cost in enumerate(_costs(lines, slice(first, first + STRETCH)), first):
            best = int(total.argmin())
            changed = total[best] + CHANGE
            back[i] = np.where(changed < total, best, own)
            total = np.minimum(total, changed) + cost
    state = int(total.argmin())
    path = [state]
    for i in range(n - 1, 0, -1):
        state = int(back[i, state])
        path.append(state)
    return np.append(WIDTHS, np.nan)[path[::-1]], float(total.min())


def _costs(lines: Widths, stretch: slice) -> np.ndarray:
    """Return what each width costs each line of a stretch, not to be wrapped at all last."""
    w, s, u = lines.width[stretch, None], lines.soft[stretch, None], lines.unit[stretch, None]
    ragged = lines.ragged[stretch, None]
    grid = WIDTHS[None, :]
    room = grid - w
    cost = np.full((len(w), len(WIDTHS) + 1), UNWRAPPED)
    full = (room < u) & (room >= 0)
    exact = np.abs(room) < 0.26
    squeezed = (room < 0) & (room + np.minimum(s, 2.0) >= -0.01)
    hanging = lines.hanging[stretch, None] & (room >= -1.01) & (room < 0)
    loose = ragged & (room >= -3.0) & (room < np.maximum(u, 4.0))  # proportional type varies by a few per cent
    here = np.where(
        exact,
        0.05,
        np.where(
            full,
            np.where(ragged, 0.3, 0.45 + 0.25 * np.clip(room, 0, 6)),
            np.where(
                squeezed | hanging,
                0.5 + 0.3 * np.clip(-room, 0, 3),
                np.where(
                    loose,
                    0.6 + 0.12 * np.abs(room),
                    np.where(room < 0, np.where(room < -FAR, UNBROKEN, OVERFLOW), SHORT),
                ),
            ),
        ),
    )
    indented = (np.abs(room - 2.0) < 0.26) | ((room - 2.0 >= 0) & (room - 2.0 < u))
    here = np.where(indented & (here >= SHORT), INDENTED + 0.2 * (np.abs(room - 2.0) > 0.26), here)
    cost[:, :-1] = here
    cost[lines.width[stretch] > WIDTHS[-1], -1] = 0.1
    return cost
