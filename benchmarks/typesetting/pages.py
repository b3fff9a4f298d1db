"""Set stories as PDF, and hold what was set against what the gold says."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from benchmarks.typesetting.articles import Gold, Story, characters
from benchmarks.typesetting.browser import Chromium
from benchmarks.typesetting.html_pages import compose_html
from benchmarks.typesetting.layout import PageLayout, Sheet, lay_out
from benchmarks.typesetting.typst_pages import compose_typst

FONTS = "/usr/share/fonts/opentype/noto"  # where Debian and Ubuntu put fonts-noto-cjk


@cache
def _compiler() -> Any:
    import typst

    return typst.Compiler(font_paths=typst.Fonts(include_system_fonts=False, font_paths=[FONTS]))


def typeset(source: str, tagged: bool = True) -> bytes:
    """Return the PDF of a Typst document."""
    pdf: bytes = _compiler().compile(source.encode(), format="pdf", pdf_tags=tagged)
    return pdf


def print_sheet(sheet: Sheet, layout: PageLayout, browser: Chromium | None) -> bytes:
    """Return the PDF of `sheet`, by the layout's own engine; `browser` is needed where that is Chromium."""
    if layout.engine == "typst":
        return typeset(compose_typst(sheet, layout), layout.tagged)
    if browser is None:
        raise ValueError("this layout is set by Chromium: pass an open `Chromium()`")
    return browser.print(compose_html(sheet, layout), layout.tagged)


def set_page(
    stories: list[Story], layout: PageLayout, rng: random.Random, browser: Chromium | None = None
) -> tuple[bytes, Gold]:
    """Return the PDF of `stories` by `layout`, and what should be read from it."""
    sheet = lay_out(stories, layout, rng)
    return print_sheet(sheet, layout, browser), sheet.gold()


def missing(pdf: bytes, gold: Gold) -> int:
    """Return how many characters of the gold text are not on the pages: over the paper's edge, or without a glyph."""
    found = _letters(text for page in _glyphs(pdf) for text, *_ in page)
    return (_letters(characters(gold)) - found).total()


def overprinted(pdf: bytes) -> int:
    """Return how many wide characters stand on another one: columns that ran over into what is below them."""
    count = 0
    for page in _glyphs(pdf):
        cells = Counter((x // 4, y // 4) for text, x, y in page if text >= "\u2e80" and text.isalpha())
        count += sum(n - 1 for n in cells.values())
    return count


def _letters(text: Iterable[str]) -> Counter[str]:
    """Count letters and digits, compatibility forms folded: Chromium writes some characters as radicals."""
    return Counter(c for c in unicodedata.normalize("NFKC", "".join(text)) if c.isalnum())


def _glyphs(pdf: bytes) -> Iterator[list[tuple[str, float, float]]]:
    """Yield for every page the characters that lie on it and the middle of each, in points."""
    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            width, height = page.get_size()
            text = page.get_textpage()
            glyphs = []
            for n in range(text.count_chars()):
                left, bottom, right, top = text.get_charbox(n, loose=True)
                x, y = (left + right) / 2, (bottom + top) / 2
                if 0 <= x <= width and 0 <= y <= height:
                    glyphs.append((chr(pypdfium2.raw.FPDFText_GetUnicode(text, n)), x, y))
            yield glyphs
