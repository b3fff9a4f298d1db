"""What becomes of a page in other programs' hands: dumped to text, or drawn again from the top down."""

from __future__ import annotations

import io
import logging
import shutil
import subprocess
import unicodedata
from typing import Literal

from benchmarks.typesetting.articles import Gold
from benchmarks.typesetting.layout import REGIONS
from benchmarks.typesetting.pages import typeset

Tool = Literal["pdfium", "pdfminer", "poppler"]


def tools() -> list[Tool]:
    """Return the extractors at hand: two come with the requirements, poppler's `pdftotext` where it is installed."""
    return ["pdfium", "pdfminer", "poppler"] if shutil.which("pdftotext") else ["pdfium", "pdfminer"]


def dump_text(pdf: bytes, tool: Tool) -> str:
    """Return the text of `pdf` as `tool` dumps it, by its own order and with its own blank lines."""
    if tool == "poppler":
        return subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    if tool == "pdfminer":
        from pdfminer.high_level import extract_text

        logging.getLogger("pdfminer").setLevel(logging.ERROR)  # it warns of every Type 3 font that Chromium writes
        return extract_text(io.BytesIO(pdf))
    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        pages = [page.get_textpage().get_text_range() for page in document]
    return "\n".join(pages).replace("\r\n", "\n")


def whole_paragraphs(text: str, gold: Gold) -> float:
    """Return the share of the gold paragraphs whose characters follow each other in `text`, white space apart."""

    def folded(text: str) -> str:
        return "".join(unicodedata.normalize("NFKC", text).split())

    dump = folded(text)
    paragraphs = [p["text"] for article in gold["articles"] for p in article["paragraphs"]]
    return sum(folded(p) in dump for p in paragraphs) / len(paragraphs)


def redraw(pdf: bytes, language: str) -> bytes:
    """Return `pdf` with its characters drawn one by one from the top down, so that the file's order says nothing.

    Rules and pictures are gone too. For horizontal pages.
    """
    import pdfplumber

    logging.getLogger("pdfminer").setLevel(logging.ERROR)
    parts = [f'#set text(font: "Noto Serif CJK {REGIONS[language]}", top-edge: "baseline", bottom-edge: "baseline")']
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        for number, page in enumerate(document.pages):
            if number:
                parts.append("#pagebreak()")
            parts.append(f"#set page(width: {page.width}pt, height: {page.height}pt, margin: 0pt)")
            placed = [(round(page.height - c["matrix"][5], 1), c["x0"], c) for c in page.chars if c["text"].strip()]
            for down, across, c in sorted(placed, key=lambda p: p[:2]):
                literal = c["text"].replace("\\", "\\\\").replace('"', '\\"')
                parts.append(f'#place(dx: {across:.2f}pt, dy: {down}pt, text(size: {c["size"]:.2f}pt, "{literal}"))')
    return typeset("\n".join(parts), tagged=False)
