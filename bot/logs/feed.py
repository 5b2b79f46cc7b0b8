"""`LogFeed` for the fleet: any number of readers in any number of processes, one look at each log per interval.

Opening a log says that it is wanted and makes this process ready to be its reader; who reads is decided in Redis, and
everybody follows the stream that the elected one writes.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

from bot.hostlog.candidates import Keep
from bot.hostlog.line import Gap, HostKey, LogLine
from bot.logs.budget import CallBudget
from bot.logs.consumers import Consumers, Subscription
from bot.logs.journal import Journal, LogName, Standing, Want
from bot.logs.poller import LogPoller
from bot.logs.port import HostLogReader
from bot.store.client import Store

POLL_LOGS: Final = timedelta(seconds=2)
LEASE: Final = timedelta(seconds=10)
WANTED: Final = timedelta(seconds=30)
STAND_WITHIN: Final = timedelta(seconds=30)
KEPT_ENTRIES: Final = 10_000

logger = logging.getLogger(__name__)


class FleetLogFeed:
    """One process's part in the feed. Use it as `async with`, or `close` it; both end its readers and give up leases.

    `readers` are the vCenters this process can read logs through, by name. `keep` says which lines are candidates; it
    must be the same everywhere, because whoever is elected applies it for all; so must `calls_per_second`, what all
    processes together may ask of one vCenter (None: nothing is counted).
    """

    def __init__(
        self,
        store: Store,
        readers: Mapping[str, HostLogReader],
        *,
        keep: Keep,
        every: timedelta = POLL_LOGS,
        lease: timedelta = LEASE,
        wanted: timedelta = WANTED,
        stand_within: timedelta = STAND_WITHIN,
        calls_per_second: float | None = None,
    ) -> None:
        self._readers = readers
        self._budgets = {
            vcenter: CallBudget(store, vcenter, calls_per_second=calls_per_second)
            for vcenter in readers
            if calls_per_second is not None
        }
        self._keep = keep
        self._every = every
        self._renew = lease / 3
        self._patience = stand_within.total_seconds()
        owner = secrets.token_hex(8)
        self._journal = Journal(store, owner=owner, lease=lease, wanted=wanted, kept=KEPT_ENTRIES)
        self._consumers = Consumers(store, self._journal, refresh=wanted / 3, wanted=self._be_ready)
        self._pollers: dict[LogName, tuple[LogPoller, asyncio.Task[None]]] = {}
        self._moving: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def open(
        self, host: HostKey, log: str, *, since: datetime | None = None
    ) -> AsyncIterator[AsyncIterator[LogLine | Gap]]:
        """As `LogFeed` promises. UnreachableError when Redis does not answer."""
        name = LogName(host, log)
        standing = await self._journal.want(name, Want.OPEN)
        subscription = Subscription(name, _begin(standing, since))
        if standing.blind and not (since and datetime.now(since.tzinfo) - standing.blind_for >= since):
            subscription.tell_gap(standing.blind)
        with self._subscribed(subscription):
            if not standing.stands:
                await self._until_it_stands(subscription)
            yield subscription

    @asynccontextmanager
    async def watch(self, host: HostKey, log: str, *, after: str) -> AsyncIterator[Subscription]:
        """Read on from an entry of the log's stream, or from now for an empty one, as often as the budget allows.

        Nobody waits until the log is read: at a thousand hosts that may take a while, and a gap tells what is lost.
        UnreachableError when Redis does not answer.
        """
        name = LogName(host, log)
        standing = await self._journal.want(name, Want.RESUME, hurry=False)
        subscription = Subscription(name, after or standing.last_id, hurry=False, every=standing.every)
        if after and not standing.placed and not standing.blind:
            subscription.tell_gap("how far this log had been read was not known any more")
        if standing.blind and not after:
            subscription.tell_gap(standing.blind)
        if name.vcenter not in self._readers:
            subscription.tell_gap(f"no vCenter named {name.vcenter} is configured here")
        with self._subscribed(subscription):
            yield subscription

    @contextmanager
    def _subscribed(self, subscription: Subscription) -> Iterator[None]:
        self._consumers.add(subscription)
        try:
            self._be_ready(subscription.name)
            self._keep_moving()
            yield
        finally:
            self._consumers.remove(subscription)

    async def _until_it_stands(self, subscription: Subscription) -> None:
        """Wait for a reader to take its place; after too long, tell a gap instead of holding up a migration."""
        name = subscription.name
        ready = self._pollers.get(name)
        try:
            async with asyncio.timeout(self._patience if ready else self._every.total_seconds()):
                while not (await self._journal.want(name, Want.STAY)).stands:
                    await self._a_moment(ready[0] if ready else None)
        except TimeoutError:
            vcenter = "" if ready else f"; no vCenter named {name.vcenter} is configured here"
            subscription.tell_gap(f"nobody has begun to read it in time{vcenter}")

    async def _a_moment(self, poller: LogPoller | None) -> None:
        """Return when our own reader stands, or soon: it may be another process that does."""
        pause = min(0.2, self._every.total_seconds())
        if poller is None or poller.stood.is_set():
            await asyncio.sleep(pause)
            return
        try:
            await asyncio.wait_for(poller.stood.wait(), pause)
        except TimeoutError:
            return

    def _be_ready(self, name: LogName) -> None:
        """Have a reader of this log stand for election, if we can read it at all."""
        running = self._pollers.get(name)
        if running and not running[1].done():
            running[0].somebody_came()
            return
        if name.vcenter not in self._readers:
            return
        reader = self._readers[name.vcenter]
        poller = LogPoller(
            name,
            reader=reader,
            journal=self._journal,
            keep=self._keep,
            interval=self._every,
            budget=self._budgets.get(name.vcenter),
            renew=self._renew,
        )
        task = asyncio.create_task(poller.run(), name=f"log {name.host} {name.log}")
        task.add_done_callback(_tell_defect)
        self._pollers[name] = poller, task

    def _keep_moving(self) -> None:
        if self._moving is None or self._moving.done():
            self._moving = asyncio.create_task(self._consumers.run(), name="log consumers")

    async def close(self) -> None:
        """End everything that runs here. What others read goes on; they take over at once."""
        tasks = [task for _, task in self._pollers.values()]
        if self._moving is not None:
            tasks.append(self._moving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._pollers.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _tell_defect(task: asyncio.Task[None]) -> None:
    """Put a reader's unexpected end into the log; it is started again at the next refresh."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("the reader of a host log died", exc_info=error)


def _begin(standing: Standing, since: datetime | None) -> str:
    """Return the entry after which a new reader begins. The stream's ids are by the server's clock, without skew."""
    if since is None:
        return standing.last_id
    moment = since - standing.skew - timedelta(milliseconds=1)
    return f"{max(0, round(moment.timestamp() * 1000))}-0"
