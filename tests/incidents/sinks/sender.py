"""A watcher's process that serves one played PagerDuty, and kills itself where a test says."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from bot.incidents.sinks.calling import open_http
from bot.incidents.sinks.pagerduty import PagerDutySink
from bot.operations.escalate import escalate_for_ever
from bot.store.client import connect
from tests.incidents.sinks.stage import tools_of


def die(_point: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def main(redis_url: str, events_url: str, routing_key: str) -> None:
    async with connect(redis_url) as store, open_http() as http:
        sink = PagerDutySink("pagerduty", http, routing_key=routing_key, events_url=events_url)
        await escalate_for_ever(tools_of(store, reached=die), sink)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
