"""Does a sentence open a new paragraph? What its words, and those before it, say where the layout is silent.

In text without indents whose last line happens to be full, nothing but the discourse tells: who speaks, what the
sentence is about, with which word it begins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: How many characters before and behind the place are looked at.
BEFORE, AFTER = 72, 24

_STOP = re.compile(r"[。！？!?…⋯][”’）》】」』）)]*")
_HAN = re.compile(r"[\u3400-\u9fff]")
_MARKS = re.compile(r"[，。、；：！？“”‘’（）《》\s]+")


def evidence(before: str, after: str) -> list[str]:
    """Return the names of what speaks for or against a paragraph's start between `before` and `after`.

    `before` ends with a sentence; both are cut to the length that is looked at.

    >>> evidence("渡口修好了。船夫说，水比去年清。", "船夫又说，鱼也回来了。")[:4]
    ['o1=船', 'o2=船夫', 'o3=船夫又', 'o4=船夫又说']
    """
    before, after = before[-BEFORE:], after[:AFTER]
    ends = [m.end() for m in _STOP.finditer(before)]
    cut = ends[-2] if len(ends) > 1 else 0
    sentence = before[cut:]  # the last one, if all of it is in sight
    bare = sentence.rstrip("。！？!?…⋯”’）》】」』)")
    clauses = _MARKS.split(after)
    names = [
        f"o1={after[:1]}", f"o2={after[:2]}", f"o3={after[:3]}", f"o4={after[:4]}",
        f"c1={clauses[0][-1:]}", f"c2={clauses[0][-2:]}",
        f"e2={bare[-2:]}", f"e3={bare[-3:]}", f"e={sentence[len(bare):]},{after[:1] in '“「'}",
        f"l={min(6, len(sentence) // 12)},{cut > 0}",
        f"a={min(4, _same_words(sentence, after))}", f"b={min(4, _same_words(before, after))}",
        f"s={_head(sentence) == _head(after)}",
    ]  # fmt: skip
    if cut:
        names += [f"p1={sentence[:1]}", f"p2={sentence[:2]}", f"p2,o1={sentence[:2]},{after[:1]}"]
    for word in ("表示", "介绍", "指出", "说", "认为", "据", "目前", "此外", "他", "她", "今年", "近年来", "记者"):
        if word in after:
            names.append(f"w={word},{word in sentence}")
    return names


def _head(text: str) -> str:
    return text.lstrip("“‘《（「『")[:2]


def _same_words(left: str, right: str) -> int:
    """Count the pairs of characters that stand in both: the same names, the same subject."""
    pairs = {right[k : k + 2] for k in range(len(right) - 1) if _HAN.match(right[k]) and _HAN.match(right[k + 1])}
    return sum(pair in left for pair in pairs)


def log_odds(before: str, after: str, weights: Mapping[str, float]) -> float:
    """Return how much the words speak for a paragraph's start (positive) or against it, in nats."""
    return sum(weights.get(name, 0.0) for name in ["bias", *evidence(before, after)])
