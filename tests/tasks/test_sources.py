from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import sources
from tasks.dataset import SCHEMAS
from tasks.document import Source
from tasks.sources import Change, Fingerprint, Listing, NoRaw, discover, escape_name, fingerprint, plan, unescape_name

NOW = Fingerprint({"code": "1", "rules": "1", "dictionary": ""})


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def fill(raw: Path, *names: str) -> None:
    for name in names:
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_text(name, encoding="utf-8")


@given(st.binary(min_size=1).filter(lambda b: b"\0" not in b and b"/" not in b))
def test_an_escaped_name_is_plain_and_leads_back_to_the_file(name: bytes) -> None:
    escaped = escape_name(name)
    assert os.fsencode(unescape_name(escaped)) == name
    assert escaped.isprintable() or not name.decode("utf-8", "replace").isprintable()
    escaped.encode()


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        (b"red\x1b[31m.txt", "red%1B[31m.txt"),
        ("\u202efdp.txt".encode(), "%E2%80%AEfdp.txt"),
        (b"per%2e%2e.txt", "per%252e%252e.txt"),
        ("晨报 1.txt".encode(), "晨报 1.txt"),
    ],
)
def test_odd_names_are_escaped(name: bytes, escaped: str) -> None:
    assert escape_name(name) == escaped


def test_regular_files_are_listed_by_name(tmp_path: Path) -> None:
    fill(tmp_path, "b.txt", "a/2.pdf", "a/1.txt", "深/水.txt")
    listing = discover(tmp_path)
    assert [s.source for s in listing.sources] == ["a/1.txt", "a/2.pdf", "b.txt", "深/水.txt"]
    first = listing.sources[0]
    assert first == Source("a/1.txt", str(tmp_path / "a" / "1.txt"), 7, sha256("a/1.txt"))


def test_what_is_no_source_is_named_with_its_reason(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt", ".hidden", ".git/config", "README.md", "deep/README.md", "new.txt.part", "deep/Thumbs.db")
    (tmp_path / "link.txt").symlink_to("a.txt")
    (tmp_path / "loop").symlink_to("..")
    os.mkfifo(tmp_path / "pipe.txt")
    listing = discover(tmp_path)
    assert [s.source for s in listing.sources] == ["a.txt", "deep/README.md"]
    assert listing.ignored == {
        ".hidden": "hidden",
        "README.md": "ignored by the pattern README.md",
        "new.txt.part": "ignored by the pattern *.part",
        "deep/Thumbs.db": "ignored by the pattern */Thumbs.db",
        "link.txt": "a link; put the file itself here",
        "loop": "a link; put the file itself here",
        "pipe.txt": "no regular file",
    }


@pytest.mark.parametrize("make", [Path.absolute, lambda raw: raw.write_text("a file"), lambda raw: raw.symlink_to("x")])
def test_raw_that_is_no_folder_is_told(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "raw")
    with pytest.raises(NoRaw, match="--raw"):
        discover(tmp_path / "raw")


def test_a_file_that_cannot_be_opened_is_still_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.txt", "b.txt")
    monkeypatch.setattr(sources, "_hash", failing_on("a.txt", sources._hash))
    assert [(s.source, s.sha256) for s in discover(tmp_path).sources] == [("a.txt", ""), ("b.txt", sha256("b.txt"))]


def failing_on(name: str, hash_: Callable[[str], object]) -> Callable[[str], object]:
    def hash_or_fail(path: str) -> object:
        if path.endswith(name):
            raise PermissionError(13, "Permission denied", path)
        return hash_(path)

    return hash_or_fail


def test_a_file_that_grows_while_it_is_read_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.txt")

    def hash_while_growing(path: str) -> tuple[str, os.stat_result]:
        with Path(path).open("a") as file:
            file.write("more")
        return "0" * 64, Path(path).stat()

    monkeypatch.setattr(sources, "_hash", hash_while_growing)
    listing = discover(tmp_path)
    assert not listing.sources
    assert list(listing.waiting) == ["a.txt"]


def test_a_file_that_is_half_copied_waits_and_one_that_is_deleted_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "whole.txt", "half.txt", "fleeting.txt")

    def meanwhile(_: float) -> None:
        (tmp_path / "half.txt").write_text("the other half", encoding="utf-8")
        (tmp_path / "fleeting.txt").unlink()

    monkeypatch.setattr(time, "sleep", meanwhile)
    listing = discover(tmp_path)
    assert [source.source for source in listing.sources] == ["whole.txt"]
    assert list(listing.waiting) == ["half.txt"]


