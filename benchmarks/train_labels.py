"""Train the labeller: `python -m benchmarks.train_labels text STORIES.jsonl… [--cases DIRECTORY] [--seed 1]`.

Texts are made from the stories (`benchmarks.texts`); pages, and dumps of pages to text, come from directories written
by `benchmarks.typesetting`. Every row is labelled by finding it in the gold. Three models come out, in one small file:
the words that open paragraphs (`tasks.reflow.discourse`), the chain over rows (`tasks.reflow.labels`) and the table
that turns its probabilities into how often such paragraphs are whole, fitted on cases that it was not trained on.

--held-out OTHER.jsonl prints how well texts made from other stories are read with the weights that are there.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import random
import re
import tempfile
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pycrfsuite

from benchmarks import score
from benchmarks.reading_quality import as_case, table
from benchmarks.texts import Writer
from benchmarks.typesetting.articles import Gold, Story, load_stories, texts_of
from tasks.document import Document, Reading, Source
from tasks.read.pdf import read_pdf
from tasks.read.text import read_text
from tasks.reflow import arrange, reflow
from tasks.reflow.discourse import evidence
from tasks.reflow.labels import LABELS, PLACES, Label, decode, features, places, unpack
from tasks.reflow.rows import Row

ROOT = Path(__file__).parents[1]
SCALE = 100
#: Every case of so many is held out in its turn; the confidence is fitted on one of these parts.
FOLDS = 8
#: So many last characters tell a paragraph from any other; its beginning may have got a dateline.
TAIL = 30
#: So many texts the weights are judged on.
HELD_OUT = 200
#: Pages of the world are set by more programs than those here, so their confidence is kept this much lower.
CAUTION = {"text": 0.0, "page": 1.0}
#: What the chain has no label for is read as body text, and told apart by its words afterwards.
_FOLDED = {"list": "body", "footnote": "body"}
_SENTENCE = re.compile(r"[^。！？]*[。！？][”’）》】」』）]*")

Case = tuple[Reading, Gold]
Words = Mapping[str, float]


def fold(text: str) -> str:
    """Return what `text` and its clean form have in common: no white space, compatibility forms unified."""
    text = unicodedata.normalize("NFKC", text).translate(str.maketrans("⋯─―–", "…———"))
    return "".join(text.split())


def align(rows: Sequence[Row], gold: Gold) -> list[str | None]:
    """Label each row by finding it in the gold: B-kind where a paragraph begins, else I-kind, None where it is no part.

    Rows are looked for from where the one before ended, then anywhere, for a dump may mix up columns; a row that goes on
    with another paragraph than the row before it has no label.
    """
    text, starts, kinds = "", [], []
    for paragraph in (p for article in gold["articles"] for p in article["paragraphs"] if p["kind"] != "caption"):
        starts.append(len(text))
        kinds.append(paragraph["kind"].split("|")[0])
        text += fold(paragraph["text"])
    labels: list[str | None] = []
    at = 0
    for row in rows:
        line = fold(row.text)
        if row.text.endswith("-") and not text.startswith(line, at):
            line = line[:-1]
        found = text.find(line, at, at + 4000)
        if found < 0:
            found = text.find(line)
        n = bisect_right(starts, found) - 1
        end = starts[n + 1] if n + 1 < len(starts) else len(text)
        torn = found not in (at, starts[n])
        if found < 0 or found + len(line) > end or torn:
            labels.append(None)
            at = found + len(line) if torn and found >= 0 else at
            continue
        kind = _FOLDED.get(kinds[n], kinds[n])
        labels.append(("B-" if found == starts[n] else "I-") + kind)
        at = found + len(line)
    return [label if label in LABELS else None for label in labels]


def whole(rows: Sequence[Row], labels: Sequence[Label], gold: Sequence[str | None]) -> Iterator[tuple[float, bool]]:
    """Yield for each paragraph that the labels make its probability, and whether the gold has just this paragraph."""
    starts = [i for i, label in enumerate(labels) if label.opens or i == 0]
    for first, end in itertools.pairwise([*starts, len(rows)]):
        probability = float(np.prod([label.certainty for label in labels[first : min(end + 1, len(rows))]]))
        inside = gold[first + 1 : end]
        closed = end == len(rows) or gold[end] is None or gold[end][0] == "B"  # type: ignore[index]
        opened = gold[first] is not None and gold[first][0] == "B"  # type: ignore[index]
        yield probability, opened and closed and all(label is not None and label[0] == "I" for label in inside)


def train_words(stories: Iterable[Story]) -> dict[str, float]:
    """Return how much each piece of evidence speaks for a paragraph's start, from every sentence of the stories."""
    trainer = pycrfsuite.Trainer(verbose=False)
    for story in stories:
        if story.get("language", "zh-Hans") == "en":
            continue
        text, starts, places = "", set[int](), list[int]()
        for paragraph in story["paragraphs"]:
            own = paragraph if isinstance(paragraph, str) else paragraph["text"]
            starts.add(len(text))
            places += [len(text) + m.start() for m in _SENTENCE.finditer(own)]
            text += own
        for place in places:
            if 0 < place < len(text) and text[place - 1] in "。！？”’）》】」』":
                names = ["bias", *evidence(text[:place], text[place:])]
                trainer.append([names], ["open" if place in starts else "inside"])
    info = _train(trainer, {"c1": 0.5, "c2": 0.2, "max_iterations": 120, "feature.minfreq": 3})
    weights: dict[str, float] = {}
    for (name, label), weight in info.state_features.items():
        weights[name] = weights.get(name, 0.0) + (weight if label == "open" else -weight)
    return {name: weight for name, weight in sorted(weights.items()) if abs(weight) >= 0.05}


