"""The main job on a schedule, or whenever something new has arrived, served from this process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from flows import logs
from flows.look import answers
from flows.settings import WrongSettings
from flows.watch import watch as look_after

if TYPE_CHECKING:
    from flows.settings import Settings

#: Where the server is started when none is set: on Prefect's own port, open to this machine alone.
HOST, PORT = "127.0.0.1", os.environ.get("PREFECT_SERVER_API_PORT", "4200")
START_SECONDS = 120
#: The name of what is served.
NAME = "wenliu"


def serve(
    settings: Settings, *, cron: str | None = None, interval: int | None = None, watch: float | None = None
) -> None:
    """Run until interrupted, with the server at PREFECT_API_URL or one of our own.

    `watch` is every how many seconds raw/ is looked at. Raises `WrongSettings` for a schedule that is none. A schedule
    needs a real server: the short-lived one that a flow starts for itself has no scheduler.
    """
    address = os.environ.get("PREFECT_API_URL")
    os.environ.setdefault("PREFECT_API_URL", f"http://{HOST}:{PORT}/api")  # which Prefect reads when it is imported
    if cron is not None:
        _check(cron)
    with _server(address):
        from prefect.types.entrypoint import EntrypointType

        from flows.ingest import ingest
        from flows.runs import sweep

        for dead in sweep(settings.processed / ".work"):
            logs.step("info", f"run {dead}, which Prefect took for running, has crashed")
        # Prefect's own slip when it is terminated: it stops all the same.
        warnings.filterwarnings("ignore", "coroutine 'Runner.astop' was never awaited", RuntimeWarning)
        if watch is not None:
            threading.Thread(target=look_after, args=(settings.raw, _run, watch), daemon=True).start()
        parameters = {"raw": settings.raw, "processed": settings.processed, "settings": settings.file}
        ingest.serve(
            name=NAME,
            cron=cron,
            interval=interval,
            parameters={name: str(path.resolve()) for name, path in parameters.items() if path},
            entrypoint_type=EntrypointType.MODULE_PATH,
            limit=1,
        )


def _check(cron: str) -> None:
    """Raise `WrongSettings` for a cron line that is none, before a server is started for it."""
    from prefect.client.schemas.schedules import CronSchedule

    try:
        CronSchedule(cron=cron)
    except ValueError:
        raise WrongSettings(f"--cron {cron!r}: not a cron line; '0 6 * * *' is every day at six") from None


def _run() -> bool:
    """Have what is served run now; say whether it got through, or was refused, which another try would not change."""
    from prefect.client.schemas.objects import FlowRun
    from prefect.deployments import run_deployment

    from flows.ingest import REFUSED

    try:
        state = cast(FlowRun, run_deployment(f"ingest/{NAME}", as_subflow=False)).state
    except Exception as error:  # noqa: BLE001 - a server that is away for a while must not end the watch
        logs.error(f"no run could be started for what is new under raw/: {type(error).__name__}: {error}")
        return False
    return state is not None and (state.is_completed() or state.name == REFUSED)


@contextmanager
def _server(address: str | None) -> Iterator[None]:
    """Make sure that the server at an address answers; without one, that one of our own does, which ends with us."""
    if address:
        if not answers(address):
            raise ConnectionError(
                f"the Prefect server at {address} does not answer; start it, or unset PREFECT_API_URL"
            )
        yield
        return
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", PORT]
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True) as server:
        try:
            until = time.monotonic() + START_SECONDS
            while not answers(os.environ["PREFECT_API_URL"], 1.0):
                if server.poll() is not None or time.monotonic() > until:
                    raise ConnectionError(f"the Prefect server did not start at http://{HOST}:{PORT}/api")
                time.sleep(0.2)
            yield
        finally:
            server.terminate()
