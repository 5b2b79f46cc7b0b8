"""A batch whose workers are killed wherever it hurts: nothing is drafted, approved, started or said twice."""

from __future__ import annotations

import asyncio
import signal
import tomllib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.compose import queue_of, store_of
from bot.operations.batch_record import BATCH
from bot.operations.record import MIGRATE
from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import World
from bot.settings import with_environment
from tests import warm
from tests.end_to_end.plant import CHANNEL, PATIENCE, SITES, Plant, Target, plant, text_of
from tests.worlds import TWO_SITES

NAMES = ("web01", "web02", "web03", "app01")
WORLD = TWO_SITES + "".join(
    f"""
[[vms]]
name = "{name}"
site = "site1"
disks = ["1 GiB thin 10 MiB"]
power = "{"on" if name == "app01" else "off"}"
"""
    for name in NAMES
)
BEFORE = ("batch-part-drafted", "batch-drafted", "batch-planned")
AFTER = ("batch-started", "batch-part-approved", "batch-approved", "batch-before-end")


@pytest.fixture
async def vcenter(tmp_path: Path) -> AsyncIterator[VCenterPlayer]:
    async with await play_world(World.model_validate(tomllib.loads(WORLD)), tmp_path / "world") as playing:
        yield playing["east"]


@pytest.fixture
async def stage(tmp_path: Path, vcenter: VCenterPlayer, valkey_url: str) -> AsyncIterator[Plant]:
    """A bot, and a worker that was there for long enough to tell it which VMs there are."""
    sites = SITES.format(approval="requester") + f"\n[lists]\ntier = {list(NAMES)}\n"
    target = Target(vcenter.url, vcenter.ca_file or "", vcenter.user, vcenter.password, sites)
    async with plant(tmp_path, target, valkey_url) as running:
        await running.start_bot()
        stop = await running.start_worker()
        await running.inventory()
        await stop()
        yield running


@pytest.fixture
async def worker(tmp_path, stage, vcenter, valkey_url, skew_clock):
    """Start a worker as a process of its own; it sees the leases of those that were killed before it as over."""
    secrets = {
        "APP": stage.slack.app_token,
        "BOT": stage.slack.bot_token,
        "PASSWORD": vcenter.password,
        "REDIS_URL": valkey_url,
    }
    late = timedelta(0)
    started: list[asyncio.subprocess.Process] = []

    async def start(*options: str) -> asyncio.subprocess.Process:
        nonlocal late
        late += timedelta(seconds=45)  # longer than a lease, and than a call may be under way
        skew_clock(late)
        config = str(tmp_path / "coldmigrate.toml")
        command = [*warm.bot(), "worker", "--config", config, *options]
        with (tmp_path / "worker.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command, stdout=log, stderr=log, env=with_environment(secrets)
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def test_a_batch_survives_the_death_of_every_worker_that_has_it(stage, vcenter, worker):
    async def dies_at(point: str) -> None:
        process = await worker("--die-at", point)
        async with asyncio.timeout(PATIENCE.total_seconds()):
            assert await process.wait() == -signal.SIGKILL, point

    assert "Checking 4 VMs" in await stage.type("/coldmigrate @tier site2")
    for point in BEFORE:
        await dies_at(point)
    card = await stage.card(showing="Waiting for approval")
    assert vcenter.relocations == []
    await stage.click(card, "cm.approve")
    for point in AFTER:
        await dies_at(point)
    await worker()
    card = await stage.card(showing="3 of 4 VMs are at site2. Left out: app01.")

    async with store_of(stage.settings) as store:
        jobs = await queue_of(stage.settings, store).recent(limit=100)
    assert Counter(job.kind for job in jobs) == {BATCH: 1, MIGRATE: 4}
    assert len(stage.cards()) == 1
    assert Counter(relocation.vm for relocation in vcenter.relocations) == {"web01": 1, "web02": 1, "web03": 1}
    await stage.reply(card, saying="3 of 4 VMs are at site2.")
    said = Counter(text_of(message) for message in stage.slack.person.thread(CHANNEL, card["ts"])[1:])
    assert set(said.values()) == {1}
