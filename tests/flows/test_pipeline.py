"""The main job without Prefect: what is read, published, rejected and refused, from run to run."""

import errno
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.history import past
from flows import pipeline, read
from flows.job import plan
from flows.metrics import OF_A_DOCUMENT
from flows.settings import Settings, WrongSettings, load
from tasks import release, spool
from tasks.spool import Unsettled, open_regular, take


def rows(settings: Settings, table: str, *columns: str) -> list[tuple[object, ...]]:
    found = release.open_release(settings.processed).table(table, list(columns)).to_pylist()
    return sorted(tuple(row[column] for column in columns) for row in found)


def statuses(settings: Settings) -> dict[str, str]:
    return {str(source): str(status) for source, status in rows(settings, "sources", "source", "status")}


def raw(name: str, text: str) -> None:
    Path("raw", name).write_text(text, encoding="utf-8")


def test_what_can_be_read_is_published_and_the_rest_rejected_with_a_reason(settings: Settings) -> None:
    raw("crash.txt", "崩溃\n!crash\n")
    raw("future.txt", "明天的新闻\n!future 明天的事情今天就写好了。\n")
    raw("unreadable.txt", "!unreadable\n")
    outcome = pipeline.run(settings)
    assert outcome.status == "published"
    assert outcome.read == {"sources": 6, "articles": 3, "paragraphs": 9, "rejects": 3}
    assert statuses(settings) == {
        "a.txt": "published",
        "b.txt": "published",
        "c.txt": "published",
        "crash.txt": "rejected",
        "future.txt": "rejected",
        "unreadable.txt": "rejected",
    }
    assert rows(settings, "rejects", "source", "stage", "check") == [
        ("crash.txt", "read", "crashed"),
        ("future.txt", "check", "date_possible"),
        ("unreadable.txt", "read", "not_text"),
    ]
    assert [cause[:3] for cause in outcome.causes] == [
        ("read", "crashed", 1),
        ("check", "date_possible", 1),
        ("read", "not_text", 1),
    ]


def test_a_release_tells_what_made_it_and_what_the_checks_said(settings: Settings) -> None:
    pipeline.run(settings)
    current = release.open_release(settings.processed)
    assert current.manifest["fingerprint"] == plan(settings).fingerprint.parts
    assert current.manifest["checks"]["refusals"] == []
    assert current.manifest["metrics"]["planned"]["new"] == 3
    said = json.loads((current.path / "checks.json").read_text(encoding="utf-8"))
    assert said[0]["articles"]["success"] is True


def parts(settings: Settings) -> dict[Path, int]:
    """The part files of the current release with their sizes."""
    here = release.open_release(settings.processed).path
    return {path.relative_to(here): path.stat().st_size for path in here.rglob("*.parquet")}


@pytest.mark.usefixtures("unchecked")
def test_a_release_tells_what_the_run_cost(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "WORK", "flows.batch:work")
    outcome = pipeline.run(settings)
    figures = release.open_release(settings.processed).manifest["metrics"]
    size = sum(path.stat().st_size for path in Path("raw").iterdir())
    assert (figures["documents"], figures["weight"], figures["bytes"]["read"]) == (3, size, size)
    first = parts(settings)
    assert figures["bytes"]["written"] == sum(first.values())
    assert set(figures["stages"]) == {"plan", "reading", "stage", "check", "publish", *OF_A_DOCUMENT}
    assert all(stage["documents"] == 3 for stage in figures["stages"].values())
    assert all(figures["stages"][stage]["seconds"] > 0 for stage in ("reading", "stage", "read", "segment"))
    assert min(figures["peak_memory"].values()) > 1 << 20
    assert outcome.metrics["stages"].keys() == figures["stages"].keys()

    raw("d.txt", "新书出版\n一部关于古桥的新书昨天出版。\n")
    again = pipeline.run(settings)
    assert (again.metrics["documents"], again.metrics["bytes"]["read"]) == (1, Path("raw/d.txt").stat().st_size)
    assert again.metrics["bytes"]["written"] == sum(size for path, size in parts(settings).items() if path not in first)


@pytest.mark.usefixtures("unchecked")
def test_a_run_with_nothing_new_reads_and_publishes_nothing(settings: Settings, no_reading: Callable[[], None]) -> None:
    first = pipeline.run(settings)
    no_reading()
    again = pipeline.run(settings)
    assert (again.status, again.release) == ("nothing new", first.release)
    assert len(release.releases(settings.processed)) == 1


