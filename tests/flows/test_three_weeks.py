"""Three weeks of a newspaper's life on a calendar of their own, with all that befalls a paper in them.

The reader, the checks and the web server that is told are real; only the date is not. `make test` lives the first week,
`make test-long` all three.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.typesetting.articles import CORPUS, load_stories, texts_of
from benchmarks.typesetting.wrap import break_lines
from expectations.history import past
from flows import pipeline
from flows.difference import difference
from flows.job import plan
from flows.pipeline import Outcome
from flows.settings import Settings, load
from tasks import release
from tasks.dataset import SCHEMAS
from tasks.release import Release
from tests.flows.endpoint import Endpoint

ROOT = Path(__file__).parents[2]
MONDAY = datetime(2026, 3, 2, 6, tzinfo=UTC)
#: Articles in a day's paper.
THICK = 12
PROCESSED = Path("processed")
#: The press draws its dashes with two strokes of a table's frame; and the rule that will read them in the third week.
DRAWN = "──"
RULE = """

def read_drawn_dashes(text: str) -> str:
    return text.replace("──", "——")


RULES = (*RULES, read_drawn_dashes)
"""
SETTINGS = """
workers = 2
[alerts]
channels = ["json://desk:${{HOOK_PASSWORD}}@127.0.0.1:{port}/"]
[grades]
sources_mostly_published = "error"
"""


def stories() -> Iterator[tuple[str, list[str]]]:
    """Yield titles and paragraphs of Chinese articles, no two alike."""
    rng = random.Random(3)
    chinese = [story for story in load_stories(CORPUS) if story["language"] == "zh-Hans"]
    while True:
        for story in chinese:
            texts = texts_of(story)
            rng.shuffle(texts)
            yield story["title"], texts


@dataclass
class Paper:
    """A newspaper: what day it is there, what was published on the way, and what its people were told."""

    web: Endpoint
    today: datetime = MONDAY
    stories: Iterator[tuple[str, list[str]]] = field(default_factory=stories)
    published: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return load()

    def told(self) -> list[str]:
        """Return the titles of the messages that came since this was asked last."""
        titles = [title.removeprefix("wenliu: ") for title in self.web.titles]
        self.web.told.clear()
        return titles

    def article(self) -> str:
        title, texts = next(self.stories)
        lines = [title, f"来源：江州晨报 {self.today:%Y年%m月%d日}"]
        for text in texts:
            lines += break_lines("\u3000\u3000" + text.replace("——", DRAWN), lambda _: 24.0)
        return "\n".join(lines) + "\n"

    def deliver(self, count: int = THICK) -> list[str]:
        """Put today's paper into its folder; return the sources."""
        names = [f"daily/{self.today:%Y-%m-%d}/{number:02d}.txt" for number in range(1, count + 1)]
        for name in names:
            self.put(name, self.article().encode())
        return names

    def put(self, name: str, data: bytes) -> None:
        path = Path("raw", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (self.today.timestamp(),) * 2)

    def run(self, watch: pipeline.Watch = pipeline.silent) -> Outcome:
        """Run, and check what holds on any day: what is published is whole, and only a published run leaves a release."""
        outcome = pipeline.run(self.settings, watch=watch, now=self.today)
        if outcome.status == "published":
            assert outcome.release
            self.published.append(outcome.release)
        self.check()
        return outcome

    def check(self) -> None:
        newest = release.open_release(PROCESSED)
        assert newest.id == self.published[-1]
        assert not [*PROCESSED.glob(".current-*"), *(PROCESSED / "releases").glob(".[!l]*")]
        texts = "".join(newest.table("tokens", ["text"])["text"].to_pylist())
        paragraphs = "".join(newest.table("paragraphs", ["text"])["text"].to_pylist())
        assert len(texts) == len("".join(paragraphs.split()))

    def tomorrow(self) -> None:
        """Go on to the next day; a paper comes out from Monday to Friday, and on Saturday somebody looks in."""
        self.today += timedelta(days=1 if self.today.weekday() < 5 else 2)
        assert self.told() == []

    @contextmanager
    def running(self, until: str, code: Path = ROOT) -> Iterator[subprocess.Popen[str]]:
        """Have a program of its own run today's run as far as this stage, where it waits."""
        command = [sys.executable, str(Path(__file__).with_name("one_run.py")), self.today.isoformat()]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(code)}, **pipes) as process:
            assert process.stdin
            assert process.stdout
            for stage in process.stdout:
                if stage.strip() == until:
                    break
                process.stdin.write("\n")
                process.stdin.flush()
            yield process

    def finish(self, process: subprocess.Popen[str]) -> None:
        """Let a program that waits go on to its end."""
        said, _ = process.communicate()
        assert process.returncode == 0
        assert "published" in said.splitlines()[-1]
        self.published.append(release.open_release(PROCESSED).id)
        self.check()


