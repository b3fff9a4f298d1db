"""Releases: immutable directories of Parquet, staged, checked, and put in place by one step that cannot be half done.

    processed/releases/<id>/<table>/s000123-<hash>.parquet, release.json
    processed/current -> releases/<id>

Sources live in numbered segments, one part file per table, so that references hold inside a segment and a changed
source rewrites its own segment alone; all other parts are hard links to the parent release's. A part's name carries
its content's hash: with equal names a reader caught in a switch could mix two releases and not notice.

Readers resolve `current` once (`open_release`) and read from there: what they opened never changes.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import dataset
from tasks.dataset import ROW_TABLES, SCHEMA_VERSION, SCHEMAS, Tables
from tasks.document import Reject

#: A segment is full at so many sources or characters: a corrected source costs one segment (0.1 s), and one segment's
#: tokens fit easily into memory (2 million characters are a million tokens or so, and 250 MB while they are judged).
SEGMENT_SOURCES = 4096
SEGMENT_CHARS = 2_000_000
#: What a source's own rows weigh beside its text, in characters: rejected sources take room too.
_SOURCE_CHARS = 200
#: A drop may rewrite small segments that weigh no more than this share of its own rows: it writes less than twice
#: these. When so many small segments have piled up all the same, they are put together whatever they weigh.
_COMPACT_SHARE = 0.9
_COMPACT_AT = 32
#: Refused stagings kept for those who look into the refusal.
_REFUSED_KEPT = 3

# Tokens of one row group: readers skip whole groups and, by the page index, pages inside them.
_ROW_GROUP = 256 * 1024
# Columns of few or often repeated values; offsets and counters are smaller as differences.
_DICTIONARY = {
    "articles": ["source", "publisher", "affiliation", "language"],
    "paragraphs": ["article_id", "kind", "fixes.list.element"],
    "sentences": ["article_id"],
    "tokens": ["article_id", "text", "pos"],
    "quality": ["source"],
    "sources": ["media_type", "encoding", "status", "reason", "fingerprint", "left_out.list.element.rule"],
    "rejects": ["source", "stage", "check", "message", "remedy"],
}
_DELTA = frozenset({"paragraph", "sentence", "token", "start", "end"})


class Busy(Exception):
    """Another run is publishing into this directory."""


class Held(Exception):
    """A rollback holds publishing until `resume`."""


class NoRelease(Exception):
    """Nothing is published yet, or no release has this id."""


class StorageError(Exception):
    """Writing or reading releases failed (disk full, input/output error, no permission); `current` is untouched."""


@contextmanager
def storing(processed: Path) -> Iterator[None]:
    """Turn what the disk says into one error that names the place, the cause and the remedy."""
    try:
        yield
    except (OSError, pa.ArrowInvalid) as error:
        place = getattr(error, "filename", None) or processed
        cause = getattr(error, "strerror", None) or str(error)
        number = getattr(error, "errno", None)
        if number == errno.ENOSPC:
            remedy = "Free some space or lower the retention, then run again."
        elif number in (errno.EACCES, errno.EPERM, errno.EROFS):
            remedy = "Make the folder writable for this user, then run again."
        else:
            remedy = "Look at the disk, then run again; what was finished is kept."
        raise StorageError(f"{place}: {cause}. The published release is untouched. {remedy}") from error


@dataclass(frozen=True, slots=True)
class Part:
    """One table's file of one segment; `path` is relative to the release."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Segment:
    """All rows of some sources: a part for each of the seven tables."""

    number: int
    sources: int
    chars: int
    parts: Mapping[str, Part]

    @property
    def weight(self) -> int:
        """Estimate of what it costs to write the segment, in characters."""
        return self.chars + _SOURCE_CHARS * self.sources

    def paths(self, root: Path) -> dict[str, Path]:
        """Return the part of every table, below the release or staging directory `root`."""
        return {table: root / part.path for table, part in self.parts.items()}


