"""What people decide: approve, cancel, or nothing for an hour."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.jobs.port import ApproveOutcome, CancelOutcome, LostLeaseError
from bot.jobs.queue import RedisQueue
from bot.migration.machine import ENDS, Phase
from bot.migration.request import JobId
from bot.store import keys

HOUR = timedelta(hours=1)
NOBODY = JobId("aaaaaaaa")
LINK = "site1~site2"


async def test_an_approved_plan_waits_in_the_lane_of_its_link(queue, planned):
    job = await planned()
    assert await queue.approve(job.id, fingerprint="f1", by="U2") is ApproveOutcome.QUEUED
    job = await queue.get(job.id)
    assert (job.state, job.lane) == (Phase.QUEUED, LINK)
    assert (job.steps[-1].by, job.steps[-1].why) == ("U2", "approved")


async def test_a_plan_that_crosses_no_link_has_a_lane_too(queue, new):
    drafted = await queue.draft(new())
    claim = await queue.claim("w1")
    await claim.move(Phase.CHECKING, why="taken")
    await claim.move(Phase.PLANNED, why="planned", data={"fingerprint": "f1"})
    await queue.approve(drafted.id, fingerprint="f1", by="U2")
    assert (await queue.claim("w1")).job.lane == "local"


async def test_another_plan_than_the_one_on_file_is_not_approved(queue, planned):
    job = await planned()
    assert await queue.approve(job.id, fingerprint="f0", by="U2") is ApproveOutcome.OUTDATED
    assert (await queue.get(job.id)).state is Phase.PLANNED


async def test_an_approval_works_once(queue, planned):
    job = await planned()
    await queue.approve(job.id, fingerprint="f1", by="U2")
    assert await queue.approve(job.id, fingerprint="f1", by="U3") is ApproveOutcome.WRONG_STATE


async def test_what_is_not_there_can_be_neither_approved_nor_cancelled(queue):
    assert await queue.approve(NOBODY, fingerprint="f1", by="U2") is ApproveOutcome.UNKNOWN_JOB
    assert await queue.cancel(NOBODY, by="U2") is CancelOutcome.UNKNOWN_JOB


async def test_an_approval_comes_too_late_after_an_hour(queue, planned, skew_clock):
    job = await planned()
    skew_clock(HOUR + timedelta(seconds=1))
    assert await queue.approve(job.id, fingerprint="f1", by="U2") is ApproveOutcome.WRONG_STATE
    job = await queue.get(job.id)
    assert (job.state, job.steps[-1].by) == (Phase.CANCELLED, "coldmigrate")


async def test_the_hour_begins_when_the_plan_is_shown(queue, new, skew_clock):
    drafted = await queue.draft(new())
    skew_clock(timedelta(minutes=50))
    claim = await queue.claim("w1")
    await claim.move(Phase.CHECKING, why="taken")
    await claim.move(Phase.PLANNED, why="planned", data={"fingerprint": "f1", "link": LINK})
    skew_clock(timedelta(minutes=105))
    assert await queue.expire_drafts() == 0
    assert await queue.approve(drafted.id, fingerprint="f1", by="U2") is ApproveOutcome.QUEUED


async def test_unapproved_plans_and_untouched_drafts_expire_and_free_their_vms(queue, planned, new, skew_clock):
    plan = await planned("web01")
    draft = await queue.draft(new("web02"))
    skew_clock(HOUR + timedelta(seconds=1))
    assert await queue.expire_drafts() == 2
    assert await queue.expire_drafts() == 0
    for id_, why in ((plan.id, "nobody approved it in time"), (draft.id, "no worker took it up in time")):
        job = await queue.get(id_)
        assert job.state is Phase.CANCELLED
        assert job.steps[-1].why.startswith(why)
    assert (await queue.draft(new("web01"))).fresh
    assert (await queue.draft(new("web02"))).fresh
    assert await queue.recent(live_only=True) != []


async def test_what_was_approved_does_not_expire(queue, claimed, skew_clock):
    claim = await claimed()
    skew_clock(HOUR * 100)
    assert await queue.expire_drafts() == 0
    assert (await queue.get(claim.job.id)).state is Phase.QUEUED


async def test_a_draft_that_is_being_checked_does_not_expire(queue, new, skew_clock):
    await queue.draft(new())
    skew_clock(HOUR + timedelta(seconds=1))
    claim = await queue.claim("w1")
    assert await queue.expire_drafts() == 0
    await claim.move(Phase.CHECKING, why="taken")


async def test_an_expiry_without_its_job_is_forgotten(queue, store):
    await store.zadd(keys.DRAFTS, {"gone": 1})
    assert await queue.expire_drafts() == 0
    assert await store.zcard(keys.DRAFTS) == 0


@pytest.mark.parametrize("phase", [Phase.DRAFTED, Phase.PLANNED, Phase.QUEUED])
async def test_what_nobody_works_on_is_cancelled_at_once(queue, new, planned, store, phase):
    job_id = (await queue.draft(new())).id if phase is Phase.DRAFTED else (await planned()).id
    if phase is Phase.QUEUED:
        await queue.approve(job_id, fingerprint="f1", by="U2")
    assert await queue.cancel(job_id, by="U3") is CancelOutcome.CANCELLED
    job = await queue.get(job_id)
    assert (job.state, job.cancel_by, job.steps[-1].by) == (Phase.CANCELLED, "U3", "U3")
    assert await queue.cancel(job_id, by="U3") is CancelOutcome.ENDED
    assert await queue.claim("w1") is None
    assert await leftovers(store) == []


async def leftovers(store) -> list[str]:
    """Every key that a finished queue should not have."""
    kept = (keys.SCHEMA, keys.CLOCK_SKEW, keys.EVENTS, keys.JOBS, keys.DEAD, keys.LANES, keys.AUDIT, keys.SEQUENCE)
    found = [key async for key in store.scan_iter(match="*", count=1000)]
    return [key for key in found if key not in kept and not key.startswith((keys.job(""), keys.seen("", "")[:-1]))]


async def test_whoever_works_on_it_is_asked(queue, claimed):
    claim = await claimed(Phase.ATTACHED)
    assert await claim.cancel_asked() == ""
    assert await queue.cancel(claim.job.id, by="U3") is CancelOutcome.REQUESTED
    assert await queue.cancel(claim.job.id, by="U4") is CancelOutcome.REQUESTED
    assert await claim.note({"percent": "4"})
    assert await claim.cancel_asked() == "U3"
    assert claim.job.cancel_by == "U3"
    asked = [step for step in (await queue.get(claim.job.id)).steps if step.why == "asked to cancel"]
    assert [step.by for step in asked] == ["U3"]


async def test_a_queued_job_whose_worker_is_gone_is_cancelled_at_once(queue, claimed, skew_clock):
    claim = await claimed(Phase.QUEUED)
    assert await queue.cancel(claim.job.id, by="U3") is CancelOutcome.REQUESTED
    skew_clock(timedelta(minutes=1))
    assert await queue.cancel(claim.job.id, by="U3") is CancelOutcome.CANCELLED
    with pytest.raises(LostLeaseError):
        await claim.move(Phase.INTENT, why="about to call")


async def test_a_started_job_whose_worker_is_gone_is_never_just_cancelled(queue, claimed, skew_clock):
    claim = await claimed(Phase.INTENT)
    skew_clock(timedelta(minutes=1))
    assert await queue.cancel(claim.job.id, by="U3") is CancelOutcome.REQUESTED


async def test_a_started_job_that_was_put_off_is_taken_up_at_once_to_be_cancelled(queue, claimed):
    claim = await claimed(Phase.UNKNOWN)
    await claim.later(timedelta(minutes=10), why="the settle time is not over")
    assert await queue.claim("w2") is None
    assert await queue.cancel(claim.job.id, by="U3") is CancelOutcome.REQUESTED
    assert (await queue.claim("w2")).job.cancel_by == "U3"


async def test_a_job_that_was_cancelled_while_it_was_checked_is_not_planned(queue, new):
    drafted = await queue.draft(new())
    claim = await queue.claim("w1")
    await claim.move(Phase.CHECKING, why="taken")
    assert await queue.cancel(drafted.id, by="U3") is CancelOutcome.REQUESTED
    job = await claim.move(Phase.PLANNED, why="planned", data={"fingerprint": "f1"})
    assert (job.state, job.steps[-1].by) == (Phase.CANCELLED, "U3")
    assert claim.closed


@pytest.mark.parametrize("phase", [Phase.QUEUED, Phase.UNKNOWN])
async def test_a_cancel_that_comes_before_the_intent_is_written_starts_nothing(queue, claimed, phase):
    """Between the worker's last look for a cancel and its intent lie seconds: the script decides, not the worker."""
    claim = await claimed(phase)
    assert await queue.cancel(claim.job.id, by="U3") is CancelOutcome.REQUESTED
    job = await claim.move(Phase.INTENT, why="about to call", attempt=2)
    assert (job.state, job.steps[-1].by) == (Phase.CANCELLED, "U3")
    assert claim.closed


