"""Undo what layout and fonts did to the characters of a line, and nothing that the author wrote.

Each rule is a pure function from a string to a string; `RULES` orders those that need no more than the line itself.
`drop_invisible` alone takes characters away but for white space, and `tasks.reflow` counts them under its name; all others
put one in the place of another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Iterable

from tasks.radicals import IDEOGRAPHS, RADICALS

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
#: Characters beside which Chinese typesetting leaves no word space: Han, full-width forms and the marks set with them.
WIDE = HAN + "\u3000-\u303f\uff01-\uff65“”‘’…⋯—─·"
CLOSING = frozenset("，。、；：？！”’）》〉】〕」』］｝…⋯%％·,.;:?!)]}")
OPENING = frozenset("“‘（《〈【〔「『［｛([{")
#: The closing marks of Chinese print: their ink is in the left half of their em, and no typesetter opens a line with one.
HALF_INK = frozenset("，。、；：！？”’）》〉】〕」』")
#: Marks that can end a sentence, and the closing marks that may follow them.
ENDING = frozenset("。！？!?…⋯")
TRAILING = frozenset("”’）》】」』）)\"'")

#: Unicode equates the door with its traditional form; a simplified font draws 户 for it.
DOOR = "⼾"
_RADICALS = {
    simplified: str.maketrans(RADICALS, IDEOGRAPHS) | ({ord(DOOR): "户"} if simplified else {})
    for simplified in (True, False)
}
_VERTICAL_FORMS = str.maketrans(
    "︐︑︒︓︔︕︖︗︘︙︰︱︲︳︴︵︶︷︸︹︺︻︼︽︾︿﹀﹇﹈",
    "，、。：；！？〖〗…：—–＿＿（）｛｝〔〕【】《》〈〉［］",
)
_UPRIGHT_QUOTES = {True: str.maketrans("﹁﹂﹃﹄", "‘’“”"), False: str.maketrans("﹁﹂﹃﹄", "「」『』")}
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e00ff]+"
)
_COMPATIBILITY = re.compile("[\uf900-\ufaff\U0002f800-\U0002fa1f]")
_HAN = re.compile(f"[{HAN}]")
_SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_SINGLES = re.compile(rf"(?:(?<=^)|(?<= )|(?<=[{WIDE}]) +)(?:[{WIDE}] +){{2,}}[{WIDE}](?= |$)")
#: After these words two or more names may follow, each set as 林 晓.
_ROLE = re.compile(r"(?:记者|記者|通讯员|通訊員|作者|编辑|編輯|责编|摄影|(?:^|[\s/／（(])(?:摄|文|图))$")


def unify_radicals(text: str, simplified: bool = True) -> str:
    """Give radical code points the ideograph they stand for: browsers write ⻓ and ⼯ for 长 and 工 into a PDF.

    >>> unify_radicals("⻓⽊⼯⼾"), unify_radicals("⼾", simplified=False)
    ('长木工户', '戶')
    """
    return text.translate(_RADICALS[simplified])


def unify_compatibility(text: str) -> str:
    r"""Give CJK compatibility ideographs their unified code point; full-width punctuation is left alone.

    >>> unify_compatibility("\uf914，（乐）")
    '樂，（乐）'
    """
    return _COMPATIBILITY.sub(lambda m: unicodedata.normalize("NFC", m[0]), text)


def lower_ellipsis(text: str) -> str:
    """Give a Chinese ellipsis its own character: fonts draw it on the middle of the line, and PDFs then call it ⋯.

    >>> lower_ellipsis("渡口⋯⋯"), lower_ellipsis("1 + 2 + ⋯ + n")
    ('渡口……', '1 + 2 + ⋯ + n')
    """
    return text.replace("⋯⋯", "……")


def lay_vertical_forms(text: str) -> str:
    """Replace the presentation forms of vertical text by the marks an author types.

    >>> lay_vertical_forms("︽渡口︾︵上︶")
    '《渡口》（上）'
    """
    return text.translate(_VERTICAL_FORMS)


def set_vertical_quotes(text: str, simplified: bool) -> str:
    """Replace the quotation marks of vertical text: a simplified page sets “ as ﹃, a traditional one 「 as ﹁.

    >>> set_vertical_quotes("﹃渡口﹄", simplified=True), set_vertical_quotes("﹁渡口﹂", simplified=False)
    ('“渡口”', '「渡口」')
    """
    return text.translate(_UPRIGHT_QUOTES[simplified])


def drop_invisible(text: str) -> str:
    r"""Drop control, zero-width, direction and tag characters and soft hyphens, which no reader of the page ever saw.

    Selectors of a character's variant stay: which form of 葛 is meant is for the author to say.

    >>> drop_invisible("渡\u200b口\u00ad\U000e0041")
    '渡口'
    """
    return _INVISIBLE.sub("", text)


def narrow_spaces(text: str) -> str:
    """Make every run of spaces (no-break, ideographic, tabs) one plain space, and none at the ends.

    >>> narrow_spaces("　本报记者　　林晓 ")
    '本报记者 林晓'
    """
    return _SPACES.sub(" ", text).strip()


def close_letter_spacing(text: str) -> str:
    """Close up a letter-spaced line, or its letter-spaced end: three or more single characters set apart.

    >>> close_letter_spacing("经 济 全 球 化 是 科 技 。")
    '经济全球化是科技。'
    >>> close_letter_spacing("前途 命 运 。")
    '前途命运。'
    >>> close_letter_spacing("本报记者 林 晓 高 远")
    '本报记者 林 晓 高 远'
    """
    if text.count(" ") < 2:
        return text
    return _SINGLES.sub(lambda m: m[0] if _ROLE.search(text[: m.start()]) else m[0].replace(" ", ""), text)


Rule = Callable[[str], str]
#: In this order: code points first, then what is invisible, then spacing.
RULES: tuple[Rule, ...] = (
    lay_vertical_forms,
    lower_ellipsis,
    unify_radicals,
    unify_compatibility,
    drop_invisible,
    narrow_spaces,
    close_letter_spacing,
)


def clean(text: str, simplified: bool = True) -> tuple[str, tuple[str, ...]]:
    """Return a line with every rule applied, and the names of the rules that changed something but white space.

    `simplified` says which script it stands in.

    >>> clean("　⻓江 ")
    ('长江', ('unify_radicals',))
    """
    fixes = []
    for rule in RULES:
        fixed = unify_radicals(text, simplified) if rule is unify_radicals else rule(text)
        if fixed != text and rule is not narrow_spaces:
            fixes.append(rule.__name__)
        text = fixed
    return text, tuple(fixes)


def is_wide(char: str) -> bool:
    """Return whether a character is set on a full em (Han, kana, full-width marks, Chinese quotation marks).

    >>> [is_wide(c) for c in "文，“a1 "]
    [True, True, True, False, False, False]
    """
    return ord(char) >= 0x2E80 or char in "“”‘’…⋯—─"


def sets_space(texts: Iterable[str]) -> bool:
    """Tell whether the author sets a space between Chinese and Latin, by the majority inside these texts.

    >>> sets_space(["共 12 盏灯", "有 3 盏", "第4盏"]), sets_space(["第4盏"])
    (True, False)
    """
    with_space = without = 0
    for text in texts:
        with_space += len(re.findall(r"[\u4e00-\u9fff] [A-Za-z0-9]|[A-Za-z0-9%] [\u4e00-\u9fff]", text))
        without += len(re.findall(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9%][\u4e00-\u9fff]", text))
    return with_space > without


#: An address on the web at the end of a line, and what can be the rest of it on the next.
_ADDRESS = re.compile(r"https?://[!-~]*$")
_REST = re.compile(r"(?!https?:)[!-~]+[）)】\]]?$")
_ADDRESS_END = re.compile(r"\.(?:s?html?|php|aspx?)$")


def parts_address(left: str, right: str) -> bool:
    """Return whether a line end stands within an address on the web.

    >>> parts_address("原文链接：https://news.example/2025/0", "9/02.html"), parts_address("https://a.example/b.html", "By")
    (True, False)
    """
    return (
        _ADDRESS.search(left) is not None
        and _REST.match(right) is not None
        and _ADDRESS_END.search(left) is None
        and re.search(r"[\d./_=&?%-]", left[-1] + right) is not None
    )


#: No word or address is longer; to look at the whole of a paragraph at each of its lines would take the square of its length.
_NEAR = 2000


def joint(left: str, right: str, spaced: bool = False, words: Container[str] = frozenset()) -> tuple[int, str]:
    """Tell how two lines of one paragraph join: how many characters of `left` go, and what comes between.

    Nothing comes between Chinese characters, one space between Latin words; with `spaced` the author sets a space
    between Chinese and Latin, and a line end may have taken it. A hyphen at a line end goes where it parted a word;
    `words` are those of the text, in lower case, which show how the author writes it elsewhere.

    >>> joint("经济全", "球化"), joint("the world", "economy"), joint("eco-", "nomic"), joint("long-", "term")
    ((0, ''), (0, ' '), (1, ''), (0, ''))
    """
    left = left[-_NEAR:]
    if not left or not right or parts_address(left, right):
        return 0, ""
    a, b = left[-1], right[0]
    if a == "-" and len(left) > 1 and left[-2].isalpha() and left[-2].isascii() and b.islower():
        return (0, "") if _keeps_hyphen(left, right, words) else (1, "")
    if is_wide(a) and is_wide(b):
        return 0, ""
    if is_wide(a) or is_wide(b):
        other = b if is_wide(a) else a
        han = a if is_wide(a) else b
        return 0, (" " if spaced and other.isalnum() and _HAN.match(han) else "")
    if a in "-/–—" or (a.isdigit() and b in "%％"):
        return 0, ""
    return 0, " "


#: First parts of compounds that keep their hyphen wherever a line ends, unless a mere suffix follows (state-ment), and
#: last parts that do.
_FIRST = re.compile(
    "long|short|high|low|well|self|non|cross|half|one|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|"
    "fifty|first|second|third|large|small|deep|far|near|medium|middle|north|south|hard|soft|old|new|free|fast|slow|open|"
    "close|cost|state|world|land|market|risk|user|data|carbon|energy|labou?r|capital|resource|technology|knowledge|"
    "export|import|profit|value|decision|cutting|time|year|water|wind"
)
_SUFFIX = re.compile(
    "(?:ing|ly|ment|age|dom|ness|ward|er|est|ed|en|ened|ening|scape|ful|less|able|ible|some|hood|ship|ish|ity|al|ical|ory|"
    "ist|ism|ation|ative|ance|ence|ture|table|wide|fall|side|land|mark|work|light)?s?"
)
_LAST = re.compile(
    "sized|based|term|level|scale|quality|depth|friendly|related|driven|oriented|intensive|making|income|priced|owned|"
    "growing|speed|tech|carbon"
)


def _keeps_hyphen(left: str, right: str, words: Container[str]) -> bool:
    """Return whether the hyphen between two line parts belongs to the word (long-term) or to the line end (eco-nomic)."""
    first = re.split(r"[^A-Za-z-]", left[:-1])[-1].lower()
    found = re.match(r"[a-z]+(?:-[a-z]+)*", right)
    last = found[0] if found else ""
    if f"{first}-{last}" in words:
        return True
    if first + last in words:
        return False
    if _LAST.fullmatch(last) or "-" in first:
        return True
    return _FIRST.fullmatch(first) is not None and not _SUFFIX.fullmatch(last)
