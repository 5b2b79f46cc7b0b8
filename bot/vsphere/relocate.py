"""From an approved plan to one RelocateVM_Task.

What is sent is what was approved: host, pool, datastore and folder by id, and an edit for each network card whose
network differs. Nothing is left for vCenter to choose; "a random compatible host" would be watched in the wrong log.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from pyVmomi import vim, vmodl

from bot.errors import BugError
from bot.migration.plan import NicMove, Plan
from bot.vsphere.faults import translate
from bot.vsphere.networks import already_there, target_backing
from bot.vsphere.opid import operation_id
from bot.vsphere.properties import moid, read_each
from bot.vsphere.session import Connected

WHOLE_CHAIN = "moveAllDiskBackingsAndDisallowSharing"  # vCenter's default, said aloud: no parent disk stays behind


def make_spec(reading: Connected, plan: Plan) -> Any:
    """Make the RelocateSpec. Reads the VM's present network cards; sends nothing that changes anything."""
    target = plan.target
    if target.datastore_moid is None or target.folder_moid is None or target.pool_moid is None:
        raise BugError(f"the plan for {plan.request.vm.name} has no datastore, folder or pool to send")
    return vim.vm.RelocateSpec(
        host=vim.HostSystem(target.host_moid),
        pool=vim.ResourcePool(target.pool_moid),
        datastore=vim.Datastore(target.datastore_moid),
        folder=vim.Folder(target.folder_moid),
        diskMoveType=WHOLE_CHAIN,
        deviceChange=[_edit(device, move) for device, move in _cards(reading, plan)],
    )


def _cards(reading: Connected, plan: Plan) -> Sequence[tuple[Any, NicMove]]:
    """Pair each card that has to change with its move."""
    vm = vim.VirtualMachine(plan.vm_moid)
    rows = read_each(reading, [vm], {vim.VirtualMachine: ("config.hardware.device", "config.instanceUuid")})
    if not rows or rows[0]["config.instanceUuid"] != plan.request.vm.uuid:
        text = f"{plan.request.vm.name} is no longer the VM {plan.vm_moid} that was planned with"
        raise translate(vmodl.fault.ManagedObjectNotFound(msg=text))
    devices = {device.key: device for device in rows[0]["config.hardware.device"] or []}
    pairs = [(devices.get(move.key), move) for move in plan.nics]
    for device, move in pairs:
        if not isinstance(device, vim.vm.device.VirtualEthernetCard):
            text = f"{plan.request.vm.name} has no {move.label} any more; its hardware changed after the plan was made"
            raise translate(vmodl.fault.InvalidArgument(msg=text, invalidProperty="spec.deviceChange"))
    return [
        (device, move)
        for device, move in pairs
        if device is not None and (_elsewhere(plan, move) or not already_there(device.backing, move))
    ]


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
