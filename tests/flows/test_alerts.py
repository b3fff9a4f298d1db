"""Who is told what, when, and what becomes of what nobody took: with a web server and a mail server of our own."""

import json
import socketserver
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from flows import alerts, pipeline
from flows.alerts import causes
from flows.pipeline import Outcome
from flows.settings import Settings, WrongSettings, load
from tests.flows.endpoint import Endpoint, served

NOW = datetime(2024, 5, 1, 6, tzinfo=UTC)
SECRET = "open-sesame"


@pytest.fixture
def mail() -> Iterator[Endpoint]:
    endpoint = Endpoint()

    class Handler(socketserver.StreamRequestHandler):
        """As much of SMTP as a client needs to leave a message."""

        def handle(self) -> None:
            self.answer("220 here")
            while line := self.rfile.readline().decode().strip():
                word = line.split()[0].upper()
                if word == "DATA":
                    self.answer("354 go on")
                    lines = iter(self.rfile.readline, b".\r\n")
                    text = "".join(line.decode().removeprefix(".") for line in lines)
                    endpoint.told.append(message_from_string(text, policy=policy.default))
                self.answer("221 bye" if word == "QUIT" else "250 ok")
                if word == "QUIT":
                    return

        def answer(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with served(Handler, endpoint):
        yield endpoint


@pytest.fixture
def told_by_web(project: Path, web: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with the web server as their channel, its password in the environment."""
    monkeypatch.setenv("HOOK_PASSWORD", SECRET)
    return load(workers=2, alerts={"channels": [f"json://desk:${{HOOK_PASSWORD}}@127.0.0.1:{web.port}/"]})


def finding(check: str = "volume_usual", count: int = 1) -> dict[str, Any]:
    told = {"check": check, "message": "Far less came.", "remedy": "Ask.", "count": count}
    return {**told, "evidence": '[{"subject": "daily"}]'}


def reject(number: int, check: str = "not_text") -> dict[str, Any]:
    name = f"{number}.txt"
    told = {"reject_id": f"r{number}", "source": name, "stage": "read", "check": check}
    return {**told, "message": f"{name}: \x1b[31mno text.", "remedy": "Give the text."}


def published(*warnings: dict[str, Any], rejects: tuple[dict[str, Any], ...] = ()) -> Outcome:
    return Outcome("published", "r1", None, {}, {"articles": 1}, {}, rejects, (), warnings)


def refused(*refusals: dict[str, Any]) -> Outcome:
    return Outcome("refused", None, None, {}, {"articles": 1}, {}, (reject(1),), refusals, (finding(),))


NOTHING = Outcome("nothing new", "r1", None, {})


def test_a_message_says_how_much_three_examples_and_what_to_do() -> None:
    (alert,) = causes(published(rejects=tuple(map(reject, range(5)))))
    assert (alert.cause, alert.severity, alert.title) == (
        "rejected: read: not_text",
        "warning",
        "wenliu: 5 rejected: not_text",
    )
    assert alert.body.splitlines() == [
        "5 rejected by not_text (read); all else is published.",
        "times: 5",
        "- 0.txt: \\x1b［31mno text.",
        "- 1.txt: \\x1b［31mno text.",
        "- 2.txt: \\x1b［31mno text.",
        "look: wenliu rejects",
        "look: wenliu rejects show r0",
        "repair: Give the text.",
    ]


def test_a_name_calls_nobody_and_leads_nowhere() -> None:
    row = reject(1) | {"message": "[a](http://b.example) <!channel> @everyone.txt: no text."}
    [alert] = causes(published(rejects=(row,)))
    assert "- ［a］(http://b.example) ＜!channel＞ ＠everyone.txt: no text." in alert.body.splitlines()


def test_a_refused_run_is_one_cause_whatever_came_with_it() -> None:
    (alert,) = causes(refused(finding("rows_present"), finding("not_shrunk")))
    assert (alert.cause, alert.severity) == ("refused", "failure")
    assert alert.title == "wenliu: refused: not_shrunk, rows_present"
    assert "wenliu report --refused" in alert.body


#: Outcomes in turn, each with the hours since the one before, and the titles of the messages that it sends.
LIVES: dict[str, list[tuple[float, Outcome, list[str]]]] = {
    "once": [(0, published(finding()), ["wenliu: warning: volume_usual"]), (1, published(finding()), [])],
    "again after a day": [
        (0, published(finding()), ["wenliu: warning: volume_usual"]),
        (23, published(finding()), []),
        (2, published(finding()), ["wenliu: warning: volume_usual"]),
        (2, published(finding()), []),
    ],
    "again when it changed": [
        (0, published(finding(count=1)), ["wenliu: warning: volume_usual"]),
        (1, published(finding(count=2)), ["wenliu: warning: volume_usual"]),
    ],
    "over when a release has it no more": [
        (0, refused(finding("rows_present")), ["wenliu: refused: rows_present"]),
        (1, refused(finding("rows_present")), []),
        (1, NOTHING, []),
        (1, published(), ["wenliu: over: refused"]),
        (1, published(), []),
    ],
    "a correction that does not apply, over as soon as it does though nothing is new": [
        (0, published(finding("corrections_apply")), ["wenliu: warning: corrections_apply"]),
        (1, replace(NOTHING, warnings=[finding("corrections_apply")]), []),
        (1, NOTHING, ["wenliu: over: warning: corrections_apply"]),
    ],
    "a refusal ends no warning": [
        (0, published(finding()), ["wenliu: warning: volume_usual"]),
        (1, refused(finding("rows_present")), ["wenliu: refused: rows_present"]),
        (1, published(), ["wenliu: over: warning: volume_usual", "wenliu: over: refused"]),
    ],
    "two causes": [
        (
            0,
            published(finding(), rejects=(reject(1),)),
            ["wenliu: warning: volume_usual", "wenliu: 1 rejected: not_text"],
        ),
        (1, published(finding(), rejects=(reject(2),)), ["wenliu: 1 rejected: not_text"]),
    ],
    "nothing to say": [(0, published(), []), (1, NOTHING, [])],
}


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
def test_a_cause_is_told_once_again_when_it_changes_and_when_it_is_over(
    life: list[tuple[float, Outcome, list[str]]], told_by_web: Settings, web: Endpoint
) -> None:
    now = NOW
    for hours, outcome, titles in life:
        web.told.clear()
        now += timedelta(hours=hours)
        alerts.tell(told_by_web, outcome, now)
        assert web.titles == titles


def test_a_failure_is_told_and_over_with_the_next_run(told_by_web: Settings, web: Endpoint) -> None:
    alerts.tell_failure(told_by_web, OSError("the disk is full"), NOW)
    alerts.tell_failure(told_by_web, OSError("the disk is full"), NOW)
    alerts.tell(told_by_web, NOTHING, NOW)
    assert web.titles == ["wenliu: a run failed", "wenliu: over: failed: OSError"]
    assert "the disk is full" in web.told[0]["message"]


def test_a_mail_is_sent(project: Path, mail: Endpoint) -> None:
    address = f"mailto://127.0.0.1:{mail.port}?from=wenliu@paper.example&to=desk@paper.example"
    settings = load(alerts={"channels": [address]})
    assert alerts.tell(settings, published(finding()), NOW).away == {}
    (message,) = mail.told
    assert isinstance(message, EmailMessage)
    assert message["subject"] == "wenliu: warning: volume_usual"
    assert "desk@paper.example" in message["to"]
    body = message.get_body(("plain", "html"))
    assert body is not None
    assert "Far less came." in body.get_content()


ODD_SECRET = "p@ss/w:rd %41?"
PROOF = "Basic " + b64encode(f"desk:{ODD_SECRET}".encode()).decode()


def test_a_secret_may_hold_any_character(project: Path, web: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_PASSWORD", ODD_SECRET)
    monkeypatch.setenv("HOOK", f"json://127.0.0.1:{web.port}/")
    parts = f"json://desk:${{HOOK_PASSWORD}}@127.0.0.1:{web.port}/"
    assert alerts.tell(load(alerts={"channels": [parts, "${HOOK}"]}), published(finding()), NOW).away == {}
    assert web.passwords == [PROOF, ""]


def test_a_run_with_nothing_to_tell_opens_no_channel(told_by_web: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK_PASSWORD")
    assert alerts.tell(told_by_web, NOTHING, NOW) == alerts.Told()


def test_what_no_channel_takes_is_kept_for_the_next_run(
    project: Path, web: Endpoint, mail: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    channels = [
        f"json://desk:{SECRET}@127.0.0.1:{web.port}/",
        f"mailto://127.0.0.1:{mail.port}?from=a@b.example&to=c@b.example",
    ]
    settings = load(alerts={"channels": channels})
    web.works = False
    outcome = pipeline.told(settings, published(finding(), rejects=(reject(1),)), NOW)
    assert outcome.status == "published"
    assert [f["check"] for f in outcome.warnings] == ["volume_usual", "alerts_taken"]
    assert "took no message; 2 are kept for the next run" in outcome.warnings[1]["message"]
    web.works = True
    assert alerts.tell(settings, NOTHING, NOW + timedelta(hours=1)).away == {}
    assert web.titles == ["wenliu: warning: volume_usual", "wenliu: 1 rejected: not_text"]
    assert [message["subject"] for message in mail.told] == web.titles
    written = "".join(path.read_text() for path in Path("processed").rglob("*.json"))
    assert SECRET not in written + caplog.text + repr(settings) + json.dumps(outcome.warnings)


def test_what_a_channel_without_its_secret_should_have_is_kept(
    told_by_web: Settings, web: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its secret is a block of Prefect's, and the server that has it is away."""
    opened = alerts.open_channels(told_by_web)
    monkeypatch.setattr(alerts, "open_channels", lambda _: dict.fromkeys(opened))
    assert alerts.tell(told_by_web, published(finding()), NOW).away == dict.fromkeys(opened, 1)
    monkeypatch.setattr(alerts, "open_channels", lambda _: opened)
    assert alerts.tell(told_by_web, NOTHING, NOW).away == {}
    assert web.titles == ["wenliu: warning: volume_usual"]


def test_a_release_is_published_whatever_the_channels_do(project: Path, unchecked: None, web: Endpoint) -> None:
    web.works = False
    settings = load(workers=2, alerts={"channels": [f"json://127.0.0.1:{web.port}/"]})
    Path("raw/odd.txt").write_text("!unreadable\n", encoding="utf-8")
    outcome = pipeline.run(settings, now=NOW)
    assert outcome.status == "published"
    assert [alert.cause for alert in outcome.alerts] == ["rejected: read: not_text"]
    web.works = True
    Path("raw/odd.txt").unlink()
    pipeline.run(settings, now=NOW + timedelta(hours=1))
    assert web.titles == ["wenliu: 1 rejected: not_text", "wenliu: over: rejected: read: not_text"]


WRONG: dict[str, tuple[list[str], str]] = {
    "no address": (["paper@desk"], "number 1 is no address that Apprise knows"),
    "an unknown sort": (["json://127.0.0.1/", f"pigeon://{SECRET}@roof"], "number 2 is no address that Apprise knows"),
    "a variable that is not set": (
        ["json://u:${NO_SUCH_SECRET}@127.0.0.1/"],
        "the environment variable NO_SUCH_SECRET",
    ),
}


@pytest.mark.parametrize(("channels", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_channel_is_told_before_anything_is_done(
    project: Path, channels: list[str], message: str, no_reading: Callable[[], None]
) -> None:
    no_reading()
    with pytest.raises(WrongSettings, match=r"^alerts\.channels: ") as error:
        pipeline.run(load(alerts={"channels": channels}))
    assert message in str(error.value)
    assert SECRET not in str(error.value)


def test_a_channel_of_a_wrong_type_is_not_repeated(project: Path) -> None:
    Path("wenliu.toml").write_text(f'[alerts]\nchannels = "json://u:{SECRET}@127.0.0.1/"\n')
    with pytest.raises(WrongSettings) as error:
        load()
    assert str(error.value) == "wenliu.toml: alerts.channels: input should be a valid tuple"


def test_prefect_hears_of_alerts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import ingest

    events: list[tuple[str, dict[str, str]]] = []
    pages: dict[str, str] = {}
    monkeypatch.setattr(ingest, "emit_event", lambda name, payload, **_: events.append((name, payload)))
    monkeypatch.setattr(ingest, "create_markdown_artifact", lambda text, key: pages.update({key: text}))
    monkeypatch.setattr(ingest, "create_table_artifact", lambda *_, **__: None)
    rows = dict.fromkeys(("sources", "articles", "paragraphs", "rejects"), 1)
    outcome = replace(published(rejects=(reject(1) | {"article_id": None},)), rows=rows)
    ingest._report(replace(outcome, alerts=causes(outcome)))
    ((name, payload),) = events
    assert (name, payload["severity"]) == ("wenliu.alert", "warning")
    assert "- `1.txt: \\x1b［31mno text.`" in pages["ingest-alerts"]
