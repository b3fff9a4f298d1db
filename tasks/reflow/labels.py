"""Label every row: does it go on with the paragraph before it, or open a new one, and of which kind?

A linear-chain conditional random field. Its evidence is the fill test, the indent, the marks at both ends of the line
and the words that open it; its weights are a data file made by `benchmarks/train_labels.py`.
"""

from __future__ import annotations

import gzip
import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice, pairwise
from statistics import median
from types import MappingProxyType
from typing import Any

import numpy as np

from tasks.clean import CLOSING, ENDING, OPENING, TRAILING, is_wide
from tasks.document import Opening
from tasks.reflow.discourse import AFTER, log_odds
from tasks.reflow.measure import FAR, first_unit, natural_width
from tasks.reflow.rows import Row

#: A row's label: the kind it belongs to, and whether it opens a paragraph (B) or goes on with one (I).
LABELS = (
    "B-body", "I-body", "B-title", "I-title", "B-subtitle", "I-subtitle", "B-byline", "I-byline",
    "B-heading", "I-heading", "B-affiliation", "I-affiliation", "B-metadata", "I-metadata",
)  # fmt: skip

BYLINE = re.compile(
    r"^[（(【]?(本报|本報|本刊|本网|新华社|央视)?(特约|特約|见习|見習|实习|實習|首席|驻\S{1,6}|駐\S{1,6})*"
    r"(记者|記者|通讯员|通訊員|评论员|特派员|作者|撰文|文/|文／|文｜|□|■|◎)(?!从|在|了|看到|获悉|日前|近日|来到|走进|离开|離開|[问問])"
    r"|^[Bb][Yy] [A-Z]|^Text: [A-Z]|^(本报|本刊|本報)(评论员|編輯部|编辑部)$"
)
AFFILIATION = re.compile(r"^[（(【\[〔［](本文)?(作者|笔者|筆者|执笔|课题组|撰稿|文中|The author)")
AFFILIATION_END = re.compile(r"[）)】\]〕］]$")
METADATA = re.compile(
    r"^[（(\[【［]?([12１２]\d{3}\s?[年./‐-]\s?\d{1,2}\s?[月./‐-]\s?\d{1,2}\s?日?\s*(\d{1,2}:\d{2}(:\d{2})?)?\s*)?(本版)?(来源|來源|原文链接|原文連結|责任编辑|責任編輯|责编|責編|编辑|編輯|校对|审核|发布时间|发布日期|發布時間|时间|時間|日期|"
    r"作者|记者|記者|链接|連結|转自|轉自|出处|关键词|關鍵詞|"
    r"Source|Post time|Posted(?: on)?|Published(?: on)?|Updated|Editor|Author|Original(?: link)?|Link|Keywords?|Date)"
    r"(\s*[:：丨|]|\s+\S{2,4}(\s+校对\s*\S{2,4})?$)"
)
DATELINE = re.compile(
    r"^[【\[]?(本报|本報|本刊|新华社|中新社|央视网|人民网|据)[^，。]{0,14}(电|電|讯|訊|消息|报道|報導)"
    r"|^[^，。]{0,12}（(本报|本報|记者|記者|通讯员)[^）]{0,16}）"
)
ENUMERATOR = re.compile(
    r"^([一二三四五六七八九十]+是|其[一二三四五六七八九十]|第[一二三四五六七八九十]+[，、]|首先|其次|再次|最后[，]|（[一二三四五六七八九十]+）|"
    r"[一二三四五六七八九十]+、|\d{1,2}[.、．](?!\d)|[①-⑳]|[（(]\d{1,2}[)）]|——|[•●◆■▪·]\s?)"
)
NUMBERED = re.compile(r"^(\d{1,2}(\.\d{1,2})*\.?\s+[A-Z]|[一二三四五六七八九十]+、|（[一二三四五六七八九十]+）)")
#: What a part of a journal article may be called without a number.
SECTION = re.compile(
    r"^(abstract|summary|introduction|conclusions?|references|acknowledge?ments|摘要|引言|结语|結語|参考文献|導言|导言)$",
    re.IGNORECASE,
)
#: A line that holds a day and hardly anything else: the paper's name, the number of the page.
DATED = re.compile(
    r"^\S{0,14}\s?([12１２]\d{3}\s?[年./‐-]\s?\d{1,2}\s?[月./‐-]\s?\d{1,2}\s?日?|[〇零一二三四五六七八九十]{4}年[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}日)"
    r"(\s?星期[一二三四五六日天])?(\s\d{1,2}:\d{2}(:\d{2})?)?(\s?第\S{1,3}版)?(\s?\S{0,14})?$"
)


