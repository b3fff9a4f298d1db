"""A folder to run in, with a reader that does as it is told (`stand_in`)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from expectations.check import Verdict
from flows import read
from flows.settings import Settings, load
from tasks import sources
from tests.flows.endpoint import Endpoint, web_server

#: Articles that pass all checks.
SOUND = {
    "a.txt": "河边的春天\n今年春天来得很早，河边的柳树已经发芽。\n孩子们在操场上放风筝，老人坐在长椅上聊天。\n",
    "b.txt": "图书馆延长开放\n市图书馆从下月起每天开放到晚上十点。\n读者对此表示欢迎，学生尤其高兴。\n",
    "c.txt": "A bridge reopens\nThe old stone bridge was opened to walkers again on Monday.\nCars must wait until autumn.\n",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: raw/ with three sound articles, no release yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.setattr(read, "WORK", "stand_in:work")
    monkeypatch.setattr(read, "WARM", "stand_in:warm")
    monkeypatch.setattr(sources, "QUIET_SECONDS", 0.0)  # or every run would wait a second: its files are new
    (tmp_path / "raw").mkdir()
    for name, text in SOUND.items():
        (tmp_path / "raw" / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def web() -> Iterator[Endpoint]:
    """A web server that alerts can be sent to."""
    with web_server() as endpoint:
        yield endpoint


@pytest.fixture
def by_the_letter(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each letter is a word: for tests of which words do not matter, and no dictionary has to be loaded."""
    monkeypatch.setattr(read, "WORK", "stand_in:work_by_the_letter")
    monkeypatch.setattr(read, "WARM", None)


@pytest.fixture
def settings(project: Path) -> Settings:
    return load(workers=2)


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every release passes: for tests of what comes before and after the checks, which take a second each time."""
    monkeypatch.setattr("expectations.check.check", lambda *_, **__: Verdict())


@pytest.fixture
def no_reading(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it, and from then on whoever reads a source fails."""

    def forbid() -> None:
        monkeypatch.setattr(read, "WORK", "stand_in:must_not_be_called")

    return forbid
