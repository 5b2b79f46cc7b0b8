"""Whose directories those of a datastore are: of registered VMs, and of what is being copied at this moment.

What cannot be told is told as a fault: nobody may take silence for "nobody's".
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from pyVmomi import vim

from bot.vsphere.browsing import Store
from bot.vsphere.files import all_files, datastore_of
from bot.vsphere.history import RELOCATE_ID
from bot.vsphere.port import FaultError, TaskState
from bot.vsphere.properties import Row, read_each, read_through
from bot.vsphere.running import DESCRIPTIONS
from bot.vsphere.session import Connected
from bot.vsphere.tree import shown

WHOSE: Final = (
    "name", "config.files", "config.files.vmPathName", "config.hardware.device", "layoutEx",
    "summary.config.vmPathName",
)  # fmt: skip

BUSY: Final = "vim.fault.TaskInProgress"
UNTOLD: Final = "vim.fault.FileNotAccessible"

COPYING: Final = {
    name.lower()
    for name in (
        "VirtualMachine.clone", "VirtualMachine.instantClone", "VirtualApp.clone",
        "Folder.createVm", "ResourcePool.createVm", "VirtualApp.createVm", "StoragePod.createVm",
        "Folder.registerVm", "ResourcePool.registerVm", "VirtualApp.registerVm", "StoragePod.registerVm",
        "ResourcePool.importVApp", "ResourcePool.ImportVAppLRO", "VirtualApp.importVApp", "VirtualApp.ImportVAppLRO",
        "FileManager.copyFile", "FileManager.moveFile",
        "VirtualDiskManager.createVirtualDisk", "VirtualDiskManager.copyVirtualDisk",
        "VirtualDiskManager.moveVirtualDisk",
    )
}  # fmt: skip
"""Tasks that put files where they cannot be told to: their names are those of vCenter's own table."""

_COUNTED = r"(_\d+)?"


def directories_of(name: str, vm_path_name: str = "") -> frozenset[str]:
    """Return the names that vCenter may give the directory of a VM, a counter at the end left out."""
    plain = re.sub(r"[/\\]", "_", name)
    escaped = name.replace("%", "%25").replace("/", "%2f").replace("\\", "%5c")
    where = vm_path_name.partition("] ")[2].partition("/")[0]
    return frozenset(filter(None, (name, plain, escaped, where)))


def may_be_of(directory: str, names: Iterable[str]) -> bool:
    """Say whether a directory bears one of these names: `web01`, or `web01_1` where that was taken."""
    return any(re.fullmatch(re.escape(name) + _COUNTED, directory) for name in names)


def refuse_copies(reading: Connected, names: frozenset[str]) -> None:
    """Refuse, for now, while anything is copied that may write into directories of these names."""
    manager = reading.content.taskManager
    rows = read_through(reading, manager, "recentTask", {vim.Task: ("info.state", "info.descriptionId")})
    live = [row for row in rows if str(row["info.state"]) in {TaskState.QUEUED, TaskState.RUNNING}]
    kinds = {row.moid: str(row["info.descriptionId"] or "").lower() for row in live}
    for row in live:
        if kinds[row.moid] in COPYING:
            raise _busy(f"{row.moid} ({kinds[row.moid]}) is under way and may be writing there")
    moves = [row.ref for row in live if kinds[row.moid] in {*DESCRIPTIONS, RELOCATE_ID.lower()}]
    for vm in _entities(reading, moves):
        theirs = directories_of(shown(vm["name"]), vm["summary.config.vmPathName"] or "")
        if any(may_be_of(one, names) for one in theirs) or any(may_be_of(one, theirs) for one in names):
            raise _busy(f"a VM named {shown(vm['name'])} is being moved")


def _entities(reading: Connected, tasks: list[Any]) -> list[Row]:
    rows = read_each(reading, tasks, {vim.Task: ("info.entity",)})
    vms = [row["info.entity"] for row in rows if isinstance(row["info.entity"], vim.VirtualMachine)]
    return read_each(reading, vms, {vim.VirtualMachine: ("name", "summary.config.vmPathName")})


def _busy(why: str) -> FaultError:
    text = f"What was left at the destination cannot be told apart now: {why}. Try again when that has ended."
    return FaultError(text, kind=BUSY, transient=True)


@dataclass(frozen=True, slots=True)
class Owners:
    """The top directories of one datastore in which a registered VM has anything."""

    directories: frozenset[str]

    def own(self, directory: str) -> bool:
        return directory in self.directories


def read_owners(reading: Connected, store: Store) -> Owners:
    """Read which directories of a datastore belong to VMs; every file that any device of a VM names counts.

    FaultError when a VM of the datastore does not tell: then any directory may be its.
    """
    rows = read_through(reading, vim.Datastore(store.moid, reading.wire), "vm", {vim.VirtualMachine: WHOSE})
    for row in rows:
        if row["config.files"] is None or row["config.hardware.device"] is None:
            raise FaultError(
                f"The VM {shown(row['name']) or row.moid} on {store.name} does not tell which files are its own, so"
                f" nothing there can be called left over. Make it accessible again, or look for yourself.",
                kind=UNTOLD,
            )
    paths = {path for row in rows for path in _paths(row) if path}
    return Owners(frozenset(top for path in paths if datastore_of(path) == store.name and (top := _top(path))))


def _paths(row: Row) -> Iterator[str]:
    yield from all_files(row)
    yield row["summary.config.vmPathName"] or ""
    files = row["config.files"]
    for place in ("vmPathName", "snapshotDirectory", "suspendDirectory", "logDirectory", "ftMetadataDirectory"):
        yield getattr(files, place, None) or ""
    for device in row["config.hardware.device"]:
        yield getattr(device.backing, "fileName", None) or ""


def _top(path: str) -> str:
    return path.partition("]")[2].strip().strip("/").partition("/")[0]
