"""The main job from raw files to a published release, top to bottom, without Prefect.

`flows.ingest` runs the same steps as a Prefect flow; `InThreads` runs them where there is no Prefect, or no wish for it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from flows import accepted
from flows.finished import Finished
from flows.job import Job, check_paths, day_of, plan, unapplied
from flows.metrics import Cost
from flows.read import read
from flows.settings import WrongSettings
from tasks import release
from tasks.release import Held, Staging, Store
from tasks.sources import escape_name

if TYPE_CHECKING:
    from expectations.check import Finding, Verdict
    from expectations.history import Departure, Profile
    from flows.alerts import Alert
    from flows.settings import Settings
    from tasks.release import Release

R = TypeVar("R")
Item = TypeVar("Item")

#: Hears how far a run is: the stage, how many of its items are done, and how many there are.
Watch = Callable[[str, int, int], None]

#: Hears what a run does and meets: how grave it is, and one line.
Log = Callable[[Literal["info", "warning"], str], None]

#: The tables whose rows a summary tells.
TOLD = ("sources", "articles", "paragraphs", "rejects")
#: Withdrawing an article may make a check of another row fail; when that goes on for so long, something else is wrong.
ROUNDS = 3


def silent(stage: str, done: int, total: int) -> None:
    """Hear nothing: the watch of whoever does not want one."""


def unheard(level: str, message: str) -> None:
    """Let what a run says go unheard: the log of whoever does not want one."""


class Steps(Protocol):
    """How the steps of a run are carried out: here and now, or as Prefect's tasks."""

    def each(self, name: str, step: Callable[[Item], R], items: Sequence[Item], workers: int) -> Iterator[R]:
        """Run `step` on each item, `workers` at a time, and yield the results as they come."""

    def once(self, name: str, step: Callable[[], R]) -> R:
        """Run one step and return its result."""


