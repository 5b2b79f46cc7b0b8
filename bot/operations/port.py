"""The door to what a person may ask for: one method per verb, domain types only. Handlers call it, compose fills it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.incidents.incident import IncidentId, Scope
from bot.migration.link_loss import Loss
from bot.migration.machine import Phase
from bot.migration.request import JobId, MigrationRequest, SiteName, VmRef
from bot.migration.start_time import StartTime
from bot.operations.aftercare_record import Act
from bot.operations.option import Option
from bot.operations.shutdown_answer import ShutdownAnswer
from bot.slack.port import AlertLook


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, and in which channel: rights are given to users, to user groups and to channels.

    `channel` is what Slack vouches for, never what somebody chose; empty when they speak in none.
    """

    user_id: str
    channel: str


@dataclass(frozen=True, slots=True)
class MigrateOrder:
    """What was typed after the command, taken apart but not looked up: no name in it is known to exist.

    What the options mean is said where a `MigrationRequest` has them.
    """

    vm: str
    site: str
    host: str | None = None
    datastore: str | None = None
    networks: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    at: StartTime | None = None
    thin: bool = False
    disk_datastores: Mapping[str, str] = field(default_factory=dict)
    shutdown: bool = False
    power_on: bool = False
    disconnect_drives: bool = False
    consolidate: bool = False
    force: bool = False
    when_clean: bool = False

    def request(self, vm: VmRef, site: SiteName, *, not_before: datetime | None = None) -> MigrationRequest:
        """What is asked for, now that it is known which VM, site and moment it means."""
        return MigrationRequest(
            vm=vm,
            site=site,
            host=self.host,
            datastore=self.datastore,
            networks=dict(self.networks),
            dry_run=self.dry_run,
            not_before=not_before,
            thin=self.thin,
            disk_datastores=dict(self.disk_datastores),
            shutdown=self.shutdown,
            power_on=self.power_on,
            disconnect_drives=self.disconnect_drives,
            consolidate=self.consolidate,
            force=self.force,
            when_clean=self.when_clean,
        )

    def with_options(self, said: Mapping[Option, bool]) -> MigrateOrder:
        """The same with these options; of which nothing is said, stays as it is."""
        return replace(
            self,
            thin=said.get(Option.THIN, self.thin),
            shutdown=said.get(Option.SHUTDOWN, self.shutdown),
            power_on=said.get(Option.POWER_ON, self.power_on),
            disconnect_drives=said.get(Option.DISCONNECT_ISO, self.disconnect_drives),
            consolidate=said.get(Option.CONSOLIDATE, self.consolidate),
            force=said.get(Option.FORCE, self.force),
            when_clean=said.get(Option.WHEN_CLEAN, self.when_clean),
        )


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """Many VMs at once: the saved `list` of the config, or those in a file. `all` is what holds for every one of them.

    `all.vm` is empty, and so may `all.site` be if the file says where each goes.
    """

    all: MigrateOrder
    list: str = ""
    file: bytes = b""
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants explained, and where the answer goes: below the message `thread`, or into the channel.

    Either `typed`, a name as it was typed and not looked up; or `material`, a log that was pasted, or the file
    `file_name`. `since`: how far back to look, if that was said.
    """

    channel: str
    thread: str = ""
    typed: str = ""
    since: timedelta | None = None
    material: bytes = b""
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of a list: what it is called, and what there is to say of it.

    `link`: where its message is, if it has one. `person`: a Slack user id that ends the text, and pings nobody.
    """

    title: str
    text: str = ""
    link: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person reads at once, as plain text. `public`: the whole channel reads it too.

    `people`: Slack ids in `text` that are shown by name, those of channels too; a private answer pings nobody.
    `entries` stand before `lines`.
    """

    text: str
    lines: Sequence[str] = ()
    public: bool = False
    people: Sequence[str] = ()
    entries: Sequence[Entry] = ()


@dataclass(frozen=True, slots=True)
class VmChoice:
    """A VM that may be picked: its instance UUID, its name, and where it is, to tell it from its namesakes."""

    uuid: str
    name: str
    place: str


@dataclass(frozen=True, slots=True)
class JobGlance:
    """A job in one line. `percent` is None unless it is copying. `state`: words to use instead of those for `phase`."""

    job: JobId
    title: str  # "web01 to site2"
    phase: Phase
    since: datetime
    percent: int | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class LinkGlance:
    """A link in one line: the packets of the last day, and the bytes per second that copies usually have.

    `canary`: when one went well last within that day; None: none did.
    """

    link: str  # "site1~site2"
    loss: Loss
    usual_rate: float | None
    held: bool
    canary: datetime | None = None


@dataclass(frozen=True, slots=True)
class IncidentGlance:
    """An incident in one line: how it stands, since when, and where its message is, if it has one."""

    incident: IncidentId
    title: str
    look: AlertLook
    state: str
    last: datetime
    link: str = ""


@dataclass(frozen=True, slots=True)
class MuteGlance:
    """A mute in one line."""

    what: str
    until: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Home:
    """What concerns one person: their own jobs, everybody's live ones that they may see, and where they may migrate.

    `more_live` counts live jobs beyond those listed. `links`: those of which they may see both ends. `incidents`: those
    that have not ended, and `mutes`, as far as they may see them.
    """

    mine: Sequence[JobGlance]
    live: Sequence[JobGlance]
    more_live: int
    visible_sites: Sequence[str]
    target_sites: Sequence[str]
    links: Sequence[LinkGlance] = ()
    incidents: Sequence[IncidentGlance] = ()
    mutes: Sequence[MuteGlance] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteOrder:
    """What somebody wants to hear nothing of, and for how long. Names in `scope` are as typed: `esx-01` for a host.

    `span` is None for until 08:00 of the next morning. A `str` is a scope as `Scope` is written.
    """

    scope: Scope | str
    span: timedelta | None
    why: str = ""


class Verbs(Protocol):
    """Every verb checks the person's rights itself, persists before it returns, and promises nothing it did not store.

    All raise UserError (they can mend it), RefusedError (who can lift it) and OutsideError (UnreachableError: nothing
    was changed; MaybeSentError: it may have been).
    """

    async def migrate(self, who: Person, channel: str, order: MigrateOrder, *, dedupe: str) -> Answer:
        """Draft a migration whose card goes to `channel`, where they have to be. The same `dedupe` drafts once."""
        ...

    async def may_migrate(self, who: Person, channel: str) -> None:
        """Pass if they may ask for a migration at all, and be shown a card in `channel`."""
        ...

    async def migrate_many(self, who: Person, channel: str, order: BatchOrder, *, dedupe: str) -> Answer:
        """Draft a batch, all of it or, with an answer that says why, nothing. The same `dedupe` drafts once."""
        ...

    async def approve(self, who: Person, job: JobId, fingerprint: str, *, stop: bool = False) -> Answer:
        """Approve the very plan that has this fingerprint. `stop`: of a batch, cancel what waits when one fails."""
        ...

    async def cancel(self, who: Person, job: JobId) -> Answer: ...

    async def retry(self, who: Person, channel: str, job: JobId, *, dedupe: str, when_clean: bool = False) -> Answer:
        """Draft what `job` was, again; `when_clean`: for when its link is clean. The same `dedupe` drafts once."""
        ...

    async def answer(self, who: Person, job: JobId, answer: ShutdownAnswer) -> Answer:
        """Say what happens to a guest that does not shut down."""
        ...

    async def aftercare(self, who: Person, job: JobId, act: Act, *, fingerprint: str = "", dedupe: str) -> Answer:
        """Have something done about a migration that was tried. The same `dedupe` has it done once.

        `fingerprint`: of the list of files that was confirmed. Leftovers without one are only shown.
        """
        ...

    async def hold_link(self, who: Person, channel: str, ends: tuple[str, str], *, why: str) -> Answer:
        """Start nothing across the link between two sites from now on; its card goes to `channel`."""
        ...

    async def send_canary(
        self, who: Person, channel: str, ends: tuple[str, str], *, host: str | None = None, dedupe: str
    ) -> Answer:
        """Move the canary of the link between two sites to its other end. The same `dedupe` does so once."""
        ...

    async def release_link(self, who: Person, ends: tuple[str, str]) -> Answer:
        """Let what waits for the link between two sites go on."""
        ...

    async def handover(self, who: Person, ends: tuple[str, str] | None = None) -> Answer:
        """What failed, is held, waits and was tried in the last hours, on one link or on all that they may see."""
        ...

    async def release(self, who: Person, hold: JobId) -> Answer:
        """End a hold by its id."""
        ...

    async def other_host(self, who: Person, hold: JobId) -> Answer:
        """Hold no more than the two hosts of the copy that failed, and plan what waits between them anew."""
        ...

    async def cancel_waiting(self, who: Person, hold: JobId) -> Answer:
        """Cancel what waits behind a hold, as far as they may."""
        ...

    async def may_diagnose(self, who: Person, channel: str) -> None:
        """Pass if they may ask for a diagnosis at all, and be answered in `channel`; ask before fetching for them."""
        ...

    async def diagnose(self, who: Person, question: Question, *, dedupe: str) -> Answer:
        """Have it found out by a worker, who answers where the question says. The same `dedupe` asks once."""
        ...

    async def acknowledge(self, who: Person, incident: IncidentId) -> Answer:
        """Somebody is on it: nobody else is woken."""
        ...

    async def resolve(self, who: Person, incident: IncidentId) -> Answer: ...

    async def mute(self, who: Person, order: MuteOrder) -> Answer:
        """Nothing new is said of it for a while. UserError for what is not known, or for too long."""
        ...

    async def unmute(self, who: Person, scope: str) -> Answer:
        """Hear of it again. `scope` as `Scope` is written, with names as typed."""
        ...

    async def mute_choices(self, who: Person, incident: IncidentId) -> Sequence[tuple[str, str]]:
        """What of an incident can be muted: scope in words for people, and as `Scope` is written."""
        ...

    async def incident_lines(self, who: Person, incident: IncidentId) -> Answer:
        """The lines that show it, into its thread."""
        ...

    async def diagnose_incident(self, who: Person, incident: IncidentId, *, dedupe: str) -> Answer:
        """A diagnosis of its surest subject (migration, VM or host), in its thread."""
        ...

    async def alerts_here(self, who: Person, channel: str) -> Answer: ...

    async def alerts_off(self, who: Person) -> Answer: ...

    async def alerts_list(self, who: Person) -> Answer: ...

    async def alerts_status(self, who: Person) -> Answer:
        """Which hosts are read, how, how far behind, and what cannot be read."""
        ...

    async def alerts_help(self, who: Person) -> Answer:
        """What of alerts this person may do."""
        ...

    async def jobs(self, who: Person) -> Answer:
        """The queue, as far as this person may see it."""
        ...

    async def show(self, who: Person, job: JobId) -> Answer: ...

    async def help(self, who: Person) -> Answer:
        """Only what this person may do."""
        ...

    async def target_sites(self, who: Person) -> Sequence[str]:
        """The sites this person may migrate to, for a form. RefusedError when there is none."""
        ...

    async def options(self, who: Person) -> Sequence[Option]:
        """What may be asked for beside a move: what the config allows, and this person may do at some site."""
        ...

    async def vms_like(self, who: Person, query: str, *, limit: int) -> Sequence[VmChoice]:
        """Type-ahead: names that begin with the query, then those that contain it, then near misses."""
        ...

    async def home(self, who: Person) -> Home:
        """An overview that a person may read at any time; empty for somebody without rights."""
        ...
