"""The files of datastores: those of VMs, what broken copies left, and what people put there. Space is accounted here.

Files of VMs follow from the inventory and are not kept. Written ones are kept per datastore, by path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from bot.playground.esxi.disk_content import Content, Library, Seeded, Written
from bot.playground.esxi.spool import Spool
from bot.playground.vcenter import faults
from bot.playground.vcenter.conditions import Conditions
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.inventory import Datastore, Disk, Orphan, Vm, VmFile
from bot.playground.vcenter.vm_files import DiskContents, change_tracking_files, content_of
from bot.playground.vcenter.wire import Data

_DESCRIPTOR = 521


@dataclass(frozen=True)
class File:
    """One file. `size` is what a download has, `space` what it takes on the datastore."""

    path: str
    content: Content
    space: int
    kind: str = ""
    vm: Vm | None = None
    locked: bool = False
    disk: Disk | None = None
    modified: datetime | None = None

    @property
    def size(self) -> int:
        return self.content.size


@dataclass(frozen=True)
class _KeptFile:
    content: Content
    at: datetime
    given: int | None = None
    """What it takes, where that is not its size: an empty disk may have all of it or nothing."""

    @property
    def space(self) -> int:
        return self.content.size if self.given is None else self.given


@dataclass
class _Kept:
    """What people wrote on one datastore, and what was left there."""

    files: dict[str, _KeptFile] = field(default_factory=dict)
    directories: set[str] = field(default_factory=set)


class Depot:
    """What stands in all files of a world."""

    def __init__(self, seed: int, *, conditions: Conditions, clock: Callable[[], datetime]) -> None:
        self.spool = Spool()
        self.library = Library(seed, self.spool)
        self.disks = DiskContents(self.library)
        self._conditions = conditions
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def shelf(self, store: Datastore) -> Shelf:
        """Return the files of a datastore as they are now. Refuses one that hosts have lost with FileFault."""
        self.refuse_lost(store)
        return self._shelf(store)

    def _shelf(self, store: Datastore) -> Shelf:
        return Shelf(store, self, self._kept.setdefault(store.uuid, _Kept()), self._clock)

    def refuse_lost(self, store: Datastore) -> None:
        """Refuse a datastore that hosts have lost with FileFault."""
        if self._conditions.is_lost(store):
            raise faults.file_fault(f"[{store.name}]", "All paths to the datastore are down.")

    def directories(self, store: Datastore) -> set[str]:
        """Return the directories that people made or wrote into, whether or not anybody reaches the datastore now."""
        return self._shelf(store).directories()

    def know(self, vms: Iterable[Vm]) -> None:
        """Settle what stands on the disks of these VMs, before anything changes how they are kept."""
        for vm in vms:
            for disk in vm.disks:
                self.disks.of(disk)

    def is_locked(self, vm: Vm) -> bool:
        """Say whether a VM's disks are open somewhere."""
        return vm.power != "poweredOff" or self._conditions.is_locked(vm)


