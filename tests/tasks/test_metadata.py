"""What an article says of itself, in the ways papers and sites say it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reflow import metadata

DAYS = [
    ("2024年11月26日", date(2024, 11, 26)),
    ("二〇二五年十二月三十一日", date(2025, 12, 31)),
    ("二○二四年二月九日", date(2024, 2, 9)),
    ("Post time: Dec-29-2021", date(2021, 12, 29)),
    ("3 March 2022", date(2022, 3, 3)),
    ("２０２５年３月３１日", date(2025, 3, 31)),
    ("2026‐05‐11", date(2026, 5, 11)),
    ("2025-02-30", None),
    ("第3版", None),
    ("电话 010-2024-11", None),
]


@pytest.mark.parametrize(("text", "day"), DAYS)
def test_find_date(text: str, day: date | None) -> None:
    assert metadata.find_date(text) == day


FIELDS = [
    ("来源：北湾商报 2024-03-05", {"publisher": "北湾商报", "published_on": date(2024, 3, 5)}),
    ("來源：南津晚報", {"publisher": "南津晚報"}),
    ("作者：温以宁", {"authors": ("温以宁",)}),
    ("責任編輯：葉小滿", {}),
    ("Source: Coldharbour Courier", {"publisher": "Coldharbour Courier"}),
    ("Original link: https://news.example/a_1.html.", {"url": "https://news.example/a_1.html"}),
    ("2024-03-05 09:12 来源：北湾商报", {"publisher": "北湾商报", "published_on": date(2024, 3, 5)}),
    ("堤岸上的灯", {}),
]


@pytest.mark.parametrize(("text", "found"), FIELDS)
def test_fields(text: str, found: dict[str, object]) -> None:
    assert metadata.fields(text) == found


NAMES = [
    ("本报记者 林 晓 高 远", ("林晓", "高远")),
    ("□ 本报记者 周文静", ("周文静",)),
    ("記者　范若水", ("范若水",)),
    ("本報記者 藍千尋", ("藍千尋",)),
    ("作者：沈予安", ("沈予安",)),
    ("文/何一苇 图/陆知微", ("何一苇", "陆知微")),
    ("（记者 贺兰舟、许青禾）", ("贺兰舟", "许青禾")),
    ("本报驻沪记者 苏见山", ("苏见山",)),
    ("本报特约记者 苏见山", ("苏见山",)),
    ("By Nora Quill in Saltby", ("Nora Quill",)),
    ("Text: Tobias Wren", ("Tobias Wren",)),
]


@pytest.mark.parametrize(("text", "names"), NAMES)
def test_authors(text: str, names: tuple[str, ...]) -> None:
    assert metadata.authors(text) == names


REPORTS = [
    ("本报讯（记者 陆知微）自本月起，", ("陆知微",)),
    ("本报临渚4月2日电（记者 陆知微 温 以）清晨，", ("陆知微", "温以")),
    ("【本報青嶼3月9日電】（記者 藍千尋）退潮後，", ("藍千尋",)),
    ("临渚4月2日电 （通讯员 高远）清晨，", ("高远",)),
    ("清晨，渡口开了（记者看到，灯还亮着）。", ()),
    ("渡口开了。（记者 陆知微）", ()),
]


@pytest.mark.parametrize(("text", "names"), REPORTS)
def test_reporters(text: str, names: tuple[str, ...]) -> None:
    assert metadata.reporters(text) == names


HEADS = [
    ("临渚日报　2025年4月18日　第3版　民生", "临渚日报"),
    ("第9版 要闻 2023年9月16日 北湾商报", "北湾商报"),
    ("評論 2023年9月16日 星期六 青嶼週報", "青嶼週報"),
    ("2023年9月16日　星期六　芦河观察　第9版　理论", "芦河观察"),
    ("《北湾商报》（二〇二三年九月十六日　第9版）", "北湾商报"),
    ("潮声周刊 · 2023.9.16 · 9版", "潮声周刊"),
    ("2023年9月16日", None),
    ("第9版 要闻 副刊", None),
]


@pytest.mark.parametrize(("text", "paper"), HEADS)
def test_running_head(text: str, paper: str | None) -> None:
    assert metadata.running_head(text)[0] == paper


@given(st.text(alphabet=st.sampled_from("本报讯电记者（）林晓 　：:、0123456789年月日第版-来源作者By,")))
def test_never_fails(text: str) -> None:
    metadata.fields(text)
    metadata.authors(text)
    metadata.reporters(text)
    metadata.running_head(text)
