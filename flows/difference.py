"""What changed from one release to the next, article by article and sentence by sentence, and what caused it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.corrections import FACTS
from tasks.sources import PARTS, changed_for

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.release import Release

#: Of so many changed articles the sentences are compared; of the others it is told that they changed.
MOST_COMPARED = 200
#: Characters of a paragraph that tell it from others.
BEGIN = 20


class Piece(NamedTuple):
    """Sentences that both releases have (`same`), or only the one (`gone`) or the other (`new`)."""

    mark: Literal["same", "gone", "new"]
    sentences: tuple[str, ...]


class Shape(NamedTuple):
    """A paragraph as far as it is compared."""

    kind: str
    text: str


class Reshaped(NamedTuple):
    """Paragraphs that hold the same characters as before, and are of another kind, split or joined."""

    before: tuple[Shape, ...]
    after: tuple[Shape, ...]

    @property
    def told(self) -> str:
        """Say what was done, and where each paragraph that came of it begins.

        >>> Reshaped((Shape("heading", "雨停了"),), (Shape("body", "雨停了"),)).told
        'heading -> body: 雨停了'
        >>> Reshaped((Shape("body", "雨停了。船开了。"),), (Shape("body", "雨停了。"), Shape("body", "船开了。"))).told
        'split into 2: 雨停了。 | 船开了。'
        """
        n, m = len(self.before), len(self.after)
        kinds = [" ".join(dict.fromkeys(shape.kind for shape in side)) for side in self]
        done = {n < m: f"split into {m}", n > m: f"{n} joined into {m}"}.get(True, "parted otherwise" if n > 1 else "")
        told = ", ".join(filter(None, [done, " -> ".join(kinds) if kinds[0] != kinds[1] else ""]))
        return f"{told}: {' | '.join(_begin(shape.text) for shape in self.after)}"


@dataclass(frozen=True, slots=True)
class Change:
    """An article that was added, changed or removed.

    `facts` are those that differ, before and after, `pieces` its sentences where they do, and `reshaped` its paragraphs
    that only look different now (of the first so many articles).
    """

    article_id: str
    source: str
    title: str | None
    cause: str
    facts: Mapping[str, tuple[str, str]]
    pieces: tuple[Piece, ...] = ()
    reshaped: tuple[Reshaped, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """What a release added, changed and removed, each in the order of its sources."""

    added: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()
    removed: tuple[Change, ...] = ()


def difference(old: Release | None, new: Release) -> Difference:
    """Compare two releases; parts that both have are not read. Without an `old` one everything was added."""
    shared = _digests(old) & _digests(new) if old else frozenset()
    before, after = _articles(old, shared), _articles(new, shared)
    causes = _Causes(old, new)
    both = sorted((before.keys() & after.keys()), key=lambda key: (after[key]["source"], key))
    differing = [key for key in both if any(before[key][name] != after[key][name] for name in (*FACTS, "shape"))]
    compared = {key for key in differing[:MOST_COMPARED] if before[key]["shape"] != after[key]["shape"]}
    old_sentences, new_sentences = (_rows(r, "sentences", ["text"], compared, shared) for r in (old, new))
    old_shapes, new_shapes = (_rows(r, "paragraphs", ["kind", "text"], compared, shared) for r in (old, new))

    def lone(keys: Iterable[str], rows: Mapping[str, Mapping[str, Any]], was: bool) -> tuple[Change, ...]:
        found = [
            Change(key, rows[key]["source"], rows[key]["title"], causes.of(rows[key]["source"], was), {})
            for key in keys
        ]
        return tuple(sorted(found, key=lambda change: (change.source, change.article_id)))

    return Difference(
        added=lone(after.keys() - before.keys(), after, False),
        changed=tuple(
            Change(
                key,
                after[key]["source"],
                after[key]["title"],
                causes.of(after[key]["source"], False),
                {
                    name: (_said(before[key][name]), _said(after[key][name]))
                    for name in FACTS
                    if before[key][name] != after[key][name]
                },
                pieces([s for (s,) in old_sentences[key]], [s for (s,) in new_sentences[key]]),
                reshaped([Shape(*row) for row in old_shapes[key]], [Shape(*row) for row in new_shapes[key]]),
            )
            for key in differing
        ),
        removed=lone(before.keys() - after.keys(), before, True),
    )


def pieces(before: Sequence[str], after: Sequence[str]) -> tuple[Piece, ...]:
    """Lay two texts over each other, sentence by sentence; nothing where all are the same.

    >>> pieces(["天亮了。", "下雨。"], ["天亮了。", "下雪。"])
    (Piece(mark='same', sentences=('天亮了。',)), Piece(mark='gone', sentences=('下雨。',)), Piece(mark='new', sentences=('下雪。',)))
    """
    found: list[Piece] = []
    for what, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            found.append(Piece("same", tuple(before[i:j])))
            continue
        if i < j:
            found.append(Piece("gone", tuple(before[i:j])))
        if k < m:
            found.append(Piece("new", tuple(after[k:m])))
    return tuple(found) if any(piece.mark != "same" for piece in found) else ()


def reshaped(before: Sequence[Shape], after: Sequence[Shape]) -> tuple[Reshaped, ...]:
    """Return the paragraphs that became others without a character changed, in their order.

    >>> reshaped([Shape("body", "a b"), Shape("body", "c")], [Shape("body", "a"), Shape("body", "b"), Shape("list", "c")])
    (Reshaped(before=(Shape(kind='body', text='a b'),), after=(Shape(kind='body', text='a'), Shape(kind='body', text='b'))),
     Reshaped(before=(Shape(kind='body', text='c'),), after=(Shape(kind='list', text='c'),)))
    """
    found: list[Reshaped] = []
    i = k = 0
    texts = [_ink(shape) for shape in before], [_ink(shape) for shape in after]
    for match in SequenceMatcher(None, *texts, autojunk=False).get_matching_blocks():
        olds, news = before[i : match.a], after[k : match.b]
        if olds and _ink(*olds) == _ink(*news):
            found.append(Reshaped(tuple(olds), tuple(news)))
        i, k = match.a + match.size, match.b + match.size
        pairs = zip(before[match.a : i], after[match.b : k], strict=True)
        found += [Reshaped((old,), (new,)) for old, new in pairs if old.kind != new.kind]
    return tuple(found)


def _ink(*shapes: Shape) -> str:
    """Return the characters of paragraphs without white space, which is all that parting and joining changes."""
    return "".join("".join(shape.text.split()) for shape in shapes)


def _begin(text: str) -> str:
    return text if len(text) <= BEGIN else f"{text[:BEGIN]}…"


def _said(value: object) -> str:
    if isinstance(value, list):
        return "、".join(map(str, value))
    return "" if value is None else str(value)


def _digests(release: Release) -> frozenset[str]:
    return frozenset(segment.parts["articles"].sha256 for segment in release.segments)


def _segments(release: Release | None, shared: frozenset[str]) -> list[Mapping[str, Path]]:
    """Return the parts, by table, of those segments that only this release has."""
    own = [s for s in release.segments if s.parts["articles"].sha256 not in shared] if release else []
    return [segment.paths(release.path) for segment in own] if release else []


def _articles(release: Release | None, shared: frozenset[str]) -> dict[str, dict[str, Any]]:
    """Return the facts of each article by its id, with its `shape`: a hash of its paragraphs' kinds and texts, in order."""
    import polars as pl

    found: dict[str, dict[str, Any]] = {}
    for segment in _segments(release, shared):
        row = pl.struct("kind", "text").hash() * pl.int_range(1, pl.len() + 1, dtype=pl.UInt64)
        paragraphs = pl.read_parquet(segment["paragraphs"], columns=["article_id", "kind", "text"])
        shapes = dict(paragraphs.group_by("article_id").agg(row.sum()).iter_rows())
        for article in pq.read_table(segment["articles"], columns=["article_id", "source", *FACTS]).to_pylist():
            found[article["article_id"]] = {**article, "shape": shapes.get(article["article_id"])}
    return found


