"""What a plan was chosen from: the one argument of every concern. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.migration.calendar import Calendar
from bot.migration.facts import DatastoreFacts, HostFacts, SiteFacts, VmFacts
from bot.migration.path import DataPath
from bot.migration.plan import DiskMove, FarVCenter, NicMove
from bot.migration.request import MigrationRequest, SiteName
from bot.migration.survey import Survey


@dataclass(frozen=True, slots=True)
class Outlook:
    """What time has to do with a plan. `rates`: the bytes per second of the last copies, by link; none may be known."""

    now: datetime
    calendar: Calendar
    rates: Mapping[str, float] = field(default_factory=dict)

    def earliest(self, request: MigrationRequest) -> datetime:
        """When somebody wants it to start: now, or when they said."""
        return max(self.now, request.not_before or self.now)


@dataclass(frozen=True, slots=True)
class Choice:
    """What the concerns look at: the facts, and what was chosen from them. None: there was nothing to choose."""

    request: MigrationRequest
    vm: VmFacts
    source_site: SiteName | None
    site: SiteFacts
    host: HostFacts | None
    datastore: DatastoreFacts | None
    nics: tuple[NicMove, ...]
    size: int
    link: str = ""
    outlook: Outlook | None = None
    survey: Survey | None = None
    path: DataPath | None = None
    far: FarVCenter | None = None
    disk_moves: tuple[DiskMove, ...] = ()
    max_loss: float | None = None
    """The share of packets that the link may lose, by the config; None: the config has no such link."""

    @property
    def sites(self) -> tuple[SiteName | None, SiteName]:
        """Both ends of the copy."""
        return self.source_site, self.site.spec.name

    @property
    def targets(self) -> tuple[DatastoreFacts, ...]:
        """Every datastore that is there and gets something: the chosen one first, then those of single disks."""
        wanted = dict.fromkeys((self.datastore_name, *(move.datastore for move in self.disk_moves)))
        known = {store.name: store for store in self.site.datastores}
        return tuple(known[name] for name in wanted if name in known)

    @property
    def host_name(self) -> str:
        """The host that was asked for or chosen, for sentences."""
        return self.host.name if self.host else (self.request.host or "any host")

    @property
    def datastore_name(self) -> str:
        """The datastore that was asked for or configured, for sentences."""
        return self.request.datastore or self.site.spec.datastore
