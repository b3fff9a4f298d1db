"""Reading what a job names: sources are taken in, handed to the guard in batches, and kept as they come back.

A batch is big enough that starting and recording it costs little, and small enough that a killed run loses seconds.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from flows.finished import Finished
from flows.metrics import OF_A_DOCUMENT, add_up
from flows.settings import WrongSettings
from tasks.dataset import build_tables, decode_seconds, decode_tables, encode_tables
from tasks.document import Document, Source, Unreadable
from tasks.guard import Guard, Limits
from tasks.sources import kinds_in, kinds_of
from tasks.spool import Unsettled, promise, take

if TYPE_CHECKING:
    from flows.job import Job
    from flows.pipeline import Steps, Watch
    from flows.settings import Settings
    from tasks.instructions import Instructions
    from tasks.sources import Fingerprint

#: What runs in the guard's children.
WORK, WARM = "flows.batch:work", "flows.batch:warm"
#: A byte of a PDF takes far longer to read than one of a text.
PDF_WEIGHT = 8
#: At least so many batches for each worker, so that none idles at the end, unless they would be smaller than this: what
#: a child finds out anew in its first texts costs more than a second child gains.
BATCHES_PER_WORKER, SMALLEST_BATCH = 2, 256 * 1024
#: The hash of no bytes, for sources none could be had of: when one can be opened, its hash is another, and it is read.
NOTHING = hashlib.sha256().hexdigest()


class Progress(NamedTuple):
    """A batch that is done: its sources, those of them that changed meanwhile and must wait, and each stage's seconds."""

    sources: Sequence[Source]
    unsettled: Sequence[str]
    seconds: Mapping[str, float]


class Reading(NamedTuple):
    """What came of reading a job.

    `fresh` are the sources read, now or by a run that was killed, with the characters of each; `unsettled` those that
    have to wait since they changed meanwhile; `now` those that this run itself has read, in `seconds` by stage.
    """

    finished: Finished
    fresh: dict[str, int]
    unsettled: list[str]
    now: list[Source]
    seconds: Mapping[str, float]

    @property
    def weight(self) -> int:
        """What this run itself has read, in bytes of text that take as long."""
        return sum(weight(source) for source in self.now)


@dataclass(frozen=True, slots=True)
class BatchReader:
    """Reads one batch after the other, from several threads at once."""

    raw: Path
    work: Path
    job: Job
    guard: Guard[bytes]
    finished: Finished

    def __call__(self, batch: Sequence[Source]) -> Progress:
        """Read a batch, keep what came of it, and tell what it took."""
        taken: list[Source] = []
        rejected: list[Document] = []
        unsettled: list[str] = []
        most = self.guard.limits[""].memory_bytes  # who reads it holds all of it
        spool = Path(tempfile.mkdtemp(dir=self.work, prefix="spool-"))
        try:
            for source in batch:
                try:
                    copy = take(self.raw, str(Path(source.path).relative_to(self.raw)), spool, most)
                    taken.append(Source(source.source, copy.path, copy.bytes, copy.sha256))
                except Unsettled:
                    unsettled.append(source.source)
                except Unreadable as error:
                    rejected.append(Document(replace(source, sha256=NOTHING), rejects=(error.reject,)))
            done = self.guard.run(taken) if taken else None
        finally:
            shutil.rmtree(spool, ignore_errors=True)
        results = done.results if done else ()
        for result in results:
            self.finished.add(result)
        rejected += done.rejected if done else ()
        if rejected:
            own = {d.source.source: self.job.fingerprint_of(d.source, kinds_of(d)) for d in rejected}
            self.finished.add(encode_tables(build_tables(rejected, self.job.fingerprint.value, own)))
        return Progress(batch, unsettled, add_up(decode_seconds(result, OF_A_DOCUMENT) for result in results))


