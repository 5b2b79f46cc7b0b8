"""SIGKILL at random moments, over four workers, while everything else goes wrong as well (the list's number 1)."""

from __future__ import annotations

import asyncio
from typing import Final

from tests.chaos.referee import judge
from tests.chaos.ring import Ring, ring
from tests.chaos.rows import Row
from tests.chaos.stage import Stage

NAME: Final = "random"
WORKERS: Final = 4
FICKLE: Final = 0.015
TO_THE_END: Final = 60.0


async def run(stage: Stage) -> list[Row]:
    kills = stage.many(200, 8)
    async with ring(stage, vms=stage.many(30, 12), fickle=FICKLE) as night:
        for _ in range(WORKERS):
            await night.fleet.hire(replaced=True)
        weather = night.group.create_task(night.weather.blow())
        enough = asyncio.Event()
        vms = night.people.refs()
        people = [
            night.group.create_task(night.people.keeps_asking(vms[n :: len(vms) // 3], enough))
            for n in range(len(vms) // 3)
        ]
        await _kill(night, kills)
        weather.cancel()
        enough.set()
        await night.within(TO_THE_END, "jobs that have not ended", _all(people))
        await night.fleet.dismiss_all()
        seen = await judge(night)
    did = {"SIGKILLs": night.fleet.counted["at random"], **night.people.counted, **night.weather.counted}
    return [seen.row(NAME, did)]


async def _kill(night: Ring, times: int) -> None:
    while night.fleet.counted["at random"] < times:
        await asyncio.sleep(night.dice.uniform(0.3, 1.5))
        if (victim := night.fleet.pick(night.dice)) is not None:
            await night.fleet.kill(victim, "at random")


async def _all(people: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*people)
