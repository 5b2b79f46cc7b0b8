"""What hosts send of their logs to a syslog server: each line as it is written, in the shape of the host's version.

Shapes are those of LOG_FORMATS section 1 (A', C', and of 8.x what lnav's samples have); that of 5.x is invented after
them. Frames end with a newline. What cannot be sent is lost, as on a host, and tried again with the next line.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from bot.playground.esxi.host_log import HostLogs
from bot.playground.esxi.line_forms import Generation, zulu

_WAITING: Final = 20_000
"""Lines that may wait to be sent; a server that is away longer than that gets a hole."""

_WITHIN: Final = 2.0
_PORTS: Final = {"udp": 514, "tcp": 514, "ssl": 1514}
_STAMPED: Final = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z):? (.*)", re.DOTALL)
_WITH_PRIORITY: Final = re.compile(r"[A-Z][a-z]\((\d+)\)\+? (.*)", re.DOTALL)
_WORDS: Final = re.compile(r"\b(error|warning|info|verbose)\b")
_PRIORITIES: Final = {"error": 163, "warning": 164, "info": 166, "verbose": 167}
_KERNEL, _USER = 182, 14


@dataclass(frozen=True)
class Target:
    """Where to: `kind` is udp, tcp or ssl. With a `ca_file` the server has to prove who it is."""

    kind: str
    host: str
    port: int
    ca_file: str = ""

    @staticmethod
    def of(text: str, *, ca_file: str = "") -> Target:
        """Read `tcp://127.0.0.1:1514`, which is how esxcli takes a --loghost. KeyError if it is none."""
        try:
            parts = urlsplit(text)
            port = parts.port or _PORTS[parts.scheme]
        except (KeyError, ValueError):
            raise KeyError(f"no syslog server: {text!r}; udp://, tcp:// or ssl:// and a host") from None
        return Target(parts.scheme, parts.hostname or "localhost", port, ca_file)

    def context(self) -> ssl.SSLContext | None:
        if self.kind != "ssl":
            return None
        context = ssl.create_default_context(cafile=self.ca_file or None)
        if not self.ca_file:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


class SyslogSender:
    """Sends what the hosts of one vCenter write, each to its target. `run` it for as long as the hosts are played."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[tuple[str, str, Target]] = asyncio.Queue(_WAITING)
        self._open: dict[str, tuple[Target, _Wire]] = {}

    def send(self, host: str, logs: HostLogs, target: Target | None) -> None:
        """Let a host send what it writes from now on; nothing more with None."""
        logs.settle()  # what was before the play is nobody's news
        if target is None:
            logs.listener = None
            return

        def told(key: str, lines: Iterable[str]) -> None:
            for line in lines:
                with suppress(asyncio.QueueFull):
                    self._lines.put_nowait((host, on_wire(line, key, host=host, version=logs.version), target))

        logs.listener = told

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                host, line, target = await self._lines.get()
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(_WITHIN):
                        await (await self._wire(host, target)).write(line.encode() + b"\n")
                    continue
                self._drop(host)
        finally:
            for host in list(self._open):
                self._drop(host)

    async def _wire(self, host: str, target: Target) -> _Wire:
        known, wire = self._open.get(host, (None, None))
        if wire is None or known != target or wire.closed:
            self._drop(host)
            wire = await _connected(target)
            self._open[host] = target, wire
        return wire

    def _drop(self, host: str) -> None:
        if host in self._open:
            self._open.pop(host)[1].close()


class _Wire:
    """One connection, or what stands for one where there is none."""

    def __init__(self, writer: asyncio.StreamWriter | asyncio.DatagramTransport) -> None:
        self._writer = writer

    @property
    def closed(self) -> bool:
        return self._writer.is_closing()

    async def write(self, frame: bytes) -> None:
        if isinstance(self._writer, asyncio.StreamWriter):
            self._writer.write(frame)
            await self._writer.drain()
        else:
            self._writer.sendto(frame.rstrip(b"\n"))

    def close(self) -> None:
        self._writer.close()


async def _connected(target: Target) -> _Wire:
    if target.kind == "udp":
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(target.host, target.port)
        )
        return _Wire(transport)
    _, writer = await asyncio.open_connection(target.host, target.port, ssl=target.context())
    return _Wire(writer)


def on_wire(line: str, log: str, *, host: str, version: str) -> str:
    """Return a line of a host's log as the host sends it."""
    generation = Generation.of(version)
    if generation is Generation.A:
        return _of_4(line, log, host)
    stamped = _STAMPED.match(line)
    stamp, rest = stamped.groups() if stamped else (zulu(datetime.now(UTC)), line)
    if ranked := _WITH_PRIORITY.match(rest):
        return f"<{ranked[1]}>{stamp} {host} {ranked[2]}"
    return f"<{_priority(rest, log)}>{stamp} {host} {_program(log)}: {rest}"


def _of_4(line: str, log: str, host: str) -> str:
    if log == "vmkernel":
        month, day, clock, rest = line.split(" ", 3)
        return f"<{_KERNEL}>{month} {day:>2} {clock} {host} {rest}"
    now = datetime.now(UTC)
    return f"<{_priority(line, log)}>{now:%b} {now.day:>2} {now:%H:%M:%S} {host} {_program(log)}: {line}"


def _program(log: str) -> str:
    return log if log in ("vmkernel", "vobd") else log.capitalize()


def _priority(line: str, log: str) -> int:
    if log == "vmkernel":
        return _KERNEL
    if log == "vobd":
        return _USER
    word = _WORDS.search(line[:80])
    return _PRIORITIES[word[1]] if word else _PRIORITIES["info"]
