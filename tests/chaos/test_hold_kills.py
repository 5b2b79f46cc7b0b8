"""SIGKILL of a worker that has just held a link: one hold, the job ends as it should, and somebody draws the card."""

from __future__ import annotations

import asyncio
import tomllib

import pytest

from bot.migration.machine import Phase
from bot.operations.record import request_of
from bot.playground.vcenter.player import play_world
from bot.playground.world import World
from bot.store import keys
from bot.store.client import connect
from tests.chaos.night import night, refs
from tests.chaos.roles import PATIENCE
from tests.worlds import TWO_SITES

LOSSY = """
[[vms]]
name = "db01"
site = "site1"
disks = ["1 GiB thin 700 MiB"]
[[vms]]
name = "web01"
site = "site1"
disks = ["1 GiB thin 10 MiB"]
[[events]]
at = "63 % of db01"
link = ["site1", "site2"]
loss = "4 %"
[play]
nfc_patience = "1 s"
"""

READ_ON = ("--read-on", "8")  # hosts' logs are asked for every few seconds, and it takes their lines to blame a link

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(280)]


@pytest.fixture
async def vcenter(tmp_path):
    async with await play_world(World.model_validate(tomllib.loads(TWO_SITES + LOSSY)), tmp_path / "world") as world:
        yield world["east"]


@pytest.mark.parametrize("point", ["after-hold", "before-finish"])
async def test_a_worker_that_dies_around_its_hold_leaves_one_hold_and_one_card(
    tmp_path, vcenter, valkey_url, skew_clock, point
):
    async with night(tmp_path, vcenter, valkey_url, skew_clock) as this, connect(valkey_url) as store:
        with this.explained():
            vms = {vm.name: vm for vm in refs(vcenter)}
            db01 = await this.submit(vms["db01"])
            await this.worker_dies_at(point, *READ_ON)
            (hold,) = await this.queue.holds()
            assert (hold.resource, hold.job, hold.by) == ("site1~site2", db01, "coldmigrate")
            if point == "after-hold":
                assert await store.hash(keys.outbox(f"card:{hold.id}")) == {}
                assert (await this.queue.get(db01)).state is Phase.VERIFYING
            vcenter.set_link("site1", "site2", loss=0.0)
            web01 = await this.submit(vms["web01"])

            async with this.steady_worker(*READ_ON):
                ended = await this.reaches(db01, Phase.FAILED)
                assert ended.data["hold"] == hold.id
                waiting = await this.reaches(web01, Phase.QUEUED)
                await shows(store, hold.id, "waits; the VM stays as it is")
                await shows(store, web01, "is held since")
                assert await this.queue.holds() == [hold]
                assert [r.vm for r in vcenter.relocations] == ["db01"]
                assert request_of(waiting).vm.name == "web01"

                await this.queue.release(hold.id, by="U0BOB00001", why="mended")
                await this.reaches(web01, Phase.DONE)
                await shows(store, hold.id, "Released at")


async def shows(store, subject: str, text: str) -> None:
    """Once what is to be posted as the card of a job or a hold says so."""
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while text not in (await store.hash(keys.outbox(f"card:{subject}"))).get("blocks", ""):
            await asyncio.sleep(0.05)
