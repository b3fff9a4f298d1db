"""A text file's bytes as pages of lines, in whichever encoding they were saved.

An encoding is recognized by trying: the bytes are decoded in each of the encodings Chinese and English texts come in,
and the result that looks most like writing wins (common characters count for it, unassigned and control characters
against it). Fifty bytes are enough. A file is then decoded strictly: one broken byte is a character lost, nobody knows
which, so the file is rejected with the place of that byte instead of being read with a hole in it.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import cache

from tasks.document import Line, Page, Reading, Unreadable, count_chars
from tasks.spool import HEAD_BYTES, sniff

# UTF-32 before UTF-16: its little-endian mark starts with the other's.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)

#: Tried in this order, the first winning a tie. GB18030 holds GBK and GB2312; Big5-HKSCS holds Big5; Windows-1252 is
#: what an English text with curly quotes is otherwise saved in.
_CANDIDATES = ("utf-8", "gb18030", "big5hkscs", "utf-16-le", "utf-16-be", "cp1252")

_UNPACK, _SAVE = "Unpack it.", "Save the document as UTF-8 text."
_GIVE = "Give the text itself, or a PDF with a text layer."
#: What a file that is no text is, in words, and what to do about it; of any other kind its media type is told.
_OTHERS = {
    "application/zip": ("a ZIP archive (perhaps a Word file)", "Unpack it, or save the document as UTF-8 text."),
    "application/gzip": ("a gzip archive", _UNPACK),
    "application/x-bzip2": ("a bzip2 archive", _UNPACK),
    "application/x-xz": ("an xz archive", _UNPACK),
    "application/zstd": ("a Zstandard archive", _UNPACK),
    "application/x-7z-compressed": ("a 7z archive", _UNPACK),
    "application/vnd.rar": ("a RAR archive", _UNPACK),
    "application/x-ole-storage": ("an old Word or Office file", _SAVE),
    "application/rtf": ("a Rich Text file", _SAVE),
    **dict.fromkeys(("image/png", "image/jpeg", "image/gif", "image/tiff"), ("a picture", _GIVE)),
}

_MARKUP = re.compile(r"\s*<(?:!doctype\s+html|html|head|body|script|\?xml)\b", re.IGNORECASE)

#: A text is bounded: more lines than these are no article, and would take more memory than a reader has.
LINES = 500_000
#: Of more control characters than this share, white space apart, a text was decoded wrongly before it was saved.
CONTROL_SHARE = 0.2
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
#: How a change of character set begins in the encodings that Python cannot read (ISO-2022-CN).
_SHIFT = re.compile(rb"\x1b\$[)*+A]")

# A score from this much of a file is as sure as one from all of it.
_SAMPLE_BYTES = 8192

# The characters that make up about half of any Chinese text, simplified, then those written otherwise in traditional.
_FREQUENT = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家事成方多"
    "经么去法学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日者意力它与长把十民第公此已工使情明性知全又"
    "关点业外将两高间由问很最重并物手应向头文体政美相见被利等产或新己制身果加月话合回特代内信表化老给世位次度门任常先海通教"
    "這個們來為國說時會對於過發後裡經麼學現當沒動還進樣開從實與長關點業將兩間問應頭體見產內給話門"
)
# The more usual half of GB2312 and of Big5 (their level 1), which texts are written in but for a few names.
_COMMON = frozenset(
    bytes((lead, trail)).decode("gb2312", "ignore") for lead in range(0xB0, 0xD8) for trail in range(0xA1, 0xFF)
) | frozenset(
    bytes((lead, trail)).decode("big5", "ignore")
    for lead in range(0xA4, 0xC7)
    for trail in (*range(0x40, 0x7F), *range(0xA1, 0xFF))
)
_PUNCTUATION = frozenset("，。、；：？！“”‘’（）《》〈〉【】「」『』〔〕—…·～　％０１２３４５６７８９–•©°")


def read_text(data: bytes, encoding: str | None = None) -> Reading:
    r"""Return the lines of a text file, in the encoding it was saved in unless `encoding` says which.

    Lines end at CRLF, CR, LF, NEL, U+2028 or U+2029 (and at the other ends `str.splitlines` knows) and are kept as
    they stand but for that end, empty ones too, since a blank line is evidence; a form feed starts a page. A byte
    order mark belongs to the encoding, not to the text.

    Raises Unreadable when there is no text (`empty`), when the bytes are no text (`binary`, `markup`), when they
    break the encoding they are in, or did so once (`encoding`), or when there are too many lines (`too_long`).

    >>> reading = read_text("一带一路\r\n\r\n　　新华社".encode("gbk"))
    >>> [line.text for line in reading.pages[0].lines]
    ['一带一路', '', '\u3000\u3000新华社']
    >>> reading.encoding, reading.n_chars
    ('gb18030', 7)
    """
    _refuse_other_formats(data)
    used = encoding or detect_encoding(data)
    text = _decode(data, used, asked_for=encoding is not None).removeprefix("\ufeff")
    if "\0" in text:
        raise Unreadable(
            "binary",
            f"line {_line_of(text, text.index(chr(0)))} holds a NUL character, which no text has.",
            "Check that this is a text file; save it again as UTF-8.",
        )
    if not re.search(r"\w", text):
        raise Unreadable("empty", "the file holds no words.", "Check that the file was written completely.")
    if _MARKUP.match(text):
        raise Unreadable("markup", "the file is a web page (HTML or XML), not text.", "Save the article as plain text.")
    n_chars = count_chars(text)
    controls = len(_CONTROL.findall(text))
    if controls > CONTROL_SHARE * n_chars:
        raise Unreadable(
            "encoding",
            f"{controls} of {n_chars} characters are control characters: the text was once decoded wrongly",
            "restore the file from where it came, and save it as UTF-8",
        )
    pages = _pages(text)
    lines = sum(len(page.lines) for page in pages)
    if lines > LINES:
        raise Unreadable(
            "too_long", f"the file has {lines:,} lines, of {LINES:,} at most", "split it into its articles"
        )
    return Reading(pages, media_type="text/plain", n_chars=n_chars, encoding=used)


def detect_encoding(data: bytes) -> str:
    """Return the encoding that `data` was saved in, as Python names it.

    A byte order mark decides. Else bytes that are all ASCII, or that are valid UTF-8, are UTF-8, for text in another
    encoding hardly ever is; else the encodings are scored on the first part of the file that is not ASCII.

    >>> detect_encoding("經濟全球化".encode("big5"))
    'big5hkscs'
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding
    if _SHIFT.search(data):
        raise Unreadable("encoding", "the file is in ISO-2022-CN, which cannot be read", "save it again as UTF-8")
    if b"\0" not in data:
        if b"~{" in data and b"~}" in data and data.isascii():
            return "hz"
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            return "utf-8"
    sample = _sample(data)
    scores = {encoding: _score(sample, encoding) for encoding in _CANDIDATES}
    best = max(scores, key=scores.__getitem__)
    # Any two bytes are a rare character of UTF-16: without one line end in it, only what reads well is taken for that.
    if scores[best] < (1 if best.startswith("utf-16") and b"\0" not in data else 0):
        raise Unreadable(
            "encoding",
            "the bytes are text in none of UTF-8, UTF-16, GB18030, Big5 and Windows-1252, or in two of them at once.",
            "Check that this is a text file; save it again as UTF-8, or name its encoding in the settings.",
        )
    return best


