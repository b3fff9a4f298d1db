"""What changed from one release to the next, article by article and sentence by sentence, and what caused it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.sources import PARTS, changed_for

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.release import Release

#: Of so many changed articles the sentences are compared; of the others it is told that they changed.
MOST_COMPARED = 200
#: Facts about an article that are compared beside its text.
FACTS = ("title", "authors", "affiliation", "publisher", "published_on", "url", "language")


class Piece(NamedTuple):
    """Sentences that both releases have (`same`), or only the one (`gone`) or the other (`new`)."""

    mark: Literal["same", "gone", "new"]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """An article that was added, changed or removed.

    `facts` are those that differ, before and after, `pieces` its sentences where they do (of the first so many articles).
    """

    article_id: str
    source: str
    title: str | None
    cause: str
    facts: Mapping[str, tuple[str, str]]
    pieces: tuple[Piece, ...] = ()


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
    differing = [key for key in both if any(before[key][name] != after[key][name] for name in (*FACTS, "text_sha256"))]
    compared = {key for key in differing[:MOST_COMPARED] if before[key]["text_sha256"] != after[key]["text_sha256"]}
    old_sentences, new_sentences = _sentences(old, compared, shared), _sentences(new, compared, shared)

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
                pieces(old_sentences[key], new_sentences[key]) if key in compared else (),
            )
            for key in differing
        ),
        removed=lone(before.keys() - after.keys(), before, True),
    )


def pieces(before: Sequence[str], after: Sequence[str]) -> tuple[Piece, ...]:
    """Lay two texts over each other, sentence by sentence.

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
    return tuple(found)


def _said(value: object) -> str:
    if isinstance(value, list):
        return "、".join(map(str, value))
    return "" if value is None else str(value)


def _digests(release: Release) -> frozenset[str]:
    return frozenset(segment.parts["articles"].sha256 for segment in release.segments)


def _parts(release: Release, table: str, shared: frozenset[str]) -> list[Path]:
    return [
        segment.paths(release.path)[table]
        for segment in release.segments
        if segment.parts["articles"].sha256 not in shared
    ]


def _articles(release: Release | None, shared: frozenset[str]) -> dict[str, dict[str, Any]]:
    columns = ["article_id", "source", "text_sha256", *FACTS]
    parts = _parts(release, "articles", shared) if release else []
    return {row["article_id"]: row for part in parts for row in pq.read_table(part, columns=columns).to_pylist()}


def _sentences(release: Release | None, wanted: set[str], shared: frozenset[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {key: [] for key in wanted}
    ids = pa.array(sorted(wanted), pa.string())
    for part in _parts(release, "sentences", shared) if release and wanted else []:
        table = pq.read_table(part, columns=["article_id", "text"])
        table = table.filter(pc.is_in(table["article_id"], ids))
        for key, text in zip(table["article_id"].to_pylist(), table["text"].to_pylist(), strict=True):
            found[key].append(text)
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
