"""When jobs have ended, and the time of what they leave is over, nothing of them is left but what the page says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.jobs.port import NewJob
from bot.jobs.queue import RedisQueue
from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.store import blobs, keys
from bot.store.scripts import Script
from tests.store.leftovers import breaches, families, family_of, let_time_pass

LINK = "site1~site2"
NEEDS = '["host:east:esx-01", "datastore:east:ds-1"]'
WAYS = ("stays", "empties", "trimmed")


def new(vm, **changes):
    fields = {"kind": "migrate", "vm_key": f"east:{vm}", "requester": "U1", "channel": "C1", "data": {"vm": vm}}
    return NewJob(**{**fields, "dedupe": f"delivery-{vm}", **changes})


@pytest.fixture
def queue(store):
    return RedisQueue(store, slots={LINK: 5}, most_claims=2)


async def planned(queue, vm, **changes):
    drafted = await queue.draft(new(vm, **changes))
    claim = await queue.claim("w1")
    assert claim.job.id == drafted.id
    await claim.move(Phase.CHECKING, why="a worker took it")
    data = {"fingerprint": "f", "link": LINK, "needs": NEEDS}
    return (await claim.move(Phase.PLANNED, why="planned", data=data)).id


async def started(queue, vm, *steps, **changes):
    job = await planned(queue, vm, **changes)
    await queue.approve(job, fingerprint="f", by="U2")
    claim = await queue.claim("w1")
    assert claim.job.id == job
    for step in steps:
        await claim.move(step, why="on", attempt=1 if step is Phase.INTENT else None)
    return claim


async def every_end(queue, skew_clock):
    """One job for each way in which a job may end, and what else is made on the way."""
    copy = await started(queue, "done", Phase.INTENT, Phase.ATTACHED, Phase.VERIFYING)
    await copy.move(Phase.DONE, why="arrived")
    copy = await started(queue, "failed", Phase.INTENT, Phase.UNKNOWN)
    await copy.move(Phase.FAILED, why="it did not start")
    copy = await started(queue, "human", Phase.INTENT, Phase.UNKNOWN)
    await copy.move(Phase.NEEDS_HUMAN, why="nobody can tell")
    copy = await started(queue, "poison")
    await copy.give_up(why="its handler cannot deal with it")
    await queue.cancel(await planned(queue, "unwanted"), by="U1")
    copy = await started(queue, "cancelled", Phase.INTENT, Phase.ATTACHED)
    await queue.cancel(copy.job.id, by="U1")
    await copy.move(Phase.CANCELLED, why="stopped in vCenter")
    copy = await started(queue, "later")
    await copy.later(timedelta(hours=3), why="busy", failed="away")
    await queue.cancel(copy.job.id, by="U1")
    hold = await queue.hold(LINK, by="U1", why="it loses packets", channel="C1")
    waits = await planned(queue, "held", requester="U3")
    await queue.approve(waits, fingerprint="f", by="U3")
    assert await queue.claim("w1") is None
    await queue.release(hold.id, by="U1", why="mended")
    copy = await queue.claim("w1")
    await copy.hand_over()
    copy = await queue.claim("w2")
    await copy.move(Phase.INTENT, why="on", attempt=1)
    await copy.move(Phase.FAILED, why="refused")
    await queue.draft(new("", vm_key="", kind="diagnose", lane="diagnose"))
    copy = await queue.claim("w1")
    await copy.move(Phase.DONE, why="told")
    lost = JobId("lostlost")
    await queue.adopt(lost, new("lost"), state=Phase.ATTACHED, attempt=1, why="found in vCenter")
    copy = await queue.claim("w1")
    await copy.move(Phase.FAILED, why="its task failed")
    await queue.chore("reconcile", worker="w1", every=timedelta(minutes=5))
    await planned(queue, "forgotten")
    await queue.draft(new("ignored", requester="U4"))
    skew_clock(timedelta(hours=2))
    assert await queue.expire_drafts() == 2


def test_the_page_says_of_every_key_how_it_goes():
    assert families()
    assert [row.name for row in families() if row.goes not in WAYS and row.lives is None] == []


def test_a_key_belongs_to_the_closest_row():
    assert family_of(keys.outbox("pace")).name == "outbox:pace"
    assert family_of(keys.outbox("card:x")).name == "outbox:<record>"
    assert family_of(keys.vm("east:x")).name == "vm:<vm>"
    with pytest.raises(AssertionError, match=r"not in docs/redis-keys\.md"):
        family_of("{cm}:surprise")


async def test_what_should_have_gone_is_seen(store):
    await store.set(keys.vm("east:x"), "a-job")
    await store.hset(keys.job("x"), "id", "x")
    await store.set(keys.blob("00"), "x", ex=timedelta(days=3))
    await store.set(keys.SCHEMA, "2", ex=5)
    await store.set(keys.CONFIRMED, "")
    told = await breaches(store)
    assert [line.split()[0].removeprefix(keys.PREFIX) for line in told] == ["blob:00", "job:x", "schema", "vm:east:x"]


async def test_every_ended_job_leaves_its_record_for_a_time_and_nothing_else(store, queue, skew_clock):
    await every_end(queue, skew_clock)
    await blobs.put(store, b"a plan", keep=timedelta(days=2))
    assert await queue.recent(limit=100, live_only=True) == []
    assert len(await queue.recent(limit=100)) == 12
    assert await breaches(store) == []


async def test_after_the_time_of_the_records_the_indexes_forget_them_too(store, queue, skew_clock):
    await every_end(queue, skew_clock)
    skew_clock(timedelta(days=181))
    await let_time_pass(store)
    copy = await started(queue, "fresh")
    await copy.give_up(why="its handler cannot deal with it")
    assert await store.zrange(keys.JOBS, 0, -1) == [copy.job.id]
    assert await store.zrange(keys.DEAD, 0, -1) == [copy.job.id]
    await let_time_pass(store)
    left = {key.removeprefix(keys.PREFIX) for key in await store.keys("*")}
    assert left == {"jobs", "dead", "ev", "audit", "sequence", "clock-skew"}
    assert await breaches(store) == []


async def test_the_event_log_is_trimmed_when_something_new_comes(store, queue):
    fill = Script("for i = 1, ARGV[2] do redis.call('XADD', ARGV[1], '*', 'i', i) end")
    for _ in range(6):
        await fill(store, keys.EVENTS, 17_000)
    await queue.draft(new("web01"))
    assert family_of(keys.EVENTS).goes == "trimmed"
    assert 100_000 <= await store.xlen(keys.EVENTS) < 101_000  # Redis drops whole nodes of a hundred or so
