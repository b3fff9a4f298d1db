"""Prefect for real: that the pinned versions start a server, and that a schedule that is served fires.

Both have failed silently with versions that were a little newer (docs/decisions.md), so nothing here is simulated.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[2]
DEADLINE = 180  # seconds until a test gives up on a process; they need some twenty on a quiet machine

ADD = """
from prefect import flow, task


@task
def add(a: int, b: int) -> int:
    return a + b


@flow
def total() -> int:
    return sum(future.result() for future in [add.submit(1, 2), add.submit(30, 9)])


if __name__ == "__main__":
    print("total", total())
"""

TICK = """
import sys

from prefect import flow
from prefect.runtime import deployment


@flow
def tick(path: str) -> None:
    with open(path, "a") as ticks:
        ticks.write(deployment.name + "\\n")


if __name__ == "__main__":
    tick.serve(name="every-second", interval=1, parameters={"path": sys.argv[1]}, limit=1)
"""


@contextmanager
def running(command: list[str], log: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process in the project's directory that is gone, with all that it started, when the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, how)
                process.wait(timeout=15)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        process.wait()


def wait_for(happened: Callable[[], bool], *alive: tuple[subprocess.Popen[bytes], Path]) -> None:
    """Returns once it happened; fails with the logs when one of the processes ends before or time runs out."""
    until = time.monotonic() + DEADLINE
    while not happened():
        ended = any(process.poll() is not None for process, _ in alive)
        logs = "\n".join(log.read_text("utf-8") for _, log in alive)
        assert not ended, f"a process ended early:\n{logs}"
        assert time.monotonic() < until, f"nothing within {DEADLINE} s:\n{logs}"
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_flow_starts_a_server_for_itself(tmp_path: Path) -> None:
    (tmp_path / "add.py").write_text(ADD, "utf-8")
    log = tmp_path / "log"
    with running([sys.executable, str(tmp_path / "add.py")], log, PREFECT_HOME=str(tmp_path / "home")) as process:
        status = process.wait(timeout=DEADLINE)
    said = log.read_text("utf-8")
    assert status == 0, said
    assert "Starting temporary server" in said
    assert "total 42" in said


def test_a_served_schedule_fires(tmp_path: Path) -> None:
    (tmp_path / "tick.py").write_text(TICK, "utf-8")
    ticks, server_log, served_log = tmp_path / "ticks", tmp_path / "server.log", tmp_path / "served.log"
    port = free_port()
    api = f"http://127.0.0.1:{port}/api"
    variables = {
        "PREFECT_HOME": str(tmp_path / "home"),
        "PREFECT_API_URL": api,
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
    }
    start = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with running(start, server_log, **variables) as server:
        wait_for(lambda: answers(f"{api}/health"), (server, server_log))
        with running([sys.executable, str(tmp_path / "tick.py"), str(ticks)], served_log, **variables) as served:
            wait_for(
                lambda: ticks.exists() and bool(ticks.read_text("utf-8")), (server, server_log), (served, served_log)
            )
    assert ticks.read_text("utf-8").splitlines()[0] == "every-second"
