"""The main job as a Prefect flow: what `flows.pipeline` does, seen and retried by Prefect.

It runs against the server at PREFECT_API_URL, or with a short-lived one of its own. Prefect sees batches, not
documents: a task run costs 10 ms or more. Annotations are no strings here, since Prefect evaluates those of a flow where
their names may not be known.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast
from uuid import UUID

import httpx
from prefect import Flow, flow, get_run_logger, task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.futures import PrefectFuture, as_completed
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote
from pydantic import Field

from flows import logs, metrics, pipeline
from flows.alerts import Alert
from flows.console import visible
from flows.job import check_paths
from flows.pipeline import TOLD, Outcome, Watch, silent
from flows.runs import show_alive, sweep
from flows.settings import Settings, load
from tasks.release import Busy, Held

R = TypeVar("R")
Item = TypeVar("Item")

#: Reading a batch or writing a file may meet a busy disk; what is wrong with a document is no error but a reject.
RETRIES = 2
RETRY_DELAY_SECONDS = 2.0
#: The name of the state of a run whose release the gate refused.
REFUSED = "Refused"
#: What a run may find at its start that cancels it, by the name of its state.
CANCELLED: Mapping[str, type[Exception]] = {"Busy": Busy, "Held": Held}
_KEPT_OUT: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}
#: An artifact is updated at most this often: each update is a request.
PROGRESS_SECONDS = 2.0
#: Rows of the rejects' table that an artifact shows; `wenliu rejects` has them all.
SHOWN = 100


class AsTasks:
    """Runs the steps of `flows.pipeline.run` as Prefect tasks; what they return stays out of Prefect's database."""

    def each(self, name: str, step: Callable[[Item], R], items: Sequence[Item], workers: int) -> Iterator[R]:
        """Run `step` on each item, `workers` at a time, and yield the results as they come."""

        @task(name=name, retries=RETRIES, retry_delay_seconds=RETRY_DELAY_SECONDS, **_KEPT_OUT)
        def one(item: Item) -> R:
            return step(item)

        with ThreadPoolTaskRunner[R](max_workers=workers) as runner:
            futures: list[PrefectFuture[R]] = [runner.submit(one, {"item": quote(item)}) for item in items]
            for future in as_completed(futures):
                yield future.result()

    def once(self, name: str, step: Callable[[], R]) -> R:
        """Run one step and return its result."""
        result: R = task(name=name, **_KEPT_OUT)(step)()
        return result


def _shown_as(title: str) -> Any:
    """Give a parameter its name in Prefect's form, which takes the rest from the docstring."""
    return Field(json_schema_extra={"title": title})


def build(
    watch: Watch = silent, keep: Callable[[Outcome], None] = lambda _: None
) -> Flow[[Path | None, Path | None, Path | None, bool], State[Outcome]]:
    """Return the flow; `watch` hears how far it is, beside the progress artifact, and `keep` what came of it."""

    @flow(name="ingest", persist_result=False)
    def ingest(
        raw: Annotated[Path | None, _shown_as("Raw articles")] = None,
        processed: Annotated[Path | None, _shown_as("Releases")] = None,
        settings: Annotated[Path | None, _shown_as("Settings file")] = None,
        full: Annotated[bool, _shown_as("Read everything again")] = False,
    ) -> State[Outcome]:
        """Ingest what is new under `raw`, check it, publish it under `processed`.

        Args:
            raw: Folder of the raw articles, as the worker sees it; None means that of the settings.
            processed: Folder of the releases, as the worker sees it; None means that of the settings.
            settings: Settings file; None means `wenliu.toml` of the folder in which the worker runs, if there is one.
            full: Also what did not change since it was read. Left off, only what is new or changed is read.
        """
        logger = get_run_logger()

        def log(level: Literal["info", "warning"], message: str) -> None:
            logger.log(logging.getLevelName(level.upper()), "%s", visible(message))
            logs.step(level, message)

        in_force = load(settings, raw=raw, processed=processed)
        check_paths(in_force)
        work = in_force.processed / ".work"
        with suppress(httpx.HTTPError):  # then the next run does it
            for dead in sweep(work):
                log("info", f"run {dead}, which Prefect took for running, has crashed")
        show_alive(work, UUID(flow_run.id))
        try:
            outcome = pipeline.run(in_force, full=full, steps=AsTasks(), watch=_both(watch, _artifact()), log=log)
        except (Busy, Held) as error:  # no failure: another run does what this one would, or a person wants none
            return Cancelled(name=type(error).__name__, message=str(error))
        keep(outcome)
        _report(outcome)
        return _state(outcome)

    return ingest


