"""Merging deltas that no snapshot owns. It may take hours, so whoever comes second joins the task of the first."""

# mypy: allow-untyped-calls
from __future__ import annotations

from typing import Final

from pyVmomi import vim

from bot.vsphere.errands import Errand, Look, question_of, read_vm_now, running_task
from bot.vsphere.inventory import require_vm
from bot.vsphere.properties import moid
from bot.vsphere.session import Connected

CONSOLIDATING: Final = "VirtualMachine.consolidateDisks"
NEEDED: Final = "runtime.consolidationNeeded"


def consolidating(uuid: str) -> Errand:
    """Consolidate the VM's disks if vCenter says that they need it. Snapshots that people see stay."""

    def look(reading: Connected) -> Look:
        row = read_vm_now(reading, uuid, NEEDED)
        # The task first: what it has merged so far may have cleared the mark already.
        task = running_task(reading, vim.VirtualMachine(row.moid, reading.wire), CONSOLIDATING)
        return Look(done=not task and not row[NEEDED], task=task, question=question_of(row))

    def send(writing: Connected) -> str:
        return moid(require_vm(writing, uuid).ConsolidateVMDisks_Task())

    return Errand("consolidate the disks", look, send, within=None)