@dataclass(frozen=True, slots=True)
class Release:
    """A published release, opened: `path` is its own directory, never the link that may move on.

    `manifest` is its `release.json`: `release` (the id), `parent`, `created_at`, `schema_version`, `fingerprint` (the
    parts that make it), `judged_by`, `tables` (rows and bytes of each), `segments` (with all files), `checks`,
    `metrics`.
    """

    path: Path
    manifest: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The release's name; names sort by time."""
        return self.path.name

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Segments in the order of their numbers."""
        return tuple(
            Segment(
                row["number"], row["sources"], row["chars"], {name: Part(**part) for name, part in row["parts"].items()}
            )
            for row in self.manifest["segments"]
        )

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Read a table whole, or some of its columns; `tokens` may be large, see `paths` for one part at a time."""
        with storing(self.path):
            return pa.concat_tables([_read_part(path, name, columns) for path in self.paths(name)])

    def paths(self, name: str) -> list[Path]:
        """Return the part files of a table."""
        return [self.path / segment.parts[name].path for segment in self.segments]


def open_release(processed: Path, release: str | None = None) -> Release:
    """Open the current release, or the one named: the link is resolved once, what is read after that is one release.

    Raises NoRelease when nothing is published yet or no release has this name.
    """
    if release is None:
        root = Path(os.path.realpath(processed / "current"))
        missing = f"{processed}: nothing is published yet. Run `wenliu run`, or name another folder with --processed."
    else:
        root = processed / "releases" / release
        missing = f"{release}: no such release in {processed}. `wenliu releases` lists those there are."
        if release != Path(release).name or release.startswith("."):
            raise NoRelease(missing)
    try:
        return Release(root, json.loads((root / "release.json").read_bytes()))
    except FileNotFoundError as error:
        raise NoRelease(missing) from error
    except (OSError, ValueError) as error:
        raise StorageError(f"{root / 'release.json'}: {error}. Roll back to another release.") from error


def releases(processed: Path) -> list[Release]:
    """List the releases there are, newest first."""
    found = []
    for path in sorted((processed / "releases").glob("[!.]*"), reverse=True):
        with suppress(NoRelease):  # retention may take one away while we look
            found.append(open_release(processed, path.name))
    return found


@contextmanager
def publishing(processed: Path) -> Iterator[Store]:
    """Take the one right to publish into `processed`, clear what dead runs left, and give it back at the end.

    Raises Busy when another run has it. A dead owner's lock ends with its process; a staging that was neither
    published nor refused is removed.
    """
    with _locked(processed):
        with storing(processed):
            _sweep(processed)
        try:
            parent = open_release(processed)
        except NoRelease:
            parent = None
        try:
            yield Store(processed, parent)
        finally:
            with suppress(OSError):
                _clear_stagings(processed)


@contextmanager
def _locked(processed: Path) -> Iterator[None]:
    root = processed / "releases"
    with storing(processed):
        root.mkdir(parents=True, exist_ok=True)
        lock = os.open(root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(lock, 200, 0).decode(errors="replace").strip() or "another run"
            raise Busy(f"{processed}: {owner} is publishing. Wait for it to end, then run again.") from error
        with storing(processed):
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)


def _sweep(processed: Path) -> None:
    """Clear what killed runs left; only the lock's owner may, since then no staging is anyone's.

    A publish killed between its last two steps has left a whole, checked release and the link that was to lead to
    it: the last step is taken here.
    """
    for link in sorted(processed.glob(".current-*")):
        if link.exists():
            link.replace(processed / "current")
        else:
            link.unlink()
    _clear_stagings(processed)


def _clear_stagings(processed: Path) -> None:
    root = processed / "releases"
    for dead in (*root.glob(".staging-*"), *root.glob(".removing-*")):
        shutil.rmtree(dead)


def held(processed: Path) -> Mapping[str, str] | None:
    """Return what a rollback left to hold publishing (`release`, `since`, `because`), or None."""
    try:
        return dict(json.loads((processed / "held.json").read_bytes()))
    except FileNotFoundError:
        return None
    except ValueError:  # torn by a full disk, say: it still holds
        return {"release": "", "since": "", "because": "held.json cannot be read"}


