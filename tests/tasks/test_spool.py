"""What may lie under raw/ besides honest files that nobody touches."""

import hashlib
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks import spool
from tasks.document import Unreadable
from tasks.spool import (
    Unsettled,
    check_pages,
    check_promise,
    check_whole,
    open_regular,
    page_count,
    read_head,
    sniff,
    take,
    unsettled,
)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    (tmp_path / "raw" / "inner").mkdir(parents=True)
    (tmp_path / "spool").mkdir()
    (tmp_path / "outside.txt").write_text("不该读到", encoding="utf-8")
    return tmp_path / "raw"


def link_out(place: Path) -> None:
    place.symlink_to(place.parent / ".." / "outside.txt")


def link_to_itself(place: Path) -> None:
    place.symlink_to(place.name)


def dangling(place: Path) -> None:
    place.symlink_to("nowhere")


def device_link(place: Path) -> None:
    place.symlink_to("/dev/zero")


def fifo(place: Path) -> None:
    os.mkfifo(place)


def unix_socket(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place))


def directory(place: Path) -> None:
    place.mkdir()


@pytest.mark.parametrize("make", [link_out, link_to_itself, dangling, device_link, fifo, unix_socket, directory])
def test_only_regular_files_are_opened_and_nothing_waits(raw: Path, make: Callable[[Path], None]) -> None:
    make(raw / "a.txt")
    with pytest.raises(Unreadable) as caught:
        open_regular(raw, "a.txt")
    assert caught.value.reject.check == "not_a_regular_file"
    assert "a.txt" in caught.value.reject.message
    assert read_head(raw / "a.txt") == b""


@pytest.mark.parametrize("source", ["linked/a.txt", "../outside.txt", "inner/../../outside.txt"])
def test_no_part_of_the_path_leads_out(raw: Path, source: str) -> None:
    (raw / "inner" / "a.txt").touch()
    (raw / "linked").symlink_to("inner")
    with pytest.raises(Unreadable, match="no regular file"):
        open_regular(raw, source)


def test_a_file_that_has_gone_is_no_unreadable_one(raw: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_regular(raw, "gone.txt")


def test_of_a_file_larger_than_a_reader_may_hold_nothing_is_copied(raw: Path) -> None:
    with (raw / "sparse.txt").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(Unreadable, match="1,099,511,627,776 bytes") as refused:
        take(raw, "sparse.txt", raw.parent / "spool", 1 << 30)
    assert refused.value.reject.check == "too_large"
    assert not list((raw.parent / "spool").iterdir())


@pytest.mark.parametrize("size", [0, 1, spool.CHUNK_BYTES, 2 * spool.CHUNK_BYTES + 5])
def test_the_copy_is_whole_and_its_hash_its_own(raw: Path, size: int) -> None:
    data = bytes(n % 251 for n in range(size))
    (raw / "inner" / "a.txt").write_bytes(data)
    taken = take(raw, "inner/a.txt", raw.parent / "spool", size)
    assert (taken.bytes, taken.sha256) == (size, hashlib.sha256(data).hexdigest())
    assert Path(taken.path).read_bytes() == data
    assert [entry.name for entry in (raw.parent / "spool").iterdir()] == [taken.sha256]


def grow(file: Path) -> None:
    with file.open("ab") as more:
        more.write(b"more")


def shrink(file: Path) -> None:
    os.truncate(file, 3)


def rewrite_with_the_time_put_back(file: Path) -> None:
    before = file.stat()
    file.write_bytes(b"x" * before.st_size)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [grow, shrink, rewrite_with_the_time_put_back])
