"""Where a message is as people open it: the workspace's address, told by Slack once and kept for roles without a token.

Slack answers chat.getPermalink to nobody without a token; the form of its answer is that of `permalink`, which a test
compares.
"""

from __future__ import annotations

import logging
from typing import Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import OutsideError
from bot.slack.client import calling
from bot.store import keys
from bot.store.client import Store

log = logging.getLogger(__name__)

_SCHEME: Final = "https://"


class Workspace:
    """Learns the address and writes it down. One for each drainer."""

    def __init__(self, store: Store, client: AsyncWebClient) -> None:
        self._store = store
        self._client = client
        self._address = ""

    async def note(self) -> None:
        """Best effort, and for each card anew, for Redis may have lost it. Raises nothing that the world can cause."""
        try:
            if not self._address:
                with calling("auth.test"):
                    self._address = str((await self._client.auth_test())["url"])
            if self._address.startswith(_SCHEME):
                await self._store.set(keys.WORKSPACE, self._address)
        except OutsideError as error:
            log.warning("Links to messages are not known yet: %s", error)


async def remembered_address(store: Store) -> str:
    """The workspace's address; empty while no bot has said it."""
    return await store.text(keys.WORKSPACE) or ""


def permalink(address: str, channel: str, ts: str, *, thread: str = "") -> str:
    """The address of one message."""
    below = f"?thread_ts={thread}&cid={channel}" if thread else ""
    return f"{address.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}{below}"
