"""SIGSTOP of real workers for longer than their lease: whoever wakes up late has nothing to say any more, anywhere."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta

import pytest

from bot.migration.machine import Phase
from tests.chaos.night import PAST_LEASE_AND_SETTLE, night, refs
from tests.chaos.roles import PATIENCE

PAST_LEASE = timedelta(seconds=6)

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]


@pytest.fixture
async def this(tmp_path, vcenter, valkey_url, skew_clock):
    async with night(tmp_path, vcenter, valkey_url, skew_clock) as night_:
        night_.command = (sys.executable, "-m", "bot")
        with night_.explained():
            yield night_


async def paused(worker: asyncio.subprocess.Process) -> None:
    """Once the worker has stopped itself."""
    async with asyncio.timeout(PATIENCE.total_seconds()):
        await asyncio.to_thread(os.waitid, os.P_PID, worker.pid, os.WSTOPPED | os.WNOWAIT)


async def test_paused_between_intent_and_call_and_woken_when_another_has_taken_over(this, vcenter):
    job = await this.submit(next(refs(vcenter)))
    async with this.steady_worker("--stop-at", "before-call") as sleeper:
        await paused(sleeper)
        this.pass_time(PAST_LEASE)
        async with this.steady_worker():
            await this.session_is_ended(job)
            sleeper.send_signal(signal.SIGCONT)
            async with asyncio.timeout(PATIENCE.total_seconds()):
                await vcenter.until_called("RelocateVM_Task")  # it does call, through its ended session
            assert vcenter.relocations == []
            this.pass_time(PAST_LEASE_AND_SETTLE)
            done = await this.reaches(job, Phase.DONE)
    (relocation,) = vcenter.relocations
    assert relocation.op_id == f"cm-{job}-a2"
    assert done.attempt == 2


async def test_what_was_sent_before_the_session_ended_is_waited_for(this, vcenter):
    """Whoever was paused may have called a moment ago: the wait begins with the session's end, not with the intent."""
    job = await this.submit(next(refs(vcenter)))
    under_way = vcenter.hold_back("RelocateVM_Task")
    async with this.steady_worker() as sleeper:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await vcenter.until_called("RelocateVM_Task")
        sleeper.send_signal(signal.SIGSTOP)
        await paused(sleeper)
        this.pass_time(PAST_LEASE_AND_SETTLE)
        looks = vcenter.calls.get("CreateCollectorForTasks", 0)
        async with this.steady_worker():
            async with asyncio.timeout(PATIENCE.total_seconds()):
                await vcenter.until_called("CreateCollectorForTasks", looks + 2)
            assert vcenter.calls["RelocateVM_Task"] == 1
            under_way.set()
            done = await this.reaches(job, Phase.DONE)
    (relocation,) = vcenter.relocations
    assert relocation.op_id == f"cm-{job}-a1"
    assert done.attempt == 1


@pytest.mark.parametrize("point", ["after-intent", "after-trace"])
async def test_paused_before_the_last_question_it_does_not_even_call(this, vcenter, point):
    job = await this.submit(next(refs(vcenter)))
    async with this.steady_worker("--stop-at", point) as sleeper:
        await paused(sleeper)
        this.pass_time(PAST_LEASE)
        async with this.steady_worker():
            await this.session_is_ended(job)
            sleeper.send_signal(signal.SIGCONT)
            this.pass_time(PAST_LEASE_AND_SETTLE)
            done = await this.reaches(job, Phase.DONE)
    assert vcenter.calls["RelocateVM_Task"] == 1
    assert done.attempt == 2
