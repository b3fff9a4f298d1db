"""What there is to do: the raw files there are, held against the current release."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import expectations
from flows import accepted, corrections
from flows.corrections import Unapplied
from flows.read import weight
from flows.settings import WrongSettings
from tasks import release, sources
from tasks.document import Source
from tasks.instructions import Instructions, Options
from tasks.release import NoRelease, Release, Staging
from tasks.sources import Fingerprint, Listing, Plan, escape_name

if TYPE_CHECKING:
    from flows.settings import Settings


@dataclass(frozen=True, slots=True)
class Job:
    """What there is to do: the plan, what it was made from, and what will read and judge.

    `unapplied` are corrections that will not be (all) applied, as far as can be told before the sources are read.
    """

    plan: Plan
    listing: Listing
    instructions: Instructions
    fingerprint: Fingerprint
    judged_by: str
    parent: Release | None
    unapplied: tuple[Unapplied, ...] = ()

    def fingerprint_of(self, source: Source, kinds: Iterable[str]) -> str:
        """Return what `sources.fingerprint` says of a source that is read now, and found to be of these kinds."""
        return self.fingerprint.of(self.instructions.own(source), kinds)

    @property
    def is_empty(self) -> bool:
        """Whether the release after it would be the same as the one before."""
        return self.plan.is_empty and (self.parent is None or self.parent.manifest["judged_by"] == self.judged_by)

    @property
    def counts(self) -> dict[str, int]:
        """How many sources the plan has of each sort."""
        sorts = ("new", "changed", "redo", "gone", "unchanged", "waiting")
        return {sort: len(getattr(self.plan, sort)) for sort in sorts} | {"ignored": len(self.listing.ignored)}


def plan(settings: Settings, *, full: bool = False, now: datetime | None = None) -> Job:
    """Find out what a run would do and why, at the present unless `now` is given. Changes nothing but a cache of hashes.

    Raises `WrongSettings` for paths that cannot be used.
    """
    check_paths(settings)
    try:
        parent = release.open_release(settings.processed)
    except NoRelease:
        parent = None
    work = settings.processed / ".work"
    cache = work / "hashes.json" if work.is_dir() else None
    listing = sources.discover(settings.raw, cache=cache, most_bytes=settings.limits.memory_bytes)
    orders = instructions(settings)
    made_by = sources.fingerprint({"encoding": settings.encoding}, settings.dictionary, ocr=settings.reads_scans)
    judged_by = _judged_by(settings)
    planned = sources.plan(
        listing,
        made_by,
        parent.table("sources", sources.STATE) if parent else None,
        parent.manifest["fingerprint"] if parent else None,
        own=orders.own,
        retry_rejected=parent is not None and parent.manifest["judged_by"] != judged_by,
        due=_due(parent, day_of(now)) if parent else (),
        full=full,
    )
    job = Job(planned, listing, orders, made_by, judged_by, parent)
    read_again = {source.source for source in planned.todo}
    return replace(job, unapplied=unapplied(job, parent, read_again))


def instructions(settings: Settings) -> Instructions:
    """Return how each source is to be read, as the settings and the corrections file say it."""
    dictionary = str(settings.dictionary.resolve()) if settings.dictionary else None
    folders = {escape_name(name): folder.reading for name, folder in settings.folders.items() if folder.reading}
    return Instructions(
        Options(dictionary, settings.encoding, ocr=settings.reads_scans),
        folders,
        corrections.load(settings.corrections),
    )


def unapplied(job: Job, found: Release | Staging | None, read_again: Collection[str] = ()) -> tuple[Unapplied, ...]:
    """Return the corrections that do not (all) apply, `found` telling what became of those of sources that were read."""
    hashes = {source.source: source.sha256 for source in job.listing.sources}
    unknown = {*job.listing.waiting, *(source for source, sha256 in hashes.items() if not sha256)}
    entries = {source: own for source, own in job.instructions.corrections.items() if source not in unknown}
    outcomes = corrections.outcomes(found, entries.keys() - set(read_again)) if found else {}
    return tuple(corrections.unapplied(entries, hashes, outcomes))


def touched(job: Job) -> dict[str, list[dict[str, Any]]]:
    """Return, by source, the published articles (`article_id`, `title`) that may come out otherwise, or leave."""
    sources = [change.source for change in (*job.plan.changed, *job.plan.redo, *job.plan.gone)]
    if job.parent is None or not sources:
        return {}
    rows = job.parent.table("articles", ["article_id", "source", "title"]).to_pylist()
    found: dict[str, list[dict[str, Any]]] = {source: [] for source in sources}
    for row in rows:
        if row["source"] in found:
            found[row["source"]].append({"article_id": row["article_id"], "title": row["title"]})
    return found


def estimate(settings: Settings, job: Job) -> float | None:
    """Say how many seconds a run would take at the pace of those whose releases are kept; None before there was any.

    Their seconds for so many bytes of text, and never less than the shortest of them took.
    """
    if job.is_empty:
        return 0.0
    figures = [found.manifest["metrics"] for found in release.releases(settings.processed)]
    runs = [(run["seconds"], run["weight"]) for run in figures if run.get("weight")]
    if not runs:
        return None
    seconds, weights = (sum(column) for column in zip(*runs, strict=True))
    return float(max(min(spent for spent, _ in runs), sum(map(weight, job.plan.todo)) * seconds / weights))


def day_of(now: datetime | None) -> date:
    """Return the day it is where the newspapers are read: on this machine, at the present unless it is given."""
    return (now or datetime.now(UTC)).astimezone().date()


def _due(parent: Release, today: date) -> set[str]:
    """Return the sources with an article that was rejected since its date lay in the future, and does no more."""
    rows = parent.table("rejects", ["source", "check", "evidence"]).to_pylist()
    dated = [(row["source"], json.loads(row["evidence"])) for row in rows if row["check"] == "date_possible"]
    day = int(today.strftime("%Y%m%d"))
    return {
        source for source, evidence in dated if any(1800_01_01 <= seen["published_day"] <= day for seen in evidence)
    }


def check_paths(settings: Settings) -> None:
    """Refuse folders that are none, and a dataset among its own raw files."""
    if not settings.raw.is_dir():
        raise WrongSettings(f"{settings.raw}: no such folder of raw articles; name one with --raw")
    if os.path.lexists(settings.processed) and not settings.processed.is_dir():
        raise WrongSettings(f"{settings.processed}: not a folder; name another with --processed")
    raw, processed = settings.raw.resolve(), settings.processed.resolve()
    if processed == raw or raw in processed.parents or processed in raw.parents:
        raise WrongSettings(f"{settings.processed}: the releases must lie apart from the raw articles, {settings.raw}")


def _judged_by(settings: Settings) -> str:
    """Hash what decides about rejecting: when it changes, all is judged again and rejected sources get a new try."""
    judges = [*sorted(Path(expectations.__path__[0]).glob("*.py")), Path(sources.__file__).with_name("quality.py")]
    bounds = json.dumps(
        [
            dict(settings.expectations),
            dict(settings.grades),
            {name: dict(folder.expectations) for name, folder in settings.folders.items() if folder.expectations},
            settings.limits.model_dump(),
            accepted.load(settings.accepted),
        ],
        sort_keys=True,
    )
    return hashlib.sha256(f"{sources.hash_files(judges)} {bounds}".encode()).hexdigest()[:16]
