"""What the doctor finds: each trouble with its remedy, and nothing where all is well."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

import pytest

from flows import doctor
from flows.doctor import OPEN, examine
from flows.settings import load

PREFECT = version("prefect")


class Server:
    """A server that gives itself out as Prefect's, of some version and behind a password or not."""

    def __init__(self) -> None:
        self.version, self.password = PREFECT, ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(401 if outer.password and "Authorization" not in self.headers else 200)
                self.end_headers()
                self.wfile.write(json.dumps(outer.version).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]


@pytest.fixture
def server(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server that runs use; only this machine reaches it, unless a test says otherwise."""
    server = Server()
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{server.port}/api")
    monkeypatch.setattr(doctor, "_own_address", lambda: None)
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


def wrong() -> dict[str, str]:
    """What is wrong here, by its name, with the remedy."""
    return {check.name: check.remedy for check in examine(load()) if check.remedy}


def test_nothing_is_wrong_where_all_is_well(server: Server) -> None:
    assert wrong() == {}
    names = [check.name for check in examine(load())]
    assert {"python", "raw", "processed", "settings", "alert channels", "release", "prefect server", "ocr"} <= {*names}


def test_a_file_in_the_place_of_the_releases_is_one_thing_that_is_wrong(server: Server) -> None:
    Path("processed").touch()
    assert wrong() == {"processed": "make it writable for this user, or name another"}


def other_version(server: Server) -> None:
    server.version = "3.9.1"


def with_password(server: Server) -> None:
    server.password = "desk:secret"


def dead(server: Server) -> None:
    server.http.shutdown()
    server.http.server_close()


SERVERS: dict[str, tuple[Callable[[Server], None], str]] = {
    "another version": (other_version, f"run {PREFECT} there too: others have failed without a word"),
    "a password that we have not": (with_password, "set PREFECT_API_AUTH_STRING to its user:password"),
    "dead": (dead, "start it, or unset PREFECT_API_URL"),
}


@pytest.mark.parametrize(("change", "remedy"), SERVERS.values(), ids=SERVERS)
def test_a_server_that_will_not_do(change: Callable[[Server], None], remedy: str, server: Server) -> None:
    change(server)
    assert wrong() == {"prefect server": remedy}


def test_a_server_open_to_all_needs_a_password(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_own_address", lambda: "127.0.0.1")  # as if others reached it by this one
    assert wrong() == {"server binding": OPEN}
    with_password(server)
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "desk:secret")
    assert wrong() == {}


def test_a_server_that_would_be_open_to_all_needs_a_password(project: Path) -> None:
    from prefect.settings import PREFECT_SERVER_API_AUTH_STRING, PREFECT_SERVER_API_HOST, temporary_settings

    with temporary_settings({PREFECT_SERVER_API_HOST: "0.0.0.0"}):
        assert wrong() == {"server to be started": OPEN}
    with temporary_settings({PREFECT_SERVER_API_HOST: "0.0.0.0", PREFECT_SERVER_API_AUTH_STRING: "desk:secret"}):
        assert wrong() == {}


#: What is set, or done, and what is wrong then.
TROUBLES: dict[str, tuple[str, dict[str, str]]] = {
    "a folder that is not there": (
        '[folders.daly]\nlanguage = "en"\n',
        {"folder daly": "there is no such folder in raw: see its name"},
    ),
    "a channel that is none": (
        '[alerts]\nchannels = ["pigeon://roof"]\n',
        {"alert channels": "alerts.channels: number 1 is no address that Apprise knows, such as mailto://"},
    ),
    "a variable that is not set": (
        '[alerts]\nchannels = ["${NO_SUCH_SECRET}"]\n',
        {
            "alert channels": "alerts.channels: the environment variable NO_SUCH_SECRET, "
            "which an address names, is not set"
        },
    ),
    "readers that may hold more than there is": (
        "[limits]\nmemory_bytes = 1_099_511_627_776\n",
        {"readers": "lower `memory_bytes` and `ocr_memory_bytes` of [limits]"},
    ),
    "a raw folder that is not there": (
        'raw = "row"\n',
        {"raw": "make it and put the articles there, or name another with --raw"},
    ),
}


@pytest.mark.parametrize(("settings", "found"), TROUBLES.values(), ids=TROUBLES)
def test_what_is_set_wrongly_is_told(settings: str, found: dict[str, str], project: Path) -> None:
    Path("wenliu.toml").write_text(settings, encoding="utf-8")
    assert wrong() == found


def test_what_people_decided_and_is_no_longer_in_force_is_told(project: Path) -> None:
    head = f'source = "a.txt"\nsha256 = "{"0" * 64}"\nbecause = "so"\n'
    Path("accepted.toml").write_text(f'[[accept]]\n{head}article_id = "a-0000"\ncheck = "date_possible"\n')
    Path("corrections.toml").write_text(f'[[correct]]\n{head}article = 0\nquote = "x"\ntitle = "y"\n')
    found = {check.name: check for check in doctor.examine(load())}
    assert "1 hold no more, such as that of a.txt" in found["accepted"].found
    assert "accept anew" in found["accepted"].remedy
    assert "such as a.txt: the source has changed since" in found["corrections"].found
    assert "`wenliu plan` lists them" in found["corrections"].remedy


def test_ocr_that_is_off_is_told_as_such(project: Path) -> None:
    Path("wenliu.toml").write_text('ocr = "off"\n', encoding="utf-8")
    (ocr,) = (check.found for check in examine(load()) if check.name == "ocr")
    assert ocr.startswith("off in the settings")


def test_a_folder_that_cannot_be_written_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryDirectory", full)
    assert wrong().keys() == {"processed", "prefect home"}


def test_files_that_people_write_are_read(project: Path) -> None:
    for name in ("accepted", "corrections"):
        Path(f"{name}.toml").write_text("[[nonsense]]\n", encoding="utf-8")
    assert wrong().keys() == {"accepted", "corrections"}
