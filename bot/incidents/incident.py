"""A failure as the logs of the fleet tell it, and the incident that it belongs to. Values; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from bot.diagnosis.causes import Basis, Cause, Stage
from bot.hostlog.line import HostKey

IncidentId = NewType("IncidentId", str)
"""In the form of a job's id, and never that of a job."""


class Client(StrEnum):
    """Whose copy failed. OURS: a migration that this bot started; MIGRATION: one that somebody else did."""

    OURS = "ours"
    MIGRATION = "migration"
    BACKUP = "backup"
    REPLICATION = "replication"
    OTHER = "other"


class State(StrEnum):
    """OPEN until somebody acknowledges; RESOLVED by a person or by silence; MERGED into a larger one."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    MERGED = "merged"

    @property
    def ended(self) -> bool:
        return self in {State.RESOLVED, State.MERGED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the diagnosis says of one failure, cut to what a message and a page need."""

    headline: str
    explanation: str = ""
    known: tuple[str, ...] = ()
    next_checks: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    """The lines that show it, each with file and role, as a person reads them; bounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failure: what the diagnosis calls an incident, with its hosts known by name.

    `id` stays the same while more lines of the same failure come in. `hosts` are those whose logs tell of it,
    `peer` the other end as the lines name it and `peer_host` the same if it is one of ours. `link` is the name of the
    link between the ends' sites ("site1~site2"), where both are known and differ. `job` is the migration whose opID
    the lines bear. `failed`: whether the operation surely failed (True), surely went on or well (False), or nobody
    knows (None). `lines` counts all of them so far.
    """

    id: str
    cause: Cause
    confidence: float
    basis: Basis
    client: Client
    first: datetime
    last: datetime
    hosts: tuple[HostKey, ...]
    lines: int
    verdict: Verdict
    stage: Stage | None = None
    op_ids: tuple[str, ...] = ()
    task: str | None = None
    vm: str | None = None
    peer: str | None = None
    peer_host: HostKey | None = None
    sites: tuple[str, ...] = ()
    link: str | None = None
    job: str | None = None
    failed: bool | None = None
    datastore: str | None = None
    """Where the file lies that the lines speak of, by the name or UUID that they have for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCount:
    """What one host told within an incident: the failures that it told of, and how many lines these have."""

    failures: int
    lines: int
    last: datetime
    vms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Failures that belong together. What the logs say of it; what people did to it is its `Standing`.

    `failures` are the ids and line counts of its failures, the newest 2,000; `count` is the number of all.
    `storm`: it is about a cluster of hosts. `verdict`, `cause` and `confidence` are of the failure that is surest.
    `flaps` counts how often it came back after silence.
    """

    id: IncidentId
    cause: Cause
    confidence: float
    basis: Basis
    client: Client
    first: datetime
    last: datetime
    count: int
    lines: int
    hosts: Mapping[HostKey, HostCount]
    verdict: Verdict
    failures: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    """How many of its failures surely ended an operation."""
    sites: tuple[str, ...] = ()
    link: str | None = None
    peers: tuple[str, ...] = ()
    """The other ends, by their names in the inventory where they are known there."""
    vms: tuple[str, ...] = ()
    op_ids: tuple[str, ...] = ()
    job: str | None = None
    storm: bool = False
    flaps: int = 0
    merged: tuple[IncidentId, ...] = ()
    """Those that went up in this one."""
    heard: datetime | None = None
    """When we last learned of more lines, by our clock: those of hosts may be wrong."""
    spokesman: str = ""
    """The failure that `verdict` is of."""
    ended: tuple[str, ...] = ()
    """Which of `failures` are among the `failed`."""
    tasks: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    """All links between sites that its failures crossed; `link` names the only one."""
    datastores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What people, and silence, did to an incident. `channel`: where its message is; empty while it has none."""

    state: State = State.OPEN
    opened_at: datetime
    channel: str = ""
    spoken_at: datetime | None = None
    by: str = ""
    """Who acknowledged or resolved it: a Slack user id, "pagerduty", or empty for silence."""
    at: datetime | None = None
    """When that was."""
    into: IncidentId | None = None
    hushed: str = ""
    """Why it has no message: "observe", "muted by U123 until ...", "quiet hours", "ours" ... Empty if it has one."""


@dataclass(frozen=True, slots=True)
class Case:
    """An incident and how it stands."""

    incident: Incident
    standing: Standing


class ScopeKind(StrEnum):
    """What a mute is about."""

    INCIDENT = "incident"
    HOST = "host"
    VM = "vm"
    LINK = "link"
    CAUSE = "cause"
    CLIENT = "client"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Scope:
    """`name` is a host's (long, as in vCenter), a VM's, a link's, a cause, a client or an incident's id."""

    kind: ScopeKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else str(self.kind)


@dataclass(frozen=True, slots=True)
class Mute:
    """Nothing new is said of this until then."""

    scope: Scope
    until: datetime
    by: str
    at: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What the judge found out: incidents as they are now, and how those stand that are new or end by it."""

    incident: Incident
    standing: Standing | None = None
    """None: leave it as it stands, whatever people did meanwhile."""
    before: Standing | None = None
    """How it stood when that was decided. If somebody did something since, theirs counts, unless it was merged."""


Cases = Sequence[Case]
