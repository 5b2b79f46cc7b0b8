"""The door to Slack for everybody who has something to say: values, no Block Kit. Writing needs no Slack token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Any, Protocol

from bot.migration.machine import Phase
from bot.migration.plan import Concern
from bot.migration.request import JobId


class ButtonKind(StrEnum):
    """A button. Its action_id is `cm.<value>`; its value carries what it acts on and, for Approve, the fingerprint."""

    APPROVE = "approve"
    CANCEL = "cancel"
    RETRY = "retry"
    APPROVE_STOP = "approve-stop"  # a batch: approve all, and stop the rest when one fails
    RELEASE = "release"  # a hold
    OTHER_HOST = "other-host"  # a hold: plan what waits behind it anew, with other hosts
    CANCEL_WAITING = "cancel-waiting"  # a hold: cancel what waits behind it
    FORCE = "force"  # a plan with warnings: approve it all the same
    WAIT_ON = "wait-on"  # a guest that does not shut down: give it more time
    POWER_OFF = "power-off"  # a guest that does not shut down: power it off, hard
    POWER_ON_SOURCE = "power-on-source"  # after a failure: end the outage first
    DELETE_LEFTOVERS = "delete-leftovers"  # after a failure: show what is there, and delete it on a second click
    RETRY_WHEN_CLEAN = "retry-when-clean"  # once the measured loss of the link is within its bound
    EVIDENCE = "evidence"  # the evidence pack of a failure
    MEASURE = "measure"  # the path of this job, now
    ACKNOWLEDGE = "acknowledge"  # an incident: somebody is on it
    RESOLVE = "resolve"  # an incident
    MUTE = "mute"  # an incident: asks for how long and what of it
    DIAGNOSE_INCIDENT = "diagnose-incident"
    LINES = "lines"  # an incident: the lines that show it


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
    usual_rate: float | None = None
    """Bytes per second of the last copies across this link that went well."""
    stalled: float | None = None
    """Seconds since the percentage last changed, once that is longer than it should be."""


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
    batch: str = ""  # the job whose card speaks for this one too: this is not posted, see `Outbox.join`
    start: datetime | None = None  # not before then: everybody reads it in their own zone
    blocked: bool = False  # its plan cannot start: it waits for nobody's approval


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a reply: a heading (may be empty), text, and lines that are shown as they are, in fixed width."""

    heading: str = ""
    text: str = ""
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply in the card's thread. `key` names it within its job: the same key is posted once, ever.

    `quiet`: the card says as much. Of a part of a batch it is not posted, for there it would be chatter.
    """

    key: str
    text: str  # the whole thing in one sentence: notifications and screen readers get this
    sections: Sequence[Section] = ()
    buttons: Sequence[Button] = ()
    final: bool = False
    quiet: bool = False


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


@dataclass(frozen=True, slots=True)
class TableCard:
    """One message with a table: a batch of migrations, or a hold and what waits behind it.

    `subject` is its id, in the form of a job's id: its thread, its place and its buttons go by that. All texts are
    plain. Rows beyond what Slack takes are counted, and the whole table follows as a file.
    """

    subject: JobId
    channel: str
    title: str  # "web-tier to site2: 12 VMs"
    state: str  # "waiting for approval"
    requester: str  # Slack user id, or empty
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    facts: Sequence[tuple[str, str]] = ()
    note: str = ""
    buttons: Sequence[Button] = ()
    ended: bool = False
    phase: Phase | None = None  # of a batch; None: it is a hold
    byline: tuple[str, str] | None = None  # "Hold b7m2xak3, held by", and a Slack user id; None: asked for by


class AlertLook(StrEnum):
    """What an alert's sign says at a glance."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    MUTED = "muted"
    DIGEST = "digest"

    @property
    def sign(self) -> str:
        """The same wherever it is named."""
        return {"open": "🔴", "acknowledged": "👀", "resolved": "✅", "muted": "🔕", "digest": "📋"}[self]


@dataclass(frozen=True, slots=True)
class AlertCard:
    """The one message of an incident, or the digest of a day (`subject` names it, in the form of a job's id).

    All texts are plain. `hosts` is a table of those it is about; what Slack does not take follows as a file.
    """

    subject: JobId
    channel: str
    title: str  # "Packet loss between site1 and site2: 3 hosts, 7 failures"
    look: AlertLook
    state: str  # "open since 01:42, last seen 01:58"
    verdict: str  # the headline of the diagnosis
    facts: Sequence[tuple[str, str]] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    note: str = ""
    buttons: Sequence[Button] = ()
    person: tuple[str, str] | None = None  # "Acknowledged by", and a Slack user id
    pager: tuple[str, str] | None = None  # "Open PagerDuty", and where that is
    ended: bool = False
    moments: Sequence[tuple[str, datetime]] = ()  # "First seen", and when: everybody reads it in their own zone


@dataclass(frozen=True, slots=True)
class CardPlace:
    """Where the message of a card is. `link`: as people open it; empty while nobody knows the workspace's address."""

    channel: str
    ts: str
    link: str = ""


