"""A reading goes from one child to the next without the loss of a bit, whatever a file's characters and fonts are."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.document import Box, Element, Line, Page, Reading, Reject
from tasks.read.ipc import decode, encode

TEXT = st.text(st.characters(), max_size=20) | st.just("\ud800\0\x1b")
NUMBER = st.floats(allow_nan=False)


def boxes(page: int) -> st.SearchStrategy[Box]:
    return st.builds(Box, st.just(page), NUMBER, NUMBER, NUMBER, NUMBER)


def lines(page: int) -> st.SearchStrategy[Line]:
    return st.builds(
        Line,
        TEXT,
        st.integers(1, 1000),
        st.none() | boxes(page),
        st.none() | NUMBER,
        st.none() | TEXT,
        st.lists(NUMBER, max_size=9).map(tuple),
        st.booleans(),
        st.none() | NUMBER,
        st.none() | st.builds(Element, st.integers(0, 2**40), TEXT),
    )


def pages(number: int) -> st.SearchStrategy[Page]:
    some = st.lists(boxes(number), max_size=3).map(tuple)
    written = st.lists(lines(number), max_size=5).map(tuple)
    return st.builds(Page, st.just(number), written, NUMBER, NUMBER, some, some)


READING = st.builds(
    Reading,
    st.lists(st.integers(1, 9999), max_size=3).flatmap(lambda numbers: st.tuples(*map(pages, numbers))),
    st.just("application/pdf"),
    st.integers(0, 10**9),
    st.none(),
    st.dictionaries(TEXT, st.integers(1), max_size=3),
    st.lists(st.builds(Reject, TEXT, TEXT, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    st.integers(0, 9999),
)


@settings(deadline=None, max_examples=60)
@given(READING)
def test_what_is_decoded_is_what_was_encoded(reading: Reading) -> None:
    assert decode(encode(reading)) == reading
