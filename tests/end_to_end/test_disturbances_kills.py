"""A worker process is killed by SIGKILL around what is done to a VM before and after its move; another one goes on.

Where the move itself is killed, chaos looks (`tests/chaos`); here it is the guest, its power, its disks and leftovers.
"""

from __future__ import annotations

import asyncio
import signal
import tomllib
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.migration.machine import Phase
from bot.playground.vcenter.player import play_world
from bot.playground.world import World
from bot.settings import with_environment
from tests import warm
from tests.end_to_end.conftest import WORLD
from tests.end_to_end.disturbed import OPTIONS, PATIENCE, QUICK, disturbed, guests, powered_on, relocations, sites
from tests.end_to_end.plant import text_of

PAST_LEASE = timedelta(seconds=45)
POINTS = ("before-shutdown", "after-shutdown", "guest-off", "before-power-on", "after-power-on")


@pytest.fixture
async def vcenter(tmp_path):
    world = World.model_validate(tomllib.loads(WORLD + guests(len(POINTS)) + QUICK + 'consolidation = "1 s"\n'))
    async with await play_world(world, tmp_path / "world") as playing:
        yield playing["east"]


@pytest.fixture
async def stage(tmp_path, target, valkey_url, skew_clock):
    async with disturbed(tmp_path, target, valkey_url, skew_clock) as running:
        await running.stop_worker()
        yield running


@pytest.fixture
def mortal(tmp_path, vcenter, valkey_url):
    """A worker in a process of its own, which is killed at the end whatever happens."""

    @asynccontextmanager
    async def start(*options):
        command = [*warm.bot(), "worker", "--config", str(tmp_path / "coldmigrate.toml"), *options]
        secrets = {"APP": "", "BOT": "", "PASSWORD": vcenter.password, "REDIS_URL": valkey_url}
        with (tmp_path / "worker.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command, stdout=log, stderr=log, env=with_environment(secrets)
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    return start


@asynccontextmanager
async def successor(stage):
    """Another worker, once the lease of the dead one is over."""
    stage.later(PAST_LEASE)
    stop = await stage.worker()
    yield
    await stop()


async def test_killed_between_shutdown_and_power_on(stage, mortal, vcenter):
    """Whoever comes next does what is left to do, and does nothing twice."""
    for number, point in enumerate(POINTS):
        vm = f"guest{number}"
        async with asyncio.timeout(PATIENCE), mortal("--die-at", point) as process:
            await stage.approved(f"{vm} site2 {OPTIONS}")
            assert await process.wait() == -signal.SIGKILL
        async with successor(stage):
            job = await stage.ended(vm)
        assert (point, job.state) == (point, Phase.DONE)
        assert f"{vm} is on." in job.data["outcome"]
        assert relocations(vcenter, vm=vm) == ["success"]
        assert (sites(vcenter, vm=vm), powered_on(vcenter, vm=vm)) == (["site2"], 1)


async def test_killed_while_disks_are_consolidated(stage, mortal, vcenter):
    vcenter.estate.vm("kept01").strays = 1
    async with asyncio.timeout(PATIENCE), mortal() as process:
        await stage.approved("kept01 site2 --consolidate")
        await vcenter.witness.until_called("ConsolidateVMDisks_Task")
        process.kill()
    async with successor(stage):
        job = await stage.ended("kept01")
    assert job.state is Phase.DONE, job.data
    assert vcenter.calls["ConsolidateVMDisks_Task"] == 1
    assert vcenter.estate.vm("kept01").strays == 0
    assert relocations(vcenter, vm="kept01") == ["success"]


async def test_killed_while_leftovers_are_deleted(stage, mortal, vcenter):
    """The list was confirmed: who comes next looks what of it is still there, and deletes that and nothing else."""
    async with successor(stage):
        card = await stage.approved("db01 site2")
        await stage.ended("db01")
        end = await stage.reply(card, saying="Left behind")
        await stage.click(end, "cm.delete-leftovers")
        listed = await stage.reply(card, saying="They are deleted for good if you confirm")
    vcenter.hold_back("DeleteVirtualDisk_Task")
    async with asyncio.timeout(PATIENCE), mortal() as process:
        await stage.click(listed, "cm.delete-leftovers")
        await vcenter.witness.until_called("DeleteVirtualDisk_Task")
        process.kill()
    async with successor(stage):
        said = text_of(await stage.reply(card, saying="Deleted "))
    assert "on ds-c2-01" in said
    assert sites(vcenter, vm="db01") == ["site1"]