#: White space before a line, in em, that is an indent.
INDENTED = 1.4


@dataclass(frozen=True, slots=True)
class Label:
    """What a row is: its kind, whether it opens a paragraph, and the probability of that."""

    kind: str
    opens: bool
    certainty: float


def indent_style(rows: Sequence[Row]) -> str:
    """Tell how the paragraphs of these rows begin: `kept`, `stripped` or `none` of a first-line indent, or `unknown`.

    A stripped indent still shows: the first line of a paragraph ends two em before its column does.
    """
    measured = [r for r in rows if r.fill.width is not None]
    if len(measured) < 6:
        return "unknown"
    kept = sum(1 for r in measured if r.indent is not None and 1.4 <= r.indent <= 4.6)
    if kept >= max(2, 0.04 * len(measured)) and kept <= 0.7 * len(measured):
        return "kept"
    room = [r for r in measured if r.fill.slack >= -0.26]
    two = sum(1 for r in room if r.fill.slack <= 1.76 and is_wide(r.text[-1]))
    if len(room) < 4:
        return "unknown"
    share = two / len(room)
    return "stripped" if share > 0.3 else "none" if share < 0.17 else "unknown"


#: What a line's last mark is called, the first that holds it.
_ENDS = (
    ("stop", ENDING), ("dot", "."), ("colon", "：:"), ("semi", "；;"), ("comma", "，、,"), ("open", OPENING),
    ("close", TRAILING | CLOSING), ("hyphen", "-"),
)  # fmt: skip


def _end_class(text: str) -> str:
    """Return what a line ends with: `stop` ends a sentence, `stop+` does so within quotation marks or brackets."""
    last = text[-1]
    if last in TRAILING:
        bare = text.rstrip("".join(TRAILING))[-1:]
        if bare and bare in ENDING:
            return "stop+"
        if bare == ".":
            return "dot"
    for name, marks in _ENDS:
        if last in marks:
            return name
    return "wide" if is_wide(last) else "digit" if last.isdigit() else "latin"


def _end_classes(rows: Sequence[Row], paged: bool) -> list[str]:
    """Return what each row ends with; on pages `stop+` is a stop.

    Both end a paragraph alike, and the pages that were learnt from have few paragraphs that end within quotation marks.
    """
    ends = [_end_class(row.text) for row in rows]
    return ["stop" if end == "stop+" else end for end in ends] if paged else ends


def _start_class(text: str) -> str:
    c = text[0]
    if ENUMERATOR.match(text):
        return "enum"
    if c in OPENING or c in "\"'":
        return "open" + c
    if c in CLOSING:
        return "close"
    if is_wide(c):
        return "wide"
    return "digit" if c.isdigit() else "upper" if c.isupper() else "lower" if c.islower() else "sign"


def _bin(x: float, edges: tuple[float, ...]) -> int:
    for k, e in enumerate(edges):
        if x < e:
            return k
    return len(edges)


_SLACK = (-0.26, 0.24, 0.74, 1.24, 1.76, 2.3, 4.0, 8.0)


