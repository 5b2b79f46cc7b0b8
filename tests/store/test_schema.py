"""Data of an older version is brought up once, by one program, and never under the feet of an older one.

`schema-1.commands` was written by the program of schema 1, dumped as plain commands: a copy under way, one that has
ended, five approved ones of two people who wait for the link, a plan, a draft and a diagnosis.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.errors import OutsideError, UserError
from bot.jobs.queue import RedisQueue
from bot.migration.machine import Phase
from bot.store import keys, schema
from bot.store.client import connect
from bot.store.form import FORM
from bot.store.schema import check_schema

WRITTEN = datetime(2026, 11, 23, 13, 13, 37, tzinfo=UTC)
RUNNING, DONE, PLANNED, DRAFTED, DIAGNOSIS = "lcv5kdgg", "bww35cjd", "hfkf7eg2", "rwgbemyt", "u7kca2jd"
FIRST, SECOND, THIRD = "x7lehg6z", "t5h3almo", "25jwkhbm"  # approved for U1, one after the other
OTHERS_FIRST, OTHERS_SECOND = "fp4fmabs", "u5ukw5xd"  # and after all of them for U2


@pytest.fixture
async def old(store, skew_clock):
    """Redis as the program of schema 1 left it, a moment ago."""
    for line in Path(__file__).with_name("schema-1.commands").read_text(encoding="utf-8").splitlines():
        await store.execute_command(*json.loads(line))
    skew_clock(WRITTEN - datetime.now(UTC))
    return store


async def test_an_empty_redis_becomes_ours(store):
    await check_schema(store)
    await check_schema(store)
    assert await store.text(keys.SCHEMA) == str(FORM)
    assert await store.dbsize() == 1


@pytest.mark.parametrize("other", [str(FORM + 1), "7", "0", "x"])
async def test_what_there_is_no_way_from_is_refused_and_not_touched(store, other):
    await store.set(keys.SCHEMA, other)
    with pytest.raises(
        UserError, match=f"holds data of schema {other}; this version of coldmigrate reads schema {FORM}"
    ):
        await check_schema(store)
    assert await store.text(keys.SCHEMA) == other
    assert await store.dbsize() == 1


def test_there_is_a_way_from_every_older_version():
    assert list(schema.STEPS) == [str(number) for number in range(1, FORM)]


async def test_jobs_of_schema_1_go_on_where_they_were(old):
    await check_schema(old)
    assert await old.text(keys.SCHEMA) == str(FORM)
    queue = RedisQueue(old)
    states = {job.id: job.state for job in await queue.recent(limit=100)}
    assert states[RUNNING] is Phase.ATTACHED
    assert states[DONE] is Phase.DONE
    assert states[PLANNED] is Phase.PLANNED
    assert states[DRAFTED] is states[DIAGNOSIS] is Phase.DRAFTED
    assert len(states) == 10
    assert {job.needs for job in await queue.recent(limit=100, live_only=True)} == {()}
    taken = await queue.claim("worker")
    assert (taken.job.id, taken.taken_over, taken.job.data["task"]) == (RUNNING, True, "task-7")


async def test_who_waits_for_a_link_goes_in_turns_whoever_asked_first(old):
    await check_schema(old)
    line = await old.zrange(keys.ready("site1~site2"), 0, -1)
    assert line == [FIRST, OTHERS_FIRST, SECOND, OTHERS_SECOND, THIRD]
    assert await old.hash(keys.TURNS + "site1~site2") == {"U1": "2", "U2": "1"}
    queue = RedisQueue(old, slots={"site1~site2": 100})
    await queue.approve(PLANNED, fingerprint="f1", by="U3")
    line = await old.zrange(keys.ready("site1~site2"), 0, -1)
    assert line == [FIRST, OTHERS_FIRST, PLANNED, SECOND, OTHERS_SECOND, THIRD], "a third person joins the first round"


async def test_it_happens_once_however_many_start_at_once(old, valkey_url):
    stores = [connect(valkey_url) for _ in range(8)]
    await asyncio.gather(*(check_schema(store) for store in stores))
    for store in stores:
        await store.aclose()
    assert await old.zrange(keys.ready("site1~site2"), 0, 0) == [FIRST]
    assert await old.text(keys.SCHEMA) == str(FORM)
    assert await old.text(keys.SCHEMA_LOCK) is None


async def test_a_step_that_was_made_is_not_made_again(old):
    await check_schema(old)
    before = await old.zrange(keys.ready("site1~site2"), 0, -1, withscores=True)
    await schema.STEPS["1"](old)
    assert await old.zrange(keys.ready("site1~site2"), 0, -1, withscores=True) == before


async def test_who_died_on_the_way_keeps_nobody_out_for_long(old):
    await old.set(keys.SCHEMA_LOCK, "somebody who is dead", px=timedelta(milliseconds=300))
    await check_schema(old)
    assert await old.text(keys.SCHEMA) == str(FORM)


async def test_a_program_of_schema_1_that_is_connected_has_to_go_first(old, valkey_url):
    """As it was connected: by redis-py, and with no name."""
    async with Redis.from_url(valkey_url) as worker:
        await worker.ping()
        with pytest.raises(
            OutsideError, match=r"an older coldmigrate still uses it: 1 connections .* Stop all its"
        ) as no:
            await check_schema(old)
        assert no.value.transient
        assert await old.text(keys.SCHEMA) == "1"
        assert await old.text(keys.SCHEMA_LOCK) is None
    await check_schema(old)


async def test_people_who_look_with_their_own_tools_do_not_count(old, valkey_url):
    async with Redis.from_url(valkey_url, client_name="dashboard") as other:
        await other.ping()
        await check_schema(old)


async def test_jobs_that_are_being_worked_on_show_that_somebody_works(old):
    await old.zadd(keys.LEASE, {RUNNING: WRITTEN.timestamp() * 1000 + 20_000})
    with pytest.raises(OutsideError, match="1 jobs that are being worked on"):
        await check_schema(old)
    assert await old.text(keys.SCHEMA) == "1"


async def test_where_connections_may_not_be_listed_the_leases_tell(old, valkey_url):
    await old.acl_setuser("few", enabled=True, nopass=True, keys=["*"], categories=["+@all"], commands=["-client|list"])
    try:
        async with connect(valkey_url.replace("unix://", "unix://few:x@")) as store:
            await check_schema(store)
            assert await store.text(keys.SCHEMA) == str(FORM)
    finally:
        await old.acl_deluser("few")