def _rows(
    release: Release | None, table: str, columns: list[str], wanted: set[str], shared: frozenset[str]
) -> dict[str, list[tuple[str, ...]]]:
    """Return these columns of a table, row by row, of the articles that are wanted."""
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    ids = pa.array(sorted(wanted), pa.string())
    for segment in _segments(release, shared) if wanted else ():
        rows = pq.read_table(segment[table], columns=["article_id", *columns], filters=pc.field("article_id").isin(ids))
        for key, *values in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            found[key].append(tuple(values))
    return found


class _Causes:
    """Says why a source's articles are not what they were, from what both releases know of it."""

    def __init__(self, old: Release | None, new: Release) -> None:
        self.old, self.new = (_states(release) for release in (old, new))
        before = old.manifest["fingerprint"] if old else {}
        after = new.manifest["fingerprint"]
        self.parts = [name for name in PARTS if before.get(name) != after.get(name)]

    def of(self, source: str, was_there: bool) -> str:
        before, after = self.old.get(source), self.new.get(source)
        if before is None:
            return "new source"
        if after is None:
            return "source is gone"
        if before["sha256"] != after["sha256"]:
            return "source changed"
        if was_there and after["status"] != "published":
            return f"rejected: {after['reason']}"
        if before["fingerprint"] != after["fingerprint"]:
            names = changed_for(before["fingerprint"], after["fingerprint"], self.parts)
            return f"{', '.join(names)} changed" if names else "read again"
        return "checks changed"


def _states(release: Release | None) -> dict[str, dict[str, Any]]:
    if release is None:
        return {}
    columns = ["source", "sha256", "status", "reason", "fingerprint"]
    rows = release.table("sources", columns).to_pylist()
    return {row["source"]: row for row in rows}
