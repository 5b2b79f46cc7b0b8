"""Watch the hosts' logs while a migration runs: collect candidate lines and gaps, count NFC errors, judge nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from bot.diagnosis.event import SourceLine
from bot.diagnosis.opid import same_operation
from bot.hostlog.line import Gap, HostKey, LogFeed, LogLine
from bot.migration.plan import Plan

KEPT_LINES: Final = 5_000
"""Candidate lines kept per migration; a host that writes more than that tells nothing new."""

Side = Literal["source", "destination"]


@dataclass(slots=True)
class LogWatch:
    """What the logs of both hosts said so far. Read it any time; it fills while the context is open."""

    op_id: str
    sides: dict[HostKey, Side]
    lines: deque[LogLine] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    gaps: list[Gap] = field(default_factory=list)
    nfc_errors: int = 0

    def take(self, item: LogLine | Gap) -> None:
        """Remember a line or a gap; a reason that was given already for this log is not repeated."""
        if isinstance(item, Gap):
            if all((g.host, g.log, g.reason) != (item.host, item.log, item.reason) for g in self.gaps):
                self.gaps.append(item)
            return
        self.lines.append(item)
        if "[NFC ERROR]" in item.text and same_operation(item.text, self.op_id):
            self.nfc_errors += 1

    def source_lines(self) -> list[SourceLine]:
        """Everything collected, as the diagnosis reads it."""
        return [
            SourceLine(
                file=f"{_short(line.host)} {line.log}.log",
                line=line.number,
                text=line.text,
                host=_short(line.host),
                side=self.sides[line.host],
            )
            for line in self.lines
        ]

    def read_sides(self) -> frozenset[str]:
        """The ends whose logs were all read without a gap, whether or not a line of them matters."""
        return frozenset(self.sides.values()) - {self.sides[gap.host] for gap in self.gaps}

    def unread(self) -> list[str]:
        """What could not be read, one sentence each."""
        return [f"{gap.log}.log of {_short(gap.host)}: {gap.reason}" for gap in self.gaps]


@asynccontextmanager
async def watching(
    feed: LogFeed, plan: Plan, *, op_id: str, logs: Sequence[str], since: datetime | None
) -> AsyncIterator[LogWatch]:
    """Open the logs of both hosts; yields once every feed stands, so that nothing written later is missed."""
    here = plan.request.vm.vcenter
    sides: dict[HostKey, Side] = {
        HostKey(f"{plan.target.vcenter or here}/{plan.target.host}"): "destination",
        HostKey(f"{here}/{plan.source.host}"): "source",
    }
    watch = LogWatch(op_id, sides)
    async with AsyncExitStack() as feeds:
        streams = [await feeds.enter_async_context(feed.open(host, log, since=since)) for host in sides for log in logs]
        readers = [asyncio.create_task(_read(stream, watch)) for stream in streams]
        try:
            yield watch
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)


async def _read(stream: AsyncIterator[LogLine | Gap], watch: LogWatch) -> None:
    async for item in stream:
        watch.take(item)


def _short(host: HostKey) -> str:
    return host.partition("/")[2]