def _sample(data: bytes) -> bytes:
    """Return the part of `data` that tells encodings apart: from the first line that is not ASCII."""
    telling = re.search(rb"[\x80-\xff\x00]", data)
    line = data.rfind(b"\n", 0, telling.start()) + 1 if telling else 0
    return data[line - line % 2 :][:_SAMPLE_BYTES]  # UTF-16 needs an even start


def _score(sample: bytes, encoding: str) -> float:
    """Return how much `sample` looks like writing in `encoding`: the mean weight of its characters."""
    # An incremental decoder takes no offence at a character that the end of the sample cuts in two.
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample, len(sample) < _SAMPLE_BYTES)
    return sum(map(_weight, text)) / len(text) if text else -1


@cache
def _weight(character: str) -> int:
    if character in _FREQUENT:
        return 4
    if character in _COMMON or character in _PUNCTUATION:
        return 1
    if character == "\ufffd":
        return -20
    category = unicodedata.category(character)
    if character.isascii():
        return 1 if category != "Cc" or character.isspace() else -5
    if category in {"Cc", "Cn", "Co", "Cs"}:
        return -10
    return 0 if category in {"Ll", "Lo"} else -1


def _decode(data: bytes, encoding: str, *, asked_for: bool) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        who = "as the settings say" if asked_for else "which the rest of the file is in"
        raise Unreadable(
            "encoding",
            f"byte {error.start + 1} (line {line}) is not {encoding}, {who}.",
            "Restore the file from where it came, or save it again as UTF-8."
            if not asked_for
            else "Take the encoding out of the settings to have it recognized, or correct it.",
            evidence=data[max(0, error.start - 8) : error.start + 8].hex(" "),
        ) from None
    except (LookupError, UnicodeError):
        raise Unreadable(
            "encoding", f"{encoding!r} is no encoding of text.", "Use a name such as utf-8, gb18030, big5 or utf-16."
        ) from None


def _refuse_other_formats(data: bytes) -> None:
    held = sniff(data[:HEAD_BYTES])
    if held in ("text/plain", "text/html"):  # in whichever encoding markup is, it shows once it is decoded
        return
    what, remedy = _OTHERS.get(held, (held, _GIVE))
    raise Unreadable("binary", f"the file is {what}, not text.", remedy)


def _line_of(text: str, index: int) -> int:
    return len((text[:index] + ".").splitlines())


def _pages(text: str) -> tuple[Page, ...]:
    pages = []
    number = 0
    for ordinal, page in enumerate(text.removesuffix("\f").split("\f"), start=1):
        texts = page.splitlines()
        pages.append(Page(ordinal, tuple(map(Line, texts, range(number + 1, number + len(texts) + 1)))))
        number += len(texts)
    return tuple(pages)
