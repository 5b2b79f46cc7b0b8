"""Who is in a Slack user group, as Slack says, remembered for five minutes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import calling
from bot.slack.port import GroupMembers

FRESH: Final = timedelta(minutes=5)


class SlackGroupMembers(GroupMembers):
    """Fails closed: an answer older than five minutes is no answer. OutsideError when Slack cannot be asked.

    `clock` counts seconds and never goes back. The app's scope `usergroups:read` is needed.
    """

    def __init__(self, client: AsyncWebClient, *, clock: Callable[[], float] = monotonic) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[str, tuple[float, frozenset[str]]] = {}
        self._asking = asyncio.Lock()

    async def members(self, group: str) -> frozenset[str]:
        """The user ids. One question at a time: many clicks at once ask Slack once."""
        async with self._asking:
            asked, known = self._known.get(group, (0.0, frozenset()))
            if group in self._known and self._clock() - asked < FRESH.total_seconds():
                return known
            with calling("usergroups.users.list", about=group):
                answer = await self._client.usergroups_users_list(usergroup=group)
            users = frozenset(str(user) for user in answer["users"])
            self._known[group] = (self._clock(), users)
            return users
