"""What lies under raw/, and what has to be done about it.

The published table `sources` is the only memory of what was read before: a file is read again when its bytes differ
from what stands there, or when what reads it does.
"""

from __future__ import annotations

import ast
import fnmatch
import functools
import hashlib
import importlib.metadata
import json
import os
import re
import stat
import time
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import pyarrow as pa

from tasks.dataset import SCHEMA_VERSION
from tasks.document import Document, Source
from tasks.spool import QUIET_SECONDS, unsettled

#: What is not ingested: a folder's own note, and files that others leave beside the articles or have not finished.
#: Patterns are matched with the whole path under raw/; `*` matches slashes too. Hidden files never are.
IGNORE = (
    "README.md",
    "Thumbs.db",
    "*/Thumbs.db",
    "desktop.ini",
    "*/desktop.ini",
    "~$*",
    "*/~$*",
    "*.part",
    "*.partial",
    "*.crdownload",
    "*.tmp",
)
_IGNORED = re.compile("|".join(map(fnmatch.translate, IGNORE)))  # nearly every name is like none of them
#: A file changed so lately (in seconds) could change again without a new time stamp: its hash is not remembered.
_RACY = 2.0
#: Categories of characters that are no part of a readable name: control, format (as bidirectional overrides),
#: surrogate, line and paragraph separators.
_ODD = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class NoRaw(Exception):
    """The folder of raw files is not there, or is no folder."""


def escape_name(path: str | bytes) -> str:
    r"""Write a path so that any table, terminal and page can hold it, and `unescape_name` can find the file again.

    File names are bytes: some are not UTF-8 (one lone surrogate stops a whole Parquet write), some hold line feeds
    or escape sequences. What is odd, and the per cent sign itself, becomes %XX.

    >>> escape_name("春/100%.txt")
    '春/100%25.txt'
    >>> escape_name(b"\xb4\xba\n.txt")
    '%B4%BA%0A.txt'
    """
    text = os.fsencode(path).decode("utf-8", "surrogateescape")
    if text.isprintable() and "%" not in text:
        return text  # nearly every name, in a tenth of the time
    return "".join(
        "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "surrogateescape"))
        if c == "%" or unicodedata.category(c) in _ODD
        else c
        for c in text
    )


def unescape_name(source: str) -> str:
    r"""Return the path that `escape_name` wrote, as `os` functions take it.

    >>> os.fsencode(unescape_name('%B4%BA%0A.txt'))
    b'\xb4\xba\n.txt'
    """
    return os.fsdecode(unquote_to_bytes(source))


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies under raw/, each file in exactly one of these, by its escaped name.

    `sources` can be read, and are sorted. `ignored` never will be, `waiting` not in this run: each with the reason.
    `unlisted` are folders that could not be looked into: while there are any, nothing counts as gone.
    A file that cannot be opened, or is too large to be, is a source with an empty hash, to be rejected by whoever reads it.
    """

    sources: tuple[Source, ...]
    ignored: Mapping[str, str] = field(default_factory=dict)
    waiting: Mapping[str, str] = field(default_factory=dict)
    unlisted: Mapping[str, str] = field(default_factory=dict)


def discover(raw: Path, *, cache: Path | None = None, most_bytes: int | None = None) -> Listing:
    """List and hash the regular files under `raw`; links are not followed, pipes and devices not opened.

    A file of more than `most_bytes` is not opened either: it may be sparse, and a year long.

    When a file was written within the last second, waits for another: what goes on growing is half copied. `cache` is a
    file that remembers the hashes of files whose size and times did not change; it may be deleted at any time. Raises
    NoRaw when `raw` is no folder or cannot be listed.
    """
    if not raw.is_dir():
        raise NoRaw(f"{raw}: no such folder. Make it and put the articles there, or name another with --raw.")
    known = _load(cache) if cache else {}
    fresh: dict[str, _Known] = {}
    ignored: dict[str, str] = {}
    waiting: dict[str, str] = {}
    unlisted: dict[str, str] = {}
    sources: list[Source] = []
    files: dict[str, tuple[str, os.DirEntry[str]]] = {}
    seen: dict[str, os.stat_result] = {}
    for path, name, entry, refusal in _files(raw, unlisted):
        if refusal:
            ignored[name] = refusal
            continue
        with suppress(FileNotFoundError):  # gone since it was listed
            seen[path] = entry.stat(follow_symlinks=False)
            files[path] = name, entry
    growing = unsettled(raw, seen, QUIET_SECONDS)
    for path, (name, entry) in files.items():
        try:
            found = None if path in growing else _look(entry, known.get(name), most_bytes)
        except FileNotFoundError:
            continue  # gone since it was listed
        if found is None:
            waiting[name] = "still being written; left for the next run"
            continue
        sources.append(Source(name, entry.path, found.size, found.sha256))
        if found.sha256 and time.time() - found.changed_ns / 1e9 > _RACY:
            fresh[name] = found
    if str(raw) in unlisted:
        raise NoRaw(f"{raw}: {unlisted[str(raw)]}. Give this user the right to list it.")
    if cache and fresh != known:
        _save(cache, fresh)
    return Listing(
        tuple(sorted(sources, key=lambda s: s.source)),
        ignored,
        waiting,
        {escape_name(os.path.relpath(path, raw)): reason for path, reason in unlisted.items()},
    )


def snapshot(raw: Path) -> dict[str, tuple[int, int]]:
    """Return the size and the time of change (in ns) of each file that `discover` would list, by its path; opens none.

    Raises NoRaw when a folder cannot be listed: what is in it may be as it was.
    """
    unlisted: dict[str, str] = {}
    found = {}
    for path, _, entry, refusal in _files(raw, unlisted):
        if not refusal:
            with suppress(FileNotFoundError):
                seen = entry.stat(follow_symlinks=False)
                found[path] = seen.st_size, seen.st_mtime_ns
    for folder, reason in unlisted.items():
        raise NoRaw(f"{folder}: {reason}. Give this user the right to list it.")
    return found


class _Known(NamedTuple):
    """A file's hash, and the state it had when it was hashed."""

    size: int
    changed_ns: int
    inode: int
    sha256: str