def _fill_class(row: Row) -> str:
    """Return the fill test in words: forced (f), forced unless compressed (c), or by how much there was room.

    Of a line that was never broken (u) there is nothing to tell: all lines of a text are such, or one that is wider
    than its column by far. On a page such a line has a lane of its own.
    """
    fill = row.fill
    if fill.width is None or (fill.spare < -FAR and row.line.box is None):
        return "u"
    if fill.slack < -0.26:
        return "f" if fill.squeezed < -0.01 else "c"
    return str(_bin(fill.slack, _SLACK))


def _quote_depths(texts: Sequence[str]) -> list[int]:
    """Return for each row how many brackets or quotes are still open before it (forgotten after a few lines)."""
    depths, depth, age = [], 0, 0
    for text in texts:
        depths.append(min(depth, 2))
        for c in text:
            if c in "“（《【「『(":
                depth, age = depth + 1, 0
            elif c in "”）》】」』)":
                depth = max(0, depth - 1)
        age += 1
        if depth and age > 8:
            depth = 0
    return depths


def features(rows: Sequence[Row], words: Mapping[str, float] = MappingProxyType({})) -> Iterator[list[str]]:
    """Yield the names of the features that hold for each row, most telling first.

    They take 8 KB a row, so those of a long text are never all held. `words` are the weights of
    `tasks.reflow.discourse`.
    """
    if not rows:
        return
    n = len(rows)
    paged = rows[0].line.box is not None
    justified = _is_justified(rows) if paged else ""
    style = indent_style(rows)
    fills = [_fill_class(r) for r in rows]
    ends = _end_classes(rows, paged)
    starts = [_start_class(r.text) for r in rows]
    depths = _quote_depths([r.text for r in rows])
    blanks = np.concatenate([[0], np.cumsum([r.gap > 0 for r in rows])])
    flags = [_flags(r) for r in rows]
    said = _discourse_features(rows, fills, ends, style, words)
    between = _parting_features(rows, fills, ends) if paged else _text_features(rows, fills, ends, flags, style)
    for i, (row, more) in enumerate(zip(rows, between, strict=True)):
        f: list[str] = ["bias"]
        before = rows[i - 1] if i else None
        pf = fills[i - 1] if i else "^"
        pe = ends[i - 1] if i else "^"
        nf = fills[i]
        lo, hi = max(0, i - 8), min(n, i + 9)
        share = (blanks[hi] - blanks[lo]) / (hi - lo)
        spacing = "e" if share > 0.75 else "s" if share > 0.02 else "n"
        gap = ("g" if row.gap > (0.3 if paged else 0) else "-") + spacing
        if row.gap > 2 and not paged:
            gap = "gg"
        indent = "?" if row.indent is None else "0" if row.indent < 0.7 else "1" if row.indent < 1.4 else (
            "2" if row.indent < 2.7 else "4" if row.indent < 4.6 else "9")  # fmt: skip
        length = _bin(len(row.text), (4, 8, 12, 16, 24, 40, 80))
        f += [
            f"pf={pf}", f"pe={pe}", f"pf,pe={pf},{pe}", f"s,pf,pe={style},{pf},{pe}",
            f"f={nf}", f"e={ends[i]}", f"f,e={nf},{ends[i]}", f"s,f={style},{nf}", f"s,pf,f={style},{pf},{nf}",
            f"s,pf,pe,f={style},{pf},{pe},{nf}",
            f"st={starts[i]}", f"pe,st={pe},{starts[i]}", f"pf,pe,st={pf},{pe},{starts[i]}",
            f"gap={gap}", f"gap,pe={gap},{pe}", f"gap,pf={gap},{pf}", f"gap,pe,pf={gap},{pe},{pf}",
            f"in={indent},{style}", f"in,pf,pe={indent},{pf},{pe}",
            f"len={length}", f"len,e={length},{ends[i]}", f"len,e,pe={length},{ends[i]},{pe}",
            f"d={depths[i]}", f"d,pe={depths[i]},{pe}",
        ]  # fmt: skip
        if i + 1 < n:
            f += [f"nst={starts[i + 1]},{ends[i]}", f"nf={fills[i + 1]},{nf},{ends[i]}"]
            f += [f"n{x}" for x in flags[i + 1]]
            f.append(f"ngap={'g' if rows[i + 1].gap > (0.3 if paged else 0) else '-'}{spacing},{ends[i]},{length}")
        else:
            f.append("last")
        if i == 0:
            f.append("first")
        f += flags[i]
        if i:
            f += [f"p{x}" for x in flags[i - 1]]
        if row.starts:
            f += [f"starts={row.starts}", f"starts,pe={row.starts},{pe}", f"starts,in={row.starts},{indent},{style}"]
        if "stop" in pe or pe in ("^", "dot", "close", "colon"):
            t = row.text
            open_end = pf not in ("f", "c")
            f += [f"w1={t[:1]},{open_end}", f"w2={t[:2]}", f"w3={t[:3]}", f"w4={t[:4]}"]
        if paged:
            f += _page_features(row, before, pe, pf, style, indent, justified)
        yield f + said.get(i, []) + more


