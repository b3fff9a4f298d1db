from __future__ import annotations

import hashlib
import pickle
import random
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from tasks import dataset
from tasks.dataset import (
    ROW_TABLES,
    SCHEMAS,
    build_tables,
    concat_tables,
    decode_seconds,
    decode_tables,
    encode_tables,
    withdraw,
)
from tasks.document import Article, Box, Document, Paragraph, Reject, Sentence, Source, Stretch, Token, count_chars

DICTIONARY = Path(__file__).parents[2] / "docs" / "data-dictionary.md"


def paragraph(text: str, kind: str = "body", **more: object) -> Paragraph:
    """One sentence, a token per character that is not white space."""
    tokens = tuple(Token(i, i + 1, "n") for i, c in enumerate(text) if not c.isspace())
    return Paragraph(kind, text, 0.9, sentences=(Sentence(0, len(text), tokens),), **more)  # type: ignore[arg-type]


def document(name: str, *articles: tuple[Paragraph, ...], rejects: tuple[Reject, ...] = ()) -> Document:
    return Document(
        source=Source(name, f"/raw/{name}", 100, "0" * 64),
        articles=tuple(Article(i, paragraphs, "zh-Hans", 0.8) for i, paragraphs in enumerate(articles)),
        rejects=rejects,
        media_type="text/plain",
        encoding="utf-8",
        n_chars=sum(count_chars(p.text) for paragraphs in articles for p in paragraphs),
    )


RIVER = document("a/river.txt", (paragraph("河水涨了。"), paragraph("城门半开", "caption")), (paragraph("夜里有雨。"),))
BRIDGE = document("b/bridge.txt", (paragraph("石桥修好了。"),))
BROKEN = document("c.pdf", rejects=(Reject("read", "truncated", "The file ends early.", "Copy it again."),))
EXPECTED_TOKENS = ["河", "水", "涨", "了", "。", "城", "门", "半", "开", "夜", "里", "有", "雨", "。"]


def test_an_article_becomes_rows() -> None:
    box = Box(1, 10.0, 20.0, 90.0, 40.0)
    body = Paragraph(
        "body",
        "清晨有雾。",
        0.7,
        ("unwrap",),
        (box,),
        sentences=(Sentence(0, 5, (Token(0, 2, "t"), Token(2, 5, "v"))),),
        stretches=(Stretch(0, 3, Box(1, 10.0, 20.0, 90.0, 30.0)), Stretch(3, 4, Box(1, 10.0, 30.0, 40.0, 40.0))),
    )
    article = Article(
        0, (body,), "zh-Hant", 0.9, "雾", ("甲", "乙"), "站", "报", date(2024, 2, 29), "http://h.example/1"
    )
    tables = build_tables(
        [Document(Source("x.pdf", "x.pdf", 5, "ab"), (article,), n_chars=5, left_out={"b": 2, "a": 1})], "f"
    )
    key = dataset.article_id("x.pdf", 0)
    (row,) = tables["articles"].to_pylist()
    assert row == {
        "article_id": key,
        "source": "x.pdf",
        "ordinal": 0,
        "title": "雾",
        "authors": ["甲", "乙"],
        "affiliation": "站",
        "publisher": "报",
        "published_on": date(2024, 2, 29),
        "url": "http://h.example/1",
        "language": "zh-Hant",
        "text": "清晨有雾。",
        "text_sha256": hashlib.sha256("清晨有雾。".encode()).hexdigest(),
        "n_chars": 5,
        "n_paragraphs": 1,
        "n_sentences": 1,
        "n_tokens": 2,
        "confidence": 0.9,
    }
    assert tables["paragraphs"].to_pylist() == [
        {
            "article_id": key,
            "paragraph": 0,
            "kind": "body",
            "text": "清晨有雾。",
            "confidence": 0.7,
            "fixes": ["unwrap"],
            "boxes": [{"page": 1, "x0": 10.0, "top": 20.0, "x1": 90.0, "bottom": 40.0}],
            "line_first": None,
            "line_last": None,
            "lines": [
                {"start": 0, "line": 3, "page": 1, "x0": 10.0, "top": 20.0, "x1": 90.0, "bottom": 30.0},
                {"start": 3, "line": 4, "page": 1, "x0": 10.0, "top": 30.0, "x1": 40.0, "bottom": 40.0},
            ],
        }
    ]
    assert [list(t.values())[1:] for t in tables["tokens"].to_pylist()] == [
        [0, 0, 0, "清晨", "t", 0, 2],
        [0, 0, 1, "有雾。", "v", 2, 5],
    ]
    assert [list(s.values())[1:] for s in tables["sentences"].to_pylist()] == [[0, 0, 0, 5, "清晨有雾。"]]
    assert tables["sources"]["left_out"].to_pylist() == [[{"rule": "a", "chars": 1}, {"rule": "b", "chars": 2}]]
    assert tables["sources"]["status"].to_pylist() == ["published"]
    assert tables["sources"]["reason"].to_pylist() == [None]


