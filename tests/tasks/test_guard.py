"""Whatever happens to a document's child: the others are untouched, and the document's end has a name."""

import ast
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.document import Source
from tasks.forkserver import Limits, resident_by_ps, resident_bytes
from tasks.guard import SERVER, Guard, GuardError, groups

MIB = 1 << 20

#: The wall clock is a backstop that no test should meet on a busy machine, but for the one that waits for it.
TIGHT = Limits(cpu_seconds=1, memory_bytes=64 * MIB, output_bytes=MIB, wall_factor=60)
IMPATIENT = Limits(cpu_seconds=1, memory_bytes=64 * MIB, wall_factor=4)

DOOMED = [
    ("segfault", "crashed", "SIGSEGV"),
    ("abort", "crashed", "SIGABRT"),
    ("leave", "crashed", "exit code 0"),
    ("leave_with_3", "crashed", "exit code 3"),
    ("say_goodbye", "crashed", "SystemExit"),
    ("raise_an_error", "crashed", "LookupError"),
    ("return_nothing", "crashed", "TypeError"),
    ("return_garbage", "garbled_output", "UnicodeDecodeError"),
    ("write_a_file", "crashed", "OSError"),
    ("eat_memory", "memory_limit", ""),
    ("abort_out_of_memory", "memory_limit", ""),
    ("return_too_much", "output_limit", ""),
    ("flood_the_socket", "output_limit", ""),
    ("fork_and_crash", "crashed", "SIGSEGV"),
    ("kill_the_server", "crashed", "with the server that watches it"),
    ("spin", "cpu_limit", ""),
    ("spin_with_the_gil", "cpu_limit", ""),
    ("spin_past_the_signal", "cpu_limit", ""),
]


def source(name: str, path: str = "/nowhere") -> Source:
    return Source(name, path, 10, f"hash of {name}")


def decode(result: bytes, sources: Sequence[Source]) -> str:
    return result.decode()


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Guard[str]]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    settings = {"too_long": 2 * MIB, "directory": str(tmp_path), "warmth": "warm"}

    def make(work: str = "obey", limits: Limits = TIGHT, **options: object) -> Guard[str]:
        return Guard(f"poison:{work}", settings, decode, limits=limits, **options)  # type: ignore[arg-type]

    return make


def lines(results: Sequence[str]) -> list[str]:
    return sorted("".join(results).splitlines())


@pytest.mark.parametrize(("deed", "check", "evidence"), DOOMED)
def test_a_deadly_document_is_named_and_takes_no_other_with_it(
    guarded: Callable[..., Guard[str]], deed: str, check: str, evidence: str
) -> None:
    good = [source(f"good-{n}") for n in range(4)]
    with guarded() as guard:
        clean = guard.run(good)
        batch = guard.run([*good[:2], source(deed), *good[2:]])
        assert guard.run(good) == clean
    assert lines(batch.results) == lines(clean.results)
    [document] = batch.rejected
    [reject] = document.rejects
    assert document.source == source(deed)
    assert (reject.stage, reject.check, reject.evidence) == ("read", check, evidence)
    assert deed in reject.message
    assert "what the text says" not in reject.message
    assert reject.remedy


def test_all_of_them_at_once_among_a_hundred_good_ones_from_several_threads(
    guarded: Callable[..., Guard[str]],
) -> None:
    quick = [source(deed) for deed, check, _ in DOOMED if check != "cpu_limit"]
    good = [source(f"good-{n}") for n in range(100)]
    mixed = [one for n in range(20) for one in (*good[n * 5 : n * 5 + 5], *quick[n : n + 1])]
    batches = [mixed[n : n + 12] for n in range(0, len(mixed), 12)]
    with guarded(workers=3) as guard, ThreadPoolExecutor(6) as threads:
        done = list(threads.map(guard.run, batches))
        clean = guard.run(good)
    assert lines([result for batch in done for result in batch.results]) == lines(clean.results)
    rejected = [document.source for batch in done for document in batch.rejected]
    assert sorted(one.source for one in rejected) == sorted(one.source for one in quick)


def test_what_sleeps_is_stopped_by_the_clock(guarded: Callable[..., Guard[str]]) -> None:
    with guarded(limits=IMPATIENT) as guard:
        batch = guard.run([source("sleep")])
    assert [document.rejects[0].check for document in batch.rejected] == ["wall_limit"]


