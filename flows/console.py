"""What the commands show people: tables on stdout, a progress bar or plain lines on stderr.

Texts from raw files are shown with their control characters spelt out, so that no article can drive a terminal.
"""

from __future__ import annotations

import json
import shlex
import sys
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from flows import job as job_of
from flows import logs, metrics
from flows.look import figure, place
from flows.pipeline import TOLD

if TYPE_CHECKING:
    from flows.difference import Change, Difference
    from flows.doctor import Check
    from flows.explain import Pair
    from flows.job import Job
    from flows.pipeline import Outcome, Watch
    from flows.settings import Settings
    from tasks.release import Release

#: A pipe has no width; nothing is cut there that a terminal would wrap.
_PIPE_WIDTH = 240
#: How many rows of a long list are shown to people; `--json` has them all.
SHOWN = 20
#: How many of a source's articles a plan names.
TITLES = 3
#: How often machines hear how far a stage is.
STEP_SECONDS = 10.0


def write_json(value: Any) -> None:
    """Write `value` as one JSON document to stdout; what a terminal would obey is escaped, as JSON allows."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=_plain)
    sys.stdout.write(
        "".join(json.dumps(c)[1:-1] if c != "\n" and unicodedata.category(c) in _OBEYED else c for c in text)
    )
    sys.stdout.write("\n")


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{value!r} has no form in JSON")


def line(text: str = "", style: str = "") -> None:
    """Print one line to stdout."""
    _stdout().print(Text(visible(text), style=style), soft_wrap=True)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table to stdout; numbers stand to the right."""
    shown = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        is_number = bool(rows) and isinstance(rows[0][index], int)
        shown.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        shown.add_row(*map(_cell, row))
    _stdout().print(shown)


def _cell(value: object) -> Text:
    if value is None:
        return Text("-", style="dim")
    return Text(f"{value:,}" if isinstance(value, int) else visible(str(value)))


def visible(text: str) -> str:
    r"""Spell out what a terminal would obey instead of show: control and direction characters.

    >>> visible("标题\x1b[31m")
    '标题\\x1b[31m'
    """
    return "".join(
        character.encode("unicode_escape").decode() if unicodedata.category(character) in _OBEYED else character
        for character in text
    )


#: Controls, formats such as direction overrides, and lone surrogates, which cannot be written out at all.
_OBEYED = frozenset({"Cc", "Cf", "Cs"})


def _stdout() -> Console:
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)


@contextmanager
def progress() -> Iterator[Watch]:
    """Show how far a run is: a bar where stderr is a terminal, else a line, or an object, whenever a stage begins."""
    if logs.every_step():
        yield _steps()
        return
    if not sys.stderr.isatty():
        yield _lines()
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def watch(stage: str, done: int, total: int) -> None:
            if total > 1:
                bar.update(task, description=f"{stage} {done:,} of {total:,}", completed=done, total=total)
            else:
                bar.update(task, description=stage, total=None)

        yield watch


