"""Servers of our own that alerts are sent to."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any


@dataclass
class Endpoint:
    """A server of ours and what it was told; it can be made to turn everything away."""

    port: int = 0
    told: list[Any] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)
    works: bool = True

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.told]


@contextmanager
def served(handler: type[socketserver.BaseRequestHandler], endpoint: Endpoint) -> Iterator[Endpoint]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        endpoint.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield endpoint
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def web_server() -> Iterator[Endpoint]:
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = self.rfile.read(int(self.headers["Content-Length"]))
            if endpoint.works:
                endpoint.told.append(json.loads(said))
                endpoint.passwords.append(self.headers.get("Authorization", ""))
            self.send_response(200 if endpoint.works else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with served(Handler, endpoint):
        yield endpoint
