"""Text files come back as they were written, in whichever encoding, or with the reason why not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.document import Reading, Unreadable, count_chars
from tasks.read.text import read_text

SIMPLIFIED = "渔民们在春天修好了灯塔，夜里海面上又有了光。这座灯塔建于一百年前。"
TRADITIONAL = "漁民們在春天修好了燈塔，夜裡海面上又有了光。這座燈塔建於一百年前。"
ENGLISH = "The keepers’ lamp – mended in May – shone “all night”, for 5 miles."


def lines(reading: Reading) -> list[str]:
    return [line.text for page in reading.pages for line in page.lines]


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (SIMPLIFIED, "utf-8", "utf-8"),
        (SIMPLIFIED, "utf-8-sig", "utf-8"),
        (SIMPLIFIED, "gb2312", "gb18030"),
        (SIMPLIFIED, "gbk", "gb18030"),
        (SIMPLIFIED + "㐀𠀀€", "gb18030", "gb18030"),
        ("\ufeff" + SIMPLIFIED, "gb18030", "gb18030"),
        (SIMPLIFIED, "utf-16-le", "utf-16-le"),
        (SIMPLIFIED, "utf-16-be", "utf-16-be"),
        (SIMPLIFIED, "hz", "hz"),
        ("\ufeff" + SIMPLIFIED, "utf-16-le", "utf-16-le"),
        ("\ufeff" + SIMPLIFIED, "utf-16-be", "utf-16-be"),
        ("\ufeff" + SIMPLIFIED, "utf-32-le", "utf-32-le"),
        ("\ufeff" + SIMPLIFIED, "utf-32-be", "utf-32-be"),
        (TRADITIONAL, "big5", "big5hkscs"),
        (TRADITIONAL, "gbk", "gb18030"),
        (TRADITIONAL, "utf-16-le", "utf-16-le"),
        (ENGLISH, "utf-8", "utf-8"),
        (ENGLISH, "cp1252", "cp1252"),
        (ENGLISH, "utf-16-le", "utf-16-le"),
        ("A lamp, no more.", "ascii", "utf-8"),
        ("A lamp, no more.", "utf-16-be", "utf-16-be"),
        ("English lines first\n" * 2000 + SIMPLIFIED, "gbk", "gb18030"),
        ("English lines first\n" * 2000 + TRADITIONAL, "big5", "big5hkscs"),
    ],
)
def test_an_encoding_is_recognized(text: str, encoding: str, found: str) -> None:
    reading = read_text(text.encode(encoding))
    assert reading.encoding == found
    assert lines(reading) == text.removeprefix("\ufeff").split("\n")
    assert reading.n_chars == count_chars(text.removeprefix("\ufeff"))


@pytest.mark.parametrize(("text", "encoding"), [(SIMPLIFIED, "gbk"), (TRADITIONAL, "big5"), (SIMPLIFIED, "utf-16-le")])
def test_fifty_bytes_are_enough(text: str, encoding: str) -> None:
    for start in range(len(text) - 25):
        piece = text[start : start + 25]
        assert lines(read_text(piece.encode(encoding))) == [piece]


@settings(deadline=None)
@given(
    st.text(alphabet="水渠长堤灯塔渔船海风潮汐，。\n\r\u3000 aB1", min_size=12),
    st.sampled_from(["utf-8", "gb18030", "utf-16-le"]),
)
def test_what_was_written_is_read(text: str, encoding: str) -> None:
    text = "渔民修好了灯塔" + text
    reading = read_text(text.encode(encoding))
    assert lines(reading) == text.splitlines()
    assert reading.n_chars == sum(count_chars(line) for line in lines(reading))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_a_line_keeps_all_but_its_end(end: str) -> None:
    reading = read_text(end.join(["　　雾散了。  ", "", "\t远山", ""]).encode())
    assert lines(reading) == ["　　雾散了。  ", "", "\t远山"]
    assert [line.number for line in reading.pages[0].lines] == [1, 2, 3]


def test_a_form_feed_starts_a_page_and_lines_are_counted_on() -> None:
    reading = read_text("一\n二\f三\n\f\f四\f".encode())
    assert [(page.number, [line.text for line in page.lines]) for page in reading.pages] == [
        (1, ["一", "二"]),
        (2, ["三"]),
        (3, []),
        (4, ["四"]),
    ]
    assert [line.number for page in reading.pages for line in page.lines] == [1, 2, 3, 4]


def test_zero_width_and_control_characters_are_counted() -> None:
    assert read_text("灯\u200b塔\ufeff\x1b".encode()).n_chars == 5


@pytest.mark.parametrize(
    ("data", "check", "message"),
    [
        (b"", "empty", "no words"),
        (b"\xef\xbb\xbf", "empty", "no words"),
        ("　 \t\r\n\u2028\u200b".encode() * 100, "empty", "no words"),
        (SIMPLIFIED.encode()[:-1], "encoding", "not utf-8"),
        ("灯塔\n".encode() * 30 + b"\xb5\n" + SIMPLIFIED.encode(), "encoding", r"byte 211 \(line 31\) is not utf-8"),
        (SIMPLIFIED.encode("gbk") + b"\xff\n", "encoding", "not gb18030"),
        (SIMPLIFIED.encode("utf-16-le")[:-1], "encoding", "not utf-16-le"),
        (b"\xed\xa0\x80" + SIMPLIFIED.encode() * 9, "encoding", "not utf-8"),
        (("灯\ud800塔" + SIMPLIFIED).encode("utf-16-le", "surrogatepass"), "encoding", "not utf-16-le"),
        (SIMPLIFIED.encode() * 9 + SIMPLIFIED.encode("gbk") * 9, "encoding", "two of them at once"),
        (bytes(range(256)) * 40, "encoding", "none of"),
        (SIMPLIFIED.replace("，", "\n\0").encode(), "binary", "line 2 holds a NUL"),
        (b"\0" * 1000, "encoding", "none of"),
        (("The ferry is back before the night.\n" * 20).encode("cp500"), "encoding", "none of"),
        (b"\x7fELF\x02\x01\x01", "binary", "is application/x-elf"),
        (b"PK\x03\x04\x14\0\0\0", "binary", "is a ZIP archive"),
        (b"\x89PNG\r\n\x1a\n\0\0", "binary", "is a picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "binary", "Word"),
        ("\ufeff <!DOCTYPE html><p>灯塔".encode(), "markup", "web page"),
        ("<html><body>灯塔".encode("gbk"), "markup", "web page"),
        (SIMPLIFIED.encode().decode("latin-1").encode(), "encoding", "control characters"),
        (b"\x1b$)A\x0e" + SIMPLIFIED.encode("gb2312").translate(None, b"\n"), "encoding", "ISO-2022-CN"),
        ("塔\n".encode() * 500_001, "too_long", "500,001 lines"),
    ],
)
def test_what_is_no_text_is_refused_with_a_remedy(data: bytes, check: str, message: str) -> None:
    with pytest.raises(Unreadable, match=message) as refusal:
        read_text(data)
    assert refusal.value.reject.stage == "read"
    assert refusal.value.reject.check == check
    assert refusal.value.reject.remedy


def test_the_encoding_of_the_settings_is_followed() -> None:
    assert lines(read_text("caf\xe9".encode("latin-1"), "latin-1")) == ["café"]


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("big5", "is not big5, as the settings say"),
        ("klingon", "no encoding of text"),
        ("rot13", "no encoding of text"),
    ],
)
def test_an_encoding_that_cannot_be_is_refused(encoding: str, message: str) -> None:
    with pytest.raises(Unreadable, match=message) as refusal:
        read_text("灯塔\ue000鿫".encode("gb18030"), encoding)
    assert refusal.value.reject.check == "encoding"


def test_a_line_without_end_is_read() -> None:
    text = "渔民修好了灯塔" * 300_000
    assert lines(read_text(text.encode("gbk"))) == [text]
