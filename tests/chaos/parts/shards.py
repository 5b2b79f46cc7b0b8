"""Who reads which host's log when replicas come and go (number 13 of the list): 3, 2 and 4 of them, many hosts.

Each host's lines have to be in the fleet's stream once and in order, none later than a lease and three looks after
it was written. Who looked at a host and when is written down by the hosts themselves; two that look at one host side by
side are two owners. With the fences off both have to be seen.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bot.store import keys
from bot.store.client import Store, connect
from tests.chaos.log_replica import LOG, Told, host
from tests.chaos.nursery import Forked
from tests.chaos.own_redis import own_redis
from tests.chaos.ring import HungError
from tests.chaos.rows import Row, UnmeasuredError
from tests.chaos.stage import Stage

NAME: Final = "shards"
MODULE: Final = "tests.chaos.log_replica"
STANDS_WITHIN: Final = 60.0
_NEARLY: Final = 0.9
BUSY: Final = 2.0
"""Seconds of a machine that has other things to do."""


@dataclass(frozen=True, slots=True)
class _Size:
    hosts: int
    every: float
    lease: float
    steady: float
    rhythm: float


LONG: Final = _Size(hosts=1000, every=2.0, lease=10.0, steady=12.0, rhythm=1.0)
SHORT: Final = _Size(hosts=40, every=0.2, lease=1.5, steady=0.5, rhythm=0.2)
FEW: Final = _Size(hosts=10, every=0.2, lease=1.5, steady=1.0, rhythm=0.2)


async def run(stage: Stage) -> list[Row]:
    size = LONG if stage.many(1, 0) else SHORT
    return [await _come_and_go(stage, size), await _control(stage, FEW)]


async def _come_and_go(stage: Stage, size: _Size) -> Row:
    with own_redis(stage.new_folder()) as redis:
        async with connect(redis.url) as store:
            fleet = _Replicas(stage, store, size, redis.url)
            for _ in range(3):
                await fleet.start()
            await fleet.all_stand()
            await asyncio.sleep(size.steady)
            await fleet.end(fleet.living[0], signal.SIGKILL)
            await asyncio.sleep(size.lease + size.steady)
            for _ in range(2):
                await fleet.start()
            await asyncio.sleep(size.steady)
            sleeper = await fleet.busiest()
            sleeper.send_signal(signal.SIGSTOP)
            await asyncio.sleep(1.5 * size.lease)
            sleeper.send_signal(signal.SIGCONT)
            await asyncio.sleep(size.steady)
            await fleet.end(await fleet.busiest(), signal.SIGTERM)
            await asyncio.sleep(size.steady)
            await fleet.all_stand()
            for replica in fleet.living:
                await fleet.end(replica, signal.SIGTERM)
            seen = await _judge(fleet)
    did = {"hosts": size.hosts, "SIGKILLs": 1, "SIGSTOPs": 1, "SIGTERMs": 1}
    notes = {
        "lines": seen.lines,
        "latest line s": seen.latest,
        "allowed s": fleet.allowed,
        "owners a host": seen.owners,
    }
    return Row(name=NAME, did=did, notes=notes, breaches=[*fleet.breaches, *seen.breaches])


async def _control(stage: Stage, size: _Size) -> Row:
    """Two replicas that nothing keeps from reading the same hosts."""
    with own_redis(stage.new_folder()) as redis:
        async with connect(redis.url) as store:
            fleet = _Replicas(stage, store, size, redis.url, unfenced=True)
            for _ in range(2):
                await fleet.start()
            await fleet.all_stand()
            await asyncio.sleep(size.steady)
            for replica in fleet.living:
                await fleet.end(replica, signal.SIGTERM)
            seen = await _judge(fleet)
    blind = [] if seen.side_by_side else ["with the fences off nobody saw two owners of one host: the check is blind"]
    blind += [] if seen.disorder else ["with the fences off no line came twice: the check is blind"]
    did = {"hosts": size.hosts}
    return Row(name=f"{NAME}.control", did=did, notes={"hosts with two owners": len(seen.side_by_side)}, breaches=blind)


class _Replicas:
    """The processes, and what they left."""

    def __init__(self, stage: Stage, store: Store, size: _Size, url: str, *, unfenced: bool = False) -> None:
        self._stage = stage
        self.store = store
        self.size = size
        self.reads = stage.new_folder()
        self.told = Told(
            *(url, str(self.reads), size.hosts, time.time() - 10, size.rhythm, size.every, size.lease, unfenced)
        )
        self.living: list[Forked] = []
        self.breaches: list[str] = []

    @property
    def allowed(self) -> float:
        """A lease to be noticed, a look to be elected, one to read; and one if the reader is handed on just then."""
        return self.size.lease + 3 * self.size.every + BUSY

    async def start(self) -> None:
        nursery = await self._stage.nursery()
        first = [(MODULE, self.told.to_json())]
        log = self._stage.folder / "replicas.log"
        self.living.append(await nursery.fork(("replica",), environment={}, log=log, first=first))

    async def end(self, replica: Forked, number: signal.Signals) -> None:
        self.living.remove(replica)
        if replica.returncode is not None:
            self.breaches.append(f"a replica ended by itself with {replica.returncode}")
            return
        replica.send_signal(number)
        await replica.wait()

    async def all_stand(self) -> None:
        """Once every host has a reader now."""
        try:
            async with asyncio.timeout(STANDS_WITHIN):
                while any(until < time.time() * 1000 for until in await self._until()):
                    await asyncio.sleep(0.2)
        except TimeoutError:
            late = sum(until < time.time() * 1000 for until in await self._until())
            raise HungError(f"{late} of {self.size.hosts} hosts have no reader after {STANDS_WITHIN:.0f} s") from None

    async def busiest(self) -> Forked:
        """Who has looked most often: who owns something."""
        looks = {one: (self.reads / str(one.pid)) for one in self.living}
        return max(self.living, key=lambda one: looks[one].stat().st_size if looks[one].exists() else 0)

    async def _until(self) -> Sequence[int]:
        pipeline = self.store.pipeline(transaction=False)
        for number in range(self.size.hosts):
            pipeline.hmget(keys.cursor("east", host(number), LOG), "until", "next")
        return [int(until or 0) if place else 0 for until, place in await pipeline.execute()]


@dataclass
class _Verdict:
    lines: int = 0
    latest: float = 0.0
    owners: float = 0.0
    side_by_side: list[str] = field(default_factory=list)
    disorder: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    @property
    def breaches(self) -> list[str]:
        return [*self.side_by_side, *self.disorder, *self.late]


async def _judge(fleet: _Replicas) -> _Verdict:
    seen = _Verdict()
    looks = _looks(fleet.reads)
    if len(looks) < fleet.size.hosts:
        raise UnmeasuredError(f"only {len(looks)} of {fleet.size.hosts} hosts were ever looked at")
    seen.owners = sum(len({who for _, who in of_host}) for of_host in looks.values()) / len(looks)
    for name, of_host in looks.items():
        if two_at_once(of_host, fleet.size.lease):
            seen.side_by_side.append(f"{name} had two owners at a time")
        entries = await fleet.store.execute_command("XRANGE", keys.feed("east", name, LOG), "-", "+")
        _lines(seen, fleet, name, [dict(fields) for _, fields in entries])
    return seen


def _lines(seen: _Verdict, fleet: _Replicas, name: str, entries: Sequence[dict[str, str]]) -> None:
    """Each line once, in order, in time."""
    seen.lines += len(entries)
    seen.disorder += [f"{name}: {entry['text']}" for entry in entries if entry["kind"] != "line"]
    numbers = [int(entry["number"]) for entry in entries if entry["kind"] == "line"]
    if wrong := [(one, other) for one, other in itertools.pairwise(numbers) if other != one + 1]:
        seen.disorder.append(f"{name}: after line {wrong[0][0]} came line {wrong[0][1]}")
    late = max((int(e["at"]) / 1000 - fleet.told.birth_of(int(e["number"])) for e in entries), default=float("inf"))
    seen.latest = max(seen.latest, late)
    if late > fleet.allowed:
        seen.late.append(f"{name}: a line came {late:.1f} s after it was written")


def _looks(folder: Path) -> dict[str, list[tuple[float, str]]]:
    """For each host who looked at it and when, in order."""
    found: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for file in folder.iterdir():
        for line in file.read_text(encoding="ascii").splitlines():
            moment, _, name = line.partition(" ")
            found[name].append((float(moment), file.name))
    return {name: sorted(looks) for name, looks in found.items()}


def two_at_once(looks: Sequence[tuple[float, str]], lease: float) -> bool:
    """Whether two looked at it in turns: each came back after the other, both within a lease.

    One may come back once, when it had handed over to somebody who then ended. And who was away and wakes up looks
    once; what it then wants to write is refused, which the order of lines shows.
    """
    last_of: dict[str, float] = {}
    current, came_back = "", float("-inf")
    for moment, who in _of_owners(looks, lease):
        if who != current and who in last_of and moment - last_of[who] < lease:
            if moment - came_back < lease:
                return True
            came_back = moment
        current = who
        last_of[who] = moment
    return False


def _of_owners(looks: Sequence[tuple[float, str]], lease: float) -> list[tuple[float, str]]:
    """All but the first look of somebody who was away for a lease, and may not have heard that another has the host.

    It may be elected right after that, when the other leaves. Should it go on without, its next looks are seen.
    """
    last_of: dict[str, float] = {}
    of_owners: list[tuple[float, str]] = []
    for moment, who in looks:
        if moment - last_of.get(who, moment) < lease * _NEARLY:
            of_owners.append((moment, who))
        last_of[who] = moment
    return of_owners
