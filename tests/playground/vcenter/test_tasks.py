"""Tasks beyond one relocation: the queue of vCenter, recent ones, history, and how they vanish."""

import asyncio
import http.client
from datetime import timedelta

import pytest
from pyVmomi import vim, vmodl

MANY = """
[play]
history_lines = 0
noise_every = "1 h"
[[vcenters]]
name = "east"
accounts = [{ user = "svc@vsphere.local", password = "right" }]
[[sites]]
name = "site1"
vcenter = "east"
hosts = 1
[[sites]]
name = "site2"
vcenter = "east"
hosts = 1
datastores = [{ name = "ds-c2-01" }]
folders = ["Migrated"]
[[links]]
between = ["site1", "site2"]
rate = "10 Mbit/s"
rtt = "0 ms"
""" + "".join(
    f'[[vms]]\nname = "vm{number:02d}"\nsite = "site1"\ndisks = ["8 GiB thin 20 MiB"]\n' for number in range(10)
)


@pytest.fixture
def many(client, in_thread):
    async def start():
        spec = await in_thread(client.spec)
        names = [f"vm{number:02d}" for number in range(10)]
        return [
            await in_thread(lambda name=name: client.relocate(client.find(f"DC1/vm/{name}"), spec, op_id=f"cm-{name}"))
            for name in names
        ]

    return start


@pytest.mark.parametrize("world_text", [MANY], ids=["ten"])
class TestTenAtOnce:
    async def test_eight_run_and_the_others_wait(self, player, client, in_thread, many):
        tasks = await many()
        states = [await in_thread(lambda task=task: task.info.state) for task in tasks]
        assert states == ["running"] * 8 + ["queued"] * 2
        player.set_link("site1", "site2", rate=100_000_000_000)
        for task in tasks:
            _, error = await in_thread(client.watch, task)
            assert error is None
        assert {player.placement(f"vm{number:02d}").site for number in range(10)} == {"site2"}

    async def test_a_queued_one_can_be_cancelled(self, player, client, in_thread, many):
        tasks = await many()
        await in_thread(tasks[9].CancelTask)
        _, error = await in_thread(client.watch, tasks[9])
        assert isinstance(error, vmodl.fault.RequestCanceled)
        assert player.placement("vm09").site == "site1"
        assert await in_thread(lambda: tasks[9].info.startTime) is None

    async def test_a_stopped_player_gives_up_what_runs(self, player, many):
        await many()
        await player.stop()
        assert [record.outcome for record in player.relocations] == [""] * 10


async def test_history_is_searched_by_entity_and_time(player, client, in_thread):
    def go():
        vm = client.find("DC1/vm/thick01")
        start = client.si.CurrentTime()
        client.watch(client.relocate(vm, client.spec(), op_id="cm-h-a1"))
        by_entity = vim.TaskFilterSpec.ByEntity(entity=vm, recursion="self")
        manager = client.content.taskManager

        def search(begin, end=None):
            by_time = vim.TaskFilterSpec.ByTime(timeType="queuedTime", beginTime=begin, endTime=end)
            collector = manager.CreateCollectorForTasks(vim.TaskFilterSpec(entity=by_entity, time=by_time))
            latest = collector.latestPage
            collector.RewindCollector()
            read = collector.ReadNextTasks(100)
            assert collector.ReadNextTasks(100) == []
            collector.DestroyCollector()
            return [info.descriptionId for info in latest], [info.state for info in read]

        other = vim.TaskFilterSpec.ByEntity(entity=client.find("DC1/vm/db01"), recursion="self")
        nothing = manager.CreateCollectorForTasks(vim.TaskFilterSpec(entity=other)).latestPage
        return search(start), search(start + timedelta(hours=1)), search(start, start), nothing

    found, later, before, nothing = await in_thread(go)
    assert found == (["VirtualMachine.relocate"], ["success"])
    assert later == before == ([], [])
    assert not nothing


async def test_a_finished_task_vanishes_but_stays_in_the_history(player, client, in_thread):
    player.estate.tasks.retention = timedelta(0)

    def go():
        vm = client.find("DC1/vm/thick01")
        task = client.relocate(vm, client.spec())
        pc = client.content.propertyCollector.CreatePropertyCollector()
        filters = vmodl.query.PropertyCollector
        pc.CreateFilter(
            filters.FilterSpec(
                objectSet=[filters.ObjectSpec(obj=task, skip=False)],
                propSet=[filters.PropertySpec(type=vim.Task, pathSet=["info.state"])],
            ),
            True,
        )
        version, kinds = "", []
        while "leave" not in kinds:
            update = pc.WaitForUpdatesEx(version, filters.WaitOptions(maxWaitSeconds=10))
            version = update.version
            kinds += [str(thing.kind) for filter_set in update.filterSet for thing in filter_set.objectSet]
        with pytest.raises(vmodl.fault.ManagedObjectNotFound):
            _ = task.info
        collector = client.content.taskManager.CreateCollectorForTasks(vim.TaskFilterSpec())
        return [info.key for info in collector.latestPage], task._moId, vm.recentTask

    keys, task, recent = await in_thread(go)
    assert task in keys
    assert recent == []


async def test_a_task_that_vanishes_is_not_both_listed_and_gone_in_one_answer(player, client, in_thread):
    filters = vmodl.query.PropertyCollector

    def tasks_of(vm):
        onward = vmodl.query.PropertyCollector.TraversalSpec(type=vim.VirtualMachine, path="recentTask")
        of_tasks = filters.PropertySpec(type=vim.Task, pathSet=["info.state"])
        spec = filters.FilterSpec(
            objectSet=[filters.ObjectSpec(obj=vm, skip=True, selectSet=[onward])], propSet=[of_tasks]
        )
        found = client.content.propertyCollector.RetrievePropertiesEx([spec], filters.RetrieveOptions())
        return [one.obj for one in found.objects] if found else []

    def go():
        vm = client.find("DC1/vm/thick01")
        task = client.relocate(vm, client.spec())
        while task.info.state != "success":
            pass
        before = tasks_of(vm)
        player.estate.tasks.retention = timedelta(0)  # its time is over before anybody has swept
        return task, before, tasks_of(vm)

    task, before, after = await in_thread(go)
    assert before == [task]
    assert after == []


async def test_power_tasks_work_and_respect_the_state(player, client, in_thread):
    def go():
        vm = client.find("DC1/vm/db01")
        first = client.watch(vm.PowerOnVM_Task(None))[1]
        second = client.watch(vm.PowerOnVM_Task(None))[1]
        on = vm.runtime.powerState
        client.watch(vm.PowerOffVM_Task())
        return first, second, on, vm.runtime.powerState

    first, second, on, off = await in_thread(go)
    assert first is None
    assert isinstance(second, vim.fault.InvalidPowerState)
    assert (on, off) == ("poweredOn", "poweredOff")


async def test_a_delayed_reply_comes_late_but_the_call_is_done(player, client, in_thread):
    player.delay_reply("RelocateVM_Task", 30)
    call = asyncio.create_task(in_thread(lambda: client.relocate(client.find("DC1/vm/thick01"), client.spec())))
    async with asyncio.timeout(10):
        await player.until_called("RelocateVM_Task")
    assert [record.vm for record in player.relocations] == ["thick01"]
    assert not call.done()
    await player.go_down()
    with pytest.raises((OSError, http.client.HTTPException)):
        await call
