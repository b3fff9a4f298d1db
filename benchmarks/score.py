"""How well was a source read? Its articles as they were recovered are held against those that were set.

White space is taken out and variants of glyphs are folded before texts are compared, so that spacing and the choice of
width cost nothing; a space left between Chinese characters is counted by itself.

intact      share of the true paragraphs that come back as one paragraph, nothing lost and nothing added
exact       share that come back character by character; only a space between Chinese and Latin is free, and so are the
            author's own spaces inside Chinese, where a line may have ended
boundary    F1 of the paragraph breaks
cer         edits to make the running text, in reading order, the true one, per true character
articles    F1 of the breaks between articles
titles      F1 of the articles' titles
meta        share of the known publishers, dates, authors and addresses that are right
kinds       share of the intact paragraphs that have the right kind
cjk_spaces  spaces between Chinese characters that are not the author's, per 10,000 characters read
furniture   share of running heads and the like that are still in the text

Captions stand beside the running text: they count for nothing but as furniture left in it.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from rapidfuzz.distance import Levenshtein

from tasks.radicals import IDEOGRAPHS, RADICALS

#: A source's articles: {"articles": [{"title", "paragraphs": [{"kind", "text"}], …}]}; a gold one has "furniture" too.
Case = Mapping[str, Any]

_WIDE = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3001-\u301f\uff01-\uff65“”‘’…—"
_INSIDE_CHINESE = re.compile(rf"(?<=[{_WIDE}])\s+(?=[{_WIDE}])")
_BESIDE_LATIN = re.compile(rf"(?<=[{_WIDE}])\s+(?=[^\s{_WIDE}])|(?<=[^\s{_WIDE}])\s+(?=[{_WIDE}])")
_ELLIPSIS = re.compile(r"(?:\.\.\.|…){1,2}")
#: Which form of a dash, a quotation mark or a dot stands there is the font's business; radicals are Unicode's own list.
_VARIANTS = str.maketrans(RADICALS + "⋯─―–‘’“”·•", IDEOGRAPHS + "…———''\"\"・・")
_KNOWN = ("publisher", "published_on", "authors", "url")


@dataclass(frozen=True, slots=True)
class Figure:
    """How a figure is made of counts, and which way it gets better."""

    name: str
    of: tuple[str, str]
    rises: bool = True
    per: int = 1


#: Those made of three counts (hits, made, wanted) are F1; the others are a share.
FIGURES = (
    Figure("intact", ("intact", "paragraphs")),
    Figure("exact", ("exact", "paragraphs")),
    Figure("boundary", ("breaks", "")),
    Figure("cer", ("edits", "characters"), rises=False),
    Figure("articles", ("starts", "")),
    Figure("titles", ("titles", "")),
    Figure("meta", ("meta_right", "meta_known")),
    Figure("kinds", ("kinds", "intact")),
    Figure("cjk_spaces", ("spaces", "characters_read"), rises=False, per=10_000),
    Figure("furniture", ("furniture_left", "furniture"), rises=False),
)


def fold(text: str) -> str:
    """Return a text without white space, with variants of one character made the same.

    >>> fold("⻓ 江，ＧＤＰ……") == fold("长江,GDP⋯")
    True
    """
    folded = unicodedata.normalize("NFKC", text).translate(_VARIANTS)
    return _ELLIPSIS.sub("…", "".join(folded.split()))


def is_exact(read: str, true: str) -> bool:
    """Return whether a paragraph is the true one but for spaces that are free.

    >>> is_exact("用了 3 天", "用了3天"), is_exact("用 了", "用了"), is_exact("林晓", "林 晓")
    (True, False, True)
    """
    kept = [_BESIDE_LATIN.sub("", re.sub(r"[^\S\u3000\n]+", " ", text.strip())) for text in (read, true)]
    if _INSIDE_CHINESE.search(true):
        kept = [_INSIDE_CHINESE.sub("", text) for text in kept]
    return kept[0] == kept[1]


def count(gold: Case, read: Case) -> Counter[str]:
    """Return what can be counted when a source as it was read is held against its gold; counts of sources add up."""
    wanted, made = _Running(gold), _Running(read)
    found = _paragraphs(wanted.articles, made.articles)
    found.update(_breaks(wanted, made))
    titles = [Counter(fold(a["title"]) for a in case["articles"] if a.get("title")) for case in (gold, read)]
    spaces = [Counter(_spaces(running.articles)) for running in (wanted, made)]
    whole = fold("".join(p["text"] for a in read["articles"] for p in a["paragraphs"]))
    furniture = gold.get("furniture", [])
    known = [(n, name, value) for n, a in enumerate(gold["articles"]) for name in _KNOWN if (value := _value(a, name))]
    found.update(
        cases=1,
        lost=bool(gold["articles"]) and not read["articles"],
        characters=len(wanted.text),
        characters_read=len(made.text),
        titles_hit=(titles[0] & titles[1]).total(),
        titles_made=titles[1].total(),
        titles_wanted=titles[0].total(),
        meta_known=len(known),
        meta_right=sum(n < len(read["articles"]) and _value(read["articles"][n], k) == v for n, k, v in known),
        spaces=(spaces[1] - spaces[0]).total(),
        furniture=len(furniture),
        furniture_left=sum(fold(line) in (made.text if line.startswith("图为") else whole) for line in furniture),
    )
    return found


class _Running:
    """The running text of a case, folded, and where in it paragraphs and articles begin but the first."""

    def __init__(self, case: Case) -> None:
        self.articles = [[p for p in a["paragraphs"] if p["kind"] != "caption"] for a in case["articles"]]
        texts = [[text for p in paragraphs if (text := fold(p["text"]))] for paragraphs in self.articles]
        self.text = "".join("".join(several) for several in texts)
        lengths = [len(text) for several in texts for text in several]
        self.breaks = list(accumulate(lengths))[:-1]
        self.starts = list(accumulate(sum(map(len, several)) for several in texts))[:-1]


def _paragraphs(wanted: Iterable[Sequence[Any]], made: Iterable[Sequence[Any]]) -> Counter[str]:
    """Count the true paragraphs that were found; each paragraph read serves once."""
    found: Counter[str] = Counter()
    waiting: dict[str, list[Any]] = defaultdict(list)
    for several in made:
        for paragraph in several:
            waiting[fold(paragraph["text"])].append(paragraph)
    for several in wanted:
        for true in several:
            found["paragraphs"] += 1
            if candidates := waiting[fold(true["text"])]:
                paragraph = candidates.pop(0)
                found["intact"] += 1
                found["exact"] += is_exact(paragraph["text"], true["text"])
                found["kinds"] += paragraph["kind"] in true["kind"].split("|")
    return found


def _breaks(wanted: _Running, made: _Running) -> Counter[str]:
    """Count the breaks that stand where they should, give or take a character, once the texts are aligned."""
    steps = [step for step in Levenshtein.opcodes(made.text, wanted.text) if step.src_end > step.src_start]
    begins = [step.src_start for step in steps]

    def place(offset: int) -> int:
        step = steps[bisect_right(begins, offset) - 1]
        if step.tag == "delete":
            return step.dest_start
        return min(step.dest_start + offset - step.src_start, step.dest_end)

    found = Counter(edits=Levenshtein.distance(made.text, wanted.text))
    for name in ("breaks", "starts"):
        ours, true = getattr(made, name), getattr(wanted, name)
        places = {place(offset) for offset in ours} if steps else set()
        found[f"{name}_hit"] = sum(bool({t - 1, t, t + 1} & places) for t in set(true))
        found[f"{name}_made"], found[f"{name}_wanted"] = len(ours), len(true)
    return found


def _spaces(articles: Iterable[Sequence[Any]]) -> Iterator[tuple[str, str]]:
    """Yield the characters on both sides of every space inside Chinese."""
    for several in articles:
        for paragraph in several:
            text = paragraph["text"]
            yield from ((text[m.start() - 1], text[m.end()]) for m in _INSIDE_CHINESE.finditer(text))


def _value(article: Mapping[str, Any], name: str) -> str:
    value = article.get(name) or ""
    return fold("/".join(value) if isinstance(value, list | tuple) else str(value))


def figures(counts: Counter[str]) -> dict[str, float | None]:
    """Return the figures that counts amount to; None where there is nothing to be judged."""
    found: dict[str, float | None] = {}
    for figure in FIGURES:
        part, whole = figure.of
        if not whole:
            made, wanted = counts[f"{part}_made"], counts[f"{part}_wanted"]
            found[figure.name] = 2 * counts[f"{part}_hit"] / (made + wanted) if made + wanted else 1.0
        elif figure.name in ("meta", "furniture") and not counts[whole]:
            found[figure.name] = None
        else:
            found[figure.name] = figure.per * counts[part] / max(1, counts[whole])
    return found