class InThreads:
    """Runs the steps here, batches in threads: the work itself is done in the guard's processes."""

    def each(self, name: str, step: Callable[[Item], R], items: Sequence[Item], workers: int) -> Iterator[R]:  # noqa: ARG002
        """Run `step` on each item, `workers` at a time, and yield the results as they come."""
        with ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(step, item) for item in items]
            try:
                for future in as_completed(futures):
                    yield future.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def once(self, name: str, step: Callable[[], R]) -> R:  # noqa: ARG002
        """Run one step and return its result."""
        return step()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    `read` counts what this run read, `rows` the rows of the release by table; `rejects` are the rows of the table of
    that name for what this run read; `refusals` say why a release was refused, `warnings` what is worth a look: findings
    with `check`, `message`, `remedy`, `count` and `evidence`. `alerts` are the messages that were sent, or are kept;
    `metrics` say what the run cost (`flows.metrics`).
    """

    status: Literal["published", "nothing new", "refused"]
    release: str | None
    path: Path | None
    planned: Mapping[str, int]
    rows: Mapping[str, int] = field(default_factory=dict)
    read: Mapping[str, int] = field(default_factory=dict)
    rejects: Sequence[Mapping[str, Any]] = ()
    refusals: Sequence[Mapping[str, Any]] = ()
    warnings: Sequence[Mapping[str, Any]] = ()
    alerts: Sequence[Alert] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def causes(self) -> list[tuple[str, str, int, str]]:
        """Group the rejects: stage, check, how many, and what to do about it; the most frequent first."""
        counted = Counter((row["stage"], row["check"]) for row in self.rejects)
        remedies = {(row["stage"], row["check"]): row["remedy"] for row in self.rejects}
        return [(*cause, number, remedies[cause]) for cause, number in counted.most_common()]

    @property
    def headline(self) -> str:
        """Say in one line what came of it."""
        if self.status == "nothing new":
            return "nothing new" + (f"; {self.release} stays" if self.release else "")
        if self.status == "refused":
            reasons = "; ".join(f"{finding['check']}: {finding['message']}" for finding in self.refusals)
            return f"refused, nothing is published: {reasons}"
        rejected = f", {len(self.rejects):,} rejected" if self.rejects else ""
        return f"published {self.release}: {self.rows['articles']:,} articles{rejected}"


def nothing_new(settings: Settings, job: Job, now: datetime | None = None) -> Outcome | None:
    """Return the outcome of a run that has nothing to do, or None when there is something.

    That nothing comes any more is a finding too: it warns of folders whose newest article is late, and of what people
    decided that is not in force.
    """
    if not job.is_empty:
        return None
    if job.parent is None:
        return Outcome("nothing new", None, None, job.counts)
    rows = {name: table["rows"] for name, table in job.parent.manifest["tables"].items()}
    late = [asdict(finding) for finding in overdue(settings, job, day_of(now))]
    warnings = [*late, *lapsed(settings, job, job.parent)]
    return Outcome("nothing new", job.parent.id, job.parent.path, job.counts, rows, warnings=warnings)


def overdue(settings: Settings, job: Job, day: date) -> Sequence[Finding]:
    """Return what the checks say of folders of which nothing has come for long; loads them only if there are any."""
    from expectations.history import lateness, past
    from expectations.suites import in_force

    before = past(job.parent.manifest["metrics"]) if job.parent else ()
    if not before:
        return ()
    own = _bounds_by_folder(settings)
    bounds = {name: in_force({**settings.expectations, **own.get(name, {})}) for name in before[-1].folders}
    lags = [lateness(n, f.newest, day, before, bounds[n]["history_runs"]) for n, f in before[-1].folders.items()]
    if not any(lag.departure is not None and lag.departure > bounds[lag.subject]["late_days"] for lag in lags):
        return ()
    from expectations.check import check_history

    verdict = check_history(lags, settings.expectations, settings.grades, own)
    return (*verdict.refusals, *verdict.warnings)


def _bounds_by_folder(settings: Settings) -> dict[str, Mapping[str, float]]:
    return {escape_name(name): folder.expectations for name, folder in settings.folders.items()}


def run(
    settings: Settings,
    *,
    full: bool = False,
    steps: Steps | None = None,
    watch: Watch = silent,
    log: Log = unheard,
    now: datetime | None = None,
) -> Outcome:
    """Ingest what is new under `raw`, check it, publish it under `processed`, and tell who wants to know.

    `now` is the present unless it is given. Raises `WrongSettings`, `release.Busy` and `release.Held`; `GuardError`
    and `release.StorageError` when the machinery fails. Whatever is raised, the release there was stays, and
    finished documents are kept for the next run.
    """
    from flows import alerts

    check_paths(settings)
    alerts.open_channels(settings)  # wrong ones are found before anything is done
    try:
        with release.storing(settings.processed):
            outcome = _run(settings, full, steps or InThreads(), watch, log, now)
    except (WrongSettings, release.Busy, Held):
        raise
    except Exception as error:
        with suppress(Exception):  # of two errors the first is the one to tell
            alerts.tell_failure(settings, error, now)
        raise
    return told(settings, outcome, now, log)


def told(settings: Settings, outcome: Outcome, now: datetime | None = None, log: Log = unheard) -> Outcome:
    """Send the alerts that an outcome amounts to, and return it with them, and with a warning of what was not taken."""
    from flows import alerts

    try:
        sent = alerts.tell(settings, outcome, now)
    except OSError as error:
        sent = alerts.Told(away={f"({error})": 0})
    away = [
        {
            "check": "alerts_taken",
            "table": "alerts",
            "message": f"The alert channel {name} took no message; {number:,} are kept for the next run.",
            "remedy": "See that the channel's address is right and can be reached from here; then run again.",
            "count": 1,
            "evidence": "",
        }
        for name, number in sent.away.items()
    ]
    for finding in away:
        log("warning", str(finding["message"]))
    return replace(outcome, alerts=sent.alerts, warnings=[*outcome.warnings, *away])


def _run(
    settings: Settings,
    full: bool,
    by: Steps,
    watch: Watch,
    log: Log,
    now: datetime | None,
) -> Outcome:
    cost = Cost()
    cost.stages.enter("plan")
    with release.publishing(settings.processed) as store:
        _refuse_while_held(store)
        (settings.processed / ".work").mkdir(exist_ok=True)
        job = plan(settings, full=full, now=now)
        if nothing := nothing_new(settings, job, now):
            log("info", nothing.headline)
            return nothing
        log("info", "to do: " + ", ".join(f"{number:,} {sort}" for sort, number in job.counts.items() if number))

        cost.stages.enter("reading")
        reading = read(settings, job, by, watch)
        finished, fresh, unsettled = reading.finished, reading.fresh, reading.unsettled
        for source in unsettled:
            log("info", f"{source}: changed while it was read; left for the next run")

        watch("staging", 0, 1)
        cost.stages.enter("stage")
        staging = by.once("stage", lambda: stage(job, store, finished, fresh, now))

        watch("checking", 0, 1)
        cost.stages.enter("check")
        checked = by.once("check", lambda: check(settings, job, staging, fresh, unsettled, now))
        counts, rejects = this_runs(job.parent, staging, fresh)
        outcome = Outcome(
            status="refused" if checked.refusals else "published",
            release=None if checked.refusals else staging.id,
            path=settings.processed / "releases" / staging.id,
            planned=job.counts,
            rows=staging.rows,
            read=counts,
            rejects=rejects,
            refusals=checked.summary["refusals"],
            warnings=[*checked.summary["warnings"], *lapsed(settings, job, staging)],
        )
        cost.stages.enter("publish")
        for finding in outcome.warnings:
            log("warning", f"{finding['check']} ({finding['count']:,}): {finding['message']}")
        _write_report(job, staging, checked, replace(outcome, metrics=cost.figures(reading, staging)), log)
        if checked.refusals:
            figures = cost.figures(reading, staging)
            outcome = replace(outcome, path=by.once("refuse", lambda: refuse(staging, checked, figures)))
        else:
            watch("publishing", 0, 1)
            figures = {"planned": job.counts, "read": counts, **cost.figures(reading, staging)}
            by.once("publish", lambda: publish(job, staging, checked, figures, now))
            try:
                store.retain(settings.retention.releases, settings.retention.hours, now)
            except release.StorageError as error:  # it is published all the same
                log("warning", f"old releases stay for now: {error}")
            finished.clear()
    log("info", outcome.headline)
    figures = cost.figures(reading, staging)
    return replace(outcome, metrics=figures, seconds=figures["seconds"])


def _write_report(job: Job, staging: Staging, checked: Checked, outcome: Outcome, log: Log) -> None:
    from flows import report

    try:
        report.write(job, staging, checked, outcome)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a page for people, the data is as good
        log("warning", f"no report could be written: {type(error).__name__}: {error}")


def check_open(settings: Settings) -> None:
    """Raise `release.Busy` while another run publishes, and `release.Held` while a rollback holds publishing."""
    with release.publishing(settings.processed) as store:
        _refuse_while_held(store)


def _refuse_while_held(store: Store) -> None:
    """Raise `Held`, for a run would only read what it may not publish."""
    if hold := store.held:
        why = f" ({hold['because']})" if hold["because"] else ""
        raise Held(
            f"publishing is held since {hold['since'] or '?'} by a rollback{why}: `wenliu resume` opens it again"
        )


def stage(job: Job, store: Store, finished: Finished, fresh: Mapping[str, int], now: datetime | None = None) -> Staging:
    """Write the next release where no reader sees it, with the quality of each article counted from what is written."""
    from tasks.quality import quality

    gone = [change.source for change in job.plan.gone]
    return store.stage(fresh, finished.tables, quality, gone=gone, judged_by=job.judged_by, now=now)


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks said in all their rounds: the first looks at everything new, later ones at what was withdrawn from.

    `profile` is the run in a few figures as it would be published, `history` what was made of it, `before` those of the
    runs before.
    """

    rounds: tuple[Verdict, ...]
    profile: Profile
    history: Sequence[Departure]
    before: Sequence[Profile]

    @property
    def refusals(self) -> list[Finding]:
        """Return why nothing may be published; empty when the release may."""
        return list(self.rounds[-1].refusals)

    @property
    def summary(self) -> dict[str, Any]:
        """Return what `release.json`, or the verdict of a refused release, says of the checks."""
        withdrawn = [reject.check for verdict in self.rounds for rejects in verdict.rows.values() for reject in rejects]
        return {
            "refusals": [asdict(finding) for finding in self.refusals],
            "warnings": [asdict(finding) for finding in self._told("warnings")],
            "infos": [asdict(finding) for finding in self._told("infos")],
            "withdrawn": dict(Counter(withdrawn).most_common()),
            "history": [departure._asdict() for departure in self.history],
        }

    def _told(self, grade: str) -> list[Finding]:
        """Return the findings on rows as they came in, and those on the run as it would be published."""
        first, last = getattr(self.rounds[0], grade), getattr(self.rounds[-1], grade)
        return [f for f in first if f.table != "history"] + [f for f in last if f.table == "history"]

    @property
    def profile_with_checks(self) -> Profile:
        """Return the run in figures, with how often each check failed."""
        said = self.summary
        failed = Counter(said["withdrawn"])
        for grade in ("refusals", "warnings", "infos"):
            failed.update({finding["check"]: finding["count"] for finding in said[grade]})
        return replace(self.profile, checks=dict(failed))

    @property
    def remembered(self) -> dict[str, Any]:
        """Return what later runs need to know of this one."""
        from expectations.history import remember

        return remember(self.profile_with_checks, self.before)

    @property
    def results(self) -> list[Mapping[str, Any]]:
        """Return Great Expectations' own results, round by round."""
        return [verdict.results for verdict in self.rounds]


