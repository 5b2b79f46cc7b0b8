"""Follows the logs of the hosts that are this watcher's: one task for each log, none of which can harm another.

What a source gives goes to the intake, batch by batch. A follower stops when its shard goes or the intake refuses it;
whatever else befalls it, it begins again, after growing pauses, where the intake says that it had been.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, cast

from bot.errors import OutsideError
from bot.hostlog.line import HostKey
from bot.hostlog.roll import Roll, SourceKind, WatchedHost
from bot.logs.intake import RedisIntake
from bot.logs.port import Batch, LogSource
from bot.logs.rendezvous import shard_of
from bot.logs.shards import Shards

LOOK_EVERY: Final = timedelta(seconds=2)
STARTS_A_SECOND: Final = 100
"""A watcher that gets a thousand hosts must not dial them all in the same second."""

STOP_WITHIN: Final = 3.0
"""A source that does not end holds nobody up; what it may still give, the epoch keeps out."""

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
_NOT_FOLLOWED: Final = frozenset({SourceKind.SYSLOG, SourceKind.NONE})

logger = logging.getLogger(__name__)
Name = tuple[HostKey, str]


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be followed, how, and by which right."""

    host: HostKey
    log: str
    source: LogSource
    epoch: int


class Watcher:
    """One watcher of the fleet. `run` it, and `close` it to hand over at once; the intake's `run` is not run here.

    `roll` is asked again and again for the hosts there are. `sources` has the source of each `WatchedHost.source`.
    """

    def __init__(
        self,
        *,
        roll: Callable[[], Roll],
        sources: Mapping[int | None, LogSource],
        logs: Sequence[str],
        intake: RedisIntake,
        shards: Shards,
        look_every: timedelta = LOOK_EVERY,
        starts_a_second: float = STARTS_A_SECOND,
    ) -> None:
        self._roll = roll
        self._sources = sources
        self._logs = logs
        self._intake = intake
        self._shards = shards
        self._look_every = look_every.total_seconds()
        self._pace = _Pace(1 / starts_a_second)
        self._following: dict[Name, tuple[_Order, asyncio.Task[None]]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._closing = False

    @property
    def following(self) -> Collection[Name]:
        """The logs that are followed here now."""
        return [name for name, (_, task) in self._following.items() if not task.done()]

    async def run(self) -> None:
        """Until `close`."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._shards.run(self), name="shards")
                group.create_task(self._keep_up(), name="hosts that are watched")
        finally:
            await self._stop(list(self._following))

    async def close(self) -> None:
        """Finish with every host, and leave all of them to others at once."""
        self._closing = True
        self._changed.set()
        await self._shards.close(self)

    def gained(self, shards: Mapping[int, int]) -> None:
        """As `Holder` promises."""
        logger.debug("%d shards are this watcher's from now on", len(shards))
        self._changed.set()

    async def let_go(self, shards: Collection[int]) -> None:
        """As `Holder` promises: what was read is kept, with the place, when this returns."""
        names = list(self._of(shards))
        await self._stop(names)
        hosts = {host for host, _ in names}
        with suppress(OutsideError):  # then the next owner reads a little again in which nothing was found
            await self._intake.settle(hosts)
        self._intake.leave(hosts)

    def lost(self, shards: Collection[int]) -> None:
        """As `Holder` promises."""
        names = list(self._of(shards))
        self._cancel(names)
        self._intake.leave({host for host, _ in names})
        self._changed.set()

    async def _keep_up(self) -> None:
        while not self._closing:
            self._changed.clear()
            await self._follow_what_is_ours()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_every):
                    await self._changed.wait()

    async def _follow_what_is_ours(self) -> None:
        orders = {(order.host, order.log): order for order in self._orders()}
        over = [name for name, (order, _) in self._following.items() if orders.get(name) != order]
        gone = {host for host, log in over if (host, log) not in orders}
        await self._stop(over)
        if gone:
            await self._leave(gone)
        for name, order in orders.items():
            # One that is there and done was refused: it waits for another epoch.
            if name not in self._following and self._shards.held.get(shard_of(order.host)) == order.epoch:
                task = asyncio.create_task(self._follow(order), name=f"watch {order.host} {order.log}")
                self._following[name] = order, task

    async def _leave(self, hosts: Collection[HostKey]) -> None:
        with suppress(OutsideError):
            await self._intake.settle(hosts)
        self._intake.leave(hosts)

    def _orders(self) -> Iterator[_Order]:
        for host in self._roll().hosts.values():
            epoch = self._shards.held.get(shard_of(host.key))
            if epoch is None or host.kind in _NOT_FOLLOWED:
                continue
            source = self._sources.get(host.source)
            if source is None:
                self._intake.tallies.trouble(host.key, host.kind, _nobody_reads(host))
                continue
            yield from (_Order(host.key, log, source, epoch) for log in self._logs)

    def _of(self, shards: Collection[int]) -> Iterator[Name]:
        wanted = frozenset(shards)
        return (name for name in list(self._following) if shard_of(name[0]) in wanted)

    def _cancel(self, names: Iterable[Name]) -> list[asyncio.Task[None]]:
        tasks = [self._following.pop(name)[1] for name in names if name in self._following]
        for task in tasks:
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        return tasks

    async def _stop(self, names: Iterable[Name]) -> None:
        if tasks := self._cancel(names):
            await asyncio.wait(tasks, timeout=STOP_WITHIN)

    async def _follow(self, order: _Order) -> None:
        """Until it is refused or cancelled."""
        pause = FIRST_PAUSE
        while True:
            await self._pace.turn()
            try:
                async with aclosing(self._taken(order)) as answers:
                    async for taken in answers:
                        if not taken:
                            return
                        pause = FIRST_PAUSE
                trouble = "the source came to an end"
            except OutsideError as error:
                trouble = str(error)
            except Exception:
                logger.exception("following %s of %s failed", order.log, order.host)
                trouble = "reading it failed in a way that is a defect of ours; the log of this process has the details"
            self._intake.tallies.trouble(order.host, order.source.kind, trouble)
            await asyncio.sleep(pause * _share(order))
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _taken(self, order: _Order) -> AsyncGenerator[bool, None]:
        """For each batch, whether it was kept."""
        cursor = await self._intake.cursor(order.host, order.log)
        source = order.source
        batches = cast("AsyncGenerator[Batch, None]", source.follow(order.host, order.log, cursor=cursor))
        async with aclosing(batches):
            async for batch in batches:
                yield await self._intake.take(order.host, order.log, batch, kind=source.kind, epoch=order.epoch)


class _Pace:
    """Lets one through, and then the next after a moment."""

    def __init__(self, apart: float) -> None:
        self._apart = apart
        self._free_at = 0.0

    async def turn(self) -> None:
        now = asyncio.get_running_loop().time()
        mine = max(now, self._free_at)
        self._free_at = mine + self._apart
        if mine > now:
            await asyncio.sleep(mine - now)


def _share(order: _Order) -> float:
    """Between a half and one, another for each log: what failed together must not come back together."""
    return 0.5 + hash((order.host, order.log)) % 1000 / 2000


def _nobody_reads(host: WatchedHost) -> str:
    return f"no source of kind {host.kind} is at hand here (number {host.source} of [[sources]])"