_FLAGS = (
    ("affiliation", AFFILIATION), ("bracket-end", AFFILIATION_END), ("metadata", METADATA), ("dateline", DATELINE),
    ("numbered", NUMBERED), ("section", SECTION), ("dated", DATED),
)  # fmt: skip


def _flags(row: Row) -> list[str]:
    """Return which patterns of newspaper and journal pages a row shows."""
    t = row.text
    f = [name for name, pattern in _FLAGS if pattern.search(t)]
    if len(t) < 60 and BYLINE.match(t):
        f.append("byline" if t[-1] not in "。，" and len(t) < 30 else "byline?")
    if t[0].isascii() and t[0].isalnum():
        if t[-1] not in ".,;:!?":
            f.append("markless")
        if len(t) < 120 and not any(w[0].islower() for w in t.split() if len(w) > 4):
            f.append("capitals")
    elif not any(c in "，。；！？" for c in t):
        f.append("markless")
    if "close_letter_spacing" in row.fixes:
        f.append("spaced")
    return f


def _text_features(
    rows: Sequence[Row], fills: Sequence[str], ends: Sequence[str], flags: Sequence[list[str]], style: str
) -> Iterator[list[str]]:
    """Yield what is asked of text alone, where neither size nor font tells: blank lines, words across a line end."""
    trust = _blank_lines(rows, fills, ends)
    ragged = _raggedness(fills, ends)
    pairs = {r.text[k : k + 2] for r in rows for k in range(len(r.text) - 1)}
    yield []
    for i in range(1, len(rows)):
        f: list[str] = []
        if style == "stripped" and "stop" in ends[i - 1]:
            f.append(f"spare={rows[i].fill.spare > 1.7},{rows[i].fill.slack < 2.3},{fills[i - 1]}")
        gap = f"{min(2, int(rows[i].gap))},{trust[i]}"
        f += [
            f"tg={gap},{ends[i - 1]}",
            f"tg,pf={gap},{fills[i - 1]}",
            f"tg,pf,pe={gap},{fills[i - 1]},{ends[i - 1]}",
        ]
        f += [
            f"rag={ragged},{fills[i - 1]},{ends[i - 1]}",
            f"rag,m={ragged},{fills[i - 1]},{'markless' in flags[i - 1]}",
        ]
        if "markless" in flags[i - 1] and ends[i - 1] == "wide" and is_wide(rows[i].text[0]):
            word = rows[i - 1].text[-1] + rows[i].text[0] in pairs
            f += [
                f"word={word},{fills[i - 1]}",
                f"word,n={word},{'markless' in flags[i]},{fills[i - 1] in 'fc01'}",
            ]
        yield f


def _raggedness(fills: Sequence[str], ends: Sequence[str]) -> int:
    """Tell how many of the lines that end in mid-sentence end early as well: 0 none, 3 many, 9 unknown.

    Where none does, a line that ends early ends a paragraph or a title.
    """
    inside = [fill for fill, end in zip(fills, ends, strict=True) if end in ("comma", "latin") and fill != "u"]
    return _bin(sum(fill in "2345678" for fill in inside) / len(inside), (0.005, 0.04, 0.2)) if len(inside) > 7 else 9


