"""taskiq-redis: a stream with a consumer group. `idle_timeout` is its lease, and the lock of its sweep ends too."""

from __future__ import annotations

import asyncio

from taskiq.api import run_receiver_task
from taskiq_redis import RedisStreamBroker

from tests.bench.queues import wire


async def main() -> None:
    options = wire.options()
    drain = wire.Drain(options.drain)
    broker = RedisStreamBroker(
        options.url,
        consumer_id="0",  # so that what was enqueued before the first worker came is not skipped
        idle_timeout=int(options.lease * 1000),
        unacknowledged_lock_timeout=options.lease,
    )

    @broker.task(task_name="noop")
    async def noop(_name: str, _seconds: float) -> None:
        drain.one()

    @broker.task(task_name="nap")
    async def nap(name: str, seconds: float) -> None:
        wire.say("start", name)
        await asyncio.sleep(seconds)
        wire.say("end", name)

    if options.role == "feed":
        await broker.startup()
        await wire.feed(lambda kind, name, seconds: (noop if kind == "noop" else nap).kiq(name, seconds))
        return
    broker.is_worker_process = True
    wire.say("ready", "worker")
    await run_receiver_task(broker, max_async_tasks=options.concurrency, run_startup=True)


if __name__ == "__main__":
    asyncio.run(main())
