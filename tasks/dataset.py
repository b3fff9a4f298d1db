"""The seven tables of a release: their schemas, their rows, and how they travel.

`SCHEMAS` is the single truth of every table; `docs/data-dictionary.md` is printed from it by `python -m tasks.dataset`.
Rows are built column by column (no dictionary per row): a thousand articles have some 600,000 tokens.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tasks.document import KINDS, LANGUAGES, Article, Document, Paragraph, Reject, Stretch

#: Raised whenever a column is added, removed or changes its meaning; part of the fingerprint, so all rows are redone.
SCHEMA_VERSION = 2

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
_LINE = pa.struct(
    [
        _field("start", pa.int32(), "Where the line's text starts in the paragraph's, in code points from 0."),
        _field("line", pa.int32(), "Its number, counted from 1: in a text file, or from the top of its page."),
        _field("page", pa.int32(), "Page, counted from 1; null in a text file, as are the edges.", null=True),
        *(_field(name, pa.float64(), f"As in `boxes.{name}`.", null=True) for name in ("x0", "top", "x1", "bottom")),
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
        _field(
            "fixes",
            _list(pa.string()),
            "Repairs made to the text, in the order they were made, `ocr` where a scan was read, those by hand "
            "(correction_kind, correction_split, correction_join; correction_facts in an article's first paragraph) last; "
            "empty if none.",
        ),
        _field("boxes", _list(_BOX), "Where it stood in a PDF, one box per stretch of lines in a column; else empty."),
        _field("line_first", pa.int32(), "First line in a text file, counted from 1; null in a PDF.", null=True),
        _field("line_last", pa.int32(), "Last line in a text file, counted from 1; null in a PDF.", null=True),
        _field(
            "lines", _list(_LINE), "Its lines in reading order: the last that starts at or before a character has it."
        ),
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
        _errors("line_errors", "Paragraphs whose lines do not begin at 0 and follow one another within the text."),
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
        _field(
            "fingerprint",
            pa.string(),
            "Code, rules, model, dictionary and settings that read it, as one hash; behind it, with a plus sign, the hashes "
            "of its folder's settings and of its corrections, where there are any, and of what reads texts, or pages, and scanned ones.",
        ),
        _field(
            "correction",
            pa.string(),
            "What became of its entries in corrections.toml: applied, or which are not and why; null without any.",
            null=True,
        ),
        _field("n_chars", pa.int64(), "Characters read from the file that are not white space."),
        _field("left_out", _list(_LEFT_OUT), "How many of them no paragraph holds, by the rule that left them out."),
    ),
    "rejects": _schema(
        "One row per reason why a source, or an article of it, is not published.",
        _field("reject_id", pa.string(), "Which reject: stable while the same check finds the same."),
        _SOURCE,
        _field("article_id", pa.string(), "The rejected article; null where the whole source is meant.", null=True),
        _field(
            "stage", pa.string(), "Where on its way it was stopped: guard, read, reflow, segment, dataset or check."
        ),
        _field("check", pa.string(), "The check it failed."),
        _field("message", pa.string(), "What is wrong, in one sentence."),
        _field("remedy", pa.string(), "What to do about it."),
        _field("evidence", pa.string(), "The values that show it; may be empty."),
        _field("text", pa.string(), "The text not published; it stands in the first row of a rejected article only."),
    ),
}

#: The tables made from documents; `quality` is counted from these once they are written.
ROW_TABLES = tuple(name for name in SCHEMAS if name != "quality")

_STATUS_REASONS = 3  # reasons a source's row spells out; the rest are counted, `rejects` has them all


def article_id(source: str, ordinal: int) -> str:
    """Name an article by its place alone, so that a corrected text keeps its name from release to release.

    >>> article_id("2024/spring.pdf", 3)
    'dcc98c116e88c881-0003'
    """
    return f"{hashlib.sha256(source.encode()).hexdigest()[:16]}-{ordinal:04d}"


def build_tables(
    documents: Iterable[Document], fingerprint: str, own: Mapping[str, str] = MappingProxyType({})
) -> dict[str, pa.Table]:
    """Lay documents out as the rows of the six tables but `quality`, sorted by source, article and place.

    `fingerprint` is that of all sources but those that have one of their `own`.

    A document that neither holds an article nor says why not gets a reject (nothing vanishes), and so does one whose
    text no table can hold (a lone surrogate). Raises ValueError when a source comes twice.
    """
    columns: Columns = {name: {field: [] for field in SCHEMAS[name].names} for name in ROW_TABLES}
    columns["tokens per sentence"] = {"n": []}
    seen: set[str] = set()
    for document in sorted(documents, key=lambda d: d.source.source):
        if document.source.source in seen:
            raise ValueError(f"{document.source.source}: the same source came twice")
        seen.add(document.source.source)
        _add_document(columns, _storable(document), own.get(document.source.source, fingerprint))
    counts = columns.pop("tokens per sentence")["n"]
    tables = {name: pa.table(columns[name], schema=SCHEMAS[name]) for name in ROW_TABLES if name != "tokens"}
    tables["tokens"] = _tokens(columns.pop("tokens"), tables["sentences"], counts)
    return {name: tables[name] for name in ROW_TABLES}


def _tokens(columns: dict[str, list[Any]], sentences: pa.Table, counts: Sequence[int]) -> pa.Table:
    """Make `tokens` from its own columns, using them up, and those that repeat its sentences', each `counts` times."""
    import numpy as np

    schema = SCHEMAS["tokens"]
    own = {name: pa.array(columns.pop(name), schema.field(name).type) for name in ("text", "pos", "start", "end")}
    n = np.asarray(counts, dtype=np.int64)
    rows = pa.array(np.repeat(np.arange(len(n)), n))
    first = np.cumsum(n) - n
    repeated = {name: sentences[name].take(rows) for name in ("article_id", "paragraph", "sentence")}
    number = pa.array(np.arange(n.sum()) - np.repeat(first, n), pa.int32())
    return pa.table({**own, **repeated, "token": number}, schema=schema)


