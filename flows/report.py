"""The report on a run for people: what came in, what changed and why, what the checks said, what was rejected.

One file of HTML beside the tables, written before they are published. It needs no network and runs no script; texts from
articles are shown, never obeyed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from flows import metrics
from flows.difference import Difference, difference
from flows.html import render
from tasks.release import Release

if TYPE_CHECKING:
    from pathlib import Path

    from expectations.history import Profile
    from flows.job import Job
    from flows.pipeline import Checked, Outcome
    from tasks.release import Staging

#: The file's name in the directory of a release, published or refused.
NAME = "report.html"
#: Rows of a list that a page shows; the commands list them all.
SHOWN, EXAMPLES = 50, 5
#: The longest stretch of unchanged sentences that is shown around a change.
CONTEXT = 1
#: Folders that get a plot: those with the most articles.
MOST_FOLDERS = 24

#: Width and height of a plot, and the room between two of its bars.
WIDTH, HEIGHT, GAP = 240.0, 44.0, 2.0


class Bar(NamedTuple):
    """A run in a plot, in the plot's units; `label` tells it in words, `is_last` that it is this run."""

    x: float
    y: float
    width: float
    height: float
    label: str
    is_last: bool


@dataclass(frozen=True, slots=True)
class Plot:
    """A measure over the last runs: a bar for each that has a value, and the height of their median."""

    name: str
    value: str
    usual: str
    bars: Sequence[Bar]
    median: float | None
    failed: bool = False


class Group(NamedTuple):
    """Rejects of one cause: how many, and some of them."""

    stage: str
    check: str
    remedy: str
    number: int
    examples: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class View:
    """All that the page shows."""

    outcome: Outcome
    id: str
    day: str
    parent: str | None
    before: Mapping[str, int]
    difference: Difference
    plots: Sequence[Plot]
    folders: Sequence[Plot]
    checks: Sequence[Plot]
    passed: Sequence[str]
    groups: Sequence[Group]
    infos: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def write(job: Job, staging: Staging, checked: Checked, outcome: Outcome) -> None:
    """Put the report into the directory of a release that is about to be published or refused."""
    manifest = {"segments": [asdict(segment) for segment in staging.segments], "fingerprint": job.fingerprint.parts}
    changed = difference(job.parent, Release(staging.path, manifest))
    (staging.path / NAME).write_text(page(lay_out(job, staging.id, checked, outcome, changed)), encoding="utf-8")


def lay_out(job: Job, name: str, checked: Checked, outcome: Outcome, changed: Difference) -> View:
    """Decide what is shown."""
    from expectations.suites import EXPECTATIONS

    runs = (*checked.before, checked.profile_with_checks)
    tables = job.parent.manifest["tables"] if job.parent else {}
    failed = set(runs[-1].checks)
    departed = _departed(checked)
    return View(
        outcome=outcome,
        id=name,
        day=checked.profile.day,
        parent=job.parent.id if job.parent else None,
        before={table: counts["rows"] for table, counts in tables.items()},
        difference=changed,
        plots=[plot(name, _series(runs, name), name in departed) for name in MEASURES],
        folders=_folders(runs, departed),
        checks=[
            plot(name, [(run.release, float(run.checks.get(name, 0))) for run in runs], name in failed)
            for name in sorted({name for run in runs for name in run.checks}, key=lambda n: (n not in failed, n))
        ],
        passed=[entry.name for entry in EXPECTATIONS if entry.name not in failed],
        groups=groups(outcome.rejects),
        infos=checked.summary["infos"],
    )


#: What is drawn of a run as a whole, and how it is read from a profile.
MEASURES: Mapping[str, Callable[[Profile], float | None]] = {
    "articles read": lambda run: run.articles,
    "length of an article, median": lambda run: run.length,
    "confidence, mean": lambda run: run.confidence,
    "sources not (all) published": lambda run: run.rejected / run.sources if run.sources else None,
    "unknown words": lambda run: run.unknown,
}
_OF_CHECKS = {
    "length": "length of an article, median",
    "confidence": "confidence, mean",
    "rejected": "sources not (all) published",
    "unknown": "unknown words",
}


