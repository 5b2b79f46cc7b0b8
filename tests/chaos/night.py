"""A night in the chaos tests: a queue, real workers that die or are paused, a person who approves everything."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot import settings as config
from bot.compose import queue_of, site_specs
from bot.jobs.port import Job, JobQueue, NewJob
from bot.migration.machine import Phase
from bot.migration.request import JobId, MigrationRequest, SiteName, VCenterName, VmRef
from bot.operations.record import MIGRATE, with_request
from bot.playground.vcenter.inventory import Vm
from bot.playground.vcenter.player import VCenterPlayer
from bot.settings import with_environment
from bot.store.client import connect

PAST_LEASE_AND_SETTLE = timedelta(seconds=50)  # a lease of 5 s; a submit time-out of 5 s and the margin of 30 s
PATIENCE = 60.0


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

    async def submit(self, vm: VmRef) -> JobId:
        request = MigrationRequest(vm=vm, site=SiteName("site2"))
        new = NewJob(
            kind=MIGRATE, vm_key=vm.key, requester="U0ALICE001", channel="C0MIGRATE1", data=with_request(request)
        )
        drafted = await self.queue.draft(new)
        assert drafted.fresh
        return drafted.id

    async def approve_everything(self) -> None:
        """What a person would do: click as soon as a plan is shown."""
        async for _, event in self.queue.events(since="0-0"):
            if event.get("state") == Phase.PLANNED:
                job = await self.queue.get(event["job"])
                if job is not None and job.state is Phase.PLANNED:
                    await self.queue.approve(job.id, fingerprint=job.data["fingerprint"], by="U0BOB00001")

    async def worker_dies_at(self, point: str, *options: str) -> None:
        """Run a worker until it has killed itself there, then let its lease and the settle time pass."""
        worker = await self.start("--die-at", point, *options)
        async with asyncio.timeout(PATIENCE):
            code = await worker.wait()
        assert code == -9, f"the worker ended with {code} instead of dying at {point}: {self.log.read_text()[-3000:]}"
        self.kills[point] = self.kills.get(point, 0) + 1
        self.pass_time(PAST_LEASE_AND_SETTLE)

    def pass_time(self, by: timedelta) -> None:
        """Move the clock of every script on."""
        self.skewed += by
        self.skew(self.skewed)

    @asynccontextmanager
    async def steady_worker(self, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
        worker = await self.start(*options)
        try:
            yield worker
        finally:
            if worker.returncode is None:
                worker.send_signal(signal.SIGCONT)
                worker.terminate()
            assert await worker.wait() == 0, self.log.read_text()[-3000:]

    async def reaches(self, job: JobId, *states: Phase) -> Job:
        """The job, once it is in one of the states."""
        async with asyncio.timeout(PATIENCE):
            async for _ in self.queue.events(since="0-0"):
                found = await self.queue.get(job)
                if found is not None and found.state in states:
                    return found
        raise AssertionError

    async def session_is_ended(self, job: JobId) -> None:
        """Once whoever looks for the call's effect has ended the session that may have made it."""
        async with asyncio.timeout(PATIENCE):
            async for _, event in self.queue.events(since="0-0"):
                if event.get("job") == job and "session" in event["why"] and event["state"] == Phase.UNKNOWN:
                    return

    async def all_ended(self) -> None:
        """Once no job is live. Time passes whenever a session was ended, as it would in a real night."""
        async with asyncio.timeout(PATIENCE * 2):
            async for _, event in self.queue.events(since="0-0"):
                live = {job.id: job for job in await self.queue.recent(limit=100, live_only=True)}
                if not live:
                    return
                settling = event.get("job", "") in live and live[event["job"]].state is Phase.UNKNOWN
                if settling and "session" in event["why"]:
                    self.pass_time(PAST_LEASE_AND_SETTLE)

    async def start(self, *options: str) -> asyncio.subprocess.Process:
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