def current() -> Release:
    return release.open_release(PROCESSED)


def statuses(found: Release) -> dict[str, str]:
    return {row["source"]: row["status"] for row in found.table("sources", ["source", "status"]).to_pylist()}


def written_again(new: Release) -> set[str]:
    """Return the sources of the segments that a release does not share with its parent."""
    parent = release.open_release(PROCESSED, new.manifest["parent"])
    shared = {segment.parts["tokens"].path for segment in parent.segments}
    segments = [segment for segment in new.segments if segment.parts["tokens"].path not in shared]
    return {name for segment in segments for name in release._column(segment.paths(new.path), "sources", "source")}


def rows(found: Release) -> dict[str, list[str]]:
    """Return all rows of all tables, in an order that does not depend on how they came."""
    return {name: sorted(json.dumps(row, default=str) for row in found.table(name).to_pylist()) for name in SCHEMAS}


def changes(new: Release) -> dict[str, set[tuple[str, str]]]:
    """Return the sources of the articles that were added, changed and removed since the parent, with the causes."""
    found = difference(release.open_release(PROCESSED, new.manifest["parent"]), new)
    lists = {"added": found.added, "changed": found.changed, "removed": found.removed}
    return {name: {(change.source, change.cause) for change in changed} for name, changed in lists.items() if changed}


