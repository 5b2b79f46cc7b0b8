"""Hundreds of jobs over five links under kills (number 9 of the list): no link ever has more than its slots.

How many ran at once is read from the start and the end of every task in vCenter, not from what Redis says of slots.
"""

from __future__ import annotations

import asyncio
from typing import Final

from tests.chaos.referee import judge
from tests.chaos.ring import ring
from tests.chaos.ring_world import SLOTS
from tests.chaos.rows import Row, UnmeasuredError
from tests.chaos.stage import Stage

NAME: Final = "links"
WORKERS: Final = 4
KILL: Final = "SIGKILLs"


async def run(stage: Stage) -> list[Row]:
    jobs = stage.many(200, 20)
    vms = stage.many(40, 20)
    async with ring(stage, vms=vms) as night:
        for _ in range(WORKERS):
            await night.fleet.hire(replaced=True)
        asked = night.people.orders
        async with night.crowd(vms, lambda: len(asked) >= jobs, patience=stage.many(120, 60)):
            while len(asked) < jobs:
                await asyncio.sleep(stage.dice.uniform(1, 4))
                if (victim := night.fleet.pick(stage.dice)) is not None:
                    await night.fleet.kill(victim, KILL)
        await night.fleet.dismiss_all()
        seen = await judge(night)
    if seen.peak < SLOTS:
        raise UnmeasuredError("no link was ever full, so nothing was kept from running")
    return [seen.row(NAME, {KILL: night.fleet.counted[KILL], "links": 5, "slots": SLOTS})]
