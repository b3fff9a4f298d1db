"""What a person puts right in how one source was read: paragraphs split, joined or relabelled, facts of an article set.

An entry holds for the very bytes of a source, and for a paragraph that holds the words it quotes: when either is
another, the entry is not applied and says so, for what it would do then nobody has looked at.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError, model_validator

from tasks.clean import joint, sets_space
from tasks.document import Article, Box, Kind, Language, Paragraph, Stretch, mean_confidence

#: What is said of a source to which every entry was applied.
APPLIED = "applied"
#: The keys of an entry that change a paragraph, of which it has one, and those that set facts of its article.
CHANGES = ("kind", "split_before", "join_next")
FACTS = ("title", "authors", "affiliation", "publisher", "published_on", "url", "language")

_Filled = Annotated[str, Field(pattern=r"\S")]
_Number = Annotated[StrictInt, Field(ge=0)]


class Correction(BaseModel):
    """One entry: a change to one paragraph, or facts of one article, of a source with this SHA-256.

    `article` and `paragraph` count from 0, as `ordinal` and `paragraph` do in the tables, after the entries above it.
    `quote` is a piece of the paragraph's text, or of any paragraph of the article where facts are set. `split_before`
    is the piece a new paragraph begins with, `join_next` one of the paragraph that follows and is joined to this one.
    A fact set to nothing ("", []) is taken away.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: _Filled
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    because: _Filled
    article: _Number
    quote: _Filled
    paragraph: _Number | None = None
    kind: Kind | None = None
    split_before: _Filled | None = None
    join_next: _Filled | None = None
    title: str | None = None
    authors: tuple[_Filled, ...] | None = None
    affiliation: str | None = None
    publisher: str | None = None
    published_on: date | Literal[""] | None = None
    url: str | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Correction:
        changes = [name for name in CHANGES if getattr(self, name) is not None]
        if self.paragraph is None and not changes and self.facts:
            return self
        if self.paragraph is not None and len(changes) == 1 and not self.facts:
            return self
        raise ValueError(
            f"give a paragraph and one of {', '.join(CHANGES)}; or no paragraph and some of {', '.join(FACTS)}"
        )

    @property
    def facts(self) -> dict[str, Any]:
        """What the article is said to be: the facts that the entry names, None for one that is taken away."""
        given = {name: getattr(self, name) for name in FACTS if getattr(self, name) is not None}
        return {name: value if name == "authors" else value or None for name, value in given.items()}

    @property
    def place(self) -> str:
        """The article and paragraph meant, in words."""
        return f"article {self.article}" + ("" if self.paragraph is None else f", paragraph {self.paragraph}")


def parse(text: str) -> tuple[Correction, ...]:
    r"""Return the entries of a corrections file; raise ValueError with the entry and what it may be.

    >>> parse('[[correct]]\nsource = "a.txt"\nkinds = "body"')
    Traceback (most recent call last):
    ValueError: entry 1 (a.txt): kinds: no such key; there are source, sha256, because, article, quote, ...
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"not valid TOML: {error}") from None
    entries = found.pop("correct", [])
    if found or not isinstance(entries, list):
        raise ValueError("only entries [[correct]] are known")
    return tuple(_entry(number, entry) for number, entry in enumerate(entries, start=1))


def _entry(number: int, entry: Any) -> Correction:
    try:
        return Correction.model_validate(entry)
    except ValidationError as error:
        found = error.errors()
        first = next((e for e in found if e["type"] == "extra_forbidden"), found[0])
        name = f"entry {number}" + (f" ({entry['source']})" if isinstance(entry, dict) and "source" in entry else "")
        key = f"{first['loc'][0]}: " if first["loc"] else ""
        raise ValueError(f"{name}: {key}{_told(first)}") from None


def _told(error: Any) -> str:
    """Say what is wrong with a key, in our words where pydantic's do not tell what to do."""
    kind, key = error["type"], str(error["loc"][0]) if error["loc"] else ""
    if kind == "extra_forbidden":
        return f"no such key; there are {', '.join(Correction.model_fields)}"
    if kind == "missing":
        return "is missing"
    if kind == "string_pattern_mismatch":
        return "64 hexadecimal digits are needed" if key == "sha256" else "a text that is not empty is needed"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    return f"{error['msg'][:1].lower()}{error['msg'][1:]} (got {error['input']!r})"


def digest(corrections: Iterable[Correction]) -> str:
    """Hash what entries do, in their order; why, and to which source, is no part of it."""
    done = [c.model_dump(mode="json", exclude={"source", "sha256", "because"}) for c in corrections]
    return hashlib.sha256(json.dumps(done, sort_keys=True).encode()).hexdigest()[:16]


class Corrected(NamedTuple):
    """Articles as a person put them right, the characters that joining left out, and the entries that did not fit."""

    articles: tuple[Article, ...]
    left_out: Mapping[str, int]
    misfits: tuple[str, ...]

    @property
    def outcome(self) -> str:
        """What stands in the table `sources`: that all was applied, or what was not and why."""
        return "; ".join(self.misfits) or APPLIED


class _Misfit(Exception):
    """The entry means something else than what is there."""


def correct(articles: Sequence[Article], corrections: Iterable[Correction]) -> Corrected:
    """Apply the entries of one source to its articles, before sentences and words are cut.

    Each is applied to what those before it have left. Of the text nothing but white space goes, and the hyphen of a
    line's end where two paragraphs are joined, which is counted as left out.
    """
    by_ordinal = {article.ordinal: article for article in articles}
    left_out: Counter[str] = Counter()
    misfits = []
    for entry in corrections:
        try:
            article = by_ordinal.get(entry.article)
            if article is None:
                raise _Misfit("there is no such article")
            by_ordinal[entry.article] = (
                _with_facts(article, entry) if entry.facts else _changed(article, entry, left_out)
            )
        except _Misfit as misfit:
            misfits.append(f"{entry.place}: {misfit}")
    return Corrected(tuple(by_ordinal[n] for n in sorted(by_ordinal)), dict(left_out), tuple(misfits))


