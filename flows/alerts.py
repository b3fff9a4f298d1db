"""Telling people, once, that something is the matter, and once more when it is over.

Every run amounts to causes: a refusal, a warning, a sort of reject, a failure. A cause is told when it is new, when it
looks different from when it was told, or when it has lasted longer than the cool-down. What a channel did not take is
kept in `processed/.work/alerts/` and sent with the next run; the release is not touched by any of it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import quote

from flows.settings import WrongSettings

if TYPE_CHECKING:
    from flows.pipeline import Outcome
    from flows.settings import Settings

#: How grave a message is, in Apprise's words.
Severity = Literal["failure", "warning", "success"]
EXAMPLES = 3
#: What a chat program takes for a mention, a link or markup, and the full-width likeness in which examples are quoted.
QUOTED = str.maketrans("@<>[]`*", "＠＜＞［］｀＊")
#: A channel that is away for long gets the newest of what it missed.
MOST_KEPT = 50
#: The warnings that a run gives, and so takes back, though it found nothing new.
SEEN_ALWAYS = ("newest_in_time", "accepted_applies", "corrections_apply")
#: `${NAME}` is a variable of the environment, `${block:name}` a Secret block of Prefect's.
_SECRET = re.compile(r"\$\{(?P<block>block:)?(?P<name>[\w-]+)\}")


class _Away(Exception):
    """A secret cannot be had now, though it may be there."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A message about one cause. `digest` says whether it tells the same as one before."""

    cause: str
    severity: Severity
    title: str
    body: str
    digest: str = ""