def test_a_file_that_turns_into_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        sources._hash(str(tmp_path / "pipe"))


def test_remembered_hashes_are_those_of_the_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw, cache = tmp_path / "raw", tmp_path / ".work" / "hashes.json"
    fill(raw, "a.txt", "b.txt")
    monkeypatch.setattr(sources, "_RACY", -1.0)  # a test cannot wait for its files to grow old
    first = discover(raw, cache=cache)
    monkeypatch.setattr(sources, "_hash", failing_on("", sources._hash))
    assert discover(raw, cache=cache) == first
    monkeypatch.undo()
    (raw / "a.txt").write_text("A.TXT")
    assert discover(raw, cache=cache).sources[0].sha256 == sha256("A.TXT")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a.txt": 1}', '{"a.txt": [1, 2]}', "\0"])
def test_a_spoiled_cache_is_no_harm(tmp_path: Path, content: str) -> None:
    fill(tmp_path / "raw", "a.txt")
    (tmp_path / "hashes.json").write_text(content)
    listing = discover(tmp_path / "raw", cache=tmp_path / "hashes.json")
    assert listing.sources[0].sha256 == sha256("a.txt")


def test_a_file_just_written_is_not_remembered(tmp_path: Path) -> None:
    fill(tmp_path / "raw", "a.txt")
    discover(tmp_path / "raw", cache=tmp_path / "hashes.json")
    assert not sources._load(tmp_path / "hashes.json")


