"""What comes from raw files is shown, never obeyed."""

import json
import unicodedata
from collections.abc import Callable

import pytest

from flows import cli, console

EVIL = "会\x1b[31m\x9b2J\x7f\u202e\ud800\U000e0041\r\x07议"


def as_json() -> None:
    console.write_json({"text": EVIL})


def as_line() -> None:
    console.line(EVIL)


def as_table() -> None:
    console.table("", ("a", "b"), [(EVIL, 1)])


def as_error() -> None:
    cli._say(EVIL)


@pytest.mark.parametrize("write", [as_json, as_line, as_table, as_error])
def test_nothing_that_is_written_drives_a_terminal(
    write: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    write()
    written = "".join(capsys.readouterr())
    assert "会" in written
    assert "议" in written
    assert not [c for c in written if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs"}]


def test_json_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    as_json()
    assert json.loads(capsys.readouterr().out) == {"text": EVIL}
