"""What a person asked for, once it is understood. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

JobId = NewType("JobId", str)
"""Eight characters of [a-z2-7]; unique for 90 days; typed by people."""

VCenterName = NewType("VCenterName", str)
"""The name of a `[vcenters.<name>]` table of the config."""

SiteName = NewType("SiteName", str)
"""The name of a `[sites.<name>]` table of the config."""


@dataclass(frozen=True, slots=True)
class VmRef:
    """One VM, for good: its vCenter and instance UUID. The name is for people and may change."""

    vcenter: VCenterName
    uuid: str
    name: str

    @property
    def key(self) -> str:
        """What `vm:<vcenter>:<uuid>` and the queue's promise "one live job per VM" go by."""
        return f"{self.vcenter}:{self.uuid}"


@dataclass(frozen=True, slots=True)
class MigrationRequest:
    """Everything the plan is made from that a person chose. `networks` maps source names to target names.

    `thin`: all disks become thin. `disk_datastores` maps labels of disks ("Hard disk 2") to datastores. `shutdown`: the
    guest is shut down before, `power_on`: the VM is powered on after. `disconnect_drives`: images are taken out of CD
    and floppy drives. `consolidate`: deltas that no snapshot owns are merged before. `force`: a person with the right
    to do so lifts all warnings. `when_clean`: it waits until the measured loss of its link is within the bound of the
    config. `not_before`: when it may start at the earliest. `avoid`: hosts that are not to be chosen. `batch`: the job
    that it is a part of, or empty. `canary`: it moves a small VM that the config names, only to try the path.
    """

    vm: VmRef
    site: SiteName
    host: str | None = None
    datastore: str | None = None
    networks: dict[str, str] = field(default_factory=dict)
    dry_run: bool = False
    not_before: datetime | None = None
    avoid: tuple[str, ...] = ()
    batch: str = ""
    thin: bool = False
    disk_datastores: dict[str, str] = field(default_factory=dict)
    shutdown: bool = False
    power_on: bool = False
    disconnect_drives: bool = False
    consolidate: bool = False
    force: bool = False
    when_clean: bool = False
    canary: bool = False
