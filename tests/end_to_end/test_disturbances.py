"""Whatever breaks at whichever point of a run: it ends where both sides agree, nothing is done twice, somebody is told.

Each row of a table is one migration with the options that touch the VM before and after its move, and one disturbance
that strikes it at a named point. The player is the referee: it knows what was really moved and switched on.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import secrets
import ssl
import tomllib

import pytest

from bot.compose import store_of
from bot.migration.machine import Phase
from bot.operations.record import approved_plan
from bot.playground.vcenter.collector import DEFAULT_COLLECTOR, Collector
from bot.playground.vcenter.player import play_world
from bot.playground.world import World
from bot.vsphere.wire import colons
from tests.end_to_end.conftest import WORLD
from tests.end_to_end.disturbed import (
    OPTIONS,
    PATIENCE,
    QUICK,
    disturbed,
    far_target,
    guests,
    powered_on,
    relocations,
    sites,
)
from tests.end_to_end.plant import text_of
from tests.severing import severing
from tests.worlds import TWO_VCENTERS

BEFORE = ("claimed", "before-shutdown", "after-shutdown", "guest-off", "before-intent", "before-call")
AFTER = ("verifying", "before-power-on", "after-power-on", "before-finish")
POINTS = (*BEFORE, "after-submit", "attached", *AFTER)
ROUNDS = 2
"""A run is struck at every second point, and the next one at the others."""


@pytest.fixture
async def vcenter(tmp_path):
    world = World.model_validate(tomllib.loads(WORLD + guests(4) + QUICK))
    async with await play_world(world, tmp_path / "world") as playing:
        yield playing["east"]


@pytest.fixture
async def stage(tmp_path, target, valkey_url, skew_clock):
    async with disturbed(tmp_path, target, valkey_url, skew_clock) as running:
        yield running


def lose_collectors(vcenter):
    """Every collector that somebody made is gone, and with it what it was to watch; the sessions live on."""
    for session in vcenter.estate.sessions.all():
        for ref, thing in list(session.objects.items()):
            if isinstance(thing, Collector) and ref != DEFAULT_COLLECTOR:
                thing.destroy()
                del session.objects[ref]
    vcenter.estate.inventory.changes.touch()


DISTURBANCES = {
    "sessions end": (lambda vcenter: vcenter.expire_sessions(), POINTS),
    "collectors are gone": (lose_collectors, POINTS),
    "certificate is renewed": (lambda vcenter: vcenter.switches.renew_certificate(), POINTS),
    "vCenter restarts": (lambda vcenter: vcenter.switches.restart_vcenter(), (*BEFORE, *AFTER)),
}


def arrived(vcenter, vm, job):
    """Moved once, switched on once, and told."""
    assert job.state is Phase.DONE, job.data
    assert f"{vm} is on." in job.data["outcome"]
    assert [one for one in relocations(vcenter, vm=vm) if one == "success"] == ["success"]
    assert (sites(vcenter, vm=vm), powered_on(vcenter, vm=vm)) == (["site2"], 1)


@pytest.mark.parametrize("disturbance", DISTURBANCES)
async def test_the_move_goes_on_as_if_nothing_had_been(stage, vcenter, disturbance):
    strike, points = DISTURBANCES[disturbance]
    for number in range(ROUNDS):
        vm = f"guest{number}"
        for point in points[number::ROUNDS]:
            stage.strikes.at(point, lambda: strike(vcenter))
        await stage.approved(f"{vm} site2 {OPTIONS}")
        arrived(vcenter, vm, await stage.ended(vm))
        assert len(relocations(vcenter, vm=vm)) == 1
    assert set(stage.strikes.struck) == set(points)


async def test_one_call_in_twenty_is_lost(tmp_path, target, valkey_url, skew_clock, vcenter):
    """Half of them before they arrive and half after they were carried out; by lot, so the seed is told."""
    seed = secrets.randbelow(10**6)
    print(f"seed of the lots: {seed}")
    async with severing(vcenter.url, seed=seed) as wire:
        through = dataclasses.replace(target, url=wire.through(vcenter.url))
        async with disturbed(tmp_path, through, valkey_url, skew_clock) as stage:
            vms = [f"guest{number}" for number in range(4)]
            for vm in vms:
                await stage.known(vm)
            wire.share = 0.05
            for vm in vms:
                await stage.approved(f"{vm} site2 {OPTIONS}")
            for vm in vms:
                arrived(vcenter, vm, await stage.ended(vm))
            assert wire.cut
            print(f"{wire.cut} of {wire.calls} calls were lost")


# What changes after the approval, by hand and by chance.


def remove(vcenter, entity):
    """Somebody removes a thing and makes another one of its name."""
    inventory = vcenter.estate.inventory
    inventory.remove(entity)
    entity.id = inventory.new_id("again-")
    inventory.add(entity)


def change_the_disk(vcenter):
    vcenter.estate.vm("guest0").snapshots = ("by hand",)
    vcenter.estate.inventory.changes.touch(vcenter.estate.vm("guest0").ref)


CHANGES = {
    "a folder is another one": (
        "guest-off",
        lambda east: remove(east, east.estate.inventory.at("/DC2/vm/Migrated")),
    ),
    "a datastore is gone at the call": ("before-call", lambda east: remove(east, east.estate.datastore("ds-c2-01"))),
    "a snapshot is taken": ("guest-off", change_the_disk),
}
SAID = {
    "a folder is another one": "The plan is out of date: the folder /DC2/vm/Migrated at site2 is not the one",
    "a datastore is gone at the call": "The plan is out of date",
    "a snapshot is taken": "has moved or changed its disks since it was approved",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_plan_whose_ground_has_changed_is_not_carried_out(stage, vcenter, change):
    """The guest is off by then: that is told, and mended with a click."""
    point, strike = CHANGES[change]
    stage.strikes.at(point, lambda: strike(vcenter))
    card = await stage.approved(f"guest0 site2 {OPTIONS}")
    job = await stage.ended("guest0")
    assert job.state is Phase.FAILED
    assert relocations(vcenter, vm="guest0") == []
    end = await stage.reply(card, saying=SAID[change])
    assert "it may be off" in text_of(end)
    assert "it may be off" in text_of(await stage.card(showing="failed"))
    await stage.click(end, "cm.power-on-source")
    await stage.reply(card, saying="guest0 is on, at its source")
    assert (sites(vcenter, vm="guest0"), powered_on(vcenter, vm="guest0")) == (["site1"], 1)


async def test_the_host_that_was_approved_is_the_one_that_is_looked_at(stage, vcenter):
    """Another one would do as well, and would hide that this one takes no VM any more, until the guest is off."""
    card = await stage.approved_later("guest0 site2 --shutdown")
    host = approved_plan(await stage.job("guest0")).target.host
    vcenter.switches.set_host(host, maintenance=True)
    await stage.click(card, "cm.approve")
    said = await stage.until(lambda: "maintenance mode" in stage.thread_text(card) or None)
    assert said
    await stage.ended("guest0")
    assert vcenter.estate.vm("guest0").power == "poweredOn"
    assert relocations(vcenter, vm="guest0") == []


async def test_the_vm_is_on_another_host_by_now(stage, vcenter):
    """It is off, so nobody moved its files: the logs of the host where it is are those to read."""
    guest = vcenter.estate.vm("guest0")
    before = guest.host
    (other,) = [host for host in guest.host.parent.hosts if host is not before]
    move = vcenter.estate.inventory.move
    stage.strikes.at("guest-off", lambda: move(guest, host=other, pool=guest.pool, folder=guest.parent))
    await stage.approved(f"guest0 site2 {OPTIONS}")
    job = await stage.ended("guest0")
    arrived(vcenter, "guest0", job)
    assert approved_plan(job).source.host == other.name


# What happens while the guest is down, and nobody but us knows why.


async def test_held_while_the_guest_shuts_down(stage, vcenter):
    stage.strikes.at("guest-off", lambda: stage.type("/coldmigrate hold site1 site2 the provider works on it"))
    card = await stage.approved("guest0 site2 --shutdown")
    said = text_of(await stage.card(showing="is held"))
    assert "it may be off. Cancel the move, and it can be powered on again" in said
    await stage.click(card, "cm.cancel")
    end = await stage.reply(card, saying="it may be off")
    await stage.click(end, "cm.power-on-source")
    await stage.reply(card, saying="guest0 is on, at its source")
    assert relocations(vcenter, vm="guest0") == []


async def test_vcenter_goes_away_while_the_guest_shuts_down(stage, vcenter):
    stage.strikes.at("after-shutdown", vcenter.switches.go_down)
    await stage.approved(f"guest0 site2 {OPTIONS}")
    said = text_of(await stage.card(showing="refuses connections"))
    assert "it may be off" in said
    await vcenter.switches.come_up()
    arrived(vcenter, "guest0", await stage.ended("guest0"))


@pytest.mark.parametrize("point", ["guest-off", "link-looked-at"])
async def test_somebody_powers_it_on_by_hand_meanwhile(stage, vcenter, point):
    """That person wants it to run: it is neither moved as it runs nor shut down again, unless somebody says so."""
    stage.strikes.at(point, lambda: vcenter.switches.set_power("guest0", on=True))
    card = await stage.approved("guest0 site2 --shutdown")
    async with asyncio.timeout(PATIENCE):
        while "Give it more time, or cancel" not in stage.thread_text(card):
            stage.later()
            await asyncio.sleep(0.5)
    assert vcenter.calls["ShutdownGuest"] == 1
    assert vcenter.estate.vm("guest0").power == "poweredOn"
    assert relocations(vcenter, vm="guest0") == []
    asked = await stage.reply(card, saying="Give it more time, or cancel")
    assert "powered it on" in text_of(asked)
    await stage.click(asked, "cm.wait-on")
    assert (await stage.ended("guest0")).state is Phase.DONE
    assert relocations(vcenter, vm="guest0") == ["success"]


async def test_powered_on_while_it_was_not_known_whether_the_call_had_arrived(stage, vcenter):
    """It had not, and by now it would move a VM that runs."""

    def lose_the_call():
        vcenter.switches.drop_request("RelocateVM_Task")
        vcenter.switches.set_power("web01", on=True)

    stage.strikes.at("before-call", lose_the_call)
    await stage.approved("web01 site2")
    job = await stage.ended("web01")
    assert job.state is Phase.FAILED
    assert "web01 is powered on; a cold migration needs it powered off" in job.data["outcome"]
    assert relocations(vcenter, vm="web01") == []


async def test_redis_forgets_a_migration_that_has_shut_its_guest_down(stage, vcenter):
    """Nothing was called, so nothing is found out by tasks: the trace on the VM tells whose doing it is."""
    stage.strikes.at("guest-off", lambda: flushed(stage))
    before = await stage.approved(f"guest0 site2 {OPTIONS}")
    await stage.reply(before, saying="Redis lost its data")
    job = await stage.ended("guest0")
    assert job.state is Phase.FAILED
    assert relocations(vcenter, vm="guest0") == []
    card = await stage.card(showing="failed")
    assert card["ts"] == before["ts"]
    assert "it may be off" in text_of(card)
    end = await stage.reply(card, saying="certain that nothing was started")
    await stage.click(end, "cm.power-on-source")
    await stage.reply(card, saying="guest0 is on, at its source")
    async with asyncio.timeout(PATIENCE):
        while any(vcenter.estate.vm("guest0").custom.values()):
            await asyncio.sleep(0.05)


async def flushed(stage):
    async with store_of(stage.settings) as store:
        await store.flushall()


async def test_two_clicks_on_power_on_at_source(stage, vcenter):
    stage.strikes.at("before-call", lambda: remove(vcenter, vcenter.estate.datastore("ds-c2-01")))
    card = await stage.approved("guest0 site2 --shutdown")
    await stage.ended("guest0")
    end = await stage.reply(card, saying="it may be off")
    await asyncio.gather(*(stage.click(end, "cm.power-on-source", user=who) for who in ("alice", "bob", "alice")))
    await stage.reply(card, saying="guest0 is on, at its source")
    await stage.click(end, "cm.power-on-source")
    await stage.reply(card, saying="is on already")
    assert powered_on(vcenter, vm="guest0") == 1


# Two vCenters, of which one is away.


@pytest.fixture
async def both(tmp_path):
    world = World.model_validate(tomllib.loads(TWO_VCENTERS + guests(4)))
    async with await play_world(world, tmp_path / "world") as playing:
        yield playing["east"], playing["west"]


FAR_OPTIONS = "--shutdown --power-on --disconnect-iso"
AWAY = {
    "east": ("after-shutdown", "verifying"),
    "west": ("guest-off", "before-power-on"),
}


@pytest.mark.parametrize("away", AWAY)
async def test_one_of_two_vcenters_is_away_at_each_phase(tmp_path, valkey_url, skew_clock, both, away):
    east, west = both
    player = {"east": east, "west": west}[away]
    async with disturbed(tmp_path, far_target(east, west), valkey_url, skew_clock) as stage:
        for point in AWAY[away]:
            stage.strikes.at(point, lambda: stage.blackout(player))
        await stage.approved(f"guest0 site9 {FAR_OPTIONS}")
        job = await stage.ended("guest0")
        assert job.state is Phase.DONE, job.data
        assert "guest0 is on." in job.data["outcome"]
        assert relocations(east, west, vm="guest0") == ["success"]
        assert (sites(east, west, vm="guest0"), powered_on(east, west, vm="guest0")) == (["site9"], 1)
        assert set(AWAY[away]) == set(stage.strikes.struck)


async def test_the_other_vcenter_is_away_at_the_very_call(tmp_path, valkey_url, skew_clock, both):
    """This one's task says that it does not reach the other; both are asked before it is believed."""
    east, west = both
    async with disturbed(tmp_path, far_target(east, west), valkey_url, skew_clock) as stage:
        stage.strikes.at("before-call", lambda: stage.blackout(west))
        card = await stage.approved(f"guest0 site9 {FAR_OPTIONS}")
        assert (await stage.ended("guest0")).state is Phase.FAILED
        said = stage.thread_text(card)
        assert "does not reach west" in said
        assert "guest0 is off: this migration shut it down" in said
        assert len(relocations(east, west, vm="guest0")) == 1
        assert (sites(east, west, vm="guest0"), powered_on(east, west, vm="guest0")) == (["site1"], 0)


