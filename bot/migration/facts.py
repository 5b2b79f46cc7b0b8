"""What was read from vCenter for a plan: frozen, without managed objects. Sizes are bytes, times aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.migration.request import SiteName, VCenterName, VmRef


@dataclass(frozen=True, slots=True)
class Disk:
    """A virtual disk. `path` is a datastore path such as `[ds-c1-01] web01/web01.vmdk`; `used` what it occupies now."""

    key: int
    label: str
    path: str
    capacity: int
    used: int
    thin: bool


@dataclass(frozen=True, slots=True)
class Nic:
    """A virtual network card and the network it is on; `network` is its name, or empty when it has none."""

    key: int
    label: str
    mac: str
    network: str


@dataclass(frozen=True, slots=True)
class RunningTask:
    """A task of the VM that has not ended, as people know it."""

    name: str
    user: str


@dataclass(frozen=True, slots=True)
class VmFacts:
    """One VM as read in one go. `place_*` say where it is; `committed` is all it occupies on datastores."""

    ref: VmRef
    moid: str
    path: str  # inventory path, "/DC1/vm/Apps/web01"
    datacenter: str
    folder: str
    host: str
    host_moid: str
    vm_path_name: str  # "[ds-c1-01] web01/web01.vmx"
    datastores: tuple[str, ...]
    power: str  # poweredOn, poweredOff, suspended
    connection: str  # connected, disconnected, inaccessible, invalid, orphaned
    template: bool
    disks: tuple[Disk, ...]
    nics: tuple[Nic, ...]
    committed: int
    disabled_methods: tuple[str, ...]
    running_tasks: tuple[RunningTask, ...]
    question: str | None
    has_snapshots: bool


@dataclass(frozen=True, slots=True)
class HostFacts:
    name: str
    moid: str
    connection: str  # connected, disconnected, notResponding
    in_maintenance: bool
    version: str
    pool_moid: str  # root resource pool of its cluster or of itself
    datastores: tuple[str, ...]  # names it mounts
    networks: tuple[str, ...]  # names it offers
    running_vms: int = 0


@dataclass(frozen=True, slots=True)
class DatastoreFacts:
    name: str
    moid: str
    kind: str  # VMFS, NFS, NFS41, vsan, ...
    capacity: int
    free: int
    accessible: bool
    maintenance: str  # normal, enteringMaintenance, inMaintenance


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """A network of the target datacenter. For a distributed port group both keys are set, else both are None."""

    name: str
    moid: str
    portgroup_key: str | None
    switch_uuid: str | None


@dataclass(frozen=True, slots=True)
class SiteSpec:
    """What the config says of a site. Exactly one of `cluster` and `host` is set."""

    name: SiteName
    vcenter: VCenterName
    datacenter: str
    cluster: str | None
    host: str | None
    datastore: str
    folder: str | None
    networks: dict[str, str]


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """A site as read in one go: hosts of its cluster (or its one host), and the datacenter's datastores and networks.

    `folder_moid` is None when the configured folder does not exist; without a configured folder it is the
    datacenter's root VM folder. `names_in_folder` are the VM names already there.
    """

    spec: SiteSpec
    hosts: tuple[HostFacts, ...]
    datastores: tuple[DatastoreFacts, ...]
    networks: tuple[NetworkFacts, ...]
    folder: str
    folder_moid: str | None
    names_in_folder: tuple[str, ...]
    read_at: datetime