def _state(seen: os.stat_result) -> _Known:
    return _Known(seen.st_size, max(seen.st_mtime_ns, seen.st_ctime_ns), seen.st_ino, "")


def _look(entry: os.DirEntry[str], known: _Known | None, most_bytes: int | None) -> _Known | None:
    """Return a file's state and hash (empty if it cannot be opened, or is too large), or None when it changed meanwhile."""
    before = _state(entry.stat(follow_symlinks=False))
    if most_bytes is not None and before.size > most_bytes:
        return before
    if known and known[:3] == before[:3]:
        return known
    try:
        digest, after = _hash(entry.path)
    except FileNotFoundError:
        raise
    except OSError:
        return before
    return before._replace(sha256=digest) if _state(after) == before else None


def _files(raw: Path, unlisted: dict[str, str]) -> Iterator[tuple[str, str, os.DirEntry[str], str]]:
    """Yield each file's path below `raw`, its escaped name, its entry, and why it is ignored, if it is."""
    root = str(raw).rstrip("/") + "/"
    for entry in _walk(raw, unlisted):
        path = entry.path.removeprefix(root)
        name = escape_name(path)
        yield path, name, entry, _refusal(entry, name)


def _walk(folder: Path, unlisted: dict[str, str]) -> Iterator[os.DirEntry[str]]:
    """Yield all that is no folder, in whatever depth; hidden folders are not looked into."""
    folders = [str(folder)]
    while folders:
        path = folders.pop()
        try:
            with os.scandir(path) as entries:
                found = list(entries)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and path != str(folder):
                continue  # gone since it was listed
            unlisted[path] = error.strerror or str(error)
            continue
        for entry in found:
            if not entry.is_dir(follow_symlinks=False):
                yield entry
            elif not entry.name.startswith("."):
                folders.append(entry.path)


def _refusal(entry: os.DirEntry[str], name: str) -> str:
    if entry.name.startswith("."):
        return "hidden"
    if entry.is_symlink():
        return "a link; put the file itself here"
    if not entry.is_file(follow_symlinks=False):
        return "no regular file"
    if not _IGNORED.match(name):
        return ""
    return "ignored by the pattern " + next(pattern for pattern in IGNORE if fnmatch.fnmatchcase(name, pattern))


