"""`bot.jobs` as the product uses it: the queue and the worker, with a handler as short as a job's."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta

from bot.jobs.ledger import CHECK_LANE
from bot.jobs.port import Claim, NewJob
from bot.jobs.queue import RedisQueue
from bot.jobs.worker import Worker
from bot.migration.machine import Phase
from bot.store.client import Store, connect
from tests.bench.queues import wire


async def work(store: Store, *, concurrency: int, lease: timedelta, drain: wire.Drain) -> None:
    async def handle(claim: Claim) -> None:
        if claim.job.kind == "noop":
            await claim.move(Phase.DONE, why="nothing to do")
            drain.one()
            return
        await _nap(claim)

    queue = RedisQueue(store, slots={CHECK_LANE: concurrency}, lease=lease)
    worker = Worker(queue, "ours", dict.fromkeys(("noop", "nap", "copy"), handle), concurrency=concurrency)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    wire.say("ready", "worker")
    await worker.run()


async def _nap(claim: Claim) -> None:
    name = claim.job.data["name"]
    if claim.taken_over:
        wire.say("taken", name)
    if claim.job.state is Phase.DRAFTED:
        if claim.job.kind == "copy":
            await claim.move(Phase.INTENT, why="about to start it")
        wire.say("start", name)
        await claim.move(Phase.ATTACHED, why="it runs")
    await asyncio.sleep(float(claim.job.data["seconds"]))
    wire.say("end", name)
    await claim.move(Phase.DONE, why="it ended")


async def feed(store: Store) -> None:
    queue = RedisQueue(store)

    async def enqueue(kind: str, name: str, seconds: float) -> None:
        data = {"name": name, "seconds": str(seconds)}
        await queue.draft(NewJob(kind=kind, vm_key="", requester="U0BENCH", channel="C0BENCH", data=data))

    await wire.feed(enqueue)


async def main() -> None:
    options = wire.options()
    async with connect(options.url) as store:
        if options.role == "feed":
            await feed(store)
        else:
            lease = timedelta(seconds=options.lease)
            await work(store, concurrency=options.concurrency, lease=lease, drain=wire.Drain(options.drain))


if __name__ == "__main__":
    asyncio.run(main())
