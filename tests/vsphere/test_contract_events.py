"""What both vCenters tell of a migration afterwards: events by entity, type and chain, collectors, the task history."""

from __future__ import annotations

import pytest
from pyVmomi import vim

from tests.vsphere.raw import EventFilter, name_of, outcome

MIGRATED = {"eventTypeId": ["VmMigratedEvent"]}


@pytest.fixture
def says(peer):
    return peer.says


def kinds(events):
    return [name_of(event) for event in events]


async def test_a_migration_is_found_where_it_belongs(raw, peer, says, in_thread):
    def go():
        vm, _ = raw.relocate()
        source, target = (raw.find(f"/{site.datacenter}") for site in (peer.source, peer.target))
        assert kinds(raw.events(vm, **MIGRATED)) == ["VmMigratedEvent"]
        assert kinds(raw.events(vm, "children", **MIGRATED)) == []
        for recursion in ("all", "children"):
            assert kinds(raw.events(target, recursion, **MIGRATED)) == ["VmMigratedEvent"]
            assert kinds(raw.events(source, recursion, **MIGRATED)) == []
        assert kinds(raw.events(raw.content.rootFolder, "all", **MIGRATED)) == ["VmMigratedEvent"]
        own = kinds(raw.events(vm.runtime.host, **MIGRATED))
        assert own == says("a VM's migration among its host's own events")
        own = kinds(raw.events(raw.content.rootFolder, **MIGRATED))
        assert own == says("everything among the root folder's own events")
        ghosts = outcome(lambda: len(raw.events(raw.ghost)))
        assert ghosts == says("events of a VM that is not there")

    await in_thread(go)


async def test_the_event_says_from_where_to_where(raw, peer, in_thread):
    def go():
        before = raw.vm.runtime.host.name
        vm, _ = raw.relocate()
        (event,) = raw.events(vm, **MIGRATED)
        assert (event.sourceHost.name, event.host.name) == (before, vm.runtime.host.name)
        assert (event.sourceDatastore.name, event.ds.name) == (peer.source.datastore, peer.target.datastore)
        assert (event.sourceDatacenter.name, event.datacenter.name) == (peer.source.datacenter, peer.target.datacenter)
        assert (event.vm.name, event.vm.vm) == (peer.vm, vm)
        assert peer.vm in event.fullFormattedMessage

    await in_thread(go)


async def test_filters_of_events(raw, says, in_thread):
    def go():
        vm, info = raw.relocate()
        chain = raw.events(eventChainId=info.eventChainId)[::-1] if info.eventChainId else []
        assert kinds(chain) == says("events of a migration's chain")
        events = raw.events(vm)
        assert [event.key for event in events] == sorted((event.key for event in events), reverse=True)
        assert "VmMigratedEvent" in kinds(raw.events(vm, eventTypeId=["VmEvent"]))  # a base class means all below it
        assert kinds(raw.events(vm, eventTypeId=["VmSuspendedEvent"])) == []
        prefixed = kinds(raw.events(vm, eventTypeId=["vim.event.VmMigratedEvent"]))
        assert prefixed == says("type ids with their namespace")
        assert [event.key for event in raw.events(vm, maxCount=1)] == [events[0].key]
        moment = events[0].createdTime
        assert events[0].key in [event.key for event in raw.events(vm, time=EventFilter.ByTime(beginTime=moment))]
        assert outcome(lambda: raw.events(maxCount=5000)) == "InvalidArgument"
        latest = outcome(lambda: raw.content.eventManager.latestEvent.key)
        assert isinstance(latest, int) is says("EventManager.latestEvent")
        assert outcome(lambda: raw.content.eventManager.LogUserEvent(vm, "x")) == says("LogUserEvent")

    await in_thread(go)


async def test_a_collector_of_events(raw, says, in_thread):
    def go():
        vm = raw.vm
        for _ in range(4):
            raw.finish(vm.PowerOnVM_Task())
            raw.finish(vm.PowerOffVM_Task())
        by_vm = EventFilter.ByEntity(entity=vm, recursion="self")
        collector = raw.content.eventManager.CreateCollectorForEvents(EventFilter(entity=by_vm))
        every = [event.key for event in collector.ReadNextEvents(1000)]  # a new cursor stands before the oldest
        assert every == sorted(every)
        assert len(every) > 12

        def places(events):
            return [every.index(event.key) for event in events]

        assert places(collector.ReadNextEvents(5)) == []
        collector.RewindCollector()
        ahead = places(collector.ReadNextEvents(3))
        assert ahead == says("what a rewound cursor reads")
        back = places(collector.ReadPreviousEvents(2))
        assert back == sorted(back, reverse=True)
        assert (back[0] == ahead[-1]) is says("a cursor reads back what it has just read")
        collector.SetCollectorPageSize(4)
        size = len(every)
        assert sorted(places(collector.latestPage)) == list(range(size - 4, size))
        collector.ResetCollector()
        back = places(collector.ReadPreviousEvents(3))
        assert (back == [size - 5, size - 6, size - 7]) is says("a reset cursor stands before the latest page")
        assert outcome(lambda: collector.ReadNextEvents(0)) == "InvalidArgument"
        assert outcome(lambda: collector.SetCollectorPageSize(1001)) == "InvalidArgument"
        collector.DestroyCollector()
        assert outcome(lambda: collector.ReadNextEvents(1)) == "ManagedObjectNotFound"

    await in_thread(go)


async def test_a_session_holds_a_limited_number_of_collectors(raw, in_thread):
    def go():
        manager = raw.content.eventManager
        collectors = [manager.CreateCollectorForEvents(EventFilter()) for _ in range(manager.maxCollector)]
        assert len(collectors) == 32
        assert outcome(lambda: manager.CreateCollectorForEvents(EventFilter())) == "InvalidState"
        collectors[0].DestroyCollector()
        manager.CreateCollectorForEvents(EventFilter())

    await in_thread(go)


async def test_the_task_history_goes_back_to_the_first_of_many(raw, says, in_thread):
    """A new cursor stands before the oldest: whoever only reads on meets all, however many there are."""

    def go():
        vm = raw.vm
        for _ in range(6):
            raw.finish(vm.PowerOnVM_Task())
            raw.finish(vm.PowerOffVM_Task())
        by_vm = vim.TaskFilterSpec.ByEntity(entity=vm, recursion="self")
        collector = raw.content.taskManager.CreateCollectorForTasks(vim.TaskFilterSpec(entity=by_vm))
        infos = [*collector.ReadNextTasks(5), *collector.ReadNextTasks(100)]
        assert [info.descriptionId.rpartition(".")[2] for info in infos[-12:]] == ["powerOn", "powerOff"] * 6
        assert [info.queueTime for info in infos] == sorted(info.queueTime for info in infos)
        named = {info.reason.userName for info in infos[-12:]} == {raw.session.userName}
        assert named is says("tasks name the user who asked")

    await in_thread(go)
