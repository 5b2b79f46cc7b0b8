"""The provisioning checker: what would stand against a relocation, asked without starting one."""

from __future__ import annotations

import asyncio

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.checks import TestGroup, findings, results
from bot.playground.vcenter.inventory import Vm
from bot.playground.vcenter.links import NFC_PORT, Closed
from bot.playground.vcenter.methods_relocate import plan_of
from bot.playground.vcenter.relocate_spec import Plan
from bot.playground.vcenter.tasks import Task


@method("CheckRelocate_Task", on="VirtualMachineProvisioningChecker", privilege="System.View")
async def check_relocate(call: Call) -> str:
    """Start a check. A spec that cannot be read is refused at once, an unknown test group with InvalidArgument.

    The task's entity is the root folder (invented: which entity vCenter names is not documented), so that a check
    does not look like work on the VM.
    """
    ref = call.args.reference("vm")
    vm = call.estate.inventory.find(ref)
    if not isinstance(vm, Vm):
        raise faults.not_found(ref or call.request.target)
    groups = _groups(call)
    plan = plan_of(call, vm)
    task = call.new_task(call.estate.inventory.root)
    _check(call, task, vm, plan, groups)
    return returned(task.ref, "Task")


def _groups(call: Call) -> set[TestGroup]:
    """Return the groups asked for; none named means all of them (API reference)."""
    named = {node.text for node in call.args.all("testType")}
    unknown = named - set(TestGroup)
    if unknown:
        raise faults.invalid_argument("testType", f"{min(unknown)} is unknown")
    return {TestGroup(name) for name in named} or set(TestGroup)


def _check(call: Call, task: Task, vm: Vm, plan: Plan, groups: set[TestGroup]) -> None:
    """Carry a check out. Before a silent port 902 it waits and times out, as KB 393932 describes."""
    tasks, universe = call.estate.tasks, call.estate.universe
    tasks.start(task)
    closed = universe.links.closed(vm.host.site, plan.host.site, NFC_PORT)
    if closed is Closed.SILENT and TestGroup.HOST in groups and plan.host is not vm.host:
        patience, timed_out = universe.world.play.connect_patience.total_seconds(), faults.timed_out()
        asyncio.get_running_loop().call_later(patience, tasks.finish, task, timed_out)
        return
    found = [finding for finding in findings(call.estate, vm, plan) if finding.group in groups]
    task.result = results(vm, plan, found)
    tasks.finish(task)
