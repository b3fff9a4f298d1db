"""The process that forks a child for each batch, watches it and buries it.

Forking the program itself is no way: it has threads (Prefect's), and a fork copies locks that nobody will ever open.
So `tasks.guard` starts one clean process that loads the heavy modules once and does nothing but fork: a child costs
milliseconds instead of the second that the modules take. Its owner talks to it over one socket, and to each child over
another; when the owner dies, however it dies, the sockets close, and server and children go with it.

Nothing that a child says is executed or unpickled: it is bytes, read up to a cap.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NoReturn

from tasks.document import Source

#: The first byte of what a child hands back; the rest is the result, or a part of it behind a line that says under which
#: limits to go on, or the name of the exception, or nothing.
RESULT, PART, RAISED, OUT_OF_MEMORY, TOO_LONG = b"R", b"P", b"E", b"M", b"O"

READY = b"ready"
#: How the owner asks for a child: by its limits, in the order of `Limits`.
FORK = struct.Struct("!QQQd")

#: Between two looks at the clock and the memory of the children, in seconds.
TICK = 0.1

#: Who dies by a signal holding this share of the memory allowed has been refused the rest.
NEARLY_ALL = 7 / 8

#: Objects made between two looks for garbage in circles. Python's own 700 take a tenth of a batch's time, to find next
#: to none: what a child makes, it hands back and ends.
COLLECT_AFTER = 100_000

#: A reader needs a handful of descriptors; a leak or an attack needs more.
OPEN_FILES = 64

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
MADV_COLLAPSE = 25
HUGE_PAGE = 2 << 20
#: Gathering pages into huge ones takes as long as so many forks without them: a day's few texts never come so far.
HUGE_AFTER = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What may one child use? Budgets of a document, granted to a batch of small ones together.

    `cpu_seconds` is the budget; the wall clock, which a busy machine stretches, is only a backstop at `wall_factor`
    times as much. `memory_bytes` counts what the child adds to what it was born with; `output_bytes` the result.

    >>> Limits(cpu_seconds=60).wall_seconds
    300.0
    """

    cpu_seconds: int = 60
    memory_bytes: int = 1 << 30
    output_bytes: int = 256 << 20
    wall_factor: float = 5.0

    @property
    def wall_seconds(self) -> float:
        """Return the seconds by the clock after which a child is stuck, not busy."""
        return self.cpu_seconds * self.wall_factor


@dataclass(frozen=True, slots=True)
class Part:
    """What a child has done of a source that is too long for one budget: bytes that the next child is given.

    `limits` names the kind of limits that the next child works under, none being the usual ones.
    """

    data: bytes
    limits: str = ""


#: What is run in a child: the sources of the batch, the settings (both plain values), and the parts that the children
#: before it have handed on. It returns what came of them, or one more part of its one source.
Work = Callable[[Sequence[Source], dict[str, Any], Sequence[bytes]], bytes | Part]


@dataclass(slots=True)
class Child:
    """A child at work: its limits, whom to tell of its end, since when it runs, and the limit it was killed for."""

    limits: Limits
    report: socket.socket
    started: float
    check: str | None = None