def test_the_watchdog_holds_where_the_kernel_sets_no_limit_on_memory(
    guarded: Callable[..., Guard[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.guard.SERVER", f"import sys; sys.platform = 'darwin'; {SERVER}")
    with guarded() as guard:
        batch = guard.run([source("a"), source("eat_memory_and_rest")])
    assert batch.results == ("a hash of a\n",)
    assert [document.rejects[0].check for document in batch.rejected] == ["memory_limit"]


@pytest.mark.skipif(not shutil.which("ps"), reason="needs ps")
def test_ps_and_proc_agree_on_the_memory_of_a_process() -> None:
    assert resident_by_ps(os.getpid()) == pytest.approx(resident_bytes(os.getpid()), rel=0.2)


def test_long_requests_and_results_pass_through(guarded: Callable[..., Guard[str]]) -> None:
    many = [source(f"{'long-' * 40}{n}") for n in range(5_000)]
    with guarded(limits=Limits(output_bytes=32 * MIB)) as guard:
        batch = guard.run(many)
    assert len(batch.results) == 1
    assert lines(batch.results) == sorted(f"{one.source} {one.sha256}" for one in many)


def test_names_that_are_not_utf8_reach_the_child_as_they_are(guarded: Callable[..., Guard[str]]) -> None:
    odd = os.fsdecode(b"/nowhere/\xff\n\x1b.txt")
    with guarded("tell_path") as guard:
        batch = guard.run([source("odd", odd)])
    assert batch.results == (ascii(odd),)


def test_a_child_finds_what_was_warmed_up_and_nothing_that_it_could_misuse(
    guarded: Callable[..., Guard[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CMAP_PATH", "/tmp/evil")
    monkeypatch.setenv("A_SECRET", "s3cret")
    with guarded("look_around", warm="poison:warm") as guard:
        found = ast.literal_eval(guard.run([source("a")]).results[0])
    assert found["warmed"] == ["warm"]
    assert found["sockets"] == 1  # its own
    assert not {"CMAP_PATH", "A_SECRET"} & set(found["environment"])
    assert found["core"] == (0, 0)
    assert found["files"] <= 64
    assert found["stdin"] == b""


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"warm": "poison:fail_to_warm"}, "no such dictionary"), ({"work": "no_such_work"}, "no_such_work")],
)
def test_work_that_cannot_be_loaded_is_a_failure_of_the_machinery(
    guarded: Callable[..., Guard[str]], options: dict[str, str], reason: str
) -> None:
    with pytest.raises(GuardError, match=reason), guarded(**options):
        pass


ROOMY = Limits(cpu_seconds=7, memory_bytes=64 * MIB, output_bytes=MIB, wall_factor=60)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("usual usual", "1 1 1"),
        ("usual roomy usual", "1 1 7 1"),
        ("usual spin usual", "cpu_limit"),
        ("usual segfault", "crashed"),
        ("usual kill_the_server", "crashed"),
        ("generous usual", "garbled_output"),
        ("half half", "output_limit"),
    ],
)
def test_a_long_source_is_handed_on_and_each_part_has_a_budget_of_its_own(
    guarded: Callable[..., Guard[str]], name: str, told: str
) -> None:
    with guarded("hand_on", kinds={"roomy": ROOMY}) as guard:
        batch = guard.run([source(name)])
    assert [*batch.results, *(document.rejects[0].check for document in batch.rejected)] == [told]