def _with_facts(article: Article, entry: Correction) -> Article:
    if not any(entry.quote in paragraph.text for paragraph in article.paragraphs):
        raise _Misfit(f"no paragraph holds {entry.quote!r}")
    first, *others = article.paragraphs
    return replace(article, paragraphs=(_noted(first, "correction_facts"), *others), **entry.facts)


def _changed(article: Article, entry: Correction, left_out: Counter[str]) -> Article:
    """Return an article with one of its paragraphs changed, and its title and confidence following."""
    n = entry.paragraph or 0
    if n >= len(article.paragraphs):
        raise _Misfit("there is no such paragraph")
    meant = article.paragraphs[n]
    if entry.quote not in meant.text:
        raise _Misfit(f"it does not hold {entry.quote!r}")
    end = n + 1
    if entry.kind is not None:
        new: tuple[Paragraph, ...] = (replace(_noted(meant, "correction_kind"), kind=entry.kind, confidence=1.0),)
    elif entry.split_before is not None:
        new = _split(meant, entry.split_before)
    else:
        if end == len(article.paragraphs):
            raise _Misfit("no paragraph follows it")
        following = article.paragraphs[end]
        if str(entry.join_next) not in following.text:
            raise _Misfit(f"the paragraph after it does not hold {entry.join_next!r}")
        new = (_join(meant, following, sets_space([article.text]), left_out),)
        end += 1
    paragraphs = (*article.paragraphs[:n], *new, *article.paragraphs[end:])
    return replace(
        article, paragraphs=paragraphs, title=_title(article, paragraphs), confidence=mean_confidence(paragraphs)
    )


def _split(paragraph: Paragraph, before: str) -> tuple[Paragraph, Paragraph]:
    text = paragraph.text
    if text.count(before) != 1:
        raise _Misfit(f"it holds {before!r} {text.count(before)} times, and once is needed")
    at = text.index(before) + len(before) - len(before.lstrip())
    if not text[:at].strip():
        raise _Misfit(f"it begins with {before!r}: there is nothing to split")
    noted = replace(_noted(paragraph, "correction_split"), confidence=1.0)
    upper = [stretch for stretch in paragraph.stretches if stretch.start < at]
    lower = [stretch for stretch in paragraph.stretches if stretch.start >= at]
    if upper and (not lower or lower[0].start > at):  # the split goes through a line, which both then have
        lower = [upper[-1]._replace(start=at), *lower]
    return (
        _placed(replace(noted, text=text[:at].rstrip()), upper),
        _placed(replace(noted, text=text[at:]), [s._replace(start=s.start - at) for s in lower]),
    )


def _placed(paragraph: Paragraph, stretches: Sequence[Stretch]) -> Paragraph:
    """Return a part of a paragraph with the place of its own stretches; where none are known, with that of the whole."""
    if not stretches:
        return paragraph
    if not paragraph.boxes:
        lines = [stretch.line for stretch in stretches]
        return replace(paragraph, stretches=tuple(stretches), line_first=min(lines), line_last=max(lines))
    boxes: list[Box] = []
    lane: Box | None = None
    for stretch in stretches:
        around = next((box for box in paragraph.boxes if stretch.box and _holds(box, stretch.box)), None)
        if stretch.box is None or around is None:
            continue
        if boxes and around is lane:
            boxes[-1] = boxes[-1].around(stretch.box)
        else:
            boxes.append(stretch.box)
        lane = around
    rounded = tuple(Box(b.page, *(round(x, 2) for x in b[1:])) for b in boxes)
    return replace(paragraph, stretches=tuple(stretches), boxes=rounded or paragraph.boxes)


def _holds(box: Box, line: Box) -> bool:
    x, y = (line.x0 + line.x1) / 2, (line.top + line.bottom) / 2
    return box.page == line.page and box.x0 <= x <= box.x1 and box.top <= y <= box.bottom


def _join(first: Paragraph, second: Paragraph, spaced: bool, left_out: Counter[str]) -> Paragraph:
    cut, between = joint(first.text, second.text, spaced)
    left = first.text[: len(first.text) - cut]
    if cut:
        left_out["join_hyphen"] += cut
    offset = len(left) + len(between)
    whole = first.stretches and second.stretches
    lines = [n for p in (first, second) for n in (p.line_first, p.line_last) if n is not None]
    return replace(
        _noted(replace(first, fixes=tuple(dict.fromkeys((*first.fixes, *second.fixes)))), "correction_join"),
        text=left + between + second.text,
        confidence=1.0,
        boxes=first.boxes + second.boxes,
        line_first=min(lines, default=None),
        line_last=max(lines, default=None),
        stretches=(*first.stretches, *(s._replace(start=s.start + offset) for s in second.stretches)) if whole else (),
    )


def _title(article: Article, paragraphs: Sequence[Paragraph]) -> str | None:
    """Return the title as the changed paragraphs have it; one that was set as a fact stays."""
    before, after = ([p.text for p in some if p.kind == "title"] for some in (article.paragraphs, paragraphs))
    if article.title in after or (article.title not in before and (article.title or before)):
        return article.title
    return next(iter(after), None)


def _noted(paragraph: Paragraph, fix: str) -> Paragraph:
    return replace(paragraph, fixes=tuple(dict.fromkeys((*paragraph.fixes, fix))))
