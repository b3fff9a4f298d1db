"""Set articles as hard-wrapped text: the lines of a column, as they come out of a page without its geometry."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.typesetting.articles import Article, Dress, Gold, Paragraph, Story, dress_stories, random_dress
from benchmarks.typesetting.phrases import PHRASES

OPENING = "“‘（《〈【『「［〔"
MINOR = "，、；：”’）》〉】』」］〕·"  # closing marks that most papers set half as wide as a character
STOPS = "。？！"
PAIRS = "—…⋯"  # a dash or an ellipsis is two characters that stay together
CLOSING = MINOR + STOPS + PAIRS + "％%°"
WORD = r"[A-Za-zÀ-ɏ0-9@#$€£]+(?:[.,:/'’+_%&=?@-]+[A-Za-zÀ-ɏ0-9]+)*%?"
UNIT = re.compile(
    rf"(?P<lead>[{OPENING}]*)(?P<core>{WORD}|——|……|⋯⋯|[^\s{OPENING}])(?P<tail>[{re.escape(CLOSING)}]*)(?P<space>\s*)"
)

UNINDENTED = ("title", "subtitle", "byline", "heading", "metadata", "caption")
UNWRAPPED = 100_000  # em: one paragraph a line, as saved from the web

#: Where lines end: by the rules of Chinese typesetting, or wherever they are so wide, or hold so many characters.
Breaks = Literal["by rule", "by width", "by count"]
Marks = Literal["full", "half", "elastic"]
Overflow = Literal["push", "squeeze", "hang"]


@dataclass(frozen=True)
class Punctuation:
    """How a typesetter fits punctuation.

    `marks`: full (one em each), half (all but 。？！ take half an em) or elastic (compressed only where the line asks).
    `overflow`: what becomes of a mark that finds no room: the character before it is pushed to the next line with it,
    it is squeezed in, or hangs outside the column.
    """

    marks: Marks = "full"
    overflow: Overflow = "squeeze"

    def widths(self, text: str) -> tuple[float, float]:
        """Return the natural and the least width of `text` in em.

        >>> Punctuation("half").widths("河岸，GDP。")
        (5.0, 5.0)
        >>> Punctuation("elastic").widths("河岸，GDP。")
        (5.5, 4.5)
        """
        natural = least = 0.0
        for c in text:
            wide = 1.0 if ord(c) > 0x2000 else 0.5 if c != " " else 0.25
            half = self.marks == "half" and c in OPENING + MINOR
            natural += 0.5 if half else wide
            least += 0.5 if half or (self.marks == "elastic" and c in OPENING + MINOR + STOPS) else wide
        return natural, least


def break_lines(
    text: str, measure: Callable[[int], float], indent: float = 0, punctuation: Punctuation = Punctuation()
) -> list[str]:
    """Break `text` into lines by the kinsoku rules: no line opens with a closing mark or ends with an opening one.

    `measure` gives the width in em of the paragraph's n-th line, so that a column may change width in mid-paragraph;
    `indent` em of the first line are taken.

    >>> break_lines("船靠岸了，孩子们跑过跳板。", lambda n: 5)
    ['船靠岸了，', '孩子们跑过', '跳板。']
    >>> break_lines("孩子跑过跳板。", lambda n: 6, punctuation=Punctuation(overflow="push"))
    ['孩子跑过跳', '板。']
    """
    lines: list[str] = []
    line, used, least = "", indent, indent
    for unit in UNIT.finditer(text):
        shown = unit["lead"] + unit["core"] + unit["tail"]
        width = measure(len(lines))
        natural, smallest = punctuation.widths(shown)
        if line and not _fits(unit, used, least, width, punctuation):
            lines.append(line.rstrip())
            line, used, least = "", 0.0, 0.0
        line += shown + unit["space"]
        gap = 0.25 * len(unit["space"])
        used, least = used + natural + gap, least + smallest + gap
    return [*lines, line.rstrip()]


def _fits(unit: re.Match[str], used: float, least: float, width: float, punctuation: Punctuation) -> bool:
    natural, smallest = punctuation.widths(unit["lead"] + unit["core"] + unit["tail"])
    if used + natural <= width:
        return True
    # An elastic line takes one more character if all its marks together can make room for it.
    if punctuation.marks == "elastic" and least + smallest <= width:
        return True
    without_tail = punctuation.widths(unit["lead"] + unit["core"])[0]
    if not unit["tail"] or used + without_tail > width or punctuation.overflow == "push":
        return False
    return len(unit["tail"]) <= 2 if punctuation.overflow == "squeeze" else unit["tail"] in "，。、；："


def break_anywhere(text: str, width: float, indent: float = 0, counted: bool = False) -> list[str]:
    """Break `text` where `width` em are full, whatever stands there, as programs do that know no Chinese typesetting.

    With `counted` every character takes an em, as to a program that counts characters.

    >>> break_anywhere("船靠岸了，10个孩子", 5), break_anywhere("船靠岸了，10个孩子", 5, counted=True)
    (['船靠岸了，', '10个孩子'], ['船靠岸了，', '10个孩子'])
    """
    lines: list[str] = []
    line, used = "", indent
    for c in text:
        taken = 1.0 if counted or ord(c) > 0x2000 else 0.5
        if used + taken > width:
            lines.append(line)
            line, used = "", 0.0
        line, used = line + c, used + taken
    return [part.strip() for part in (*lines, line)]


VOWELS = "aeiouy"
SUFFIX = re.compile(r"(?=(?:tion|sion|ment|ness|less|ship|ture|ward|ble)s?$)")


def hyphenation_points(word: str) -> list[int]:
    """Return where an English word may be divided; rough, for test texts: before known suffixes, between two consonants.

    >>> [("disappointing"[:n], "disappointing"[n:]) for n in hyphenation_points("disappointing")]
    [('disap', 'pointing'), ('disappoin', 'ting')]
    """
    inner = range(3, len(word) - 2)
    points = {m.start() for m in SUFFIX.finditer(word)}
    for n in inner:
        before, after = word[n - 1], word[n]
        divided = before not in VOWELS and after not in VOWELS and word[n - 2] in VOWELS and word[n + 1] in VOWELS
        if divided and before + after not in ("ch", "sh", "th", "ph", "gh", "ck", "ng", "wh", "st"):
            points.add(n)
    return sorted(n for n in points if n in inner)


def break_english(text: str, columns: int, hyphenate: bool = True) -> list[str]:
    """Break English `text` into lines of at most `columns` characters, after a real hyphen too.

    >>> break_english("a long-term view of economic history", 12, hyphenate=False)
    ['a long-term', 'view of', 'economic', 'history']
    """
    lines: list[str] = []
    line = ""
    for piece in re.findall(r"\S*?[a-z]-(?=[a-z])|\S+\s*", text):
        if len(line + piece.rstrip()) <= columns:
            line += piece
            continue
        letters = re.match(r"[a-z]{7,}", piece) if hyphenate else None
        points = [n for n in hyphenation_points(letters[0]) if len(line) + n < columns] if letters else []
        cut = points[-1] if points else 0
        lines.append(f"{line}{piece[:cut]}-" if cut else line.rstrip())
        line = piece[cut:]
    return [*lines, line.rstrip()]


@dataclass(frozen=True)
class TextLayout:
    """How a hard-wrapped text looks. Widths are in em; an English line holds twice as many characters."""

    width: float = 19
    punctuation: Punctuation = Punctuation()
    indent: Literal["stripped", "kept", "none"] = "stripped"
    blank: Literal["none", "every line", "paragraphs"] = "none"
    spread: float = 0.0  # share of the lines that come letter-spaced
    stretch: tuple[int, int, float] | None = None  # lines from, to and their width: a column beside a picture
    head_every: int = 0  # lines between the running heads that were left standing; 0 leaves none
    latin_space: bool = False  # a space between Chinese and Latin, as some extractors put there
    hyphenate: bool = True
    breaks: Breaks = "by rule"
    encoding: str = "utf-8"
    newline: str = "\n"
    dress: Dress = field(default_factory=Dress)


def random_text_layout(rng: random.Random) -> TextLayout:
    """Return one of the many ways in which a wrapped text looks."""
    dress = random_dress(rng)
    if rng.random() < 0.08:
        return TextLayout(width=UNWRAPPED, blank=rng.choice(["none", "paragraphs"]), dress=dress)
    width = rng.choice([*range(14, 27), *range(28, 41, 3)]) + rng.choice([0, 0, 0.5])
    start = rng.randrange(5, 40)
    return TextLayout(
        width=width,
        punctuation=Punctuation(
            rng.choice(["full", "half", "half", "elastic", "elastic"]), rng.choice(["push", "squeeze", "hang"])
        ),
        indent=rng.choice(["stripped", "stripped", "kept", "none"]),
        blank=rng.choice(["none", "none", "every line", "paragraphs"]),
        spread=rng.choice([0, 0, 0.02, 0.05]),
        stretch=(start, start + rng.randrange(6, 25), width - rng.randrange(2, 6)) if rng.random() < 0.4 else None,
        head_every=rng.choice([0, 0, rng.randrange(25, 70)]),
        latin_space=rng.random() < 0.4,
        newline=rng.choice(["\n", "\n", "\r\n"]),
        dress=dress,
    )


def set_text(stories: list[Story], layout: TextLayout, rng: random.Random) -> tuple[bytes, Gold]:
    """Return the bytes of `stories` as a hard-wrapped text, and what should be read from them."""
    language = stories[0].get("language", "zh-Hans")
    phrases = PHRASES[language]
    paper = rng.choice(phrases.papers)
    articles = dress_stories(stories, layout.dress, paper, bool(layout.head_every), rng)
    head = ""
    if layout.head_every:
        year, month, day = (int(x) for x in stories[0]["date"].split("-"))
        form = rng.choice(phrases.heads)
        head = form.format(
            paper=paper, y=year, m=month, d=day, n=rng.randint(2, 16), section=rng.choice(phrases.sections)
        )
    gold: Gold = {"language": language, "articles": articles, "furniture": [head] if head else []}
    return wrap_articles(articles, layout, rng, head, language), gold


def wrap_articles(articles: list[Article], layout: TextLayout, rng: random.Random, head: str, language: str) -> bytes:
    """Return the bytes of `articles` hard-wrapped, with `head` and a page number every `layout.head_every` lines."""
    out: list[str] = []
    page = rng.randint(1, 12)
    for article in articles:
        count = 0
        for paragraph in article["paragraphs"]:
            for line in _lines(paragraph, layout, count, rng, language):
                out.append(line)
                count += 1
                if layout.blank == "every line":
                    out.append("")
                if layout.head_every and len(out) % layout.head_every == layout.head_every - 1:
                    page += 1
                    out += ["", head, str(page), ""]
            if layout.blank == "paragraphs":
                out.append("")
    return (layout.newline.join(out) + layout.newline).encode(layout.encoding)


def _lines(paragraph: Paragraph, layout: TextLayout, before: int, rng: random.Random, language: str) -> Iterator[str]:
    """Yield the lines of one paragraph; `before` counts the lines of the article above it."""
    text = paragraph["text"]
    if language == "en":
        yield from break_english(text, int(layout.width * 2), layout.hyphenate)
        return
    if layout.latin_space:
        text = re.sub(r"(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9%])(?=[\u4e00-\u9fff])", " ", text)

    def measure(n: int) -> float:
        if layout.stretch and layout.stretch[0] <= before + n < layout.stretch[1]:
            return layout.stretch[2]
        return layout.width

    running = paragraph["kind"] not in UNINDENTED
    indent = 2 if running and layout.indent != "none" else 0
    if layout.breaks == "by rule":
        lines = break_lines(text, measure, indent, layout.punctuation)
    else:
        lines = break_anywhere(text, layout.width, indent, layout.breaks == "by count")
    if layout.indent == "kept" and indent:
        lines[0] = "\u3000\u3000" + lines[0]
    for n, line in enumerate(lines):
        last = n == len(lines) - 1
        spreadable = len(line) >= 6 and not re.search(r"[A-Za-z0-9\s]", line)
        if running and spreadable and rng.random() < layout.spread:
            # A line too short for its measure is spread over it, all of it or, at a paragraph's end, its tail.
            yield line[:-5] + " ".join(line[-5:]) + " " if last else " ".join(line) + " "
        else:
            yield line
