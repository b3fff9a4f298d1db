"""From labelled rows to articles: rows join into paragraphs, paragraphs part into articles, articles get their metadata."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from statistics import fmean

from tasks.clean import joint
from tasks.document import Article, Box, Kind, Paragraph, Stretch, count_chars, mean_confidence
from tasks.reflow import metadata
from tasks.reflow.labels import Label, calibrated
from tasks.reflow.rows import Row
from tasks.segment import language_of


@dataclass(slots=True)
class Draft:
    """A paragraph in the making."""

    kind: Kind
    rows: list[Row]
    certainties: list[float]
    text: str = ""
    fixes: tuple[str, ...] = ()
    starts: list[int] = field(default_factory=list)  #: where in the text each row starts


@dataclass(slots=True)
class Masthead:
    """What the page's own running head says."""

    publisher: str | None = None
    published_on: date | None = None


@dataclass(slots=True)
class LeftOut:
    """How many characters each rule left out."""

    chars: Counter[str] = field(default_factory=Counter)

    def add(self, rule: str, text: str) -> None:
        """Count the characters of `text` that are not white space as left out by `rule`."""
        if n := count_chars(text):
            self.chars[rule] += n


def draft_paragraphs(rows: Sequence[Row], labels: Sequence[Label]) -> list[Draft]:
    """Join rows into paragraphs where their labels say so."""
    drafts: list[Draft] = []
    for row, label in zip(rows, labels, strict=True):
        if label.opens or not drafts:
            drafts.append(Draft(label.kind, [row], [label.certainty]))  # type: ignore[arg-type]
        else:
            drafts[-1].rows.append(row)
            drafts[-1].certainties.append(label.certainty)
    for before, after in pairwise(drafts):
        before.certainties.append(after.certainties[0])  # a paragraph is whole only if the next one truly opens
    return drafts


def join_rows(draft: Draft, spaced: bool, words: frozenset[str], left_out: LeftOut) -> None:
    """Set a draft's text: its rows joined without the layout's spaces and hyphens; see `tasks.clean.joint`."""
    text = ""
    fixes: set[str] = set()
    for row in draft.rows:
        fixes.update(row.fixes)
        cut, between = joint(text, row.text, spaced, words)
        if cut:
            left_out.add("join_hyphen", text[-cut:])
            text = text[:-cut]
            fixes.add("join_hyphen")
        draft.starts.append(len(text) + len(between))
        text += between + row.text
    draft.text = text
    draft.fixes = tuple(sorted(fixes))


def words_of(rows: Sequence[Row]) -> frozenset[str]:
    """Return the Latin words inside lines of which some end with a hyphen: how the author writes them; else nothing."""
    if not any(row.text.endswith("-") for row in rows):
        return frozenset()
    return frozenset(
        word.lower() for row in rows for word in re.findall(r"[A-Za-z]+(?:-[A-Za-z]+)*(?![\w-]*$)", row.text)
    )


def settle_kinds(drafts: list[Draft]) -> None:
    """Correct kinds that the words of the whole paragraph, or its place, settle beyond doubt."""
    for k, draft in enumerate(drafts):
        text = draft.text
        if draft.kind in ("metadata", "byline", "affiliation") and len(text) > 160:
            draft.kind = "body"
        if draft.kind == "body" and _LIST.match(text):
            draft.kind = "list"
        if draft.kind == "body" and re.match(r"^(图为|▲|△)", text) and len(text) < 80:
            draft.kind = "caption"
        after = drafts[k + 1] if k + 1 < len(drafts) else None
        if draft.kind == "body" and after is not None and _PORTRAIT.match(text) and draft.rows[0].gap > 0 and k > 0:
            draft.kind = "caption"


_LIST = re.compile(r"^[•●◆■▪◦‣]\s?")
#: Name, office: a one-sentence line without a verb stands under a portrait.
_PORTRAIT = re.compile(
    r"^[A-Z][a-z]+(?: [A-Z][a-z.]+){1,2}, (?:(?!\b(?:is|was|are|were|said|says|has|had|will)\b)[^.;:!?]){6,100}\.$"
)


