"""One process of the log feed that reads many made-up hosts, and writes down whenever it looks at one.

A forked role becomes it (`take_hold`). The hosts' logs grow by the clock of the machine, one line every so often, the
same for every process. `unfenced` takes off what keeps two processes from one log: the control, and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.hostlog.line import HostKey
from bot.logs import journal
from bot.logs.feed import FleetLogFeed
from bot.store.client import connect
from bot.store.scripts import Script

LOG: Final = "vpxa"
_FENCES: Final = {
    "_DELIVER": "text('epoch') ~= ARGV[4]",
    "_ELECT": "number('until') > now and text('owner') ~= ARGV[4]",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a replica is told. `born` is when all logs began, `rhythm` the seconds between two lines."""

    redis: str
    reads: str
    hosts: int
    born: float
    rhythm: float
    every: float
    lease: float
    unfenced: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    def line_at(self, moment: float) -> int:
        """The number of the last line there is then."""
        return int((moment - self.born) / self.rhythm) + 1

    def birth_of(self, number: int) -> float:
        """When that line was written."""
        return self.born + (number - 1) * self.rhythm


def host(number: int) -> str:
    return f"esx-{number:04}"


def take_hold(argument: str) -> None:
    """Read until SIGTERM; never return."""
    told = Told(**json.loads(argument))
    if told.unfenced:
        _take_fences_off()
    asyncio.run(_serve(told))
    os._exit(0)


def _take_fences_off() -> None:
    for name, fence in _FENCES.items():
        source: str = getattr(journal, name).source
        if fence not in source:
            raise AssertionError(f"the script {name} has no fence that could be taken off")
        setattr(journal, name, Script(source.replace(fence, "false")))


async def _serve(told: Told) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with (
        connect(told.redis) as store,
        FleetLogFeed(
            store,
            {"east": _Hosts(told)},
            keep=lambda _text: True,
            every=timedelta(seconds=told.every),
            lease=timedelta(seconds=told.lease),
        ) as feed,
        AsyncExitStack() as stack,
    ):
        opening = [feed.open(HostKey(f"east/{host(number)}"), LOG) for number in range(told.hosts)]
        logs = await asyncio.gather(*(stack.enter_async_context(log) for log in opening))
        reading = [asyncio.create_task(_read(log)) for log in logs]
        await stop.wait()
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)


async def _read(items: object) -> None:
    async for _ in items:  # type: ignore[attr-defined]
        pass


class _Hosts:
    """`HostLogReader` of hosts that there are not."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._reads = os.open(Path(told.reads) / f"{os.getpid()}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def last_line(self, host: str, log: str) -> int:
        return self._told.line_at(time.time())

    async def read(self, host: str, log: str, *, start: int, lines: int) -> tuple[int, list[str]]:
        now = time.time()
        os.write(self._reads, f"{now:.3f} {host}\n".encode())
        last = self._told.line_at(now)
        return last, [f"{host} line {number}" for number in range(start, min(last, start + lines - 1) + 1)]
