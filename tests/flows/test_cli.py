"""The command as its users meet it: exit codes, one line for every mistake, results that machines can read."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import explain, job, pipeline
from flows.cli import cli, main
from flows.settings import Settings, load
from tasks import release
from tasks.dataset import article_id
from tests.flows import command

Wenliu = Callable[..., tuple[int, str, str]]


@pytest.fixture
def wenliu(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Wenliu:
    """Runs the command here and returns its exit code, stdout and stderr. The Prefect server it is told of is dead."""
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.delenv("WENLIU_DEBUG", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = command.wenliu(*arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def published(wenliu: Wenliu, unchecked: None) -> str:
    """A first release, and a second with one article more, of which one source is rejected; the first one's id."""
    first = pipeline.run(load()).release
    Path("raw/d.txt").write_text("新书出版\n一部关于古桥的新书昨天出版。\n", encoding="utf-8")
    Path("raw/odd.txt").write_text("!unreadable \x1b[31m\n", encoding="utf-8")
    pipeline.run(load())
    assert first is not None
    return first


def test_a_run_publishes_and_the_next_has_nothing_new(wenliu: Wenliu) -> None:
    code, out, err = wenliu("run")
    assert code == 0
    assert "published" in out
    assert "does not answer; running without it" in err
    code, out, err = wenliu("run", "--json")
    assert (code, json.loads(out)["status"], err) == (0, "nothing new", "")


def test_results_go_to_stdout_as_json_and_all_else_to_stderr(wenliu: Wenliu) -> None:
    Path("raw/odd.txt").write_text("!unreadable\n")
    code, out, err = wenliu("run", "--json")
    outcome = json.loads(out)
    assert (code, outcome["status"], outcome["read"]["articles"]) == (0, "published", 3)
    assert outcome["causes"] == [
        {"stage": "read", "check": "not_text", "times": 1, "what to do": "Give the text itself."}
    ]
    assert "reading" in err


def test_machines_hear_of_every_step_as_an_object(wenliu: Wenliu, unchecked: None) -> None:
    Path("raw/odd.txt").write_text("!unreadable \x1b[31m\n")
    code, _, err = wenliu("run", "--log", "json")
    said = [json.loads(line) for line in err.splitlines()]
    assert code == 0
    assert all({"time", "level", "message"} <= entry.keys() for entry in said)
    assert [entry["stage"] for entry in said if entry.get("done") == 0] == [
        "reading",
        "staging",
        "checking",
        "publishing",
    ]
    assert said[0]["level"] == "WARNING"  # of the server that does not answer
    assert next(entry["message"] for entry in said if entry["level"] == "INFO") == "to do: 4 new"
    assert (said[-1]["status"], said[-1]["read"]["articles"]) == ("published", 3)
    assert said[-1]["metrics"]["stages"]["reading"]["documents"] == 4


