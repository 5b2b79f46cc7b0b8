"""Redis loses all it knew while copies run: what runs is taken up again from the VMs, and nothing is started twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from redis.client import NEVER_DECODE

from bot.compose import queue_of, store_of
from bot.migration.machine import Phase
from bot.operations.record import intent_of
from bot.store import keys
from bot.store.schema import VERSION
from bot.vsphere.session import WRITER
from tests.end_to_end.plant import plant, text_of

SLOW, FAST = 20_000_000, 8_000_000_000


@pytest.fixture
async def store(stage):
    async with store_of(stage.settings) as store:
        yield store


async def copying(stage, vcenter, vm="web01"):
    vcenter.set_link("site1", "site2", rate=SLOW)
    await stage.type(f"/coldmigrate {vm} site2")
    await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
    return await stage.card(showing="copying")


async def ended(stage, job_id=None):
    """The job, or the newest one, once the ledger says so too: a card shows the end a little before."""
    async with store_of(stage.settings) as store, asyncio.timeout(20):
        queue = queue_of(stage.settings, store)
        while True:
            job = await queue.get(job_id) if job_id else next(iter(await queue.recent()), None)
            if job is not None and job.state.ended:
                return job
            await asyncio.sleep(0.05)


async def no_trace(vcenter):
    """The trace goes after the ledger has the end."""
    async with asyncio.timeout(20):
        while traces(vcenter):
            await asyncio.sleep(0.05)


def traces(vcenter):
    return {name: vm.custom for name in ("web01", "db01") if any((vm := vcenter.estate.vm(name)).custom.values())}


async def test_a_copy_goes_on_under_its_old_name_and_on_its_old_card(stage, store, vcenter):
    before = await copying(stage, vcenter)
    (job,) = await queue_of(stage.settings, store).recent()
    await store.flushall()
    thread = await stage.reply(before, saying="Redis lost its data")
    assert "nothing is started twice" in text_of(thread)
    assert await store.text(keys.SCHEMA) == VERSION  # whose data it is, is known again
    vcenter.set_link("site1", "site2", rate=FAST)
    card = await stage.card(showing="done")
    assert card["ts"] == before["ts"]
    assert len(stage.cards()) == 1
    assert len(vcenter.relocations) == 1
    again = await ended(stage, job.id)
    assert (again.state, again.requester, again.channel) == (Phase.DONE, job.requester, job.channel)
    await no_trace(vcenter)


async def test_whoever_asks_for_the_vm_again_is_told_of_the_job_that_has_it(stage, store, vcenter):
    before = await copying(stage, vcenter)
    await store.flushall()
    await stage.inventory()
    said = await stage.type("/coldmigrate web01 site2")
    if "already has job" not in said:  # asked before it was found: then the new job makes way
        assert "Checking web01" in said
        await stage.card(showing="cancelled", number=1)
    vcenter.set_link("site1", "site2", rate=FAST)
    await stage.card(showing="done")
    assert before["ts"] == stage.cards()[0]["ts"]
    assert len(vcenter.relocations) == 1


async def test_a_copy_that_ended_while_nobody_knew_of_it_is_concluded(tmp_path, target, valkey_url, vcenter):
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        stop = await stage.start_worker()
        await stage.inventory()
        await copying(stage, vcenter)
        await stop()
        async with store_of(stage.settings) as store:
            await store.flushall()
        vcenter.set_link("site1", "site2", rate=FAST)
        while vcenter.placement("web01").site != "site2":
            await asyncio.sleep(0.05)
        await stage.start_worker()
        await stage.card(showing="done")
        await ended(stage)
        await no_trace(vcenter)
    assert len(vcenter.relocations) == 1


async def test_a_call_that_never_arrived_is_not_made_again(tmp_path, target, valkey_url, vcenter, skew_clock):
    """The trace was written, the call was lost, and then Redis lost all: it is certain that nothing runs."""
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        stop = await stage.start_worker()
        await stage.inventory()
        vcenter.drop_request("RelocateVM_Task")
        await stage.type("/coldmigrate web01 site2")
        await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
        await stage.card(showing="finding out")
        await stop()
        async with store_of(stage.settings) as store:
            await store.flushall()
        await stage.start_worker()
        await stage.reply(stage.cards()[0], saying="Redis lost its data")
        async with store_of(stage.settings) as store:
            await known(queue_of(stage.settings, store), lambda job: intent_of(job).ended is not None)
        skew_clock(timedelta(minutes=2))
        card = await stage.card(showing="It is certain that nothing was started")
        await ended(stage)
        await no_trace(vcenter)
    assert "Retry" in text_of(card)
    assert vcenter.relocations == []


async def test_a_trace_that_was_left_over_is_tidied_away(stage, store, vcenter, skew_clock):
    vcenter.set_link("site1", "site2", rate=FAST)
    await stage.type("/coldmigrate web01 site2")
    await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
    done = [message async for message in left_over(stage, vcenter)]
    skew_clock(timedelta(minutes=6))
    await no_trace(vcenter)
    assert done


async def left_over(stage, vcenter):
    """Put the trace back that the migration took away, as if its worker had died before."""
    seen = {}
    async with asyncio.timeout(20):
        while vcenter.placement("web01").site != "site2":
            seen.update({key: value for key, value in vcenter.estate.vm("web01").custom.items() if value})
            await asyncio.sleep(0.001)
    yield await stage.card(showing="done")
    vcenter.estate.vm("web01").custom.update(seen)
    assert traces(vcenter)


async def test_a_record_that_cannot_be_read_keeps_no_other_migration_forgotten(stage, store, vcenter):
    """It was written by another version, perhaps; the traces before and behind the other's tell of it."""
    card = await copying(stage, vcenter, "db01")
    (job,) = await queue_of(stage.settings, store).recent()
    ((key, trace),) = vcenter.estate.vm("db01").custom.items()
    await store.flushall()
    await store.hset(keys.job("unreadable"), mapping={"id": "unreadable", "state": "beamed"})
    for name in ("web01", "big01", "list"):
        vcenter.estate.vm(name).custom[key] = trace.replace(job.id, "unreadable")
    await store.delete(keys.chore("reconcile"))
    await stage.reply(card, saying="Redis lost its data")