def rollback(processed: Path, release: str, because: str = "", now: datetime | None = None) -> Release:
    """Lead readers back to an earlier release, and hold publishing until `resume`, else the next run would undo it.

    Raises NoRelease for an unknown release and Busy while another run is publishing.
    """
    with _locked(processed), storing(processed):
        _sweep(processed)
        target = open_release(processed, release)
        since = _seconds(now or datetime.now(UTC))
        hold = {"release": target.id, "since": since, "because": because}
        _write_whole(processed / "held.json", _json(hold))  # first: killed here, nothing moves and nothing publishes
        _make_link(processed, target.id)
        _link(processed, target.id).replace(processed / "current")
        _sync(processed)
        return target


def resume(processed: Path) -> bool:
    """Let runs publish again; say whether they were held."""
    with _locked(processed), storing(processed):
        was_held = held(processed) is not None
        (processed / "held.json").unlink(missing_ok=True)
        return was_held


@dataclass(frozen=True, slots=True)
class Store:
    """The right to publish: `parent` is the current release, None before the first."""

    processed: Path
    parent: Release | None

    @property
    def held(self) -> Mapping[str, str] | None:
        """What holds publishing, if a rollback does."""
        return held(self.processed)

    def stage(
        self,
        fresh: Mapping[str, int],
        read: Callable[[Sequence[str]], Tables],
        quality: Callable[[Mapping[str, Path]], pa.Table],
        *,
        gone: Iterable[str] = (),
        judged_by: str = "",
        now: datetime | None = None,
    ) -> Staging:
        """Write the next release beside the current one, unseen by readers, one segment in memory at a time.

        `fresh` are the sources whose rows are new (new, changed or read again) with the characters of each, `gone`
        those that leave; all others stay as they are in the parent. `read` returns the six row tables of some fresh
        sources, `quality` the table of that name, from a segment's parts as written. When `judged_by`, the hash of
        what judges the rows, is not the parent's, the parent's segments are judged again too.
        """
        staging = Staging(self, _next_id(self.processed, now or datetime.now(UTC)), quality, judged_by)
        with storing(self.processed):
            staging.begin(fresh, read, frozenset(gone))
        return staging

    def retain(self, keep: int, hours: float, now: datetime | None = None) -> list[str]:
        """Remove releases that are neither among the newest `keep` nor younger than `hours`; return their ids.

        The current release is never removed. `hours` is how long a reader may go on reading what it has opened.
        """
        current = Path(os.path.realpath(self.processed / "current")).name
        removed = []
        with storing(self.processed):
            for release in releases(self.processed)[keep:]:
                age = (now or datetime.now(UTC)) - datetime.fromisoformat(release.manifest["created_at"])
                if release.id != current and age >= timedelta(hours=hours):
                    doomed = release.path.with_name(f".removing-{release.id}")
                    release.path.rename(doomed)  # a release is whole or not there, also while it is being removed
                    shutil.rmtree(doomed)
                    removed.append(release.id)
        return removed