def read(settings: Settings, job: Job, steps: Steps, watch: Watch) -> Reading:
    """Read what the job names and no killed run has read before."""
    work = settings.processed / ".work"
    _sweep(work)
    finished = Finished(work, job.fingerprint.value)
    left = [
        s
        for s in job.plan.todo
        if (found := finished.sources.get(s.source)) is None
        or found.sha256 != s.sha256
        or found.fingerprint != job.fingerprint_of(s, kinds_in(found.fingerprint))
    ]
    unsettled: list[str] = []
    seconds: dict[str, float] = {}
    if left:
        done, total = len(job.plan.todo) - len(left), len(job.plan.todo)
        watch("reading", done, total)
        pdf = any(is_pdf(source) for source in left)
        with open_guard(settings, job.instructions, job.fingerprint, pdf=pdf) as guard:
            reader = BatchReader(settings.raw, work, job, guard, finished)
            size = batch_size(left, settings)
            for batch in steps.each("read", reader, list(batches(left, size)), settings.workers):
                done += len(batch.sources)
                unsettled += batch.unsettled
                seconds = add_up([seconds, batch.seconds])
                watch("reading", done, total)
        _sweep(work)  # what a disk that failed for a moment has kept
    late = set(unsettled)
    fresh = {s.source: finished.sources[s.source].chars for s in job.plan.todo if s.source not in late}
    return Reading(finished, fresh, unsettled, [s for s in left if s.source not in late], seconds)


def _sweep(work: Path) -> None:
    """Remove the private copies that no run reads any more."""
    for dead in work.glob("spool-*"):
        shutil.rmtree(dead, ignore_errors=True)


def open_guard(
    settings: Settings, instructions: Instructions, fingerprint: Fingerprint, *, pdf: bool = True
) -> Guard[bytes]:
    """Return the guard that reads sources by these instructions; `WrongSettings` where the dictionary is none.

    Without `pdf`, what reads PDFs is not loaded beforehand: a child that meets one all the same loads it then.
    """
    from tasks.segment import Dictionary

    if instructions.options.dictionary:
        try:
            Dictionary.load(instructions.options.dictionary)
        except ValueError as error:
            raise WrongSettings(str(error)) from None
    return Guard(
        WORK,
        {"instructions": instructions.dump(), "fingerprint": dict(fingerprint.parts), "pdf": pdf},
        decode,
        warm=WARM,
        **limits(settings),
        workers=settings.workers,
    )


def limits(settings: Settings) -> dict[str, Any]:
    """Return the guard's limits: the usual ones, and those of a child that reads scans."""
    given = settings.limits
    usual = Limits(given.cpu_seconds, given.memory_bytes, given.output_bytes, given.wall_factor)
    scans = replace(usual, cpu_seconds=given.ocr_cpu_seconds, memory_bytes=given.ocr_memory_bytes)
    return {"limits": usual, "kinds": {"ocr": scans}}


def decode(data: bytes, sources: Sequence[Source]) -> bytes:
    """Return a child's bytes if they are the tables of these very sources; raise `ValueError` otherwise."""
    found = decode_tables(data)["sources"].select(["source", "sha256"]).to_pylist()
    if found != [{"source": s.source, "sha256": s.sha256} for s in sorted(sources, key=lambda s: s.source)]:
        raise ValueError("not the sources that were handed out")
    decode_seconds(data, OF_A_DOCUMENT)
    return data


def batch_size(sources: Iterable[Source], settings: Settings) -> int:
    """Return the bytes of text that make a batch: those of the settings, or fewer where there is little to do."""
    share = sum(weight(source) for source in sources) // (settings.workers * BATCHES_PER_WORKER)
    return min(settings.batch_bytes, max(share, SMALLEST_BATCH))


def weight(source: Source) -> int:
    """Return what a source costs to read, in bytes of text."""
    is_image = (promise(source.source) or "").startswith("image/")
    return source.bytes * (PDF_WEIGHT if is_pdf(source) or is_image else 1)


def is_pdf(source: Source) -> bool:
    """Tell whether a source's name promises a PDF; what it really is, its bytes will show."""
    return promise(source.source) == "application/pdf"


def batches(sources: Iterable[Source], size: int) -> Iterator[tuple[Source, ...]]:
    """Cut sources, in their order, into batches of about `size` bytes of text.

    >>> [len(batch) for batch in batches([Source(f"{n}.txt", "", 400, "") for n in range(5)], 1000)]
    [2, 2, 1]
    """
    batch: list[Source] = []
    room = size
    for source in sources:
        if batch and weight(source) > room:
            yield tuple(batch)
            batch, room = [], size
        batch.append(source)
        room -= weight(source)
    if batch:
        yield tuple(batch)
