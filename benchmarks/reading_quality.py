"""How well are pages and texts read, family by family? `python -m benchmarks.reading_quality [--only text] [--cases]`.

Our own stories are set as wrapped texts and as pages, always the same ones, read, and scored (`benchmarks.score`); the
shipped samples are a family of their own. A figure worse than its floor in reading_floors.json fails. Pages are set by
Chromium and Typst with Noto's CJK fonts; where these are missing, only what needs neither is judged, and that is said.

--update writes the figures as the new floors, and refuses where one would be lowered, unless --lower says so too.
--set DIRECTORY judges any other set (raw/ and gold.jsonl, as `benchmarks.typesetting` writes them), with no floors.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path

from benchmarks.score import FIGURES, Case, count, figures
from benchmarks.typesetting.articles import CORPUS, load_stories
from benchmarks.typesetting.browser import Chromium
from benchmarks.typesetting.cases import FAMILIES, folded_cases, make_cases
from benchmarks.typesetting.pages import FONTS
from tasks.article import process
from tasks.document import Document, Source

ROOT = Path(__file__).parent.parent
FLOORS = Path(__file__).parent / "reading_floors.json"
SAMPLES = ROOT / "raw" / "samples"
SAMPLES_GOLD = ROOT / "tests" / "samples.gold.jsonl"
#: The set that the floors are for.
COUNT, SEED = 120, 2026
#: Texts folded by a width or a count of characters are a family beside it.
FOLDED, FOLDED_COUNT = "folded", 30
TEXTS = frozenset({"text", FOLDED})
#: The texts among its first cases are a family of their own, which the tests can afford to read, as the samples are.
FIRST, FIRST_TEXTS = 36, "first-texts"
#: Floors are rounded by this many digits towards the worse, so that another version of a font costs no failure.
DIGITS = {"cer": 3, "cjk_spaces": 1}

Floors = dict[str, dict[str, float]]


def as_case(document: Document) -> Case:
    """Return what was read of a source in the form that is scored."""
    return {
        "articles": [
            {
                "title": article.title,
                "authors": article.authors,
                "publisher": article.publisher,
                "published_on": article.published_on,
                "url": article.url,
                "paragraphs": [{"kind": p.kind, "text": p.text} for p in article.paragraphs],
            }
            for article in document.articles
        ]
    }


def judge(cases: Iterable[tuple[Path, Case]]) -> Iterator[tuple[str, str, Counter[str]]]:
    """Read each case's file; yield its family, its name and its counts."""
    for path, gold in cases:
        document = process(Source(path.name, str(path), path.stat().st_size, ""))
        yield gold.get("group", "samples").split("/")[0], path.name, count(gold, as_case(document))


def by_family(judged: Iterable[tuple[str, str, Counter[str]]]) -> dict[str, Counter[str]]:
    """Add up the counts of each family."""
    totals: dict[str, Counter[str]] = {}
    for family, _, counts in judged:
        totals.setdefault(family, Counter()).update(counts)
    return dict(sorted(totals.items()))


def kept_set(gold: Path, raw: Path) -> Iterator[tuple[Path, Case]]:
    """Yield the cases of a set that lies there."""
    for case in map(json.loads, gold.read_text(encoding="utf-8").splitlines()):
        yield raw / case["source"], case


def made_set(directory: Path, number: int, families: Iterable[str]) -> Iterator[tuple[Path, Case]]:
    """Set the first `number` cases of our own, those of these families, and yield them."""
    wanted = frozenset(families)
    if FOLDED in wanted:
        for name, data, gold in folded_cases(load_stories(CORPUS), FOLDED_COUNT, SEED):
            (directory / name).write_bytes(data)
            yield directory / name, dict(gold)
    with Chromium() if wanted - TEXTS else nullcontext() as browser:
        for name, data, gold in make_cases(load_stories(CORPUS), number, SEED, browser, wanted):
            (directory / name).write_bytes(data)
            yield directory / name, dict(gold)


def short_set(directory: Path) -> Iterator[tuple[Path, Case]]:
    """Yield what the tests read: the samples, and the texts among the first cases."""
    yield from kept_set(SAMPLES_GOLD, SAMPLES)
    for path, gold in made_set(directory, FIRST, {"text"}):
        yield path, {**gold, "group": FIRST_TEXTS}


def missing_tools() -> list[str]:
    """Return what this machine lacks for setting the pages that the floors are for."""
    browser = os.environ.get("CHROMIUM", "chromium")
    needs = {
        browser: shutil.which(browser),
        "fonts-noto-cjk": Path(FONTS).exists(),
        "pdftotext (poppler-utils)": shutil.which("pdftotext"),
    }
    return [name for name, found in needs.items() if not found]


