"""How wide is the column, and could the next word still have stood on this line?

The fill test is the core signal of reflow: a typesetter breaks a line only where the next unbreakable unit no longer
fits. Where it would have fitted, the paragraph ended. All widths are in em of the line's own size.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.clean import CLOSING, OPENING, is_wide

#: Marks that a typesetter may set on half an em where the line needs room.
COMPRESSIBLE = frozenset("，。、；：？！”’）》〉】』」“‘（《〈【『「")
#: Candidate column widths: half an em apart, from three characters to a page of English on one line.
WIDTHS = np.arange(3.0, 64.25, 0.5)
#: Costs of the width search, in nats: a line that neither fills the column nor overflows it ended a paragraph (about
#: one line in six does); a first line whose indent was stripped ends two em early; a change of measure is rare.
SHORT, INDENTED, CHANGE, OVERFLOW, UNWRAPPED = 1.9, 1.2, 7.0, 9.0, 1.75

_UNIT = re.compile(r"[^\s\u2e80-\uffff“”‘’…—]+")
_NARROW = {
    c: w for w, cs in ((0.25, "ijlI.,:;'|!"), (0.33, "ftr()[]-/ "), (0.72, "wmGOQHNDUKAV"), (0.85, "MW%@")) for c in cs
}


@dataclass(frozen=True, slots=True)
class Fill:
    """How a line stands in its column: `width` of the column (None where lines are not wrapped), and the room left.

    `slack` is the room that the next unit would have left (negative: it did not fit), `squeezed` the same with every
    mark set on half an em.
    """

    width: float | None
    slack: float
    squeezed: float


def natural_width(text: str, proportional: bool = False) -> float:
    """Return the width of `text` in em: one for a wide character, half for another, or the usual Latin widths.

    >>> natural_width("渡口2号")
    3.5
    """
    wide = sum(map(is_wide, text))
    if not proportional:
        return wide + 0.5 * (len(text) - wide)
    return wide + sum(_NARROW.get(c, 0.5) for c in text if not is_wide(c))


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


def widths(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return for each line: natural width, how much of it compresses, and both for the next line's first unit."""
    latin = sum(1 for t in texts for c in t[:40] if c.isascii() and c.isalpha())
    proportional = latin > 0.5 * sum(min(len(t), 40) for t in texts)
    n = len(texts)
    width, soft, unit, unit_soft = np.zeros(n), np.zeros(n), np.full(n, 1.0), np.zeros(n)
    for i, text in enumerate(texts):
        width[i] = natural_width(text, proportional)
        soft[i] = 0.5 * sum(c in COMPRESSIBLE for c in text)
        if i:
            head = first_unit(text)
            gap = 0.3 if head[:1].isascii() and not is_wide(texts[i - 1][-1:] or "文") else 0.0
            unit[i - 1] = natural_width(head, proportional) + gap
            unit_soft[i - 1] = 0.5 * sum(c in COMPRESSIBLE for c in head)
    return width, soft, unit, unit_soft


def column_widths(texts: Sequence[str]) -> list[float | None]:
    """Find the column width that each line was set to: it may change, even in the middle of a paragraph.

    A Viterbi pass over the lines: a width explains a line well when the line fills it, and badly when the line
    overflows it. None marks lines of text that was never wrapped.

    >>> column_widths(["渡口的早晨从一声汽笛开始", "船老大把缆绳绕上木桩，看", "雾。"])
    [12.0, 12.0, 12.0]
    """
    if not texts:
        return []
    width, soft, unit, _ = widths(texts)
    ragged = np.array([bool(t) and not is_wide(t[len(t) // 2]) and t[: len(t) // 2].isascii() for t in texts])
    w, s, u = width[:, None], soft[:, None], unit[:, None]
    grid = WIDTHS[None, :]
    room = grid - w
    cost = np.full((len(texts), len(WIDTHS) + 1), UNWRAPPED)
    full = (room < u) & (room >= 0)
    exact = np.abs(room) < 0.26
    squeezed = (room < 0) & (room + np.minimum(s, 2.0) >= -0.01)
    hanging = np.array([bool(t) and t[-1] in CLOSING for t in texts])[:, None] & (room >= -1.01) & (room < 0)
    loose = ragged[:, None] & (room >= -3.0) & (room < np.maximum(u, 4.0))  # proportional type varies by a few per cent
    here = np.where(
        exact,
        0.05,
        np.where(
            full,
            np.where(ragged[:, None], 0.3, 0.45 + 0.25 * np.clip(room, 0, 6)),
            np.where(
                squeezed | hanging,
                0.5 + 0.3 * np.clip(-room, 0, 3),
                np.where(loose, 0.6 + 0.12 * np.abs(room), np.where(room < 0, OVERFLOW, SHORT)),
            ),
        ),
    )
    indented = (np.abs(room - 2.0) < 0.26) | ((room - 2.0 >= 0) & (room - 2.0 < u))
    here = np.where(indented & (here >= SHORT), INDENTED + 0.2 * (np.abs(room - 2.0) > 0.26), here)
    cost[:, :-1] = here
    cost[width > WIDTHS[-1], -1] = 0.1
    back = np.zeros(cost.shape, dtype=np.int32)
    total = cost[0].copy()
    for i in range(1, len(texts)):
        best = int(np.argmin(total))
        switch = total[best] + CHANGE < total
        back[i] = np.where(switch, best, np.arange(len(total)))
        total = np.where(switch, total[best] + CHANGE, total) + cost[i]
    state = int(np.argmin(total))
    path = [state]
    for i in range(len(texts) - 1, 0, -1):
        state = int(back[i, state])
        path.append(state)
    return [float(WIDTHS[k]) if k < len(WIDTHS) else None for k in reversed(path)]


def fill_lines(texts: Sequence[str], columns: Sequence[float | None]) -> list[Fill]:
    """Return the fill test of every line against the column it was set to, the next line's first unit in hand."""
    width, soft, unit, unit_soft = widths(texts)
    fills = []
    for i, column in enumerate(columns):
        if column is None:
            fills.append(Fill(None, 99.0, 99.0))
            continue
        slack = column - width[i] - unit[i]
        fills.append(Fill(column, float(slack), float(slack + soft[i] + unit_soft[i])))
    return fills
