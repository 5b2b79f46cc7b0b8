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

    `calls`: the methods that ask for it; `without`: what happens then; `only_with`: it is needed only where this is
    changed too; `allow`: keys of [allow] that are nothing without it.
    """

    privilege: str
    on: Object
    what_for: str
    when: str
    applies: Callable[[Plan], bool]
    calls: str = ""
    without: str = "the plan is blocked"
    needed: bool = True
    only_with: Object | None = None
    allow: tuple[str, ...] = ()


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

SHUTDOWN: Final = "with `--shutdown`"
POWER_ON: Final = "with `--power-on`"
DRIVES: Final = "with `--disconnect-iso`"
CONSOLIDATE: Final = "with `--consolidate`"
CLEAN_UP: Final = "only for the clean-up"
ENCRYPTED: Final = "of an encrypted VM"
RELOCATE: Final = "`RelocateVM_Task`"
MEDIA: Final = "`ReconfigVM_Task`"

NEEDS: Final = (
    Need("Resource.ColdMigrate", Object.VM, "to move the VM", ALWAYS, _always, calls=RELOCATE),
    Need("Resource.AssignVMToPool", Object.POOL, "to place the VM there", ALWAYS, _always, calls=RELOCATE),
    Need("Datastore.AllocateSpace", Object.DATASTORE, "to put its disks there", ALWAYS, _always, calls=RELOCATE),
    Need("Network.Assign", Object.NETWORK, "to connect its network cards there", ALWAYS, _always, calls=RELOCATE),
    Need(MOVE, Object.VM, "to change its folder", WITHIN, _within, calls=RELOCATE, only_with=Object.FOLDER),
    Need(MOVE, Object.VM_FOLDER, "to take the VM out of it", WITHIN, _within, calls=RELOCATE, only_with=Object.FOLDER),
    Need(MOVE, Object.FOLDER, "to put the VM into it", WITHIN, _within, calls=RELOCATE),
    Need(
        "VirtualMachine.Inventory.Register",
        Object.FOLDER,
        "to register the VM there",
        ACROSS,
        _across,
        calls=RELOCATE,
    ),
    Need(
        "Global.SetCustomField",
        Object.VM,
        "to mark it while it is moved",
        ALWAYS,
        _always,
        calls="`SetField`",
        without="no migration is started",
    ),
    Need(
        "Global.ManageCustomFields",
        Object.ROOT,
        "to define the attribute coldmigrate.job, unless somebody has",
        ALWAYS,
        _always,
        calls="`AddCustomFieldDef`",
        without="define it by hand: name `coldmigrate.job`, type *Virtual Machine*; else no migration is started",
        needed=False,
    ),
    Need(
        "Global.Diagnostics",
        Object.ROOT,
        "to read the hosts' logs if it fails",
        ALWAYS,
        _always,
        calls="`QueryDescriptions`, `BrowseDiagnosticLog`",
        without="migrations run, and the diagnosis says that no log could be read",
        needed=False,
    ),
    Need(
        "Sessions.TerminateSession",
        Object.ROOT,
        "to finish what a worker that died has begun",
        ALWAYS,
        _always,
        calls="`TerminateSession`",
        without="a migration whose worker died while it was started ends as `needs_human`",
        needed=False,
    ),
    Need(
        "Datastore.Browse",
        Object.DATASTORE,
        "to see what a failed copy left there",
        ALWAYS,
        _always,
        calls="`SearchDatastoreSubFolders_Task`",
        without="the card of a failed copy says that nobody looked",
        needed=False,
    ),
    Need(
        "Host.Config.Network",
        Object.HOST,
        "to measure the way of the copy from it",
        ALWAYS,
        _always,
        calls="`RetrieveManagedMethodExecuter`, `ExecuteSoap`",
        without="each look by esxcli is said not to have been taken, and no cause gets the basis `measured`",
        needed=False,
    ),
    Need(
        "VirtualMachine.Interact.PowerOff",
        Object.VM,
        "to shut it down",
        SHUTDOWN,
        lambda plan: plan.request.shutdown,
        calls="`ShutdownGuest`, `PowerOffVM_Task`",
        allow=("shutdown", "power_off"),
    ),
    Need(
        "VirtualMachine.Interact.PowerOn",
        Object.VM,
        "to power it on",
        POWER_ON,
        lambda plan: plan.request.power_on,
        calls="`PowerOnVM_Task`",
        allow=("power_on",),
    ),
    Need(
        "VirtualMachine.Interact.SetCDMedia",
        Object.VM,
        "to take images out of its CD drives",
        DRIVES,
        _drives,
        calls=MEDIA,
        allow=("drives",),
    ),
    Need(
        "VirtualMachine.Interact.SetFloppyMedia",
        Object.VM,
        "to take an image out of its floppy drive, if it has one",
        DRIVES,
        _drives,
        calls=MEDIA,
        without="VMs with a floppy image alone are refused",
        needed=False,
        allow=("drives",),
    ),
    Need(
        "VirtualMachine.State.RemoveSnapshot",
        Object.VM,
        "to merge deltas that no snapshot owns",
        CONSOLIDATE,
        lambda plan: plan.request.consolidate,
        calls="`ConsolidateVMDisks_Task`",
        allow=("consolidate",),
    ),
    Need(
        "Datastore.FileManagement",
        Object.DATASTORE,
        "to delete what a failed copy left there, on a confirmed click",
        CLEAN_UP,
        _never,
        calls="`DeleteVirtualDisk_Task`, `DeleteDatastoreFile_Task`",
        without="the files stay until somebody deletes them by hand",
        needed=False,
        allow=("delete_leftovers",),
    ),
    Need("Cryptographer.Migrate", Object.VM, "to move an encrypted VM", ENCRYPTED, _encrypted, calls=RELOCATE),
)


def needs_of(plan: Plan) -> tuple[Need, ...]:
    """Return what a plan needs."""
    return tuple(need for need in NEEDS if need.applies(plan))
