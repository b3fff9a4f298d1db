"""Releases, also when what publishes them is killed, or fails, at any of its file operations."""

from __future__ import annotations

import errno
import hashlib
import json
import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks import dataset, release
from tasks.dataset import ROW_TABLES, SCHEMAS
from tasks.document import Article, Box, Document, Paragraph, Reject, Sentence, Source, Stretch, Token
from tasks.release import Busy, Held, NoRelease, Release, StorageError, open_release, publishing

START = datetime(2024, 3, 1, 6, 0, tzinfo=UTC)


def document(name: str, text: str = "河水涨了。") -> Document:
    tokens = tuple(Token(i, i + 1, "n") for i in range(len(text)))
    body = Paragraph(
        "body",
        text,
        0.9,
        ("unwrap",),
        (Box(1, 1.0, 2.0, 3.0, 4.5),),
        sentences=(Sentence(0, len(text), tokens),),
        stretches=(Stretch(0, 1, None),),
    )
    caption = Paragraph("caption", "城门", 0.5, line_first=1, line_last=2, stretches=(Stretch(0, 1, None),))
    article = Article(0, (body, caption), "zh-Hans", 0.9, title=name, authors=("甲", "乙"), published_on=START.date())
    return Document(Source(name, name, 9, name), (article,), media_type="text/plain", n_chars=len(text) + 2)


BROKEN = Document(
    Source("z.pdf", "z.pdf", 9, "z"), rejects=(Reject("read", "cut", "It ends early.", "Copy it again."),)
)


def quality(parts: Mapping[str, Path]) -> pa.Table:
    """Count nothing: what is counted is no matter of publishing."""
    articles = pq.ParquetFile(parts["articles"]).read()
    columns = {
        name: [None if SCHEMAS["quality"].field(name).nullable else 0] * len(articles)
        for name in SCHEMAS["quality"].names
    }
    return pa.table(columns | {n: articles[n] for n in ("article_id", "source")}, schema=SCHEMAS["quality"])


def publish(
    processed: Path, documents: Iterable[Document] = (), gone: Sequence[str] = (), now: datetime = START, **options: Any
) -> Release:
    tables = dataset.build_tables(documents, "f")
    fresh = dict(zip(*(tables["sources"][c].to_pylist() for c in ("source", "n_chars")), strict=True))
    with publishing(processed) as store:
        staging = store.stage(fresh, lambda s: dataset.select(tables, s), quality, gone=gone, now=now, **options)
        return staging.publish({"rules": "1"}, {"passed": True}, now=now)


def rows(of: Release) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, whatever segment they are in."""
    return {name: sorted(of.table(name).to_pylist(), key=repr) for name in SCHEMAS}


def built(documents: Iterable[Document]) -> dict[str, list[dict[str, Any]]]:
    return {n: sorted(t.to_pylist(), key=repr) for n, t in dataset.build_tables(documents, "f").items()}


def assert_holds(of: Release, documents: Iterable[Document]) -> None:
    found = rows(of)
    assert {name: found[name] for name in ROW_TABLES} == built(documents)


def test_a_release_holds_every_table(tmp_path: Path) -> None:
    documents = [document("a.txt"), document("b.txt", "城门开了。"), BROKEN]
    made = publish(tmp_path, documents)
    assert_holds(made, documents)
    assert open_release(tmp_path) == made
    assert made.manifest["tables"]["tokens"]["rows"] == 10
    assert made.manifest["parent"] is None
    assert made.manifest["checks"] == {"passed": True}


def test_the_manifest_names_every_file(tmp_path: Path) -> None:
    made = publish(tmp_path, [document("a.txt"), BROKEN])
    named = [part for segment in made.segments for part in segment.parts.values()]
    assert sorted(part.path for part in named) == sorted(str(p.relative_to(made.path)) for p in made.path.glob("*/*"))
    for part in named:
        data = (made.path / part.path).read_bytes()
        assert (part.bytes, part.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert part.rows == pq.ParquetFile(made.path / part.path).metadata.num_rows
        assert part.sha256[:16] in part.path
        assert (made.path / part.path).stat().st_mode & 0o777 == 0o444


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("documents", [[], [document("a.txt"), document("b.txt"), BROKEN]], ids=["empty", "some"])
def test_five_tools_read_the_same(tmp_path: Path, documents: list[Document]) -> None:
    import datasets
    import duckdb
    import pandas as pd  # type: ignore[import-untyped]
    import polars as pl
    import pyarrow.dataset as ds

    datasets.disable_progress_bars()
    made = publish(tmp_path / "processed", documents)
    for name, schema in SCHEMAS.items():
        folder = made.path / name
        expected = made.table(name).to_pylist()
        assert ds.dataset(folder, partitioning="hive").schema.equals(schema, check_metadata=True)
        assert ds.dataset(folder).to_table().to_pylist() == expected
        assert plain(pd.read_parquet(folder, dtype_backend="pyarrow").to_dict("records")) == plain(expected)
        assert plain(pl.read_parquet(folder / "*.parquet").to_dicts()) == plain(expected)
        with duckdb.connect() as db:
            cursor = db.execute(f"select * from read_parquet('{folder}/*.parquet')")
            found = [dict(zip(schema.names, row, strict=True)) for row in cursor.fetchall()]
        assert plain(found) == plain(expected)
        files = [str(path) for path in made.paths(name)]
        streamed = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True)
        assert plain(list(streamed)) == plain(expected)
        if expected:  # unless it streams, datasets refuses data without a row, whoever wrote it
            read = datasets.Dataset.from_parquet(files, cache_dir=str(tmp_path / "cache"))
            assert plain(list(read)) == plain(expected)


def plain(value: Any) -> Any:
    """Bring each tool's own values (NumPy arrays, Timestamps, NA) to plain ones."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, str) or value is None:
        return value
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.date()
    return None if type(value).__name__ == "NAType" else value


