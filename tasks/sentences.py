"""Where sentences end: rules of our own for Chinese, the sentencex library for English.

In Chinese the mark decides (。！？ and the ellipsis), but three things hide or move an end:

- What stands in a title 《……》, in brackets, or in a quotation that is a word of its sentence (提出“怎么办？”的问题) ends
  nothing outside. What a speaker says after a colon, or at the start, is cut like any other text.
- Closing quotes and brackets belong to the mark before them.
- After a closed quotation its sentence goes on when the speaker is named only there (“谁？”他问。), or when what follows
  cannot begin a sentence (的, 和, a comma).
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator

from tasks.document import Language

_QUOTES = {"“": "”", "‘": "’", "「": "」", "『": "』", "﹁": "﹂", "﹃": "﹄", "｢": "｣", "〝": "〞"}
_TITLES = {"《": "》", "〈": "〉"}
_BRACKETS = {"（": "）", "(": ")", "【": "】", "〔": "〕", "〖": "〗", "[": "]", "［": "］"}
_PAIRS = _QUOTES | _TITLES | _BRACKETS
_CLOSERS = "".join(_PAIRS.values())
_PAIRED = re.compile("[" + re.escape("".join(_PAIRS) + _CLOSERS) + "]")
# What stands between marks longer than this is text of its own, or the closing mark is another's.
_TITLE_LENGTH = 60
_ASIDE_LENGTH = 200

_END = re.compile(
    r"""
      (?P<ellipsis> […⋯]+ | \.{3,} | ·{6,} )
    | (?P<mark>     [。！？｡!?‼⁇⁈⁉]+ […⋯]* )
    | (?P<stop>     [.．] )                      # also a decimal point (１．４万), or behind a number (1. )
    """,
    re.VERBOSE,
)
_BLANK = re.compile(r"\s*")
_CLOSED = re.compile(rf"[{re.escape(_CLOSERS)}]*")
_CITATION = re.compile(r"[\[［〔][0-9]{1,3}(?:[-–,，][0-9]{1,3})*[\]］〕]")

# With these no sentence begins: the one before goes on.
_GOES_ON = re.compile(r"[，、；：,;:。．！？!?…⋯）」』”’》]")
_GOES_ON_AFTER_QUOTE = re.compile(
    r"——|的(?![确確士])|之[一称稱声聲说說语語类類言争爭]|[等和与與及或、]|这[一种個个类样些句番]|這[一種個類樣些句番]|"
    r"[就便](?![是像在])|而(?![且是])|了|后(?=[，,])|後(?=[，,])|时(?=[，,])|時(?=[，,])|\s*[a-z]"
)
_GOES_ON_AFTER_ELLIPSIS = re.compile(r"[但可却卻而就也还還都又才则則并並和与與或的地得吗嗎呢吧啊了0-9a-z]|不过|不過|——")

# A clause that names the speaker after his words: short, with a verb of saying, and without the colon that would
# announce the next quotation instead.
_SAYS = (
    r"(?:(?<![知报報味])[说說道](?![路理德法教])|[问問](?![题題])|(?<![报報回])答(?!案)|[喊嚷吼骂罵叹嘆]|叫(?!做)|称(?![为号])|稱(?![為號])|"
    r"表示|指出|认为|認為|强调|強調|[写寫]道|回[忆憶答]|解[释釋]|[补補]充|介[绍紹]|坦言|告[诉訴]|感慨|透露|呼[吁籲]|宣布|总结|總結|"
    r"评价|評價|提醒)"
)
_NO_PAUSE = r"[^，。！？…；：、,;:!?“”「」『』《》\s]"
_REPORTS = re.compile(rf"{_NO_PAUSE}{{0,16}}?{_SAYS}{_NO_PAUSE}{{0,8}}(?:[，。！？…；,;!?]|\s*$)")
# Before a quotation: what it stands after when it is speech, not a part of the sentence around it.
_INTRODUCES = frozenset("：:，,。！？!?…⋯；;—" + "".join(_QUOTES) + "".join(_QUOTES.values()) + "（(")

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_CHINESE = r"\u2e80-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
_ANY_CHINESE = re.compile(rf"[{_CHINESE}]")
_LATIN_RUN = re.compile(rf"[^“”{_CHINESE}]+")
_LATIN_LETTER = re.compile(r"[A-Za-z]")
# Behind ?! and !!, and behind a sentence in brackets of its own.
_MISSED_END = re.compile(r"""(?:[!?]{2,8}["”’)]{0,4}|^\([^()]{1,200}[.!?]\))\s+(?=["“‘(]?[A-Z])""")
# sentencex takes time that grows with the square of a text of open quotations: it gets this much, up to an end mark.
_PIECE = re.compile(r".{1,4000}(?:\Z|(?<=[.!?]\s))|.{1,4000}", re.DOTALL)
# Without white space behind it a full stop stands in an address or a name, whatever sentencex says.
_LATIN_END = re.compile(r"[.!?]\s$|[。！？”」』]$")
_LATIN_SENTENCE = re.compile(r"\b\w\S{0,40}\s{1,3}\w\S{0,40}\s{1,3}[a-z]{2,30}\.")


def split_sentences(text: str, language: Language) -> Iterator[tuple[int, int]]:
    """Yield the span of each sentence of a paragraph, in order, without the white space around it.

    A line feed ends a sentence: a paragraph has none but where its author broke the line, as in verse. Text without an
    end mark is one sentence, as a heading is.

    >>> text = "“谁？”他问。没有人回答……门开了。"
    >>> [text[start:end] for start, end in split_sentences(text, "zh-Hans")]
    ['“谁？”他问。', '没有人回答……', '门开了。']
    """
    start = 0
    for line in text.splitlines(keepends=True):
        ends = _english_ends(line) if _is_english(line, language) else _chinese_ends(line)
        begin = 0
        for end in (*ends, len(line)):
            sentence = line[begin:end]
            stripped = sentence.strip()
            if stripped:
                left = start + begin + len(sentence) - len(sentence.lstrip())
                yield left, left + len(stripped)
            begin = end
        start += len(line)


def _is_english(text: str, language: Language) -> bool:
    """Tell whether English rules apply: no Chinese in it, or, in an English article, more Latin letters than Han."""
    if not _ANY_CHINESE.search(text):
        return True
    return language == "en" and len(_HAN.findall(text)) < len(_LATIN_LETTER.findall(text))


def _english_ends(text: str) -> Iterator[int]:
    """Yield where sentencex ends the sentences of an English text, and two ends that it misses."""
    import sentencex

    for piece in _PIECE.finditer(text):
        sentences = sentencex.segment("en", piece[0])
        if "".join(sentences) != piece[0]:  # never seen; but without offsets to trust it is better not to cut
            continue
        end = piece.start()
        for sentence in sentences:
            for missed in _MISSED_END.finditer(sentence):
                yield end + missed.end()
            end += len(sentence)
            if _LATIN_END.search(sentence) or (end < piece.end() and sentence[-1].isspace()):
                yield end


def _chinese_ends(text: str) -> Iterator[int]:
    text = _curl(text)
    pairs = _match_pairs(text)
    quotations = {close: open_ for open_, close in pairs if text[open_] in _QUOTES}
    asides = _asides(text, pairs)
    latin_ends = _latin_ends(text)
    begin = aside = 0
    for match in _END.finditer(text):
        while aside < len(asides) and asides[aside][1] <= match.start():
            aside += 1
        if aside < len(asides) and asides[aside][0] < match.start():
            continue
        closed = _CLOSED.match(text, match.end())
        end = closed.end() if closed else match.end()
        if citation := _CITATION.match(text, end):
            end = citation.end()
        opens = text[match.start() - 1 : match.start()] in _PAIRS or _BLANK.fullmatch(text, begin, match.start())
        if match["ellipsis"] and opens:
            continue  # it stands for what was left out before this sentence
        if _goes_on(text, match, end, latin_ends):
            continue
        quoted_from = next((quotations[i] for i in range(end - 1, match.end() - 1, -1) if i in quotations), None)
        if quoted_from is not None and _goes_on_after_quotation(text, quoted_from, end):
            continue
        yield end
        begin = end


def _goes_on(text: str, match: re.Match[str], end: int, latin_ends: frozenset[int]) -> bool:
    """Tell whether the sentence goes on behind the mark of `match` and what closes after it, up to `end`."""
    if end == len(text):
        return False
    before, following = text[match.start() - 1 : match.start()], text[end]
    if match["stop"]:
        ends = match.end() in latin_ends or (_HAN.match(before) and (following.isspace() or end > match.end()))
        return not ends
    if end > match.end() or _GOES_ON.match(text, end):
        return _GOES_ON.match(text, end) is not None
    if match["ellipsis"]:
        stammers = following == before
        return stammers or _GOES_ON_AFTER_ELLIPSIS.match(text, end) is not None
    # Yahoo!公司, ?id=5
    return match[0].isascii() and before.isascii() and before.isalnum() and following.isalnum()


def _goes_on_after_quotation(text: str, start: int, end: int) -> bool:
    """Tell whether the sentence goes on after the quotation that starts at `start` and has closed before `end`."""
    if _GOES_ON_AFTER_QUOTE.match(text, end):
        return True
    return text[start - 1 : start] not in {"：", ":"} and _REPORTS.match(text, end) is not None


def _curl(text: str) -> str:
    """Read straight quotation marks as opening and closing in turn."""
    if '"' not in text:
        return text
    marks = itertools.cycle("“”")
    return re.sub('"', lambda _: next(marks), text)


def _match_pairs(text: str) -> list[tuple[int, int]]:
    """Return the places of each opening mark and its closing one, in the order of the opening; strays are passed over."""
    pairs = []
    open_: list[tuple[int, str]] = []
    waiting: Counter[str] = Counter()  # so that a stray closing mark does not search the stack
    for match in _PAIRED.finditer(text):
        mark = match[0]
        if mark in _PAIRS:
            open_.append((match.start(), _PAIRS[mark]))
            waiting[_PAIRS[mark]] += 1
        elif waiting[mark]:
            while True:
                start, closer = open_.pop()
                waiting[closer] -= 1
                if closer == mark:
                    break
            pairs.append((start, match.start()))
    return sorted(pairs)


def _asides(text: str, pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans, in order and apart, in which a mark ends nothing outside."""
    asides: list[tuple[int, int]] = []
    for start, close in pairs:
        if asides and start < asides[-1][1]:
            continue
        end = _end_of_aside(text, start, close)
        if end is not None:
            asides.append((start, end))
    return asides


def _end_of_aside(text: str, start: int, close: int) -> int | None:
    """Return how far the pair from `start` to `close` hides marks, or None if it hides none."""
    length = close - start
    if text[start] in _TITLES:
        return close if length <= _TITLE_LENGTH else None
    if length > _ASIDE_LENGTH:
        return None
    before = text[start - 1 : start]
    if text[start] in _BRACKETS:
        stands_alone = not before or before.isspace() or before in "。！？!?…⋯”」』"
        return None if stands_alone else close
    goes_on = _GOES_ON_AFTER_QUOTE.match(text, close + 1) is not None
    is_speech = not before or before.isspace() or before in _INTRODUCES
    if is_speech and not goes_on:
        return None
    # A full stop inside, at the end, closes the sentence around the quotation too, or it would stand outside.
    return close - 1 if text[close - 1] == "。" and not goes_on else close


def _latin_ends(text: str) -> frozenset[int]:
    """Return where English sentences inside a Chinese paragraph end."""
    ends = set()
    for run in _LATIN_RUN.finditer(text):
        if "." not in run[0] or not _LATIN_SENTENCE.search(run[0]):
            continue
        begin = 0
        for end in (*_english_ends(run[0]), len(run[0])):
            sentence = run[0][begin:end].rstrip()
            stop = run.start() + begin + len(sentence)
            # Where Chinese follows, sentencex sees no end: one comes after some words, the last in small letters.
            parted = text[stop : stop + 1].isspace() or text[stop : stop + 1] in _CLOSERS
            if end < len(run[0]) or (parted and _LATIN_SENTENCE.search(sentence[-80:])):
                ends.add(stop)
            begin = end
    return frozenset(ends)
