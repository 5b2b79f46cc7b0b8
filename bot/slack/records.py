"""The outbox's reading side in Redis: records are claimed under a lease, and every answer carries the claim's fence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.migration.request import JobId
from bot.slack.blocks import BlockDict
from bot.store import keys
from bot.store.client import Store
from bot.store.scripts import load

LEASE: Final = timedelta(seconds=30)
LISTEN: Final = timedelta(seconds=2)
"""How long to wait for the bell in one go. Short, because Python 3.11 may swallow a cancellation that meets a send."""
_LIBRARIES: Final = ["outbox"]
_CLAIM: Final = load("bot.slack.scripts", "claim", libraries=_LIBRARIES)
_SETTLE: Final = load("bot.slack.scripts", "settle", libraries=_LIBRARIES)
_RELEASE: Final = load("bot.slack.scripts", "release", libraries=_LIBRARIES)
_DROP: Final = load("bot.slack.scripts", "drop", libraries=_LIBRARIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What Slack takes, and a little less. `reserve` edits are kept for news that is not just progress."""

    post_gap: timedelta = timedelta(seconds=1)  # per channel
    post_burst: int = 4
    edit_gap: timedelta = timedelta(seconds=60 / 45)  # all cards together: Tier 3 is 50 a minute
    edit_burst: int = 6
    reserve: int = 3
    card_gap: timedelta = timedelta(seconds=3)  # between two edits of one card that are progress only


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One thing to be sent, as claimed. `ts`: the card's message, empty before there is one.

    `suspect`: an earlier attempt may have reached Slack. `plain`: Slack refused the blocks, so only text is sent.
    """

    id: str
    fence: str
    kind: str  # "card" or "reply"
    job: JobId
    channel: str
    text: str
    blocks: Sequence[BlockDict]
    ts: str
    name: str  # a reply's key
    revision: int
    outline: str
    digest: str
    attempts: int
    suspect: bool
    plain: bool
    created: float  # seconds since the epoch, by Redis' clock

    @property
    def posts(self) -> bool:
        """It makes a new message; otherwise it edits the card."""
        return self.kind == "reply" or not self.ts

    @property
    def bucket(self) -> str:
        """What Slack counts it under: posts by channel, edits all together."""
        return f"post:{self.channel}" if self.posts else "edit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Slack has it at `ts`. `revision` is what that message shows; 0 when it shows something older than was claimed."""

    ts: str
    revision: int = 0
    outline: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Try again after `delay`. `pause`: this bucket rests for `delay` as a whole, and the try does not count."""

    delay: timedelta
    problem: str = ""
    suspect: bool = False
    plain: bool = False
    forget_ts: bool = False
    pause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """It will never be sent."""

    problem: str


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
            _ms(self._lease),
            limit,
            _ms(pace.post_gap),
            pace.post_burst,
            _ms(pace.edit_gap),
            pace.edit_burst,
            pace.reserve,
        )
        return [_record(one) for one in found], timedelta(milliseconds=int(wait))

    async def conclude(self, record: Record, outcome: Outcome) -> bool:
        """Write down what became of a record. False: it was taken over, and the new owner decides."""
        match outcome:
            case Sent():
                return await self._sent(record, outcome)
            case Later():
                return await self._later(record, outcome)
            case GivenUp(problem=problem):
                return bool(await _DROP(self._store, record.id, record.fence, problem))

    async def _sent(self, record: Record, sent: Sent) -> bool:
        gap = _ms(self._pace.card_gap)
        told = (sent.ts, sent.revision, sent.outline, sent.digest, gap)
        return bool(await _SETTLE(self._store, record.id, record.fence, *told))

    async def _later(self, record: Record, later: Later) -> bool:
        delay = _ms(later.delay)
        attempts = record.attempts - 1 if later.pause else record.attempts
        flags = (int(later.suspect), int(later.plain), int(later.forget_ts))
        told = (delay, attempts, *flags, later.problem, later.pause, delay)
        return bool(await _RELEASE(self._store, record.id, record.fence, *told))

    async def rung(self) -> None:
        """Return when something new was queued, or after a while without."""
        await self._store.blocking.execute_command("BLPOP", keys.outbox("bell"), LISTEN.total_seconds())


def _ms(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)


def _record(found: Sequence[str]) -> Record:
    record_id, ts, *flat = found
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    return Record(
        id=record_id,
        fence=fields["fence"],
        kind=fields["kind"],
        job=JobId(fields["job"]),
        channel=fields["channel"],
        text=fields["text"],
        blocks=json.loads(fields["blocks"]),
        ts=ts,
        name=fields.get("name", ""),
        revision=int(fields.get("rev", "0")),
        outline=fields.get("outline", ""),
        digest=fields.get("digest", ""),
        attempts=int(fields["attempts"]),
        suspect=fields.get("suspect") == "1",
        plain=fields["plain"] == "1",
        created=float(fields["created"]) / 1000,
    )
