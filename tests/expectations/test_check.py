from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from expectations import check as gate
from expectations.check import Verdict, check, judge
from expectations.frames import in_folders
from expectations.history import Departure
from expectations.suites import EXPECTATIONS, KEYS, SUITES, THRESHOLDS, Expectation
from tasks.dataset import ROW_TABLES, SCHEMAS, build_tables, withdraw
from tasks.quality import quality

TODAY = date(2026, 1, 31)
PARAMETERS = {name: threshold.value for name, threshold in THRESHOLDS.items()} | {"today": 2026_01_31}

Frame = pl.DataFrame
Spoil = Callable[[Frame], Frame]
NEXT = object()  # stands for the value that the next row has


def put(**values: object) -> Spoil:
    """Overwrite columns of the first row."""

    def spoil(frame: Frame) -> Frame:
        first = frame.head(1)
        for column, value in values.items():
            told = frame[column][1] if value is NEXT else value
            first = first.with_columns(pl.lit(told, dtype=frame.schema[column]).alias(column))
        return pl.concat([first, frame.tail(-1)])

    return spoil


def put_all(**values: object) -> Spoil:
    """Overwrite columns of every row."""
    return lambda frame: frame.with_columns(
        pl.lit(value, dtype=frame.schema[column]).alias(column) for column, value in values.items()
    )


ENGLISH = {"language": "en", "han_share": 0.0, "tokens_per_char": 0.2}

