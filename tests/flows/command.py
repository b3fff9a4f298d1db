"""The command `wenliu`, called in process."""

import logging

import pytest

from flows.cli import main


def wenliu(*arguments: str) -> int:
    """Run the command as if it were the first of its process, and return its exit code."""
    logging.getLogger("wenliu").handlers.clear()
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return int(end.value.code or 0)
