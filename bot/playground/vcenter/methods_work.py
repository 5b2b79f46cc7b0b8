"""Methods that start, stop and look back at work: relocation, power, tasks and their history."""

from __future__ import annotations

import secrets

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.inventory import Datastore, Entity, Vm
from bot.playground.vcenter.relocate_spec import read_spec
from bot.playground.vcenter.tasks import TASK_MANAGER, Task
from bot.playground.vcenter.universe import RelocationRecord
from bot.playground.vcenter.views import TaskFilter, TaskHistory
from bot.playground.vcenter.wire import Node

_PRIVILEGE_OF = {
    "pool": "Resource.AssignVMToPool",
    "datastore": "Datastore.AllocateSpace",
    "folder": "VirtualMachine.Inventory.Move",
    "deviceChange": "Network.Assign",
}
_DISABLER = "com.vmware.vadp"


def _vm(call: Call) -> Vm:
    found = call.estate.inventory.find(call.request.target)
    if not isinstance(found, Vm):
        raise faults.not_found(call.request.target)
    return found


def _op_id(call: Call) -> str:
    """Return the caller's operation id, or one as vCenter makes it for calls without."""
    return call.request.op_id or secrets.token_hex(4)


def _new_task(call: Call, vm: Vm) -> Task:
    if call.request.method in vm.disabled_methods:
        raise faults.method_disabled(call.request.method, _DISABLER)
    user = call.session.user
    return call.estate.tasks.create(call.request.method, entity=vm, user=user, op_id=_op_id(call))


@method("RelocateVM_Task", on="VirtualMachine", privilege="Resource.ColdMigrate")
async def relocate_vm(call: Call) -> str:
    """Accept a relocation: what is wrong with the spec is said at once, what is wrong with the moment by the task."""
    vm, spec = _vm(call), call.args.one("spec")
    if spec is None:
        raise faults.invalid_argument("spec")
    for name, privilege in _PRIVILEGE_OF.items():
        if spec.one(name) and not call.session.may(privilege):
            raise faults.no_permission(vm.ref, privilege)
    plan = read_spec(spec, vm, call.estate.inventory)
    task = _new_task(call, vm)
    record = RelocationRecord(vm.name, vm.instance_uuid, task.op_id, call.session.key, task.id, task.queued)
    call.estate.relocations.append(record)
    call.works.start(vm, plan, task=task, record=record)
    return returned(task.ref, "Task")


@method("PowerOnVM_Task", on="VirtualMachine", privilege="VirtualMachine.Interact.PowerOn")
async def power_on(call: Call) -> str:
    return _power(call, "poweredOn")


@method("PowerOffVM_Task", on="VirtualMachine", privilege="VirtualMachine.Interact.PowerOff")
async def power_off(call: Call) -> str:
    return _power(call, "poweredOff")


def _power(call: Call, state: str) -> str:
    vm = _vm(call)
    task = _new_task(call, vm)
    busy = next((other for other in call.estate.tasks.live(vm) if other is not task), None)
    call.estate.tasks.start(task)
    if busy:
        call.estate.tasks.finish(task, faults.task_in_progress(busy.ref))
    elif vm.power == state:
        call.estate.tasks.finish(task, faults.invalid_power_state(vm.power))
    else:
        call.estate.set_power(vm, state)
        call.estate.tasks.finish(task)
    return returned(task.ref, "Task")


@method("RefreshDatastoreStorageInfo", on="Datastore", privilege="System.Read")
async def refresh_datastore_storage_info(call: Call) -> str:
    store = call.estate.inventory.find(call.request.target)
    if isinstance(store, Datastore):
        call.estate.inventory.changes.touch(store.ref)
    return ""


@method("CancelTask", on="Task")
async def cancel_task(call: Call) -> str:
    """Cancel a task; those of others need Global.CancelTask. Refuses ended ones with InvalidState."""
    task = call.estate.tasks.find(call.request.target.id)
    if task is None:
        raise faults.not_found(call.request.target)
    if task.user != call.session.user and not call.session.may("Global.CancelTask"):
        raise faults.no_permission(task.ref, "Global.CancelTask")
    if task.ended:
        raise faults.task_ended()
    if task.abort is None:
        raise faults.not_supported("the task cannot be canceled")
    call.estate.tasks.cancel(task)
    return ""


@method("CreateCollectorForTasks", on="TaskManager", privilege="System.View")
async def create_collector_for_tasks(call: Call) -> str:
    spec = call.args.one("filter")
    wanted = _filter(call, spec) if spec else TaskFilter()
    history = TaskHistory(call.estate.tasks, wanted)
    history.reset()
    return returned(call.session.keep("TaskHistoryCollector", history), "TaskHistoryCollector")


def _filter(call: Call, spec: Node) -> TaskFilter:
    by_entity, by_time, by_user = spec.one("entity"), spec.one("time"), spec.one("userName")
    return TaskFilter(
        entities=_entities(call, by_entity) if by_entity else None,
        time_type=(by_time.value("timeType") if by_time else None) or "queuedTime",
        begin=by_time.moment("beginTime") if by_time else None,
        end=by_time.moment("endTime") if by_time else None,
        states=tuple(node.text for node in spec.all("state")),
        users=tuple(node.text for node in by_user.all("userList")) if by_user else (),
    )


def _entities(call: Call, by_entity: Node) -> tuple[Entity, ...]:
    ref = by_entity.reference("entity")
    entity = call.estate.inventory.find(ref)
    if entity is None:
        raise faults.not_found(ref or TASK_MANAGER)
    below = tuple(call.estate.inventory.below(entity))
    return {"self": (entity,), "children": below, "all": (entity, *below)}[by_entity.value("recursion") or "self"]


def _history(call: Call) -> TaskHistory:
    found = call.reader.find(call.request.target)
    if not isinstance(found, TaskHistory):
        raise faults.not_found(call.request.target)
    return found


@method("ReadNextTasks", on="TaskHistoryCollector")
async def read_next_tasks(call: Call) -> str:
    return returned(_history(call).next(call.args.number("maxCount") or 0), "TaskInfo")


@method("ReadPreviousTasks", on="TaskHistoryCollector")
async def read_previous_tasks(call: Call) -> str:
    return returned(_history(call).previous(call.args.number("maxCount") or 0), "TaskInfo")


@method("SetCollectorPageSize", on="TaskHistoryCollector")
async def set_collector_page_size(call: Call) -> str:
    _history(call).set_page(call.args.number("maxCount") or 1)
    return ""


@method("RewindCollector", on="TaskHistoryCollector")
async def rewind_collector(call: Call) -> str:
    _history(call).rewind()
    return ""


@method("ResetCollector", on="TaskHistoryCollector")
async def reset_collector(call: Call) -> str:
    _history(call).reset()
    return ""


@method("DestroyCollector", on="TaskHistoryCollector")
async def destroy_collector(call: Call) -> str:
    call.session.objects.pop(call.request.target, None)
    return ""
