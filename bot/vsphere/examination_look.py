"""A look at one vCenter, as all its checks share it: questions without patience, and failures that stay alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeVar

from bot.errors import ColdmigrateError, LoginError, UnreachableError, UserError
from bot.finding import Finding, error, warning
from bot.migration.facts import SiteFacts, SiteSpec
from bot.migration.request import SiteName
from bot.vsphere.esxcli import Esxcli
from bot.vsphere.roles import Extent
from bot.vsphere.session import Connected, Reader
from bot.vsphere.wire import Endpoint

Answer = TypeVar("Answer")

WITHIN: Final = timedelta(seconds=20)
"""For one reply."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A vCenter of the config with its sites there, and what its account is to be able to do."""

    endpoint: Endpoint
    sites: tuple[SiteSpec, ...]
    extent: Extent = field(default_factory=Extent)


@dataclass(slots=True)
class Look:
    """Questions to one vCenter, and what was learnt on the way. Blocks; used by one thread at a time."""

    patient: Patient
    reader: Reader
    esxcli: Esxcli = field(default_factory=Esxcli)
    within: timedelta = WITHIN
    ahead: timedelta | None = None
    """How far its clock is ahead of ours, as far as it can be told."""
    unanswered: bool = False
    seen: dict[SiteName, SiteFacts] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.patient.endpoint.name)

    def ask(self, question: Callable[[Connected], Answer]) -> Answer:
        """Put a question. UnreachableError, LoginError or FaultError."""
        try:
            return self.reader.look(question, within=self.within)
        except UnreachableError:
            self.unanswered = True
            raise

    def is_gone(self) -> bool:
        """Whether a question remained unanswered and vCenter itself is silent; a host that is concerns its own line."""
        if not self.unanswered:
            return False
        self.unanswered = False
        try:
            self.reader.look(lambda connected: connected.content.sessionManager.currentSession, within=self.within)
        except ColdmigrateError:
            return True
        return False


Check = Callable[[], Iterator[Finding]]


def alone(about: str, check: Check) -> Iterator[Finding]:
    """What a check finds; its failure is one finding more."""
    try:
        yield from check()
    except UserError as mistake:
        yield error(
            about, str(mistake), do=f"For example: {mistake.example}" if mistake.example else "Mend the config."
        )
    except (UnreachableError, LoginError) as failure:
        yield error(about, str(failure), do="See what the other lines say of this vCenter.")
    except ColdmigrateError as failure:
        yield warning(about, f"It could not be looked at: {failure}", do="Mend that, and look again.")
