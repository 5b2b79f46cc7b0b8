"""Hosts that there are not, whose logs grow at a test's word; and sources that follow them."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from bot.hostlog.cursor import Line
from bot.hostlog.line import HostKey
from bot.hostlog.roll import Roll, SourceKind, WatchedHost
from bot.logs.port import Batch


class Estate:
    """Logs by host; who waits for one hears of a new line."""

    def __init__(self):
        self.logs = defaultdict(list)
        self.opened = 0
        self.broken = {}
        self._grown = asyncio.Event()

    def write(self, host, *lines):
        self.logs[host] += lines
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    async def grown(self):
        await self._grown.wait()


class EstateSource:
    """`LogSource`: the cursor is the number of lines that were read. `broken` hosts raise what is told."""

    kind = SourceKind.SSH

    def __init__(self, estate):
        self._estate = estate
        self.following = set()

    async def follow(self, host, log, *, cursor):
        self._estate.opened += 1
        self.following.add((host, log))
        at = int(cursor or 0)
        try:
            while True:
                if host in self._estate.broken:
                    raise self._estate.broken[host]
                found = self._estate.logs[host][at:]
                if found:
                    lines = [Line(number, text) for number, text in enumerate(found, start=at + 1)]
                    at += len(found)
                    yield Batch(lines, str(at), read=len(lines))
                    continue
                await self._estate.grown()
        finally:
            self.following.discard((host, log))

    def once(self, host, log, *, since):
        raise NotImplementedError


def roll_of(count, kind=SourceKind.SSH, source=0):
    keys = [HostKey(f"east/esx-{number:03}") for number in range(count)]
    return Roll(WatchedHost(key, "site1", kind, source) for key in keys)
