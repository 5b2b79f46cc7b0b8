"""Who is in a channel, the bot and people, asked before anything is queued whose card would go there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Final, Protocol

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import OutsideError, RefusedError, UnreachableError, UserError
from bot.slack.client import SlackError, calling

log = logging.getLogger(__name__)

FRESH: Final = timedelta(minutes=5)
BUDGET: Final = timedelta(seconds=1)
_CLOSED: Final = frozenset({"channel_not_found", "not_in_channel", "is_archived"})
_TYPES: Final = "public_channel,private_channel,mpim,im"
_PAGE: Final = 999  # the most that Slack takes


class Channels(Protocol):
    """The door that handlers use."""

    async def require_member(self, channel: str) -> None:
        """UserError if the bot is not in the channel; nothing if it is, or if Slack cannot say so in time."""
        ...

    async def require_person(self, channel: str, user_id: str) -> None:
        """RefusedError if somebody is not in the channel; OutsideError if Slack cannot say so in time."""
        ...


class SlackChannels(Channels):
    """A yes is remembered for five minutes, a no not at all: the person is about to invite the bot and ask again."""

    def __init__(self, client: AsyncWebClient, *, clock: Callable[[], float] = monotonic) -> None:
        self._client = client
        self._clock = clock
        self._joined: dict[str, float] = {}

    async def require_member(self, channel: str) -> None:
        seen = self._joined.get(channel)
        if seen is not None and self._clock() - seen < FRESH.total_seconds():
            return
        if not await self._is_member(channel):
            raise UserError(
                "I am not in this channel, so I could not show you how it goes. Nothing was queued. "
                "Invite me and send the command again.",
                example="/invite @coldmigrate",
            )

    async def require_person(self, channel: str, user_id: str) -> None:
        try:
            async with asyncio.timeout(BUDGET.total_seconds()):
                found = await self._is_in(channel, user_id)
        except TimeoutError:
            raise UnreachableError("Slack did not say in time whether you are in that channel.") from None
        if not found:
            raise RefusedError("You are not in that channel.", lifted_by="somebody who is in it: /invite")

    async def _is_in(self, channel: str, user_id: str) -> bool:
        """Asks for the person's channels and not for the channel's people: those may be tens of thousands."""
        cursor = ""
        while True:
            with calling("users.conversations", about=user_id):
                page = await self._client.users_conversations(
                    user=user_id, types=_TYPES, exclude_archived=True, limit=_PAGE, cursor=cursor
                )
            if any(one["id"] == channel for one in page["channels"]):
                return True
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return False

    async def _is_member(self, channel: str) -> bool:
        try:
            async with asyncio.timeout(BUDGET.total_seconds()):
                with calling("conversations.info", about=channel):
                    answer = await self._client.conversations_info(channel=channel)
        except SlackError as error:
            log.info("%s", error)
            return error.code not in _CLOSED
        except (OutsideError, TimeoutError) as error:
            log.info("Slack could not say whether the bot is in %s: %s", channel, error or "no answer in time")
            return True
        return self._remember(channel, answer["channel"])

    def _remember(self, channel: str, found: dict[str, object]) -> bool:
        # A direct message has no members to be one of: being able to see it is enough.
        joined = bool(found.get("is_im") or found.get("is_member")) and not found.get("is_archived")
        if joined:
            self._joined[channel] = self._clock()
        return joined
