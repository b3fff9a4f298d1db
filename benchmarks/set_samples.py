"""Set raw/samples/ from what should be read from it: `python -m benchmarks.set_samples`.

tests/samples.gold.jsonl holds the texts; this script gives each the looks of a kind of source found in the wild.
It needs Chromium and fonts-noto-cjk, so its results are committed, with their fonts embedded.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from benchmarks.typesetting.articles import Gold
from benchmarks.typesetting.browser import Chromium
from benchmarks.typesetting.layout import PageLayout, Sheet
from benchmarks.typesetting.pages import print_sheet
from benchmarks.typesetting.wrap import Punctuation, TextLayout, wrap_articles

ROOT = Path(__file__).parent.parent
GOLD = ROOT / "tests" / "samples.gold.jsonl"
SAMPLES = ROOT / "raw" / "samples"

PAGES = {
    "newspaper-page.pdf": PageLayout(columns=3, width=230, height=290, size=10.5, rule=True),
    "vertical-page.pdf": PageLayout(columns=1, width=240, height=170, size=11, leading=1.8, vertical=True),
}
#: How each text is wrapped, article by article.
TEXTS = {
    "narrow-columns.txt": [
        TextLayout(
            width=19, punctuation=Punctuation("elastic"), blank="every line", stretch=(20, 31, 15.5), spread=0.06
        ),
        TextLayout(width=19, punctuation=Punctuation("elastic"), blank="every line", spread=0.06),
        TextLayout(width=26, punctuation=Punctuation("elastic"), blank="every line"),
    ],
    "journal.txt": [TextLayout(width=44.5, blank="paragraphs")],
    "headed.txt": [TextLayout(width=24, punctuation=Punctuation("half", "push"), indent="none", head_every=14)],
    "gb18030.txt": [TextLayout(width=22, indent="kept", newline="\r\n", encoding="gb18030")],
}


def main() -> None:
    """Write every sample; the texts that are in no table have one paragraph a line."""
    golds: dict[str, Gold] = {g["source"]: g for g in map(json.loads, GOLD.read_text(encoding="utf-8").splitlines())}
    with Chromium() as browser:
        for name, gold in golds.items():
            if name in PAGES:
                data = set_page(gold, PAGES[name], browser)
            elif name in TEXTS:
                data = set_wrapped(gold, TEXTS[name])
            else:
                data = set_lines(gold)
            (SAMPLES / name).write_bytes(data)
    whole = (SAMPLES / "newspaper-page.pdf").read_bytes()
    (SAMPLES / "truncated.pdf").write_bytes(whole[: len(whole) // 8])


def set_page(gold: Gold, layout: PageLayout, browser: Chromium) -> bytes:
    """Return the PDF of one page, its running head the first piece of furniture."""
    return print_sheet(Sheet(gold["language"], gold["articles"], gold["furniture"][0], frozenset()), layout, browser)


def set_wrapped(gold: Gold, layouts: list[TextLayout]) -> bytes:
    """Return the bytes of a hard-wrapped text: each article by its own layout, or all by the only one."""
    head = next(iter(gold["furniture"]), "")
    rng = random.Random(8)
    if len(layouts) == 1:
        return wrap_articles(gold["articles"], layouts[0], rng, head, gold["language"])
    parts = zip(gold["articles"], layouts, strict=True)
    return b"".join(wrap_articles([article], layout, rng, head, gold["language"]) for article, layout in parts)


def set_lines(gold: Gold) -> bytes:
    """Return the bytes of a text with one paragraph a line, as saved from the web; English ones repeat their title."""
    lines = [p["text"] for a in gold["articles"] for p in a["paragraphs"]]
    if gold["language"] == "en":
        lines = [lines[0], "", " " + lines[0], *(f"\n{line}" for line in lines[1:])]
    text = "\n".join(lines) + "\n"
    return text.encode("big5" if gold["language"] == "zh-Hant" else "utf-8")


if __name__ == "__main__":
    main()