@dataclass(slots=True)
class Staging:
    """A release that nobody can see yet.

    `segments` are all it will hold; `unchecked` those of them that the parent has not, or that must be judged again.
    """

    store: Store
    id: str
    quality: Callable[[Mapping[str, Path]], pa.Table]
    judged_by: str
    segments: list[Segment] = field(default_factory=list)
    unchecked: set[int] = field(default_factory=set)

    @property
    def path(self) -> Path:
        """Its directory."""
        return self.store.processed / "releases" / f".staging-{self.id}"

    @property
    def rows(self) -> dict[str, int]:
        """Rows of each table, in all segments."""
        return {name: sum(segment.parts[name].rows for segment in self.segments) for name in SCHEMAS}

    def unchecked_parts(self) -> list[dict[str, Path]]:
        """Return the parts, by table, of each segment that has to be checked."""
        return [segment.paths(self.path) for segment in self.segments if segment.number in self.unchecked]

    def begin(self, fresh: Mapping[str, int], read: Callable[[Sequence[str]], Tables], gone: frozenset[str]) -> None:
        """Write or link every segment (see `Store.stage`)."""
        parent = self.store.parent
        if self.path.exists():  # an attempt of this run that failed and is made again
            shutil.rmtree(self.path)
        for name in SCHEMAS:
            (self.path / name).mkdir(parents=True)
        old = {segment.number: segment for segment in parent.segments} if parent else {}
        places = plan_segments(self._residents(), fresh, gone)
        if parent and parent.manifest["schema_version"] != SCHEMA_VERSION and (kept := [p for p in places if p.kept]):
            example = next(iter(kept[0].kept.values()))[0]
            raise StorageError(
                f"{example}: its rows in {parent.id} are of another schema version. Make sure that the file can be "
                "read, or remove it, then run again."
            )
        rejudge = parent is not None and parent.manifest["judged_by"] != self.judged_by
        for place in places:
            if place.untouched:
                segment = self._link_segment(old[place.number], rejudge)
            else:
                tables: list[Tables] = [
                    dataset.select(_read_rows(old[number].paths(parent.path)), names)
                    for number, names in place.kept.items()
                    if parent
                ]
                if place.fresh:
                    tables.append(read(place.fresh))
                if not tables:  # all are gone: a release without rows, for the checks to refuse
                    tables.append({name: SCHEMAS[name].empty_table() for name in ROW_TABLES})
                segment = self._write_segment(place.number, dataset.concat_tables(tables))
            self.segments.append(segment)
            if rejudge or not place.untouched:
                self.unchecked.add(segment.number)

    def withdraw(self, rejects: Mapping[str, Sequence[Reject]]) -> list[dict[str, Path]]:
        """Move what failed a check into `rejects`; return the parts of the segments written again, to be rechecked.

        `rejects` is keyed by `article_id`, or by `source` where a source fails as a whole.
        """
        with storing(self.store.processed):
            again = []
            for at, segment in enumerate(self.segments):
                if segment.number not in self.unchecked:
                    continue
                paths = segment.paths(self.path)
                names = _column(paths, "articles", "article_id") | _column(paths, "sources", "source")
                if names.isdisjoint(rejects):
                    continue
                self.segments[at] = self._write_segment(segment.number, dataset.withdraw(_read_rows(paths), rejects))
                for path in set(paths.values()).difference(self.segments[at].paths(self.path).values()):
                    path.unlink()
                again.append(self.segments[at].paths(self.path))
            return again

    def publish(
        self,
        fingerprint: Mapping[str, str],
        checks: Mapping[str, Any],
        metrics: Mapping[str, Any] | None = None,
        now: datetime | None = None,
    ) -> Release:
        """Put the release in place: after the last of its steps readers see it whole, before that not at all.

        `fingerprint` names the parts that made the rows, `checks` sums up what the checks said, `metrics` what the
        run did; all go into `release.json`. Raises Held while a rollback holds publishing, StorageError when the
        disk does; in both cases readers go on with the release they have.
        """
        processed = self.store.processed
        if self.store.held:
            raise Held(f"{processed}: a rollback holds publishing. Run `wenliu resume`, then run again.")
        manifest = {
            "release": self.id,
            "parent": self.store.parent.id if self.store.parent else None,
            "created_at": _seconds(now or datetime.now(UTC)),
            "schema_version": SCHEMA_VERSION,
            "fingerprint": dict(fingerprint),
            "judged_by": self.judged_by,
            "tables": {
                name: {"rows": rows, "bytes": sum(segment.parts[name].bytes for segment in self.segments)}
                for name, rows in self.rows.items()
            },
            "checks": checks,
            "metrics": metrics or {},
            "segments": [asdict(segment) for segment in self.segments],
        }
        data = _json(manifest)
        final = processed / "releases" / self.id
        link = _link(processed, self.id)
        with storing(processed):
            _write_whole(self.path / "release.json", data)
            for directory in (*(self.path / name for name in SCHEMAS), self.path):
                _sync(directory)
            try:
                _make_link(processed, self.id)  # leads nowhere yet
                self.path.rename(final)
                _sync(final.parent)
                link.replace(processed / "current")
            except OSError:
                self._undo(link, final)
                raise
            with suppress(OSError):  # it is published; should the power fail now, the old release comes back whole
                _sync(processed)
        return Release(final, json.loads(data))  # not read from the disk: what is published is so, even if that fails

    def _undo(self, link: Path, final: Path) -> None:
        with suppress(OSError):
            link.unlink(missing_ok=True)
            if final.exists():
                final.rename(self.path)

    def refuse(self, verdict: Mapping[str, Any]) -> Path:
        """Move the staging out of the way with the verdict beside it, for those who look into it; return its path."""
        refused = self.store.processed / ".work" / "refused"
        with storing(self.store.processed):
            refused.mkdir(parents=True, exist_ok=True)
            _write_whole(self.path / "verdict.json", _json(verdict))
            self.path.rename(refused / self.id)
            for old in sorted(refused.iterdir(), reverse=True)[_REFUSED_KEPT:]:
                shutil.rmtree(old)
        return refused / self.id

    def _residents(self) -> dict[int, Residents]:
        """Say which sources live in which of the parent's segments."""
        parent = self.store.parent
        if parent is None:
            return {}
        return {
            segment.number: Residents(_column(segment.paths(parent.path), "sources", "source"), segment.weight)
            for segment in parent.segments
        }

    def _link_segment(self, segment: Segment, rejudge: bool) -> Segment:
        parent = self.store.parent
        assert parent is not None
        if rejudge:
            for name in ROW_TABLES:
                _link_or_copy(parent.path / segment.parts[name].path, self.path / segment.parts[name].path)
            return self._judged(segment)
        for part in segment.parts.values():
            _link_or_copy(parent.path / part.path, self.path / part.path)
        return segment

    def _write_segment(self, number: int, tables: Tables) -> Segment:
        parts = {name: self._write_part(number, name, tables[name]) for name in ROW_TABLES}
        sources = tables["sources"]
        chars = sum(sources["n_chars"].to_pylist())
        return self._judged(Segment(number, sources.num_rows, chars, parts))

    def _judged(self, segment: Segment) -> Segment:
        rows = {name: segment.parts[name] for name in ROW_TABLES}
        segment = Segment(segment.number, segment.sources, segment.chars, rows)
        table = self.quality(segment.paths(self.path)).cast(SCHEMAS["quality"])
        part = self._write_part(segment.number, "quality", table)
        return Segment(
            segment.number, segment.sources, segment.chars, {n: {**rows, "quality": part}[n] for n in SCHEMAS}
        )

    def _write_part(self, number: int, name: str, table: pa.Table) -> Part:
        data = encode_part(name, table)
        digest = hashlib.sha256(data).hexdigest()
        relative = f"{name}/s{number:06d}-{digest[:16]}.parquet"
        with suppress(FileExistsError):  # named by its content: a file of this name is this file
            _write_new(self.path / relative, data)
        return Part(relative, table.num_rows, len(data), digest)


