"""Connections of the syslog receiver, over TCP and TLS: accepted, bounded, read in rounds, and looked after.

All of them are read in rounds, many times fewer than there are lines: waking up costs more than anything done with what
came. Meanwhile the kernel keeps it. A host that sends too much is read slowly, which holds back that host alone.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import selectors
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final

from bot.hostlog.roll import WatchedHost
from bot.logs.syslog_frames import Frames
from bot.logs.syslog_hosts import HeardHost, Hosts
from bot.logs.syslog_sorting import Sorter, Talk
from bot.logs.syslog_tls import RenewedContext, TlsWire

MOST: Final = 4096
MOST_OF_A_HOST: Final = 64
MOST_OF_A_STRANGER: Final = MOST // 2
"""A load balancer or a relay may stand for very many hosts."""

HANDSHAKE_WITHIN: Final = 10.0
SPEAK_WITHIN: Final = 120.0
_READ: Final = 65536
_READS: Final = 4  # of one connection at a time
_MUCH: Final = 32 * 1024
"""Who has sent so much since the last look is looked at again soon: the kernel keeps little for each, and a relay of
many hosts would be held up."""

_ACCEPTED: Final = 64  # in a round
_KEEP_ALIVE: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
_BREATH: Final = 0.01

logger = logging.getLogger(__name__)


class Connection:
    """One peer's connection."""

    __slots__ = ("frames", "host", "opened_at", "record", "socket", "spoke", "talk", "tls")

    def __init__(self, opened: socket.socket, address: str, tls: TlsWire | None, now: float) -> None:
        self.socket = opened
        self.tls = tls
        self.frames = Frames()
        self.host: WatchedHost | None = None
        """The host that this is by its address, and its record unless it is read another way."""

        self.record: HeardHost | None = None
        self.talk = Talk(address)
        self.opened_at = now
        self.spoke = False

    @property
    def address(self) -> str:
        return self.talk.address

    @property
    def shaking_hands(self) -> bool:
        return self.tls is not None and not self.tls.ready