#: The stretch of rows, before and behind, within which blank lines are taken to mean the same.
_REGION = 20


def _blank_lines(rows: Sequence[Row], fills: Sequence[str], ends: Sequence[str]) -> list[str]:
    """Tell for each row what blank lines mean around it.

    Two figures: how often one stands in the middle of a paragraph (0 never, 3 as a rule), and how often one follows a
    line that surely ended its paragraph.
    """
    n = len(rows)
    blank = np.array([row.gap > 0 for row in rows])
    torn = np.array(
        [i > 0 and fills[i - 1] in "fc" and ends[i - 1] in ("wide", "comma", "latin", "digit") for i in range(n)]
    )
    ended = np.array([i > 0 and fills[i - 1] in "5678u" and ends[i - 1] in ("stop", "stop+", "dot") for i in range(n)])
    sums = np.zeros((4, n + 1))
    sums[:, 1:] = np.cumsum([blank & torn, torn, blank & ended, ended], axis=1)
    low, high = np.maximum(np.arange(n) - _REGION, 0), np.minimum(np.arange(n) + _REGION, n)
    part, whole, good, all_ = sums[:, high] - sums[:, low]
    inside = np.where(whole > 0, np.digitize(part / np.maximum(whole, 1), (0.001, 0.15, 0.6)), 9)
    between = np.where(all_ > 0, np.digitize(good / np.maximum(all_, 1), (0.001, 0.5, 0.9)), 9)
    return [f"{a}{b}" for a, b in zip(inside.tolist(), between.tolist(), strict=True)]


def _discourse_features(
    rows: Sequence[Row], fills: Sequence[str], ends: Sequence[str], style: str, words: Mapping[str, float]
) -> dict[int, list[str]]:
    """Return, for rows where the fill test leaves open whether a paragraph ended, what the words and the lengths say.

    The length is counted from the last place where a paragraph begins beyond doubt to the next.
    """
    out: dict[int, list[str]] = {}
    unsure = [
        i for i in range(1, len(rows)) if "stop" in ends[i - 1] and fills[i - 1] in "fc01" and is_wide(rows[i].text[0])
    ]
    if not unsure:
        return out
    lengths = np.concatenate([[0], np.cumsum([len(r.text) for r in rows])])
    sure = [0, *(i for i in range(1, len(rows)) if _surely_ended(fills[i - 1], ends[i - 1], rows[i])), len(rows)]
    for i in unsure:
        before = rows[i - 2].text + rows[i - 1].text if i > 1 else rows[0].text
        after = row_and_next = rows[i].text
        if len(after) < AFTER and i + 1 < len(rows):
            row_and_next = after + rows[i + 1].text
        odds = _bin(log_odds(before, row_and_next, words), _ODDS)
        k = bisect_right(sure, i)
        since = _bin(lengths[i] - lengths[sure[k - 1] if sure[k - 1] < i else sure[k - 2]], _LENGTHS)
        until = _bin(lengths[sure[k] if k < len(sure) else -1] - lengths[i], _LENGTHS)
        pf = fills[i - 1]
        out[i] = [
            f"odds={odds}", f"odds,s,pf={odds},{style},{pf}", f"odds,s,f={odds},{style},{fills[i]}",
            f"since={since},{style}", f"since,until={since},{until},{style}", f"odds,since={odds},{since},{style}",
            f"until,pf={until},{pf},{style}",
        ]  # fmt: skip
    return out


_ODDS = (-4.0, -3.0, -2.0, -1.2, -0.5, 0.2, 1.0, 2.0, 3.0)
_LENGTHS = (35, 70, 110, 160, 220, 300, 420)


def _surely_ended(fill: str, end: str, after: Row) -> bool:
    """Return whether a row that stands so and ends so ends its paragraph beyond doubt."""
    return ("stop" in end and fill not in "fc01") or (after.indent or 0.0) >= INDENTED


