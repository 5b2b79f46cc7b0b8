"""A TCP proxy that cuts connections: by lot, a share of all calls, half of them before and half after they arrive.

It speaks no TLS and reads nothing: what a client sends after it was answered is its next call.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

CHUNK = 65536
FIRST_TURNS = 2
"""What a client sends first is the TLS handshake: no call."""


@dataclass
class Severing:
    """Passes everything on to `host`:`port` until `share` of the calls is to be lost."""

    host: str
    port: int
    dice: random.Random
    share: float = 0.0
    calls: int = 0
    cut: int = 0
    here: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def through(self, url: str) -> str:
        """The same URL, by way of this proxy."""
        return urlunsplit(urlsplit(url)._replace(netloc=f"127.0.0.1:{self.here}"))

    def cut_all(self) -> None:
        """Break every connection that is open."""
        for writer in list(self._open):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
            both = {writer, far_writer}
            self._open |= both
            line = _Line(self)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(line.up(reader, far_writer))
                    group.create_task(line.down(far_reader, writer))
            except* (OSError, _CutError):
                pass
            finally:
                self._open -= both
                for one in both:
                    one.transport.abort()

    def falls(self) -> bool:
        """Whether the lot falls on this."""
        return self.dice.random() < self.share


class _CutError(Exception):
    """The lot fell on this connection, or one end of it has gone."""


@dataclass
class _Line:
    """One connection: whose turn it is to speak, and whether the answer to this turn is to be lost."""

    proxy: Severing
    turns: int = 0
    speaks: str = ""
    doomed: bool = False

    async def up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK):
            if self.speaks != "client":
                self._begin_turn()
            writer.write(chunk)
            await writer.drain()
        raise _CutError

    def _begin_turn(self) -> None:
        self.speaks, self.turns = "client", self.turns + 1
        if self.turns <= FIRST_TURNS:
            return
        self.proxy.calls += 1
        if self.proxy.falls():
            self.proxy.cut += 1
            if self.proxy.dice.random() < 1 / 2:
                raise _CutError
            self.doomed = True

    async def down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK):
            self.speaks = "server"
            if self.doomed:
                raise _CutError
            writer.write(chunk)
            await writer.drain()
        raise _CutError


@asynccontextmanager
async def severing(url: str, *, seed: int) -> AsyncIterator[Severing]:
    """A proxy before the endpoint of a URL, on a free port; it cuts nothing until it is told to."""
    parts = urlsplit(url)
    proxy = Severing(parts.hostname or "", parts.port or 443, random.Random(seed))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.here = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut_all()
        await server.wait_closed()
