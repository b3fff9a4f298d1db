"""When a watched folder makes a run: files that grow, come, go, and runs that fail. Looks are made by the test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.watch import LONGEST_PAUSE, watch

Change = Callable[[Path], object]


def append(text: str, name: str = "a.txt") -> Change:
    def change(raw: Path) -> None:
        with (raw / name).open("a") as file:
            file.write(text)

    return change


def both(*changes: Change) -> Change:
    return lambda raw: [change(raw) for change in changes]


def nothing(_: Path) -> None:
    """What happens between most looks."""


def away(raw: Path) -> None:
    raw.rename(raw.with_name("elsewhere"))


def back(raw: Path) -> None:
    raw.with_name("elsewhere").rename(raw)


def remove(raw: Path) -> None:
    (raw / "a.txt").unlink()


#: What happens after each look, and after which looks, counted from 1, a run is made.
LIVES: dict[str, tuple[list[Change], list[int]]] = {
    "one run at the start, for what came meanwhile": ([nothing, nothing, nothing], [2]),
    "a file that comes at once": ([nothing, append("whole"), nothing, nothing, nothing], [2, 4]),
    "a file that grows is left until it has stopped": (
        [nothing, append("a"), append("b"), append("c"), nothing, nothing],
        [2, 6],
    ),
    "one that never stops holds up no other": (
        [nothing, append("a"), append("b"), both(append("c"), append("x", "b.txt")), append("d"), append("e")],
        [2, 6],
    ),
    "one still growing at a run has its own": (
        [nothing, append("x", "b.txt"), append("a"), nothing, nothing, nothing],
        [2, 4, 5],
    ),
    "one that goes": ([append("a"), nothing, remove, nothing, nothing], [2, 3, 4]),
    "hidden files and those that a browser is fetching are none": (
        [nothing, append("a", ".a.swp"), append("a", "a.part"), nothing, nothing],
        [2],
    ),
    "a disk that is away for a while": ([append("a"), nothing, nothing, away, nothing, back, nothing, nothing], [2, 3]),
}


class EndError(Exception):
    """The test has seen enough."""


def play(
    raw: Path, changes: list[Change], ends: Callable[[int], bool] = lambda _: True
) -> tuple[list[int], list[float]]:
    """Return the looks that made a run, and the pauses between looks; `ends` says how the n-th run ended."""
    runs: list[int] = []
    pauses: list[float] = []

    def run() -> bool:
        runs.append(len(pauses) + 1)
        return ends(len(runs))

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) > len(changes):
            raise EndError
        changes[len(pauses) - 1](raw)

    with pytest.raises(EndError):
        watch(raw, run, 5.0, wait=wait)
    return runs, pauses


@pytest.mark.parametrize(("changes", "due"), LIVES.values(), ids=LIVES)
def test_a_run_is_made_when_something_has_settled(changes: list[Change], due: list[int], tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    assert play(raw, changes)[0] == due


def test_a_run_that_fails_is_made_again_later_and_later(tmp_path: Path) -> None:
    runs, pauses = play(tmp_path, [nothing] * 12, lambda number: number > 10)
    assert runs == [*range(2, 13)]
    assert pauses[1:6] == [10, 20, 40, 80, 160]
    assert max(pauses) == LONGEST_PAUSE
    assert pauses[-1] == 5
