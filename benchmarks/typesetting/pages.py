"""Set stories as PDF, and hold what was set against what the gold says."""

from __future__ import annotations

import io
import random
import unicodedata
from collections import Counter
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
    """Return how many characters of the gold text are not on the pages: over a column's end, or without a glyph."""
    import pypdfium2

    def folded(text: str) -> Counter[str]:
        return Counter(c for c in unicodedata.normalize("NFKC", text) if c.isalnum())

    with pypdfium2.PdfDocument(io.BytesIO(pdf)) as document:
        found = folded("".join(page.get_textpage().get_text_range() for page in document))
    return (folded("".join(characters(gold))) - found).total()
