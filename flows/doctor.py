"""Is everything here that a run needs? What `wenliu doctor` looks at, and the remedy for what is not well.

Nothing is changed: what is tried in a folder is undone, and no alert is sent.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flows import accepted, corrections
from flows.settings import WrongSettings
from tasks import release
from tasks.release import NoRelease
from tasks.sources import unescape_name

if TYPE_CHECKING:
    from flows.settings import Settings


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what was found, and what to do if that is not well."""

    name: str
    found: str
    remedy: str = ""


#: Versions beyond these have failed without a word: a server that does not start, a schedule that never fires.
BOUNDS = {"prefect": ((3, 8, 8), (3, 8, 9)), "fastapi": ((0, 139), (0, 150)), "sqlalchemy": ((2, 0), (2, 1))}
#: What makes the extra `ocr`.
OCR = ("rapidocr", "onnxruntime")
#: A disk with less room than this, in bytes, may not hold the next release.
LEAST_ROOM = 1 << 30


def examine(settings: Settings) -> list[Check]:
    """Look at versions, folders, what is set, channels, the server, and what is there to be added."""
    return [
        *_versions(),
        *_folders(settings),
        *_set(settings),
        _release(settings.processed),
        *_server(),
        *_extras(settings),
    ]


def _versions() -> Iterator[Check]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", python, "" if sys.version_info >= (3, 11) else "install Python 3.11 or later")
    for name, (low, high) in BOUNDS.items():
        version = importlib.metadata.version(name)
        numbers = tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
        wanted = f"install {name}>={'.'.join(map(str, low))},<{'.'.join(map(str, high))}: `make setup` does"
        yield Check(name, version, "" if low <= numbers < high else wanted)


def _folders(settings: Settings) -> Iterator[Check]:
    raw = settings.raw
    if not raw.is_dir():
        yield Check("raw", f"{raw}: no such folder", "make it and put the articles there, or name another with --raw")
    elif not os.access(raw, os.R_OK | os.X_OK):
        yield Check("raw", f"{raw}: not readable", "make it readable for this user, or name another with --raw")
    else:
        yield Check("raw", str(raw))
    yield _writable("processed", settings.processed)
    yield _writable("prefect home", Path(os.environ["PREFECT_HOME"]))


