"""A cancel in every state a job can be in (number 10 of the list): it ends cancelled or done, and the VM agrees."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final

from bot.migration.machine import Phase
from tests.chaos.chronicle import Entry
from tests.chaos.referee import judge
from tests.chaos.ring import Ring, ring
from tests.chaos.rows import Row
from tests.chaos.stage import Stage

NAME: Final = "cancels"
STATES: Final = (
    *(Phase.DRAFTED, Phase.CHECKING, Phase.PLANNED, Phase.QUEUED),
    *(Phase.INTENT, Phase.UNKNOWN, Phase.ATTACHED, Phase.VERIFYING),
)
LOST: Final = 0.3


async def run(stage: Stage) -> list[Row]:
    times = stage.many(20, 2)
    async with ring(stage, vms=stage.many(40, 20)) as night:
        night.weather.lost = LOST
        night.weather.late = False
        night.weather.drops = False
        for _ in range(2):
            await night.fleet.hire()
        minds = _Minds(night, times)
        night.chronicle.heard.append(minds.hears)
        changing = night.group.create_task(minds.change(), name="changing minds")
        async with night.crowd(stage.many(20, 10), minds.done), night.storm():
            await night.within(stage.many(240, 60), "states that no job came to", night.chronicle.until(minds.done))
        changing.cancel()
        await night.fleet.dismiss_all()
        seen = await judge(night)
    return [seen.row(NAME, {f"in {state}": minds.counted[state] for state in STATES})]


class _Minds:
    """Each job is cancelled at most once, in a state that still lacks some."""

    def __init__(self, night: Ring, times: int) -> None:
        self._night = night
        self._times = times
        self._changed: set[str] = set()
        self._orders: asyncio.Queue[str] = asyncio.Queue()
        self.counted: Counter[str] = Counter()

    def hears(self, entry: Entry) -> None:
        wanted = entry.state in STATES and self.counted[entry.state] < self._times and entry.job not in self._changed
        late = entry.state in {Phase.UNKNOWN, Phase.VERIFYING}
        # Half of those who could be cancelled early go on, or nobody would ever come to the late states.
        if wanted and (late or self._night.dice.random() < 0.3):
            self._changed.add(entry.job)
            self.counted[entry.state] += 1
            self._orders.put_nowait(entry.job)

    async def change(self) -> None:
        while True:
            await self._night.people.cancels(await self._orders.get())

    def done(self) -> bool:
        return all(self.counted[state] >= self._times for state in STATES)
