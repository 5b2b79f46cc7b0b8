"""The door to Slack for everybody who has something to say: values, no Block Kit. Writing needs no Slack token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum
from typing import Any, Protocol

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


class StepState(Enum):
    """How far one step of an inquiry is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class InquiryStep:
    """One thing that is done for an answer, in a person's words: "Read vpxa of esx-01: 812 lines"."""

    text: str
    state: StepState


@dataclass(frozen=True, slots=True)
class InquiryCard:
    """The one message of a diagnosis that somebody asked for: what is being looked at, and what came of it.

    All texts are plain, as in a `JobCard`. `thread`: the message below which it is posted, and all its replies; empty
    for a message of its own, below which they go. The first showing decides that.
    """

    job: JobId
    channel: str
    thread: str
    asked_by: str  # Slack user id
    title: str  # "Diagnosis of web01"
    steps: Sequence[InquiryStep]
    outcome: str | None = None  # one line, once there is one
    ended: bool = False


class Outbox(Protocol):
    """Everything that goes to Slack, kept in Redis until Slack has it. UnreachableError when Redis does not answer."""

    async def show(self, card: JobCard) -> None:
        """Post the job's card, or edit it: the latest wins, chatter is merged, an end is never overtaken."""
        ...

    async def show_inquiry(self, card: InquiryCard) -> None:
        """Post the inquiry's card, or edit it, as `show` does."""
        ...

    async def reply(self, job: JobId, channel: str, reply: Reply) -> None:
        """Post under the job's card, after it, in the order given, each key once; an inquiry's go into its thread."""
        ...

    async def attach(self, job: JobId, channel: str, *, name: str, data: bytes, title: str, alt_text: str) -> None:
        """Put a file among the replies, each `name` once: "timeline.png" is shown as an image, "report.html" is not.

        `title` is what people read; `alt_text` is what they read where they cannot see it, or where Slack takes no
        file. UserError above 20 MB.
        """
        ...


class Begin(Enum):
    """What is known of a delivery that came in."""

    FIRST = "first"
    RESUMED = "resumed"  # a bot died over it, perhaps after it was carried out
    BUSY = "busy"  # another bot is at it
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Begun:
    """`said`: what was answered, if it is KNOWN."""

    state: Begin
    token: str = ""
    said: str = ""


class Inbox(Protocol):
    """What Slack delivered: commands, clicks and events, each carried out once however often it comes.

    All raise UnreachableError when Redis does not answer.
    """

    async def begin(self, kind: str, delivery: str, *, within: timedelta) -> Begun:
        """Take a delivery on. Whoever did not finish `within` this time has died, and the next one resumes."""
        ...

    async def finish(self, kind: str, delivery: str, begun: Begun, *, said: str) -> None:
        """It was carried out, and `said` is what every repetition of it is answered."""
        ...

    async def clicked(self, job: JobId, channel: str, ts: str) -> bool:
        """The message at `ts` bears a button of the job; `ts` is empty for a reply. False if no such job is known.

        If another message, or none, is known as the job's card, that is sorted out soon.
        """
        ...

    async def retire(
        self, job: JobId, channel: str, ts: str, *, text: str, blocks: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take the buttons off a message whose job is not known any more; the rest of it stays."""
        ...


class GroupMembers(Protocol):
    """Who is in a Slack user group. Fails closed: UnreachableError rather than an empty answer."""

    async def members(self, group: str) -> frozenset[str]: ...