@pytest.mark.usefixtures("unchecked")
def test_only_what_is_new_or_changed_is_read_and_what_is_gone_leaves(settings: Settings) -> None:
    pipeline.run(settings)
    raw("a.txt", "河边的夏天\n夏天来了，河水涨了不少。\n")
    raw("d.txt", "新书出版\n一部关于古桥的新书昨天出版。\n")
    Path("raw/b.txt").unlink()
    planned = plan(settings).counts
    assert {sort: number for sort, number in planned.items() if number} == {
        "new": 1,
        "changed": 1,
        "gone": 1,
        "unchanged": 1,
    }
    assert pipeline.run(settings).read["sources"] == 2
    assert rows(settings, "articles", "source", "title") == [
        ("a.txt", "河边的夏天"),
        ("c.txt", "A bridge reopens"),
        ("d.txt", "新书出版"),
    ]


@pytest.mark.usefixtures("unchecked")
def test_other_settings_of_reading_redo_everything(settings: Settings) -> None:
    pipeline.run(settings)
    assert plan(settings).is_empty
    other = load(encoding="gb18030")
    assert plan(other).counts["redo"] == 3
    assert "settings" in plan(other).plan.redo[0].reason


@pytest.mark.usefixtures("unchecked")
def test_full_redoes_everything(settings: Settings) -> None:
    first = pipeline.run(settings)
    again = pipeline.run(settings, full=True)
    assert again.read["sources"] == 3
    assert again.release != first.release


def test_an_article_of_the_future_is_tried_again_when_its_day_has_come(settings: Settings) -> None:
    raw("future.txt", "明天的新闻\n!future 明天的事情今天就写好了，登在报上。\n")
    days = [datetime(*day, 12, tzinfo=UTC) for day in ((2998, 12, 29), (2998, 12, 30), (2999, 1, 2), (2999, 1, 3))]
    outcomes = [pipeline.run(settings, now=day) for day in days]
    assert [outcome.status for outcome in outcomes] == ["published", "nothing new", "published", "nothing new"]
    assert [len(outcome.rejects) for outcome in outcomes] == [1, 0, 0, 0]
    assert statuses(settings)["future.txt"] == "published"


def test_other_bounds_judge_again_without_reading(settings: Settings, no_reading: Callable[[], None]) -> None:
    pipeline.run(settings)
    no_reading()
    Path("wenliu.toml").write_text("[expectations]\narticle_chars_min = 60\n")
    stricter = load()
    assert plan(stricter).plan.is_empty
    outcome = pipeline.run(stricter)
    assert outcome.status == "published"
    assert [finding["check"] for finding in outcome.warnings] == ["article_length"]


def test_other_bounds_give_what_was_rejected_another_try(settings: Settings) -> None:
    raw("future.txt", "明天的新闻\n!future 明天的事情今天就写好了。\n")
    pipeline.run(settings)
    Path("wenliu.toml").write_text("[expectations]\narticle_chars_min = 60\n")
    assert [change.source for change in plan(load()).plan.redo] == ["future.txt"]


@pytest.fixture
def forty(settings: Settings) -> Settings:
    """Enough articles for a loss to count."""
    for number in range(40):
        raw(f"n{number}.txt", f"第{number}号通知\n今天的会议改在下午三点举行，请大家准时参加。\n")
    pipeline.run(settings)
    return settings


def test_a_folder_that_lost_everything_is_refused(forty: Settings) -> None:
    before = release.open_release(forty.processed)
    for path in Path("raw").iterdir():
        path.unlink()
    outcome = pipeline.run(forty)
    assert outcome.status == "refused"
    assert {finding["check"] for finding in outcome.refusals} == {"rows_present", "not_shrunk"}
    assert release.open_release(forty.processed).id == before.id


def test_a_release_that_lost_most_articles_is_refused(forty: Settings) -> None:
    before = release.open_release(forty.processed)
    for number in range(40):
        Path(f"raw/n{number}.txt").unlink()
    raw("new.txt", "新书出版\n一部关于古桥的新书昨天出版。\n")
    outcome = pipeline.run(forty)
    assert (outcome.status, outcome.release) == ("refused", None)
    assert [finding["check"] for finding in outcome.refusals] == ["not_shrunk"]
    assert release.open_release(forty.processed).id == before.id
    verdict = json.loads((outcome.path / "verdict.json").read_text(encoding="utf-8"))  # type: ignore[operator]
    assert verdict["refusals"][0]["check"] == "not_shrunk"