def inodes(of: Release) -> set[int]:
    return {path.stat().st_ino for path in of.path.glob("*/*.parquet")}


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "SEGMENT_SOURCES", 2)


@pytest.mark.usefixtures("small_segments")
def test_only_touched_segments_are_written(tmp_path: Path) -> None:
    documents = [document(f"{c}.txt") for c in "abcdef"]
    first = publish(tmp_path, documents)
    assert [s.sources for s in first.segments] == [2, 2, 2]

    corrected = document("c.txt", "河水退了。")
    second = publish(tmp_path, [corrected], now=START + timedelta(hours=1))
    assert_holds(second, [*documents[:2], corrected, *documents[3:]])
    assert second.segments[0] == first.segments[0]
    assert second.segments[2] == first.segments[2]
    assert len(inodes(first) & inodes(second)) == 2 * len(SCHEMAS)

    third = publish(tmp_path, [document("g.txt")], gone=["a.txt"], now=START + timedelta(hours=2))
    assert_holds(third, [documents[1], corrected, *documents[3:], document("g.txt")])
    assert len(inodes(second) & inodes(third)) == 2 * len(SCHEMAS)


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("seed", range(8))
def test_the_rows_do_not_tell_their_history(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    now = START
    alive: dict[str, Document] = {}
    for _ in range(8):
        drop = {n: document(n, chance.choice(["雨。", "雪停了。", "风"])) for n in chance.sample("abcdefghij", 3)}
        gone = [n for n in chance.sample("abcdefghij", 2) if n in alive and n not in drop]
        documents = list(drop.values())
        chance.shuffle(documents)
        made = publish(tmp_path, documents, gone, now := now + timedelta(minutes=1))
        alive = {n: d for n, d in (alive | drop).items() if n not in gone}
    once = publish(tmp_path / "at once", alive.values())
    assert rows(made) == rows(once)
    assert {p.name for p in (made.path / "articles").iterdir()} == {s.parts["articles"].path[9:] for s in made.segments}


def test_all_read_again_is_laid_out_as_at_first(tmp_path: Path) -> None:
    documents = [document(f"{n:02d}.txt") for n in range(9)]
    for i in range(3):
        publish(tmp_path, documents[3 * i : 3 * i + 3])
    again, once = publish(tmp_path, documents), publish(tmp_path / "at once", documents)
    assert again.manifest["segments"] == once.manifest["segments"]


def test_an_empty_release_still_holds_every_table(tmp_path: Path) -> None:
    publish(tmp_path, [document("a.txt")])
    assert_holds(publish(tmp_path, gone=["a.txt"]), [])


def test_small_segments_are_put_together_within_twice_the_new_rows() -> None:
    parent: dict[int, release.Residents] = {}
    most = 0
    for day in range(200):
        fresh = {f"{day:03d}-{n}": 1000 for n in range(1 + day % 7)}
        places = release.plan_segments(parent, fresh, frozenset())
        moved = sum(len(names) for place in places if not place.untouched for names in place.kept.values())
        if len(parent) < release._COMPACT_AT:
            assert moved <= len(fresh)
        every = {p.number: [*p.fresh, *(s for names in p.kept.values() for s in names)] for p in places}
        parent = {n: release.Residents(frozenset(s), 1200 * len(s)) for n, s in every.items()}
        most = max(most, len(parent))
    assert sum(len(r.sources) for r in parent.values()) == sum(1 + day % 7 for day in range(200))
    assert most <= release._COMPACT_AT + 1


@pytest.mark.usefixtures("small_segments")
def test_withdrawn_articles_are_rejected_before_they_are_seen(tmp_path: Path) -> None:
    documents = [document(f"{c}.txt") for c in "abcd"]
    tables = dataset.build_tables(documents, "f")
    bad = {dataset.article_id("b.txt", 0): [Reject("check", "future_date", "It is dated 2031.", "Correct it.")]}
    with publishing(tmp_path) as store:
        staging = store.stage({d.source.source: 7 for d in documents}, lambda s: dataset.select(tables, s), quality)
        assert len(staging.unchecked_parts()) == 2
        (again,) = staging.withdraw(bad)
        assert pq.read_table(again["articles"], partitioning=None)["source"].to_pylist() == ["a.txt"]
        assert pq.read_table(again["quality"], partitioning=None)["source"].to_pylist() == ["a.txt"]
        assert staging.withdraw(bad) == []
        made = staging.publish({}, {})
    found = rows(made)
    assert {n: found[n] for n in ROW_TABLES} == {
        n: sorted(t.to_pylist(), key=repr) for n, t in dataset.withdraw(tables, bad).items()
    }
    assert len(list(made.path.glob("*/*.parquet"))) == 2 * len(SCHEMAS)


@pytest.mark.usefixtures("small_segments")
def test_what_judges_the_rows_changed_so_all_are_judged_again(tmp_path: Path) -> None:
    documents = [document(f"{c}.txt") for c in "abcd"]
    publish(tmp_path, documents, judged_by="1")
    with publishing(tmp_path) as store:
        assert store.stage({}, lambda _: {}, quality, judged_by="1").unchecked_parts() == []
    with publishing(tmp_path) as store:
        staging = store.stage({}, lambda _: {}, quality, judged_by="2")
        assert len(staging.unchecked_parts()) == 2
        assert_holds(staging.publish({}, {}), documents)


def test_links_that_fail_become_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = publish(tmp_path, [document("a.txt"), document("b.txt")])

    def link(*_: object) -> None:
        raise OSError(errno.EMLINK, "Too many links")

    monkeypatch.setattr(os, "link", link)
    second = publish(tmp_path, [document("c.txt")])
    assert second.segments[0] == first.segments[0]
    assert not inodes(first) & inodes(second)
    assert_holds(second, map(document, ("a.txt", "b.txt", "c.txt")))


def test_only_one_publishes(tmp_path: Path) -> None:
    with publishing(tmp_path):
        with pytest.raises(Busy, match=f"process {os.getpid()} on"), publishing(tmp_path):
            pass
        with pytest.raises(Busy):
            release.rollback(tmp_path, "x")
    with publishing(tmp_path):
        pass


def test_a_rollback_holds_publishing_until_resumed(tmp_path: Path) -> None:
    first = publish(tmp_path, [document("a.txt")])
    second = publish(tmp_path, [document("b.txt")])
    assert release.rollback(tmp_path, first.id, "b is wrong", START) == first
    assert open_release(tmp_path) == first
    assert release.held(tmp_path) == {
        "release": first.id,
        "since": "2024-03-01T06:00:00+00:00",
        "because": "b is wrong",
    }
    with pytest.raises(Held, match="wenliu resume"):
        publish(tmp_path, [document("c.txt")])
    assert open_release(tmp_path) == first
    assert release.resume(tmp_path)
    assert not release.resume(tmp_path)
    third = publish(tmp_path, [document("c.txt")])
    assert_holds(third, map(document, ("a.txt", "c.txt")))
    assert third.manifest["parent"] == first.id
    assert [r.id for r in release.releases(tmp_path)] == [third.id, second.id, first.id]


@pytest.mark.parametrize("name", ["", ".", "..", "../..", "20200101T000000Z-000", "/etc", ".lock"])
def test_an_unknown_release_is_told(tmp_path: Path, name: str) -> None:
    publish(tmp_path, [document("a.txt")])
    with pytest.raises(NoRelease, match="wenliu releases"):
        release.rollback(tmp_path, name)
    assert release.held(tmp_path) is None


def test_nothing_published_yet_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoRelease, match="wenliu run"):
        open_release(tmp_path)
    assert release.releases(tmp_path) == []


