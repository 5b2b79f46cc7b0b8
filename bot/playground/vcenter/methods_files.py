"""Methods of FileManager: directories and files of datastores, without a client's wire.

Copies and moves happen at once: how long they take, and on which way they go, is not played.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.datastore_paths import locate
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.inventory import Datacenter, Datastore
from bot.playground.vcenter.shelves import Shelf

_PRIVILEGE = "Datastore.FileManagement"


def _datacenter(call: Call, name: str) -> Datacenter | None:
    ref = call.args.reference(name)
    found = call.estate.inventory.find(ref)
    if ref is not None and not isinstance(found, Datacenter):
        raise faults.invalid_argument(name)
    return found if isinstance(found, Datacenter) else None


def place_of(call: Call, name: str, datacenter: str, *, privilege: str = _PRIVILEGE) -> tuple[Shelf, str]:
    """Return what a path argument means. Refuses what is no path, and with NoPermission what one may not touch."""
    store, path = locate(call.args.value(name) or "", call.estate.inventory, _datacenter(call, datacenter))
    call.require(privilege, store)
    return call.estate.universe.depot.shelf(store), path


def as_task(call: Call, store: Datastore, work: Callable[[], None]) -> str:
    """Do it in a task of the datastore's datacenter (invented: which entity vCenter names is not documented)."""
    task = call.new_task(store.datacenter or store)
    call.estate.tasks.start(task)
    try:
        work()
    except Fault as fault:
        call.estate.tasks.finish(task, fault)
    else:
        call.estate.tasks.finish(task)
    return returned(task.ref, "Task")


@method("MakeDirectory", on="FileManager")
async def make_directory(call: Call) -> str:
    shelf, path = place_of(call, "name", "datacenter")
    shelf.make_directory(path, with_parents=call.args.flag("createParentDirectories"))
    return ""


@method("DeleteDatastoreFile_Task", on="FileManager")
async def delete_datastore_file(call: Call) -> str:
    """Delete a file, or a directory with all that is in it; the space of what a broken copy left becomes free."""
    shelf, path = place_of(call, "name", "datacenter")
    return as_task(call, shelf.store, lambda: shelf.delete(path))


@method("MoveDatastoreFile_Task", on="FileManager")
async def move_datastore_file(call: Call) -> str:
    """Move a file. Directories are not played."""
    here, path = place_of(call, "sourceName", "sourceDatacenter")

    def move() -> None:
        source = here.find(path)
        if source.vm:
            raise faults.file_locked(f"[{here.store.name}] {path}")
        _copy_to(call, here, path, space=source.space)
        here.delete(path)

    return as_task(call, here.store, move)


@method("CopyDatastoreFile_Task", on="FileManager")
async def copy_datastore_file(call: Call) -> str:
    """Copy a file, byte by byte. Directories are not played."""
    shelf, path = place_of(call, "sourceName", "sourceDatacenter", privilege="Datastore.Browse")
    return as_task(call, shelf.store, lambda: _copy_to(call, shelf, path))


def _copy_to(call: Call, shelf: Shelf, path: str, *, space: int | None = None) -> None:
    source = shelf.find(path)
    if source.locked:
        raise faults.file_locked(f"[{shelf.store.name}] {path}")
    same = "destinationDatacenter" if call.args.one("destinationDatacenter") else "sourceDatacenter"
    there, target = place_of(call, "destinationName", same)
    if (there.store, target) == (shelf.store, path):
        raise faults.invalid_argument("destinationName", "it is the source")
    there.put(target, source.content, force=call.args.flag("force"), space=space)
