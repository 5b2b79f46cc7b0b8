"""A world in which copies die, the whole product against it, and somebody on call who asks."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.compose import fleet_of, queue_of, store_of
from bot.jobs.port import Job
from bot.migration.request import MigrationRequest, SiteName
from bot.operations.inquiry import DIAGNOSE
from bot.operations.plan_migration import plan_migration, resolve_vm
from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import World
from tests.end_to_end.plant import ALICE, CHANNEL, SITES, Plant, Target, plant, text_of
from tests.worlds import TWO_SITES

SILENT_AFTER = timedelta(seconds=1.5)
STRANGERS_OP_ID = "C65743A5-0000024D"
SOURCE, DESTINATION = "esx-site1-01.example.net", "esx-site2-01.example.net"
WORLD = (
    TWO_SITES
    + """
[[vms]]
name = "db01"
site = "site1"
disks = ["16 GiB thin 700 MiB"]
[[vms]]
name = "web01"
site = "site1"
folder = "Web"
disks = ["1 GiB thin 10 MiB"]
[[vms]]
name = "twin"
site = "site1"
folder = "Web"
disks = ["1 GiB thin 10 MiB"]
[[vms]]
name = "twin"
site = "site1"
folder = "Old"
disks = ["1 GiB thin 10 MiB"]
[[events]]
at = "63 % of db01"
link = ["site1", "site2"]
loss = "4 %"
[play]
nfc_patience = "200 ms"
history_lines = 60
noise_every = "60 s"
"""
)
RIGHTS = f'who = ["user:{ALICE}"]\nmay = ["diagnose"]\n[[rights]]\nwho = ["user:{ALICE}"]'


@dataclass
class Stage:
    """Bot and worker run. `ask` is what somebody types; what comes of it is in Slack."""

    plant: Plant
    vcenter: VCenterPlayer
    stop_worker: Callable[[], Awaitable[None]]
    west: VCenterPlayer | None = None

    async def ask(self, line: str) -> str:
        """Type `/diagnose ...`, and wait for the answer: all that its thread says."""
        card = await self.begin(line)
        await self.plant.until(lambda: self._ended(card))
        return self.plant.thread_text(self._message(card))

    async def begin(self, line: str) -> str:
        """Type it, and wait for its card only; the card's ts."""
        before = set(self.cards())
        said = await self.plant.type(f"/diagnose {line}")
        assert "Looking into" in said, said
        return await self.plant.until(lambda: next(iter(set(self.cards()) - before), None))

    def cards(self) -> list[str]:
        return [m["ts"] for m in self.plant.cards() if "Diagnosis of" in text_of(m)]

    def card(self, ts: str) -> str:
        return text_of(self._message(ts))

    def files(self, ts: str) -> dict[str, bytes]:
        """The files in a card's thread, by the end of their names."""
        person = self.plant.slack.person
        thread = person.thread(CHANNEL, ts)[1:]
        found = [file for message in thread for file in message.get("files") or ()]
        return {file["name"].rsplit("-", 1)[-1]: person.download("alice", file["id"])[1] for file in found}

    def replies(self, ts: str) -> list[str]:
        return [text_of(m) for m in self.plant.slack.person.thread(CHANNEL, ts)[1:]]

    def _message(self, ts: str) -> dict[str, Any]:
        return next(m for m in self.plant.cards() if m["ts"] == ts)

    def _ended(self, ts: str) -> bool:
        jobs = [m for m in self.plant.cards() if m["ts"] == ts and "⏳" not in text_of(m)]
        return bool(jobs) and bool(self.replies(ts)) and self.outcome(ts) != ""

    def outcome(self, ts: str) -> str:
        """The line under the steps, once there is one."""
        lines = [line for line in self.card(ts).splitlines() if line and line[0] not in "✅⚠⏳▫"]
        return next((line for line in lines if not line.startswith("Diagnosis")), "")

    async def fail(self, vm: str = "db01") -> str:
        """Have the product migrate the VM into the loss; the job's id."""
        await self.plant.type(f"/coldmigrate {vm} site2")
        await self.plant.click(await self.plant.card(showing="waiting for approval"), "cm.approve")
        card = await self.plant.card(showing=": failed")  # a plan may speak of what could not be read "if it fails"
        return text_of(card).rpartition("Job ")[2].split(",")[0].strip()

    async def fail_by_hand(self, vm: str = "db01", *, op_id: str = STRANGERS_OP_ID) -> str:
        """Have somebody else relocate the VM into the loss, under an opID of the vSphere Client; the task's id."""
        async with fleet_of(self.plant.settings) as fleet:
            ref = await resolve_vm(fleet, vm)
            plan = await plan_migration(fleet, MigrationRequest(ref, SiteName("site2")))
            vcenter = fleet.vcenter(ref.vcenter)
            task = await vcenter.relocate(plan, op_id=op_id)
            last = [snapshot async for snapshot in vcenter.follow(task)][-1]
            assert last.fault, "the copy was to die"
        return task

    async def diagnoses(self) -> list[Job]:
        async with store_of(self.plant.settings) as store:
            jobs = await queue_of(self.plant.settings, store).recent(limit=50)
        return [job for job in jobs if job.kind == DIAGNOSE]


WEST = """
[vcenters.west]
url = "{west.url}"
user = "{west.user}"
password_env = "PASSWORD"
ca_file = "{west.ca_file}"
"""


@asynccontextmanager
async def on_stage(folder: Path, redis_url: str, world: str = WORLD, **worker: Any) -> AsyncIterator[Stage]:
    """A world, and the product against it, with a patience for hosts that suits a test. `west` is there or is not."""
    async with await play_world(World.model_validate(tomllib.loads(world)), folder / "world") as running:
        vcenter, west = running["east"], running.players.get("west")
        sites = SITES.format(approval="requester")
        if west is not None:
            sites = WEST.format(west=west) + sites.replace(
                '[sites.site2]\nvcenter = "east"', '[sites.site2]\nvcenter = "west"'
            )
        target = Target(vcenter.url, vcenter.ca_file or "", vcenter.user, vcenter.password, sites)
        async with plant(folder, target, redis_url, rights=RIGHTS) as stage:
            await stage.start_bot()
            stop = await stage.start_worker(look_within=SILENT_AFTER, **worker)
            await stage.inventory()
            yield Stage(stage, vcenter, stop, west)
