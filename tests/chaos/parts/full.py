"""Redis has no memory left, and its disk is full (number 15 of the list): what cannot be kept is refused in words.

Copies go on in vCenter meanwhile, leases end, and nobody can write that he took a job over; once there is room again
everything has to end as if nothing had been.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

from bot.errors import OutsideError
from bot.jobs.port import NewJob
from bot.jobs.queue import RedisQueue
from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.store.client import Store, connect
from tests.chaos.own_redis import OwnRedis, own_redis, really_ended
from tests.chaos.referee import judge
from tests.chaos.ring import Ring, ring
from tests.chaos.ring_world import LEASE
from tests.chaos.rows import Row, UnmeasuredError
from tests.chaos.stage import Stage

NAME: Final = "full"
WORKERS: Final = 2
PATIENCE: Final = 60.0
ASK_EVERY: Final = 0.2
NOTICED: Final = 1.5
"""Seconds in which a server notices that its disk is full."""
MEMORY: Final = "is full and took nothing"
DISK: Final = "cannot write to its disk and takes no writes"


async def run(stage: Stage) -> list[Row]:
    if sys.platform != "linux":
        raise UnmeasuredError("nobody else's files can be limited here")
    return [await _filled(stage, "memory", MEMORY), await _filled(stage, "disk", DISK)]


async def _filled(stage: Stage, what: str, sentence: str) -> Row:
    """Full again and again while people ask and workers work; longer than a lease each time."""
    times = stage.many(8, 1)
    full = 0
    refusals: list[str] = []
    taken: list[JobId] = []
    with own_redis(stage.new_folder()) as redis:
        async with ring(stage, vms=stage.many(20, 8), redis=redis.url) as night, connect(redis.url) as store:
            for _ in range(WORKERS):
                await night.fleet.hire()
            async with night.crowd(stage.many(10, 6), lambda: full >= times):
                for _ in range(times):
                    await night.within(PATIENCE, "no copy runs", night.chronicle.until(lambda: _copies(night)))
                    await asyncio.sleep(stage.dice.uniform(0, 1))
                    async with _no_memory(store) if what == "memory" else _no_disk(redis):
                        early = await _ask(store, stage.dice.uniform(LEASE, 2 * LEASE), refusals, taken)
                    full += 1
                    for job in early:
                        await night.queue.cancel(job, by="U0DAVE0001")
                    await asyncio.sleep(stage.dice.uniform(0.5, 2))
            await night.within(PATIENCE, "jobs whose record never ends", really_ended(night))
            await night.fleet.dismiss_all()
            seen = await judge(night)
    if not refusals:
        raise UnmeasuredError("nobody asked for anything while Redis was full")
    seen.breaches += [f"a refusal did not say why: {told}" for told in refusals if sentence not in told]
    seen.breaches += [f"something was acknowledged as job {job} by a Redis that was full" for job in taken]
    return seen.row(f"{NAME}.{what}", {"times full": times, "refused in words": len(refusals)})


def _copies(night: Ring) -> bool:
    return any(night.chronicle.state(job) == Phase.ATTACHED for job in night.people.orders)


async def _ask(store: Store, seconds: float, refusals: list[str], taken: list[JobId]) -> list[JobId]:
    """Somebody goes on asking for so long. A full disk is noticed when it is written to: what was taken by then."""
    queue = RedisQueue(store)
    begun = monotonic()
    unwanted: list[JobId] = []
    while (now := monotonic() - begun) < seconds:
        new = NewJob("nothing", vm_key="", requester="U0DAVE0001", channel="", data={}, dedupe=secrets.token_hex(8))
        try:
            drafted = await queue.draft(new)
        except OutsideError as refusal:
            refusals.append(str(refusal))
        else:
            if now > NOTICED:
                taken.append(drafted.id)
            else:
                unwanted.append(drafted.id)
        await asyncio.sleep(ASK_EVERY)
    return unwanted


@asynccontextmanager
async def _no_memory(store: Store) -> AsyncIterator[None]:
    await store.execute_command("CONFIG", "SET", "maxmemory", 1)
    try:
        yield
    finally:
        await store.execute_command("CONFIG", "SET", "maxmemory", 0)


@asynccontextmanager
async def _no_disk(redis: OwnRedis) -> AsyncIterator[None]:
    redis.set_largest_file(0)
    try:
        yield
    finally:
        redis.set_largest_file(None)