def test_retention_keeps_the_newest_the_young_and_the_current(tmp_path: Path) -> None:
    made = [publish(tmp_path, [document(f"{h}.txt")], now=START + timedelta(hours=h)) for h in range(6)]
    release.rollback(tmp_path, made[0].id)
    with publishing(tmp_path) as store:
        removed = store.retain(keep=2, hours=3, now=START + timedelta(hours=5))
    assert removed == [made[2].id, made[1].id]
    assert [r.id for r in release.releases(tmp_path)] == [made[i].id for i in (5, 4, 3, 0)]
    assert_holds(made[5], [document(f"{h}.txt") for h in range(6)])


def test_names_sort_by_time_even_when_the_clock_goes_back(tmp_path: Path) -> None:
    clock = [START, START, START - timedelta(hours=1), START + timedelta(seconds=1)]
    made = [publish(tmp_path, [document(f"{i}.txt")], now=now).id for i, now in enumerate(clock)]
    assert made == sorted(set(made))
    assert made[0] == "20240301T060000Z-000"


def test_a_refused_staging_is_kept_for_those_who_look(tmp_path: Path) -> None:
    tables = dataset.build_tables([document("a.txt")], "f")
    for _ in range(5):
        with publishing(tmp_path) as store:
            staging = store.stage({"a.txt": 5}, lambda s: dataset.select(tables, s), quality)
            refused = staging.refuse({"failed": ["volume"]})
    assert json.loads((refused / "verdict.json").read_text()) == {"failed": ["volume"]}
    assert len(list((refused / "articles").iterdir())) == 1
    assert len(list(refused.parent.iterdir())) == 3
    assert release.releases(tmp_path) == []


