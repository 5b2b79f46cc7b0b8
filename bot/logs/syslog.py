"""The syslog receiver of a watcher: hosts' logs that come by themselves, over UDP, TCP and TLS.

Any watcher takes any host's lines, and nobody owns them: found lines go to `Intake.push`, and what comes twice is
sorted out behind it. Lines on their way when a watcher dies are lost, and told as a gap by whoever notices that.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Final, Self

from bot.errors import UserError
from bot.hostlog.roll import Roll
from bot.logs.lasting import lasting
from bot.logs.port import HostTally, Intake
from bot.logs.syslog_connections import Connections
from bot.logs.syslog_datagrams import Datagrams
from bot.logs.syslog_delivery import SENDERS, Delivery
from bot.logs.syslog_hosts import Hosts, Strangers, in_words
from bot.logs.syslog_sorting import Finder, Sorter
from bot.logs.syslog_tls import RenewedContext, tls_context

__all__ = ["Counts", "Finder", "RenewedContext", "SyslogReceiver", "tls_context"]

EVERY: Final = timedelta(milliseconds=250)
"""How often connections are read. Lines wait half of that on average, which is what a tenth of a core costs."""

DATAGRAMS_EVERY: Final = timedelta(milliseconds=50)
"""How often datagrams are taken: the kernel keeps few of them, and drops the rest."""

HASTE: Final = timedelta(milliseconds=20)
"""How often those are looked at that wait for our part of a handshake."""

LOOK_AFTER: Final = timedelta(seconds=5)
"""How often everything else is seen to: counts, floods that end, hosts that joined, a renewed certificate."""

DROPS_EVERY: Final = 60.0
COMPLAIN_EVERY: Final = 3600.0
FLUSH_WITHIN: Final = 3.0
PART_WITHIN: Final = 0.5
"""Seconds in which hosts can see that we end; those of them that look."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Counts:
    """What the receiver saw besides its hosts' lines. `buffer`: bytes of datagrams that the kernel keeps for us."""

    connections: int
    refused: int
    datagrams: int
    dropped: int
    buffer: int
    strangers: Strangers


@dataclass(slots=True)
class _Complaints:
    """Tells each kind of trouble once an hour at most, because strangers can cause them at will."""

    told_at: dict[str, float] = field(default_factory=dict)

    def tell(self, kind: str, words: str) -> None:
        now = time.monotonic()
        if now - self.told_at.get(kind, -COMPLAIN_EVERY) >= COMPLAIN_EVERY:
            self.told_at[kind] = now
            logger.warning("Syslog: %s. (Told once an hour.)", words)

    def due(self, kind: str) -> bool:
        return time.monotonic() - self.told_at.get(kind, -COMPLAIN_EVERY) >= COMPLAIN_EVERY


