"""How fast lines become articles: `python -m benchmarks.reading_speed [FILE ...]`.

Each FILE is a text or a PDF; without any, the samples are read. Texts are told in lines and characters a second, in all
and for the labeller alone; pages as a ratio to `pdfplumber.extract_text` on the same file, in the same run.
"""

from __future__ import annotations

import io
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pdfplumber

from tasks.document import Reading, Unreadable
from tasks.read.pdf import read_pdf
from tasks.read.text import read_text
from tasks.reflow import arrange, reflow
from tasks.reflow.labels import label_rows
from tasks.reflow.rows import Row

SAMPLES = Path(__file__).parents[1] / "raw" / "samples"
ROUNDS = 5
T = TypeVar("T")


def cpu_seconds(work: Callable[[T], object], items: list[T]) -> float:
    """Return the processor time that `work` takes over the items, at best."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for item in items:
            work(item)
        best = min(best, time.process_time() - start)
    return best


def extract_text(data: bytes) -> None:
    """Do what most programs do with a page."""
    with pdfplumber.open(io.BytesIO(data)) as document:
        for page in document.pages:
            page.extract_text()


def readable(paths: list[Path]) -> tuple[list[bytes], list[bytes]]:
    """Return the bytes of the texts and of the PDFs among the files that can be read."""
    texts: list[bytes] = []
    pages: list[bytes] = []
    for path in paths:
        data = path.read_bytes()
        try:
            (read_pdf if data.startswith(b"%PDF") else read_text)(data)
        except Unreadable:
            continue
        (pages if data.startswith(b"%PDF") else texts).append(data)
    return texts, pages


def running(reading: Reading) -> list[Row]:
    """Return the rows that are labelled."""
    return [row for row in arrange(reading) if not row.aside]


def main() -> None:
    """Print the figures."""
    logging.getLogger("pdfminer").setLevel(logging.ERROR)
    texts, pages = readable([Path(p) for p in sys.argv[1:]] or sorted(SAMPLES.iterdir()))
    if texts:
        readings = [read_text(data) for data in texts]
        rows = [running(reading) for reading in readings]
        lines, characters = sum(map(len, rows)), sum(reading.n_chars for reading in readings)
        whole = cpu_seconds(lambda data: reflow(read_text(data)), texts)
        labels = cpu_seconds(label_rows, rows)
        print(f"{len(texts)} texts: {lines / whole:,.0f} lines/s, {characters / whole:,.0f} characters/s")
        print(f"labelling alone: {lines / labels:,.0f} lines/s")
    if pages:
        ours, theirs = cpu_seconds(lambda data: reflow(read_pdf(data)), pages), cpu_seconds(extract_text, pages)
        print(f"{len(pages)} PDFs: {theirs / ours:.2f} times as fast as pdfplumber's extract_text")


if __name__ == "__main__":
    main()
