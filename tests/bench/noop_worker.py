"""A worker whose jobs do nothing, and beside it the bare hand-off of redis-py: what `parts/queue.py` measures.

Run as `python -m tests.bench.noop_worker URL`, it says on standard output when each job and each hand-off arrived:
its id and `time.monotonic_ns`, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic_ns
from typing import Final

import redis.asyncio as bare

from bot.jobs.port import Claim, JobQueue
from bot.jobs.queue import RedisQueue
from bot.jobs.worker import Worker
from bot.migration.machine import Phase
from bot.store.client import connect

KIND: Final = "noop"
LIST: Final = "bench:handoff"  # beside our keys, which all begin with a prefix
_END: Final = "end"

Arrived = Callable[[str, int], None]
"""Told the id of what arrived, and when."""


@asynccontextmanager
async def consuming(queue: JobQueue, url: str, *, arrived: Arrived) -> AsyncIterator[None]:
    """Both consumers run in this process, each waiting for its own."""

    async def handle(claim: Claim) -> None:
        arrived(claim.job.id, monotonic_ns())
        await claim.move(Phase.CHECKING, why="nothing to check")
        await claim.move(Phase.FAILED, why="nothing to do")

    worker = Worker(queue, "bench", {KIND: handle})
    redis = bare.Redis.from_url(url, decode_responses=True, socket_timeout=None)
    tasks = [asyncio.create_task(worker.run()), asyncio.create_task(_pop(redis, arrived))]
    try:
        yield
    finally:
        worker.stop()
        await redis.lpush(LIST, _END)  # not cancelled: on Python 3.11 a BLPOP that is just being sent would not notice
        await asyncio.gather(*tasks)
        await redis.aclose()


async def _pop(redis: bare.Redis, arrived: Arrived) -> None:
    while (found := await redis.blpop([LIST], timeout=0)) and found[1] != _END:
        arrived(str(found[1]), monotonic_ns())


async def main(url: str) -> None:
    def say(what: str, at: int) -> None:
        print(what, at, flush=True)

    async with connect(url) as store, consuming(RedisQueue(store), url, arrived=say):
        print("ready", monotonic_ns(), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
