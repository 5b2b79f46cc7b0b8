"""Datastores as people browse them: what lies in which directory, and deleting one file.

A disk is shown as its descriptor with the size of its extents, as vCenter does it.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from pyVmomi import vim

from bot.vsphere.errands import Errands
from bot.vsphere.port import FaultError, Leftover
from bot.vsphere.properties import moid, read_along, read_each, start
from bot.vsphere.session import Connected
from bot.vsphere.tree import NODES, UP, shown, tree_of

Browser = vim.host.DatastoreBrowser
EVERYTHING = ["*"]  # vCenter's default; govmomi's simulator finds nothing without it


@dataclass(frozen=True, slots=True)
class Store:
    """A datastore by name and id, its browser, and its datacenter, which file paths need."""

    name: str
    moid: str
    browser: str
    datacenter: str | None


@dataclass(frozen=True, slots=True)
class FolderName:
    """A directory at the top of a datastore: `path` as paths have it, `name` as people do (vSAN tells them apart)."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Directory:
    """All files in a directory and below it. `unknown`: paths of those whose size or time vCenter does not tell."""

    store: Store
    path: str
    files: tuple[Leftover, ...]
    unknown: tuple[str, ...]


def of_stores(reading: Connected, moids: Sequence[str]) -> list[Store]:
    """Read these datastores; one that is no more is left out."""
    starts = [start(vim.Datastore(one), *UP, itself=True) for one in moids]
    rows = read_along(reading, starts, {**NODES, vim.Datastore: ("name", "parent", "browser")})
    tree = tree_of(reading.content.rootFolder, rows)
    found = []
    for row in (row for row in rows if isinstance(row.ref, vim.Datastore)):
        datacenter = tree.datacenter(row["parent"])
        browser = moid(row["browser"]) if row["browser"] is not None else ""
        found.append(Store(shown(row["name"]), row.moid, browser, datacenter.moid if datacenter else None))
    return found


async def list_folders(errands: Errands, store: Store) -> list[FolderName]:
    """Return the directories at the top of a datastore."""
    spec = Browser.SearchSpec(
        query=[Browser.FolderQuery()],
        matchPattern=EVERYTHING,
        details=Browser.FileInfo.Details(fileType=True, fileSize=False, modification=False, fileOwner=False),
    )
    (top,) = await _search(errands, store, f"[{store.name}]", spec, below=False)
    folders = [entry for entry in top.file or () if isinstance(entry, Browser.FolderInfo)]
    return [FolderName(entry.path, getattr(entry, "friendlyName", None) or entry.path) for entry in folders]


async def list_files(errands: Errands, store: Store, directory: str) -> Directory:
    """Return what lies in a directory and below it; nothing where it has gone meanwhile."""
    spec = Browser.SearchSpec(
        matchPattern=EVERYTHING,
        details=Browser.FileInfo.Details(fileType=True, fileSize=True, modification=True, fileOwner=False),
    )
    try:
        results = await _search(errands, store, f"[{store.name}] {directory}", spec, below=True)
    except FaultError as error:
        if error.kind != "vim.fault.FileNotFound":
            raise
        results = []
    files: list[Leftover] = []
    unknown: list[str] = []
    for result in results:
        for entry in _plain(result.file or ()):
            path = _joined(result.folderPath, entry.path)
            if entry.fileSize is None or entry.modification is None:
                unknown.append(path)
            else:
                files.append(Leftover(path, int(entry.fileSize), entry.modification.astimezone(UTC)))
    return Directory(store, directory, tuple(sorted(files, key=lambda file: file.path)), tuple(unknown))


def _plain(entries: Iterable[Any]) -> Iterable[Any]:
    return (entry for entry in entries if not isinstance(entry, Browser.FolderInfo))


def _joined(folder: str, name: str) -> str:
    """Join a path: vCenter ends a directory with a slash, or does not."""
    between = "" if folder.endswith(("/", " ")) else " " if folder.endswith("]") else "/"
    return f"{folder}{between}{name}"


async def _search(errands: Errands, store: Store, path: str, spec: Any, *, below: bool) -> list[Any]:
    def begin(reading: Connected) -> str:
        browser = Browser(store.browser, reading.wire)
        search = browser.SearchDatastoreSubFolders_Task if below else browser.SearchDatastore_Task
        return moid(search(path, spec))

    def result(reading: Connected) -> Any:
        rows = read_each(reading, [vim.Task(task)], {vim.Task: ("info.result",)})
        return rows[0]["info.result"] if rows else None

    task = await errands.ask(begin)
    await errands.finish(task)
    found = await errands.ask(result)
    if found is None:
        raise FaultError(f"vCenter found nothing to tell of {path}.", kind="vim.fault.FileNotFound")
    return list(found) if below else [found]


def delete(writing: Connected, store: Store, path: str, *, disk: bool) -> str:
    """Send the deletion of one file, or of a disk with its extents; the task's id."""
    datacenter = vim.Datacenter(store.datacenter, writing.wire) if store.datacenter else None
    if disk:
        return moid(writing.content.virtualDiskManager.DeleteVirtualDisk_Task(path, datacenter))
    return moid(writing.content.fileManager.DeleteDatastoreFile_Task(path, datacenter))