class Shelf:
    """The files of one datastore at one moment."""

    def __init__(self, store: Datastore, depot: Depot, kept: _Kept, clock: Callable[[], datetime]) -> None:
        self.store = store
        self._depot = depot
        self._kept = kept
        self._clock = clock

    def files(self) -> dict[str, File]:
        """Return all files by path; a VM's own hides what was written in the same place."""
        found = {
            path: File(path, kept.content, kept.space, modified=kept.at) for path, kept in self._kept.files.items()
        }
        for orphan in self.store.orphans:
            found |= {file.path: file for file in self._of_orphan(orphan)}
        for vm in self.store.home.each(Vm):
            if self.store in vm.datastores:
                found |= {file.path: file for file in self._of_vm(vm)}
        return found

    def _of_vm(self, vm: Vm) -> Iterator[File]:
        locked = self._depot.is_locked(vm)
        for file in (*vm.files, *change_tracking_files(vm)):
            if file.datastore is self.store:
                yield File(
                    f"{vm.directory}/{file.path}", content_of(vm, file, self._depot.disks), file.size, file.kind, vm,
                    locked and file.kind == "diskExtent", _disk(vm, file), vm.created,
                )  # fmt: skip

    @staticmethod
    def _of_orphan(orphan: Orphan) -> Iterator[File]:
        """Yield a descriptor and as much of the extent as had arrived; together they have the orphan's size."""
        stem = f"{orphan.path}/{orphan.path.rpartition('/')[2]}"
        head = min(_DESCRIPTOR, orphan.size)
        for path, size in ((f"{stem}.vmdk", head), (f"{stem}-flat.vmdk", orphan.size - head)):
            yield File(path, Seeded(f"orphan/{path}", size, size), size, "orphan", modified=orphan.at)

    def directories(self) -> set[str]:
        """Return all directories, each with those above it; the root is the empty path."""
        found = {""}
        for directory in self._lowest_directories():
            here = directory
            while here not in found:
                found.add(here)
                here = _parent(here)
        return found

    def _lowest_directories(self) -> set[str]:
        lived_in = {
            _parent(f"{vm.directory}/{file.path}")
            for vm in self.store.home.each(Vm) if self.store in vm.datastores
            for file in vm.files if file.datastore is self.store
        }  # fmt: skip
        left = {orphan.path for orphan in self.store.orphans}
        return lived_in | left | self._kept.directories | set(map(_parent, self._kept.files))

    def find(self, path: str) -> File:
        """Return the file of a path. Refuses with FileNotFound."""
        file = self.files().get(path)
        if file is None:
            raise self.not_found(path)
        return file

    def below(self, directory: str) -> list[File]:
        """Return the files in a directory and below it."""
        prefix = f"{directory}/" if directory else ""
        return [file for path, file in self.files().items() if path.startswith(prefix)]

    # Changes. Each refuses with the fault that vCenter would give.

    def make_directory(self, path: str, *, with_parents: bool) -> None:
        directories = self.directories()
        if path in directories or path in self.files():
            raise self.exists(path)
        if _parent(path) not in directories and not with_parents:
            raise self.not_found(_parent(path))
        self._kept.directories.add(path)

    def writer(self, path: str) -> Writing:
        """Begin to write a file; one that is there is replaced at once, its space given back."""
        self._make_room(path)
        return Writing(self, path, Written(self._depot.library))

    def put(self, path: str, content: Content, *, force: bool = False, space: int | None = None) -> None:
        """Put something whole into a place, and take the space for it."""
        if path in self.files() and not force:
            raise self.exists(path)
        self._make_room(path)
        self.take(content.size if space is None else space, path)
        self.keep(path, content, space=space)

    def _make_room(self, path: str) -> None:
        directories = self.directories()
        if _parent(path) not in directories:
            raise self.not_found(_parent(path))
        if path in directories:
            raise self.exists(path, "is a directory")
        if path in self.files():
            self.delete(path)

    def keep(self, path: str, content: Content, *, space: int | None = None) -> None:
        """Have a file whose space is taken already."""
        self._kept.files[path] = _KeptFile(content, self._clock(), space)
        self.store.home.changes.touch(self.store.ref)

    def hand_over(self, paths: set[str]) -> None:
        """Let these files go, which become those of a VM: what they took is free for it."""
        self._adopt_orphans(paths)
        for path in paths & self._kept.files.keys():
            self.store.home.allocate(self.store, -self._kept.files.pop(path).space)

    def forget_directory(self, path: str) -> None:
        """Remove a directory in which nothing lies any more."""
        if not self.below(path):
            self._kept.directories.discard(path)

    def delete(self, path: str) -> None:
        """Delete a file, or a directory with all that is in it. Files of a VM that is registered stay (invented)."""
        if path not in self.files() and path not in self.directories() - {""}:
            raise self.not_found(path)
        going = [file for file in self.files().values() if file.path == path or file.path.startswith(f"{path}/")]
        for file in going:
            if file.vm:
                raise faults.file_locked(f"[{self.store.name}] {file.path}")
        self._adopt_orphans({file.path for file in going})
        for file in going:
            del self._kept.files[file.path]
            self.store.home.allocate(self.store, -file.space)
        for directory in [d for d in self._kept.directories if d == path or d.startswith(f"{path}/")]:
            self._kept.directories.remove(directory)

    def _adopt_orphans(self, paths: set[str]) -> None:
        """Make files that people handle one by one of what a broken copy left as a whole."""
        for orphan in list(self.store.orphans):
            files = list(self._of_orphan(orphan))
            if paths & {file.path for file in files}:
                self.store.orphans.remove(orphan)
                for file in files:
                    self._kept.files[file.path] = _KeptFile(file.content, orphan.at or self._clock())

    def take(self, size: int, path: str) -> None:
        """Take space. Refuses with NoDiskSpace."""
        if size > self.store.free:
            raise faults.no_disk_space(f"[{self.store.name}] {path}", self.store.name)
        self.store.home.allocate(self.store, size)

    def not_found(self, path: str) -> Fault:
        return self._fault("FileNotFound", path, "was not found")

    def exists(self, path: str, why: str = "already exists") -> Fault:
        return self._fault("FileAlreadyExists", path, why)

    def _fault(self, type_: str, path: str, why: str) -> Fault:
        return Fault(Data(type_, file=f"[{self.store.name}] {path}"), f"File [{self.store.name}] {path} {why}")


class Writing:
    """A file that is being written. What has been written stays if the writer goes away, as on a real datastore."""

    def __init__(self, shelf: Shelf, path: str, content: Written) -> None:
        self._shelf = shelf
        self._path = path
        self._content = content
        shelf.keep(path, content)

    def take(self, size: int) -> None:
        self._shelf.take(size, self._path)

    def append(self, data: bytes) -> None:
        """Write on. Refuses with NoDiskSpace."""
        self.take(len(data))
        self._content.append(data)

    def end(self) -> None:
        self._content.end()
        self._shelf.keep(self._path, self._content)


def _disk(vm: Vm, file: VmFile) -> Disk | None:
    return next((disk for disk in vm.disks if disk.key == file.disk), None)


def _parent(path: str) -> str:
    above = str(PurePosixPath(path).parent)
    return "" if above == "." else above
