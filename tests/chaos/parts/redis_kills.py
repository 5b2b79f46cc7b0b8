"""Redis is killed and comes back on its data, and once stays away for a minute (number 3 of the list).

Everybody who asks is answered later; every worker has to be heard again within seconds of Redis' return, by itself.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Final

from bot.migration.machine import Phase
from tests.chaos.own_redis import OwnRedis, heard_again, late, own_redis, really_ended
from tests.chaos.referee import judge
from tests.chaos.ring import Ring, ring
from tests.chaos.rows import Row
from tests.chaos.stage import Stage

NAME: Final = "redis"
WORKERS: Final = 3
OUTAGE_LONG, OUTAGE_SHORT = 60.0, 2.0


async def run(stage: Stage) -> list[Row]:
    kills = stage.many(20, 2)
    outage = OUTAGE_LONG if stage.many(1, 0) else OUTAGE_SHORT
    with own_redis(stage.new_folder()) as redis:
        async with ring(stage, vms=stage.many(30, 10), redis=redis.url) as night:
            for _ in range(WORKERS):
                await night.fleet.hire()
            killed = 0
            back: list[float] = []
            clients: list[float] = []
            async with night.crowd(stage.many(10, 6), lambda: killed > kills, patience=90):
                for _ in range(kills):
                    await asyncio.sleep(stage.dice.uniform(0.5, 3))
                    await _goes_away(night, redis, stage.dice.uniform(0, 1), back, clients)
                    killed += 1
                await _something_runs(night)
                await _goes_away(night, redis, outage, back, clients)
                killed += 1
            await night.within(60, "jobs whose record never ends", really_ended(night))
            await night.fleet.dismiss_all()
            seen = await judge(night)
    seen.breaches += [*late(back), *late(clients, "a client of the bot's side")]
    measured = {"longest until a worker was back s": max(back), "a client": max(clients)}
    return [seen.row(NAME, {"SIGKILLs of Redis": kills, f"outage of {outage:.0f} s": 1}, **measured)]


async def _goes_away(night: Ring, redis: OwnRedis, seconds: float, back: list[float], clients: list[float]) -> None:
    """Down for so long, and up until everybody is heard again."""
    redis.kill()
    await asyncio.sleep(seconds)
    since = redis.come_back()
    begun = monotonic()
    workers = asyncio.create_task(heard_again(redis.url, night.fleet, since=since))
    await night.queue.recent()
    clients.append(monotonic() - begun)
    back += await workers


async def _something_runs(night: Ring) -> None:
    """Until a copy is in the middle of its way."""

    def runs() -> bool:
        return any(night.chronicle.state(job) == Phase.ATTACHED for job in night.people.orders)

    await night.within(60, "no copy runs", night.chronicle.until(runs))
