"""A bot's inventory in a process of its own, and people who type.

Run as `python -m tests.bench.typing_bot REDIS_URL type`; with `ping` they only ask Redis whether it is there. Nothing
is imported here that a bot does not need; what it says in the end is for the part `inventory`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import thread_time
from typing import Any, Final

from bot.migration.request import VCenterName
from bot.store.client import connect
from bot.vsphere.inventory_store import RedisInventory
from tests.bench.open_loop import open_loop

VMS: Final = 20_000
QUESTIONS: Final = 20.0
MEASURED: Final = timedelta(seconds=17)
TICK: Final = 0.005
EAST: Final = VCenterName("east")
KINDS: Final = ("web", "app", "db", "cache")


def vm_name(number: int) -> str:
    return f"{KINDS[number % 4]}-prod-{number:05}"


async def type_ahead(redis_url: str) -> dict[str, Any]:
    """Answer what people type, as the bot's process does; how long it took, and how long the loop was kept busy."""
    before = peak_of("self")
    async with connect(redis_url) as store:
        inventory, loop = RedisInventory(store, [EAST]), Loop()
        ticking = asyncio.create_task(loop.tick())
        following = asyncio.create_task(inventory.run())
        await inventory.suggest("")
        loading = max(loop.busy)
        loop.busy.clear()

        async def ask(number: int) -> bool:
            return bool(await inventory.suggest(_typed(number), limit=100))

        count = int(MEASURED.total_seconds() * QUESTIONS)
        shots = await open_loop(ask, per_second=QUESTIONS, count=count)
        for task in (ticking, following):
            task.cancel()
        await asyncio.gather(ticking, following, return_exceptions=True)
    return {
        "latencies": [shot.latency for shot in shots],
        "empty": sum(not shot.answer for shot in shots),
        "generator": [shot.lateness for shot in shots],
        "busy": loop.busy,
        "loading": loading,
        "grown": peak_of("self") - before,
    }


def _typed(number: int) -> str:
    """What somebody has typed so far: the beginning of a name, a part of one, or one with a mistake."""
    name = vm_name(number * 37 % VMS)
    match number % 5:
        case 0:
            return name.replace("prod", "prdo")
        case 1:
            return name[-5:]
        case cut:
            return name[: 4 * cut - 4]


@dataclass(slots=True)
class Loop:
    """For how many ms of CPU the loop did other things between two ticks: at least as long as it ever stood still.

    In CPU, because on a busy machine every loop stands still, whatever is done on it.
    """

    busy: list[float] = field(default_factory=list)

    async def tick(self) -> None:
        before = thread_time()
        while True:
            await asyncio.sleep(TICK)
            now = thread_time()
            self.busy.append((now - before) * 1000)
            before = now


def peak_of(pid: int | str) -> float:
    """The most memory that a process ever had, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


async def echoed(redis_url: str) -> dict[str, Any]:
    """The least that can be done for people at the same pace: Redis is asked whether it is there."""
    async with connect(redis_url) as store:

        async def ask(_number: int) -> bool:
            return bool(await store.ping())

        shots = await open_loop(ask, per_second=QUESTIONS, count=int(MEASURED.total_seconds() * QUESTIONS))
    return {"latencies": [shot.latency for shot in shots]}


if __name__ == "__main__":
    taken = asyncio.run((type_ahead if sys.argv[2] == "type" else echoed)(sys.argv[1]))
    print(json.dumps(taken), flush=True)
    sys.stdin.read()  # until whoever asked has read that