#: Lines at the foot of an article; a line that names its source or day may stand at the head as well.
_FOOT = re.compile(
    r"^[（(\[【［]?(责任编辑|責任編輯|责编|責編|编辑|編輯|校对|原文链接|原文連結|Editor|Original)", re.IGNORECASE
)
_BESIDE = frozenset({"metadata", "caption", "footnote"})


def settle_titles(drafts: Sequence[Draft]) -> None:
    """Make titles of the lines that what follows them shows to be titles.

    A byline, a report's opening (本报讯) or a source line above the text stand under a title, never under a subheading; a subtitle beside no title is
    one; and a line without marks right above a title is the title, the one below it the subtitle.
    """
    for line, after in pairwise(drafts):
        if line.kind == "heading" and (after.kind == "byline" or (after.kind == "body" and _reported(after))):
            line.kind = "title"
    for line, source, after in zip(drafts, drafts[1:], drafts[2:], strict=False):
        stated = source.kind == "metadata" and not _FOOT.match(source.text)
        if line.kind == "heading" and stated and after.kind in ("body", "byline"):
            line.kind = "title"
    for k, line in enumerate(drafts):
        beside = [d.kind for d in drafts[max(0, k - 1) : k + 2] if d is not line]
        if line.kind == "subtitle" and not {"title", "subtitle"} & set(beside):
            line.kind = "title"
    for above, line in pairwise(drafts):
        if line.kind == "title" and above.kind in ("body", "heading") and not _MARKED.search(above.text):
            above.kind, line.kind = "title", "subtitle"


#: On a page, a title speaks for itself by its size, in sizes of the running text.
DISPLAYED = 1.4
#: What a title does without, but running text does not.
_MARKED = re.compile(r"[，。；.,;]|.{50}")


def part_articles(drafts: Sequence[Draft]) -> list[list[Draft]]:
    """Part paragraphs into articles: a title opens one, the line of an affiliation or of the editor closes one.

    A title in the middle is believed where something else speaks for it: the article above is closed, a byline or the
    like follows, or the first article of the source has nothing of the kind either. Else it is a heading.
    """
    settle_titles(drafts)
    articles: list[list[Draft]] = []
    closed = begun = False
    dressed = headed = False  # what the first article has between its title and its text, before any of it
    for k, draft in enumerate(drafts):
        head = _head(drafts, k)
        displayed = draft.rows[0].scale > DISPLAYED
        if draft.kind == "title" and begun and not closed and dressed and not displayed and not _dresses(head):
            draft.kind = "heading"
        if not articles:
            dressed, headed = _dresses(head), any(d.kind == "metadata" for d in head)
            articles.append([])
        elif begun and (
            draft.kind == "title"
            or (closed and draft.kind not in _BESIDE and draft.kind != "affiliation")
            or (
                closed
                and headed
                and draft.kind == "metadata"
                and not _FOOT.match(draft.text)
                and len(head) < len(drafts) - k
            )
        ):
            articles.append([])
            begun = closed = False
        articles[-1].append(draft)
        begun = begun or draft.kind in ("body", "heading", "list")
        closed = begun and (
            draft.kind == "affiliation"
            or (closed and draft.kind in _BESIDE)
            or (draft.kind == "metadata" and _FOOT.match(draft.text) is not None)
        )
    return articles


def _head(drafts: Sequence[Draft], k: int) -> Sequence[Draft]:
    """Return the drafts from the k-th up to the first of running text."""
    end = next((n for n in range(k, len(drafts)) if drafts[n].kind in ("body", "list", "heading", "affiliation")), None)
    return drafts[k : len(drafts) if end is None else end + (drafts[end].kind == "body" and _reported(drafts[end]))]


def _reported(draft: Draft) -> bool:
    return bool(metadata.reporters(draft.text))