class Connections:
    """Every connection there is. `greet` lets them in, `round` reads them all; nothing here blocks."""

    def __init__(self, hosts: Hosts, sorter: Sorter, complain: Callable[[str, str], None]) -> None:
        self._hosts = hosts
        self._sorter = sorter
        self._complain = complain
        self._selector = selectors.DefaultSelector()
        self._listeners: dict[socket.socket, RenewedContext | None] = {}
        self._open: set[Connection] = set()
        self._of_address: Counter[str] = Counter()
        self._held_back: set[Connection] = set()
        self._shaking: set[Connection] = set()
        self._busy: set[Connection] = set()
        self._crowded = False
        self.refused = 0

    def __len__(self) -> int:
        return len(self._open)

    def listen(self, address: str, port: int, tls: RenewedContext | None) -> int:
        """Accept connections; returns the port. OSError when it cannot be opened."""
        listener = _listening(address, port)
        self._listeners[listener] = tls
        return int(listener.getsockname()[1])

    @property
    def in_haste(self) -> bool:
        """Whether somebody waits for an answer of ours, or sends very much."""
        return bool(self._crowded or self._shaking or self._busy)

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        for connection in tuple(self._open):
            self._drop(connection)
        self._selector.close()

    def farewell(self) -> None:
        """Let nobody in any more, and tell everybody that we end: who looks for that goes elsewhere."""
        for listener, tls in self._listeners.items():
            self._accept(listener, tls)
            listener.close()
        self._listeners.clear()
        for connection in self._open:
            with suppress(OSError):
                connection.socket.shutdown(socket.SHUT_WR)

    def give_up(self, reason: str) -> None:
        """Tell the gap of all hosts that are still connected."""
        now = time.time()
        for host in {host for connection in self._open for host in _speaking(connection)}:
            if (record := self._hosts.heard(host, now)) is not None:
                self._sorter.gap(record, reason)

    def greet(self) -> None:
        """Accept who came, answer who waits for our part of a handshake, and read who sends very much."""
        self._crowded = False
        for listener, tls in self._listeners.items():
            self._accept(listener, tls)
        began = time.monotonic()
        for connection in self._shaking | self._busy:
            self._read(connection)
            if time.monotonic() - began > _BREATH:
                break

    async def round(self) -> None:
        """Read what came on all connections, and let others work now and then."""
        self._go_on()
        began = time.monotonic()
        for key, _ in self._selector.select(0):
            if key.data in self._open:  # and was not closed while others worked
                self._read(key.data)
            if time.monotonic() - began > _BREATH:
                self._sorter.finish(time.time())
                await asyncio.sleep(0)
                began = time.monotonic()
        self._sorter.finish(time.time())

    def look_up_again(self) -> None:
        """After the roll has changed."""
        for connection in self._open:
            self._look_up(connection)
            connection.talk.last = None
            connection.talk.hosts.clear()

    def tidy(self, now: float) -> None:
        """Close who never came to speak."""
        for connection in [one for one in self._open if not one.spoke]:
            silent = now - connection.opened_at
            if connection.shaking_hands and silent > HANDSHAKE_WITHIN:
                self._complain("handshake", f"{connection.address} did not finish its TLS handshake")
                self._drop(connection)
            elif silent > SPEAK_WITHIN:
                self._drop(connection)

    def _accept(self, listener: socket.socket, tls: RenewedContext | None) -> None:
        for _ in range(_ACCEPTED):
            try:
                opened, peer = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                    self._complain("accept", f"no more connections can be opened: {error.strerror}")
                    return
                continue  # that one is gone again
            self._admit(opened, plain_address(peer[0]), tls)
        self._crowded = True  # as when this watcher takes over from another one: go on soon

    def _admit(self, opened: socket.socket, address: str, tls: RenewedContext | None) -> None:
        host = self._hosts.at(address)
        most = MOST_OF_A_HOST if host else MOST_OF_A_STRANGER
        if len(self._open) >= MOST or self._of_address[address] >= most:
            self.refused += 1
            self._complain("connections", f"a connection of {address} was refused: there are too many")
            opened.close()
            return
        opened.setblocking(False)
        _keep_alive(opened)
        connection = Connection(opened, address, TlsWire(tls.context) if tls else None, time.time())
        self._look_up(connection)
        self._open.add(connection)
        if connection.shaking_hands:
            self._shaking.add(connection)
        self._of_address[address] += 1
        self._selector.register(opened, selectors.EVENT_READ, connection)

    def _look_up(self, connection: Connection) -> None:
        host = connection.host = self._hosts.at(connection.address)
        connection.record = None if host is None else self._hosts.heard(host, time.time())

    def _go_on(self) -> None:
        """Read those again that were held back long enough."""
        now = time.time()
        for connection in tuple(self._held_back):
            record = connection.record
            if record is None or record.may_send(now):
                self._held_back.discard(connection)
                self._selector.register(connection.socket, selectors.EVENT_READ, connection)
            else:
                record.flooded(now, lost=0)

    def _read(self, connection: Connection) -> None:
        now = time.time()
        record = connection.record
        if record is not None and not record.may_send(now):
            record.flooded(now, lost=0)
            self._selector.unregister(connection.socket)
            self._held_back.add(connection)
            self._busy.discard(connection)
            return
        try:
            much = self._take(connection, now)
        except EOFError:
            self._end(connection, now, broken="")
        except ssl.SSLError as error:
            self._failed(connection, error, now)
        except OSError as error:
            self._end(connection, now, broken=error.strerror or "it broke")
        except Exception:  # of one sender must not stop the reading of all
            logger.exception("What %s sent cannot be read; its connection is closed.", connection.address)
            self._drop(connection)
        else:
            (self._busy.add if much > _MUCH else self._busy.discard)(connection)
            if not connection.shaking_hands:
                self._shaking.discard(connection)

    def _take(self, connection: Connection, now: float) -> int:
        """Read, and return how much came."""
        much = 0
        for _ in range(_READS):
            try:
                data = _received(connection)
            except BlockingIOError:
                break
            connection.spoke = connection.spoke or bool(data)
            if block := connection.frames.feed(data):
                self._pass_on(connection, block, now)
            much += len(data)
            if len(data) < _READ:
                break
        return much

    def _pass_on(self, connection: Connection, block: bytes, now: float) -> None:
        if connection.record is not None:
            self._sorter.gather(connection.record, block, now)
        elif connection.host is not None:
            self._hosts.elsewhere(connection.host, block.count(b"\n"))
        else:
            self._sorter.of_many(connection.talk, block, now)

    def _failed(self, connection: Connection, error: ssl.SSLError, now: float) -> None:
        if connection.shaking_hands:
            reason = (error.reason or "unknown").replace("_", " ").lower()
            self._complain("handshake", f"the TLS handshake with {connection.address} failed: {reason}")
            self._drop(connection)
        else:
            self._end(connection, now, broken="its TLS broke")

    def _end(self, connection: Connection, now: float, *, broken: str) -> None:
        """Close a connection, with what it had begun to say; tell its hosts' gap where it did not end in order."""
        if rest := connection.frames.rest():
            self._pass_on(connection, rest, now)
        if broken and connection.spoke:
            self._sorter.finish(now)
            for host in _speaking(connection):
                if (record := self._hosts.heard(host, now)) is not None:
                    self._sorter.gap(record, f"its syslog connection broke: {broken}")
        self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        if connection in self._held_back:
            self._held_back.discard(connection)
        else:
            self._selector.unregister(connection.socket)
        connection.socket.close()
        self._open.discard(connection)
        self._shaking.discard(connection)
        self._busy.discard(connection)
        self._of_address[connection.address] -= 1
        if self._of_address[connection.address] <= 0:
            del self._of_address[connection.address]


def _speaking(connection: Connection) -> Collection[WatchedHost]:
    """The host that this is, or those that it has spoken for."""
    return {connection.host} if connection.host is not None else connection.talk.hosts


def plain_address(address: str) -> str:
    """An address without its zone, and of a mapped one the IPv4 address in it."""
    return address.partition("%")[0].removeprefix("::ffff:")


def _received(connection: Connection) -> bytes:
    """What came, a bounded part of it; less than the bound is all. EOFError when the peer has ended."""
    tls = connection.tls
    if tls is None:
        data = connection.socket.recv(_READ)
        if not data:
            raise EOFError
        return data
    data = tls.receive(connection.socket)
    if not data and tls.ended:
        raise EOFError
    return data


def _listening(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    both = address == "::" and socket.has_dualstack_ipv6()
    listener = socket.create_server((address, port), family=family, backlog=1024, dualstack_ipv6=both)
    listener.setblocking(False)
    return listener


def _keep_alive(opened: socket.socket) -> None:
    """A peer that is gone without a word is noticed within two minutes."""
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE:
        if (option := getattr(socket, name, None)) is not None:
            opened.setsockopt(socket.IPPROTO_TCP, option, value)
