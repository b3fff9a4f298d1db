"""The flow for real: with the short-lived server that Prefect starts for it, and on a schedule."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from flows.settings import Settings, WrongSettings, load
from tasks import release

pytestmark = pytest.mark.server


@pytest.fixture
def rejecting(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings for a folder that holds a file to be rejected beside the sound ones."""
    monkeypatch.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    Path("raw/odd.txt").write_text("!unreadable `|` <b>\n", encoding="utf-8")
    return settings


def test_the_flow_publishes_and_leaves_its_story_in_prefect(rejecting: Settings) -> None:
    from prefect.client.orchestration import get_client

    from flows import ingest

    dead, living = crashed_and_living_run(rejecting.processed / ".work")
    heard: list[str] = []
    outcome = ingest.run(rejecting, watch=lambda stage, *_: heard.append(stage))
    assert (outcome.status, outcome.read["articles"], len(outcome.rejects)) == ("published", 3, 1)
    assert release.open_release(rejecting.processed).id == outcome.release
    assert list(dict.fromkeys(heard)) == ["reading", "staging", "checking", "publishing"]

    with get_client(sync_client=True) as client:
        assert client.read_flow_run(dead).state_name == "Crashed"
        assert client.read_flow_run(living).state_name == "Running"
        (run,) = (run for run in client.read_flow_runs() if run.id not in (dead, living))
        tasks = client.read_task_runs()
        told = {artifact.key: artifact.data for artifact in client.read_artifacts()}
    assert (run.state_name, run.state_type) == ("CompletedWithRejects", "COMPLETED")
    assert sorted({task.name.split("-")[0] for task in tasks}) == ["check", "publish", "read", "stage"]
    assert told["ingest-progress"] == 100.0
    assert str(outcome.release) in str(told["ingest-summary"])
    assert "odd.txt" in str(told["ingest-rejects"])
    assert "segment" in str(told["ingest-metrics"])


def test_a_run_that_must_not_publish_is_no_failure_in_prefect(rejecting: Settings) -> None:
    from prefect.client.orchestration import get_client

    from flows import ingest

    with release.publishing(rejecting.processed), pytest.raises(release.Busy, match="is publishing"):
        ingest.run(rejecting)
    (rejecting.processed / "held.json").write_text('{"release": "r", "since": "today", "because": ""}')
    with pytest.raises(release.Held, match="wenliu resume"):
        ingest.run(rejecting)
    with get_client(sync_client=True) as client:
        states = {(run.state_name, run.state_type) for run in client.read_flow_runs()}
    assert {("Busy", "CANCELLED"), ("Held", "CANCELLED")} <= states


def test_a_secret_of_a_channel_may_be_a_block_of_prefects(project: Path) -> None:
    from prefect.blocks.system import Secret
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    from flows import alerts

    Secret(value=SecretStr("p@ss/w:rd")).save("hook-password", overwrite=True)
    settings = load(alerts={"channels": ["json://desk:${block:hook-password}@127.0.0.1/"]})
    ((name, channel),) = alerts.open_channels(settings).items()
    assert channel[0].password == "p@ss/w:rd"
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}):
        assert alerts.open_channels(settings) == {name: None}  # its messages are kept
    with pytest.raises(WrongSettings, match="Prefect has no Secret block none-such, which an address names"):
        alerts.open_channels(load(alerts={"channels": ["json://${block:none-such}/"]}))


def crashed_and_living_run(work: Path) -> tuple[UUID, UUID]:
    """Two runs that Prefect takes for running: the process of one was killed, the other's is this one."""
    from prefect.client.orchestration import get_client
    from prefect.states import Running

    from flows import ingest, runs

    with get_client(sync_client=True) as client:
        dead, living = (client.create_flow_run(ingest.ingest, state=Running()).id for _ in range(2))
    code = "import os, sys; from flows import runs; runs.show_alive(runs.Path(sys.argv[1]), sys.argv[2]); os.abort()"
    killed = subprocess.run([sys.executable, "-c", code, str(work), str(dead)], check=False)
    assert killed.returncode == -signal.SIGABRT
    runs.show_alive(work, living)
    return dead, living


def test_the_form_tells_what_each_parameter_is() -> None:
    from flows.ingest import ingest

    fields = ingest.parameters.properties
    assert [field["title"] for field in fields.values()] == [
        "Raw articles",
        "Releases",
        "Settings file",
        "Read everything again",
    ]
    assert all(field["description"].endswith(".") for field in fields.values())
    assert fields["full"]["type"] == "boolean"
    assert ingest.parameters.required == []


def test_nothing_that_prefect_shows_can_drive_a_terminal_or_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import ingest
    from flows.pipeline import Outcome

    evil = "\x1b[31m\u202e`<b>`|\n# x"
    shown: list[object] = []
    monkeypatch.setattr(ingest, "create_markdown_artifact", lambda text, **_: shown.append(text))
    monkeypatch.setattr(ingest, "create_table_artifact", lambda rows, **_: shown.extend(rows[0].values()))
    reject = dict.fromkeys(("source", "stage", "check", "message", "remedy"), evil) | {"article_id": None}
    finding = {"check": "c", "count": 1, "message": evil, "remedy": evil}
    rows = dict.fromkeys(("sources", "articles", "paragraphs", "rejects"), 1)
    outcome = Outcome("refused", None, Path("x"), {}, rows, rows, [reject], [finding], [finding])
    ingest._report(outcome)
    shown.append(ingest._state(outcome).message)
    assert len(shown) == 8
    for text in map(str, shown):
        assert not {"\x1b", "\u202e"} & set(text)
        assert "\n# x" not in text


@contextmanager
def serving(*arguments: str) -> Iterator[Callable[[int], None]]:
    """Serve the flow as `wenliu serve` does; yields what waits until so many sources are published."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-c", "from flows.cli import main; main()", "serve", *arguments]
    variables = {"PREFECT_SERVER_API_PORT": port, "PREFECT_HOME": "home", "PREFECT_RUNNER_POLL_FREQUENCY": "1"}
    with Path("log").open("wb") as log:
        served = subprocess.Popen(
            command, env=os.environ | variables, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )

    def published(sources: int) -> None:
        until = time.monotonic() + 180
        while _sources() != sources:
            assert served.poll() is None, Path("log").read_text(encoding="utf-8")
            assert time.monotonic() < until, Path("log").read_text(encoding="utf-8")
            time.sleep(0.2)

    try:
        yield published
    finally:
        served.send_signal(signal.SIGINT)
        try:
            served.wait(30)
        except subprocess.TimeoutExpired:
            served.kill()


def _sources() -> int:
    try:
        return int(release.open_release(Path("processed")).table("sources").num_rows)
    except release.NoRelease:
        return 0


def test_a_served_schedule_publishes(project: Path) -> None:
    with serving("--interval", "1") as published:
        published(3)


def test_what_arrives_in_a_watched_folder_is_published(project: Path) -> None:
    with serving("--cron", "0 0 29 2 *", "--watch", "1") as published:
        published(3)
        Path("raw/d.txt").write_text("新书出版\n一部关于古桥的新书昨天出版。\n", encoding="utf-8")
        published(4)
