"""The port on which Kubernetes and Prometheus ask: answered by threads of its own, never by the event loop.

Not aiohttp, which lives on the loop: a loop that is stuck must be found out, and it could neither answer nor say how
long it has been stuck. So the standard library's server has a thread, and everything it tells is in memory already.

- `/livez` is about the event loop alone. Redis, vCenter and Slack come and go, and starting a worker anew mends none
  of them.
- `/startupz` turns well once the role is up. `/readyz` tells what is missing, by name and without addresses: whoever
  reaches the port may read it, so there is no more to learn here than that.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import CollectorRegistry

from bot.errors import UserError
from bot.health.lookout import Lookout
from bot.health.metrics import registry_of
from bot.health.pulse import Pulse
from bot.health.tally import Tally

PATHS: Final = ("/livez", "/startupz", "/readyz", "/metrics")

_PLAIN: Final = "text/plain; charset=utf-8"
_Answer = tuple[HTTPStatus, str, bytes]


class Health:
    """What one process tells of itself. `pulse` and `lookout` are moved by its loop, `tally` by its deeds."""

    def __init__(self, role: str, *, pulse: Pulse | None = None, lookout: Lookout | None = None) -> None:
        self.role = role
        self.pulse = pulse or Pulse()
        self.lookout = lookout or Lookout()
        self.tally = Tally()
        self._registry: CollectorRegistry = registry_of(role, self.pulse, self.lookout, self.tally)

    def answer(self, path: str) -> _Answer:
        """Status, content type and body; safe from any thread."""
        match path:
            case "/livez":
                silence = self.pulse.silent_for
                return _plain(self.pulse.alive, f"the event loop turned {silence:.1f} s ago\n")
            case "/startupz":
                return _plain(self.lookout.started, "up\n" if self.lookout.started else "not up yet\n")
            case "/readyz":
                return _plain(self.lookout.ready and self.pulse.alive, self._readiness())
            case "/metrics":
                return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry)
            case _:
                return HTTPStatus.NOT_FOUND, _PLAIN, f"one of {', '.join(PATHS)}\n".encode()

    def _readiness(self) -> str:
        if self.lookout.leaving:
            return "told to stop\n"
        if not self.lookout.started:
            return "not up yet\n"
        stuck = "" if self.pulse.alive else "the event loop is stuck\n"
        return stuck + "".join(
            f"{name}: {'answers' if well else 'does not answer'}\n" for name, well in self.lookout.standing().items()
        )


@contextmanager
def serving(health: Health, port: int, *, address: str = "") -> Iterator[int]:
    """Answer on `port` of every address, or of this one, until the end of the block; 0 takes any. Yields the port.

    UserError if the port cannot be had.
    """
    try:
        server = _Server((address, port), _handler(health))
    except OSError as error:
        raise UserError(
            f"The health port {port} cannot be opened: {error.strerror}.", example="--health-port 8081"
        ) from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="health", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """On IPv6 and IPv4 alike where there is both; a thread for each question, so that a slow one stops nobody."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 16

    def __init__(self, place: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        if not place[0] and socket.has_dualstack_ipv6():
            self.address_family = socket.AF_INET6
        super().__init__(place, handler)

    def server_bind(self) -> None:
        if self.address_family is socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Not HTTPServer's, which looks its own name up and may wait for a DNS that is away.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: object, client_address: object) -> None:
        """Who asks and goes away without the answer is no news."""


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # for each read and write: nobody holds a thread for longer
        server_version = "coldmigrate"
        sys_version = ""

        def do_GET(self) -> None:
            status, kind, body = health.answer(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name there
            """Be silent: a probe comes every few seconds."""

    return Handler


def _plain(well: bool, words: str) -> _Answer:  # noqa: FBT001 - what it is about
    return HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE, _PLAIN, words.encode()
