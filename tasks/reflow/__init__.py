"""Lines to articles: the heart of the project.

    reading ─▶ rows in reading order ─▶ fill test ─▶ labels ─▶ paragraphs ─▶ articles

`reflow` reads top to bottom; each step is a module of this room.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tasks.clean import sets_space
from tasks.document import Article, Opening, Reading, count_chars
from tasks.reflow import metadata
from tasks.reflow.articles import (
    Draft,
    LeftOut,
    Masthead,
    draft_paragraphs,
    drop_repeated_title,
    join_rows,
    make_article,
    part_articles,
    settle_kinds,
    words_of,
)
from tasks.reflow.labels import label_rows, with_openings
from tasks.reflow.layout import arrange
from tasks.reflow.rows import Row


def reflow(reading: Reading, opening: Opening | None = None) -> tuple[tuple[Article, ...], Mapping[str, int]]:
    """Return the articles of a source in reading order, and how many characters each rule left out.

    `opening` is what a paragraph of running text begins with, where that is known. Every character of `reading` that
    is not white space is in a paragraph or counted as left out.
    """
    rows = arrange(reading)
    running = [row for row in rows if not row.aside]
    drafts = draft_paragraphs(running, with_openings(running, label_rows(running), opening))
    drafts = _with_captions(drafts, rows)
    left_out = LeftOut()
    spaced, words = sets_space(row.text for row in rows), words_of(rows)
    for draft in drafts:
        join_rows(draft, spaced, words, left_out)
    settle_kinds(drafts)
    head = _masthead(rows)
    articles = tuple(
        make_article(drop_repeated_title(part, left_out), n, head) for n, part in enumerate(part_articles(drafts))
    )
    for row in rows:
        if row.aside and row.aside != "caption":
            left_out.add(row.aside, row.line.text)
    left_out.chars += _dropped(reading, rows)
    return articles, dict(sorted(left_out.chars.items()))


def _with_captions(drafts: Sequence[Draft], rows: Sequence[Row]) -> list[Draft]:
    """Put each caption behind the paragraph that was being read where it stood."""
    captions: list[tuple[int, Draft]] = []
    place = {id(row): n for n, row in enumerate(rows)}
    last: Row | None = None
    for row in rows:
        if row.aside == "caption":
            if captions and last is not None and last.aside == "caption":
                captions[-1][1].rows.append(row)
            else:
                captions.append((place[id(row)], Draft("caption", [row], [0.95])))
        last = row
    merged = [(place[id(d.rows[0])], d) for d in drafts] + captions
    return [d for _, d in sorted(merged, key=lambda x: x[0])]


def _masthead(rows: Sequence[Row]) -> Masthead:
    head = Masthead()
    for row in rows:
        if row.aside == "running_head":
            paper, day = metadata.running_head(row.text)
            head.publisher = head.publisher or paper
            head.published_on = head.published_on or day
    return head


def _dropped(reading: Reading, rows: Sequence[Row]) -> Counter[str]:
    """Count the characters that cleaning dropped from lines: invisible ones, and lines of nothing else."""
    raw = sum(count_chars(line.text) for page in reading.pages for line in page.lines)
    kept = sum(count_chars(row.line.text if row.aside not in ("", "caption") else row.text) for row in rows)
    return Counter({"drop_invisible": raw - kept}) if raw != kept else Counter()


__all__ = ["arrange", "reflow"]
