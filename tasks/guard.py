"""Documents are read in children that may die.

A file of 500 bytes can loop for ever, take 5 GB or abort the interpreter, and no `try` catches that. So reading,
reflow and segmentation of a batch happen in a child process with a budget. If the child dies or overdraws, its sources
are run again, each in a child of its own: whatever goes wrong then is that source's own doing, and it gets a
`Document` with one `Reject` that names the limit. All others are read as if it had not been there.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from types import TracebackType
from typing import Any, Generic, NamedTuple, TypeVar

from tasks.document import Document, Reject, Source
from tasks.forkserver import (
    FORK,
    OUT_OF_MEMORY,
    PART,
    RAISED,
    READY,
    RESULT,
    TOO_LONG,
    Limits,
    Part,
    read_to_end,
    write_request,
)
from tasks.spool import read_head, sniff

__all__ = ["Batch", "Guard", "GuardError", "Limits", "Part"]

T = TypeVar("T")

#: A text longer than this is no small one: it has a child, and so a budget, of its own.
SHARED_BYTES = 1 << 20

#: Types of files whose pages each take much more than a text does.
PAGED = ("application/pdf", "image/")

#: What the children see of the environment. Everything else stays outside, above all what makes libraries load files
#: from elsewhere (pdfminer unpickles character maps from `CMAP_PATH`) or send data away.
KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "PYTHONUTF8", "LD_LIBRARY_PATH")

#: One thread per child, no order of sets that differs from run to run, and no allocator that reserves a gibibyte of
#: address space ahead, which the limit would count.
ADDED = {
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}

SERVER = "import sys; sys.path[:] = sys.argv[2:]; from tasks.forkserver import serve; serve(int(sys.argv[1]))"

START_SECONDS = 120

#: Of how many parts a source may consist (the longest PDF there may be, all of it scans, makes 2,500); together they are
#: no longer than one output may be.
MOST_PARTS = 3000

REMEDY = (
    "Open the file in a viewer and save it anew, or split it; an honest giant needs a higher limit in the settings."
)


class GuardError(Exception):
    """The guard itself cannot work: a failure of the machinery, not of a document."""


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """What became of some sources: every one is in exactly one of `results` or is one of `rejected`."""

    results: tuple[T, ...]
    rejected: tuple[Document, ...]


class Death(Exception):
    """A child ended without an answer: the check that names the reason, its limits, and a detail for the message."""

    def __init__(self, check: str, limits: Limits, detail: str = "") -> None:
        super().__init__(check, detail)
        self.check = check
        self.limits = limits
        self.detail = detail


class Server(NamedTuple):
    """The running fork server and the socket that it listens to, and lives by."""

    process: subprocess.Popen[bytes]
    control: socket.socket


class Guard(Generic[T]):
    """Run a function over batches of sources so that no source can harm another, or this process.

    `work` and `warm` are named as "module:function". `work(sources, settings, parts) -> bytes | Part` runs in a child;
    `warm(settings)`, if given, runs once beforehand and loads what each child would else load again. `settings` are
    plain values (they travel as JSON). `decode(result, sources)` runs here, takes the child's bytes with mistrust and
    raises on anything but what `work` would have returned for these sources.

    A source too long for one budget is worked on by one child after the other, each with a budget of its own: a child
    returns a `Part` as long as it has not come to the end, and the next is given all `parts` that there are. A part may
    name the kind of limits to go on under, one of those in `kinds`.

    May be used from several threads at once; no more than `workers` children run at a time.

        with Guard("tasks.article:work", settings, decode, warm="tasks.article:warm") as guard:
            batch = guard.run(sources)
    """

    def __init__(
        self,
        work: str,
        settings: Mapping[str, Any],
        decode: Callable[[bytes, Sequence[Source]], T],
        *,
        warm: str | None = None,
        limits: Limits | None = None,
        kinds: Mapping[str, Limits] | None = None,
        workers: int | None = None,
    ) -> None:
        self.limits = {"": limits or Limits(), **(kinds or {})}
        self._order = json.dumps({"work": work, "warm": warm, "settings": settings})
        self._decode = decode
        self._workers = workers or os.cpu_count() or 1
        self._places = threading.BoundedSemaphore(self._workers)
        self._all_places = threading.Lock()
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._closed = True

    def __enter__(self) -> Guard[T]:
        with self._lock:
            self._server = start(self._order)
            self._closed = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
            if self._server:
                stop(self._server)
                self._server = None

    def run(self, sources: Sequence[Source]) -> Batch[T]:
        """Run the work over these sources: small texts together, PDFs and long texts each in a child of its own.

        The results stand in the order of the sources they begin with, small texts first. Raises `GuardError` when
        children cannot be started at all.
        """
        results: list[T] = []
        dead: list[Document] = []
        for group in groups(sources):
            try:
                results.append(self._attempt(group))
            except Death as death:
                if len(group) == 1:
                    dead.append(rejected(group[0], death))
                    continue
                for source in group:
                    try:
                        results.append(self._attempt([source]))
                    except Death as own:
                        dead.append(rejected(source, own))
        return Batch(tuple(results), tuple(dead))

    def _attempt(self, sources: Sequence[Source]) -> T:
        """Run these sources in one child, or a long one in as many as it has parts, or raise `Death`."""
        parts: list[bytes] = []
        limits = self.limits[""]
        while isinstance(answer := self._in_child(sources, parts, limits), Part):
            parts.append(answer.data)
            if len(sources) > 1 or answer.limits not in self.limits:
                raise Death("garbled_output", limits)
            if len(parts) > MOST_PARTS or sum(map(len, parts)) > limits.output_bytes:
                raise Death("output_limit", limits)
            limits = self.limits[answer.limits]
        try:
            return self._decode(answer, sources)
        except Exception as error:  # whatever hostile bytes provoke in a decoder
            raise Death("garbled_output", limits, type(error).__name__) from error

    def _in_child(self, sources: Sequence[Source], parts: Sequence[bytes], limits: Limits) -> bytes | Part:
        """Return what a child makes of these sources, or raise `Death`.

        A server that dies takes all children with it, and any of them may have killed it. So each of them is run
        again while no other runs: who loses a server then has killed it.
        """
        with self._places:
            answer = self._ask(sources, parts, limits)
        if answer is None:
            with self._no_company():
                answer = self._ask(sources, parts, limits)
        if answer is None:
            raise Death("crashed", limits, "with the server that watches it")
        return answer

    @contextlib.contextmanager
    def _no_company(self) -> Iterator[None]:
        with self._all_places, contextlib.ExitStack() as places:  # the lock, lest two wait for each other's places
            for _ in range(self._workers):
                places.enter_context(self._places)
            yield

    def _ask(self, sources: Sequence[Source], parts: Sequence[bytes], limits: Limits) -> bytes | Part | None:
        """Have a child forked, hand it the sources and return its answer; None when the server died beneath it."""
        stream, far_stream = socket.socketpair()
        report, far_report = socket.socketpair()
        with stream, report:  # closing `report` early is what kills the child
            with far_stream, far_report:
                server = self._fork(limits, far_stream, far_report)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has died: the report says of what
                stream.sendall(write_request(sources, parts))
                stream.shutdown(socket.SHUT_WR)
            output = b""
            with contextlib.suppress(ConnectionResetError):
                try:
                    output = read_to_end(stream, limits.output_bytes + 1)
                except ValueError as error:
                    raise Death("output_limit", limits) from error
            ending = read_to_end(report)
        if not ending:
            self._bury(server)
            return None
        return answer_of(output, limits, **json.loads(ending))

    def _fork(self, limits: Limits, stream: socket.socket, report: socket.socket) -> Server:
        """Ask the server for a child with these ends; whether it heard, the report will show."""
        with self._lock:
            if self._closed:
                raise GuardError("The guard is closed: use it inside its `with` block.")
            if self._server is None:
                self._server = start(self._order)
            with contextlib.suppress(OSError):
                socket.send_fds(self._server.control, [FORK.pack(*astuple(limits))], [stream.fileno(), report.fileno()])
            return self._server

    def _bury(self, server: Server) -> None:
        """See a dead server to its end, so that the next child is asked of a new one."""
        with self._lock:
            if self._server is server:
                stop(server)
                self._server = None


def groups(sources: Sequence[Source]) -> Iterator[list[Source]]:
    """Which sources share a child? Small texts do; PDFs, images, and texts of more than a mebibyte, have one each."""
    shared: list[Source] = []
    alone: list[Source] = []
    for source in sources:
        is_small = source.bytes <= SHARED_BYTES and not sniff(read_head(source.path)).startswith(PAGED)
        (shared if is_small else alone).append(source)
    if shared:
        yield shared
    yield from ([source] for source in alone)


def answer_of(output: bytes, limits: Limits, exit_code: int, check: str | None) -> bytes | Part:
    """Return what a child has handed back, or raise the `Death` that its output and its end amount to."""
    kind, payload = output[:1], output[1:]
    if check:
        raise Death(check, limits)
    if exit_code < 0:
        known = {member.value: member.name for member in signal.Signals}
        raise Death("crashed", limits, known.get(-exit_code, f"signal {-exit_code}"))
    if exit_code or not kind:
        raise Death("crashed", limits, f"exit code {exit_code}")
    if kind == OUT_OF_MEMORY:
        raise Death("memory_limit", limits)
    if kind == TOO_LONG:
        raise Death("output_limit", limits)
    if kind == RAISED:
        name = payload[:80].decode(errors="replace")
        raise Death("crashed", limits, name if name.isidentifier() else "unknown exception")
    if kind == PART:
        line, _, data = payload.partition(b"\n")
        return Part(data, line[:80].decode(errors="replace"))
    if kind != RESULT:
        raise Death("garbled_output", limits)
    return payload


def rejected(source: Source, death: Death) -> Document:
    """Return what becomes of a source whose child has died: a document that says of what."""
    limits = death.limits
    reason = {
        "cpu_limit": f"took more than {limits.cpu_seconds} CPU-seconds",
        "memory_limit": f"took more than {limits.memory_bytes >> 20} MiB of memory",
        "output_limit": f"gave more than {limits.output_bytes >> 20} MiB of output",
        "wall_limit": f"was not done after {limits.wall_seconds:g} seconds",
        "garbled_output": "gave what no reader gives",
        "crashed": "crashed the reader",
    }[death.check]
    message = f"{source.source}: the file {reason}" + (f" ({death.detail})." if death.detail else ".")
    return Document(source, rejects=(Reject("read", death.check, message, REMEDY, evidence=death.detail),))


def start(order: str) -> Server:
    """Start a fork server and wait until it has loaded the work; raises `GuardError` with its reason if it cannot."""
    control, far = socket.socketpair()
    with far:
        process = subprocess.Popen(
            [sys.executable, "-s", "-c", SERVER, str(far.fileno()), *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in KEPT if name in os.environ} | ADDED,
            pass_fds=[far.fileno()],
            start_new_session=True,  # Ctrl-C is for this process, which then ends the others in order
        )
    server = Server(process, control)
    try:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(order.encode())
        control.settimeout(START_SECONDS)
        answer = control.recv(4096)
        control.settimeout(None)
    except BaseException as error:
        stop(server)
        if isinstance(error, OSError):
            raise GuardError(f"The process that reads documents did not start: {error}.") from error
        raise
    if answer != READY:
        stop(server)
        reason = answer.decode(errors="replace") or f"exit code {process.returncode}"
        raise GuardError(f"The process that reads documents did not start: {reason}.")
    return server


def stop(server: Server) -> None:
    """End the server and its children: closing the control socket is enough, killing is for a server that is stuck."""
    server.control.close()
    try:
        server.process.wait(10)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()
