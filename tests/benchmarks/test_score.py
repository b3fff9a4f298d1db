"""The scorer finds every kind of fault, and finds none where there is none."""

import copy
import doctest
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import score

GOLD: dict[str, Any] = {
    "articles": [
        {
            "title": "渡口的灯",
            "authors": ["林晓", "高远"],
            "publisher": "临江日报",
            "published_on": "2025-05-09",
            "paragraphs": [
                {"kind": "title", "text": "渡口的灯"},
                {"kind": "byline", "text": "本报记者 林 晓"},
                {"kind": "body", "text": "灯亮了一夜……江上没有船。"},
                {"kind": "list|body", "text": "第二天，GDP增长了3%。"},
                {"kind": "caption", "text": "渡口夜景。资料图片"},
            ],
        },
        {"title": "老桥", "paragraphs": [{"kind": "title", "text": "老桥"}, {"kind": "body", "text": "桥拆了。"}]},
    ],
    "furniture": ["临江日报 2025年5月9日", "图为渡口"],
}
PERFECT = {
    "intact": 1.0, "exact": 1.0, "boundary": 1.0, "cer": 0.0, "articles": 1.0, "titles": 1.0, "meta": 1.0, "kinds": 1.0,
    "cjk_spaces": 0.0, "furniture": 0.0,
}  # fmt: skip

Articles = list[dict[str, Any]]


def same(articles: Articles) -> None:
    articles[0]["paragraphs"][3]["kind"] = "body"


def spaced_and_wide(articles: Articles) -> None:
    articles[0]["paragraphs"][1]["text"] = "本报记者 林晓"
    articles[0]["paragraphs"][3]["text"] = "第二天，GDP 增长了 3%。"


def joined(articles: Articles) -> None:
    paragraphs = articles[0]["paragraphs"]
    paragraphs[2]["text"] += paragraphs.pop(3)["text"]


def parted(articles: Articles) -> None:
    articles[1]["paragraphs"][1:] = [{"kind": "body", "text": "桥拆"}, {"kind": "body", "text": "了。"}]


def one_article(articles: Articles) -> None:
    articles[0]["paragraphs"] += articles.pop()["paragraphs"]


def space_inside(articles: Articles) -> None:
    articles[1]["paragraphs"][1]["text"] = "桥 拆了。"


def other_width(articles: Articles) -> None:
    articles[0]["paragraphs"][3]["text"] = "第二天，ＧＤＰ增长了3%。"


def wrong_kind(articles: Articles) -> None:
    articles[1]["paragraphs"][0]["kind"] = "heading"


def lost_character(articles: Articles) -> None:
    articles[1]["paragraphs"][1]["text"] = "拆了。"


def wrong_facts(articles: Articles) -> None:
    articles[0] |= {"publisher": None, "authors": ["林晓"]}
    articles[1]["title"] = "新桥"


def running_head_in_text(articles: Articles) -> None:
    articles[1]["paragraphs"][1]["text"] += "临江日报2025年5月9日"


def nothing(articles: Articles) -> None:
    articles.clear()


FAULTS: list[tuple[Callable[[Articles], None], dict[str, float]]] = [
    (same, {}),
    (spaced_and_wide, {}),
    (joined, {"intact": 4 / 6, "exact": 4 / 6, "boundary": 8 / 9}),
    (parted, {"intact": 5 / 6, "exact": 5 / 6, "boundary": 10 / 11}),
    (one_article, {"articles": 0.0, "titles": 2 / 3}),
    (space_inside, {"exact": 5 / 6, "cjk_spaces": 1e4 / 41}),
    (other_width, {"exact": 5 / 6}),
    (wrong_kind, {"kinds": 5 / 6}),
    (lost_character, {"intact": 5 / 6, "exact": 5 / 6, "cer": 1 / 41}),
    (wrong_facts, {"meta": 1 / 3, "titles": 0.5}),
    (running_head_in_text, {"intact": 5 / 6, "exact": 5 / 6, "cer": 13 / 41, "furniture": 0.5}),
    (
        nothing,
        {"intact": 0, "exact": 0, "boundary": 0, "cer": 1, "articles": 0, "titles": 0, "meta": 0, "kinds": 0},
    ),
]


def test_doctests() -> None:
    assert doctest.testmod(score).failed == 0


@pytest.mark.parametrize(("fault", "changed"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_a_fault_shows_in_its_figures_alone(fault: Callable[[Articles], None], changed: dict[str, float]) -> None:
    read = copy.deepcopy({"articles": GOLD["articles"]})
    read["articles"][0]["paragraphs"][3]["kind"] = "list"
    fault(read["articles"])
    assert score.figures(score.count(GOLD, read)) == pytest.approx(PERFECT | changed)


def test_counts_of_sources_add_up() -> None:
    one, none = score.count(GOLD, GOLD), score.count(GOLD, {"articles": []})
    figures = score.figures(one + none)
    assert (figures["intact"], figures["cer"], (one + none)["lost"]) == (0.5, 0.5, 1)


def test_what_is_not_known_is_not_judged() -> None:
    bare = {"articles": [{"title": None, "paragraphs": [{"kind": "body", "text": "桥拆了。"}]}]}
    figures = score.figures(score.count(bare, bare))
    assert figures == PERFECT | {"meta": None, "furniture": None}
