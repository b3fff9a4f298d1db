"""What the guard's children make of a long document."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from flows import batch
from flows.read import WARM, WORK, limits
from flows.settings import load
from tasks import article
from tasks.article import process
from tasks.dataset import decode_seconds, decode_tables
from tasks.document import Source
from tasks.forkserver import Part
from tasks.guard import Guard, Limits
from tasks.instructions import Instructions
from tests.pdf_writer import pdf, show

SETTINGS = {"instructions": Instructions().dump(), "fingerprint": {}, "pdf": True}
PAGES = 400
LINE = "The ferry that leaves the old landing at noon is back before the night."


def decode(data: bytes, _: Sequence[Source]) -> tuple[int, int]:
    (row,) = decode_tables(data)["sources"].select(["pages", "n_chars"]).to_pylist()
    return row["pages"], row["n_chars"]


def work_at_once(sources: Sequence[Source], settings: dict[str, Any], parts: Sequence[bytes]) -> bytes | Part:
    """Do the same work with all pages read by one child."""
    for source in sources:
        process(source)
    return b""


@pytest.fixture
def long_pdf(tmp_path: Path) -> Source:
    path = tmp_path / "long.pdf"
    path.write_bytes(pdf(*(show(50, 300, LINE) + show(50, 280, f"Page {n} tells of it.") for n in range(PAGES))))
    return Source(path.name, str(path), path.stat().st_size, "0" * 64)


def test_size_alone_is_no_reason_to_fail(long_pdf: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    tight = Limits(cpu_seconds=1, wall_factor=120)
    with Guard(WORK, SETTINGS, decode, warm=WARM, limits=tight) as guard:
        done = guard.run([long_pdf])
    assert not done.rejected, done.rejected[0].rejects
    [(pages, n_chars)] = done.results
    assert pages == PAGES
    assert n_chars > PAGES * len(LINE.replace(" ", ""))

    monkeypatch.syspath_prepend(Path(__file__).parent)
    with Guard("test_batch:work_at_once", SETTINGS, decode, warm=WARM, limits=tight) as guard:
        [document] = guard.run([long_pdf]).rejected
    assert [reject.check for reject in document.rejects] == ["cpu_limit"]


def test_a_long_text_takes_what_its_words_take(tmp_path: Path) -> None:
    sentence = "渡口的灯又亮了，船工把缆绳绕上木桩，回头数了数乘客，比昨天多了七个人。"
    text = "　　" + sentence * 4000
    path = tmp_path / "book.txt"
    path.write_text("\n".join(text[at : at + 15] for at in range(0, len(text), 15)), encoding="utf-8")
    source = Source(path.name, str(path), path.stat().st_size, "0" * 64)
    with Guard(WORK, SETTINGS, decode, warm=WARM, limits=Limits(memory_bytes=64 << 20)) as guard:
        done = guard.run([source])
    assert not done.rejected, done.rejected[0].rejects


def test_a_child_that_reads_scans_has_limits_of_its_own() -> None:
    found = limits(load(limits={"cpu_seconds": 5, "ocr_cpu_seconds": 7, "ocr_memory_bytes": 2 << 30}))
    assert found["limits"] == Limits(cpu_seconds=5)
    assert found["kinds"] == {"ocr": Limits(cpu_seconds=7, memory_bytes=2 << 30)}


def test_a_line_without_end_is_more_than_a_child_may_hold(tmp_path: Path) -> None:
    path = tmp_path / "line.txt"
    path.write_bytes("国务院部署工作".encode() * (5 << 20))
    source = Source(path.name, str(path), path.stat().st_size, "0" * 64)
    with Guard(WORK, SETTINGS, decode, limits=Limits(memory_bytes=256 << 20)) as guard:
        [document] = guard.run([source]).rejected
    assert [reject.check for reject in document.rejects] == ["memory_limit"]


def test_the_seconds_of_all_children_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(article, "PAGES_AT_ONCE", 1)
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf(*[show(50, 300, LINE)] * 3))
    source = Source(path.name, str(path), path.stat().st_size, "0" * 64)
    parts: list[bytes] = []
    while isinstance(answer := batch.work([source], SETTINGS, parts), Part):
        parts.append(answer.data)
    spent = [decode_seconds(part, ["read"])["read"] for part in parts]
    assert len(spent) == 3
    assert decode_seconds(answer, ["read"])["read"] > sum(spent) > 0
