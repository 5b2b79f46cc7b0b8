"""SIGKILL of real workers at every named point of a run: nothing is lost, nothing is started twice, nobody is asked.

One worker at a time works off a queue and ends itself by SIGKILL at its point; then the clock moves past its lease and
past the settle time, and the next worker finds what the dead one left. The control runs the same with the look-up
switched off, and must then see a VM relocated twice: a checker that cannot see that proves nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from bot import settings as config
from bot.compose import queue_of, site_specs
from bot.jobs.port import JobQueue, NewJob
from bot.migration.machine import Phase
from bot.migration.request import MigrationRequest, SiteName, VCenterName, VmRef
from bot.operations.record import MIGRATE, request_of, with_request
from bot.playground.vcenter.inventory import Vm
from bot.playground.vcenter.player import VCenterPlayer
from bot.settings import with_environment
from bot.store.client import connect

POINTS = ("claimed", "before-intent", "after-intent", "after-submit", "attached", "before-finish", "after-finish")
ROUNDS = 3
PAST_LEASE_AND_SETTLE = timedelta(seconds=50)  # a lease of 5 s; a submit time-out of 5 s and the margin of 30 s
PATIENCE = 60.0

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(280)]


@dataclass
class Night:
    """One night of kills: its queue, its clock, and how often a worker died."""

    queue: JobQueue
    settings: Path
    environment: dict[str, str]
    skew: Callable[[timedelta], None]
    log: Path
    skewed: timedelta = timedelta(0)
    kills: dict[str, int] = field(default_factory=dict)

    async def submit(self, vm: VmRef) -> None:
        request = MigrationRequest(vm=vm, site=SiteName("site2"))
        new = NewJob(
            kind=MIGRATE, vm_key=vm.key, requester="U0ALICE001", channel="C0MIGRATE1", data=with_request(request)
        )
        drafted = await self.queue.draft(new)
        assert drafted.fresh

    async def approve_everything(self) -> None:
        """What a person would do: click as soon as a plan is shown."""
        async for _, event in self.queue.events(since="0-0"):
            if event.get("state") == Phase.PLANNED:
                job = await self.queue.get(event["job"])
                if job is not None and job.state is Phase.PLANNED:
                    await self.queue.approve(job.id, fingerprint=job.data["fingerprint"], by="U0BOB00001")

    async def worker_dies_at(self, point: str, *options: str) -> None:
        """Run a worker until it has killed itself there, then let its lease and the settle time pass."""
        worker = await self._start("--die-at", point, *options)
        async with asyncio.timeout(PATIENCE):
            code = await worker.wait()
        assert code == -9, f"the worker ended with {code} instead of dying at {point}: {self.log.read_text()[-3000:]}"
        self.kills[point] = self.kills.get(point, 0) + 1
        self.skewed += PAST_LEASE_AND_SETTLE
        self.skew(self.skewed)

    @asynccontextmanager
    async def steady_worker(self, *options: str) -> AsyncIterator[None]:
        worker = await self._start(*options)
        try:
            yield
        finally:
            worker.terminate()
            assert await worker.wait() == 0

    async def all_ended(self) -> None:
        async with asyncio.timeout(PATIENCE * 2):
            async for _ in self.queue.events(since="0-0"):
                if not await self.queue.recent(live_only=True):
                    return

    async def _start(self, *options: str) -> asyncio.subprocess.Process:
        command = [sys.executable, "-m", "bot", "worker", "--config", str(self.settings), "--read-on", "0.2", *options]
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, env=self.environment)


@asynccontextmanager
async def night(
    tmp_path: Path, vcenter: VCenterPlayer, valkey_url: str, skew: Callable[[timedelta], None]
) -> AsyncIterator[Night]:
    path = tmp_path / "coldmigrate.toml"
    path.write_text(
        f"""
[vcenters.east]
url = "{vcenter.url}"
user = "{vcenter.user}"
password_env = "VC_PASSWORD"
ca_file = "{vcenter.ca_file}"
[sites.site1]
vcenter = "east"
datacenter = "DC1"
cluster = "C1"
datastore = "ds-c1-01"
[sites.site2]
vcenter = "east"
datacenter = "DC2"
cluster = "C2"
datastore = "ds-c2-01"
folder = "Migrated"
[worker]
lease_seconds = 5
submit_timeout_seconds = 5
""",
        encoding="utf-8",
    )
    environment = {"VC_PASSWORD": vcenter.password, "REDIS_URL": valkey_url}
    settings = config.load(path, environment)
    assert set(site_specs(settings)) == {"site1", "site2"}
    async with connect(valkey_url) as store:
        this = Night(queue_of(settings, store), path, with_environment(environment), skew, tmp_path / "workers.log")
        approver = asyncio.create_task(this.approve_everything())
        try:
            yield this
        finally:
            approver.cancel()


@contextmanager
def explained(this: Night) -> Iterator[None]:
    """What the workers logged belongs to a failure."""
    try:
        yield
    except BaseException:
        sys.stderr.write(this.log.read_text(encoding="utf-8")[-6000:])
        raise


def refs(vcenter: VCenterPlayer) -> Iterator[VmRef]:
    for vm in vcenter.estate.inventory.each(Vm):
        yield VmRef(VCenterName("east"), vm.instance_uuid, vm.name)


async def test_killed_at_every_point_nothing_is_lost_and_nothing_starts_twice(
    tmp_path, vcenter, valkey_url, skew_clock
):
    async with night(tmp_path, vcenter, valkey_url, skew_clock) as this:
        with explained(this):
            vms = refs(vcenter)
            for point in itertools.chain.from_iterable(itertools.repeat(POINTS, ROUNDS)):
                await this.submit(next(vms))
                await this.worker_dies_at(point)
            async with this.steady_worker():
                await this.all_ended()

            jobs = await this.queue.recent(limit=100)
            assert {job.state for job in jobs} == {Phase.DONE}, [(j.id, j.state, j.data.get("outcome")) for j in jobs]
            assert len(jobs) == len(POINTS) * ROUNDS  # nothing was lost
            assert sum(this.kills.values()) >= 20
            assert {1, 2} <= {job.attempt for job in jobs}  # some calls were found, and some surely never made
            started = [relocation.vm for relocation in vcenter.relocations]
            assert sorted(started) == sorted(request_of(job).vm.name for job in jobs)  # each once
            assert {vcenter.placement(name).site for name in started} == {"site2"}


async def test_without_the_look_up_the_same_kills_start_a_vm_twice(tmp_path, vcenter, valkey_url, skew_clock):
    async with night(tmp_path, vcenter, valkey_url, skew_clock) as this:
        with explained(this):
            vms = refs(vcenter)
            for _ in range(2):
                await this.submit(next(vms))
                await this.worker_dies_at("after-submit", "--no-look-up")
            async with this.steady_worker("--no-look-up"):
                await this.all_ended()
            started = [relocation.vm for relocation in vcenter.relocations]
            assert len(started) > len(set(started))