def _hash(path: str) -> tuple[str, os.stat_result]:
    """Return a file's SHA-256 and its state afterwards; a file turned link or pipe meanwhile neither leads nor blocks."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(f"{path}: no regular file any more")
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(handle)


def _load(cache: Path) -> dict[str, _Known]:
    try:
        return {name: _Known(*entry) for name, entry in json.loads(cache.read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # not there, or written by nobody we know: all is hashed again


def _save(cache: Path, entries: Mapping[str, _Known]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    draft = cache.with_name(f"{cache.name}.{os.getpid()}")
    draft.write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
    draft.replace(cache)


#: Modules under tasks/ that carry rows but do not make them: a change in these is no reason to read anything again.
_CARRIERS = frozenset({"sources.py", "release.py", "guard.py", "forkserver.py", "quality.py"})
_RULES = "clean.py"
_LIBRARIES = ("jieba", "rjieba", "regex", "sentencex")
#: What reads texts and nothing else, and what pages, the labeller's weights included; all else under tasks/ reads either.
_OF_TEXTS = ("read/text.py", "reflow/labels-text.json.gz")
_OF_PAGES = (
    "read/image.py", "read/ipc.py", "read/ocr.py", "read/pdf.py", "read/structure.py", "reflow/labels-page.json.gz",
)  # fmt: skip
_LIBRARIES_OF_PAGES = ("pdfplumber", "pdfminer.six", "pypdfium2")
#: What reads scanned pages; the models come in the package of the first.
_OF_OCR = ("rapidocr", "onnxruntime", "opencv-python-headless", "pillow")

#: The parts of a fingerprint that make rows of some sources alone: of texts, of pages, of pages that are only pictures.
OF_SOME = ("text-reader", "page-reader", "ocr")
#: All parts, in the words of a plan's reasons; and those that stand by themselves, for not every source has them.
PARTS = ("schema", "code", "rules", "dictionary", "settings", "libraries", *OF_SOME)
OWN = ("folder", "correction", *OF_SOME)


@dataclass(frozen=True)
class Fingerprint:
    """What makes rows out of bytes, hashed part by part: equal fingerprints make equal rows of equal bytes."""

    parts: Mapping[str, str]

    @functools.cached_property
    def value(self) -> str:
        """The whole as one hash: what stands in `sources.fingerprint` of a source that has nothing of its own."""
        parts = {name: part for name, part in self.parts.items() if name not in OF_SOME}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

    def of(self, own: Mapping[str, str], kinds: Iterable[str] = ()) -> str:
        """Return what stands in `sources.fingerprint` of a source with hashes of its own, of some kinds of `OF_SOME`.

        >>> Fingerprint({"text-reader": "1"}).of({"folder": "12"}, ["text-reader"])[32:]
        '+folder:12+text-reader:6b86b273ff34fce1'
        """
        own = {**own, **{kind: _digest(self.parts.get(kind, "none").encode()) for kind in kinds}}
        return "".join([self.value, *(f"+{name}:{own[name]}" for name in OWN if name in own)])

    def changed(self, parts: Mapping[str, str]) -> list[str]:
        """Say which parts are not those of an earlier fingerprint.

        >>> Fingerprint({"code": "1", "rules": "2"}).changed({"code": "1", "rules": "1"})
        ['rules']
        """
        return [name for name in self.parts if self.parts[name] != parts.get(name)]


def kinds_in(fingerprint: str) -> list[str]:
    """Say of which kinds a source is, going by its fingerprint.

    >>> kinds_in("34ab+folder:12+page-reader:34+ocr:56")
    ['page-reader', 'ocr']
    """
    return [kind for kind in OF_SOME if f"+{kind}:" in fingerprint]


def kinds_of(document: Document) -> list[str]:
    """Say of which kinds a source is, going by what became of it: of both where it could not be told what it holds.

    >>> kinds_of(Document(Source("a.html", "", 9, ""), media_type="text/html")), kinds_of(Document(Source("a", "", 0, "")))
    (['text-reader'], ['text-reader', 'page-reader'])
    """
    is_known = document.media_type is not None
    is_text = (document.media_type or "").startswith("text/")
    found = {"text-reader": is_text or not is_known, "page-reader": not is_text, "ocr": document.scanned}
    return [kind for kind in OF_SOME if found[kind]]


def changed_for(before: str, after: str, parts: Sequence[str]) -> list[str]:
    """Say which parts of a source's fingerprint changed, `parts` being those that did for all sources.

    >>> changed_for("1", "1+correction:2", ["rules"]), changed_for("1+folder:2", "3+folder:2", ["rules"])
    (['correction'], ['rules'])
    """
    (was, *was_own), (now, *now_own) = before.split("+"), after.split("+")
    own = {entry.partition(":")[0] for entry in {*was_own} ^ {*now_own}}
    return [*(part for part in parts if was != now and part not in OWN), *(name for name in OWN if name in own)]


def fingerprint(settings: Mapping[str, Any], dictionary: Path | None = None, *, ocr: bool = False) -> Fingerprint:
    """Take the fingerprint of this code, its rules, weights and libraries, and of what the user sets.

    `settings` are those alone that change what is read, `ocr` says whether scanned pages are. Comments, docstrings and
    layout of the code do not count.
    """
    here = Path(__file__).parent
    of_some = {"text-reader": [here / name for name in _OF_TEXTS], "page-reader": [here / name for name in _OF_PAGES]}
    apart = {here / _RULES, *of_some["text-reader"], *of_some["page-reader"]}
    code = [path for path in sorted(here.rglob("*.py")) if path.name not in _CARRIERS and path not in apart]
    versions = _versions(_LIBRARIES) + f" unicode={unicodedata.unidata_version}"
    return Fingerprint(
        {
            "schema": str(SCHEMA_VERSION),
            "code": hash_files(code),
            "rules": hash_files([here / _RULES]),
            "dictionary": hash_files([dictionary] if dictionary else []),
            "settings": _digest(json.dumps(dict(settings), sort_keys=True, default=str).encode()),
            "libraries": versions,
            "text-reader": hash_files(of_some["text-reader"]),
            "page-reader": f"{hash_files(of_some['page-reader'])} {_versions(_LIBRARIES_OF_PAGES)}",
            "ocr": _versions(_OF_OCR) if ocr else "none",
        }
    )


def hash_files(paths: Iterable[Path]) -> str:
    """Hash what files hold, in this order; of Python files what they do, without comments and docstrings."""
    whole = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        whole.update(f"{path.name}\0".encode())
        whole.update(_digest(_meaning(content) if path.suffix == ".py" else content).encode())
    return whole.hexdigest()[:16]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


@functools.cache  # a run plans twice: before it starts Prefect, and when no other run can publish any more
def _meaning(code: bytes) -> bytes:
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:]
    return ast.dump(tree).encode()


def _versions(libraries: Iterable[str]) -> str:
    return " ".join(f"{name}={_version(name)}" for name in libraries)


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "none"


class Change(NamedTuple):
    """A source and why it is where it is in the plan."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do, and why: every source seen, now or in the parent release, is in exactly one of the lists.

    `kept` are sources of the parent whose file cannot be told to be the same now (still growing, not to be opened,
    out of sight); they stay as they are. `waiting` are such files that the parent has not. `todo` are the sources to
    read: those of `new`, `changed` and `redo`.
    """

    new: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()
    redo: tuple[Change, ...] = ()
    gone: tuple[Change, ...] = ()
    unchanged: tuple[Change, ...] = ()
    kept: tuple[Change, ...] = ()
    waiting: tuple[Change, ...] = ()
    todo: tuple[Source, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether a release after this plan would be the same as its parent."""
        return not self.todo and not self.gone


