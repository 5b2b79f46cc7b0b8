"""A worker that waits is woken by what it could claim, and by nothing later than that."""

from __future__ import annotations

import asyncio
import statistics
import time
from datetime import timedelta

import pytest

from bot.jobs.queue import RedisQueue
from bot.migration.machine import Phase
from bot.store.client import connect

LONG = timedelta(seconds=15)


@pytest.fixture
async def other(valkey_url):
    """The queue as another process sees it."""
    async with connect(valkey_url) as store:
        yield RedisQueue(store)


async def waited(queue: RedisQueue, at_most: timedelta = LONG):
    """What a worker gets that waits for the next job."""
    return await queue.claim_next("w2", 1, alone=True, at_most=at_most)


async def woken_by(queue: RedisQueue, cause):
    """Seconds that a cause and the end of a wait that was under way take together; and what was claimed."""
    assert await queue.claim("idle") is None
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(waited(queue))
        await asyncio.sleep(0)
        begun = time.monotonic()
        await cause()
        (claim,) = await waiting
    return time.monotonic() - begun, claim


async def test_a_draft_wakes_it_in_milliseconds(queue, other, new):
    waits = []
    for number in range(30):
        took, claim = await woken_by(queue, lambda vm=number: other.draft(new(f"vm{vm}")))
        waits.append(took)
        await claim.move(Phase.CHECKING, why="taken")
        await claim.move(Phase.FAILED, why="over")
    assert statistics.median(waits) < 0.02  # 2 ms on an idle machine; polling would take a hundred times as long


async def test_an_approval_wakes_it(queue, other, planned):
    job = await planned()
    took, claim = await woken_by(queue, lambda: other.approve(job.id, fingerprint="f1", by="U2"))
    assert took < 1
    assert claim.job.id == job.id


async def test_a_hand_over_wakes_it(queue, claimed):
    claim = await claimed(Phase.ATTACHED)
    took, taken = await woken_by(queue, claim.hand_over)
    assert took < 1
    assert taken.taken_over


async def test_a_slot_that_comes_free_wakes_it(store, planned, queue):
    jobs = [await planned(vm) for vm in ("first", "second")]
    for job in jobs:
        await queue.approve(job.id, fingerprint="f1", by="U2")
    narrow = RedisQueue(store, slots={"site1~site2": 1})
    claim = await narrow.claim("w1")
    took, taken = await woken_by(narrow, lambda: claim.move(Phase.FAILED, why="refused"))
    assert took < 1
    assert taken.job.id != claim.job.id


async def test_it_is_back_when_the_next_job_is_due(queue, claimed):
    claim = await claimed(Phase.UNKNOWN)
    await claim.later(timedelta(milliseconds=200), why="settling")
    assert await queue.claim("w2") is None
    begun = time.monotonic()
    assert await waited(queue)
    assert time.monotonic() - begun < 5


async def test_it_is_back_when_the_next_lease_ends(store, claimed):
    queue = RedisQueue(store, lease=timedelta(milliseconds=200))
    claim = await claimed(Phase.ATTACHED)
    await claim.hand_over()
    await queue.claim("w1")
    assert await queue.claim("w2") is None
    begun = time.monotonic()
    (taken,) = await waited(queue)
    assert time.monotonic() - begun < 5
    assert taken.taken_over


async def test_it_is_back_after_its_time_with_nothing(queue):
    assert await queue.claim("w1") is None
    begun = time.monotonic()
    assert not await waited(queue, timedelta(milliseconds=50))
    assert 0.045 < time.monotonic() - begun < 5


async def test_what_came_between_the_claim_and_the_wait_is_not_missed(queue, other, new):
    assert await queue.claim("w1") is None
    await other.draft(new())
    begun = time.monotonic()
    assert await waited(queue)
    assert time.monotonic() - begun < 1


async def test_events_from_now_on_leave_out_the_past(queue, other, new):
    await other.draft(new("past"))
    events = queue.events()
    first = asyncio.ensure_future(anext(events))
    number = 0
    while not first.done():  # the reader begins when it begins; what comes after is seen
        number += 1
        await other.draft(new(f"present{number}"))
    _, fields = await first
    past = (await queue.recent(limit=1000))[-1]
    assert fields["job"] != past.id
    await events.aclose()
