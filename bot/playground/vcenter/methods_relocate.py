"""RelocateVM_Task: read the spec, ask for every privilege on its object, and let the work begin."""

from __future__ import annotations

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.far_side import FarSide, find_far_side
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.inventory import Vm
from bot.playground.vcenter.privileges import needed_to_relocate
from bot.playground.vcenter.relocate_spec import Plan, read_spec
from bot.playground.vcenter.stories import RelocationStory
from bot.playground.vcenter.tasks import Task
from bot.playground.vcenter.universe import RelocationRecord
from bot.playground.vcenter.wire import Node


@method("RelocateVM_Task", on="VirtualMachine")
async def relocate_vm(call: Call) -> str:
    """Accept a relocation: what is wrong with the spec is said at once, what is wrong with the moment by the task."""
    vm, spec = call.vm(), _spec(call)
    locator = spec.one("service")
    if locator is not None:
        return _relocate_far(call, vm, spec, locator)
    plan = read_spec(spec, vm, call.estate.inventory)
    for privilege, entity in needed_to_relocate(vm, plan):
        call.require(privilege, entity)
    task, record = _accept(call, vm)
    task.story = RelocationStory(call.estate.events, call.estate.events, vm, plan, task)
    call.works.start(vm, plan, task=task, record=record)
    return returned(task.ref, "Task")


def _relocate_far(call: Call, vm: Vm, spec: Node, locator: Node) -> str:
    """Move to another vCenter: this one logs in there on behalf of the caller, and only its task says how that went.

    Faults of the login end the task (github.com/lamw/vmware-scripts/issues/32: Wait-Task shows InvalidLogin;
    github.com/vmware/pyvmomi/issues/1041: the task carries the thumbprint that was expected).
    """
    call.require("Resource.HotMigrate" if vm.power == "poweredOn" else "Resource.ColdMigrate", vm)
    task, record = _accept(call, vm)
    try:
        far = find_far_side(call.estate, locator)
        plan = _far_plan(far, vm, spec)
    except Fault as fault:
        call.estate.tasks.start(task)
        call.estate.tasks.finish(task, fault)
        record.outcome = fault.data.type
    else:
        task.story = RelocationStory(call.estate.events, far.estate.events, vm, plan, task)
        call.works.start(vm, plan, task=task, record=record)
    return returned(task.ref, "Task")


def _far_plan(far: FarSide, vm: Vm, spec: Node) -> Plan:
    plan = read_spec(spec, vm, far.estate.inventory)
    for privilege, entity in needed_to_relocate(vm, plan):
        if entity.home is far.estate.inventory and not far.estate.rights.may(far.account, privilege, entity):
            raise faults.no_permission(entity.ref, privilege)
    return plan


def plan_of(call: Call, vm: Vm) -> Plan:
    """Return the plan of the call's spec, at this vCenter or at the one that its service names."""
    spec = _spec(call)
    locator = spec.one("service")
    if locator is None:
        return read_spec(spec, vm, call.estate.inventory)
    return read_spec(spec, vm, find_far_side(call.estate, locator).estate.inventory)


def _spec(call: Call) -> Node:
    spec = call.args.one("spec")
    if spec is None:
        raise faults.invalid_argument("spec")
    return spec


def _accept(call: Call, vm: Vm) -> tuple[Task, RelocationRecord]:
    task = call.new_task(vm)
    record = RelocationRecord(vm.name, vm.instance_uuid, task.op_id, call.session.key, task.id, task.queued)
    call.estate.relocations.append(record)
    return task, record