def _steps() -> Watch:
    last = ("", 0.0)

    def watch(stage: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if stage != last[0] or now - last[1] > STEP_SECONDS or done == total > 1:
            last = stage, now
            logs.step("info", stage, {"stage": stage, "done": done, "total": total})

    return watch


def _lines() -> Watch:
    seen: set[str] = set()

    def watch(stage: str, done: int, total: int) -> None:  # noqa: ARG001
        if stage not in seen:
            seen.add(stage)
            print(f"wenliu: {stage}" + (f" ({total:,})" if total > 1 else ""), file=sys.stderr)

    return watch


def counts(values: Mapping[str, int]) -> str:
    """Say `3 new, 1 gone`, leaving out what is none.

    >>> counts({"new": 3, "changed": 0, "gone": 1})
    '3 new, 1 gone'
    """
    return ", ".join(f"{number:,} {name}" for name, number in values.items() if number)


def show_plan(settings: Settings, job: Job, as_json: bool) -> None:
    """Show what a run would do and why, which published articles it touches, and how long it would take."""
    touched, seconds = job_of.touched(job), job_of.estimate(settings, job)
    lists = {name: getattr(job.plan, name) for name in ("new", "changed", "redo", "gone", "waiting", "unchanged")}
    lists["ignored"] = tuple(job.listing.ignored.items())
    if as_json:
        told = {
            name: [{"source": s, "reason": r} | ({"articles": touched[s]} if s in touched else {}) for s, r in found]
            for name, found in lists.items()
        }
        unapplied = [entry._asdict() for entry in job.unapplied]
        write_json(told | {"unapplied": unapplied, "estimated_seconds": seconds})
        return
    for name, found in lists.items():
        if found and name != "unchanged":
            columns = ("source", "why", "articles") if name in ("changed", "redo", "gone") else ("source", "why")
            rows = [(*change, titles(touched.get(change[0], ())))[: len(columns)] for change in found[:SHOWN]]
            table(f"{name} ({len(found):,})", columns, rows)
            more(len(found))
    if job.unapplied:
        table(f"corrections that do not apply ({len(job.unapplied):,})", ("source", "why"), job.unapplied[:SHOWN])
        more(len(job.unapplied))
    line(counts(job.counts) or "there is nothing under raw/")
    if articles := sum(map(len, touched.values())):
        line(f"{articles:,} published article{'s' if articles > 1 else ''} may change or leave")
    if seconds:
        line(f"a run would take about {duration(seconds)}, at the pace of those before")
    if job.is_empty:
        line("nothing new: a run would publish nothing")
    elif job.plan.is_empty:
        line("the checks changed: a run would judge the release again")


def titles(articles: Sequence[Mapping[str, Any]]) -> str:
    """Name some articles by their titles, or by their ids where they have none.

    >>> titles([{"article_id": "a1", "title": "春天"}, {"article_id": "a2", "title": None}])
    '春天; a2'
    """
    named = [article["title"] or article["article_id"] for article in articles[:TITLES]]
    return "; ".join(named) + (f"; and {len(articles) - TITLES} more" if len(articles) > TITLES else "")


def duration(seconds: float) -> str:
    """Say a length of time as it is worth knowing ahead.

    >>> duration(42), duration(400), duration(9_000)
    ('42 s', '7 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"


def more(length: int) -> None:
    """Say how many rows of a list were not shown."""
    if length > SHOWN:
        line(f"… and {length - SHOWN:,} more; --json lists them all", "dim")


def show_outcome(outcome: Outcome, as_json: bool) -> None:
    """Show what came of a run."""
    if as_json:
        write_json(asdict(outcome) | {"causes": [dict(zip(CAUSE, cause, strict=True)) for cause in outcome.causes]})
        return
    if outcome.status != "nothing new":
        told = [(name, outcome.read.get(name, 0), outcome.rows.get(name, 0)) for name in TOLD]
        table("", ("", "this run", "release"), told)
    if outcome.causes:
        table("rejected", CAUSE, outcome.causes[:SHOWN])
        more(len(outcome.causes))
    for title, findings in (("worth a look", outcome.warnings), ("refused", outcome.refusals)):
        if findings:
            rows = [(f["check"], f["count"], f["message"], f["remedy"]) for f in findings]
            table(title, ("check", "times", "what is the matter", "what to do"), rows)
    if outcome.status == "refused":
        line("refused: nothing is published, the release there was stays", "bold red")
        line(f"the staged tables and the verdict are in {outcome.path}")
        line("look: `wenliu rejects --refused`, `wenliu explain --refused SOURCE`")
    elif outcome.status == "nothing new":
        line(outcome.headline)
    else:
        line(f"published {outcome.release} in {outcome.path}", "bold")
        line(metrics.sentence(outcome.metrics), "dim")
        if outcome.rejects:
            line("`wenliu rejects` lists what was rejected, and what to do about it")


#: The columns of `Outcome.causes`.
CAUSE = ("stage", "check", "times", "what to do")


def show_releases(found: Sequence[Release], current: str | None, hold: Mapping[str, str] | None, as_json: bool) -> None:
    """Show the releases, the newest first."""
    rows = [
        {
            "release": release.id,
            "created_at": release.manifest["created_at"],
            "current": release.id == current,
            **{name: release.manifest["tables"][name]["rows"] for name in TOLD},
        }
        for release in found
    ]
    if as_json:
        write_json({"releases": rows, "held": hold})
        return
    shown = [("*" if row["current"] else "", *(row[key] for key in ("release", "created_at", *TOLD))) for row in rows]
    if rows:
        table("", ("", "release", "published", *TOLD), shown)
    else:
        line("nothing is published yet")
    if hold:
        why = f" ({hold['because']})" if hold["because"] else ""
        line(f"publishing is held since {hold['since']}{why}: `wenliu resume` opens it again", "yellow")


def show_difference(found: Difference, as_json: bool) -> None:
    """Show which articles were added, changed and removed between two releases, and the sentences that changed."""
    lists = {name: getattr(found, name) for name in ("added", "changed", "removed")}
    if as_json:
        write_json({name: [_change(change) for change in changes] for name, changes in lists.items()})
        return
    for name, changes in lists.items():
        if changes:
            rows = [(c.article_id, c.source, c.title, c.cause) for c in changes[:SHOWN]]
            table(f"{name} ({len(changes):,})", ("article_id", "source", "title", "cause"), rows)
            more(len(changes))
    for change in found.changed[:SHOWN]:
        line(f"{change.article_id}  {change.title or '(no title)'}", "bold")
        for fact, (was, now) in change.facts.items():
            line(f"  {fact}: {was or '-'} -> {now or '-'}")
        for piece in change.pieces:
            if piece.mark != "same":
                sign, style = ("-", "red") if piece.mark == "gone" else ("+", "green")
                for sentence in piece.sentences:
                    line(f"  {sign} {sentence}", style)
        for shape in change.reshaped:
            line(f"  ~ {shape.told}", "yellow")
    line(counts({name: len(changes) for name, changes in lists.items()}) or "no difference in the articles")


def _change(change: Change) -> dict[str, Any]:
    told = asdict(change)
    told["pieces"] = [piece._asdict() for piece in change.pieces if piece.mark != "same"]
    told["reshaped"] = [
        {side: [shape._asdict() for shape in shapes] for side, shapes in both._asdict().items()}
        for both in change.reshaped
    ]
    return told


def show_rejects(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Show what is rejected, grouped by why, the most frequent first."""
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["stage"], row["check"], row["remedy"]), []).append(row)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    if as_json:
        keys = ("stage", "check", "remedy")
        write_json([dict(zip(keys, why, strict=True)) | {"count": len(own), "rejects": own} for why, own in ordered])
        return
    for (stage, check, remedy), found in ordered:
        columns = ("reject_id", "source", "message")
        table(f"{stage}: {check} ({len(found):,})", columns, [[row[key] for key in columns] for row in found[:SHOWN]])
        more(len(found))
        line(f"  what to do: {remedy}")
    line(f"{len(rows):,} rejected; `wenliu rejects show ID` shows one" if rows else "nothing is rejected")


