"""Redis loses everything while jobs run (number 5 of the list): FLUSHALL, again and again, and between intent and call.

What had started has its trace on its VM and has to be found, followed and ended by that. What had not started is lost
by nature: its card stays as it was, and whoever asks again for the VM is served. People here do so at once or later.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Final

from bot.jobs.port import Job, NewJob
from bot.migration.machine import Phase
from bot.migration.request import JobId, MigrationRequest, SiteName, VmRef
from bot.operations.reconcile import EVERY
from bot.operations.record import MIGRATE, is_adopted, with_request
from bot.operations.trace import read
from bot.playground.vcenter.inventory import Vm
from tests.chaos.fleet import Employee
from tests.chaos.people import REQUESTERS, Order
from tests.chaos.ring import HungError, Ring, ring
from tests.chaos.ring_world import SITES, onward
from tests.chaos.rows import Row
from tests.chaos.stage import Stage

NAME: Final = "flush"
WORKERS: Final = 3
POINTS: Final = ("after-intent", "after-trace", "before-intent", "after-submit")
FOUND_WITHIN: Final = 300.0
PATIENCE: Final = 90.0
LOOK: Final = 0.1
NEXT_LOOK: Final = EVERY + timedelta(seconds=1)
AWAKE: Final = 4.0
"""Seconds in which a worker that wakes up has tried whatever it was about to do."""


async def run(stage: Stage) -> list[Row]:
    rows = [await _again_and_again(stage)]
    points = POINTS[: stage.many(len(POINTS), 1)]
    return [*rows, *[await _asleep(stage, point) for point in points]]


async def _again_and_again(stage: Stage) -> Row:
    """People go on asking while Redis forgets; it ends when so many copies were made."""
    copies = stage.many(45, 5)
    async with ring(stage, vms=stage.many(24, 8), rate="200 Mbit/s") as night:
        for _ in range(WORKERS):
            await night.fleet.hire(replaced=True)
        seen = _Seen(night)
        asking = [night.group.create_task(_person(seen, vms, copies)) for vms in _shared(night, stage.many(12, 6))]
        flushes = 0
        while len(night.vcenter.relocations) < copies or not flushes:
            await asyncio.sleep(stage.dice.uniform(0.5, 4))
            await _flush(seen)
            flushes += 1
            if stage.dice.random() < 0.7:
                await _found(seen)
        await night.within(PATIENCE, "people who are never told", _all(asking))
        await _quiet(night)
        await night.fleet.dismiss_all()
        return await _row(seen, NAME, {"FLUSHALLs": flushes})


async def _asleep(stage: Stage, point: str) -> Row:
    """A worker pauses at the point, Redis forgets, the VM is asked for again and moved; then the worker wakes up."""
    async with ring(stage, vms=1) as night:
        seen = _Seen(night)
        (vm,) = night.people.refs()
        sleeper = await night.fleet.hire("--stop-at", point)
        await _ask(seen, vm)
        await night.within(PATIENCE, f"a worker that does not pause at {point}", _paused(sleeper))
        await _flush(seen)
        await night.fleet.hire()
        again = await _ask(seen, vm)
        await night.within(PATIENCE, "a job that never ends", _ended(night, again))
        sleeper.process.send_signal(signal.SIGCONT)
        await asyncio.sleep(AWAKE)
        night.pass_time(NEXT_LOOK)  # what it did after the flush is found in the next round
        await _quiet(night)
        await night.fleet.dismiss_all()
        return await _row(seen, f"{NAME}.asleep {point}", {"FLUSHALLs": 1, "SIGSTOPs": 1})


@dataclass
class _Seen:
    """What was asked for, and what was found out."""

    night: Ring
    started_at: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    found_after: list[float] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    _flushed: float = 0.0
    traced: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started_at = {vm.name: self.night.vcenter.placement(vm.name).site for vm in self.night.people.refs()}

    def flushed(self) -> None:
        self._flushed = monotonic()
        self.traced = _traces(self.night)

    @property
    def since(self) -> float:
        return monotonic() - self._flushed


async def _person(seen: _Seen, vms: Sequence[VmRef], copies: int) -> None:
    for vm in itertools.cycle(vms):
        if len(seen.night.vcenter.relocations) >= copies:
            return
        order = await _ask(seen, vm)
        patient = seen.night.dice.random() < 0.5
        while True:
            await asyncio.sleep(LOOK)
            job = await seen.night.queue.get(order.job)
            if job is not None and job.state.ended:
                break
            if job is None and not (patient and vm.name in _traces(seen.night)):
                break  # nobody knows of it; there may be a copy under way all the same


async def _ask(seen: _Seen, vm: VmRef) -> Order:
    night = seen.night
    source = night.vcenter.placement(vm.name).site
    request = MigrationRequest(vm=vm, site=SiteName(onward(source)))
    new = NewJob(MIGRATE, vm.key, night.dice.choice(REQUESTERS), "C0MIGRATE1", with_request(request))
    drafted = await night.queue.draft(new)
    return night.people.orders.setdefault(drafted.id, Order(drafted.id, vm.name, source, onward(source)))


async def _flush(seen: _Seen) -> None:
    await seen.night.store.execute_command("FLUSHALL")
    seen.flushed()


async def _found(seen: _Seen) -> None:
    """Once every job that has left a trace is on file again, or has had its end."""
    missing = dict(seen.traced)
    while missing:
        await asyncio.sleep(LOOK)
        traces = _traces(seen.night)
        for vm, job in list(missing.items()):
            if traces.get(vm) != job:
                del missing[vm]
            elif await seen.night.queue.get(JobId(job)) is not None:
                seen.found_after.append(seen.since)
                del missing[vm]
        if seen.since > FOUND_WITHIN:
            raise HungError(f"after {FOUND_WITHIN:.0f} s nobody has found the jobs {', '.join(missing.values())}")


def _traces(night: Ring) -> dict[str, str]:
    """The job in the trace of each VM that has one, as vCenter keeps it."""
    texts = {vm.name: text for vm in night.vcenter.estate.inventory.each(Vm) for text in vm.custom.values() if text}
    return {name: trace.job for name, text in texts.items() if (trace := read(text)) is not None}


async def _quiet(night: Ring, *, within: float = PATIENCE) -> None:
    """Once no job lives, no copy runs, and no VM has a trace."""
    begun = monotonic()
    while left := await _left(night):
        if monotonic() - begun > within:
            raise HungError(f"after {within:.0f} s there is still {', '.join(left)}")
        await asyncio.sleep(LOOK)


async def _left(night: Ring) -> list[str]:
    live = await night.queue.recent(live_only=True)
    return [
        *(f"job {job.id} in {job.state} ({job.steps[-1].why})" for job in live),
        *(f"the trace of {job} on {vm}" for vm, job in _traces(night).items()),
        *(f"a copy {record.op_id}" for record in night.vcenter.relocations if not record.outcome),
    ]


async def _ended(night: Ring, order: Order) -> None:
    while (job := await night.queue.get(order.job)) is None or not job.state.ended:
        await asyncio.sleep(LOOK)


async def _paused(worker: Employee) -> None:
    stat = Path(f"/proc/{worker.pid}/stat")
    while stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "T":
        await asyncio.sleep(LOOK)


def _shared(night: Ring, size: int) -> Iterator[Sequence[VmRef]]:
    vms = night.people.refs()
    return (vms[n::size] for n in range(size))


async def _all(tasks: Sequence[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks)


# The verdict. The usual referee wants every order to end; here some are forgotten, and that must be all that happens.


async def _row(seen: _Seen, name: str, did: Mapping[str, int]) -> Row:
    night = seen.night
    calls: defaultdict[str, list[str]] = defaultdict(list)
    for record in night.vcenter.relocations:
        calls[record.op_id.split("-")[1]].append(record.op_id)
    ends: Counter[str] = Counter()
    breaches = [*seen.breaches, *night.fleet.strange_ends]
    for order in night.people.orders.values():
        job = await night.queue.get(order.job)
        ends["forgotten" if job is None else job.state] += 1
        if job is not None:
            breaches += _wrong(order, job, calls[order.job])
    twice = {job: ids for job, ids in calls.items() if len(ids) > 1}
    breaches += [f"job {job} relocated its VM {len(ids)} times: {', '.join(ids)}" for job, ids in twice.items()]
    breaches += [f"a relocation of {job} was asked for by nobody" for job in calls if job not in night.people.orders]
    breaches += _astray(seen)
    if left := await night.store.execute_command("KEYS", "{cm}:vm:*"):
        breaches.append(f"VMs are still taken: {', '.join(left)}")
    notes: dict[str, float | str] = {f"ended {state}": count for state, count in sorted(ends.items()) if count}
    if seen.found_after:
        notes |= {"found again": len(seen.found_after), "longest s": max(seen.found_after)}
    return Row(
        name=name,
        did=did,
        jobs=len(night.people.orders),
        relocations=len(night.vcenter.relocations),
        twice=sum(len(ids) - 1 for ids in twice.values()) + len(_astray(seen)),
        notes=notes,
        breaches=breaches,
    )


def _wrong(order: Order, job: Job, calls: Sequence[str]) -> Iterator[str]:
    told = f"job {order.job} of {order.vm} ended {job.state} ({job.data.get('outcome', job.steps[-1].why)})"
    if not job.state.ended or job.state is Phase.NEEDS_HUMAN:
        yield told
    if job.state is Phase.DONE and not calls:
        yield f"{told}, and nothing was ever relocated"
    if job.state in {Phase.FAILED, Phase.CANCELLED} and calls:
        yield f"{told}, and its VM was relocated{' (it was adopted)' if is_adopted(job) else ''}"


def _astray(seen: _Seen) -> list[str]:
    """Every copy goes one site on. Whoever moved the VM a second time on one order has left it where it was."""
    gone = Counter(record.vm for record in seen.night.vcenter.relocations)
    found = []
    for vm, begun in seen.started_at.items():
        steps = (int(seen.night.vcenter.placement(vm).site[4:]) - int(begun[4:])) % SITES
        if (gone[vm] - steps) % SITES:
            found.append(f"{vm} was relocated {gone[vm]} times and is {steps} sites further: one call was too many")
    return found