def train_chain(cases: Iterable[tuple[Sequence[Row], Gold, Words]]) -> tuple[dict[str, Any], int]:
    """Return the packed weights of the chain over rows, and how many rows they were learnt from."""
    trainer = pycrfsuite.Trainer(verbose=False)
    count = 0
    for rows, gold, words in cases:
        if not rows:
            continue
        labels = align(rows, gold)
        if labels.count(None) > 0.15 * len(labels):
            continue  # a dump that mixes up its lines would teach nothing but noise
        named = list(zip(features(rows, words), labels, strict=True))
        for known, part in itertools.groupby(named, key=lambda x: x[1] is not None):
            pairs = list(part)
            if known and len(pairs) > 2:
                trainer.append([names for names, _ in pairs], [label for _, label in pairs])
                count += len(pairs)
    options = {"c1": 0.5, "c2": 0.05, "max_iterations": 160, "feature.minfreq": 4, "feature.possible_transitions": True}
    return _pack(_train(trainer, options)), count


def well_placed(cases: Iterable[tuple[Sequence[Row], Gold, Words]]) -> list[float]:
    """Return for each doubt about a row's place how often rows that raise it do go on where the row before them ended."""
    right, seen = np.full(PLACES, 0.5), np.ones(PLACES)
    for rows, gold, _ in cases:
        for row, label in zip(rows, align(rows, gold), strict=True):
            for k in places(row, opens=label is not None and label[0] == "B"):
                seen[k] += 1
                right[k] += label is not None
    return [round(float(x), 3) for x in right / seen]


def _train(trainer: Any, options: Mapping[str, Any]) -> Any:
    trainer.set_params(dict(options))
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory) / "model")
        trainer.train(path)
        tagger = pycrfsuite.Tagger()
        tagger.open(path)
        return tagger.info()


def _pack(info: Any) -> dict[str, Any]:
    labels = [label for label in LABELS if label in info.labels]
    weights: dict[str, list[int]] = {"bias": []}  # first, and always there: every row has it
    for (name, label), weight in sorted(info.state_features.items()):
        if abs(weight) >= 0.02:
            weights.setdefault(name, []).extend([labels.index(label), round(weight * SCALE)])
    transitions = [
        [-20.0 if b[0] == "I" and a[2:] != b[2:] else round(info.transitions.get((a, b), 0.0), 2) for b in labels]
        for a in labels
    ]
    return {"labels": labels, "scale": SCALE, "weights": weights, "transitions": transitions}