# A copy that fails, and is concluded while vCenter comes and goes.

CONCLUDED = {
    "sessions end": ("verifying", "at-source", "measured", "before-finish"),
    "collectors are gone": ("verifying", "measured"),
    "vCenter restarts": ("at-source", "before-finish"),
}


@pytest.mark.parametrize("disturbance", CONCLUDED)
async def test_a_failed_copy_is_concluded_all_the_same(stage, vcenter, disturbance):
    strike, _ = DISTURBANCES[disturbance]
    for point in CONCLUDED[disturbance]:
        stage.strikes.at(point, lambda: strike(vcenter))
    card = await stage.approved("db01 site2")
    job = await stage.ended("db01")
    assert job.state is Phase.FAILED
    assert set(stage.strikes.struck) == set(CONCLUDED[disturbance])
    assert relocations(vcenter, vm="db01") == ["NetworkCopyFault"]
    assert sites(vcenter, vm="db01") == ["site1"]
    await stage.reply(card, saying="Left behind")
    said = stage.thread_text(card)
    assert "db01 is intact at its source" in said
    assert "A retry starts at 0 %" in said
    assert "could not be looked at" not in said


async def test_a_pinned_certificate_changes(tmp_path, valkey_url, skew_clock, both):
    """The card names the vCenter, what is pinned and what is shown, and where to set it; done so, the move goes on."""
    east, west = both
    pinned = sha256_of(west)
    target = far_target(east, west, trust=f'thumbprint = "{pinned}"')
    async with disturbed(tmp_path, target, valkey_url, skew_clock) as stage:
        stage.strikes.at("verifying", lambda: renewed(west))
        await stage.approved(f"guest0 site9 {FAR_OPTIONS}")
        said = text_of(await stage.card(showing="but the config pins"))
        assert "vCenter west" in said
        assert pinned in said
        assert sha256_of(west) in said
        assert "set `thumbprint` in [vcenters.west]" in said
        assert "The task ended; where the VM is will be read" in said
        await stage.stop_worker()
        mended = stage.settings.vcenters["west"].model_copy(update={"thumbprint": sha256_of(west)})
        vcenters = {**stage.settings.vcenters, "west": mended}
        stage.settings = stage.settings.model_copy(update={"vcenters": vcenters})
        await stage.worker()
        job = await stage.ended("guest0")
        assert job.state is Phase.DONE, job.data
        assert relocations(east, west, vm="guest0") == ["success"]
        assert (sites(east, west, vm="guest0"), powered_on(east, west, vm="guest0")) == (["site9"], 1)


