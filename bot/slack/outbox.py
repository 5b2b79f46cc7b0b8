"""The outbox's writing side: everybody's way to Slack. Needs Redis and no token; what is sent is decided in `drain`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.slack.alert import alert_message, news_of, size_of
from bot.slack.blocks import BlockDict
from bot.slack.card import card_message
from bot.slack.inquiry import inquiry_message
from bot.slack.plaintext import clean_clip, spoken
from bot.slack.port import AlertCard, CardPlace, InquiryCard, JobCard, Outbox, Reply, TableCard
from bot.slack.reply import reply_message, said_message
from bot.slack.table import table_message
from bot.slack.whole import whole_alert, whole_card, whole_reply, whole_table
from bot.slack.workspace import permalink, remembered_address
from bot.store import blobs, keys
from bot.store.client import Store
from bot.store.scripts import load

KEEP: Final = timedelta(days=100)
"""How long it is known where a card is and which replies it got: longer than a job is kept."""

FILE_KEPT: Final = timedelta(days=2)
"""How long a text waits to become a file: longer than anything waits for Slack."""

HOLD: Final = timedelta(milliseconds=300)
"""How long a card that says no more than "checking" waits to be posted: a plan is usually there by then, and saves an
edit. Of these Slack takes 50 a minute in all, and they are what runs out first."""

LOOK_BACK: Final = timedelta(days=7)
"""How far back a card is looked for that Redis lost between two looks at it."""

REMEMBERED: Final = 10_000
"""Cards of which this process knows that it has shown them."""

FILE_TITLE: Final = 200
ALT_TEXT: Final = 1000
"""Of a picture, for whoever cannot see it."""

_PROVISIONAL: Final = frozenset({Phase.DRAFTED, Phase.CHECKING})
_SHOW: Final = load("bot.slack.scripts", "show", libraries=["outbox"])
_REPLY: Final = load("bot.slack.scripts", "reply", libraries=["outbox"])
_JOIN: Final = load("bot.slack.scripts", "join", libraries=["outbox"])
_RECALL: Final = load("bot.slack.scripts", "recall", libraries=["outbox"])
_SAY: Final = load("bot.slack.scripts", "say", libraries=["outbox"])
_ATTACH: Final = load("bot.slack.scripts", "attach", libraries=["outbox"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What a card looks like from now on. `news`: what of it may not wait; the rest is progress."""

    job: JobId
    channel: str
    requester: str
    ended: bool
    text: str
    blocks: Sequence[BlockDict]
    news: tuple[str, Sequence[BlockDict]]
    hold: timedelta = timedelta(0)
    thread: str = ""
    kind: str = ""
    first: bool = False


