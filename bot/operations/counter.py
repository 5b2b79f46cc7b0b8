"""What the verbs of people are given: doors and policy. Compose fills it; nothing here talks to a vCenter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from bot.errors import RefusedError, UserError
from bot.incidents.port import Escalations, Incidents
from bot.jobs.port import Job, JobQueue
from bot.links.port import LinkHistory
from bot.logs.port import HostTally
from bot.migration.calendar import Calendar
from bot.migration.facts import SiteSpec
from bot.migration.request import JobId, SiteName
from bot.operations.aftercare_record import AFTERCARE
from bot.operations.port import Person
from bot.operations.record import MIGRATE, request_of
from bot.operations.rights import Rights
from bot.operations.tools import Allow
from bot.slack.port import Outbox
from bot.vsphere.port import Inventory

COMMAND_LINE: Final = "(command line)"
"""Behind the account of whoever asked there. Slack knows them by another name, or not at all."""


class Approval(StrEnum):
    """Who may approve at a site: the requester too, or only somebody else."""

    REQUESTER = "requester"
    SECOND_PERSON = "second-person"


class Membership(Protocol):
    """Who is in a channel."""

    async def require_member(self, channel: str) -> None:
        """UserError that says how to invite the bot, when it surely is not a member."""
        ...

    async def require_person(self, channel: str, user_id: str) -> None:
        """RefusedError for somebody who is not in the channel. OutsideError when nobody can say: never a yes."""
        ...


async def require_place(channels: Membership, who: Person, channel: str) -> None:
    """Pass if a card that `who` asks for may be shown in `channel`. UserError, RefusedError or OutsideError if not.

    Where they speak they surely are. Any other channel is one that they named, and anybody can name any.
    """
    await channels.require_member(channel)
    if channel != who.channel:
        await channels.require_person(channel, who.user_id)


@dataclass(frozen=True, slots=True)
class Alerting:
    """What the config says of alerts. `speaks`: there is a message for each incident, and not only a digest."""

    channel: str = ""
    speaks: bool = False


@dataclass(frozen=True, slots=True)
class Counter:
    """The desk where people are served, so to say: everything a verb needs."""

    queue: JobQueue
    outbox: Outbox
    inventory: Inventory
    rights: Rights
    channels: Membership
    sites: Mapping[SiteName, SiteSpec]
    approvals: Mapping[SiteName, Approval]
    shelve: Callable[[bytes], Awaitable[str]]
    """Keep bytes for a worker, for an hour; their SHA-256 in hex. UserError for too many."""
    calendar: Calendar = field(default_factory=Calendar)
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The saved lists of VMs, by name in small letters."""
    allow: Allow = field(default_factory=Allow)
    strict: Collection[SiteName] = ()
    """Sites at which warnings are lifted by those who may `force`, and by nobody else."""
    canaries: Mapping[str, str] = field(default_factory=dict)
    """What the config calls the VM that tries each link that has one, by the link's name."""
    links: LinkHistory | None = None
    """What was measured on links; None: nobody keeps it."""
    incidents: Incidents | None = None
    """What the watch of the hosts found; None: nobody watches them."""
    escalations: Escalations | None = None
    tallies: Callable[[], Awaitable[Sequence[HostTally]]] | None = None
    """How the watch of each host stands, in the whole fleet."""
    judging: Callable[[], Awaitable[str]] | None = None
    """Which watcher judges now; empty if none does."""
    alerting: Alerting = field(default_factory=Alerting)

    def site(self, name: str) -> SiteSpec:
        """The site of this name. UserError with all sites when there is none."""
        if (spec := self.sites.get(SiteName(name))) is not None:
            return spec
        raise UserError(f"There is no site '{name}'. Sites: {', '.join(sorted(self.sites)) or 'none'}.")

    async def job(self, job: JobId) -> Job:
        """The migration of this id. UserError when there is none."""
        if (found := await self.queue.get(job)) is None:
            raise UserError(f"There is no job '{job}'.", example="/coldmigrate list")
        if found.kind != MIGRATE:
            what = "something done after a migration" if found.kind == AFTERCARE else "a diagnosis, not a migration"
            raise UserError(f"{job} is {what}: all there is of it is in its thread.")
        return found


def require_second_person(counter: Counter, who: Person, job: Job, site: SiteName) -> None:
    """Pass if the site asks for no second person, or `who` surely is one. RefusedError if not."""
    if counter.approvals.get(site) is not Approval.SECOND_PERSON:
        return
    if who.user_id == job.requester:
        raise RefusedError(
            f"{site} asks for a second person: whoever asked for a migration cannot approve it.",
            lifted_by="anybody else who may approve there",
        )
    if job.requester.endswith(COMMAND_LINE):
        raise RefusedError(
            f"{site} asks for a second person, and {job.requester} asked: who that is in Slack, nobody knows.",
            lifted_by="cancelling it and clicking Retry, so that somebody asks here and somebody else approves",
        )


def site_of(job: Job) -> SiteName:
    """The target site of a job: what its rights go by."""
    return request_of(job).site
