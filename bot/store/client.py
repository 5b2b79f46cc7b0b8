"""The Redis client: how we connect, what is asked again, and how its failures are put.

`Store` has every command of redis-py. What it adds: failures are those of `bot.errors`; only reads are repeated when
a connection is lost, because redis-py cannot know whether a lost write was carried out; replies are text.

A read that blocks goes through `store.blocking`, which has connections of its own: a waiting reader must never keep
a lease from being renewed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.client import NEVER_DECODE
from redis.exceptions import NoScriptError, ResponseError

from bot.errors import OutsideError, UnconfirmedError
from bot.store.durability import Durability
from bot.store.failure import FOREIGN, cut_off, lost, translate
from bot.store.following import ClusterPool, SentinelPool
from bot.store.form import CONNECTION_NAME
from bot.store.together import Together
from bot.store.url import Address, parse

LONGEST_BLOCK: Final = timedelta(seconds=20)
"""What a blocking read may ask for; a connection that is silent for much longer is taken for dead."""

_CONNECT_TIMEOUT: Final = 2.0
_REPLY_TIMEOUT: Final = 5.0
_CONNECTIONS: Final = 32
_WAITS: Final = (0.05, 0.25)  # before the second and the third try of something that may be repeated

_READS: Final = frozenset(
    """
    EXISTS GET GETRANGE HEXISTS HGET HGETALL HLEN HMGET INFO LLEN LRANGE MGET PING PTTL SCAN SCARD SISMEMBER SMEMBERS
    SMISMEMBER STRLEN TIME TTL TYPE XINFO XLEN XRANGE XREAD XREVRANGE ZCARD ZCOUNT ZMSCORE ZRANGE ZRANGEBYSCORE ZRANK
    ZREVRANGE ZSCORE
    """.split()  # noqa: SIM905 - a list of words reads better than forty quoted ones
)


class _Pipeline(Pipeline):
    """Never repeated: a part of it may have been carried out."""

    where = ""
    reply_timeout: float | None = None

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - redis-py's signature
        try:
            async with asyncio.timeout(self.reply_timeout):
                return await super().execute(raise_on_error)
        except FOREIGN as error:
            raise translate(error, self.where) from error


class Store(Redis):
    """A connection pool to one Redis. Close it with `aclose`, or use it as `async with`."""

    where: str = ""
    """The server's address without credentials."""

    reply_timeout: float | None = None
    """Seconds for one command, from the wait for a connection to the end of the reply; blocking comes on top."""

    durability: Durability = Durability()
    """What a durable change waits for."""

    blocking: Store
    """The same server through connections that only wait; block for `LONGEST_BLOCK` at most."""

    @cached_property
    def together(self) -> Together:
        """Commands that may share a round trip. Answers are text; a failure of one is its own."""
        return Together(self._all)

    @cached_property
    def together_durably(self) -> Together:
        """The same for durable changes: one wait, once all are made, confirms them all or none."""
        return Together(self._all_confirmed)

    async def _all(self, commands: Sequence[tuple[Any, ...]]) -> Sequence[Any]:
        pipeline = self.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return self._translated(await pipeline.execute(raise_on_error=False))

    async def _all_confirmed(self, commands: Sequence[tuple[Any, ...]]) -> Sequence[Any]:
        if not self.durability.wanted:
            return await self._all(commands)
        answers = await self._tried(lambda: self._confirmed(commands), repeatable=False)
        if any(isinstance(answer, UnconfirmedError) for answer in answers):
            await self._doubt()
        return self._translated(answers)

    def _translated(self, answers: Sequence[Any]) -> Sequence[Any]:
        """Failures in our words; an unknown script is for whoever knows its text."""
        return [
            translate(answer, self.where)
            if isinstance(answer, FOREIGN) and not isinstance(answer, NoScriptError)
            else answer
            for answer in answers
        ]

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """One command. It is tried three times if it only reads, or if the caller says `repeatable=True`."""
        repeatable = options.pop("repeatable", False) or str(args[0]).upper() in _READS
        return await self._tried(lambda: self._sent(args, options), repeatable=repeatable)

    async def durable_command(self, *args: Any, repeatable: bool = False) -> Any:
        """One command that changes something, and the wait for those who are to have it too.

        Raises `UnconfirmedError` when the change was made and too few confirmed it.
        """
        if not self.durability.wanted:
            return await self.execute_command(*args, repeatable=repeatable)
        return await self._tried(lambda: self._one_confirmed(args), repeatable=repeatable)

    async def _tried(self, send: Callable[[], Awaitable[Any]], *, repeatable: bool) -> Any:
        for wait in (*_WAITS, None) if repeatable else (None,):
            try:
                return await send()
            except NoScriptError:
                raise
            except FOREIGN as error:
                if cut_off(error):
                    await self._doubt()
                if wait is None or not lost(error):
                    raise translate(error, self.where) from error
                await asyncio.sleep(wait)
            except UnconfirmedError:
                await self._doubt()
                raise
        raise AssertionError  # the last round returns or raises

    async def _doubt(self) -> None:
        """Who says so may be a primary that was cut off and replaced; where somebody knows better, ask."""
        if isinstance(self.connection_pool, SentinelPool | ClusterPool):
            await self.connection_pool.doubt()

    async def _sent(self, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
        # Not redis-py's socket_timeout: it sends under asyncio.wait_for, which on Python 3.11 loses a
        # cancellation that comes while a command is being sent, and a stopping worker would go on waiting.
        # What is asked to block is given that much longer and no more: a server that has gone silent is left soon.
        patience = None if self.reply_timeout is None else self.reply_timeout + _blocks_for(args)
        async with asyncio.timeout(patience):
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    async def _one_confirmed(self, args: Sequence[Any]) -> Any:
        (answer,) = await self._confirmed([args])
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _confirmed(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """An answer or an error for each, once what confirms them all has answered, too."""
        pipeline = Pipeline(self.connection_pool, self.response_callbacks, False, None)
        for command in (*commands, *self.durability.commands()):
            pipeline.execute_command(*command)
        async with asyncio.timeout(self.reply_timeout):
            answers = await pipeline.execute(raise_on_error=False)
        replies, confirmations = answers[: len(commands)], answers[len(commands) :]
        if all(isinstance(reply, ResponseError) for reply in replies):
            return replies  # nothing was changed that could be confirmed
        for answer in confirmations:
            if isinstance(answer, ResponseError) and lost(answer):
                raise answer  # it is no primary any more: the change may have gone with that
        try:
            self.durability.check(confirmations, self.where)
        except UnconfirmedError as error:
            return [reply if isinstance(reply, ResponseError) else error for reply in replies]
        return replies

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> _Pipeline:  # noqa: FBT001, FBT002
        """Several commands in one round trip."""
        pipeline = _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipeline.where, pipeline.reply_timeout = self.where, self.reply_timeout
        return pipeline

    async def hash(self, key: str) -> dict[str, str]:
        """A whole hash; empty if there is none. Those that are asked for in one turn of the loop share a round trip."""
        found: dict[str, str]
        try:
            found = await self.together("HGETALL", key)
        except OutsideError:  # then it is asked as if nobody had tried
            found = await self.execute_command("HGETALL", key)
        return found

    async def text(self, key: str) -> str | None:
        """A string, or None."""
        found: str | None = await self.execute_command("GET", key)
        return found

    async def raw(self, key: str) -> bytes | None:
        """A string's bytes as they are, or None."""
        found: bytes | None = await self.execute_command("GET", key, **{NEVER_DECODE: []})
        return found

    async def tail(
        self, stream: str, after: str, *, block: timedelta, count: int = 100
    ) -> list[tuple[str, dict[str, str]]]:
        """Entries of a stream after this id, oldest first; waits for one for `block`, and then returns none."""
        # Rounded up, because 0 would mean for ever and too little would be early for what is due.
        wait = int(block.total_seconds() * 1000) + 1
        found = await self.blocking.execute_command("XREAD", "COUNT", count, "BLOCK", wait, "STREAMS", stream, after)
        return [entry for _, entries in found or () for entry in entries]

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: FBT001 - redis-py's signature
        """Close all connections, those of `blocking` too."""
        sibling = self.__dict__.get("blocking")
        if sibling is not None and sibling is not self:
            await sibling.aclose(close_connection_pool)
        await super().aclose(close_connection_pool)


def connect(
    url: str, *, ca_file: Path | None = None, confirm_replicas: int | None = None, confirm_disk: bool = False
) -> Store:
    """A client for any form of URL that `bot.store.url` names. Connects at first use.

    A durable change waits for `confirm_replicas` (None: one where sentinels watch, else none), and with
    `confirm_disk` until it is on disk. Raises `UserError` for another form of URL. TLS is verified against
    `ca_file`, or the system's authorities.
    """
    address = parse(url)
    replicas = int(bool(address.master)) if confirm_replicas is None else confirm_replicas
    store = _client(address, ca_file, reply_timeout=_REPLY_TIMEOUT)
    store.durability = Durability(replicas=replicas, disk=confirm_disk)
    store.blocking = _client(address, ca_file, reply_timeout=_REPLY_TIMEOUT)
    store.blocking.blocking = store.blocking
    return store


def _blocks_for(args: Sequence[Any]) -> float:
    """Seconds that the server was told to wait before it answers with nothing."""
    match args[0]:
        case "BLPOP":
            return float(args[-1])
        case "XREAD":
            named = next((at for at, word in enumerate(args) if word in {"BLOCK", b"BLOCK"}), None)
            return 0.0 if named is None else float(args[named + 1]) / 1000
    return 0.0


def _client(address: Address, ca_file: Path | None, *, reply_timeout: float) -> Store:
    store = Store(connection_pool=_pool(address, _options(address, ca_file)))
    store.auto_close_connection_pool = True
    store.where, store.reply_timeout = address.where, reply_timeout
    return store


def _options(address: Address, ca_file: Path | None) -> dict[str, Any]:
    options: dict[str, Any] = {
        "db": address.db,
        "username": address.user,
        "password": address.password,
        "client_name": CONNECTION_NAME,
        "decode_responses": True,
        "protocol": 2,
        "socket_timeout": None,
        "socket_connect_timeout": _CONNECT_TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
        "max_connections": _CONNECTIONS,
        "timeout": None,
    }
    if not address.socket:
        options["socket_keepalive"] = True
    if address.tls:
        options["ssl_ca_certs"] = str(ca_file) if ca_file else None
    return options


def _pool(address: Address, options: dict[str, Any]) -> BlockingConnectionPool:
    if address.socket:
        return BlockingConnectionPool(connection_class=UnixDomainSocketConnection, path=address.socket, **options)
    if address.master:
        sentinels = Sentinel(list(address.hosts), sentinel_kwargs=_sentinel_options(address, options))  # type: ignore[no-untyped-call]
        return SentinelPool(address.master, sentinels, ssl=address.tls, **options)  # type: ignore[no-untyped-call]
    if address.cluster:
        return ClusterPool(address.hosts, tls=address.tls, **options)
    ((host, port),) = address.hosts
    kind = SSLConnection if address.tls else Connection
    return BlockingConnectionPool(connection_class=kind, host=host, port=port, **options)


def _sentinel_options(address: Address, options: dict[str, Any]) -> dict[str, Any]:
    shared = {"socket_connect_timeout", "protocol", "retry"}
    tls = {"ssl": True, "ssl_ca_certs": options["ssl_ca_certs"]} if address.tls else {}
    return {
        **{name: options[name] for name in shared},
        **tls,
        "socket_timeout": _CONNECT_TIMEOUT,
        "decode_responses": True,
        "username": address.sentinel_user,
        "password": address.sentinel_password,
    }
