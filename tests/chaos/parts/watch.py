"""Who watches which host when watchers come and go (number 13 of the list): 3, 2 and 4 of them, over many hosts.

One is killed, one is paused beyond its lease, one is asked to go. The made-up hosts' truth is known by the clock: every
candidate line with its neighbours has to be in the fleet's stream once and in order, not much later than a lease, and
every host has one owner at a time. Of a watcher that died or seemed to, a gap is told once for the syslog it heard.
With the fences off two owners and lines that come twice have to be seen.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.hostlog.line import Gap, HostKey
from bot.logs.port import Watched
from bot.logs.stream import RedisWatchedLines
from bot.logs.watcher import STARTS_A_SECOND
from bot.store import keys
from bot.store.client import Store, connect
from tests.chaos.nursery import Forked
from tests.chaos.own_redis import own_redis
from tests.chaos.parts.shards import BUSY, two_at_once
from tests.chaos.rows import HungError, Row, UnmeasuredError
from tests.chaos.stage import Stage
from tests.chaos.watch_replica import LOG, Told, expected, host, syslog_host

NAME: Final = "watch"
MODULE: Final = "tests.chaos.watch_replica"
STANDS_WITHIN: Final = 60.0
_PAGE: Final = 5000


@dataclass(frozen=True, slots=True)
class _Size:
    hosts: int
    every: float
    lease: float
    steady: float
    rhythm: float


LONG: Final = _Size(hosts=1000, every=2.0, lease=10.0, steady=14.0, rhythm=1.0)
SHORT: Final = _Size(hosts=60, every=0.1, lease=1.2, steady=0.8, rhythm=0.05)
FEW: Final = _Size(hosts=10, every=0.1, lease=1.2, steady=1.5, rhythm=0.05)


async def run(stage: Stage) -> list[Row]:
    size = LONG if stage.many(1, 0) else SHORT
    return [await _come_and_go(stage, size), await _control(stage, FEW)]


async def _come_and_go(stage: Stage, size: _Size) -> Row:
    with own_redis(stage.new_folder()) as redis:
        async with connect(redis.url) as store:
            fleet = _Watchers(stage, store, size, redis.url)
            for _ in range(3):
                await fleet.start()
            await fleet.all_watched()
            await asyncio.sleep(size.steady)
            killed = fleet.living[0]
            await fleet.end(killed, signal.SIGKILL)
            await asyncio.sleep(size.lease + size.steady)
            for _ in range(2):
                await fleet.start()
            await asyncio.sleep(size.steady)
            slept = fleet.living[0]
            slept.send_signal(signal.SIGSTOP)
            await asyncio.sleep(1.5 * size.lease)
            slept.send_signal(signal.SIGCONT)
            await asyncio.sleep(size.steady)
            await fleet.end(fleet.living[1], signal.SIGTERM)
            await fleet.all_watched()
            for replica in fleet.living:
                await fleet.end(replica, signal.SIGTERM)
            seen = await _judge(fleet)
    seen.mourned({syslog_host(killed.pid), syslog_host(slept.pid)}, hung=fleet.hung())
    did = {"hosts": size.hosts, "SIGKILLs": 1, "SIGSTOPs": 1, "SIGTERMs": 1}
    notes = {
        "lines": seen.lines,
        "latest line s": seen.latest,
        "allowed s": fleet.allowed,
        "owners a host": seen.owners,
        "refused writes": seen.refused,
        "gaps told": len(seen.gaps),
    }
    return Row(name=NAME, did=did, notes=notes, breaches=[*fleet.breaches, *seen.breaches])


async def _control(stage: Stage, size: _Size) -> Row:
    """Two watchers that nothing keeps from watching the same hosts."""
    with own_redis(stage.new_folder()) as redis:
        async with connect(redis.url) as store:
            fleet = _Watchers(stage, store, size, redis.url, unfenced=True)
            for _ in range(2):
                await fleet.start()
            await fleet.all_watched()
            await asyncio.sleep(size.steady)
            for replica in fleet.living:
                await fleet.end(replica, signal.SIGTERM)
            seen = await _judge(fleet)
    blind = [] if seen.side_by_side else ["with the fences off nobody saw two owners of one host: the check is blind"]
    blind += [] if seen.twice else ["with the fences off no line came twice: the check is blind"]
    notes = {"hosts with two owners": len(seen.side_by_side), "hosts with lines twice": len(seen.twice)}
    return Row(name=f"{NAME}.control", did={"hosts": size.hosts}, notes=notes, breaches=blind)


class _Watchers:
    """The processes, and what they left."""

    def __init__(self, stage: Stage, store: Store, size: _Size, url: str, *, unfenced: bool = False) -> None:
        self._stage = stage
        self.store = store
        self.size = size
        self.notes = stage.new_folder()
        self.told = Told(url, str(self.notes), size.hosts, time.time(), size.rhythm, size.every, size.lease, unfenced)
        self.stood = 0.0
        """When every host was watched for the first time; how late lines were before that says nothing."""
        self.living: list[Forked] = []
        self.breaches: list[str] = []

    @property
    def allowed(self) -> float:
        """A lease to be noticed, two ticks to be taken over, the pace at which hosts are dialled, and a look."""
        size = self.size
        return 1.2 * size.lease + size.hosts / STARTS_A_SECOND + 2 * size.every + BUSY

    async def start(self) -> None:
        nursery = await self._stage.nursery()
        first = [(MODULE, self.told.to_json())]
        log = self._stage.folder / "watchers.log"
        self.living.append(await nursery.fork(("watch",), environment={}, log=log, first=first))

    async def end(self, replica: Forked, number: signal.Signals) -> None:
        self.living = [one for one in self.living if one is not replica]
        if replica.returncode is not None:
            self.breaches.append(f"a watcher ended by itself with {replica.returncode}")
            return
        replica.send_signal(number)
        await replica.wait()

    async def all_watched(self) -> None:
        """Once every host was looked at again, and what was found is kept."""
        begun = time.time()
        try:
            async with asyncio.timeout(STANDS_WITHIN):
                while unwatched := self.size.hosts - await self._watched_since(begun):
                    await asyncio.sleep(self.size.every)
        except TimeoutError:
            raise HungError(f"{unwatched} of {self.size.hosts} hosts are watched by nobody") from None
        self.stood = self.stood or time.time()

    def hung(self) -> set[HostKey]:
        """Who did nothing for most of a lease, as may happen on a busy machine."""
        moments: defaultdict[str, list[float]] = defaultdict(list)
        for looks in _notes(self.notes).looks.values():
            for moment, who in looks:
                moments[who].append(moment)
        return {
            syslog_host(int(who))
            for who, all_of in moments.items()
            if max((after - at for at, after in itertools.pairwise(sorted(all_of))), default=0) > self.size.lease / 2
        }

    async def _watched_since(self, moment: float) -> int:
        notes = _notes(self.notes)
        looked = [name for name, looks in notes.looks.items() if looks[-1][0] > moment]
        pipeline = self.store.pipeline(transaction=False)
        for name in looked:
            pipeline.exists(_place(HostKey(name)))
        return sum(await pipeline.execute()) if looked else 0


@dataclass
class _Notes:
    """What the watchers wrote down: for each host who looked at it and when, in order; and how much was refused."""

    looks: Mapping[str, list[tuple[float, str]]]
    refused: int


def _notes(folder: Path) -> _Notes:
    looks: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    refused = 0
    for file in folder.iterdir():
        for line in file.read_text(encoding="ascii").splitlines():
            moment, what, name = line.split(" ")
            refused += what == "refused"
            if what == "look":
                looks[name].append((float(moment), file.name))
    return _Notes({name: sorted(of_host) for name, of_host in looks.items()}, refused)


@dataclass
class _Verdict:
    lines: int = 0
    latest: float = 0.0
    owners: float = 0.0
    refused: int = 0
    gaps: list[str] = field(default_factory=list)
    side_by_side: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def breaches(self) -> list[str]:
        return [*self.side_by_side, *self.twice, *self.wrong]

    def mourned(self, died: set[HostKey], *, hung: set[HostKey]) -> None:
        """A gap for each of these, once, and for nobody else who did not hang."""
        told = Counter(self.gaps)
        self.wrong += [f"the gap of {name} was told {told[name]} times" for name in died if told[name] != 1]
        self.wrong += [f"a gap was told of {name}, which lost nothing" for name in told if name not in died | hung]


async def _judge(fleet: _Watchers) -> _Verdict:
    notes = _notes(fleet.notes)
    if len(notes.looks) < fleet.size.hosts:
        raise UnmeasuredError(f"only {len(notes.looks)} of {fleet.size.hosts} hosts were ever looked at")
    seen = _Verdict(refused=notes.refused)
    seen.owners = sum(len({who for _, who in looks}) for looks in notes.looks.values()) / len(notes.looks)
    for name, looks in notes.looks.items():
        if two_at_once(looks, fleet.size.lease):
            seen.side_by_side.append(f"{name} had two owners at a time")
    told = await _everything(fleet.store)
    seen.gaps = [
        entry.host for of_host in told.values() for entry in of_host for i in entry.items if isinstance(i, Gap)
    ]
    for number in range(fleet.size.hosts):
        cursor = await fleet.store.execute_command("HGET", _place(host(number)), "cursor")
        _lines(seen, fleet, host(number), told[host(number)], last=int(cursor))
    return seen


def _lines(seen: _Verdict, fleet: _Watchers, name: HostKey, entries: Sequence[Watched], *, last: int) -> None:
    """Each line that must be there, once, in order, in time."""
    numbers = [item.number for entry in entries for item in entry.items if not isinstance(item, Gap)]
    seen.lines += len(numbers)
    must = expected(last)
    if repeated := [number for number, count in Counter(numbers).items() if count > 1]:
        seen.twice.append(f"{name}: line {repeated[0]} came twice")
    if missing := sorted(set(must) - set(numbers)):
        seen.wrong.append(f"{name}: line {missing[0]} never came, and {len(missing) - 1} others")
    if not repeated and not missing and numbers != must:
        seen.wrong.append(f"{name}: lines came out of order, or such as nobody asked for")
    came = [(item.number, entry.at) for entry in entries for item in entry.items[:1] if not isinstance(item, Gap)]
    born = [(fleet.told.birth_of(number), at.timestamp()) for number, at in came]
    late = max((at - birth for birth, at in born if birth > fleet.stood), default=0.0)
    seen.latest = max(seen.latest, late)
    if late > fleet.allowed:
        seen.wrong.append(f"{name}: a line came {late:.1f} s after it was written")


def _place(name: HostKey) -> str:
    vcenter, _, short = name.partition("/")
    return keys.watch_cursor(vcenter, short, LOG)


async def _everything(store: Store) -> Mapping[HostKey, Sequence[Watched]]:
    found: defaultdict[HostKey, list[Watched]] = defaultdict(list)
    lines, after = RedisWatchedLines(store), "0-0"
    end = await lines.last_id()
    while after != end:
        for entry in await lines.read(after, within=timedelta(seconds=1), limit=_PAGE):
            found[entry.host].append(entry)
            after = entry.id
    return found
