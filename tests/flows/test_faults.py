"""Whole runs that are killed, or fail, at any of their file operations: nothing is lost, and no reader notices."""

from __future__ import annotations

import errno
import io
import multiprocessing
import os
import random
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from expectations.check import Verdict
from flows import cli, pipeline, read
from flows.finished import Finished
from flows.job import plan
from flows.settings import load
from tasks import release, sources
from tasks.document import Source

#: What a program can ask of a disk, by the module that offers it; whatever else there is comes down to these.
OPERATIONS = [
    *((os, name) for name in ("open", "write", "fsync", "link", "rename", "replace", "mkdir", "unlink", "symlink")),
    (os, "rmdir"),
    (io, "open"),
]
FAULTS = ("ENOSPC", "EIO", "EACCES")

OLD = {
    "a.txt": "河边的春天\n今年春天来得很早。\n",
    "b.txt": "图书馆延长开放\n市图书馆开放到晚上十点。\n",
    "c.txt": "A bridge reopens\nThe old stone bridge was opened again.\n",
    "poison.txt": "崩溃\n!crash\n",
}
NEW = OLD | {
    "b.txt": "图书馆整修\n市图书馆从今天起整修。\n",
    "d.txt": "新书出版\n一部新书昨天出版。\n",
    "e.txt": "!unreadable\n",
}


