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

    `not_before`: when it may start at the earliest. `avoid`: hosts that are not to be chosen. `batch`: the job that it
    is a part of, or empty.
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
