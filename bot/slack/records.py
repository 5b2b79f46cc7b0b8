"""The outbox's reading side in Redis: records are claimed under a lease, and every answer carries the claim's fence."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from bot.migration.request import JobId
from bot.slack.blocks import BlockDict
from bot.slack.client import SlackError
from bot.store import keys
from bot.store.client import Store
from bot.store.scripts import load

log = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=30)
LISTEN: Final = timedelta(seconds=2)
"""How long to wait for the bell in one go. Short, because Python 3.11 may swallow a cancellation that meets a send."""
_LIBRARIES: Final = ["outbox"]
_CLAIM: Final = load("bot.slack.scripts", "claim", libraries=_LIBRARIES)
_SETTLE: Final = load("bot.slack.scripts", "settle", libraries=_LIBRARIES)
_RELEASE: Final = load("bot.slack.scripts", "release", libraries=_LIBRARIES)
_DROP: Final = load("bot.slack.scripts", "drop", libraries=_LIBRARIES)

RECHECK: Final = timedelta(seconds=5)
"""When a message that was posted under a lost lease is looked at: whoever took over should be done by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What Slack takes, and a little less. `reserve` edits are kept for news that is not just progress."""

    post_gap: timedelta = timedelta(seconds=1)  # per channel
    post_burst: int = 4
    edit_gap: timedelta = timedelta(seconds=60 / 45)  # all cards together: Tier 3 is 50 a minute
    edit_burst: int = 6
    reserve: int = 3
    card_gap: timedelta = timedelta(seconds=3)  # between two edits of one card that are progress only


class Kind(StrEnum):
    """What a record is, which is how it reaches Slack."""

    CARD = "card"
    REPLY = "reply"
    FILE = "file"  # into the thread, after the reply or beside the card whose text it holds
    NOTE = "note"  # a direct message
    AMEND = "amend"  # a last edit of a message that is not, or no longer, a job's card


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One thing to be sent, as claimed. `ts`: the card's message, the one to amend, or whose thread it goes into; empty
    when there is none. `thread`: the message below which the card itself stands.

    `suspect`: an earlier attempt may have reached Slack, between `tried` and `last_tried`. `plain`: Slack refused the
    blocks, so only text is sent. `twin`: another message that may be the same, see scripts/claim.lua.
    Times are seconds since the epoch, by Redis' clock.
    """

    id: str
    fence: str
    kind: Kind
    job: JobId
    channel: str
    text: str
    blocks: Sequence[BlockDict]
    ts: str
    twin: str
    thread: str
    name: str  # a reply's or a file's key; what a note is about
    what: (
        str  # of an amendment: the kind of message that it is too many of, or `retired`; of a card: `inquiry`, or empty
    )
    blob: str
    file: str  # what a file is called, its title, and what it shows; empty for a text that did not fit
    title: str
    alt: str
    final: bool
    revision: int
    over: bool  # of a card: it shows an end, and nothing is to be expected of it any more
    outline: str
    digest: str
    attempts: int
    suspect: bool
    plain: bool
    created: float
    claimed: float
    tried: float
    last_tried: float
    held: float  # since when Slack's limits keep it back; 0: they do not

    @property
    def posts(self) -> bool:
        """It makes a new message; otherwise it edits one."""
        return self.kind is not Kind.AMEND and (self.kind is not Kind.CARD or not self.ts)

    @property
    def under(self) -> str:
        """The message whose thread a new message goes into; empty for the channel."""
        return self.thread if self.kind is Kind.CARD else self.ts

    @property
    def bucket(self) -> str:
        """What Slack counts it under: posts by channel, edits all together."""
        return f"post:{self.channel}" if self.posts else "edit"

    @property
    def age(self) -> timedelta:
        """How long it has been waiting."""
        return timedelta(seconds=self.claimed - self.created)

    @property
    def held_for(self) -> timedelta:
        """How long Slack's limits kept it back."""
        return timedelta(seconds=self.claimed - self.held) if self.held else timedelta(0)

    def __str__(self) -> str:
        return f"{self.kind} of job {self.job}" if self.job else f"{self.kind} about {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Slack has it at `ts`. `revision` is what that message shows; 0 when it shows something older than was claimed.

    `posted`: this attempt made the message, instead of editing or finding it.
    """

    ts: str
    revision: int = 0
    outline: str = ""
    digest: str = ""
    posted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Try again after `delay`. `pause`: this bucket rests for `delay` as a whole. `counts`: it was a failed try.

    `looked`: before this attempt it was certain that no earlier one had reached Slack.
    """

    delay: timedelta
    problem: str = ""
    suspect: bool = False
    looked: bool = False
    plain: bool = False
    forget_ts: bool = False
    pause: str = ""
    counts: bool = True
    refusal: SlackError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """It will never be sent. `instead`: something else was, and that settles it."""

    problem: str
    refusal: SlackError | None = None
    instead: Sent | None = None


