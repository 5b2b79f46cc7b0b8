"""The things of one vCenter and how they hang together: folders, hosts, datastores, networks, VMs.

State only, as a vCenter would have it in its database. How it looks on the wire is told in `properties`, what happens
to it in `relocation` and `power`. Every move of a VM goes through `Inventory`, so that both ends agree.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, TypeVar

from bot.playground.esxi.host_log import HostLogs
from bot.playground.vcenter.changes import Changes
from bot.playground.vcenter.wire import Ref

_E = TypeVar("_E", bound="Entity")
_SMALL_FILES = (("config", "{name}.vmx", 3_211), ("nvram", "{name}.nvram", 8_684), ("snapshotList", "{name}.vmsd", 43),
                ("log", "vmware.log", 231_072))  # fmt: skip
_DESCRIPTOR = 521
_DELTA = 16 * 2**20


@dataclass(eq=False)
class Entity:
    """A managed entity. `parent` is its place in the tree; only the root folder has none."""

    wire: ClassVar[str] = "ManagedEntity"
    id: str
    name: str
    parent: Entity | None

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


@dataclass(eq=False)
class Datastore(Entity):
    wire = "Datastore"
    site: str
    capacity: int
    free: int
    uuid: str
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
    """`used` is what it takes on its datastore."""

    key: int
    label: str
    capacity: int
    used: int
    thin: bool
    datastore: Datastore
    file: str
    uuid: str


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
    power: str = "poweredOff"
    template: bool = False
    created: datetime | None = None
    snapshot: str | None = None
    question: str | None = None
    disabled_methods: tuple[str, ...] = ()
    held_by: str | None = None
    """A task that the world file lets run on it from the start, without an end."""

    @property
    def files(self) -> list[VmFile]:
        """All files of the VM; what they add up to is what it takes on its datastores."""
        files = [
            VmFile(kind, path.format(name=self.name), size, 0, self.datastore) for kind, path, size in _SMALL_FILES
        ]
        for disk in self.disks:
            stem = disk.file.removesuffix(".vmdk")
            files.append(VmFile("diskDescriptor", disk.file, _DESCRIPTOR, disk.key, disk.datastore))
            files.append(VmFile("diskExtent", f"{stem}-flat.vmdk", disk.used, disk.key, disk.datastore))
            if self.snapshot:
                files.append(VmFile("diskDescriptor", f"{stem}-000001.vmdk", _DESCRIPTOR, disk.key, disk.datastore))
                files.append(VmFile("diskExtent", f"{stem}-000001-sesparse.vmdk", _DELTA, disk.key, disk.datastore))
        if self.snapshot:
            files.append(VmFile("snapshotData", f"{self.name}-Snapshot1.vmsn", 30_124, 0, self.datastore))
        return files

    @property
    def committed(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def vmx_path(self) -> str:
        return f"[{self.datastore.name}] {self.directory}/{self.name}.vmx"

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

    def add(self, entity: Entity) -> None:
        self._entities[entity.ref] = entity
        if isinstance(entity.parent, Folder):
            entity.parent.children.append(entity)
        self.shape += 1

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
        """Put a VM under another host, pool and folder at once, and tell whoever watches either side."""
        before = [vm.host.ref, *((vm.parent.ref,) if vm.parent else ()), vm.pool.ref]
        if isinstance(vm.parent, Folder):
            vm.parent.children.remove(vm)
        vm.host, vm.pool, vm.parent = host, pool, folder
        folder.children.append(vm)
        self.shape += 1
        self.changes.touch(vm.ref, host.ref, folder.ref, pool.ref, *before)

    def allocate(self, datastore: Datastore, size: int) -> None:
        """Take space, or give it back when `size` is negative."""
        datastore.free -= size
        self.changes.touch(datastore.ref)

    def placement(self, vm: Vm) -> Placement:
        folder = vm.parent.name if vm.parent else ""
        return Placement(vm.host.site, vm.host.name, vm.datastore.name, folder)


def steady_uuid(*parts: object) -> str:
    """Make the same UUID from the same words, so that a world looks alike at every start."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(str(part) for part in parts)))
