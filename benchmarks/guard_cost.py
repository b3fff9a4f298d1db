"""What does it cost that documents are read in children that may die? `python -m benchmarks.guard_cost`.

Processor time of reading the same sources twice with the same function: in batches by the guard, start-up taken off,
and in this process without it. Small texts share a child, each PDF has its own. Processor seconds change little on a
busy machine; the ratio is judged, the best of some rounds.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.run_cost import ROOT, articles
from benchmarks.typesetting.articles import CORPUS
from flows.batch import warm, work
from flows.metrics import processor_seconds
from flows.read import WARM, WORK, batches, decode
from flows.settings import Settings
from tasks.document import Source
from tasks.guard import Guard, Limits
from tasks.instructions import Instructions
from tasks.spool import take

#: With the guard reading may cost so many times what it costs without.
TEXTS_AT_MOST, PDFS_AT_MOST = 1.05, 1.20
SETTINGS: dict[str, Any] = {"instructions": Instructions().dump(), "fingerprint": {}, "pdf": True}


def guarded(jobs: Sequence[Sequence[Source]]) -> float:
    """Return the processor seconds of having the guard read these batches, its start-up included."""
    began = processor_seconds()
    with Guard(WORK, SETTINGS, decode, warm=WARM, workers=1) as guard:
        for job in jobs:
            if rejected := guard.run(job).rejected:
                raise RuntimeError(rejected[0].rejects[0].message)
    return processor_seconds() - began


def bare(jobs: Sequence[Sequence[Source]]) -> float:
    """Return the processor seconds of reading them here."""
    gc.collect()
    began = processor_seconds()
    for job in jobs:
        work(job, SETTINGS, ())
    return processor_seconds() - began


def ratio(name: str, jobs: Sequence[Sequence[Source]], rounds: int) -> float:
    """Print what the batches cost with and without the guard, and return the ratio."""
    # In turn, so that whatever else the machine does meanwhile slows all of them.
    measured = [(guarded([]), guarded(jobs), bare(jobs)) for _ in range(rounds)]
    start, with_start, without = (min(seconds[n] for seconds in measured) for n in range(3))
    with_guard = with_start - start
    sources = sum(map(len, jobs))
    print(
        f"{name:<6}{sources:>8,}{len(jobs):>9,}{start:>9.2f}{with_guard:>9.2f}{without:>9.2f}{with_guard / without:>8.3f}"
    )
    return with_guard / without


def main() -> int:
    """Print the figures; return 1 when one of them is worse than it may be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--pages", type=int, default=5, help="how often each sample page is read")
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wenliu-guard-cost-") as scratch:
        raw, spool = Path(scratch, "raw"), Path(scratch, "spool")
        raw.mkdir()
        spool.mkdir()
        for number, text in enumerate(articles(CORPUS, given.articles, random.Random(5))):
            (raw / f"{number:05d}.txt").write_text(text, encoding="utf-8")
        texts = [_taken(raw, path.name, spool) for path in sorted(raw.iterdir())]
        samples = ROOT / "raw" / "samples"
        pages = [_taken(samples, name, spool) for name in ("newspaper-page.pdf", "vertical-page.pdf")] * given.pages
        warm(SETTINGS)
        print(f"{'':<6}{'sources':>8}{'batches':>9}{'start s':>9}{'with s':>9}{'without':>9}{'ratio':>8}")
        of_texts = ratio("texts", list(batches(texts, Settings().batch_bytes)), given.rounds)
        of_pages = ratio("PDFs", [[page] for page in pages], given.rounds)
    print(f"\nat most {TEXTS_AT_MOST} for texts, {PDFS_AT_MOST} for PDFs")
    return int(of_texts > TEXTS_AT_MOST or of_pages > PDFS_AT_MOST)


def _taken(root: Path, name: str, spool: Path) -> Source:
    copy = take(root, name, spool, Limits().memory_bytes)
    return Source(name, copy.path, copy.bytes, copy.sha256)


if __name__ == "__main__":
    sys.exit(main())