def test_a_staging_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    def fail(_: Sequence[str]) -> dataset.Tables:
        raise RuntimeError("no such rows")

    with pytest.raises(RuntimeError), publishing(tmp_path) as store:
        store.stage({"a.txt": 5}, fail, quality)
    assert [p.name for p in (tmp_path / "releases").iterdir()] == [".lock"]


def test_a_step_that_failed_can_be_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, OLD)
    tables = dataset.build_tables(NEW, "f")
    chars = {d.source.source: 7 for d in NEW}

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with publishing(tmp_path) as store:
        for operation in ("link", "fsync"):
            with monkeypatch.context() as patch:
                patch.setattr(os, operation, fail)
                with pytest.raises(StorageError):
                    store.stage({"e.txt": 7}, lambda s: dataset.select(tables, s), quality)
        staging = store.stage(chars, lambda s: dataset.select(tables, s), quality)
        for operation in ("fsync", "symlink", "rename", "replace"):
            with monkeypatch.context() as patch:
                patch.setattr(os, operation, fail)
                with pytest.raises(StorageError):
                    staging.publish({}, {})
        made = staging.publish({}, {})
    assert_holds(made, AFTER)


def read_once(processed: Path) -> None:
    """Read as documented, the current release resolved once; every source says in its text which release it is of."""
    made = open_release(processed)
    texts = {text[0] for text in made.table("articles", ["text"])["text"].to_pylist()}
    tokens = made.table("tokens", ["text", "start"]).to_pylist()
    assert len(texts) == 1, texts
    assert {token["text"] for token in tokens if token["start"] == 0} == texts


def read_on(processed: Path, stop: Any, counted: Any) -> None:
    while not stop.is_set():
        read_once(processed)
        counted.value += 1


@pytest.mark.parametrize(("publishes", "reads"), [(30, 30), pytest.param(100, 5_000, marks=pytest.mark.long)])
def test_readers_never_see_two_releases(tmp_path: Path, publishes: int, reads: int) -> None:
    names = [f"{c}.txt" for c in "abcdef"]
    spawn = multiprocessing.get_context("spawn")
    publish(tmp_path, [document(name, "初版") for name in names])
    stop, counted = spawn.Event(), spawn.Value("i", 0)
    reader = spawn.Process(target=read_on, args=(tmp_path, stop, counted))
    reader.start()
    try:
        round_ = 0
        while round_ < publishes or counted.value < reads:
            sign = chr(ord("一") + round_)
            publish(tmp_path, [document(name, f"{sign}版") for name in names])
            round_ += 1
            assert reader.is_alive()
    finally:
        stop.set()
        reader.join(30)
    assert reader.exitcode == 0


