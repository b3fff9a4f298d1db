"""What a run cost: the seconds of each stage, and what the machine gave for them.

Clocks are read here and in nothing that makes rows; the figures go into `release.json`, never into a table.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.read import Reading
    from tasks.release import Staging

#: The stages of a document, timed where it is read and added up over the workers; the others are timed by the run.
OF_A_DOCUMENT = ("read", "reflow", "segment", "tables")


class Stopwatch:
    """Adds up the seconds of each stage: entering one leaves the one before.

    >>> ticks = iter([0.0, 2.0, 5.0])
    >>> watch = Stopwatch(lambda: next(ticks))
    >>> watch.enter("read")
    >>> watch.enter("reflow")
    >>> watch.seconds
    {'read': 2.0, 'reflow': 3.0}
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._seconds: dict[str, float] = {}
        self._stage: str | None = None
        self._since = 0.0

    def enter(self, stage: str | None) -> None:
        """Leave the stage before, if there was one, and begin this one."""
        now = self._clock()
        if self._stage is not None:
            self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now

    @property
    def seconds(self) -> dict[str, float]:
        """The seconds of each stage so far, the one that goes on included."""
        self.enter(self._stage)
        return dict(self._seconds)


def add_up(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Add seconds by stage to each other.

    >>> add_up([{"read": 1.0}, {"read": 0.5, "reflow": 2.0}])
    {'read': 1.5, 'reflow': 2.0}
    """
    total: dict[str, float] = {}
    for seconds in parts:
        for stage, spent in seconds.items():
            total[stage] = total.get(stage, 0.0) + spent
    return total


def rates(seconds: Mapping[str, float], documents: int) -> dict[str, dict[str, float]]:
    """Return for each stage its documents, its seconds, and how many documents it did in one of them.

    >>> rates({"read": 2.0}, 100)
    {'read': {'documents': 100, 'seconds': 2.0, 'documents_per_second': 50.0}}
    """
    return {
        stage: {
            "documents": documents,
            "seconds": round(spent, 3),
            "documents_per_second": round(documents / spent, 1) if spent else 0.0,
        }
        for stage, spent in seconds.items()
    }


def sentence(figures: Mapping[str, Any]) -> str:
    """Say in one line what `Cost.figures` returns.

    >>> memory, size = {"run": 410_000_000, "readers": 380_000_000}, {"read": 2_300_000, "written": 900_000}
    >>> counts = {"documents": 100, "seconds": 4.0, "processor_seconds": 6.5}
    >>> sentence({**counts, "peak_memory": memory, "bytes": size})
    '100 files read in 4.0 s (6.5 s of processors): 2.3 MB in, 0.9 MB out; peak memory 410 MB, of a reader 380 MB'
    """
    size, memory = figures["bytes"], figures["peak_memory"]
    return (
        f"{figures['documents']:,} file{'s' if figures['documents'] != 1 else ''} read in {figures['seconds']:,.1f} s "
        f"({figures['processor_seconds']:,.1f} s of processors): "
        f"{size['read'] / 1e6:,.1f} MB in, {size['written'] / 1e6:,.1f} MB out; "
        f"peak memory {memory['run'] / 1e6:,.0f} MB, of a reader {memory['readers'] / 1e6:,.0f} MB"
    )


def processor_seconds() -> float:
    """Return the processor time of this process and of those of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def peak_memory() -> dict[str, int]:
    """Return the most memory, in bytes, that this process held, and that the largest of its ended children did."""
    unit = 1 if sys.platform == "darwin" else 1024
    whose = {"run": resource.RUSAGE_SELF, "readers": resource.RUSAGE_CHILDREN}
    return {name: resource.getrusage(who).ru_maxrss * unit for name, who in whose.items()}


class Cost:
    """What a run costs, from when this is made: `stages` is told where it is."""

    def __init__(self) -> None:
        self.stages = Stopwatch()
        self._began = time.perf_counter()
        self._processor = processor_seconds()

    def figures(self, reading: Reading, staging: Staging) -> dict[str, Any]:
        """Return the cost so far: seconds by the clock, those of a document's stages added up over the workers.

        `weight` is what was read, in bytes of text that take as long; `bytes` what raw files and new parts hold.
        """
        read, released = len(reading.now), len(reading.fresh)
        by_stage = self.stages.seconds
        parent = staging.store.parent
        known = {part.path for s in parent.segments for part in s.parts.values()} if parent else set()
        parts = {part for s in staging.segments for part in s.parts.values() if part.path not in known}
        return {
            "seconds": round(time.perf_counter() - self._began, 3),
            "processor_seconds": round(processor_seconds() - self._processor, 3),
            "documents": read,
            "weight": reading.weight,
            "bytes": {"read": sum(s.bytes for s in reading.now), "written": sum(part.bytes for part in parts)},
            "peak_memory": peak_memory(),
            "stages": rates(by_stage, released) | rates(reading.seconds, read),
        }
