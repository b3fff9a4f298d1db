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

if TYPE_CHECKING:
    from flows.settings import Settings

P = ParamSpec("P")

#: Exit codes, the same for every command.
DONE, REFUSED, USAGE, FAILED, BUSY = 0, 1, 2, 3, 4

_as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON for machines to stdout.")


def _with_settings(*, raw: bool = False) -> Callable[[Callable[Concatenate[Settings, P], int | None]], Any]:
    """Give a command the options of every command, and call it with the settings in force."""

    def decorate(function: Callable[Concatenate[Settings, P], int | None]) -> Any:
        @click.option("--settings", "file", type=Path, envvar="WENLIU_SETTINGS", help="Settings file [wenliu.toml].")
        @click.option("--processed", type=Path, help="Directory of the releases [processed].")
        @click.option("--debug", is_flag=True, envvar="WENLIU_DEBUG", help="Show where in the code an error arose.")
        @functools.wraps(function)
        def command(file: Path | None, debug: bool, *args: P.args, **options: P.kwargs) -> int | None:  # noqa: ARG001
            from flows.settings import load

            given = {name: options.pop(name) for name in ("raw", "processed") if name in options}
            return function(load(file, **given), *args, **options)

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
@_with_settings(raw=True)
@click.option("--dry-run", is_flag=True, help="Only tell what would be done and why.")
@click.option("--full", is_flag=True, help="Read every source again, changed or not.")
@_as_json
def run(settings: Settings, dry_run: bool, full: bool, as_json: bool) -> int:
    """Ingest what is new, check it, publish it."""
    from flows import console, pipeline

    planned = pipeline.plan(settings, full=full)
    if dry_run:
        console.show_plan(planned, as_json)
        return DONE
    outcome = pipeline.nothing_new(settings, planned) or _ingest(settings, full=full)
    console.show_outcome(outcome, as_json)
    return REFUSED if outcome.status == "refused" else DONE


@cli.command()
@_with_settings(raw=True)
@click.option("--full", is_flag=True, help="As if every source were to be read again.")
@_as_json
def plan(settings: Settings, full: bool, as_json: bool) -> None:
    """Tell what a run would do, and why."""
    from flows import console, pipeline

    console.show_plan(pipeline.plan(settings, full=full), as_json)


@cli.command()
@_with_settings()
@_as_json
def releases(settings: Settings, as_json: bool) -> None:
    """List the releases, the newest first."""
    from flows import console
    from tasks import release

    console.show_releases(release.releases(settings.processed), as_json)


@cli.command()
@_with_settings()
@click.argument("release_id", metavar="RELEASE")
def rollback(settings: Settings, release_id: str) -> None:
    """Make an earlier RELEASE current, and hold publishing until `wenliu resume`."""
    from tasks import release

    release.rollback(settings.processed, release_id)
    click.echo(f"{release_id} is current; publishing is held until `wenliu resume`")


@cli.command()
@_with_settings()
def resume(settings: Settings) -> None:
    """Let runs publish again after a rollback."""
    from tasks import release

    release.resume(settings.processed)
    click.echo("publishing is open")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave with its exit code: whatever happens, the user gets one line, not a traceback."""
    try:
        code = cli.main(arguments, prog_name="wenliu", standalone_mode=False) or DONE
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of `wenliu rejects | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = DONE
    sys.exit(code)