async def test_a_redis_that_came_back_older_starts_nothing_twice(stage, store, vcenter, skew_clock):
    """It knows of the plan and not of the call; the plan is approved once more."""
    vcenter.set_link("site1", "site2", rate=SLOW)
    await stage.type("/coldmigrate web01 site2")
    card = await stage.card(showing="waiting for approval")
    queue = queue_of(stage.settings, store)
    (job,) = await queue.recent()
    # The older record, as a replica that lagged behind would have it.
    older = {key: await dumped(store, key) for key in await store.keys("{cm}:*")}
    await stage.click(card, "cm.approve")
    await stage.card(showing="copying")
    await store.flushall()
    for key, value in older.items():
        await store.restore(key, 0, value)
    await queue.approve(job.id, fingerprint=job.data["fingerprint"], by="U1")
    await stage.card(showing="copying")
    vcenter.set_link("site1", "site2", rate=FAST)
    await stage.card(showing="done")
    assert len(vcenter.relocations) == 1
    assert (await ended(stage, job.id)).state is Phase.DONE
    await no_trace(vcenter)


async def dumped(store, key):
    return await store.execute_command("DUMP", key, **{NEVER_DECODE: []})


async def test_a_redis_that_forgot_the_second_call_ends_its_session_too(stage, store, vcenter, skew_clock):
    """It knows of the first, which is long over; the second is under way to vCenter."""
    queue = queue_of(stage.settings, store)
    vcenter.drop_request("RelocateVM_Task")
    await stage.type("/coldmigrate web01 site2")
    await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
    await stage.card(showing="finding out")
    job = await known(queue, lambda job: intent_of(job).ended is not None)
    older = {key: await dumped(store, key) for key in await store.keys("{cm}:*")}
    second = vcenter.hold_back("RelocateVM_Task")
    skew_clock(timedelta(minutes=1))
    await vcenter.until_called("RelocateVM_Task", 2)
    (session,) = [one.key for one in vcenter.estate.sessions.all() if one.agent == WRITER]
    await store.flushall()
    for key, value in older.items():
        await store.restore(key, 0, value)
    skew_clock(timedelta(minutes=2))
    again = await known(queue, lambda job: job.attempt == 2)
    assert (again.id, intent_of(again).session) == (job.id, session)
    assert session not in {one.key for one in vcenter.estate.sessions.all()}
    second.set()
    skew_clock(timedelta(minutes=4))
    await stage.card(showing="done")
    assert len(vcenter.relocations) == 1


async def known(queue, is_so):
    """The only job, once this is true of it."""
    async with asyncio.timeout(20):
        while True:
            (job,) = await queue.recent()
            if job.state is Phase.UNKNOWN and is_so(job):
                return job
            await asyncio.sleep(0.05)


async def test_a_trace_of_a_call_that_is_later_than_the_end_is_left(stage, store, vcenter):
    """An older Redis calls the job cancelled; the call that it forgot may have moved the VM, or be moving it."""
    await copying(stage, vcenter, "db01")
    ((key, trace),) = vcenter.estate.vm("db01").custom.items()
    vcenter.set_link("site1", "site2", rate=FAST)
    done = await ended(stage)
    await no_trace(vcenter)
    later = trace.replace(f"{done.id} 1 ", f"{done.id} 2 ")
    assert later != trace
    vms = {name: vcenter.estate.vm(name) for name in ("web01", "big01", "list")}
    for name, vm in vms.items():
        vm.custom[key] = trace if name == "list" else later
    await store.delete(keys.chore("reconcile"))
    async with asyncio.timeout(20):
        while vms["list"].custom.get(key):
            await asyncio.sleep(0.05)
    assert vms["web01"].custom[key] == vms["big01"].custom[key] == later