def test_captions_stand_beside_the_running_text() -> None:
    tables = build_tables([RIVER], "f")
    assert tables["articles"]["text"].to_pylist() == ["河水涨了。", "夜里有雨。"]
    assert tables["articles"]["n_paragraphs"].to_pylist() == [2, 1]
    assert tables["tokens"]["text"].to_pylist() == EXPECTED_TOKENS


def test_every_field_is_described_and_none_is_dictionary_or_large() -> None:
    def check(field: pa.Field) -> None:
        assert field.metadata[b"description"].endswith(b"."), field
        type_ = field.type.value_type if pa.types.is_list(field.type) else field.type
        assert not pa.types.is_dictionary(type_)
        assert not pa.types.is_large_string(type_)
        for child in type_ if pa.types.is_struct(type_) else ():
            check(child)

    for schema in SCHEMAS.values():
        assert schema.metadata[b"description"]
        for field in schema:
            check(field)


def test_the_data_dictionary_is_that_of_the_schemas() -> None:
    assert DICTIONARY.read_text(encoding="utf-8") == dataset.data_dictionary(), (
        "make it anew: python -m tasks.dataset > docs/data-dictionary.md"
    )


def test_the_order_in_which_documents_end_does_not_show() -> None:
    assert build_tables([BROKEN, BRIDGE, RIVER], "f") == build_tables([RIVER, BRIDGE, BROKEN], "f")


def test_a_source_that_comes_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"bridge\.txt"):
        build_tables([BRIDGE, BRIDGE], "f")


def test_a_document_without_articles_or_reason_gets_one() -> None:
    tables = build_tables([document("empty.txt")], "f")
    assert tables["rejects"]["check"].to_pylist() == ["no_article"]
    assert tables["sources"]["status"].to_pylist() == ["rejected"]
    assert tables["sources"]["reason"].to_pylist() == ["no_article: No article was found in the file."]


@pytest.mark.parametrize(
    "hurt",
    [
        document("h.txt", (paragraph("半个\ud800字"),)),
        document("h.txt", rejects=(Reject("read", "x", "Bad.", "Mend it.", "\udfff", "半\ud800"),)),
    ],
)
def test_half_a_character_stops_its_own_document_alone(hurt: Document) -> None:
    tables = build_tables([BRIDGE, hurt], "f")
    assert tables["articles"]["source"].to_pylist() == ["b/bridge.txt"]
    (reject,) = tables["rejects"].to_pylist()
    assert (reject["source"], reject["check"]) == ("h.txt", "lone_surrogate")
    texts = [p.text for a in hurt.articles for p in a.paragraphs] + [r.text for r in hurt.rejects]
    assert count_chars(reject["text"]) == sum(map(count_chars, texts))


def test_a_source_of_which_some_is_rejected_is_partly_published() -> None:
    lost = Reject("reflow", "no_text", "The page holds no text.", "Read it by OCR.", ordinal=1)
    tables = build_tables([document("p.pdf", (paragraph("留下的"),), rejects=(lost,))], "f")
    (source,) = tables["sources"].to_pylist()
    assert source["status"] == "partly"
    assert source["reason"] == "1 of 2 articles rejected: no_text: The page holds no text."
    assert tables["rejects"]["article_id"].to_pylist() == [dataset.article_id("p.pdf", 1)]


def test_tables_travel_as_bytes() -> None:
    tables = build_tables([RIVER, BRIDGE, BROKEN], "f")
    data = encode_tables(tables)
    assert decode_tables(data) == tables
    assert decode_tables(data, ["sources"]) == {"sources": tables["sources"]}


WHOLE = encode_tables(build_tables([RIVER], "f"))


@pytest.mark.parametrize("spent", [-1.0, float("nan"), float("inf"), "long", [1.0], None])
def test_seconds_that_are_none_are_not_believed(spent: object) -> None:
    with pytest.raises(ValueError, match="seconds"):
        decode_seconds(encode_tables({}, {"read": spent}), ["read"])  # type: ignore[dict-item]  # a child may say anything


