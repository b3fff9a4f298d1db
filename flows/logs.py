"""What is said on stderr: a line for people, or a JSON object per line for machines (`log = "json"` in the settings)."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any, Literal, TextIO

Form = Literal["text", "json"]

#: What this project says; libraries have loggers of their own.
_logger = logging.getLogger("wenliu")


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is now: tests, and whoever else redirects it, replace it."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def configure(form: Form) -> None:
    """Say what is said from now on in this form; Prefect's own messages too, unless it is imported already.

    People hear of what went wrong, for they see the progress and the result; machines hear of every step.
    """
    handler = _Stderr()
    if form == "json":
        from pythonjsonlogger.json import JsonFormatter

        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER", "json")
        fields = {"asctime": "time", "levelname": "level"}
        handler.setFormatter(
            JsonFormatter(
                "{asctime}{levelname}{message}",
                datefmt="%Y-%m-%dT%H:%M:%S%z",
                style="{",
                rename_fields=fields,
                json_ensure_ascii=False,
            )
        )
    else:
        handler.setFormatter(logging.Formatter("wenliu: %(message)s"))
    _logger.handlers[:] = [handler]
    _logger.setLevel(logging.INFO if form == "json" else logging.WARNING)
    _logger.propagate = False


def every_step() -> bool:
    """Say whether every step is said, as machines want it."""
    return _logger.isEnabledFor(logging.INFO)


def step(level: Literal["info", "warning"], message: str, fields: Mapping[str, Any] | None = None) -> None:
    """Tell machines, and them alone, what a run does or meets; `fields` stand beside the message."""
    if every_step():
        _logger.log(logging.getLevelName(level.upper()), "%s", _in_one_line(message), extra=dict(fields or {}))


def warning(message: str) -> None:
    """Tell whoever listens what is not as it should be, though the run goes on."""
    _logger.warning("%s", _in_one_line(message))


def error(message: str) -> None:
    """Tell whoever listens what went wrong, in one line."""
    if not any(isinstance(handler, _Stderr) for handler in _logger.handlers):  # the settings have not been read yet
        configure("json" if os.environ.get("WENLIU_LOG") == "json" else "text")
    _logger.error("%s", _in_one_line(message))


def _in_one_line(message: str) -> str:
    from flows.console import visible  # late, for it brings more than an error needs elsewhere

    return visible(" ".join(message.splitlines()))