def _storable(document: Document) -> Document:
    """Return the document, or one reject with its text when a lone surrogate (no character, no UTF-8) is in it."""
    if not document.articles and not document.rejects:
        reject = Reject(
            stage="reflow",
            check="no_article",
            message="No article was found in the file.",
            remedy="Look whether the file holds text; if it does, report it with the file.",
        )
        return _only(document, reject)
    try:
        for text in _texts(document):
            text.encode()
    except UnicodeEncodeError as error:
        reject = Reject(
            stage="dataset",
            check="lone_surrogate",
            message="The text holds half of a surrogate pair, which is no character.",
            remedy="Save the file again in UTF-8 with a program that writes whole characters.",
            evidence=f"U+{ord(error.object[error.start]):04X}",
            text="\n".join(p.text for a in document.articles for p in a.paragraphs)
            + "".join(r.text for r in document.rejects),
        )
        return _only(document, reject)
    return document


def _only(document: Document, reject: Reject) -> Document:
    """Return the document with all its articles and rejects replaced by one reject."""
    whole = replace(reject, evidence=_whole(reject.evidence), text=_whole(reject.text))
    return replace(document, articles=(), rejects=(whole,))


_REJECT_TEXTS = ("stage", "check", "message", "remedy", "evidence", "text")


def _whole(text: str) -> str:
    """Replace lone surrogates by U+FFFD, one by one, so that counts of characters stay right."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


def _texts(document: Document) -> Iterator[str]:
    """Yield every string of a document, whatever fact it is: none may stop the table that holds it."""
    paragraphs = (paragraph for article in document.articles for paragraph in article.paragraphs)
    nouns: Iterable[Document | Article | Paragraph | Reject] = (
        document,
        *document.articles,
        *paragraphs,
        *document.rejects,
    )
    for noun in nouns:
        for value in (getattr(noun, field.name) for field in fields(noun)):
            yield from (text for text in (value if isinstance(value, tuple) else (value,)) if isinstance(text, str))


Columns = dict[str, dict[str, list[Any]]]


def _add_document(columns: Columns, document: Document, fingerprint: str) -> None:
    source = document.source.source
    articles = sorted(document.articles, key=lambda a: a.ordinal)
    for article in articles:
        _add_article(columns, source, article)
    rejects = sorted(document.rejects, key=_reject_order)
    _add_rejects(columns["rejects"], source, [(r.ordinal, r) for r in rejects])
    rejected = {r.ordinal for r in rejects if r.ordinal is not None}
    status, reason = _outcome(len(articles), len(rejected), [(r.check, r.message) for r in rejects])
    row = {
        "source": source,
        "sha256": document.source.sha256,
        "bytes": document.source.bytes,
        "media_type": document.media_type,
        "encoding": document.encoding,
        "pages": document.pages,
        "status": status,
        "reason": reason,
        "fingerprint": fingerprint,
        "correction": document.correction,
        "n_chars": document.n_chars,
        "left_out": [{"rule": rule, "chars": chars} for rule, chars in sorted(document.left_out.items()) if chars],
    }
    _append(columns["sources"], row)


def _append(columns: dict[str, list[Any]], row: Mapping[str, Any]) -> None:
    for name, value in row.items():
        columns[name].append(value)


def _add_article(columns: Columns, source: str, article: Article) -> None:
    """Append an article's rows and those of all that is in it."""
    key, text = article_id(source, article.ordinal), article.text
    for number, paragraph in enumerate(article.paragraphs):
        _add_paragraph(columns, key, number, paragraph)
    sentences = [sentence for paragraph in article.paragraphs for sentence in paragraph.sentences]
    row = {
        "article_id": key,
        "source": source,
        "ordinal": article.ordinal,
        "title": article.title,
        "authors": article.authors,
        "affiliation": article.affiliation,
        "publisher": article.publisher,
        "published_on": article.published_on,
        "url": article.url,
        "language": article.language,
        "text": text,
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "n_chars": len(text),
        "n_paragraphs": len(article.paragraphs),
        "n_sentences": len(sentences),
        "n_tokens": sum(len(sentence.tokens) for sentence in sentences),
        "confidence": article.confidence,
    }
    _append(columns["articles"], row)


