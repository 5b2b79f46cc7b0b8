"""A worker in the middle of a copy that takes hours, as a real process, and its vCenter."""

from __future__ import annotations

import asyncio
import sys
import tomllib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot import settings as config
from bot.compose import queue_of
from bot.jobs.port import JobQueue, NewJob
from bot.migration.machine import Phase
from bot.migration.request import JobId, MigrationRequest, SiteName, VCenterName, VmRef
from bot.operations.record import MIGRATE, with_request
from bot.playground.vcenter.inventory import Vm
from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import World
from bot.settings import with_environment
from bot.store.client import connect
from tests import warm
from tests.ports import free_port
from tests.worlds import CONFIGURED_SITES, TWO_SITES

PATIENCE = 60
SLOW = TWO_SITES.replace('rate = "8 Gbit/s"', 'rate = "1 Mbit/s"')
VMS = "".join(f'[[vms]]\nname = "db0{n}"\nsite = "site1"\ndisks = ["40 GiB thin 12 GiB"]\n' for n in range(1, 3))
CONFIG = """
[vcenters.east]
url = "{url}"
user = "{user}"
password_env = "VC_PASSWORD"
ca_file = "{ca_file}"
{sites}folder = "Migrated"
"""


@dataclass
class Copying:
    """A worker that follows copies."""

    process: asyncio.subprocess.Process
    vcenter: VCenterPlayer
    queue: JobQueue
    jobs: list[JobId]
    port: int
    log: Path


@pytest.fixture
async def vcenter(tmp_path: Path) -> AsyncIterator[VCenterPlayer]:
    async with await play_world(World.model_validate(tomllib.loads(SLOW + VMS)), tmp_path / "world") as world:
        yield world["east"]


@pytest.fixture
async def copying(tmp_path: Path, vcenter: VCenterPlayer, valkey_url: str) -> AsyncIterator[Copying]:
    path = tmp_path / "coldmigrate.toml"
    path.write_text(
        CONFIG.format(url=vcenter.url, user=vcenter.user, ca_file=vcenter.ca_file, sites=CONFIGURED_SITES), "utf-8"
    )
    secrets = {"VC_PASSWORD": vcenter.password, "REDIS_URL": valkey_url}
    log, port = tmp_path / "worker.log", free_port()
    async with connect(valkey_url) as store:
        queue = queue_of(config.load(path, secrets), store)
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *[*warm.bot(), "worker", "--config", str(path), "--health-port", str(port)],
                env=with_environment(secrets), stdout=file, stderr=file,
            )  # fmt: skip
        try:
            jobs = [await _copied(queue, vm) for vm in vcenter.estate.inventory.each(Vm)]
            yield Copying(process, vcenter, queue, jobs, port, log)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            sys.stderr.write(log.read_text("utf-8")[-4000:])


async def _copied(queue: JobQueue, vm: Vm) -> JobId:
    """A migration of the VM, once vCenter copies."""
    ref = VmRef(VCenterName("east"), vm.instance_uuid, vm.name)
    request = MigrationRequest(vm=ref, site=SiteName("site2"))
    data = with_request(request)
    drafted = await queue.draft(
        NewJob(kind=MIGRATE, vm_key=ref.key, requester="U0ALICE001", channel="C0MIGRATE1", data=data)
    )
    async with asyncio.timeout(timedelta(seconds=PATIENCE).total_seconds()):
        async for _ in queue.events(since="0-0"):
            job = await queue.get(drafted.id)
            assert job is not None
            assert not job.state.ended, job
            if job.state is Phase.PLANNED:
                await queue.approve(job.id, fingerprint=job.data["fingerprint"], by="U0BOB00001")
            if job.state is Phase.ATTACHED:
                return job.id
    raise AssertionError
