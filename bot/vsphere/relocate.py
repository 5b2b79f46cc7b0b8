"""From an approved plan to one RelocateVM_Task.

What is sent is what was approved: host, pool, datastore and folder by id, an edit for each network card whose network
differs, and a place for each disk that goes elsewhere than the rest or becomes something else. Nothing is left for
vCenter to choose; "a random compatible host" would be watched in the wrong log.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from pyVmomi import vim, vmodl

from bot.errors import BugError
from bot.migration.plan import DiskMove, NicMove, Plan
from bot.vsphere.faults import translate
from bot.vsphere.networks import already_there, target_backing
from bot.vsphere.opid import operation_id
from bot.vsphere.port import FaultError
from bot.vsphere.properties import Row, moid, read_each
from bot.vsphere.session import Connected

WHOLE_CHAIN = "moveAllDiskBackingsAndDisallowSharing"  # vCenter's default, said aloud: no parent disk stays behind


Flat = vim.vm.device.VirtualDisk.FlatVer2BackingInfo


def make_spec(reading: Connected, plan: Plan) -> Any:
    """Make the RelocateSpec, but for the account at another vCenter. Reads the VM's present hardware; changes nothing.

    FaultError when the VM, one of its cards or one of its disks is not what was planned with.
    """
    target = plan.target
    if target.datastore_moid is None or target.folder_moid is None or target.pool_moid is None:
        raise BugError(f"the plan for {plan.request.vm.name} has no datastore, folder or pool to send")
    devices = _devices(_read(reading, plan))
    return vim.vm.RelocateSpec(
        host=vim.HostSystem(target.host_moid),
        pool=vim.ResourcePool(target.pool_moid),
        datastore=vim.Datastore(target.datastore_moid),
        folder=vim.Folder(target.folder_moid),
        diskMoveType=WHOLE_CHAIN,
        disk=[_locate(device, move) for device, move in _disks(devices, plan)],
        deviceChange=[_edit(device, move) for device, move in _cards(devices, plan)],
    )


def _read(reading: Connected, plan: Plan) -> Row:
    vm = vim.VirtualMachine(plan.vm_moid)
    rows = read_each(reading, [vm], {vim.VirtualMachine: ("config.hardware.device", "config.instanceUuid")})
    if not rows or rows[0]["config.instanceUuid"] != plan.request.vm.uuid:
        text = f"{plan.request.vm.name} is no longer the VM {plan.vm_moid} that was planned with"
        raise translate(vmodl.fault.ManagedObjectNotFound(msg=text))
    return rows[0]


def _devices(row: Row) -> dict[int, Any]:
    return {device.key: device for device in row["config.hardware.device"] or []}


def _disks(devices: dict[int, Any], plan: Plan) -> Sequence[tuple[Any, DiskMove]]:
    """Pair each disk that has a place or a form of its own with its move."""
    pairs = [(devices.get(move.key), move) for move in plan.disk_moves]
    for device, move in pairs:
        if not isinstance(device, vim.vm.device.VirtualDisk):
            raise _changed(plan, move.label, "spec.disk")
        if move.datastore_moid is None:
            raise BugError(f"the plan for {plan.request.vm.name} has no datastore to send for {move.label}")
    return [(device, move) for device, move in pairs if device is not None]


def _locate(device: Any, move: DiskMove) -> Any:
    return vim.vm.RelocateSpec.DiskLocator(
        diskId=move.key,
        datastore=vim.Datastore(move.datastore_moid),
        diskMoveType=WHOLE_CHAIN,
        diskBackingInfo=_form(device.backing, thin=move.thin),
    )


def _form(backing: Any, *, thin: bool | None) -> Any | None:
    """Return the form that a disk takes, or None: as it is. Only a flat disk that rests on nothing takes another."""
    if thin is None or not isinstance(backing, Flat) or backing.parent is not None:
        return None
    return Flat(fileName="", diskMode=backing.diskMode, thinProvisioned=thin)


def _cards(devices: dict[int, Any], plan: Plan) -> Sequence[tuple[Any, NicMove]]:
    """Pair each card that has to change with its move."""
    pairs = [(devices.get(move.key), move) for move in plan.nics]
    for device, move in pairs:
        if not isinstance(device, vim.vm.device.VirtualEthernetCard):
            raise _changed(plan, move.label, "spec.deviceChange")
    return [
        (device, move)
        for device, move in pairs
        if device is not None and (_elsewhere(plan, move) or not already_there(device.backing, move))
    ]


def _changed(plan: Plan, label: str, argument: str) -> FaultError:
    text = f"{plan.request.vm.name} has no {label} any more; its hardware changed after the plan was made"
    return translate(vmodl.fault.InvalidArgument(msg=text, invalidProperty=argument))


def _elsewhere(plan: Plan, move: NicMove) -> bool:
    """Say whether the card goes to another vCenter, whose networks may bear the names and keys of these by chance."""
    return plan.far is not None and bool(move.source_network)


def _edit(device: Any, move: NicMove) -> Any:
    """Edit a copy of the card as vCenter shows it: any difference but the backing is refused."""
    card = copy.copy(device)
    card.backing = target_backing(move)
    return vim.vm.device.VirtualDeviceSpec(operation="edit", device=card)


def submit(writing: Connected, plan: Plan, spec: Any, *, op_id: str) -> str:
    """Send RelocateVM_Task; the only call that this makes. Return the task's id."""
    vm = vim.VirtualMachine(plan.vm_moid, writing.wire)
    with operation_id(op_id):
        return moid(vm.RelocateVM_Task(spec))
