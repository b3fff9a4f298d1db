"""The report and the difference between releases: all of what happened, and deaf to what texts say."""

import hashlib
import json

import pytest

from expectations.history import Folder
from flows import pipeline, report
from flows.cli import main
from flows.difference import Change, Difference, Piece, Reshaped, Shape, difference
from flows.pipeline import Outcome
from flows.report import Group, View, page, plot
from flows.settings import Settings
from tasks import release
from tests.markup import HOSTILE, Elements


def view_full_of(text: str) -> View:
    """A view in which every text that could come from a file, or from a user's settings, is this one."""
    finding = {**dict.fromkeys(("check", "table", "message", "remedy", "evidence"), text), "count": 2}
    reject = dict.fromkeys(("reject_id", "source", "stage", "check", "message", "remedy"), text)
    facts = {"title": (text, text)}
    marks = (Piece("same", (text,) * 5), Piece("gone", (text,)), Piece("new", (text,)), Piece("same", (text,)))
    shapes = (Reshaped((Shape(text, text),), (Shape("body", text), Shape("body", text))),)
    change = Change(text, text, text, text, facts, marks, shapes)
    drawn = plot(text, [(text, 1.0), (text, 2.0)])
    outcome = Outcome(
        "refused",
        None,
        None,
        {"new": 1},
        rows={"articles": 1},
        rejects=[reject],
        refusals=[finding],
        warnings=[finding],
    )
    return View(
        outcome, text, text, text, {"articles": 1}, Difference((change,), (change,), (change,)), [drawn], [drawn],
        [drawn], [text], [Group(text, text, text, 1, [reject])], [finding],
    )  # fmt: skip


def test_no_text_becomes_markup() -> None:
    harmless, hostile = (Elements(page(view_full_of(text))) for text in ("words", HOSTILE))
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in harmless.tags]
    assert [tag for tag, _ in hostile.tags].count("svg") == 3
    names = {name for _, attributes in hostile.tags for name in attributes}
    assert not [name for name in names if name.startswith("on")]
    assert "alert(1)" in hostile.text
    assert "{{ 7 * 7 }}" in hostile.text
    assert not set("\u202e\x1b") & set(hostile.text)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    elements = Elements(page(view_full_of("words")))
    (policy,) = [a["content"] for tag, a in elements.tags if tag == "meta" and "http-equiv" in a]
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "script" not in {tag for tag, _ in elements.tags}
    assert not [a for _, a in elements.tags if a.keys() & {"src", "href", "srcset", "action"}]


@pytest.fixture
def two(settings: Settings) -> tuple[release.Release, release.Release]:
    """A release, and one after it with an article corrected, one removed, one added and one file rejected."""
    pipeline.run(settings)
    raw = settings.raw
    sentence = (raw / "a.txt").read_text(encoding="utf-8").replace("放风筝，老人", "踢足球，老人")
    (raw / "a.txt").write_text(sentence.replace("河边的春天", "河边的五月"), encoding="utf-8")
    (raw / "b.txt").unlink()
    (raw / "d.txt").write_text("新书出版\n一部关于<b>古桥</b>的新书昨天出版。\n", encoding="utf-8")
    (raw / "odd.txt").write_text("!unreadable\n", encoding="utf-8")
    pipeline.run(settings)
    new, old = release.releases(settings.processed)
    return old, new


def test_a_difference_tells_what_changed_and_why(two: tuple[release.Release, release.Release]) -> None:
    old, new = two
    found = difference(old, new)
    assert [(c.source, c.title, c.cause) for c in found.added] == [("d.txt", "新书出版", "new source")]
    assert [(c.source, c.cause) for c in found.removed] == [("b.txt", "source is gone")]
    (changed,) = found.changed
    assert (changed.source, changed.cause) == ("a.txt", "source changed")
    assert changed.facts == {"title": ("河边的春天", "河边的五月")}
    assert [(piece.mark, piece.sentences) for piece in changed.pieces if piece.mark != "same"] == [
        ("gone", ("河边的春天",)),
        ("new", ("河边的五月",)),
        ("gone", ("孩子们在操场上放风筝，老人坐在长椅上聊天。",)),
        ("new", ("孩子们在操场上踢足球，老人坐在长椅上聊天。",)),
    ]
    assert difference(new, new) == Difference()
    assert len(difference(None, old).added) == 3


def test_a_difference_tells_paragraphs_that_only_look_different(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline.run(settings)
    sha256 = hashlib.sha256((settings.raw / "a.txt").read_bytes()).hexdigest()
    entry = f'[[correct]]\nsource = "a.txt"\nsha256 = "{sha256}"\nbecause = "a test"\narticle = 0\n'
    title = 'paragraph = 0\nquote = "河边"\nkind = "heading"\n'
    body = 'paragraph = 2\nquote = "孩子们"\nsplit_before = "老人坐在"\n'
    settings.corrections.write_text(entry + title + entry + body, encoding="utf-8")
    new = pipeline.run(settings).release
    old = release.open_release(settings.processed).manifest["parent"]
    with pytest.raises(SystemExit):
        main(["diff", old, str(new)])
    told = capsys.readouterr().out
    assert "~ title -> heading: 河边的春天" in told
    assert "~ split into 2: " in told
    with pytest.raises(SystemExit):
        main(["diff", old, str(new), "--json"])
    (change,) = json.loads(capsys.readouterr().out)["changed"]
    assert [len(shape["after"]) for shape in change["reshaped"]] == [1, 2]
    shown = (settings.processed / "current" / report.NAME).read_text(encoding="utf-8")
    assert "title -> heading" in Elements(shown).text


def test_every_release_has_its_report_and_the_commands_find_it(
    two: tuple[release.Release, release.Release], capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = two
    text = Elements((new.path / report.NAME).read_text(encoding="utf-8")).text
    for told in ("new source", "source is gone", "河边的五月", "read: not_text", "Give the text itself.", old.id):
        assert told in text
    assert (old.path / report.NAME).is_file()
    for arguments, expected in (((), new), ((old.id,), old)):
        with pytest.raises(SystemExit):
            main(["report", *arguments])
        assert capsys.readouterr().out.strip().endswith(f"{expected.id}/report.html")
    with pytest.raises(SystemExit):
        main(["diff", old.id, new.id, "--json"])
    told_by_machine = json.loads(capsys.readouterr().out)
    assert told_by_machine["changed"][0]["facts"] == {"title": ["河边的春天", "河边的五月"]}
    with pytest.raises(SystemExit):
        main(["diff", old.id, new.id])
    assert "+ 孩子们在操场上踢足球" in capsys.readouterr().out


def test_a_refused_run_has_a_report_too(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    for path in settings.raw.iterdir():
        path.write_text("!unreadable\n")
    outcome = pipeline.run(settings)
    assert outcome.path is not None
    assert "rows_present" in (outcome.path / report.NAME).read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["report", "--refused"])
    assert outcome.path.name in capsys.readouterr().out


@pytest.mark.usefixtures("unchecked")
def test_a_report_that_cannot_be_written_does_not_cost_the_release(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "page", lambda _: 1 / 0)
    said: list[tuple[str, str]] = []
    assert pipeline.run(settings, log=lambda level, message: said.append((level, message))).status == "published"
    assert ("warning", "no report could be written: ZeroDivisionError: division by zero") in said


def test_a_folder_without_articles_is_drawn_as_nothing() -> None:
    drawn = plot("archive", [("a", float(Folder(0, 0, None).articles)), ("b", 0.0)])
    assert [bar.height for bar in drawn.bars] == [0.0, 0.0]