def load(name: str) -> Callable[..., Any]:
    """Return the function behind "module:function".

    >>> load("os.path:basename")("a/b")
    'b'
    """
    module, _, function = name.partition(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return loaded


def serve(control_fd: int) -> None:
    """Fork a child whenever the owner asks over the control socket, until that socket closes.

    On standard input stands JSON: `work`, `warm` and `settings`. The answer on the control socket is `READY`,
    or one line that says why the work could not be loaded.
    """
    control = socket.socket(fileno=control_fd)
    order = json.load(sys.stdin)
    sys.meta_path.insert(0, WithoutPandas())
    try:
        work: Work = load(order["work"])
        if order["warm"]:
            load(order["warm"])(order["settings"])
    except Exception as error:  # noqa: BLE001 (whatever it is, the owner is told)
        control.sendall(f"{type(error).__name__}: {error}".encode(errors="backslashreplace"))
        return
    gc.collect()
    gc.freeze()  # else the first collection in every child would write to, and so copy, each page it inherited
    gc.set_threshold(COLLECT_AFTER)
    control.sendall(READY)
    with ForkServer(control, work, order["settings"]) as server:
        server.run()


class WithoutPandas:
    """Hides pandas, which pyarrow would import to know its missing values among Python's, and no row made here holds any.

    It would be a quarter of the second that a server takes to start.
    """

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        """Refuse pandas, and leave all else to the finders that follow."""
        if name == "pandas":
            raise ModuleNotFoundError("pandas is not loaded where documents are read", name=name)


class ForkServer:
    """One thread, no locks: a loop over the owner's requests, the ends of children, and the clock."""

    def __init__(self, control: socket.socket, work: Work, settings: dict[str, Any]) -> None:
        self.control = control
        self.work = work
        self.settings = settings
        self.children: dict[int, Child] = {}
        self.born_with = resident_bytes(os.getpid())
        self.forked = 0
        self.selector = selectors.PollSelector()
        self.wakeup, self.alarm = socket.socketpair()

    def __enter__(self) -> ForkServer:
        self.wakeup.setblocking(False)
        self.alarm.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.alarm.fileno(), warn_on_full_buffer=False)
        self.selector.register(self.control, selectors.EVENT_READ)
        self.selector.register(self.wakeup, selectors.EVENT_READ)
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.children:
            kill_group(pid)

    def run(self) -> None:
        """Serve until the owner closes the control socket."""
        while True:
            for key, _ in self.selector.select(TICK if self.children else None):
                if key.fileobj is self.wakeup:
                    self.wakeup.recv(4096)
                elif key.fileobj is not self.control:
                    self._kill(key.data, None)  # whoever asked for this child has let go of it
                elif not self._fork():
                    return
            self._bury()
            self._watch()

    def _fork(self) -> bool:
        """Fork the child that was asked for; False when nobody is left to ask."""
        message, descriptors, _, _ = socket.recv_fds(self.control, FORK.size, 2)
        if len(message) != FORK.size:
            return False
        limits = Limits(*FORK.unpack(message))
        stream, report = (socket.socket(fileno=descriptor) for descriptor in descriptors)
        if self.forked == HUGE_AFTER:
            use_huge_pages()
            self.born_with = resident_bytes(os.getpid())
        self.forked += 1
        parent = os.getpid()
        pid = os.fork()
        if not pid:
            self._become_child(limits, stream, report, parent)
        with contextlib.suppress(OSError):  # whichever of the two is first: from here on the group can be killed
            os.setpgid(pid, pid)
        stream.close()
        self.children[pid] = Child(limits, report, time.monotonic())
        self.selector.register(report, selectors.EVENT_READ, pid)
        return True

    def _become_child(self, limits: Limits, stream: socket.socket, report: socket.socket, parent: int) -> NoReturn:
        """Let go of everything but the stream, take on the limits, work, and end without any clean-up."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setpgid(0, 0)
            die_with(parent)
            for other in (self.control, self.wakeup, self.alarm, report, *(c.report for c in self.children.values())):
                other.close()
            confine(limits)
            answer(stream, self.work, self.settings, limits.output_bytes)
            status = 0
        finally:
            os._exit(status)

    def _bury(self) -> None:
        for pid, child in list(self.children.items()):
            ended, status, usage = os.wait4(pid, os.WNOHANG)
            if not ended:
                continue
            kill_group(pid)  # whatever the child has started itself
            exit_code = os.waitstatus_to_exitcode(status)
            child.check = child.check or cause_of(exit_code, usage, child.limits, self.born_with)
            del self.children[pid]
            with contextlib.suppress(KeyError):
                self.selector.unregister(child.report)
            with child.report, contextlib.suppress(OSError):
                child.report.sendall(json.dumps({"exit_code": exit_code, "check": child.check}).encode())

    def _watch(self) -> None:
        now = time.monotonic()
        for pid, child in list(self.children.items()):
            added = resident_bytes(pid) - self.born_with
            if child.check is None and (check := overrun(child.limits, now - child.started, added)):
                self._kill(pid, check)

    def _kill(self, pid: int, check: str | None) -> None:
        if (child := self.children.get(pid)) is None:
            return
        child.check = check
        with contextlib.suppress(KeyError):
            self.selector.unregister(child.report)
        kill_group(pid)


def cause_of(exit_code: int, usage: resource.struct_rusage, limits: Limits, born_with: int) -> str | None:
    """Was it a limit of the kernel's that a child died of? Not every library reports it as such.

    Native code that gets no memory aborts; and a child that ignores the first signal of the CPU limit gets the last.
    """
    if exit_code == -signal.SIGXCPU:
        return "cpu_limit"
    if exit_code == -signal.SIGKILL and usage.ru_utime + usage.ru_stime >= limits.cpu_seconds:
        return "cpu_limit"
    peak = usage.ru_maxrss * (1024 if sys.platform == "linux" else 1)
    return "memory_limit" if exit_code < 0 and peak - born_with >= NEARLY_ALL * limits.memory_bytes else None


def write_request(sources: Sequence[Source], parts: Sequence[bytes]) -> bytes:
    """Return what a child reads first: a line of JSON, then the parts one after the other."""
    head = {"sources": [asdict(source) for source in sources], "parts": [len(part) for part in parts]}
    return b"\n".join((json.dumps(head).encode(), b"".join(parts)))


def read_request(data: bytes) -> tuple[list[Source], list[bytes]]:
    """Return the sources and the parts that `write_request` wrote.

    >>> read_request(write_request([], [b"pages 1 to 50", b"pages 51 to 100"]))
    ([], [b'pages 1 to 50', b'pages 51 to 100'])
    """
    line, _, rest = data.partition(b"\n")
    head = json.loads(line)
    ends = list(accumulate(head["parts"], initial=0))
    return [Source(**fields) for fields in head["sources"]], [rest[a:b] for a, b in pairwise(ends)]


def answer(stream: socket.socket, work: Work, settings: dict[str, Any], output_bytes: int) -> None:
    """Read the request from the stream, work, and write one byte that says what follows, and that."""
    with stream:
        sources, parts = read_request(read_to_end(stream))
        try:
            kind, payload = RESULT, work(sources, settings, parts)
            if isinstance(payload, Part):
                kind, payload = PART, payload.limits.encode() + b"\n" + payload.data
            if not isinstance(payload, bytes):
                raise TypeError(type(payload).__name__)
            if len(payload) > output_bytes:
                kind, payload = TOO_LONG, b""
        except MemoryError:
            kind, payload = OUT_OF_MEMORY, b""
        except BaseException as error:  # noqa: BLE001 (SystemExit too: all that the owner learns is the name)
            kind, payload = RAISED, type(error).__name__.encode()
        stream.sendall(kind)
        stream.sendall(payload)


def read_to_end(stream: socket.socket, cap: int | None = None) -> bytes:
    """Read until the other side has closed; more than `cap` bytes are a `ValueError`, never kept."""
    data = bytearray()
    while chunk := stream.recv(1 << 20):
        data += chunk
        if cap is not None and len(data) > cap:
            raise ValueError(f"more than {cap} bytes")
    return bytes(data)


def confine(limits: Limits) -> None:
    """Take away from this process what a reader does not need: time, memory, files to write, core dumps.

    The address space is limited relative to what was mapped at birth: libraries map gigabytes that they never touch.
    Where the kernel does not enforce it (macOS), `ForkServer` watches the resident memory instead.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + limits.memory_bytes,) * 2)


