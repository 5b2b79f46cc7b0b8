"""The doors of the room: incidents as they are kept, mutes, and what is sent to those who are not in Slack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.incidents.incident import Case, Change, IncidentId, Mute, Scope, State


@dataclass(frozen=True, slots=True)
class AlertPlace:
    """Where alerts go. `channel` is empty for nowhere; `by` is who said so last, empty for the config."""

    channel: str
    by: str = ""
    at: datetime | None = None


class Incidents(Protocol):
    """Incidents of the fleet, kept 90 days after their end. UnreachableError when Redis does not answer."""

    async def begin(self, epoch: str) -> str:
        """A judge begins: the entry of the fleet's stream after which it goes on. "" if there never was one."""
        ...

    async def commit(self, epoch: str, *, after: str, changes: Sequence[Change]) -> bool:
        """Keep what came of all entries up to `after`, all or nothing. False: another judge has taken over."""
        ...

    async def live(self) -> Sequence[Case]:
        """Those that have not ended, newest first, and of the last day those resolved, or merged with a message."""
        ...

    async def get(self, incident: IncidentId) -> Case | None: ...

    async def ended_since(self, moment: datetime) -> Sequence[Case]:
        """Everything that was open at some time since then, oldest first: for the digest. The newest 2,000."""
        ...

    async def spoken(self, incident: IncidentId, channel: str) -> Case | None:
        """It has a message now. The first to say so decides the channel."""
        ...

    async def hush(self, incident: IncidentId, why: str) -> None:
        """Why it has no message, as the digest tells it: the last reason counts, and none once it has one."""
        ...

    async def move(self, incident: IncidentId, to: State, *, by: str) -> Case | None:
        """Acknowledge, resolve, or open it again; as it stands then. None if it is not known.

        What has ended is not acknowledged, and resolving twice changes nothing: `standing.by` tells who was first.
        """
        ...

    async def mute(self, mute: Mute) -> None:
        """From now on; a longer or shorter one of the same scope takes its place."""
        ...

    async def unmute(self, scope: Scope) -> bool: ...

    async def mutes(self) -> Sequence[Mute]:
        """Those that still hold."""
        ...

    async def place(self) -> AlertPlace | None:
        """Where somebody said that alerts go; None: nobody has, so the config counts."""
        ...

    async def set_place(self, channel: str, *, by: str) -> None:
        """From now on alerts go there; nowhere for an empty one."""
        ...


class Action(StrEnum):
    """What a sink is told, in PagerDuty's words."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What wakes somebody. `key` is the same for all that is said of one incident; `id` is this one message's."""

    id: str
    key: str
    action: Action
    summary: str
    severity: str = "error"
    """critical, error, warning or info."""
    source: str = ""
    """The host, or the link, that it is about."""
    cause: str = ""
    client: str = ""
    at: datetime | None = None
    verdict: str = ""
    hosts: Sequence[str] = ()
    vms: Sequence[str] = ()
    link: str = ""
    """The Slack message."""
    lines: Sequence[str] = ()


class Sink(Protocol):
    """Somebody outside Slack who is told. `name` is unique in the config."""

    @property
    def name(self) -> str: ...

    async def send(self, page: Page) -> None:
        """Return once they have it. OutsideError: `transient` ones are tried again; others are told to people."""
        ...

    async def on_call(self) -> Sequence[str]:
        """Who would be woken now, by name; empty where that is not known. Never raises but OutsideError."""
        ...

    async def where(self, key: str) -> str:
        """Where people see what was sent under this key; empty where that is not known. OutsideError as above."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """What is known of telling one sink about one incident."""

    incident: IncidentId
    sink: str
    due: datetime | None
    said: Action | None = None
    attempts: int = 0
    trouble: str = ""
    url: str = ""


class Escalations(Protocol):
    """What has to be sent, when, and what came of it. Survives everything. UnreachableError without Redis."""

    async def arrange(self, incident: IncidentId, sink: str, *, at: datetime) -> None:
        """Tell this sink at that time, unless somebody acknowledges before; arranged once for each pair."""
        ...

    async def look_again(self, incident: IncidentId) -> None:
        """The incident was acknowledged, resolved or opened again: whoever was told hears of it at once."""
        ...

    async def of(self, incident: IncidentId) -> Sequence[Escalation]: ...

    async def wait(self, sink: str, *, within: timedelta) -> None:
        """Return when something may be due for this sink, or after that time."""
        ...
