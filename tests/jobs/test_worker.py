"""The worker's loop: what it runs, what it does with failures, and what it leaves behind when it stops."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.errors import BugError, LoginError, OutsideError, RefusedError, UnreachableError, UserError
from bot.jobs.port import LostLeaseError
from bot.jobs.queue import RedisQueue
from bot.jobs.retry import delay_for
from bot.jobs.worker import Worker
from bot.migration.machine import Phase
from bot.store import embedded, keys
from bot.store.client import connect


@asynccontextmanager
async def running(queue, handler, *, kind="migrate", **options):
    worker = Worker(queue, "w1", {kind: handler}, **options)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            await task


async def check(claim):
    await claim.move(Phase.CHECKING, why="taken")
    await claim.move(Phase.FAILED, why="there is no such VM")


@pytest.fixture
def reaches(queue, eventually):
    async def wait(job_id, phase):
        async def reached():
            return (await queue.get(job_id)).state is phase

        await eventually(reached)

    return wait


@pytest.fixture
def put_off(queue, eventually):
    """Wait until the job was given back, and why."""

    async def wait(job_id, steps=2):
        async def given_back():
            return len((await queue.get(job_id)).steps) >= steps

        await eventually(given_back)
        return await queue.get(job_id)

    return wait


async def test_it_works_on_what_comes(queue, new, reaches):
    async with running(queue, check):
        jobs = [await queue.draft(new(f"vm{number}")) for number in range(20)]
        for job in jobs:
            await reaches(job.id, Phase.FAILED)


async def test_it_does_no_more_at_once_than_it_is_told(queue, new, reaches):
    busy = peak = 0

    async def handler(claim):
        nonlocal busy, peak
        busy += 1
        peak = max(peak, busy)
        await check(claim)
        busy -= 1

    jobs = [await queue.draft(new(f"vm{number}")) for number in range(9)]
    async with running(queue, handler, concurrency=3):
        for job in jobs:
            await reaches(job.id, Phase.FAILED)
    assert peak == 3


async def test_stopping_hands_every_job_over_at_once(queue, claimed):
    claim = await claimed(Phase.ATTACHED)
    await claim.hand_over()
    begun = asyncio.Event()

    async def follow(claim):
        begun.set()
        await asyncio.Event().wait()

    async with running(queue, follow):
        await begun.wait()
    new = await queue.claim("w2")
    assert (new.taken_over, new.job.state) == (True, Phase.ATTACHED)


async def test_a_submit_that_is_under_way_is_waited_for(queue, claimed, reaches):
    claim = await claimed(Phase.QUEUED)
    await claim.hand_over()
    sent, answered = asyncio.Event(), asyncio.Event()

    async def submit(claim):
        sent.set()
        await answered.wait()
        await claim.move(Phase.ATTACHED, why="the call came back")

    async def handler(claim):
        await claim.move(Phase.INTENT, why="about to call", attempt=1)
        call = asyncio.ensure_future(submit(claim))
        try:
            await asyncio.shield(call)
        except asyncio.CancelledError:
            await call
            raise

    worker = Worker(queue, "w1", {"migrate": handler})
    run = asyncio.ensure_future(worker.run())
    await sent.wait()
    worker.stop()
    done, _ = await asyncio.wait({run}, timeout=0.1)
    assert not done, "the call is in the air"
    assert await queue.claim("w2") is None
    answered.set()
    await run
    assert (await queue.claim("w2")).job.state is Phase.ATTACHED


async def test_a_job_that_was_claimed_in_the_last_moment_is_handed_over_too(queue, new):
    await queue.draft(new())
    claimed = asyncio.Event()

    class Queue:
        """Tells when a claim was answered, before the worker hears of it."""

        async def expire_drafts(self):
            return 0

        async def claim_several(self, worker, most, *, alone):
            claims = await queue.claim_several(worker, most, alone=alone)
            claimed.set()
            stop()
            return claims

    async def never(claim):
        await asyncio.Event().wait()

    worker = Worker(Queue(), "w1", {"migrate": never})
    stop = worker.stop
    await worker.run()
    assert claimed.is_set()
    assert (await queue.claim("w2")).taken_over


async def test_a_cancelled_run_hands_over_too(queue, new):
    await queue.draft(new())
    begun = asyncio.Event()

    async def handler(claim):
        begun.set()
        await asyncio.Event().wait()

    run = asyncio.ensure_future(Worker(queue, "w1", {"migrate": handler}).run())
    await begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert (await queue.claim("w2")).taken_over


async def test_a_handler_that_ends_early_because_it_is_stopped_hands_over(queue, new):
    await queue.draft(new())
    begun = asyncio.Event()

    async def handler(claim):
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    async with running(queue, handler):
        await begun.wait()
    claim = await queue.claim("w2")
    assert (claim.taken_over, claim.job.failures) == (True, 0)


async def test_the_world_being_away_puts_a_job_off_for_as_long_as_it_takes(queue, new, put_off, skew_clock):
    job = await queue.draft(new())

    async def handler(claim):
        raise UnreachableError("vCenter east does not answer.")

    async with running(queue, handler):
        for failures in range(1, 13):
            found = await put_off(job.id, steps=1 + failures)
            assert (found.failures, found.state) == (failures, Phase.DRAFTED)
            assert found.steps[-1].why == "vCenter east does not answer."
            skew_clock(timedelta(minutes=failures))


async def test_a_bug_is_logged_with_a_reference_and_tried_a_few_times(queue, new, reaches, put_off, skew_clock, caplog):
    job = await queue.draft(new())

    async def handler(claim):
        raise ZeroDivisionError

    async with running(queue, handler):
        for failures in range(1, 5):
            found = await put_off(job.id, steps=1 + failures)
            skew_clock(timedelta(minutes=2 * failures))
        await reaches(job.id, Phase.FAILED)
    found = await queue.get(job.id)
    why = found.steps[-1].why
    assert why.startswith("unexpected error, reference ")
    records = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(records) == 5
    assert why.split()[-1] in records[-1].getMessage()
    assert records[-1].exc_info[0] is ZeroDivisionError


async def test_a_started_job_whose_handler_is_broken_is_for_a_person(queue, claimed, reaches, skew_clock):
    claim = await claimed(Phase.ATTACHED)
    tried = asyncio.Queue()
    await claim.hand_over()

    async def handler(claim):
        await tried.put(claim.job.failures)
        raise ZeroDivisionError

    async with running(queue, handler):
        for failures in range(5):
            assert await tried.get() == failures
            await put_off_or_ended(queue, claim.job.id, failures + 1)
            skew_clock(timedelta(minutes=2 * failures + 2))
        await reaches(claim.job.id, Phase.NEEDS_HUMAN)


async def put_off_or_ended(queue, job_id, failures):
    async with asyncio.timeout(5):
        async for _ in queue.events(since="0-0"):
            job = await queue.get(job_id)
            if job.state.ended or job.failures == failures:
                return


@pytest.mark.parametrize("error", [LoginError("the password is wrong"), UserError("no vCenter 'east' in the config")])
async def test_a_copy_is_not_left_to_itself_because_of_what_can_be_mended(queue, claimed, put_off, skew_clock, error):
    claim = await claimed(Phase.ATTACHED)
    await claim.hand_over()
    steps = len((await queue.get(claim.job.id)).steps)

    async def handler(claim):
        raise error

    async with running(queue, handler):
        for failures in range(1, 9):
            found = await put_off(claim.job.id, steps=steps + 1 + failures)  # the take-over is a step too
            assert (found.state, found.failures) == (Phase.ATTACHED, failures)
            skew_clock(timedelta(minutes=6 * failures))


async def test_a_handler_must_do_something_with_its_job(queue, new, put_off):
    job = await queue.draft(new())

    async def handler(claim):
        pass

    async with running(queue, handler):
        assert (await put_off(job.id)).failures == 1


async def test_a_job_of_an_unknown_kind_is_left_for_another_worker(queue, new, put_off):
    job = await queue.draft(new())
    async with running(queue, check, kind="diagnose"):
        found = await put_off(job.id)
    assert found.failures == 0
    assert found.steps[-1].why == "this worker knows no jobs of the kind 'migrate'"


async def test_a_record_of_another_version_stops_no_worker(queue, new, store, reaches):
    broken = await queue.draft(new("broken"))
    await store.hset(keys.job(broken.id), "state", "beamed")
    async with running(queue, check):
        job = await queue.draft(new())
        await reaches(job.id, Phase.FAILED)


async def test_plans_that_nobody_approved_are_swept_up(queue, planned, reaches, skew_clock):
    job = await planned()
    skew_clock(timedelta(hours=2))
    async with running(queue, check):
        await reaches(job.id, Phase.CANCELLED)


async def test_a_lost_lease_is_not_worth_a_warning(queue, new, caplog):
    await queue.draft(new())
    lost = asyncio.Event()

    async def handler(claim):
        await claim.hand_over()
        lost.set()
        await claim.note({})

    caplog.set_level(logging.INFO)
    async with running(queue, handler):
        await lost.wait()
    assert [record for record in caplog.records if record.name.startswith("bot.")] == []


async def test_it_outlives_redis(tmp_path, new, eventually):
    server = embedded.start(tmp_path)
    async with connect(server.url) as store:
        queue = RedisQueue(store)
        done = asyncio.Event()

        async def handler(claim):
            await check(claim)
            done.set()

        async with running(queue, handler, idle=timedelta(milliseconds=100)):
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
            with embedded.start(tmp_path):
                await queue.draft(new())
                await done.wait()
    server.stop()


@pytest.mark.parametrize(
    ("error", "delays"),
    [
        (UnreachableError("x"), [1, 2, 4, 8, 16, 32, 60, 60]),
        (OutsideError("x", transient=True, retry_after=30), [30, 30, 30, 30, 30, 32, 60]),
        (LoginError("x"), [10, 20, 40, 80, 160, None]),
        (OutsideError("x"), [10, 20, 40, 80, 160, None]),
        (UserError("x"), [None]),
        (RefusedError("x"), [None]),
        (BugError("x"), [5, 10, 20, 40, None]),
        (LostLeaseError("x"), [5]),
        (ZeroDivisionError(), [5, 10, 20, 40, None, None]),
    ],
)
def test_a_retry_is_chosen_by_the_class_of_the_error(error, delays):
    found = [delay_for(error, failures=number) for number in range(1, len(delays) + 1)]
    assert [delay and delay.total_seconds() for delay in found] == delays


def test_a_delay_stays_a_number_whatever_the_count():
    assert delay_for(UnreachableError("x"), failures=10_000) == timedelta(minutes=1)


def test_whoever_can_mend_it_has_a_day_while_a_copy_may_be_running():
    for error in (LoginError("x"), OutsideError("x"), UserError("x"), RefusedError("x")):
        delays = [delay_for(error, failures=number, started=True) for number in range(1, 301)]
        assert delays[-1] is None
        day = sum(filter(None, delays), timedelta(0))
        assert timedelta(hours=24) < day < timedelta(hours=26)


async def test_no_more_is_begun_while_the_loop_is_kept_busy(queue, new):
    """Sixteen at a time, and the next only once the loop is on time again: else no lease would be renewed meanwhile."""
    for number in range(48):
        await queue.draft(new(f"vm{number}", lane="wide"))
    beginning, most, begun = 0, 0, 0

    async def handler(claim):
        nonlocal beginning, most, begun
        beginning, begun = beginning + 1, begun + 1
        most = max(most, beginning)
        for _ in range(10):
            time.sleep(0.004)
            await asyncio.sleep(0)
        beginning -= 1
        if begun == 48:
            worker.stop()
        await asyncio.Event().wait()

    worker = Worker(RedisQueue(queue._store, slots={"wide": 100}), "w1", {"migrate": handler})
    await worker.run()
    assert begun == 48
    assert most == 16


@pytest.mark.parametrize(
    "error", [UserError("no vCenter 'east' in the config"), RefusedError("frozen", lifted_by="whoever froze it")]
)
async def test_what_somebody_can_mend_is_said_in_its_own_words(queue, new, reaches, error):
    job = await queue.draft(new())

    async def handler(claim):
        raise error

    async with running(queue, handler):
        await reaches(job.id, Phase.FAILED)
    assert (await queue.get(job.id)).steps[-1].why == str(error)


async def test_an_outage_counts_against_no_failure_of_another_kind(queue, claimed, put_off, skew_clock):
    """vCenter is away for ten minutes, and stumbles once when it comes back: no reason to leave a copy to itself."""
    claim = await claimed(Phase.ATTACHED)
    await claim.hand_over()
    steps = len((await queue.get(claim.job.id)).steps) + 1  # the take-over is a step too
    errors = [*[UnreachableError("vCenter east does not answer.")] * 10, ZeroDivisionError(), ZeroDivisionError()]
    left = iter(errors)

    async def handler(claim):
        raise next(left)

    async with running(queue, handler):
        for tried, count in enumerate([*range(1, 11), 1, 2], start=1):
            found = await put_off(claim.job.id, steps=steps + tried)
            assert (found.state, found.failures) == (Phase.ATTACHED, count)
            skew_clock(timedelta(minutes=2 * tried))
