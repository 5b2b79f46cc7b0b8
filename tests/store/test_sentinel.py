"""The primary is taken away: killed, frozen, demoted. The client finds the next one, in one process, within seconds."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from bot.errors import OutsideError, UnconfirmedError, UnreachableError
from bot.store.client import connect
from bot.store.scripts import Script
from tests.store.processes import until
from tests.store.sentinel_fleet import sentinel_fleet

ADD = Script("return redis.call('SADD', '{cm}:acknowledged', ARGV[1])")
FOUND_WITHIN = 40


@pytest.fixture
def fleet(tmp_path):
    with sentinel_fleet(tmp_path) as fleet:
        yield fleet


class Writer:
    """Writes number after number, and goes on through every failure that may pass."""

    def __init__(self, store):
        self.store, self.acknowledged, self.failures, self._more = store, [], [], True

    async def run(self):
        number = 0
        while self._more:
            number += 1
            try:
                await ADD(self.store, number, repeatable=True, durable=True)
            except OutsideError as error:
                self.failures.append(error)
                await asyncio.sleep(0.05)
            else:
                self.acknowledged.append(number)

    def stop(self):
        self._more = False

    async def next(self):
        """Returns when something that was begun from now on is acknowledged."""
        seen = len(self.acknowledged)
        async with asyncio.timeout(FOUND_WITHIN):
            while len(self.acknowledged) < seen + 2:
                await asyncio.sleep(0.01)


async def test_nothing_that_was_acknowledged_is_lost_when_the_primary_dies(tmp_path):
    with sentinel_fleet(tmp_path, replicas=2) as fleet:
        async with connect(fleet.url) as store:
            writer = Writer(store)
            writing = asyncio.ensure_future(writer.run())
            waiting = asyncio.ensure_future(store.tail("{cm}:s", "0-0", block=timedelta(seconds=20)))
            await writer.next()
            dead = fleet.kill_primary()
            begun = time.monotonic()
            await writer.next()
            assert time.monotonic() - begun < FOUND_WITHIN
            assert fleet.primary is not dead
            writer.stop()
            await writing
            assert any(isinstance(failure, UnreachableError) for failure in writer.failures)
            assert all(failure.transient for failure in writer.failures)
            kept = set(map(int, await store.smembers("{cm}:acknowledged")))
            assert set(writer.acknowledged) <= kept
            with pytest.raises(UnreachableError):  # who waited at the dead one is told
                await waiting
            assert fleet.primary.ask("EXISTS", "{cm}:acknowledged") == 1


async def test_without_a_replica_nothing_is_called_durable_until_one_is_back(fleet):
    async with connect(fleet.url) as store:
        await ADD(store, 1, durable=True)
        dead = fleet.kill_primary()
        await asyncio.to_thread(fleet.wait_for_failover, dead)
        with pytest.raises(UnconfirmedError, match="only 0 of 1 replicas"):
            await _patiently(lambda: ADD(store, 2, repeatable=True, durable=True), UnreachableError)
        fleet.bring_back(dead)
        assert await ADD(store, 2, repeatable=True, durable=True) == 0


async def test_a_primary_that_falls_silent_is_left_and_its_connections_with_it(fleet):
    async with connect(fleet.url) as store:
        await asyncio.gather(*(ADD(store, number) for number in range(50)))  # several connections
        old = fleet.primary
        old.freeze()
        await asyncio.to_thread(fleet.wait_for_failover, old)
        await _patiently(lambda: store.set("{cm}:k", "new"), UnreachableError)
        old.thaw()  # and takes itself for the primary until the sentinels tell it, some ten seconds later
        assert await asyncio.gather(*(store.text("{cm}:k") for _ in range(50))) == ["new"] * 50
        assert await ADD(store, 99) == 1


async def test_a_demoted_primary_is_a_lost_connection(fleet):
    async with connect(fleet.url) as store:
        await store.set("{cm}:k", "v")
        old = fleet.primary
        old.ask("REPLICAOF", "127.0.0.1", fleet.replicas[0].port)
        with pytest.raises(UnreachableError, match="is a replica and takes no writes"):
            await store.set("{cm}:k", "w")
        old.ask("REPLICAOF", "NO", "ONE")  # before the sentinels think about it
        await store.set("{cm}:k", "x")


async def test_after_a_failover_by_hand_the_old_primary_confirms_nothing(fleet):
    async with connect(fleet.url) as store:
        await ADD(store, 1, durable=True)
        old = fleet.primary
        fleet.sentinels[0].ask("SENTINEL", "FAILOVER", "cm")
        await asyncio.to_thread(fleet.wait_for_failover, old)
        await _patiently(lambda: ADD(store, 2, repeatable=True, durable=True), (UnreachableError, UnconfirmedError))
        assert fleet.primary.ask("SISMEMBER", "{cm}:acknowledged", 2) == 1


async def test_a_primary_that_misses_its_replicas_takes_no_writes_and_says_why(tmp_path):
    options = ("--min-replicas-to-write", "1", "--min-replicas-max-lag", "2")
    with sentinel_fleet(tmp_path, options=options) as fleet:
        async with connect(fleet.url) as store:
            await store.set("{cm}:k", "v")
            replica = fleet.replicas[0]
            replica.kill()
            until(lambda: fleet.primary.info("replication")["connected_slaves"] == 0, what="it is missed")
            with pytest.raises(OutsideError, match=r"too few replicas for its min-replicas-to-write") as refused:
                await store.set("{cm}:k", "w")
            assert refused.value.transient
            with pytest.raises(OutsideError, match="bring a replica back"):
                await ADD(store, 1, durable=True)
            fleet.bring_back(replica)
            assert await ADD(store, 1, durable=True) == 1


async def _patiently(ask, passing):
    """What it answers once it does not fail in this way any more."""
    deadline = time.monotonic() + FOUND_WITHIN
    while True:
        try:
            return await ask()
        except passing:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
