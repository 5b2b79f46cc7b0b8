"""What was read from vCenter for a plan: frozen, without managed objects. Sizes are bytes, times aware UTC.

What vCenter did not tell is None, or empty, and its property is named in `unread` of the facts it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
    datastore: str = ""
    mode: str = "persistent"  # persistent, independent_persistent, independent_nonpersistent, ...
    sharing: str = "sharingNone"  # or sharingMultiWriter
    rdm: str = ""  # physicalMode, virtualMode, or empty: no raw device mapping
    parents: int = 0  # backings behind the one it writes to
    form: str = "flat"  # flat, delta, sesparse, rdm, pmem: the kind of backing
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """Hardware of the VM other than disks and cards. `kind`: cdrom-iso, cdrom-host, cdrom-client, floppy, usb, pci,
    vgpu, serial, parallel, nvdimm, tpm. `detail`: the file of an ISO or floppy image, the device behind it, or empty.
    """

    key: int
    kind: str
    label: str
    detail: str = ""
    connected: bool = False


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The VM's snapshots. `size`: bytes of all delta disks and memory files; None: unreadable. `depth`: the longest
    chain. `needs_consolidation`: deltas are left that no snapshot owns.
    """

    count: int
    depth: int
    size: int | None
    oldest: datetime | None
    needs_consolidation: bool = False


@dataclass(frozen=True, slots=True)
class Vmk:
    """One VMkernel interface. `services` by vSphere's names: vSphereProvisioning, vmotion, management, ..."""

    device: str  # "vmk1"
    address: str
    netmask: str = ""
    gateway: str = ""
    mtu: int = 1500
    netstack: str = "defaultTcpipStack"
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A route of a host's network stack: where packets to `network` with this prefix length go."""

    netstack: str
    network: str
    prefix: int
    gateway: str


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
    devices: tuple[Device, ...] = ()
    snapshots: Snapshots | None = None  # None: it has none, or they are in `unread`
    bus_sharing: tuple[str, ...] = ()  # of its SCSI controllers, those that share: virtualSharing, physicalSharing
    encrypted: bool = False
    key_provider: str = ""
    hardware_version: int = 0  # 19 of "vmx-19"; 0: not known
    min_evc: str = ""  # runtime.minRequiredEVCModeKey: "intel-broadwell"
    memory: int = 0
    memory_reservation: int = 0
    change_tracking: bool = False
    linked_clone: bool = False
    fault_tolerance: bool = False
    vapp: str = ""
    replication: bool = False  # vSphere Replication is configured (hbr_filter)
    managed_by: str = ""  # the extension that manages it, such as one of Site Recovery Manager
    tools_running: bool = False
    storage_profiles: tuple[str, ...] = ()
    on: HostFacts | None = None  # the host it is on, with interfaces and clock-independent facts
    unread: tuple[str, ...] = ()  # paths of properties that vCenter did not tell: "config.hardware.device"


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
    interfaces: tuple[Vmk, ...] = ()
    routes: tuple[Route, ...] = ()
    evc: str = ""  # the EVC mode it runs in; empty: none
    max_evc: str = ""
    copies: int | None = None  # provisioning tasks under way on it, by whomever; None: not readable
    quarantined: bool = False
    crypto_safe: bool | None = None  # whether it can hold encrypted VMs; None: not readable
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatastoreFacts:
    name: str
    moid: str
    kind: str  # VMFS, NFS, NFS41, vsan, ...
    capacity: int
    free: int
    accessible: bool
    maintenance: str  # normal, enteringMaintenance, inMaintenance
    max_file: int | None = None  # the largest file it takes
    uncommitted: int = 0  # what thin disks on it may still grow by
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """A network of the target datacenter. For a distributed port group both keys are set, else both are None."""

    name: str
    moid: str
    portgroup_key: str | None
    switch_uuid: str | None
    opaque_id: str | None = None  # of an NSX network before distributed port groups carried them


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
    macs: dict[str, str] = field(default_factory=dict)  # MAC address to the name of a VM of the datacenter that has it
    unread: tuple[str, ...] = ()
