"""The things of one vCenter and how they hang together: folders, hosts, datastores, networks, VMs.

State only, as a vCenter would have it in its database. How it looks on the wire is told in `properties`, what happens
to it in `relocation` and `power`. Every move of a VM goes through `Inventory`, so that both ends agree.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, TypeVar

from bot.playground.esxi.host_log import HostLogs
from bot.playground.vcenter.changes import Changes
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.naming import escaped, unescaped
from bot.playground.vcenter.wire import Ref

_E = TypeVar("_E", bound="Entity")
SMALL_FILES = (("config", "{name}.vmx", 3_211), ("nvram", "{name}.nvram", 8_684), ("snapshotList", "{name}.vmsd", 43),
               ("log", "vmware.log", 231_072))  # fmt: skip
"""(kind, path, size) of what every VM of the world file has."""
_DESCRIPTOR = 521
_DELTA = 16 * 2**20


@dataclass(eq=False)
class Entity:
    """A managed entity. `parent` is its place in the tree; only the root folder has none."""

    wire: ClassVar[str] = "ManagedEntity"
    id: str
    name: str
    parent: Entity | None
    home: Inventory = field(init=False, repr=False)
    custom: dict[int, str] = field(init=False, repr=False, default_factory=dict)
    """Values of custom fields, by the field's key."""

    @property
    def wire_name(self) -> str:
        return escaped(self.name)

    @property
    def ref(self) -> Ref:
        return Ref(self.wire, self.id)

    @property
    def ancestors(self) -> Iterator[Entity]:
        """Yield the parent, its parent, up to the root."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    @property
    def datacenter(self) -> Datacenter | None:
        found = (above for above in (self, *self.ancestors) if isinstance(above, Datacenter))
        return next(found, None)


@dataclass(eq=False)
class Folder(Entity):
    wire = "Folder"
    child_types: tuple[str, ...]
    children: list[Entity] = field(default_factory=list)


@dataclass(eq=False)
class Datacenter(Entity):
    wire = "Datacenter"
    site: str
    folders: dict[str, Folder] = field(default_factory=dict)
    """The four roots: vm, host, datastore, network."""


@dataclass(eq=False)
class Cluster(Entity):
    wire = "ClusterComputeResource"
    hosts: list[Host] = field(default_factory=list)
    pool: Pool | None = None


@dataclass(eq=False)
class Pool(Entity):
    wire = "ResourcePool"


@dataclass(eq=False)
class VApp(Pool):
    """A vApp. It is in a VM folder, which is its `parent` here; on the wire that is the pool that it is a part of."""

    wire = "VirtualApp"
    pool: Pool
    children: list[Entity] = field(default_factory=list)


@dataclass(eq=False)
class Host(Entity):
    """`copying` counts relocations that this host takes part in; vCenter starts at most eight."""

    wire = "HostSystem"
    site: str
    version: str
    address: str
    uuid: str
    logs: HostLogs
    datastores: list[Datastore] = field(default_factory=list)
    networks: list[Network] = field(default_factory=list)
    connected: bool = True
    maintenance: bool = False
    copying: int = 0


@dataclass(frozen=True)
class Orphan:
    """What a broken copy left behind at its destination."""

    path: str
    size: int
    at: datetime | None = None


@dataclass(eq=False)
class Datastore(Entity):
    wire = "Datastore"
    site: str
    capacity: int
    free: int
    uuid: str
    strangers: int = 0
    """What is taken by somebody whom this world does not know."""
    orphans: list[Orphan] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"ds:///vmfs/volumes/{self.uuid}/"


@dataclass(eq=False)
class Network(Entity):
    wire = "Network"
    site: str


@dataclass(eq=False)
class Switch(Entity):
    wire = "VmwareDistributedVirtualSwitch"
    uuid: str


@dataclass(eq=False)
class Portgroup(Network):
    wire = "DistributedVirtualPortgroup"
    switch: Switch


@dataclass(eq=False)
class Disk:
    """`used` is what it takes on its datastore, `written` what of it is not zero; None: all of it."""

    key: int
    label: str
    capacity: int
    used: int
    thin: bool
    datastore: Datastore
    file: str
    uuid: str
    independent: bool = False
    shared: bool = False
    raw: str = ""
    """The compatibility mode of a raw device mapping: physical or virtual."""
    pmem: bool = False
    written: int | None = None
    flaw: Fault | None = None
    """What whoever opens it is told. Its files are not the VM's then: there are none, or they are no disk."""