def failures(found: Mapping[str, Mapping[str, float | None]], floors: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a line for each figure that is worse than its floor.

    >>> failures({"text": {"intact": 0.96, "cer": 0.001}}, {"text": {"intact": 0.97, "cer": 0.002}})
    ['text: intact is 0.9600, its floor 0.97']
    """
    return [
        f"{family}: {figure.name} is {value:.4f}, its floor {floor:g}"
        for family, values in found.items()
        for figure in FIGURES
        if (value := values.get(figure.name)) is not None
        and (floor := floors.get(family, {}).get(figure.name)) is not None
        and (value < floor if figure.rises else value > floor)
    ]


def floor_of(name: str, value: float, rises: bool) -> float:
    """Return the floor that a figure sets: rounded towards the worse.

    >>> floor_of("intact", 0.9789, True), floor_of("cer", 0.00012, False), floor_of("furniture", 0.0, False)
    (0.97, 0.001, 0.0)
    """
    scale = 10 ** DIGITS.get(name, 2)
    return float((math.floor if rises else math.ceil)(round(value * scale, 6)) / scale)


def updated(
    floors: Mapping[str, Mapping[str, float]], found: Mapping[str, Mapping[str, float | None]], lower: bool
) -> Floors:
    """Return the floors with those of the families found set anew.

    Raises ValueError with a line for each floor that would become lower, unless `lower` allows it.
    """
    if not lower and (worse := failures(found, floors)):
        raise ValueError("\n".join(worse))
    fresh = {family: dict(values) for family, values in floors.items()}
    for family, values in found.items():
        old = fresh.setdefault(family, {})
        for figure in FIGURES:
            if (value := values[figure.name]) is None:
                continue
            floor = floor_of(figure.name, value, figure.rises)
            kept = old.get(figure.name, floor)
            old[figure.name] = floor if lower else max(floor, kept) if figure.rises else min(floor, kept)
    return dict(sorted(fresh.items()))


def table(rows: Mapping[str, tuple[Counter[str], Mapping[str, float | None]]]) -> str:
    """Return rows of figures under their names."""
    wide = max(map(len, rows)) + 2
    lines = ["".ljust(wide) + "cases".rjust(7) + "lost".rjust(6) + "".join(f.name.rjust(11) for f in FIGURES)]
    for name, (counts, values) in rows.items():
        told = ("-" if (value := values[f.name]) is None else f"{value:.4f}" for f in FIGURES)
        lines.append(f"{name:<{wide}}{counts['cases']:7}{counts['lost']:6}" + "".join(t.rjust(11) for t in told))
    return "\n".join(lines)


def main() -> int:
    """Print the figures by family; return 1 when one is worse than its floor."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reading_quality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", choices=sorted({*FAMILIES, FOLDED}), action="append", help="only this family; may be given again"
    )
    parser.add_argument("--set", type=Path, metavar="DIRECTORY", help="judge this set instead, without floors")
    parser.add_argument("--cases", action="store_true", help="a row for each case as well, the worst last")
    parser.add_argument("--update", action="store_true", help="make the figures the new floors")
    parser.add_argument("--lower", action="store_true", help="let --update lower floors")
    args = parser.parse_args()
    families = set(args.only or {*FAMILIES, FOLDED})
    if not args.set and families - TEXTS and (lacking := missing_tools()):
        print(f"only texts are judged: pages are set with {', '.join(lacking)}, which this machine lacks")
        families &= TEXTS
    with tempfile.TemporaryDirectory(prefix="wenliu-reading-") as scratch:
        if args.set:
            judged = list(judge(kept_set(args.set / "gold.jsonl", args.set / "raw")))
        else:
            here = Path(scratch)
            judged = [*judge(short_set(here)), *judge(made_set(here, COUNT, families))]
    totals = by_family(judged)
    found = {family: figures(counts) for family, counts in totals.items()}
    if args.cases:
        each = {name: (counts, figures(counts)) for _, name, counts in judged}
        print(table(dict(sorted(each.items(), key=lambda row: -(row[1][1]["intact"] or 0)))), "\n")
    print(table({family: (totals[family], values) for family, values in found.items()}))
    if args.set:
        return 0
    floors: Floors = json.loads(FLOORS.read_text(encoding="utf-8")) if FLOORS.exists() else {}
    if args.update:
        try:
            fresh = updated(floors, found, args.lower)
        except ValueError as error:
            print(f"\n{error}\nno floor is changed: --lower lowers them")
            return 1
        FLOORS.write_text(json.dumps(fresh, indent=2) + "\n", encoding="utf-8")
        print(f"\nthe floors in {FLOORS.name} are those of this run")
        return 0
    worse = failures(found, floors)
    print("\n" + ("\n".join(worse) or "every figure is at its floor or above"))
    return int(bool(worse))


if __name__ == "__main__":
    sys.exit(main())
