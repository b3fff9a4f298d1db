from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.dataset import SCHEMAS, article_id, build_tables
from tasks.document import Article, Document, Paragraph, Reject, Sentence, Source, Stretch, Token
from tasks.quality import balance, quality

Rows = dict[str, list[dict[str, Any]]]
Spoil = Callable[[Rows], None]

ERRORS = tuple(name for name in SCHEMAS["quality"].names if name.endswith("_errors"))


def paragraph(kind: str, *sentences: str, confidence: float = 0.5) -> Paragraph:
    """Sentences follow each other without a space; Chinese characters and Latin words are the tokens."""
    text, spans = "".join(sentences), []
    start = 0
    for sentence in sentences:
        tokens, at = [], start
        for word in sentence.split(" "):
            step = len(word) if word.isascii() else 1
            tokens += [Token(i, i + step, "x" if word[0] == "龘" else "n") for i in range(at, at + len(word), step)]
            at += len(word) + 1
        spans.append(Sentence(start, start + len(sentence), tuple(tokens)))
        start += len(sentence)
    return Paragraph(
        kind,  # type: ignore[arg-type]
        text,
        confidence,
        line_first=1,
        line_last=1,
        sentences=tuple(spans),
        stretches=(Stretch(0, 1, None),),
    )


TIDE = Article(
    0,
    (
        paragraph("title", "潮信"),
        paragraph("body", "潮水来了。", "船都靠岸。", confidence=0.9),
        paragraph("caption", "岸边的船"),
    ),
    "zh-Hans",
    0.9,
    title="潮信",
    published_on=date(2024, 5, 1),
)
CLOCK = Article(1, (paragraph("body", "The clock stopped."),), "en", 0.8)
WELL = Article(0, (paragraph("body", "井水很甜。"),), "zh-Hans", 0.7)
DOCUMENTS = (
    Document(Source("a.txt", "/a.txt", 90, "0" * 64), (TIDE, CLOCK), n_chars=16 + 16 + 3, left_out={"page_number": 3}),
    Document(
        Source("b.txt", "/b.txt", 30, "0" * 64),
        (WELL,),
        (Reject("reflow", "no_body", "There is no body.", "Look.", text="空 题", ordinal=1),),
        n_chars=7,
    ),
)
FIRST, SECOND, THIRD = article_id("a.txt", 0), article_id("a.txt", 1), article_id("b.txt", 0)


def leave(rows: Rows) -> None:
    """Spoil nothing."""


def empty(rows: Rows) -> None:
    """Take every row away."""
    for table in rows.values():
        table.clear()


def staged(directory: Path, spoil: Spoil = leave) -> dict[str, Path]:
    """Write the tables with what `spoil` did to their rows; a writer that minds nulls would not write them all."""
    rows = {name: table.to_pylist() for name, table in build_tables(DOCUMENTS, "f").items()}
    spoil(rows)
    parts = {}
    for name, table in rows.items():
        schema = pa.schema([field.with_nullable(True) for field in SCHEMAS[name]])
        parts[name] = directory / f"{name}.parquet"
        pq.write_table(pa.Table.from_pylist(table, schema), parts[name])
    return parts


def errors(table: pa.Table) -> dict[str, dict[str, int]]:
    """Return the counts that are not 0, by article."""
    found = {row["article_id"]: {name: row[name] for name in ERRORS if row[name]} for row in table.to_pylist()}
    return {key: counts for key, counts in found.items() if counts}


def test_a_sound_segment_has_no_errors(tmp_path: Path) -> None:
    table = quality(staged(tmp_path))
    assert table.schema.equals(SCHEMAS["quality"])
    assert errors(table) == {}
    tide, clock, well = table.to_pylist()
    assert [row["article_id"] for row in (tide, clock, well)] == [FIRST, SECOND, THIRD]
    assert [row["source"] for row in (tide, clock, well)] == ["a.txt", "a.txt", "b.txt"]
    assert (tide["n_chars"], tide["n_paragraphs"], tide["n_sentences"], tide["n_tokens"]) == (16, 3, 4, 16)
    assert (tide["confidence_min"], tide["confidence_mean"]) == (0.5, round(1.9 / 3, 6))
    assert (tide["tokens_per_char"], tide["sentence_chars"], tide["han_share"]) == (1.0, 4.0, 14 / 16)
    assert (clock["n_chars"], clock["n_tokens"], clock["unknown_share"]) == (16, 3, None)


def put(table: str, row: int, **values: object) -> Spoil:
    return lambda rows: rows[table][row].update(values)


def drop(table: str, row: int) -> Spoil:
    return lambda rows: rows[table].__delitem__(row)


def twice(table: str, row: int, at: int) -> Spoil:
    return lambda rows: rows[table].insert(at, rows[table][row])


def swap(table: str, row: int) -> Spoil:
    def spoil(rows: Rows) -> None:
        rows[table][row], rows[table][row + 1] = rows[table][row + 1], rows[table][row]

    return spoil