#: For every expectation, what breaks it and no other.
BAD: Mapping[str, Spoil] = {
    "tables_complete": put(parts=0),
    "schema_as_declared": put(as_declared=False),
    "rows_present": put(rows=0),
    "not_shrunk": put(kept_share=0.1),
    "sources_accounted_for": put(rows=2),
    "sources_still_there": put_all(still_there=False),
    "sources_source_present": put(source=None),
    "sources_sha256_present": put(sha256=None),
    "sources_bytes_present": put(bytes=None),
    "sources_status_present": put(status=None, status_due=None),
    "sources_fingerprint_present": put(fingerprint=None),
    "sources_source_unique": put(source=NEXT),
    "source_sha256_shape": put(sha256="ABC"),
    "source_size_possible": put(bytes=-1),
    "status_known": put(status="lost", status_due="lost"),
    "status_true": put(status_due="partly"),
    "reason_present": put(status="partly", status_due="partly", reason=None),
    "reason_filled": put(status="partly", status_due="partly", reason=" "),
    "reason_absent": put(reason="None that we know of."),
    "characters_conserved": put(n_lost=3),
    "sources_mostly_published": put_all(status="rejected", status_due="rejected", reason="It is empty."),
    "articles_article_id_present": put(article_id=None),
    "articles_source_present": put(source=None),
    "articles_ordinal_present": put(ordinal=None),
    "articles_language_present": put(language=None),
    "articles_text_sha256_present": put(text_sha256=None),
    "articles_confidence_present": put(confidence=None),
    "articles_article_id_unique": put(article_id=NEXT),
    "articles_key_unique": put(source=NEXT, ordinal=NEXT),
    "article_id_not_reused": put(reused=True),
    "articles_judged": put(judged=False),
    "ordinal_possible": put(ordinal=-1),
    "language_known": put(language="zh"),
    "title_present": put(title=None),
    "title_filled": put(title="\u3000"),
    "title_length": put(title_chars=121),
    "date_possible": put(published_day=2026_02_01),
    "url_shape": put(url="www.paper.example/river"),
    "article_text_filled": put(visible=0),
    "text_sha256_shape": put(text_sha256="0" * 63),
    "article_length": put(n_chars=19),
    "article_confidence_range": put(confidence=1.01),
    "article_confidence_low": put(confidence=0.49),
    "paragraphs_article_id_present": put(article_id=None),
    "paragraphs_paragraph_present": put(paragraph=None),
    "paragraphs_kind_present": put(kind=None),
    "paragraphs_confidence_present": put(confidence=None),
    "paragraphs_key_unique": put(paragraph=NEXT),
    "kind_known": put(kind="heading 1"),
    "paragraph_filled": put(visible=0),
    "paragraph_confidence_range": put(confidence=-0.01),
    "paragraph_placed": put(placed=False),
    "lines_in_order": put(line_first=9, line_last=8),
    "quality_article_id_present": put(article_id=None),
    "quality_source_present": put(source=None),
    "quality_article_id_unique": put(article_id=NEXT),
    "article_known": put(source=""),
    "required_filled": put(null_errors=1),
    "spans_valid": put(span_errors=1),
    "text_covered": put(gap_errors=1),
    "numbers_consecutive": put(index_errors=1),
    "references_whole": put(reference_errors=1),
    "text_is_slice": put(text_errors=1),
    "pos_known": put(pos_errors=1),
    "counts_agree": put(count_errors=1),
    "lines_traced": put(line_errors=1),
    "characters_valid": put(character_errors=1),
    "tokens_present": put(n_tokens=0),
    "tokens_per_char_chinese": put(tokens_per_char=0.91),
    "tokens_per_char_english": put(**ENGLISH | {"tokens_per_char": 0.61}),
    "sentence_length_chinese": put(sentence_chars=201.0),
    "sentence_length_english": put(**ENGLISH, sentence_chars=501.0),
    "han_share_chinese": put(han_share=0.19),
    "han_share_english": put(**ENGLISH | {"han_share": 0.51}, sentence_chars=130.0),
    "words_known": put(unknown_share=0.11),
    "letter_spacing_closed": put(cjk_space_share=0.06),
    "paragraph_confidence_low": put(confidence_min=0.49),
    "rejects_reject_id_present": put(reject_id=None),
    "rejects_source_present": put(source=None),
    "rejects_stage_present": put(stage=None),
    "rejects_check_present": put(check=None),
    "rejects_message_present": put(message=None),
    "rejects_remedy_present": put(remedy=None),
    "rejects_reject_id_unique": put(reject_id=NEXT),
    "rejected_source_known": put(source_known=False),
    "rejected_not_published": put(published=True),
    "reject_check_filled": put(check=""),
    "reject_message_filled": put(message=" "),
    "reject_remedy_filled": put(remedy="\n"),
    "volume_usual": put(volume=5.1),
    "newest_in_time": put(days=8.0),
    "length_usual": put(length=2.1),
    "confidence_usual": put(confidence=0.11),
    "languages_usual": put(languages=0.31),
    "rejected_usual": put(rejected=0.21),
    "words_usual": put(unknown=0.021),
}


def told(verdict: Verdict) -> dict[str, str]:
    """Return what failed and what came of it."""
    found = {finding.check: "refusal" for finding in verdict.refusals}
    found |= {finding.check: "warning" for finding in verdict.warnings}
    found |= {finding.check: "info" for finding in verdict.infos}
    return found | {reject.check: "row" for rejects in verdict.rows.values() for reject in rejects}


def judged(frames: Mapping[str, Frame], table: str, suite: tuple[Expectation, ...] | None = None) -> Verdict:
    """Hold one frame against its suite, or another, with the frames beside it that say which rows there are."""
    suites = {"sources": (), "articles": (), table: SUITES[table] if suite is None else suite}
    return judge({name: frames[name].lazy() for name in suites}, suites, PARAMETERS)


def test_every_expectation_has_what_breaks_it() -> None:
    names = {entry.name for entry in EXPECTATIONS}
    assert not names - BAD.keys(), f"add to BAD a row that breaks it: {', '.join(names - BAD.keys())}"
    assert not BAD.keys() - names, f"no such expectation: {', '.join(BAD.keys() - names)}"