@dataclass(frozen=True)
class Hardware:
    """What a VM has beyond disks and network cards. `devices` are (kind, detail), as the world file says them."""

    version: int | None = None
    bus_sharing: str = "none"
    encrypted: bool = False
    vtpm: bool = False
    change_tracking: bool = False
    tools: bool = True
    ignores_shutdown: bool = False
    locks_drive: bool = False
    start: str = "works"
    devices: tuple[tuple[str, str], ...] = ()
    unplugged: frozenset[int] = frozenset()
    """The places in `devices` of those that are not connected when the VM starts."""
    memory_mb: int = 4096
    cpus: int = 2
    reserved_mb: int = 0
    """Memory that is reserved for it."""
    fault_tolerance: bool = False
    managed_by: str = ""
    linked_to: str = ""
    """The directory of the disks that its own rest on, of a linked clone."""
    min_evc: str = ""


@dataclass(frozen=True)
class VmFile:
    """One file of a VM, `path` below its directory. `disk` is the key of the disk it belongs to, 0 for none."""

    kind: str
    path: str
    size: int
    disk: int
    datastore: Datastore


@dataclass(eq=False)
class Nic:
    key: int
    label: str
    mac: str
    network: Network
    starts_connected: bool = True
    connected: bool = True
    """While the VM is on."""


