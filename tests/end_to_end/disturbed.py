"""A stage on which something breaks at a named point of a run, and what a referee then asks of both sides.

One world and one worker for several migrations after each other: each case is a VM, a point and a disturbance.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.compose import queue_of, store_of
from bot.jobs.port import Job
from bot.migration.request import VCenterName
from bot.operations.record import request_of
from bot.playground.vcenter.player import VCenterPlayer
from bot.vsphere.inventory_store import RedisInventory
from tests.end_to_end.plant import ALICE, BOB, Plant, Target, plant, text_of

ALLOWED = """
[allow]
shutdown = true
power_off = true
power_on = true
drives = true
consolidate = true
delete_leftovers = true
"""
RIGHTS = f"""who = ["user:{ALICE}", "user:{BOB}"]
may = ["power", "clean", "diagnose"]
[[rights]]
who = ["user:{ALICE}", "user:{BOB}"]"""

QUICK = '\n[play]\nguest_shutdown = "200 ms"\nnfc_patience = "200 ms"\nhistory_lines = 5\nnoise_every = "1 h"\n'
GUEST = """
[[vms]]
name = "{name}"
site = "site1"
disks = ["1 GiB thick 10 MiB"]
networks = ["VM Network"]
devices = ["iso [ds-c1-01] tools.iso"]
power = "on"
"""
OPTIONS = "--shutdown --power-on --thin --disconnect-iso"
FAR = """
[vcenters.west]
url = "{url}"
user = "svc@west.local"
password_env = "WEST"
{trust}
[sites.site1]
vcenter = "east"
datacenter = "DC1"
cluster = "C1"
datastore = "ds-c1-01"
[sites.site9]
vcenter = "west"
datacenter = "DC9"
cluster = "C9"
datastore = "ds-w-01"
folder = "Migrated"
"""
DAY = timedelta(days=1)
SILENCE = timedelta(seconds=0.5)
SETTLES = timedelta(seconds=0.3)
LOOKS_AGAIN = timedelta(seconds=0.8)
PAST_RETRY = timedelta(seconds=61)
PATIENCE = 40.0


def guests(count: int) -> str:
    """So many VMs that run, each with an ISO and a thick disk: guest0, guest1, ..."""
    return "".join(GUEST.format(name=f"guest{number}") for number in range(count))


class Strikes:
    """What is to happen at which point of a run; each happens once. Hand it to a worker as its `reached`."""

    def __init__(self) -> None:
        self._orders: dict[str, Callable[[], object]] = {}
        self._under_way: set[asyncio.Future[object]] = set()
        self.struck: list[str] = []
        self.passed: list[str] = []

    def at(self, point: str, do: Callable[[], Any]) -> None:
        """Do this the next time that a run comes to the point; what it returns to be awaited begins there."""
        self._orders[point] = do

    def __call__(self, point: str) -> None:
        self.passed.append(point)
        if (do := self._orders.pop(point, None)) is None:
            return
        self.struck.append(point)
        if asyncio.iscoroutine(doing := do()):
            task = asyncio.ensure_future(doing)
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)


class Stage(Plant):
    """A plant whose worker is struck. `skew` moves the clock of Redis, further at each call."""

    strikes: Strikes
    skew: Callable[[timedelta], None]
    skewed: timedelta = timedelta()
    stop_worker: Callable[[], Any]

    def later(self, by: timedelta = PAST_RETRY) -> None:
        """Move the clock on by so much."""
        self.skewed += by
        self.skew(self.skewed)

    async def worker(self, **options: Any) -> Callable[[], Any]:
        return await self.start_worker(reached=self.strikes, settle_margin=SETTLES, silence=SILENCE, **options)

    async def approved(self, line: str) -> dict[str, Any]:
        """Ask for a migration and approve it; its card."""
        card = await self.approved_later(line)
        await self.click(card, "cm.approve")
        return card

    async def approved_later(self, line: str) -> dict[str, Any]:
        """Ask for a migration; its card, which waits for the approval."""
        number = len(self.cards())
        await self.known(line.split(maxsplit=1)[0])
        await self.type(f"/coldmigrate {line}")
        return await self.card(showing="waiting for approval", number=number)

    async def reply(self, card: dict[str, Any], *, saying: str) -> dict[str, Any]:
        """As of a plant; the thread is told if it does not come."""
        try:
            return await super().reply(card, saying=saying)
        except AssertionError:
            raise AssertionError(f"no reply says {saying!r}; the thread:\n{self.thread_text(card)}") from None

    async def blackout(self, player: VCenterPlayer) -> None:
        """Let a vCenter be away until some card says so."""
        await player.switches.go_down()
        try:
            await self.until(lambda: any("refuses connections" in text_of(card) for card in self.cards()))
        finally:
            await player.switches.come_up()

    async def known(self, vm: str) -> None:
        """Until the inventory has this VM: each vCenter's is read by itself."""
        async with store_of(self.settings) as store, asyncio.timeout(PATIENCE):
            inventory = RedisInventory(store, [VCenterName(name) for name in self.settings.vcenters])
            while not await inventory.find(vm):
                await asyncio.sleep(0.05)

    async def jobs(self) -> list[Job]:
        async with store_of(self.settings) as store:
            return list(await queue_of(self.settings, store).recent(limit=200))

    async def job(self, vm: str) -> Job:
        """The newest migration of this VM."""
        return next(job for job in await self.jobs() if job.kind == "migrate" and request_of(job).vm.name == vm)

    async def ended(self, vm: str) -> Job:
        """The newest migration of this VM once it has ended; while nothing happens the clock is moved on."""
        clock = asyncio.get_running_loop().time
        begun = last_news = clock()
        before = None
        async with store_of(self.settings) as store:
            queue = queue_of(self.settings, store)
            job = await self.job(vm)
            while clock() < begun + PATIENCE:
                found = await queue.get(job.id)
                assert found is not None
                if found.state.ended:
                    return found
                if (now := (found.state, len(found.steps), found.data)) != before:
                    before, last_news = now, clock()
                elif clock() - last_news > LOOKS_AGAIN.total_seconds():
                    self.later()
                    last_news = clock()
                await asyncio.sleep(0.05)
        raise AssertionError(f"{vm} came to no end: {before}; points: {self.strikes.passed[-12:]}")


