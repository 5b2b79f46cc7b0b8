"""Methods of VirtualDiskManager that a copy by hand needs: a disk is its descriptor and the extent beside it.

Privileges, the format of a copy without a spec, and that `force` is ignored are from the API reference. As with files,
the work is done at once.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from bot.playground.esxi.disk_content import Content, Text, Written
from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.disk_descriptor import Descriptor
from bot.playground.vcenter.methods_files import as_task, place_of
from bot.playground.vcenter.naming import spelled_uuid
from bot.playground.vcenter.registering import open_disk
from bot.playground.vcenter.shelves import File, Shelf
from bot.playground.vcenter.wire import Node

_ENDING = ".vmdk"
_FLAT = {"thin": True, "preallocated": False, "thick": False, "eagerZeroedThick": False}
_SMALLEST = 2**20


@method("CreateVirtualDisk_Task", on="VirtualDiskManager")
async def create_virtual_disk(call: Call) -> str:
    """Make an empty disk; its directory must be there."""
    shelf, path = _disk_place(call, "name", "datacenter")
    spec = call.args.one("spec")
    thin, adapter = _format(spec)
    capacity = (spec.number("capacityKb") or 0) * 1024 if spec else 0
    if capacity < _SMALLEST:
        raise faults.invalid_argument("spec.capacityKb")
    content = Written(call.estate.universe.depot.library, size=capacity)
    told = Descriptor(capacity, _extent_name(path), thin, str(uuid.uuid4()), adapter)
    return as_task(call, shelf.store, lambda: _put(shelf, path, told, content))


@method("CopyVirtualDisk_Task", on="VirtualDiskManager")
async def copy_virtual_disk(call: Call) -> str:
    """Copy a disk to another place, in a format of its own: preallocated where no spec says otherwise.

    The copy has a UUID of its own (invented: as `vmkfstools -i` does it). A copy onto itself has no effect.
    """
    here, path = _disk_place(call, "sourceName", "sourceDatacenter")
    same = "destDatacenter" if call.args.one("destDatacenter") else "sourceDatacenter"
    there, target = _disk_place(call, "destName", same)
    thin, adapter = _format(call.args.one("destSpec"))

    def copy() -> None:
        if (here.store, path) == (there.store, target):
            return
        told, extent = _opened(here, path)
        made = Descriptor(told.capacity, _extent_name(target), thin, str(uuid.uuid4()), adapter)
        _put(there, target, made, extent.content)

    return as_task(call, here.store, copy)


@method("DeleteVirtualDisk_Task", on="VirtualDiskManager")
async def delete_virtual_disk(call: Call) -> str:
    """Delete a disk with its extent; those of registered VMs stay."""
    shelf, path = _disk_place(call, "name", "datacenter")

    def delete() -> None:
        _, extent = open_disk(shelf, path, new_uuid="")
        for gone in (extent.path, path):
            shelf.delete(gone)

    return as_task(call, shelf.store, delete)


@method("InflateVirtualDisk_Task", on="VirtualDiskManager")
async def inflate_virtual_disk(call: Call) -> str:
    """Let a thin disk take all of its space; those of registered VMs are not inflated (invented)."""
    shelf, path = _disk_place(call, "name", "datacenter")

    def inflate() -> None:
        told, extent = _opened(shelf, path)
        if extent.vm:
            raise faults.file_locked(f"[{shelf.store.name}] {path}")
        shelf.take(told.capacity - extent.space, path)
        shelf.keep(extent.path, extent.content, space=told.capacity)
        shelf.put(path, Text(replace(told, thin=False).text), force=True)

    return as_task(call, shelf.store, inflate)


@method("QueryVirtualDiskUuid", on="VirtualDiskManager", privilege="System.View")
async def query_virtual_disk_uuid(call: Call) -> str:
    """Return the UUID of a disk, as its descriptor spells it."""
    shelf, path = place_of(call, "name", "datacenter", privilege="Datastore.Browse")
    told, _ = open_disk(shelf, path, new_uuid=str(uuid.UUID(int=0)))
    return returned(spelled_uuid(told.uuid), "string")


def _disk_place(call: Call, name: str, datacenter: str) -> tuple[Shelf, str]:
    shelf, path = place_of(call, name, datacenter)
    if not path.endswith(_ENDING):
        raise faults.invalid_argument(name, "it does not end with .vmdk")
    return shelf, path


def _format(spec: Node | None) -> tuple[bool, str]:
    """Return whether a spec asks for a thin disk, and for which adapter."""
    if spec is None:
        return False, "busLogic"
    kind = spec.value("diskType") or ""
    if kind not in _FLAT:
        raise faults.invalid_argument("spec.diskType", f"only {', '.join(_FLAT)} are played")
    return _FLAT[kind], spec.value("adapterType") or "lsiLogic"


def _opened(shelf: Shelf, path: str) -> tuple[Descriptor, File]:
    told, extent = open_disk(shelf, path, new_uuid=str(uuid.uuid4()))
    if extent.locked:
        raise faults.file_locked(f"[{shelf.store.name}] {path}")
    return told, extent


def _put(shelf: Shelf, path: str, told: Descriptor, content: Content) -> None:
    """Write a disk; both of its names must be free. Refuses with NoDiskSpace, and leaves nothing then."""
    extent = f"{path.rpartition('/')[0]}/{told.extent}".removeprefix("/")
    if path in shelf.files():
        raise shelf.exists(path)
    shelf.put(extent, content, space=content.used if told.thin else told.capacity)
    try:
        shelf.put(path, Text(told.text))
    except faults.Fault:
        shelf.delete(extent)
        raise


def _extent_name(path: str) -> str:
    return f"{path.rpartition('/')[2].removesuffix(_ENDING)}-flat.vmdk"