async def test_a_job_that_was_cancelled_before_it_started_is_not_put_off_but_ends(queue, claimed, new):
    claim = await claimed(Phase.QUEUED)
    await queue.cancel(claim.job.id, by="U3")
    await claim.later(timedelta(seconds=1), why="the host is busy")
    assert (await queue.get(claim.job.id)).state is Phase.CANCELLED
    assert (await queue.draft(new())).fresh


@pytest.mark.parametrize("end", sorted(ENDS))
async def test_an_end_leaves_only_the_record_and_that_for_90_days(queue, claimed, store, end):
    claim = await claimed(Phase.VERIFYING)
    assert (await claim.move(end, why="over")).state is end
    assert claim.closed
    assert await leftovers(store) == []
    assert 0 < await store.ttl(keys.job(claim.job.id)) <= timedelta(days=90).total_seconds()


async def test_every_change_is_one_entry_of_the_event_log(queue: RedisQueue, claimed):
    claim = await claimed(Phase.ATTACHED)
    await claim.move(Phase.VERIFYING, why="the task ended", data={"x": "y"})
    states = []
    async for _, fields in queue.events(since="0-0"):
        assert fields["job"] == claim.job.id
        states.append(fields["state"])
        if fields["state"] == "verifying":
            break
    assert states == ["drafted", "checking", "planned", "queued", "intent", "attached", "verifying"]
    assert fields == {"job": claim.job.id, "state": "verifying", "by": "w1", "why": "the task ended"}


