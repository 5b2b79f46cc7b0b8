"""dramatiq: threads. Its lease is the worker's heartbeat, looked at by chance: with two commands of a hundred here."""

from __future__ import annotations

import asyncio
import signal
import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from tests.bench.queues import wire


def main() -> None:
    options = wire.options()
    drain = wire.Drain(options.drain)
    broker = RedisBroker(
        url=f"{options.url}?max_connections=2000", heartbeat_timeout=int(options.lease * 1000), maintenance_chance=2000
    )
    dramatiq.set_broker(broker)

    @dramatiq.actor
    def noop(_name: str, _seconds: float) -> None:
        drain.one()

    @dramatiq.actor
    def nap(name: str, seconds: float) -> None:
        wire.say("start", name)
        time.sleep(seconds)
        wire.say("end", name)

    if options.role == "feed":

        async def enqueue(kind: str, name: str, seconds: float) -> None:
            (noop if kind == "noop" else nap).send(name, seconds)

        asyncio.run(wire.feed(enqueue))
        return
    dramatiq.Worker(broker, worker_threads=options.concurrency).start()
    wire.say("ready", "worker")
    signal.pause()


if __name__ == "__main__":
    main()