#: The tokens of 潮信 are rows 0 and 1 of `tokens`, those of 潮水来了。 rows 2 to 6; the English ones rows 16 to 18.
CASES: Mapping[str, tuple[Spoil, dict[str, dict[str, int]]]] = {
    "a null in a required column": (put("articles", 0, language=None), {FIRST: {"null_errors": 1}}),
    "a token's tag is null": (put("tokens", 2, pos=None), {FIRST: {"null_errors": 1, "pos_errors": 1}}),
    "a tag that is none": (put("tokens", 2, pos="?"), {FIRST: {"pos_errors": 1}}),
    "a token that ends before it starts": (
        put("tokens", 2, start=1, end=0),
        {FIRST: {"span_errors": 1, "text_errors": 1, "gap_errors": 2}},
    ),
    "a token that reaches into the next": (
        put("tokens", 2, end=2, text="潮水"),
        {FIRST: {"span_errors": 1}},
    ),
    "a token that starts before its sentence": (
        put("tokens", 7, start=4, end=5, text="。"),
        {FIRST: {"span_errors": 1, "text_errors": 1, "gap_errors": 1}},
    ),
    "a token that leaves its sentence": (
        put("tokens", 6, end=6, text="。船"),
        {FIRST: {"span_errors": 1, "text_errors": 1}},
    ),
    "tokens out of order": (swap("tokens", 2), {FIRST: {"span_errors": 1, "index_errors": 2, "gap_errors": 2}}),
    "a token's text is another": (put("tokens", 2, text="湖"), {FIRST: {"text_errors": 1}}),
    "a token is off by a space": (put("tokens", 17, start=3, end=8), {SECOND: {"text_errors": 1, "gap_errors": 1}}),
    "a token is missing": (drop("tokens", 6), {FIRST: {"gap_errors": 1, "count_errors": 1}}),
    "a token in the middle is missing": (
        drop("tokens", 4),
        {FIRST: {"gap_errors": 1, "count_errors": 1, "index_errors": 2}},
    ),
    "a token is there twice": (
        twice("tokens", 6, 6),
        {FIRST: {"span_errors": 1, "index_errors": 1, "count_errors": 1}},
    ),
    "a token is there again elsewhere": (
        twice("tokens", 0, 7),
        {FIRST: {"gap_errors": 1, "index_errors": 1, "count_errors": 1}},
    ),
    "a token without its sentence": (
        put("tokens", 18, sentence=1, token=0),
        {SECOND: {"reference_errors": 1, "gap_errors": 8}},
    ),
    "a token of another article": (
        put("tokens", 18, article_id=THIRD),
        {
            SECOND: {"gap_errors": 8, "count_errors": 1},
            THIRD: {"span_errors": 2, "gap_errors": 5, "index_errors": 6, "text_errors": 1, "count_errors": 1},
        },
    ),
    "a sentence without tokens": (
        lambda rows: rows.update(tokens=rows["tokens"][2:]),
        {FIRST: {"gap_errors": 2, "count_errors": 1}},
    ),
    "a sentence that is not the slice": (
        put("sentences", 1, text="潮水退了。"),
        {FIRST: {"text_errors": 2}},
    ),
    "a sentence beyond its paragraph": (
        put("sentences", 0, end=3),
        {FIRST: {"span_errors": 1}},
    ),
    "a sentence that is missing": (
        drop("sentences", 2),
        {FIRST: {"gap_errors": 5, "count_errors": 1, "reference_errors": 5}},
    ),
    "a paragraph that is missing": (
        drop("paragraphs", 2),
        {FIRST: {"reference_errors": 1, "count_errors": 1}},
    ),
    "a paragraph with a wrong number": (
        put("paragraphs", 2, paragraph=3),
        {FIRST: {"index_errors": 1, "reference_errors": 1, "gap_errors": 4}},
    ),
    "a replacement character": (put("articles", 0, title="潮\ufffd"), {FIRST: {"character_errors": 1}}),
    "a private-use character and a control": (
        put("articles", 0, authors=["\ue000", "\x07"]),
        {FIRST: {"character_errors": 2}},
    ),
    "a count that is wrong": (put("articles", 0, n_sentences=5), {FIRST: {"count_errors": 1}}),
    "a length that is wrong": (put("articles", 0, n_chars=99), {FIRST: {"count_errors": 1}}),
    "a hash of another text": (put("articles", 0, text_sha256="0" * 64), {FIRST: {"count_errors": 1}}),
    "a text that is not its paragraphs": (put("articles", 0, text="潮信"), {FIRST: {"count_errors": 3}}),
    "a paragraph that leads to no line": (put("paragraphs", 1, lines=[]), {FIRST: {"line_errors": 1}}),
    "lines in disorder": (
        put("paragraphs", 1, lines=[{"start": 0, "line": 1}, {"start": 7, "line": 2}, {"start": 4, "line": 3}]),
        {FIRST: {"line_errors": 1}},
    ),
    "a first line that begins behind the head": (
        put("paragraphs", 1, lines=[{"start": 1, "line": 1}]),
        {FIRST: {"line_errors": 1}},
    ),
    "a line that begins behind the end": (
        put("paragraphs", 1, lines=[{"start": 0, "line": 1}, {"start": 10, "line": 2}]),
        {FIRST: {"line_errors": 1}},
    ),
    "an article without its source": (put("articles", 2, source="c.txt"), {THIRD: {"reference_errors": 1}}),
}


