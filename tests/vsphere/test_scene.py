"""What a vCenter tells of a failure: clocks, interfaces, events, tasks of any kind. System.Read is enough for all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.vsphere.port import EventWeight, FaultError

SOURCE, TARGET = "esx-site1-01.example.net", "esx-site2-01.example.net"


@pytest.fixture
def world_text(world_text):
    return world_text.replace(
        'name = "site2"\n', 'name = "site2"\nclock_offsets = ["+90 s", "-2 s"]\nprovisioning = "stack"\n', 1
    )


@pytest.fixture
async def failed(peer, vcenter):
    """db01 was to move and died of loss; its task."""
    plan = await peer.plan(vcenter, "db01", nics=())
    task = await vcenter.relocate(plan, op_id="C65743A5-0000024D")
    assert [s async for s in vcenter.follow(task)][-1].fault
    return task


@pytest.fixture
def peer(player_peer):
    return player_peer


async def test_a_clock_that_is_wrong_is_measured_and_one_that_is_right_is_left_alone(played):
    ahead = await played.clock_offset(TARGET)
    assert abs(ahead - timedelta(seconds=90)) < timedelta(seconds=1)
    behind = await played.clock_offset("esx-site2-02.example.net")
    assert abs(behind + timedelta(seconds=2)) < timedelta(seconds=1)
    assert await played.clock_offset(SOURCE) == timedelta(0)


async def test_interfaces_are_read_with_their_stack_and_what_they_serve(played):
    (host,) = await played.describe_hosts([TARGET])
    assert host.version == "8.0.3"
    assert [(i.device, i.services) for i in host.interfaces] == [
        ("vmk0", ("management",)),
        ("vmk1", ("vmotion",)),
        ("vmk2", ("vSphereProvisioning",)),
    ]
    assert host.copying is not None
    assert (host.copying.device, host.copying.netstack) == ("vmk2", "vSphereProvisioning")
    assert host.copying.address.count(".") == 3


async def test_all_hosts_are_listed_and_one_that_is_away_is_told(played, player):
    player.set_host(TARGET, connected=False)
    hosts = {host.name: host.connection for host in await played.hosts()}
    assert hosts[SOURCE] == "connected"
    assert hosts[TARGET] == "notResponding"
    with pytest.raises(FaultError):
        await played.clock_offset(TARGET)


async def test_events_tell_where_a_vm_was_to_go_and_why_it_did_not(played, peer, failed):
    (vm,) = await played.look_for_vms("db01")
    since = await played.look_at_clock() - timedelta(minutes=5)
    events = await played.vm_events(vm.ref.uuid, since=since, until=None)
    begun, ended = (event for event in events if event.to_host)
    assert begun.kind == "VmBeingMigratedEvent"
    assert (begun.host, begun.to_host) == (vm.host, ended.to_host)
    assert ended.kind == "VmFailedMigrateEvent"
    assert ended.weight is EventWeight.ERROR
    assert (ended.datastore, ended.to_datastore) == ("ds-c1-01", "ds-c2-01")
    assert "in DC2: " in ended.text  # the reason stands with the sentence
    chain = await played.chain_events(ended.chain)
    assert {event.key for event in chain} >= {begun.key, ended.key}
    assert await played.vm_events("00000000-0000-0000-0000-000000000000", since=since, until=None) == []


async def test_events_of_hosts_are_of_those_hosts_and_of_that_time(played, player):
    since = await played.look_at_clock() - timedelta(minutes=5)
    player.set_host(TARGET, connected=False)
    player.set_host(SOURCE, maintenance=True)
    events = await played.host_events([TARGET], since=since, until=None)
    assert [(event.kind, event.host) for event in events] == [("HostConnectionLostEvent", TARGET)]
    assert events[0].weight is EventWeight.ERROR
    assert await played.host_events([TARGET], since=since, until=since) == []


async def test_a_task_is_found_by_its_id_while_it_is_remembered_and_in_the_history_after(played, peer, failed):
    since = await played.look_at_clock() - timedelta(days=1)
    record = await played.find_task(failed, since=since)
    assert record.vm.ref.name == "db01"
    assert record.what == "RelocateVM_Task"
    assert record.snapshot.fault
    assert record.chain
    peer.player.switches.advance_time(timedelta(minutes=11))  # it forgets the object, not the history
    assert (await played.find_task(failed, since=since)).snapshot.task == failed
    assert await played.find_task("task-999999", since=since) is None


async def test_the_last_failed_copy_of_a_vm_is_known_and_success_is_no_failure(played, peer, failed):
    (vm,) = await played.look_for_vms("db01")
    now = await played.look_at_clock()
    record = await played.last_failed_copy(vm.ref.uuid, since=now - timedelta(days=7))
    assert record.snapshot.task == failed
    assert await played.last_failed_copy(vm.ref.uuid, since=now + timedelta(minutes=1)) is None
    peer.player.set_link("site1", "site2", loss=0.0)
    (other,) = await played.look_for_vms(peer.vm_path)
    moved = [s async for s in played.follow(await played.relocate(await peer.plan(played), op_id="x"))]
    assert moved[-1].fault is None
    assert await played.last_failed_copy(other.ref.uuid, since=now - timedelta(days=7)) is None


async def test_reading_needs_no_more_than_reading(peer, failed):
    viewer = peer.connect(user="viewer@vsphere.local")
    assert await viewer.clock_offset(TARGET)
    assert await viewer.describe_hosts([SOURCE, TARGET])
    (vm,) = await viewer.look_for_vms("db01")
    since = await viewer.look_at_clock() - timedelta(minutes=5)
    assert await viewer.vm_events(vm.ref.uuid, since=since, until=None)
    assert await viewer.find_task(failed, since=since)
