"""Corrections from the file to the tables: replayed on every run, only where they fit, and told of where they do not."""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows import pipeline
from flows.job import plan
from flows.settings import Settings, load
from tasks import release
from tests.flows.command import wenliu

pytestmark = pytest.mark.usefixtures("by_the_letter")

CHANGE = 'paragraph = 2\nquote = "放风筝"\nsplit_before = "老人"'


def correct(*changes: str) -> None:
    """Write a corrections file with these changes to the article of a.txt as it is now."""
    sha256 = hashlib.sha256(Path("raw/a.txt").read_bytes()).hexdigest()
    head = f'[[correct]]\nsource = "a.txt"\nsha256 = "{sha256}"\nbecause = "so"\narticle = 0\n'
    Path("corrections.toml").write_text("\n".join(head + change + "\n" for change in changes), encoding="utf-8")


def rows(settings: Settings, table: str, source: str = "a.txt") -> list[dict[str, Any]]:
    current = release.open_release(settings.processed)
    of_source = [row["article_id"] for row in current.table("articles").to_pylist() if row["source"] == source]
    key, wanted = ("source", {source}) if table == "sources" else ("article_id", {*of_source})
    return [row for row in current.table(table).to_pylist() if row[key] in wanted]


@pytest.mark.usefixtures("unchecked")
def test_a_correction_reaches_every_table_and_reads_its_source_alone(settings: Settings) -> None:
    pipeline.run(settings)
    before = {row["source"]: row for row in release.open_release(settings.processed).table("sources").to_pylist()}
    correct(CHANGE, 'quote = "春天"\nauthors = ["林晓"]')
    assert plan(settings).plan.redo == (("a.txt", "changed since it was read: correction"),)

    outcome = pipeline.run(settings)
    assert (outcome.status, outcome.read["sources"], outcome.warnings) == ("published", 1, [])
    assert [row["text"] for row in rows(settings, "paragraphs")][2:] == [
        "孩子们在操场上放风筝，",
        "老人坐在长椅上聊天。",
    ]
    assert [row["fixes"] for row in rows(settings, "paragraphs")] == [
        ["correction_facts"],
        [],
        ["correction_split"],
        ["correction_split"],
    ]
    assert {row["paragraph"] for row in rows(settings, "tokens")} == {0, 1, 2, 3}
    (article,) = rows(settings, "articles")
    assert (article["authors"], article["n_paragraphs"]) == (["林晓"], 4)
    (source,) = rows(settings, "sources")
    assert source["correction"] == "applied"
    assert source["fingerprint"].startswith(before["a.txt"]["fingerprint"] + "+correction:")
    assert rows(settings, "sources", "b.txt") == [before["b.txt"]]
    assert pipeline.run(settings).status == "nothing new"

    Path("corrections.toml").unlink()
    assert pipeline.run(settings).read["sources"] == 1
    assert rows(settings, "sources") == [before["a.txt"]]


@pytest.mark.usefixtures("unchecked")
def test_why_an_entry_was_written_is_no_reason_to_read_again(settings: Settings) -> None:
    correct(CHANGE)
    pipeline.run(settings)
    file = Path("corrections.toml")
    file.write_text("# a remark\n" + file.read_text("utf-8").replace('"so"', '"the page shows it"'), "utf-8")
    assert pipeline.run(settings).status == "nothing new"


