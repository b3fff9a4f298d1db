"""Print HTML to PDF with one headless Chromium that stays open."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import subprocess
import tempfile
from types import TracebackType
from typing import Any, Self

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
]


class Chromium:
    """Print many pages without paying the browser's start, some two seconds, for each of them.

    The browser is spoken to by the DevTools protocol over two pipes. Its program is taken from the environment's
    CHROMIUM, else `chromium`.

        with Chromium() as browser:
            pdf = browser.print("<p>河岸</p>")
    """

    def __enter__(self) -> Self:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_read, to_write = os.pipe()
        from_read, from_write = os.pipe()
        # Chromium listens on descriptor 3 and answers on 4: ours go out of the way before these are set.
        there, back = (fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (to_read, from_write))
        program = [os.environ.get("CHROMIUM", "chromium"), *FLAGS, f"--user-data-dir={self._profile.name}"]
        self._process = subprocess.Popen(
            program,
            preexec_fn=lambda: (os.dup2(there, 3), os.dup2(back, 4)),  # noqa: PLW1509 - no threads here
            pass_fds=(3, 4),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in (to_read, from_write, there, back):
            os.close(fd)
        self._out, self._in = os.fdopen(to_write, "wb", buffering=0), os.fdopen(from_read, "rb")
        self._buffer = b""
        self._calls = 0
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session: str | None = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()
        self._in.close()
        self._profile.cleanup()

    def print(self, html: str, tagged: bool = True) -> bytes:
        """Return the PDF of `html`; pages are sized by its CSS. `tagged` adds a structure tree."""
        frame = self._call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self._call("Page.setDocumentContent", frameId=frame, html=html)
        printed = self._call("Page.printToPDF", preferCSSPageSize=True, printBackground=True, generateTaggedPDF=tagged)
        return base64.b64decode(printed["data"])

    def _call(self, method: str, **params: Any) -> Any:
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": params}
        if session := getattr(self, "_session", None):
            message["sessionId"] = session
        self._out.write(json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._buffer:
                read = os.read(self._in.fileno(), 1 << 20)
                if not read:
                    raise RuntimeError(f"Chromium ended during {method}; run it by hand to see why, or set CHROMIUM")
                self._buffer += read
            line, self._buffer = self._buffer.split(b"\0", 1)
            answer = json.loads(line)
            if answer.get("id") == self._calls:
                if "error" in answer:
                    raise RuntimeError(f"Chromium refused {method}: {answer['error']['message']}")
                return answer["result"]
