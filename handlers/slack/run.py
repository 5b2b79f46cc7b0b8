"""The bot's life: sign in, connect, listen and drain the outbox, until it is stopped. No knowledge of any verb."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any, Final

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import UnreachableError
from bot.operations.port import Verbs
from bot.slack.client import calling
from bot.slack.drain import OutboxDrainer
from handlers.slack.register import InFlight, build_app

log = logging.getLogger(__name__)

CONNECTING: Final = timedelta(seconds=15)
LAST_WORDS: Final = timedelta(seconds=3)


class SlackBot:
    """One Socket Mode connection and one drainer. Several bots may run at once, each on its own connection.

    `start` fails fast: LoginError for a bad token, UnreachableError for a Slack that is away. Once it is connected,
    a lost connection is made again by the SDK.
    """

    def __init__(self, app_token: str, client: AsyncWebClient, verbs: Verbs, drainer: OutboxDrainer) -> None:
        self._app_token = app_token
        self._client = client
        self._verbs = verbs
        self._drainer = drainer
        self._in_flight = InFlight()
        self._socket: AsyncSocketModeHandler | None = None
        self._draining: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect, and begin to listen and to drain. Call it once."""
        app = await build_app(self._client, self._verbs, self._in_flight)
        with calling("apps.connections.open"):
            url = (await self._client.apps_connections_open(app_token=self._app_token))["url"]
        self._socket = AsyncSocketModeHandler(app, self._app_token)
        self._socket.client.wss_uri = url  # left to itself the SDK asks for it, and asks for ever if the token is bad
        handle: Any = self._in_flight(self._socket.handle)
        self._socket.client.socket_mode_request_listeners[:] = [handle]
        self._socket.client.message_listeners.append(_greeted)
        await self._connect(self._socket)
        self._draining = asyncio.create_task(self._drainer.run(), name="outbox drainer")

    async def wait(self) -> None:
        """Return once stopped. Raises what the drainer died of, if it ever does."""
        if self._draining is not None:
            await asyncio.shield(self._draining)

    async def stop(self) -> None:
        """Take nothing new, let what is under way be acked and answered, send what is on its way, disconnect."""
        if self._socket is not None:
            self._socket.client.socket_mode_request_listeners.clear()
            if not await self._in_flight.drained(LAST_WORDS):
                log.warning("Some commands were still at work after %.0f s.", LAST_WORDS.total_seconds())
            await self._socket.close_async()  # type: ignore[no-untyped-call]
            self._socket = None
        if self._draining is not None:
            self._drainer.stop()
            await asyncio.wait({self._draining})
            self._draining = None

    async def is_connected(self) -> bool:
        """Slack would reach us now."""
        return self._socket is not None and await self._socket.client.is_connected()

    async def _connect(self, socket: AsyncSocketModeHandler) -> None:
        try:
            async with asyncio.timeout(CONNECTING.total_seconds()):
                await socket.connect_async()  # type: ignore[no-untyped-call]
        except TimeoutError:
            raise UnreachableError("Slack does not take our Socket Mode connection.") from None
        finally:
            if not await socket.client.is_connected():
                await socket.close_async()  # type: ignore[no-untyped-call]
                self._socket = None


async def _greeted(_client: AsyncBaseSocketModeClient, message: dict[str, Any], _raw: str | None) -> None:
    """More connections than bots: another one, perhaps on somebody's laptop, takes a share of all commands."""
    if message.get("type") == "hello":
        log.info("Connected to Slack; connections of this app: %s.", message.get("num_connections", "unknown"))
