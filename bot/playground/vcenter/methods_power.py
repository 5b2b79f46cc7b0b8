"""Methods that switch VMs: power, the guest's own shutdown, and the question that a VM may be waiting with."""

from __future__ import annotations

import asyncio

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.inventory import Vm
from bot.playground.vcenter.questions import CANCEL, COPIED, MOVED, MOVED_OR_COPIED, arrives, settle
from bot.playground.vcenter.tasks import Task
from bot.playground.vcenter.wire import Data


@method("PowerOnVM_Task", on="VirtualMachine", privilege="VirtualMachine.Interact.PowerOn")
async def power_on(call: Call) -> str:
    return _power(call, "poweredOn")


@method("PowerOffVM_Task", on="VirtualMachine", privilege="VirtualMachine.Interact.PowerOff")
async def power_off(call: Call) -> str:
    return _power(call, "poweredOff")


def _power(call: Call, state: str) -> str:
    vm, estate = call.vm(), call.estate
    task = call.new_task(vm)
    estate.tasks.start(task)
    fault = _obstacle(call, vm, task, state)
    if fault is None and state == "poweredOn" and not arrives(vm):
        estate.inventory.changes.touch(vm.ref)
        return returned(task.ref, "Task")  # it runs until the question is answered
    if fault is None:
        estate.set_power(vm, state, user=call.session.user, chain=task.chain)
    elif state == "poweredOn":
        estate.events.record(
            "VmFailedToPowerOnEvent", vm, user=call.session.user, chain=task.chain, words={"why": str(fault)},
            reason=fault.localized,
        )  # fmt: skip
    estate.tasks.finish(task, fault)
    return returned(task.ref, "Task")


def _obstacle(call: Call, vm: Vm, task: Task, state: str) -> Fault | None:
    """Return what keeps the VM from being switched now."""
    busy = next((other for other in call.estate.tasks.live(vm) if other is not task), None)
    if busy:
        return faults.task_in_progress(busy.ref)
    if not vm.host.connected:
        return faults.host_not_connected(vm.host.name)
    if vm.power == state:
        return faults.invalid_power_state(vm.power)
    return _obstacle_to_start(vm) if state == "poweredOn" else None


def _obstacle_to_start(vm: Vm) -> Fault | None:
    if vm.host.maintenance:
        return faults.host_state(vm.host.name, "is in maintenance mode")
    if vm.template:
        return faults.not_supported("a template cannot be powered on")
    if vm.hardware.start == "no-resources":
        return faults.insufficient_memory(vm.hardware.memory_mb * 2**20)
    return next((disk.flaw for disk in vm.disks if disk.flaw), None)


@method("ShutdownGuest", on="VirtualMachine", privilege="VirtualMachine.Interact.PowerOff")
async def shutdown_guest(call: Call) -> str:
    """Ask the guest to shut down, and answer at once: no task, and the VM is off when the guest is done."""
    vm, estate = call.vm(), call.estate
    if call.request.method in vm.disabled_methods:
        raise faults.method_disabled(call.request.method, call.disabler)
    if vm.power != "poweredOn":
        raise faults.invalid_power_state(vm.power)
    if not vm.hardware.tools:
        text = "Cannot complete operation because VMware Tools is not running in this virtual machine."
        raise Fault(Data("ToolsUnavailable"), text)
    user, pause = call.session.user, estate.universe.world.play.guest_shutdown.total_seconds()
    estate.events.record("VmGuestShutdownEvent", vm, user=user)
    if vm.hardware.ignores_shutdown:
        return ""

    def off() -> None:
        if vm.power == "poweredOn":
            estate.set_power(vm, "poweredOff")

    asyncio.get_running_loop().call_later(pause, off)
    return ""


@method("AnswerVM", on="VirtualMachine", privilege="VirtualMachine.Interact.AnswerQuestion")
async def answer_vm(call: Call) -> str:
    """Answer the question that a VM waits with. Refuses another question with ConcurrentAccess."""
    vm = call.vm()
    if vm.question is None or call.args.value("questionId") != vm.question_id:
        raise Fault(Data("ConcurrentAccess"), "The question has been answered already.")
    answer = call.args.value("answerChoice") or ""
    if vm.question == MOVED_OR_COPIED:
        _start_or_not(call, vm, answer)
    waiting, vm.question, vm.on_answer = vm.on_answer, None, None
    if waiting:
        waiting(answer)
    call.estate.inventory.changes.touch(vm.ref)
    return ""


def _start_or_not(call: Call, vm: Vm, answer: str) -> None:
    """Let a VM that asked how it came here start, or its start be given up. Refuses other answers."""
    if answer not in {CANCEL, MOVED, COPIED}:
        raise faults.invalid_argument("answerChoice")
    estate = call.estate
    starting = [task for task in estate.tasks.live(vm) if task.method == "PowerOnVM_Task"]
    if answer != CANCEL:
        settle(vm, copied=answer == COPIED)
        estate.set_power(vm, "poweredOn", user=call.session.user, chain=starting[0].chain if starting else None)
    for task in starting:
        estate.tasks.finish(task, faults.request_canceled() if answer == CANCEL else None)
