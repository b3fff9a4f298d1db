"""One source's journey, from bytes to articles of sentences and words.

bytes ─read─▶ pages of lines ─reflow─▶ articles of paragraphs ─correct─▶ the same, put right ─segment─▶ sentences, tokens
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tasks.document import Article, Document, Reading, Reject, Source, Unreadable
from tasks.instructions import DEFAULT, Options
from tasks.read import image, ocr, pdf
from tasks.read.text import read_text
from tasks.reflow import reflow
from tasks.segment import Dictionary, segment
from tasks.spool import HEAD_BYTES, check_pages, check_promise, check_whole, sniff

if TYPE_CHECKING:
    from tasks.corrections import Correction

#: So many pages of a long PDF are read by one child, so that no page uses up the budget of others far away; and so many
#: scanned ones, each of which takes as long as a hundred.
PAGES_AT_ONCE, SCANS_AT_ONCE = 50, 4


class Unfinished(Exception):
    """A file is not all read yet: `reading` holds its next pages, for the child that goes on behind them.

    `limits` names those that it needs: "ocr" where the next pages are scans, else none.
    """

    def __init__(self, reading: Reading, limits: str) -> None:
        super().__init__(f"{reading.pages_left} pages left")
        self.reading = reading
        self.limits = limits


def process(
    source: Source,
    options: Options = DEFAULT,
    corrections: Sequence[Correction] = (),
    enter: Callable[[str], object] = lambda _: None,
    before: Sequence[Reading] | None = None,
) -> Document:
    """Return a source's articles, or the reason why there are none: bad input is a `Reject`, never an exception.

    `corrections` are those of this very source and its bytes. `enter` hears the name of each stage as it begins: `read`,
    `reflow`, `segment`. Given what was read of it `before`, be it nothing yet, a long PDF is read by its next pages only,
    which `Unfinished` hands out, until there are none left; without, all of it is read here.
    """
    reading: Reading | None = None
    enter(stage := "read")
    try:
        reading = read(source, options, before)
        enter(stage := "reflow")
        articles, left_out = reflow(reading, options.opening)
        articles = tuple(_as_set(article, options) for article in articles)
        outcome = None
        if corrections:  # what validates them is a tenth of what a process that reads would load
            from tasks.corrections import correct

            corrected = correct(articles, corrections)
            articles, outcome = corrected.articles, corrected.outcome
            left_out = Counter(left_out) + Counter(corrected.left_out)
        if not articles:
            raise Unreadable(
                "no_article",
                "the file holds page numbers and the like, but no text",
                "check that the file was written completely",
                stage=stage,
            )
        enter(stage := "segment")
        dictionary = _dictionary(options.dictionary) if options.dictionary else None
        articles = tuple(with_words(article, dictionary) for article in articles)
    except Unreadable as error:
        return rejected(source, reading, replace(error.reject, message=_naming(source, error.reject.message)))
    except (Unfinished, RecursionError, MemoryError):
        raise  # the guard knows what to make of these
    except Exception as error:  # noqa: BLE001 - whatever a document provokes is that document's reject
        fault = Reject(
            stage,
            "failed",
            f"{source.source}: the {stage} stage failed on this file ({type(error).__name__}: {error})"[:300],
            "Report it with the file; the others are not touched by it.",
            evidence=type(error).__name__,
        )
        return rejected(source, reading, fault)
    return Document(
        source=source,
        articles=articles,
        rejects=tuple(replace(r, message=_naming(source, r.message)) for r in reading.rejects),
        media_type=reading.media_type,
        encoding=reading.encoding,
        pages=len(reading.pages) if reading.media_type == pdf.MEDIA_TYPE else None,
        n_chars=reading.n_chars,
        left_out=dict(Counter(reading.left_out) + Counter(left_out)),
        correction=outcome,
        scanned=bool(reading.scans),
    )


def _as_set(article: Article, options: Options) -> Article:
    """Return an article with what the settings say of every article of its folder."""
    return replace(
        article, language=options.language or article.language, publisher=options.publisher or article.publisher
    )


def read(source: Source, options: Options, before: Sequence[Reading] | None = None) -> Reading:
    """Return the lines of a source by the reader for what it holds, whatever its name says.

    Raises `Unreadable`, and `Unfinished` where a long PDF is to be read by its next pages (see `process`).
    """
    data = Path(source.path).read_bytes()
    head = data[:HEAD_BYTES]
    check_promise(source.source, head)
    media_type = sniff(head)
    if media_type != pdf.MEDIA_TYPE and media_type not in image.MEDIA_TYPES:
        return read_text(data, options.encoding)
    check_whole(source.source, head, len(data))
    readings = list(before or ())
    while not readings or _next(readings, options):
        readings.append(_read_on(source, data, media_type, options, readings))
        left = _next(readings, options)
        if before is not None and (before or left):
            raise Unfinished(readings[-1], "ocr" if left == "scans" else "")
    return pdf.whole(readings)


def _next(readings: Sequence[Reading], options: Options) -> Literal["pages", "scans", ""]:
    """Return what is to be read after these readings: further pages, then those that are scans, then nothing."""
    if readings[-1].pages_left:
        return "pages"
    return "scans" if options.ocr and pdf.scans_left(readings) else ""


def _read_on(source: Source, data: bytes, media_type: str, options: Options, readings: Sequence[Reading]) -> Reading:
    """Read some more pages."""
    if readings and not readings[-1].pages_left:
        draw = pdf.draw if media_type == pdf.MEDIA_TYPE else image.draw
        return ocr.read_pictures(draw(data, pdf.scans_left(readings)[:SCANS_AT_ONCE]), media_type)
    if media_type != pdf.MEDIA_TYPE:
        return image.read_image(data, media_type)
    done = sum(len(reading.pages) for reading in readings)
    reading = pdf.read_pages(data, done + 1, PAGES_AT_ONCE, options.direction)
    check_pages(source.source, data, done + len(reading.pages) + reading.pages_left)
    return reading


def with_words(article: Article, dictionary: Dictionary | None) -> Article:
    """Return an article with every paragraph cut into sentences and words."""
    return replace(
        article,
        paragraphs=tuple(
            replace(p, sentences=segment(p.text, article.language, dictionary)) for p in article.paragraphs
        ),
    )


def rejected(source: Source, reading: Reading | None, reject: Reject) -> Document:
    """Return a document of nothing but the reason why it has no articles."""
    if reading is None:
        return Document(source, rejects=(reject,), scanned=reject.check in ("needs_ocr", "nothing_recognised"))
    text = "\n".join(line.text for page in reading.pages for line in page.lines)
    return Document(
        source,
        rejects=(replace(reject, text=text),),
        media_type=reading.media_type,
        encoding=reading.encoding,
        n_chars=reading.n_chars,
        left_out=reading.left_out,
        scanned=bool(reading.scans),
    )


def _naming(source: Source, message: str) -> str:
    return message if message.startswith(source.source) else f"{source.source}: {message}"


@lru_cache(maxsize=4)
def _dictionary(path: str) -> Dictionary:
    return Dictionary.load(path)
