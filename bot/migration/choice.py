"""What a plan was chosen from: the one argument of every concern. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bot.migration.facts import DatastoreFacts, HostFacts, SiteFacts, VmFacts
from bot.migration.plan import NicMove
from bot.migration.request import MigrationRequest, SiteName


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

    @property
    def host_name(self) -> str:
        """The host that was asked for or chosen, for sentences."""
        return self.host.name if self.host else (self.request.host or "any host")

    @property
    def datastore_name(self) -> str:
        """The datastore that was asked for or configured, for sentences."""
        return self.request.datastore or self.site.spec.datastore
