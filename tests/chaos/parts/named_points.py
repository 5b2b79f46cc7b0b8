"""SIGKILL at every named point of a run (number 1 of the list): where a call is about to be made, was made, has ended.

At most points a worker ends itself. While it polls and while it finds out what a dead one did, it is killed from
outside, by what the queue tells; such a kill counts only if the job was found in that very state afterwards.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final

from bot.migration.machine import Phase
from bot.migration.request import JobId
from tests.chaos.chronicle import Entry
from tests.chaos.referee import judge
from tests.chaos.ring import Ring, ring
from tests.chaos.rows import Row, UnmeasuredError
from tests.chaos.stage import Stage

NAME: Final = "points"
POINTS: Final = (
    *("claimed", "before-intent", "after-intent", "after-submit", "attached"),
    *("verifying", "before-finish", "after-finish"),
)
POLLING, TAKING_OVER = "polling", "taking over"
MORTALS: Final = 4
SESSION: Final = "the session that may have called is ended"
LOOK_EVERY: Final = 0.05


async def run(stage: Stage) -> list[Row]:
    times = stage.many(20, 1)
    async with ring(stage, vms=stage.many(30, 12)) as night:
        points = _Points(night, times)
        night.chronicle.heard.append(points.hears)
        await night.fleet.hire(replaced=True)
        async with night.crowd(stage.many(10, 6), points.done):
            await points.work(until=asyncio.get_running_loop().time() + stage.many(240, 60))
            night.chronicle.heard.remove(points.hears)
            await night.fleet.hire(replaced=True)
        await night.fleet.dismiss_all()
        seen = await judge(night)
    did = {point: points.counted[point] for point in (*POINTS, POLLING, TAKING_OVER)}
    return [seen.row(NAME, did, SIGKILLs=len(night.fleet.deaths))]


class _Points:
    """Who has to die where, until every point has had enough."""

    def __init__(self, night: Ring, times: int) -> None:
        self._night = night
        self._times = times
        self._wanted: asyncio.Queue[tuple[str, Entry]] = asyncio.Queue()
        self._outside: Counter[str] = Counter()

    @property
    def counted(self) -> Counter[str]:
        return Counter({p: self._night.fleet.counted[p] for p in POINTS}) + self._outside

    def done(self) -> bool:
        return not any(self._missing(point) for point in (*POINTS, POLLING, TAKING_OVER))

    def hears(self, entry: Entry) -> None:
        """At the moment in which a worker begins what it is to be killed in."""
        if entry.state == Phase.UNKNOWN and entry.why.startswith(SESSION) and self._missing(TAKING_OVER):
            self._wanted.put_nowait((TAKING_OVER, entry))
        if entry.state == Phase.ATTACHED and self._missing(POLLING):
            self._wanted.put_nowait((POLLING, entry))

    async def work(self, *, until: float) -> None:
        """Until every point has had enough. A point that nobody comes to is not a kill that was survived."""
        while not self.done():
            if asyncio.get_running_loop().time() > until:
                raise UnmeasuredError(f"there was no time for all points: {dict(self.counted)}")
            await self._staff()
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    point, entry = await self._wanted.get()
            except TimeoutError:
                continue
            await self._strike(point, entry)

    async def _staff(self) -> None:
        """As many workers that will die somewhere as there have to be, at the points that lack most."""
        mortals = [worker.options[1] for worker in self._night.fleet.living if "--die-at" in worker.options]
        for _ in range(MORTALS - len(mortals)):
            lacking = [p for p in POINTS if self._missing(p) > mortals.count(p)]
            if not lacking:
                return
            point = max(lacking, key=lambda p: (self._missing(p) - mortals.count(p), self._night.dice.random()))
            mortals.append(point)
            await self._night.fleet.hire("--die-at", point)

    async def _strike(self, point: str, entry: Entry) -> None:
        worker = self._night.fleet.called(entry.by)
        if worker is None or not self._missing(point):
            return
        if point == POLLING:
            await asyncio.sleep(self._night.dice.uniform(0.1, 0.5))
        await self._night.fleet.kill(worker, "SIGKILLs from outside")
        job = await self._night.queue.get(JobId(entry.job))
        if job is not None and job.state == entry.state and job.owner == entry.by:
            self._outside[point] += 1

    def _missing(self, point: str) -> int:
        return max(self._times - self.counted[point], 0)
