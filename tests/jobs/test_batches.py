"""What batches need of the queue: fields that come with an approval, a cancel that spares what runs, room for parts."""

from __future__ import annotations

import asyncio

import pytest

from bot.jobs.ledger import BATCH_LANE
from bot.jobs.port import ApproveOutcome, CancelOutcome
from bot.jobs.worker import Worker
from bot.migration.machine import STARTED, Phase


async def test_an_approval_writes_its_fields_in_the_same_step_or_not_at_all(queue, planned):
    job = (await planned()).id
    data = {"approver": "U2", "stop": "1"}
    assert await queue.approve(job, fingerprint="another", by="U2", data=data) is ApproveOutcome.OUTDATED
    assert "approver" not in (await queue.get(job)).data
    assert await queue.approve(job, fingerprint="f1", by="U2", data=data) is ApproveOutcome.QUEUED
    assert await queue.approve(job, fingerprint="f1", by="U3", data={"stop": ""}) is ApproveOutcome.WRONG_STATE
    kept = (await queue.get(job)).data
    assert (kept["approver"], kept["stop"]) == ("U2", "1")


@pytest.mark.parametrize("phase", sorted(STARTED))
async def test_what_has_started_is_spared_by_a_cancel_of_what_waits(queue, claimed, phase):
    claim = await claimed(phase)
    assert await queue.cancel(claim.job.id, by="U3", waiting_only=True) is CancelOutcome.STARTED
    assert await claim.cancel_asked() == ""
    assert await queue.cancel(claim.job.id, by="U3") is CancelOutcome.REQUESTED


async def test_what_waits_is_cancelled_and_what_is_about_to_start_does_not(queue, claimed):
    claim = await claimed(Phase.QUEUED)
    assert await queue.cancel(claim.job.id, by="U3", waiting_only=True) is CancelOutcome.REQUESTED
    assert (await claim.move(Phase.INTENT, why="about to", attempt=1)).state is Phase.CANCELLED


async def test_a_batch_keeps_no_place_from_the_jobs_that_it_waits_for(queue, new):
    batch = await queue.draft(new(kind="batch", vm_key="", lane=BATCH_LANE))
    seen = asyncio.Event()

    async def follow(claim):
        await seen.wait()
        await claim.move(Phase.CHECKING, why="it was seen")
        await claim.move(Phase.FAILED, why="enough")

    async def carry(claim):
        seen.set()
        await claim.move(Phase.CHECKING, why="its turn came")
        await claim.move(Phase.FAILED, why="enough")

    worker = Worker(queue, "w1", {"batch": follow, "migrate": carry}, concurrency=1, light=["batch"])
    working = asyncio.create_task(worker.run())
    await queue.draft(new())
    async with asyncio.timeout(10):
        async for _, event in queue.events(since="0-0"):
            if (event["job"], event["state"]) == (batch.id, Phase.FAILED):
                break
    worker.stop()
    await working