@pytest.mark.parametrize(("spoil", "expected"), CASES.values(), ids=CASES.keys())
def test_a_defect_is_counted_where_it_is(spoil: Spoil, expected: dict[str, dict[str, int]], tmp_path: Path) -> None:
    assert errors(quality(staged(tmp_path, spoil))) == expected


@pytest.mark.parametrize("spoil", [leave, *(spoil for spoil, _ in CASES.values())], ids=["none", *CASES])
def test_a_text_in_parts_is_judged_as_a_whole_one(
    spoil: Spoil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = staged(tmp_path, spoil)
    whole = quality(parts)
    monkeypatch.setattr("tasks.quality.PART", 2)
    assert quality(parts).equals(whole)


def test_bad_characters_of_the_text_are_counted(tmp_path: Path) -> None:
    def spoil(rows: Rows) -> None:
        for name in ("paragraphs", "sentences", "tokens"):
            for row in rows[name]:
                row["text"] = row["text"].replace("甜", "\U000f0001")

    counted = errors(quality(staged(tmp_path, spoil)))
    assert counted[THIRD]["character_errors"] == 1


def test_rows_of_no_article_get_a_row_of_their_own(tmp_path: Path) -> None:
    table = quality(staged(tmp_path, drop("articles", 2)))
    orphan = table.to_pylist()[-1]
    assert (orphan["article_id"], orphan["source"], orphan["n_tokens"]) == (THIRD, "", 5)
    assert errors(table) == {THIRD: {"reference_errors": 1}}


def test_rows_without_a_name_are_judged_too(tmp_path: Path) -> None:
    table = quality(staged(tmp_path, put("tokens", 18, article_id=None)))
    assert errors(table)[""] == {"null_errors": 1, "reference_errors": 1, "index_errors": 1}


def test_spaces_between_chinese_characters_are_counted_one_by_one(tmp_path: Path) -> None:
    def spoil(rows: Rows) -> None:
        rows["paragraphs"][1]["text"] = "潮 水\u3000来 了。 a 船"

    assert quality(staged(tmp_path, spoil))["cjk_spaces"].to_pylist() == [3, 0, 0]


def test_words_the_dictionary_does_not_know_are_told_from_punctuation(tmp_path: Path) -> None:
    def spoil(rows: Rows) -> None:
        rows["tokens"][2]["pos"] = rows["tokens"][6]["pos"] = "x"

    assert quality(staged(tmp_path, spoil))["unknown_share"].to_pylist() == [round(1 / 14, 6), None, 0.0]


def test_an_empty_segment_has_an_empty_vector(tmp_path: Path) -> None:
    table = quality(staged(tmp_path, empty))
    assert table.schema.equals(SCHEMAS["quality"])
    assert table.num_rows == 0


def test_the_vector_is_the_same_whatever_the_order_of_the_work(tmp_path: Path) -> None:
    parts = staged(tmp_path)
    assert all(quality(parts).equals(quality(parts)) for _ in range(5))


def test_the_balance_says_where_the_characters_went(tmp_path: Path) -> None:
    first, second = balance(staged(tmp_path)).to_dicts()
    assert first == {
        "source": "a.txt",
        "n_chars": 35,
        "n_published": 32,
        "n_left_out": 3,
        "n_rejected": 0,
        "n_articles": 2,
        "n_rejects": 0,
        "n_lost": 0,
    }
    assert (second["n_published"], second["n_rejected"], second["n_rejects"], second["n_lost"]) == (5, 2, 1, 0)


@pytest.mark.parametrize(
    ("spoil", "lost"),
    [
        (put("paragraphs", 0, text="潮"), [1, 0]),
        (put("paragraphs", 0, text="潮信 息"), [-1, 0]),
        (put("sources", 0, left_out=[]), [3, 0]),
        (put("rejects", 0, text=""), [0, 2]),
        (drop("articles", 2), [0, 5]),
    ],
    ids=["a character lost", "a character added", "left out unsaid", "a reject without its text", "an article lost"],
)
def test_a_character_that_is_lost_unbalances_its_source(spoil: Spoil, lost: list[int], tmp_path: Path) -> None:
    assert balance(staged(tmp_path, spoil))["n_lost"].to_list() == lost