@pytest.mark.parametrize("entry", [e for e in EXPECTATIONS if e.name in BAD], ids=lambda entry: entry.name)
def test_an_expectation_trips_on_its_bad_row_and_no_other_does(entry: Expectation, good: dict[str, Frame]) -> None:
    verdict = judged({**good, entry.table: BAD[entry.name](good[entry.table])}, entry.table)
    # A row that bears no name of an article cannot be withdrawn: that refuses.
    nameless = entry.name in ("articles_article_id_present", "paragraphs_article_id_present")
    as_row = entry.level == "row" and entry.grade == "error"
    outcome = "row" if as_row and not nameless else {"error": "refusal"}.get(entry.grade, entry.grade)
    assert told(verdict) == {entry.name: outcome}
    assert verdict.passed == (outcome in ("warning", "info"))
    if outcome == "row":
        assert verdict.rows.keys() <= set(good[entry.table][KEYS[entry.table]])
        for (reject,) in verdict.rows.values():
            assert (reject.stage, reject.message, reject.remedy) == ("check", entry.message, entry.remedy)
            assert json.loads(reject.evidence)[0]


def test_a_good_dataset_passes_and_its_result_can_be_kept(staged: dict[str, Path], seen: list[str]) -> None:
    usual = [Departure("all", "days", 1.0, 1.0, 0.0)]
    verdict = check([staged], seen=seen, today=TODAY, parent=[staged], history=usual)
    assert told(verdict) == {}
    assert verdict.passed
    results = json.loads(json.dumps(verdict.results, allow_nan=False))
    run = {r["expectation_config"]["meta"]["name"] for result in results.values() for r in result["results"]}
    assert run == {entry.name for entry in EXPECTATIONS}


def rewritten(staged: Mapping[str, Path], directory: Path, rows: Mapping[str, pa.Table]) -> dict[str, Path]:
    """Write `rows` in place of some tables and judge the segment anew."""
    parts = dict(staged)
    for name, table in rows.items():
        parts[name] = directory / f"{name}.parquet"
        pq.write_table(table, parts[name])
    parts["quality"] = directory / "quality.parquet"
    pq.write_table(quality(parts), parts["quality"])
    return parts


def test_what_is_withdrawn_leaves_a_release_that_passes(
    staged: dict[str, Path], seen: list[str], tmp_path: Path
) -> None:
    tables = {name: pq.read_table(staged[name]) for name in ROW_TABLES}
    articles = tables["articles"].to_pylist()
    bad = articles[1]["article_id"]
    articles[1] |= {"published_on": date(2031, 1, 1), "n_tokens": 7}
    parts = rewritten(staged, tmp_path, {"articles": pa.Table.from_pylist(articles, SCHEMAS["articles"])})
    verdict = check([parts], seen=seen, today=TODAY)
    assert {key: [reject.check for reject in rejects] for key, rejects in verdict.rows.items()} == {
        bad: ["date_possible", "counts_agree"]
    }
    assert not verdict.refusals
    assert '"published_day": 20310101' in verdict.rows[bad][0].evidence

    left = withdraw({name: pq.read_table(parts[name]) for name in ROW_TABLES}, verdict.rows)
    again = check([rewritten(staged, tmp_path, left)], seen=seen, today=TODAY)
    assert told(again) == {}
    assert bad in left["rejects"]["article_id"].to_pylist()


def test_a_source_that_lost_characters_is_withdrawn_whole(
    staged: dict[str, Path], seen: list[str], tmp_path: Path
) -> None:
    tables = {name: pq.read_table(staged[name]) for name in ROW_TABLES}
    sources = tables["sources"].to_pylist()
    sources[0]["n_chars"] += 1
    parts = rewritten(staged, tmp_path, {"sources": pa.Table.from_pylist(sources, SCHEMAS["sources"])})
    verdict = check([parts], seen=seen, today=TODAY)
    assert {key: [reject.check for reject in rejects] for key, rejects in verdict.rows.items()} == {
        "a/river.txt": ["characters_conserved"]
    }
    left = withdraw({name: pq.read_table(parts[name]) for name in ROW_TABLES}, verdict.rows)
    assert check([rewritten(staged, tmp_path, left)], seen=seen, today=TODAY).passed
    assert left["sources"]["status"].to_pylist() == ["rejected", "partly", "rejected"]


