"""Taking images out of drives: the backing of CD and floppy drives becomes the client device, nothing else changes.

The drive itself stays, and whether it is connected at power-on too: what a client does not offer is not connected.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final

from pyVmomi import vim

from bot.vsphere.errands import Errand, Look, question_of, read_vm_now, running_task
from bot.vsphere.inventory import require_vm
from bot.vsphere.properties import moid
from bot.vsphere.session import Connected

RECONFIGURING: Final = "VirtualMachine.reconfigure"
DEVICES: Final = "config.hardware.device"

Cdrom = vim.vm.device.VirtualCdrom
Floppy = vim.vm.device.VirtualFloppy


def disconnecting(uuid: str) -> Errand:
    """Take every image and every device of the host out of the VM's drives.

    A guest that has locked the door makes vCenter ask whether to open it by force: that is told, never answered.
    """

    def look(reading: Connected) -> Look:
        row = read_vm_now(reading, uuid, DEVICES)
        vm = vim.VirtualMachine(row.moid, reading.wire)
        task = running_task(reading, vm, RECONFIGURING, user=reading.user)  # others change other things
        return Look(done=not task and not holding(row[DEVICES]), task=task, question=question_of(row))

    def send(writing: Connected) -> str | None:
        edits = [_edit(device) for device in holding(read_vm_now(writing, uuid, DEVICES)[DEVICES])]
        if not edits:
            return None
        return moid(require_vm(writing, uuid).ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=edits)))

    return Errand("take images out of the drives", look, send)


def holding(devices: Sequence[Any] | None) -> list[Any]:
    """Return the CD and floppy drives that hold an image, or a drive of the host."""
    return [device for device in devices or () if _empty_of(device) is not None]


def _edit(device: Any) -> Any:
    drive = copy.copy(device)
    drive.backing = _empty_of(device)
    return vim.vm.device.VirtualDeviceSpec(operation="edit", device=drive)


def _empty_of(device: Any) -> Any | None:
    """Return the backing that a drive has when nothing is in it; None: it has that already, or is no drive."""
    match device.backing:
        case Cdrom.IsoBackingInfo() | Cdrom.AtapiBackingInfo() | Cdrom.PassthroughBackingInfo():
            return Cdrom.RemotePassthroughBackingInfo(deviceName="", exclusive=False)
        case Floppy.ImageBackingInfo() | Floppy.DeviceBackingInfo():
            return Floppy.RemoteDeviceBackingInfo(deviceName="")
        case _:
            return None
