"""A reader for tests of what happens around reading: a line is a paragraph, the first one the title.

Lines that begin with `!` make it do what documents do at their worst.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from tasks.corrections import Correction, correct
from tasks.dataset import build_tables, encode_tables
from tasks.document import (
    Article,
    Document,
    Language,
    Paragraph,
    Reject,
    Sentence,
    Source,
    Stretch,
    Token,
    count_chars,
)
from tasks.instructions import Instructions
from tasks.segment import language_of, segment
from tasks.sources import Fingerprint

#: Cuts a text into sentences of words.
Cut = Callable[[str, Language], tuple[Sentence, ...]]


def warm(_: dict[str, Any]) -> None:
    segment("新闻", "zh-Hans")


def work(sources: Sequence[Source], settings: dict[str, Any], parts: Sequence[bytes]) -> bytes:
    return _tables(sources, settings, segment)


def work_by_the_letter(sources: Sequence[Source], settings: dict[str, Any], parts: Sequence[bytes]) -> bytes:
    """The same with a letter to a word, for which nothing has to be loaded."""
    return _tables(sources, settings, by_the_letter)


def _tables(sources: Sequence[Source], settings: dict[str, Any], cut: Cut) -> bytes:
    instructions = Instructions.load(settings["instructions"])
    fingerprint = Fingerprint(settings["fingerprint"])
    own = {source.source: fingerprint.of(instructions.own(source)) for source in sources}
    documents = [process(source, cut, instructions.corrections_for(source)) for source in sources]
    return encode_tables(build_tables(documents, fingerprint.value, own))


def by_the_letter(text: str, _: Language) -> tuple[Sentence, ...]:
    tokens = tuple(Token(n, n + 1, "x") for n, letter in enumerate(text) if not letter.isspace())
    return (Sentence(0, len(text), tokens),)


def die(sources: Sequence[Source], settings: dict[str, Any], parts: Sequence[bytes]) -> bytes:
    os.abort()


def process(source: Source, cut: Cut = segment, corrections: Sequence[Correction] = ()) -> Document:
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
            stretches=(Stretch(0, number, None),),
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
    corrected = correct([article], corrections)
    cut_up = tuple(
        replace(a, paragraphs=tuple(replace(p, sentences=cut(p.text, a.language)) for p in a.paragraphs))
        for a in corrected.articles
    )
    return Document(
        source,
        articles=cut_up,
        media_type="text/plain",
        encoding="utf-8",
        n_chars=n_chars,
        left_out=corrected.left_out,
        correction=corrected.outcome if corrections else None,
    )