def _artifact() -> Watch:
    """Return a watch that keeps a progress artifact up to date."""
    artifact = cast(UUID, create_progress_artifact(0.0, key="ingest-progress", description="starting"))
    last = 0.0

    def watch(stage: str, done: int, total: int) -> None:
        nonlocal last
        try:
            tell(stage, done, total)
        except httpx.HTTPError:  # the run matters more than who hears of it
            last = math.inf

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal last
        if last == math.inf:
            return
        if stage != "reading":  # which takes nearly all of the time
            update_progress_artifact(artifact, 100.0, description=stage)
        elif done == total or time.monotonic() - last > PROGRESS_SECONDS:
            last = time.monotonic()
            update_progress_artifact(artifact, 100.0 * done / total, description=f"read {done:,} of {total:,}")

    return watch


def _both(first: Watch, second: Watch) -> Watch:
    def watch(stage: str, done: int, total: int) -> None:
        first(stage, done, total)
        second(stage, done, total)

    return watch


def _report(outcome: Outcome) -> None:
    """Leave what came of the run as artifacts: a summary, rejects, what it cost, what was told; the last as events too."""
    create_markdown_artifact(_markdown(outcome), key="ingest-summary")
    if outcome.rejects:
        columns = ("source", "article_id", "stage", "check", "message", "remedy")
        rows = [{column: visible(reject[column] or "") for column in columns} for reject in outcome.rejects[:SHOWN]]
        create_table_artifact(rows, key="ingest-rejects")
    if outcome.metrics:
        stages = [{"stage": name, **rate} for name, rate in outcome.metrics["stages"].items()]
        create_table_artifact(stages, key="ingest-metrics", description=metrics.sentence(outcome.metrics))
    for alert in outcome.alerts:
        payload = {"cause": visible(alert.cause), "severity": alert.severity, "body": alert.body}
        emit_event("wenliu.alert", resource={"prefect.resource.id": "wenliu.dataset"}, payload=payload)
    if outcome.alerts:
        create_markdown_artifact("".join(map(_told, outcome.alerts)), key="ingest-alerts")


def _markdown(outcome: Outcome) -> str:
    """Write the summary; whatever comes from raw files stands in code spans, where nothing is a link or markup."""
    lines = [f"# {outcome.status.capitalize()}", "", f"Release: {_code(outcome.release)} in {_code(outcome.path)}", ""]
    for word, findings in (("refused", outcome.refusals), ("warning", outcome.warnings)):
        lines += [
            f"- {word}: {f['check']} ({f['count']:,}): {_code(f['message'])} {_code(f['remedy'])}" for f in findings
        ]
    lines += ["", "| | this run | release |", "|---|---:|---:|"]
    lines += [f"| {name} | {outcome.read.get(name, 0):,} | {outcome.rows.get(name, 0):,} |" for name in TOLD]
    if outcome.rejects:
        lines += ["", "| rejected by | times | what to do |", "|---|---:|---|"]
        lines += [
            f"| {_code(f'{stage}: {check}')} | {n:,} | {_code(remedy)} |" for stage, check, n, remedy in outcome.causes
        ]
    return "\n".join(lines) + "\n"


def _told(alert: Alert) -> str:
    lines = "\n".join(f"- {_code(line.removeprefix('- '))}" for line in alert.body.splitlines())
    return f"## {visible(alert.title)}\n\n{lines}\n\n"


def _code(value: object) -> str:
    text = " ".join(str(value).split("\n")).replace("`", "'").replace("|", "¦")
    return f"`{visible(text)}`"


def _state(outcome: Outcome) -> State[Outcome]:
    if outcome.status == "refused":
        return Failed(name=REFUSED, message=visible(outcome.headline), data=outcome)
    if outcome.rejects:
        return Completed(name="CompletedWithRejects", message=visible(outcome.headline), data=outcome)
    return Completed(message=visible(outcome.headline), data=outcome)


ingest = build()


def run(settings: Settings, *, full: bool = False, watch: Watch = silent) -> Outcome:
    """Run the flow here and now, and return what came of it; raises what `flows.pipeline.run` raises.

    When the server dies meanwhile, the work goes on without it: what is finished is not done again.
    """
    outcomes: list[Outcome] = []
    here = build(watch, outcomes.append)
    try:
        state = here(settings.raw, settings.processed, settings.file, full, return_state=True)
        if cancelled := CANCELLED.get(state.name or ""):
            raise cancelled(state.message)
        return cast(Outcome, state.result(raise_on_failure=state.name != REFUSED))
    except httpx.HTTPError:
        watch("going on without Prefect, whose server has failed", 0, 1)
        return outcomes[0] if outcomes else pipeline.run(settings, full=full, watch=watch, log=logs.step)
