"""Hold what is about to be published against the suites; the one place that knows Great Expectations.

Great Expectations takes seconds to import, so it is imported when there is something to check and not before.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from expectations.frames import Segment, frames, in_folders
from expectations.history import Departure, history_frame
from expectations.suites import BY_ARTICLE, KEYS, SUITES, THRESHOLDS, Expectation, Grade, in_force
from tasks.document import Reject

if TYPE_CHECKING:
    import polars as pl

#: Great Expectations' words for the grades.
_SEVERITY: Mapping[Grade, str] = {"error": "critical", "warning": "warning", "info": "info"}
#: What is told of a failure: enough rows to see what they have in common, enough of a value to find it in its text.
_EXAMPLES, _VALUE = 5, 80
#: A list as long as this is one of rows that failed, not of what a check was asked.
_LONG = 200
#: What names a failed row to people, beside the column that it is withdrawn by.
_BESIDE: Mapping[str, tuple[str, ...]] = {
    "articles": ("source", "ordinal"),
    "paragraphs": ("paragraph",),
    "quality": ("source",),
    "history": ("measure", "value", "usual"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """An expectation that failed: how many rows (or 1 for what is no row's fault), and some of them as JSON."""

    check: str
    table: str
    message: str
    remedy: str
    count: int
    evidence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checks said of a release that is staged.

    `rows` are the articles and sources that must be withdrawn, each with every check it failed, as
    `tasks.dataset.withdraw` takes them; `refusals` are reasons why nothing may be published at all. `results` holds
    Great Expectations' own results by frame, fit for JSON, the lists of failed rows cut short.
    """

    rows: Mapping[str, tuple[Reject, ...]] = field(default_factory=dict)
    refusals: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    infos: tuple[Finding, ...] = ()
    results: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Say whether the staged release can be published as it stands."""
        return not self.rows and not self.refusals


def check(
    staged: Sequence[Segment],
    *,
    seen: Collection[str],
    today: date,
    kept: Sequence[Segment] = (),
    parent: Sequence[Segment] = (),
    history: Sequence[Departure] = (),
    thresholds: Mapping[str, float] | None = None,
    grades: Mapping[str, Grade] | None = None,
    folders: Mapping[str, Mapping[str, float]] | None = None,
    suites: Mapping[str, Sequence[Expectation]] = SUITES,
) -> Verdict:
    """Judge a staged release: which rows must go, what refuses it, what is worth a warning.

    `staged` are the new and changed segments with all seven tables, `kept` the unchanged ones, `parent` all those of
    the release before, each a mapping from table to part file; `seen` every source found under raw/; `today` the day
    after which nothing can have been published; `history` how this run departs from those before it. `thresholds` and
    `grades` move those of `expectations.suites`, `folders` thresholds for a folder and its articles by its path under raw/:
    of nested ones the innermost holds, and it alone.

    Never raises: a check that crashes, or that judged fewer rows than there are, is a refusal and not a pass.
    """
    try:
        unknown = set(thresholds or {}) - set(THRESHOLDS)
        if unknown:
            raise ValueError(f"no such threshold: {', '.join(sorted(unknown))}; there are {', '.join(THRESHOLDS)}")
        parameters = in_force(thresholds or {}) | {"today": int(today.strftime("%Y%m%d"))}
        judged = frames(staged, kept, parent, seen) | {"history": history_frame(history, folders or ())}
        if folders:
            judged |= {name: in_folders(judged[name], folders) for name in BY_ARTICLE if name in judged}
        return judge(judged, graded(with_bounds_of(folders or {}, suites), grades or {}), parameters)
    except Exception as error:  # noqa: BLE001 -- whatever breaks the check, the release is not checked
        return Verdict(refusals=(_broken("check", "release", f"{type(error).__name__}: {error}"),))


def check_history(
    history: Sequence[Departure],
    thresholds: Mapping[str, float] | None = None,
    grades: Mapping[str, Grade] | None = None,
    folders: Mapping[str, Mapping[str, float]] | None = None,
) -> Verdict:
    """Judge nothing but how things stand in comparison with the runs before: for a run that found nothing new."""
    suites = graded(with_bounds_of(folders or {}, {"history": SUITES["history"]}), grades or {})
    try:
        return judge({"history": history_frame(history, folders or ())}, suites, in_force(thresholds or {}))
    except Exception as error:  # noqa: BLE001 -- as in `check`
        return Verdict(refusals=(_broken("check", "history", f"{type(error).__name__}: {error}"),))


def graded(
    suites: Mapping[str, Sequence[Expectation]], grades: Mapping[str, Grade]
) -> Mapping[str, Sequence[Expectation]]:
    """Return the suites with some of their entries, by name, of another grade.

    >>> graded(SUITES, {"newest_in_time": "info"})["history"][1].grade
    'info'
    """
    return {
        table: tuple(replace(entry, grade=grades.get(entry.name, entry.grade)) for entry in suite)
        for table, suite in suites.items()
    }


def with_bounds_of(
    folders: Mapping[str, Mapping[str, float]], suites: Mapping[str, Sequence[Expectation]]
) -> dict[str, list[Expectation]]:
    """Return the suites with an entry of its own for each folder that moves a bound of it, and one for all the others.

    >>> found = with_bounds_of({"a": {"title_chars": 40}, "b": {}}, {"articles": SUITES["articles"]})["articles"]
    >>> [(entry.key, entry.where, entry.arguments["max_value"]) for entry in found if entry.name == "title_length"]
    [('title_length of a', ('folder', ('a',)), 40),
     ('title_length', ('folder', ('', 'b')), {'$PARAMETER': 'title_chars'})]
    """
    found: dict[str, list[Expectation]] = {table: [] for table in suites}
    for table, suite in suites.items():
        for entry in suite:
            names = {key: value["$PARAMETER"] for key, value in entry.arguments.items() if isinstance(value, dict)}
            own = [folder for folder, moved in folders.items() if moved.keys() & names.values()]
            if not own or table not in (*BY_ARTICLE, "history"):
                found[table].append(entry)
                continue
            for folder in own:
                bounds = {key: folders[folder][name] for key, name in names.items() if name in folders[folder]}
                arguments = {**entry.arguments, **bounds}
                found[table].append(replace(entry, arguments=arguments, where=("folder", (folder,)), folder=folder))
            others = tuple(sorted({"", *folders} - set(own)))
            found[table].append(replace(entry, where=("folder", others)))
    return found


def judge(
    judged: Mapping[str, pl.LazyFrame], suites: Mapping[str, Sequence[Expectation]], parameters: Mapping[str, Any]
) -> Verdict:
    """Run the suites on frames of the same names.

    Suites without a frame are passed over, `check` sees to it that none is; so are frames without a row, of which there is
    nothing to ask: that a table has rows is asked of `release`.
    """
    import polars as pl

    collected = {
        # Great Expectations compares 64-bit integers at once, all others one by one.
        table: judged[table].select(_columns(table, suite)).cast({pl.Int32: pl.Int64}).collect()
        for table, suite in suites.items()
        if table in judged
    }
    pandas = {table: frame.to_pandas() for table, frame in collected.items() if frame.height}
    results = _validate(pandas, suites, parameters)
    known = {name for table in ("articles", "sources") if table in pandas for name in pandas[table][KEYS[table]]}
    rows: dict[str, list[Reject]] = defaultdict(list)
    findings: dict[Grade, list[Finding]] = {"error": [], "warning": [], "info": []}
    for table, frame in pandas.items():
        by_key = {key_of(result): result for result in results[table]["results"]}
        told: dict[str, tuple[Expectation, list[Mapping[str, Any]], Mapping[str, Any]]] = {}
        for entry in suites[table]:
            result = by_key.get(entry.key, {})
            if trouble := _trouble(result, entry, frame):
                findings["error"].append(_broken(entry.name, table, trouble))
                continue
            if result["success"]:
                continue
            failed = result["result"].get("unexpected_index_list") or []
            withdrawn = _withdrawn(entry, failed, known)
            for key, found in withdrawn.items():
                rows[key].append(_reject(entry, found))
            # A bad row that cannot be withdrawn, since nothing published bears its name, refuses the release.
            left = [row for row in failed if row[KEYS[table]] not in withdrawn]
            if left or not withdrawn:  # one finding of a check, whatever its bounds in which folder
                told.setdefault(entry.name, (entry, [], result))[1].extend(left)
        for entry, left, result in told.values():
            findings[entry.grade].append(_finding(entry, left, result))
    return Verdict(
        rows={key: tuple(rejects) for key, rejects in sorted(rows.items())},
        refusals=tuple(findings["error"]),
        warnings=tuple(findings["warning"]),
        infos=tuple(findings["info"]),
        results={table: _cut(result) for table, result in results.items()},
    )


def _withdrawn(
    entry: Expectation, failed: Sequence[Mapping[str, Any]], known: Collection[str]
) -> dict[str, list[Mapping[str, Any]]]:
    """Return the failed rows by the article or source that goes with them; none where failing is no reason to go."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    if entry.grade == "error" and entry.level == "row":
        for row in failed:
            if row[KEYS[entry.table]] in known:
                found[row[KEYS[entry.table]]].append(row)
    return found


def _columns(table: str, suite: Sequence[Expectation]) -> list[str]:
    """Return the columns that a suite looks at, and those that name its rows."""
    named = dict.fromkeys([KEYS[table], *_BESIDE.get(table, ())])
    for entry in suite:
        named |= dict.fromkeys(entry.where[:1] if entry.where else ())
        for argument, value in entry.arguments.items():
            if argument in ("column", "column_A", "column_B"):
                named[str(value)] = None
            elif argument == "column_list" and isinstance(value, list):
                named |= dict.fromkeys(value)
    return list(named)


def _validate(
    pandas: Mapping[str, Any], suites: Mapping[str, Sequence[Expectation]], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """Run each frame's suite through Great Expectations, in memory: no files, no network, no telemetry."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    quiet = DataContextConfig(
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
    )
    context = gx.get_context(mode="ephemeral", project_config=quiet)
    source = context.data_sources.add_pandas("staged")
    results = {}
    for table, frame in pandas.items():
        asset = source.add_dataframe_asset(table).add_batch_definition_whole_dataframe(table)
        batch = asset.get_batch({"dataframe": frame})
        found = _results(batch, table, suites[table], "BASIC", parameters)
        # Which rows failed is asked only where some did: asked of all, it would be two fifths of the checks' time.
        failed = {key_of(result) for result in found["results"] if not result["success"]}
        if entries := [entry for entry in suites[table] if entry.key in failed]:
            closer = {key_of(r): r for r in _results(batch, table, entries, "COMPLETE", parameters)["results"]}
            found["results"] = [closer.get(key_of(result), result) for result in found["results"]]
        results[table] = found
    return results


