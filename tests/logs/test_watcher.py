"""Whoever has a host follows it; nothing is lost or told twice when it changes hands, and nobody harms another."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.errors import UnreachableError
from bot.hostlog.line import HostKey
from bot.hostlog.roll import SourceKind
from bot.logs.intake import RedisIntake
from bot.logs.rendezvous import shard_of
from bot.logs.shards import Shards
from bot.logs.stream import RedisWatchedLines
from bot.logs.watcher import Watcher
from bot.store.client import connect
from tests.logs.watchers import Estate, EstateSource, roll_of

LEASE = timedelta(seconds=1)
HOST = HostKey("east/esx-000")


class Replica:
    """One watcher with all that belongs to it."""

    def __init__(self, store, name, estate, hosts, **options):
        self.source = EstateSource(estate)
        self.hosts = hosts
        self.intake = RedisIntake(store, keep=lambda _text: True, watcher=name, places_every=LEASE)
        self.shards = Shards(store, name, lease=LEASE, let_go=64)
        values = {"sources": {0: self.source}, "logs": ["vpxa"], "look_every": LEASE / 10, **options}
        self.watcher = Watcher(roll=lambda: self.hosts, intake=self.intake, shards=self.shards, **values)
        self.task = asyncio.create_task(self.watcher.run())

    async def close(self):
        await self.watcher.close()
        await self.task


@pytest.fixture
def estate():
    return Estate()


@pytest.fixture
async def replica(valkey_url, at_the_end, estate):
    async def replica(name="w1", hosts=None, **options):
        store = await at_the_end.enter_async_context(connect(valkey_url))
        made = Replica(store, name, estate, roll_of(3) if hosts is None else hosts, **options)
        at_the_end.push_async_callback(made.close)
        return made

    return replica


@pytest.fixture
def lines(store):
    return RedisWatchedLines(store)


async def until(holds, within=10):
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(0.01)


async def told(lines, count):
    """The numbers of lines by host, once there are so many."""
    found, after = {}, "0-0"
    async with asyncio.timeout(10):
        while sum(map(len, found.values())) < count:
            for entry in await lines.read(after, within=timedelta(seconds=2)):
                after = entry.id
                found.setdefault(entry.host, []).extend(item.number for item in entry.items)
    return found


async def test_what_hosts_write_is_in_the_stream(replica, estate, lines):
    one = await replica()
    await until(lambda: len(one.source.following) == 3)
    for number in range(3):
        estate.write(f"east/esx-{number:03}", "a", "b")
    assert set(map(tuple, (await told(lines, 6)).values())) == {(1, 2)}


async def test_hosts_come_and_go_with_the_roll(replica, estate):
    one = await replica()
    await until(lambda: len(one.source.following) == 3)
    one.hosts = roll_of(5)
    await until(lambda: len(one.source.following) == 5)
    one.hosts = roll_of(5, kind=SourceKind.SYSLOG)
    await until(lambda: not one.source.following)


async def test_a_host_without_a_source_says_so(replica):
    one = await replica(hosts=roll_of(1, source=7))
    await until(lambda: any("no source of kind ssh" in tally.trouble for tally in one.intake.tallies.all()))


async def test_every_host_has_one_follower_across_a_hand_over_and_nothing_is_lost(replica, estate, lines):
    hosts = roll_of(100)
    one = await replica("w1", hosts)
    await until(lambda: len(one.source.following) == 100)
    for host in hosts.hosts:
        estate.write(host, "1")
    other = await replica("w2", hosts)
    await until(lambda: len(other.source.following) > 30)
    for host in hosts.hosts:
        estate.write(host, "2")
    await until(lambda: len(one.source.following) + len(other.source.following) == 100)
    assert not one.source.following & other.source.following
    await one.close()
    for host in hosts.hosts:
        estate.write(host, "3")
    found = await told(lines, 300)
    assert set(map(tuple, found.values())) == {(1, 2, 3)}
    await until(lambda: len(other.source.following) == 100)


async def test_a_defect_or_an_outage_of_one_host_harms_no_other(replica, estate, lines, caplog):
    estate.broken = {"east/esx-000": ValueError("a defect"), "east/esx-001": UnreachableError("no route to host")}
    one = await replica()
    await until(lambda: len(one.intake.tallies.all()) == 2)
    estate.write("east/esx-002", "a")
    assert await told(lines, 1) == {"east/esx-002": [1]}
    troubles = {tally.host: tally.trouble for tally in one.intake.tallies.all()}
    assert "defect of ours" in troubles["east/esx-000"]
    assert troubles["east/esx-001"] == "no route to host"
    assert "a defect" in caplog.text
    estate.broken = {}
    estate.write("east/esx-000", "b")
    assert await told(lines, 2) == {"east/esx-002": [1], "east/esx-000": [1]}
    caplog.clear()


async def test_who_lost_its_hosts_begins_anew_where_it_was(replica, estate, store, lines):
    one = await replica()
    await until(lambda: len(one.source.following) == 3)
    estate.write(HOST, "a")
    assert await told(lines, 1) == {HOST: [1]}
    opened = estate.opened
    for shard in list(one.shards.held):
        await store.hincrby(f"{{cm}}:shard:{shard}", "epoch", 1)
    await until(lambda: estate.opened >= opened + 3)
    estate.write(HOST, "b")
    assert await told(lines, 2) == {HOST: [1, 2]}


async def test_who_is_refused_stops(valkey_url, estate, store, lines):
    """A follower stops at the first refusal, before the watcher itself has heard that the shard is gone."""

    class Deaf(Shards):
        """It never hears that anything is lost."""

        async def run(self, holder):
            self.held.update({shard_of(HOST): 5})
            holder.gained(self.held)
            await asyncio.Event().wait()

    await store.hset(f"{{cm}}:shard:{shard_of(HOST)}", "epoch", 6)
    source = EstateSource(estate)
    intake = RedisIntake(store, keep=lambda _text: True, watcher="deaf")
    watcher = Watcher(
        roll=lambda: roll_of(1), sources={0: source}, logs=["vpxa"], intake=intake, shards=Deaf(store, "deaf"),
        look_every=LEASE / 100,
    )  # fmt: skip
    task = asyncio.create_task(watcher.run())
    await until(lambda: source.following)
    estate.write(HOST, "a")
    await until(lambda: not watcher.following)
    await asyncio.sleep(0.1)  # many looks at what is ours
    assert estate.opened == 1
    assert await lines.last_id() == "0-0"
    task.cancel()
    await asyncio.wait({task})


async def test_many_hosts_are_not_dialled_at_once(replica, estate):
    one = await replica(hosts=roll_of(60), starts_a_second=20)
    await until(lambda: estate.opened > 0)
    await asyncio.sleep(0.5)
    assert 5 <= estate.opened <= 20
    assert len(one.watcher.following) == 60
