"""Every shard has one owner, whoever comes and goes; and what an old owner sends is nobody's."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from bot.hostlog.line import HostKey
from bot.logs.rendezvous import SHARDS, due_to, shard_of
from bot.logs.shards import LET_GO, Shards

LEASE = timedelta(seconds=1)


class Worker:
    """A holder that notes what it is told, beside what others hold."""

    def __init__(self, everybody):
        self.mine = {}
        self.lost_ones = []
        self._everybody = everybody
        everybody.append(self)
        self.clashes = 0

    def gained(self, shards):
        for other in self._everybody:
            self.clashes += other is not self and len(other.mine.keys() & shards.keys())
        self.mine.update(shards)

    async def let_go(self, shards):
        await asyncio.sleep(0)
        for shard in shards:
            self.mine.pop(shard, None)

    def lost(self, shards):
        self.lost_ones += shards
        for shard in shards:
            self.mine.pop(shard, None)


class Fleet:
    """Watchers of one test, each with its holder."""

    def __init__(self, store):
        self.store = store
        self.workers = []
        self.members = {}
        self.killed = set()

    def start(self, name, **options):
        shards, worker = Shards(self.store, name, **{"lease": LEASE, **options}), Worker(self.workers)
        self.members[name] = shards, worker, asyncio.create_task(shards.run(worker))
        return worker

    async def leave(self, name):
        shards, worker, task = self.members.pop(name)
        await shards.close(worker)
        await task
        return worker

    async def kill(self, name):
        self.killed.add(name)
        _, worker, task = self.members.pop(name)
        task.cancel()
        await asyncio.wait({task})
        worker.mine.clear()

    @property
    def settled(self):
        return all(worker.mine.keys() == due_to(name, self.members) for name, (_, worker, _) in self.members.items())

    async def settle(self, within=10.0):
        begun = asyncio.get_running_loop().time()
        async with asyncio.timeout(within):
            while not self.settled:
                await asyncio.sleep(0.01)
        return asyncio.get_running_loop().time() - begun


@pytest.fixture
async def fleet(store):
    fleet = Fleet(store)
    yield fleet
    for name in list(fleet.members):
        await fleet.leave(name)
    assert set(await store.zrange("{cm}:watchers", 0, -1)) <= fleet.killed
    assert not any(worker.clashes for worker in fleet.workers)


def test_everybody_reckons_alike_and_who_comes_takes_a_little_from_all():
    three, four = ["a", "b", "c"], ["d", "a", "c", "b"]
    shares = {name: due_to(name, three) for name in three}
    assert sorted(shard for share in shares.values() for shard in share) == list(range(SHARDS))
    assert all(60 < len(share) < 110 for share in shares.values())
    assert all(due_to(name, four) <= shares[name] for name in three)
    assert due_to("a", []) == frozenset()


def test_hosts_are_spread_and_stay_where_they_are():
    spread = Counter(shard_of(HostKey(f"east/esx-{number}.example.net")) for number in range(10_000))
    assert len(spread) == SHARDS
    assert max(spread.values()) < 80
    assert shard_of(HostKey("east/esx-01.example.net")) == 156


async def test_one_has_all_and_each_newcomer_gets_its_share(fleet):
    fleet.start("a")
    await fleet.settle()
    assert len(fleet.workers[0].mine) == SHARDS
    fleet.start("b")
    ticks = await fleet.settle() / (LEASE.total_seconds() / 10)
    assert ticks < 2 * (SHARDS / 2 / LET_GO) + 10  # with a lease of ten seconds a tick is one
    fleet.start("c")
    await fleet.settle()
    assert not any(worker.lost_ones for worker in fleet.workers)


async def test_who_fails_in_letting_go_keeps_nothing_from_others(fleet, monkeypatch):
    first = fleet.start("a")
    await fleet.settle()

    async def fails(shards):
        for shard in shards:
            first.mine.pop(shard, None)
        raise KeyError("a defect")

    monkeypatch.setattr(first, "let_go", fails)
    fleet.start("b")
    await fleet.settle()
    monkeypatch.undo()


async def test_who_leaves_is_followed_at_once(fleet):
    for name in "abc":
        fleet.start(name, lease=timedelta(seconds=3))
    await fleet.settle(15)
    await fleet.leave("b")
    assert await fleet.settle() < 2  # the lease is longer


async def test_who_dies_is_followed_after_a_lease(fleet):
    for name in "ab":
        fleet.start(name)
    await fleet.settle()
    await fleet.kill("a")
    assert await fleet.settle() < 3


async def test_who_slept_hears_that_all_is_lost(fleet, store, skew_clock):
    one = fleet.start("a")
    await fleet.settle()
    epochs = dict(one.mine)
    fleet.start("b")
    shards, worker, task = fleet.members.pop("a")
    task.cancel()
    await asyncio.wait({task})
    worker.mine.clear()
    await fleet.settle()
    again = Worker([])
    again.mine = dict(epochs)
    waking = asyncio.create_task(shards.run(again))
    fleet.members["a"] = shards, again, waking
    async with asyncio.timeout(5):
        while len(again.lost_ones) < SHARDS:
            await asyncio.sleep(0.01)
    await fleet.settle()
    for shard, epoch in again.mine.items():
        assert epoch > epochs[shard]
