"""What a failed copy left at its destination, and how it is deleted: only what nobody else can possibly need.

A directory counts as a whole or not at all. It bears the VM's name, no registered VM has a file in it, every file in
it is younger than the plan, and nothing that runs could be writing into it. Whatever cannot be told speaks against
deleting. Directories themselves stay: vCenter deletes one with all that is in it, also with what came a moment ago.

What vCenter does not know it cannot tell: a VM that is registered elsewhere on a shared datastore, or that our account
may not see. Its files are older than the plan, or locked while it is on; and nothing is deleted but what a person saw.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.errors import BugError, MaybeSentError
from bot.migration.plan import Plan
from bot.migration.request import VCenterName
from bot.vsphere.browsing import Directory, Store, delete, list_files, list_folders, of_stores
from bot.vsphere.errands import Errands
from bot.vsphere.owners import Owners, directories_of, may_be_of, read_owners, refuse_copies
from bot.vsphere.port import FaultError, Leftover

SETTLES_IN: Final = timedelta(seconds=10)
"""What is to be deleted must look the same after this: whoever writes without a task is seen by it."""

EXTENTS: Final = ("-flat.vmdk", "-delta.vmdk", "-sesparse.vmdk", "-rdm.vmdk", "-rdmp.vmdk")
MISSING: Final = "vim.fault.FileNotFound"
IN_USE: Final = {"vim.fault.FileLocked", "vim.fault.ResourceInUse", MISSING}
NO_MATTER_OF_FORM: Final = {
    "vim.fault.NoPermission",
    "vim.fault.NotAuthenticated",
    "vim.fault.FileLocked",
    "vim.fault.ResourceInUse",
}
"""Refusals to delete a disk that say nothing against its descriptor."""


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in the directories of the VM's name: leftovers by path, and the paths of everything else."""

    leftovers: dict[str, Leftover]
    others: frozenset[str]

    def beside(self, path: str) -> dict[str, Leftover]:
        """Return the leftovers of one directory, that of this file."""
        return {other: one for other, one in self.leftovers.items() if _parent(other) == _parent(path)}


class LeftoverDesk:
    """Leftovers in one vCenter; of a plan for another vCenter it knows nothing, and says so by BugError."""

    def __init__(
        self, vcenter: VCenterName, errands: Errands, *, pauses: Sequence[timedelta], settles_in: timedelta = SETTLES_IN
    ) -> None:
        self._vcenter = vcenter
        self._errands = errands
        self._pauses = pauses
        self._settles_in = settles_in

    async def find(self, plan: Plan) -> list[Leftover]:
        """Return what a failed copy of this plan left, the largest first.

        FaultError of kind TaskInProgress, transient: somebody copies something that cannot be told apart from it.
        """
        found = await self._look(plan)
        return sorted(found.leftovers.values(), key=lambda leftover: (-leftover.size, leftover.path))

    async def delete(self, plan: Plan, files: Sequence[str]) -> list[str]:
        """Delete those of these files that are leftovers still; return which. What changes meanwhile stays.

        What fails after something was deleted ends it: what is returned is then less than what was asked for.
        """
        before = await self._look(plan)
        deleted: list[str] = []
        wanted = [path for path in dict.fromkeys(files) if path in before.leftovers]
        if wanted:
            await asyncio.sleep(self._settles_in.total_seconds())
        for path in wanted:
            try:
                if await self._delete(plan, path, before, gone=deleted):
                    deleted.append(path)
            except FaultError as error:
                if error.kind in IN_USE:
                    continue
                if not deleted:
                    raise
                break
        return deleted

    async def _delete(self, plan: Plan, path: str, before: Found, *, gone: Sequence[str]) -> bool:
        """Look once more, and delete; after a lost reply look whether it is gone. False: it is no leftover any more."""
        sent = False
        for pause in (*self._pauses, None):
            now = await self._look(plan)
            if sent and path not in now.leftovers and path not in now.others:
                return True
            if not _unchanged(path, before, now, gone=gone):
                return False
            try:
                await self._remove(plan, path)
            except MaybeSentError:
                if pause is None:
                    raise
                sent = True
                await asyncio.sleep(pause.total_seconds())
            else:
                return True
        return False

    async def _remove(self, plan: Plan, path: str) -> None:
        """Delete a file; a disk with its extents, or, where its descriptor is broken, the extents before it."""
        if not _is_disk(path):
            await self._carry_out(plan, path, as_disk=False)
            return
        try:
            await self._carry_out(plan, path, as_disk=True)
        except FaultError as error:
            if error.kind in NO_MATTER_OF_FORM:
                raise
        else:
            return
        # A broken copy's descriptor may be no text at all yet. The extent is what somebody who uses the disk holds
        # locked, in whatever vCenter: it goes first, so that a disk in use is refused before anything of it is gone.
        if path not in (await self._look(plan)).leftovers:
            return
        for extent in _extents_of_form(path):
            with _unless_missing():
                await self._carry_out(plan, extent, as_disk=False)
        await self._carry_out(plan, path, as_disk=False)

    async def _carry_out(self, plan: Plan, path: str, *, as_disk: bool) -> None:
        stores = await self._stores(plan)
        store = next(store for store in stores if path.startswith(f"[{store.name}] "))
        await self._errands.finish(await self._errands.give(lambda writing: delete(writing, store, path, disk=as_disk)))

    async def _stores(self, plan: Plan) -> list[Store]:
        if plan.far is not None and plan.far.name != self._vcenter:
            raise BugError(f"{plan.request.vm.name} goes to {plan.far.name}; {self._vcenter} knows nothing of it")
        moids = [plan.target.datastore_moid, *(move.datastore_moid for move in plan.disk_moves)]
        return await self._errands.ask(lambda reading: of_stores(reading, [m for m in dict.fromkeys(moids) if m]))

    async def _look(self, plan: Plan) -> Found:
        """List first, then ask whose it is: who registers or begins to copy in between is seen."""
        names = directories_of(plan.request.vm.name, plan.vm_path_name)
        stores = await self._stores(plan)
        directories = [one for store in stores for one in await self._list(store, names)]
        await self._errands.ask(lambda reading: refuse_copies(reading, names))
        leftovers: dict[str, Leftover] = {}
        others: set[str] = set()
        for store in stores:
            owners = await self._errands.ask(lambda reading, store=store: read_owners(reading, store))  # type: ignore[misc]
            for directory in (one for one in directories if one.store == store):
                if _is_left(directory, owners, plan):
                    leftovers |= {file.path: file for file in directory.files}
                others |= {*directory.unknown, *(file.path for file in directory.files)}
        return Found(leftovers, frozenset(others - leftovers.keys()))

    async def _list(self, store: Store, names: frozenset[str]) -> list[Directory]:
        found = await list_folders(self._errands, store)
        mine = [folder for folder in found if may_be_of(folder.name, names)]
        return [await list_files(self._errands, store, folder.path) for folder in mine]


