"""Clocks of others are moved while nobody knows whether a copy started: vCenter's back, Redis' ahead at a failover."""

from __future__ import annotations

import asyncio
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.compose import queue_of, store_of
from bot.migration.machine import Phase
from bot.operations.record import intent_of, with_intent
from bot.playground.vcenter.player import play_world
from bot.playground.world import World
from bot.store import keys
from tests.end_to_end.conftest import WORLD
from tests.end_to_end.plant import plant

SLOW, FAST = 20_000_000, 8_000_000_000


class Clock:
    """A clock that somebody sets back."""

    def __init__(self) -> None:
        self.back = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self.back


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def vcenter(tmp_path, clock):
    world = World.model_validate(tomllib.loads(WORLD))
    async with await play_world(world, tmp_path / "world", clock=clock) as world:
        yield world["east"]


async def test_a_call_that_vcenter_queued_before_its_intent_is_found(tmp_path, target, valkey_url, vcenter, clock):
    """The appliance was moved to another host, whose clock is behind."""

    def reached(point: str) -> None:
        if point == "after-intent":
            clock.back = timedelta(minutes=1)

    vcenter.set_link("site1", "site2", rate=SLOW)
    vcenter.drop_reply("RelocateVM_Task")
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        await stage.start_worker(reached=reached)
        await stage.inventory()
        await stage.type("/coldmigrate web01 site2")
        await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
        await stage.card(showing="copying")
        vcenter.set_link("site1", "site2", rate=FAST)
        await stage.card(showing="done")
    (relocation,) = vcenter.relocations
    assert relocation.op_id.endswith("-a1")


async def test_a_redis_that_is_ahead_does_not_end_the_time_in_which_a_call_may_arrive(
    tmp_path, target, valkey_url, vcenter, skew_clock
):
    """By the clock of the new primary the session was ended an hour ago; it was a moment."""
    vcenter.drop_request("RelocateVM_Task")
    async with plant(tmp_path, target, valkey_url) as stage, store_of(stage.settings) as store:
        worker = stage.settings.worker.model_copy(update={"lease_seconds": 600})  # which outlasts the leap of its clock
        stage.settings = stage.settings.model_copy(update={"worker": worker})
        await stage.start_bot()
        stop = await stage.start_worker()
        await stage.inventory()
        await stage.type("/coldmigrate web01 site2")
        await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
        job = await session_ended(queue_of(stage.settings, store))
        await stop()
        intent = intent_of(job)
        ahead = with_intent(replace(intent, ended=intent.ended - timedelta(hours=1), ended_by="the one before"))
        await store.hset(keys.job(job.id), "data.intent", ahead["intent"])
        await stage.start_worker()
        calls = vcenter.calls.get("CreateCollectorForTasks", 0)
        async with asyncio.timeout(20):
            await vcenter.until_called("CreateCollectorForTasks", calls + 3)
        assert vcenter.calls["RelocateVM_Task"] == 1
        skew_clock(timedelta(minutes=1))
        await stage.card(showing="done")
    (relocation,) = vcenter.relocations
    assert relocation.op_id.endswith("-a2")


async def session_ended(queue):
    """The only job, once the session that may have called is ended."""
    async with asyncio.timeout(20):
        while True:
            (job,) = await queue.recent()
            if job.state is Phase.UNKNOWN and intent_of(job).ended:
                return job
            await asyncio.sleep(0.05)
