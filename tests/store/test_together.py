"""Scripts that share a round trip: each has its own answer, and none is lost with the others."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import BugError
from bot.store.client import connect
from bot.store.scripts import Script

ADD = Script("return redis.call('INCRBY', ARGV[1], ARGV[2])")
FAIL = Script("return redis.error_reply('ERR no such thing')")


@pytest.fixture
async def store(valkey_url):
    async with connect(valkey_url) as store:
        yield store


async def round_trips(store):
    return int((await store.info("stats"))["total_reads_processed"])


async def add(store, number):
    return await ADD(store, "sum", number, repeatable=True, together=True)


async def test_what_is_asked_in_one_turn_travels_together(store):
    await add(store, 0)
    before = await round_trips(store)
    answers = await asyncio.gather(*(add(store, 1) for _ in range(50)))
    assert answers == list(range(1, 51))
    assert await round_trips(store) - before < 10


async def test_a_script_that_redis_does_not_know_yet_is_brought_along(store):
    await store.execute_command("SCRIPT", "FLUSH")
    assert sorted(await asyncio.gather(*(add(store, 1) for _ in range(5)))) == [1, 2, 3, 4, 5]


async def test_who_fails_fails_alone(store):
    outcomes = await asyncio.gather(
        add(store, 1), FAIL(store, repeatable=True, together=True), add(store, 1), return_exceptions=True
    )
    assert (outcomes[0], outcomes[2]) == (1, 2)
    assert isinstance(outcomes[1], BugError)


async def test_who_stops_waiting_stops_nobody_else(store):
    leaving, staying = asyncio.create_task(add(store, 1)), asyncio.create_task(add(store, 1))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying in (1, 2)


async def test_a_connection_that_ends_under_way_is_asked_again(store):
    await add(store, 0)
    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(add(store, 1))
        await asyncio.sleep(0)
        await store.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert int(await store.text("sum")) >= 20
