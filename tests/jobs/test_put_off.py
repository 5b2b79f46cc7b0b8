"""A job that is put off again and again for the same reason, for days perhaps, keeps its history."""

from __future__ import annotations

from datetime import timedelta

MINUTE = timedelta(minutes=1)


async def test_the_same_reason_again_is_no_step_and_another_one_is(queue, planned, skew_clock):
    job = await planned()
    await queue.approve(job.id, fingerprint="f1", by="U2")
    whys = ["waits: frozen"] * 3 + ["waits: its window is closed"] + ["waits: frozen"]
    for number, why in enumerate(whys, start=1):
        claim = await queue.claim("w1")
        await claim.later(MINUTE, why=why)
        skew_clock(number * MINUTE)
    found = await queue.get(job.id)
    told = [step.why for step in found.steps]
    assert told[-3:] == ["waits: frozen", "waits: its window is closed", "waits: frozen"]
    assert told.count("waits: frozen") == 2
    assert any(step.by == "U2" for step in found.steps)
    first = next(step for step in found.steps if step.why == "waits: frozen")
    assert found.updated - first.at >= 4 * MINUTE  # the step says since when, the job when it was last looked at
