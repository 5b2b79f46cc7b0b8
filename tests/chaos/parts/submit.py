"""Twenty clients ask for one VM at the same moment (number 8 of the list): one job, and everybody is told which.

Each client has connections of its own, as twenty bots would; half of the questions come with the name of one delivery,
as Slack repeats a command, and what was made is cancelled or carried out before the next round.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack
from typing import Final

from bot.jobs.port import Drafted, NewJob
from bot.jobs.queue import RedisQueue
from bot.migration.request import MigrationRequest, SiteName, VmRef
from bot.operations.record import MIGRATE, with_request
from bot.store.client import connect
from tests.chaos.people import REQUESTERS, Order
from tests.chaos.referee import judge
from tests.chaos.ring import Ring, ring
from tests.chaos.ring_world import onward
from tests.chaos.rows import Row
from tests.chaos.stage import Stage

NAME: Final = "submit"
CLIENTS: Final = 20
WORKERS: Final = 2
CARRIED_OUT: Final = 0.2
PATIENCE: Final = 60.0


async def run(stage: Stage) -> list[Row]:
    rounds = stage.many(100, 10)
    breaches: list[str] = []
    async with AsyncExitStack() as stack, ring(stage, vms=1, rate="8 Gbit/s") as night:
        clients = [RedisQueue(await stack.enter_async_context(connect(night.url))) for _ in range(CLIENTS)]
        for _ in range(WORKERS):
            await night.fleet.hire()
        (vm,) = night.people.refs()
        for _ in range(rounds):
            breaches += await _round(night, clients, vm)
        await night.fleet.dismiss_all()
        seen = await judge(night)
    seen.breaches += breaches
    return [seen.row(NAME, {"rounds": rounds, "clients": CLIENTS})]


async def _round(night: Ring, clients: list[RedisQueue], vm: VmRef) -> list[str]:
    """All ask; one is the first."""
    source = night.vcenter.placement(vm.name).site
    data = with_request(MigrationRequest(vm=vm, site=SiteName(onward(source))))
    delivery = secrets.token_hex(8)
    asked = [
        client.draft(NewJob(MIGRATE, vm.key, night.dice.choice(REQUESTERS), "C0MIGRATE1", data, dedupe=name))
        for client, name in zip(clients, [delivery, ""] * (CLIENTS // 2), strict=True)
    ]
    told = await asyncio.gather(*asked)
    order = Order(told[0].id, vm.name, source, onward(source))
    night.people.orders[order.job] = order
    if night.dice.random() >= CARRIED_OUT:
        await night.people.cancels(order.job)
    await night.within(PATIENCE, "a job that never ends", _ended(night, order))
    return _wrongs(told)


def _wrongs(told: list[Drafted]) -> list[str]:
    jobs = {drafted.id for drafted in told}
    fresh = [drafted.fresh for drafted in told].count(True)
    if len(jobs) == 1 and fresh == 1:
        return []
    return [f"one VM was asked for by {len(told)} and became {', '.join(sorted(jobs))}, {fresh} of them new"]


async def _ended(night: Ring, order: Order) -> None:
    await night.chronicle.until(lambda: night.chronicle.has_ended(order.job))
