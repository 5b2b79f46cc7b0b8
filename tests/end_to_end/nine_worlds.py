"""Worlds in which copies fail, each in its own way, and the product's own pieces against them, in one process.

Planned, measured, relocated, watched and diagnosed as a worker does it, over real wires; only its job is a value.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bot.diagnosis.elimination import Elimination
from bot.diagnosis.engine import Engine
from bot.diagnosis.verdict import Incident
from bot.jobs.port import Job, NewJob
from bot.jobs.queue import RedisQueue
from bot.logs.feed import FleetLogFeed
from bot.migration.facts import SiteSpec
from bot.migration.machine import Phase
from bot.migration.measured import PathMeasurement, Pings, When
from bot.migration.plan import Plan, Severity
from bot.migration.request import MigrationRequest, SiteName, VCenterName, VmRef
from bot.operations.diagnose import Diagnosis, diagnose
from bot.operations.elimination import elimination_of
from bot.operations.measure import Depth, look_at_flow, measure
from bot.operations.plan_migration import plan_migration, resolve_vm
from bot.operations.record import Intent, with_intent, with_plan, with_request
from bot.operations.survey import Surveying, surveying_of
from bot.operations.tools import Fleet, OnCallTools, WorkerTools
from bot.operations.watch_logs import LogWatch, watching
from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import parse_world
from bot.slack.outbox import RedisOutbox
from bot.store.client import Store, connect
from bot.store.steady import steady, whose_clock
from bot.vsphere.inventory_store import RedisInventory
from bot.vsphere.vcenter import PyvmomiVCenter

EAST = VCenterName("east")
LOGS = ("vpxa", "hostd")
SECONDS = 20

Meanwhile = Callable[["Stage", Plan], Awaitable[Sequence[PathMeasurement]]]


@dataclass
class Failed:
    """A copy that failed, everything that was seen of it, and whoever can say why."""

    stage: Stage
    plan: Plan
    job: Job
    watch: LogWatch
    measured: tuple[PathMeasurement, ...]

    async def verdict(self, measured: Sequence[PathMeasurement] | None = None) -> Incident:
        found = await self.diagnosis(measured)
        assert found.chief is not None, found.replies
        return found.chief

    async def diagnosis(self, measured: Sequence[PathMeasurement] | None = None) -> Diagnosis:
        looks = self.measured if measured is None else measured
        return await diagnose(self.stage.tools, self.job, self.watch, measured=looks)

    async def table(self) -> Elimination:
        found = await self.diagnosis()
        assert found.report is not None
        return await elimination_of(
            self.stage.tools, self.job, self.watch, found.report, self.measured, around=found.around
        )


@dataclass
class Stage:
    """One world and the tools of a worker in it."""

    player: VCenterPlayer
    vcenter: PyvmomiVCenter
    tools: WorkerTools

    async def planned(self, vm: str = "db01", *, thoroughly: bool = False) -> Plan:
        """Plan it as a worker does; `thoroughly`: with the full look at the path instead of the quick one."""
        ref: VmRef = await resolve_vm(self.tools.fleet, vm)
        request = MigrationRequest(ref, SiteName("site2"))
        return await plan_migration(self.tools.fleet, request, surveying=self._surveying(thoroughly=thoroughly))

    def _surveying(self, *, thoroughly: bool) -> Surveying:
        usual = surveying_of(self.tools)
        if not thoroughly:
            return usual

        async def look(plan: Plan) -> PathMeasurement:
            return await self.measured(plan, When.BEFORE)

        return replace(usual, measure=look)

    async def measured(self, plan: Plan, when: When) -> PathMeasurement:
        return await measure(self.vcenter, plan, when=when, depth=Depth.FULL, at=await self.tools.queue.now())

    async def glanced(self, plan: Plan) -> PathMeasurement:
        """What a worker does while a copy does not move."""
        return await look_at_flow(self.vcenter, plan, at=await self.tools.queue.now())

    async def fails(self, vm: str = "db01", *, meanwhile: Meanwhile | None = None) -> Failed:
        """Have the VM relocated, which is to fail, and look at the path before, during and after it."""
        plan = await self.planned(vm)
        before = (await self.measured(plan, When.BEFORE),)
        intent = Intent("cm-ninewrld-a1", "", await self.vcenter.now(), await self.tools.queue.now())
        async with asyncio.timeout(SECONDS):
            async with watching(self.tools.feed, plan, op_id=intent.op_id, logs=LOGS, since=None) as watch:
                task = await self.vcenter.relocate(plan, op_id=intent.op_id)
                during = await meanwhile(self, plan) if meanwhile else ()
                last = [one async for one in self.vcenter.follow(task)][-1]
                assert last.fault, "the copy was to fail"
                ended = await self.tools.queue.now()
                await self._read_on(watch)
            after = await self.measured(plan, When.AFTER)
        job = await self._job(plan, intent, task, ended)
        return Failed(self, plan, job, watch, (*before, *during, after))

    async def _read_on(self, watch: LogWatch) -> None:
        """Until the feeds have read all that the hosts have written by now."""
        await asyncio.sleep(self.tools.read_on.total_seconds())  # as the product does it: hosts write on for a while

    async def _job(self, plan: Plan, intent: Intent, task: str, ended: datetime) -> Job:
        data = {**with_request(plan.request), **with_plan(plan), **with_intent(intent), "task": task}
        new = NewJob("migrate", f"east:{plan.request.vm.uuid}", "U0ALICE001", "#migrations", data)
        job = await self.tools.queue.get((await self.tools.queue.draft(new)).id)
        assert job is not None
        return replace(job, steps=(replace(job.steps[-1], state=Phase.VERIFYING, at=ended),))


def warned(plan: Plan, concern: str) -> bool:
    """Whether the plan says so before anything moves: louder than a note, and because it was seen."""
    found = [one for one in plan.concerns if one.id == concern and not one.unreadable]
    return any(one.severity is not Severity.NOTE for one in found)


def clean(look: PathMeasurement) -> PathMeasurement:
    """The same look, had the path been in order."""
    small = Pings(sent=200, received=200, size=84, whole=False)
    full = Pings(sent=20, received=20, size=1500, whole=True)
    listening = dict.fromkeys(look.listening or (902,), True)
    return replace(
        look, small=small, full=full, sizes=(), control=look.control and small, connections=(), listening=listening
    )


SITES = tuple(
    SiteSpec(
        name=SiteName(f"site{n}"),
        vcenter=EAST,
        datacenter=f"DC{n}",
        cluster=f"C{n}",
        host=None,
        datastore=f"ds-c{n}-01",
        folder=None,
        networks={},
    )
    for n in (1, 2)
)


@asynccontextmanager
async def staged(folder: Path, redis_url: str, engine: Engine, world: str) -> AsyncIterator[Stage]:
    """Play the world, and give the product's pieces to it."""
    async with await play_world(parse_world(world), folder / "world") as running:
        player = running["east"]
        vcenter = PyvmomiVCenter(
            EAST, url=player.url, user=player.user, password=lambda: player.password, ca_file=player.ca_file
        )
        store = connect(redis_url)
        try:
            async with FleetLogFeed(
                store, {"east": vcenter}, keep=engine.is_candidate, every=timedelta(seconds=0.1)
            ) as feed:
                yield Stage(player, vcenter, _tools(store, vcenter, engine, feed))
        finally:
            await vcenter.close()
            await store.aclose()


def _tools(store: Store, vcenter: PyvmomiVCenter, engine: Engine, feed: FleetLogFeed) -> WorkerTools:
    async def nothing(_sha: str) -> None:
        return None

    return WorkerTools(
        queue=RedisQueue(store),
        fleet=Fleet({EAST: vcenter}, {site.name: site for site in SITES}),
        outbox=RedisOutbox(store),
        feed=feed,
        engine=engine,
        on_call=OnCallTools(scenes={EAST: vcenter}, inventory=RedisInventory(store, [EAST]), material=nothing),
        settle=timedelta(seconds=1),
        steady=partial(steady, store),
        whose_clock=partial(whose_clock, store),
        read_on=timedelta(seconds=0.5),
        probes={EAST: vcenter},
    )
