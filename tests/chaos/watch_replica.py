"""One watcher of many made-up hosts, as a process: shards, intake, and a source that writes down whenever it looks.

A forked role becomes it (`take_hold`). The hosts' logs grow by the clock of the machine, the same for every process;
every so many lines there is a candidate. `unfenced` takes off what keeps two watchers from one host: the control.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.hostlog.candidates import LINES_AFTER, LINES_BEFORE
from bot.hostlog.cursor import Line
from bot.hostlog.line import HostKey
from bot.hostlog.roll import Roll, SourceKind, WatchedHost
from bot.logs import intake, shards
from bot.logs.intake import RedisIntake
from bot.logs.port import Batch
from bot.logs.rendezvous import SHARDS
from bot.logs.shards import Shards
from bot.logs.watcher import Watcher
from bot.store.client import connect
from bot.store.scripts import Script

LOG: Final = "vpxa"
CANDIDATE: Final = "candidate"
EVERY_SO_MANY: Final = 12
_PAGE: Final = 500
_OURS: Final = "redis.call('HGET', key('shard', shard), 'epoch') == epoch"
_FENCES: Final = (
    (intake, "_TAKE", {_OURS: "true", "last ~= ARGV[6]": "false"}),
    (intake, "_PLACES", {_OURS: "true"}),
    (shards, "_SHARDS", {"held[1] == me or tonumber(held[3] or '0') <= now": "true", "held[2] ~= epoch": "false"}),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a replica is told. `born` is when all logs began, `rhythm` the seconds between two lines."""

    redis: str
    notes: str
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


def is_candidate(number: int) -> bool:
    return number % EVERY_SO_MANY == 0


def expected(last: int) -> list[int]:
    """The numbers of the lines that must be in the stream once `last` was read: candidates and their neighbours."""
    candidates = range(EVERY_SO_MANY, last + 1, EVERY_SO_MANY)
    near = {at for number in candidates for at in range(number - LINES_BEFORE, number + LINES_AFTER + 1)}
    return sorted(number for number in near if 1 <= number <= last)


def host(number: int) -> HostKey:
    return HostKey(f"east/esx-{number:04}")


def syslog_host(pid: int) -> HostKey:
    """The host whose syslog this process hears."""
    return HostKey(f"south/esx-{pid}")


def take_hold(argument: str) -> None:
    """Watch until SIGTERM; never return."""
    told = Told(**json.loads(argument))
    if told.unfenced:
        _take_fences_off()
    asyncio.run(_serve(told))
    os._exit(0)


def _take_fences_off() -> None:
    for module, name, fences in _FENCES:
        source: str = getattr(module, name).source
        for fence, instead in fences.items():
            if fence not in source:
                raise AssertionError(f"the script {name} has no fence that could be taken off")
            source = source.replace(fence, instead)
        setattr(module, name, Script(source))
    shards.due_to = lambda _watcher, _among: frozenset(range(SHARDS))  # type: ignore[assignment]


async def _serve(told: Told) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    roll = Roll(WatchedHost(host(number), "site1", SourceKind.SSH, 0) for number in range(told.hosts))
    lease = timedelta(seconds=told.lease)
    async with connect(told.redis) as store:
        name, notes = f"w-{os.getpid()}", _Notes(told)
        keeper = _Intake(
            store,
            keep=lambda text: text.startswith(CANDIDATE),
            watcher=name,
            places_every=lease / 5,
            tallies_every=lease / 4,
            gone_after=lease,
        )
        keeper.notes = notes
        watcher = Watcher(
            roll=lambda: roll,
            sources={0: _Hosts(told, notes)},
            logs=[LOG],
            intake=keeper,
            shards=Shards(store, name, lease=lease),
            look_every=lease / 5,
        )
        await keeper.push(syslog_host(os.getpid()), LOG, [], read=1, kind=SourceKind.SYSLOG)
        running = [asyncio.create_task(watcher.run()), asyncio.create_task(keeper.run())]
        await stop.wait()
        running[1].cancel()
        await watcher.close()
        await asyncio.gather(*running, return_exceptions=True)


class _Notes:
    """What this process did, a line each, in a file of its own."""

    def __init__(self, told: Told) -> None:
        self._file = os.open(Path(told.notes) / f"{os.getpid()}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def add(self, what: str, whose: HostKey) -> None:
        os.write(self._file, f"{time.time():.3f} {what} {whose}\n".encode())


class _Intake(RedisIntake):
    """Notes each refusal."""

    notes: _Notes

    async def take(self, host: HostKey, log: str, batch: Batch, *, kind: SourceKind, epoch: int) -> bool:
        taken = await super().take(host, log, batch, kind=kind, epoch=epoch)
        if not taken:
            self.notes.add("refused", host)
        return taken


class _Hosts:
    """`LogSource` of hosts that there are not. The cursor is the number of the line that was read last."""

    kind = SourceKind.SSH

    def __init__(self, told: Told, notes: _Notes) -> None:
        self._told = told
        self._notes = notes

    async def follow(self, host: HostKey, log: str, *, cursor: str) -> AsyncIterator[Batch]:
        at = int(cursor or 0)
        while True:
            self._notes.add("look", host)
            last = min(self._told.line_at(time.time()), at + _PAGE)
            lines = [Line(n, f"{CANDIDATE if is_candidate(n) else 'line'} {n}") for n in range(at + 1, last + 1)]
            at = last
            yield Batch(lines, str(at), read=len(lines))
            await asyncio.sleep(self._told.every)

    def once(self, host: HostKey, log: str, *, since: timedelta) -> AsyncIterator[Batch]:
        raise NotImplementedError