def _add_paragraph(columns: Columns, key: str, number: int, paragraph: Paragraph) -> None:
    """Append a paragraph's rows; the loop over its words is the hot one, so it extends whole columns at a time.

    Of the tokens, only what differs from word to word is noted, and in `tokens per sentence` how many each has.
    """
    text = paragraph.text
    row = {
        "article_id": key,
        "paragraph": number,
        "kind": paragraph.kind,
        "text": text,
        "confidence": paragraph.confidence,
        "fixes": paragraph.fixes,
        "boxes": [box._asdict() for box in paragraph.boxes],
        "line_first": paragraph.line_first,
        "line_last": paragraph.line_last,
        "lines": [_line(stretch) for stretch in paragraph.stretches],
    }
    _append(columns["paragraphs"], row)
    tokens = columns["tokens"]
    for n, sentence in enumerate(paragraph.sentences):
        row = {
            "article_id": key,
            "paragraph": number,
            "sentence": n,
            "start": sentence.start,
            "end": sentence.end,
            "text": text[sentence.start : sentence.end],
        }
        _append(columns["sentences"], row)
        if sentence.tokens:
            starts, ends, tags = zip(*sentence.tokens, strict=True)
            tokens["text"].extend(map(text.__getitem__, map(slice, starts, ends)))
            tokens["pos"].extend(tags)
            tokens["start"].extend(starts)
            tokens["end"].extend(ends)
        columns["tokens per sentence"]["n"].append(len(sentence.tokens))


def _line(stretch: Stretch) -> dict[str, Any]:
    box = stretch.box
    if box is None:
        return {"start": stretch.start, "line": stretch.line}
    edges = {name: round(getattr(box, name), 2) for name in ("x0", "top", "x1", "bottom")}
    return {"start": stretch.start, "line": stretch.line, "page": box.page, **edges}


def _reject_order(reject: Reject) -> tuple[int, str, str, str, str]:
    ordinal = -1 if reject.ordinal is None else reject.ordinal
    return ordinal, reject.stage, reject.check, reject.message, reject.evidence


def _add_rejects(columns: dict[str, list[Any]], source: str, rejects: Iterable[tuple[int | None, Reject]]) -> None:
    seen: Counter[str] = Counter()
    for ordinal, reject in rejects:
        key = None if ordinal is None else article_id(source, ordinal)
        cause = f"{source}\0{key}\0{reject.stage}\0{reject.check}"
        columns["reject_id"].append(hashlib.sha256(f"{cause}\0{seen[cause]}".encode()).hexdigest()[:16])
        seen[cause] += 1
        columns["source"].append(source)
        columns["article_id"].append(key)
        for name in _REJECT_TEXTS:
            columns[name].append(getattr(reject, name))