def _is_justified(rows: Sequence[Row]) -> str:
    """Tell whether lines are set flush on both sides (y), ragged (n), or some of each (?)."""
    flush = [row.right < 0.6 for row in rows if row.right is not None and len(row.text) > 5]
    share = sum(flush) / len(flush) if flush else 0.5
    return "y" if share > 0.6 else "n" if share < 0.3 else "?"


def _parting_features(rows: Sequence[Row], fills: Sequence[str], ends: Sequence[str]) -> list[list[str]]:
    """Return for each row of a page whether it stands apart from the one above, and whether that parts paragraphs here.

    Two signs: how often the line after a sure end stands apart (0 never, 3 always, 9 unknown), and whether this one does
    (y, n; l at the head of a lane, where nothing can be seen).
    """
    apart = [
        row.gap
        for end, (before, row) in zip(ends, pairwise(rows), strict=False)
        if not row.starts and abs(row.scale - before.scale) < 0.05
        and end in ("stop", "stop+", "dot") and before.right is not None and before.right > 1.5
    ]  # fmt: skip
    usual = median(apart) if len(apart) > 3 else 0.0
    wide = max(0.12, 0.5 * usual)
    share = _bin(sum(gap > wide for gap in apart) / len(apart), (0.1, 0.5, 0.85)) if len(apart) > 3 else 9
    signs = [f"{share}{'l' if row.starts else 'y' if row.gap > wide else 'n'}" for row in rows]
    return [
        [f"w={sign}", f"w,pe={sign},{end}", f"w,pe,pf={sign},{end},{fill}"]
        for sign, end, fill in zip(signs, ["^", *ends], ["^", *fills], strict=False)
    ]


def _left_over(before: Row, row: Row) -> int:
    """Return what a row of a page, as it stands there, left free: nothing (0), too little for the next unit, or enough.

    The fill test measures the text as if nothing had been justified or compressed; this is what was printed.
    """
    spare = before.fill.spare
    return 0 if spare < 0.15 else 1 + _bin(spare - natural_width(first_unit(row.text)), (-0.5, -0.06, 0.5, 2.0))


def _page_features(
    row: Row, before: Row | None, pe: str, pf: str, style: str, indent: str, justified: str
) -> list[str]:
    """Return what only a page tells: size, font, centring, justification."""
    scale = _bin(row.scale, (0.9, 1.04, 1.2, 1.45))
    f = [f"size={scale}", f"size,font={scale},{row.other_font}", f"mid={row.centred},{scale}"]
    if before is not None:
        was = _bin(before.scale, (0.9, 1.04, 1.2, 1.45))
        f += [
            f"size2={was},{scale}",
            f"font2={before.other_font},{row.other_font}",
            f"mid2={before.centred},{row.centred}",
        ]
        stretch = "?" if before.stretch is None else str(_bin(before.stretch, (-0.012, -0.003, 0.003, 0.012, 0.05)))
        right = "?" if before.right is None else str(_bin(before.right, (0.15, 0.6, 1.1, 2.1, 5.0)))
        left = f"{_left_over(before, row)},{justified}"
        f += [
            f"left={left}", f"left,pe={left},{pe}", f"left,ps,pe={left},{stretch},{pe}",
            f"ps,pr={stretch},{right}", f"ps,pr,pe={stretch},{right},{pe}", f"ps,pr,in={stretch},{right},{indent}",
            f"pr,in,s={right},{indent},{style}", f"pr,pe,in,s={right},{pe},{indent},{style}",
            f"j,ps,pr={justified},{stretch},{right}", f"j,ps,pr,pe,pf={justified},{stretch},{right},{pe},{pf}",
        ]  # fmt: skip
    g = _bin(row.gap, (-0.1, 0.12, 0.3, 0.6, 1.2, 3.0))
    f += [f"above={g}", f"above,pe={g},{pe}", f"above,pf={g},{pf}", f"above,size={g},{scale}"]
    return f


