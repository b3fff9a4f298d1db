"""What a person lets pass: one article, one check, while the source stays as it was."""

import json
from pathlib import Path

import pytest

from flows import pipeline
from flows.accepted import load as load_accepted
from flows.settings import Settings, WrongSettings
from tasks import release
from tests.flows.command import wenliu

FUTURE = "明天的新闻\n!future 明天的事情今天就写好了，登在报上。\n"


def rejects(settings: Settings) -> list[dict[str, str]]:
    found: list[dict[str, str]] = release.open_release(settings.processed).table("rejects").to_pylist()
    return found


def test_what_is_accepted_is_published_until_its_source_changes(settings: Settings) -> None:
    Path("raw/future.txt").write_text(FUTURE, encoding="utf-8")
    pipeline.run(settings)
    (row,) = rejects(settings)
    assert row["check"] == "date_possible"
    assert wenliu("rejects", "accept", row["reject_id"], "--because", 'printed "so";\n the paper is a joke') == 0
    (entry,) = load_accepted(settings.accepted)
    assert (entry.article_id, entry.because) == (row["article_id"], 'printed "so"; the paper is a joke')
    outcome = pipeline.run(settings)
    assert (outcome.status, rejects(settings)) == ("published", [])
    assert outcome.warnings == []
    assert pipeline.run(settings).status == "nothing new"

    Path("raw/future.txt").write_text(FUTURE + "又添了一行。\n", encoding="utf-8")
    outcome = pipeline.run(settings)
    assert [row["check"] for row in rejects(settings)] == ["date_possible"]
    (warning,) = outcome.warnings
    assert warning["check"] == "accepted_applies"
    assert json.loads(warning["evidence"]) == [{"source": "future.txt", "check": "date_possible"}]


@pytest.mark.usefixtures("unchecked")
def test_what_could_not_be_read_cannot_be_accepted(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    Path("raw/odd.txt").write_text("!unreadable\n", encoding="utf-8")
    pipeline.run(settings)
    (row,) = rejects(settings)
    assert wenliu("rejects", "accept", row["reject_id"], "--because", "I like it") == 2
    assert "not_text (read) cannot be accepted" in capsys.readouterr().err
    assert not settings.accepted.exists()


ENTRY = '[[accept]]\narticle_id = "a-0000"\nsource = "a.txt"\nsha256 = "1"\ncheck = "date_possible"\nbecause = "so"\n'
WRONG = {
    "not TOML": ("[[accept\n", "not valid TOML"),
    "another key": ("[[acept]]\n", "only entries [[accept]] are known"),
    "a key too many": (f'{ENTRY}until = "May"\n', "entry 1: it has to have article_id"),
    "no reason": (ENTRY.replace('"so"', '" "'), "entry 1: because: a text that is not empty is needed"),
    "no such check": (ENTRY + ENTRY.replace("date_possible", "spans_valid"), "entry 2: spans_valid: no check that"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_stops_the_run_before_it_reads(project: Path, text: str, message: str) -> None:
    Path("accepted.toml").write_text(text)
    with pytest.raises(WrongSettings) as error:
        load_accepted(Path("accepted.toml"))
    assert str(error.value).startswith("accepted.toml: ")
    assert message in str(error.value)
    assert wenliu("plan") == 2
