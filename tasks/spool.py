"""Raw files are taken in, not read where they lie.

What lies under raw/ belongs to others: it may be a link to elsewhere, a pipe that never ends, a file that is still
being copied. So a file is opened without following links and without waiting, copied to a private spool while it is
hashed, and only the copy is read. What changed meanwhile is left for the next run.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path, PurePosixPath

from tasks.document import Unreadable

#: A file younger than this, in seconds, may still be on its way: copying tools pause for less.
QUIET_SECONDS = 1.0

#: The clock of a file server may run ahead by so much; what lies further in the future is a wrong date, not a new file.
SKEW_SECONDS = 60.0

#: Where a PDF may begin, by the customs of its readers, and where the dictionary of a linearized one must stand.
HEAD_BYTES = 1024

CHUNK_BYTES = 1 << 20

#: How files of other kinds begin. Whatever is none of these may be text; its decoder decides.
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"{\\rtf", "application/rtf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x7fELF", "application/x-elf"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"PAR1", "application/vnd.apache.parquet"),
)

HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)

#: What a name's ending promises.
PROMISES = {
    ".pdf": "application/pdf",
    ".txt": "text/plain",
    ".text": "text/plain",
    ".md": "text/plain",
    ".html": "text/html",
    ".htm": "text/html",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}

LINEARIZED = re.compile(rb"/Linearized\b[^>]*?/L\s+(\d{1,15})\b|/L\s+(\d{1,15})\b[^>]*?/Linearized\b", re.DOTALL)


class Unsettled(Exception):
    """The file changed while it was taken in: no fault of the file, its turn comes with the next run."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A private copy of a raw file: where it is, and the size and hash of exactly these bytes."""

    path: str
    bytes: int
    sha256: str


def open_regular(root: Path, source: str) -> int:
    """Open a file below `root` for reading and return its descriptor: a regular file, or `Unreadable`.

    No link is followed, in no part of the path, and nothing is waited for: a FIFO or a device is refused, not opened
    until somebody writes to it. `OSError` is left to mean what it says (gone, not permitted, a broken disk).
    """
    *parents, name = PurePosixPath(source).parts
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    directory = os.open(root, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        for part in parents:
            inner = _open_in(directory, part, flags | os.O_DIRECTORY, source)
            os.close(directory)
            directory = inner
        descriptor = _open_in(directory, name, flags, source)
    finally:
        os.close(directory)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular(source)
    return descriptor


def _open_in(directory: int, name: str, flags: int, source: str) -> int:
    if name == "..":
        raise _not_regular(source)
    try:
        return os.open(name, flags, dir_fd=directory)
    except OSError:
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)  # a name that has gone says so itself
        wanted = stat.S_ISDIR if flags & os.O_DIRECTORY else stat.S_ISREG
        if wanted(found.st_mode):
            raise
        raise _not_regular(source) from None  # a link, a socket, a device without its driver


def _not_regular(source: str) -> Unreadable:
    return Unreadable(
        "not_a_regular_file",
        f"{source}: this is no regular file below raw/, but a link, a pipe, a device or the like.",
        "Copy the file itself to this place.",
    )


def take(root: Path, source: str, spool: Path, most_bytes: int) -> Taken:
    """Copy a raw file of at most so many bytes to the spool and hash the copy on the way; only the copy is to be read.

    Raises `Unsettled` when the file changed meanwhile, `Unreadable` when it is none to read, `OSError` when the spool
    cannot be written or the system has no more to give: that is no fault of the file. `spool` is a directory that only
    this user can write to; the copy is named by its hash, read-only.
    """
    try:
        descriptor = open_regular(root, source)
    except FileNotFoundError:
        raise Unsettled(f"{source}: the file has gone since it was listed.") from None
    except OSError as error:
        raise _cannot_be_read(source, error) from error
    with os.fdopen(descriptor, "rb", buffering=0) as raw:
        before = os.fstat(descriptor)
        if before.st_size > most_bytes:
            raise _too_large(source, before.st_size, most_bytes)
        digest = hashlib.sha256()
        size = 0
        partial = spool / f".{os.getpid()}-{before.st_dev:x}-{before.st_ino:x}.part"
        try:
            with partial.open("wb") as copy:
                # What grows as fast as it is read would never end: one byte more than it had is enough to know.
                while size <= before.st_size and (chunk := _read(raw, source)):
                    digest.update(chunk)
                    copy.write(chunk)
                    size += len(chunk)
            after = os.fstat(descriptor)
            if size != before.st_size or _state(before) != _state(after):
                raise Unsettled(f"{source}: the file changed while it was read; it is left for the next run.")
            partial.chmod(0o400)
            target = spool / digest.hexdigest()
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    return Taken(str(target), size, digest.hexdigest())


def _read(raw: FileIO, source: str) -> bytes:
    try:
        return raw.read(CHUNK_BYTES)
    except OSError as error:
        raise _cannot_be_read(source, error) from error


