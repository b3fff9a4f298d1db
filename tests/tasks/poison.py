"""Work for `test_guard.py` that does, in a child of the guard, what the name of a source tells it to."""

import ctypes
import itertools
import os
import resource
import signal
import stat
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tasks.document import Source, Unreadable
from tasks.forkserver import Part

MIB = 1 << 20


def obey(sources: Sequence[Source], settings: dict[str, Any], parts: Sequence[bytes]) -> bytes:
    """Return a line for each source, unless the name of one of them is that of a deed."""
    result = b""
    for source in sources:
        deed = DEEDS.get(source.source)
        result += deed(settings) if deed else f"{source.source} {source.sha256}\n".encode()
    return result


def segfault(settings: dict[str, Any]) -> bytes:
    return ctypes.string_at(0)


def abort(settings: dict[str, Any]) -> bytes:
    os.abort()


def leave(settings: dict[str, Any]) -> bytes:
    os._exit(0)


def leave_with_3(settings: dict[str, Any]) -> bytes:
    os._exit(3)


def say_goodbye(settings: dict[str, Any]) -> bytes:
    sys.exit(0)


def raise_an_error(settings: dict[str, Any]) -> bytes:
    raise LookupError("\x1b[31m what the text says")


def spin(settings: dict[str, Any]) -> bytes:
    while True:
        pass


def spin_with_the_gil(settings: dict[str, Any]) -> bytes:
    return bytes(sum(itertools.repeat(0)))


def spin_past_the_signal(settings: dict[str, Any]) -> bytes:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    return spin_with_the_gil(settings)


def sleep(settings: dict[str, Any]) -> bytes:
    time.sleep(600)
    return b""


def eat_memory(settings: dict[str, Any]) -> bytes:
    return bytes(len([bytes(MIB) for _ in range(1024)]))


def eat_memory_and_rest(settings: dict[str, Any]) -> bytes:
    hoard = [b"x" * MIB for _ in range(256)]
    time.sleep(600)
    return b"".join(hoard)


def abort_out_of_memory(settings: dict[str, Any]) -> bytes:
    hoard = [b"x" * MIB for _ in range(60)]  # of 64: as native code that is refused the next piece
    os.kill(os.getpid(), signal.SIGABRT)
    return b"".join(hoard)


def return_too_much(settings: dict[str, Any]) -> bytes:
    return bytes(settings["too_long"])


def flood_the_socket(settings: dict[str, Any]) -> bytes:
    while True:
        for stream in sockets():
            os.write(stream, bytes(1 << 16))


def return_garbage(settings: dict[str, Any]) -> bytes:
    return b"\xff\x00"


def return_nothing(settings: dict[str, Any]) -> Any:
    return None


def write_a_file(settings: dict[str, Any]) -> bytes:
    return str(Path(settings["directory"], "written").write_bytes(b"x")).encode()


def kill_the_server(settings: dict[str, Any]) -> bytes:
    os.kill(os.getppid(), signal.SIGKILL)
    return sleep(settings)


def fork_and_hang(settings: dict[str, Any]) -> bytes:
    """Leave the numbers of this process and of one that it forks, and hang in both."""
    os.fork()
    os.mkfifo(Path(settings["directory"], str(os.getpid())))  # a file could not be written
    return sleep(settings)


def fork_and_crash(settings: dict[str, Any]) -> bytes:
    """Die and leave a process behind, once it has left its number."""
    if pid := os.fork():
        while not Path(settings["directory"], str(pid)).exists():
            time.sleep(0.01)
        segfault(settings)
    os.mkfifo(Path(settings["directory"], str(os.getpid())))
    return sleep(settings)


DEEDS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    deed.__name__: deed
    for deed in (
        *(segfault, abort, leave, leave_with_3, say_goodbye, raise_an_error, return_nothing, return_garbage),
        *(spin, spin_with_the_gil, spin_past_the_signal, sleep, eat_memory, eat_memory_and_rest, abort_out_of_memory),
        *(return_too_much, flood_the_socket, write_a_file, kill_the_server, fork_and_hang, fork_and_crash),
    )
}


def sockets() -> list[int]:
    """Return the descriptors of all sockets that this process holds."""
    found = []
    for name in Path("/proc/self/fd").iterdir():
        try:
            if stat.S_ISSOCK(os.fstat(int(name.name)).st_mode):
                found.append(int(name.name))
        except OSError:  # the one that listed them
            pass
    return found


WARMED: list[str] = []


def warm(settings: dict[str, Any]) -> None:
    WARMED.append(settings["warmth"])


def fail_to_warm(settings: dict[str, Any]) -> None:
    raise FileNotFoundError("no such dictionary")


def look_around(sources: Sequence[Source], settings: dict[str, Any], parts: Sequence[bytes]) -> bytes:
    """Tell what a child finds: what was warmed up, its descriptors, its environment, its limits."""
    found = {
        "warmed": WARMED,
        "sockets": len(sockets()),
        "environment": sorted(os.environ),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "stdin": os.read(0, 1),
    }
    return repr(found).encode()


def tell_path(sources: Sequence[Source], settings: dict[str, Any], parts: Sequence[bytes]) -> bytes:
    return ascii(sources[0].path).encode()


def count_characters(sources: Sequence[Source], settings: dict[str, Any], parts: Sequence[bytes]) -> bytes:
    """Read PDFs and tell how many characters each holds, or why it cannot be read."""
    from tasks.read.pdf import read_pdf

    lines = []
    for source in sources:
        try:
            lines.append(f"{source.source} {read_pdf(Path(source.path).read_bytes()).n_chars}")
        except Unreadable as unreadable:
            lines.append(f"{source.source} {unreadable.reject.check}")
    return "\n".join(lines).encode()


def hand_on(sources: Sequence[Source], settings: dict[str, Any], parts: Sequence[bytes]) -> bytes | Part:
    """Hand on a part for each word of the source's name, and tell at the end what the parts were.

    Each part tells the processor seconds that its child was allowed. A word is the kind of limits that the next child
    asks for, or the name of a deed.
    """
    words = sources[0].source.split()
    allowed = str(resource.getrlimit(resource.RLIMIT_CPU)[0]).encode()
    if len(parts) == len(words):
        return b" ".join([*parts, allowed])
    word = words[len(parts)]
    if deed := DEEDS.get(word):
        deed(settings)
    if word == "half":  # and a little more of what all parts may hold
        return Part(bytes(settings["too_long"] // 3))
    return Part(allowed, "" if word == "usual" else word)


def hand_on_for_ever(sources: Sequence[Source], settings: dict[str, Any], parts: Sequence[bytes]) -> Part:
    return Part(b"")