@dataclass(eq=False)
class Vm(Entity):
    """`directory` is its folder on the home datastore; disks may lie elsewhere."""

    wire = "VirtualMachine"
    host: Host
    pool: Pool
    datastore: Datastore
    directory: str
    instance_uuid: str
    bios_uuid: str
    disks: list[Disk]
    nics: list[Nic]
    stem: str = ""
    """What its files are called after; a rename of the VM leaves them alone."""
    power: str = "poweredOff"
    template: bool = False
    created: datetime | None = None
    snapshots: tuple[str, ...] = ()
    """The chain from its root to the current one."""
    strays: int = 0
    """Deltas above those of its snapshots, which no snapshot owns."""
    hardware: Hardware = Hardware()
    question: str | None = None
    on_answer: Callable[[str], None] | None = None
    """What waits for the answer to its question."""
    disabled_methods: tuple[str, ...] = ()
    annotation: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    """What its .vmx has beyond all this."""
    small_files: tuple[tuple[str, str, int], ...] = SMALL_FILES
    written_for: str = ""
    """The uuid.location that its .vmx brought from another place: who switches it on is asked how it came here."""
    held_by: str | None = None
    """A task that the world file lets run on it from the start, without an end."""

    @property
    def files(self) -> list[VmFile]:
        """All files of the VM; what they add up to is what it takes on its datastores."""
        files = [
            VmFile(kind, path.format(name=self.file_name), size, 0, self.datastore)
            for kind, path, size in self.small_files
        ]
        for disk in (disk for disk in self.disks if disk.flaw is None):
            stem = disk.file.removesuffix(".vmdk")
            kind = "rdmp" if disk.raw == "physical" else "rdm" if disk.raw else "flat"
            files.append(VmFile("diskDescriptor", disk.file, _DESCRIPTOR, disk.key, disk.datastore))
            files.append(VmFile("diskExtent", f"{stem}-{kind}.vmdk", disk.used, disk.key, disk.datastore))
            for number in range(1, 1 + self.deltas(disk)):
                delta = f"{stem}-{number:06d}"
                files.append(VmFile("diskDescriptor", f"{delta}.vmdk", _DESCRIPTOR, disk.key, disk.datastore))
                files.append(VmFile("diskExtent", f"{delta}-sesparse.vmdk", _DELTA, disk.key, disk.datastore))
        return files + [
            VmFile("snapshotData", f"{self.file_name}-Snapshot{number}.vmsn", 30_124, 0, self.datastore)
            for number in range(1, 1 + len(self.snapshots))
        ]

    def deltas(self, disk: Disk) -> int:
        """Return how many deltas a disk has; an independent one is in no snapshot."""
        return 0 if disk.independent else len(self.snapshots) + self.strays

    @property
    def question_id(self) -> str:
        return "1"

    @property
    def committed(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def vmx_path(self) -> str:
        return f"[{self.datastore.name}] {self.directory}/{self.file_name}.vmx"

    @property
    def file_name(self) -> str:
        return self.stem or file_name(self.name)

    @property
    def datastores(self) -> list[Datastore]:
        return list(dict.fromkeys([self.datastore, *(disk.datastore for disk in self.disks)]))

    @property
    def networks(self) -> list[Network]:
        return list(dict.fromkeys(nic.network for nic in self.nics))


@dataclass(frozen=True)
class Placement:
    """Where a VM is, for referees."""

    site: str
    host: str
    datastore: str
    folder: str


class Inventory:
    """All entities of one vCenter, by MoRef and by place."""

    def __init__(self, root: Folder) -> None:
        self.changes = Changes()
        self.root = root
        self.shape = 0
        """Goes up with every change of membership; what lists entities depends on it."""
        self._entities: dict[Ref, Entity] = {root.ref: root}
        self._number = 1
        root.home = self

    def new_id(self, prefix: str) -> str:
        """Return an id that no entity of this vCenter had before."""
        self._number += 1
        return f"{prefix}{self._number}"

    def add(self, entity: Entity) -> None:
        entity.home = self
        self._entities[entity.ref] = entity
        if isinstance(entity.parent, Folder | VApp):
            entity.parent.children.append(entity)
        self.shape += 1

    def remove(self, entity: Entity) -> None:
        """Forget an entity; its reference leads nowhere from now on."""
        del self._entities[entity.ref]
        if isinstance(entity.parent, Folder | VApp):
            entity.parent.children.remove(entity)
        self.shape += 1
        self.changes.touch(entity.ref, *(above.ref for above in entity.ancestors))

    def rename(self, entity: Entity, name: str) -> None:
        """Give an entity another name; a VM's files keep theirs, as on a vCenter."""
        entity.name = name
        self.changes.touch(entity.ref)

    def put_into(self, folder: Folder, entity: Entity) -> None:
        """Hang an entity under another folder."""
        before = entity.parent
        if isinstance(before, Folder):
            before.children.remove(entity)
            self.changes.touch(before.ref)
        entity.parent = folder
        folder.children.append(entity)
        self.shape += 1
        self.changes.touch(entity.ref, folder.ref)

    def at(self, path: str) -> Entity | None:
        """Follow an inventory path from the root, such as /DC1/vm/Web; escapes stand for what a name may not show."""
        here: Entity | None = self.root
        for step in path.strip("/").split("/") if path.strip("/") else ():
            here = next((below for below in children(here) if below.name == unescaped(step)), None)
        return here

    def find(self, ref: Ref | None) -> Entity | None:
        return self._entities.get(ref) if ref else None

    def each(self, kind: type[_E]) -> Iterator[_E]:
        return (entity for entity in self._entities.values() if isinstance(entity, kind))

    def below(self, top: Entity) -> Iterator[Entity]:
        """Yield every entity whose ancestors include `top`."""
        if top is self.root:
            yield from (entity for entity in self._entities.values() if entity is not top)
            return
        yield from (entity for entity in self._entities.values() if top in entity.ancestors)

    def move(self, vm: Vm, *, host: Host, pool: Pool, folder: Folder) -> None:
        """Put a VM under another host, pool and folder at once, and tell whoever watches either side.

        A host of another vCenter makes the VM leave this inventory: it arrives there under an id of that vCenter.
        """
        if host.home is not self:
            self._emigrate(vm, host=host, pool=pool, folder=folder)
            return
        before = [vm.host.ref, *((vm.parent.ref,) if vm.parent else ()), vm.pool.ref]
        if isinstance(vm.parent, Folder | VApp):
            vm.parent.children.remove(vm)
        vm.host, vm.pool, vm.parent = host, pool, folder
        folder.children.append(vm)
        self.shape += 1
        self.changes.touch(vm.ref, host.ref, folder.ref, pool.ref, *before)

    def _emigrate(self, vm: Vm, *, host: Host, pool: Pool, folder: Folder) -> None:
        there, left = host.home, [vm.host.ref, vm.pool.ref]
        self.remove(vm)
        self.changes.touch(*left)
        arrived = copy.copy(vm)
        arrived.id, arrived.custom, arrived.held_by = there.new_id("vm-"), {}, None
        arrived.host, arrived.pool, arrived.parent = host, pool, folder
        there.add(arrived)
        seen_with_it = (host, pool, folder, *arrived.datastores, *arrived.networks)
        there.changes.touch(arrived.ref, *(entity.ref for entity in seen_with_it))

    def allocate(self, datastore: Datastore, size: int) -> None:
        """Take space, or give it back when `size` is negative."""
        datastore.free -= size
        datastore.home.changes.touch(datastore.ref)

    def fill(self, datastore: Datastore, *, free: int) -> None:
        """Let strangers take the space of a datastore until so much is free, or give it back as far as it is theirs."""
        taken = max(datastore.free - free, -datastore.strangers)
        datastore.strangers += taken
        self.allocate(datastore, taken)

    def placement(self, vm: Vm) -> Placement:
        folder = vm.parent.name if vm.parent else ""
        return Placement(vm.host.site, vm.host.name, vm.datastore.name, folder)


def children(entity: Entity | None) -> list[Entity]:
    """Return what an inventory path can go on to."""
    match entity:
        case Folder() | VApp():
            return entity.children
        case Datacenter():
            return list(entity.folders.values())
        case Cluster():
            return [*entity.hosts, *([entity.pool] if entity.pool else [])]
    return []


def file_name(name: str) -> str:
    """Return what files and directories are called after a VM of this name (invented: slashes become underscores)."""
    return name.replace("/", "_").replace("\\", "_")
