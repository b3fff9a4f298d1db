"""Documents that are read but not yet in a release: what a run that was killed or refused leaves to the next.

They lie in `processed/.work/documents/<fingerprint>/`, one file per batch, and are found by what their `sources` tables
say; so nothing but the files themselves has to be kept in step, and all of it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from tasks.dataset import Tables, concat_tables, decode_tables, select

#: A source as it was read: its name and the SHA-256 of its bytes.
Key = tuple[str, str]


class Finished:
    """The finished documents of one fingerprint; safe to add to from several threads."""

    def __init__(self, work: Path, fingerprint: str) -> None:
        self._all = work / "documents"
        self._own = self._all / fingerprint[:16]
        self._own.mkdir(parents=True, exist_ok=True)
        self._places: dict[Key, Path] = {}
        for path in sorted(self._own.glob("*.arrow")):
            try:
                self._index(path, path.read_bytes())
            except ValueError:  # half written, or by a version that laid tables out otherwise: read it again
                path.unlink()

    def __contains__(self, key: Key) -> bool:
        return key in self._places

    def add(self, data: bytes) -> None:
        """Keep the encoded tables of a batch; they are there whole or, when the machine dies meanwhile, not at all."""
        path = self._own / f"{hashlib.sha256(data).hexdigest()[:32]}.arrow"
        partial = path.with_suffix(".part")
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        self._index(path, data)

    def _index(self, path: Path, data: bytes) -> None:
        found = decode_tables(data, only=("sources",))["sources"]
        for source, sha256 in zip(found["source"].to_pylist(), found["sha256"].to_pylist(), strict=True):
            self._places[source, sha256] = path

    def tables(self, wanted: Iterable[Key]) -> Tables:
        """Return the rows of these sources, in the order of the dataset; raises `KeyError` when one is not here."""
        by_path: dict[Path, list[str]] = {}
        for key in wanted:
            by_path.setdefault(self._places[key], []).append(key[0])
        return concat_tables([select(decode_tables(path.read_bytes()), own) for path, own in by_path.items()])

    def clear(self) -> None:
        """Forget all of it, of every fingerprint, once it is published."""
        shutil.rmtree(self._all, ignore_errors=True)


def split(keys: Mapping[Key, int], size: int) -> list[list[Key]]:
    """Cut sources, in their order, into segments of at most `size` of weight, or of one source that weighs more.

    >>> split({("a", ""): 2, ("b", ""): 2, ("c", ""): 9, ("d", ""): 1}, 4)
    [[('a', ''), ('b', '')], [('c', '')], [('d', '')]]
    """
    segments: list[list[Key]] = []
    room = 0
    for key, weight in keys.items():
        if not segments or weight > room:
            segments.append([])
            room = size
        segments[-1].append(key)
        room -= weight
    return segments
