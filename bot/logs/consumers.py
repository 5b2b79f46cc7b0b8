"""Everybody in this process who reads a log: one waiting read on Redis serves them all.

It also says, as long as somebody reads a log here, that the log is wanted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from bot.errors import OutsideError
from bot.hostlog.line import Gap, LogLine
from bot.logs.journal import GAP, Journal, LogName, Want
from bot.store import keys
from bot.store.client import Store

AFTER_FAILURE = 1.0
Item = LogLine | Gap

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Subscription(AsyncIterator[Item]):
    """One reader of one log, and the last entry of the stream that it was given.

    `hurry`: it is there for a job or a diagnosis, and not only for the watch. `every` and `blind` are how the log was
    read when that was last asked: the time between two looks, and why it cannot be read.
    """

    name: LogName
    after: str
    hurry: bool = True
    every: timedelta = timedelta(0)
    blind: str = ""
    stream: str = field(init=False)
    _items: asyncio.Queue[tuple[str, Item] | None] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.stream = keys.feed(*self.name.arguments)

    def give(self, item: Item, entry: str = "") -> None:
        """`entry` is the item's in the stream, if it is there."""
        self._items.put_nowait((entry, item))

    async def some(self, *, within: timedelta, limit: int) -> Sequence[tuple[str, Item]]:
        """What there is to read, each with its entry; waits for the first of it at most `within`."""
        found: list[tuple[str, Item]] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                while (given := await self._items.get()) is not None:
                    found.append(given)
                    if len(found) >= limit or self._items.empty():
                        break
        return found

    def tell_gap(self, reason: str) -> None:
        """Give a gap that is not in the stream."""
        self.give(Gap(self.name.host, self.name.log, reason, datetime.now(UTC)))

    def end(self) -> None:
        """Let the iteration end once what was given has been read."""
        self._items.put_nowait(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        given = await self._items.get()
        if given is None:
            self._items.put_nowait(None)  # it stays ended
            raise StopAsyncIteration
        return given[1]


class Consumers:
    """All subscriptions of a process. `run` moves entries to them; it returns when there are none."""

    def __init__(
        self, store: Store, journal: Journal, *, refresh: timedelta, wanted: Callable[[LogName], None]
    ) -> None:
        self._store = store
        self._journal = journal
        self._refresh = refresh.total_seconds()
        self._wanted = wanted  # told at every refresh, so that a reader which stopped meanwhile is started again
        self._subscriptions: list[Subscription] = []
        self._changed = asyncio.Event()
        self._failing = False

    def add(self, subscription: Subscription) -> None:
        self._subscriptions.append(subscription)
        self._changed.set()

    def remove(self, subscription: Subscription) -> None:
        self._subscriptions.remove(subscription)
        subscription.end()
        self._changed.set()

    async def run(self) -> None:
        """Serve while there are subscriptions."""
        clock = asyncio.get_running_loop().time
        due = clock() + self._refresh  # opening has just said that it is wanted
        while self._subscriptions:
            self._changed.clear()
            try:
                if clock() >= due:
                    await self._stay_wanted()
                    due = clock() + self._refresh
                await self._move(within=max(due - clock(), 0.001))
                self._failing = False
            except OutsideError as error:
                if not self._failing:
                    log.warning("host logs are not followed at the moment: %s", error)
                self._failing = True
                await asyncio.sleep(AFTER_FAILURE)
            except Exception:  # all readers of this process depend on this one
                log.exception("host logs are not followed for a moment")
                await asyncio.sleep(AFTER_FAILURE)

    async def _stay_wanted(self) -> None:
        readers: defaultdict[LogName, list[Subscription]] = defaultdict(list)
        for subscription in self._subscriptions:
            readers[subscription.name].append(subscription)
        await asyncio.gather(*(self._stays_wanted(name, of_log) for name, of_log in readers.items()))

    async def _stays_wanted(self, name: LogName, readers: Sequence[Subscription]) -> None:
        standing = await self._journal.want(name, Want.STAY, hurry=any(reader.hurry for reader in readers))
        for reader in readers:
            reader.every, reader.blind = standing.every, standing.blind
        self._wanted(name)

    async def _move(self, *, within: float) -> None:
        """Wait for entries, or until somebody comes or goes."""
        places: dict[Any, Any] = dict(self._places())
        if not places:
            return  # the last of them left while it was said that they are wanted
        reading = asyncio.ensure_future(
            self._store.blocking.xread(places, block=max(1, round(within * 1000)), count=500)
        )
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({reading, changed}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                self._dispatch(reading.result() or [])
        finally:
            for waiting in (reading, changed):
                waiting.cancel()
            await asyncio.gather(reading, changed, return_exceptions=True)

    def _places(self) -> dict[str, str]:
        """Map each stream to the entry after which somebody still needs it."""
        places: dict[str, str] = {}
        for subscription in self._subscriptions:
            after = subscription.after
            places[subscription.stream] = min(places.get(subscription.stream, after), after, key=_order)
        return places

    def _dispatch(self, found: Any) -> None:
        readers: defaultdict[str, list[Subscription]] = defaultdict(list)  # a watcher reads a thousand logs
        for subscription in self._subscriptions:
            readers[subscription.stream].append(subscription)
        for stream, entries in found:
            for entry_id, fields in entries:
                for reader in readers[stream]:
                    if _order(entry_id) > _order(reader.after):
                        reader.after = entry_id
                        reader.give(_item(reader.name, fields), entry_id)


def _item(name: LogName, fields: dict[str, str]) -> Item:
    at = datetime.fromtimestamp(int(fields["at"]) / 1000, UTC)
    if fields["kind"] == GAP:
        return Gap(name.host, name.log, fields["text"], at)
    return LogLine(name.host, name.log, int(fields["number"]), fields["text"], at)


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence)
