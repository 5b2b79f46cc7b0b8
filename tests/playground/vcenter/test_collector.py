"""Long polls: what is told first, what later, and how a wait ends."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from pyVmomi import vim, vmodl

PC = vmodl.query.PropertyCollector


def _watch_vms(client):
    pc = client.content.propertyCollector.CreatePropertyCollector()
    return pc, pc.CreateFilter(client.all_of(vim.VirtualMachine, ["name", "runtime.powerState"]), True)


def _changes(update):
    return [
        (str(thing.kind), {change.name: change.val for change in thing.changeSet})
        for filter_set in update.filterSet
        for thing in filter_set.objectSet
    ]


async def test_first_everything_then_only_what_changed(player, client, in_thread):
    pc, _ = await in_thread(_watch_vms, client)
    first = await in_thread(pc.WaitForUpdatesEx, "", PC.WaitOptions(maxWaitSeconds=5))
    assert len(_changes(first)) == 8
    assert {kind for kind, _ in _changes(first)} == {"enter"}
    assert await in_thread(pc.WaitForUpdatesEx, first.version, PC.WaitOptions(maxWaitSeconds=0)) is None
    player.set_power("web01", on=True)
    second = await in_thread(pc.WaitForUpdatesEx, first.version, PC.WaitOptions(maxWaitSeconds=5))
    assert _changes(second) == [("modify", {"runtime.powerState": "poweredOn"})]


async def test_a_lost_answer_is_told_again(player, client, in_thread):
    pc, _ = await in_thread(_watch_vms, client)
    first = await in_thread(pc.WaitForUpdatesEx, "", PC.WaitOptions(maxWaitSeconds=5))
    player.set_power("web01", on=True)
    second = await in_thread(pc.WaitForUpdatesEx, first.version, PC.WaitOptions(maxWaitSeconds=5))
    again = await in_thread(pc.WaitForUpdatesEx, first.version, PC.WaitOptions(maxWaitSeconds=5))
    assert (again.version, _changes(again)) == (second.version, _changes(second))
    with pytest.raises(vmodl.query.InvalidCollectorVersion):
        await in_thread(pc.WaitForUpdatesEx, "777", PC.WaitOptions(maxWaitSeconds=5))


async def test_many_changes_are_told_in_portions(player, client, in_thread):
    pc, _ = await in_thread(_watch_vms, client)
    version, seen, truncated = "", 0, []
    while seen < 8:
        update = await in_thread(pc.WaitForUpdatesEx, version, PC.WaitOptions(maxWaitSeconds=5, maxObjectUpdates=3))
        version, seen = update.version, seen + len(_changes(update))
        truncated.append(bool(update.truncated))
    assert truncated == [True, True, False]


async def test_a_wait_can_be_cancelled_from_another_thread(player, client, in_thread):
    pc, _ = await in_thread(_watch_vms, client)
    first = await in_thread(pc.WaitForUpdatesEx, "", PC.WaitOptions(maxWaitSeconds=5))

    def wait():
        with pytest.raises(vmodl.fault.RequestCanceled):
            pc.WaitForUpdatesEx(first.version, PC.WaitOptions(maxWaitSeconds=20))

    async with _waiting(player, in_thread, wait):
        await in_thread(pc.CancelWaitForUpdates)


async def test_a_wait_ends_with_its_session(player, client, in_thread):
    pc, _ = await in_thread(_watch_vms, client)
    first = await in_thread(pc.WaitForUpdatesEx, "", PC.WaitOptions(maxWaitSeconds=5))

    def wait():
        with pytest.raises(vim.fault.NotAuthenticated):
            pc.WaitForUpdatesEx(first.version, PC.WaitOptions(maxWaitSeconds=20))

    async with _waiting(player, in_thread, wait):
        player.expire_sessions()


@asynccontextmanager
async def _waiting(player, in_thread, wait):
    """Run a blocking wait beside the body; the body starts once the call has reached the player."""
    before = player.calls.get("WaitForUpdatesEx", 0)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(in_thread(wait))
        await player.until_called("WaitForUpdatesEx", before + 1)
        yield


async def test_filters_and_collectors_can_be_destroyed(player, client, in_thread):
    pc, filter_ = await in_thread(_watch_vms, client)
    await in_thread(filter_.Destroy)
    assert await in_thread(pc.WaitForUpdatesEx, "", PC.WaitOptions(maxWaitSeconds=0)) is None
    await in_thread(pc.Destroy)
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        await in_thread(pc.WaitForUpdatesEx, "", PC.WaitOptions(maxWaitSeconds=0))


async def test_a_filter_on_nothing_is_refused_or_reported(player, client, in_thread):
    def create(*, report):
        pc = client.content.propertyCollector.CreatePropertyCollector()
        ghost = vim.Task("task-1", client.stub)
        spec = PC.FilterSpec(
            objectSet=[PC.ObjectSpec(obj=ghost, skip=False)],
            propSet=[PC.PropertySpec(type=vim.Task, pathSet=["info.state"])],
            reportMissingObjectsInResults=report,
        )
        pc.CreateFilter(spec, True)
        return pc.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=5))

    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        await in_thread(create, report=False)
    update = await in_thread(create, report=True)
    assert isinstance(update.filterSet[0].missingSet[0].fault, vmodl.fault.ManagedObjectNotFound)


async def test_a_list_view_feeds_one_filter(player, client, in_thread):
    def go():
        content = client.content
        pc = content.propertyCollector.CreatePropertyCollector()
        view = content.viewManager.CreateListView([])
        pc.CreateFilter(client.list_of(view, vim.VirtualMachine, ["name"]), True)
        assert pc.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=0)) is None
        vm = client.find("DC1/vm/db01")
        view.ModifyListView(add=[vm], remove=None)
        update = pc.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=5))
        view.ModifyListView(add=None, remove=[vm])
        last = pc.WaitForUpdatesEx(update.version, PC.WaitOptions(maxWaitSeconds=5))
        return _changes(update) + _changes(last)

    assert await in_thread(go) == [("enter", {"name": "db01"}), ("leave", {})]