def key_of(result: Mapping[str, Any]) -> str:
    """Return which of our entries a result of Great Expectations' is of."""
    return str(result["expectation_config"]["meta"]["name"])


def _results(
    batch: Any, table: str, entries: Sequence[Expectation], detail: str, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """Return Great Expectations' results for these entries, in the detail that its `result_format` names."""
    import great_expectations as gx

    validated = batch.validate(
        gx.ExpectationSuite(name=table, expectations=[_configuration(entry).to_domain_obj() for entry in entries]),
        result_format={
            "result_format": detail,
            "unexpected_index_column_names": [KEYS[table], *_BESIDE.get(table, ())],
            "partial_unexpected_count": _EXAMPLES,
            "return_unexpected_index_query": False,
        },
        expectation_parameters=dict(parameters),
    )
    plain: dict[str, Any] = _plain(validated.to_json_dict())
    return plain


def _configuration(entry: Expectation) -> Any:
    """Say an entry in Great Expectations' own terms."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.row_conditions import Column

    arguments = dict(entry.arguments)
    if entry.where:
        column, values = entry.where
        arguments["row_condition"] = Column(column).is_in(list(values))
    return ExpectationConfiguration(
        type=entry.type, kwargs=arguments, meta={"name": entry.key}, severity=FailureSeverity(_SEVERITY[entry.grade])
    )


def _trouble(result: Mapping[str, Any], entry: Expectation, frame: Any) -> str:
    """Say why a result is no judgement: it is missing, it crashed, or it saw other rows than those it should."""
    if not result:
        return "Great Expectations gave no result"
    raised = [
        info["exception_message"]
        for info in (result["exception_info"], *result["exception_info"].values())
        if isinstance(info, Mapping) and info.get("raised_exception")
    ]
    if raised:
        return str(raised[0])
    found = result["result"]
    if "element_count" not in found:
        return "" if found.get("observed_value") is not None else "nothing was observed"
    due = int(frame[entry.where[0]].isin(entry.where[1]).sum()) if entry.where else len(frame)
    return "" if found["element_count"] == due else f"{found['element_count']} rows were judged of {due}"


def _broken(check: str, table: str, trouble: str) -> Finding:
    return Finding(
        check=check,
        table=table,
        message=f"The check itself failed, so nothing is known of what it checks: {trouble}",
        remedy="Report it with the verdict; the release before stays as it is.",
        count=1,
        evidence="",
    )


def _finding(entry: Expectation, failed: Sequence[Mapping[str, Any]], result: Mapping[str, Any]) -> Finding:
    observed = result["result"].get("observed_value")
    evidence = _evidence(failed) if failed else json.dumps(observed, ensure_ascii=False)
    return Finding(entry.name, entry.table, entry.message, entry.remedy, max(len(failed), 1), evidence)


def _reject(entry: Expectation, failed: Sequence[Mapping[str, Any]]) -> Reject:
    return Reject(
        stage="check", check=entry.name, message=entry.message, remedy=entry.remedy, evidence=_evidence(failed)
    )


def _evidence(failed: Sequence[Mapping[str, Any]]) -> str:
    """Return the first failed rows as JSON, long values cut."""
    shown = [
        {name: value[:_VALUE] if isinstance(value, str) else value for name, value in row.items()}
        for row in failed[:_EXAMPLES]
    ]
    return json.dumps(shown, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Turn what Great Expectations returns into what JSON knows: no NumPy scalars, no NaN.

    Integers that stood beside a null, and so became floats, are integers again.
    """
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return (int(value) if value.is_integer() else value) if math.isfinite(value) else None
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _cut(value: Any) -> Any:
    """Cut long lists: a result is kept with its release, and a failure of every row would outweigh the rows."""
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cut(item) for item in (value if len(value) < _LONG else value[:_EXAMPLES])]
    return value