def test_rows_of_no_article_refuse_the_release(staged: dict[str, Path], seen: list[str], tmp_path: Path) -> None:
    articles = pq.read_table(staged["articles"])
    parts = rewritten(staged, tmp_path, {"articles": articles.slice(1)})
    verdict = check([parts], seen=seen, today=TODAY)
    orphans = {finding.check: finding.evidence for finding in verdict.refusals}
    assert articles["article_id"][0].as_py() in orphans["article_known"]
    assert "references_whole" in orphans


def test_unchanged_segments_are_looked_at_for_what_must_be_unique(staged: dict[str, Path], seen: list[str]) -> None:
    verdict = check([staged], kept=[staged], seen=seen, today=TODAY)
    assert told(verdict) == {"sources_accounted_for": "refusal", "article_id_not_reused": "row"}


@pytest.mark.parametrize(
    ("listing", "outcome"),
    [
        (["a/river.txt", "b/lantern.pdf", "c/broken.pdf", "d/new.txt"], {"sources_accounted_for": "refusal"}),
        (["a/river.txt", "b/lantern.pdf"], {"sources_accounted_for": "refusal"}),
        ([], {"sources_accounted_for": "refusal", "sources_still_there": "warning"}),
    ],
    ids=["a file without a row", "a row without a file", "nothing there any more"],
)
def test_every_file_has_a_row(staged: dict[str, Path], listing: list[str], outcome: dict[str, str]) -> None:
    assert told(check([staged], seen=listing, today=TODAY, parent=[staged])) == outcome


