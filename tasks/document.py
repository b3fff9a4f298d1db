"""The nouns of a page and of what is read from it.

Everything here is immutable and knows nothing of files, Prefect or Parquet. Lengths are in PostScript points with the
origin at the top left of the page (as in pdfplumber); `start` and `end` count code points in the paragraph's text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

Kind = Literal[
    "title", "subtitle", "byline", "heading", "body", "list", "caption", "affiliation", "metadata", "footnote"
]
KINDS: tuple[Kind, ...] = (
    "title",
    "subtitle",
    "byline",
    "heading",
    "body",
    "list",
    "caption",
    "affiliation",
    "metadata",
    "footnote",
)
#: Kinds that stand beside the running text: they are paragraphs, but no part of an article's `text`.
BESIDE: frozenset[Kind] = frozenset({"caption"})

Language = Literal["zh-Hans", "zh-Hant", "en"]
LANGUAGES: tuple[Language, ...] = ("zh-Hans", "zh-Hant", "en")

#: Which way the lines of a page run, and what shows that a paragraph of running text begins: where a user knows it.
Direction = Literal["horizontal", "vertical"]
Opening = Literal["indent", "gap"]


class Box(NamedTuple):
    """A rectangle on a page: `page` counts from 1, the rest are points from the page's top left corner."""

    page: int
    x0: float
    top: float
    x1: float
    bottom: float

    def around(self, other: Box) -> Box:
        """Return the smallest box that holds both, which are on the same page.

        >>> Box(1, 0, 0, 10, 10).around(Box(1, 5, 5, 20, 8))
        Box(page=1, x0=0, top=0, x1=20, bottom=10)
        """
        return Box(
            self.page,
            min(self.x0, other.x0),
            min(self.top, other.top),
            max(self.x1, other.x1),
            max(self.bottom, other.bottom),
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A raw file as it was found: `source` is its path under raw/, with forward slashes."""

    source: str
    path: str
    bytes: int
    sha256: str


class Element(NamedTuple):
    """A paragraph or a heading as a PDF's structure tree has it: its number in the file, and its role (P, H1, …)."""

    number: int
    role: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it stands in the raw file, before anything is repaired.

    `number` counts the lines of a text file from 1; in a PDF it counts them in the order of the page. `box`, `size`
    (one em, in points), `font` and `edges` (the left edge of each character and the right edge of the last; along y
    from the top in vertical text) are None or empty in text files. `score` says how sure OCR is of the characters, from
    0 to 1, and is None where the file itself names them. `element` is what a tagged PDF says the line is part of.
    """

    text: str
    number: int
    box: Box | None = None
    size: float | None = None
    font: str | None = None
    edges: tuple[float, ...] = ()
    vertical: bool = False
    score: float | None = None
    element: Element | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page (a text file is one page without size): its lines, and the drawn rules and pictures between them."""

    number: int
    lines: tuple[Line, ...]
    width: float | None = None
    height: float | None = None
    rules: tuple[Box, ...] = ()
    pictures: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """What was not published, why, and what to do about it. `ordinal` is None when the whole source is meant."""

    stage: str
    check: str
    message: str
    remedy: str
    evidence: str = ""
    text: str = ""
    ordinal: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader makes of a file's bytes.

    `n_chars` counts every character of the file that is not white space, before anything is left out, and `left_out`
    says by rule how many of them are in no line of `pages`; so that nothing can vanish unnoticed. `rejects` are the
    pages that could not be read while others could. A long PDF is read in several readings, each of some of its pages;
    `pages_left` counts those behind the last one. `scans` are the pages that are only pictures, by number, each with what
    is said of it where there is no OCR; they have lines only in a reading that OCR has made.
    """

    pages: tuple[Page, ...]
    media_type: str
    n_chars: int
    encoding: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    rejects: tuple[Reject, ...] = ()
    pages_left: int = 0
    scans: Mapping[int, Reject] = field(default_factory=dict)


class Token(NamedTuple):
    """A word: a span of the paragraph's text and jieba's part-of-speech tag."""

    start: int
    end: int
    pos: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence: a span of the paragraph's text, and its words in order."""

    start: int
    end: int
    tokens: tuple[Token, ...]


class Stretch(NamedTuple):
    """A line of a paragraph: where in the paragraph's text it starts, its number, and its box on a page."""

    start: int
    line: int
    box: Box | None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph as its author wrote it, and where it stood.

    `fixes` names the repairs made (see `tasks.clean`, `tasks.corrections`). PDF paragraphs have `boxes`, one per
    stretch of lines in one column; paragraphs of text files have `line_first` and `line_last`, counted from 1.
    `stretches` are its lines in order, so that a part of it can be placed too; empty where that is not known.
    """

    kind: Kind
    text: str
    confidence: float
    fixes: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    line_first: int | None = None
    line_last: int | None = None
    sentences: tuple[Sentence, ...] = ()
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class Article:
    """An article of a source, the `ordinal`-th in reading order, counted from 0."""

    ordinal: int
    paragraphs: tuple[Paragraph, ...]
    language: Language
    confidence: float
    title: str | None = None
    authors: tuple[str, ...] = ()
    affiliation: str | None = None
    publisher: str | None = None
    published_on: date | None = None
    url: str | None = None

    @property
    def text(self) -> str:
        """Return the running paragraphs, joined by line feeds."""
        return "\n".join(p.text for p in self.paragraphs if p.kind not in BESIDE)


@dataclass(frozen=True, slots=True)
class Document:
    """A source at the end of its journey: its articles, or the reason why there are none.

    `n_chars` and `left_out` are those of `Reading`, with what reflow left out (running heads, a title that stands
    twice, soft hyphens …) added: `n_chars` = characters of all paragraphs that are not white space + sum of
    `left_out` + those of `rejects` that carry text. `correction` says what became of its entries in the corrections
    file (see `tasks.corrections`), None without any; `scanned`, whether some of its pages are only pictures, so that OCR,
    or that there is none, decides what becomes of them.
    """

    source: Source
    articles: tuple[Article, ...] = ()
    rejects: tuple[Reject, ...] = ()
    media_type: str | None = None
    encoding: str | None = None
    pages: int | None = None
    n_chars: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    correction: str | None = None
    scanned: bool = False


def mean_confidence(paragraphs: Sequence[Paragraph]) -> float:
    """Return how sure the reading of an article is: the mean of its running paragraphs, weighted by their length."""
    body = [p for p in paragraphs if p.kind in ("body", "list")] or paragraphs
    size = sum(len(p.text) for p in body)
    return round(sum(p.confidence * len(p.text) for p in body) / size, 4) if size else 0.0


def count_chars(text: str) -> int:
    r"""Return how many characters of `text` are not white space, as `str.isspace` sees it.

    Every count of the conservation law is made here. Zero-width and control characters count: they are left out later,
    by a rule that says how many.

    >>> count_chars("中国\u3000 \u200b\n")
    3
    """
    return len("".join(text.split()))


class Unreadable(Exception):
    """A stage cannot go on with this source: becomes a `Reject` of the same fields, never a traceback."""

    def __init__(self, check: str, message: str, remedy: str, evidence: str = "", stage: str = "read") -> None:
        super().__init__(message)
        self.reject = Reject(stage=stage, check=check, message=message, remedy=remedy, evidence=evidence)
