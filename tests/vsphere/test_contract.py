"""What the door promises, asked of both vCenters: finding, reading, relocating, following, looking back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import UserError
from bot.vsphere.port import FaultError, TaskGoneError, TaskState, VCenter

NOBODY = "00000000-0000-4000-8000-000000000000"


async def ends(vcenter, task):
    """Follow a task to its end; all that was heard."""
    async with asyncio.timeout(20):
        return [snapshot async for snapshot in vcenter.follow(task)]


def test_the_machine_fits_the_door(vcenter):
    door: VCenter = vcenter
    assert door.name == "east"


async def test_the_clock_is_vcenters_in_utc(vcenter):
    now = await vcenter.now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=30)


async def test_a_vm_is_found_by_name_path_and_uuid(peer, vcenter):
    (by_path,) = await vcenter.find_vms(peer.vm_path)
    assert (by_path.ref.name, by_path.path, by_path.site_hint) == (peer.vm, peer.vm_path, peer.source.datacenter)
    assert by_path.power == "poweredOff"
    for query in (peer.vm, f" {peer.vm} ", by_path.ref.uuid, by_path.ref.uuid.upper()):
        assert list(await vcenter.find_vms(query)) == [by_path]


@pytest.mark.parametrize("query", ["nobody", "/DC9/vm/nobody", NOBODY, "", "*", "'; drop"])
async def test_what_is_not_there_is_not_found(vcenter, query):
    assert list(await vcenter.find_vms(query)) == []


async def test_a_datacenter_is_no_vm(peer, vcenter):
    assert list(await vcenter.find_vms(f"/{peer.source.datacenter}")) == []


async def test_all_vms_come_sorted_by_path(peer, vcenter):
    paths = [vm.path for vm in await vcenter.list_vms()]
    assert paths == sorted(paths)
    assert peer.vm_path in paths


async def test_facts_of_a_vm(peer, vcenter):
    (found,) = await vcenter.find_vms(peer.vm)
    facts = await vcenter.read_vm(found.ref.uuid)
    assert facts.ref == found.ref
    assert (facts.path, facts.folder) == (peer.vm_path, peer.vm_path.rpartition("/")[0])
    assert (facts.host, facts.power, facts.connection) == (found.host, "poweredOff", "connected")
    assert facts.vm_path_name.startswith(f"[{peer.source.datastore}] ")
    assert facts.datastores == (peer.source.datastore,)
    assert {nic.network for nic in facts.nics} == set(peer.cards)
    (disk,) = facts.disks
    assert disk.path.startswith(f"[{peer.source.datastore}] ")
    assert 0 < disk.used <= disk.capacity
    assert facts.running_tasks == ()
    assert not facts.template
    assert (disk.datastore, disk.form, disk.mode, disk.parents) == (peer.source.datastore, "flat", "persistent", 0)
    assert facts.hardware_version > 0
    assert facts.memory > 0
    assert (facts.snapshots, facts.linked_clone, facts.fault_tolerance, facts.vapp) == (None, False, False, "")
    assert facts.unread == ()


async def test_facts_of_the_host_that_a_vm_is_on(peer, vcenter):
    (found,) = await vcenter.find_vms(peer.vm)
    facts = await vcenter.read_vm(found.ref.uuid)
    site = await vcenter.read_site(peer.source)
    assert facts.on == next(host for host in site.hosts if host.name == facts.host)
    (management,) = (vmk for vmk in facts.on.interfaces if "management" in vmk.services)
    assert (management.device, management.netstack, management.mtu) == ("vmk0", "defaultTcpipStack", 1500)
    assert [route.gateway for route in facts.on.routes if route.prefix == 0] == [management.gateway]
    assert (facts.on.copies, facts.on.quarantined, facts.on.evc, facts.on.unread) == (0, False, "", ())


async def test_a_vm_that_is_gone_is_a_fault_of_that_kind(vcenter):
    with pytest.raises(FaultError, match="no VM with the instance UUID") as caught:
        await vcenter.read_vm(NOBODY)
    assert caught.value.kind == "vmodl.fault.ManagedObjectNotFound"
    assert await vcenter.place(NOBODY) is None


async def test_facts_of_a_site(peer, vcenter):
    site = await vcenter.read_site(peer.target)
    assert len(site.hosts) == 2
    for host in site.hosts:
        assert peer.target.datastore in host.datastores
        assert set(peer.cards.values()) <= set(host.networks)
        assert (host.connection, host.in_maintenance, host.running_vms) == ("connected", False, 0)
        assert host.pool_moid
    store = next(store for store in site.datastores if store.name == peer.target.datastore)
    assert 0 < store.free <= store.capacity
    assert (store.accessible, store.maintenance) == (True, "normal")
    assert store.max_file > 2**40
    assert not any((site.unread, store.unread, *(host.unread for host in site.hosts)))
    groups = [network for network in site.networks if network.portgroup_key]
    assert groups
    assert all(network.switch_uuid for network in groups)
    assert site.folder_moid


async def test_a_site_of_one_host(peer, vcenter):
    everything = await vcenter.read_site(peer.target)
    alone = await vcenter.read_site(replace(peer.target, cluster=None, host=everything.hosts[1].name))
    assert alone.hosts == everything.hosts[1:]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"datacenter": "DC9"}, "no datacenter 'DC9'"),
        ({"cluster": "C9"}, "no cluster 'C9'"),
        ({"cluster": None, "host": "esx-9"}, "no host 'esx-9'"),
    ],
)
async def test_a_site_that_does_not_exist_is_named_with_what_does(peer, vcenter, change, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        await vcenter.read_site(replace(peer.target, **change))
    known = {"datacenter": peer.target.datacenter, "cluster": peer.target.cluster, "host": peer.target.datacenter[:0]}
    assert known[next(key for key in ("host", "cluster", "datacenter") if change.get(key))] in caught.value.example


async def test_a_folder_that_does_not_exist_has_no_id(peer, vcenter):
    site = await vcenter.read_site(replace(peer.target, folder="No/Such"))
    assert site.folder.endswith("/vm/No/Such")
    assert site.folder_moid is None


async def test_a_relocation_to_another_datacenter(peer, vcenter):
    plan = await peer.plan(vcenter)
    uuid = plan.request.vm.uuid
    before = await vcenter.now()
    task = await vcenter.relocate(plan, op_id="cm-ab2cd3ef-a1")
    heard = await ends(vcenter, task)
    assert heard[-1].state is TaskState.SUCCESS
    assert heard[-1].task == task

    place = await vcenter.place(uuid)
    assert (place.host, place.host_moid) == (plan.target.host, plan.target.host_moid)
    assert place.folder_moid == plan.target.folder_moid
    assert place.datastores == (peer.target.datastore,)
    assert place.datastore_moids == (plan.target.datastore_moid,)
    assert place.vm_path_name.startswith(f"[{peer.target.datastore}] ")
    assert all(path.startswith(f"[{peer.target.datastore}] ") for path in place.disk_paths)
    assert set(place.networks) == set(peer.cards.values())
    assert [vm.path for vm in await vcenter.find_vms(uuid)] == [peer.target_path]

    (found,) = await vcenter.find_relocations(uuid, since=before)
    assert (found.task, found.state, found.ended) == (task, TaskState.SUCCESS, True)
    assert list(await vcenter.find_relocations(uuid, since=found.queued_at)) == [found]
    assert list(await vcenter.find_relocations(uuid, since=found.queued_at + timedelta(seconds=2))) == []


async def test_tasks_name_us_as_we_name_ourselves(peer, vcenter):
    task = await vcenter.relocate(await peer.plan(vcenter), op_id="cm-ab2cd3ef-a1")
    heard = await ends(vcenter, task)
    assert heard[-1].user == (vcenter.user if peer.says("tasks name the user who asked") else "vcsim")


async def test_cards_keep_what_is_theirs(peer, vcenter):
    plan = await peer.plan(vcenter)
    before = await vcenter.read_vm(plan.request.vm.uuid)
    await ends(vcenter, await vcenter.relocate(plan, op_id="cm-ab2cd3ef-a1"))
    after = await vcenter.read_vm(plan.request.vm.uuid)
    assert [(nic.key, nic.mac) for nic in after.nics] == [(nic.key, nic.mac) for nic in before.nics]
    assert [nic.network for nic in after.nics] == [peer.cards[nic.network] for nic in before.nics]


async def test_a_refused_relocation_is_a_fault_and_nothing_moves(peer, vcenter):
    plan = await peer.plan(vcenter)
    broken = replace(plan, target=replace(plan.target, datastore_moid="datastore-99999"))
    before = await vcenter.now()
    with pytest.raises(FaultError):
        await vcenter.relocate(broken, op_id="cm-ab2cd3ef-a1")
    assert (await vcenter.place(plan.request.vm.uuid)).host == plan.source.host
    assert list(await vcenter.find_relocations(plan.request.vm.uuid, since=before)) == []


async def test_a_plan_for_hardware_that_changed_is_refused_before_anything_is_sent(peer, vcenter):
    plan = await peer.plan(vcenter)
    other = replace(plan, nics=(replace(plan.nics[0], key=4711),))
    with pytest.raises(FaultError, match="hardware changed"):
        await vcenter.relocate(other, op_id="cm-ab2cd3ef-a1")


async def test_a_moid_that_is_another_vm_by_now_is_refused(peer, vcenter):
    plan = await peer.plan(vcenter)
    other = next(vm for vm in await vcenter.list_vms() if vm.ref.uuid != plan.request.vm.uuid)
    facts = await vcenter.read_vm(other.ref.uuid)
    with pytest.raises(FaultError, match="no longer the VM"):
        await vcenter.relocate(replace(plan, vm_moid=facts.moid), op_id="cm-ab2cd3ef-a1")


async def test_a_task_that_nobody_knows_is_gone(vcenter):
    with pytest.raises(TaskGoneError):
        await ends(vcenter, "task-99999")


async def test_an_ended_task_is_told_to_whoever_comes_late(peer, vcenter):
    task = await vcenter.relocate(await peer.plan(vcenter), op_id="cm-ab2cd3ef-a1")
    await ends(vcenter, task)
    (only,) = await ends(vcenter, task)
    assert only.ended


async def test_cancelling_what_has_ended_is_a_fault(peer, vcenter):
    task = await vcenter.relocate(await peer.plan(vcenter), op_id="cm-ab2cd3ef-a1")
    await ends(vcenter, task)
    with pytest.raises(FaultError):
        await vcenter.cancel(task)


async def test_ended_sessions_are_opened_again_for_questions(peer, vcenter):
    await vcenter.now()
    await vcenter.find_vms(peer.vm)
    assert await peer.end_all_sessions() >= 1
    assert (
        await vcenter.find_relocations((await vcenter.find_vms(peer.vm))[0].ref.uuid, since=await vcenter.now()) == []
    )


async def test_the_watcher_outlives_its_session(peer, vcenter):
    first = await vcenter.relocate(await peer.plan(vcenter), op_id="cm-ab2cd3ef-a1")
    await ends(vcenter, first)
    await peer.end_all_sessions()
    assert (await ends(vcenter, first))[-1].ended


async def test_a_terminated_writer_sends_nothing_more(peer, vcenter):
    plan = await peer.plan(vcenter)
    since = await vcenter.now()
    key = await vcenter.writer_session()
    successor = peer.connect()
    await successor.end_session(key)
    await successor.end_session(key)  # ended already: that counts as ended
    with pytest.raises(FaultError) as caught:
        await vcenter.relocate(plan, op_id="cm-ab2cd3ef-a1", session=key)
    assert caught.value.kind == "vim.fault.NotAuthenticated"
    assert caught.value.transient
    assert list(await successor.find_relocations(plan.request.vm.uuid, since=since)) == []
    assert await vcenter.writer_session() != key


async def test_ones_own_writer_session_can_be_ended_and_replaced(peer, vcenter):
    key = await vcenter.writer_session()
    assert await vcenter.writer_session() == key
    await vcenter.end_session(key)
    assert await vcenter.writer_session() != key


async def test_closing_logs_out(peer):
    vcenter = peer.connect()
    await vcenter.now()
    await vcenter.writer_session()
    await vcenter.close()
    assert await peer.end_all_sessions() == 0
