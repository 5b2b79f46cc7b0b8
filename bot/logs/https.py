"""Logs over a host's own HTTPS: `https://HOST/host/<log>.log`, asked for what is new at every interval.

What lives here: from addresses to batches. What may not: requests and what their answers mean (`host_web`), or what
becomes of a place over rotations (`shelf`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.hostlog.line import HostKey
from bot.hostlog.roll import SourceKind
from bot.logs.addresses import HTTPS_PORT, Addresses, by_name, host_name, log_name
from bot.logs.host_web import HostWeb, HttpsShelf, Trust
from bot.logs.patience import PAUSES, Pauses, persistently, told
from bot.logs.port import Batch
from bot.logs.shelf import SETTLE, Reader, read_lately
from bot.ssh.port import Address

EVERY: Final = timedelta(seconds=10)


class HttpsSource:
    """Implements `LogSource` with one client per host for all its logs. A line is delivered within the interval.

    Every line comes once and in order, over breaks, restarts and rotations, as long as the host lists the files
    `<log>.N.gz` that were written meanwhile; else a gap is told. Only what is new is fetched where the host honours
    Range; else the whole log, every time. The password is asked for at every request, because each is a login.
    """

    kind = SourceKind.HTTPS

    def __init__(
        self,
        *,
        user: str,
        password: Callable[[], str],
        ca_file: Path | None = None,
        addresses: Addresses | None = None,
        every: timedelta = EVERY,
        settle: timedelta = SETTLE,
        pauses: Pauses = PAUSES,
    ) -> None:
        self._trust = Trust(user, password, ca_file)
        self._addresses = addresses or by_name(HTTPS_PORT)
        self._every = every
        self._settle = settle
        self._pauses = pauses
        self._webs: dict[Address, HostWeb] = {}

    async def follow(self, host: HostKey, log: str, *, cursor: str) -> AsyncGenerator[Batch, None]:
        """As `LogSource` promises."""
        reader: Reader | None = None

        async def attempt() -> AsyncGenerator[Batch, None]:
            nonlocal reader
            if reader is None:
                shelf = HttpsShelf(await stack.enter_async_context(self._web(host)), log_name(log))
                reader = Reader(shelf, cursor, settle=self._settle)
            async with aclosing(reader.catch_up()) as batches:
                async for batch in batches:
                    yield batch

        async with AsyncExitStack() as stack:
            persistent = persistently(attempt, cursor=cursor, every=self._every, pauses=self._pauses)
            async with aclosing(persistent) as batches:
                async for batch in batches:
                    yield batch

    async def once(self, host: HostKey, log: str, *, since: timedelta) -> AsyncIterator[Batch]:  # noqa: ARG002 - see below
        """Deliver about the last 4 MiB, whenever they were written: lines' times are for who asks to look at."""

        async def attempt() -> AsyncIterator[Batch]:
            async with self._web(host) as web:
                async for batch in read_lately(HttpsShelf(web, log_name(log))):
                    yield batch

        async for batch in told(attempt()):
            yield batch

    @asynccontextmanager
    async def _web(self, host: HostKey) -> AsyncIterator[HostWeb]:
        """The client of this host, closed when nobody reads it any more."""
        address = self._addresses(host)
        web = self._webs.setdefault(address, HostWeb(host_name(host), address, self._trust))
        web.users += 1
        try:
            yield web
        finally:
            web.users -= 1
            if not web.users:
                self._webs.pop(address, None)
                await web.close()