@pytest.mark.usefixtures("unchecked")
def test_a_correction_of_a_source_that_changed_is_not_applied_and_told(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    correct(CHANGE)
    pipeline.run(settings)
    with Path("raw/a.txt").open("a", encoding="utf-8") as file:
        file.write("又添了一行。\n")
    assert wenliu("plan", "--json") == 0
    why = "the source has changed since the entry was written"
    assert json.loads(capsys.readouterr().out)["unapplied"] == [{"source": "a.txt", "why": why}]

    for status in ("published", "nothing new"):
        outcome = pipeline.run(settings)
        (warning,) = outcome.warnings
        assert (outcome.status, warning["check"]) == (status, "corrections_apply")
        assert json.loads(warning["evidence"]) == [{"source": "a.txt", "why": why}]
    assert [row["fixes"] for row in rows(settings, "paragraphs")] == [[]] * 4
    assert rows(settings, "sources")[0]["correction"] is None


@pytest.mark.usefixtures("unchecked")
def test_an_entry_that_does_not_fit_is_told_on_every_run_until_it_is_mended(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    correct(CHANGE.replace("放风筝", "放鞭炮"), 'paragraph = 1\nquote = "柳树"\nkind = "list"')
    why = "article 0, paragraph 2: it does not hold '放鞭炮'"
    for read in (3, 0):
        outcome = pipeline.run(settings)
        assert outcome.read.get("sources", 0) == read
        assert [json.loads(warning["evidence"]) for warning in outcome.warnings] == [[{"source": "a.txt", "why": why}]]
    assert plan(settings).unapplied == (("a.txt", why),)
    capsys.readouterr()
    assert wenliu("explain", "a.txt") == 0
    assert f"corrections: {why}" in capsys.readouterr().out
    assert [row["kind"] for row in rows(settings, "paragraphs")] == ["title", "list", "body"]

    correct(CHANGE)
    outcome = pipeline.run(settings)
    assert (outcome.read["sources"], outcome.warnings) == (1, [])


@pytest.mark.usefixtures("unchecked")
def test_an_entry_for_no_source_is_told(settings: Settings) -> None:
    correct(CHANGE)
    file = Path("corrections.toml")
    file.write_text(file.read_text("utf-8").replace("a.txt", "gone.txt"), "utf-8")
    (warning,) = pipeline.run(settings).warnings
    assert json.loads(warning["evidence"]) == [{"source": "gone.txt", "why": "there is no such source under raw/"}]


@pytest.mark.usefixtures("unchecked")
def test_what_a_refused_run_read_is_read_again_when_its_correction_changes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from expectations.check import Finding, Verdict

    with monkeypatch.context() as patch:
        no = Finding("not_so", "articles", "", "", 1, "")
        patch.setattr("expectations.check.check", lambda *_, **__: Verdict(refusals=(no,)))
        assert pipeline.run(settings).status == "refused"
    correct(CHANGE)
    assert pipeline.run(settings).status == "published"
    assert rows(settings, "sources")[0]["correction"] == "applied"
    assert len(rows(settings, "paragraphs")) == 4


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_wrong_file_stops_a_command_before_it_reads(
    project: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    correct(CHANGE + "\nuntil = 1")
    assert wenliu(command) == 2
    assert capsys.readouterr().err.startswith("wenliu: corrections.toml: entry 1 (a.txt): until: no such key;")
    assert not Path("processed").exists()


@pytest.mark.usefixtures("unchecked")
def test_explain_prints_an_entry_to_start_from(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline.run(settings)
    capsys.readouterr()
    assert wenliu("explain", "a.txt", "--correct", "2") == 0
    entry = capsys.readouterr().out.replace('because = ""', 'because = "so"')
    Path("corrections.toml").write_text(entry.replace('#kind = "body"', 'kind = "list"'), encoding="utf-8")
    assert wenliu("explain", "a.txt", "--correct") == 0
    facts = (
        capsys.readouterr().out.replace('because = ""', 'because = "so"').replace("#authors = []", 'authors = ["林晓"]')
    )
    Path("corrections.toml").write_text(Path("corrections.toml").read_text("utf-8") + facts, encoding="utf-8")
    pipeline.run(load())
    assert rows(settings, "sources")[0]["correction"] == "applied"
    assert rows(settings, "articles")[0]["authors"] == ["林晓"]
    assert [row["kind"] for row in rows(settings, "paragraphs")] == ["title", "body", "list"]


def test_explain_asks_for_one_article_and_a_paragraph_it_has(
    settings: Settings, capsys: pytest.CaptureFixture[str], unchecked: None
) -> None:
    pipeline.run(settings)
    for wrong, message in (("3", "its paragraphs are 0 to 2"), ("x", "takes the number of a paragraph")):
        assert wenliu("explain", "a.txt", "--correct", wrong) == 2
        assert message in capsys.readouterr().err


def test_a_rejected_article_is_corrected_and_published(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    Path("raw/late.txt").write_text("明天的新闻\n!future 明天的事情今天就写好了，登在报上。\n", encoding="utf-8")
    pipeline.run(settings)
    (reject,) = release.open_release(settings.processed).table("rejects").to_pylist()
    assert reject["check"] == "date_possible"
    capsys.readouterr()
    assert wenliu("explain", reject["article_id"], "--correct") == 0
    entry = capsys.readouterr().out.replace('because = ""', 'because = "a misprint"')
    entry = entry.replace("#published_on = 2999-01-01", "published_on = 2024-05-01")
    Path("corrections.toml").write_text(entry, encoding="utf-8")
    outcome = pipeline.run(settings)
    assert (outcome.status, outcome.read["sources"], outcome.rejects) == ("published", 1, [])
    assert [row["published_on"] for row in rows(settings, "articles", "late.txt")] == [date(2024, 5, 1)]
