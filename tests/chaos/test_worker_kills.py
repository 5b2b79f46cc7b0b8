"""SIGKILL of real workers at every named point of a run: nothing is lost, nothing is started twice, nobody is asked.

One worker at a time works off a queue and ends itself by SIGKILL at its point; then the clock moves past its lease and
past the settle time, and the next worker finds what the dead one left. The control runs the same with the look-up
switched off, and must then see a VM relocated twice: a checker that cannot see that proves nothing.
"""

from __future__ import annotations

import itertools

import pytest

from bot.migration.machine import Phase
from bot.operations.record import request_of
from tests.chaos.night import night, refs

POINTS = ("claimed", "before-intent", "after-intent", "after-submit", "attached", "before-finish", "after-finish")
ROUNDS = 3

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(280)]


async def test_killed_at_every_point_nothing_is_lost_and_nothing_starts_twice(
    tmp_path, vcenter, valkey_url, skew_clock
):
    async with night(tmp_path, vcenter, valkey_url, skew_clock) as this:
        with this.explained():
            vms = refs(vcenter)
            for point in itertools.chain.from_iterable(itertools.repeat(POINTS, ROUNDS)):
                await this.submit(next(vms))
                await this.worker_dies_at(point)
            async with this.steady_worker():
                await this.all_ended()

            jobs = await this.queue.recent(limit=100)
            assert {job.state for job in jobs} == {Phase.DONE}, [(j.id, j.state, j.data.get("outcome")) for j in jobs]
            assert len(jobs) == len(POINTS) * ROUNDS  # nothing was lost
            assert sum(this.deaths.values()) >= 20
            assert {1, 2} <= {job.attempt for job in jobs}  # some calls were found, and some surely never made
            started = [relocation.vm for relocation in vcenter.relocations]
            assert sorted(started) == sorted(request_of(job).vm.name for job in jobs)  # each once
            assert {vcenter.placement(name).site for name in started} == {"site2"}


async def test_without_the_look_up_the_same_kills_start_a_vm_twice(tmp_path, vcenter, valkey_url, skew_clock):
    async with night(tmp_path, vcenter, valkey_url, skew_clock) as this:
        with this.explained():
            vms = refs(vcenter)
            for _ in range(2):
                await this.submit(next(vms))
                await this.worker_dies_at("after-submit", "--no-look-up")
            async with this.steady_worker("--no-look-up"):
                await this.all_ended()
            started = [relocation.vm for relocation in vcenter.relocations]
            assert len(started) > len(set(started))
