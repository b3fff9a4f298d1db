"""The shipped samples hold the texts that their gold says, so that what is read from them can be judged by it."""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

TESTS = Path(__file__).parent
SAMPLES = TESTS.parent / "raw" / "samples"
GOLDS: dict[str, dict[str, Any]] = {
    gold["source"]: gold
    for gold in map(json.loads, (TESTS / "samples.gold.jsonl").read_text(encoding="utf-8").splitlines())
}
ENCODINGS = {"gb18030.txt": "gb18030", "big5.txt": "big5"}
TEXTS = sorted(name for name in GOLDS if name.endswith(".txt"))
PAGES = sorted(name for name, gold in GOLDS.items() if name.endswith(".pdf") and gold["articles"])


def test_every_sample_has_its_gold() -> None:
    assert {path.name for path in SAMPLES.iterdir()} == set(GOLDS)


def _characters(name: str) -> str:
    """Return the characters of the gold text that are not white space, in reading order."""
    text = "".join(p["text"] for article in GOLDS[name]["articles"] for p in article["paragraphs"])
    return "".join(text.split())


def _letters(text: Iterable[str]) -> Counter[str]:
    """Count letters and digits, compatibility forms folded: Chromium writes some characters as radicals."""
    return Counter(c for c in unicodedata.normalize("NFKC", "".join(text)) if c.isalnum())


@pytest.mark.parametrize("name", TEXTS)
def test_text_holds_its_gold_in_order(name: str) -> None:
    raw = iter((SAMPLES / name).read_bytes().decode(ENCODINGS.get(name, "utf-8")))
    lost = [c for c in _characters(name) if c not in raw]  # `in` takes from the iterator up to what it finds
    assert not lost


@pytest.mark.parametrize("name", PAGES)
def test_page_holds_its_gold(name: str) -> None:
    with pypdfium2.PdfDocument(SAMPLES / name) as document:
        found = _letters(page.get_textpage().get_text_range() for page in document)
    assert not _letters(_characters(name)) - found


@pytest.mark.parametrize("name", PAGES)
def test_page_brings_its_fonts(name: str) -> None:
    with pypdfium2.PdfDocument(SAMPLES / name) as document:
        texts = [item for page in document for item in page.get_objects([pypdfium2.raw.FPDF_PAGEOBJ_TEXT])]
        fonts = [pypdfium2.raw.FPDFTextObj_GetFont(item.raw) for item in texts]
        assert fonts
        assert all(pypdfium2.raw.FPDFFont_GetIsEmbedded(font) == 1 for font in fonts)


def test_broken_sample_is_broken() -> None:
    broken = next(name for name, gold in GOLDS.items() if not gold["articles"])
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument((SAMPLES / broken).read_bytes())


def test_looks_of_the_samples() -> None:
    assert b"\r\n" in (SAMPLES / "gb18030.txt").read_bytes()
    narrow = (SAMPLES / "narrow-columns.txt").read_text(encoding="utf-8").splitlines()
    assert not any(narrow[1::2]), "every second line is blank"
    assert any(line.count(" ") > 10 for line in narrow), "some line is letter-spaced"
    english = (SAMPLES / "web-article-en.txt").read_text(encoding="utf-8")
    assert english.count(GOLDS["web-article-en.txt"]["articles"][0]["title"]) == 2
