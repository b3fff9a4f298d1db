"""A reader for tests of what happens around reading: a line is a paragraph, the first one the title.

Lines that begin with `!` make it do what documents do at their worst.
"""

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tasks.dataset import build_tables, encode_tables
from tasks.document import Article, Document, Paragraph, Reject, Source, count_chars
from tasks.segment import language_of, segment


def warm(_: dict[str, Any]) -> None:
    segment("新闻", "zh-Hans")


def work(sources: Sequence[Source], settings: dict[str, Any]) -> bytes:
    return encode_tables(build_tables([process(source) for source in sources], settings["fingerprint"]))


def die(_: Sequence[Source], __: dict[str, Any]) -> bytes:
    os.abort()


def process(source: Source) -> Document:
    text = Path(source.path).read_text(encoding="utf-8")
    n_chars = count_chars(text)
    if "!crash" in text:
        os.abort()
    if "!unreadable" in text:
        reject = Reject("read", "not_text", f"{source.source}: this is no text.", "Give the text itself.", text=text)
        return Document(source, rejects=(reject,), media_type="text/plain", n_chars=n_chars)
    language = language_of(text)
    paragraphs = tuple(
        Paragraph(
            kind="title" if number == 1 else "body",
            text=line,
            confidence=1.0,
            line_first=number,
            line_last=number,
            sentences=segment(line, language),
        )
        for number, line in enumerate(text.splitlines(), start=1)
    )
    article = Article(
        ordinal=0,
        paragraphs=paragraphs,
        language=language,
        confidence=1.0,
        title=paragraphs[0].text,
        published_on=date(2999, 1, 1) if "!future" in text else date(2024, 5, 1),
    )
    return Document(source, articles=(article,), media_type="text/plain", encoding="utf-8", n_chars=n_chars)
