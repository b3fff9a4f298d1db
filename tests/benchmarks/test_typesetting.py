"""The typesetter is what the gold rests on: it loses nothing, breaks lines by the rules, and notices its own faults."""

import doctest
import itertools
import json
import random
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from benchmarks.typesetting import articles, wrap
from benchmarks.typesetting.articles import CORPUS, Dress, Gold, Story, characters, load_stories, texts_of
from benchmarks.typesetting.cases import fill, make_cases
from benchmarks.typesetting.layout import PageLayout, random_page_layout
from benchmarks.typesetting.pages import FONTS, missing, overprinted, set_page, typeset
from benchmarks.typesetting.wrap import Punctuation, break_english, break_lines, random_text_layout, set_text
from tasks.document import KINDS
from tasks.read.pdf import read_pdf

STORIES = load_stories(CORPUS)
CHINESE = [story for story in STORIES if story["language"] == "zh-Hans"]
ENGLISH = [story for story in STORIES if story["language"] == "en"]
needs_fonts = pytest.mark.skipif(not Path(FONTS).exists(), reason="pages are set with fonts-noto-cjk")


def _texts(stories: list[Story]) -> list[str]:
    return [text for story in stories for text in texts_of(story)]


def test_doctests() -> None:
    assert not any(doctest.testmod(module).failed for module in (articles, wrap))


def test_corpus_is_of_one_make() -> None:
    texts = _texts(STORIES)
    assert len(STORIES) == 50
    assert [text for text, n in Counter(texts).items() if n > 1] == []
    for story in STORIES:
        date.fromisoformat(story["date"])
        kinds = {p["kind"] for p in story["paragraphs"] if not isinstance(p, str)}
        assert {kind for several in kinds for kind in several.split("|")} <= set(KINDS)


@pytest.mark.parametrize("marks", ["full", "half", "elastic"])
@pytest.mark.parametrize("overflow", ["push", "squeeze", "hang"])
@pytest.mark.parametrize("width", [14, 19.5, 33])
def test_break_lines_by_the_kinsoku_rules(marks: wrap.Marks, overflow: wrap.Overflow, width: float) -> None:
    punctuation = Punctuation(marks, overflow)
    allowance = {"push": 0, "squeeze": 2, "hang": 1}[overflow]
    for text in _texts(CHINESE):
        lines = break_lines(text, lambda _: width, 2, punctuation)
        assert "".join("".join(lines).split()) == "".join(text.split())
        assert not [line for line in lines[1:] if line[0] in wrap.MINOR + wrap.STOPS]
        assert not [line for line in lines if line[-1] in wrap.OPENING]
        assert max(punctuation.widths(line)[1] for line in lines) <= width + allowance


def test_break_lines_takes_what_fits() -> None:
    for text in _texts(CHINESE):
        lines = break_lines(text, lambda _: 20, punctuation=Punctuation("full", "push"))
        for line, after in itertools.pairwise(lines):
            unit = wrap.UNIT.match(after)
            assert unit
            assert Punctuation().widths(line + unit.group().rstrip())[0] > 20


def test_break_english_hyphens_are_undone_by_their_words() -> None:
    for text in _texts(ENGLISH):
        lines = break_english(text, 60)
        assert max(map(len, lines)) <= 60
        whole = lines[0]
        for line in lines[1:]:
            stem = whole.split()[-1]
            if whole.endswith("-"):
                whole = whole + line if stem + line.split()[0] in text else whole[:-1] + line
            else:
                whole += " " + line
        assert whole == text


@pytest.mark.parametrize("seed", range(40))
def test_set_text_loses_nothing(seed: int) -> None:
    rng = random.Random(seed)
    data, gold = set_text(rng.sample(CHINESE, 3), random_text_layout(rng), rng)
    raw = iter(data.decode())
    assert not [c for c in characters(gold) if c not in raw]
    assert all(line in data.decode() for line in gold["furniture"])


def test_cases_are_the_same_for_the_same_seed() -> None:
    def texts() -> list[tuple[bytes, Gold]]:
        return [(data, gold) for _, data, gold in make_cases(STORIES, 1, 9, None)]

    assert texts() == texts()


@needs_fonts
@pytest.mark.parametrize("seed", range(6))
def test_set_page_loses_nothing(seed: int) -> None:
    rng = random.Random(seed)
    layout = random_page_layout(rng, "typst")
    pdf, gold = set_page(fill(rng.sample(CHINESE, 12), layout, rng), layout, rng)
    assert missing(pdf, gold) == 0
    more = json.loads(json.dumps(gold))
    more["articles"][0]["paragraphs"].append({"kind": "body", "text": "鱻"})
    assert missing(pdf, more) == 1


@needs_fonts
@pytest.mark.parametrize("rule", [True, False])
def test_rules_stand_between_articles_where_they_stand_between_columns(rule: bool) -> None:
    layout = PageLayout("typst", columns=2, rule=rule, head="none", dress=Dress(titles=False))
    pdf, gold = set_page(CHINESE[:2], layout, random.Random(1))
    page = read_pdf(pdf).pages[0]
    across = [box for box in page.rules if box.x1 - box.x0 > 0.8 * (page.width or 0) and box.bottom - box.top < 3]
    assert len(across) == (len(gold["articles"]) - 1 if rule else 0)


@needs_fonts
def test_overprinted_notices_characters_on_each_other() -> None:
    page = '#set text(font: "Noto Serif CJK SC")\n#place(dx: {}pt, "河岸")\n#place("船")'
    assert overprinted(typeset(page.format(0))) == 1
    assert overprinted(typeset(page.format(40))) == 0