class Outbox(Protocol):
    """Everything that goes to Slack, kept in Redis until Slack has it. UnreachableError when Redis does not answer."""

    async def show(self, card: JobCard) -> None:
        """Post the job's card, or edit it: the latest wins, chatter is merged, an end is never overtaken."""
        ...

    async def show_inquiry(self, card: InquiryCard, *, first: bool = False) -> None:
        """Post the inquiry's card, or edit it, as `show` does. `first`: only if nothing of it was shown yet."""
        ...

    async def show_table(self, card: TableCard) -> None:
        """Post the card of `card.subject`, or edit it, as `show` does; `reply` and `attach` work below it."""
        ...

    async def show_alert(self, card: AlertCard) -> None:
        """Post the message of an incident, or edit it, as `show` does; `reply` and `attach` work below it.

        Its end is none for good: an incident that comes back is shown in the same message.
        """
        ...

    async def place_of(self, subject: JobId) -> CardPlace | None:
        """Where the message of this card is; None while it has none."""
        ...

    async def link_to(self, subject: JobId) -> str:
        """Where the message of this card is, as people open it; empty while that is not known."""
        ...

    async def join(self, job: JobId, batch: JobId) -> None:
        """From now on `job` has no card, and its replies and files go below that of `batch`. `show` does it too."""
        ...

    async def reply(self, job: JobId, channel: str, reply: Reply) -> None:
        """Post under the job's card, after it, in the order given, each key once; an inquiry's go into its thread."""
        ...

    async def recall(self, job: JobId, channel: str, *, since: datetime) -> None:
        """A card of this job may have been posted since then, and Redis has forgotten it: look for that before posting.

        To be said before `show`.
        """
        ...

    async def say(self, subject: str, channel: str, *, thread: str, text: str, lines: Sequence[str] = ()) -> None:
        """Say something that belongs to no job, once for each `subject`; below the message `thread` if one is given."""
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
        """The message at `ts` bears a button of the job, or incident; `ts` is empty for a reply. False: none is known.

        If another message, or none, is known as the job's card, that is sorted out soon.
        """
        ...

    async def retire(
        self, job: JobId, channel: str, ts: str, *, text: str, blocks: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take the buttons off a message whose job is not known any more; the rest of it stays."""
        ...


class ErrandKind(StrEnum):
    """Where a person asked for a diagnosis of what has to be fetched from Slack first."""

    SHORTCUT = "shortcut"  # on a message
    MENTION = "mention"  # or a direct message to the bot
    DROP = "drop"  # of a file


@dataclass(frozen=True, slots=True)
class Errand:
    """What a bot was told, so that any bot can do it. `id` is what Slack calls it: the same id is kept once.

    `ts` is the message, `thread` the one whose thread it is in (empty: none), `text` and `files` what it says and
    carries. `asked`: somebody asked for it; a file that was merely dropped may have been for others.
    `response_url` answers whoever asked, and nobody else.
    """

    id: str
    kind: ErrandKind
    user: str
    channel: str
    ts: str = ""
    thread: str = ""
    text: str = ""
    files: Sequence[str] = ()
    asked: bool = True
    response_url: str = ""


@dataclass(frozen=True, slots=True)
class TakenErrand:
    """An errand under a lease. `attempt` counts from 1."""

    errand: Errand
    fence: str
    attempt: int


class Errands(Protocol):
    """What bots have yet to do, and must not forget. UnreachableError when Redis does not answer."""

    async def keep(self, errand: Errand) -> bool:
        """Remember it. False: it was kept before, and may have been done since."""
        ...

    async def take(self, *, lease: timedelta) -> TakenErrand | None:
        """The next that is due, for as long as the lease; then another bot gets it. None: nothing is due."""
        ...

    async def end(self, taken: TakenErrand) -> None:
        """It was done."""
        ...

    async def later(self, taken: TakenErrand, delay: timedelta) -> None:
        """Not this time; it is due again after `delay`."""
        ...


@dataclass(frozen=True, slots=True)
class FileGlance:
    """A file that Slack keeps and that we may read. `message` and `thread`: where it hangs in the channel asked about.

    `message` is empty while Slack does not say yet.
    """

    id: str
    name: str
    size: int
    url: str
    message: str = ""
    thread: str = ""


class SlackFiles(Protocol):
    """Files that people have put into Slack."""

    async def look(self, file_id: str, *, channel: str) -> FileGlance:
        """What is known of a file. UserError, with its name, for one that is gone, elsewhere, or not for us."""
        ...

    async def fetch(self, file: FileGlance, *, at_most: int) -> bytes:
        """Its bytes. UserError for more than `at_most`; OutsideError when Slack's file host does not hand them out."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a thread. `ours`: the bot said it; `to_us`: it names the bot.

    `job` or `incident`: whose card it is, if it is one.
    """

    ts: str
    user: str
    text: str
    files: Sequence[str] = ()
    ours: bool = False
    by_app: bool = False
    to_us: bool = False
    job: str = ""
    incident: str = ""


class Threads(Protocol):
    """What was said in threads."""

    async def read(self, channel: str, ts: str) -> Sequence[Said]:
        """A thread from its first message on, bounded; a message without replies is a thread of one.

        UserError when it is not there, or not for us.
        """
        ...

    async def message(self, channel: str, ts: str, *, thread: str) -> Said | None:
        """One message, of a thread if `thread` names one. None when it is not there (yet)."""
        ...


class Whispers(Protocol):
    """What one person alone reads. At most once, and gone when they reload: never for what must arrive."""

    async def whisper(
        self, user: str, channel: str, *, thread: str, text: str, blocks: Sequence[Mapping[str, Any]]
    ) -> None:
        """Show it to `user` in the channel or thread."""
        ...

    async def respond(self, response_url: str, message: Mapping[str, Any]) -> None:
        """Answer through a response_url, which works in channels that the bot is not in."""
        ...


class GroupMembers(Protocol):
    """Who is in a Slack user group. Fails closed: UnreachableError rather than an empty answer."""

    async def members(self, group: str) -> frozenset[str]: ...