def _series(runs: Sequence[Profile], name: str) -> list[tuple[str, float | None]]:
    return [(run.release, MEASURES[name](run)) for run in runs]


def _departed(checked: Checked) -> set[str]:
    """Return the measures and folders of which a check warned."""
    rows = [
        row
        for grade in ("refusals", "warnings", "infos")
        for finding in checked.summary[grade]
        if finding["table"] == "history" and finding["evidence"]
        for row in json.loads(finding["evidence"])
    ]
    return {_OF_CHECKS.get(row["measure"], row["subject"]) for row in rows}


def _folders(runs: Sequence[Profile], departed: set[str]) -> list[Plot]:
    names = sorted(
        runs[-1].folders, key=lambda name: -sum(run.folders[name].articles for run in runs if name in run.folders)
    )
    return [
        plot(
            "raw/ itself" if name == "." else name,
            [(run.release, float(run.folders[name].articles)) for run in runs if name in run.folders and run.new],
            name in departed,
        )
        for name in names[:MOST_FOLDERS]
    ]


def plot(name: str, series: Sequence[tuple[str, float | None]], failed: bool = False) -> Plot:
    """Draw a measure's values, the oldest first, each with the release it is of.

    >>> drawn = plot("articles", [("a", 2.0), ("b", None), ("c", 4.0)])
    >>> [(round(bar.x), bar.height, bar.is_last) for bar in drawn.bars], drawn.usual
    ([(0, 22.0, False), (161, 44.0, True)], '2')
    """
    values = [value for _, value in series if value is not None]
    top = max([*values, 0.0]) or 1.0
    step = (WIDTH + GAP) / max(len(series), 1)
    width = min(step - GAP, 24.0)
    bars = [
        Bar(
            round(step * at, 2), round(HEIGHT - height, 2), round(width, 2), height, f"{release}: {figure(value)}", last
        )
        for at, (release, value) in enumerate(series)
        if value is not None
        for height in [round(max(value, 0.0) / top * HEIGHT, 2)]
        for last in [at == len(series) - 1]
    ]
    last = series[-1][1] if series else None
    usual = median(values[:-1]) if last is not None and len(values) > 1 else None
    level = None if usual is None else round(HEIGHT - usual / top * HEIGHT, 2)
    return Plot(name, figure(last), figure(usual), bars, level, failed)


def figure(value: float | None) -> str:
    """Write a number as short as it can be told.

    >>> figure(12345.0), figure(0.91234), figure(None)
    ('12,345', '0.912', '–')
    """
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.3g}"


def groups(rejects: Iterable[Mapping[str, Any]]) -> list[Group]:
    """Put rejects of one cause together, the most frequent first."""
    by_cause: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rejects:
        by_cause.setdefault((row["stage"], row["check"]), []).append(row)
    found = [Group(*cause, rows[0]["remedy"], len(rows), rows[:EXAMPLES]) for cause, rows in by_cause.items()]
    return sorted(found, key=lambda group: (-group.number, group.stage, group.check))


def page(view: View) -> str:
    """Return the page as HTML."""
    from flows.pipeline import TOLD

    return render(
        "report.html",
        view=view,
        tables=TOLD,
        shown=SHOWN,
        context=CONTEXT,
        width=WIDTH,
        height=HEIGHT,
        rows=examples,
        cost=metrics.sentence,
    )


def examples(evidence: str) -> list[dict[str, str]]:
    """Return the rows that a finding tells as evidence, fit for a table; none where it tells something else.

    >>> examples('[{"subject": "daily", "value": 3.14159}]'), examples("0.25")
    ([{'subject': 'daily', 'value': '3.14'}], [])
    """
    try:
        found = json.loads(evidence)
    except ValueError:
        return []
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    return [{k: figure(v) if isinstance(v, float) else str(v) for k, v in row.items()} for row in rows]


def path(directory: Path) -> Path:
    """Return where the report of a release lies; raises `NotFound` when it has none."""
    from flows.look import NotFound

    found = directory / NAME
    if not found.is_file():
        raise NotFound(f"{directory}: this release has no report")
    return found