def check(
    settings: Settings,
    job: Job,
    staging: Staging,
    fresh: Collection[str],
    unsettled: Sequence[str],
    now: datetime | None = None,
) -> Checked:
    """Hold the staged release against the expectations, and withdraw the articles that fail until none does."""
    from expectations.check import check as judge
    from expectations.history import departures, past, take_profile
    from expectations.suites import in_force

    parent = [segment.paths(job.parent.path) for segment in job.parent.segments] if job.parent else []
    before = past(job.parent.manifest["metrics"]) if job.parent else ()
    new = {change.source for change in job.plan.new}
    late = set(unsettled) & new
    due = [*job.plan.new, *job.plan.changed, *job.plan.redo, *job.plan.unchanged]
    bounds, own = in_force(settings.expectations), _bounds_by_folder(settings)
    entries = accepted.load(settings.accepted)
    hashes = {source.source: source.sha256 for source in job.listing.sources}
    unchecked = staging.unchecked_parts()
    rounds: list[Verdict] = []
    while True:
        kept = [parts for segment in staging.segments if (parts := segment.paths(staging.path)) not in unchecked]
        profile = take_profile(staging.unchecked_parts(), fresh, new, before, staging.id, day_of(now), own)
        history = departures(profile, before, bounds, own)
        verdict = judge(
            unchecked,
            kept=kept,
            parent=parent,
            seen={change.source for change in due} - late,
            today=day_of(now),
            history=history,
            thresholds=settings.expectations,
            grades=settings.grades,
            folders=own,
        )
        verdict = replace(verdict, rows=accepted.let_pass(verdict.rows, entries, hashes))
        rounds.append(verdict)
        if verdict.passed or verdict.refusals:
            return Checked(tuple(rounds), profile, history, before)
        if len(rounds) == ROUNDS:
            unending = replace(verdict, refusals=(_unending(verdict),))
            return Checked((*rounds, unending), profile, history, before)
        unchecked = staging.withdraw(verdict.rows)


