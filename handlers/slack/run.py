"""The bot's life: sign in, connect, listen and drain the outbox, until it is stopped. No knowledge of any verb."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import monotonic, time
from typing import Final

from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import BugError
from bot.operations.port import Verbs
from bot.slack.courier import nowhere
from bot.slack.drain import OutboxDrainer
from bot.slack.port import Inbox
from handlers.slack.deliveries import Deliveries
from handlers.slack.errands import Errander
from handlers.slack.register import InFlight, build_app
from handlers.slack.socket import SocketMode

log = logging.getLogger(__name__)

LAST_WORDS: Final = timedelta(seconds=3)
FIRST_REST: Final = timedelta(seconds=1)
STEADY: Final = timedelta(minutes=1)
MOST_DEATHS: Final = 5
"""A drainer that died so often, never living for a minute, is not mended by trying on: the process ends, with an error,
and whoever supervises it starts a fresh one (docs/decisions/0004)."""


class SlackBot:
    """One Socket Mode connection and one drainer. Several bots may run at once, each on its own connection.

    `start` fails fast: LoginError for a bad token, UnreachableError for a Slack that is away. Once it is connected,
    a lost connection is made again. After its first death the drainer rests for `rest`, then for twice as long.
    """

    def __init__(
        self,
        app_token: str,
        client: AsyncWebClient,
        verbs: Verbs,
        drainer: OutboxDrainer,
        inbox: Inbox,
        *,
        errander: Errander,
        rest: timedelta = FIRST_REST,
        reached: Callable[[str], None] = nowhere,
    ) -> None:
        self._app_token = app_token
        self._client = client
        self._verbs = verbs
        self._drainer = drainer
        self._inbox = inbox
        self._errander = errander
        self._rest = rest
        self._reached = reached
        self._in_flight = InFlight()
        self._socket: SocketMode | None = None
        self._draining: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect, and begin to listen and to drain. Call it once."""
        deliveries = Deliveries(self._inbox, reached=self._reached)
        app = await build_app(
            self._client, self._verbs, self._inbox, deliveries, self._errander, in_flight=self._in_flight
        )
        socket = SocketMode(self._app_token, self._client, self._in_flight(_listener(app, self._reached)))
        await socket.start()
        self._socket = socket
        self._draining = asyncio.create_task(self._drain(), name="outbox drainer")
        self._running = asyncio.create_task(self._errander.run(), name="errands")

    async def wait(self) -> None:
        """Return once stopped. BugError if the outbox cannot be drained, whatever is tried."""
        if self._draining is not None:
            await asyncio.shield(self._draining)

    async def stop(self) -> None:
        """Take nothing new, let what is under way be acked and answered, send what is on its way, disconnect."""
        if self._socket is not None:
            self._socket.deaf()
            if not await self._in_flight.drained(LAST_WORDS):
                log.warning("Some commands were still at work after %.0f s.", LAST_WORDS.total_seconds())
            await self._socket.close()
            self._socket = None
        if self._running is not None:
            self._errander.stop()
            await asyncio.wait({self._running})
            self._running = None
        if self._draining is not None:
            self._drainer.stop()
            await asyncio.wait({self._draining})
            self._draining = None

    async def is_connected(self) -> bool:
        """Slack would reach us now."""
        return self._socket is not None and await self._socket.is_connected()

    async def _drain(self) -> None:
        """Drain, and begin again after an unforeseen error: news waits in Redis meanwhile; commands are answered."""
        deaths, rest = 0, self._rest
        while True:
            born = monotonic()
            try:
                return await self._drainer.run()
            except Exception as error:  # like a worker's loop: nothing that one record does may end the bot
                if monotonic() - born > STEADY.total_seconds():
                    deaths, rest = 0, self._rest
                deaths += 1
                if deaths == MOST_DEATHS:
                    raise BugError(f"The outbox could not be drained {deaths} times in a row: {error!r}") from error
                log.exception("The drainer of the outbox died, and begins again in %.0f s.", rest.total_seconds())
            await asyncio.sleep(rest.total_seconds())
            rest *= 2


def _listener(
    app: AsyncApp, reached: Callable[[str], None]
) -> Callable[[AsyncBaseSocketModeClient, SocketModeRequest], Awaitable[None]]:
    async def handle(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        started = time()
        answer = await run_async_bolt_app(app, request)
        reached("before-ack")
        await send_async_response(client, request, answer, started)
        reached("acked")

    return handle
