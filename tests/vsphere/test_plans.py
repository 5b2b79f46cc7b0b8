"""A whole plan's reading: how often vCenter is asked, what the account lacks, and what CheckRelocate says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from bot.migration.plan import FarVCenter
from bot.migration.request import VCenterName, VmRef
from bot.vsphere.needs import NEEDS, needs_of
from bot.vsphere.port import FaultError
from tests.vsphere.conftest import EAST, WORLD
from tests.vsphere.refusing import door_before

MOST = 12
SYSTEM = {"System.Anonymous", "System.View", "System.Read"}


async def test_a_plan_in_at_most_twelve_round_trips(player_peer, played, player):
    (found,) = await played.find_vms(player_peer.vm)
    before = Counter(player.calls)
    facts = await played.read_vm(found.ref.uuid)
    site = await played.read_site(player_peer.target)
    plan = player_peer.plan_of(facts, site)
    await played.missing_privileges(plan)
    await played.check_relocate(plan)
    asked = Counter(player.calls) - before
    assert facts.on is not None
    assert facts.on.interfaces
    assert asked.total() <= MOST


async def test_nothing_is_missing_for_who_may_do_everything(peer, vcenter):
    assert list(await vcenter.missing_privileges(await peer.plan(vcenter))) == []


async def test_a_check_that_finds_nothing(peer, vcenter):
    assert list(await vcenter.check_relocate(await peer.plan(vcenter))) == []


class TestPrivileges:
    @pytest.fixture
    def world_text(self):
        everything = ", ".join(f'"{name}"' for name in sorted({need.privilege for need in NEEDS} | SYSTEM))
        return WORLD.replace(
            "accounts = [\n",
            "accounts = [\n"
            f'  {{ user = "mover", password = "correct horse", privileges = [{everything}], permissions = [\n'
            '    { on = "/DC2/datastore/ds-c2-01", privileges = ["System.View", "System.Read"] },\n'
            '    { on = "/DC2/network/dvpg-app-dr", privileges = ["System.View", "System.Read"] },\n'
            '    { on = "/DC1/vm/Web/web01",'
            ' privileges = ["System.View", "System.Read", "Resource.ColdMigrate"] } ] },\n',
        )

    async def test_what_is_missing_is_named_with_the_object_that_lacks_it(self, player_peer):
        mover = player_peer.connect(user="mover")
        missing = list(await mover.missing_privileges(await player_peer.plan(mover)))
        assert {(one.privilege, one.kind, one.on) for one in missing if one.needed} == {
            ("Datastore.AllocateSpace", "datastore", "ds-c2-01"),
            ("Network.Assign", "network", "dvpg-app-dr"),
            ("VirtualMachine.Inventory.Move", "VM", "web01"),
            ("Global.SetCustomField", "VM", "web01"),
        }
        assert [(one.privilege, one.on) for one in missing if not one.needed] == [("Datastore.Browse", "ds-c2-01")]

    async def test_a_viewer_lacks_all_that_the_plan_needs(self, player_peer):
        viewer = player_peer.connect(user="viewer@vsphere.local")
        plan = await player_peer.plan(viewer)
        missing = await viewer.missing_privileges(plan)
        assert {one.privilege for one in missing} == {need.privilege for need in needs_of(plan)}

    @pytest.mark.parametrize(
        ("option", "privilege"),
        [
            ("shutdown", "VirtualMachine.Interact.PowerOff"),
            ("power_on", "VirtualMachine.Interact.PowerOn"),
            ("disconnect_drives", "VirtualMachine.Interact.SetCDMedia"),
            ("consolidate", "VirtualMachine.State.RemoveSnapshot"),
        ],
    )
    async def test_options_need_more(self, player_peer, option, privilege):
        viewer = player_peer.connect(user="viewer@vsphere.local")
        plan = await player_peer.plan(viewer)
        more = replace(plan, request=replace(plan.request, **{option: True}))
        said = {one.privilege for one in await viewer.missing_privileges(more)}
        assert privilege in said - {one.privilege for one in await viewer.missing_privileges(plan)}

    async def test_what_stays_as_it_is_needs_nothing(self, player_peer):
        viewer = player_peer.connect(user="viewer@vsphere.local")
        plan = await player_peer.plan(viewer)
        source = await viewer.read_site(player_peer.source)
        (store,), host = source.datastores, source.hosts[1]
        web = await viewer.read_site(replace(player_peer.source, folder="Web"))
        there = replace(
            plan.target, host=host.name, host_moid=host.moid, pool_moid=host.pool_moid,
            datastore=store.name, datastore_moid=store.moid, folder=web.folder, folder_moid=web.folder_moid,
        )  # fmt: skip
        missing = await viewer.missing_privileges(replace(plan, target=there, nics=()))
        assert {one.privilege for one in missing if one.needed} == {"Resource.ColdMigrate", "Global.SetCustomField"}

    async def test_each_end_of_a_move_between_vcenters_tells_its_own(self, player_peer):
        viewer = player_peer.connect(user="viewer@vsphere.local")
        plan = await player_peer.plan(viewer)
        west = FarVCenter(VCenterName("west"), "https://west.example.net", "", "")
        source = await viewer.missing_privileges(replace(plan, far=west))
        assert {one.kind for one in source} == {"VM", "host", "root of the vCenter"}
        assert "VirtualMachine.Inventory.Move" not in {one.privilege for one in source}
        theirs = VmRef(VCenterName("north"), plan.request.vm.uuid, "web01")
        arriving = replace(plan, request=replace(plan.request, vm=theirs), far=replace(west, name=EAST))
        target = await viewer.missing_privileges(arriving)
        assert "VirtualMachine.Inventory.Register" in {one.privilege for one in target}
        assert {one.kind for one in target} >= {"resource pool", "datastore", "target folder", "network"}
        assert "VM" not in {one.kind for one in target}


class TestChecks:
    @pytest.fixture
    def world_text(self):
        return WORLD.replace("[play]\n", '[play]\nconnect_patience = "100 ms"\n')

    async def test_what_speaks_against_it_is_an_error_and_what_is_worth_saying_a_warning(self, player_peer, played):
        running = await played.check_relocate(await player_peer.plan(played, "app01"))
        assert [(one.is_error, one.kind) for one in running] == [(True, "vim.fault.InvalidPowerState")]
        assert running[0].text
        chain = await played.check_relocate(await player_peer.plan(played, "files01"))
        assert (False, "vim.fault.SnapshotMoveNotSupported") in {(one.is_error, one.kind) for one in chain}

    async def test_a_check_that_fails_is_no_advice(self, player_peer, played, player):
        player.block_port("site1", "site2")
        with pytest.raises(FaultError) as caught:
            await played.check_relocate(await player_peer.plan(played))
        assert caught.value.kind == "vim.fault.Timedout"

    async def test_a_vcenter_that_refuses_to_check_is_heard(self, player_peer, tmp_path):
        async with door_before(player_peer, tmp_path / "door") as door:
            door.refuse("CheckRelocate_Task", "NotSupported")
            through = player_peer.connect(url=door.url, ca_file=door.ca_file)
            with pytest.raises(FaultError) as caught:
                await through.check_relocate(await player_peer.plan(through))
        assert caught.value.kind == "vmodl.fault.NotSupported"

    async def test_a_plan_without_a_place_is_not_sent(self, player_peer, played, player):
        plan = await player_peer.plan(played)
        nowhere = replace(plan, target=replace(plan.target, folder_moid=None))
        with pytest.raises(FaultError, match="no place yet"):
            await played.check_relocate(nowhere)
        assert player.calls.get("CheckRelocate_Task", 0) == 0
