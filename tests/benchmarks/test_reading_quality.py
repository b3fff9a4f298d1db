"""The gate holds what is read to its floors: the samples and a few texts here, the rest in `make bench`."""

import doctest
import json
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as overview
from benchmarks import reading_quality
from benchmarks.reading_quality import FIRST_TEXTS, FLOORS, by_family, failures, judge, short_set, updated
from benchmarks.score import FIGURES, figures
from tasks.document import Document

WRITTEN: dict[str, dict[str, float]] = json.loads(FLOORS.read_text(encoding="utf-8"))


def test_doctests() -> None:
    assert doctest.testmod(reading_quality).failed == 0


def test_samples_and_first_texts_are_at_their_floors(tmp_path: Path) -> None:
    totals = by_family(judge(short_set(tmp_path)))
    found = {family: figures(counts) for family, counts in totals.items()}
    assert set(found) == {"samples", FIRST_TEXTS} <= set(WRITTEN)
    assert failures(found, WRITTEN) == []


@pytest.mark.parametrize("family", sorted(WRITTEN))
def test_every_family_has_its_floors(family: str) -> None:
    always = {figure.name for figure in FIGURES} - {"meta", "furniture"}
    assert always <= set(WRITTEN[family]) <= {figure.name for figure in FIGURES}


def test_reading_nothing_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(reading_quality, "process", Document)
    monkeypatch.setattr(sys, "argv", ["reading_quality", "--only", "text"])
    assert reading_quality.main() == 1
    assert "samples: intact is 0.0000" in capsys.readouterr().out


def test_without_fonts_texts_alone_are_judged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reading_quality, "missing_tools", lambda: ["chromium"])
    monkeypatch.setattr(reading_quality, "COUNT", 6)
    monkeypatch.setattr(reading_quality, "FLOORS", Path("none.json"))
    monkeypatch.setattr(sys, "argv", ["reading_quality"])
    assert reading_quality.main() == 0
    said = capsys.readouterr().out
    assert "pages are set with chromium, which this machine lacks" in said
    assert "\npdf" not in said


ONE = dict.fromkeys((figure.name for figure in FIGURES), 1.0)


def test_an_update_raises_floors_and_lowers_none_unasked() -> None:
    floors = {"text": {"intact": 0.9, "cer": 0.01}, "pdf": {"intact": 0.8}}
    better = ONE | {"intact": 0.956, "cer": 0.0051}
    raised = updated(floors, {"text": better}, lower=False)
    assert (raised["text"]["intact"], raised["text"]["cer"], raised["pdf"]) == (0.95, 0.006, {"intact": 0.8})
    worse = ONE | {"intact": 0.85, "cer": 0.0051}
    with pytest.raises(ValueError, match=r"^text: intact is 0.8500, its floor 0.9$"):
        updated(floors, {"text": worse}, lower=False)
    assert updated(floors, {"text": worse}, lower=True)["text"]["intact"] == 0.85


def test_an_update_never_loosens_by_rounding() -> None:
    floors = {"text": dict(ONE) | {"intact": 0.955}}
    assert updated(floors, {"text": ONE | {"intact": 0.957}}, lower=False)["text"]["intact"] == 0.955


def test_the_overview_knows_every_benchmark_and_its_question() -> None:
    known = overview.benchmarks()
    assert {"reading_quality", "run_cost", "segmenting"} <= set(known)
    assert known["reading_quality"] == "How well are pages and texts read, family by family?"
    assert all(known.values())
    assert {f"{name}.py" for name in overview.OTHERS} <= {path.name for path in overview.HERE.glob("*.py")}
