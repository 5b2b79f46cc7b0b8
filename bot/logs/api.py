"""Hosts' logs through vCenter, as a source of the watch: by way of the feed, so that a job shares its reader.

The cursor is the entry of the log's stream that was read last. What comes is sieved already, whoever read it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.errors import OutsideError
from bot.hostlog.cursor import Line
from bot.hostlog.line import Gap, HostKey, LogLine
from bot.hostlog.roll import SourceKind
from bot.logs.feed import FleetLogFeed
from bot.logs.port import Batch, HostLogReader

SIGN_EVERY: Final = timedelta(seconds=10)
"""Where nothing is found, this often it is said that the log is read all the same."""

MOST_AT_ONCE: Final = 500
_PAGE: Final = 500
_PAGES_BACK: Final = 100
_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")

Polled = Callable[[HostKey, timedelta], None]


class ApiSource:
    """`LogSource` for hosts that are read through their vCenter. `polled` is told how far apart two looks are.

    Without a feed there is only `once`.
    """

    def __init__(
        self,
        feed: FleetLogFeed | None,
        readers: Mapping[str, HostLogReader],
        *,
        polled: Polled = lambda _host, _every: None,
        sign_every: timedelta = SIGN_EVERY,
    ) -> None:
        self._feed = feed
        self._readers = readers
        self._polled = polled
        self._sign_every = sign_every

    @property
    def kind(self) -> SourceKind:
        return SourceKind.API

    async def follow(self, host: HostKey, log: str, *, cursor: str) -> AsyncIterator[Batch]:
        """As `LogSource` promises; the feed tells each gap once and tries again by itself."""
        if self._feed is None:
            raise ValueError("an ApiSource without a feed follows nothing")
        async with self._feed.watch(host, log, after=cursor) as items:
            place = cursor or items.after
            while True:
                found = await items.some(within=self._sign_every, limit=MOST_AT_ONCE)
                for batch in _batches(found, place):
                    place = batch.cursor
                    yield batch
                if not found and not items.blind:
                    yield Batch((), place, sieved=True)
                if items.every:
                    self._polled(host, items.every)

    async def once(self, host: HostKey, log: str, *, since: timedelta) -> AsyncIterator[Batch]:
        """As `LogSource` promises; by the times in the lines."""
        vcenter, _, name = host.partition("/")
        reader = self._readers.get(vcenter)
        if reader is None:
            yield Batch((), "", gap=f"no vCenter named {vcenter} is configured here")
            return
        try:
            last = await reader.last_line(name, log)
            start = await _first_since(reader, name, log, last=last, moment=datetime.now(UTC) - since)
            while start <= last:
                _, texts = await reader.read(name, log, start=start, lines=_PAGE)
                lines = [Line(number, text) for number, text in enumerate(texts, start=start)]
                if not lines:
                    return
                start += len(lines)
                yield Batch(lines, str(start - 1), read=len(lines))
        except OutsideError as error:
            yield Batch((), "", gap=str(error))


async def _first_since(reader: HostLogReader, host: str, log: str, *, last: int, moment: datetime) -> int:
    """The number of a line not long before the first of that time: from the end back, a page at a time."""
    start = max(1, last - _PAGE + 1)
    for _ in range(_PAGES_BACK):
        _, texts = await reader.read(host, log, start=start, lines=1)
        stamp = _STAMP.search(texts[0]) if texts else None
        if start == 1 or (stamp and datetime.fromisoformat(stamp[0]).replace(tzinfo=UTC) < moment):
            return start
        start = max(1, start - _PAGE)
    return start


def _batches(found: Iterable[tuple[str, LogLine | Gap]], place: str) -> Iterator[Batch]:
    """A batch has one gap at most, and that before its lines. What is not in the stream moves no cursor."""
    lines: list[Line] = []
    gap = ""
    for entry, item in found:
        if isinstance(item, Gap):
            if lines or gap:
                yield _batch(lines, place, gap)
            lines, gap = [], item.reason
        else:
            lines.append(Line(item.number, item.text))
        place = entry or place
    if lines or gap:
        yield _batch(lines, place, gap)


def _batch(lines: Sequence[Line], place: str, gap: str) -> Batch:
    return Batch(tuple(lines), place, gap=gap, sieved=True, read=len(lines))
