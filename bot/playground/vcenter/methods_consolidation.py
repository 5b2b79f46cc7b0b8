"""ConsolidateVMDisks_Task: deltas that no snapshot owns are merged into what is below them, one after the other."""

from __future__ import annotations

import asyncio

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.inventory import Vm
from bot.playground.vcenter.tasks import Task

_STEPS = 10


@method("ConsolidateVMDisks_Task", on="VirtualMachine", privilege="VirtualMachine.State.RemoveSnapshot")
async def consolidate_vm_disks(call: Call) -> str:
    """Merge; without such deltas it is done at once. Busy VMs and lost hosts are refused by the task."""
    vm, tasks = call.vm(), call.estate.tasks
    busy = next(tasks.live(vm), None)
    task = call.new_task(vm)
    tasks.start(task)
    if busy:
        tasks.finish(task, faults.task_in_progress(busy.ref))
    elif not vm.host.connected:
        tasks.finish(task, faults.host_not_connected(vm.host.name))
    else:
        _step(call, vm, task, 0, vm.strays * _STEPS)
    return returned(task.ref, "Task")


def _step(call: Call, vm: Vm, task: Task, done: int, steps: int) -> None:
    """Merge a part, and come back for the next; a vCenter that restarts has ended the task meanwhile."""
    if task.ended:
        return
    if done and done % _STEPS == 0:
        _merge_one(call, vm)
    if done == steps:
        call.estate.tasks.finish(task)
        return
    call.estate.tasks.report(task, 100 * done // steps)
    pause = call.estate.universe.world.play.consolidation.total_seconds() / _STEPS
    asyncio.get_running_loop().call_later(pause, _step, call, vm, task, done + 1, steps)


def _merge_one(call: Call, vm: Vm) -> None:
    """Give back what the newest delta took (invented: the disk below does not grow by it)."""
    before = {store: _taken(vm, store.id) for store in vm.datastores}
    vm.strays -= 1
    for store, size in before.items():
        call.estate.inventory.allocate(store, _taken(vm, store.id) - size)
    call.estate.inventory.changes.touch(vm.ref)


def _taken(vm: Vm, store: str) -> int:
    return sum(file.size for file in vm.files if file.datastore.id == store)
