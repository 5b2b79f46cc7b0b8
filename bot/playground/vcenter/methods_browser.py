"""Methods of HostDatastoreBrowser: what lies on a datastore, orphans included.

As a real browser it shows a disk as one file, the descriptor, with the size that the disk takes; an extent is seen
only where its descriptor is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.datastore_paths import locate
from bot.playground.vcenter.inventory import Datastore
from bot.playground.vcenter.shelves import File, Shelf
from bot.playground.vcenter.wire import Data, Node

_KINDS = {
    ".vmdk": "VmDiskFileInfo", ".vmx": "VmConfigFileInfo", ".log": "VmLogFileInfo", ".nvram": "VmNvramFileInfo",
    ".vmsn": "VmSnapshotFileInfo",
}  # fmt: skip
_EXTENTS = ("-flat.vmdk", "-rdm.vmdk", "-rdmp.vmdk", "-sesparse.vmdk")


@method("SearchDatastore_Task", on="HostDatastoreBrowser")
async def search_datastore(call: Call) -> str:
    return _search(call, below=False)


@method("SearchDatastoreSubFolders_Task", on="HostDatastoreBrowser")
async def search_datastore_sub_folders(call: Call) -> str:
    return _search(call, below=True)


def _search(call: Call, *, below: bool) -> str:
    """Search in a task of the datastore. Refuses a path on another one with InvalidDatastorePath."""
    store = call.reader.find(call.request.target)
    if not isinstance(store, Datastore):
        raise faults.not_found(call.request.target)
    call.require("Datastore.Browse", store)
    asked, path = locate(call.args.value("datastorePath") or "", call.estate.inventory, store.datacenter)
    if asked is not store:
        raise faults.invalid_argument("datastorePath", f"this browser is of {store.name}")
    shelf = call.estate.universe.depot.shelf(store)
    task = call.new_task(store)
    call.estate.tasks.start(task)
    fault = None
    if path in shelf.directories():
        results = list(_results(shelf, path, call.args.one("searchSpec"), below=below))
        task.result = results if below else results[0]
    else:
        fault = shelf.not_found(path)
    call.estate.tasks.finish(task, fault)
    return returned(task.ref, "Task")


def _results(shelf: Shelf, top: str, spec: Node | None, *, below: bool) -> Iterable[Data]:
    prefix = f"{top}/" if top else ""
    directories = [top, *sorted(d for d in shelf.directories() if d.startswith(prefix) and d != top)]
    for directory in directories if below else directories[:1]:
        yield Data(
            "HostDatastoreBrowserSearchResults",
            datastore=shelf.store.ref,
            folderPath=f"[{shelf.store.name}] {directory}{'/' if directory else ''}",
            file=[_info(file, name, size, spec) for file, name, size in _seen(shelf, directory, spec)],
        )


def _seen(shelf: Shelf, directory: str, spec: Node | None) -> Iterable[tuple[File | None, str, int]]:
    """Yield (file, name, size) of what a browser shows in a directory; a file of None is a directory."""
    patterns = [node.text for node in spec.all("matchPattern")] if spec else []
    prefix = f"{directory}/" if directory else ""
    here = {file.path[len(prefix) :]: file for file in shelf.below(directory)}
    here = {name: file for name, file in here.items() if "/" not in name}
    found: list[tuple[File | None, str, int]] = [
        (None, name, 0) for d in shelf.directories() if d.startswith(prefix) and (name := d[len(prefix) :])
        and "/" not in name
    ]  # fmt: skip
    for name, file in here.items():
        extent = next((end for end in _EXTENTS if name.endswith(end)), None)
        if extent and f"{name.removesuffix(extent)}.vmdk" in here:
            continue
        stem = name.removesuffix(".vmdk")
        parts = [here[f"{stem}{end}"].space for end in _EXTENTS if f"{stem}{end}" in here and name.endswith(".vmdk")]
        found.append((file, name, parts[0] if parts else file.space))
    return sorted(
        (row for row in found if not patterns or any(fnmatchcase(row[1].lower(), p.lower()) for p in patterns)),
        key=lambda row: (row[0] is not None, row[1]),
    )


def _info(file: File | None, name: str, size: int, spec: Node | None) -> Data:
    """Describe a file as far as the details of the search ask."""
    details = spec.one("details") if spec else None
    kind = "FileInfo"
    if details and details.flag("fileType"):
        suffix = f".{name.rpartition('.')[2]}"
        kind = "FolderFileInfo" if file is None else _KINDS.get(suffix, "FileInfo")
    return Data(
        kind,
        path=name,
        fileSize=size if details and details.flag("fileSize") else None,
        modification=file.modified if file and details and details.flag("modification") else None,
        owner="root" if details and details.flag("fileOwner") else None,
    )
