"""A stand-in for RapidOCR, for tests where the extra `ocr` is not installed: it knows what stands on the page.

It answers as RapidOCR does, in boxes and in columns of a strip's picture. What is made of that is the code under test.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from tasks.clean import OPENING, clean
from tasks.document import Line, Page
from tasks.read.pdf import DPI, read_pdf

#: Pixels a point, pixels around a line's ink, and how many pixels of a strip one column of an answer stands for.
SCALE, RIM, COLUMN = DPI / 72, 3, 4
STOPS = "，。、；：！？”’）》〉】"


@dataclass
class Knowing:
    """Finds the lines of pages that it knows, one page after the other, and what stands on each."""

    pages: Iterator[Page]
    score: float = 0.99
    lines: list[Line] = field(default_factory=list)

    def __call__(self, picture: np.ndarray, **steps: bool) -> SimpleNamespace:
        """Return the corners of the boxes in which lines stand, clockwise from the upper left."""
        assert picture.ndim == 3
        assert steps == {"use_det": True, "use_cls": False, "use_rec": False}
        self.lines = list(next(self.pages).lines)
        boxes = [_corners(line) for line in self.lines]
        return SimpleNamespace(boxes=np.array(boxes) if boxes else None)

    def recognize_txt(self, strips: Sequence[np.ndarray]) -> SimpleNamespace:
        """Return the texts of strips, which come in the order of the boxes."""
        assert len(strips) == len(self.lines)
        answers = [self._answer(line, strip.shape[1]) for line, strip in zip(self.lines, strips, strict=True)]
        return SimpleNamespace(txts=[text for text, _ in answers], word_results=[words for _, words in answers])

    def _answer(self, line: Line, width: int) -> tuple[str, SimpleNamespace]:
        text = clean(line.text)[0]
        left, right = line.edges[0], line.edges[-1]
        assert len(text) == len(line.edges) - 1
        # A recogniser points at the ink.
        ink = [0.75 if c in OPENING else 0.25 if c in STOPS else 0.5 for c in text]
        middles = [a + share * (b - a) for a, b, share in zip(line.edges, line.edges[1:], ink, strict=False)]
        if line.vertical:  # laid across, its characters stand one beside the other
            shares = [(n + 0.5) / len(text) for n in range(len(text))]
        else:
            shares = [(RIM / SCALE + middle - left) / (right - left + 2 * RIM / SCALE) for middle in middles]
        shown = [n for n, c in enumerate(text) if not c.isspace()]
        columns = [int(shares[n] * width / COLUMN) for n in shown]
        return text, SimpleNamespace(
            word_cols=[columns], confs=[self.score] * len(text), line_txt_len=float(width / COLUMN)
        )


def _corners(line: Line) -> list[tuple[float, float]]:
    assert line.box is not None
    _, x0, y0, x1, y1 = line.box
    x0, y0, x1, y1 = x0 * SCALE - RIM, y0 * SCALE - RIM, x1 * SCALE + RIM, y1 * SCALE + RIM
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def knowing(data: bytes, **known: Any) -> Knowing:
    """Return a recogniser that knows the pages of this PDF."""
    return Knowing(iter(read_pdf(data).pages), **known)
