"""Settings of one folder of raw/: what they change, and how little is read again for them."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from flows import batch, pipeline
from flows.job import instructions, plan
from flows.settings import Folder, load
from tasks import release
from tasks.dataset import decode_tables
from tasks.document import Source
from tasks.instructions import Instructions, Options, folder_of

TEXT = "河邊的春天\n來源：臨江日報\n今年春天來得很早，河邊的柳樹已經發芽。\n"


@pytest.mark.parametrize(
    ("source", "folder"),
    [("a/b/c.txt", "a/b"), ("a/bb/c.txt", "a"), ("a.txt", None), ("ab/c.txt", None), ("a/b.txt", "a")],
)
def test_the_longest_folder_around_a_source_holds(source: str, folder: str | None) -> None:
    assert folder_of(source, ["a", "a/b"]) == folder


def test_the_innermost_folder_holds_alone() -> None:
    orders = Instructions(
        Options(encoding="utf-8"), {"a": {"publisher": "x", "encoding": "big5"}, "a/b": {"language": "en"}}
    )
    assert orders.options_for("a/b/c.txt") == Options(encoding="utf-8", language="en")
    assert orders.options_for("a/c.txt") == Options(encoding="big5", publisher="x")


def read(tmp_path: Path, data: bytes, **settings: Any) -> dict[str, Any]:
    """Return the row of the article that the engine makes of a file in a folder with settings."""
    file = tmp_path / ("a.pdf" if data.startswith(b"%PDF") else "a.txt")
    file.write_bytes(data)
    orders = Instructions(folders={"papers": settings})
    source = Source(f"papers/{file.name}", str(file), len(data), "")
    tables = decode_tables(batch.work([source], {"instructions": orders.dump(), "fingerprint": {}}, ()))
    row: dict[str, Any] = tables["articles"].to_pylist()[0]
    return row


def test_what_is_set_for_a_folder_holds_for_its_articles(tmp_path: Path) -> None:
    found = read(tmp_path, TEXT.encode())
    assert (found["publisher"], found["language"]) == ("臨江日報", "zh-Hant")
    found = read(tmp_path, TEXT.encode(), publisher="临江晚报", language="zh-Hans")
    assert (found["publisher"], found["language"]) == ("临江晚报", "zh-Hans")
    mistaken = "一一一".encode("gb18030")  # which is valid UTF-8 as well
    assert read(tmp_path, mistaken)["text"] != "一一一"
    assert read(tmp_path, mistaken, encoding="gb18030")["text"] == "一一一"
    lines = ["河边的春天到了", "来得真的非常早", "柳树已经发了芽"]
    spaced = batch.page_of("\n".join(lines)).replace(b"10 Tf 12 TL", b"10 Tf 12 TL 4 Tc")  # characters wider than lines
    assert "".join(lines) not in read(tmp_path, spaced)["text"]
    assert "".join(lines) in "".join(read(tmp_path, spaced, direction="horizontal")["text"].split())
    apart = "今年春天来得很早。\n孩子们在放风筝。\n\n老人坐在长椅上。\n".encode()
    assert read(tmp_path, apart, opening="gap")["n_paragraphs"] == 2


@pytest.mark.usefixtures("unchecked", "by_the_letter")
def test_a_change_reads_the_sources_of_its_folder_alone(project: Path) -> None:
    Path("raw/晚报").mkdir()
    for name in ("a.txt", "b.txt"):
        shutil.move(f"raw/{name}", "raw/晚报")
    Path("raw/晚报/号外").mkdir()
    shutil.move("raw/晚报/b.txt", "raw/晚报/号外")
    file = Path("wenliu.toml")
    file.write_text('[folders."晚报/号外"]\nlanguage = "zh-Hans"\n', encoding="utf-8")
    pipeline.run(load())

    file.write_text(file.read_text("utf-8") + '[folders."晚报"]\npublisher = "临江晚报"\n', encoding="utf-8")
    assert plan(load()).plan.redo == (("晚报/a.txt", "changed since it was read: folder"),)
    assert pipeline.run(load()).read["sources"] == 1
    assert pipeline.run(load()).status == "nothing new"
    rows = release.open_release(Path("processed")).table("sources").to_pylist()
    assert ["+folder:" in row["fingerprint"] for row in rows] == [False, True, True]


def test_every_setting_of_a_folder_reaches_its_reader(project: Path) -> None:
    settings = {
        "publisher": "临江晚报", "language": "zh-Hant", "encoding": "big5", "direction": "vertical", "opening": "indent",
    }  # fmt: skip
    lines = (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in settings.items())
    Path("wenliu.toml").write_text("\n".join(["[folders.a]", *lines]), encoding="utf-8")
    options = asdict(instructions(load()).options_for("a/1.txt"))
    assert {name: options[name] for name in settings} == settings
    assert Folder.model_fields.keys() == settings.keys() | {"expectations"}


def test_a_folder_whose_name_no_table_can_hold_is_found_all_the_same(tmp_path: Path, project: Path) -> None:
    Path("wenliu.toml").write_text('[folders."100% 新"]\nlanguage = "en"\n', encoding="utf-8")
    assert instructions(load()).options_for("100%25 新/a.txt").language == "en"
