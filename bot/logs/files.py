"""Logs that something else writes on this machine, such as rsyslog: files by host and log, looked at twice a second."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.hostlog.line import HostKey
from bot.hostlog.roll import SourceKind
from bot.logs.addresses import host_name, log_name
from bot.logs.folder import FolderShelf, Stamp
from bot.logs.patience import Pauses, persistently, told
from bot.logs.port import Batch
from bot.logs.shelf import SETTLE, Reader, read_lately

EVERY: Final = timedelta(milliseconds=500)
PAUSES: Final = Pauses(most=timedelta(seconds=10))


class FilesSource:
    """Implements `LogSource` for a path with {host} and {log} in it; one that ends in `/` is a folder of `<log>.log`.

    Every line comes once and in order, over restarts and rotations by renaming or by copying, packed or not, as long
    as the older files stay beside the current one for some seconds; else a gap is told. A file that is not there yet is
    read from its start when it comes.
    """

    kind = SourceKind.FILES

    def __init__(
        self, path: str, *, every: timedelta = EVERY, settle: timedelta = SETTLE, pauses: Pauses = PAUSES
    ) -> None:
        self._path = f"{path}{{log}}.log" if path.endswith("/") else path
        self._every = every
        self._settle = settle
        self._pauses = pauses

    async def follow(self, host: HostKey, log: str, *, cursor: str) -> AsyncGenerator[Batch, None]:
        """As `LogSource` promises."""
        shelf: FolderShelf | None = None
        reader: Reader | None = None
        seen: Stamp | None = None

        async def attempt() -> AsyncGenerator[Batch, None]:
            nonlocal shelf, reader, seen
            shelf = shelf or self._shelf(host, log)
            reader = reader or Reader(shelf, cursor, settle=self._settle)
            stamp = shelf.stamp()
            if stamp is not None and stamp == seen:
                return
            async with aclosing(reader.catch_up()) as batches:
                async for batch in batches:
                    yield batch
            seen = stamp

        async with aclosing(persistently(attempt, cursor=cursor, every=self._every, pauses=self._pauses)) as batches:
            async for batch in batches:
                yield batch

    async def once(self, host: HostKey, log: str, *, since: timedelta) -> AsyncIterator[Batch]:  # noqa: ARG002 - see below
        """Deliver about the last 4 MiB, whenever they were written: lines' times are for who asks to look at."""

        async def attempt() -> AsyncIterator[Batch]:
            async for batch in read_lately(self._shelf(host, log)):
                yield batch

        async for batch in told(attempt()):
            yield batch

    def _shelf(self, host: HostKey, log: str) -> FolderShelf:
        """The path is taken apart by hand: what stands in it else is no format of ours."""
        return FolderShelf(Path(self._path.replace("{host}", host_name(host)).replace("{log}", log_name(log))))
