"""The control (number 16 of the list): with its protection off, the product must be seen to relocate VMs twice.

The same referee judges; if it reports no duplicate here, its silence elsewhere proves nothing, and that is a breach.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from bot.migration.machine import Phase
from tests.chaos.fleet import Employee
from tests.chaos.referee import Judgement, judge
from tests.chaos.ring import Ring, ring
from tests.chaos.ring_world import SITES, SLOTS
from tests.chaos.rows import Row, UnmeasuredError
from tests.chaos.stage import Stage

NAME: Final = "control"
ASLEEP: Final = 30.0


async def run(stage: Stage) -> list[Row]:
    return [await _without_look_up(stage), await _without_fence(stage), await _without_enough_slots(stage)]


async def _without_look_up(stage: Stage) -> Row:
    """Killed after the call, and the next owner simply calls again."""
    times = stage.many(10, 2)
    async with ring(stage, vms=times) as night:
        for vm in night.people.refs():
            await night.people.asks(vm)
        while night.fleet.counted["after-submit"] < times:
            worker = await night.fleet.hire("--no-look-up", "--die-at", "after-submit")
            await worker.process.wait()
            await _written_down(night, worker)
        await night.fleet.hire("--no-look-up")
        await night.within(60, "jobs that never end", night.people.all_ended())
        await night.fleet.dismiss_all()
        seen = await judge(night, pickups=False)
    return _must_see(seen, "control.look-up off", {"SIGKILLs": times})


async def _without_fence(stage: Stage) -> Row:
    """Paused before the call, and awake when another has long finished; no script asks any more who holds the job."""
    times = stage.many(5, 1)
    async with ring(stage, vms=times) as night:
        for vm in night.people.refs():
            order = await night.people.asks(vm)
            sleeper = await night.fleet.hire("--stop-at", "after-intent", first=[("tests.chaos.unfenced", "")])
            await night.within(ASLEEP, "a worker that does not pause", _paused(sleeper))
            other = await night.fleet.hire()
            ended = night.chronicle.until(partial(_is_done, night, order.job))
            await night.within(60, "a job that is not taken over", ended)
            other.process.send_signal(signal.SIGSTOP)
            sleeper.process.send_signal(signal.SIGCONT)
            await _until(partial(_relocated, night, len(night.vcenter.relocations) + 1))
            for worker in (sleeper, other):
                await night.fleet.kill(worker, "SIGKILLs")
        seen = await judge(night, pickups=False)
    return _must_see(seen, "control.fence off", {"SIGSTOPs": times})


async def _without_enough_slots(stage: Stage) -> Row:
    """The workers are told of one slot more than the referee is."""
    async with ring(stage, vms=4 * SITES, slots=SLOTS + 1, rate="1 Mbit/s") as night:
        await night.fleet.hire()
        for vm in night.people.refs():
            await night.people.asks(vm)
        await _until(lambda: len(night.vcenter.relocations) == (SLOTS + 1) * SITES, 40)  # all slots of all links
        for site in range(1, SITES + 1):
            night.vcenter.set_link(f"site{site}", f"site{site % SITES + 1}", rate=800_000_000)
        await night.within(60, "jobs that never end", night.people.all_ended())
        await night.fleet.dismiss_all()
        seen = await judge(night)
    blind = f"{SLOTS + 1} slots were in use, and {seen.peak} copies on one link were seen: the referee is blind"
    seen.breaches = [] if seen.peak > SLOTS and seen.breaches else [blind]
    return seen.row("control.slots", {"slots": SLOTS + 1})


def _must_see(seen: Judgement, name: str, did: dict[str, int]) -> Row:
    """What is a breach elsewhere is what has to be seen here."""
    seen.breaches = [] if seen.twice else ["with the protection off no duplicate was seen: the referee is blind"]
    return seen.row(name, did)


async def _written_down(night: Ring, worker: Employee) -> None:
    while worker.alive or not any(worker.process.ended_at == death.at for death in night.fleet.deaths):
        await asyncio.sleep(0.01)


async def _paused(worker: Employee) -> None:
    while worker.alive and _state(worker.pid) != "T":
        await asyncio.sleep(0.02)
    if not worker.alive:
        raise UnmeasuredError("the worker that was to pause has ended")


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


def _is_done(night: Ring, job: str) -> bool:
    return night.chronicle.state(job) == Phase.DONE


def _relocated(night: Ring, times: int) -> bool:
    return len(night.vcenter.relocations) >= times


async def _until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for it, but not for ever: what does not happen is judged."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.02)