def show_reject(row: Mapping[str, Any], pairs: Sequence[Pair], note: str, as_json: bool) -> None:
    """Show one reject with its evidence, and its lines in the file beside what was made of them."""
    if as_json:
        write_json({**row, "beside": [pair._asdict() for pair in pairs], "note": note})
        return
    for key, value in row.items():
        if key != "text" and value:
            line(f"{key:<11}{value}")
    line()
    if note:
        line(note, "yellow")
    if pairs:
        _stdout().print(_beside(pairs))
    else:
        for text in row["text"].splitlines():
            line(text)
        line()
    line(f"as a page: `wenliu explain {shlex.quote(row['source'])} --html`", "dim")
    if row["stage"] == "check" and row["article_id"]:
        line(
            f"if it is read wrongly: `wenliu explain {row['article_id']} --correct` prints a correction to start from",
            "dim",
        )
        line(f"if it may pass all the same: `wenliu rejects accept {row['reject_id']} --because WHY`", "dim")


def _beside(pairs: Sequence[Pair]) -> Table:
    shown = Table("the file", "as it is read", box=box.SIMPLE_HEAD, pad_edge=False, show_lines=True, expand=True)
    for column in shown.columns:
        column.ratio, column.overflow = 1, "fold"
    for pair in pairs:
        page = f"page {pair.page}, " if pair.page else ""
        raw = Text("\n").join(Text(f"{page}line {n}  ", "dim") + Text(visible(text)) for n, text in pair.lines)
        if pair.paragraph is None:
            shown.add_row(raw, Text(f"left out: {pair.kind.replace('_', ' ')}", "dim"))
        else:
            goes_on = "" if pair.text else "goes on"
            shown.add_row(raw, Text(f"{pair.paragraph} {pair.kind}  ", "cyan") + Text(visible(pair.text) or goes_on))
    return shown


def show_explanation(found: Mapping[str, Any], as_json: bool) -> None:
    """Show a source's articles, paragraph by paragraph: its number, kind, how sure that is, and its place in the file."""
    if as_json:
        write_json(found)
        return
    source = found["source"]
    line(f"{source['source']}  {source['status']}" + (f": {source['reason']}" if source["reason"] else ""), "bold")
    if source.get("correction"):  # releases of an earlier schema say nothing of it
        line(f"  corrections: {source['correction']}", "dim")
    for left in source["left_out"]:
        line(f"  left out by {left['rule']}: {left['chars']:,} characters", "dim")
    for row in found["rejects"]:
        line(f"  rejected: {row['stage']}: {row['check']}: {row['message']} {row['remedy']}", "red")
    for article in found["articles"]:
        line()
        line(f"{article['article_id']}  {article['title'] or '(no title)'}", "bold")
        facts = ("authors", "affiliation", "publisher", "published_on", "url", "language", "confidence")
        line("  " + ", ".join(f"{key} {_said(article[key])}" for key in facts if article[key]), "dim")
        for number, paragraph in enumerate(article["paragraphs"]):
            fixes = f"  {', '.join(paragraph['fixes'])}" if paragraph["fixes"] else ""
            told = f"{paragraph['kind']:<12}{figure(paragraph['confidence'])}  {place(paragraph)}{fixes}"
            line(f"{number:>4}  {told}", "cyan")
            line(f"      {paragraph['text']}")


def _said(value: object) -> str:
    if isinstance(value, list):
        return "、".join(map(str, value))
    return figure(value) if isinstance(value, float) else str(value)


def show_health(checks: Sequence[Check], as_json: bool) -> None:
    """Show what the doctor found, and the remedies."""
    if as_json:
        write_json([asdict(check) | {"ok": not check.remedy} for check in checks])
        return
    table("", ("", "", "found", "what to do"), [("!" if c.remedy else "ok", c.name, c.found, c.remedy) for c in checks])
    wrong = sum(bool(check.remedy) for check in checks)
    line(f"{wrong} of {len(checks)} need a hand" if wrong else "all is well", "bold")
