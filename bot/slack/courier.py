"""One record to Slack: post, edit or find again, and what the answer means for the record. Touches Slack, not Redis."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import MaybeSentError, OutsideError
from bot.slack.client import Fault, SlackError, calling
from bot.slack.lookup import find, metadata
from bot.slack.records import GivenUp, Later, Outcome, Record, Sent

log = logging.getLogger(__name__)

FIRST_RETRY: Final = timedelta(seconds=2)
LONGEST_RETRY: Final = timedelta(minutes=1)
CLOSED_DOOR: Final = timedelta(minutes=2)
"""Between tries while a person has to change something first: invite the bot, renew the token."""
PATIENCE: Final = timedelta(days=1)
"""How long news waits for that, or for Slack to come back."""


class Courier:
    """Carries records to Slack through one client, which must not repeat posts by itself."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._bot_id = ""

    async def carry(self, record: Record) -> Outcome:
        """Send it, or say when to try again. Raises nothing that Slack or the network can cause."""
        try:
            return await self._carry(record)
        except MaybeSentError as error:
            log.warning("%s Looking for the message before it is sent again.", error)
            return Later(delay=_backoff(record), problem="lost", suspect=True)
        except SlackError as error:
            return _after_refusal(record, error)
        except OutsideError as error:
            log.warning("%s It is tried again.", error)
            return Later(delay=_backoff(record), problem="unreachable", suspect=record.suspect)

    async def _carry(self, record: Record) -> Outcome:
        if not record.posts:
            return await self._edit(record)
        if record.suspect and (found := await self._found(record)):
            log.info("The %s of job %s was posted after all, at %s.", record.kind, record.job, found.ts)
            return found
        return await self._post(record)

    async def _post(self, record: Record) -> Sent:
        with calling("chat.postMessage", about=record.channel, changes=True):
            answer = await self._client.chat_postMessage(
                channel=record.channel,
                mrkdwn=False,
                unfurl_links=False,
                unfurl_media=False,
                thread_ts=record.ts or None,  # a reply whose thread was deleted is still told to the channel
                **_content(record),
            )
        return Sent(ts=str(answer["ts"]), revision=record.revision, outline=record.outline, digest=record.digest)

    async def _edit(self, record: Record) -> Sent:
        # An edit may be repeated: the same content twice is the same card.
        with calling("chat.update", about=record.channel):
            await self._client.chat_update(channel=record.channel, ts=record.ts, **_content(record))
        return Sent(ts=record.ts, revision=record.revision, outline=record.outline, digest=record.digest)

    async def _found(self, record: Record) -> Sent | None:
        try:
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


def _content(record: Record) -> dict[str, Any]:
    content: dict[str, Any] = {"text": record.text, "metadata": metadata(record)}
    return content if record.plain else {**content, "blocks": list(record.blocks)}


def _after_refusal(record: Record, error: SlackError) -> Outcome:
    again = Later(delay=_backoff(record), problem=error.code, suspect=record.suspect)
    match error.fault:
        case Fault.BUSY:
            rest = timedelta(seconds=error.retry_after or FIRST_RETRY.total_seconds())
            log.info("%s The others go on.", error)
            return Later(delay=rest, suspect=record.suspect, pause=record.bucket)
        case Fault.GONE if record.ts:
            log.warning("%s News of job %s is posted anew.", error, record.job)
            return Later(delay=timedelta(0), forget_ts=True)
        case Fault.CONTENT if not record.plain:
            log.error("%s The %s of job %s is sent without its blocks.", error, record.kind, record.job)
            return Later(delay=timedelta(0), plain=True)
        case Fault.CONTENT:
            log.error("%s The %s of job %s is lost.", error, record.kind, record.job)
            return GivenUp(problem=error.code)
        case Fault.PLACE | Fault.TOKEN | Fault.GONE:
            again = Later(delay=CLOSED_DOOR, problem=error.code, suspect=record.suspect)
    return _unless_too_old(record, error, again)


def _unless_too_old(record: Record, error: SlackError, again: Later) -> Outcome:
    if datetime.now(UTC).timestamp() - record.created > PATIENCE.total_seconds():
        log.error("%s It was tried for a day; this news of job %s is given up.", error, record.job)
        return GivenUp(problem=error.code)
    log.warning("%s News of job %s waits; next try in %.0f s.", error, record.job, again.delay.total_seconds())
    return again


def _backoff(record: Record) -> timedelta:
    doubled: timedelta = FIRST_RETRY * 2 ** min(max(record.attempts - 1, 0), 10)
    return min(doubled, LONGEST_RETRY)
