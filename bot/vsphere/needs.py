"""What our account must be allowed, on which object, and for what. A table; nothing is asked here.

`privileges` asks for those that a plan needs; the documentation, the doctor and the script that makes a role take the
same table. Sources: the pages of the methods in the API reference ("Required Privileges"), and "Defined Privileges" in
vSphere Security for those of encrypted VMs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.migration.plan import Plan


class Object(StrEnum):
    """What a privilege is needed on, in words for people. Those of the target may be in another vCenter."""

    VM = "VM"
    VM_FOLDER = "folder"
    POOL = "resource pool"
    DATASTORE = "datastore"
    FOLDER = "target folder"
    NETWORK = "network"
    HOST = "host"
    ROOT = "root of the vCenter"


@dataclass(frozen=True, slots=True)
class Need:
    """A privilege. `when`: for which plans, in words and as a question; `needed`: they fail without it.

    `only_with`: it is needed only where this is changed too.
    """

    privilege: str
    on: Object
    what_for: str
    when: str
    applies: Callable[[Plan], bool]
    needed: bool = True
    only_with: Object | None = None


def _always(_plan: Plan) -> bool:
    return True


def _never(_plan: Plan) -> bool:
    """No plan asks for it; it is in the table for who makes a role."""
    return False


def _within(plan: Plan) -> bool:
    return plan.far is None


def _across(plan: Plan) -> bool:
    return plan.far is not None


def _drives(plan: Plan) -> bool:
    return plan.request.disconnect_drives


def _encrypted(plan: Plan) -> bool:
    return any(disk.encrypted for disk in plan.disks)


ALWAYS: Final = "every migration"
WITHIN: Final = "within one vCenter"
ACROSS: Final = "to another vCenter"
MOVE: Final = "VirtualMachine.Inventory.Move"

NEEDS: Final = (
    Need("Resource.ColdMigrate", Object.VM, "to move the VM", ALWAYS, _always),
    Need("Resource.AssignVMToPool", Object.POOL, "to place the VM there", ALWAYS, _always),
    Need("Datastore.AllocateSpace", Object.DATASTORE, "to put its disks there", ALWAYS, _always),
    Need("Network.Assign", Object.NETWORK, "to connect its network cards there", ALWAYS, _always),
    Need(MOVE, Object.VM, "to change its folder", WITHIN, _within, only_with=Object.FOLDER),
    Need(MOVE, Object.VM_FOLDER, "to take the VM out of it", WITHIN, _within, only_with=Object.FOLDER),
    Need(MOVE, Object.FOLDER, "to put the VM into it", WITHIN, _within),
    Need("VirtualMachine.Inventory.Register", Object.FOLDER, "to register the VM there", ACROSS, _across),
    Need("Global.SetCustomField", Object.VM, "to mark it while it is moved", ALWAYS, _always),
    Need(
        "Global.ManageCustomFields",
        Object.ROOT,
        "to define the attribute coldmigrate.job, unless somebody has",
        ALWAYS,
        _always,
        needed=False,
    ),
    Need("Global.Diagnostics", Object.ROOT, "to read the hosts' logs if it fails", ALWAYS, _always, needed=False),
    Need(
        "Sessions.TerminateSession",
        Object.ROOT,
        "to finish what a worker that died has begun",
        ALWAYS,
        _always,
        needed=False,
    ),
    Need(
        "Datastore.Browse",
        Object.DATASTORE,
        "to see what a failed copy left there",
        ALWAYS,
        _always,
        needed=False,
    ),
    Need(
        "Host.Config.Network",
        Object.HOST,
        "to measure the way of the copy from it",
        ALWAYS,
        _always,
        needed=False,
    ),
    Need(
        "VirtualMachine.Interact.PowerOff",
        Object.VM,
        "to shut the guest down",
        "with `--shutdown`",
        lambda plan: plan.request.shutdown,
    ),
    Need(
        "VirtualMachine.Interact.PowerOn",
        Object.VM,
        "to power it on afterwards",
        "with `--power-on`",
        lambda plan: plan.request.power_on,
    ),
    Need(
        "VirtualMachine.Interact.SetCDMedia",
        Object.VM,
        "to take images out of its CD drives",
        "with `--disconnect-iso`",
        _drives,
    ),
    Need(
        "VirtualMachine.Interact.SetFloppyMedia",
        Object.VM,
        "to take an image out of its floppy drive, if it has one",
        "with `--disconnect-iso`",
        _drives,
        needed=False,
    ),
    Need(
        "VirtualMachine.State.RemoveSnapshot",
        Object.VM,
        "to merge deltas that no snapshot owns",
        "with `--consolidate`",
        lambda plan: plan.request.consolidate,
    ),
    Need(
        "Datastore.FileManagement",
        Object.DATASTORE,
        "to delete what a failed copy left there, on a confirmed click",
        "only for the clean-up",
        _never,
        needed=False,
    ),
    Need("Cryptographer.Migrate", Object.VM, "to move an encrypted VM", "of an encrypted VM", _encrypted),
)


def needs_of(plan: Plan) -> tuple[Need, ...]:
    """Return what a plan needs."""
    return tuple(need for need in NEEDS if need.applies(plan))