def plan(
    listing: Listing,
    fingerprint: Fingerprint,
    parent: pa.Table | None = None,
    parent_parts: Mapping[str, str] | None = None,
    *,
    own: Callable[[Source], Mapping[str, str]] = lambda _: {},
    retry_rejected: bool = False,
    due: Collection[str] = (),
    full: bool = False,
) -> Plan:
    """Compare what lies under raw/ with the parent release: its table `sources` and its fingerprint's parts.

    `own` tells what reads a source beside the fingerprint, and no other source. What is rejected is tried again when its
    file or the fingerprint changed, or when `retry_rejected` says that what judges the rows did, or when it is among
    those that are `due` since a day has come. `full` redoes all. A source is gone only when every folder could be
    looked into.
    """
    before = {row["source"]: row for row in parent.select(STATE).to_pylist()} if parent else {}
    differences = fingerprint.changed(parent_parts or {})
    lists: dict[str, list[Change]] = {
        name: [] for name in ("new", "changed", "redo", "gone", "unchanged", "kept", "waiting")
    }
    todo = []
    for source in listing.sources:
        was = before.pop(source.source, None)
        name, reason = _compare(source, was)
        if was and name == "unchanged":
            if full:
                name, reason = "redo", "all is redone"
            elif was["fingerprint"] != (now := fingerprint.of(own(source), kinds_in(was["fingerprint"]))):
                parts = ", ".join(changed_for(was["fingerprint"], now, differences))
                name, reason = "redo", f"changed since it was read: {parts}" if parts else "read by another fingerprint"
            elif retry_rejected and was["status"] != "published":
                name, reason = "redo", "rejected before, and the checks changed"
            elif source.source in due:
                name, reason = "redo", "rejected for a date in the future, which has come"
        lists[name].append(Change(source.source, reason))
        if name in ("new", "changed", "redo"):
            todo.append(source)
    for waiting, reason in listing.waiting.items():
        lists["waiting" if before.pop(waiting, None) is None else "kept"].append(Change(waiting, reason))
    for missing in before:
        lists["kept" if listing.unlisted else "gone"].append(Change(missing, _absence(missing, listing)))
    return Plan(**{name: tuple(sorted(found)) for name, found in lists.items()}, todo=tuple(todo))


#: The columns of `sources` that a plan needs, and so those that tables of every schema version have.
STATE = ["source", "sha256", "status", "fingerprint"]


def _compare(source: Source, was: Mapping[str, Any] | None) -> tuple[str, str]:
    if was is None:
        return "new", "not in the parent release"
    if was["sha256"] == source.sha256:
        return "unchanged", "same bytes, read by the same fingerprint"
    if not source.sha256:
        return "kept", "cannot be opened now, or is too large; kept as it was"
    return "changed", "the file's bytes changed"


def _absence(source: str, listing: Listing) -> str:
    if listing.unlisted:
        return "not seen, but not every folder could be listed: " + ", ".join(listing.unlisted)
    return listing.ignored.get(source, "no such file any more")
