"""The machine behind the door: asyncssh, one connection per host, and nothing of the user's own SSH set-up.

No ~/.ssh/config, no agent, no password: a key file and a file of known hosts are all that counts. A host whose key is
not in that file is not spoken to.
"""

from __future__ import annotations

import asyncio
import logging
import shlex
import socket
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import asyncssh

from bot.errors import OutsideError, UnreachableError
from bot.ssh.port import Address, Line, Running
from bot.ssh.refusals import Attempt, connection_refusal, lost, too_many

CONNECT_WITHIN: Final = timedelta(seconds=15)
KEEP_ALIVE: Final = timedelta(seconds=15)
SILENT_LOOKS: Final = 3
AT_ONCE: Final = 16
_FAREWELL: Final = 2.0

logging.getLogger("asyncssh").setLevel(logging.WARNING)  # else several lines for every command


@dataclass(eq=False)
class _Pooled:
    """A connection that is shared. `lock` is held while it is opened, so that a host is asked once at a time."""

    lock: asyncio.Lock
    users: int = 0
    connection: asyncssh.SSHClientConnection | None = None
    refusal: OutsideError | None = None
    refused_at: float = 0.0


class SshShell:
    """Implements `Shell` for one account.

    A connection over which nothing comes for about a minute, not even an answer to a keep-alive, counts as lost. At
    most `at_once` hosts are being logged in to at the same time; those that do not even answer keep nobody waiting.
    """

    def __init__(
        self,
        *,
        user: str,
        key_file: Path,
        known_hosts_file: Path,
        connect_within: timedelta = CONNECT_WITHIN,
        keep_alive: timedelta = KEEP_ALIVE,
        at_once: int = AT_ONCE,
    ) -> None:
        self._user = user
        self._key_file = key_file
        self._known_hosts_file = known_hosts_file
        self._within = connect_within.total_seconds()
        self._keep_alive = keep_alive.total_seconds()
        self._gate = asyncio.Semaphore(at_once)
        self._pool: dict[Address, _Pooled] = {}

    @asynccontextmanager
    async def connected(self, address: Address) -> AsyncIterator[Line]:
        """As `Shell` promises."""
        pooled = self._pool.setdefault(address, _Pooled(asyncio.Lock()))
        pooled.users += 1
        try:
            yield _Open(address, await self._ready(pooled, address))
        finally:
            pooled.users -= 1
            if not pooled.users:
                self._pool.pop(address, None)
                await _close(pooled.connection)

    async def _ready(self, pooled: _Pooled, address: Address) -> asyncssh.SSHClientConnection:
        """The connection, new if there is none. Who waits for an attempt of another's shares what comes of it."""
        asked = time.monotonic()
        async with pooled.lock:
            if pooled.refusal is not None and pooled.refused_at > asked:
                raise pooled.refusal
            if pooled.connection is None or pooled.connection.is_closed():
                try:
                    pooled.connection = await self._connect(address)
                except OutsideError as refusal:
                    pooled.refusal, pooled.refused_at = refusal, time.monotonic()
                    raise
            return pooled.connection

    async def _connect(self, address: Address) -> asyncssh.SSHClientConnection:
        attempt = Attempt(address, self._user, self._key_file, self._known_hosts_file)
        try:
            async with asyncio.timeout(self._within):
                wire = await _dial(address)
            try:
                async with self._gate, asyncio.timeout(self._within):
                    return await self._log_in(address, wire)
            except BaseException:
                wire.close()
                raise
        except (asyncssh.Error, OSError, ValueError) as error:
            raise connection_refusal(error, attempt) from error

    def _log_in(self, address: Address, wire: socket.socket) -> Awaitable[asyncssh.SSHClientConnection]:
        return asyncssh.connect(
            address.host,
            address.port,
            sock=wire,
            username=self._user,
            client_keys=[str(self._key_file)],
            known_hosts=str(self._known_hosts_file),
            config=None,
            agent_path=None,
            agent_forwarding=False,
            preferred_auth=["publickey"],
            password_auth=False,
            kbdint_auth=False,
            gss_host=None,
            x509_trusted_certs=None,
            keepalive_interval=self._keep_alive,
            keepalive_count_max=SILENT_LOOKS,
            login_timeout=self._within,
        )


class _Open:
    """Implements `Line`."""

    def __init__(self, address: Address, connection: asyncssh.SSHClientConnection) -> None:
        self._address = address
        self._connection = connection

    @asynccontextmanager
    async def run(self, command: str) -> AsyncIterator[Running]:
        """As `Line` promises."""
        process = await self._start(f"exec sh -c {shlex.quote(command)}")
        try:
            yield _Command(self._address, process)
        finally:
            process.close()

    async def _start(self, command: str) -> asyncssh.SSHClientProcess[bytes]:
        try:
            return await self._connection.create_process(command, encoding=None, stderr=asyncssh.DEVNULL)
        except asyncssh.ChannelOpenError as error:
            raise (lost if self._connection.is_closed() else too_many)(self._address) from error
        except (asyncssh.Error, OSError) as error:
            raise lost(self._address) from error


class _Command:
    """Implements `Running`."""

    def __init__(self, address: Address, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._address = address
        self._process = process

    async def read(self, most: int) -> bytes:
        """As `Running` promises. Cancelling it loses nothing: the next call has what came meanwhile."""
        try:
            return await self._process.stdout.read(most)
        except (asyncssh.Error, OSError) as error:
            raise lost(self._address) from error

    async def status(self) -> int:
        """As `Running` promises."""
        try:
            await self._process.wait_closed()
        except (asyncssh.Error, OSError) as error:
            raise lost(self._address) from error
        status = self._process.exit_status
        if status is None:
            raise lost(self._address)
        if status < 0:
            raise UnreachableError(f"A command on {self._address.host} was ended there by a signal.")
        return status


async def _dial(address: Address) -> socket.socket:
    """Reach a port, at the first of its name's addresses that answers."""
    loop = asyncio.get_running_loop()
    failure: OSError = socket.gaierror("no address")
    try:
        places = await loop.getaddrinfo(*address, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a name with a part that is empty or too long
        raise failure from error
    for family, kind, protocol, _, place in places:
        wire = socket.socket(family, kind, protocol)
        wire.setblocking(False)
        try:
            await loop.sock_connect(wire, place)
        except OSError as error:
            wire.close()
            failure = error
        except BaseException:
            wire.close()
            raise
        else:
            return wire
    raise failure


async def _close(connection: asyncssh.SSHClientConnection | None) -> None:
    """Say good-bye; a host that does not answer to that is left."""
    if connection is None:
        return
    connection.close()
    with suppress(asyncssh.Error, OSError, OutsideError):
        async with asyncio.timeout(_FAREWELL):
            await connection.wait_closed()
            return
    connection.abort()
