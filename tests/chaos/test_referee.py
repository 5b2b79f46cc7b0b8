"""The referee must be able to see what it is there for; the part `control` shows that it sees what workers do."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.jobs.port import CancelOutcome
from bot.playground.vcenter.universe import RelocationRecord
from tests.chaos.fleet import Death
from tests.chaos.people import Order
from tests.chaos.referee import PICKED_UP_WITHIN, judge
from tests.chaos.ring import Ring, ring
from tests.chaos.stage import Scale, stage


@asynccontextmanager
async def quiet_night() -> AsyncIterator[Ring]:
    """Nobody works in it. Not a fixture: a task group belongs to the task that opened it."""
    async with stage("referee", seed=7, scale=Scale.SHORT) as given, ring(given, vms=2) as night:
        yield night


async def ended(night) -> Order:
    """A job that was cancelled before anything began."""
    order = await night.people.asks(night.people.refs()[0])
    assert await night.people.cancels(order.job) is CancelOutcome.CANCELLED
    await night.chronicle.until(lambda: night.chronicle.has_ended(order.job))
    return order


async def test_nothing_is_held_against_a_quiet_night():
    async with quiet_night() as night:
        await ended(night)
        seen = await judge(night)
        assert (seen.jobs, seen.lost, seen.twice, seen.breaches) == (1, 0, 0, [])


async def test_a_job_that_never_ends_and_what_it_leaves_are_seen():
    async with quiet_night() as night:
        order = await night.people.asks(night.people.refs()[0])
        seen = await judge(night)
        assert seen.lost == 1
        assert f"job {order.job} of vm000 never ended: it is drafted, asked for" in seen.breaches
        assert any(breach.startswith("the key {cm}:vm:east:") for breach in seen.breaches)


async def test_an_acknowledged_job_that_is_gone_is_lost():
    async with quiet_night() as night:
        order = await ended(night)
        await night.store.execute_command("DEL", f"{{cm}}:job:{order.job}")
        assert (await judge(night)).breaches == [f"job {order.job} of vm000 is gone"]


async def test_a_cancel_that_nobody_asked_for_and_a_vm_elsewhere_are_seen():
    async with quiet_night() as night:
        order = await ended(night)
        night.people.cancelled.clear()
        night.people.orders[order.job] = Order(order.job, order.vm, "site5", "site1")
        told = f"job {order.job} of vm000 ended cancelled (cancelled before anything was started)"
        assert (await judge(night)).breaches == [
            f"{told}, and nobody had asked for that",
            f"{told}, and the VM is at site1",
        ]


async def test_every_second_call_is_seen_and_every_call_of_nobody():
    async with quiet_night() as night:
        order = await ended(night)
        for op_id in (f"cm-{order.job}-a1", f"cm-{order.job}-a1", "cm-aaaaaaaa-a1"):
            vm = night.vcenter.estate.vm(order.vm)
            record = RelocationRecord(
                vm.name, vm.instance_uuid, op_id, "s", "task-1", night.vcenter.estate.universe.clock()
            )
            night.vcenter.relocations.append(record)
        seen = await judge(night)
        assert seen.twice == 1
        assert any("before anything had started, and was relocated all the same" in breach for breach in seen.breaches)
        assert "a relocation cm-aaaaaaaa-a1 belongs to no job" in seen.breaches


async def test_a_late_pick_up_is_seen_and_one_that_never_comes():
    async with quiet_night() as night:
        order = await night.people.asks(night.people.refs()[0])
        await night.chronicle.until(lambda: order.job in night.chronicle.of_job)
        night.fleet.deaths.append(Death(time.time(), "SIGKILLs", {order.job: "vm-1-aa"}))
        assert f"job {order.job} was never taken over from vm-1-aa" in (await judge(night)).breaches
        await night.store.execute_command(
            *("XADD", "{cm}:ev", f"{round((time.time() + PICKED_UP_WITHIN + 1) * 1000)}-0"),
            *("job", order.job, "state", "drafted", "by", "vm-2-bb", "why", "taken over from vm-1-aa"),
        )
        await night.chronicle.until(lambda: bool(night.chronicle.of_job[order.job][-1].taken_from))
        assert any("were picked up after" in breach for breach in (await judge(night)).breaches)