def test_an_empty_release_is_refused(seen: list[str], tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    parts = {name: empty / f"{name}.parquet" for name in SCHEMAS}
    for name, table in build_tables([], "f").items():
        pq.write_table(table, parts[name])
    pq.write_table(quality(parts), parts["quality"])
    assert told(check([parts], seen=[], today=TODAY)) == {"rows_present": "refusal"}
    assert told(check([], seen=[], today=TODAY)) == {"rows_present": "refusal"}


def test_a_release_that_shrank_is_refused(staged: dict[str, Path], seen: list[str]) -> None:
    before = [staged] * 10
    assert told(check([staged], seen=seen, today=TODAY, parent=before)) == {"not_shrunk": "refusal"}
    lowered = check([staged], seen=seen, today=TODAY, parent=before, thresholds={"kept_share": 0.05})
    assert told(lowered) == {}


def test_a_table_that_is_missing_refuses(staged: dict[str, Path], seen: list[str]) -> None:
    parts = {name: path for name, path in staged.items() if name != "tokens"}
    assert told(check([parts], seen=seen, today=TODAY)) == {"tables_complete": "refusal", "rows_present": "refusal"}


def test_a_column_of_another_type_refuses(staged: dict[str, Path], seen: list[str], tmp_path: Path) -> None:
    tokens = pq.read_table(staged["tokens"])
    at = tokens.schema.get_field_index("token")
    wider = tokens.set_column(at, "token", pc.cast(tokens["token"], pa.int64()))
    parts = rewritten(staged, tmp_path, {"tokens": wider})
    assert told(check([parts], seen=seen, today=TODAY)) == {"schema_as_declared": "refusal"}


BROKEN: Mapping[str, Expectation] = {
    "no such type": replace(SUITES["articles"][0], type="expect_the_best"),
    "no such column": replace(SUITES["articles"][0], arguments={"column": "nothing"}),
    "no such argument": replace(SUITES["articles"][0], arguments={"column": "title", "colour": "red"}),
    "no such parameter": replace(
        SUITES["articles"][0],
        type="expect_column_values_to_be_between",
        arguments={"column": "n_chars", "max_value": {"$PARAMETER": "nobody"}},
    ),
    "values of another type": replace(
        SUITES["articles"][0],
        type="expect_column_values_to_be_between",
        arguments={"column": "title", "max_value": 1},
        grade="info",
    ),
}


@pytest.mark.parametrize("entry", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_expectation_refuses(entry: Expectation, staged: dict[str, Path], seen: list[str]) -> None:
    verdict = check([staged], seen=seen, today=TODAY, suites={"articles": (entry,)})
    assert len(verdict.refusals) == 1
    assert not verdict.passed
    assert "The check itself failed" in verdict.refusals[0].message


def test_a_part_that_is_no_parquet_refuses(staged: dict[str, Path], seen: list[str], tmp_path: Path) -> None:
    bad = tmp_path / "articles.parquet"
    bad.write_bytes(staged["articles"].read_bytes()[:-9])
    assert list(told(check([{**staged, "articles": bad}], seen=seen, today=TODAY)).values()) == ["refusal"]


def test_an_unknown_threshold_refuses(staged: dict[str, Path], seen: list[str]) -> None:
    (refusal,) = check([staged], seen=seen, today=TODAY, thresholds={"kept_shares": 0.1}).refusals
    assert "kept_shares" in refusal.message


FOLDERS: dict[str, tuple[dict[str, dict[str, float]], list[str]]] = {
    "none": ({}, ["a/river.txt", "a/river.txt", "b/lantern.pdf"]),
    "one": ({"a": {"confidence": 0.5}}, ["b/lantern.pdf"]),
    "both": ({"a": {"confidence": 0.99}, "b": {"confidence": 0.1}}, ["a/river.txt", "a/river.txt"]),
    "another bound": ({"a": {"title_chars": 99}}, ["a/river.txt", "a/river.txt", "b/lantern.pdf"]),
}


@pytest.mark.parametrize(("folders", "doubtful"), FOLDERS.values(), ids=FOLDERS)
def test_a_folder_has_bounds_of_its_own(
    folders: dict[str, dict[str, float]], doubtful: list[str], staged: dict[str, Path], seen: list[str]
) -> None:
    found = check([staged], seen=seen, today=TODAY, thresholds={"confidence": 0.95}, folders=folders)
    (warning,) = [w for w in found.warnings if w.check == "article_confidence_low"]
    assert [row["source"] for row in json.loads(warning.evidence)] == doubtful
    assert warning.count == len(doubtful)
    assert found.refusals == ()


def test_the_innermost_folder_around_a_row_holds() -> None:
    rows = pl.LazyFrame({"source": ["a/b/1.txt", "a/2.txt", "ab/3.txt", "a"]})
    assert in_folders(rows, ["a/b", "a"]).collect()["folder"].to_list() == ["a/b", "a", "", ""]


def without_results(results: dict[str, Any]) -> None:
    results["results"] = []


def half_seen(results: dict[str, Any]) -> None:
    results["results"][0]["result"]["element_count"] -= 1


@pytest.mark.parametrize("tamper", [without_results, half_seen])
def test_what_judged_fewer_rows_than_there_are_is_no_pass(
    tamper: Callable[[dict[str, Any]], None], good: dict[str, Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    validate = gate._validate

    def tampered(*arguments: Any) -> dict[str, Any]:
        results = validate(*arguments)
        tamper(results["articles"])
        return results

    monkeypatch.setattr(gate, "_validate", tampered)
    verdict = judged(good, "articles", SUITES["articles"][:1])
    assert told(verdict) == {SUITES["articles"][0].name: "refusal"}


def test_evidence_and_results_stay_small(good: dict[str, Frame]) -> None:
    many = pl.concat([good["articles"]] * 200).with_columns(
        article_id=pl.int_range(pl.len()).cast(pl.String), title=pl.lit("长" * 300), title_chars=300
    )
    verdict = judged({**good, "articles": many}, "articles")
    (finding,) = [finding for finding in verdict.warnings if finding.check == "title_length"]
    assert finding.count == 600
    assert len(finding.evidence) < 1_000
    assert len(json.dumps(verdict.results)) < 100_000