def test_machines_hear_of_mistakes_as_an_object(wenliu: Wenliu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENLIU_LOG", "json")
    code, out, err = wenliu("plan", "--settings", "none.toml")
    assert (code, out) == (2, "")
    assert json.loads(err)["message"] == "none.toml: there is no such settings file"


@pytest.mark.parametrize("command", [("plan",), ("run", "--dry-run")])
def test_a_plan_tells_why_and_publishes_nothing(wenliu: Wenliu, command: tuple[str, ...]) -> None:
    code, out, _ = wenliu(*command, "--json")
    assert code == 0
    assert json.loads(out)["new"][0] == {"source": "a.txt", "reason": "not in the parent release"}
    _, shown, _ = wenliu(*command)
    assert "3 new" in shown
    assert not Path("processed").exists()


def test_a_plan_names_the_articles_that_a_changed_dictionary_touches_and_the_time(
    wenliu: Wenliu, published: str
) -> None:
    assert json.loads(wenliu("plan", "--json")[1])["estimated_seconds"] == 0
    Path("words.txt").write_text("古桥 10 n\n", encoding="utf-8")
    Path("wenliu.toml").write_text('dictionary = "words.txt"\n')
    told = json.loads(wenliu("plan", "--json")[1])
    assert told["redo"][0]["reason"] == "changed since it was read: dictionary"
    titles = {change["source"]: [article["title"] for article in change["articles"]] for change in told["redo"]}
    assert titles["d.txt"] == ["新书出版"]
    assert titles["odd.txt"] == []
    assert told["estimated_seconds"] > 0
    shown = wenliu("plan")[1]
    assert "新书出版" in shown
    assert "4 published articles may change or leave" in shown
    assert "a run would take about" in shown


def test_the_estimate_goes_by_the_pace_of_the_runs_before(wenliu: Wenliu, monkeypatch: pytest.MonkeyPatch) -> None:
    def release_of(**figures: float) -> release.Release:
        return release.Release(Path("r"), {"metrics": figures})

    todo = job.plan(load())
    bytes_there = sum(path.stat().st_size for path in Path("raw").iterdir())
    for runs, seconds in (
        ([], None),
        ([{}], None),
        ([{"seconds": 8.0, "weight": bytes_there * 2}], 8.0),  # no run is shorter than the shortest
        ([{"seconds": 1.0, "weight": bytes_there / 4}, {"seconds": 8.0, "weight": bytes_there * 2}], 4.0),
    ):
        monkeypatch.setattr(release, "releases", lambda _, runs=runs: [release_of(**run) for run in runs])
        assert job.estimate(load(), todo) == seconds


def test_a_refused_run_exits_with_1_and_says_where_to_look(wenliu: Wenliu) -> None:
    for path in Path("raw").iterdir():
        path.write_text("!unreadable\n")
    code, out, _ = wenliu("run")
    assert code == 1
    assert "rows_present" in out
    assert "processed/.work/refused/" in out
    code, out, _ = wenliu("rejects", "--refused", "--json")
    assert (code, [group["count"] for group in json.loads(out)]) == (0, [3])
    assert "not_text" in wenliu("explain", "--refused", "a.txt")[1]
    assert wenliu("rejects")[0] == 2


MISTAKES = {
    "no such command": (("rum",), "No such command 'rum'."),
    "no such option": (("run", "--ful"), "No such option '--ful'."),
    "no argument": (("rollback",), "Missing argument 'RELEASE'. `wenliu rollback --help` tells more."),
    "raw is not there": (("run", "--raw", "none"), "none: no such folder of raw articles"),
    "processed is a file": (("run", "--processed", "raw/a.txt"), "raw/a.txt: not a folder"),
    "processed leads nowhere": (("run", "--processed", "nowhere"), "nowhere: not a folder"),
    "releases among raw files": (("run", "--processed", "raw/out"), "must lie apart"),
    "raw files among releases": (("run", "--raw", "."), "must lie apart"),
    "settings file is not there": (("plan", "--settings", "none.toml"), "none.toml: there is no such settings file"),
    "unknown setting": (("plan", "--settings", "wrong.toml"), "wrong.toml: workres: unknown setting; did you mean"),
    "nothing published": (("explain", "a.txt"), "nothing is published yet"),
    "nothing to roll back": (("rollback", "x"), "processed: no releases are there"),
    "nothing to resume": (("resume",), "processed: no releases are there"),
    "two releases that are not there": (("diff", "x", "y"), "x: no such release"),
    "no refused release": (("rejects", "--refused"), "no refused release is kept"),
    "an option before a subcommand": (("rejects", "--processed", "out", "show", "x"), "Options go behind `show`."),
    "no folder for a page": (("explain", "a.txt", "--html", "none/a.html"), "none: no such folder; make it"),
    "no schedule": (("serve",), "Give --cron, --interval or --watch."),
    "two schedules": (("serve", "--cron", "0 6 * * *", "--interval", "60"), "Give either --cron or --interval."),
    "no cron line": (
        ("serve", "--cron", "at six"),
        "--cron 'at six': not a cron line; '0 6 * * *' is every day at six",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_exits_with_2_and_one_line(wenliu: Wenliu, arguments: tuple[str, ...], said: str) -> None:
    Path("wrong.toml").write_text("workres = 2\n")
    Path("nowhere").symlink_to("not-there")
    code, out, err = wenliu(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_failure_of_the_machinery_exits_with_3_and_its_cause(wenliu: Wenliu, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the disk\nhas gone")

    monkeypatch.setattr(pipeline, "run", broken)
    code, out, err = wenliu("run")
    assert (code, out) == (3, "")
    assert err.splitlines()[-1] == ("wenliu: failed, nothing is published: the disk has gone (--debug tells where)")
    with pytest.raises(RuntimeError, match="the disk"):
        main(["run", "--debug"])


def test_another_run_at_work_exits_with_4(wenliu: Wenliu) -> None:
    with release.publishing(Path("processed")):
        code, _, err = wenliu("run")
    assert code == 4
    assert "is publishing" in err


def test_an_interrupted_run_says_that_it_goes_on_next_time(wenliu: Wenliu, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "run", interrupted)
    code, _, err = wenliu("run")
    assert code == 130
    assert "the next run goes on from there" in err


def test_a_rollback_holds_publishing_until_resume(wenliu: Wenliu, published: str) -> None:
    assert "publishing is held" in wenliu("rollback", published, "--because", "a bad batch")[1]
    listed = json.loads(wenliu("releases", "--json")[1])
    assert [row["release"] for row in listed["releases"] if row["current"]] == [published]
    assert listed["held"]["because"] == "a bad batch"
    code, _, err = wenliu("run")
    assert code == 1
    assert "`wenliu resume`" in err
    assert wenliu("resume")[0] == 0
    assert wenliu("run")[0] == 0


def test_two_releases_compared(wenliu: Wenliu, published: str) -> None:
    current = release.open_release(Path("processed")).id
    found = json.loads(wenliu("diff", published, current, "--json")[1])
    assert [row["title"] for row in found["added"]] == ["新书出版"]
    assert (found["changed"], found["removed"]) == ([], [])
    assert "1 added" in wenliu("diff", published, current)[1]


def test_rejects_are_listed_with_their_remedy_and_shown_one_by_one(wenliu: Wenliu, published: str) -> None:
    assert "what to do: Give the text itself." in wenliu("rejects")[1]
    (group,) = json.loads(wenliu("rejects", "--json")[1])
    assert (group["stage"], group["check"], group["count"]) == ("read", "not_text", 1)
    (row,) = group["rejects"]
    assert row["source"] == "odd.txt"
    _, shown, _ = wenliu("rejects", "show", row["reject_id"])
    assert re.search(r"line 1  !unreadable \\x1b\[31m +left out: not published", shown)
    assert "\x1b" not in shown
    assert wenliu("rejects", "show", "none")[0] == 2


def test_a_rejected_article_is_shown_raw_beside_clean(wenliu: Wenliu, unchecked: None, settings: Settings) -> None:
    Path("raw/late.txt").write_text("明天的新闻\n!future 明天的事\x1b[31m今天写好了。\n", encoding="utf-8")
    article = article_id("late.txt", 0)
    text = "明天的新闻\n!future 明天的事\x1b[31m今天写好了。"
    reject = {"source": "late.txt", "stage": "check", "article_id": article, "text": text}
    found, note = explain.beside(settings, reject)
    assert [(pair.page, pair.lines, pair.paragraph, pair.kind) for pair in found] == [
        (None, [(1, "明天的新闻")], 0, "title"),
        (None, [(2, "!future 明天的事\x1b[31m今天写好了。")], 1, "body"),
    ]
    assert ("".join(pair.text for pair in found), note) == (text.replace("\n", ""), "")
    assert "has changed since" in explain.beside(settings, reject | {"text": "后天的新闻"})[1]

    Path("raw/late.txt").unlink()
    assert explain.beside(settings, reject) == ([], "the raw file is gone: it cannot be shown")
    assert "stopped its reader" in explain.beside(settings, reject | {"stage": "guard"})[1]


def test_an_article_is_explained_by_source_path_or_id(wenliu: Wenliu, published: str) -> None:
    _, shown, _ = wenliu("explain", "raw/d.txt")
    assert "   0  title       1.00  line 1" in shown
    found = json.loads(wenliu("explain", "d.txt", "--json")[1])
    key = found["articles"][0]["article_id"]
    assert json.loads(wenliu("explain", key, "--json")[1]) == found
    assert "did you mean d.txt?" in wenliu("explain", "d.tx")[2]


def test_the_doctor_tells_the_remedy(wenliu: Wenliu) -> None:
    code, out, _ = wenliu("doctor", "--json")
    found = {check["name"]: check for check in json.loads(out)}
    assert code == 3
    assert [name for name, check in found.items() if not check["ok"]] == ["prefect server"]
    assert found["prefect server"]["remedy"] == "start it, or unset PREFECT_API_URL"


def test_no_command_is_a_question_for_help(wenliu: Wenliu) -> None:
    assert wenliu() == wenliu("--help")
    assert "\n  run " in wenliu()[1]


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_has_help(wenliu: Wenliu, name: str) -> None:
    code, out, _ = wenliu(name, "--help")
    assert code == 0
    assert "--settings" in out
    assert "--processed" in out


SLOW = {"prefect", "great_expectations", "polars", "pandas", "pyarrow", "pydantic", "rich", "jieba", "pdfplumber"}


def modules_of(*arguments: str) -> set[str]:
    """The top-level modules that the command has imported when it ends, in a process of its own."""
    code = (
        "import sys, flows.cli\n"
        "try: flows.cli.main(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print('modules', *{name.split('.')[0] for name in sys.modules})\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return set(ended.stdout.splitlines()[-1].split()[1:])


def test_help_imports_nothing_slow() -> None:
    assert not modules_of("--help") & SLOW
    assert not modules_of("run", "--help") & SLOW


def test_a_run_with_nothing_new_needs_neither_prefect_nor_great_expectations(wenliu: Wenliu, published: str) -> None:
    assert not modules_of("run") & {"prefect", "great_expectations", "polars", "jieba", "pdfplumber"}
