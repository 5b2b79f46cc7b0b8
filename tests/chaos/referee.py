"""Judges a night by what stands in vCenter and in Redis when it is over. A breach is a sentence; silence is praise.

Relocations are counted by the player, which saw every call, and not by anything that the product wrote about itself.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Container, Iterator
from dataclasses import dataclass, field
from typing import Final

from bot.jobs.port import CancelOutcome, Job
from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.store import keys
from tests.bench.figures import percentile
from tests.chaos.people import Order
from tests.chaos.ring import Ring
from tests.chaos.ring_world import LEASE, SLOTS
from tests.chaos.rows import Row

PICKED_UP_WITHIN: Final = LEASE * 1.25 + 1.0
LEFTOVERS: Final = ("slot:*", "vm:*", "ready:*")
EMPTY: Final = (keys.LEASE, keys.DELAYED, keys.LIVE)


@dataclass
class Judgement:
    """What the referee saw."""

    jobs: int = 0
    relocations: int = 0
    lost: int = 0
    twice: int = 0
    peak: int = 0
    pickups: list[float] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)

    def row(self, name: str, did: dict[str, int], **notes: float | str) -> Row:
        """The row of a part; what went wrong beyond counting is in it."""
        pickup = (percentile(self.pickups, 0.99), PICKED_UP_WITHIN) if self.pickups else None
        ends = {f"ended {state}": count for state, count in sorted(self.ends.items())}
        return Row(
            name=name,
            did=did,
            jobs=self.jobs,
            relocations=self.relocations,
            lost=self.lost,
            twice=self.twice,
            pickup=pickup,
            notes={"peak per link": self.peak, **ends, **notes},
            breaches=tuple(self.breaches),
        )


async def judge(night: Ring, *, excused: Container[str] = (), pickups: bool = True) -> Judgement:
    """Everything that must hold when all has ended and nobody works any more. `excused` jobs may end badly."""
    seen = Judgement(jobs=len(night.people.orders), relocations=len(night.vcenter.relocations))
    seen.breaches += [*night.people.wrongs, *night.fleet.strange_ends]
    records = _by_job(night)
    for order in night.people.orders.values():
        job = await night.queue.get(order.job)
        if job is None or not job.state.ended:
            seen.lost += 1
            seen.breaches.append(f"job {order.job} of {order.vm} {_unended(job)}")
            continue
        seen.ends[job.state] += 1
        if order.job not in excused:
            seen.breaches += _ended_wrongly(night, order, job, records[order.job])
    twice = {job: ids for job, ids in records.items() if len(ids) > 1}
    seen.twice = sum(len(ids) - 1 for ids in twice.values())
    seen.breaches += [f"job {job} relocated its VM {len(ids)} times: {', '.join(ids)}" for job, ids in twice.items()]
    strangers = set(records) - set(night.people.orders)
    seen.breaches += [f"a relocation {', '.join(records[job])} belongs to no job" for job in strangers]
    seen.peak = max((peak_of(night, link) for link in {o.link for o in night.people.orders.values()}), default=0)
    if seen.peak > SLOTS:
        seen.breaches.append(f"{seen.peak} copies ran on one link at a time, which has {SLOTS} slots")
    seen.breaches += [left async for left in _leftovers(night)]
    if pickups:
        _pick_ups(night, seen)
    return seen


def _by_job(night: Ring) -> defaultdict[str, list[str]]:
    """The operation ids of all relocations that vCenter accepted, by the job in them."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for record in night.vcenter.relocations:
        found[record.op_id.split("-")[1] if record.op_id.count("-") > 1 else record.op_id].append(record.op_id)
    return found


def _unended(job: Job | None) -> str:
    return "is gone" if job is None else f"never ended: it is {job.state}, {job.steps[-1].why}"


def _ended_wrongly(night: Ring, order: Order, job: Job, calls: list[str]) -> Iterator[str]:
    told = f"job {order.job} of {order.vm} ended {job.state} ({job.data.get('outcome', job.steps[-1].why)})"
    if job.state not in {Phase.DONE, Phase.CANCELLED}:
        yield told
    if job.state is Phase.CANCELLED and order.job not in night.people.cancelled:
        yield f"{told}, and nobody had asked for that"
    if job.state is Phase.DONE and not calls:
        yield f"{told}, and nothing was ever relocated"
    if calls and night.people.cancelled.get(order.job) is CancelOutcome.CANCELLED:
        yield f"{told} before anything had started, and was relocated all the same"
    last = _last_order(night, order)
    expected = order.target if job.state is Phase.DONE else order.source
    if last is order and night.vcenter.placement(order.vm).site != expected:
        yield f"{told}, and the VM is at {night.vcenter.placement(order.vm).site}"


def _last_order(night: Ring, order: Order) -> Order:
    return next(other for other in reversed(night.people.orders.values()) if other.vm == order.vm)


def peak_of(night: Ring, link: str) -> int:
    """The most relocations that ran on a link at a time, by the player's own tasks from acceptance to end."""
    jobs = {order.job for order in night.people.orders.values() if order.link == link}
    ids = {r.task for r in night.vcenter.relocations if r.op_id.split("-")[1] in jobs}
    tasks = [task for task in night.vcenter.estate.tasks.history if task.id in ids and not _never_ran(task.fault)]
    moments = sorted(
        itertools.chain.from_iterable(
            [(task.queued, 1), *([(task.completed, -1)] if task.completed else [])] for task in tasks
        )
    )
    return max(itertools.accumulate((change for _, change in moments), initial=0))


def _never_ran(fault: object) -> bool:
    """vCenter refused it at once; it took nobody's place."""
    return "TaskInProgress" in type(fault).__name__ or "TaskInProgress" in str(getattr(fault, "data", ""))


async def _leftovers(night: Ring) -> AsyncIterator[str]:
    for key in EMPTY:
        if left := await night.store.execute_command("ZRANGE", key, 0, -1):
            yield f"{key} still holds {', '.join(map(str, left))}"
    for pattern in LEFTOVERS:
        for key in await night.store.execute_command("KEYS", keys.PREFIX + pattern):
            yield f"the key {key} is left over"


def _pick_ups(night: Ring, seen: Judgement) -> None:
    """From every death to the moment when somebody else had what was held; in real time, the server's clock."""
    for death in night.fleet.deaths:
        for job, owner in death.held.items():
            later = [e for e in night.chronicle.of_job.get(job, []) if e.at >= death.at - 0.001]
            taken = next((e for e in later if e.taken_from == owner or e.ended), None)
            if taken is None:
                seen.breaches.append(f"job {job} was never taken over from {owner}")
            elif not taken.ended:
                seen.pickups.append(taken.at - death.at)
    if seen.pickups and (p99 := percentile(seen.pickups, 0.99)) > PICKED_UP_WITHIN:
        seen.breaches.append(f"a dead worker's jobs were picked up after {p99:.2f} s (p99)")


def job_of(op_id: str) -> JobId:
    """The job in an operation id."""
    return JobId(op_id.split("-")[1])