def _outcome(n_articles: int, n_rejected: int, causes: Sequence[tuple[str, str]]) -> tuple[str, str | None]:
    """Say a source's status and reason from its articles left, its articles rejected and (check, message) of each.

    >>> _outcome(2, 1, [("future_date", "It is dated 2031.")])
    ('partly', '1 of 3 articles rejected: future_date: It is dated 2031.')
    >>> _outcome(2, 0, [])
    ('published', None)
    """
    if not causes:
        return "published", None
    distinct = list(dict.fromkeys(f"{check}: {message}" for check, message in causes))
    reason = " ".join(distinct[:_STATUS_REASONS])
    if len(distinct) > _STATUS_REASONS:
        reason += f" And {len(distinct) - _STATUS_REASONS} more."
    if not n_articles:
        return "rejected", reason
    return "partly", f"{n_rejected} of {n_articles + n_rejected} articles rejected: {reason}" if n_rejected else reason


def concat_tables(parts: Sequence[Tables]) -> dict[str, pa.Table]:
    """Put the rows of several batches together, sorted as those of one: by source, article and place.

    Holds whichever tables the parts hold. Rows of one article must come from one part, in order.
    """
    whole = {name: pa.concat_tables([part[name] for part in parts]).combine_chunks() for name in parts[0]}
    articles = whole["articles"].sort_by([("source", "ascending"), ("ordinal", "ascending")])
    whole["articles"], order = articles, articles["article_id"]
    for name, table in whole.items():
        if name in ("sources", "rejects"):
            whole[name] = _sorted(table, "source", pc.unique(whole["sources"]["source"]).sort())
        elif name != "articles":
            whole[name] = _sorted(table, "article_id", order)
    return whole


