"""Rows that a person has let pass a check: `accepted.toml`, kept under version control.

An entry holds for one article, one check and the bytes of its source as they were when somebody looked at them; when
the source changes, the check speaks again.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from flows.settings import WrongSettings

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.document import Reject

HEADER = """\
# What may pass a check that it fails, and why: written by `wenliu rejects accept`, to be kept under version control.
# An entry holds while its source's bytes stay the same; take it out and the check speaks again.
"""


class Accepted(NamedTuple):
    """An article that may fail a check while its source has this SHA-256, and why."""

    article_id: str
    source: str
    sha256: str
    check: str
    because: str


def load(path: Path) -> tuple[Accepted, ...]:
    """Return the entries of the file, none where there is no file; raise `WrongSettings` for one that is wrong."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WrongSettings(f"{path}: not valid TOML: {error}") from None
    entries = found.pop("accept", [])
    if found or not isinstance(entries, list):
        raise WrongSettings(f"{path}: only entries [[accept]] are known")
    return tuple(_entry(path, number, entry) for number, entry in enumerate(entries, start=1))


def _entry(path: Path, number: int, entry: Any) -> Accepted:
    from expectations.suites import ACCEPTABLE

    if not isinstance(entry, dict) or entry.keys() != set(Accepted._fields):
        raise WrongSettings(f"{path}: entry {number}: it has to have {', '.join(Accepted._fields)}, and nothing else")
    if wrong := [name for name, value in entry.items() if not isinstance(value, str) or not value.strip()]:
        raise WrongSettings(f"{path}: entry {number}: {wrong[0]}: a text that is not empty is needed")
    if entry["check"] not in ACCEPTABLE:
        raise WrongSettings(f"{path}: entry {number}: {entry['check']}: no check that a row may be let pass")
    return Accepted(**entry)


def accept(path: Path, row: Mapping[str, Any], sha256: str, because: str) -> Accepted:
    """Add the entry that lets a reject's article pass the check it failed; raise `WrongSettings` where none can."""
    from expectations.suites import ACCEPTABLE

    if row["stage"] != "check" or row["check"] not in ACCEPTABLE or not row["article_id"]:
        told = "what could not be read or is broken can only be mended"
        raise WrongSettings(f"{row['reject_id']}: {row['check']} ({row['stage']}) cannot be accepted: {told}")
    if not because.strip():
        raise WrongSettings("--because: say why, for those who come after you")
    entry = Accepted(row["article_id"], row["source"], sha256, row["check"], " ".join(because.split()))
    known = load(path)
    if any(old[:4] == entry[:4] for old in known):
        return entry
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in entry._asdict().items()]
    before = path.read_text(encoding="utf-8") if path.exists() else HEADER
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(before.rstrip("\n") + "\n\n[[accept]]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    try:
        load(draft)
    except WrongSettings:
        draft.unlink()
        raise
    draft.replace(path)
    return entry


def let_pass(
    rows: Mapping[str, tuple[Reject, ...]], entries: Collection[Accepted], hashes: Mapping[str, str]
) -> dict[str, tuple[Reject, ...]]:
    """Return what is still to be withdrawn, by article; `hashes` are those of the sources as they are now.

    >>> from tasks.document import Reject
    >>> late = Reject("check", "date_possible", "", "")
    >>> entry = Accepted("a-0000", "a.txt", "12", "date_possible", "printed so")
    >>> let_pass({"a-0000": (late,)}, [entry], {"a.txt": "12"}), len(let_pass({"a-0000": (late,)}, [entry], {"a.txt": "9"}))
    ({}, 1)
    """
    passing = {(entry.article_id, entry.check) for entry in entries if hashes.get(entry.source) == entry.sha256}
    left = {key: tuple(r for r in found if (key, r.check) not in passing) for key, found in rows.items()}
    return {key: found for key, found in left.items() if found}


def stale(entries: Sequence[Accepted], hashes: Mapping[str, str]) -> list[Accepted]:
    """Return the entries that hold no more, since their source changed or is gone."""
    return [entry for entry in entries if hashes.get(entry.source) != entry.sha256]