def sha256_of(player):
    """Of the certificate that it shows, as a config pins it."""
    shown = ssl.PEM_cert_to_DER_cert(player.estate.presence.certificate)
    return colons(hashlib.sha256(shown).hexdigest())


def renewed(player):
    """A new certificate, and no connection that still has the old one."""
    player.switches.renew_certificate()
    player.expire_sessions()


async def test_leftovers_stay_while_the_vm_is_tried_again(stage, vcenter):
    """The new copy writes into the same directory: who deletes the old one waits until that has ended."""
    card = await stage.approved("db01 site2")
    await stage.ended("db01")
    end = await stage.reply(card, saying="Left behind")
    await stage.click(end, "cm.retry")
    await stage.until(lambda: any("waiting for approval" in text_of(one) for one in stage.cards()))
    await stage.click(end, "cm.delete-leftovers")
    await stage.until(lambda: any("db01 is taken" in text_of(one) for one in stage.slack.person.ephemerals("alice")))
    assert "DeleteVirtualDisk_Task" not in vcenter.calls


async def test_vcenter_is_away_when_it_is_to_be_powered_on_again(stage, vcenter):
    """An outage goes on, so whoever clicked reads at once what it waits for."""
    stage.strikes.at("before-call", lambda: remove(vcenter, vcenter.estate.datastore("ds-c2-01")))
    card = await stage.approved("guest0 site2 --shutdown")
    await stage.ended("guest0")
    end = await stage.reply(card, saying="it may be off")
    await vcenter.switches.go_down()
    await stage.click(end, "cm.power-on-source")
    said = text_of(await stage.reply(card, saying="Power on at source waits"))
    assert "refuses connections" in said
    await vcenter.switches.come_up()
    stage.later()
    await stage.reply(card, saying="guest0 is on, at its source")
    assert powered_on(vcenter, vm="guest0") == 1
