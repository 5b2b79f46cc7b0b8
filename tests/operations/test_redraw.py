"""Cards that nobody holds, and jobs that end without anybody saying so: a person hears of them all the same."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.jobs.port import NewJob
from bot.jobs.queue import RedisQueue
from bot.migration.machine import Phase
from bot.operations.aftercare_record import AFTERCARE, Act, Aftercare
from bot.operations.record import plan_of as recorded_plan
from bot.operations.record import with_plan, with_request
from bot.operations.redraw import last_word, redraw_unattended
from bot.operations.show_job import show_job
from bot.slack.outbox import RedisOutbox
from bot.store import keys
from bot.store.client import connect
from tests.migration.conftest import REQUEST, plan_of


@pytest.fixture
async def store(valkey_url):
    async with connect(valkey_url) as store:
        yield store


@pytest.fixture
def queue(store):
    return RedisQueue(store)


@pytest.fixture
def outbox(store):
    return RedisOutbox(store)


@pytest.fixture
def shown(store):
    """What waits to be posted as the job's card, or under it."""

    async def wait(entry: str, text: str) -> str:
        async with asyncio.timeout(5):
            while text not in (found := (await store.hash(keys.outbox(entry))).get("blocks", "")):
                await asyncio.sleep(0.005)
        return found

    return wait


@asynccontextmanager
async def redrawing(queue, outbox):
    task = asyncio.create_task(redraw_unattended(queue, outbox))
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()


async def drafted(queue, vm: str = "1"):
    request = replace(REQUEST, vm=replace(REQUEST.vm, uuid=vm))
    new = NewJob(
        kind="migrate", vm_key=request.vm.key, requester="U1", channel="C1", data=with_request(request), dedupe=""
    )
    return (await queue.draft(new)).id


async def planned(queue, vm: str = "1"):
    """As a worker leaves it that died before it could show the plan."""
    job = await drafted(queue, vm)
    claim = await queue.claim("w1")
    await claim.move(Phase.CHECKING, why="taken")
    await claim.move(Phase.PLANNED, why="planned", data=with_plan(plan_of()))
    return job


@pytest.mark.parametrize("running_already", [True, False])
async def test_a_plan_whose_worker_died_before_it_was_shown_is_shown(queue, outbox, shown, running_already):
    if not running_already:
        job = await planned(queue)
    async with redrawing(queue, outbox):
        if running_already:
            job = await planned(queue)
        assert "cm.approve" in await shown(f"card:{job}", "cm.approve")


async def test_an_approval_whose_bot_died_before_it_was_shown_is_shown(queue, outbox, shown):
    async with redrawing(queue, outbox):
        job = await planned(queue)
        await queue.approve(job, fingerprint=plan_of().fingerprint, by="U2")
        await shown(f"card:{job}", "Waits for a free slot")


async def test_a_job_that_is_given_up_says_so_in_its_thread(queue, outbox, store):
    async with redrawing(queue, outbox):
        job = await planned(queue)
        await queue.approve(job, fingerprint=plan_of().fingerprint, by="U2")
        claim = await queue.claim("w1")
        await claim.move(Phase.INTENT, why="about to call", attempt=1)
        await claim.give_up(why="unexpected error, reference 0815")
        async with asyncio.timeout(5):
            while not [key async for key in store.scan_iter(match=f"*{job}*end*")]:
                await asyncio.sleep(0.005)
    said = last_word(await queue.get(job))
    assert said is not None
    assert "please look in vCenter" in said.text
    assert "reference 0815" in said.text


async def test_an_act_that_is_given_up_says_so_in_the_thread_of_its_migration(queue, outbox, store):
    of = await drafted(queue)
    asked = Aftercare(Act.POWER_ON_SOURCE, of)
    async with redrawing(queue, outbox):
        act = (await queue.draft(NewJob(AFTERCARE, "", "U1", "C1", asked.to_data(), priority=0))).id
        claim = await queue.claim("w1")
        assert claim.job.id == act
        await claim.give_up(why="unexpected error, reference 0815")
        async with asyncio.timeout(5):
            while not (said := [key async for key in store.scan_iter(match=f"*{of}*{asked.reply_key(act)}*")]):
                await asyncio.sleep(0.005)
    record = await store.hash(said[0])
    assert "reference 0815. Click again" in record["blocks"]


async def test_last_words_say_what_is_certain(queue):
    job = await queue.get(await drafted(queue))
    step = replace(job.steps[-1], why="the config has no such site.")
    ended = replace(job, state=Phase.FAILED, steps=[step])
    said = last_word(ended)
    assert said is not None
    assert "failed before anything was started: the config has no such site." in said.text
    cancelled = last_word(replace(ended, state=Phase.CANCELLED, cancel_by="U2"))
    assert cancelled is not None
    assert "cancelled before anything was started" in cancelled.text
    assert last_word(replace(ended, state=Phase.CANCELLED)) is None  # it expired: the card says so
    assert last_word(replace(ended, data={**ended.data, "outcome": "It failed."})) is None  # said already
    assert last_word(job) is None


async def test_a_record_of_another_version_hides_no_other(queue, outbox, shown, store):
    broken = await planned(queue, "1")
    await store.hset(keys.job(broken), "data.plan", '{"schema": 2}')
    unknown = await planned(queue, "2")
    await store.hset(keys.job(unknown), "state", "beamed")
    async with redrawing(queue, outbox):
        await queue.cancel(broken, by="U1")
        job = await planned(queue, "3")
        await shown(f"card:{job}", "cm.approve")
    assert {j.id for j in await queue.recent()} == {broken, job}


async def test_an_old_look_never_stays_on_a_card(queue, store, shown):
    """A bot that was slow between reading a draft and showing it, while a worker planned it and showed the plan."""
    job = await drafted(queue)
    outbox = RedisOutbox(store)

    class SlowOutbox(RedisOutbox):
        async def show(self, card):
            if card.phase is Phase.DRAFTED:
                claim = await queue.claim("w1")
                await claim.move(Phase.CHECKING, why="taken")
                await claim.move(Phase.PLANNED, why="planned", data=with_plan(plan_of()))
                await show_job(queue, outbox, job)
            await super().show(card)

    await show_job(queue, SlowOutbox(store), job)
    assert "cm.approve" in await shown(f"card:{job}", "cm.approve")
    assert recorded_plan(await queue.get(job)) is not None


async def test_expired_plans_are_redrawn_without_a_word_in_the_thread(queue, outbox, shown, store, skew_clock):
    async with redrawing(queue, outbox):
        job = await planned(queue)
        skew_clock(timedelta(hours=2))
        await queue.expire_drafts()
        await shown(f"card:{job}", "nobody approved it in time")
    assert [key async for key in store.scan_iter(match=f"*{job}*end*")] == []