@pytest.mark.parametrize("data", [b"", WHOLE[: len(WHOLE) // 2], b"x" + WHOLE, pickle.dumps([1]), b"\xff" * 64])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="tables"):
        decode_tables(data)


def test_tables_of_another_schema_are_refused() -> None:
    tables = build_tables([RIVER], "f")
    with pytest.raises(ValueError, match="schema"):
        decode_tables(encode_tables(tables | {"tokens": tables["tokens"].drop_columns("pos")}))


def test_batches_put_together_are_as_one() -> None:
    whole = build_tables([RIVER, BRIDGE, BROKEN], "f")
    parts = [build_tables([d], "f") for d in (BROKEN, BRIDGE, RIVER)]
    assert concat_tables(parts) == whole
    assert concat_tables([dataset.select(whole, [s]) for s in ("c.pdf", "b/bridge.txt", "a/river.txt")]) == whole


FUTURE = Reject("check", "future_date", "It is dated 2031.", "Correct the date.", "2031-01-01")
SHORT = Reject("check", "too_short", "It has 5 characters.", "Look at the raw file.")


def kept(tables: dataset.Tables) -> int:
    texts = tables["paragraphs"]["text"].to_pylist() + tables["rejects"]["text"].to_pylist()
    return sum(map(count_chars, texts))


def test_a_withdrawn_article_leaves_every_table_and_loses_no_character() -> None:
    before = build_tables([RIVER, BRIDGE, BROKEN], "f")
    key = dataset.article_id("a/river.txt", 0)
    after = withdraw(before, {key: [SHORT, FUTURE], "no such article": [FUTURE]})
    for name in ("articles", "paragraphs", "sentences", "tokens"):
        assert key not in after[name]["article_id"].to_pylist()
        assert after[name].schema.equals(SCHEMAS[name])
    assert after["rejects"].select(["source", "article_id", "check", "text"]).to_pylist() == [
        {"source": "a/river.txt", "article_id": key, "check": "future_date", "text": "河水涨了。\n城门半开"},
        {"source": "a/river.txt", "article_id": key, "check": "too_short", "text": ""},
        {"source": "c.pdf", "article_id": None, "check": "truncated", "text": ""},
    ]
    assert kept(after) == kept(before)
    assert after["sources"]["status"].to_pylist() == ["partly", "published", "rejected"]
    assert after["sources"]["reason"].to_pylist()[0] == (
        "1 of 2 articles rejected: future_date: It is dated 2031. too_short: It has 5 characters."
    )


def test_a_withdrawn_source_leaves_no_article() -> None:
    after = withdraw(build_tables([RIVER, BRIDGE], "f"), {"a/river.txt": [FUTURE]})
    assert after["articles"]["source"].to_pylist() == ["b/bridge.txt"]
    assert after["rejects"]["text"].to_pylist() == ["河水涨了。\n城门半开", "夜里有雨。"]
    assert after["sources"]["status"].to_pylist() == ["rejected", "published"]


def test_withdrawing_in_steps_is_withdrawing_at_once() -> None:
    tables = build_tables([RIVER, BRIDGE], "f")
    first, second = {dataset.article_id("a/river.txt", 1): [SHORT]}, {dataset.article_id("b/bridge.txt", 0): [FUTURE]}
    assert withdraw(withdraw(tables, second), first) == withdraw(tables, first | second)


def test_a_source_without_articles_can_fail_a_check_too() -> None:
    after = withdraw(build_tables([BROKEN], "f"), {"c.pdf": [FUTURE]})
    assert after["rejects"]["check"].to_pylist() == ["truncated", "future_date"]
    assert len(set(after["rejects"]["reject_id"].to_pylist())) == 2


def test_nothing_withdrawn_is_nothing_changed() -> None:
    tables = build_tables([RIVER], "f")
    assert withdraw(tables, {"elsewhere": [FUTURE]}) == {name: tables[name] for name in ROW_TABLES}


def test_spoiled_bytes_never_take_the_process_down() -> None:
    chance = random.Random(20)
    refused = 0
    for _ in range(300):
        data = bytearray(WHOLE)
        for at in chance.choices(range(len(data)), k=chance.randint(1, 5)):
            data[at] = chance.randrange(256)
        try:
            decode_tables(bytes(data))
        except ValueError:
            refused += 1
    assert refused > 100