@dataclass(frozen=True, slots=True)
class Model:
    """The weights of one medium: a row of label scores per feature, and the scores of one label after another.

    `words` weighs what the discourse says; `placed` tells how often a row stands in its right place, by how clearly the
    order was decided there (see `Row.turn`), and at the head of a lane that goes on; `calibration` leads from a paragraph's probability by this chain to how
    often such paragraphs are whole, as two rows of points.
    """

    labels: tuple[str, ...]
    features: Mapping[str, int]
    weights: np.ndarray
    transitions: np.ndarray
    words: Mapping[str, float]
    placed: Sequence[float]
    calibration: tuple[Sequence[float], Sequence[float]]


@cache
def model(medium: str) -> Model:
    """Return the shipped model for `text` or `page` rows."""
    packed = json.loads(gzip.decompress(files("tasks.reflow").joinpath(f"labels-{medium}.json.gz").read_bytes()))
    return unpack(packed)


def unpack(packed: Mapping[str, Any]) -> Model:
    """Return the model that a weight file holds."""
    labels, scale = tuple(packed["labels"]), packed["scale"]
    weights = np.zeros((len(packed["weights"]), len(labels)))
    for row, pairs in zip(weights, packed["weights"].values(), strict=True):
        row[pairs[0::2]] = np.array(pairs[1::2]) / scale
    return Model(
        labels,
        {name: n for n, name in enumerate(packed["weights"])},
        weights,
        np.array(packed["transitions"]),
        {name: weight / scale for name, weight in packed.get("words", {}).items()},
        tuple(packed.get("placed", [1.0] * PLACES)),
        tuple(packed.get("calibration", ([0.0, 1.0], [0.0, 1.0]))),
    )


def calibrated(certainty: float, medium: str) -> float:
    """Return how often a paragraph is whole whose probability by the chain is `certainty`, as held-out cases showed."""
    return float(np.interp(certainty, *model(medium).calibration))


def label_rows(rows: Sequence[Row]) -> list[Label]:
    """Return the most probable labels of rows in reading order, each with its marginal probability."""
    return decode(rows, model("page" if rows[0].line.box is not None else "text")) if rows else []


def with_openings(rows: Sequence[Row], labels: Sequence[Label], opening: Opening | None) -> list[Label]:
    """Return the labels with running text parted where its `opening` shows, and nowhere else; as they are without one.

    A row that begins a lane or a page goes on with the text before it unless it opens. Titles, headings and the like
    stay what they are, and so does the row after one.
    """
    found = list(labels)
    paged = bool(rows) and rows[0].line.box is not None
    for i in range(1, len(found)) if opening else ():
        before, label = found[i - 1], found[i]
        if before.kind == label.kind == "body":
            row = rows[i]
            opens = (row.indent or 0.0) >= INDENTED if opening == "indent" else row.gap > (0.3 if paged else 0.0)
            found[i] = Label("body", opens, 1.0)
    return found


#: How many nats a structure tree's word counts that agrees with the page: more than a full line, less than the whole page.
TREE = 6.0


def opened_by_tree(rows: Sequence[Row]) -> list[bool | None]:
    """Return whether each row opens a paragraph, as the file's structure tree has it; None where it says nothing.

    The tree has a say only where it agrees with the page. Full lines in mid-sentence that end an element, or short ones at
    a full stop inside one, show a tree of lines, of columns or of nothing in particular. At the head of a lane a new
    element of the same role means nothing: some programs begin one there.
    """
    owners = [row.line.element for row in rows]
    said: list[bool | None] = [None] * len(rows)
    torn: list[bool] = []
    ended: list[bool] = []
    for i in range(1, len(rows)):
        before, row = rows[i - 1], rows[i]
        above, own = owners[i - 1], owners[i]
        if not above or not own or (row.starts and own != above and own.role == above.role):
            continue
        said[i] = own != above
        if row.starts or row.centred or max(abs(before.scale - 1.0), abs(row.scale - 1.0)) > 0.06:
            continue  # titles are broken where it looks well
        fill, end = _fill_class(before), _end_class(before.text)
        if fill in "fc" and end in ("wide", "comma", "latin"):
            torn.append(own != above)
        elif fill in "5678" and end in ("stop", "stop+", "dot"):
            ended.append(own == above)
    agrees = torn and ended and len(torn) + len(ended) > 5
    agrees = agrees and sum(torn) <= 0.05 * len(torn) and sum(ended) <= 0.15 * len(ended)
    return said if agrees else [None] * len(rows)


