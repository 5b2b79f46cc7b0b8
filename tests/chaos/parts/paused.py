"""SIGSTOP for two leases, then SIGCONT (number 2 of the list): whoever wakes up late can write nothing any more.

What the sleepers try after waking is counted at the server itself, and each attempt has to come to nothing.
"""

from __future__ import annotations

import asyncio
import signal
from typing import Final

from tests.chaos.fleet import Employee
from tests.chaos.referee import judge
from tests.chaos.ring import Ring, ring
from tests.chaos.ring_world import LEASE
from tests.chaos.rows import Row, UnmeasuredError
from tests.chaos.stage import Stage
from tests.chaos.wiretap import Wiretap

NAME: Final = "paused"
WORKERS: Final = 5
SLEEPERS: Final = 3
"""At a time; the others do the work."""


async def run(stage: Stage) -> list[Row]:
    times = stage.many(50, 4)
    async with ring(stage, vms=stage.many(30, 15), rate="400 Mbit/s") as night:
        tap = Wiretap(night.people.orders)
        tapping = night.group.create_task(tap.listen(night.url), name="wiretap")
        for _ in range(WORKERS):
            await night.fleet.hire(replaced=True)
        pauses = _Pauses(night, times)
        async with night.crowd(stage.many(15, 8), lambda: pauses.left == 0):
            await night.within(stage.many(240, 60), "sleepers", pauses.all_slept())
        await night.fleet.dismiss_all()
        tapping.cancel()
        seen = await judge(night)
    if not tap.attempts or not tap.writes:
        raise UnmeasuredError("nobody who woke up late tried to write anything, so nothing could be refused")
    seen.breaches += tap.accepted
    did = {"SIGSTOPs": times, "stale writes": tap.attempts, "refused": tap.attempts - len(tap.accepted)}
    return [seen.row(NAME, {**did, **night.people.counted})]


class _Pauses:
    def __init__(self, night: Ring, times: int) -> None:
        self._night = night
        self.left = times
        self._asleep: set[Employee] = set()

    async def all_slept(self) -> None:
        await asyncio.gather(*(self._one_after_the_other() for _ in range(SLEEPERS)))

    async def _one_after_the_other(self) -> None:
        while self.left:
            await asyncio.sleep(self._night.dice.uniform(0.05, 1.0))
            worker = self._night.fleet.pick(self._night.dice)
            if worker is None or not await self._night.fleet.held_by(worker):
                continue  # there is nothing that it could write when it wakes up
            if worker in self._asleep or not self.left:
                continue  # another sleeper was faster meanwhile
            self.left -= 1
            self._asleep.add(worker)
            worker.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(2 * LEASE)
            worker.process.send_signal(signal.SIGCONT)
            await asyncio.sleep(LEASE / 2)
            self._asleep.discard(worker)
