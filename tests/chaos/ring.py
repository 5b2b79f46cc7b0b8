"""One night on the ring: a vCenter, a Valkey, a queue, workers to be hired, people, and the weather.

A part opens one, does its worst, and has the referee judge what is left.
"""

from __future__ import annotations

import asyncio
import random
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot import settings as config_of
from bot.compose import queue_of
from bot.jobs.port import JobQueue
from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.store import embedded
from bot.store.client import Store, connect
from tests.chaos import ring_world
from tests.chaos.chronicle import Chronicle
from tests.chaos.fleet import Fleet, hired
from tests.chaos.patience import patient
from tests.chaos.people import People
from tests.chaos.rows import HungError, UnmeasuredError
from tests.chaos.stage import Stage
from tests.chaos.weather import Weather

PATIENCE: Final = 60.0


@dataclass(eq=False)
class Ring:
    """What a part works with."""

    stage: Stage
    folder: Path
    vcenter: VCenterPlayer
    url: str
    store: Store
    queue: JobQueue
    chronicle: Chronicle
    fleet: Fleet
    people: People
    weather: Weather
    group: asyncio.TaskGroup
    _skewed: timedelta = timedelta(0)

    @property
    def dice(self) -> random.Random:
        return self.stage.dice

    @asynccontextmanager
    async def crowd(self, size: int, enough: Callable[[], bool], *, patience: float = PATIENCE) -> AsyncIterator[None]:
        """People who ask for migrations during the block; after it, until it is enough, and until all has ended."""
        asking = [self.group.create_task(person) for person in self.people.crowd(size, enough)]
        yield
        await self.within(patience, "not every job has ended", _all(asking))
        await self.within(patience, "not every job has ended", self.people.all_ended())

    @asynccontextmanager
    async def storm(self) -> AsyncIterator[None]:
        """Bad weather during the block."""
        blowing = self.group.create_task(self.weather.blow(), name="weather")
        try:
            yield
        finally:
            blowing.cancel()
            await asyncio.wait({blowing})

    async def sees_to_it_that_nobody_leaves(self) -> None:
        """A worker that ends by itself ends the night: what is waited for might never come."""
        await self.fleet.strange.wait()
        raise HungError(", ".join(self.fleet.strange_ends))

    async def within(self, seconds: float, what: str, waiting: Awaitable[None]) -> None:
        """Wait for it. What does not come in time has hung, and the part has to say so as a breach."""
        try:
            async with asyncio.timeout(seconds):
                await waiting
        except TimeoutError:
            raise HungError(f"after {seconds:.0f} s still waiting: {what}") from None

    def pass_time(self, by: timedelta) -> None:
        """Move the queue's clock on, and wake who waits. Not for parts that measure how long something takes."""
        self._skewed += by
        _ask(self.url, "SET", "{cm}:clock-skew", str(round(self._skewed.total_seconds() * 1000)))
        _ask(self.url, "XADD", "{cm}:ev", "*", "job", "", "state", "", "by", "test", "why", "the clock moved")


@asynccontextmanager
async def ring(
    stage: Stage,
    *,
    vms: int,
    rate: str = "800 Mbit/s",
    fickle: float = 0.0,
    lease: float = ring_world.LEASE,
    slots: int = ring_world.SLOTS,
    redis: str = "",
) -> AsyncIterator[Ring]:
    """A new world with so many VMs, an empty Valkey, and nobody hired yet. Fair weather until `weather.blow`.

    `redis`: the URL of one that the part has started, and may take away: then whoever asks the queue asks again.
    """
    folder = stage.new_folder()
    async with AsyncExitStack() as stack:
        url = redis or stack.enter_context(embedded.start(folder / "valkey")).url
        world = ring_world.world(vms=vms, rate=rate, seed=stage.seed)
        running = await stack.enter_async_context(await play_world(world, folder / "world"))
        vcenter = running["east"]
        path = ring_world.config(vcenter, folder, lease=lease, slots=slots)
        secrets = {"VC_PASSWORD": vcenter.password, "REDIS_URL": url}
        store = await stack.enter_async_context(connect(url))
        queue: JobQueue = queue_of(config_of.load(path, secrets), store)
        if redis:
            queue = patient(queue)
        chronicle = Chronicle(queue)
        log = folder / "workers.log"
        fleet = await stack.enter_async_context(hired(Fleet(path, secrets, log, store, stage.nursery)))
        people = People(queue, vcenter, chronicle, stage.dice, fickle=fickle)
        group = await stack.enter_async_context(_background())
        this = Ring(
            *(stage, folder, vcenter, url, store, queue, chronicle, fleet, people),
            *(Weather(vcenter, stage.dice), group),
        )
        group.create_task(chronicle.keep(), name="chronicle")
        group.create_task(people.attends(), name="people")
        group.create_task(this.sees_to_it_that_nobody_leaves(), name="strange ends")
        try:
            yield this
        except Exception:
            if log.exists():
                sys.stderr.write(log.read_text(encoding="utf-8", errors="replace")[-6000:])
            raise


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks)


@asynccontextmanager
async def _background() -> AsyncIterator[asyncio.TaskGroup]:
    """Tasks that end with the block; one that fails ends the block."""

    class Over(Exception):  # noqa: N818 - an end, not an error
        pass

    async def end() -> None:
        raise Over

    try:
        async with asyncio.TaskGroup() as group:
            yield group
            group.create_task(end())
    except* Over:
        pass


def _ask(url: str, *words: str) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(url.removeprefix("unix://"))
        parts = [f"*{len(words)}\r\n", *(f"${len(word.encode())}\r\n{word}\r\n" for word in words)]
        connection.sendall("".join(parts).encode())
        if connection.recv(4096).startswith(b"-"):
            raise UnmeasuredError(f"the server refused {words[0]}")
