"""Sessions that end: by time, by hand, by a restart of the vCenter; and what dies and what stays then."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pyVmomi import vim, vmodl

from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world

PC = vmodl.query.PropertyCollector
VM = "DC1/vm/Web/web01"


@pytest.fixture
def world_text(world_text):
    return f"""{world_text}
[[vms]]                      # takes long
name = "slow01"
site = "site1"
disks = ["95 GiB thin 90 GiB"]
"""


def current(client):
    """The session a client has, read as pyVmomi's own re-login does."""
    return client.content.sessionManager.currentSession


async def test_the_current_session_is_null_after_logout_end_and_expiry(player, client_of, in_thread):
    loggedout, ended, expired = [await in_thread(client_of, player) for _ in range(3)]
    assert (await in_thread(current, ended)).key == ended.session.key
    await in_thread(loggedout.sessions.Logout)
    assert await in_thread(current, loggedout) is None
    await in_thread(expired.sessions.TerminateSession, [ended.session.key])
    assert await in_thread(current, ended) is None
    assert player.switches.expire_sessions() == 1
    assert await in_thread(current, expired) is None
    session = await in_thread(ended.sessions.Login, "svc@vsphere.local", "right", None)  # the stub serves again
    assert (await in_thread(current, ended)).key == session.key


async def test_the_list_of_sessions_is_for_those_who_may_end_them(player, client, client_of, in_thread):
    reader = await in_thread(client_of, player, user="reader@vsphere.local")
    keys = {session.key for session in await in_thread(lambda: client.sessions.sessionList)}
    assert keys == {client.session.key, reader.session.key}
    with pytest.raises(vim.fault.NoPermission) as refused:
        await in_thread(lambda: reader.sessions.sessionList)
    assert refused.value.privilegeId == "Sessions.TerminateSession"


async def test_an_idle_session_disappears_from_the_list_and_one_that_waits_does_not(
    tmp_path, world_text, client_of, in_thread
):
    now = [datetime(2026, 3, 1, tzinfo=UTC)]
    async with await play_world(parse_world(world_text), tmp_path / "w", clock=lambda: now[0]) as running:
        east = running["east"]
        idle, waiter = await in_thread(client_of, east), await in_thread(client_of, east)

        def begin():
            pc = waiter.content.propertyCollector.CreatePropertyCollector()
            pc.CreateFilter(waiter.all_of(vim.Datastore, ["name"]), True)
            return pc, pc.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=1)).version

        pc, version = await in_thread(begin)
        polling = asyncio.create_task(in_thread(pc.WaitForUpdatesEx, version, PC.WaitOptions(maxWaitSeconds=20)))
        await east.until_called("WaitForUpdatesEx", 2)
        now[0] += timedelta(minutes=31)
        east.estate.sessions.sweep()
        assert [session.key for session in east.estate.sessions.all()] == [waiter.session.key]
        assert await in_thread(current, idle) is None
        east.switches.fill_datastore("ds-c1-01")
        store = east.estate.datastore("ds-c1-01")
        east.estate.inventory.rename(store, "ds-renamed")
        assert (await polling).filterSet[0].objectSet[0].changeSet[0].val == "ds-renamed"


async def test_filters_and_polls_of_an_ended_session_are_not_authenticated(player, client, client_of, in_thread):
    fence = await in_thread(client_of, player)

    def begin():
        pc = client.content.propertyCollector.CreatePropertyCollector()
        filter_ = pc.CreateFilter(client.all_of(vim.VirtualMachine, ["name"]), True)
        return pc, filter_, pc.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=1)).version

    pc, filter_, version = await in_thread(begin)
    polling = asyncio.create_task(in_thread(pc.WaitForUpdatesEx, version, PC.WaitOptions(maxWaitSeconds=20)))
    await player.until_called("WaitForUpdatesEx", 2)
    await in_thread(fence.sessions.TerminateSession, [client.session.key])
    with pytest.raises(vim.fault.NotAuthenticated):
        await polling
    for call in (filter_.Destroy, pc.Destroy, lambda: pc.CheckForUpdates(version)):
        with pytest.raises(vim.fault.NotAuthenticated):
            await in_thread(call)
    await in_thread(client.sessions.Login, "svc@vsphere.local", "right", None)
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):  # a new session does not inherit the old one's collector
        await in_thread(pc.CheckForUpdates, version)


async def test_a_restart_forgets_sessions_and_ended_tasks_and_keeps_histories(player, client, in_thread):
    def before():
        vm = client.find(VM)
        done = client.relocate(vm, client.spec(deviceChange=client.network_map(vm)))
        client.watch(done)
        running = client.relocate(client.find("DC1/vm/slow01"), client.spec(), op_id="cm-ab12cd34-a2")
        while running.info.state != "running":
            client.watch(running, until=("running",))
        return done, running

    done, running = await in_thread(before)
    url = player.url
    await player.switches.restart_vcenter()
    assert player.url == url
    await in_thread(client.stub.DropConnections)  # what the client kept open is broken
    assert await in_thread(current, client) is None
    with pytest.raises(vim.fault.NotAuthenticated):
        await in_thread(lambda: done.info)

    def after():
        client.sessions.Login("svc@vsphere.local", "right", None)
        for task in (done, running):
            with pytest.raises(vmodl.fault.ManagedObjectNotFound):
                task.info  # noqa: B018 - reading is the call
        history = client.content.taskManager.CreateCollectorForTasks(vim.TaskFilterSpec()).ReadNextTasks(100)
        slow = client.find("DC1/vm/slow01")
        events = client.content.eventManager.QueryEvents(
            vim.event.EventFilterSpec(entity=vim.event.EventFilterSpec.ByEntity(entity=slow, recursion="self"))
        )
        return {info.key: info for info in history}, slow.runtime.host.name, events, list(slow.recentTask)

    told, host, events, recent = await in_thread(after)
    assert told[done._moId].state == "success"
    assert isinstance(told[running._moId].error, vmodl.fault.SystemError)
    assert host.startswith("esx-site1")
    assert recent == []
    assert isinstance(events[0], vim.event.VmFailedMigrateEvent)
    assert [record.outcome for record in player.relocations] == ["success", "SystemError"]
    orphans = player.datastore("ds-c2-01").orphans
    assert all(orphan.size > 0 for orphan in orphans)


async def test_a_restart_ends_what_waits_for_its_turn(player, client, in_thread):
    player.estate.host("esx-site2-01.example.net").copying = 8

    def begin():
        vm = client.find(VM)
        return client.relocate(vm, client.spec(deviceChange=client.network_map(vm)))

    queued = await in_thread(begin)
    await player.switches.restart_vcenter()
    (task,) = [task for task in player.estate.tasks.history if task.id == queued._moId]
    assert (task.state, player.relocations[0].outcome) == ("error", "SystemError")
    assert player.placement("web01").site == "site1"