def test_a_source_of_parts_without_end_is_stopped(
    guarded: Callable[..., Guard[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.guard.MOST_PARTS", 5)
    with guarded("hand_on_for_ever") as guard:
        batch = guard.run([source("a"), source("b")])
    assert [document.rejects[0].check for document in batch.rejected] == ["output_limit", "output_limit"]


def test_a_closed_guard_says_so(guarded: Callable[..., Guard[str]]) -> None:
    with guarded() as guard:
        pass
    with pytest.raises(GuardError, match="closed"):
        guard.run([source("a")])


def test_a_killed_server_is_replaced(guarded: Callable[..., Guard[str]]) -> None:
    others = children_of(os.getpid())  # of tests before this one
    with guarded() as guard:
        for _ in range(2):
            server = children_of(os.getpid()) - others
            assert len(server) == 1
            os.kill(server.pop(), signal.SIGKILL)
            assert guard.run([source("a")]).results == ("a hash of a\n",)


def test_nothing_is_left_behind(guarded: Callable[..., Guard[str]], tmp_path: Path) -> None:
    others = children_of(os.getpid())  # of tests before this one
    descriptors = set(os.listdir("/proc/self/fd"))  # noqa: PTH208 (names, not paths)
    with guarded(limits=IMPATIENT) as guard:
        guard.run([source(name) for name in ("a", "fork_and_crash", "fork_and_hang", "flood_the_socket")])
    wait_until(lambda: not any(map(alive, recorded(tmp_path))))
    assert len(recorded(tmp_path)) == 4  # two of the crashed, in the batch and alone, and two of the hanging
    assert children_of(os.getpid()) <= others
    assert set(os.listdir("/proc/self/fd")) == descriptors  # noqa: PTH208


def test_closing_the_guard_ends_what_still_runs(guarded: Callable[..., Guard[str]], tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def hang() -> None:
        try:
            guard.run([source("fork_and_hang")])
        except GuardError as error:
            failures.append(error)

    with guarded() as guard:
        thread = threading.Thread(target=hang)
        thread.start()
        wait_until(lambda: len(recorded(tmp_path)) == 2)
    thread.join(60)
    assert len(failures) == 1
    wait_until(lambda: not any(map(alive, recorded(tmp_path))))


@pytest.mark.parametrize("fatal", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_child_outlives_a_killed_program(tmp_path: Path, fatal: signal.Signals) -> None:
    program = (
        "import sys; sys.path[:] = sys.argv[2:]\n"
        "from tasks.guard import Guard; from tasks.document import Source\n"
        "with Guard('poison:obey', {'directory': sys.argv[1]}, lambda result, sources: result) as guard:\n"
        "    guard.run([Source('fork_and_hang', '/nowhere', 1, '')])\n"
    )
    path = [str(Path(__file__).parent), *sys.path]
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path), *path], stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: len(recorded(tmp_path)) == 2)
        servers = children_of(process.pid)
        assert len(servers) == 1
        process.send_signal(fatal)
        process.wait(60)
    wait_until(lambda: not any(map(alive, recorded(tmp_path) | servers)))


def test_small_texts_share_a_child_and_pdfs_have_their_own(tmp_path: Path) -> None:
    def written(name: str, data: bytes) -> Source:
        (tmp_path / name).write_bytes(data)
        return Source(name, str(tmp_path / name), len(data), "")

    a, b = written("a.txt", b"one"), written("b.txt", b"two")
    pdf, disguised = written("c.pdf", b"%PDF-1.7"), written("d.txt", b"\n\n%PDF-1.7")
    long = written("e.txt", bytes(2 * MIB))
    assert list(groups([pdf, a, long, disguised, b])) == [[a, b], [pdf], [long], [disguised]]


def pdf(
    contents: bytes = b"<</Length 22>>stream\nBT /F 9 Tf (abc) Tj ET\nendstream",
    *,
    kids: bytes = b"3 0 R",
    font: bytes = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    more: bytes = b"",
) -> bytes:
    """Return a PDF of one page, without a table of its objects: readers then look for them."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count 1/Kids[" + kids + b"]>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
        b"4 0 obj" + contents + b" endobj\n5 0 obj" + font + b"endobj\n" + more + b"trailer<</Root 1 0 R>>\n%%EOF"
    )


def contents_that_are_themselves() -> bytes:
    return pdf(b" 4 0 R")


def page_tree_of_5000_storeys() -> bytes:
    storey = b"%d 0 obj<</Type/Pages/Count 1/Kids[%d 0 R]>>endobj\n"
    tower = b"".join(storey % (number, number + 1) for number in range(10, 5010))
    return pdf(kids=b"10 0 R", more=tower + storey % (5010, 3))


def font_of_two_billion_widths() -> bytes:
    descendant = b"<</Type/Font/Subtype/CIDFontType2/BaseFont/A/FontDescriptor<<>>/W[0 2000000000 500]>>"
    return pdf(
        font=b"<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/DescendantFonts[6 0 R]>>",
        more=b"6 0 obj" + descendant + b"endobj\n",
    )


@pytest.mark.parametrize(
    ("make", "outcomes"),
    [
        (contents_that_are_themselves, {"cpu_limit"}),
        (page_tree_of_5000_storeys, {"damaged_pdf", "no_pages"}),
        (font_of_two_billion_widths, {"memory_limit", "damaged_pdf"}),
    ],
)
def test_a_pdf_that_stops_its_reader_stops_nothing_else(
    guarded: Callable[..., Guard[str]], tmp_path: Path, make: Callable[[], bytes], outcomes: set[str]
) -> None:
    for name, data in (("good.pdf", pdf()), ("hostile.pdf", make())):
        (tmp_path / name).write_bytes(data)
    sources = [source(name, str(tmp_path / name)) for name in ("hostile.pdf", "good.pdf")]
    with guarded("count_characters", limits=Limits(cpu_seconds=2, memory_bytes=256 * MIB, wall_factor=60)) as guard:
        batch = guard.run(sources)
    assert batch.results[-1] == "good.pdf 3"
    read = [result.removeprefix("hostile.pdf ") for result in batch.results[:-1]]
    rejected = [document.rejects[0].check for document in batch.rejected]
    assert len(read + rejected) == 1
    assert set(read + rejected) <= outcomes


def recorded(directory: Path) -> set[int]:
    """Return the processes that left their number here."""
    return {int(entry.name) for entry in directory.iterdir() if entry.name.isdigit()}


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children_of(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(child) for task in tasks for child in (task / "children").read_text().split()}


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
