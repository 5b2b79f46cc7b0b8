"""What changes while a VM is prepared, moved and powered on: whose power is touched then, and who hears of it."""

from __future__ import annotations

import asyncio
import dataclasses
import tomllib
from datetime import UTC, datetime
from threading import Thread

import pytest

from bot.compose import queue_of, store_of
from bot.errors import UnreachableError
from bot.migration.request import JobId, SiteName
from bot.operations.trace import JobTrace, write
from bot.playground.vcenter.player import play_world
from bot.playground.world import World
from tests.end_to_end.conftest import WORLD
from tests.end_to_end.plant import ALICE, plant, text_of
from tests.end_to_end.test_before_and_after import ALLOWED, RIGHTS, approved

PLAY = '\n[play]\nguest_shutdown = "100 ms"\nnfc_patience = "200 ms"\n'


@pytest.fixture
async def vcenter(tmp_path):
    async with await play_world(World.model_validate(tomllib.loads(WORLD + PLAY)), tmp_path / "world") as world:
        yield world["east"]


@pytest.fixture
def at():
    """What happens when a worker reaches a point of its run, by the point."""
    return {}


@pytest.fixture
async def stage(tmp_path, target, valkey_url, at):
    allowed = dataclasses.replace(target, sites=target.sites + ALLOWED)
    async with plant(tmp_path, allowed, valkey_url, rights=RIGHTS) as running:
        await running.start_bot()
        await running.start_worker(reached=lambda point: at.get(point, lambda: None)())
        await running.inventory()
        yield running


async def test_a_vm_whose_card_came_to_another_network_is_not_powered_on(stage, vcenter, at):
    vm = vcenter.estate.vm("web01")

    def astray():
        vm.nics[0].network = next(n for n in vm.host.networks if n.name == "VM Network")

    at["verifying"] = astray
    await approved(stage, "web01 site2 --power-on")
    done = text_of(await stage.card(showing="done"))
    assert "not on 'dvpg-app-dr'" in done
    assert "web01 was not powered on" in done
    assert "PowerOnVM_Task" not in vcenter.calls


async def test_a_guest_is_not_shut_down_for_a_move_that_makes_way_for_a_forgotten_one(stage, vcenter, at):
    vm, key = vcenter.estate.vm("app01"), vcenter.estate.custom_fields.add("coldmigrate.job", "VirtualMachine").key
    forgotten = JobTrace(
        JobId("forgottn"),
        1,
        "a session",
        datetime.now(UTC),
        SiteName("site2"),
        ALICE,
        "",
        "",
        "esx-site2-01.example.net",
    )
    at["claimed"] = lambda: vm.custom.setdefault(key, write(forgotten))
    await approved(stage, "app01 site2 --shutdown")
    assert "by a job that Redis had forgotten" in text_of(await stage.card(showing="failed"))
    assert vm.power == "poweredOn"
    assert "ShutdownGuest" not in vcenter.calls


async def test_a_guest_that_was_not_asked_because_vcenter_went_away_is_asked_by_whoever_comes_next(stage, vcenter, at):
    def away():
        del at["before-shutdown"]
        raise UnreachableError("vCenter refuses connections.")

    at["before-shutdown"] = away
    await approved(stage, "app01 site2 --shutdown")
    await stage.card(showing="done")
    assert vcenter.calls["ShutdownGuest"] == 1


async def test_a_retry_of_what_was_shut_down_says_that_it_is_off(stage, vcenter):
    """It found the VM off, and knows nothing of the migration that shut it down."""
    await approved(stage, "web01 site2 --shutdown")
    assert "web01 is off." in text_of(await stage.card(showing="done"))


async def test_what_was_cancelled_too_late_is_not_powered_on(stage, vcenter, at):
    async def cancel():
        async with store_of(stage.settings) as store:
            queue = queue_of(stage.settings, store)
            (job,) = await queue.recent(limit=1)
            await queue.cancel(job.id, by=ALICE)

    def at_once():
        somebody = Thread(target=asyncio.run, args=(cancel(),))
        somebody.start()
        somebody.join()

    at["verifying"] = at_once
    await approved(stage, "web01 site2 --power-on")
    assert "web01 was not powered on: its migration was cancelled" in text_of(await stage.card(showing="done"))
    assert "PowerOnVM_Task" not in vcenter.calls


async def test_a_guest_is_not_shut_down_for_what_a_workers_config_does_not_allow(tmp_path, target, valkey_url, vcenter):
    allowed = dataclasses.replace(target, sites=f"{target.sites}{ALLOWED}drives = true\n")
    async with plant(tmp_path, allowed, valkey_url, rights=RIGHTS) as stage:
        await stage.start_bot()
        less = stage.settings.allow.model_copy(update={"drives": False})
        stage.settings = stage.settings.model_copy(update={"allow": less})
        await stage.start_worker()
        await stage.inventory()
        await approved(stage, "app01 site2 --shutdown --disconnect-iso")
        assert "set [allow] drives" in text_of(await stage.card(showing="failed"))
        assert vcenter.estate.vm("app01").power == "poweredOn"
