"""A process that reads a host's log for the fleet until it is killed. It says `stands` once it does."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

from bot.hostlog.line import HostKey
from bot.logs.feed import FleetLogFeed
from bot.store.client import connect
from bot.vsphere.vcenter import PyvmomiVCenter


async def main(told):
    vcenter = PyvmomiVCenter(
        "east", url=told["url"], user=told["user"], password=lambda: told["password"], ca_file=Path(told["ca_file"])
    )
    async with (
        connect(told["redis"]) as store,
        FleetLogFeed(
            store, {"east": vcenter}, keep=lambda text: "[NFC ERROR]" in text, every=timedelta(milliseconds=10)
        ) as feed,
        feed.open(HostKey(told["host"]), "vpxa") as items,
    ):
        print("stands", flush=True)
        async for item in items:
            print(json.dumps(item.text), flush=True)


asyncio.run(main(json.loads(sys.argv[1])))
