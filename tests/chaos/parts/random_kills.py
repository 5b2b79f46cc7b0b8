"""SIGKILL at random moments, over four workers, while everything else goes wrong as well (number 1 of the list)."""

from __future__ import annotations

import asyncio
from typing import Final

from tests.chaos.referee import judge
from tests.chaos.ring import ring
from tests.chaos.rows import Row
from tests.chaos.stage import Stage

NAME: Final = "random"
WORKERS: Final = 4
FICKLE: Final = 0.015
KILL: Final = "SIGKILLs"


async def run(stage: Stage) -> list[Row]:
    times = stage.many(200, 8)
    async with ring(stage, vms=stage.many(30, 12), fickle=FICKLE) as night:
        for _ in range(WORKERS):
            await night.fleet.hire(replaced=True)
        killed = night.fleet.counted
        async with night.crowd(stage.many(10, 4), lambda: killed[KILL] >= times), night.storm():
            while killed[KILL] < times:
                await asyncio.sleep(stage.dice.uniform(0.3, 1.5))
                if (victim := night.fleet.pick(stage.dice)) is not None:
                    await night.fleet.kill(victim, KILL)
        await night.fleet.dismiss_all()
        seen = await judge(night)
    return [seen.row(NAME, {**killed, **night.people.counted, **night.weather.counted})]
