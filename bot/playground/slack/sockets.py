"""Socket Mode: the connections an app holds, the envelopes sent down them and the acks that come back.

What an envelope says is not known here; `payloads` writes them and `deliveries` decides what follows from an ack.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from aiohttp import WSCloseCode, WSMsgType, web

from bot.playground.slack.changes import ChangeFeed, ChangeKind, Json
from bot.playground.slack.clock import Clock
from bot.playground.slack.tally import Ack, AckOutcome, Tally

MOST_CONNECTIONS = 10
USUAL_LIFETIME = timedelta(seconds=18_060)
# What ?debug_reconnects=true on the URL makes of it (docs.slack.dev, Socket Mode).
DEBUG_LIFETIME = timedelta(seconds=360)
ACK_DEADLINE = timedelta(seconds=3)
# Between "go" and being shown the door. Closing at once would make slack_sdk's client open two new connections.
GRACE = timedelta(seconds=1)
# Slack says about ten seconds; one is enough for a client that heeds it, and keeps tests short.
WARNED_BEFORE = timedelta(seconds=1)
# Slack pings its clients; a peer that is gone without a word is noticed after this.
HEARTBEAT_SECONDS = 30.0
HOST = "applink-demo"


class EnvelopeKind(StrEnum):
    COMMAND = "slash_commands"
    INTERACTIVE = "interactive"
    EVENT = "events_api"


class DisconnectReason(StrEnum):
    WARNING = "warning"
    REFRESH = "refresh_requested"
    LINK_DISABLED = "link_disabled"
    TOO_MANY = "too_many_websockets"


@dataclass(frozen=True, slots=True)
class Retry:
    """That an event was sent before: how often, and why again."""

    attempt: int = 0
    reason: str = ""


@dataclass(slots=True, eq=False)
class Connection:
    number: int
    socket: web.WebSocketResponse
    request: web.Request
    lifetime: timedelta = USUAL_LIFETIME
    envelopes: list[str] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class SocketMode:
    """All connections of one app. Each envelope goes to exactly one of them, in turn."""

    def __init__(self, *, app_id: str, clock: Clock, tally: Tally, changes: ChangeFeed) -> None:
        self.ack_deadline = ACK_DEADLINE
        self._refreshing: asyncio.Task[None] | None = None
        self._app_id = app_id
        self._clock = clock
        self._tally = tally
        self._changes = changes
        self._tickets: set[str] = set()
        self._connections: list[Connection] = []
        self._numbers = 0
        self._waiting: dict[str, asyncio.Future[Json | None]] = {}

    @property
    def connections(self) -> tuple[Connection, ...]:
        return tuple(self._connections)

    def issue_ticket(self) -> str:
        """A ticket that opens one connection, once."""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return ticket

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends. Refused without a fresh ticket; the eleventh is sent away at once."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=408, text="this URL has been used or has expired")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS)
        await socket.prepare(request)
        if len(self._connections) >= MOST_CONNECTIONS:
            await self._say(socket, self._goodbye(DisconnectReason.TOO_MANY))
            await socket.close(code=WSCloseCode.OK)
            return socket
        connection = self._admit(socket, request)
        ageing = asyncio.get_running_loop().create_task(self._grow_old(connection))
        try:
            await socket.send_json(self._hello(connection.lifetime))
            await self._listen(socket)
        except ConnectionError:
            pass  # the peer vanished while we spoke: the same as a close
        finally:
            ageing.cancel()
            self._dismiss(connection)
        return socket

    async def deliver(
        self, kind: EnvelopeKind, payload: Json, *, accepts_response: bool, retry: Retry | None = None
    ) -> Ack:
        """Send one envelope and wait for its ack until the deadline. Never raises for a peer that is slow or gone."""
        envelope: Json = {
            "envelope_id": str(uuid.uuid4()),
            "payload": payload,
            "type": kind.value,
            "accepts_response_payload": accepts_response,
        }
        if retry is not None:
            envelope |= {"retry_attempt": retry.attempt, "retry_reason": retry.reason}
        return await self._send_and_wait(envelope)

    async def _send_and_wait(self, envelope: Json) -> Ack:
        acked: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = acked
        started = self._clock.steady()
        answer: Json | None = None
        outcome = AckOutcome.NO_CONNECTION
        try:
            connection = await self._send(envelope)
            if connection is not None:
                async with asyncio.timeout(self.ack_deadline.total_seconds()):
                    answer = await acked
                outcome = AckOutcome.ACKED
        except TimeoutError:
            outcome = AckOutcome.TIMED_OUT
        finally:
            del self._waiting[envelope["envelope_id"]]
        return Ack(
            kind=envelope["type"],
            envelope_id=envelope["envelope_id"],
            outcome=outcome,
            latency=self._clock.steady() - started,
            connection=connection.number if connection else 0,
            attempt=envelope.get("retry_attempt", 0),
            payload=answer,
        )

    async def disconnect(self, reason: DisconnectReason, *, number: int | None = None) -> int:
        """Tell connections (or the one `number`) to go; a warning leaves them open. Returns how many were told.

        A client that does not close by itself is closed after a moment.
        """
        chosen = [c for c in self._connections if number in {None, c.number}]
        for connection in chosen:
            await self._say(connection.socket, self._goodbye(reason))
        if reason is not DisconnectReason.WARNING:
            await asyncio.gather(*(self._see_off(connection) for connection in chosen))
        return len(chosen)

    def refresh_every(self, period: timedelta | None) -> None:
        """From now on tell all connections to go after each `period`: first the warning, then the end."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            self._refreshing = None
        if period is not None:
            self._refreshing = asyncio.get_running_loop().create_task(self._keep_refreshing(period))

    async def _keep_refreshing(self, period: timedelta) -> None:
        while True:
            await self._clock.sleep(period)
            chosen = self.connections
            for connection in chosen:
                await self._warn(connection)
            await asyncio.gather(*(self._refresh(connection) for connection in chosen))

    async def _grow_old(self, connection: Connection) -> None:
        await self._clock.sleep(connection.lifetime)
        await self._warn(connection)
        await self._refresh(connection)

    async def _warn(self, connection: Connection) -> None:
        await self._say(connection.socket, self._goodbye(DisconnectReason.WARNING))

    async def _refresh(self, connection: Connection) -> None:
        """A client that took the warning seriously is gone by itself; the others are told, and then shown the door."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WARNED_BEFORE.total_seconds()):
                await connection.ended.wait()
                return
        await self._say(connection.socket, self._goodbye(DisconnectReason.REFRESH))
        await self._see_off(connection)

    def cut(self, *, number: int | None = None) -> int:
        """End connections without a word, as a network does."""
        chosen = [c for c in self._connections if number in {None, c.number}]
        for connection in chosen:
            if connection.request.transport is not None:
                connection.request.transport.abort()
            self._dismiss(connection)
        return len(chosen)

    async def close(self) -> None:
        self.refresh_every(None)
        for connection in self.connections:
            await connection.socket.close(code=WSCloseCode.GOING_AWAY)

    def _dismiss(self, connection: Connection) -> None:
        """From now on it is none of ours, whatever its socket still does."""
        if connection in self._connections:
            self._connections.remove(connection)
            connection.ended.set()
            self._changes.publish(ChangeKind.CONNECTIONS, subject=str(connection.number))

    def _admit(self, socket: web.WebSocketResponse, request: web.Request) -> Connection:
        self._numbers += 1
        debugged = request.query.get("debug_reconnects") == "true"
        lifetime = DEBUG_LIFETIME if debugged else USUAL_LIFETIME
        connection = Connection(self._numbers, socket, request, lifetime)
        self._connections.append(connection)
        self._changes.publish(ChangeKind.CONNECTIONS, subject=str(connection.number))
        return connection

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self._heard(message.data)

    def _heard(self, frame: str) -> None:
        """An ack counts whichever connection it comes on: clients answer on their newest one."""
        try:
            said = json.loads(frame)
        except ValueError:
            return
        envelope_id = said.get("envelope_id") if isinstance(said, dict) else None
        if not isinstance(envelope_id, str):
            return
        waiting = self._waiting.get(envelope_id)
        if waiting is None:
            self._tally.late_acks.append(envelope_id)
            self._changes.publish(ChangeKind.DELIVERY, subject=envelope_id)
        elif not waiting.done():
            payload = said.get("payload")
            waiting.set_result(payload if isinstance(payload, dict) and payload else None)

    async def _send(self, envelope: Json) -> Connection | None:
        """Send to the next connection whose turn it is; one that turns out dead loses its turn."""
        for connection in self.connections:
            self._connections.remove(connection)
            self._connections.append(connection)
            if await self._say(connection.socket, envelope):
                connection.envelopes.append(envelope["envelope_id"])
                return connection
        return None

    async def _say(self, socket: web.WebSocketResponse, frame: Json) -> bool:
        try:
            await socket.send_json(frame)
        except ConnectionError:
            return False
        return not socket.closed

    async def _see_off(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(GRACE.total_seconds()):
                await connection.ended.wait()
        except TimeoutError:
            await connection.socket.close(code=WSCloseCode.OK)

    def _hello(self, lifetime: timedelta) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "debug_info": {
                "host": HOST,
                "build_number": 1,
                "approximate_connection_time": int(lifetime.total_seconds()),
            },
            "connection_info": {"app_id": self._app_id},
        }

    def _goodbye(self, reason: DisconnectReason) -> Json:
        return {"type": "disconnect", "reason": reason.value, "debug_info": {"host": HOST}}