class SyslogReceiver:
    """Takes lines in while the block runs: `async with SyslogReceiver(…)`.

    A port of None is not opened, and 0 is any port that is free: `ports` tells. `finder` seeks the needles of the rules
    in raw bytes (`Needles.finder`), for this receiver alone. UserError when a port cannot be opened.
    """

    def __init__(
        self,
        intake: Intake,
        roll: Callable[[], Roll],
        *,
        finder: Finder,
        logs: Collection[str],
        lines_per_second: int,
        address: str = "0.0.0.0",  # noqa: S104 - hosts are elsewhere
        udp: int | None = None,
        tcp: int | None = None,
        tls: int | None = None,
        tls_context: RenewedContext | None = None,
        every: timedelta = EVERY,
        look_after: timedelta = LOOK_AFTER,
    ) -> None:
        if tls is not None and tls_context is None:
            raise UserError(
                "Syslog over TLS needs a certificate.",
                example='[syslog] cert_file = "/etc/coldmigrate/syslog.crt", key_file = "/etc/coldmigrate/syslog.key"',
            )
        self._address = address
        self._every = every.total_seconds()
        self._datagrams_every = min(every, DATAGRAMS_EVERY).total_seconds()
        self._look_every = look_after.total_seconds()
        self._wanted = {"udp": udp, "tcp": tcp, "tls": tls}
        self._tls = tls_context
        self._complaints = _Complaints()
        self._delivery = Delivery(intake)
        self._hosts = Hosts(roll, logs, _is_candidate(finder), lines_per_second=lines_per_second)
        self._sorter = Sorter(self._hosts, self._delivery, finder, logs=logs)
        self._connections = Connections(self._hosts, self._sorter, self._complaints.tell)
        self._datagrams: Datagrams | None = None
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []
        self._drops_at = -DROPS_EVERY
        self._met = 0
        self.ports: Mapping[str, int] = {}
        """The ports that are open, by "udp", "tcp" and "tls"."""

    async def __aenter__(self) -> Self:
        try:
            self.ports = {name: self._listen(name, port) for name, port in self._wanted.items() if port is not None}
        except UserError:
            self._close()
            raise
        await self._group.__aenter__()
        works = [self._read, self._look_after, *[self._delivery.run] * SENDERS]
        if self._datagrams is not None:
            works.append(partial(self._drain, self._datagrams))
        self._tasks = [self._group.create_task(lasting(work), name="syslog") for work in works]
        ports = ", ".join(f"{kind} {port}" for kind, port in self.ports.items())
        logger.info("Syslog is taken in at %s: %s.", self._address, ports)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self._last_round()
        finally:
            for task in self._tasks:
                task.cancel()
            self._close()
            ours = isinstance(error, asyncio.CancelledError)  # a task of ours failed, or the caller is cancelled
            await self._group.__aexit__(*((kind, error, trace) if ours else (None, None, None)))

    def tallies(self) -> Sequence[HostTally]:
        """How the watch of every host stands that was heard here."""
        return [record.tally() for record in self._hosts if record.heard_at]

    def counts(self) -> Counts:
        """What else there is to tell."""
        udp = self._datagrams
        return Counts(
            connections=len(self._connections),
            refused=self._connections.refused,
            datagrams=udp.received if udp else 0,
            dropped=udp.dropped if udp else 0,
            buffer=udp.buffer if udp else 0,
            strangers=self._hosts.strangers(),
        )

    def _listen(self, name: str, port: int) -> int:
        try:
            if name == "udp":
                self._datagrams = Datagrams(self._address, port, self._hosts, self._sorter)
                return self._datagrams.port
            return self._connections.listen(self._address, port, self._tls if name == "tls" else None)
        except OSError as error:
            raise UserError(
                f"Syslog cannot be taken in over {name.upper()} at {self._address} port {port}: {error.strerror}.",
                example=f'[syslog] address = "0.0.0.0", {name} = 6514 (a port below 1024 needs a privilege)',
            ) from error

    def _close(self) -> None:
        self._connections.close()
        if self._datagrams is not None:
            self._datagrams.close()

    async def _read(self) -> None:
        due = time.monotonic()
        while True:
            self._connections.greet()
            if time.monotonic() >= due:
                due = time.monotonic() + self._every
                await self._connections.round()
                await self._meet()
                await self._delivery.wake()
            left = max(due - time.monotonic(), 0)
            await asyncio.sleep(min(left, HASTE.total_seconds()) if self._connections.in_haste else left)

    async def _drain(self, datagrams: Datagrams) -> None:
        due = time.monotonic()
        while True:
            more = datagrams.drain()
            if time.monotonic() >= due:
                due = time.monotonic() + self._every
                datagrams.sort()
                await self._meet()
                await self._delivery.wake()
            await asyncio.sleep(0 if more else self._datagrams_every)

    async def _meet(self) -> None:
        """Have the fleet know at once of hosts that are heard for the first time: what we may lose of them is told."""
        if len(self._hosts) > self._met:
            await self._sorter.count()
        self._met = len(self._hosts)

    async def _last_round(self) -> None:
        """Send everybody away, take what has arrived, and give Redis a moment to have it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_WITHIN):
                if self._datagrams is not None:
                    self._datagrams.drain()
                    self._datagrams.sort()
                await self._part()
                await self._sorter.count()
                await self._delivery.emptied()

    async def _part(self) -> None:
        """A sender that writes without looking whether we are there loses that, so its gap is told."""
        self._connections.greet()
        self._connections.farewell()
        until = time.monotonic() + PART_WITHIN
        while self._connections and time.monotonic() < until:
            self._connections.greet()
            await self._connections.round()
            await asyncio.sleep(HASTE.total_seconds())
        self._connections.give_up("the watcher that took its syslog in was stopped")

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(self._look_every)
            self._look()
            await self._sorter.count()
            await self._delivery.wake()

    def _look(self) -> None:
        now = time.time()
        if self._hosts.renew():
            self._connections.look_up_again()
        if self._tls is not None:
            self._tls.renew()
        self._connections.tidy(now)
        for record in self._hosts:
            if told := record.flood_to_tell(now):
                self._sorter.gap(record, told)
        self._tell_drops(now)
        self._tell_strangers()

    def _tell_drops(self, now: float) -> None:
        """Say to all hosts that send datagrams that some of them were dropped: whose they were, nobody knows."""
        if self._datagrams is None or time.monotonic() - self._drops_at < DROPS_EVERY:
            return
        self._drops_at = time.monotonic()
        if dropped := self._datagrams.newly_dropped():
            for record in self._hosts:
                if now - record.datagrams_at < 2 * DROPS_EVERY:
                    self._sorter.gap(record, f"the kernel dropped {dropped} datagrams of all hosts")
            self._complaints.tell(
                "drops", f"the kernel dropped {dropped} datagrams; allow more in net.core.rmem_max, or send over TCP"
            )

    def _tell_strangers(self) -> None:
        untold = self._hosts.untold
        if untold and self._complaints.due("strangers"):
            words = f"lines of {len(untold)} senders that are no known hosts are not taken: {in_words(untold)}"
            self._complaints.tell("strangers", words)
            untold.clear()


def _is_candidate(finder: Finder) -> Callable[[str], bool]:
    def is_candidate(text: str) -> bool:
        raw = bytearray(text.encode("utf-8", "backslashreplace"))
        return bool(finder(raw, 0, len(raw)))

    return is_candidate
