"""The doors of the room: what the feed needs of a vCenter, what every source promises, and what becomes of the lines.

`bot.vsphere` reads logs through vCenter, `bot.ssh` through a shell; the three rooms are strangers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.hostlog.cursor import Line
from bot.hostlog.line import Gap, HostKey, LogLine
from bot.hostlog.roll import SourceKind


class HostLogReader(Protocol):
    """Reads hosts' logs. Every failure is an OutsideError whose text an operator can act on."""

    async def last_line(self, host: str, log: str) -> int:
        """The number of the last line there is now."""
        ...

    async def read(self, host: str, log: str, *, start: int, lines: int) -> tuple[int, Sequence[str]]:
        """The number of the last line of the file, and lines from `start` on, as many as the source gives at once."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """What one look at a log gave.

    `cursor` is where reading goes on, in the source's own words, to be kept with the lines. `gap`: lines may be missing
    before these, and why. `sieved`: these are candidates and their neighbours already; else they are all lines.
    `read` counts the lines that were looked at, `behind` is how much later than it was written the newest was read.
    """

    lines: Sequence[Line]
    cursor: str
    gap: str = ""
    sieved: bool = False
    read: int = 0
    behind: timedelta | None = None


class LogSource(Protocol):
    """A way to read logs of hosts that we go to. Syslog comes by itself: `Intake.push`."""

    @property
    def kind(self) -> SourceKind: ...

    def follow(self, host: HostKey, log: str, *, cursor: str) -> AsyncIterator[Batch]:
        """Read on for ever from `cursor`; from the end of the log with an empty one, which the first batch names.

        What cannot be read arrives once as a batch with a gap and the same cursor, and is tried again, at growing
        intervals, for ever. Nothing is raised but a defect. Each batch is taken before the next is asked for, so a
        batch may be as large as a bounded page, never larger. Closing the iterator frees everything.
        """
        ...

    def once(self, host: HostKey, log: str, *, since: timedelta) -> AsyncIterator[Batch]:
        """What was written lately, and then the end: for `coldmigrate watch --once`. Needs no Redis."""
        ...


@dataclass(frozen=True, slots=True)
class Watched:
    """One entry of the fleet's stream of candidate lines: what one look at one log gave. `id` orders all entries."""

    id: str
    host: HostKey
    log: str
    kind: SourceKind
    at: datetime
    items: Sequence[LogLine | Gap]


class Intake(Protocol):
    """Where lines go that were read: candidates and their neighbours into the fleet's stream, everything into counts.

    UnreachableError when Redis does not answer.
    """

    async def cursor(self, host: HostKey, log: str) -> str:
        """How far this log was read; empty if never."""
        ...

    async def take(self, host: HostKey, log: str, batch: Batch, *, kind: SourceKind, epoch: int) -> bool:
        """Keep a batch and its cursor, all or nothing. False: somebody else has this host now, and nothing was kept."""
        ...

    async def push(
        self,
        host: HostKey,
        log: str,
        lines: Sequence[Line],
        *,
        read: int,
        gap: str = "",
        throttled: int = 0,
        behind: timedelta | None = None,
        trouble: str = "",
        kind: SourceKind,
    ) -> None:
        """Keep what came by itself: candidates with their neighbours. Nobody owns that; what is sent twice comes twice.

        `read` counts the lines that came, these among them; `throttled` those that were dropped, because there were
        too many. `behind` is how much later than it was written the newest came, `trouble` what is wrong with the host
        though lines come. With neither lines nor a gap it is only counted.
        """
        ...


class WatchedLines(Protocol):
    """The fleet's stream of candidate lines. UnreachableError when Redis does not answer."""

    async def read(self, after: str, *, within: timedelta, limit: int = 200) -> Sequence[Watched]:
        """Entries after that one, oldest first; waits for the first of them at most `within`."""
        ...

    async def since(self, moment: datetime, *, until: str = "+", limit: int = 20_000) -> Sequence[Watched]:
        """What is still kept since then, up to and with the entry `until`: the newest `limit`, oldest first."""
        ...

    async def last_id(self) -> str:
        """The newest entry's id; "0-0" if there never was one."""
        ...

    async def keeps(self, entry: str) -> bool:
        """Whether that entry is still kept, and so all after it: the oldest make room for new ones."""
        ...


class Turn(Protocol):
    """Something that one process of the fleet does at a time."""

    async def serve(self, work: Callable[[str], Awaitable[None]]) -> None:
        """For ever: wait for the turn, and run `work(epoch)` while it lasts.

        `work` is cancelled before the lease can end; epochs only grow, and `shard:<name>` in Redis bears the latest, so
        a script that compares them refuses what an old one still sends. When `work` returns or raises an OutsideError
        the turn is given back, and stood for again after a moment.
        """
        ...


@dataclass(frozen=True, slots=True)
class HostTally:
    """How the watch of one host stands in this process, for metrics and `status`. Counts since the process began.

    A `host` of no vCenter ("/10.0.0.9") is a sender that is no host we know: only its `lines` mean something.
    """

    host: HostKey
    kind: SourceKind
    lines: int = 0
    candidates: int = 0
    gaps: int = 0
    throttled: int = 0
    heard_at: datetime | None = None
    behind: timedelta | None = None
    trouble: str = ""
    """Why it cannot be read now; empty while all is well."""

    every: timedelta | None = None
    """How long it is from one look to the next, where that is not as soon as something is written."""
