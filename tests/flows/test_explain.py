"""The page that shows how a source was read: true to file and tables, and deaf to what texts say."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from flows import explain, look, pipeline, sketch
from flows.explain import Unpublished, View, lay_out, page, pairs
from flows.settings import Settings, load
from flows.sketch import Leaf, Mark, Sketch
from tasks import article
from tasks.article import process
from tasks.dataset import build_tables
from tasks.document import Box, Source
from tasks.guard import Guard, Part
from tests.flows.command import wenliu
from tests.markup import HOSTILE, Elements
from tests.pdf_writer import pdf, show

SAMPLES = Path(__file__).parents[2] / "raw" / "samples"


def view_of(name: str, pictures: bool = False) -> View:
    """How a shipped sample is read and shown, in this process."""
    source = Source(name, str(SAMPLES / name), 1, "0")
    found = look.explain(Unpublished(build_tables([process(source)], "")), name)
    drawn = sketch.work([source], {"pictures": pictures, "options": {}}, ())
    assert isinstance(drawn, bytes)
    return lay_out(found, sketch.decode(drawn, [source]))


@pytest.mark.parametrize("name", ["narrow-columns.txt", "headed.txt", "web-article-en.txt", "newspaper-page.pdf"])
def test_every_line_has_its_paragraph_or_the_rule_that_left_it_out(name: str) -> None:
    view = view_of(name)
    lines = list(view.lines) or [line for shown in view.pages for line in shown.lines]
    assert lines
    assert all(line.paragraph or line.rule or not line.mark.text.strip() for line in lines)
    assert {line.rule for line in lines if line.rule} <= {rule for rule, _ in view.left_out}


@pytest.mark.parametrize("name", ["narrow-columns.txt", "headed.txt", "journal.txt", "vertical-page.pdf"])
def test_paragraphs_are_cut_where_lines_met(name: str) -> None:
    paragraphs = [p for article in view_of(name).articles for p in article.paragraphs]
    assert any(len(p.pieces) > 2 for p in paragraphs)
    assert all(piece.line for p in paragraphs for piece in p.pieces)


def test_a_page_is_drawn_with_its_regions_in_order() -> None:
    view = view_of("newspaper-page.pdf", pictures=True)
    (shown,) = view.pages
    assert shown.leaf.picture
    assert shown.leaf.picture.startswith(b"\x89PNG")
    assert [region.number for region in shown.regions] == list(range(1, len(shown.regions) + 1))
    assert len(shown.regions) > len(view.articles)
    boxed = {patch.number for patch in shown.patches}
    assert boxed == {p.number for article in view.articles for p in article.paragraphs}
    split = {patch.number for patch in shown.patches if patch.parts > 1}
    assert split
    assert {thread.number for thread in shown.threads} == split


def test_raw_lines_stand_beside_what_became_of_them() -> None:
    view = view_of("newspaper-page.pdf")
    whole = pairs(view)
    assert {pair.kind for pair in whole if pair.paragraph is None} == {"running_head", "page_number"}
    assert sum(len(pair.lines) for pair in whole) == sum(len(page.lines) for page in view.pages)
    second = view.articles[1]
    own = pairs(view, second.facts["article_id"])
    assert {pair.page for pair in own} == {1}
    assert [pair.paragraph for pair in own if pair.text] == list(range(len(second.paragraphs)))
    assert [pair.text for pair in own if pair.text] == [p["text"] for p in second.facts["paragraphs"]]


def view_full_of(text: str) -> View:
    """A view in which every text that could come from a file is this one."""
    box = Box(1, 10.0, 10.0, 90.0, 20.0)
    paragraph = {
        "kind": text, "text": text, "confidence": 0.4, "fixes": [text], "boxes": [box._asdict()], "line_first": None,
        "line_last": None,
    }  # fmt: skip
    facts = dict.fromkeys(("title", "affiliation", "publisher", "published_on", "language", "article_id"), text)
    article = {**facts, "authors": [text], "url": f"javascript:{text}", "confidence": 0.4}
    reject = dict.fromkeys(("stage", "check", "message", "remedy", "text"), text)
    source: dict[str, Any] = {
        **dict.fromkeys(("source", "sha256", "status", "media_type", "encoding"), text),
        "bytes": 1, "n_chars": 1, "pages": 1, "left_out": [{"rule": text, "chars": 1}],
    }  # fmt: skip
    marks = [Mark(1, text, text, aside, "page", 9.0, box) for aside in ("", text)]
    leaves = [Leaf(1, 100.0, 100.0, None)]
    found = {"source": source, "rejects": [reject], "articles": [{**article, "paragraphs": [paragraph]}]}
    return lay_out(found, Sketch(leaves, marks, [text]), [text])


def test_no_text_becomes_markup() -> None:
    harmless, hostile = (Elements(page(view_full_of(text))) for text in ("words", HOSTILE))
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in harmless.tags]
    names = {name for _, attributes in hostile.tags for name in attributes}
    assert not [name for name in names if name.startswith("on")]
    assert "alert(1)" in hostile.text
    assert "{{ 7 * 7 }}" in hostile.text
    assert not set("\u202e\x1b\ud800") & set(hostile.text)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    for shown in (view_of("newspaper-page.pdf", pictures=True), view_full_of(HOSTILE)):
        tags = Elements(page(shown)).tags
        (policy,) = [
            a["content"] for tag, a in tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
        ]
        assert policy
        assert policy.startswith("default-src 'none'; ")
        assert "script" not in policy
        addresses = [a[name] or "" for _, a in tags for name in ("href", "src", "xlink:href") if name in a]
        assert all(address.startswith(("#", "data:image/png;base64,")) for address in addresses)


def test_a_file_that_cannot_be_drawn_is_no_failure(settings: Settings) -> None:
    drawn = sketch.draw(settings, Source("a.pdf", str(SAMPLES / "truncated.pdf"), 1, "0"))
    assert not drawn.marks
    assert "no picture" in " ".join(drawn.trouble)


def test_a_sketch_that_kills_its_child_leaves_the_text(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class Deadly(Guard[Sketch]):
        def __init__(self, _: str, *arguments: Any, **options: Any) -> None:
            super().__init__("stand_in:die", *arguments, **options)

    monkeypatch.setattr(sketch, "Guard", Deadly)
    drawn = sketch.draw(settings, Source("a.txt", "raw/a.txt", 1, "0"))
    assert not drawn.marks
    assert "a.txt: the file crashed the reader (SIGABRT)." in drawn.trouble


def test_long_texts_are_cut_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketch, "MOST_LINES", 5)
    view = view_of("narrow-columns.txt")
    assert len(view.lines) == 5
    assert "only the first 5 of " in view.notes[0]


def test_the_command_writes_the_page(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wenliu("explain", "raw/a.txt", "--html") == 0
    assert capsys.readouterr().out == "a.txt.html\n"
    assert "not published" in Elements(Path("a.txt.html").read_text("utf-8")).text
    assert wenliu("explain", "a.txt", "--html", "-") == 0
    assert "河边的春天" in Elements(capsys.readouterr().out).text
    assert wenliu("explain", "a.txt", "--html", "raw/a.html") == 2
    Path("b.txt").write_text("别处的文章\n它不在这里。\n", encoding="utf-8")
    assert wenliu("explain", "b.txt", "--html", "b.txt") == 2
    assert Path("b.txt").read_text(encoding="utf-8").startswith("别处")
    assert wenliu("explain", "none.txt", "--html") == 2
    assert "none.txt: no such file, and nothing is published yet" in capsys.readouterr().err


def test_a_published_source_is_shown_as_published(project: Path, unchecked: None) -> None:
    pipeline.run(load())
    view = explain.explain(load(), "a.txt")
    key = view.articles[0].facts["article_id"]
    assert (view.status, list(view.notes)) == ("published", [])
    assert explain.explain(load(), key).articles == view.articles
    Path("raw/a.txt").write_text("河边的夏天\n今年夏天来得很早。\n", encoding="utf-8")
    changed = explain.explain(load(), "a.txt")
    assert changed.articles[0].facts["title"] == "河边的夏天"
    assert "the file has changed since it was published" in changed.notes[0]
    Path("raw/a.txt").unlink()
    gone = explain.explain(load(), "a.txt")
    assert gone.articles[0].facts["title"] == "河边的春天"
    assert not gone.lines


def test_a_long_pdf_is_drawn_by_one_child_after_the_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(article, "PAGES_AT_ONCE", 1)
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf(show(50, 300, "The ferry leaves at noon."), show(50, 300, "It is back at night.")))
    source, settings = Source("a.pdf", str(path), 1, "0"), {"pictures": False, "options": {}}
    parts: list[bytes] = []
    while isinstance(drawn := sketch.work([source], settings, parts), Part):
        parts.append(drawn.data)
    assert len(parts) == 2
    assert [mark.text for mark in sketch.decode(drawn, []).marks] == [
        "The ferry leaves at noon.",
        "It is back at night.",
    ]


def test_an_image_is_shown_though_nothing_has_read_it(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    Image.new("L", (300, 200), 255).save(path, dpi=(200, 200))
    source = Source("page.png", str(path), path.stat().st_size, "0")
    answer = sketch.work([source], {"pictures": True, "options": {}}, ())
    assert isinstance(answer, bytes)
    drawn = sketch.decode(answer, [source])
    [leaf] = drawn.leaves
    assert leaf.picture is not None
    assert Image.open(io.BytesIO(leaf.picture)).size == (300, 200)
    assert (leaf.width, leaf.height) == pytest.approx((108, 72), abs=0.1)
    assert not drawn.trouble
