"""Can hostile files harm good ones? `python -m benchmarks.hostile [DIR ...]`.

Makes a hundred good articles, runs the main job over them alone, then over them among all files of the directories
given, or some of our own, and compares every row of the good ones. Prints one named outcome for each hostile file and how long the run
took; fails when a good row differs, a hostile file has no outcome, or the run takes too long.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.run_cost import articles
from benchmarks.typesetting.articles import CORPUS
from flows import pipeline
from flows.batch import page_of
from flows.console import visible
from flows.settings import load
from tasks import release
from tasks.dataset import SCHEMAS
from tasks.sources import discover

GOOD = "good"
#: How long all of it may take on two cores, in seconds.
AT_MOST = 600


def run(raw: Path, processed: Path) -> release.Release:
    """Run the main job, without Prefect, and return what it published; of this many files most may be rejected."""
    settings = load(raw=raw, processed=processed, expectations={"published_share": 0.0})
    outcome = pipeline.run(settings)
    if outcome.status != "published":
        raise SystemExit(outcome.headline)
    return release.open_release(processed)


def rows_of_good(published: release.Release) -> dict[str, str]:
    """Return, for each good source, a hash over all its rows in all tables."""
    articles = published.table("articles", ["article_id", "source"]).to_pylist()
    owner = {row["article_id"]: row["source"] for row in articles if row["source"].startswith(f"{GOOD}/")}
    digests = {source: hashlib.sha256() for source in owner.values()}
    for name, schema in SCHEMAS.items():
        key = "source" if "source" in schema.names else "article_id"
        table = published.table(name)
        for row in table.filter(pc.is_in(table[key], pa.array(digests if key == "source" else owner))).to_pylist():
            digest = digests[row["source"] if key == "source" else owner[row[key]]]
            digest.update(json.dumps([name, row], default=str, sort_keys=True).encode())
    return {source: digest.hexdigest() for source, digest in digests.items()}


def outcomes(published: release.Release, raw: Path) -> dict[str, str]:
    """Say what became of everything that lies under `raw` and is not ours: published, rejected by which check, ignored."""
    found = discover(raw)
    rejects: dict[str, list[str]] = {}
    for row in published.table("rejects", ["source", "stage", "check"]).to_pylist():
        rejects.setdefault(row["source"], []).append(f"{row['stage']}: {row['check']}")
    said = {
        row["source"]: " ".join([row["status"], *sorted(set(rejects.get(row["source"], [])))])
        for row in published.table("sources", ["source", "status"]).to_pylist()
    }
    everything = dict.fromkeys((source.source for source in found.sources), "") | dict(found.ignored)
    return {
        source: said.get(source) or (f"ignored: {reason}" if reason else "")
        for source, reason in sorted(everything.items())
        if not source.startswith(f"{GOOD}/")
    }


def main() -> int:
    """Print what became of each file; return 1 when something is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directories", type=Path, nargs="*", metavar="DIR")
    parser.add_argument("--good", type=int, default=100, help="how many good articles")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wenliu-hostile-") as scratch:
        here = Path(scratch)
        (here / "raw" / GOOD).mkdir(parents=True)
        for number, text in enumerate(articles(CORPUS, given.good, random.Random(11))):
            (here / "raw" / GOOD / f"{number:03d}.txt").write_text(text, encoding="utf-8")
        clean = rows_of_good(run(here / "raw", here / "clean"))
        for number, directory in enumerate(given.directories or [_ours(here / "ours")]):
            shutil.copytree(directory, here / "raw" / f"hostile-{number}", symlinks=True, copy_function=_copy)
        began = time.monotonic()
        published = run(here / "raw", here / "processed")
        seconds = time.monotonic() - began
        mixed = rows_of_good(published)
        named = outcomes(published, here / "raw")
    for source, outcome in named.items():
        print(f"{visible(source):<60} {outcome or 'NO OUTCOME'}")
    same = sum(mixed.get(source) == digest for source, digest in clean.items())
    told = sum(map(bool, named.values()))
    print(f"\n{same} of {given.good} good sources are the same, byte for byte, as in a clean run")
    print(f"{told} of {len(named)} hostile files have a named outcome")
    print(
        f"{seconds:.0f} s by the clock (at most {AT_MOST}), {os.times().children_user:.0f} s of processor in children"
    )
    return int(same < given.good or told < len(named) or seconds > AT_MOST)


def _ours(place: Path) -> Path:
    """Write a dozen hostile files, and return the directory."""
    page = page_of("桥\n" * 9)
    files = {
        "empty.txt": b"",
        "noise.txt": random.Random(1).randbytes(100_000),
        "nul.txt": "河\0水\n".encode() * 9,
        "escapes.txt": "\x1b]0;x\x07\x1b[2J河水涨了。\n".encode(),
        "private.txt": "河\ue000水\ufffd涨了。\n".encode(),
        "million.txt": "河".encode() * 1_000_000,
        "lines.txt": "河\n".encode() * 600_000,
        "archive.txt": b"PK\x03\x04 and so on",
        "half.pdf": page[: len(page) // 2],
        "loop.pdf": page.replace(b"4 0 obj<<", b"4 0 obj 4 0 R endobj 9 0 obj<<"),
        "count.pdf": page.replace(b"/Count 1", b"/Count 1000000"),
        "widths.pdf": page.replace(b"/DW 1000", b"/DW 1000/W[0 2000000000 500]"),
        "\x1b[31m<b>\n.txt": "桥通了。\n".encode(),
    }
    place.mkdir()
    for name, data in files.items():
        (place / name).write_bytes(data)
    os.mkfifo(place / "pipe.txt")
    (place / "link.txt").symlink_to("/etc/hostname")
    return place


def _copy(old: str, new: str) -> None:
    """Copy a file, or make its like: a pipe cannot be copied."""
    if Path(old).is_fifo():
        os.mkfifo(new)
    else:
        shutil.copyfile(old, new)


if __name__ == "__main__":
    sys.exit(main())
