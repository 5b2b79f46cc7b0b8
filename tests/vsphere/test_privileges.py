"""The roles are right: with each where it is granted everything works, and each privilege in them is needed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from pyVmomi import vim

from bot.migration.facts import SiteSpec
from bot.migration.request import SiteName
from bot.playground.vcenter.inventory import Orphan
from bot.vsphere.port import FaultError, TaskState
from bot.vsphere.roles import Extent, grants_of, roles_of
from bot.vsphere.session import Reader
from tests.vsphere.conftest import EAST
from tests.vsphere.least import ALLOWED, WITHIN, account, path

SITES = [
    SiteSpec(SiteName("site1"), EAST, "DC1", "C1", None, "ds-c1-01", None, {}),
    SiteSpec(
        SiteName("site2"), EAST, "DC2", "C2", None, "ds-c2-01", "Migrated",
        {"dvpg-app": "dvpg-app-dr", "VM Network": "VM Network"},
    ),
]  # fmt: skip
HOST = "esx-site1-01.example.net"
BURDENED = """
[[vms]]
name = "burdened"
site = "site1"
stray_deltas = 1
devices = ["iso [ds-c1-01] tools/linux.iso", "floppy [ds-c1-01] drivers.flp"]
"""


def test_the_table_was_read():
    assert "Resource.ColdMigrate" in WITHIN
    assert len(WITHIN) == 17


@pytest.fixture
def world_text(world_text):
    accounts = account("exact", SITES, Extent(ALLOWED))
    for name in WITHIN:
        accounts += account(f"without {name}", SITES, Extent(ALLOWED, without=frozenset({name})))
    quick = world_text.replace("[play]\n", '[play]\nconsolidation = "10 ms"\n', 1)
    return quick.replace("accounts = [\n", "accounts = [\n" + accounts, 1) + BURDENED


async def do_everything(peer, vcenter):
    """All that the product asks of a vCenter today."""
    await vcenter.list_vms()
    await vcenter.last_line(HOST, "vpxa")
    await look_around(vcenter)
    await vcenter.end_session(await peer.connect(user="svc@vsphere.local").writer_session())
    plan = await peer.plan(vcenter)
    since = await vcenter.now() - timedelta(seconds=1)
    await vcenter.write_trace(plan.request.vm.uuid, "cm-ab2cd3ef")
    assert [trace.text for trace in await vcenter.traces()] == ["cm-ab2cd3ef"]
    moved = [s async for s in vcenter.follow(await vcenter.relocate(plan, op_id="cm-ab2cd3ef-a1"))]
    assert moved[-1].state is TaskState.SUCCESS
    assert len(await vcenter.find_relocations(plan.request.vm.uuid, since=since)) == 1
    slow = await vcenter.relocate(await peer.plan(vcenter, "slow01", nics=()), op_id="cm-ab2cd3ef-a2")
    assert [running.task.task for running in await vcenter.running_relocations()] == [slow]
    await vcenter.cancel(slow)
    await order_the_rest(peer, vcenter)


async def order_the_rest(peer, vcenter):
    """All that the options of a migration ask, and what is done after one that failed."""
    plan = await peer.plan(vcenter, "burdened")
    uuid = plan.request.vm.uuid
    await vcenter.disconnect_drives(uuid)
    await vcenter.consolidate(uuid)
    await vcenter.power_on(uuid)
    await vcenter.shut_down_guest(uuid)
    store = peer.player.datastore(plan.target.datastore)
    store.orphans.append(Orphan("burdened", 2**20, plan.made_at + timedelta(seconds=1)))
    (left,) = await vcenter.leftovers(plan)
    assert list(await vcenter.delete_leftovers(plan, [left.path])) == [left.path]


async def look_around(vcenter):
    """All that a diagnosis asks."""
    since = await vcenter.look_at_clock() - timedelta(hours=1)
    await vcenter.clock_offset(HOST)
    await vcenter.describe_hosts([HOST])
    await vcenter.browse(HOST, "vmkernel", start=1, lines=1)
    await vcenter.browse("", "vpxd", start=1, lines=1)
    await vcenter.host_events([HOST], since=since, until=None)
    (vm,) = await vcenter.look_for_vms("db01")
    await vcenter.vm_events(vm.ref.uuid, since=since, until=None)
    await vcenter.last_failed_copy(vm.ref.uuid, since=since)
    await vcenter.find_task("task-1", since=since)
    await vcenter.nic_counters(HOST)


async def test_these_privileges_are_enough(player_peer):
    await do_everything(player_peer, player_peer.connect(user="exact", leftovers_settle_in=timedelta()))


@pytest.mark.parametrize("missing", WITHIN)
async def test_each_of_them_is_needed(player_peer, missing):
    vcenter = player_peer.connect(user=f"without {missing}", leftovers_settle_in=timedelta())
    with pytest.raises(FaultError) as caught:
        await do_everything(player_peer, vcenter)
    assert caught.value.kind == "vim.fault.NoPermission"
    assert missing in str(caught.value)


async def test_the_other_vcenter_takes_the_roles_and_where_they_are_granted(vcsim_peer):
    """It gives everybody every privilege, so it shows no more than that the names and calls are good."""
    sites = [replace(vcsim_peer.source, networks={"a": "DVPG0"}), vcsim_peer.target]
    granted = await asyncio.to_thread(_granted_at, vcsim_peer, sites)
    assert granted == {(path(one), f"least-{one.part}", one.propagate) for one in grants_of(sites)}


def _granted_at(peer, sites):
    reader = Reader(peer.endpoint())
    content = reader.open().content
    manager, search = content.authorizationManager, content.searchIndex
    for role in roles_of(Extent(ALLOWED, across=True, encrypted=True)):
        manager.AddAuthorizationRole(f"least-{role.part}", list(role.privileges))
    ids = {role.name: role.roleId for role in manager.roleList}  # this one answers 0 when it is asked to make a role
    found = set()
    for one in grants_of(sites):
        where = search.FindByInventoryPath(path(one)) if one.datacenter else content.rootFolder
        permission = vim.AuthorizationManager.Permission(
            principal="least@vsphere.local", group=False, roleId=ids[f"least-{one.part}"], propagate=one.propagate
        )
        manager.SetEntityPermissions(where, [permission])
        (kept,) = [
            each for each in manager.RetrieveEntityPermissions(where, False) if each.principal.startswith("least@")
        ]
        part = next(name for name, role in ids.items() if role == kept.roleId)
        found.add((path(one), part, kept.propagate))
    reader.close()
    return found