def test_after_a_refusal_nothing_is_read_again(forty: Settings, no_reading: Callable[[], None]) -> None:
    for number in range(40):
        Path(f"raw/n{number}.txt").rename(f"n{number}.txt")
    raw("new.txt", "新书出版\n一部关于古桥的新书昨天出版。\n")
    assert pipeline.run(forty).status == "refused"
    for number in range(40):
        Path(f"n{number}.txt").rename(f"raw/n{number}.txt")
    no_reading()
    outcome = pipeline.run(forty)
    assert (outcome.status, outcome.read["sources"], outcome.rows["articles"]) == ("published", 1, 44)


@pytest.mark.usefixtures("unchecked")
def test_a_run_that_died_is_taken_up_where_it_stood(
    settings: Settings, no_reading: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(pipeline, "stage", lambda *_: (_ for _ in ()).throw(MemoryError))
        with pytest.raises(MemoryError):
            pipeline.run(settings)
    Path(settings.processed, ".work/spool-dead").mkdir()
    no_reading()
    assert pipeline.run(settings).rows["articles"] == 3
    left = {path.name for path in Path(settings.processed, ".work").iterdir()}
    assert left.isdisjoint({"documents", "spool-dead"})


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def change_a_letter(path: Path) -> None:
    """Spoil what a decoder cannot notice."""
    data = path.read_bytes()
    place = data.index("图书馆".encode())
    path.write_bytes(data[:place] + "国".encode() + data[place + 3 :])


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("damage", [cut_short, change_a_letter])
def test_a_damaged_batch_is_read_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None]
) -> None:
    for name in ("a.txt", "c.txt"):
        Path("raw", name).unlink()
    with monkeypatch.context() as dying:
        dying.setattr(pipeline, "stage", lambda *_: (_ for _ in ()).throw(MemoryError))
        with pytest.raises(MemoryError):
            pipeline.run(settings)
    for path in Path(settings.processed, ".work/documents").rglob("*.arrow"):
        damage(path)
    assert pipeline.run(settings).rows["articles"] == 1
    assert rows(settings, "articles", "title") == [("图书馆延长开放",)]


@pytest.mark.usefixtures("unchecked")
def test_a_file_that_changes_while_it_is_read_waits_for_the_next_run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def growing(root: Path, source: str, spool: Path, most_bytes: int) -> object:
        if source == "a.txt":
            raise Unsettled("it grows")
        return take(root, source, spool, most_bytes)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(read, "take", growing)
        assert pipeline.run(settings).status == "published"
    assert sorted(statuses(settings)) == ["b.txt", "c.txt"]
    assert pipeline.run(settings).read["sources"] == 1
    assert sorted(statuses(settings)) == ["a.txt", "b.txt", "c.txt"]


def test_a_file_that_cannot_be_opened_is_rejected_and_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(root: Path, source: str) -> int:
        if source == "a.txt":
            raise PermissionError(errno.EACCES, "Permission denied", source)
        return open_regular(root, source)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(spool, "open_regular", closed)
        pipeline.run(settings)
    assert rows(settings, "rejects", "source", "check", "message") == [
        ("a.txt", "cannot_be_opened", "a.txt: the file cannot be read: Permission denied.")
    ]
    assert pipeline.run(settings).read["sources"] == 1
    assert rows(settings, "rejects", "source") == []


def test_a_file_that_would_fill_the_disk_is_rejected_unopened(settings: Settings) -> None:
    with Path("raw/sparse.txt").open("wb") as file:
        file.truncate(1 << 40)
    pipeline.run(settings)
    assert rows(settings, "rejects", "source", "check") == [("sparse.txt", "too_large")]
    assert pipeline.run(settings).status == "nothing new"
    raw("sparse.txt", "图书馆延长开放\n图书馆从今天起延长开放时间。\n")
    assert pipeline.run(settings).read["sources"] == 1
    assert statuses(settings)["sparse.txt"] == "published"


@pytest.mark.usefixtures("unchecked")
def test_a_poisonous_file_is_tried_again_only_when_it_changed(settings: Settings) -> None:
    raw("crash.txt", "崩溃\n!crash\n")
    pipeline.run(settings)
    assert pipeline.run(settings).status == "nothing new"
    raw("crash.txt", "崩溃\n没有的事。\n")
    assert pipeline.run(settings).read["sources"] == 1
    assert statuses(settings)["crash.txt"] == "published"


