"""Logs over SSH: `tail` on the host, one connection for all logs of a host.

What lives here: from the scripts' bytes to batches. What may not: the SSH library (`bot.ssh`), shell text
(`ssh_scripts`), or what becomes of a place over rotations (`shelf`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import timedelta
from typing import Final

from bot.errors import BugError, OutsideError
from bot.hostlog.line import HostKey
from bot.hostlog.roll import SourceKind
from bot.logs import ssh_scripts
from bot.logs.addresses import SSH_PORT, Addresses, by_name, host_name, log_name
from bot.logs.packed import unpacked
from bot.logs.patience import PAUSES, Pauses, persistently, told
from bot.logs.port import Batch
from bot.logs.shelf import PAGE, SETTLE, GoneError, Pages, Reader, read_lately, skipping
from bot.logs.ssh_scripts import Found
from bot.ssh.port import Line, Running, Shell

FOLDER: Final = "/var/log"
BATCH: Final = timedelta(milliseconds=200)
LOOK: Final = timedelta(seconds=2)
MARK_WITHIN: Final = timedelta(seconds=10)


class SshSource:
    """Implements `LogSource`. A line is delivered about a fifth of a second after tail has seen it, at the latest.

    tail itself sees it at once where the host's kernel tells it, and within a second with busybox. Every line comes
    once and in order, over lost connections, restarts and rotations, as long as the host has the files `<log>.N.gz`
    that were written meanwhile; else a gap is told. A half written line waits for its end.
    """

    kind = SourceKind.SSH

    def __init__(
        self,
        shell: Shell,
        *,
        addresses: Addresses | None = None,
        folder: str = FOLDER,
        look: timedelta = LOOK,
        settle: timedelta = SETTLE,
        pauses: Pauses = PAUSES,
    ) -> None:
        self._shell = shell
        self._addresses = addresses or by_name(SSH_PORT)
        self._folder = folder.rstrip("/")
        self._look = look
        self._settle = settle
        self._pauses = pauses

    async def follow(self, host: HostKey, log: str, *, cursor: str) -> AsyncGenerator[Batch, None]:
        """As `LogSource` promises."""
        shelf = SshShelf(self._folder)
        reader = Reader(shelf, cursor, settle=self._settle)

        async def attempt() -> AsyncGenerator[Batch, None]:
            async with self._opened(shelf, host, log) as line:
                while True:
                    async with aclosing(reader.catch_up()) as batches:
                        async for batch in batches:
                            yield batch
                    async with aclosing(self._tail(line, shelf, reader)) as batches:
                        async for batch in batches:
                            yield batch

        async with aclosing(persistently(attempt, cursor=cursor, every=self._look, pauses=self._pauses)) as batches:
            async for batch in batches:
                yield batch

    async def once(self, host: HostKey, log: str, *, since: timedelta) -> AsyncIterator[Batch]:  # noqa: ARG002 - see below
        """Deliver about the last 4 MiB, whenever they were written: lines' times are for who asks to look at."""

        async def attempt() -> AsyncIterator[Batch]:
            shelf = SshShelf(self._folder)
            async with self._opened(shelf, host, log):
                async for batch in read_lately(shelf):
                    yield batch

        async for batch in told(attempt()):
            yield batch

    @asynccontextmanager
    async def _opened(self, shelf: SshShelf, host: HostKey, log: str) -> AsyncIterator[Line]:
        shelf.log, shelf.host = log_name(log), host_name(host)
        async with self._shell.connected(self._addresses(host)) as line:
            shelf.line = line
            yield line

    async def _tail(self, line: Line, shelf: SshShelf, reader: Reader) -> AsyncGenerator[Batch, None]:
        """Follow the current file from the reader's place until it is replaced; give up at once if it is another."""
        cutter = reader.cutter
        cutter.forget()
        mark = cutter.place.mark
        every = f"{self._look.total_seconds():g}"
        async with line.run(ssh_scripts.follow(shelf.current, start=cutter.place.start, every=every)) as running:
            begin = await _begin(running, len(mark))
            if not begin.startswith(mark):
                await asyncio.sleep(self._look.total_seconds())
                return
            yield reader.batch([])
            data = begin[len(mark) :]
            while True:
                if lines := cutter.take(data):
                    yield reader.batch(lines)
                    await asyncio.sleep(BATCH.total_seconds())
                if not (data := await running.read(PAGE)):
                    break
            shelf.judge(await running.status())


async def _begin(running: Running, count: int) -> bytes:
    """Read so much. A file that has become shorter than that never shows it."""
    seen = b""
    try:
        async with asyncio.timeout(MARK_WITHIN.total_seconds()):
            while len(seen) < count and (data := await running.read(PAGE)):
                seen += data
    except TimeoutError:
        return b""
    return seen


class SshShelf:
    """Implements `Shelf` over whatever connection there is now."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.host = self.log = ""
        self.line: Line | None = None

    @property
    def current(self) -> str:
        return f"{self._stem}.log"

    @property
    def _stem(self) -> str:
        return f"{self._folder}/{self.log}"

    async def size(self) -> int:
        return await self._number(ssh_scripts.size(self.current))

    async def older(self) -> int:
        return await self._number(ssh_scripts.older(self._stem))

    @asynccontextmanager
    async def open(self, age: int, start: int) -> AsyncIterator[Pages]:
        """Packed files come packed and are unpacked here: less to send, and every `sh` can do it."""
        if age:
            path = f"{self._stem}.{age - 1}.gz"
            async with self._shown(ssh_scripts.show(path)) as pages:
                yield skipping(unpacked(pages, f"{path} on {self.host}"), start)
        else:
            async with self._shown(ssh_scripts.show(self.current, start=start)) as pages:
                yield pages

    @asynccontextmanager
    async def _shown(self, script: str) -> AsyncIterator[Pages]:
        async with self._run(script) as running:

            async def read() -> bytes:
                if not (data := await running.read(PAGE)):
                    self.judge(await running.status())
                return data

            yield read

    async def _number(self, script: str) -> int:
        said = b""
        async with self._run(script) as running:
            while data := await running.read(PAGE):
                said = (said + data)[:PAGE]
            self.judge(await running.status())
        if not said.strip().isdigit():
            raise OutsideError(f"The shell of {self.host} said something else than a number.")
        return int(said)

    def _run(self, script: str) -> AbstractAsyncContextManager[Running]:
        if self.line is None:
            raise BugError("a log was read before there was a connection")
        return self.line.run(script)

    def judge(self, status: int) -> None:
        """Raise what a script's end means."""
        match status:
            case Found.DONE | Found.REPLACED | Found.CUT:
                return
            case Found.MISSING:
                raise GoneError(f"There is no {self.current} on {self.host}.")
            case Found.UNREADABLE:
                raise OutsideError(f"{self.current} on {self.host} may not be read by the user we log in as.")
            case Found.NO_NUMBERS:
                raise OutsideError(f"The shell of {self.host} has no `ls -liL`, without which no log can be followed.")
            case Found.TAIL_ENDED:
                raise OutsideError(f"tail ended on {self.host}; it may have no `tail -c +N -f`.", transient=True)
            case _:
                raise OutsideError(f"A command on {self.host} failed with status {status}.", transient=True)