def lapsed(settings: Settings, job: Job, found: Release | Staging) -> list[dict[str, Any]]:
    """Tell of what people decided and what is no longer in force, since their sources are not what they were."""
    hashes = {source.source: source.sha256 for source in job.listing.sources}
    accepts = [{"source": e.source, "check": e.check} for e in accepted.stale(accepted.load(settings.accepted), hashes)]
    corrections = [entry._asdict() for entry in unapplied(job, found)]
    told = (
        (
            "accepted_applies",
            settings.accepted,
            accepts,
            "What was accepted holds no more, since its source changed or is gone.",
            "Look at the article again, then accept it anew or take the entry out of",
        ),
        (
            "corrections_apply",
            settings.corrections,
            corrections,
            "A correction is not applied: its source changed, or is read otherwise than when it was written.",
            "`wenliu plan` lists them: look at the source with `wenliu explain`, then write its entry anew or take it out of",
        ),
    )
    return [
        {
            "check": check,
            "table": file.stem,
            "message": message,
            "remedy": f"{remedy} {file}.",
            "count": len(entries),
            "evidence": json.dumps(entries[:5], ensure_ascii=False),
        }
        for check, file, entries, message, remedy in told
        if entries
    ]


def _unending(verdict: Verdict) -> Finding:
    from expectations.check import Finding

    return Finding(
        check="withdrawing_ends",
        table="articles",
        message=f"Articles failed anew each time others were withdrawn, {ROUNDS} times.",
        remedy="Look at the staged tables; report it with the verdict.",
        count=len(verdict.rows),
        evidence=json.dumps(list(verdict.rows)[:5], ensure_ascii=False),
    )


def publish(
    job: Job, staging: Staging, checked: Checked, figures: Mapping[str, Any], now: datetime | None = None
) -> None:
    """Put the staged release in place, with what the checks said beside it."""
    (staging.path / "checks.json").write_text(json.dumps(checked.results, ensure_ascii=False), encoding="utf-8")
    staging.publish(job.fingerprint.parts, checked.summary, {**figures, **checked.remembered}, now)


def refuse(staging: Staging, checked: Checked, figures: Mapping[str, Any]) -> Path:
    """Lay the staged release aside with the verdict, for those who look into it."""
    return staging.refuse(checked.summary | {"results": checked.results, "metrics": figures})


def this_runs(
    parent: Release | None, staging: Staging, fresh: Mapping[str, int]
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Count what this run read, as it now stands in the staged release, and return its rejects.

    Those are the rejects of what it read, and those of articles that it judged anew and withdrew.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    wanted = pa.array(fresh, pa.string())
    counts = {"sources": len(fresh), "articles": 0, "paragraphs": 0, "rejects": 0}
    rejects: list[dict[str, Any]] = []
    known = parent.table("rejects", ["reject_id"])["reject_id"] if parent else pa.array([], pa.string())
    for parts in staging.unchecked_parts():
        articles = pq.read_table(parts["articles"], columns=["source", "n_paragraphs"])
        articles = articles.filter(pc.is_in(articles["source"], wanted))
        counts["articles"] += len(articles)
        counts["paragraphs"] += pc.sum(articles["n_paragraphs"]).as_py() or 0
        found = pq.read_table(parts["rejects"])
        is_own = pc.or_(pc.is_in(found["source"], wanted), pc.invert(pc.is_in(found["reject_id"], known)))
        rejects += found.filter(is_own).to_pylist()
    counts["rejects"] = len(rejects)
    return counts, rejects
