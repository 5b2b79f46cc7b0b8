"""Pools that look for their server at each new connection: the sentinels' master, or a cluster's owner of our slot.

Whoever answers that it is not in charge any more is treated as a lost connection, because to ask again is to ask the
right one. No address is kept longer than a connection lives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from weakref import proxy

from redis.asyncio import BlockingConnectionPool, Connection, SSLConnection
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,  # noqa: A004 - redis' own names
    MovedError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004
    TryAgainError,
)

from bot.store import keys

Place = tuple[str, int]

OUR_SLOT: Final[int] = key_slot(keys.PREFIX.encode())
"""All keys have one hash tag, so one node of a cluster has all of them."""

_ASKING: Final = 2.0  # seconds for one node to say who owns the slot
_NOT_LOCAL: Final = "non local key"  # what a script is told whose slot is on the move


class SentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to whoever is the master now; who finds none free waits instead of failing."""

    async def doubt(self) -> None:
        """Who answers may be cut off from the sentinels: the next connection asks them."""
        await self.disconnect(inuse_connections=False)

    async def aclose(self) -> None:
        """Close the sentinels' connections too: each is a client with a pool of its own."""
        for sentinel in self.sentinel_manager.sentinels:
            await sentinel.aclose()
        await super().aclose()


class ClusterPool(BlockingConnectionPool):
    """Connections to the node that owns our slot, by what any node of the cluster says of it."""

    def __init__(self, nodes: Sequence[Place], *, tls: bool, **options: Any) -> None:
        self._ask_by: type[Connection] = SSLConnection if tls else Connection
        super().__init__(connection_class=_SSLOwnedConnection if tls else _OwnedConnection, **options)
        self._ask_with = dict(self.connection_kwargs)
        self.connection_kwargs["pool"] = proxy(self)  # a connection must not keep its pool from being collected
        self._nodes = list(nodes)  # who answered last goes first
        self._owner: Place | None = None

    async def owner(self) -> Place:
        """Where our slot is now. Idle connections to another node are closed. ConnectionError when nobody knows."""
        found = await self._ask_all()
        if found != self._owner:
            self._owner = found
            await self.disconnect(inuse_connections=False)
        return found

    def distrust(self) -> None:
        """What the node said that was asked last proved wrong: ask another one first."""
        self._nodes.append(self._nodes.pop(0))

    async def doubt(self) -> None:
        """Who answers may be cut off from the cluster: the next connection asks another node."""
        self.distrust()
        await self.disconnect(inuse_connections=False)

    async def _ask_all(self) -> Place:
        reasons = []
        for node in tuple(self._nodes):
            try:
                async with asyncio.timeout(_ASKING):
                    slots = await self._ask(node)
                found = _owner_in(slots, node)
            except (ConnectionError, TimeoutError, OSError) as error:
                reasons.append(f"{node[0]}:{node[1]}: {error or 'no reply in time'}")
                continue
            self._remember(node, slots)
            return found
        raise ConnectionError("no node says who has our slot: " + "; ".join(reasons))

    async def _ask(self, node: Place) -> list[Any]:
        connection = self._ask_by(host=node[0], port=node[1], **self._ask_with)
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            await connection.send_command("CLUSTER", "SLOTS")
            slots: list[Any] = await connection.read_response()
            return slots
        finally:
            await connection.disconnect(nowait=True)

    def _remember(self, node: Place, slots: Sequence[Any]) -> None:
        """The nodes of the URL may all be gone one day; those that took their place are known from the others."""
        told = [_place(member, node) for _, _, *members in slots for member in members]
        self._nodes = list(dict.fromkeys([node, *self._nodes, *told]))


class _OwnedConnection(Connection):
    """A connection to the owner of our slot, asked for at each connect."""

    def __init__(self, *, pool: ClusterPool, **options: Any) -> None:
        self._pool = pool
        super().__init__(**options)

    async def connect(self) -> None:
        if not self.is_connected:
            self.host, self.port = await self._pool.owner()
        await super().connect()  # type: ignore[no-untyped-call]

    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*args, **options)
        except ResponseError as error:
            why = _elsewhere(error)
            if not why:
                raise
        # Outside of the handler, so that this is a lost connection and nothing of the refusal is attached to it.
        self._pool.distrust()
        await self.disconnect()
        raise ConnectionError(why)


class _SSLOwnedConnection(_OwnedConnection, SSLConnection):
    pass


def _elsewhere(error: ResponseError) -> str:
    """Why this node is not the one to ask; empty if it is. ASK is not followed: half of our keys may be there."""
    match error:
        case MovedError():
            return "another node has our slot now"
        case AskError() | TryAgainError():
            return "our slot is on its way to another node"
        case ClusterDownError():
            return f"the cluster is down: {error}"
        case ReadOnlyError():
            return "the node has become a replica"
        case _ if _NOT_LOCAL in str(error):
            return "our slot is on its way to another node"
        case _:
            return ""


def _owner_in(slots: Sequence[Any], asked: Place) -> Place:
    for first, last, primary, *_ in slots:
        if first <= OUR_SLOT <= last:
            return _place(primary, asked)
    raise ConnectionError("no node has our slot")


def _place(member: Sequence[Any], asked: Place) -> Place:
    """Where a node is; one that does not know its own name is where it was asked."""
    host, port, *_ = member
    return (asked[0] if host in (None, "", "?") else str(host), int(port))
