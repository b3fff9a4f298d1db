"""Articles as they are written, and as a paper prints them: with byline, subheadings, source line and affiliation."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NotRequired, TypedDict

from benchmarks.typesetting.phrases import PHRASES, Phrases

#: Fifty stories of our own.
CORPUS = Path(__file__).parents[1] / "corpus" / "articles.jsonl"

Byline = Literal["none", "above", "plain", "marked", "dateline", "report", "source"]


class Paragraph(TypedDict):
    """A paragraph and its kind, one of those of `tasks.document`; list|body where either would be right."""

    kind: str
    text: str


class Article(TypedDict):
    """An article as it should be read back: the unit of a gold file."""

    title: str | None
    paragraphs: list[Paragraph]
    authors: NotRequired[list[str]]
    publisher: NotRequired[str]
    published_on: NotRequired[str]
    url: NotRequired[str]


class Gold(TypedDict):
    """What should be read from one source; `furniture` is what must be left out of its text."""

    source: NotRequired[str]
    group: NotRequired[str]
    language: str
    articles: list[Article]
    furniture: list[str]


class Story(TypedDict):
    """An article as it is written, a line of a JSON-lines file: plain paragraphs are body text."""

    title: str
    paragraphs: list[str | Paragraph]
    date: str
    language: NotRequired[str]
    subtitle: NotRequired[str]


@dataclass(frozen=True)
class Dress:
    """What a paper puts around an article's own words.

    `byline` is a line of its own (above, plain, marked), stands at the head of the text (dateline, report), in a
    source line (source), or is missing.
    """

    titles: bool = True
    subtitle: bool = False
    byline: Byline = "above"
    subheads: bool = True
    affiliation: bool = True
    editor: bool = False


def load_stories(path: Path) -> list[Story]:
    """Read stories from a JSON-lines file with at least `title`, `paragraphs` and `date` (YYYY-MM-DD) in each line."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def texts_of(story: Story) -> list[str]:
    """Return the texts of a story's paragraphs, of whatever kind.

    >>> texts_of({"title": "桥", "date": "2024-05-01", "paragraphs": ["桥通了。", {"kind": "heading", "text": "河上"}]})
    ['桥通了。', '河上']
    """
    return [p if isinstance(p, str) else p["text"] for p in story["paragraphs"]]


def random_dress(rng: random.Random) -> Dress:
    """Return one paper's habits."""
    return Dress(
        titles=rng.random() < 0.8,
        subtitle=rng.random() < 0.3,
        byline=rng.choice(["none", "above", "above", "plain", "marked", "dateline", "report", "source"]),
        subheads=rng.random() < 0.6,
        affiliation=rng.random() < 0.5,
        editor=rng.random() < 0.15,
    )


def dress_stories(
    stories: list[Story], dress: Dress, paper: str, states_paper: bool, rng: random.Random
) -> list[Article]:
    """Return the stories as `paper` prints them, all on the first one's date: they are of one issue.

    `states_paper` says that the page tells its name and date (in a running head), so that they can be known.
    Without titles an affiliation line closes every article: else nothing would tell one from the next.
    """
    today = stories[0]["date"]
    return [_dress_story({**story, "date": today}, dress, paper, states_paper, rng) for story in stories]


def _dress_story(story: Story, dress: Dress, paper: str, states_paper: bool, rng: random.Random) -> Article:
    phrases = PHRASES[story.get("language", "zh-Hans")]
    own: list[Paragraph] = [{"kind": "body", "text": p} if isinstance(p, str) else p for p in story["paragraphs"]]
    authors = rng.sample(phrases.names, rng.choice([1, 1, 1, 2]))
    article: Article = {"title": story["title"] if dress.titles else None, "paragraphs": []}
    if states_paper:
        article["publisher"], article["published_on"] = paper, story["date"]
    printed = article["paragraphs"]
    if dress.titles:
        printed.append({"kind": "title", "text": story["title"]})
        if dress.subtitle:
            subtitle = story.get("subtitle") or rng.choice(phrases.headings) + phrases.between + rng.choice(
                phrases.headings
            )
            printed.append({"kind": "subtitle", "text": subtitle})
    if dress.byline == "source":
        printed.append({"kind": "metadata", "text": phrases.source.format(paper=paper, date=story["date"])})
        article["publisher"], article["published_on"] = paper, story["date"]
    elif dress.byline in ("above", "plain", "marked") and dress.titles:
        printed.append({"kind": "byline", "text": _byline(phrases, dress.byline, authors, rng)})
        article["authors"] = authors
    elif form := {"dateline": phrases.dateline, "report": phrases.report}.get(dress.byline):
        month, day = (int(x) for x in story["date"].split("-")[1:])
        opening = form.format(town=rng.choice(phrases.towns), month=month, day=day, names=phrases.and_.join(authors))
        first = next(i for i, p in enumerate(own) if p["kind"] == "body")
        own = [*own[:first], {"kind": "body", "text": opening + own[first]["text"]}, *own[first + 1 :]]
        article["authors"] = authors
    printed += _with_subheads(own, phrases, rng) if dress.subheads else own
    if dress.affiliation or not dress.titles:
        printed.append(
            {"kind": "affiliation", "text": rng.choice(phrases.affiliations).format(rng.choice(phrases.institutes))}
        )
    if dress.editor:
        printed.append({"kind": "metadata", "text": phrases.editor.format(rng.choice(phrases.names))})
    return article


def _byline(phrases: Phrases, style: str, authors: list[str], rng: random.Random) -> str:
    names = authors
    if len(authors) == 1 and len(authors[0]) == 2:  # papers set two characters as wide as three
        names = [rng.choice(["", "\u3000", " "]).join(authors[0])]
    form = {"above": phrases.reporter, "plain": phrases.author, "marked": rng.choice(phrases.marked)}[style]
    return form.format(phrases.and_.join(names))


def _with_subheads(own: list[Paragraph], phrases: Phrases, rng: random.Random) -> list[Paragraph]:
    """Put two or three subheadings between the paragraphs, some of them numbered."""
    wanted = 0 if len(own) < 5 or any(p["kind"] == "heading" for p in own) else rng.choice([2, 2, 3])
    numbered = rng.random() < 0.3
    places = sorted(rng.sample(range(1, len(own)), wanted))
    heads = rng.sample(phrases.headings, wanted)
    result = list(own)
    for n in reversed(range(wanted)):
        text = phrases.numbers[n] + heads[n] if numbered else heads[n]
        result.insert(places[n], {"kind": "heading", "text": text})
    return result


def characters(gold: Gold) -> Iterator[str]:
    """Yield every character of the articles that is not white space, in reading order."""
    for article in gold["articles"]:
        for paragraph in article["paragraphs"]:
            yield from (c for c in paragraph["text"] if not c.isspace())
