"""What the commands show people: tables on stdout, a progress bar or plain lines on stderr.

Texts from raw files are shown with their control characters spelt out, so that no article can drive a terminal.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from flows.pipeline import Watch

#: A pipe has no width; nothing is cut there that a terminal would wrap.
_PIPE_WIDTH = 240
#: How many rows of a long list are shown to people; `--json` has them all.
SHOWN = 20


def write_json(value: Any) -> None:
    """Write `value` as one JSON document to stdout."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=_plain)
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


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table to stdout; numbers stand to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    kinds = [isinstance(value, int | float) for value in next(iter(rows), ())] if isinstance(rows, Sequence) else []
    shown = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        shown.add_column(column, justify="right" if index < len(kinds) and kinds[index] else "left", overflow="fold")
    for row in cells:
        shown.add_row(*row)
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
    """Show how far a run is: a bar where stderr is a terminal, else a line whenever a stage begins."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("start", total=None)

        def watch(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total)

        yield watch


def _lines() -> Watch:
    seen: set[str] = set()

    def watch(stage: str, done: int, total: int) -> None:
        if stage not in seen:
            seen.add(stage)
            print(f"wenliu: {stage} ({total:,})", file=sys.stderr)

    return watch


def counts(values: Mapping[str, int]) -> str:
    """Say `3 new, 1 gone`, leaving out what is none.

    >>> counts({"new": 3, "changed": 0, "gone": 1})
    '3 new, 1 gone'
    """
    return ", ".join(f"{number:,} {name}" for name, number in values.items() if number)
