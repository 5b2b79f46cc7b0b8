"""Disks that go elsewhere than their VM or become thin: what is sent, what arrives, and what the place then tells."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from pyVmomi import vim

from bot.errors import BugError
from bot.migration.plan import DiskMove, NicMove
from bot.vsphere.port import FaultError, TaskState
from bot.vsphere.relocate import make_spec

GIB = 2**30
FAST = 'datastores = [{ name = "ds-c2-01", capacity = "4 TiB", free = "3 TiB" }]'
VMS = """
[[vms]]
name = "erp01"
site = "site1"
disks = ["16 GiB thin 100 MiB", "8 GiB thick 40 MiB", "4 GiB thick 10 MiB independent"]
devices = ["rdm virtual"]
networks = ["dvpg-app", "VM Network"]
[[vms]]
name = "chained"
site = "site1"
snapshots = 1
disks = ["8 GiB thick 40 MiB"]
"""


@pytest.fixture
def world_text(world_text):
    two = FAST.replace("}]", '}, { name = "ds-c2-02", capacity = "1 TiB", free = "1 TiB" }]')
    return world_text.replace(FAST, two) + VMS


@pytest.fixture
def move(player):
    def moved(key, *, store="ds-c2-01", thin=None):
        return DiskMove(key, f"Hard disk {key - 1999}", store, player.datastore(store).id, thin)

    return moved


async def test_each_disk_is_where_and_what_was_approved(player_peer, played, player, move):
    here, there, other = (player.datastore(name) for name in ("ds-c1-01", "ds-c2-01", "ds-c2-02"))
    free = [store.free for store in (here, there, other)]
    held = player.estate.vm("erp01").committed
    moves = (move(2001, store="ds-c2-02", thin=True), move(2002, thin=True))
    plan = await player_peer.plan(played, "erp01", disk_moves=moves)
    async with asyncio.timeout(20):
        heard = [s async for s in played.follow(await played.relocate(plan, op_id="cm-ab2cd3ef-a1"))]
    assert heard[-1].state is TaskState.SUCCESS, heard[-1]
    place = await played.place(plan.request.vm.uuid)
    assert dict(place.disks) == {
        2000: "[ds-c2-01] erp01/erp01.vmdk",
        2001: "[ds-c2-02] erp01/erp01_1.vmdk",
        2002: "[ds-c2-01] erp01/erp01_2.vmdk",
        2003: "[ds-c2-01] erp01/erp01_3.vmdk",
    }
    assert set(place.thin) >= {2000, 2001, 2002}
    assert place.nics == (("Network adapter 1", "dvpg-app-dr"), ("Network adapter 2", "VM Network"))
    assert dict(place.macs) == {nic.label: nic.mac for nic in player.estate.vm("erp01").nics}
    assert {disk.key: disk.used >> 20 for disk in player.estate.vm("erp01").disks} == {
        2000: 100,
        2001: 40,
        2002: 10,
        2003: 0,
    }
    assert here.free - free[0] == held  # all of the thick disks is given back
    assert free[2] - other.free == (40 << 20) + 521
    assert player.moves()[-1].size < 200 << 20  # zeros were not sent


async def test_a_disk_that_is_not_named_follows_the_vm_as_it_is(player_peer, played):
    plan = await player_peer.plan(played, "erp01")
    async for _ in played.follow(await played.relocate(plan, op_id="cm-ab2cd3ef-a1")):
        pass
    place = await played.place(plan.request.vm.uuid)
    assert 2001 not in place.thin
    assert place.datastores == ("ds-c2-01",)


@pytest.mark.parametrize(
    ("vm", "key", "form"),
    [("erp01", 2001, True), ("erp01", 2002, True), ("erp01", 2003, None), ("chained", 2000, None)],
)
async def test_only_a_flat_disk_without_deltas_takes_a_form(
    player_peer, played, reader, move, in_thread, vm, key, form
):
    plan = await player_peer.plan(played, vm, disk_moves=(move(key, thin=True),))
    spec = await in_thread(lambda: reader.ask(lambda connected: make_spec(connected, plan)))
    (locator,) = spec.disk
    assert (locator.diskId, locator.datastore._GetMoId()) == (key, plan.disk_moves[0].datastore_moid)
    assert locator.diskMoveType == spec.diskMoveType
    backing = locator.diskBackingInfo
    assert (backing and backing.thinProvisioned) == form
    if backing:
        mode = "independent_persistent" if key == 2002 else "persistent"
        assert (backing.fileName, backing.diskMode) == ("", mode)


async def test_a_disk_that_is_gone_is_said_before_anything_is_sent(player_peer, played, player, move):
    plan = await player_peer.plan(played, "db01", nics=(), disk_moves=(move(2009),))
    with pytest.raises(FaultError, match="has no Hard disk 10 any more"):
        await played.relocate(plan, op_id="cm-ab2cd3ef-a1")
    nowhere = replace(move(2000), datastore_moid=None)
    plan = await player_peer.plan(played, "db01", nics=(), disk_moves=(nowhere,))
    with pytest.raises(BugError, match="no datastore to send for Hard disk 1"):
        await played.relocate(plan, op_id="cm-ab2cd3ef-a1")
    assert "RelocateVM_Task" not in player.calls


async def test_cards_are_told_networks_of_every_kind(player_peer, played, reader, in_thread):
    plan = await player_peer.plan(played, "erp01")
    first, second = plan.nics
    plan = replace(
        plan,
        nics=(
            NicMove(first.key, first.label, first.source_network, "segment-7", None, None, opaque_id="ls-7"),
            NicMove(second.key, second.label, second.source_network, "DMZ", None, None),
        ),
    )
    spec = await in_thread(lambda: reader.ask(lambda connected: make_spec(connected, plan)))
    opaque, standard = (change.device.backing for change in spec.deviceChange)
    assert isinstance(opaque, vim.vm.device.VirtualEthernetCard.OpaqueNetworkBackingInfo)
    assert (opaque.opaqueNetworkId, standard.deviceName) == ("ls-7", "DMZ")
    assert {change.operation for change in spec.deviceChange} == {"edit"}
