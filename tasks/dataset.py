"""The seven tables of a release: their schemas, their rows, and how they travel.

`SCHEMAS` is the single truth of every table; `docs/data-dictionary.md` is printed from it by `python -m tasks.dataset`.
Rows are built column by column (no dictionary per row): a thousand articles have some 600,000 tokens.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tasks.document import KINDS, LANGUAGES, Article, Document, Reject

#: Raised whenever a column is added, removed or changes its meaning; part of the fingerprint, so all rows are redone.
SCHEMA_VERSION = 1

#: What is done with a source: all of its articles are in the tables, some, or none.
STATUSES = ("published", "partly", "rejected")

Tables = Mapping[str, pa.Table]


def _one_of(values: Sequence[str]) -> str:
    return ", ".join(values[:-1]) + f" or {values[-1]}"


def _field(name: str, type_: pa.DataType, description: str, *, null: bool = False) -> pa.Field:
    return pa.field(name, type_, nullable=null, metadata={"description": description})


def _list(item: pa.DataType) -> pa.ListType:
    return pa.list_(pa.field("element", item, nullable=False))


def _schema(description: str, *fields: pa.Field) -> pa.Schema:
    return pa.schema(fields, metadata={"description": description, "schema_version": str(SCHEMA_VERSION)})


_ARTICLE_ID = _field(
    "article_id", pa.string(), "Which article: made from `source` and `ordinal`, stable while the source splits alike."
)
_SOURCE = _field(
    "source",
    pa.string(),
    "Path of the raw file under raw/, with forward slashes; control characters, bytes that are not UTF-8 and "
    "the per cent sign itself are written %XX.",
)
_PARAGRAPH = _field("paragraph", pa.int32(), "Which paragraph of the article, counted from 0.")
_SENTENCE = _field("sentence", pa.int32(), "Which sentence of the paragraph, counted from 0.")
_START = _field("start", pa.int32(), "Where it starts in the paragraph's text, in code points from 0.")
_END = _field("end", pa.int32(), "Where it ends in the paragraph's text: the code point after its last.")

_BOX = pa.struct(
    [
        _field("page", pa.int32(), "Page, counted from 1."),
        _field("x0", pa.float64(), "Left edge, in points from the page's left."),
        _field("top", pa.float64(), "Upper edge, in points from the page's top."),
        _field("x1", pa.float64(), "Right edge, in points from the page's left."),
        _field("bottom", pa.float64(), "Lower edge, in points from the page's top."),
    ]
)
_LEFT_OUT = pa.struct(
    [
        _field("rule", pa.string(), "The rule that left characters out of the text."),
        _field("chars", pa.int64(), "How many characters that are not white space it left out."),
    ]
)


def _errors(name: str, description: str) -> pa.Field:
    return _field(name, pa.int32(), description + " 0 in a sound article.")


def _ratio(name: str, description: str) -> pa.Field:
    return _field(name, pa.float64(), description + " Null where there is nothing to divide by.", null=True)


SCHEMAS: Mapping[str, pa.Schema] = {
    "articles": _schema(
        "One row per published article, with its running text.",
        _ARTICLE_ID,
        _SOURCE,
        _field("ordinal", pa.int32(), "Which article of its source in reading order, counted from 0."),
        _field("title", pa.string(), "Title as printed; null where the source shows none.", null=True),
        _field("authors", _list(pa.string()), "Authors in the order of the byline; empty where none is named."),
        _field("affiliation", pa.string(), "Where the authors work, as printed.", null=True),
        _field("publisher", pa.string(), "Newspaper, journal or site that published it.", null=True),
        _field("published_on", pa.date32(), "Day of publication.", null=True),
        _field("url", pa.string(), "Address the source names as its original.", null=True),
        _field("language", pa.string(), f"{_one_of(LANGUAGES)}."),
        _field("text", pa.string(), "Running paragraphs (all but captions), joined by line feeds."),
        _field("text_sha256", pa.string(), "SHA-256 of `text` in UTF-8, in hexadecimal: equal texts, equal hashes."),
        _field("n_chars", pa.int32(), "Code points of `text`."),
        _field("n_paragraphs", pa.int32(), "Rows of the article in `paragraphs`."),
        _field("n_sentences", pa.int32(), "Rows of the article in `sentences`."),
        _field("n_tokens", pa.int32(), "Rows of the article in `tokens`."),
        _field("confidence", pa.float64(), "How sure the reading is, from 0 to 1."),
    ),
    "paragraphs": _schema(
        "One row per paragraph, captions included, and where it stood in the raw file.",
        _ARTICLE_ID,
        _PARAGRAPH,
        _field("kind", pa.string(), f"{_one_of(KINDS)}."),
        _field("text", pa.string(), "The paragraph as its author wrote it, without the layout's line ends and spaces."),
        _field("confidence", pa.float64(), "How sure the reading is, from 0 to 1."),
        _field("fixes", _list(pa.string()), "Repairs made to the text, in the order they were made; empty if none."),
        _field("boxes", _list(_BOX), "Where it stood in a PDF, one box per stretch of lines in a column; else empty."),
        _field("line_first", pa.int32(), "First line in a text file, counted from 1; null in a PDF.", null=True),
        _field("line_last", pa.int32(), "Last line in a text file, counted from 1; null in a PDF.", null=True),
    ),
    "sentences": _schema(
        "One row per sentence: spans in order that leave out nothing but white space.",
        _ARTICLE_ID,
        _PARAGRAPH,
        _SENTENCE,
        _START,
        _END,
        _field("text", pa.string(), "The sentence: the paragraph's text from `start` to `end`."),
    ),
    "tokens": _schema(
        "One row per word: spans in order that leave out nothing but the sentence's white space.",
        _ARTICLE_ID,
        _PARAGRAPH,
        _SENTENCE,
        _field("token", pa.int32(), "Which token of the sentence, counted from 0."),
        _field("text", pa.string(), "The word: the paragraph's text from `start` to `end`."),
        _field("pos", pa.string(), "Part of speech, in jieba's tag set."),
        _START,
        _END,
    ),
    "quality": _schema(
        "One row per article: what was counted in its rows as they stand in Parquet, and what the checks judge.",
        _ARTICLE_ID,
        _SOURCE,
        _field("n_chars", pa.int64(), "Characters of all its paragraphs that are not white space."),
        _field("n_paragraphs", pa.int32(), "Rows counted in `paragraphs`."),
        _field("n_sentences", pa.int32(), "Rows counted in `sentences`."),
        _field("n_tokens", pa.int32(), "Rows counted in `tokens`."),
        _errors("null_errors", "Nulls in columns that may not be null."),
        _errors("span_errors", "Spans that are empty, lie outside their parent, overlap or are out of order."),
        _errors("gap_errors", "Characters other than white space that are in no sentence, or in no token."),
        _errors("index_errors", "Paragraphs, sentences and tokens whose numbers do not run 0, 1, 2 … in their parent."),
        _errors("reference_errors", "Rows without the article, paragraph or sentence they name."),
        _errors("text_errors", "Sentences and tokens whose text is not the slice of the paragraph's that they name."),
        _errors("pos_errors", "Tokens whose part of speech is empty or outside jieba's tag set."),
        _errors("count_errors", "Counts, text or hash in `articles` that differ from what is counted here."),
        _errors("character_errors", "Replacement, private-use, control, surrogate and non-characters in its texts."),
        _errors("cjk_spaces", "Spaces between two Chinese characters."),
        _ratio("tokens_per_char", "Tokens per character that is not white space."),
        _ratio("sentence_chars", "Mean length of its sentences, in code points."),
        _ratio("unknown_share", "Share of tokens of part of speech x (unknown) among the tokens with Han characters."),
        _ratio("han_share", "Share of Han characters among those that are not white space."),
        _ratio("confidence_min", "Lowest confidence among its paragraphs."),
        _ratio("confidence_mean", "Mean confidence of its paragraphs."),
    ),
    "sources": _schema(
        "One row per raw file that was seen: what it is, and what became of it.",
        _SOURCE,
        _field("sha256", pa.string(), "SHA-256 of the file's bytes, in hexadecimal."),
        _field("bytes", pa.int64(), "Size of the file."),
        _field("media_type", pa.string(), "What the bytes are, such as text/plain; null if unknown.", null=True),
        _field("encoding", pa.string(), "Character encoding of a text file; null in others.", null=True),
        _field("pages", pa.int32(), "Pages of a PDF; null where there are none or none could be read.", null=True),
        _field("status", pa.string(), f"What became of its articles: {_one_of(STATUSES)}."),
        _field("reason", pa.string(), "Why it is not (all) published; null if and only if published.", null=True),
        _field("fingerprint", pa.string(), "Code, rules, model, dictionary and settings that read it, as one hash."),
        _field("n_chars", pa.int64(), "Characters read from the file that are not white space."),
        _field("left_out", _list(_LEFT_OUT), "How many of them no paragraph holds, by the rule that left them out."),
    ),
    "rejects": _schema(
        "One row per reason why a source, or an article of it, is not published.",
        _field("reject_id", pa.string(), "Which reject: stable while the same check finds the same."),
        _SOURCE,
        _field("article_id", pa.string(), "The rejected article; null where the whole source is meant.", null=True),
        _field("stage", pa.string(), "Where on its way it was stopped: read, reflow, segment, check …"),
        _field("check", pa.string(), "The check it failed."),
        _field("message", pa.string(), "What is wrong, in one sentence."),
        _field("remedy", pa.string(), "What to do about it."),
        _field("evidence", pa.string(), "The values that show it; may be empty."),
        _field("text", pa.string(), "The text not published; it stands in the first row of a rejected article only."),
    ),
}

#: The tables made from documents; `quality` is counted from these once they are written.
ROW_TABLES = tuple(name for name in SCHEMAS if name != "quality")
