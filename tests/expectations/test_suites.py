from __future__ import annotations

from pathlib import Path

import pytest

from expectations.suites import EXPECTATIONS, KEYS, SUITES, THRESHOLDS, Expectation, describe
from tasks.dataset import SCHEMAS

DOCS = Path(__file__).parents[2] / "docs" / "expectations.md"


def test_every_table_is_judged() -> None:
    by_article = {"sentences": "quality", "tokens": "quality"}
    assert {by_article.get(table, table) for table in SCHEMAS} <= SUITES.keys() == KEYS.keys()
    assert all(suite for suite in SUITES.values())


def test_names_tell_expectations_apart() -> None:
    names = [entry.name for entry in EXPECTATIONS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("entry", EXPECTATIONS, ids=lambda entry: entry.name)
def test_an_expectation_says_what_is_wrong_and_what_to_do(entry: Expectation) -> None:
    assert entry in SUITES[entry.table]
    assert entry.message.endswith(".")
    assert entry.remedy.endswith(".")


def test_every_threshold_is_used() -> None:
    asked = {v["$PARAMETER"] for e in EXPECTATIONS for v in e.arguments.values() if isinstance(v, dict)}
    of_the_frames = {"history_runs", "history_articles"}
    assert asked | of_the_frames == THRESHOLDS.keys() | {"today"}
    assert not asked & of_the_frames


def test_the_docs_are_those_of_the_suites() -> None:
    assert DOCS.read_text(encoding="utf-8") == describe(), "run: python -m expectations.suites > docs/expectations.md"
