"""What the caller knows of the migration that a log is read for. Everything may be missing; nothing is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bot.diagnosis.measurements import Measurement
from bot.diagnosis.records import dataclass, field

DEFAULT_STACK = "defaultTcpipStack"
PROVISIONING = "vSphereProvisioning"
VMOTION = "vmotion"
MANAGEMENT = "management"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFacts:
    """One virtual disk. `descriptor` is its datastore path, `[ds-1] web01/web01_1.vmdk`; `flat_bytes` its capacity."""

    descriptor: str
    flat_bytes: int | None = None
    thin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One vmkernel interface. `services` are what it is selected for, by vSphere's names: `vSphereProvisioning`."""

    device: str  # "vmk1"
    address: str = ""
    netstack: str = DEFAULT_STACK
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """One host: its name as in the inventory, its version (`8.0.3`), and its vmkernel interfaces."""

    name: str
    version: str = ""
    interfaces: tuple[Interface, ...] = ()

    @property
    def generation(self) -> int:
        """The first number of the version; 0 where it is not known."""
        first = self.version.partition(".")[0]
        return int(first) if first.isdecimal() else 0

    @property
    def copying(self) -> Interface | None:
        """The interface that cold copies take: provisioning's, else the management interface (KB 340170)."""
        return self.serving(PROVISIONING) or self.serving(MANAGEMENT)

    def serving(self, service: str) -> Interface | None:
        return next((interface for interface in self.interfaces if service in interface.services), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A migration in plain words and numbers. Folders are the VM's directories on the datastores, without slashes.

    `hosts` describes hosts of either end, by the names of `source_host` and `destination_host`. `offsets` says how far
    a host's clock is ahead of the clock that all times are told in. `read` names what was read whether or not a line of
    it matters: sides (`source`, `destination`, `vcenter`) and logs (`vmkernel`).
    """

    vm: str | None = None
    source_host: str | None = None
    destination_host: str | None = None
    source_site: str | None = None
    destination_site: str | None = None
    source_datastore: str | None = None
    destination_datastore: str | None = None
    source_folder: str | None = None
    destination_folder: str | None = None
    disks: tuple[DiskFacts, ...] = ()
    op_id: str | None = None
    task: str | None = None
    hosts: tuple[HostFacts, ...] = ()
    offsets: Mapping[str, timedelta] = field(default_factory=dict)
    read: frozenset[str] = frozenset()
    measured: tuple[Measurement, ...] = ()

    @property
    def source(self) -> HostFacts | None:
        return self.host(self.source_host)

    @property
    def destination(self) -> HostFacts | None:
        return self.host(self.destination_host)

    def host(self, name: str | None) -> HostFacts | None:
        """The host of this name, if it is described."""
        return next((host for host in self.hosts if host.name == name), None)
