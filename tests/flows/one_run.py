"""A run as a program of its own, `python one_run.py NOW`: it names each stage on stdout, and goes on when told to."""

import sys
from datetime import datetime

from flows import pipeline
from flows.settings import load


def watch(stage: str, done: int, total: int) -> None:
    """Wait for a line, or the end, of stdin."""
    if done == 0:
        print(stage, flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    print(pipeline.run(load(), watch=watch, now=datetime.fromisoformat(sys.argv[1])).headline)
