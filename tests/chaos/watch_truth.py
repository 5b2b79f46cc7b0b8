"""The hosts of a night of watchers: what they write, what becomes of it on its way, and what there is to be found.

Some hosts' logs are files that grow; the others send syslog over TCP to whichever watcher takes it, and connect again
when that is lost, as ESXi does. A copy that dies is three lines under an opID of its own among healthy noise.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

LINES_OF_A_DEATH: Final = 3
_DYING: Final = (
    "[Originator@6876 sub=Libs opID={op}-5c] [NFC ERROR] NfcNetTcpWrite: bWritten: -1",
    "[Originator@6876 sub=Libs opID={op}-5c] [NFC ERROR] NfcNet_Send: requested 262040, sent only -1 bytes",
    "[Originator@6876 sub=vpxNfcClient opID={op}-5c] [VpxNfcClient] File transfer  failed: Failed to send to {peer}",
)
_HEALTHY: Final = "[Originator@6876 sub=vpxaInvtHost opID=WFU-{number:x}] Increment master gen. no to ({number})"
_AGAIN: Final = 0.05


@dataclass(frozen=True, slots=True)
class Death:
    """One copy that died: who told of it by which operation, and between which moments it was written."""

    operation: str
    host: str
    begun: float
    ended: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sites with a link between them, and the hosts at both."""

    hosts: tuple[Sequence[str], Sequence[str]]

    def any(self, dice: random.Random) -> tuple[str, str]:
        """Who writes, and whom it could not reach."""
        here, there = dice.sample(self.hosts, 2)
        return dice.choice(here), dice.choice(there)


@dataclass(eq=False)
class Sender:
    """A host that sends syslog over TCP. `ports` are those of the watchers that a load balancer knows of."""

    host: str
    ports: Callable[[], Sequence[int]]
    dice: random.Random
    connections: int = 0
    _to: asyncio.StreamWriter | None = None
    _back: asyncio.StreamReader | None = None

    async def send(self, message: bytes) -> None:
        """Until somebody's kernel has it; what becomes of it there, no sender of syslog can know."""
        while True:
            with suppress(OSError):
                writer = await self._connected()
                writer.write(message)
                await writer.drain()
                return
            await self.leave()
            await asyncio.sleep(_AGAIN)

    async def leave(self) -> None:
        if self._to is not None:
            self._to.close()
            with suppress(OSError):
                await self._to.wait_closed()
        self._to = self._back = None

    async def _connected(self) -> asyncio.StreamWriter:
        if self._to is None or self._back is None or self._back.at_eof() or self._to.is_closing():
            await self.leave()
            ports = self.ports()
            if not ports:
                raise ConnectionRefusedError
            self._back, self._to = await asyncio.open_connection("127.0.0.1", self.dice.choice(ports))
            self.connections += 1
        return self._to


@dataclass
class Hosts:
    """All hosts. `by_file` and `by_syslog` are the pairs of sites that each kind is at."""

    folder: Path
    by_file: Sequence[Pair]
    by_syslog: Sequence[Pair]
    ports: Callable[[], Sequence[int]]
    dice: random.Random
    told: dict[str, Death] = field(default_factory=dict)
    sent: dict[str, Death] = field(default_factory=dict)
    """What died on hosts with files, and on those that send: by operation."""
    _senders: dict[str, Sender] = field(default_factory=dict)
    _count: int = 0

    def settle(self) -> None:
        """Every file is there, and every sender has something to say."""
        for pair in self.by_file:
            for host in (*pair.hosts[0], *pair.hosts[1]):
                self.file(host).parent.mkdir(parents=True)
                self._write(host, _line(self._noise()))
        for pair in self.by_syslog:
            for host in (*pair.hosts[0], *pair.hosts[1]):
                self._senders[host] = Sender(host, self.ports, self.dice)

    def file(self, host: str) -> Path:
        return self.folder / host / "vpxa.log"

    async def live(self, *, rhythm: float) -> None:
        """Write, send and let copies die, until cancelled; one death of each kind in every `rhythm` seconds."""
        async with asyncio.TaskGroup() as group:
            for sender in self._senders.values():
                group.create_task(self._chatter(sender, rhythm))
            while True:
                self._dies_in_a_file()
                group.create_task(self._dies_over_syslog())
                await asyncio.sleep(rhythm * self.dice.uniform(0.5, 1.5))

    async def leave(self) -> None:
        for sender in self._senders.values():
            await sender.leave()

    @property
    def reconnects(self) -> int:
        return sum(sender.connections - 1 for sender in self._senders.values())

    async def _chatter(self, sender: Sender, rhythm: float) -> None:
        while True:
            await sender.send(_syslog(sender.host, self._noise()))
            await asyncio.sleep(rhythm * self.dice.uniform(2, 6))

    def _dies_in_a_file(self) -> None:
        host, peer = self.dice.choice(self.by_file).any(self.dice)
        operation, texts = self._death(peer)
        now = time.time()
        self.told[operation] = Death(operation, host, now, now)
        for text in texts:
            self._write(host, _line(self._noise()) + _line(text))

    async def _dies_over_syslog(self) -> None:
        host, peer = self.dice.choice(self.by_syslog).any(self.dice)
        operation, texts = self._death(peer)
        begun = time.time()
        for text in texts:
            await self._senders[host].send(_syslog(host, text))
        self.sent[operation] = Death(operation, host, begun, time.time())

    def _death(self, peer: str) -> tuple[str, list[str]]:
        self._count += 1
        operation = f"{self._count:08x}-0000024d"
        return operation, [text.format(op=operation.upper(), peer=peer) for text in _DYING]

    def _noise(self) -> str:
        self._count += 1
        return _HEALTHY.format(number=self._count)

    def _write(self, host: str, text: str) -> None:
        with self.file(host).open("a", encoding="ascii") as file:
            file.write(text)


def _stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _line(text: str) -> str:
    return f"{_stamp()} error vpxa[2098914] {text}\n"


def _syslog(host: str, text: str) -> bytes:
    return f"<166>{_stamp()} {host} Vpxa: error vpxa[2098914] {text}\n".encode("ascii")
