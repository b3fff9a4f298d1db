"""The command `wenliu`.

Only click is imported here: `wenliu --help` must answer at once, so every command imports what it needs when it runs.
Results go to stdout, progress and logs to stderr.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from flows.logs import Form
    from flows.pipeline import Outcome
    from flows.settings import Settings

P = ParamSpec("P")

#: Exit codes, the same for every command.
DONE, REFUSED, USAGE, FAILED, BUSY, INTERRUPTED = 0, 1, 2, 3, 4, 130

_as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON for machines to stdout.")


def _with_settings(*, raw: bool = False) -> Callable[[Callable[Concatenate[Settings, P], int | None]], Any]:
    """Give a command the options of every command, and call it with the settings in force."""

    def decorate(function: Callable[Concatenate[Settings, P], int | None]) -> Any:
        @click.option("--settings", "file", type=Path, envvar="WENLIU_SETTINGS", help="Settings file [wenliu.toml].")
        @click.option("--processed", type=Path, help="Directory of the releases [processed].")
        @click.option(
            "--log", type=click.Choice(["text", "json"]), help="What stderr says: lines, or JSON objects [text]."
        )
        @click.option("--debug", is_flag=True, envvar="WENLIU_DEBUG", help="Show where in the code an error arose.")
        @functools.wraps(function)
        def command(
            file: Path | None,
            log: Form | None,
            debug: bool,  # noqa: ARG001
            *args: P.args,
            **options: P.kwargs,
        ) -> int | None:
            from flows import logs
            from flows.settings import load

            if log:
                logs.configure(log)  # for what the settings themselves have to say
            given = {name: options.pop(name) for name in ("raw", "processed") if name in options}
            settings = load(file, log=log, **given)
            logs.configure(settings.log)
            return function(settings, *args, **options)

        if raw:
            return click.option("--raw", type=Path, help="Directory of the raw articles [raw].")(command)
        return command

    return decorate


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="wenliu")
def cli() -> None:
    """Turn newspaper and journal pages into a checked Parquet dataset.

    Exit codes: 0 published or nothing new, 1 the gate refused, 2 wrong usage or settings, 3 a failure of the machinery
    (nothing published), 4 another run is publishing.
    """


@cli.command()
@click.option("--dry-run", is_flag=True, help="Only tell what would be done and why.")
@click.option("--full", is_flag=True, help="Read every source again, changed or not.")
@_as_json
@_with_settings(raw=True)
def run(settings: Settings, dry_run: bool, full: bool, as_json: bool) -> int:
    """Ingest what is new, check it, publish it."""
    from flows import console, job, logs, pipeline

    found = job.plan(settings, full=full)
    if dry_run:
        console.show_plan(settings, found, as_json)
        return DONE
    nothing = pipeline.nothing_new(settings, found)
    outcome = pipeline.told(settings, nothing) if nothing else _ingest(settings, full)
    told = {"status": outcome.status, "release": outcome.release, "read": outcome.read, "metrics": outcome.metrics}
    logs.step("info", "the run has ended", told)
    console.show_outcome(outcome, as_json)
    return REFUSED if outcome.status == "refused" else DONE


def _ingest(settings: Settings, full: bool) -> Outcome:
    """Run as a Prefect flow, or without Prefect when the server that is set does not answer."""
    from flows import console, logs, look, pipeline

    pipeline.check_open(settings)  # before Prefect's server is started in vain
    address = os.environ.get("PREFECT_API_URL")
    with console.progress() as watch:
        if address and not look.answers(address):
            logs.warning(f"the Prefect server at {address} does not answer; running without it")
            return pipeline.run(settings, full=full, watch=watch, log=logs.step)
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")  # stderr is ours
        from flows import ingest

        return ingest.run(settings, full=full, watch=watch)


@cli.command()
@click.option("--full", is_flag=True, help="As if every source were to be read again.")
@_as_json
@_with_settings(raw=True)
def plan(settings: Settings, full: bool, as_json: bool) -> None:
    """Tell what a run would do and why.

    Also which published articles it touches, and about how long it would take.
    """
    from flows import console, job

    console.show_plan(settings, job.plan(settings, full=full), as_json)


@cli.command()
@click.option("--cron", help="When to run, as in crontab: '0 6 * * *' is every day at six.")
@click.option("--interval", type=click.IntRange(min=1), help="Run every so many seconds.")
@click.option(
    "--watch",
    type=click.FloatRange(min=1),
    is_flag=False,
    flag_value=10.0,
    metavar="[SECONDS]",
    help="Look at the raw articles every so many seconds, and run when a file has stopped growing [10].",
)
@_with_settings(raw=True)
def serve(settings: Settings, cron: str | None, interval: int | None, watch: float | None) -> None:
    """Run on a schedule, or whenever something new has arrived.

    Or both; until it is interrupted.
    """
    if cron is not None and interval is not None:
        raise click.UsageError("Give either --cron or --interval.")
    if cron is None and interval is None and watch is None:
        raise click.UsageError("Give --cron, --interval or --watch.")
    from flows.serve import serve

    serve(settings, cron=cron, interval=interval, watch=watch)


@cli.command()
@_as_json
@_with_settings()
def releases(settings: Settings, as_json: bool) -> None:
    """List the releases, the newest first."""
    from flows import console
    from tasks import release

    found = release.releases(settings.processed)
    current = release.open_release(settings.processed).id if found else None
    console.show_releases(found, current, release.held(settings.processed), as_json)


@cli.command()
@click.argument("release_id", metavar="RELEASE")
@click.option("--because", default="", help="Why; kept with the hold.")
@_with_settings()
def rollback(settings: Settings, release_id: str, because: str) -> None:
    """Make an earlier RELEASE current, and hold publishing.

    It is held until `wenliu resume`, else the next run would undo it.
    """
    from tasks import release

    target = release.rollback(_existing(settings), release_id, because)
    click.echo(f"{target.id} is current; publishing is held until `wenliu resume`")


@cli.command()
@_with_settings()
def resume(settings: Settings) -> None:
    """Let runs publish again after a rollback."""
    from tasks import release

    was_held = release.resume(_existing(settings))
    click.echo("publishing is open again" if was_held else "publishing was not held")


@cli.command()
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@_as_json
@_with_settings()
def diff(settings: Settings, old: str, new: str, as_json: bool) -> None:
    """Tell what release B changed against release A, and why.

    Which articles it added, changed and removed, sentence by sentence.
    """
    from flows import console
    from flows.difference import difference
    from tasks.release import open_release

    found = difference(open_release(settings.processed, old), open_release(settings.processed, new))
    console.show_difference(found, as_json)


_refused = click.option("--refused", is_flag=True, help="Look into the release that was refused last.")


@cli.command()
@click.argument("release_id", metavar="[RELEASE]", required=False)
@_refused
@click.option("--open", "show", is_flag=True, help="Open it in the browser too.")
@_with_settings()
def report(settings: Settings, release_id: str | None, refused: bool, show: bool) -> None:
    """Print where the report on a release lies.

    It is a page that shows what came in, what changed, what the checks said.
    """
    from flows import look
    from flows.report import path

    found = path(look.directory(settings.processed, release_id, refused))
    click.echo(found)
    if show:
        click.launch(str(found.resolve()))


@cli.group(invoke_without_command=True)
@_refused
@_as_json
@_with_settings()
def rejects(settings: Settings, refused: bool, as_json: bool) -> None:
    """List what was not published, why, and what to do about it."""
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        from flows import console, look

        console.show_rejects(look.shelf(settings.processed, refused).rows("rejects"), as_json)
    elif any(context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in context.params):
        raise click.UsageError(f"Options go behind `{context.invoked_subcommand}`.")


@rejects.command("show")
@click.argument("reject_id", metavar="REJECT")
@_refused
@_as_json
@_with_settings(raw=True)
def show_reject(settings: Settings, reject_id: str, refused: bool, as_json: bool) -> None:
    """Show one reject with its evidence.

    Its lines in the file stand beside what was made of them.
    """
    from flows import console, explain, look

    row = look.reject(look.shelf(settings.processed, refused), reject_id)
    console.show_reject(row, *explain.beside(settings, row), as_json)


@rejects.command("accept")
@click.argument("reject_id", metavar="REJECT")
@click.option("--because", required=True, help="Why it may pass; kept with the entry.")
@_refused
@_with_settings()
def accept_reject(settings: Settings, reject_id: str, because: str, refused: bool) -> None:
    """Let an article pass the check it failed.

    It may from the next run on, and while its source stays the same.
    """
    from flows import look
    from flows.accepted import accept

    shelf = look.shelf(settings.processed, refused)
    row = look.reject(shelf, reject_id)
    (source,) = shelf.rows("sources", "source", row["source"])
    entry = accept(settings.accepted, row, source["sha256"], because)
    click.echo(f"{entry.article_id} may fail {entry.check} from the next run on; it is written in {settings.accepted}")


@cli.command()
@click.argument("name", metavar="ARTICLE|SOURCE|FILE")
@_refused
@click.option(
    "--html",
    "html",
    is_flag=False,
    flag_value="",
    metavar="[PAGE]",
    help="Write a page that shows the file beside its text, of any file, published or not [SOURCE.html]; - is stdout.",
)
@click.option(
    "--correct",
    is_flag=False,
    flag_value="facts",
    metavar="[PARAGRAPH]",
    help="Print an entry for corrections.toml to start from: for a paragraph by its number, or for the article's facts.",
)
@_as_json
@_with_settings(raw=True)
def explain(settings: Settings, name: str, refused: bool, html: str | None, correct: str | None, as_json: bool) -> None:
    """Show how a source was read.

    Each paragraph comes with its number, its kind, how sure that is, and its place in the file.
    """
    if html is not None:
        _write_page(settings, name, refused, html)
        return
    from flows import console, corrections
    from flows.explain import find

    found = find(settings, name, refused)
    if correct is None:
        console.show_explanation(found, as_json)
    elif correct != "facts" and not correct.isdecimal():
        raise click.UsageError(f"{correct}: --correct takes the number of a paragraph, or nothing for the facts.")
    else:
        for line in corrections.entry(found, None if correct == "facts" else int(correct)).splitlines():
            console.line(line)


def _write_page(settings: Settings, name: str, refused: bool, html: str) -> None:
    """Write the page about a source, and tell where; raw/ is no place for it."""
    from flows import explain

    target = Path(html or f"{Path(name).name}.html")
    if target.resolve().is_relative_to(settings.raw.resolve()) or target.resolve() == Path(name).resolve():
        raise click.UsageError(f"{target} is a raw file, or lies among them: name another place with --html PAGE.")
    if not target.parent.is_dir():
        raise click.UsageError(f"{target.parent}: no such folder; make it, or name another place with --html PAGE.")
    text = explain.page(explain.explain(settings, name, refused))
    if str(target) == "-":
        click.echo(text)
    else:
        target.write_text(text, encoding="utf-8")
        click.echo(target)


@cli.command()
@_as_json
@_with_settings(raw=True)
def doctor(settings: Settings, as_json: bool) -> int:
    """Check what a run needs, and tell the remedy for what is wrong.

    That is versions, folders, settings, channels and the server.
    """
    from flows import console
    from flows.doctor import examine

    checks = examine(settings)
    console.show_health(checks, as_json)
    return FAILED if any(check.remedy for check in checks) else DONE


def _existing(settings: Settings) -> Path:
    """Return the directory of the releases, which a command that changes it must find and never makes."""
    from flows.settings import WrongSettings

    if not (settings.processed / "releases").is_dir():
        raise WrongSettings(f"{settings.processed}: no releases are there; name another folder with --processed")
    return settings.processed


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave with its exit code: whatever happens, the user gets one line and no traceback."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = cli.main(given or ["--help"], prog_name="wenliu", standalone_mode=False) or DONE
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of `wenliu rejects | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = DONE
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted; what was finished is kept, the next run goes on from there")
        code = INTERRUPTED
    except Exception as error:
        if "--debug" in given or os.environ.get("WENLIU_DEBUG"):
            raise
        code, message = _verdict_on(error)
        _say(message)
    sys.exit(code)


def _verdict_on(error: Exception) -> tuple[int, str]:
    """Return the exit code and the one line that an error amounts to."""
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        return USAGE, f"{error.format_message()} `{context.command_path if context else 'wenliu'} --help` tells more."
    from flows.look import NotFound
    from flows.settings import WrongSettings
    from tasks.release import Busy, Held, NoRelease
    from tasks.sources import NoRaw

    codes = {Busy: BUSY, Held: REFUSED, NoRelease: USAGE, NoRaw: USAGE, NotFound: USAGE, WrongSettings: USAGE}
    if type(error) in codes:
        return codes[type(error)], str(error)
    told = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
    cause = told or type(error).__name__
    return FAILED, f"failed, nothing is published: {cause} (--debug tells where)"


def _say(message: str) -> None:
    from flows import logs

    logs.error(message)