OLD = [document(f"{c}.txt") for c in "abcd"]
NEW = [document("b.txt", "河水退了。"), document("e.txt")]
AFTER = [OLD[0], NEW[0], *OLD[2:], NEW[1]]
OPERATIONS = ("open", "write", "fsync", "link", "rename", "replace", "mkdir", "unlink", "symlink", "rmdir")


def publish_with_fault(processed: Path, nth: int, fault: str, said: Connection) -> None:
    """Publish `NEW` in a process of its own; at the `nth` file operation be killed, or have it fail with errno `fault`.

    Says how many operations there were, and what went wrong.
    """
    count = 0

    def faulty(operation: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == nth and fault == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            full = fault == "ENOSPC" and 0 < nth < count and operation.__name__ == "write"  # a full disk stays full
            if count == nth or full:
                number = getattr(errno, fault)
                raise OSError(number, os.strerror(number), "injected")
            return operation(*arguments, **options)

        return run

    error = ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release, "SEGMENT_SOURCES", 2)
        for name in OPERATIONS:
            patch.setattr(os, name, faulty(getattr(os, name)))
        try:
            publish(processed, NEW)
        except StorageError as failure:
            error = str(failure)
    said.send((count, error))


def run_with_fault(processed: Path, nth: int, fault: str) -> tuple[int, str] | None:
    """Return what `publish_with_fault` said, None if it was killed."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload([__name__])
    hears, says = forks.Pipe(duplex=False)
    process = forks.Process(target=publish_with_fault, args=(processed, nth, fault, says))
    process.start()
    says.close()
    try:
        said: tuple[int, str] | None = hears.recv()
    except EOFError:
        said = None
    process.join(60)
    assert process.exitcode == (-signal.SIGKILL if fault == "kill" else 0)
    return said


def old_release(processed: Path) -> Release:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release, "SEGMENT_SOURCES", 2)
        return publish(processed, OLD)


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many file operations a publish takes that meets no fault."""
    processed = tmp_path_factory.mktemp("processed")
    old_release(processed)
    said = run_with_fault(processed, 0, "none")
    assert said is not None
    assert_holds(open_release(processed), AFTER)
    return said[0]


def check_fault(processed: Path, nth: int, fault: str) -> bool:
    """Check that readers see the old release or the new, whole, and that the next run ends as if nothing had been.

    Returns whether it was published all the same.
    """
    old = old_release(processed)
    said = run_with_fault(processed, nth, fault)
    seen = open_release(processed)
    if said is not None:
        assert bool(said[1]) == (seen == old)
        if seen == old:
            assert f"{os.strerror(getattr(errno, fault))}. The published release is untouched." in said[1]
    assert_holds(seen, OLD if seen == old else AFTER)
    assert_holds(publish(processed, NEW), AFTER)
    left = [*processed.iterdir(), *(processed / "releases").glob(".*")]
    assert {path.name for path in left} == {"current", "releases", ".lock"}
    return seen != old


#: Where the fault strikes: a share of the operations, or (below 0) so many before the last, where it matters most.
MOMENTS = (0.0, 0.15, 0.3, 0.5, 0.7, 0.85, -8, -7, -6, -5, -4, -3, -2, -1)


def at(moment: float, operations: int) -> int:
    return operations + 1 + int(moment) if moment < 0 else 1 + int(moment * operations)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_while_publishing_leaves_a_whole_release(tmp_path: Path, operations: int, moment: float) -> None:
    check_fault(tmp_path, at(moment, operations), "kill")


@pytest.mark.parametrize(
    ("fault", "moment"), [("ENOSPC", 0.3), ("ENOSPC", 0.8), ("EIO", 0.5), ("EIO", -4), ("EACCES", 0.1)]
)
def test_a_failing_disk_is_named_and_leaves_the_old_release(
    tmp_path: Path, operations: int, fault: str, moment: float
) -> None:
    assert not check_fault(tmp_path, at(moment, operations), fault)


PARTS = 8  # of the operations, interleaved: so that CI can run a sample


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("fault", ["kill", "ENOSPC", "EIO", "EACCES"])
def test_a_fault_at_every_operation_leaves_a_whole_release(
    tmp_path: Path, operations: int, fault: str, part: int
) -> None:
    every = range(1 + part, operations + 1, PARTS)
    published = {nth: check_fault(tmp_path / str(nth), nth, fault) for nth in every}
    assert not published[1 + part + PARTS]  # not the very first: it makes a folder that is there, and may fail
    assert published.get(operations, True)