def far_target(east: VCenterPlayer, west: VCenterPlayer, *, trust: str = "") -> Target:
    """Both vCenters, the second one believed by its issuer or as `trust` says."""
    sites = FAR.format(url=west.url, trust=trust or f'ca_file = "{west.ca_file}"')
    return Target(
        east.url,
        east.ca_file or "",
        east.user,
        east.password,
        sites,
        between='"site1", "site9"',
        secrets={"WEST": west.password},
    )


@asynccontextmanager
async def disturbed(
    folder: Path, target: Target, redis_url: str, skew: Callable[[timedelta], None]
) -> AsyncIterator[Stage]:
    """Bot and worker run; the worker keeps its lease however far the clock is moved."""
    allowed = dataclasses.replace(target, sites=target.sites + ALLOWED)
    async with plant(folder, allowed, redis_url, rights=RIGHTS) as running:
        running.__class__ = Stage
        assert isinstance(running, Stage)
        running.strikes, running.skew = Strikes(), skew
        quick = {"lease_seconds": DAY.total_seconds(), "submit_timeout_seconds": 1}
        worker = running.settings.worker.model_copy(update=quick)
        running.settings = running.settings.model_copy(update={"worker": worker})
        await running.start_bot()
        running.stop_worker = await running.worker()
        yield running


# What a referee asks of the player.


def powered_on(*players: VCenterPlayer, vm: str) -> int:
    """How often a VM was switched on, in all vCenters together."""
    return sum(
        happening.is_a("VmPoweredOnEvent") and happening.data.fields["vm"].fields["name"] == vm
        for player in players
        for happening in player.estate.events
    )


def relocations(*players: VCenterPlayer, vm: str) -> list[str]:
    """The outcome of each relocation of a VM that any vCenter accepted."""
    return [record.outcome for player in players for record in player.relocations if record.vm == vm]


def sites(*players: VCenterPlayer, vm: str) -> list[str]:
    """Wherever a VM is registered."""
    return [found.host.site for player in players for found in player.estate.vms(vm)]
