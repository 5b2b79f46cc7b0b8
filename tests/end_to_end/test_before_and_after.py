"""What is done to a VM around its move, shut down before, powered on after; and what a failed copy leaves to people."""

from __future__ import annotations

import asyncio
import dataclasses
import tomllib
from datetime import timedelta

import pytest

from bot.compose import queue_of, store_of
from bot.playground.vcenter.player import play_world
from bot.playground.world import World
from tests.end_to_end.conftest import WORLD
from tests.end_to_end.plant import ALICE, BOB, plant, text_of

ALLOWED = """
[allow]
shutdown = true
power_off = true
power_on = true
delete_leftovers = true
"""
RIGHTS = f"""who = ["user:{ALICE}", "user:{BOB}"]
may = ["power", "clean", "diagnose"]
[[rights]]
who = ["user:{ALICE}", "user:{BOB}"]"""
BUSY_GUEST = '\n[play]\nguest_shutdown = "1 h"\nnfc_patience = "200 ms"\n'


@pytest.fixture
def play():
    """How the players behave."""
    return '\n[play]\nguest_shutdown = "100 ms"\nnfc_patience = "200 ms"\n'


@pytest.fixture
async def vcenter(tmp_path, play):
    async with await play_world(World.model_validate(tomllib.loads(WORLD + play)), tmp_path / "world") as world:
        yield world["east"]


@pytest.fixture
async def stage(tmp_path, target, valkey_url):
    allowed = dataclasses.replace(target, sites=target.sites + ALLOWED)
    async with plant(tmp_path, allowed, valkey_url, rights=RIGHTS) as running:
        await running.start_bot()
        await running.start_worker()
        await running.inventory()
        yield running


async def approved(stage, line: str):
    await stage.type(f"/coldmigrate {line}")
    card = await stage.card(showing="waiting for approval")
    await stage.click(card, "cm.approve")
    return card


async def test_a_running_vm_is_shut_down_moved_and_powered_on(stage, vcenter):
    await approved(stage, "app01 site2 --shutdown --power-on")
    done = text_of(await stage.card(showing="done"))
    assert "app01 is on." in done
    assert vcenter.estate.vm("app01").power == "poweredOn"
    assert vcenter.calls["ShutdownGuest"] == 1
    assert vcenter.calls["PowerOnVM_Task"] == 1


async def test_without_power_on_it_says_that_it_is_off(stage, vcenter):
    await approved(stage, "app01 site2 --shutdown")
    assert "app01 is off: this migration shut it down." in text_of(await stage.card(showing="done"))
    assert vcenter.estate.vm("app01").power == "poweredOff"


async def test_behind_a_hold_it_runs_on(stage, vcenter):
    await stage.type("/coldmigrate hold site1 site2 the provider works on it")
    await stage.card(showing="is held")
    await stage.type("/coldmigrate app01 site2 --shutdown")
    card = await stage.card(showing="waiting for approval", number=1)
    await stage.click(card, "cm.approve")
    await stage.card(showing="is held", number=1)
    assert vcenter.estate.vm("app01").power == "poweredOn"
    assert vcenter.calls.get("ShutdownGuest", 0) == 0


@pytest.mark.parametrize("play", [BUSY_GUEST])
async def test_a_guest_that_does_not_go_down_is_a_persons_decision(stage, vcenter, skew_clock):
    card = await approved(stage, "app01 site2 --shutdown")
    await stage.card(showing="Shutting down the guest")
    skew_clock(timedelta(minutes=11))
    asked = await stage.reply(card, saying="Powering it off hard is like pulling its plug")
    assert vcenter.estate.vm("app01").power == "poweredOn"
    await stage.click(asked, "cm.wait-on")
    await stage.card(showing="Shutting down the guest")
    skew_clock(timedelta(minutes=22))
    asked = await stage.until(lambda: _second(stage, card))
    await stage.click(asked, "cm.power-off")
    await stage.card(showing="done")
    assert vcenter.calls["PowerOffVM_Task"] == 1


