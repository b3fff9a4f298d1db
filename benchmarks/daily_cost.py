"""What does a day's drop cost once there are 10,000 articles? `python -m benchmarks.daily_cost [--articles 10000]`.

Makes that many articles and has them read, then drops 1 % new ones three times, corrects a single source, and in the end
drops half as many again and has all of it judged anew. Processor seconds are those of the main job, its children included,
without Prefect and with Great Expectations started before; those of a drop are held against those of the first run, the
checks against the run that they are part of. What a release wrote is held against the rows that it brought, the memory of
the largest process against a gigabyte.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.run_cost import GREAT_EXPECTATIONS, articles, cost
from benchmarks.typesetting.articles import CORPUS
from flows.metrics import peak_memory
from tasks import dataset, release
from tasks.release import Release, Segment

#: What a drop of 1 % may cost of the first run's processor time, and write of its own rows' bytes.
DROP_SHARE, WRITTEN = 0.05, 2.0
#: What the checks, with the counting of what they judge, may cost of a run.
CHECKS_SHARE = 0.15
#: What the largest process may take, in bytes, while so many tokens are judged.
MEMORY, TOKENS = 1 << 30, 5_000_000
DAYS = 3

#: A run as the command makes it: first is there anything to do, then the main job.
RUN = (
    GREAT_EXPECTATIONS
    + """
import gc
import json
import time

import tasks.quality
from flows import pipeline
from flows.job import plan
from flows.metrics import processor_seconds
from flows.settings import load

checks = 0.0


def timed(step):
    def run(*arguments):
        global checks
        began = time.process_time()
        result = step(*arguments)
        checks += time.process_time() - began
        return result

    return run


class Timed(pipeline.InThreads):
    def once(self, name, step):
        return timed(step)() if name == "check" else step()


tasks.quality.quality = timed(tasks.quality.quality)
gc.collect()
gc.freeze()  # the command has not loaded Great Expectations yet when it begins, nor would it look through all of that
began = processor_seconds()
assert not plan(load()).is_empty
assert pipeline.run(load(), steps=Timed()).status == "published"
with open("cost.json", "w") as file:
    json.dump([processor_seconds() - began, checks], file)
"""
)


def run(here: Path) -> tuple[float, float]:
    """Run once, and return the processor seconds of the run and those of its checks."""
    cost("-c", RUN, here=here)
    seconds, checks = json.loads((here / "cost.json").read_bytes())
    return seconds, checks


def drop(texts: Iterator[str], raw: Path, name: str, count: int) -> list[str]:
    """Write the next so many articles into a folder of the paper, and return the names of the sources."""
    (raw / "daily" / name).mkdir(parents=True)
    sources = [f"daily/{name}/{number:05d}.txt" for number in range(count)]
    for source in sources:
        (raw / source).write_text(next(texts), encoding="utf-8")
    time.sleep(2.5)  # else the files are too young for their hashes to be remembered
    return sources


def written(new: Release) -> tuple[list[Segment], int]:
    """Return the segments of the current release that its parent has not, and the bytes of their parts that are new."""
    parent = release.open_release(new.path.parents[1], new.manifest["parent"])
    had = {part.path for segment in parent.segments for part in segment.parts.values()}
    parts = {segment.number: [p for p in segment.parts.values() if p.path not in had] for segment in new.segments}
    segments = [segment for segment in new.segments if parts[segment.number]]
    return segments, sum(part.bytes for found in parts.values() for part in found)


def own_bytes(new: Release, sources: list[str]) -> int:
    """Return the bytes of Parquet that the rows of these sources make by themselves."""
    rows = dataset.select({name: new.table(name) for name in dataset.SCHEMAS}, sources)
    return sum(len(release.encode_part(name, table)) for name, table in rows.items())


def main() -> int:
    """Print the figures; return 1 when one of them is worse than it may be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=10_000)
    count = parser.parse_args().articles
    texts = itertools.chain.from_iterable(articles(CORPUS, 1_000, random.Random(seed)) for seed in itertools.count())
    with tempfile.TemporaryDirectory(prefix="wenliu-daily-cost-") as scratch:
        here = Path(scratch)
        raw, processed = here / "raw", here / "processed"
        drop(texts, raw, "before", count)
        first, checks = run(here)
        print(f"the first {count:,}: {first:.2f} s of processor, {checks:.2f} of them for the checks")

        drops = []
        for day in range(DAYS):
            sources = drop(texts, raw, f"day-{day}", count // 100)
            seconds, _ = run(here)
            new = release.open_release(processed)
            wrote, own = written(new)[1], own_bytes(new, sources)
            drops.append((seconds / first, wrote / own))
            print(f"a drop of {len(sources)}: {seconds:.2f} s of processor; {wrote:,} bytes for rows of {own:,}")

        (raw / sources[0]).write_text(next(texts), encoding="utf-8")
        seconds, _ = run(here)
        again, wrote = written(release.open_release(processed))
        told = f"{len(again)} segment of {again[0].sources} sources, {wrote:,} bytes"
        print(f"a corrected source: {seconds:.2f} s of processor; {told}")

        drop(texts, raw, "after", count // 2)
        (here / "wenliu.toml").write_text("[expectations]\nconfidence = 0.45\n", encoding="utf-8")
        run(here)
        tokens = release.open_release(processed).manifest["tables"]["tokens"]["rows"]
        peak = peak_memory()["readers"]

    found = {
        "of a first run's processor time for a drop": (min(share for share, _ in drops), DROP_SHARE),
        "times its rows' bytes written by a drop": (max(ratio for _, ratio in drops), WRITTEN),
        "segments written again by a corrected source": (len(again), 1),
        "of a run's processor time for the checks": (checks / first, CHECKS_SHARE),
        f"GiB for the largest process, {tokens:,} tokens judged": (peak / MEMORY, 1.0),
    }
    print()
    for name, (value, at_most) in found.items():
        print(f"{value:6.3f} {name} (at most {at_most})")
    return int(any(value > at_most for value, at_most in found.values()) or (count >= 10_000 and tokens < TOKENS))


if __name__ == "__main__":
    sys.exit(main())
