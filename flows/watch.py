"""Ingesting a file soon after it has stopped growing.

The folder is looked at again and again: what the kernel could tell of changes ends at the edge of this machine, and raw/
is often a network folder. A look reads names, sizes and times, and opens nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tasks.sources import NoRaw, snapshot

#: Size and time of each file, by its path.
Snapshot = Mapping[str, tuple[int, int]]
#: The same of the files that were alike at two looks, None of those that were not.
Settled = Mapping[str, tuple[int, int] | None]

#: Looking may take so much of the time: at a million files a look takes seconds.
SHARE = 0.05
#: After a run that failed the next comes later and later, but not later than this, in seconds.
LONGEST_PAUSE = 600.0


def settled(before: Snapshot, now: Snapshot) -> Settled:
    """Say which files were the same at two looks.

    >>> settled({"a.txt": (900, 1), "b.txt": (100, 2)}, {"a.txt": (900, 1), "b.txt": (800, 3)})
    {'a.txt': (900, 1), 'b.txt': None}
    """
    return {path: state if before.get(path) == state else None for path, state in now.items()}


def is_new(now: Settled, done: Settled | None) -> bool:
    """Say whether a run would find anything since that at `done` (None before the first): half a file is worth none.

    >>> half, whole = {"a.txt": None}, {"a.txt": (900, 1)}
    >>> is_new(half, {}), is_new(whole, {}), is_new(whole, half), is_new(whole, whole), is_new({}, whole)
    (False, True, True, False, True)
    """
    if done is None or done.keys() - now.keys():
        return True
    return any(state is not None and done.get(path) != state for path, state in now.items())


def watch(raw: Path, run: Callable[[], bool], every: float, *, wait: Callable[[float], object] = time.sleep) -> None:
    """Look at `raw` every so many seconds, and call `run` when something in it has changed and settled; never returns.

    `run` says whether it got through; if it did not, it is called again after a pause that doubles each time.
    """
    before: Snapshot | None = None
    done: Settled | None = None
    failures = 0
    while True:
        began = time.monotonic()
        try:
            seen: Snapshot | None = snapshot(raw)
        except NoRaw:  # a disk that is away for a while: what was on it is not gone
            seen = None
        pause = max(every, (time.monotonic() - began) / SHARE)
        if before is not None and seen is not None and is_new(now := settled(before, seen), done):
            if run():
                done, failures = now, 0
            else:
                failures += 1
                pause = max(pause, min(every * 2**failures, LONGEST_PAUSE))
        before = seen
        wait(pause)