def _sorted(table: pa.Table, column: str, order: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Sort rows by where `column` stands in `order`, keeping the order of equals; unsorted rows alone are moved."""
    rank = pc.index_in(table[column], order)
    if len(rank) < 2 or pc.all(pc.less_equal(rank.slice(0, len(rank) - 1), rank.slice(1))).as_py():
        return table
    return table.take(pc.sort_indices(rank))


def select(tables: Tables, sources: Iterable[str]) -> dict[str, pa.Table]:
    """Return the rows of these sources alone.

    >>> from tasks.document import Source
    >>> tables = build_tables([Document(Source(name, "", 9, "")) for name in ("a.txt", "b.txt")], "f")
    >>> select(tables, ["b.txt"])["rejects"]["source"].to_pylist()
    ['b.txt']
    """
    wanted = pa.array(sorted(sources), pa.string())
    if pc.all(pc.is_in(tables["sources"]["source"], wanted)).as_py():
        return dict(tables)
    keep = {name: pc.is_in(tables[name]["source"], wanted) for name in ("articles", "sources", "rejects")}
    articles = tables["articles"].filter(keep["articles"])
    return {
        name: table.filter(keep[name] if name in keep else pc.is_in(table["article_id"], articles["article_id"]))
        for name, table in tables.items()
    }


def withdraw(tables: Tables, rejects: Mapping[str, Sequence[Reject]]) -> dict[str, pa.Table]:
    """Move rejected articles out of the row tables and into `rejects`, with their text and every check they failed.

    `rejects` is keyed by `article_id`, or by `source` where all of a source's articles fail; keys that are not here
    are passed over, so the same rejects can be given to every segment. `ordinal` of the rejects is not looked at.
    Their sources become partly published or rejected, with the reason. A table `quality`, if there, is dropped:
    it has to be counted again.
    """
    gone = _failed(tables, rejects)
    if not gone:
        return {name: tables[name] for name in ROW_TABLES}
    ids = pa.array([key for found in gone.values() for key in found], pa.string())
    texts = _article_texts(tables["paragraphs"], ids)
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMAS["rejects"].names}
    for source, found in gone.items():
        rows = [
            (ordinal, replace(reject, text=texts.get(key, "") if i == 0 else ""))
            for key, failed in found.items()
            for i, (ordinal, reject) in enumerate(sorted(failed, key=lambda f: _reject_order(f[1])))
        ]
        if not found:  # a source without articles that fails a check of its own
            rows = [(None, reject) for reject in sorted(rejects[source], key=_reject_order)]
        _add_rejects(columns, source, rows)
    left = {
        name: tables[name].filter(pc.invert(pc.is_in(tables[name]["article_id"], ids)))
        for name in ROW_TABLES
        if name not in ("sources", "rejects")
    }
    added = pa.table(columns, schema=SCHEMAS["rejects"])
    everything = pa.concat_tables([tables["rejects"], added])
    # The order of build_tables: by source, rejects of the whole source first, then by article.
    place = pc.fill_null(everything["article_id"], "")
    everything = everything.append_column("place", place).sort_by([("source", "ascending"), ("place", "ascending")])
    left["rejects"] = everything.drop_columns("place")
    left["sources"] = _with_outcomes(tables["sources"], left["articles"], left["rejects"], gone.keys())
    return {name: left[name] for name in ROW_TABLES}


def _failed(
    tables: Tables, rejects: Mapping[str, Sequence[Reject]]
) -> dict[str, dict[str, list[tuple[int | None, Reject]]]]:
    """Return by source and article what failed, with the article's ordinal; a source without articles has none of them."""
    whole = {source for source in tables["sources"]["source"].to_pylist() if source in rejects}
    failed: dict[str, dict[str, list[tuple[int | None, Reject]]]] = {source: {} for source in sorted(whole)}
    for article in tables["articles"].select(["article_id", "source", "ordinal"]).to_pylist():
        key, source = article["article_id"], article["source"]
        if found := [*rejects.get(key, ()), *rejects.get(source, ())]:
            failed.setdefault(source, {})[key] = [(article["ordinal"], reject) for reject in found]
    return failed


def _article_texts(paragraphs: pa.Table, ids: pa.Array) -> dict[str, str]:
    """Return all that the articles' paragraphs say (captions too, since not a character may vanish)."""
    texts: dict[str, list[str]] = defaultdict(list)
    rows = paragraphs.filter(pc.is_in(paragraphs["article_id"], ids))
    for key, text in zip(rows["article_id"].to_pylist(), rows["text"].to_pylist(), strict=True):
        texts[key].append(text)
    return {key: "\n".join(found) for key, found in texts.items()}


def _with_outcomes(sources: pa.Table, articles: pa.Table, rejects: pa.Table, touched: Iterable[str]) -> pa.Table:
    """Return `sources` with the status and reason of those touched said anew."""
    left = Counter(articles["source"].to_pylist())
    causes: dict[str, list[tuple[str, str]]] = defaultdict(list)
    rejected: dict[str, set[str]] = defaultdict(set)
    for row in select({**_EMPTY, "sources": sources, "rejects": rejects}, touched)["rejects"].to_pylist():
        causes[row["source"]].append((row["check"], row["message"]))
        if row["article_id"]:
            rejected[row["source"]].add(row["article_id"])
    outcomes = {name: _outcome(left[name], len(rejected[name]), causes[name]) for name in touched}
    statuses, reasons = [], []
    for row in sources.select(["source", "status", "reason"]).to_pylist():
        status, reason = outcomes.get(row["source"], (row["status"], row["reason"]))
        statuses.append(status)
        reasons.append(reason)
    for name, values in (("status", statuses), ("reason", reasons)):
        at = sources.schema.get_field_index(name)
        sources = sources.set_column(at, sources.schema.field(name), pa.array(values, pa.string()))
    return sources


_EMPTY: Tables = {name: pa.Table.from_batches([], schema=schema) for name, schema in SCHEMAS.items()}

#: The envelope in which tables travel: each is an Arrow IPC stream of its own, so one can be read without the others.
_ENVELOPE = pa.schema([pa.field("table", pa.string()), pa.field("stream", pa.large_binary())])
#: Where a stream says how long each stage took.
SECONDS = b"seconds"


def encode_tables(tables: Tables, seconds: Mapping[str, float] | None = None) -> bytes:
    """Turn tables into bytes that hold data and nothing that could run: how a worker hands back what it made.

    `seconds` says on the envelope how long each stage took; no table holds it.

    >>> tables = build_tables([], "f")
    >>> decode_tables(encode_tables(tables)) == tables
    True
    """
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    streams = []
    for table in tables.values():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=1 << 16)  # which bounds what compressing holds
        streams.append(memoryview(sink.getvalue()))
    sink = pa.BufferOutputStream()
    envelope = _ENVELOPE.with_metadata({SECONDS: json.dumps(dict(seconds or {}))})
    with pa.ipc.new_stream(sink, envelope) as writer:
        writer.write_table(pa.table({"table": list(tables), "stream": streams}, schema=envelope))
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded


