"""Texts as they come in, with what should be read from them: columns wrapped to lines, web pages, journal articles.

They are made at random from any JSON-lines file of stories, to train the labeller on and to calibrate it. What papers
and sites print around a story is drawn from long lists, so that no one phrase is learnt by heart.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pdfminer.fontmetrics import FONT_METRICS

from benchmarks.typesetting.articles import Article, Gold, Paragraph, Story
from benchmarks.typesetting.phrases import PHRASES, Phrases
from benchmarks.typesetting.wrap import UNWRAPPED, break_english, random_text_layout, wrap_articles

_BYLINES = [
    "本报记者 {}", "本报记者　{}", "记者 {}", "□ 本报记者 {}", "（记者 {}）", "新华社记者 {}", "作者 {}", "作者：{}", "特约记者 {}",
    "文/{}", "本报驻沪记者 {}", "本报通讯员 {}", "◎ {}", "■ {}", "本刊记者 {}", "本报首席记者 {}", "文｜{}", "本报评论员 {}", "记者：{}",
    "本报特约记者 {}", "撰文 {}",
]  # fmt: skip
_HEADS = [
    "本报讯（记者 {names}）", "本报{town}{m}月{d}日电（记者 {names}）", "本报讯 （通讯员 {names}）", "{town}{m}月{d}日电 （记者 {names}）",
    "本报{town}{m}月{d}日讯 记者{names}报道：", "【本报{town}{m}月{d}日电】", "本报北京{m}月{d}日电　（记者{names}）",
]  # fmt: skip
_SOURCES = [
    "来源：{paper} {date}", "来源：{paper}", "{paper}　{zh}", "{paper} {zh}", "（来源：《{paper}》 {date}）", "{zh} 来源：{paper}",
    "发布时间：{date} 10:24", "{date} 09:12 来源：{paper}", "{zh}　第{n}版　{paper}", "转自：{paper}　时间：{date}",
    "《{paper}》（{zh}　第{n}版）", "发布时间：{date} 08:30　来源：{paper}", "{date} 08:30:12 来源: {paper}", "（来源：{paper} {zh}）",
]  # fmt: skip
_FEET = [
    "原文链接：https://news.example/{n}/{n}.html", "责任编辑：{name}", "（责任编辑：{name}）", "责编：{name}", "编辑：{name}　校对：{name2}",
    "来源：{paper}", "关键词：民生；出行", "（{paper}记者 {name} {name2}）", "[责任编辑：{name}]", "编辑 {name}　校对 {name2}",
    "原文链接：https://news.example/{n}/{date}/ARTIkq7Zt0uXvB3mLw9RcYd{n}8.shtml", "本版责编：{name}", "（责编：{name}、{name2}）", "责任编辑 {name}",
]  # fmt: skip
_AFFILIATIONS = [
    "（作者单位：{}）", "【作者系{}研究员】", "（作者系{}教授）", "（作者：{}）", "（作者为{}特约研究员）", "【作者单位：{}】", "（本文作者系{}主任）",
    "（作者分别系{}院长、副研究员）", "［作者单位：{}］", "（作者单位为{}）", "（笔者系{}工作人员）", "（执笔：{}）", "（课题组成员单位：{}）",
]  # fmt: skip
_EN_FEET = ["Source: {paper}", "Post time: {mdy}", "Editor: {name}", "Original link: https://news.example/{n}.html",
            "By {name}", "Updated: {date}", "Published: {mdy}", "Author: {name}"]  # fmt: skip
_EN_HEADS = ["By {name}", "Source: {paper}", "{paper} | Updated: {date}", "(Source: {paper} {date})", "By {name} in {town}",
             "Published on {mdy}", "Posted: {mdy}", "(来源:《{paper}》 {date})", "来源：{paper}  {date}"]  # fmt: skip
_SECTIONS = ["Introduction", "Background", "Methods", "Data and methods", "Results", "Discussion", "Conclusion",
             "Related work", "What remains to be done", "A question of cost", "The case of the upper valley"]  # fmt: skip
_SAID = ['"{}," he said.', '"{}," said {name}.', '"{}," she said, adding that more would follow.', "“{},” {name} said."]
_SENTENCE = re.compile(r".+?[.!?][\"”’)]*(?=\s+[A-Z\"“(]|$)")
_FONTS = ["Times-Roman", "Helvetica"]


@dataclass(frozen=True, slots=True)
class Writer:
    """Draws texts from `stories` by the seed in `rng`: the same stories and seed give the same texts."""

    stories: Sequence[Story]
    rng: random.Random

    def draw(self) -> tuple[bytes, Gold]:
        """Return one text and its gold, of a family drawn at random."""
        english = [s for s in self.stories if s.get("language") == "en"]
        x = self.rng.random()
        if english and x < 0.12:
            return _journal(_sentences(english), self.rng)
        if english and x < 0.19:
            return _english_page(_sentences(english), self.rng)
        return self._web_page() if x < 0.3 else self._columns()

    def _chinese(self, count: int) -> list[Story]:
        stories = [s for s in self.stories if s.get("language", "zh-Hans") != "en"]
        first = self.rng.choice(stories)
        alike = [s for s in stories if s.get("language") == first.get("language") and s is not first]
        return [first, *self.rng.sample(alike, min(count - 1, len(alike)))]

    def _columns(self) -> tuple[bytes, Gold]:
        """Return newspaper articles wrapped to the lines of a column."""
        rng = self.rng
        layout = random_text_layout(rng)
        if rng.random() < 0.15 and layout.width < UNWRAPPED:  # from here on the column is wider, to the end
            layout = replace(layout, stretch=(rng.randrange(15, 60), 1 << 30, layout.width + rng.choice([4, 6, 8, -3])))
        if rng.random() < 0.15:
            layout = replace(layout, breaks=rng.choice(["by width", "by count"]))
        stories = self._chinese(rng.choice([1, 2, 2, 3, 4]))
        language = stories[0].get("language", "zh-Hans")
        habits = _Habits.draw(rng)
        articles = [_newspaper(s, habits, self._titles(language), rng) for s in stories]
        head = ""
        if layout.head_every:
            year, month, day = (int(x) for x in stories[0]["date"].split("-"))
            p = PHRASES[language]
            head = rng.choice(p.heads).format(
                paper=rng.choice(p.papers), y=year, m=month, d=day, n=rng.randint(1, 16), section=rng.choice(p.sections)
            )
        data = wrap_articles(articles, layout, rng, head, language)
        group = "columns without indent" if layout.indent == "none" else "columns"
        return data, {"group": group, "language": language, "articles": articles, "furniture": [head] if head else []}

    def _titles(self, language: str) -> list[str]:
        """Return what may stand as a subheading: short titles of other stories, whole or in part."""
        titles = [s["title"] for s in self.stories if s.get("language", "zh-Hans") == language]
        parts = [part for title in titles for part in re.split(r"[　 ——：:，。！？]+", title)]
        return [part for part in parts if 4 <= len(part) <= 15] or PHRASES[language].headings

    def _web_page(self) -> tuple[bytes, Gold]:
        """Return an article as saved from a Chinese site: one paragraph a line."""
        rng = self.rng
        story = self._chinese(1)[0]
        language = story.get("language", "zh-Hans")
        p = PHRASES[language]
        titled, lines = rng.random() < 0.7, list[tuple[str, str]]()
        values = _values(story["date"], p, rng)
        if titled:
            lines += [("title", story["title"])] * rng.choice([1, 1, 1, 2])
        if rng.random() < 0.6:
            lines.append(("metadata", rng.choice(_SOURCES).format(**values)))
        if rng.random() < 0.3:
            lines.append(("byline", rng.choice(_BYLINES).format(values["name"])))
        body = _own(story)
        if rng.random() < 0.25:
            opening = rng.choice(_HEADS).format(**values)
            body[0] = {**body[0], "text": opening + body[0]["text"]}
        if rng.random() < 0.4:
            body = _with_headings(body, self._titles(language), rng)
        lines += [(q["kind"], q["text"]) for q in body]
        feet = rng.sample(_FEET, rng.choice([0, 0, 1, 1, 2]))
        lines += [("metadata", foot.format(**values)) for foot in feet]
        return _unwrapped(lines, language, rng, "　　" if rng.random() < 0.3 else "")


@dataclass(frozen=True, slots=True)
class _Habits:
    """What one paper prints around every article of a page."""

    titles: bool
    subtitle: float
    byline: str
    source: bool
    headings: bool
    affiliation: bool
    editor: bool

    @classmethod
    def draw(cls, rng: random.Random) -> _Habits:
        titles = rng.random() < 0.78
        return cls(
            titles,
            rng.choice([0, 0, 0.4, 1]),
            rng.choice(["none", "line", "line", "line", "opening"]),
            rng.random() < 0.2,
            rng.random() < 0.6,
            not titles or rng.random() < 0.45,
            rng.random() < 0.25,
        )


def _values(date: str, p: Phrases, rng: random.Random) -> dict[str, str]:
    year, month, day = (int(x) for x in date.split("-"))
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    names = rng.sample(p.names, 2)
    return {
        "paper": rng.choice(p.papers), "date": date, "zh": f"{year}年{month}月{day}日", "m": str(month), "d": str(day),
        "n": str(rng.randint(2, 48)), "name": names[0], "name2": names[1], "names": " ".join(names[: rng.choice([1, 1, 2])]),
        "town": rng.choice(p.towns), "mdy": f"{months[month - 1]}-{day:02d}-{year}",
    }  # fmt: skip


def _own(story: Story) -> list[Paragraph]:
    return [{"kind": "body", "text": q} if isinstance(q, str) else q for q in story["paragraphs"]]


def _with_headings(body: list[Paragraph], titles: list[str], rng: random.Random) -> list[Paragraph]:
    if len(body) < 4 or any(q["kind"] == "heading" for q in body):
        return body
    wanted = rng.choice([1, 2, 2, 3])
    numbers = rng.choice(
        [["", "", ""]] * 3 + [["一、", "二、", "三、"], ["（一）", "（二）", "（三）"], ["1.", "2.", "3."]]
    )
    result = list(body)
    for n, place in reversed(list(enumerate(sorted(rng.sample(range(1, len(body)), wanted))))):
        result.insert(place, {"kind": "heading", "text": numbers[n] + rng.choice(titles)})
    return result


def _newspaper(story: Story, habits: _Habits, titles: list[str], rng: random.Random) -> Article:
    """Return a story as a paper with these habits prints it."""
    p = PHRASES[story.get("language", "zh-Hans")]
    values = _values(story["date"], p, rng)
    names = [" ".join(n) if len(n) == 2 and rng.random() < 0.5 else n for n in values["names"].split()]
    own = _own(story)
    printed: list[Paragraph] = []
    if habits.titles:
        printed.append({"kind": "title", "text": story["title"]})
        if rng.random() < habits.subtitle:
            text = story.get("subtitle") or rng.choice(titles) + rng.choice(["", p.between + rng.choice(titles)])
            printed.append({"kind": "subtitle", "text": rng.choice(["", "", "", "——"]) + text})
    if habits.titles and habits.byline == "line" and rng.random() < 0.9:
        printed.append({"kind": "byline", "text": rng.choice(_BYLINES).format(" ".join(names))})
    if habits.source:
        printed.append({"kind": "metadata", "text": rng.choice(_SOURCES).format(**values)})
    if habits.byline == "opening":
        own[0] = {**own[0], "text": rng.choice(_HEADS).format(**values) + own[0]["text"]}
    printed += _with_headings(own, titles, rng) if habits.headings else own
    if habits.affiliation:
        text = rng.choice(_AFFILIATIONS).format("、".join(rng.sample(p.institutes, rng.choice([1, 1, 1, 2]))))
        printed.append({"kind": "affiliation", "text": text})
    if habits.editor:
        printed.append({"kind": "metadata", "text": rng.choice(_FEET).format(**values)})
    return {"title": story["title"] if habits.titles else None, "paragraphs": printed}


def _unwrapped(lines: list[tuple[str, str]], language: str, rng: random.Random, indent: str) -> tuple[bytes, Gold]:
    """Return one paragraph a line, with blank lines between them or not, or some of them here and there."""
    blank = rng.choice([0.0, 0.0, 1.0, 1.0, 0.15])
    out: list[str] = []
    for kind, text in lines:
        lead = indent if kind == "body" else rng.choice(["", "", "", " "])
        out.append(lead + text)
        if rng.random() < blank:
            out += [""] * rng.choice([1, 1, 1, 1, 2])
        if kind != "metadata" and rng.random() < 0.01:
            out += [""] * 10
    paragraphs: list[Paragraph] = [{"kind": k, "text": t} for k, t in dict.fromkeys(lines)]
    title = next((t for k, t in lines if k == "title"), None)
    articles: list[Article] = [{"title": title, "paragraphs": paragraphs}]
    gold: Gold = {"group": "a paragraph a line", "language": language, "articles": articles, "furniture": []}
    return ("\n".join(out) + "\n").encode(), gold


def _sentences(stories: Sequence[Story]) -> tuple[list[str], list[str]]:
    """Return the sentences and the titles of English stories: shuffled, they make as many articles as are wanted."""
    paragraphs = [q["text"] for s in stories for q in _own(s) if q["kind"] == "body"]
    return [m[0].strip() for q in paragraphs for m in _SENTENCE.finditer(q)], [s["title"] for s in stories]


def _english_paragraph(sentences: list[str], rng: random.Random) -> str:
    count = rng.choice([1, 2, 3, 3, 4, 4, 5, 6, 8, 12])
    marks = ["", "", "", f" [{rng.randint(1, 30)}]", f" [{rng.randint(1, 9)},{rng.randint(10, 30)}]", " [1-3]"]
    picked = rng.sample(sentences, min(count, len(sentences)))
    return " ".join(s[:-1] + rng.choice(marks) + s[-1] if s[-1] == "." else s for s in picked)


def _journal(source: tuple[list[str], list[str]], rng: random.Random) -> tuple[bytes, Gold]:
    """Return an English journal article with abstract and numbered headings, wrapped to the page."""
    sentences, titles = source
    p = PHRASES["en"]
    printed: list[Paragraph] = []
    title = rng.choice(titles) if rng.random() < 0.4 else None
    if title:
        printed.append({"kind": "title", "text": title})
        if rng.random() < 0.6:
            printed.append({"kind": "byline", "text": "By " + rng.choice(p.names)})
    headed, numbered = rng.random() < 0.75, rng.choice(["{}. ", "{} ", "{}. ", ""])
    if headed and rng.random() < 0.7:
        printed.append({"kind": "heading", "text": rng.choice(["Abstract", "Summary", "ABSTRACT"])})
    printed.append({"kind": "body", "text": _english_paragraph(sentences, rng)})
    for n in range(rng.randint(2, 5)):
        if headed:
            heading = rng.choice(_SECTIONS + p.headings + [" ".join(rng.choice(sentences).split()[:6]).strip(",;.")])
            printed.append({"kind": "heading", "text": numbered.format(n + 1) + heading})
        printed += [{"kind": "body", "text": _english_paragraph(sentences, rng)} for _ in range(rng.randint(1, 4))]
    if rng.random() < 0.15:
        text = rng.choice(p.affiliations).format(rng.choice(p.institutes))
        printed.append({"kind": "affiliation", "text": text})
    data = _wrapped_english(printed, rng)
    articles: list[Article] = [{"title": title, "paragraphs": printed}]
    gold: Gold = {"group": "English", "language": "en", "articles": articles, "furniture": []}
    return data, gold


def _wrapped_english(printed: list[Paragraph], rng: random.Random) -> bytes:
    """Return paragraphs wrapped in one of the ways in which English text is."""
    blank = rng.choice(["paragraphs", "paragraphs", "none", "every line"])
    columns, font, indent = rng.randint(52, 104), rng.choice([*_FONTS, *_FONTS, ""]), rng.choice(["", "", "    ", "  "])
    out: list[str] = []
    for q in printed:
        lines = _break(q["text"], columns, font, rng.random() < 0.8)
        lines[0] = (indent if q["kind"] == "body" else rng.choice(["", " ", ""])) + lines[0]
        for line in lines:
            out.append(rng.choice(["", " "]) + line + " " if rng.random() < 0.03 else line)
            if blank == "every line":
                out.append("")
        if blank == "paragraphs" and not (q["kind"] == "heading" and rng.random() < 0.2):
            out.append("")
    return ("\n".join(out) + "\n").encode()


def _break(text: str, columns: int, font: str, hyphenate: bool) -> list[str]:
    """Break English text into lines of `columns` characters, or of as much room as they take in a proportional font."""
    if not font:
        return break_english(text, columns, hyphenate)
    widths = FONT_METRICS[font][1]
    room, lines, line, used = columns * 470.0, list[str](), "", 0.0
    for piece in _pieces(text):
        width = sum(float(widths.get(c, 500)) for c in piece.rstrip())
        if line and used + width > room:
            lines.append(line.rstrip())
            line, used = "", 0.0
        line += piece
        used += width + 250.0 * piece.endswith(" ")
    return [*lines, line.rstrip()]


def _pieces(text: str) -> Iterator[str]:
    yield from re.findall(r"\S*?[a-z]-(?=[a-z])|\S+\s*", text)


def _english_page(source: tuple[list[str], list[str]], rng: random.Random) -> tuple[bytes, Gold]:
    """Return an article as saved from an English site: one paragraph a line, quotations in paragraphs of their own."""
    sentences, titles = source
    p = PHRASES["en"]
    values = _values(f"20{rng.randint(10, 26)}-{rng.randint(1, 12)}-{rng.randint(1, 28)}", p, rng)
    lines: list[tuple[str, str]] = []
    if rng.random() < 0.7:
        start = rng.choice(titles)
        title = rng.choice([start, start, " ".join(rng.choice(sentences).split()[: rng.randint(6, 16)]).strip(',;."”')])
        lines += [("title", title)] * rng.choice([1, 1, 2])
    if rng.random() < 0.5:
        lines.append(_kinded(rng.choice(_EN_HEADS).format(**values)))
    for _ in range(rng.randint(4, 16)):
        text = _english_paragraph(sentences, rng)
        if rng.random() < 0.25:
            text = rng.choice(_SAID).format(rng.choice(sentences).rstrip('.!?"”'), name=rng.choice(p.names))
        lines.append(("body", text))
    for foot in rng.sample(_EN_FEET, rng.choice([0, 1, 2, 2])):
        lines.append(_kinded(foot.format(**values)))
    if rng.random() < 0.2:
        lines.append(("metadata", rng.choice(_FEET[:4]).format(**values)))
    return _unwrapped(lines, "en", rng, "")


def _kinded(text: str) -> tuple[str, str]:
    return ("byline" if text.startswith("By ") else "metadata", text)
