"""What is done with a batch of sources in a child of the guard (`tasks.guard`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tasks.article import Options, process

from tasks.dataset import build_tables, encode_tables
from tasks.document import Source
from tasks.segment import Dictionary, segment


def warm(settings: dict[str, Any]) -> None:
    """Load what every child needs (the segmenter's dictionary takes a second) before the first of them is forked."""
    dictionary = settings["options"]["dictionary"]
    segment("新闻", "zh-Hans", Dictionary.load(dictionary) if dictionary else None)


def work(sources: Sequence[Source], settings: dict[str, Any]) -> bytes:
    """Read, reflow and segment these sources; return their tables as bytes."""
    options = Options(**settings["options"])
    documents = (process(source, options) for source in sources)
    return encode_tables(build_tables(documents, settings["fingerprint"]))