def test_nothing_is_gone_while_a_folder_is_out_of_sight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.txt", "deep/b.txt", "deep/c.txt")
    parent = published(discover(tmp_path))
    scandir = os.scandir

    def scan(path: str) -> object:
        if path.endswith("deep"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    listing = discover(tmp_path)
    assert listing.unlisted == {"deep": "Permission denied"}
    made = plan(listing, NOW, parent, NOW.parts)
    assert made.is_empty
    assert [c.source for c in made.kept] == ["deep/b.txt", "deep/c.txt"]


def test_raw_that_cannot_be_listed_is_no_empty_raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scan(path: str) -> object:
        raise FileNotFoundError(2, "No such file or directory", path)

    monkeypatch.setattr(os, "scandir", scan)
    with pytest.raises(NoRaw, match="No such file"):
        discover(tmp_path)


def published(listing: Listing, fingerprint: Fingerprint = NOW, **statuses: str) -> pa.Table:
    rows = [
        {
            "source": s.source,
            "sha256": s.sha256,
            "bytes": s.bytes,
            "status": statuses.get(s.source, "published"),
            "fingerprint": fingerprint.value,
            "n_chars": 1,
            "left_out": [],
        }
        for s in listing.sources
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMAS["sources"])


def found(*names: str) -> Listing:
    return Listing(tuple(Source(n, n, 1, sha256(n)) for n in names))


def names(changes: tuple[Change, ...]) -> list[str]:
    return [change.source for change in changes]


def test_all_is_new_at_first() -> None:
    made = plan(found("a", "b"), NOW)
    assert names(made.new) == ["a", "b"]
    assert [s.source for s in made.todo] == ["a", "b"]
    assert not made.is_empty


def test_what_ocr_there_is_matters_to_scans_alone() -> None:
    without, with_ocr = (fingerprint({}, ocr=ocr) for ocr in (False, True))
    assert without.value == with_ocr.value
    parent = published(found("a.pdf", "scan.pdf"), without).to_pylist()
    parent[1]["fingerprint"] = without.of({}, ["ocr"])
    made = plan(found("a.pdf", "scan.pdf"), with_ocr, pa.Table.from_pylist(parent), without.parts)
    assert made.redo == (Change("scan.pdf", "changed since it was read: ocr"),)
    assert names(made.unchanged) == ["a.pdf"]
    assert plan(found("a.pdf", "scan.pdf"), without, pa.Table.from_pylist(parent), without.parts).is_empty


def test_what_reads_pages_matters_to_pages_alone() -> None:
    before = Fingerprint({"code": "1", "text-reader": "2", "page-reader": "3"})
    listing = found("a.txt", "b.pdf", "damaged.pdf")
    kinds = (["text-reader"], ["page-reader"], ["text-reader", "page-reader"])  # what is damaged could be either
    rows = [
        row | {"fingerprint": before.of({}, own)}
        for row, own in zip(published(listing).to_pylist(), kinds, strict=True)
    ]
    parent = pa.Table.from_pylist(rows)
    for part, redone in (("text-reader", ["a.txt", "damaged.pdf"]), ("page-reader", ["b.pdf", "damaged.pdf"])):
        after = Fingerprint({**before.parts, part: "9"})
        made = plan(listing, after, parent, before.parts)
        assert made.redo == tuple(Change(name, f"changed since it was read: {part}") for name in redone)
    after = Fingerprint({**before.parts, "code": "9"})
    assert names(plan(listing, after, parent, before.parts).redo) == ["a.txt", "b.pdf", "damaged.pdf"]


def test_every_data_file_that_makes_rows_is_part_of_the_fingerprint() -> None:
    here = Path(sources.__file__).parent
    told = {here / name for name in (*sources._OF_TEXTS, *sources._OF_PAGES)}
    assert set(here.rglob("*.gz")) <= told
    assert all(path.is_file() for path in told)


def test_every_source_has_one_place_in_the_plan() -> None:
    parent = published(found("changed", "gone", "same", "waits"))
    listing = replace(found("changed", "new", "same"), waiting={"waits": "changes", "comes": "changes"})
    listing = replace(listing, sources=(replace(listing.sources[0], sha256="other"), *listing.sources[1:]))
    made = plan(listing, NOW, parent, NOW.parts)
    assert names(made.new) == ["new"]
    assert names(made.changed) == ["changed"]
    assert names(made.gone) == ["gone"]
    assert names(made.unchanged) == ["same"]
    assert names(made.kept) == ["waits"]
    assert names(made.waiting) == ["comes"]
    assert [s.source for s in made.todo] == ["changed", "new"]


def test_nothing_new_is_an_empty_plan() -> None:
    assert plan(found("a"), NOW, published(found("a")), NOW.parts).is_empty


def test_what_another_fingerprint_read_is_redone_and_the_reason_names_the_part() -> None:
    before = Fingerprint({"code": "1", "rules": "0", "dictionary": "x"})
    made = plan(found("a"), NOW, published(found("a"), before), before.parts)
    assert made.redo == (Change("a", "changed since it was read: rules, dictionary"),)


@pytest.mark.parametrize(
    ("options", "redone"),
    [
        ({}, []),
        ({"retry_rejected": True}, ["bad", "half"]),
        ({"due": {"half"}}, ["half"]),
        ({"full": True}, ["bad", "good", "half"]),
    ],
)
def test_rejected_sources_are_not_tried_for_ever(options: dict[str, Any], redone: list[str]) -> None:
    parent = published(found("bad", "good", "half"), bad="rejected", half="partly")
    assert names(plan(found("bad", "good", "half"), NOW, parent, NOW.parts, **options).redo) == redone


def test_a_published_source_that_cannot_be_opened_is_kept() -> None:
    shut = Listing((Source("a", "a", 1, ""),))
    assert names(plan(shut, NOW, published(found("a")), NOW.parts).kept) == ["a"]
    assert names(plan(shut, NOW).new) == ["a"]
    assert plan(shut, NOW, published(shut, a="rejected"), NOW.parts).is_empty


@pytest.mark.parametrize(
    ("code", "same"),
    [
        ("def f():\n    return 1\n", True),
        ('"""Say."""\n\n\ndef f():  # why\n    """Say more."""\n    return 1\n', True),
        ("def f():\n    return 2\n", False),
        ('def f():\n    "x"\n    return "x" + 1\n', False),
    ],
)
def test_comments_are_no_reason_to_read_all_again(tmp_path: Path, code: str, same: bool) -> None:
    (tmp_path / "a.py").write_text("def f():\n    return 1\n")
    before = sources.hash_files([tmp_path / "a.py"])
    (tmp_path / "a.py").write_text(code)
    assert (sources.hash_files([tmp_path / "a.py"]) == before) is same


def test_the_fingerprint_tells_settings_and_dictionary_apart(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("夜航船 10 n\n", encoding="utf-8")
    plain = sources.fingerprint({})
    assert tuple(plain.parts) == sources.PARTS
    assert sources.fingerprint({}) == plain
    assert sources.fingerprint({"encoding": "big5"}).changed(plain.parts) == ["settings"]
    assert sources.fingerprint({}, words).changed(plain.parts) == ["dictionary"]
    assert sources.fingerprint({}, words).value != plain.value
