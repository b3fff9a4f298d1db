"""Read what an article says of itself: publisher, day, authors, affiliation, address on the web."""

from __future__ import annotations

import re
from datetime import date

_URL = re.compile(r"https?://[^\s，。；）)】」』”]+")
_FIELD = re.compile(
    r"(?P<key>来源|來源|转自|轉自|出处|出處|原文链接|原文連結|链接|連結|作者|记者|記者|文|责任编辑|責任編輯|责编|責編|编辑|編輯|校对|校對|审核|"
    r"发布时间|发布日期|發布時間|時間|时间|日期|关键词|關鍵詞|"
    r"Source|Post time|Posted(?: on)?|Published(?: on)?|Updated|Date|Author|Editor|By|Original(?: link)?|Link|Keywords?)\s*[:：丨|]\s*",
    re.IGNORECASE,
)
_PUBLISHER_KEYS = frozenset({"来源", "來源", "转自", "轉自", "出处", "出處", "source"})
_AUTHOR_KEYS = frozenset({"作者", "记者", "記者", "文", "author", "by"})
_NUMERIC = re.compile(r"(?<!\d)(?P<y>[12１２]\d{3})\s*[-‐./年]\s*(?P<m>\d{1,2})\s*[-‐./月]\s*(?P<d>\d{1,2})(?!\d)")
_CHINESE = re.compile(
    r"(?P<y>[〇零○Ｏ一二三四五六七八九]{4})年(?P<m>[一二三四五六七八九十]{1,2})月(?P<d>[一二三四五六七八九十]{1,3})日?"
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WESTERN = re.compile(
    r"(?P<m>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?[-\s]+(?P<d>\d{1,2})(?:st|nd|rd|th)?[-,\s]+(?P<y>[12]\d{3})"
    r"|(?P<d2>\d{1,2})(?:st|nd|rd|th)?[-\s]+(?P<m2>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?[-,\s]+(?P<y2>[12]\d{3})",
    re.IGNORECASE,
)
_DIGITS = {c: n for n, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0, "Ｏ": 0}
_ROLES = re.compile(
    r"^[（(【\[□■◎\s]*(本报|本報|本刊|本网|新华社|中新社|央视)?(首席|特约|特約|见习|見習|实习|實習|驻\S{1,6}?|駐\S{1,6}?)*"
    r"(记者|記者|通讯员|通訊員|评论员|評論員|特派员|作者|撰文|文)?[:：/／｜丨\s]*"
)
#: What stands between or behind the names of a byline.
_BESIDE_NAMES = re.compile(
    r"(\s|^)(摄影报道|报道|報導|文并摄|文/图|摄|整理|记者|記者|通讯员|通訊員|本报|编辑)(?=\s|$)|(?<=\S)\s*(摄影报道|报道|報導)$"
)
#: 本报讯（记者 …） and its like: who reports, at the head of a paragraph of running text.
_REPORT = re.compile(
    r"^[^，。：；]{0,24}?[（(](?:本报|本報|本刊|新华社)?(?:特约|特約|见习|实习)?(?:记者|記者|通讯员|通訊員)(?P<in>[^，。；）)]{2,30})[）)]"
    r"|^[【\[]?(?:本报|本報|本刊)[^，。：；]{0,14}[讯訊电電][】\]]?[　 ]*(?:记者|記者)(?P<by>[^，。；：]{2,24}?)(?:报道|報導)[:：]"
)


def find_date(text: str) -> date | None:
    """Return the first day that a text names, in figures, in Chinese numerals or in English.

    >>> find_date("二〇二五年十二月三十一日"), find_date("Post time: Dec-29-2021"), find_date("2024年11月26日 第3版")
    (datetime.date(2025, 12, 31), datetime.date(2021, 12, 29), datetime.date(2024, 11, 26))
    """
    found: list[tuple[int, int, int, int]] = []
    if m := _NUMERIC.search(text):
        found.append((m.start(), int(m["y"]), int(m["m"]), int(m["d"])))
    if m := _CHINESE.search(text):
        year = int("".join(str(_DIGITS[c]) for c in m["y"]))
        found.append((m.start(), year, _numeral(m["m"]), _numeral(m["d"])))
    if m := _WESTERN.search(text):
        y, month, d = (m["y"], m["m"], m["d"]) if m["y"] else (m["y2"], m["m2"], m["d2"])
        found.append((m.start(), int(y), _MONTHS.index(month[:3].lower()) + 1, int(d)))
    for _, y, mo, d in sorted(found):
        try:
            return date(y, mo, d)
        except ValueError:
            continue
    return None


def _numeral(text: str) -> int:
    """Return a Chinese numeral below one hundred as a number (0 where it is none).

    >>> [_numeral(t) for t in ("三十一", "十", "二十", "九")]
    [31, 10, 20, 9]
    """
    tens, ten, ones = text.rpartition("十")
    value = (_DIGITS.get(tens, 1 if not tens else 0) * 10) if ten else 0
    return value + _DIGITS.get(ones, 0)


def fields(text: str) -> dict[str, object]:
    """Return what a line of metadata states: any of publisher, published_on, authors, url.

    >>> fields("(来源:《China Daily》 2025-12-31)")
    {'published_on': datetime.date(2025, 12, 31), 'publisher': 'China Daily'}
    """
    found: dict[str, object] = {}
    if url := _URL.search(text):
        found["url"] = url[0].rstrip(".,;")
    bare = _URL.sub(" ", text)
    if (day := find_date(bare)) is not None:
        found["published_on"] = day
    marks = list(_FIELD.finditer(bare))
    for mark, after in zip(marks, [*marks[1:], None], strict=False):
        key = mark["key"].lower()
        value = bare[mark.end() : after.start() if after else len(bare)]
        if key in _PUBLISHER_KEYS and (name := _publisher(value)):
            found["publisher"] = name
        elif key in _AUTHOR_KEYS and (names := authors(value)):
            found["authors"] = names
    return found


def _publisher(value: str) -> str:
    """Return the name of a paper or site without quotation marks, date and brackets."""
    if m := re.search(r"《([^》]+)》", value):
        return m[1].strip()
    for pattern in (_NUMERIC, _CHINESE, _WESTERN):
        value = pattern.sub(" ", value)
    value = re.split(r"[（(|丨　]|\s{2,}|\d{1,2}:\d{2}", value.strip(" （()）[]【】,，。;；"))[0]
    return value.strip(" （()）[]【】,，。;；·")


def authors(text: str) -> tuple[str, ...]:
    """Return the names of a byline, without roles; single characters set apart belong together.

    >>> authors("本报记者 林 晓"), authors("記者　周文靜、高遠"), authors("By Ann Lee and Bo Chen in Linden")
    (('林晓',), ('周文靜', '高遠'), ('Ann Lee', 'Bo Chen'))
    """
    text = text.strip(" （()）[]【】")
    if re.match(r"([Bb]y |Text: )?[A-Z][A-Za-z.'-]+ ", text + " ") and not re.search("[\u4e00-\u9fff]", text):
        bare = re.sub(r"\s+in\s+[A-Z].*$", "", re.sub(r"^([Bb]y|Text:)\s+", "", text))
        return tuple(name.strip() for name in re.split(r",| and |&|;", bare) if name.strip())
    text = _BESIDE_NAMES.sub(" ", _ROLES.sub("", text))
    names: list[str] = []
    for part in re.split(r"[、，,;；/／]+", text):
        words = part.split()
        k = 0
        while k < len(words):
            if len(words[k]) == 1 and k + 1 < len(words) and len(words[k + 1]) == 1:
                names.append(words[k] + words[k + 1])
                k += 2
            else:
                names.append(words[k])
                k += 1
    return tuple(n for n in names if 2 <= len(n) <= 12)


def reporters(text: str) -> tuple[str, ...]:
    """Return who reports, as the opening words of a paragraph say it.

    >>> reporters("本报讯（记者 林 晓）渡口昨天重新开放。"), reporters("本报临渚4月2日电 记者周文静报道：渡口开了。")
    (('林晓',), ('周文静',))
    >>> reporters("渡口昨天重新开放（记者在现场看到，船已停好）。")
    ()
    """
    m = _REPORT.match(text[:80])
    return authors((m["in"] or m["by"]).strip()) if m else ()


def affiliation(text: str) -> str:
    """Return where an author works, from a line such as （作者单位：…）.

    >>> affiliation("（作者单位：江北大学）"), affiliation("【作者系江北大学研究员】")
    ('江北大学', '江北大学研究员')
    """
    bare = text.strip(" （()）[]【】〔〕。")
    return re.sub(r"^(本文)?(作者|笔者|执笔)(单位)?(分别)?(系|为|是|单位)?[:：\s]*", "", bare).strip() or bare


def running_head(text: str) -> tuple[str | None, date | None]:
    """Return the paper and the day that a running head names.

    >>> running_head("晨光日报　2025年5月9日　第15版")
    ('晨光日报', datetime.date(2025, 5, 9))
    >>> running_head("第9版 要闻 2025年5月9日 星期五 晨光日报")
    ('晨光日报', datetime.date(2025, 5, 9))
    >>> running_head("Linden Valley Gazette — 2025-02-25   Page 2")
    ('Linden Valley Gazette', datetime.date(2025, 2, 25))
    """
    day = find_date(text)
    if not _HAN.search(text):
        names = re.split(r"\s{2,}|\s*[—|·/]\s*|,", _PAGE.sub("  ", _WESTERN.sub("  ", _NUMERIC.sub("  ", text))))
        return next((n.strip() for n in names if re.match(r"\s*[A-Z]", n) and len(n.strip()) > 3), None), day
    bare = _NUMERIC.sub(" ", _CHINESE.sub(" ", re.sub(r"(?<=日)\s*(星期|周|週)[一二三四五六日天]", " ", text)))
    bare = re.sub(r"[《》（）()]", " ", bare)
    words = [
        w for w in re.split(r"[\s|·/—]+", bare) if 2 <= len(w) <= 14 and not re.search(r"\d|第.+[版页頁]|^[日版]$", w)
    ]
    papers = [w for w in words if _PAPER.search(w) and len(w) > 2] or [
        w for w in words if len(w) > 2 or len(words) == 1
    ]
    return max(papers, key=len, default=None), day


_HAN = re.compile("[\u4e00-\u9fff]")
_PAGE = re.compile(r"\b(?:[Pp]age|[Pp]p?\.|[Vv]ol(?:ume|\.)?|[Nn]o\.)\s*\d+")
#: How the names of papers and sites end.
_PAPER = re.compile(r"([报報刊网網]|新闻|新聞|评论|評論|观察|觀察|论坛|論壇|文汇|文匯|周末|杂志|雜誌|在线)$")