def decode_tables(data: bytes | pa.Buffer, only: Iterable[str] = ROW_TABLES) -> dict[str, pa.Table]:
    """Read back what `encode_tables` wrote, or only some of its tables.

    Raises ValueError when the bytes are not those of such tables with this version's schemas.
    """
    try:
        envelope = pa.ipc.open_stream(data).read_all()
        envelope.validate(full=True)  # before anything is read: wrong offsets would take the interpreter down
        if envelope.schema != _ENVELOPE:
            raise ValueError("not the bytes of tables")
        streams = dict(zip(envelope["table"].to_pylist(), envelope["stream"].combine_chunks(), strict=True))
        tables = {name: pa.ipc.open_stream(streams[name].as_buffer()).read_all() for name in only}
        for name, table in tables.items():
            if not table.schema.equals(SCHEMAS[name]):
                raise ValueError(f"{name}: not the schema of version {SCHEMA_VERSION}")
            table.validate(full=True)
            if any(table[field.name].null_count for field in table.schema if not field.nullable):
                raise ValueError(f"{name}: nulls where none may be")
    except (pa.ArrowException, OSError, KeyError) as error:
        raise ValueError(f"not the bytes of tables: {error}") from error
    return tables


def decode_seconds(data: bytes | pa.Buffer, stages: Iterable[str]) -> dict[str, float]:
    """Read how long each of these stages took, from tables or from a part of a long PDF; 0 for those not told of.

    Raises ValueError when what stands there is no time.

    >>> decode_seconds(encode_tables(build_tables([], "f"), {"read": 0.5}), ["read", "reflow"])
    {'read': 0.5, 'reflow': 0.0}
    """
    try:
        said = json.loads((pa.ipc.open_stream(data).schema.metadata or {}).get(SECONDS, b"{}"))
        seconds = {stage: float(said.get(stage, 0.0)) for stage in stages}
    except (pa.ArrowException, OSError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"not the seconds of stages: {error}") from error
    if not all(0 <= spent < math.inf for spent in seconds.values()):
        raise ValueError("not the seconds of stages")
    return seconds


def data_dictionary() -> str:
    """Print the schemas as the Markdown page `docs/data-dictionary.md`."""
    lines = [
        "# Data dictionary",
        "",
        f"Schema version {SCHEMA_VERSION}, printed by `python -m tasks.dataset > docs/data-dictionary.md` from the",
        "schemas in `tasks/dataset.py`. Every Parquet file carries the same descriptions. A column may be null only",
        "where *null* is said. Spans count code points.",
    ]
    for name, schema in SCHEMAS.items():
        lines += ["", f"## {name}", "", schema.metadata[b"description"].decode(), ""]
        lines += ["| column | type | what it says |", "|---|---|---|"]
        for field in schema:
            lines += _dictionary_rows(field)
    return "\n".join(lines) + "\n"


def _dictionary_rows(field: pa.Field, prefix: str = "") -> Iterator[str]:
    is_list = pa.types.is_list(field.type)
    inner = field.type.value_type if is_list else field.type
    type_ = "struct" if pa.types.is_struct(inner) else str(inner).replace("[day]", "")
    shown = (f"list of {type_}" if is_list else type_) + (", *null*" if field.nullable else "")
    yield f"| `{prefix}{field.name}` | {shown} | {field.metadata[b'description'].decode()} |"
    if pa.types.is_struct(inner):
        for child in inner:
            yield from _dictionary_rows(child, f"{prefix}{field.name}.")


if __name__ == "__main__":
    print(data_dictionary(), end="")
