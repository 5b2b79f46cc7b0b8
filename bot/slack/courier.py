"""One record to Slack: post, edit or find again, and what the answer means for the record. Touches Slack, not Redis."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import MaybeSentError, OutsideError
from bot.slack.client import Fault, SlackError, calling
from bot.slack.lookup import filename, find, find_at, metadata
from bot.slack.pointers import moved, slowly
from bot.slack.records import GivenUp, Kind, Later, Outcome, Record, Sent
from bot.slack.uploads import share

log = logging.getLogger(__name__)

FIRST_RETRY: Final = timedelta(seconds=2)
LONGEST_RETRY: Final = timedelta(minutes=1)
SHARED_BY: Final = timedelta(seconds=15)
"""How long Slack may take to show a file that it has."""

CLOSED_DOOR: Final = timedelta(minutes=2)
"""Between tries while a person has to change something first: invite the bot, renew the token."""
PATIENCE: Final = timedelta(days=1)
"""How long news waits for that, or for Slack to come back."""

_MERE_COURTESY: Final = frozenset({Kind.NOTE, Kind.AMEND})
"""What is not worth waiting for when Slack refuses it."""

_PASSING: Final = frozenset({Fault.BUSY, Fault.GONE, Fault.PLACE, Fault.TOKEN})
"""Refusals of a file that say nothing against files."""


def nowhere(_point: str) -> None:
    """Nobody wants to know how far a record is; tests do."""


async def _no_bytes(_digest: str) -> bytes | None:
    return None


class Courier:
    """Carries records to Slack through one client, which must not repeat posts by itself.

    `read` gets the bytes of a file. `look_up` False: what may have been posted is posted again (control of tests).
    """

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        read: Callable[[str], Awaitable[bytes | None]] = _no_bytes,
        look_up: bool = True,
        reached: Callable[[str], None] = nowhere,
    ) -> None:
        self._client = client
        self._read = read
        self._look_up = look_up
        self._reached = reached
        self._bot_id = ""

    async def carry(self, record: Record) -> Outcome:
        """Send it, or say when to try again. Raises nothing that Slack or the network can cause."""
        try:
            return await self._carry(record)
        except MaybeSentError as error:
            log.warning("%s Looking for the message before it is sent again.", error)
            delay = max(_backoff(record), SHARED_BY) if record.kind is Kind.FILE else _backoff(record)
            return Later(delay=delay, problem="lost", suspect=True, looked=True)
        except SlackError as error:
            return _after_refusal(record, error)
        except OutsideError as error:
            log.warning("%s It is tried again.", error)
            return Later(delay=_backoff(record), problem="unreachable", suspect=record.suspect)

    async def _carry(self, record: Record) -> Outcome:
        if record.kind is Kind.AMEND:
            return await self._amend(record)
        if not record.posts:
            return await self._edit(record)
        if found := await self._known(record):
            log.info("The %s was posted after all, at %s.", record, found.ts)
            self._reached("found")
            return found
        if record.kind is Kind.FILE and (data := await self._read(record.blob)) is not None:
            return await self._share(record, data)
        return await self._post(record)

    async def _post(self, record: Record) -> Sent:
        self._reached(f"before-{record.kind}")
        with calling("chat.postMessage", about=record.channel, changes=True):
            answer = await self._client.chat_postMessage(
                channel=record.channel,
                mrkdwn=False,
                unfurl_links=False,
                unfurl_media=False,
                thread_ts=record.under or None,  # a reply whose thread was deleted is still told to the channel
                **_content(record),
            )
        self._reached(f"after-{record.kind}")
        return _shown(record, str(answer["ts"]), posted=True)

    async def _edit(self, record: Record) -> Sent:
        # An edit may be repeated: the same content twice is the same card.
        self._reached("before-edit")
        with calling("chat.update", about=record.channel):
            await self._client.chat_update(channel=record.channel, ts=record.ts, **_content(record))
        self._reached("after-edit")
        return _shown(record, record.ts)

    async def _share(self, record: Record, data: bytes) -> Outcome:
        try:
            file_id = await share(self._client, record, data, name=filename(record), reached=self._reached)
        except SlackError as error:
            if error.fault in _PASSING and error.code != "missing_scope":
                raise
            log.error("%s The thread reads where all of it is instead.", error)  # noqa: TRY400 - no defect of ours
            return GivenUp(problem=error.code, refusal=error, instead=await self._post(record))
        return Sent(ts=file_id)

    async def _amend(self, record: Record) -> Outcome:
        """Turn a message that is too many into a pointer to the one that was saved, or take it away."""
        if record.what == "retired":
            return await self._edit(record)
        if record.twin == record.ts:
            return Sent(ts=record.ts)
        if not record.twin:  # whoever took over has not posted yet, or gave up
            return Later(delay=_backoff(record)) if record.age < PATIENCE else GivenUp(problem="the only one")
        if record.what == Kind.REPLY:
            with calling("chat.delete", about=record.channel):
                await self._client.chat_delete(channel=record.channel, ts=record.ts)
            return Sent(ts=record.ts)
        if await find_at(self._client, record, record.ts, bot_id=await self._own_id()):
            await self._point(record)
        return Sent(ts=record.ts)

    async def _point(self, record: Record) -> None:
        with calling("chat.getPermalink", about=record.channel):
            link = await self._client.chat_getPermalink(channel=record.channel, message_ts=record.twin)
        text, blocks = moved(record.job, str(link["permalink"]))
        log.warning("Job %s had a second card, at %s: it points to the first now.", record.job, record.ts)
        with calling("chat.update", about=record.channel):
            await self._client.chat_update(
                channel=record.channel, ts=record.ts, text=text, blocks=blocks, metadata=metadata(record)
            )

    async def _known(self, record: Record) -> Sent | None:
        """What an earlier attempt posted, or what somebody clicked and is this job's card; None if there is nothing."""
        if not self._look_up:
            return None
        try:
            if record.kind is Kind.CARD and record.twin:
                clicked = await find_at(self._client, record, record.twin, bot_id=await self._own_id())
                if clicked is not None:
                    return clicked
            if not record.suspect:
                return None
            return await find(self._client, record, bot_id=await self._own_id())
        except SlackError as error:
            if error.code != "missing_scope":
                raise
            # Twice is a nuisance; not at all could be the news that somebody waits for.
            log.warning("%s A message whose posting was interrupted may appear twice.", error)
            return None

    async def _own_id(self) -> str:
        if not self._bot_id:
            with calling("auth.test"):
                self._bot_id = str((await self._client.auth_test())["bot_id"])
        return self._bot_id