def _is_left(directory: Directory, owners: Owners, plan: Plan) -> bool:
    """Say whether all of a directory is what this plan's copy left."""
    if directory.unknown or owners.own(directory.path) or _may_be_the_source(directory, plan):
        return False
    return bool(directory.files) and all(file.changed_at >= plan.made_at for file in directory.files)


def _may_be_the_source(directory: Directory, plan: Plan) -> bool:
    """Say whether the VM itself may be in it: another vCenter that has the same datastore does not know its VM.

    A VMFS datastore bears its name itself, so one that is shared has the same in both.
    """
    here = f"[{directory.store.name}] {directory.path}/"
    return plan.far is not None and any(path.startswith(here) for path in (plan.vm_path_name, *plan.disk_paths))


def _unchanged(path: str, before: Found, now: Found, *, gone: Sequence[str]) -> bool:
    """Say whether the file's whole directory looks as before, but for what we have deleted ourselves."""
    ours = {extent for one in gone for extent in extents_of(one)} | set(gone)
    was = {name: one for name, one in before.beside(path).items() if name not in ours}
    present = {name: one for name, one in now.beside(path).items() if name not in ours}
    return path in present and was == present


def extents_of(path: str) -> set[str]:
    """Return the names that the extents of a disk may have."""
    return {f"{path.removesuffix('.vmdk')}{extent}" for extent in EXTENTS} if _is_disk(path) else set()


def _extents_of_form(path: str) -> list[str]:
    """Return the names of the extents that a disk of this name has: deltas are numbered."""
    stem = path.removesuffix(".vmdk")
    endings = ("-sesparse.vmdk", "-delta.vmdk") if re.search(r"-\d{6}$", stem) else ("-flat.vmdk",)
    return [f"{stem}{ending}" for ending in endings]


@contextmanager
def _unless_missing() -> Iterator[None]:
    """Take it for done that a file which is to be deleted is not there."""
    try:
        yield
    except FaultError as error:
        if error.kind != MISSING:
            raise


def _is_disk(path: str) -> bool:
    return path.endswith(".vmdk") and not path.endswith((*EXTENTS, "-ctk.vmdk"))


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
