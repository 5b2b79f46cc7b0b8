"""A night in the chaos tests: a queue, real workers that die or are paused, a person who approves everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
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
from bot.store.client import connect
from tests.chaos.roles import PATIENCE, WORLD, Roles, secrets_of

PAST_LEASE_AND_SETTLE = timedelta(seconds=50)  # a lease of 5 s; a submit time-out of 5 s and the margin of 30 s
READ_ON = ("--read-on", "0.2")
LIMITS = """
[worker]
lease_seconds = 5
submit_timeout_seconds = 5
"""


@dataclass(kw_only=True)
class Night(Roles):
    """One night of kills, and its queue."""

    queue: JobQueue

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
        await self.dies_at(point, "worker", *READ_ON, *options)
        self.pass_time(PAST_LEASE_AND_SETTLE)

    def steady_worker(self, *options: str) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
        return self.steady("worker", *READ_ON, *options)

    async def reaches(self, job: JobId, *states: Phase) -> Job:
        """The job, once it is in one of the states."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            async for _ in self.queue.events(since="0-0"):
                found = await self.queue.get(job)
                if found is not None and found.state in states:
                    return found
        raise AssertionError

    async def session_is_ended(self, job: JobId) -> None:
        """Once whoever looks for the call's effect has ended the session that may have made it."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            async for _, event in self.queue.events(since="0-0"):
                if event.get("job") == job and "session" in event["why"] and event["state"] == Phase.UNKNOWN:
                    return

    async def all_ended(self) -> None:
        """Once no job is live. Time passes whenever a session was ended, as it would in a real night."""
        async with asyncio.timeout(PATIENCE.total_seconds() * 2):
            async for _, event in self.queue.events(since="0-0"):
                live = {job.id: job for job in await self.queue.recent(limit=100, live_only=True)}
                if not live:
                    return
                settling = event.get("job", "") in live and live[event["job"]].state is Phase.UNKNOWN
                if settling and "session" in event["why"]:
                    self.pass_time(PAST_LEASE_AND_SETTLE)


@asynccontextmanager
async def night(
    tmp_path: Path, vcenter: VCenterPlayer, valkey_url: str, skew: Callable[[timedelta], None]
) -> AsyncIterator[Night]:
    path = tmp_path / "coldmigrate.toml"
    path.write_text(WORLD.format(vcenter=vcenter) + LIMITS, encoding="utf-8")
    secrets = secrets_of(vcenter, valkey_url)
    settings = config.load(path, secrets)
    assert set(site_specs(settings)) == {"site1", "site2"}
    async with connect(valkey_url) as store:
        queue = queue_of(settings, store)
        this = Night(settings=path, secrets=secrets, skew=skew, log=tmp_path / "workers.log", queue=queue)
        approver = asyncio.create_task(this.approve_everything())
        try:
            yield this
        finally:
            approver.cancel()


def refs(vcenter: VCenterPlayer) -> Iterator[VmRef]:
    for vm in vcenter.estate.inventory.each(Vm):
        yield VmRef(VCenterName("east"), vm.instance_uuid, vm.name)
