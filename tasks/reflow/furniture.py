"""Tell what is no part of the text: running heads, page numbers, and captions that stand beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median_low

from tasks.document import Box, Page
from tasks.reflow.metadata import find_date
from tasks.reflow.rows import Row

_DATE = (
    r"(?:[12１２]\d{3}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日|[12１２]\d{3}[-‐./]\d{1,2}[-‐./]\d{1,2}(?!\d)"
    r"|[〇零○一二三四五六七八九十]{4}\s*年\s*[一二三四五六七八九十]{1,2}\s*月\s*[一二三四五六七八九十]{1,3}\s*日)"
)
_FOLIO = r"(?:第\s*[A-Z]?\s*[\d一二三四五六七八九十]{1,3}\s*[版页頁]|(?<!\S)[A-Z]?\s*\d{1,3}\s*[版页頁](?!\S))"
_WEEKDAY_OR_EDITOR = re.compile(r"(?<!\S)(?:星期|周|週)[一二三四五六日天]|责任?编辑?[:：]?\s*\S{2,8}$")
_NAME = re.compile(r"[^\s\d，。：；！？“”（）:;,.!?()]{2,14}")
PAGE_NUMBER = re.compile(
    r"^[-—–·\s]*(?:[Pp]age\s*)?\d{1,3}(?:\s*/\s*\d{1,3})?[-—–·\s]*$|^第\s*\d{1,3}\s*页(?:\s*共\s*\d+\s*页)?$"
)
_CAPTION = re.compile(r"^(图为|上图|下图|左图|右图|图[①-⑩\d一二三四五：:]|▲|△|◄|►|[（(]图)")
_CREDIT = re.compile(
    r"(资料图片?|资料照片|摄影报道|[记者员社\s]\S{0,8}摄|供图|新华社发|图片来源\S{0,16}|[/／]图)[)）。]?$"
)


_MARKS = re.compile("[，。；！？]")
#: What an article without a title may begin with, at the very top of its page.
_SOURCE = re.compile("(来源|來源|Source)[:：]")
_FOLIO_OR_DATE = re.compile(f"{_DATE}|{_FOLIO}")


def is_running_head(text: str) -> bool:
    """Return whether a line states what stands at the head of a newspaper page, in any order, and nothing else.

    That is the day or the number of the page, and at most three names: of the paper, the section, the page.

    >>> [is_running_head(t) for t in ("第2版 要闻 2025年5月9日 晨光日报", "晨光日报 · 2025.5.9 · 2版", "5月9日，渡口开了")]
    [True, True, False]
    """
    bare, days = re.subn(_DATE, " ", text)
    bare, folios = re.subn(_FOLIO, " ", _WEEKDAY_OR_EDITOR.sub(" ", re.sub("[|·•/—]", " ", bare)))
    names = bare.split()
    return bool(days or folios) and len(names) <= (3 if days else 2) and all(_NAME.fullmatch(name) for name in names)


def mark_text_furniture(rows: Sequence[Row]) -> None:
    """Mark the running heads, page numbers and captions that stand between the lines of a text file.

    A line repeated word for word (but for its figures) between paragraphs is a running head wherever it stands; one
    that names a date or a page is one where a page number stands beside it, and at the top of the file. A paper's name
    and a day that stand once, and by themselves, elsewhere, are what the article says of itself.
    """
    alike = Counter(_figureless(r.text) for r in rows if 2 < len(r.text) <= 48)
    for i, row in enumerate(rows):
        if PAGE_NUMBER.match(row.text):
            row.aside = "page_number"
        elif len(row.text) <= 48 and _FOLIO_OR_DATE.search(row.text) and not _MARKS.search(row.text):
            beside = any(PAGE_NUMBER.match(rows[k].text) for k in (i - 1, i + 1) if 0 <= k < len(rows))
            alone = i > 0 and alike[_figureless(row.text)] == 1 and not re.search(_FOLIO, row.text)
            if beside or (is_running_head(row.text) and not alone):
                row.aside = "running_head"
    heads = {_figureless(r.text) for r in rows if r.aside == "running_head"}
    for i, row in enumerate(rows):
        name = _figureless(row.text)
        beside = any(rows[k].aside == "page_number" for k in (i - 1, i + 1) if 0 <= k < len(rows))
        if not row.aside and ((alike[name] > 2 and beside) or (alike[name] > 1 and name in heads)):
            row.aside = "running_head"
    usual = median_low([row.gap for row in rows]) if rows else 0.0
    for before, row in pairwise(rows):
        if before.aside and not row.aside:
            row.gap = usual  # the blank lines around a running head say nothing of the paragraph it stands in
    _mark_captions(rows)


def _figureless(text: str) -> str:
    return re.sub(r"[\d\s]+", "#", text)


def _mark_captions(rows: Sequence[Row]) -> None:
    """Mark captions by their words: 图为… and a credit (资料图片, …摄) within a few lines."""
    for i, row in enumerate(rows):
        if row.aside or not _CAPTION.match(row.text):
            continue
        last = next((k for k in range(i, min(i + 5, len(rows))) if _CREDIT.search(rows[k].text)), None)
        if last is None and row.text[-1] in "。）" and row.fill.slack >= 0:
            last = i
        for k in range(i, (last if last is not None else i - 1) + 1):
            rows[k].aside = "caption"


def mark_page_furniture(pages: Sequence[Page], rows_of: Sequence[Sequence[Row]], body: float) -> None:
    """Mark running heads and page numbers at the edges of pages, and captions.

    `rows_of` holds each page's rows, `body` is the size of running text in points. From either edge inwards, rows count
    as furniture until the first that is none.
    """
    alike = Counter(place for rows in rows_of for place in {_place(row) for row in rows})
    for page, rows in zip(pages, rows_of, strict=True):
        height = page.height or 0.0
        inwards = sorted(rows, key=lambda row: row.line.box.top if row.line.box else 0.0)
        for edge in (inwards, inwards[::-1]):
            for row in edge:
                if row.aside:
                    continue
                row.aside = _furniture(row, height, body, repeated=alike[_place(row)] > 1)
                if not row.aside:
                    break
        _mark_page_captions(rows, body, page.pictures)


def _place(row: Row) -> tuple[str, int]:
    return _figureless(row.text), round(row.line.box.top / 3) if row.line.box else 0


def _furniture(row: Row, height: float, body: float, *, repeated: bool) -> str:
    """Return what furniture a row at the edge of a page is, or an empty string."""
    box = row.line.box
    if box is None or len(row.text) > 48 or (row.line.size or 0.0) > 1.6 * body or _SOURCE.match(row.text):
        return ""
    margin = box.bottom < 0.13 * height or box.top > 0.9 * height
    if PAGE_NUMBER.match(row.text):
        return "page_number"
    dated = find_date(row.text) is not None and not re.search("[:：，。]", row.text)
    if is_running_head(row.text) or (margin and (repeated or dated or _FOLIO_OR_DATE.search(row.text))):
        return "running_head"
    return ""


def _mark_page_captions(rows: Sequence[Row], body: float, pictures: Sequence[Box]) -> None:
    """Mark captions on a page: what opens like one or stands in small type under a picture, and its lines below."""
    for row in rows:
        size = row.line.size or body
        small = size < 0.97 * body
        if row.aside or not (_CAPTION.match(row.text) or (small and any(_under(row, p) for p in pictures))):
            continue
        part = [row]
        while len(part) < 8 and not _CREDIT.search("".join(r.text for r in part)):
            below = [r for r in rows if not r.aside and r not in part and _right_below(part[-1], r)]
            if len(below) != 1 or abs((below[0].line.size or body) - size) > 0.03 * size:
                break
            part.append(below[0])
        if small or _CREDIT.search("".join(r.text for r in part)):
            for r in part:
                r.aside = "caption"


def _under(row: Row, picture: Box) -> bool:
    box = row.line.box
    assert box is not None
    return (
        picture.x0 - 5 <= box.x0 and box.x1 <= picture.x1 + 5
        and -2 < box.top - picture.bottom < 1.5 * (row.line.size or 10.0)
    )  # fmt: skip


def _right_below(row: Row, other: Row) -> bool:
    a, b = row.line.box, other.line.box
    assert a is not None
    assert b is not None
    return -0.3 * (a.bottom - a.top) < b.top - a.bottom < 1.2 * (a.bottom - a.top) and a.x0 < b.x1 and b.x0 < a.x1