def encode_part(name: str, table: pa.Table) -> pa.Buffer:
    """Return a table as the bytes of a Parquet file: the same rows and library give the same bytes."""
    schema = SCHEMAS[name]
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        use_dictionary=_DICTIONARY[name],
        column_encoding={column: "DELTA_BINARY_PACKED" for column in schema.names if column in _DELTA},
        write_statistics=True,
        write_page_index=True,
    ) as writer:
        if table.num_rows:  # a group of no rows is legal, and HuggingFace datasets dies of it
            writer.write_table(table.cast(schema).combine_chunks(), row_group_size=_ROW_GROUP)
    return sink.getvalue()


def _read_part(path: Path, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    with pq.ParquetFile(path) as file:
        table = file.read(columns=columns)
    return table if columns else table.cast(SCHEMAS[name])


def _column(paths: Mapping[str, Path], name: str, column: str) -> frozenset[str]:
    return frozenset(_read_part(paths[name], name, [column])[column].to_pylist())


def _read_rows(paths: Mapping[str, Path]) -> dict[str, pa.Table]:
    return {name: _read_part(paths[name], name) for name in ROW_TABLES}


@dataclass(frozen=True, slots=True)
class Residents:
    """The sources of one of the parent's segments, and what it costs to write them again."""

    sources: frozenset[str]
    weight: int


@dataclass(frozen=True, slots=True)
class Place:
    """A segment to be: the fresh sources that go into it, and those kept, by the parent's segment they come from."""

    number: int
    fresh: tuple[str, ...] = ()
    kept: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    untouched: bool = False


def plan_segments(parent: Mapping[int, Residents], fresh: Mapping[str, int], gone: frozenset[str]) -> list[Place]:
    """Say which source goes into which segment, so that little is written again and segments stay few.

    A changed source stays in its segment; a segment of which nothing stays is given up, its sources are laid out
    anew; new sources fill new segments in the order of their names. The last of these takes in small segments that
    weigh less than its own rows (the largest write is then twice the new rows); when too many small ones have piled
    up, whatever they weigh.

    >>> parent = {0: Residents(frozenset("ab"), 900), 1: Residents(frozenset("c"), 500)}
    >>> [(p.number, p.fresh, dict(p.kept)) for p in plan_segments(parent, {"b": 400, "d": 100}, frozenset())]
    [(0, ('b',), {0: ('a',)}), (1, (), {1: ('c',)}), (2, ('d',), {})]
    """
    places: list[Place] = []
    placed: set[str] = set()
    for number, residents in parent.items():
        stay = tuple(sorted(residents.sources - gone - fresh.keys()))
        changed = tuple(sorted(residents.sources & fresh.keys()))
        if stay:
            untouched = len(stay) == len(residents.sources)
            places.append(Place(number, changed, {number: stay}, untouched))
            placed.update(changed)
    number = max((place.number for place in places), default=-1) + 1
    for names in _fill(sorted(fresh.keys() - placed), fresh):
        places.append(Place(number, names))
        number += 1
    if places and not places[-1].kept:
        places = _compact(places, parent, fresh)
    return places or [Place(0)]


def _fill(names: Sequence[str], chars: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    segment: list[str] = []
    weight = 0
    for name in names:
        if segment and (len(segment) == SEGMENT_SOURCES or weight + chars[name] > SEGMENT_CHARS):
            yield tuple(segment)
            segment, weight = [], 0
        segment.append(name)
        weight += chars[name]
    if segment:
        yield tuple(segment)


def _compact(places: list[Place], parent: Mapping[int, Residents], fresh: Mapping[str, int]) -> list[Place]:
    *others, last = places
    full = SEGMENT_CHARS + _SOURCE_CHARS * SEGMENT_SOURCES
    small = [
        place
        for place in others
        if place.untouched
        and len(place.kept[place.number]) < SEGMENT_SOURCES // 2
        and parent[place.number].weight < full // 2
    ]
    own = sum(fresh[name] + _SOURCE_CHARS for name in last.fresh)
    budget = _COMPACT_SHARE * own if len(small) < _COMPACT_AT else float("inf")
    sources, weight = len(last.fresh), 0
    kept: dict[int, tuple[str, ...]] = {}
    for place in reversed(small):
        more = parent[place.number].weight
        count = len(place.kept[place.number])
        if weight + more > budget or own + weight + more > full or sources + count > SEGMENT_SOURCES:
            break
        sources, weight = sources + count, weight + more
        kept |= place.kept
    return [place for place in others if place.number not in kept] + [Place(last.number, last.fresh, kept)]


def _next_id(processed: Path, now: datetime) -> str:
    """Name a release by its second and a counter: later ones sort after earlier ones even when the clock goes back."""
    ids = [path.name for folder in ("releases", ".work/refused") for path in (processed / folder).glob("[!.]*")]
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    last = max(ids, default="")
    if last[: len(stamp)] < stamp:
        return f"{stamp}-000"
    return f"{last[: len(stamp)]}-{int(last[len(stamp) + 1 :]) + 1:03d}"


def _seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n").encode()


def _link(processed: Path, release: str) -> Path:
    return processed / f".current-{release}"


def _make_link(processed: Path, release: str) -> None:
    _link(processed, release).symlink_to(f"releases/{release}")


def _link_or_copy(old: Path, new: Path) -> None:
    try:
        os.link(old, new)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
            raise
        _write_new(new, old.read_bytes())  # a file system without hard links, or with no more of them for this file


def _write_new(path: Path, data: bytes | pa.Buffer) -> None:
    """Write a file that nobody will write again, down to the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_whole(path: Path, data: bytes) -> None:
    """Replace a small file in one step."""
    draft = path.with_name(f".{path.name}.tmp")
    draft.unlink(missing_ok=True)
    _write_new(draft, data)
    draft.replace(path)
    _sync(path.parent)


def _sync(directory: Path) -> None:
    """Make the names in a directory last through a power failure."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
