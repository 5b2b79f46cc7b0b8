"""A wall clock that is an hour wrong and jumps while its worker works (number 11 of the list): Redis' clock decides.

The worker's process really has a wrong clock (`wrong_clock`); nothing of the product is patched. Nobody dies here, so
each take-over is one too early.
"""

from __future__ import annotations

import asyncio
import re
import time
from datetime import timedelta
from typing import Final

from tests.chaos import wrong_clock
from tests.chaos.referee import judge
from tests.chaos.ring import Ring, ring
from tests.chaos.rows import Row, UnmeasuredError
from tests.chaos.stage import Stage

NAME: Final = "clocks"
LEASE: Final = 10.0
HOUR: Final = timedelta(hours=1)


async def run(stage: Stage) -> list[Row]:
    if not wrong_clock.possible():
        raise UnmeasuredError("no process here can be given a clock of its own")
    times = stage.many(20, 2)
    async with ring(stage, vms=15, lease=LEASE) as night:
        file = night.folder / "offset"
        wrong_clock.set_offset(file, HOUR)
        for _ in range(2):
            await night.fleet.hire(first=[("tests.chaos.wrong_clock", str(file))])
        await night.fleet.hire()
        jumped = 0
        async with night.crowd(8, lambda: jumped >= times):
            while jumped < times:
                await asyncio.sleep(stage.dice.uniform(1, 3))
                wrong_clock.set_offset(file, HOUR if jumped % 2 else -HOUR)
                jumped += 1
        await night.fleet.dismiss_all()
        seen = await judge(night)
    _were_wrong(night)
    early = [entry for entry in night.chronicle.entries if entry.taken_from]
    seen.breaches += [f"job {entry.job} was taken from {entry.taken_from}, which was at work" for entry in early]
    return [seen.row(NAME, {"workers an hour wrong": 2, "jumps of two hours": jumped}, early=len(early))]


def _were_wrong(night: Ring) -> None:
    """Both workers said what time it was for them; without that nothing was tried."""
    told = re.findall(r'"wrong_clock": (\d+)', night.fleet.log.read_text(encoding="utf-8"))
    if sum(int(moment) - time.time() > HOUR.total_seconds() / 2 for moment in told) < 2:
        raise UnmeasuredError("the workers' clocks were right after all")
