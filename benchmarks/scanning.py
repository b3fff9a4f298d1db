"""How well are scans read? `python -m benchmarks.scanning [--set DIRECTORY] [--dpi 150 200 300] [--old]`.

The shipped sample pages, or the PDFs of a set (raw/ and gold.jsonl, as `benchmarks.typesetting` writes them), become
pictures as a scanner makes them, are read with the extra `ocr`, and scored (`benchmarks.score`). With --old the scanner is
an old one: the page lies askew, is blurred and speckled, and saved as a JPEG of poor quality.
"""

from __future__ import annotations

import argparse
import io
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdfium2
from PIL import Image, ImageFilter

from benchmarks.reading_quality import SAMPLES, SAMPLES_GOLD, as_case, kept_set, table
from benchmarks.score import Case, count, figures
from tasks.article import process
from tasks.document import Source
from tasks.instructions import Options
from tasks.read.ocr import is_installed

#: What an old scanner does: degrees askew, pixels of blur, grey levels of noise, quality of its JPEG.
SKEW, BLUR, NOISE, QUALITY = 1.3, 0.7, 14.0, 50


def scan(data: bytes, dpi: int = 200, *, old: bool = False) -> bytes:
    """Return a PDF with the pages of another as pictures, as a scanner makes them; the same every time."""
    pictures = [as_scanned(picture, number) if old else picture for number, picture in enumerate(drawn(data, dpi))]
    scanned = io.BytesIO()
    pictures[0].save(
        scanned, "PDF", resolution=dpi, save_all=True, append_images=pictures[1:], quality=QUALITY if old else 90
    )
    return scanned.getvalue()


def drawn(data: bytes, dpi: int) -> Iterator[Image.Image]:
    """Yield the pages of a PDF as grey pictures."""
    with pypdfium2.PdfDocument(data) as pdf:
        for page in pdf:
            yield page.render(scale=dpi / 72, grayscale=True).to_pil()


def as_scanned(picture: Image.Image, number: int) -> Image.Image:
    """Return a picture as an old scanner gives it back: every second page leans to the other side."""
    skewed = picture.rotate(SKEW * (-1) ** number, Image.Resampling.BICUBIC, fillcolor=255)
    blurred = np.asarray(skewed.filter(ImageFilter.GaussianBlur(BLUR)), dtype=np.float32)
    noise = np.random.default_rng(number).normal(0, NOISE, blurred.shape)
    return Image.fromarray(np.clip(235 * blurred / 255 + noise, 0, 255).astype(np.uint8))


def judge(cases: list[tuple[Path, Case]], dpi: int, old: bool) -> tuple[Counter[str], float, int]:
    """Return the counts of all cases scanned so, the CPU-seconds that they took to read, and their pages."""
    counts: Counter[str] = Counter()
    seconds, pages = 0.0, 0
    with tempfile.TemporaryDirectory(prefix="wenliu-scanning-") as scratch:
        for path, gold in cases:
            scanned = Path(scratch, path.name)
            scanned.write_bytes(scan(path.read_bytes(), dpi, old=old))
            start = time.process_time()
            document = process(Source(path.name, str(scanned), scanned.stat().st_size, ""), Options(ocr=True))
            seconds += time.process_time() - start
            pages += document.pages or 0
            counts += count(gold, as_case(document))
            print(f"  {path.name}", file=sys.stderr)
    return counts, seconds, pages


def main() -> int:
    """Print the figures for each resolution."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scanning", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--set", type=Path, metavar="DIRECTORY", help="read the PDFs of this set instead of the samples"
    )
    parser.add_argument("--dpi", type=int, nargs="+", default=[200], help="dots an inch of the scanner")
    parser.add_argument("--old", action="store_true", help="as an old scanner gives them")
    args = parser.parse_args()
    if not is_installed():
        print("not judged: the extra `ocr` is not installed (make setup-ocr)")
        return 0
    where = (args.set / "gold.jsonl", args.set / "raw") if args.set else (SAMPLES_GOLD, SAMPLES)
    cases = [(path, gold) for path, gold in kept_set(*where) if path.suffix == ".pdf" and gold["articles"]]
    rows = {}
    for dpi in args.dpi:
        counts, seconds, pages = judge(cases, dpi, args.old)
        rows[f"{dpi} dpi"] = (counts, figures(counts))
        print(f"{dpi} dpi: {pages} pages, {seconds / max(pages, 1):.1f} CPU-seconds a page")
    print(table(rows))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
