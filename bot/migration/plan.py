"""A plan is data: what would be moved where, and what speaks against it. It is made here and applied elsewhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.migration.facts import Disk
from bot.migration.path import DataPath
from bot.migration.request import MigrationRequest, SiteName, VCenterName


class Severity(StrEnum):
    """BLOCK: cannot be approved. WARN: a person should know before approving. NOTE: worth saying."""

    BLOCK = "block"
    WARN = "warn"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that speaks against the plan: why, in a sentence, and who or what can lift it.

    `unreadable`: it is not known whether it speaks against it, because something could not be read.
    """

    id: str
    severity: Severity
    text: str
    lifted_by: str = ""
    unreadable: bool = False

    @property
    def said(self) -> str:
        """The sentence, and who can lift it; a mere note is nothing that has to be lifted."""
        lifts = self.lifted_by and (self.severity is not Severity.NOTE or self.unreadable)
        return f"{self.text} Lifted by: {self.lifted_by}." if lifts else self.text


@dataclass(frozen=True, slots=True)
class DiskMove:
    """A disk and where it will be. `thin`: what it becomes; None: it stays what it is."""

    key: int
    label: str
    datastore: str
    datastore_moid: str | None
    thin: bool | None = None


@dataclass(frozen=True, slots=True)
class FarVCenter:
    """The vCenter that a VM moves to, when that is another one. `thumbprint`: of its certificate, as pinned. `version`:
    "8.0.3", or empty.
    """

    name: VCenterName
    url: str
    instance_uuid: str
    thumbprint: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class NicMove:
    """A network card and the network it will be on; the keys are those of `NetworkFacts`."""

    key: int
    label: str
    source_network: str
    target_network: str
    portgroup_key: str | None
    switch_uuid: str | None
    opaque_id: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a VM is or will be: names for people, managed object ids for the call."""

    site: SiteName | None
    datacenter: str
    host: str
    host_moid: str
    datastore: str
    datastore_moid: str | None
    folder: str
    folder_moid: str | None
    pool_moid: str | None
    vcenter: VCenterName | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan for one VM. `size` is the bytes the copy will move; `link` is the pair of sites it crosses, sorted.

    `path`: the way that its data is predicted to take; None: not known. `far`: the other vCenter, if it goes to one.
    `disk_moves`: disks that go elsewhere, or become something else, than the plan's datastore and their form say.
    """

    request: MigrationRequest
    vm_moid: str
    vm_path_name: str
    source: Place
    target: Place
    disks: tuple[Disk, ...]
    nics: tuple[NicMove, ...]
    size: int
    link: str
    concerns: tuple[Concern, ...]
    made_at: datetime
    fingerprint: str = field(default="", compare=False)
    path: DataPath | None = None
    far: FarVCenter | None = None
    disk_moves: tuple[DiskMove, ...] = ()

    @property
    def safe(self) -> bool:
        """Nothing blocks it."""
        return not any(c.severity is Severity.BLOCK for c in self.concerns)

    @property
    def warnings(self) -> tuple[Concern, ...]:
        """What a person should know before approving."""
        return tuple(c for c in self.concerns if c.severity is Severity.WARN)

    @property
    def needs_force(self) -> bool:
        """It has warnings, and whoever asked for it has not lifted them."""
        return bool(self.warnings) and not self.request.force

    @property
    def disk_paths(self) -> tuple[str, ...]:
        """The datastore paths of all disks, sorted: what must be unchanged between approval and start."""
        return tuple(sorted(disk.path for disk in self.disks))


def heaviest_first(concerns: Iterable[Concern]) -> list[Concern]:
    """As people should read them: the heaviest first, and of equal weight what is known before what is not."""
    weights = list(Severity)
    return sorted(concerns, key=lambda concern: (weights.index(concern.severity), concern.unreadable))


def fingerprint(plan: Plan) -> str:
    """Sixteen hex digits over everything that an approval stands for: the move and its concerns, not the time."""
    facts = asdict(plan)
    facts.pop("fingerprint")
    facts.pop("made_at")
    text = json.dumps(facts, sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def link_name(a: SiteName | str, b: SiteName | str) -> str:
    """The name of the link between two sites, the same in both directions: `site1~site2`."""
    return "~".join(sorted((a, b)))
