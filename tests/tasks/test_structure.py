"""A tagged PDF's marks lead to the paragraphs of its structure tree; a broken or hostile tree harms nothing."""

import json
from pathlib import Path

import pytest

from tasks.document import Element, Line
from tasks.read.pdf import read_pdf
from tasks.reflow import arrange
from tests.pdf_writer import pdf, show

CONTENT = (
    "/P <</MCID 0>> BDC " + show(50, 300, "first") + "EMC "
    "/Span <</MCID 1>> BDC /Span <</ActualText (x)>> BDC " + show(50, 280, "second") + "EMC EMC "
    + show(50, 260, "third") + "/Artifact BMC " + show(50, 240, "fourth") + "EMC"
)  # fmt: skip


def lines(*tree: str, content: str = CONTENT) -> dict[str, Line]:
    return {line.text: line for line in read_pdf(pdf(content, tree=tree)).pages[0].lines}


def test_marks_lead_to_their_paragraphs() -> None:
    read = lines(
        "<< /ParentTree 6 0 R /RoleMap << /Headline /H1 >> >>",
        "<< /Kids [<< /Limits [5 9] >> << /Limits [0 4] /Nums [0 [7 0 R 8 0 R]] >>] >>",
        "<< /S /Headline /P 5 0 R >>",
        "<< /S /Span /P 9 0 R >>",
        "<< /S /P /P 5 0 R >>",
    )
    assert read["first"].element == Element(7, "H1")
    assert read["second"].element == Element(9, "P")  # what clings to a mark within it is part of it
    assert read["third"].element is None
    assert read["fourth"].element is None


NUMS = "<< /ParentTree << /Nums [0 [6 0 R 6 0 R]] >> >>"


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param(["<< /ParentTree 6 0 R >>", "<< /Kids [6 0 R] /Limits [0 9] >>"], id="branches in a circle"),
        pytest.param(["<< /ParentTree 6 0 R >>", "6 0 R"], id="reference to itself"),
        pytest.param([NUMS, "<< /S /Span /P 6 0 R >>"], id="its own parent"),
        pytest.param([NUMS, "<< /S 7 >>"], id="role without a name"),
        pytest.param([NUMS, "[1 2 3]"], id="no element"),
        pytest.param(["<< /ParentTree << /Nums 7 >> >>"], id="no numbers"),
        pytest.param(["<< /ParentTree << /Nums [0 [null]] >> /RoleMap 3 >>"], id="nothing marked"),
        pytest.param(["<< /ParentTree << /Nums [0 [99 0 R 99 0 R]] >> >>"], id="element that is missing"),
        pytest.param(["(a tree)"], id="no tree"),
    ],
)
def test_a_broken_tree_leaves_the_page_as_it_is(tree: list[str]) -> None:
    read = lines(*tree)
    assert list(read) == ["first", "second", "third", "fourth"]
    assert {line.element for line in read.values()} == {None}


@pytest.mark.parametrize("number", ["-1", "2", "1.5", "(0)", "[0]", "6 0 R", "99999999999999999999"])
def test_a_mark_that_no_tree_has_is_none(number: str) -> None:
    content = f"/P <</MCID {number}>> BDC " + show(50, 300, "first") + "EMC EMC EMC"
    read = lines("<< /ParentTree << /Nums [0 [6 0 R 6 0 R]] >> >>", "<< /S /P /P 5 0 R >>", content=content)
    assert read["first"].element is None


def test_a_line_of_two_paragraphs_is_part_of_none() -> None:
    content = (
        "/P <</MCID 0>> BDC " + show(50, 300, "first ") + "EMC /P <</MCID 1>> BDC " + show(72, 300, "half") + "EMC"
    )
    tree = "<< /ParentTree << /Nums [0 [6 0 R 7 0 R]] >> >>", "<< /S /P /P 5 0 R >>", "<< /S /P /P 5 0 R >>"
    assert [line.element for line in lines(*tree, content=content).values()] == [None]


def test_the_sample_page_is_tagged_by_its_program() -> None:
    """A printed web page: the lines of each element, in the order of reading, are a paragraph of the gold."""
    reading = read_pdf(Path("raw/samples/newspaper-page.pdf").read_bytes())
    text: dict[Element, str] = {}
    for row in arrange(reading):
        if row.line.element:
            text[row.line.element] = text.get(row.line.element, "") + row.text
    golds = map(json.loads, Path("tests/samples.gold.jsonl").read_text(encoding="utf-8").splitlines())
    gold = next(case for case in golds if case["source"] == "newspaper-page.pdf")
    paragraphs = {"".join(p["text"].split()) for article in gold["articles"] for p in article["paragraphs"]}
    assert {"".join(own.split()) for own in text.values()} <= paragraphs
    assert len(text) > 0.9 * len(paragraphs)
