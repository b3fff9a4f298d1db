"""The flow for real, with the short-lived server that Prefect starts for it."""

from pathlib import Path

import pytest

from flows.settings import Settings
from tasks import release

pytestmark = pytest.mark.server


@pytest.fixture
def rejecting(settings: Settings) -> Settings:
    """Settings for a folder that holds a file to be rejected beside the sound ones."""
    Path("raw/odd.txt").write_text("!unreadable `|` <b>\n", encoding="utf-8")
    return settings


def test_the_flow_publishes_and_leaves_its_story_in_prefect(rejecting: Settings) -> None:
    from prefect.client.orchestration import get_client

    from flows import ingest

    heard: list[str] = []
    outcome = ingest.run(rejecting, watch=lambda stage, *_: heard.append(stage))
    assert (outcome.status, outcome.read["articles"], len(outcome.rejects)) == ("published", 3, 1)
    assert release.open_release(rejecting.processed).id == outcome.release
    assert list(dict.fromkeys(heard)) == ["reading", "staging", "checking", "publishing"]

    with get_client(sync_client=True) as client:
        run = client.read_flow_runs()[0]
        tasks = client.read_task_runs()
        artifacts = {artifact.key: artifact for artifact in client.read_artifacts()}
    assert (run.state_name, run.state_type.value) == ("CompletedWithRejects", "COMPLETED")
    assert sorted({task.name.split("-")[0] for task in tasks}) == ["check", "publish", "read", "stage"]
    assert artifacts["ingest-progress"].data == 100.0
    assert outcome.release in artifacts["ingest-summary"].data
    assert "odd.txt" in artifacts["ingest-rejects"].data
