"""A VM has one live job, a delivery makes one job, and an id belongs to one job."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from bot.errors import BugError
from bot.jobs.port import Drafted
from bot.jobs.queue import RedisQueue, random_id
from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.store import keys
from bot.store.client import connect


async def test_a_draft_is_on_file_with_who_asked(queue, new):
    drafted = await queue.draft(new("web01", priority=3))
    job = await queue.get(drafted.id)
    assert drafted.fresh
    assert re.fullmatch(r"[a-z2-7]{8}", job.id)
    assert (job.kind, job.state, job.lane, job.vm_key) == ("migrate", Phase.DRAFTED, "check", "east:web01")
    assert (job.requester, job.channel, job.data) == ("U1", "C1", {"vm": "web01"})
    assert (job.fence, job.owner, job.attempt, job.cancel_by, job.failures) == (0, "", 0, "", 0)
    assert [(step.state, step.by, step.why) for step in job.steps] == [(Phase.DRAFTED, "U1", "asked for")]
    assert job.created == job.updated == job.steps[0].at
    assert abs(job.created - await queue.now()) < timedelta(seconds=5)


async def test_an_unknown_job_is_none(queue):
    assert await queue.get(JobId("aaaaaaaa")) is None


async def test_twenty_clients_draft_one_vm_and_one_job_comes_of_it(valkey_url, new):
    stores = [connect(valkey_url) for _ in range(20)]
    for round_ in range(10):
        vm = f"web{round_}"
        drafts = await asyncio.gather(*(RedisQueue(store).draft(new(vm)) for store in stores))
        assert sum(draft.fresh for draft in drafts) == 1
        assert len({draft.id for draft in drafts}) == 1
    await asyncio.gather(*(store.aclose() for store in stores))


async def test_a_vm_is_free_again_after_the_end(queue, new):
    first = await queue.draft(new())
    await queue.cancel(first.id, by="U1")
    second = await queue.draft(new())
    assert second.fresh
    assert second.id != first.id


async def test_a_dry_run_takes_no_vm(queue, new):
    await queue.draft(new())
    assert (await queue.draft(new(vm_key=""))).fresh
    assert (await queue.draft(new(vm_key=""))).fresh


async def test_a_repeated_delivery_is_the_same_job_even_after_its_end(queue, new, store):
    first = await queue.draft(new(dedupe="trigger-1"))
    await queue.cancel(first.id, by="U1")
    assert await queue.draft(new("another-vm", dedupe="trigger-1")) == Drafted(first.id, fresh=False)
    assert (await queue.draft(new(dedupe="trigger-2"))).fresh
    assert 86_000 < await store.ttl(keys.seen("command", "trigger-1")) <= 86_400


async def test_a_delivery_that_found_the_vm_taken_stays_answered_with_that_job(queue, new):
    first = await queue.draft(new())
    assert await queue.draft(new(dedupe="trigger-3")) == Drafted(first.id, fresh=False)
    await queue.cancel(first.id, by="U1")
    assert await queue.draft(new(dedupe="trigger-3")) == Drafted(first.id, fresh=False)


async def test_a_key_whose_job_is_gone_holds_nothing(queue, new, store):
    await store.set(keys.vm("east:web01"), "longgone")
    assert (await queue.draft(new())).fresh


async def test_an_id_in_use_is_never_given_out_again(store, new):
    ids = iter(["aaaaaaaa", "bbbbbbbb", "cccccccc", "aaaaaaaa", "bbbbbbbb", "dddddddd", *["aaaaaaaa"] * 3])
    queue = RedisQueue(store, new_id=lambda: JobId(next(ids)))
    assert (await queue.draft(new("vm1"))).id == "aaaaaaaa"
    assert (await queue.draft(new("vm2"))).id == "bbbbbbbb"
    with pytest.raises(BugError, match="no free job id"):
        await queue.draft(new("vm3"))


async def test_a_draft_whose_answer_was_lost_is_found_again(store, new):
    """The same request, sent twice: what a client does when the connection breaks under it."""
    store_that_asks_twice = _Echo(store)
    queue = RedisQueue(store_that_asks_twice, new_id=random_id)
    assert (await queue.draft(new(dedupe="t"))).fresh
    assert len(await queue.recent()) == 1


class _Echo:
    """Sends every script twice and returns the second answer."""

    def __init__(self, store) -> None:
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def execute_command(self, *args, **options):
        answer = await self._store.execute_command(*args, **options)
        if options.get("repeatable"):
            answer = await self._store.execute_command(*args, **options)
        return answer


async def test_every_write_may_be_sent_twice(store, new):
    queue = RedisQueue(_Echo(store), slots={"l": 2})
    drafted = await queue.draft(new())
    claim = await queue.claim("w1")
    await claim.move(Phase.CHECKING, why="taken")
    await claim.later(timedelta(0), why="not yet")
    claim = await queue.claim("w1")
    await claim.hand_over()
    claim = await queue.claim("w2")
    await claim.move(Phase.PLANNED, why="planned", data={"fingerprint": "f", "link": "l"})
    assert await queue.approve(drafted.id, fingerprint="f", by="U2") == "queued"
    claim = await queue.claim("w2")
    await claim.note({"percent": "1"})
    job = await claim.give_up(why="enough")
    assert [step.why for step in job.steps] == [
        "asked for",
        "taken",
        "not yet",
        "taken over from w1",
        "planned",
        "approved",
        "enough",
    ]
    other = await queue.draft(new("web02"))
    assert await queue.cancel(other.id, by="U1") == "cancelled"
    assert await queue.expire_drafts() == 0


async def test_words_of_any_kind_come_back_as_they_were(queue, new):
    data = {"name": 'Größe "x" \\ \n <!channel> 🙂', "empty": "", "big": "x" * 100_000}
    drafted = await queue.draft(new(data=data))
    assert (await queue.get(drafted.id)).data == data


async def test_recent_is_newest_first_and_can_leave_out_what_ended(queue, new, skew_clock):
    ids = []
    for number in range(4):
        skew_clock(timedelta(seconds=number))
        ids.append((await queue.draft(new(f"vm{number}"))).id)
    await queue.cancel(ids[1], by="U1")
    assert [job.id for job in await queue.recent()] == ids[::-1]
    assert [job.id for job in await queue.recent(limit=2)] == [ids[3], ids[2]]
    assert [job.id for job in await queue.recent(live_only=True)] == [ids[3], ids[2], ids[0]]


async def test_recent_of_an_empty_queue(queue):
    assert await queue.recent() == []


async def test_the_end_of_a_job_without_a_vm_frees_no_vm(queue, new, store):
    holder = await queue.draft(new())
    dry_run = await queue.draft(new(vm_key=""))
    await queue.cancel(dry_run.id, by="U1")
    assert await store.text(keys.vm("east:web01")) == holder.id


async def test_a_job_frees_only_a_vm_that_it_holds(queue, new, store):
    drafted = await queue.draft(new())
    await store.set(keys.vm("east:web01"), "somebody")
    await queue.cancel(drafted.id, by="U1")
    assert await store.text(keys.vm("east:web01")) == "somebody"
