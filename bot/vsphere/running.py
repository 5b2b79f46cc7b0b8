"""What runs now: the relocations of our own account that have not ended, each with its VM."""

from __future__ import annotations

from pyVmomi import vim

from bot.migration.request import VCenterName, VmRef
from bot.vsphere.history import RELOCATE_ID, RELOCATE_NAME, snapshot
from bot.vsphere.inventory import uuid_of
from bot.vsphere.port import RunningRelocation, TaskSnapshot
from bot.vsphere.properties import Row, moid, read_each, read_through
from bot.vsphere.session import Connected
from bot.vsphere.tasks import PATHS
from bot.vsphere.tree import shown

DESCRIPTIONS = {RELOCATE_ID.lower(), f"virtualmachine.{RELOCATE_NAME}"}
WHICH_VM = ("name", "config.instanceUuid", "summary.config.instanceUuid")


def running_relocations(connected: Connected, vcenter: VCenterName) -> list[RunningRelocation]:
    """Return our relocations that are queued or running, in three reads however many there are.

    From the task manager's list, which holds every task that has not ended. Those whose VM is gone, or may not be
    seen, are left out.
    """
    rows = read_through(connected, connected.content.taskManager, "recentTask", {vim.Task: PATHS})
    tasks = {row.moid: row for row in rows if _is_ours(connected, row)}
    # On what a task runs is asked only of relocations: another task's entity may be nothing that pyVmomi can read.
    on = {
        row.moid: row["info.entity"]
        for row in read_each(connected, [row.ref for row in tasks.values()], {vim.Task: ("info.entity",)})
        if isinstance(row["info.entity"], vim.VirtualMachine)
    }
    machines = {moid(entity): entity for entity in on.values()}
    vms = {row.moid: row for row in read_each(connected, machines.values(), {vim.VirtualMachine: WHICH_VM})}
    return [
        RunningRelocation(VmRef(vcenter, uuid_of(vm), shown(vm["name"])), _told(tasks[task]))
        for task, entity in on.items()
        if (vm := vms.get(moid(entity))) is not None and uuid_of(vm)
    ]


def _is_ours(connected: Connected, row: Row) -> bool:
    """Say whether this is a relocation of ours that has not ended. A task that is just being forgotten has no state."""
    if row["info.state"] is None or str(row["info.descriptionId"] or "").lower() not in DESCRIPTIONS:
        return False
    task = _told(row)
    return not task.ended and task.user.casefold() == connected.user.casefold()


def _told(row: Row) -> TaskSnapshot:
    return snapshot(row.moid, dict(row.values))