def _writable(name: str, folder: Path) -> Check:
    """Write into a folder, or where it would be made, and see whether links and the room there will do."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryDirectory(dir=place, prefix=".doctor-") as scratch:
            file = Path(scratch, "file")
            file.write_bytes(b"-")
            (Path(scratch) / "link").symlink_to(file)
    except OSError as error:
        return Check(name, f"{folder}: {error.strerror}", "make it writable for this user, or name another")
    room = shutil.disk_usage(place).free
    remedy = "" if room >= LEAST_ROOM else "free some space, or keep fewer releases (`retention`)"
    return Check(name, f"{folder}, {room / 1e9:,.0f} GB free", remedy)


def _set(settings: Settings) -> Iterator[Check]:
    """Look at what the settings name; they themselves are read already, and so are right."""
    yield Check("settings", str(settings.file or "none: defaults, environment and command line"))
    for name, folder in settings.folders.items():
        found = folder.reading | {f"expectations.{key}": value for key, value in folder.expectations.items()}
        told = ", ".join(f"{key} {value}" for key, value in found.items())
        missing = "" if (settings.raw / name).is_dir() else f"there is no such folder in {settings.raw}: see its name"
        yield Check(f"folder {name}", told or "nothing is set", missing)
    yield _limits(settings)
    if settings.dictionary:
        yield _try("dictionary", lambda: _words(str(settings.dictionary)))
    yield _try("accepted", lambda: _accepted(settings))
    yield _try("corrections", lambda: _corrections(settings))
    yield _try("alert channels", lambda: _channels(settings))


def _limits(settings: Settings) -> Check:
    """Tell what all readers together may hold; one that may hold more than there is could take the others down."""
    limits, gib = settings.limits, 1 << 30
    each = max(limits.memory_bytes, limits.ocr_memory_bytes if settings.reads_scans else 0)
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    told = f"{settings.workers} at once, each up to {each / gib:.1f} of the {there / gib:.1f} GiB of memory here"
    return Check("readers", told, "" if each <= there else "lower `memory_bytes` and `ocr_memory_bytes` of [limits]")


def _try(name: str, look: Callable[[], str | Check]) -> Check:
    try:
        found = look()
        return found if isinstance(found, Check) else Check(name, found)
    except (WrongSettings, ValueError) as error:
        return Check(name, "wrong", str(error))


def _accepted(settings: Settings) -> Check:
    entries = accepted.load(settings.accepted)
    told, remedy = f"{settings.accepted}: {len(entries):,} entries", ""
    if stale := accepted.stale(entries, _hashes(settings, {entry.source for entry in entries})):
        told += f", of which {len(stale):,} hold no more, such as that of {stale[0].source}"
        remedy = "accept anew what should pass, and take out the others"
    return Check("accepted", told, remedy)


def _corrections(settings: Settings) -> Check:
    entries = corrections.load(settings.corrections)
    try:
        outcomes = corrections.outcomes(release.open_release(settings.processed), entries.keys())
    except (NoRelease, release.StorageError):
        outcomes = {}
    told, remedy = f"{settings.corrections}: of {len(entries):,} sources", ""
    if found := corrections.unapplied(entries, _hashes(settings, entries), outcomes):
        told += f", of which {len(found):,} not (all) applied, such as {found[0].source}: {found[0].why}"
        remedy = "`wenliu plan` lists them: write their entries anew, or take them out"
    return Check("corrections", told, remedy)


def _hashes(settings: Settings, names: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of those sources that are there."""
    found = {}
    for name in names:
        with suppress(OSError), (settings.raw / unescape_name(name)).open("rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _words(dictionary: str) -> str:
    from tasks.segment import Dictionary

    Dictionary.load(dictionary)
    return dictionary


def _channels(settings: Settings) -> str:
    from flows.alerts import open_channels

    found = open_channels(settings)
    if not found:
        return "none: nobody is told when a run fails"
    away = [name for name, channel in found.items() if channel is None]
    if away:
        raise WrongSettings(f"Prefect's server does not answer, which has the secret of {', '.join(away)}: start it")
    return ", ".join(found)


def _release(processed: Path) -> Check:
    if not processed.is_dir():  # which the check of the folder tells, if it is the matter
        return Check("release", "none yet")
    if hold := release.held(processed):
        told = f"publishing is held on {hold['release']} since {hold['since']}"
        return Check("release", told, "`wenliu resume` opens it")
    try:
        return Check("release", release.open_release(processed).id)
    except NoRelease:
        return Check("release", "none yet")
    except release.StorageError as error:
        return Check("release", str(error), "`wenliu rollback` to another")


def _server() -> Iterator[Check]:
    """Look at the server that runs use, and at what one that is started here would be open to."""
    from prefect.settings import get_current_settings

    ours = get_current_settings().server.api
    if not _is_loopback(ours.host) and ours.auth_string is None:
        yield Check("server to be started", f"open to all at {ours.host} without a password", OPEN)
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        yield Check("prefect server", "none set: each run starts its own")
        return
    code, version = _ask(address, os.environ.get("PREFECT_API_AUTH_STRING"))
    here = importlib.metadata.version("prefect")
    if code is None:
        yield Check("prefect server", address, "start it, or unset PREFECT_API_URL")
    elif code in (401, 403):
        yield Check("prefect server", f"{address}: turns us away", "set PREFECT_API_AUTH_STRING to its user:password")
    elif version != here:
        remedy = f"run {here} there too: others have failed without a word"
        yield Check("prefect server", f"{address}, version {version}", remedy)
    else:
        yield Check("prefect server", f"{address}, version {version}")
    if code is not None and (reached := _open_at(address)):
        yield Check("server binding", f"open to all at {reached} without a password", OPEN)


OPEN = "start it with --host 127.0.0.1, or set PREFECT_SERVER_API_AUTH_STRING=user:password"


def _open_at(address: str) -> str | None:
    """Return where others reach a server without a password: by its address, or if that is this machine's own, by its other."""
    parts = urlsplit(address)
    if not _is_loopback(parts.hostname or ""):
        return parts.netloc if _ask(address)[0] == 200 else None
    if not (own := _own_address()):
        return None
    outside = f"{own}:{parts.port or 80}"
    return outside if _ask(parts._replace(netloc=outside).geturl())[0] == 200 else None


def _own_address() -> str | None:
    """Return the address by which others reach this machine, if any; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:  # no way out, and none in
            return None
        return str(probe.getsockname()[0])


def _is_loopback(host: str) -> bool:
    """Say whether only this machine reaches a host.

    >>> [_is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "prefect.example")]
    [True, True, True, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _ask(address: str, password: str | None = None, seconds: float = 5.0) -> tuple[int | None, str]:
    """Ask a server for its version; returns the code of its answer, None for none, and the version."""
    request = urllib.request.Request(f"{address.rstrip('/')}/admin/version")
    if password:
        request.add_header("Authorization", f"Basic {b64encode(password.encode()).decode()}")
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with straight.open(request, timeout=seconds) as answer:
            return int(answer.status), str(json.loads(answer.read(1_000)))
    except urllib.error.HTTPError as error:
        return error.code, ""
    except (OSError, ValueError):
        return None, ""


def _extras(settings: Settings) -> Iterator[Check]:
    """Look at what a run does without."""
    try:
        found = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in OCR)
    except importlib.metadata.PackageNotFoundError:
        found = "not installed: scanned pages are rejected; `make setup-ocr` adds it"
    yield Check("ocr", "off in the settings: scanned pages are rejected" if settings.ocr == "off" else found)
    if shutil.which("fc-list"):
        fonts = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, check=False).stdout.splitlines()
        none = "none for Chinese: a browser on this machine shows boxes in our pages (fonts-noto-cjk has some)"
        yield Check("fonts", f"{len(fonts)} for Chinese" if fonts else none)
