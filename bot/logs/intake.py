"""`Intake` on Redis: candidates and their neighbours into the fleet's stream, the place in the log with them.

What a script keeps, it keeps whole: the lines of a batch and the place after them are one change, and only the owner
of the host's shard may make it. Where a batch had nothing to keep, the place alone moved; that may be written late,
because whoever begins at an older place finds nothing again in between.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.errors import OutsideError, UnreachableError
from bot.hostlog.candidates import Keep, Sieve, Vicinity
from bot.hostlog.cursor import Line
from bot.hostlog.line import HostKey
from bot.hostlog.roll import SourceKind
from bot.logs.port import Batch
from bot.logs.rendezvous import shard_of
from bot.logs.stream import written
from bot.logs.tallies import Tallies
from bot.store import keys
from bot.store.client import Store
from bot.store.scripts import Script, load

PLACES_EVERY: Final = timedelta(seconds=2)
TALLIES_EVERY: Final = timedelta(seconds=5)
GONE_AFTER: Final = timedelta(seconds=10)
"""A watcher that gave no sign for so long is dead for those who told it something."""

_UNSEEN: Final = timedelta(seconds=2)
"""So long may a line have been with a watcher before it was pushed."""

_LOST: Final = "the watcher that received its syslog died;"
_PLACES_AT_ONCE: Final = 200

log = logging.getLogger(__name__)
Name = tuple[HostKey, str]


@dataclass
class _Log:
    """A log that is followed here. `mark` is that of its last write with lines; `unwritten`: its place moved since.

    `placed`: Redis has some place of it.
    """

    sieve: Sieve
    mark: str
    cursor: str
    placed: bool
    epoch: int = 0
    unwritten: bool = False
    lost: bool = False

    @property
    def near(self) -> str:
        """The vicinity, without what cannot be sent: half a surrogate of a hostile line is not UTF-8."""
        return self.sieve.vicinity.to_json().encode("utf-8", "replace").decode()


class RedisIntake:
    """`Intake` as `bot.logs.port` promises it, for one process. `run` has to run beside it.

    `keep` says which lines are candidates; `watcher` is the name under which this process is among the watchers.
    """

    def __init__(
        self,
        store: Store,
        *,
        keep: Keep,
        watcher: str,
        places_every: timedelta = PLACES_EVERY,
        tallies_every: timedelta = TALLIES_EVERY,
        gone_after: timedelta = GONE_AFTER,
    ) -> None:
        self._store = store
        self._keep = keep
        self._watcher = watcher
        self._newcomers = asyncio.Event()
        """Set when syslog came of hosts for the first time."""
        self._rhythms: Sequence[tuple[Callable[[], Awaitable[object]], timedelta, asyncio.Event | None]] = (
            (self.settle, places_every, None),
            (self.write_tallies, tallies_every, self._newcomers),
            (_Wake(store, self.mourn, gone_after).look, gone_after / 4, None),
        )
        self._gone_after = gone_after
        self._logs: dict[Name, _Log] = {}
        self._marks = (f"{one}.{number}" for one in (secrets.token_hex(6),) for number in itertools.count(1))
        self.tallies = Tallies()

    async def run(self) -> None:
        """For ever: keep places and tallies not much behind, and tell what a watcher that died has lost."""
        async with asyncio.TaskGroup() as group:
            for work, every, sooner in self._rhythms:
                group.create_task(_often(work, every.total_seconds(), sooner))

    async def cursor(self, host: HostKey, log: str) -> str:
        """As `Intake` promises. Whoever follows a log begins with this, and again after any error of `take`."""
        known = self._logs[host, log] = await self._place(host, log)
        return known.cursor

    async def take(self, host: HostKey, log: str, batch: Batch, *, kind: SourceKind, epoch: int) -> bool:
        """As `Intake` promises. After an error it may have been kept: `cursor` says so."""
        known = self._logs.get((host, log))
        if known is None:
            known = self._logs[host, log] = await self._place(host, log)
        if known.lost:
            return False
        known.epoch = epoch
        lines = _sieved(known, batch)
        known.cursor = batch.cursor
        if lines or batch.gap or not known.placed:  # who begins at the end must not do so a second time
            known.lost = not await self._kept((host, log), known, kind, lines, batch.gap)
        else:
            known.unwritten = True
        if known.lost:
            return False
        self.tallies.count(host, kind, lines=batch.read, candidates=len(lines), gap=batch.gap, behind=batch.behind)
        return True

    async def push(
        self,
        host: HostKey,
        log: str,
        lines: Sequence[Line],
        *,
        read: int,
        gap: str = "",
        throttled: int = 0,
        behind: timedelta | None = None,
        trouble: str = "",
        kind: SourceKind,
    ) -> None:
        """As `Intake` promises. What is pushed in one turn of the loop shares a round trip."""
        if lines or gap:
            entries = written(lines, gap)
            await _PUSH(self._store, host, log, kind, *entries, repeatable=True, together=True)
        if host not in self.tallies:  # should we die soon, somebody has to know whom we heard
            self._newcomers.set()
        self.tallies.count(host, kind, lines=read, candidates=len(lines), gap=gap, throttled=throttled, behind=behind)
        if trouble:
            self.tallies.trouble(host, kind, trouble)

    async def settle(self, hosts: Collection[HostKey] | None = None) -> None:
        """Write down how far these hosts were read, or all; that somebody else has one is heard at its next `take`."""
        chosen = [
            (name, known)
            for name, known in self._logs.items()
            if known.unwritten and not known.lost and (hosts is None or name[0] in hosts)
        ]
        for at in range(0, len(chosen), _PLACES_AT_ONCE):
            await self._settle(chosen[at : at + _PLACES_AT_ONCE])

    def leave(self, hosts: Collection[HostKey]) -> None:
        """These hosts are not followed here any more."""
        for name in [name for name in self._logs if name[0] in hosts]:
            del self._logs[name]
        for host in hosts:
            self.tallies.leave(host)

    async def write_tallies(self) -> None:
        """Write down how the hosts stand."""
        await self.tallies.write(self._store, self._watcher)

    async def mourn(self) -> int:
        """Tell the gaps that watchers left which died; how many. Over the whole fleet each is told once."""
        told = int(await _MOURN(self._store, self._gone_after, _UNSEEN, _LOST, repeatable=True))
        if told:
            log.warning("a watcher died that received the syslog of %d hosts", told)
        return told

    async def _place(self, host: HostKey, log: str) -> _Log:
        vcenter, _, name = host.partition("/")
        place = keys.watch_cursor(vcenter, name, log)
        cursor, near, mark = await self._store.execute_command("HMGET", place, "cursor", "near", "batch")
        sieve = Sieve(self._keep, Vicinity.from_json(near) if near else None)
        return _Log(sieve, mark or "", cursor or "", placed=bool(cursor))

    async def _kept(self, name: Name, known: _Log, kind: SourceKind, lines: Sequence[Line], gap: str) -> bool:
        mark = next(self._marks)
        words = (shard_of(name[0]), known.epoch, *name, kind, known.mark, mark, known.cursor, known.near)
        try:
            answer = await _TAKE(self._store, *words, *written(lines, gap), repeatable=True)
        except BaseException:
            self._forget(name, known)  # whether it was kept, Redis alone knows
            raise
        if answer == "moved":
            self._forget(name, known)
            raise UnreachableError(
                f"how far {name[1]} of {name[0]} was read is not what was known here; it is asked again"
            )
        known.mark, known.placed, known.unwritten = mark, bool(known.cursor), False
        return bool(answer == "kept")

    def _forget(self, name: Name, known: _Log) -> None:
        """Unless another follower has begun with it anew."""
        if self._logs.get(name) is known:
            del self._logs[name]

    async def _settle(self, some: Sequence[tuple[Name, _Log]]) -> None:
        words: list[str | int] = []
        for name, known in some:
            words += [shard_of(name[0]), known.epoch, *name, known.mark, known.cursor, known.near]
            known.unwritten = False
        try:
            answers = await _PLACES(self._store, *words, repeatable=True)
        except BaseException:
            for _, known in some:
                known.unwritten = True
            raise
        for (_, known), is_ours in zip(some, answers, strict=True):
            known.lost = known.lost or not is_ours


def _sieved(known: _Log, batch: Batch) -> Sequence[Line]:
    if batch.sieved:
        return batch.lines
    if batch.gap:  # what came before a gap is no neighbour of what comes after it
        known.sieve.vicinity = Vicinity()
    return known.sieve.take(batch.lines)


class _Wake:
    """Mourns only who had the time to give a sign: while Redis is away, or we hang, that cannot be told of anybody."""

    def __init__(self, store: Store, mourn: Callable[[], Awaitable[int]], gone_after: timedelta) -> None:
        self._store = store
        self._mourn = mourn
        self._gone_after = gone_after.total_seconds()
        self._since = self._last = float("-inf")
        """Since when Redis has answered without a break, and when it did last."""

    async def look(self) -> None:
        await self._store.execute_command("EXISTS", keys.WATCHERS)
        now = asyncio.get_running_loop().time()
        if now - self._last > 0.75 * self._gone_after:
            self._since = now
        self._last = now
        if now - self._since >= self._gone_after:
            await self._mourn()


async def _often(work: Callable[[], Awaitable[object]], every: float, sooner: asyncio.Event | None = None) -> None:
    """For ever; `sooner` makes the next time come at once."""
    failing = False
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(every):
                await (sooner or asyncio.Event()).wait()
        if sooner is not None:
            sooner.clear()
        try:
            await work()
            failing = False
        except OutsideError as error:
            if not failing:
                log.warning("how the watch stands cannot be kept at the moment: %s", error)
            failing = True


def _script(name: str) -> Script:
    return load("bot.logs", f"scripts/{name}", libraries=("scripts/watched",))


_TAKE: Final = _script("take")
_PLACES: Final = _script("places")
_PUSH: Final = _script("push")
_MOURN: Final = _script("mourn")