def _dresses(head: Sequence[Draft]) -> bool:
    """Return whether a byline, a source line or a report's opening stands at the head of an article."""
    return any(d.kind in ("byline", "metadata", "body") for d in head)


def drop_repeated_title(drafts: list[Draft], left_out: LeftOut) -> list[Draft]:
    """Leave out a title that stands twice at the head of an article."""
    kept: list[Draft] = []
    for draft in drafts:
        twin = next((d for d in kept[:4] if d.text == draft.text and len(draft.text) > 4), None)
        if twin is not None and len(kept) <= 4 and twin is kept[0]:
            left_out.add("repeated_title", draft.text)
            twin.fixes = tuple(sorted({*twin.fixes, "repeated_title"}))
            if twin.kind in ("body", "heading"):
                twin.kind = "title"
            continue
        kept.append(draft)
    return kept


def make_article(drafts: Sequence[Draft], ordinal: int, masthead: Masthead) -> Article:
    """Return an article with what its paragraphs and the running head say of it."""
    titles = [d for d in drafts if d.kind == "title"]
    title = max(titles, key=lambda d: (d.rows[0].scale, -titles.index(d))) if titles else None
    found: dict[str, object] = {}
    for d in drafts:
        if d.kind == "metadata":
            found = {**metadata.fields(d.text), **found}
            if "publisher" not in found and "published_on" in found and (paper := metadata.running_head(d.text)[0]):
                found["publisher"] = paper
        elif d.kind == "byline":
            found.setdefault("authors", metadata.authors(d.text))
            if (day := metadata.find_date(d.text)) is not None:
                found.setdefault("published_on", day)
    opening = next((d for d in drafts if d.kind == "body"), None)
    if not found.get("authors") and opening is not None:
        found["authors"] = metadata.reporters(opening.text)
    where = next((metadata.affiliation(d.text) for d in drafts if d.kind == "affiliation"), None)
    paragraphs = tuple(_paragraph(d) for d in drafts)
    return Article(
        ordinal=ordinal,
        paragraphs=paragraphs,
        language=language_of("\n".join(p.text for p in paragraphs)),
        confidence=mean_confidence(paragraphs),
        title=title.text if title else None,
        authors=tuple(found.get("authors") or ()),  # type: ignore[arg-type]
        affiliation=where,
        publisher=found.get("publisher") or masthead.publisher,  # type: ignore[arg-type]
        published_on=found.get("published_on") or masthead.published_on,  # type: ignore[arg-type]
        url=found.get("url"),  # type: ignore[arg-type]
    )


def _paragraph(draft: Draft) -> Paragraph:
    confidence = 1.0
    for c in draft.certainties:
        confidence *= c
    boxes = _boxes(draft.rows)
    confidence = calibrated(confidence, "page" if boxes else "text") * _recognised(draft.rows)
    numbers = [row.line.number for row in draft.rows]
    return Paragraph(
        kind=draft.kind,
        text=draft.text,
        confidence=round(confidence, 4),
        fixes=draft.fixes,
        boxes=boxes,
        line_first=None if boxes else min(numbers),
        line_last=None if boxes else max(numbers),
        stretches=tuple(Stretch(n, r.line.number, r.line.box) for n, r in zip(draft.starts, draft.rows, strict=True)),
    )


def _recognised(rows: Sequence[Row]) -> float:
    """Return how sure OCR is of the rows' characters, on average; 1 where the file itself names them."""
    scores = [1.0 if row.line.score is None else row.line.score for row in rows]
    return fmean(scores, [len(row.line.text) for row in rows])


def _boxes(rows: Sequence[Row]) -> tuple[Box, ...]:
    """Return one box for each stretch of rows that follow one another in one lane."""
    boxes: list[Box] = []
    for row in rows:
        box = row.line.box
        if box is None:
            continue
        if boxes and not row.starts and boxes[-1].page == box.page:
            boxes[-1] = boxes[-1].around(box)
        else:
            boxes.append(box)
    return tuple(Box(b.page, *(round(x, 2) for x in b[1:])) for b in boxes)