def first_week(paper: Paper) -> None:
    """A first paper, a broken file and its repair, a late correction, a crash, a day without a paper."""
    monday = paper.deliver()
    assert paper.run().status == "published"
    assert statuses(current()) == dict.fromkeys(monday, "published")

    paper.tomorrow()
    *_, broken = tuesday = paper.deliver()
    sound = Path("raw", broken).read_bytes()
    paper.put(broken, sound[:-2])  # cut short inside a character
    assert paper.run().status == "published"
    assert statuses(current()) == dict.fromkeys([*monday, *tuesday], "published") | {broken: "rejected"}
    assert paper.told() == ["1 rejected: encoding"]

    paper.tomorrow()
    paper.deliver()
    paper.put(broken, sound)
    paper.run()
    assert set(statuses(current()).values()) == {"published"}
    assert paper.told() == ["over: rejected: read: encoding"]

    paper.tomorrow()
    corrected = monday[4]
    text = Path("raw", corrected).read_text("utf-8")
    paper.put(corrected, f"{text.rstrip()}更正：昨天的数字有误。\n".encode())
    paper.run()
    assert changes(current()) == {"changed": {(corrected, "source changed")}}
    assert written_again(current()) == set(monday)

    paper.tomorrow()
    friday = paper.deliver()
    with paper.running(until="staging") as killed:
        killed.send_signal(signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL
    paper.check()  # the release there was
    stages: set[str] = set()
    paper.run(watch=lambda stage, *_: stages.add(stage))
    assert "reading" not in stages
    assert {name for name, _ in changes(current())["added"]} == set(friday)

    paper.tomorrow()
    assert paper.run().status == "nothing new"


def second_week(paper: Paper) -> None:
    """A bad batch and its recovery, a deletion, two runs at once, a thin paper."""
    paper.tomorrow()
    monday = paper.deliver()
    sound = {name: Path("raw", name).read_bytes() for name in monday}
    for name, data in sound.items():
        paper.put(name, data[: len(data) // 3] + data[len(data) // 2 :])  # a third of the way into a character
    assert paper.run().status == "refused"
    assert paper.told() == ["refused: sources_mostly_published"]
    paper.today += timedelta(hours=6)
    assert paper.run().status == "refused"
    assert paper.told() == []
    paper.today -= timedelta(hours=6)

    paper.tomorrow()
    for name, data in sound.items():
        paper.put(name, data)
    tuesday = paper.deliver()
    paper.run()
    assert paper.told() == ["over: refused"]
    assert changes(current()).keys() == {"added"}
    assert statuses(current()).items() >= dict.fromkeys([*monday, *tuesday], "published").items()

    paper.tomorrow()
    paper.deliver()
    Path("raw", monday[0]).unlink()
    paper.run()
    assert changes(current())["removed"] == {(monday[0], "source is gone")}

    paper.tomorrow()
    thursday = paper.deliver()
    with paper.running(until="checking") as other:
        with pytest.raises(release.Busy, match=f"process {other.pid} "):
            paper.run()
        paper.finish(other)
    assert {name for name, _ in changes(current())["added"]} == set(thursday)
    assert paper.run().status == "nothing new"

    paper.tomorrow()
    paper.deliver(1)
    assert paper.run().status == "published"
    assert paper.told() == ["warning: volume_usual"]

    paper.tomorrow()
    assert paper.run().status == "nothing new"


def third_week(paper: Paper) -> None:
    """A disk that is not there, a new rule and its end, a new dictionary, an entry in corrections.toml."""
    paper.tomorrow()
    Path("raw").rename("away")
    Path("raw").mkdir()
    assert paper.run().status == "refused"
    assert paper.told() == ["refused: not_shrunk, rows_present"]
    Path("raw").rmdir()
    Path("away").rename("raw")
    paper.deliver()
    paper.run()
    assert paper.told() == ["over: warning: volume_usual", "over: refused"]
    before = rows(current())

    paper.tomorrow()
    upgraded = Path("upgraded").absolute()
    for room in ("flows", "tasks", "expectations"):
        shutil.copytree(ROOT / room, upgraded / room, ignore=shutil.ignore_patterns("__pycache__"))
    with (upgraded / "tasks" / "clean.py").open("a", encoding="utf-8") as file:
        file.write(RULE)
    with paper.running(until="staging", code=upgraded) as run:
        paper.finish(run)
    drawn = {str(path.relative_to("raw")) for path in Path("raw").rglob("*.txt") if DRAWN in path.read_text("utf-8")}
    assert drawn
    assert changes(current()) == {"changed": {(name, "rules changed") for name in drawn}}

    paper.tomorrow()
    planned = plan(paper.settings).plan
    assert {change.source for change in planned.redo} == statuses(current()).keys()
    assert {change.reason for change in planned.redo} == {"changed since it was read: rules"}
    paper.run()
    assert rows(current()) == before

    paper.tomorrow()
    Path("words.txt").write_text("江州晨报 100 nz\n", encoding="utf-8")
    with Path("wenliu.toml").open("r+", encoding="utf-8") as file:
        settings = file.read()
        file.seek(0)
        file.write('dictionary = "words.txt"\n' + settings)
    paper.deliver()
    outcome = paper.run()
    assert outcome.planned["redo"] == len(statuses(current())) - THICK
    assert changes(current()).keys() == {"added"}

    paper.tomorrow()
    misread, *_ = paper.deliver()
    paper.run()
    sound = Path("raw", misread).read_bytes()
    entry = (
        f'source = "{misread}"\nsha256 = "{hashlib.sha256(sound).hexdigest()}"\nbecause = "the printer left him out"'
    )
    fact = f'article = 0\nquote = "{sound.decode().splitlines()[0]}"\nauthors = ["沈予安"]'
    Path("corrections.toml").write_text(f"[[correct]]\n{entry}\n{fact}\n", encoding="utf-8")
    assert paper.run().read["sources"] == 1
    assert changes(current()) == {"changed": {(misread, "correction changed")}}
    paper.put(misread, sound + "更正：作者应为沈予安。\n".encode())
    paper.run()
    assert paper.told() == ["warning: corrections_apply"]
    paper.put(misread, sound)
    paper.run()
    assert paper.told() == ["over: warning: corrections_apply"]

    paper.tomorrow()
    assert paper.run().status == "nothing new"


def check_whole(paper: Paper) -> None:
    """Check what it must all end with: every file there is, published; the same rows as if all had come at once."""
    assert paper.told() == []
    newest = current()
    assert [run.release for run in past(newest.manifest["metrics"])] == paper.published
    assert [found.id for found in release.releases(PROCESSED)] == paper.published[::-1][:10]
    raw = {str(path.relative_to("raw")) for path in Path("raw").rglob("*.txt")}
    assert statuses(newest) == dict.fromkeys(raw, "published")
    pipeline.run(load(processed=Path("at-once"), alerts={"channels": []}), now=paper.today)
    assert rows(newest) == rows(release.open_release(Path("at-once")))


@pytest.fixture
def paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: Endpoint) -> Paper:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOOK_PASSWORD", "open-sesame")
    Path("wenliu.toml").write_text(SETTINGS.format(port=web.port), encoding="utf-8")
    return Paper(web)


@pytest.mark.parametrize("weeks", [1, pytest.param(3, marks=pytest.mark.long)])
def test_weeks_of_a_newspaper(paper: Paper, weeks: int) -> None:
    for week in (first_week, second_week, third_week)[:weeks]:
        week(paper)
    check_whole(paper)
