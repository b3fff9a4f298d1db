"""How fast paragraphs are segmented, as a ratio to `jieba.lcut` in the same run: `python -m benchmarks.segmenting [FILE ...]`.

Each FILE is UTF-8 text, a paragraph a line; without one our own Chinese articles are read. jieba cuts words alone;
`segment` finds sentences, words and parts of speech. Rounds of the two take turns, so that a busy machine slows both.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jieba

from benchmarks.typesetting.articles import CORPUS, load_stories, texts_of
from tasks.segment import segment

ROUNDS = 7


def read_paragraphs(paths: list[str]) -> list[str]:
    if paths:
        return [line for path in paths for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
    return [text for story in load_stories(CORPUS) if story["language"] != "en" for text in texts_of(story)]


def cpu_seconds(work: Callable[[str], object], paragraphs: list[str]) -> float:
    start = time.process_time()
    for paragraph in paragraphs:
        work(paragraph)
    return time.process_time() - start


def main() -> None:
    paragraphs = read_paragraphs(sys.argv[1:])
    characters = sum(map(len, paragraphs))
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    loading = cpu_seconds(lambda text: segment(text, "zh-Hans"), ["灯塔"])
    first = cpu_seconds(lambda text: segment(text, "zh-Hans"), paragraphs)
    ratios, ours = [], []
    for _ in range(ROUNDS):
        theirs = cpu_seconds(tokenizer.lcut, paragraphs)
        ours.append(cpu_seconds(lambda text: segment(text, "zh-Hans"), paragraphs))
        ratios.append(theirs / ours[-1])
    print(f"{len(paragraphs)} paragraphs, {characters:,} characters, {ROUNDS} rounds")
    print(f"loading the dictionaries: {loading:.2f} s")
    print(f"first pass, unknown words tagged: {characters / first:,.0f} characters/s")
    print(f"segment: {characters / statistics.median(ours):,.0f} characters/s")
    print(f"speed against jieba.lcut: {statistics.median(ratios):.1f} (from {min(ratios):.1f} to {max(ratios):.1f})")


if __name__ == "__main__":
    main()