Outcome = Sent | Later | GivenUp


class Records:
    """What waits, for one drainer named `owner`."""

    def __init__(self, store: Store, owner: str, *, pace: Pace | None = None, lease: timedelta = LEASE) -> None:
        self._store = store
        self._owner = owner
        self._pace = pace or Pace()
        self._lease = lease

    async def claim(self, limit: int) -> tuple[list[Record], timedelta]:
        """Up to `limit` records that may be sent now, and how long until there may be more."""
        pace = self._pace
        wait, *found = await _CLAIM(
            self._store,
            self._owner,
            self._lease,
            limit,
            pace.post_gap,
            pace.post_burst,
            pace.edit_gap,
            pace.edit_burst,
            pace.reserve,
        )
        return [record for one in found if (record := _readable(one))], timedelta(milliseconds=int(wait))

    async def conclude(self, record: Record, outcome: Outcome) -> bool:
        """Write down what became of a record. False: it was taken over, and the new owner decides."""
        match outcome:
            case Sent():
                return await self._sent(record, outcome)
            case Later():
                return await self._later(record, outcome)
            case GivenUp(instead=Sent() as sent):
                return await self._sent(record, sent)
            case GivenUp(problem=problem):
                return bool(await _DROP(self._store, record.id, record.fence, problem))

    async def _sent(self, record: Record, sent: Sent) -> bool:
        told = (sent.ts, sent.revision, sent.outline, sent.digest, self._pace.card_gap, int(sent.posted))
        about = (record.kind, record.job, record.channel, record.name, RECHECK)
        return bool(await _SETTLE(self._store, record.id, record.fence, *told, *about))

    async def _later(self, record: Record, later: Later) -> bool:
        attempts = record.attempts if later.counts and not later.pause else record.attempts - 1
        flags = (int(later.suspect), int(later.looked), int(later.plain), int(later.forget_ts))
        told = (later.delay, attempts, *flags, later.problem, later.pause, later.delay)
        return bool(await _RELEASE(self._store, record.id, record.fence, *told))

    async def rung(self) -> None:
        """Return when something new was queued, or after a while without."""
        await self._store.blocking.execute_command("BLPOP", keys.outbox("bell"), LISTEN.total_seconds())


def _readable(found: Sequence[str]) -> Record | None:
    """The record, or None and a line in the log: one of another version must not keep all others from being sent."""
    try:
        return _record(found)
    except (KeyError, ValueError) as error:
        log.error("The record %s in the outbox cannot be read: %r", found[0], error)  # noqa: TRY400 - no traceback helps
        return None


def _record(found: Sequence[str]) -> Record:
    record_id, ts, twin, thread, *flat = found
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    return Record(
        id=record_id,
        fence=fields["fence"],
        kind=Kind(fields["kind"]),
        job=JobId(fields["job"]),
        channel=fields["channel"],
        text=fields["text"],
        blocks=json.loads(fields["blocks"]),
        ts=ts,
        twin=twin,
        thread=thread,
        name=fields.get("name", ""),
        what=fields.get("what", ""),
        blob=fields.get("blob", ""),
        file=fields.get("file", ""),
        title=fields.get("title", ""),
        alt=fields.get("alt", ""),
        final=fields.get("lane") == "0",
        revision=int(fields.get("rev", "0")),
        over=fields.get("over") == "1",
        outline=fields.get("outline", ""),
        digest=fields.get("digest", ""),
        attempts=int(fields["attempts"]),
        suspect=fields.get("suspect") == "1",
        plain=fields["plain"] == "1",
        created=_seconds(fields["created"]),
        claimed=_seconds(fields["claimed"]),
        tried=_seconds(fields["tried"]),
        last_tried=_seconds(fields["last_tried"]),
        held=_seconds(fields.get("held", "0")),
    )


def _seconds(milliseconds: str) -> float:
    return float(milliseconds) / 1000