def test_a_full_disk_is_no_fault_of_a_document(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(read, "take", full)
    with pytest.raises(release.StorageError, match=r"processed: No space left.* Free some space"):
        pipeline.run(settings)
    with pytest.raises(release.NoRelease):
        release.open_release(settings.processed)


@pytest.mark.usefixtures("unchecked")
def test_old_releases_go(project: Path) -> None:
    Path("wenliu.toml").write_text("[retention]\nreleases = 1\nhours = 0\n")
    settings = load()
    pipeline.run(settings)
    last = pipeline.run(settings, full=True).release
    assert [found.id for found in release.releases(settings.processed)] == [last]


def test_no_articles_are_nothing_new(settings: Settings) -> None:
    for path in Path("raw").iterdir():
        path.unlink()
    outcome = pipeline.run(settings)
    assert (outcome.status, outcome.release) == ("nothing new", None)


def test_a_wrong_dictionary_is_refused_with_its_line(project: Path) -> None:
    Path("words.txt").write_text("文流 10 n\n文 流 很 多\n", encoding="utf-8")
    with pytest.raises(WrongSettings, match=r"words\.txt, line 2"):
        pipeline.run(load(dictionary="words.txt"))


MORNING = datetime(2024, 5, 1, 6, tzinfo=UTC)


@pytest.mark.usefixtures("unchecked")
def test_a_folder_of_which_nothing_comes_any_more_is_told_though_nothing_is_new(settings: Settings) -> None:
    patient = load(workers=2, expectations={"history_runs": 1})
    pipeline.run(patient, now=MORNING)
    assert pipeline.run(settings, now=MORNING + timedelta(days=9)).warnings == []
    pipeline.run(patient, now=MORNING)
    assert pipeline.run(patient, now=MORNING + timedelta(days=7)).warnings == []
    late = pipeline.run(patient, now=MORNING + timedelta(days=9))
    assert (late.status, [finding["check"] for finding in late.warnings]) == ("nothing new", ["newest_in_time"])


def test_what_a_moved_bound_withdraws_is_told_though_no_source_is_read(settings: Settings) -> None:
    pipeline.run(settings)
    strict = load(workers=2, expectations={"article_chars_min": 45}, grades={"article_length": "error"})
    outcome = pipeline.run(strict)
    assert (outcome.status, outcome.read["sources"]) == ("published", 0)
    withdrawn = [row["source"] for row in outcome.rejects if row["check"] == "article_length"]
    assert (withdrawn, outcome.read["rejects"], outcome.rows["articles"]) == (["b.txt"], 1, 2)
    assert pipeline.run(strict).status == "nothing new"


def test_a_day_unlike_the_others_is_published_with_a_warning(project: Path) -> None:
    impatient = load(workers=2, expectations={"history_runs": 2, "history_articles": 2, "volume_spreads": 2})
    bridge = "河上有一座桥\n桥边的老人每天早晨都在那里钓鱼，从不空手回家。\n"
    for number in range(2):
        raw(f"x{number}.txt", bridge)
        raw(f"y{number}.txt", bridge)
        assert pipeline.run(impatient, now=MORNING + timedelta(days=number)).warnings == []
    for number in range(20):
        raw(f"w{number}.txt", bridge)
    outcome = pipeline.run(impatient, now=MORNING + timedelta(days=2))
    assert (outcome.status, [finding["check"] for finding in outcome.warnings]) == ("published", ["volume_usual"])
    remembered = past(release.open_release(impatient.processed).manifest["metrics"])
    assert [profile.new for profile in remembered] == [5, 2, 20]
    assert remembered[-1].checks == {"volume_usual": 2}


@pytest.mark.usefixtures("unchecked")
def test_a_release_of_an_earlier_schema_is_done_again(settings: Settings) -> None:
    pipeline.run(settings)
    current = release.open_release(settings.processed)
    for table in ("sources", "articles"):
        for part in current.paths(table):
            older = pq.read_table(part).drop_columns("n_chars")
            if table == "sources":
                at = older.schema.get_field_index("fingerprint")
                older = older.set_column(at, "fingerprint", pa.array(["earlier"] * len(older)))
            part.unlink()
            pq.write_table(older, part)
    manifest = dict(current.manifest) | {"schema_version": 0}
    manifest["fingerprint"] = manifest["fingerprint"] | {"schema": "0"}
    (current.path / "release.json").write_text(json.dumps(manifest), encoding="utf-8")
    outcome = pipeline.run(settings)
    assert (outcome.status, outcome.planned["redo"]) == ("published", 3)
    assert len(release.open_release(settings.processed).table("articles")) == 3
