"""Jobs that kill every worker that takes them up (number 14 of the list): given up after so many, and the others go on.

No clock is moved: that would end the leases of healthy neighbours, too. In the short form the poison is written down as
having killed most of its workers already.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from bot.jobs.queue import MOST_CLAIMS
from bot.migration.machine import Phase
from bot.store import keys
from tests.chaos.chronicle import Entry
from tests.chaos.fleet import Employee
from tests.chaos.referee import judge
from tests.chaos.ring import Ring, ring
from tests.chaos.rows import Row
from tests.chaos.stage import Stage

NAME: Final = "poison"
WORKERS: Final = 3
DEATHS: Final = "SIGKILLs"


async def run(stage: Stage) -> list[Row]:
    neighbours, earlier = stage.many(20, 4), stage.many(0, MOST_CLAIMS - 2)
    async with ring(stage, vms=neighbours + 2, rate="8 Gbit/s") as night:
        vms = night.people.refs()
        before_start, after_start = vms[0], vms[1]
        poison = _Poison(night, {before_start.name: Phase.CHECKING, after_start.name: Phase.ATTACHED}, earlier=earlier)
        night.chronicle.heard.append(poison.hears)
        for _ in range(WORKERS):
            await night.fleet.hire(replaced=True)
        night.vcenter.set_link("site2", "site3", rate=1_000_000)  # where the second one is copied, for ever
        orders = [await night.people.asks(vm) for vm in (before_start, after_start)]
        for order in orders:  # a worker may have had it before it was known whose job that is
            for entry in night.chronicle.of_job.get(order.job, ()):
                poison.hears(entry)
        for vm in vms[2:]:
            if night.vcenter.placement(vm.name).site != "site2":  # or it would wait on the slow link
                await night.people.asks(vm)
        poisoned = {order.job for order in orders}
        await night.within(stage.many(200, 90), "poison that nobody gives up", _all_ended(night, poisoned))
        night.vcenter.set_link("site2", "site3", rate=8_000_000_000)
        await night.within(60, "neighbours of poison that never end", night.people.all_ended())
        poison.is_over = True
        await night.fleet.dismiss_all()
        dead = await night.store.execute_command("ZRANGE", keys.DEAD, 0, -1)
        seen = await judge(night, excused=poisoned, pickups=False)
    if {*dead} != poisoned:
        seen.breaches.append(f"given up were {sorted(dead)}, and poison are {sorted(poisoned)}")
    deaths = night.fleet.counted[DEATHS]
    return [
        seen.row(NAME, {"poison jobs": 2, DEATHS: deaths}, **{"claims allowed": MOST_CLAIMS, "written down": earlier})
    ]


async def _all_ended(night: Ring, jobs: Collection[str]) -> None:
    await night.chronicle.until(lambda: all(map(night.chronicle.has_ended, jobs)))


class _Poison:
    """Kills whoever has a job of these VMs that has come to its state, in the moment that this is heard."""

    def __init__(self, night: Ring, deadly: dict[str, Phase], *, earlier: int) -> None:
        self.is_over = False
        self._night = night
        self._earlier = earlier
        self._aged: set[str] = set()
        self._deadly = deadly

    def hears(self, entry: Entry) -> None:
        order = self._night.people.orders.get(entry.job)
        if self.is_over or order is None or entry.state != self._deadly.get(order.vm):
            return
        worker = self._night.fleet.called(entry.by)
        if worker is not None:
            self._night.group.create_task(self._strike(worker, entry.job), name="poison")

    async def _strike(self, worker: Employee, job: str) -> None:
        if not worker.dismissed:  # or the other poison has killed it
            await self._night.fleet.kill(worker, DEATHS)
        if self._earlier and job not in self._aged:
            self._aged.add(job)
            await self._night.store.execute_command("HSET", keys.job(job), "claims", self._earlier)