def test_what_changes_while_it_is_copied_is_left_for_the_next_run(
    raw: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    file = raw / "a.txt"
    file.write_bytes(b"a" * 100)

    class Meddler:
        """A hash that changes the file at the first of its bytes."""

        def __init__(self) -> None:
            self.digest = hashlib.new("sha256")
            self.hexdigest = self.digest.hexdigest
            self.done = False

        def update(self, data: bytes) -> None:
            self.digest.update(data)
            if not self.done:
                change(file)
            self.done = True

    monkeypatch.setattr(spool, "CHUNK_BYTES", 10)
    monkeypatch.setattr(hashlib, "sha256", Meddler)
    with pytest.raises(Unsettled, match=r"a\.txt"):
        take(raw, "a.txt", raw.parent / "spool", 1 << 20)
    assert not list((raw.parent / "spool").iterdir())


def test_a_file_that_goes_on_growing_is_unsettled_and_an_old_one_costs_no_wait(
    raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("old", "to come", "still", "growing", "vanishing"):
        (raw / name).write_bytes(b"x")
    os.utime(raw / "old", (0, 0))
    os.utime(raw / "to come", (time.time() + 1e6,) * 2)
    found: dict[str, os.stat_result] = {entry.name: entry.lstat() for entry in raw.iterdir() if entry.is_file()}
    waits: list[float] = []

    def meanwhile(seconds: float) -> None:
        waits.append(seconds)
        grow(raw / "growing")
        (raw / "vanishing").unlink()

    monkeypatch.setattr(time, "sleep", meanwhile)
    assert unsettled(raw, {name: found[name] for name in ("old", "to come")}) == set()
    assert waits == []
    assert unsettled(raw, found, quiet_seconds=3600) == {"growing"}  # who opens one that has gone will see
    assert waits == [3600]


@pytest.mark.parametrize(
    ("name", "head", "held"),
    [
        ("a.txt", "社区图书馆".encode(), None),
        ("a.txt", "社区图书馆".encode("gb18030"), None),
        ("a.txt", "社区图书馆".encode("utf-16"), None),
        ("a.txt", b"", None),
        ("a.txt", b"<!doctype html><p>", None),
        ("a.TXT", b"PK\x03\x04 and so on", "application/zip"),
        ("a.txt", b"\x1f\x8b\x08", "application/gzip"),
        ("a.txt", b"%PDF-1.4 no text", "application/pdf"),
        ("a.pdf", b"<html><body>404", "text/html"),
        ("a.pdf", b"not found", "text/plain"),
        ("a.pdf", b"\r\n\r\n%PDF-1.4", None),
        ("a.pdf", b"PK\x03\x04" + b"%PDF-1.4", "application/zip"),
        ("no-ending", b"%PDF-1.4", None),
        ("a.html", b"  <!-- saved --> <HTML>", None),
    ],
)
def test_a_file_holds_what_its_name_promises(name: str, head: bytes, held: str | None) -> None:
    if held is None:
        check_promise(name, head)
        return
    assert sniff(head) == held
    with pytest.raises(Unreadable, match=held) as caught:
        check_promise(name, head)
    assert caught.value.reject.check == "wrong_type"


LINEARIZED = b"%PDF-1.7\n1 0 obj\n<< /Linearized 1 /L 5000 /H [ 1 2 ] /O 3 /E 4 /N 2 /T 5 >>\nendobj"


@pytest.mark.parametrize(
    ("head", "size", "whole"),
    [
        (LINEARIZED, 5000, True),
        (LINEARIZED, 4999, False),
        (LINEARIZED, 5300, True),  # an update was appended
        (b"%PDF-1.7\n1 0 obj\n<</L 5000/Linearized 1>>", 2500, False),
        (b"%PDF-1.7\n1 0 obj\n<< /Length 5000 >>", 100, True),
        (b"%PDF-1.7\n1 0 obj\n<< /Linearized 1 >> endobj 2 0 obj << /L 5000 >>", 100, True),
    ],
)
def test_a_linearized_pdf_says_how_long_it_is(head: bytes, size: int, whole: bool) -> None:
    if whole:
        check_whole("a.pdf", head, size)
        return
    with pytest.raises(Unreadable) as caught:
        check_whole("a.pdf", head, size)
    assert caught.value.reject.check == "truncated"


TWO_PAGES = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
    b"4 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF"
)


def test_a_second_parser_counts_the_pages() -> None:
    assert page_count(TWO_PAGES) == 2
    assert page_count(b"no PDF") == 0


@pytest.mark.parametrize(("data", "pages"), [(TWO_PAGES, 1), (TWO_PAGES, 3), (b"no PDF", 1)])
def test_pages_that_only_one_parser_sees_are_a_fault(data: bytes, pages: int) -> None:
    check_pages("a.pdf", TWO_PAGES, 2)
    with pytest.raises(Unreadable, match=rf"a\.pdf: {pages} pages were read") as caught:
        check_pages("a.pdf", data, pages)
    assert caught.value.reject.check == "page_count"
