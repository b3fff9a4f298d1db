"""Documents that are read but not yet in a release: what a run that was killed or refused leaves to the next.

They lie in `processed/.work/documents/<fingerprint>/`, one file per batch, and are found by what their `sources` tables
say; so nothing but the files themselves has to be kept in step, and all of it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tasks.dataset import Tables, concat_tables, decode_tables, select


class Read(NamedTuple):
    """A finished source: the SHA-256 of its bytes, what read them, how many characters they held, its batch's file."""

    sha256: str
    fingerprint: str
    chars: int
    path: Path


class Finished:
    """The finished documents of one fingerprint, by source; safe to add to from several threads."""

    def __init__(self, work: Path, fingerprint: str) -> None:
        self._all = work / "documents"
        self._own = self._all / fingerprint
        self._own.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self.sources: dict[str, Read] = {}
        for path in sorted(self._own.iterdir(), key=_written):  # of a source that was read twice, the later holds
            try:
                self._index(path, _whole(path))
            except ValueError:  # half written, damaged, or laid out otherwise: its sources are read again
                path.unlink()

    def add(self, data: bytes) -> list[str]:
        """Keep the encoded tables of a batch and return its sources; a machine that dies meanwhile leaves no half of it."""
        path = self._own / f"{_name(data)}.arrow"
        partial = path.with_suffix(".part")
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        return self._index(path, data)

    def _index(self, path: Path, data: bytes) -> list[str]:
        table = decode_tables(data, only=("sources",))["sources"]
        columns = (table[name].to_pylist() for name in ("source", "sha256", "fingerprint", "n_chars"))
        with self._lock:
            self.sources |= {
                source: Read(sha256, fingerprint, chars, path)
                for source, sha256, fingerprint, chars in zip(*columns, strict=True)
            }
        names: list[str] = table["source"].to_pylist()
        return names

    def tables(self, sources: Iterable[str]) -> Tables:
        """Return the rows of these sources in the order of the dataset.

        Raises `KeyError` when one is not here, `ValueError` when a file was damaged since it was written.
        """
        by_path: dict[Path, list[str]] = {}
        for source in sources:
            by_path.setdefault(self.sources[source].path, []).append(source)
        return concat_tables([select(decode_tables(_whole(path)), own) for path, own in by_path.items()])

    def clear(self) -> None:
        """Forget all of it, of every fingerprint, once it is published."""
        shutil.rmtree(self._all, ignore_errors=True)


def _written(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, path.name


def _name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _whole(path: Path) -> bytes:
    """Return the bytes that were written to this file, or raise `ValueError`: it is named by their hash."""
    data = path.read_bytes()
    if path.suffix != ".arrow" or _name(data) != path.stem:
        raise ValueError(f"{path}: damaged since it was written; run again, and its sources are read again.")
    return data
