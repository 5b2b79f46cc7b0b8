"""How soon an idle worker starts a job: from before `RedisQueue.draft` to inside the handler, one job at a time.

The peer is redis-py alone: from before LPUSH to after BLPOP, between the same two processes, in turns with ours. The
figure that counts has the worker in a process of its own; the one within a process shows what the second one costs.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, monotonic_ns
from typing import Final

import redis.asyncio as bare

from bot.jobs.port import Claim, NewJob
from bot.jobs.queue import RedisQueue
from bot.jobs.worker import Worker
from bot.migration.machine import Phase
from bot.store import embedded
from bot.store.client import Store, connect
from tests.bench.children import child
from tests.bench.figures import Figure, percentile
from tests.bench.noop_worker import KIND, LIST, consuming

NAME: Final = "queue"

JOBS: Final = 300
WARM_UP: Final = 20
LIMIT: Final = 5.0
BULK: Final = 2000
BULK_ROUNDS: Final = 3
IDLE: Final = (0.01, 0.03)  # seconds between two: long enough for the worker to have settled and to wait again
PATIENCE: Final = 10.0
PEER: Final = "redis-py LPUSH to BLPOP"


async def measure() -> list[Figure]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        url = stack.enter_context(embedded.start(folder / "valkey")).url
        store = await stack.enter_async_context(connect(url))
        redis = await stack.enter_async_context(bare.Redis.from_url(url))
        arrivals = Arrivals()
        async with listening(url, folder, arrivals):
            apart, apart_peer = await _in_turns(store, redis, arrivals)
        async with consuming(RedisQueue(store), url, arrived=arrivals.note):
            within, within_peer = await _in_turns(store, redis, arrivals)
        rates = [await _bulk(store, redis) for _ in range(BULK_ROUNDS)]
    return [
        Figure(name="queue.p50", value=_at(apart, 0.5), unit="ms").against(PEER, _at(apart_peer, 0.5)).below(LIMIT),
        Figure(name="queue.p99", value=_at(apart, 0.99), unit="ms").against(PEER, _at(apart_peer, 0.99)),
        Figure(name="queue.one process.p50", value=_at(within, 0.5), unit="ms").against(PEER, _at(within_peer, 0.5)),
        Figure(name="queue.one process.p99", value=_at(within, 0.99), unit="ms").against(PEER, _at(within_peer, 0.99)),
        Figure(name="queue.jobs a second", value=_at([ours for ours, _ in rates], 0.5), unit="no-ops/s").against(
            "BLPOP in a loop", _at([theirs for _, theirs in rates], 0.5)
        ),
    ]


def _at(sample: list[float], share: float) -> float:
    return percentile(sample, share)


@dataclass(slots=True)
class Arrivals:
    """When what arrived at a consumer, in nanoseconds of the machine's steady clock."""

    seen: dict[str, int] = field(default_factory=dict)
    grown: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, what: str, at: int) -> None:
        self.seen[what] = at
        self.grown.set()

    async def of(self, what: str) -> int:
        async with asyncio.timeout(PATIENCE):
            while what not in self.seen:
                self.grown.clear()
                await self.grown.wait()
        return self.seen.pop(what)


@asynccontextmanager
async def listening(url: str, folder: Path, arrivals: Arrivals) -> AsyncIterator[None]:
    """The consumers in a process of their own; what they say becomes arrivals."""
    async with child("no-op worker", "tests.bench.noop_worker", url, folder=folder) as process:
        assert process.stdout is not None
        reading = asyncio.create_task(_read(process.stdout, arrivals))
        try:
            await arrivals.of("ready")
            yield
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _read(lines: asyncio.StreamReader, arrivals: Arrivals) -> None:
    async for line in lines:
        what, at = line.split()
        arrivals.note(what.decode(), int(at))


async def _in_turns(store: Store, redis: bare.Redis, arrivals: Arrivals) -> tuple[list[float], list[float]]:
    """Milliseconds of each job and of each bare hand-off, one after the other, each after a moment of idleness."""
    queue = RedisQueue(store)
    number = 0

    async def job() -> str:
        return (await queue.draft(_new())).id

    async def hand_off() -> str:
        nonlocal number
        number += 1
        await redis.lpush(LIST, f"handoff-{number}")
        return f"handoff-{number}"

    ours, theirs = [], []
    for _ in range(WARM_UP + JOBS):
        ours.append(await _one(job, arrivals))
        theirs.append(await _one(hand_off, arrivals))
    print(f"queue: p50 {_at(ours, 0.5):.2f} ms, peer {_at(theirs, 0.5):.2f} ms", file=sys.stderr)
    return ours[WARM_UP:], theirs[WARM_UP:]


async def _one(enqueue: Callable[[], Awaitable[str]], arrivals: Arrivals) -> float:
    await asyncio.sleep(random.uniform(*IDLE))
    asked = monotonic_ns()
    what = await enqueue()
    return (await arrivals.of(what) - asked) / 1e6


def _new() -> NewJob:
    return NewJob(kind=KIND, vm_key="", requester="U0BENCH", channel="C0BENCH", data={})


async def _bulk(store: Store, redis: bare.Redis) -> tuple[float, float]:
    """Jobs a second that one worker claims, handles and ends, and items a second that BLPOP takes from a list."""
    queue = RedisQueue(store)
    for _ in range(BULK):
        await queue.draft(_new())
    ended = 0

    async def handle(claim: Claim) -> None:
        nonlocal ended
        await claim.move(Phase.FAILED, why="nothing to do")
        ended += 1
        if ended == BULK:
            worker.stop()

    worker = Worker(queue, "bench", {KIND: handle})
    started = monotonic()
    await worker.run()
    ours = BULK / (monotonic() - started)

    await redis.rpush(LIST, *range(BULK))
    started = monotonic()
    for _ in range(BULK):
        await redis.blpop([LIST], timeout=1)
    return ours, BULK / (monotonic() - started)
