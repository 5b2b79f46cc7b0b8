"""Events: which are written, in which chain, and how filters and collectors hand them out."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from pyVmomi import vim, vmodl

PC = vmodl.query.PropertyCollector
E = vim.event
F = vim.event.EventFilterSpec


def about(entity, recursion="self", **more):
    return F(entity=F.ByEntity(entity=entity, recursion=recursion), **more)


def names(events):
    return [type(event).__name__.rpartition(".")[2] for event in events]


def moved(client, name="DC1/vm/Web/web01", **changes):
    """Relocate a VM to an end; its task and what its chain says, oldest first."""
    vm = client.find(name)
    spec = client.spec(**changes)
    spec.deviceChange = client.network_map(vm)
    task = client.relocate(vm, spec)
    client.watch(task)
    chain = client.content.eventManager.QueryEvents(F(eventChainId=task.info.eventChainId))
    return task.info, chain[::-1]


async def test_a_migration_is_a_chain_of_three_events(player, client, in_thread):
    info, chain = await in_thread(moved, client)
    assert names(chain) == ["TaskEvent", "VmBeingMigratedEvent", "VmMigratedEvent"]
    assert chain[0].key == info.eventChainId == chain[0].chainId
    assert chain[0].info.key == info.key
    assert {event.userName for event in chain} == {"VSPHERE.LOCAL\\svc"}
    assert all(before.key < after.key for before, after in pairwise(chain))
    begun, done = chain[1:]
    assert (begun.host.name, begun.destHost.name) == ("esx-site1-01.example.net", "esx-site2-01.example.net")
    assert (begun.destDatacenter.name, begun.destDatastore.name) == ("DC2", "ds-c2-01")
    assert (done.host.name, done.sourceHost.name) == ("esx-site2-01.example.net", "esx-site1-01.example.net")
    assert (done.sourceDatacenter.name, done.sourceDatastore.name, done.ds.name) == ("DC1", "ds-c1-01", "ds-c2-01")
    assert done.fullFormattedMessage == (
        "Migration of virtual machine web01 from esx-site1-01.example.net, ds-c1-01 "
        "to esx-site2-01.example.net, ds-c2-01 completed"
    )


async def test_a_migration_that_dies_says_why_in_its_chain(player, client, in_thread):
    info, chain = await in_thread(moved, client, "DC1/vm/db01")
    assert names(chain) == ["TaskEvent", "VmBeingMigratedEvent", "VmFailedMigrateEvent"]
    assert type(chain[-1].reason) is type(info.error)
    assert chain[-1].reason.msg == info.error.msg
    assert chain[-1].vm.name == "db01"
    assert chain[-1].host.name == "esx-site1-02.example.net"


async def test_new_storage_on_the_same_host_is_a_relocation(player, client, in_thread):
    def go():
        vm = client.find("DC1/vm/Web/web01")
        client.watch(client.relocate(vm, client.spec(deviceChange=client.network_map(vm))))
        tiny = next(store for store in vm.runtime.host.datastore if store.name == "tiny")
        task = client.relocate(vm, vim.vm.RelocateSpec(datastore=tiny))
        client.watch(task)
        return client.content.eventManager.QueryEvents(F(eventChainId=task.info.eventChainId))[::-1]

    chain = await in_thread(go)
    assert names(chain) == ["TaskEvent", "VmBeingRelocatedEvent", "VmRelocateFailedEvent"]
    assert isinstance(chain[-1].reason, vim.fault.NoDiskSpace)
    assert isinstance(chain[-1], E.VmRelocateSpecEvent)


async def test_filters_by_entity_and_recursion(player, client, in_thread):
    await in_thread(moved, client)

    def ask(path, recursion):
        kinds = ["VmMigratedEvent", "HostConnectionLostEvent"]
        entity = client.find(path) if path else client.content.rootFolder
        return names(client.content.eventManager.QueryEvents(about(entity, recursion, eventTypeId=kinds)))

    player.switches.set_host("esx-site2-01.example.net", connected=False)
    vm, host = "DC2/vm/Migrated/web01", "DC2/host/C2/esx-site2-01.example.net"
    assert await in_thread(ask, vm, "self") == ["VmMigratedEvent"]
    assert await in_thread(ask, vm, "children") == []
    assert await in_thread(ask, host, "self") == ["HostConnectionLostEvent"]
    assert await in_thread(ask, host, "children") == ["VmMigratedEvent"]
    assert await in_thread(ask, "DC2", "self") == []
    for path in ("DC2", None):
        assert await in_thread(ask, path, "all") == ["HostConnectionLostEvent", "VmMigratedEvent"]
    assert await in_thread(ask, "DC1", "all") == []


async def test_filters_by_type_take_base_classes_and_both_spellings(player, client, in_thread):
    await in_thread(moved, client)

    def ask(*types):
        vm = client.find("DC2/vm/Migrated/web01")
        return names(client.content.eventManager.QueryEvents(about(vm, eventTypeId=list(types))))

    assert await in_thread(ask, "VmEvent") == ["VmMigratedEvent", "VmBeingMigratedEvent"]
    assert await in_thread(ask, "vim.event.VmMigratedEvent") == ["VmMigratedEvent"]
    assert await in_thread(ask, "TaskEvent", "VmBeingMigratedEvent") == ["VmBeingMigratedEvent", "TaskEvent"]
    assert await in_thread(ask, "VmPoweredOnEvent") == []


async def test_filters_by_time_and_user(player, client, in_thread):
    info, chain = await in_thread(moved, client)
    done = chain[-1].createdTime

    def ask(**spec):
        vm = client.find("DC2/vm/Migrated/web01")
        return names(client.content.eventManager.QueryEvents(about(vm, **spec)))

    assert await in_thread(lambda: ask(time=F.ByTime(beginTime=done))) == ["VmMigratedEvent"]
    late = F.ByTime(beginTime=done + timedelta(seconds=1))
    assert await in_thread(lambda: ask(time=late)) == []
    early = F.ByTime(endTime=info.queueTime - timedelta(seconds=1))
    assert await in_thread(lambda: ask(time=early)) == []
    ours = F.ByUsername(systemUser=False, userList=["VSPHERE.LOCAL\\svc"])
    assert len(await in_thread(lambda: ask(userName=ours))) == 3
    others = F.ByUsername(systemUser=False, userList=["VSPHERE.LOCAL\\other"])
    assert await in_thread(lambda: ask(userName=others)) == []
    assert len(await in_thread(lambda: ask(maxCount=1))) == 1


async def test_a_collector_runs_forwards_and_backwards(player, client, in_thread):
    def go():
        manager, vm = client.content.eventManager, client.find("DC1/vm/Web/web01")
        for number in range(25):
            manager.LogUserEvent(vm, f"note {number}")
        collector = manager.CreateCollectorForEvents(about(vm))
        said = lambda events: [int(event.message.split()[-1]) for event in events]  # noqa: E731
        assert said(collector.latestPage) == list(range(24, 14, -1))
        assert said(collector.ReadNextEvents(4)) == [0, 1, 2, 3]  # a new cursor stands before the oldest
        assert said(collector.ReadNextEvents(100)) == list(range(4, 25))
        assert collector.ReadNextEvents(1) == []
        collector.ResetCollector()
        assert said(collector.ReadPreviousEvents(3)) == [14, 13, 12]
        assert said(collector.ReadPreviousEvents(100)) == list(range(11, -1, -1))
        assert collector.ReadPreviousEvents(1) == []
        collector.RewindCollector()
        assert said(collector.ReadNextEvents(2)) == [0, 1]
        collector.SetCollectorPageSize(3)
        assert said(collector.latestPage) == [24, 23, 22]
        manager.LogUserEvent(vm, "note 25")
        assert said(collector.latestPage) == [25, 24, 23]
        for count in (0, -1, 1001):
            with pytest.raises(vmodl.fault.InvalidArgument):
                collector.ReadNextEvents(count)
        collector.DestroyCollector()
        with pytest.raises(vmodl.fault.ManagedObjectNotFound):
            collector.ReadNextEvents(1)

    await in_thread(go)


async def test_a_session_holds_at_most_32_collectors(player, client, in_thread):
    def go():
        manager = client.content.eventManager
        collectors = [manager.CreateCollectorForEvents(F()) for _ in range(manager.maxCollector)]
        with pytest.raises(vim.fault.InvalidState):
            client.content.taskManager.CreateCollectorForTasks(vim.TaskFilterSpec())
        collectors[0].DestroyCollector()
        manager.CreateCollectorForEvents(F())

    await in_thread(go)


async def test_the_latest_page_can_be_waited_for(player, client, in_thread):
    def begin():
        collector = client.content.eventManager.CreateCollectorForEvents(F(eventTypeId=["HostConnectionLostEvent"]))
        pc = client.content.propertyCollector.CreatePropertyCollector()
        spec = PC.FilterSpec(
            objectSet=[PC.ObjectSpec(obj=collector)],
            propSet=[PC.PropertySpec(type=E.EventHistoryCollector, pathSet=["latestPage"])],
        )
        pc.CreateFilter(spec, True)
        return pc, pc.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=1)).version

    pc, version = await in_thread(begin)
    waiting = asyncio.create_task(in_thread(pc.WaitForUpdatesEx, version, PC.WaitOptions(maxWaitSeconds=20)))
    await player.until_called("WaitForUpdatesEx", 2)
    player.switches.set_host("esx-site1-01.example.net", connected=False)
    update = await waiting
    (change,) = update.filterSet[0].objectSet[0].changeSet
    assert names(change.val) == ["HostConnectionLostEvent"]


async def test_logins_power_hosts_and_names_leave_events(player, client, client_of, in_thread):
    def go():
        root, manager = client.content.rootFolder, client.content.eventManager
        with pytest.raises(vim.fault.InvalidLogin):
            client_of(player, password="wrong")
        other = client_of(player)
        client.sessions.TerminateSession([other.session.key])
        vm = client.find("DC1/vm/on01")
        client.watch(vm.PowerOffVM_Task())
        client.watch(vm.PowerOnVM_Task())
        client.watch(vm.Rename_Task("on/02"))
        client.watch(client.find("DC1/datastore/ds-c1-01").Rename_Task("ds-new"))
        third = client_of(player)
        third.sessions.Logout()
        return manager.QueryEvents(about(root, "all"))[::-1], manager.latestEvent

    player.switches.set_host("esx-site1-01.example.net", connected=False)
    player.switches.set_host("esx-site1-01.example.net", connected=True)
    player.switches.set_host("esx-site1-01.example.net", maintenance=True)
    player.switches.set_host("esx-site1-01.example.net", maintenance=False)
    events, latest = await in_thread(go)
    assert [name for name in names(events) if name not in {"TaskEvent", "UserLoginSessionEvent"}] == [
        "HostConnectionLostEvent", "HostConnectedEvent", "EnteredMaintenanceModeEvent", "ExitMaintenanceModeEvent",
        "BadUsernameSessionEvent", "SessionTerminatedEvent", "VmStoppingEvent", "VmPoweredOffEvent",
        "VmStartingEvent", "VmPoweredOnEvent", "VmRenamedEvent", "DatastoreRenamedEvent", "UserLogoutSessionEvent",
    ]  # fmt: skip
    assert latest.key == events[-1].key
    renamed = next(event for event in events if isinstance(event, E.VmRenamedEvent))
    assert (renamed.oldName, renamed.newName) == ("on01", "on%2f02")
    login = next(event for event in events if isinstance(event, E.UserLoginSessionEvent))
    assert login.sessionId == client.session.key
    assert login.ipAddress == "127.0.0.1"


async def test_what_a_reader_may_not_read_is_not_told_as_an_event(player, client_of, in_thread):
    reader = await in_thread(client_of, player, user="viewer@vsphere.local")
    assert await in_thread(lambda: reader.content.eventManager.QueryEvents(F())) == []


async def test_a_filter_on_what_is_not_there(player, client, in_thread):
    ghost = vim.VirtualMachine("vm-4711", client.stub)
    for spec, fault in (
        (about(ghost), vmodl.fault.ManagedObjectNotFound),
        (F(maxCount=5000), vmodl.fault.InvalidArgument),
    ):
        with pytest.raises(fault):
            await in_thread(lambda spec=spec: client.content.eventManager.QueryEvents(spec))
