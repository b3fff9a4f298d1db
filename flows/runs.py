"""Flow runs that a crash left behind: Prefect shows them as Running for ever, since nobody was left to tell it.

Each run locks a file that bears its id, and a lock ends with its process, however that ends: a file that can be locked is
of a run whose process is dead.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

#: The locks of this process: given back by its end and not before, for Prefect hears of a run's end after the run.
_HELD: list[BinaryIO] = []


def show_alive(work: Path, run: UUID) -> None:
    """Show others, as long as this process lives, that the run is not dead."""
    folder = work / "flow-runs"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{run}"
    file = draft.open("wb")
    fcntl.flock(file, fcntl.LOCK_EX)
    draft.rename(folder / str(run))  # not before it is locked, or another run would take it for a dead one's
    _HELD.append(file)


def sweep(work: Path) -> list[UUID]:
    """Tell Prefect of every run that died without a word that it crashed; return their ids.

    A run that ended well, or that this server does not know, is forgotten. Raises what Prefect's client raises; what it
    could not be told is told the next time.
    """
    dead = []
    for path in sorted((work / "flow-runs").glob("[!.]*")):
        with path.open("rb") as file:
            if _is_locked(file):
                continue
            with get_client(sync_client=True) as client:
                if _bury(client, UUID(path.name)):
                    dead.append(UUID(path.name))
            path.unlink(missing_ok=True)
    return dead


def _is_locked(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _bury(client: SyncPrefectClient, run: UUID) -> bool:
    """Set a run's state to Crashed, unless it has ended in another way; say whether that was needed."""
    try:
        state = client.read_flow_run(run).state
    except ObjectNotFound:
        return False
    if state is None or state.is_final():
        return False
    client.set_flow_run_state(run, Crashed(message="Its process ended without a word."), force=True)
    return True
