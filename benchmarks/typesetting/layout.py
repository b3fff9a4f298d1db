"""How a page looks: what Chromium and Typst set it by."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.typesetting.articles import Article, Dress, Gold, Story, dress_stories, random_dress
from benchmarks.typesetting.phrases import PHRASES

Arrangement = Literal["stacked", "beside", "flow", "sidebar"]
Engine = Literal["chromium", "typst"]

ENGINES: tuple[Engine, ...] = ("chromium", "typst")
REGIONS = {"zh-Hans": "SC", "zh-Hant": "TC", "en": "SC"}


@dataclass(frozen=True)
class PageLayout:
    """One page design. `size`, `gap` are in points, `width`, `height` in millimetres, the rest in em.

    `arrangement`: articles one above the other, their titles over all columns (stacked); side by side (beside); all in
    one run of columns, titles inside them (flow); one in a box of its own measure beside the others (sidebar).
    `tagged` gives the file a structure tree.
    """

    engine: Engine = "chromium"
    arrangement: Arrangement = "stacked"
    columns: int = 3
    width: float = 270
    height: float = 390
    size: float = 9.5
    leading: float = 1.5
    gap: float = 14
    indent: float = 2
    paragraph_gap: float = 0.0
    sans: bool = False
    justify: bool = True
    rule: bool = False
    photo: Literal["none", "column", "float"] = "none"
    vertical: bool = False
    head: Literal["none", "left", "center", "right"] = "left"
    spread: float = 0.0  # share of the paragraphs whose last line is spread over the measure
    tagged: bool = True
    dress: Dress = field(default_factory=Dress)

    @property
    def parted(self) -> bool:
        """Whether a rule stands between articles: where rules stand between columns, and articles one above the other."""
        return self.rule and self.arrangement == "stacked"

    def font(self, language: str) -> str:
        """Return the name of the body's font."""
        return f"Noto {'Sans' if self.sans else 'Serif'} CJK {REGIONS[language]}"


@dataclass(frozen=True)
class Sheet:
    """What one document shows, before an engine sets it: articles dressed, furniture and pictures decided."""

    language: str
    articles: list[Article]
    head: str
    spread: frozenset[str]  # the paragraphs whose last line is spread

    def gold(self) -> Gold:
        """Return what should be read from the document."""
        captions = [p["text"] for a in self.articles for p in a["paragraphs"] if p["kind"] == "caption"]
        furniture = [self.head] if self.head else []
        return {"language": self.language, "articles": self.articles, "furniture": furniture + captions}


def lay_out(stories: list[Story], layout: PageLayout, rng: random.Random) -> Sheet:
    """Return the sheet of `stories` by `layout`: everything that chance decides is decided here."""
    language = stories[0].get("language", "zh-Hans")
    phrases = PHRASES[language]
    paper = rng.choice(phrases.papers)
    articles = dress_stories(stories, layout.dress, paper, layout.head != "none", rng)
    year, month, day = (int(x) for x in stories[0]["date"].split("-"))
    head = rng.choice(phrases.heads).format(
        paper=paper, y=year, m=month, d=day, n=rng.randint(2, 16), section=rng.choice(phrases.sections)
    )
    if layout.photo != "none":
        paragraphs = articles[0]["paragraphs"]
        bodies = [n for n, p in enumerate(paragraphs) if p["kind"] == "body"]
        text = rng.choice(phrases.captions) + rng.choice(["", " 资料图片" if language == "zh-Hans" else ""])
        paragraphs.insert(bodies[len(bodies) // 3] + 1, {"kind": "caption", "text": text})
    bodies_of_all = [p["text"] for a in articles for p in a["paragraphs"] if p["kind"] == "body"]
    spread = frozenset(text for text in bodies_of_all if rng.random() < layout.spread)
    return Sheet(language, articles, head if layout.head != "none" else "", spread)


def random_page_layout(rng: random.Random, engine: Engine | None = None) -> PageLayout:
    """Return one of the many designs of a newspaper or journal page."""
    by = rng.choice(ENGINES) if engine is None else engine
    vertical = by == "chromium" and rng.random() < 0.1
    arrangement: Arrangement = rng.choice(["stacked", "stacked", "beside", "flow", "sidebar"])
    columns = 1 if vertical else rng.choice([1, 2, 2, 3, 3, 4, 4, 5])
    if arrangement in ("beside", "sidebar"):
        columns = min(columns, 3)
    size = rng.choice([8, 8.5, 9, 9.5, 10, 10.5, 11, 12])
    least = columns * size * 14 * 25.4 / 72 * (1.8 if arrangement in ("beside", "sidebar") else 1) + 30
    width, height = rng.choice(
        [w for w in ((210, 297), (250, 350), (270, 390), (390, 540)) if w[0] >= least] or [(390, 540)]
    )
    indent = rng.choice([2, 2, 2, 0])
    return PageLayout(
        engine=by,
        arrangement="stacked" if vertical else arrangement,
        columns=columns,
        width=width,
        height=height,
        size=size,
        leading=rng.choice([1.3, 1.4, 1.5, 1.6, 1.8, 2.0]),
        gap=rng.choice([8, 10, 14, 18, 24]),
        indent=indent,
        paragraph_gap=rng.choice([0, 0, 0, 0.3, 0.6, 1]) if indent else rng.choice([0, 0, 0.4, 0.8]),
        sans=rng.random() < 0.25,
        justify=rng.random() < 0.8,
        rule=rng.random() < 0.3,
        photo="none" if vertical else rng.choice(["none", "none", "column", "float" if by == "chromium" else "column"]),
        vertical=vertical,
        head=rng.choice(["none", "left", "left", "center", "right"]),
        spread=rng.choice([0, 0, 0, 0.1]),
        tagged=rng.random() < 0.5,
        dress=random_dress(rng),
    )
