"""Celery: its thread pool, late acknowledgement so that a killed worker's job is not lost, no results kept.

Its lease is the visibility time-out, swept for every second instead of every hundred.
"""

from __future__ import annotations

import asyncio
import time

from celery import Celery

from tests.bench.queues import wire


def main() -> None:
    options = wire.options()
    drain = wire.Drain(options.drain)
    app = Celery("bench", broker=options.url.replace("unix://", "redis+socket://"))
    app.conf.update(
        broker_transport_options={
            "visibility_timeout": options.lease,
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
        },
        task_acks_late=True,
        task_ignore_result=True,
        worker_redirect_stdouts=False,
        worker_hijack_root_logger=False,
    )

    @app.task(name="noop")
    def noop(_name: str, _seconds: float) -> None:
        drain.one()

    @app.task(name="nap")
    def nap(name: str, seconds: float) -> None:
        wire.say("start", name)
        time.sleep(seconds)
        wire.say("end", name)

    if options.role == "feed":

        async def enqueue(kind: str, name: str, seconds: float) -> None:
            (noop if kind == "noop" else nap).delay(name, seconds)

        asyncio.run(wire.feed(enqueue))
        return
    wire.say("ready", "worker")
    app.Worker(
        pool="threads",
        concurrency=options.concurrency,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel="ERROR",
        quiet=True,
    ).start()


if __name__ == "__main__":
    main()
