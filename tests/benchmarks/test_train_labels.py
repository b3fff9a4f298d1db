"""What the labeller learns from is what it will meet: its words never come from a story that stands on the page."""

from benchmarks.train_labels import unseen
from benchmarks.typesetting.articles import Gold, Story


def _story(title: str, *paragraphs: str) -> Story:
    return {"title": title, "date": "2025-01-01", "paragraphs": list(paragraphs)}


def test_words_are_learnt_from_stories_that_stand_on_no_page_of_the_part() -> None:
    shown = _story("渡口", "渡口的早晨从一声汽笛开始，船老大把缆绳绕上木桩。", "雾散了。")
    other = _story("石阶", "河埠头有十一级石阶，从前夜里上下，全靠摸。")
    printed = "本报枫坪3月3日电（记者 温以宁）" + str(shown["paragraphs"][0])
    gold: Gold = {
        "language": "zh-Hans",
        "furniture": [],
        "articles": [
            {"title": None, "paragraphs": [{"kind": "body", "text": printed}, {"kind": "body", "text": "雾散了。"}]}
        ],
    }
    assert unseen([shown, other], [gold]) == [other]
    assert unseen([shown, other], []) == [shown, other]
