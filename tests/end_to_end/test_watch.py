"""Failures that nobody asked about: the real watcher against played hosts, judged on what the channel shows."""

from __future__ import annotations

import socket
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.compose import fleet_of, store_of
from bot.compose_watch import WatchRole
from bot.logs.tallies import read_tallies
from bot.migration.request import MigrationRequest, SiteName
from bot.operations.plan_migration import plan_migration, resolve_vm
from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import World
from tests.end_to_end.plant import ALICE, SITES, Json, Plant, Target, plant, text_of
from tests.operations.on_call_stage import STRANGERS_OP_ID, WORLD

ALERTS = "#nfc-alerts"
SOURCE = "esx-site1-01.example.net"
LEASE = timedelta(seconds=2)
RIGHTS = f'who = ["user:{ALICE}"]\nmay = ["alerts", "diagnose"]\n[[rights]]\nwho = ["user:{ALICE}"]'
ALERTING = """
[alerts]
channel = "C0NFCALERT"
mode = "{mode}"
[watch]
logs = ["vpxa", "hostd"]
api_calls_per_second = 50
{watch}
"""


@dataclass
class Watch:
    """Bot and watcher run."""

    plant: Plant
    vcenter: VCenterPlayer
    watcher: WatchRole

    def alerts(self) -> list[Json]:
        return [message for message in self.plant.slack.person.history(ALERTS) if message.get("blocks")]

    def thread(self, alert: Json) -> str:
        return "\n".join(text_of(m) for m in self.plant.slack.person.thread(ALERTS, alert["ts"])[1:])

    async def alert(self, *, showing: str, number: int = 0) -> Json:
        def seen() -> Json | None:
            alerts = self.alerts()
            return alerts[number] if len(alerts) > number and showing in text_of(alerts[number]) else None

        found: Json = await self.plant.until(seen)
        return found

    async def fail_by_hand(self, vm: str = "db01", *, op_id: str = STRANGERS_OP_ID) -> str:
        """Have somebody else relocate the VM into the loss; the task's id."""
        async with fleet_of(self.plant.settings) as fleet:
            ref = await resolve_vm(fleet, vm)
            plan = await plan_migration(fleet, MigrationRequest(ref, SiteName("site2")))
            vcenter = fleet.vcenter(ref.vcenter)
            task = await vcenter.relocate(plan, op_id=op_id)
            last = [snapshot async for snapshot in vcenter.follow(task)][-1]
            assert last.fault, "the copy was to die"
        return task

    async def all_read(self) -> None:
        """Until every log of every host is being read."""

        async def reads() -> bool:
            async with store_of(self.plant.settings) as store:
                return len(await read_tallies(store)) >= len(self.vcenter.estate.universe.paths.sites) * 2

        await self.plant.until_true(reads)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@asynccontextmanager
async def on_watch(
    folder: Path, redis_url: str, *, mode: str = "alert", watch: str = "", world: str = WORLD, **options: Any
) -> AsyncIterator[Watch]:
    async with await play_world(World.model_validate(tomllib.loads(world)), folder / "world") as running:
        east = running["east"]
        target = Target(east.url, east.ca_file or "", east.user, east.password, SITES.format(approval="requester"))
        besides = ALERTING.format(mode=mode, watch=watch)
        async with plant(folder, target, redis_url, rights=RIGHTS, besides=besides) as stage:
            await stage.start_bot()
            watcher = await stage.start_watcher(lease=LEASE, **options)
            yield Watch(stage, east, watcher)


@pytest.fixture
def syslog_port() -> int:
    return free_port()


async def test_somebody_elses_copy_dies_and_the_channel_hears_of_it_once(tmp_path, valkey_url, syslog_port):
    syslog = f'[syslog]\naddress = "127.0.0.1"\ntcp = {syslog_port}'
    async with on_watch(tmp_path, valkey_url, watch=syslog) as stage:
        stage.vcenter.switches.send_syslog(f"tcp://127.0.0.1:{syslog_port}")
        await stage.fail_by_hand()
        alert = await stage.alert(showing="db01")  # which vCenter's events tell, and no line does
        said = text_of(alert)
        assert "Packet loss between site1 and site2" in said
        assert "a migration that I did not start" in said
        assert SOURCE in said
        assert len(stage.alerts()) == 1
        await stage.plant.click(alert, "cm.acknowledge", channel=ALERTS)
        await stage.alert(showing="Acknowledged by")
        await stage.plant.click(alert, "cm.lines", channel=ALERTS)
        await stage.plant.until(lambda: "NfcNetTcpWrite" in stage.thread(alert))