def decode(rows: Sequence[Row], m: Model) -> list[Label]:
    """Label rows by a model.

    Decoding is Viterbi; the probabilities come from the forward and backward sums of the same chain.
    """
    if not rows:
        return []
    scores = _scores(features(rows, m.words), m)
    opens = np.array([label.startswith("B") for label in m.labels])
    scores[0, ~opens] -= 50.0
    scores -= 50.0 * np.outer([row.goes_on for row in rows], opens)
    for i, opened in enumerate(opened_by_tree(rows)):
        if opened is not None:
            scores[i, opens != opened] -= TREE
    path = _viterbi(scores, m.transitions)
    marginal = _marginals(scores, m.transitions)
    alike = {
        state: opens if opens[state] else np.array([x == m.labels[state] for x in m.labels]) for state in set(path)
    }
    return [
        Label(
            m.labels[state][2:],
            bool(opens[state]),
            float(p @ alike[state]) * float(np.prod([m.placed[k] for k in places(row, bool(opens[state]))])),
        )
        for state, p, row in zip(path, marginal, rows, strict=True)
    ]


def _scores(names: Iterator[list[str]], m: Model) -> np.ndarray:
    """Return a row of label scores for the features of each row, which are looked up a stretch of rows at a time."""
    scores = []
    while stretch := list(islice(names, STRETCH)):
        known: list[int] = []
        firsts: list[int] = []
        for row in stretch:
            firsts.append(len(known))
            known += [k for name in row if (k := m.features.get(name)) is not None]
        scores.append(np.add.reduceat(m.weights[known], firsts, axis=0))  # every row has a bias, so none is empty
    return np.concatenate(scores)


#: So many rows are scored at a time.
STRETCH = 1024

_TURNS = (0.25, 0.5, 1.0)
#: How many doubts about its place a row may raise: one for each clearness of the order, one for going on in a new lane.
PLACES = len(_TURNS) + 2


def places(row: Row, opens: bool) -> list[int]:
    """Return which doubts a row raises about its place in the order of reading, as indices into `Model.placed`."""
    turned = [] if row.turn is None else [_bin(row.turn, _TURNS)]
    return turned + ([PLACES - 1] if row.starts and not opens else [])


def _viterbi(scores: np.ndarray, transitions: np.ndarray) -> list[int]:
    back = np.zeros(scores.shape, dtype=np.int32)
    total = scores[0]
    for i in range(1, len(scores)):
        step = total[:, None] + transitions
        back[i] = step.argmax(0)
        total = step.max(0) + scores[i]
    state = int(total.argmax())
    path = [state]
    for i in range(len(scores) - 1, 0, -1):
        state = int(back[i, state])
        path.append(state)
    return path[::-1]


def _marginals(scores: np.ndarray, transitions: np.ndarray) -> np.ndarray:
    """Return the probability of each label for each row, by scaled forward and backward products."""
    n, k = scores.shape
    local = np.exp(scores - scores.max(1, keepdims=True))
    step = np.exp(transitions)
    forward, backward = np.zeros((n, k)), np.ones((n, k))
    forward[0] = local[0] / local[0].sum()
    for i in range(1, n):
        a = (forward[i - 1] @ step) * local[i]
        forward[i] = a / a.sum()
    for i in range(n - 2, -1, -1):
        b = step @ (local[i + 1] * backward[i + 1])
        backward[i] = b / b.sum()
    both: np.ndarray = forward * backward
    both /= both.sum(1, keepdims=True)
    return both