def use_huge_pages() -> None:
    """Gather what this process holds into pages of 2 MiB, where Linux can (6.1 and later): it forks four times faster.

    A fork copies an entry for each page, 13 ms for the 220 MiB of loaded dictionaries in pages of 4 KiB, 3.5 ms so.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    for mapping in Path("/proc/self/maps").read_text().splitlines():
        span, rights, _, _, inode, *_ = mapping.split(maxsplit=5)
        if rights == "rw-p" and inode == "0":
            first, end = (int(address, 16) for address in span.split("-"))
            first, end = -(-first // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE
            if first < end:  # it is advice: what the kernel refuses stays as it is
                libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(end - first), MADV_COLLAPSE)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (Linux), and forbid it to gain privileges."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel was told
            os._exit(1)


def overrun(limits: Limits, seconds: float, added_bytes: int) -> str | None:
    """Which limit has a child passed that runs for so long and has added so much memory?

    >>> overrun(Limits(cpu_seconds=1, wall_factor=5), seconds=6, added_bytes=0)
    'wall_limit'
    >>> overrun(Limits(memory_bytes=1000), seconds=0, added_bytes=1001)
    'memory_limit'
    """
    if added_bytes > limits.memory_bytes:
        return "memory_limit"
    return "wall_limit" if seconds > limits.wall_seconds else None


def resident_bytes(pid: int) -> int:
    """How much memory does a process hold? 0 when it has gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0 if Path("/proc/self/statm").exists() else resident_by_ps(pid)


def resident_by_ps(pid: int) -> int:
    """The same where there is no /proc: macOS and the BSDs."""
    kib = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return int(kib.strip() or 0) * 1024


def kill_group(pid: int) -> None:
    """Kill a child and whatever it has started; nothing happens if all of it has ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
