"""The main job on a schedule, served from this process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flows.look import answers
from flows.settings import WrongSettings

if TYPE_CHECKING:
    from flows.settings import Settings

#: Where the server is started when none is set: on Prefect's own port, open to this machine alone.
HOST, PORT = "127.0.0.1", os.environ.get("PREFECT_SERVER_API_PORT", "4200")
START_SECONDS = 120


def serve(settings: Settings, *, cron: str | None = None, interval: int | None = None) -> None:
    """Run on a schedule until interrupted, with the server at PREFECT_API_URL or one of our own.

    Raises `WrongSettings` for a schedule that is none. A schedule needs a real server: the short-lived one that a
    flow starts for itself has no scheduler.
    """
    with _server():
        from prefect.client.schemas.schedules import CronSchedule
        from prefect.types.entrypoint import EntrypointType

        from flows.ingest import ingest

        if cron is not None:
            try:
                CronSchedule(cron=cron)
            except ValueError:
                raise WrongSettings(f"--cron {cron!r}: not a cron line; '0 6 * * *' is every day at six") from None
        parameters = {"raw": settings.raw, "processed": settings.processed, "settings": settings.file}
        ingest.serve(
            name="wenliu",
            cron=cron,
            interval=interval,
            parameters={name: str(path.resolve()) for name, path in parameters.items() if path},
            entrypoint_type=EntrypointType.MODULE_PATH,
            limit=1,
        )


@contextmanager
def _server() -> Iterator[None]:
    """Make sure that a server answers, one that ends with us if need be, and let Prefect know its address."""
    address = os.environ.get("PREFECT_API_URL")
    if address:
        if not answers(address):
            raise ConnectionError(
                f"the Prefect server at {address} does not answer; start it, or unset PREFECT_API_URL"
            )
        yield
        return
    address = f"http://{HOST}:{PORT}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", PORT]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as server:
        try:
            until = time.monotonic() + START_SECONDS
            while not answers(address, 1.0):
                if server.poll() is not None or time.monotonic() > until:
                    raise ConnectionError(f"the Prefect server did not start at {address}")
                time.sleep(0.2)
            os.environ["PREFECT_API_URL"] = address
            yield
        finally:
            server.terminate()
