"""The hosts of a vCenter: read alike from both vCenters, and kept for when it is away."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.errors import UnreachableError
from bot.hostlog.assign import make_roll
from bot.store import keys
from bot.store.client import connect
from bot.vsphere.port import HostEntry, HostRoll
from bot.vsphere.roll_kept import KeptRoll, decoded, encoded

SOON = timedelta(milliseconds=10)


async def test_all_hosts_come_with_their_place_and_addresses(peer, vcenter):
    door: HostRoll = vcenter
    entries = await door.roll()
    assert [entry.name for entry in entries] == sorted(entry.name for entry in entries)
    (ours,) = [entry for entry in entries if entry.name == peer.host]
    assert (ours.datacenter, ours.cluster) == (peer.source.datacenter, peer.source.cluster)
    assert ours.connection == "connected"
    assert ours.addresses
    assert {entry.datacenter for entry in entries} >= {peer.source.datacenter, peer.target.datacenter}


class Told:
    """A vCenter that says what it is told to say, and how often it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = asyncio.Condition()
        self.times = 0

    async def roll(self):
        async with self.asked:
            self.times += 1
            self.asked.notify_all()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def was_asked(self, times):
        async with asyncio.timeout(10), self.asked:
            await self.asked.wait_for(lambda: self.times >= times)


def entry(name):
    return HostEntry(name, "DC1", "C1", "connected", frozenset({"10.0.0.1", "fe80::1"}))


def simply(found):
    return make_roll(found, sites=(), sources=(), api_hosts=20, syslog=False)


@pytest.fixture
async def store(valkey_url):
    async with connect(valkey_url) as store:
        yield store


@pytest.fixture
async def running(store):
    tasks = []

    def start(*answers):
        told = Told(*answers)
        kept = KeptRoll(store, {"east": told}, make=simply, every=SOON, after_failure=SOON)
        tasks.append(asyncio.create_task(kept.run()))
        return kept, told

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_watcher_that_starts_while_vcenter_is_away_knows_the_hosts(running, store):
    _, told = running([entry("esx-1")])
    await told.was_asked(2)
    fresh, away = running(UnreachableError("vCenter east does not answer."))
    await fresh.begin()
    await away.was_asked(2)
    assert set(fresh.roll.hosts) == {"east/esx-1"}
    assert fresh.roll.at("fe80::1").name == "esx-1"
    assert fresh.trouble == {"east": "vCenter east does not answer."}


async def test_the_roll_is_another_one_only_when_hosts_are(running):
    kept, told = running([entry("esx-1")], [entry("esx-1")], [entry("esx-1"), entry("esx-2")])
    await told.was_asked(2)
    before = kept.roll
    assert set(before.hosts) == {"east/esx-1"}
    await told.was_asked(4)
    assert set(kept.roll.hosts) == {"east/esx-1", "east/esx-2"}
    after = kept.roll
    await told.was_asked(6)
    assert kept.roll is after


async def test_what_nobody_can_read_is_as_good_as_not_there(store):
    await store.set(keys.inventory_hosts("east"), '[["esx-1"]]')
    kept = KeptRoll(store, {"east": Told([])}, make=simply)
    await kept.begin()
    assert not kept.roll.hosts
    assert decoded(encoded([entry("esx-1")])) == [entry("esx-1")]
    assert decoded("{") == decoded(None) == []


async def test_a_defect_at_one_vcenter_is_told_and_tried_again(running):
    kept, told = running(KeyError("vmkernel"), [entry("a")])
    await told.was_asked(2)
    async with asyncio.timeout(10):
        while not kept.roll.hosts or kept.trouble:
            await asyncio.sleep(0.01)
