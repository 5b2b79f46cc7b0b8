"""The door to Slack for everybody who has something to say: values, no Block Kit. Writing needs no Slack token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.migration.machine import Phase
from bot.migration.plan import Concern
from bot.migration.request import JobId


class ButtonKind(StrEnum):
    """A button. Its action_id is `cm.<value>`; its value carries the job's id and, for Approve, the fingerprint."""

    APPROVE = "approve"
    CANCEL = "cancel"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Button:
    kind: ButtonKind
    value: str  # "<job id>" or "<job id> <fingerprint>"


@dataclass(frozen=True, slots=True)
class Progress:
    """Copying, as a person wants to see it. Bytes; bytes per second; seconds. None: not known yet."""

    percent: int
    done: int
    total: int
    rate: float | None
    eta: float | None
    nfc_errors: int = 0


@dataclass(frozen=True, slots=True)
class JobCard:
    """The one message of a job. All texts are plain (the room escapes them); nothing here can ping or format."""

    job: JobId
    channel: str
    phase: Phase
    title: str  # "web01 to site2"
    requester: str  # Slack user id
    facts: Sequence[tuple[str, str]]  # label, value: shown as fields
    concerns: Sequence[Concern] = ()
    progress: Progress | None = None
    note: str = ""  # one sentence on what is happening or what the person should do
    buttons: Sequence[Button] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a reply: a heading (may be empty), text, and lines that are shown as they are, in fixed width."""

    heading: str = ""
    text: str = ""
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply in the card's thread. `key` names it within its job: the same key is posted once, ever."""

    key: str
    text: str  # the whole thing in one sentence: notifications and screen readers get this
    sections: Sequence[Section] = ()
    buttons: Sequence[Button] = ()
    final: bool = False


class Outbox(Protocol):
    """Everything that goes to Slack, kept in Redis until Slack has it. UnreachableError when Redis does not answer."""

    async def show(self, card: JobCard) -> None:
        """Post the job's card, or edit it: the latest wins, chatter is merged, an end is never overtaken."""
        ...

    async def reply(self, job: JobId, channel: str, reply: Reply) -> None:
        """Post under the job's card, after it, in the order given, each key once."""
        ...


class GroupMembers(Protocol):
    """Who is in a Slack user group. Fails closed: UnreachableError rather than an empty answer."""

    async def members(self, group: str) -> frozenset[str]: ...
