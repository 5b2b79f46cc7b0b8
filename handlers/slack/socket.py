"""Socket Mode: one connection to Slack that is always there, and is replaced before it goes when Slack says so.

Ours and not the SDK's, because of what that does when things go wrong (slack_sdk 3.47, its aiohttp client): it closes
the old connection before it has a new one; it looks for a broken one every ten seconds; when a connection fails it
tries the same URL for ever, and Slack's URLs are good for one connection; and two of its tasks may each open a new
one. What comes in and what goes out is the SDK's and Bolt's business as before. No knowledge of any command.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import aiohttp
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import OutsideError, UnreachableError
from bot.slack.client import calling, pool_of

log = logging.getLogger(__name__)

CONNECTING: Final = timedelta(seconds=15)
HEARTBEAT: Final = timedelta(seconds=10)
"""A connection that does not answer a ping is taken for dead after half of this again."""

FIRST_RETRY: Final = timedelta(seconds=0.5)
LONGEST_RETRY: Final = timedelta(seconds=30)
LINGER: Final = timedelta(seconds=15)
"""How long a connection that Slack means to close is still listened to: what Slack sent on it last is on its way."""

LATE: Final = timedelta(seconds=2)
"""How long an ack may look for a connection; Slack has stopped waiting for it soon after."""

Listener = Callable[[AsyncBaseSocketModeClient, SocketModeRequest], Awaitable[None]]


@dataclass(eq=False, slots=True)
class _Connection:
    """One websocket. `greeted`: Slack said hello, so it sends; `leaving`: Slack said that it will close it."""

    socket: aiohttp.ClientWebSocketResponse
    greeted: asyncio.Event = field(default_factory=asyncio.Event)
    leaving: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def open(self) -> bool:
        return not self.socket.closed


class SocketMode(AsyncBaseSocketModeClient):
    """Give it a listener and `start` it. From then on it stays connected until `close`, however long Slack is away."""

    def __init__(self, app_token: str, client: AsyncWebClient, listener: Listener) -> None:
        self.logger = logging.getLogger(f"{__name__}.acks")  # Bolt logs there
        self._app_token = app_token
        self._client = client
        self._listener: Listener | None = listener
        self._connections: list[_Connection] = []  # the newest last
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect, after the wait that Slack asks for if we came too often.

        LoginError for a token that is no good, UnreachableError for a Slack that is away.
        """
        while True:
            try:
                await self._connect()
                break
            except OutsideError as error:
                if not error.retry_after:
                    raise
                log.warning("%s", error)
                await asyncio.sleep(error.retry_after)
        self._keeper = asyncio.create_task(self._keep(), name="Slack's connection")

    async def is_connected(self) -> bool:
        return any(one.open and one.greeted.is_set() for one in self._connections)

    def deaf(self) -> None:
        """Take nothing new; acks still go out."""
        self._listener = None

    async def close(self) -> None:
        for task in (self._keeper, *self._tasks):
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in (self._keeper, *self._tasks) if task), return_exceptions=True)
        for one in self._connections:
            await one.socket.close()
        self._connections.clear()

    async def send_message(self, message: str) -> None:
        """Send it on whichever connection is there: Slack takes an ack from any. ConnectionError after a while."""
        try:
            async with asyncio.timeout(LATE.total_seconds()):
                while not await self._sent(message):
                    async with self._changed:
                        await self._changed.wait_for(lambda: any(one.open for one in self._connections))
        except TimeoutError:
            raise ConnectionError("An ack was not sent: there was no connection to Slack.") from None

    async def _sent(self, message: str) -> bool:
        for one in reversed(self._connections):
            if one.open:
                with suppress(ConnectionError, RuntimeError):
                    await one.socket.send_str(message)
                    return True
        return False

    async def _keep(self) -> None:
        """Whenever the newest connection is about to go, or is gone, make another."""
        while True:
            newest = self._connections[-1] if self._connections else None
            if newest is not None and newest.open:
                await newest.leaving.wait()
            await self._replace(newest)

    async def _replace(self, old: _Connection | None) -> None:
        pause = FIRST_RETRY
        while True:
            try:
                await self._connect()
                break
            except OutsideError as error:
                wait = timedelta(seconds=error.retry_after) if error.retry_after else pause
                log.warning("%s Next try in %.1f s.", error, wait.total_seconds())
                await asyncio.sleep(wait.total_seconds())
                pause = min(pause * 2, LONGEST_RETRY)
        if old is not None and old.open:
            self._spawn(self._see_off(old))

    async def _see_off(self, old: _Connection) -> None:
        await asyncio.sleep(LINGER.total_seconds())
        await old.socket.close()

    async def _connect(self) -> None:
        """One more connection, greeted. Each takes a URL of its own."""
        with calling("apps.connections.open"):
            url = str((await self._client.apps_connections_open(app_token=self._app_token))["url"])
        try:
            async with asyncio.timeout(CONNECTING.total_seconds()):
                one = _Connection(await self._open(url))
                self._spawn(self._read(one))
                await one.greeted.wait()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnreachableError(
                f"Slack does not take our Socket Mode connection ({type(error).__name__})."
            ) from error
        if not one.open:
            raise UnreachableError("Slack closed our Socket Mode connection before it said hello.")
        self._connections.append(one)
        async with self._changed:
            self._changed.notify_all()

    async def _open(self, url: str) -> aiohttp.ClientWebSocketResponse:
        return await pool_of(self._client).ws_connect(
            url, heartbeat=HEARTBEAT.total_seconds(), proxy=self._client.proxy, ssl=self._client.ssl or True
        )

    async def _read(self, one: _Connection) -> None:
        try:
            async for frame in one.socket:
                if frame.type is aiohttp.WSMsgType.TEXT and isinstance(message := json.loads(frame.data), dict):
                    self._heard(one, message)
        except ValueError as error:
            log.error("Slack sent something that is no JSON: %s", error)  # noqa: TRY400 - the connection is made anew
        finally:
            await one.socket.close()
            if one in self._connections:
                self._connections.remove(one)
            one.greeted.set()
            one.leaving.set()

    def _heard(self, one: _Connection, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "hello":
            # More connections than bots: another one, perhaps on somebody's laptop, takes a share of all commands.
            log.info("Connected to Slack; connections of this app: %s.", message.get("num_connections", "unknown"))
            one.greeted.set()
        elif kind == "disconnect":
            log.info("Slack will close this connection: %s.", message.get("reason", "it did not say why"))
            one.leaving.set()
        elif self._listener is not None and (request := SocketModeRequest.from_dict(message)) is not None:
            self._spawn(self._handled(self._listener, request))

    async def _handled(self, listener: Listener, request: SocketModeRequest) -> None:
        try:
            await listener(self, request)
        except ConnectionError as error:
            log.warning("%s", error)
        except Exception:  # the edge: one envelope that breaks us must not keep others from being heard
            log.exception("An envelope from Slack could not be handled.")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
