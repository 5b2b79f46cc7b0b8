"""Leases on VMs whose disks travel over HTTP: their states, their clock, their devices. What is done with the bytes
is told in `exports` and `imports`, how they travel in `nfc_door`.

States and what moves between them are those of the API reference, HttpNfcLease; the time-out of 300 s is vCenter's
default there.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from bot.playground.esxi.disk_content import Content
from bot.playground.vcenter import faults
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.inventory import Datastore, Disk, Host, Vm
from bot.playground.vcenter.sessions import Session
from bot.playground.vcenter.tasks import Task
from bot.playground.vcenter.wire import Data, Ref

if TYPE_CHECKING:
    from bot.playground.vcenter.universe import Estate

TIMEOUT = timedelta(seconds=300)
_PREPARATION = 0.02
"""Seconds, so that a client has to wait for the state `ready`; it takes longer in life."""


class LeaseState(StrEnum):
    INITIALIZING = "initializing"
    READY = "ready"
    DONE = "done"
    ERROR = "error"


@dataclass(frozen=True)
class Transferred:
    """One file that has travelled as a whole."""

    sha1: str
    size: int
    populated: int


@dataclass(eq=False)
class Device:
    """One file of a lease. An export has its content, an import the disk that it fills."""

    name: str
    key: str
    import_key: str
    store: Datastore
    disk: Disk | None = None
    content: Content | None = None
    transferred: Transferred | None = None

    @property
    def manifest_entry(self) -> Data | None:
        if self.transferred is None:
            return None
        return Data(
            "HttpNfcLeaseManifestEntry",
            key=self.key,
            sha1=self.transferred.sha1,
            checksum=self.transferred.sha1,
            checksumType="sha1",
            size=self.transferred.size,
            disk=self.disk is not None,
            capacity=self.disk.capacity if self.disk else None,
            populatedSize=self.transferred.populated if self.disk else None,
        )


class Purpose(Protocol):
    """What a lease is for."""

    def prepare(self) -> None:
        """Make ready. Refuses with a fault what ends the lease at once."""

    def settle(self) -> None:
        """Do what belongs to a good end."""

    def undo(self) -> None:
        """Leave no trace."""


@dataclass(eq=False)
class Lease:
    """One lease. It blocks its VM by a task that runs as long as it is held."""

    estate: Estate
    session: Session
    """Whose it is; while its bytes flow, that session is not idle."""
    vm: Vm
    host: Host
    task: Task
    devices: list[Device]
    purpose: Purpose
    importing: bool
    ref: Ref = field(default_factory=lambda: Ref("HttpNfcLease", ""))
    """Known once a session keeps the lease."""
    state: LeaseState = LeaseState.INITIALIZING
    fault: Fault | None = None
    percent: int = 0
    ticket: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    _deadline: datetime | None = None

    def begin(self) -> None:
        """Start the task of the lease; it is ready a little later."""
        self.estate.tasks.start(self.task)
        self.task.abort = lambda: self.fail(faults.request_canceled())
        asyncio.get_running_loop().call_later(_PREPARATION, self._become_ready)

    def _become_ready(self) -> None:
        if self.state is not LeaseState.INITIALIZING:
            return
        try:
            self.purpose.prepare()
        except Fault as fault:
            self.fail(fault)
            return
        self._enter(LeaseState.READY)
        self._renew()

    @property
    def held(self) -> bool:
        return self.state in {LeaseState.INITIALIZING, LeaseState.READY}

    @property
    def lapsed(self) -> bool:
        return self.held and self._deadline is not None and self._deadline <= self.estate.universe.clock()

    def device(self, name: str) -> Device | None:
        return next((device for device in self.devices if device.name == name), None)

    def report(self, percent: int) -> None:
        """Take a client's word for how far it is, which keeps the lease."""
        self.percent = percent
        self.estate.tasks.report(self.task, percent)
        self._renew()
        self.estate.inventory.changes.touch(self.ref)

    def complete(self) -> None:
        self.purpose.settle()
        self._enter(LeaseState.DONE)
        self.estate.tasks.finish(self.task)

    def fail(self, fault: Fault) -> None:
        """End the lease this way; what it made is gone, transfers break."""
        if not self.held:
            return
        self.fault = fault
        self._enter(LeaseState.ERROR)
        self.purpose.undo()
        self.estate.tasks.finish(self.task, fault)

    def _renew(self) -> None:
        self._deadline = self.estate.universe.clock() + TIMEOUT

    def _enter(self, state: LeaseState) -> None:
        self.state = state
        self.estate.inventory.changes.touch(self.ref)

    @property
    def info(self) -> Data | None:
        """HttpNfcLeaseInfo; it is only valid while the lease is ready."""
        if self.state is not LeaseState.READY:
            return None
        doors = self.estate.doors
        thumbprint = doors.thumbprint(self.host) or None
        urls = [
            Data(
                "HttpNfcLeaseDeviceUrl",
                key=device.key,
                importKey=device.import_key,
                url=f"{doors.url(self.host)}/nfc/{self.ticket}/{device.name}",
                sslThumbprint=thumbprint or "",
                disk=device.disk is not None,
                targetId=device.name,
                datastoreKey=device.store.url,
                fileSize=device.content.size if device.content and not device.disk else None,
            )
            for device in self.devices
        ]
        hosts = [Data("HttpNfcLeaseHostInfo", url=f"{doors.url(self.host)}/nfc/", sslThumbprint=thumbprint or "")]
        stores = dict.fromkeys(device.store.url for device in self.devices)
        return Data(
            "HttpNfcLeaseInfo",
            lease=self.ref,
            entity=self.vm.ref,
            deviceUrl=urls,
            totalDiskCapacityInKB=sum(device.disk.capacity for device in self.devices if device.disk) // 1024,
            leaseTimeout=int(TIMEOUT.total_seconds()),
            hostMap=[Data("HttpNfcLeaseDatastoreLeaseInfo", datastoreKey=key, hosts=hosts) for key in stores],
        )


class Leases:
    """The leases of one vCenter that are held."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._held: dict[str, Lease] = {}

    def hold(self, lease: Lease) -> None:
        self._held[lease.ticket] = lease
        lease.begin()

    def find(self, ticket: str) -> Lease | None:
        """Return the lease whose URLs bear this ticket, while it is ready."""
        self.sweep()
        lease = self._held.get(ticket)
        return lease if lease and lease.state is LeaseState.READY else None

    def sweep(self) -> None:
        """End the leases that nobody has renewed in time."""
        for ticket, lease in list(self._held.items()):
            if lease.lapsed:
                lease.fail(faults.timed_out())
            if not lease.held:
                del self._held[ticket]


def device_key(owner: str, controller: str, unit: int) -> str:
    """Return a disk's key as OVF and leases write it: /vm-12/ParaVirtualSCSIController0:0."""
    return f"/{owner}/{controller}:{unit}"
