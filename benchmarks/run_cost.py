"""What does a run cost beside reading itself? `python -m benchmarks.run_cost [--articles 1000]`.

Processor time of a whole `wenliu run` over wrapped text articles, children and Prefect's server included and the
start-up of Prefect and Great Expectations taken off, over that of reading, reflowing and segmenting the same articles
in one process with the same functions. Start-up has figures of its own. All are processor seconds, which a busy machine
changes little; the ratio is judged.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.typesetting.articles import CORPUS, load_stories, texts_of
from benchmarks.typesetting.wrap import break_lines

ROOT = Path(__file__).parent.parent
#: A whole run may cost this much more than reading alone.
RATIO = 1.5
#: What start-up may take, in seconds by the clock: `wenliu --help`, and a run with nothing new.
HELP_SECONDS, NOTHING_NEW_SECONDS = 0.5, 3.0

ALONE = """
import sys
from pathlib import Path
from tasks.article import process
from tasks.document import Source

for path in sorted(Path(sys.argv[1]).iterdir()):
    document = process(Source(path.name, str(path), path.stat().st_size, ""))
    assert document.articles, document.rejects
"""

#: What Prefect and Great Expectations cost before they do anything for us: a flow, and a check, of nothing.
PREFECT = """
import flows
from prefect import flow, task
from prefect.artifacts import create_markdown_artifact


@flow
def nothing() -> None:
    create_markdown_artifact("nothing", key="nothing")


nothing()
"""
GREAT_EXPECTATIONS = """
import great_expectations as gx
import pandas

context = gx.get_context(mode="ephemeral")
batch = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
suite = gx.ExpectationSuite(name="s", expectations=[gx.expectations.ExpectColumnValuesToNotBeNull(column="c")])
batch.get_batch({"dataframe": pandas.DataFrame({"c": [1]})}).validate(suite)
"""


def articles(corpus: Path, count: int, rng: random.Random) -> Iterator[str]:
    """Yield articles as hard-wrapped texts, no two alike: stories' paragraphs in other orders, in columns of other widths."""
    for story in itertools.islice(itertools.cycle(load_stories(corpus)), count):
        width = rng.randint(18, 36)
        texts = texts_of(story)
        rng.shuffle(texts)
        lines = [story["title"]]
        for text in texts:
            lines += break_lines("\u3000\u3000" + text, lambda _: width)  # noqa: B023 - called at once
        yield "\n".join(lines) + "\n"


def cost(*command: str, here: Path) -> tuple[float, float]:
    """Run a command; return the processor seconds of it and its children, and the seconds by the clock."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=here,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "PREFECT_HOME": str(here / "prefect"), "GX_ANALYTICS_ENABLED": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)[:80]}: exit code {ended.returncode}\n{ended.stderr}")
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, seconds


def least(*commands: tuple[str, ...], here: Path) -> tuple[float, float]:
    """Return what the cheapest of these commands costs: what a busy machine adds, it does not add to all of them."""
    return min(cost(*command, here=here) for command in commands)


def measure(corpus: Path, count: int) -> dict[str, tuple[float, float]]:
    """Return processor seconds and seconds by the clock of each thing measured."""
    wenliu = ("-c", "from flows.cli import main; main()")
    with tempfile.TemporaryDirectory(prefix="wenliu-run-cost-") as scratch:
        here = Path(scratch)
        (here / "raw").mkdir()
        for number, text in enumerate(articles(corpus, count, random.Random(7))):
            (here / "raw" / f"{number:05d}.txt").write_text(text, encoding="utf-8")
        time.sleep(2.5)  # else the files are too young for their hashes to be remembered
        found = {"Prefect's first start": cost("-c", PREFECT, here=here)}  # makes its database
        found["Prefect's start"] = least(("-c", PREFECT), ("-c", PREFECT), here=here)
        found["Great Expectations' start"] = least(("-c", GREAT_EXPECTATIONS), ("-c", GREAT_EXPECTATIONS), here=here)
        found["reading alone"] = least(("-c", ALONE, "raw"), ("-c", ALONE, "raw"), here=here)
        found["wenliu run"] = least(
            (*wenliu, "run", "--processed", "other"), (*wenliu, "run"), (*wenliu, "run", "--full"), here=here
        )
        found["wenliu run, nothing new"] = cost(*wenliu, "run", here=here)
        found["wenliu --help"] = cost(*wenliu, "--help", here=here)
    return found


def main() -> int:
    """Print the figures; return 1 when one of them is worse than it may be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="JSON lines with title and paragraphs")
    given = parser.parse_args()
    count = given.articles
    found = measure(given.corpus, count)
    print(f"{'':<28}{'CPU s':>8}{'clock s':>9}")
    for name, (processor, clock) in found.items():
        print(f"{name:<28}{processor:8.2f}{clock:9.2f}")
    start = found["Prefect's start"][0] + found["Great Expectations' start"][0]
    ratio = (found["wenliu run"][0] - start) / found["reading alone"][0]
    print(f"\na run over {count:,} articles costs {ratio:.2f} times the CPU of reading them alone (at most {RATIO})")
    late = found["wenliu --help"][1] > HELP_SECONDS or found["wenliu run, nothing new"][1] > NOTHING_NEW_SECONDS
    if late:
        print(f"start-up takes too long: --help at most {HELP_SECONDS} s, nothing new at most {NOTHING_NEW_SECONDS} s")
    return int(ratio > RATIO or late)


if __name__ == "__main__":
    sys.exit(main())