async def test_an_approval_whose_answer_was_lost_is_one_although_its_job_went_on(store, planned):
    job = await planned()

    class Slow:
        """The first answer is lost, and a worker is quicker than the second question."""

        def __getattr__(self, name):
            return getattr(store, name)

        async def durable_command(self, *args, **options):
            await store.durable_command(*args, **options)
            claim = await RedisQueue(store, slots={LINK: 2}).claim("w1")
            await claim.move(Phase.INTENT, why="about to call", attempt=1)
            return await store.durable_command(*args, **options)

    assert await RedisQueue(Slow()).approve(job.id, fingerprint="f1", by="U2") is ApproveOutcome.QUEUED


async def test_many_are_read_in_the_order_in_which_they_were_asked_for(queue, new):
    first, second = [(await queue.draft(new(vm))).id for vm in ("web01", "web02")]
    assert [job.id for job in await queue.get_many([second, "nothere2", first])] == [second, first]
    assert await queue.get_many([]) == []


async def test_the_plan_of_a_part_lives_as_long_as_its_whole_and_no_longer(queue, planned, new, skew_clock):
    whole = await queue.draft(new("", vm_key="", lane="batch"))
    claim = await queue.claim("w1")
    first, second = [(await planned(vm, data={"part_of": whole.id})).id for vm in ("web01", "web02")]
    skew_clock(timedelta(minutes=61))
    assert await queue.approve(first, fingerprint="f1", by="U2") is ApproveOutcome.QUEUED
    assert await queue.expire_drafts() == 0
    await claim.move(Phase.CHECKING, why="a worker took it")
    await claim.move(Phase.CANCELLED, why="nobody approved it in time")
    skew_clock(timedelta(minutes=122))
    assert await queue.approve(second, fingerprint="f1", by="U2") is ApproveOutcome.WRONG_STATE
    assert (await queue.get(second)).state is Phase.CANCELLED
