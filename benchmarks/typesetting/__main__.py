"""Write a set of cases: `python -m benchmarks.typesetting STORIES.jsonl DIRECTORY --count 60 --seed 1`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.typesetting.articles import load_stories
from benchmarks.typesetting.browser import Chromium
from benchmarks.typesetting.cases import make_cases


def main() -> None:
    """Write DIRECTORY/raw/* and DIRECTORY/gold.jsonl."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.typesetting", description=__doc__)
    parser.add_argument("stories", type=Path, help="JSON lines with title, paragraphs and date")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    raw = args.directory / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    with Chromium() as browser, (args.directory / "gold.jsonl").open("w", encoding="utf-8") as golds:
        for name, data, gold in make_cases(load_stories(args.stories), args.count, args.seed, browser):
            (raw / name).write_bytes(data)
            golds.write(json.dumps(gold, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
