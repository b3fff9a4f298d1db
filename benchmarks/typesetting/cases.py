"""Make sets of raw files with their gold: to measure a reader, or to train one."""

from __future__ import annotations

import itertools
import random
from collections.abc import Container, Iterator
from dataclasses import replace

from benchmarks.typesetting.articles import Gold, Story, texts_of
from benchmarks.typesetting.browser import Chromium
from benchmarks.typesetting.dumps import dump_text, redraw, tools, whole_paragraphs
from benchmarks.typesetting.layout import PageLayout, random_page_layout
from benchmarks.typesetting.pages import missing, overprinted, set_page
from benchmarks.typesetting.wrap import Breaks, random_text_layout, set_text

ATTEMPTS = 20
PT = 72 / 25.4  # points per millimetre


FAMILIES = ("text", "pdf", "text", "redrawn", "pdf", "dump")


def make_cases(
    stories: list[Story], count: int, seed: int, browser: Chromium | None, families: Container[str] = FAMILIES
) -> Iterator[tuple[str, bytes, Gold]]:
    """Yield `count` cases of (file name, bytes, gold): by turns a text, a page, a redrawn page and a page's dump.

    Of these only the `families` asked for: texts need neither fonts nor a browser.

    The same stories, count and seed give the same texts, layouts and gold. Without a browser every page is set by
    Typst. Groups that end in -noindent have no first-line indent.
    """
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        family = FAMILIES[number % len(FAMILIES)]
        if family not in families:
            continue
        chosen = rng.sample(stories, len(stories))
        if family == "text":
            yield _text_case(chosen, number, rng)
        else:
            yield _page_case(chosen, family, number, rng, browser)


def folded_cases(stories: list[Story], count: int, seed: int) -> Iterator[tuple[str, bytes, Gold]]:
    """Yield `count` cases of texts by programs that break lines at a width or a count of characters, as `fold` does."""
    for number in range(count):
        rng = random.Random(f"{seed}/folded/{number}")
        chosen = [s for s in rng.sample(stories, len(stories)) if s.get("language") != "en"]
        breaks: Breaks = "by count" if number % 2 else "by width"
        layout = replace(random_text_layout(rng), width=rng.randint(16, 40), breaks=breaks, stretch=None, spread=0.0)
        alike = [s for s in chosen if s.get("language") == chosen[0].get("language")]
        data, gold = set_text(alike[: rng.randint(1, 3)], layout, rng)
        yield _named(f"folded-{number:05}.txt", "folded", False, data, gold)


def _text_case(stories: list[Story], number: int, rng: random.Random) -> tuple[str, bytes, Gold]:
    layout = random_text_layout(rng)
    alike = [s for s in stories if s.get("language") == stories[0].get("language")]
    data, gold = set_text(alike[: rng.randint(1, 4)], layout, rng)
    return _named(f"text-{number:05}.txt", "text", layout.indent == "none", data, gold)


def _page_case(
    stories: list[Story], family: str, number: int, rng: random.Random, browser: Chromium | None
) -> tuple[str, bytes, Gold]:
    for _ in range(ATTEMPTS):
        layout = random_page_layout(rng, None if browser else "typst")
        if family != "pdf":
            layout = replace(layout, vertical=False)
        pdf, gold = set_page(fill(stories, layout, rng), layout, rng, browser)
        if not missing(pdf, gold) and not overprinted(pdf):
            break
    else:
        raise RuntimeError(f"case {number}: {ATTEMPTS} layouts in a row lost or overprinted characters: {layout}")
    if family == "redrawn":
        pdf = redraw(pdf, gold["language"])
    if family == "dump":
        text = dump_text(pdf, rng.choice(tools()))
        if whole_paragraphs(text, gold) < 0.8:  # an extractor that shuffles words leaves nothing to be read
            text = dump_text(pdf, "pdfium")
        return _named(f"dump-{number:05}.txt", family, layout.indent == 0, text.encode(), gold)
    return _named(f"{family}-{number:05}.pdf", family, layout.indent == 0, pdf, gold)


def _named(name: str, family: str, unindented: bool, data: bytes, gold: Gold) -> tuple[str, bytes, Gold]:
    group = f"{family}-noindent" if unindented else family
    return name, data, {**gold, "source": name, "group": f"{group}/{name.rsplit('-', 1)[0]}"}


def fill(stories: list[Story], layout: PageLayout, rng: random.Random) -> list[Story]:
    """Return as many of the stories, in one language, as fill half a page to a page and a half of `layout`.

    Articles side by side stay on one page: nobody could say in which order they run on. A sidebar is short.
    """
    most = 0.9 if layout.arrangement in ("beside", "sidebar") else 1.5
    area = (layout.width - 30) * (layout.height - 36) * PT**2
    wanted = rng.uniform(0.5, most) * 0.7 * area / (layout.size**2 * layout.leading)
    alike = [s for s in stories if s.get("language") == stories[0].get("language")]
    before = itertools.accumulate(map(_length, alike), initial=0)
    chosen = [story for story, length in zip(alike, before, strict=False) if length < wanted][:7]
    if layout.arrangement == "sidebar":
        chosen.sort(key=_length, reverse=True)
    return chosen


def _length(story: Story) -> int:
    return sum(map(len, texts_of(story)))
