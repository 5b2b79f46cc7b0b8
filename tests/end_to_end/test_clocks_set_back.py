"""Clocks of others are moved while nobody knows whether a copy started: vCenter's back, Redis' ahead at a failover."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta

import pytest

from bot.playground.vcenter.player import play_world
from bot.playground.world import World
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