def calibrate(pairs: Sequence[tuple[float, bool]], caution: float) -> tuple[list[float], list[float]]:
    """Return points of the rising curve that leads from a probability to how often it held (isotonic regression).

    Neighbouring bins that contradict the order are pooled; a bin of none wrong still counts half a paragraph as wrong.
    The curve lies `caution` standard errors below what was counted.
    """
    pooled: list[list[float]] = []  # sum of probabilities, held, count
    ordered = sorted(pairs)
    size = max(20, len(ordered) // 60)
    for k in range(0, len(ordered), size):
        part = ordered[k : k + size]
        pooled.append([sum(p for p, _ in part), sum(held for _, held in part), len(part)])
        while len(pooled) > 1 and pooled[-2][1] / pooled[-2][2] >= pooled[-1][1] / pooled[-1][2]:
            last = pooled.pop()
            pooled[-1] = [a + b for a, b in zip(pooled[-1], last, strict=True)]
    xs = [round(p / n, 6) for p, _, n in pooled]
    shares = np.array([held / (n + 0.5) for _, held, n in pooled])
    errors = np.sqrt(shares * (1 - shares) / np.array([n for _, _, n in pooled]))
    ys = [round(float(y), 4) for y in np.maximum.accumulate(shares - caution * errors)]
    return [0.0, *xs, 1.0], [ys[0], *ys, ys[-1]]


def made_texts(stories: Sequence[Story], count: int, seed: int) -> Iterator[tuple[Case, int]]:
    """Yield `count` texts made from one half of the stories by turns, with the half's number."""
    halves = [stories[0::2], stories[1::2]]
    english = [s for s in stories if s.get("language") == "en"]
    for n in range(count):
        half = halves[n % 2]
        writer = Writer([s for s in half if s.get("language") != "en"] + english, random.Random(f"{seed}/{n}"))
        data, gold = writer.draw()
        yield (read_text(data), gold), n % 2


def set_cases(directory: Path, medium: str) -> Iterator[Case]:
    """Yield the cases of a directory that `benchmarks.typesetting` wrote: its dumps, or its pages."""
    for line in (directory / "gold.jsonl").read_text(encoding="utf-8").splitlines():
        gold: Gold = json.loads(line)
        path = directory / "raw" / gold["source"]
        if medium == "page" and path.suffix == ".pdf":
            yield read_pdf(path.read_bytes()), gold
        elif medium == "text" and gold["source"].startswith("dump"):
            yield read_text(path.read_bytes()), gold


def unseen(stories: Iterable[Story], golds: Iterable[Gold]) -> list[Story]:
    """Return the stories of which no paragraph stands in `golds`."""
    seen = {p["text"][-TAIL:] for gold in golds for article in gold["articles"] for p in article["paragraphs"]}
    return [story for story in stories if not any(text[-TAIL:] in seen for text in texts_of(story))]


def text_cases(stories: Sequence[Story], directory: Path | None, count: int, seed: int) -> Iterator[tuple[Case, Words]]:
    """Yield `count` texts, and the dumps of a directory, each with words that were learnt from the other half."""
    words = [train_words(stories[1 - n :: 2]) for n in (0, 1)]
    yield from ((case, words[half]) for case, half in made_texts(stories, count, seed))
    if directory:
        yield from ((case, words[n % 2]) for n, case in enumerate(set_cases(directory, "text")))


def page_cases(stories: Sequence[Story], directory: Path) -> Iterator[tuple[Case, Words]]:
    """Yield the pages of a directory, each with words that were learnt from stories which do not stand on it.

    So the words are as uncertain in training as they are in use.
    """
    cases = list(set_cases(directory, "page"))
    words = [train_words(unseen(stories, [gold for _, gold in cases[k::FOLDS]])) for k in range(FOLDS)]
    yield from ((case, words[n % FOLDS]) for n, case in enumerate(cases))


def running(reading: Reading) -> list[Row]:
    """Return the rows that the labeller sees: furniture and captions are told by rule."""
    return [row for row in arrange(reading) if not row.aside]


def train(
    medium: str, stories: Sequence[Story], cases: Path | None, count: int, seed: int
) -> tuple[dict[str, Any], list[tuple[float, bool]]]:
    """Return the packed model of a medium, and the paragraphs that its table was fitted on (see `whole`)."""
    drawn = page_cases(stories, cases) if medium == "page" and cases else text_cases(stories, cases, count, seed)
    every = [(running(reading), gold, w) for (reading, gold), w in drawn]
    held_out, taught = every[::FOLDS], [case for n, case in enumerate(every) if n % FOLDS]
    trial, _ = train_chain(taught)
    placed = well_placed(taught)
    pairs = []
    for rows, gold, w in held_out:
        labels = align(rows, gold)
        if rows and labels.count(None) <= 0.15 * len(labels):
            model = unpack({**trial, "placed": placed, "words": {name: x * SCALE for name, x in w.items()}})
            pairs += list(whole(rows, decode(rows, model), labels))
    packed, rows_seen = train_chain(every)
    final = train_words(stories)
    packed["words"] = {name: round(x * SCALE) for name, x in final.items()}
    packed["placed"] = placed
    packed["calibration"] = calibrate(pairs, CAUTION[medium])
    sure = [held for p, held in pairs if float(np.interp(p, *packed["calibration"])) >= 0.9]
    print(f"{medium}: {len(every)} cases, {rows_seen} rows, {len(packed['weights'])} features, {len(final)} words")
    print(
        f"held out: {len(pairs)} paragraphs, {np.mean([h for _, h in pairs]):.4f} whole; confidence 0.9 and over: "
        f"{len(sure) / len(pairs):.3f} of them, {np.mean(sure):.4f} of those whole"
    )
    return packed, pairs


def reliability(pairs: Sequence[tuple[float, bool]], calibration: tuple[list[float], list[float]]) -> str:
    """Return an SVG plot: how often paragraphs of each confidence were whole; the area of a dot is their number."""
    confidence = np.interp([p for p, _ in pairs], *calibration)
    held = np.array([h for _, h in pairs], dtype=float)
    dots = []
    for low in np.arange(0.0, 1.0, 0.05):
        inside = (confidence >= low) & ((confidence < low + 0.05) | (low > 0.94))
        if n := int(inside.sum()):
            x, y = 40 + 320 * confidence[inside].mean(), 360 - 320 * held[inside].mean()
            dots.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{max(2.0, 24 * (n / len(pairs)) ** 0.5):.1f}"/>')
    marks = "".join(
        f'<text x="{40 + 320 * t:.0f}" y="376">{t}</text><text x="16" y="{364 - 320 * t:.0f}">{t}</text>'
        for t in (0, 0.5, 1)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400" font-family="sans-serif" font-size="11">'
        '<rect width="400" height="400" fill="white"/><path d="M40 40V360H360" fill="none" stroke="black"/>'
        f'<path d="M40 360L360 40" stroke="gray" stroke-dasharray="4"/>{marks}'
        '<text x="160" y="392">confidence</text><text x="46" y="36">share of paragraphs that were whole</text>'
        f'<g fill="steelblue" fill-opacity="0.6">{"".join(dots)}</g></svg>\n'
    )


def hold_out(stories: Sequence[Story], count: int) -> str:
    """Return as a table how well texts made from `stories`, which were not learnt from, are read with the shipped weights."""
    totals: dict[str, Counter[str]] = {}
    paragraphs = sure = whole_ones = 0
    writer = Writer(stories, random.Random("held out"))
    for _ in range(count):
        data, gold = writer.draw()
        document = Document(Source("held-out.txt", "", len(data), ""), reflow(read_text(data))[0])
        counts = score.count(gold, as_case(document))
        for group in (gold["group"], "all"):
            totals.setdefault(group, Counter()).update(counts)
        wanted = Counter(score.fold(p["text"]) for article in gold["articles"] for p in article["paragraphs"])
        for paragraph in (p for article in document.articles for p in article.paragraphs):
            text = score.fold(paragraph.text)
            paragraphs += 1
            sure += paragraph.confidence >= 0.9
            whole_ones += paragraph.confidence >= 0.9 and wanted[text] > 0
            wanted[text] -= 1
    told = f"{sure / paragraphs:.3f} of {paragraphs} paragraphs, {whole_ones / sure:.4f} of those whole"
    groups = {group: (counts, score.figures(counts)) for group, counts in sorted(totals.items())}
    return f"{table(groups)}\nconfidence 0.9 and over: {told}"


def main() -> None:
    """Write tasks/reflow/labels-<medium>.json.gz and docs/reliability-<medium>.svg; print how held-out texts are read."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train_labels", description=__doc__)
    parser.add_argument("medium", choices=["text", "page"])
    parser.add_argument("stories", type=Path, nargs="*", help="JSON lines with title, paragraphs and date")
    parser.add_argument("--cases", type=Path, help="a directory that benchmarks.typesetting wrote; pages need one")
    parser.add_argument("--count", type=int, default=900, help="how many texts to make")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held-out", type=Path, metavar="STORIES", help="judge the weights on texts made from these")
    args = parser.parse_args()
    if args.medium == "page" and not args.cases:
        parser.error("pages are learnt from a directory of --cases")
    stories = [story for path in args.stories for story in load_stories(path)]
    if stories:
        packed, pairs = train(args.medium, stories, args.cases, args.count, args.seed)
        plot = reliability(pairs, packed["calibration"])
        (ROOT / "docs" / f"reliability-{args.medium}.svg").write_text(plot, encoding="utf-8")
        data = json.dumps(packed, ensure_ascii=False, separators=(",", ":")).encode()
        path = ROOT / "tasks" / "reflow" / f"labels-{args.medium}.json.gz"
        path.write_bytes(gzip.compress(data, 9, mtime=0))
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")
    if args.held_out:
        print(hold_out(load_stories(args.held_out), HELD_OUT))


if __name__ == "__main__":
    main()