def _shown(record: Record, ts: str, *, posted: bool = False) -> Sent:
    return Sent(ts=ts, revision=record.revision, outline=record.outline, digest=record.digest, posted=posted)


def _content(record: Record) -> dict[str, Any]:
    content: dict[str, Any] = {"text": record.text, "metadata": metadata(record)}
    if record.plain or not record.blocks:
        return content
    late = slowly(record.held_for, room=len(record.blocks)) if record.kind is Kind.CARD else []
    return {**content, "blocks": [*record.blocks, *late]}


def _after_refusal(record: Record, error: SlackError) -> Outcome:
    if record.kind in _MERE_COURTESY and error.fault in (Fault.GONE, Fault.PLACE, Fault.TOKEN):
        log.error("%s The %s is given up.", error, record)
        return GivenUp(problem=error.code)
    match error.fault:
        case Fault.BUSY:
            return _throttled(record, error)
        case Fault.GONE if record.ts or record.thread:
            log.warning("%s News of job %s is posted anew.", error, record.job)
            return Later(delay=timedelta(0), forget_ts=True)
        case Fault.CONTENT:
            return _after_malformed(record, error)
        case Fault.PLACE | Fault.TOKEN | Fault.GONE:
            return _unless_too_old(record, error, CLOSED_DOOR)
        case Fault.OTHER:
            return _unless_too_old(record, error, _backoff(record))


def _after_malformed(record: Record, error: SlackError) -> Outcome:
    if record.blocks and not record.plain:
        log.error("%s The %s is sent without its blocks.", error, record)
        return Later(delay=timedelta(0), plain=True)
    log.error("%s The %s is lost.", error, record)
    return GivenUp(problem=error.code, refusal=error)


def _throttled(record: Record, error: SlackError) -> Later:
    """Slack counts by method, and posts by channel too: only what it refused rests, and others go on."""
    rest = timedelta(seconds=error.retry_after or FIRST_RETRY.total_seconds())
    log.info("%s The others go on.", error)
    sending = error.method in ("chat.postMessage", "chat.update")
    return Later(delay=rest, suspect=record.suspect, pause=record.bucket if sending else "", counts=False)


def _unless_too_old(record: Record, error: SlackError, delay: timedelta) -> Outcome:
    if record.age > PATIENCE:
        log.error("%s It was tried for a day; the %s is given up.", error, record)
        return GivenUp(problem=error.code, refusal=error)
    log.warning("%s The %s waits; next try in %.0f s.", error, record, delay.total_seconds())
    return Later(delay=delay, problem=error.code, suspect=record.suspect, refusal=error)


def _backoff(record: Record) -> timedelta:
    doubled: timedelta = FIRST_RETRY * 2 ** min(max(record.attempts - 1, 0), 10)
    return min(doubled, LONGEST_RETRY)