def _too_large(source: str, size: int, most_bytes: int) -> Unreadable:
    """Of a file with more bytes than a reader may hold nothing is copied: a sparse one would fill any disk."""
    return Unreadable(
        "too_large",
        f"{source}: the file has {size:,} bytes, and a reader may hold {most_bytes:,}.",
        "Split the file, or raise `memory_bytes` of [limits].",
    )


def _cannot_be_read(source: str, error: OSError) -> Exception:
    """Whose fault is it? The system's when it has no more descriptors or memory, else the file's."""
    if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        return error
    return Unreadable(
        "cannot_be_opened",
        f"{source}: the file cannot be read: {error.strerror}.",
        "Make the file readable for this user, or copy it anew.",
    )


def _state(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def unsettled(root: Path, found: Mapping[str, os.stat_result], quiet_seconds: float = QUIET_SECONDS) -> set[str]:
    """Which of these files are still being written? Waits `quiet_seconds` if any is that young, else not at all.

    `found` maps a path below `root` to what `lstat` said when it was seen. A file that is half copied looks whole; all
    that gives it away is that it goes on growing.
    """
    now = time.time()
    young = {source: seen for source, seen in found.items() if -SKEW_SECONDS < now - seen.st_mtime < quiet_seconds}
    if not young:
        return set()
    time.sleep(quiet_seconds)
    growing = set()
    for source, seen in young.items():
        try:
            settled = _state((root / source).lstat()) == _state(seen)
        except FileNotFoundError:
            settled = True  # it has gone, which whoever opens it will see
        except OSError:
            settled = False
        if not settled:
            growing.add(source)
    return growing


def read_head(path: str | Path) -> bytes:
    """Return the first bytes of a file, or none if it cannot be read; a link or FIFO counts as that."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        return os.read(descriptor, HEAD_BYTES) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def sniff(head: bytes) -> str:
    r"""What does a file hold, going by how it begins? "text/plain" means: nothing speaks against text.

    A PDF's header may stand anywhere in the first 1024 bytes, and what stands before it may look like anything.

    >>> sniff(b"%PDF-1.7"), sniff(b"PK\x03\x04..."), sniff("新华社".encode())
    ('application/pdf', 'application/zip', 'text/plain')
    """
    for magic, media_type in MAGIC:
        if head.startswith(magic):
            return media_type
    if HTML.match(head):
        return "text/html"
    if b"%PDF-" in head[:HEAD_BYTES]:
        return "application/pdf"
    return "text/plain"


def promise(source: str) -> str | None:
    """Return the media type that a name's ending promises, None where it promises nothing that is known.

    >>> promise("2024/0501.PDF"), promise("README")
    ('application/pdf', None)
    """
    return PROMISES.get(PurePosixPath(source).suffix.lower())


def check_promise(source: str, head: bytes) -> None:
    """Does the file hold what its name promises? `Unreadable` if its beginning shows it to be of another type.

    A web page saved as `.txt` is let through: its text is there to be read, and its reader says so if it is not.

    >>> check_promise("a.txt", b"%PDF-1.4")
    Traceback (most recent call last):
    tasks.document.Unreadable: a.txt: the name promises text/plain, the file holds application/pdf.
    """
    promised = promise(source)
    held = sniff(head)
    readable_as_text = {"text/plain", "text/html"}
    if promised is None or promised == held or {promised, held} <= readable_as_text:
        return
    raise Unreadable(
        "wrong_type",
        f"{source}: the name promises {promised}, the file holds {held}.",
        "Give the file the ending that fits what it holds, or replace it by the right one.",
    )


def check_whole(source: str, head: bytes, size: int) -> None:
    """Is a linearized PDF all there? It says itself how long it is; `Unreadable` if it is shorter.

    Cut in half it still opens, with those of its pages that came first. Bytes added behind the end are an update.

    >>> check_whole("a.pdf", b"%PDF-1.4 1 0 obj << /Linearized 1 /L 5000 >>", 2500)
    Traceback (most recent call last):
    tasks.document.Unreadable: a.pdf: 2500 of 5000 bytes are there.
    """
    match = LINEARIZED.search(head[:HEAD_BYTES])
    if match and size < (length := int(match[1] or match[2])):
        raise Unreadable(
            "truncated", f"{source}: {size} of {length} bytes are there.", "Copy the file to its place again, whole."
        )


def check_pages(source: str, data: bytes, pages: int) -> None:
    """Does a second parser see as many pages as were read? `Unreadable` if not: some are missing, or none are real.

    A broken page tree makes a reader see fewer pages without a word, or one page for ever; two parsers err differently.
    """
    counted = page_count(data)
    if counted != pages:
        raise Unreadable(
            "page_count",
            f"{source}: {pages} pages were read, but a second reader counts {counted}.",
            "Open the file in a viewer and print it to a new PDF, or fetch it again.",
            evidence=f"{pages} and {counted}",
        )


def page_count(data: bytes) -> int:
    """How many pages does a second parser see? 0 if it cannot read the file. Only for a guarded child: pdfium aborts."""
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(data) as pdf:
            return len(pdf)
    except pypdfium2.PdfiumError:
        return 0