@pytest.fixture
def quick(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that read one source a batch, by a reader that loads nothing, and are not checked."""
    hasten(monkeypatch)


def hasten(patch: pytest.MonkeyPatch) -> None:
    patch.syspath_prepend(Path(__file__).parent)
    patch.setattr(read, "WORK", "stand_in:work_by_the_letter")
    patch.setattr(read, "WARM", None)
    patch.setattr(read, "batch_size", lambda *_: 1)
    patch.setattr(sources, "QUIET_SECONDS", 0.0)
    patch.setattr("expectations.check.check", lambda *_, **__: Verdict())


def fill(texts: dict[str, str]) -> None:
    for path in Path("raw").iterdir():
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        path = Path("raw", name)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def run() -> pipeline.Outcome:
    return pipeline.run(load(workers=1))


def published() -> release.Release:
    return release.open_release(Path("processed"))


def assert_holds(found: release.Release, *candidates: dict[str, str]) -> None:
    """Check that a release holds each file of one of these folders once: its whole text, or a named reason why not."""
    statuses = found.table("sources", ["source", "status"]).to_pylist()
    texts = Counter((row["source"], row["text"]) for row in found.table("articles", ["source", "text"]).to_pylist())
    reasons = {row["source"]: row["check"] for row in found.table("rejects", ["source", "check"]).to_pylist()}
    tokens = "".join(found.table("tokens", ["text"])["text"].to_pylist())
    assert len(tokens) == sum(len("".join(text.split())) for _, text in texts)

    def holds(raw: dict[str, str]) -> bool:
        good = {name: text for name, text in raw.items() if "!" not in text and name not in reasons}
        return (
            sorted(row["source"] for row in statuses) == sorted(raw)
            and texts == Counter((name, text.removesuffix("\n")) for name, text in good.items())
            and {row["source"] for row in statuses if row["status"] == "published"} == good.keys()
        )

    assert any(map(holds, candidates)), (statuses, texts, reasons)


def attempt(nth: int, fault: str, says: Connection) -> None:
    """Run in a process of its own; at the `nth` file operation be killed, or have it fail with errno `fault`.

    Says how many operations there were, with which code the command would have ended, and what it would have said.
    """
    count = 0

    def faulty(operation: Callable[..., Any]) -> Callable[..., Any]:
        def operate(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == nth:
                if fault == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                number = getattr(errno, fault)
                raise OSError(number, os.strerror(number), "injected")
            return operation(*arguments, **options)

        return operate

    with pytest.MonkeyPatch.context() as patch:
        hasten(patch)
        for module, name in OPERATIONS:
            patch.setattr(module, name, faulty(getattr(module, name)))
        try:
            run()
            code, message = cli.DONE, ""
        except Exception as error:  # noqa: BLE001 (as the command does)
            code, message = cli._verdict_on(error)
    says.send((count, code, message))


def start(nth: int = 0, fault: str = "none") -> tuple[Any, Connection]:
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload([__name__])
    hears, says = forks.Pipe(duplex=False)
    process = forks.Process(target=attempt, args=(nth, fault, says))
    process.start()
    says.close()
    return process, hears


def wait(process: Any, hears: Connection) -> tuple[int, int, str] | None:
    """Return what `attempt` said, None if it was killed."""
    try:
        said: tuple[int, int, str] | None = hears.recv()
    except EOFError:
        said = None
    process.join(60)
    assert process.exitcode == (0 if said else -signal.SIGKILL)
    return said


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many file operations a run takes that meets no fault."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("clean"))
        Path("raw").mkdir()
        hasten(patch)
        fill(OLD)
        run()
        fill(NEW)
        said = wait(*start())
        assert said
        assert said[1:] == (cli.DONE, "")
        assert_holds(published(), NEW)
        return said[0]


def check_fault(nth: int, fault: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Check what a fault leaves to readers, and that the next run ends as if it had not been.

    Returns whether the run published all the same.
    """
    shutil.rmtree("processed", ignore_errors=True)
    fill(OLD)
    old = run().release
    fill(NEW)
    said = wait(*start(nth, fault))
    seen = published()
    # A disk may withhold a file for a moment, of raw/ or one that tells a library's version: what is published is kept
    # as it was, and the next run reads again.
    withheld = fault != "kill" and seen.id != old and not plan(load()).is_empty
    assert_holds(seen, OLD if seen.id == old else NEW, *([NEW | {"b.txt": OLD["b.txt"]}] if withheld else []))
    if said:
        assert said[1] == (cli.DONE if seen.id != old else cli.FAILED), said
        assert said[1] == cli.DONE or os.strerror(getattr(errno, fault)) in said[2]

    finished = set(Finished(Path("processed/.work"), plan(load()).fingerprint.value).sources)
    again = record_reading(monkeypatch)
    run()
    assert finished.isdisjoint(again)
    assert_holds(published(), NEW)
    assert len(release.releases(Path("processed"))) == (3 if withheld else 2)  # the new one once
    left = {
        path.name
        for folder in ("processed", "processed/.work", "processed/releases")
        for path in Path(folder).glob("*")
    }
    assert not [name for name in left if name.startswith((".current", ".staging", ".removing", "spool-"))]
    return seen.id != old


def record_reading(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list that the names of all sources go into that are read from now on."""
    names: list[str] = []
    original = read.BatchReader.__call__

    def recording(self: read.BatchReader, batch: Sequence[Source]) -> read.Progress:
        names.extend(source.source for source in batch)
        return original(self, batch)

    monkeypatch.setattr(read.BatchReader, "__call__", recording)
    return names


#: Where a fault strikes, as a share of all operations, or so many before the last.
KILLED = (0.1, 0.35, 0.6, 0.8, -12, -5, -2)
FAILED = (("ENOSPC", 0.2), ("EIO", 0.4), ("EACCES", 0.55), ("ENOSPC", 0.7), ("EIO", -9))


def at(moment: float, operations: int) -> int:
    return operations + int(moment) if moment < 0 else 1 + int(moment * operations)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("moment", KILLED)
def test_a_killed_run_is_taken_up_by_the_next(operations: int, moment: float, monkeypatch: pytest.MonkeyPatch) -> None:
    check_fault(at(moment, operations), "kill", monkeypatch)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("fault", "moment"), FAILED)
def test_a_failing_disk_ends_a_run_with_its_cause(
    operations: int, fault: str, moment: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_fault(at(moment, operations), fault, monkeypatch)


SHARES = 8  # of the operations, interleaved: so that CI can run a sample


@pytest.mark.long
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("fault", ["kill", "errors"])
def test_a_fault_at_every_operation_of_a_run(
    operations: int, fault: str, share: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for nth in range(1 + share, operations + 1, SHARES):
        with monkeypatch.context() as patch:
            check_fault(nth, fault if fault == "kill" else FAULTS[nth % 3], patch)


@pytest.mark.usefixtures("quick")
def test_of_two_runs_at_once_one_wins_and_the_other_says_so() -> None:
    fill(NEW)
    ends = [wait(*started) for started in [start(), start(), start()]]
    codes = [end[1] for end in ends if end]
    assert codes.count(cli.DONE) >= 1
    assert set(codes) <= {cli.DONE, cli.BUSY}
    assert all("is publishing" in end[2] for end in ends if end and end[1] == cli.BUSY)
    assert_holds(published(), NEW)
    assert len(release.releases(Path("processed"))) == 1


def check_seed(seed: int) -> None:
    """Let files come, change and go while runs are killed and fail; in the end nothing is lost, nothing is double."""
    chance = random.Random(seed)
    raw: dict[str, str] = {}
    history: list[dict[str, str]] = [{}]
    for _ in range(4):
        for name in chance.sample("abcdefgh", 3):
            text = chance.choice(
                ["雨停了\n河水退了。\n", "风\n", "!crash\n", "!unreadable\n", "Snow\nIt fell all night.\n", ""]
            )
            if text:
                raw[f"{name}.txt"] = f"{name}{text}"
            else:
                raw.pop(f"{name}.txt", None)
        fill(raw)
        history.append(dict(raw))
        wait(*start(chance.randrange(1, 250), chance.choice(["kill", "kill", *FAULTS])))
        if Path("processed/current").exists():
            assert_holds(published(), *history)
    run()
    if raw:
        assert_holds(published(), raw)
        reasons = published().table("rejects", ["source", "check"]).to_pylist()
        assert {row["source"] for row in reasons} == {name for name, text in raw.items() if "!" in text}
    for kept in release.releases(Path("processed")):
        assert_holds(kept, *history)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("seed", range(10))
def test_mixed_faults_lose_nothing(seed: int) -> None:
    check_seed(seed)


@pytest.mark.long
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("seed", range(10, 200))
def test_many_mixed_faults_lose_nothing(seed: int) -> None:
    check_seed(seed)