def _second(stage, card):
    thread = stage.slack.person.thread("#migrations", card["ts"])[1:]
    asked = [message for message in thread if "pulling its plug" in text_of(message)]
    return asked[1] if len(asked) > 1 else None


@pytest.mark.parametrize("play", [BUSY_GUEST])
async def test_cancelled_while_it_asks_it_says_what_was_done_to_the_vm(stage, vcenter, skew_clock):
    card = await approved(stage, "app01 site2 --shutdown")
    await stage.card(showing="Shutting down the guest")
    skew_clock(timedelta(minutes=11))
    await stage.reply(card, saying="pulling its plug")
    await stage.click(card, "cm.cancel")
    said = text_of(await stage.card(showing="cancelled"))
    assert "This migration asked its guest to shut down" in said
    assert "RelocateVM_Task" not in vcenter.calls


async def test_after_a_failure_the_vm_is_powered_on_at_its_source_with_a_click(stage, vcenter):
    card = await approved(stage, "db01 site2")
    await stage.card(showing="failed")
    said = await stage.reply(card, saying="A retry starts at 0 %")
    assert "Left behind" in text_of(said)
    await stage.click(said, "cm.measure")
    await stage.reply(card, saying="Measured from esx-site1-02.example.net to esx-site2-01.example.net")
    await stage.until(lambda: _picture(stage, card))
    await stage.click(said, "cm.power-on-source")
    await stage.reply(card, saying="db01 is on, at its source")
    assert vcenter.estate.vm("db01").power == "poweredOn"


def _picture(stage, card):
    thread = stage.slack.person.thread("#migrations", card["ts"])
    return any("-link-" in file["name"] for message in thread for file in message.get("files") or ())


async def test_leftovers_are_deleted_once_the_list_was_confirmed(stage, vcenter):
    card = await approved(stage, "db01 site2")
    await stage.card(showing="failed")
    said = await stage.reply(card, saying="which no registered VM has")
    await stage.click(said, "cm.delete-leftovers")
    listed = await stage.reply(card, saying="They are deleted for good if you confirm")
    assert "db01" in text_of(listed)
    assert "DeleteVirtualDisk_Task" not in vcenter.calls
    await stage.click(listed, "cm.delete-leftovers")
    assert "Deleted" in text_of(await stage.reply(card, saying="Deleted"))
    await stage.click(listed, "cm.delete-leftovers")
    await stage.reply(card, saying="Nothing is left of db01")


async def test_where_somebody_has_written_since_the_copy_failed_nothing_is_offered_for_deletion(stage, vcenter):
    card = await approved(stage, "db01 site2")
    await stage.card(showing="failed")
    said = await stage.reply(card, saying="which no registered VM has")
    left = vcenter.datastore("ds-c2-01").orphans
    left[:] = [dataclasses.replace(one, at=one.at + timedelta(minutes=11)) for one in left]  # brought over by hand
    await stage.click(said, "cm.delete-leftovers")
    told = await stage.reply(card, saying="Nothing was deleted: somebody has written there")
    assert "db01/db01.vmdk" in text_of(told)
    assert "cm.delete-leftovers" not in str(told)


async def test_what_was_clicked_while_vcenter_was_away_is_not_done_hours_later(stage, vcenter, skew_clock):
    """By then somebody may have brought the VM up from a backup, and two of it are worse than none."""
    card = await approved(stage, "db01 site2")
    await stage.card(showing="failed")
    said = await stage.reply(card, saying="A retry starts at 0 %")
    await vcenter.go_down()
    await stage.click(said, "cm.power-on-source")
    async with store_of(stage.settings) as store, asyncio.timeout(20):
        while not await queue_of(stage.settings, store).recent(limit=1, live_only=True):
            await asyncio.sleep(0.05)
    skew_clock(timedelta(hours=2))
    await vcenter.come_up()
    await stage.reply(card, saying="That was asked for 2 h 00 min ago")
    assert vcenter.estate.vm("db01").power == "poweredOff"
