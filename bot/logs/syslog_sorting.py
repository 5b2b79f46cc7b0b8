"""From blocks of lines to what is found in them: whose they are, the one search for needles in all of them, and the
notes of hosts that lines were lost on their side. No sockets here, and nothing waits.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from bot.hostlog.roll import WatchedHost
from bot.logs.syslog_delivery import Delivery
from bot.logs.syslog_hosts import NAMELESS, HeardHost, Hosts, name_in

Finder = Callable[[bytearray, int, int], Sequence[int]]
"""Seeks the needles of all rules in `buffer[start:stop]`; ascending offsets, one or more in each line that has one."""

GATHERED: Final = 1024 * 1024

NOTES: Final = (
    # vobd, [vob.user.vmsyslogd.remote.failure] and the esx.problem event made of it
    (b"vmsyslogd.remote.failure", "the host says that it could not send its log for a time"),
    # Broadcom KB 442474: vmsyslogd could not keep up
    (b"Dropping messages due to log stress", "the host says that it dropped lines, because too many were written"),
)
NOTE_EVERY: Final = 60.0

logger = logging.getLogger(__name__)

_Block = tuple[HeardHost, bytes, int]
"""Whose it is, whole lines, and how many."""


class Talk:
    """What is remembered of a peer that speaks for many hosts: of whom its last line was."""

    __slots__ = ("address", "hosts", "last")

    def __init__(self, address: str) -> None:
        self.address = address
        self.last: WatchedHost | None = None
        self.hosts: set[WatchedHost] = set()


class Sorter:
    """Gathers the blocks of one round, and looks for needles in all of them at once."""

    def __init__(self, hosts: Hosts, delivery: Delivery, finder: Finder, *, logs: Collection[str]) -> None:
        self._hosts = hosts
        self._delivery = delivery
        self._find = finder
        self._gap_log = next(iter(logs), "")
        self._gathered: list[_Block] = []
        self._size = 0

    def of_host(self, host: WatchedHost, block: bytes, now: float) -> HeardHost | None:
        """Gather lines of one host, or leave them out while it sends too many."""
        record = self._hosts.heard(host, now)
        if record is None:
            self._hosts.elsewhere(host, block.count(b"\n"))
        elif record.may_send(now):
            self.gather(record, block, now)
        else:
            record.flooded(now, lost=block.count(b"\n"))
        return record

    def gather(self, record: HeardHost, block: bytes, now: float) -> None:
        """Gather lines of one host, to be looked through with all others."""
        lines = block.count(b"\n")
        record.spend(lines, now)
        self._gathered.append((record, block, lines))
        self._size += len(block)
        if self._size > GATHERED:
            self.finish(now)

    def of_many(self, talk: Talk, block: bytes, now: float, *, datagrams: bool = False) -> None:
        """Gather lines that say themselves whose they are. Each host's flood costs that host alone."""
        shares: dict[WatchedHost, list[bytes]] = {}
        unknown: Counter[bytes] = Counter()
        for line in block.split(b"\n")[:-1]:
            name = name_in(line)
            if name is not None:
                talk.last = self._hosts.named(name) if name else None
            if talk.last is None:
                unknown[name or b""] += 1
            else:
                shares.setdefault(talk.last, []).append(line)
        for host, lines in shares.items():
            record = self.of_host(host, b"\n".join(lines) + b"\n", now)
            if record is not None and datagrams:
                record.datagrams_at = now
        talk.hosts.update(shares)
        for name, lines_of in unknown.items():
            said = name.decode("ascii", "replace") or NAMELESS
            self._hosts.unknown(f"{said} from {talk.address}" if said != talk.address else said, lines_of)

    def finish(self, now: float) -> None:
        """Look through what was gathered."""
        gathered, self._gathered, self._size = self._gathered, [], 0
        if not gathered:
            return
        whole = bytearray().join([block for _, block, _ in gathered])
        places = self._find(whole, 0, len(whole))
        for (record, block, lines_of), mine in _shared_out(gathered, places):
            try:
                found = record.stream.take(block, lines_of, mine)
            except Exception:
                logger.exception("What %s sent cannot be looked at.", record.key)
                self.gap(record, "some of its lines could not be looked at, by a defect of ours")
                continue
            read = record.unreported() if found else 0
            for log, lines in found:
                self._delivery.put(record.key, log, lines, read=read)
                read = 0
        for note, meaning in NOTES:
            if whole.find(note) >= 0:
                self._noted(gathered, note, meaning, now)

    async def count(self) -> None:
        """Have the intake count what came of every host, most of which is of no interest."""
        for record in tuple(self._hosts):
            read, throttled = record.unreported(), record.unreported_loss()
            if read or throttled:
                await self._delivery.count(
                    *(record.key, self._gap_log),
                    read=read,
                    throttled=throttled,
                    behind=record.behind(),
                    trouble=record.trouble,
                )

    def gap(self, record: HeardHost, reason: str) -> None:
        """Tell that lines of this host may be missing."""
        record.gaps += 1
        self._delivery.put(record.key, self._gap_log, (), read=record.unreported(), gap=reason)

    def _noted(self, gathered: Sequence[_Block], note: bytes, meaning: str, now: float) -> None:
        for record, block, _ in gathered:
            if note in block and now - record.noted_at > NOTE_EVERY:
                record.noted_at = now
                self.gap(record, meaning)


def _shared_out(gathered: Sequence[_Block], places: Sequence[int]) -> Iterator[tuple[_Block, Sequence[int]]]:
    """Each block with the offsets that lie in it."""
    start = first = 0
    for one in gathered:
        if first == len(places):
            yield one, ()
            continue
        end = start + len(one[1])
        last = bisect_left(places, end, first)
        yield one, [place - start for place in places[first:last]]
        start, first = end, last