@dataclass(slots=True)
class State:
    """What is remembered from run to run: causes that were told and are not over, and messages not yet taken.

    `told` leads from a cause to when it was told and what it looked like; each of the `kept` names the channels that it
    still has to reach, by a hash that gives no secret away.
    """

    told: dict[str, dict[str, str]] = field(default_factory=dict)
    kept: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling: the messages that were new, and the channels that took none, with how many wait for them."""

    alerts: tuple[Alert, ...] = ()
    away: Mapping[str, int] = field(default_factory=dict)


def tell(settings: Settings, outcome: Outcome, now: datetime | None = None) -> Told:
    """Send what a run has to say to every channel, with what is left of earlier runs."""
    current = causes(outcome)
    return _send(settings, current, lambda cause: _is_over(cause, current, outcome), now)


def tell_failure(settings: Settings, error: Exception, now: datetime | None = None) -> Told:
    """Say that the machinery failed; whatever else was the matter still is."""
    message = "The run stopped before it could publish; the release there was stays, what was finished is kept."
    told = [f"{type(error).__name__}: {error}"]
    repair = "see what doctor says, then run again"
    body = _body(message, 1, told, ["wenliu doctor", "wenliu run --debug"], repair)
    alert = _alert(f"failed: {type(error).__name__}", "failure", "wenliu: a run failed", body, str(error))
    return _send(settings, [alert], lambda _: False, now)


def causes(outcome: Outcome) -> list[Alert]:
    """Return a message for each thing that is the matter with a run.

    A refusal is one thing, whatever else came with it; in a release each check that warns is one, and each sort of reject.
    """
    if outcome.refusals:
        return [_refusal(outcome)]
    found = []
    name = outcome.path.name if outcome.path else ""
    for finding in outcome.warnings:
        cause = f"warning: {finding['check']}"
        examples = _examples(finding["evidence"])
        body = _body(finding["message"], finding["count"], examples, [f"wenliu report {name}"], finding["remedy"])
        found.append(_alert(cause, "warning", f"wenliu: {cause}", body, f"{finding['count']} {finding['evidence']}"))
    for stage, check, number, remedy in outcome.causes:
        rows = [row for row in outcome.rejects if (row["stage"], row["check"]) == (stage, check)]
        message = f"{number:,} rejected by {check} ({stage}); all else is published."
        look = ["wenliu rejects", f"wenliu rejects show {rows[0]['reject_id']}"]
        body = _body(message, number, [row["message"] for row in rows], look, remedy)
        digest = " ".join(sorted(row["reject_id"] for row in rows))
        title = f"wenliu: {number:,} rejected: {check}"
        found.append(_alert(f"rejected: {stage}: {check}", "warning", title, body, digest))
    return found


def _refusal(outcome: Outcome) -> Alert:
    names = ", ".join(sorted({finding["check"] for finding in outcome.refusals}))
    body = _body(
        "Nothing is published; the release there was stays. " + " ".join(f["message"] for f in outcome.refusals),
        sum(finding["count"] for finding in outcome.refusals),
        [e for f in outcome.refusals for e in _examples(f["evidence"])] or [row["message"] for row in outcome.rejects],
        ["wenliu report --refused", "wenliu rejects --refused"],
        outcome.refusals[0]["remedy"],
    )
    digest = " ".join(f"{f['check']} {f['count']} {f['evidence']}" for f in outcome.refusals)
    return _alert("refused", "failure", f"wenliu: refused: {names}", body, digest)


def _is_over(cause: str, current: Iterable[Alert], outcome: Outcome) -> bool:
    """Say whether a cause told before is over: only what this run could see can be."""
    if cause in {alert.cause for alert in current}:
        return False
    if cause.startswith("failed"):
        return True
    if outcome.status == "published":
        return cause not in _still_rejected(outcome.path) if cause.startswith("rejected") else True
    return outcome.status == "nothing new" and cause.removeprefix("warning: ") in SEEN_ALWAYS


def _still_rejected(path: Path | None) -> set[str]:
    """Return the sorts of reject that a release has, those of earlier runs included."""
    from flows.look import Shelf

    rows = Shelf(path).rows("rejects") if path else []
    return {f"rejected: {row['stage']}: {row['check']}" for row in rows}


def _alert(cause: str, severity: Severity, title: str, body: str, digest: str) -> Alert:
    return Alert(cause, severity, title, body, hashlib.sha256(digest.encode(errors="replace")).hexdigest()[:16])


def _examples(evidence: str) -> list[str]:
    try:
        found = json.loads(evidence)
    except ValueError:
        return []
    rows = found if isinstance(found, list) else [found]
    return [", ".join(f"{k} {v}" for k, v in row.items()) if isinstance(row, dict) else str(row) for row in rows]


def _body(message: str, count: int, examples: Sequence[str], look: Sequence[str], repair: str) -> str:
    from flows.console import visible

    lines = [message, f"times: {count:,}"]
    lines += [f"- {example}"[:200].translate(QUOTED) for example in examples[:EXAMPLES]]
    lines += [f"look: {command}" for command in look]
    return "\n".join(visible(" ".join(line.split("\n"))) for line in [*lines, f"repair: {repair}"])


def _send(
    settings: Settings,
    current: Sequence[Alert],
    is_over: Callable[[str], bool],
    now: datetime | None,
) -> Told:
    names = list(_named(settings))
    if not names:
        return Told()
    moment = now or datetime.now(UTC)
    path = settings.processed / ".work" / "alerts" / "state.json"
    state = _load(path)
    fresh = [alert for alert in current if _is_due(alert, state, moment, settings.alerts.cooldown_hours)]
    over = [cause for cause in state.told if is_over(cause)]
    for cause in over:
        since = state.told.pop(cause)["since"]
        fresh.append(Alert(cause, "success", f"wenliu: over: {cause}", f"It was the matter since {since}."))
    for alert in fresh:
        if alert.severity != "success":
            since = state.told.get(alert.cause, {}).get("since", moment.isoformat())
            state.told[alert.cause] = {"since": since, "at": moment.isoformat(), "digest": alert.digest}
        state.kept.append(asdict(alert) | {"to": list(names)})
    state.kept = state.kept[-MOST_KEPT:]
    _save(path, state)  # before anything is sent: a run killed here tells twice rather than never
    if not state.kept:
        return Told()
    away = _deliver(state, open_channels(settings))
    _save(path, state)
    return Told(tuple(fresh), away)


def _is_due(alert: Alert, state: State, moment: datetime, cooldown_hours: float) -> bool:
    told = state.told.get(alert.cause)
    if told is None or told["digest"] != alert.digest:
        return True
    return moment - datetime.fromisoformat(told["at"]) >= timedelta(hours=cooldown_hours)


def _deliver(state: State, channels: Mapping[str, Any]) -> dict[str, int]:
    """Send what is kept, the oldest first; return the channels that took none: one that is away is tried once."""
    away: set[str] = set()
    for message in state.kept:
        for name in [name for name in message["to"] if name in channels and name not in away]:
            told = {"title": message["title"], "notify_type": message["severity"], "body_format": "text"}
            if channels[name] and channels[name].notify(body=message["body"], **told):
                message["to"].remove(name)
            else:
                away.add(name)
    state.kept = [message for message in state.kept if any(name in channels for name in message["to"])]
    return {name: sum(name in message["to"] for message in state.kept) for name in sorted(away)}


def open_channels(settings: Settings) -> dict[str, Any]:
    """Return Apprise's channels by their names; None for one whose secret cannot be had while Prefect's server is away.

    Raises `WrongSettings` for an address that Apprise does not know, and for a variable or a block that is not there.
    """
    if not settings.alerts.channels:
        return {}
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it would write addresses, which hold secrets
    found: dict[str, Any] = {}
    for number, (name, written) in enumerate(_named(settings).items(), start=1):
        try:
            address = _filled(written)
        except _Away:
            found[name] = None
            continue
        channel = apprise.Apprise.instantiate(address, suppress_exceptions=True)
        if channel is None:
            raise WrongSettings(f"alerts.channels: number {number} is no address that Apprise knows, such as mailto://")
        one = apprise.Apprise()  # alone it lets out what its plugin raises, and sends text as if it were markup
        one.add(channel)
        found[name] = one
    return found


def _named(settings: Settings) -> dict[str, str]:
    """Return the channels' addresses as they are written, by names that give no secret away: the sort and a hash."""
    written = [secret.get_secret_value() for secret in settings.alerts.channels]
    return {
        f"{address.partition('://')[0] if '://' in address else 'channel'}-"
        f"{hashlib.sha256(address.encode()).hexdigest()[:8]}": address
        for address in written
    }


def _filled(address: str) -> str:
    """Put secrets in their places: as they are where they are the whole address, else whatever characters they hold."""
    if whole := _SECRET.fullmatch(address):
        return _secret(whole)
    return _SECRET.sub(lambda match: quote(_secret(match), safe=""), address)


def _secret(match: re.Match[str]) -> str:
    name = match["name"]
    if match["block"]:
        return _from_block(name)
    if name not in os.environ:
        raise WrongSettings(f"alerts.channels: the environment variable {name}, which an address names, is not set")
    return os.environ[name]


def _from_block(name: str) -> str:
    """Return what a Secret block of Prefect's holds; raises `_Away` when its server does not answer."""
    import httpx
    from prefect.blocks.system import Secret

    try:
        return str(cast(Secret[Any], Secret.load(name)).get())
    except ValueError:
        raise WrongSettings(f"alerts.channels: Prefect has no Secret block {name}, which an address names") from None
    except (httpx.HTTPError, RuntimeError) as error:
        raise _Away(name) from error


def _load(path: Path) -> State:
    try:
        return State(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):  # not there, or torn: what was told is told once more
        return State()


def _save(path: Path, state: State) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(asdict(state), ensure_ascii=False, indent=1), encoding="utf-8")
    draft.replace(path)