class RedisOutbox(Outbox):
    """See `port.Outbox`. All methods return once Redis has it; asking twice does no harm, so they are repeated."""

    def __init__(self, store: Store, *, hold: timedelta = HOLD) -> None:
        self._store = store
        self._hold = hold
        self._shown: dict[JobId, None] = {}

    async def show(self, card: JobCard) -> None:
        if card.batch:
            await self.join(card.job, JobId(card.batch))
            return
        text, blocks = drawn = card_message(card)
        look = _Look(
            job=card.job,
            channel=card.channel,
            requester=card.requester,
            ended=card.phase.ended,
            text=text,
            blocks=blocks,
            news=card_message(replace(card, progress=None)) if card.progress else drawn,  # what is left is progress
            hold=self._hold if card.phase in _PROVISIONAL else timedelta(0),
        )
        await self._show(look)
        if blocks.cut:
            whole = whole_card(card)
            await attach(self._store, card.job, card.channel, name=f"plan-{_digest(whole, [])[:8]}", text=whole)

    async def show_inquiry(self, card: InquiryCard, *, first: bool = False) -> None:
        text, blocks = inquiry_message(card)
        look = _Look(
            job=card.job,
            channel=card.channel,
            thread=card.thread,
            requester=card.asked_by,
            ended=card.ended,
            text=text,
            blocks=blocks,
            news=inquiry_message(replace(card, steps=())),
            kind="inquiry",
            first=first,
        )
        await self._show(look)

    async def show_table(self, card: TableCard) -> None:
        text, blocks = table_message(card)
        look = _Look(
            job=card.subject,
            channel=card.channel,
            requester=card.requester,
            ended=card.ended,
            text=text,
            blocks=blocks,
            news=table_message(replace(card, rows=())),  # how far each is, is progress
            kind="table",
        )
        await self._show(look)
        if blocks.cut:
            # Once for each state: a file for every percent would bury the thread.
            name = f"table-{_digest(f'{card.title}: {card.state}', [])[:8]}"
            told = apology_for_table(card.subject)
            await attach(self._store, card.subject, card.channel, name=name, text=whole_table(card), instead=told)

    async def show_alert(self, card: AlertCard) -> None:
        text, blocks = alert_message(card)
        look = _Look(
            job=card.subject,
            channel=card.channel,
            requester=card.person[1] if card.person else "",
            ended=card.ended,
            text=text,
            blocks=blocks,
            news=alert_message(news_of(card)),
            kind="alert",
        )
        await self._show(look)
        if blocks.cut:
            name = f"hosts-{size_of(card)}"
            told = apology_for_alert()
            await attach(self._store, card.subject, card.channel, name=name, text=whole_alert(card), instead=told)

    async def place_of(self, subject: JobId) -> CardPlace | None:
        card = await self._store.hash(keys.card(subject))
        if "into" in card:
            card = await self._store.hash(keys.card(card["into"]))
        if not (card.get("channel") and card.get("ts")):
            return None
        channel, ts, thread = card["channel"], card["ts"], card.get("thread", "")
        address = await remembered_address(self._store)
        return CardPlace(channel, ts, permalink(address, channel, ts, thread=thread) if address else "")

    async def link_to(self, subject: JobId) -> str:
        place = await self.place_of(subject)
        return place.link if place is not None else ""

    async def _show(self, look: _Look) -> None:
        await _SHOW(
            self._store,
            look.job,
            look.channel,
            int(look.ended),
            _digest(*look.news),
            _digest(look.text, look.blocks),
            look.text,
            _json(look.blocks),
            KEEP,
            look.hold,
            look.requester,
            look.thread,
            look.kind,
            int(look.first),
            int(look.job in self._shown),
            LOOK_BACK,
            repeatable=True,
            together=True,
        )
        self._remember(look.job)

    def _remember(self, job: JobId) -> None:
        """It was shown: should Redis not know the card next time, it lost it, and the message is there."""
        self._shown[job] = None
        if len(self._shown) > REMEMBERED:
            del self._shown[next(iter(self._shown))]

    async def join(self, job: JobId, batch: JobId) -> None:
        await _JOIN(self._store, job, batch, KEEP, repeatable=True, together=True)

    async def reply(self, job: JobId, channel: str, reply: Reply) -> None:
        text, blocks = reply_message(job, reply)
        blob = await _kept(self._store, whole_reply(reply)) if blocks.cut else ""
        await _REPLY(
            self._store,
            job,
            channel,
            reply.key,
            int(reply.final),
            text,
            _json(blocks),
            KEEP,
            blob,
            apology(job),
            int(reply.quiet),
            repeatable=True,
            together=True,
        )

    async def recall(self, job: JobId, channel: str, *, since: datetime) -> None:
        moment = round(since.timestamp() * 1000)
        await _RECALL(self._store, job, channel, moment, KEEP, repeatable=True)

    async def say(self, subject: str, channel: str, *, thread: str, text: str, lines: Sequence[str] = ()) -> None:
        shown, blocks = said_message(text, lines)
        await _SAY(self._store, subject, channel, thread, shown, _json(blocks), FILE_KEPT, repeatable=True)

    async def attach(self, job: JobId, channel: str, *, name: str, data: bytes, title: str, alt_text: str) -> None:
        blob = await blobs.put(self._store, data, keep=FILE_KEPT)
        shown = clean_clip(title, FILE_TITLE)
        instead = spoken(f"{title}: {alt_text} {apology(job)}")
        told = (name, instead, KEEP, blob, f"coldmigrate-{job}-{name}", shown, clean_clip(alt_text, ALT_TEXT))
        await _ATTACH(self._store, job, channel, *told, repeatable=True)


async def attach(store: Store, job: JobId, channel: str, *, name: str, text: str, instead: str = "") -> None:
    """Put a text into the job's thread as a file, once for each name. `instead`: said where Slack takes no file."""
    blob = await _kept(store, text)
    await _ATTACH(store, job, channel, name, instead or apology(job), KEEP, blob, "", "", "", repeatable=True)


def apology(job: JobId) -> str:
    """What the thread reads where a file cannot be put."""
    return spoken(
        f"What did not fit above should be in a file here, and Slack takes no file from me. "
        f"All of it: coldmigrate jobs show {job} --format json, where the bot runs."
    )


def apology_for_table(subject: JobId) -> str:
    """The same of a card with a table, which need not be a job's."""
    return spoken(
        f"What did not fit above should be in a file here, and Slack takes no file from me. "
        f"Each VM by itself: coldmigrate jobs list, where the bot runs ({subject})."
    )


def apology_for_alert() -> str:
    """The same of an incident."""
    return spoken(
        "What did not fit above should be in a file here, and Slack takes no file from me: the app needs files:write."
    )


async def _kept(store: Store, text: str) -> str:
    """The name under which `text` is kept until it is sent; what goes beyond a blob's size is cut off."""
    return await blobs.put(store, text.encode()[: blobs.LARGEST], keep=FILE_KEPT)


def _json(blocks: Sequence[BlockDict]) -> str:
    return json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))


def _digest(text: str, blocks: Sequence[BlockDict]) -> str:
    return hashlib.sha256(f"{text}\n{_json(blocks)}".encode()).hexdigest()[:16]
