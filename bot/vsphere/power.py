"""Switching a VM: the guest's own shutdown, power off, power on; and what to know before."""

# mypy: allow-untyped-calls
from __future__ import annotations

from typing import Final

from pyVmomi import vim

from bot.vsphere.errands import Errand, Look, question_of, read_vm_now, running_task
from bot.vsphere.inventory import require_vm
from bot.vsphere.port import Guest
from bot.vsphere.properties import moid
from bot.vsphere.session import Connected

ON: Final = "poweredOn"
OFF: Final = "poweredOff"

POWERING_ON: Final = "VirtualMachine.powerOn"
POWERING_OFF: Final = "VirtualMachine.powerOff"
STATE: Final = "runtime.powerState"
TOOLS: Final = "guest.toolsRunningStatus"
_TOOLS_RUN: Final = "guestToolsRunning"


def read_guest(connected: Connected, uuid: str) -> Guest:
    """Say how the VM is now."""
    row = read_vm_now(connected, uuid, STATE, TOOLS)
    return Guest(power=str(row[STATE] or ""), tools_running=row[TOOLS] == _TOOLS_RUN, question=question_of(row) or None)


def shutting_down(uuid: str) -> Errand:
    """Ask the guest to shut down. It is no task, and the guest may ignore it: being asked twice changes nothing."""

    def send(writing: Connected) -> None:
        require_vm(writing, uuid).ShutdownGuest()

    return Errand("shut the guest down", lambda reading: _look(reading, uuid, wanted=OFF), send)


def powering_off(uuid: str) -> Errand:
    """Power it off, also while it waits with a question: that is what people do to such a VM."""

    def look(reading: Connected) -> Look:
        found = _look(reading, uuid, wanted=OFF, kind=POWERING_OFF)
        return Look(found.done, found.task)

    return Errand("power the VM off", look, lambda writing: moid(require_vm(writing, uuid).PowerOffVM_Task()))


def powering_on(uuid: str) -> Errand:
    """Power it on, on the host where it is."""

    def look(reading: Connected) -> Look:
        return _look(reading, uuid, wanted=ON, kind=POWERING_ON)

    return Errand("power the VM on", look, lambda writing: moid(require_vm(writing, uuid).PowerOnVM_Task()))


def _look(reading: Connected, uuid: str, *, wanted: str, kind: str = "") -> Look:
    row = read_vm_now(reading, uuid, STATE)
    if row[STATE] == wanted:
        return Look(done=True)
    vm = vim.VirtualMachine(row.moid, reading.wire)
    return Look(done=False, task=running_task(reading, vm, kind) if kind else "", question=question_of(row))
