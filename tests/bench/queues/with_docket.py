"""pydocket: a stream whose messages are claimed again to renew them.

Its saturated throughput is bounded by the pause between two looks, so that is a hundredth of what it comes with; and
a connection for each of a thousand sleepers.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from docket import Docket, Worker

from tests.bench.queues import wire


async def main() -> None:
    options = wire.options()
    drain = wire.Drain(options.drain)

    async def noop(_name: str, _seconds: float) -> None:
        drain.one()

    async def nap(name: str, seconds: float) -> None:
        wire.say("start", name)
        await asyncio.sleep(seconds)
        wire.say("end", name)

    async with Docket(name="bench", url=f"{options.url}?max_connections=1200", execution_ttl=timedelta(0)) as docket:
        docket.register(noop)
        docket.register(nap)
        if options.role == "feed":
            await wire.feed(lambda kind, name, seconds: docket.add(noop if kind == "noop" else nap)(name, seconds))
            return
        async with Worker(
            docket,
            concurrency=options.concurrency,
            redelivery_timeout=timedelta(seconds=options.lease),
            minimum_check_interval=timedelta(milliseconds=2.5),
        ) as worker:
            wire.say("ready", "worker")
            await worker.run_forever()


if __name__ == "__main__":
    asyncio.run(main())
