"""Races of a night: a worker told to stop while it submits, Redis killed, a VM that is gone, a call that comes late.

Cancels in every state and full links are parts of `make chaos`; their short forms run in `test_parts`.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.migration.machine import Phase
from bot.store import embedded
from tests.chaos.night import night, refs
from tests.chaos.roles import PATIENCE

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

SLOW, FAST = 20_000_000, 8_000_000_000  # bit/s: a copy takes forty seconds, or a tenth of one


@pytest.fixture
async def this(tmp_path, vcenter, valkey_url, skew_clock):
    async with night(tmp_path, vcenter, valkey_url, skew_clock) as night_:
        with night_.explained():
            yield night_


async def test_told_to_stop_while_it_submits(this, vcenter):
    vcenter.delay_reply("RelocateVM_Task", 1.0)
    job = await this.submit(next(refs(vcenter)))
    async with this.steady_worker() as worker:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await vcenter.until_called("RelocateVM_Task")
        worker.terminate()
        assert await worker.wait() == 0
    assert (await this.queue.get(job)).state in (Phase.INTENT, Phase.ATTACHED)
    async with this.steady_worker():
        done = await this.reaches(job, Phase.DONE)
    assert done.attempt == 1
    assert len(vcenter.relocations) == 1


async def test_redis_is_killed_in_the_middle_of_a_copy(tmp_path, vcenter):
    data = tmp_path / "valkey"
    vcenter.set_link("site1", "site2", rate=SLOW)
    with embedded.start(data) as server:
        async with night(tmp_path, vcenter, server.url, lambda _: None) as this:
            with this.explained():
                job = await this.submit(next(refs(vcenter)))
                async with this.steady_worker():
                    await this.reaches(job, Phase.ATTACHED)
                    server.process.kill()
                    server.process.wait()
                    with embedded.start(data):
                        vcenter.set_link("site1", "site2", rate=FAST)
                        done = await this.reaches(job, Phase.DONE)
    assert done.attempt == 1
    assert len(vcenter.relocations) == 1


async def test_a_vm_that_is_gone_is_called_gone(this, vcenter):
    """Nobody can read what became of it; that is said once the settle time is over, and not after an hour."""
    vm = next(refs(vcenter))
    vcenter.drop_request("RelocateVM_Task")
    job = await this.submit(vm)
    async with this.steady_worker():
        await this.session_is_ended(job)
        vcenter.estate.vm(vm.name).instance_uuid = "00000000-0000-0000-0000-000000000000"  # registered anew
        this.pass_time(timedelta(seconds=50))
        ended = await this.reaches(job, Phase.NEEDS_HUMAN)
    assert ended.data["outcome"].startswith(f"{vm.name} (instance UUID ")
    assert "is no longer in vCenter east" in ended.data["outcome"]


async def test_a_first_call_that_arrives_after_all_is_followed_and_not_called_a_failure(this, vcenter):
    """Beyond every patience the first call lands just before its repetition, which vCenter then refuses."""
    vcenter.set_link("site1", "site2", rate=SLOW)
    first = vcenter.hold_back("RelocateVM_Task")
    job = await this.submit(next(refs(vcenter)))
    async with this.steady_worker():
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await vcenter.until_called("RelocateVM_Task")
            second = vcenter.hold_back("RelocateVM_Task")
            await this.session_is_ended(job)
            this.pass_time(timedelta(seconds=50))
            await vcenter.until_called("RelocateVM_Task", 2)
            first.set()
            while not vcenter.relocations:
                await asyncio.sleep(0.01)
            second.set()
            while vcenter.relocations[-1].outcome != "TaskInProgress":
                await asyncio.sleep(0.01)
        vcenter.set_link("site1", "site2", rate=FAST)
        done = await this.reaches(job, Phase.DONE, Phase.FAILED, Phase.NEEDS_HUMAN)
    assert done.state is Phase.DONE
    assert [relocation.outcome for relocation in vcenter.relocations] == ["success", "TaskInProgress"]
