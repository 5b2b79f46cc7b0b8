"""What our own queued and running migrations take, or are going to: of hosts, of datastores, of NFC's connections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.errors import BugError, OutsideError
from bot.jobs.port import Job, JobQueue
from bot.migration.machine import Phase
from bot.migration.plan import Plan
from bot.migration.request import JobId, VCenterName
from bot.migration.space import disk_bytes
from bot.operations.record import MIGRATE, copied_of, plan_of

AT_MOST: Final = 500
"""Live jobs that are looked at, the newest first."""

CLAIMED: Final = "claimed"
"""The part of a survey that these jobs are."""


@dataclass(frozen=True, slots=True)
class LiveCopy:
    """A migration that was approved and has not ended. `left`: the share of its bytes that is still to be written."""

    job: JobId
    plan: Plan
    left: float


@dataclass(frozen=True, slots=True)
class LiveCopies:
    """All of them but the one that is planned. `unread`: why they are not known, by the name of the survey's field."""

    copies: tuple[LiveCopy, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)

    def busy(self, vcenter: VCenterName) -> dict[str, int]:
        """How many of them each host of a vCenter carries, at either end."""
        ends = [
            (place.vcenter or one.plan.request.vm.vcenter, place.host)
            for one in self.copies
            for place in (one.plan.source, one.plan.target)
        ]
        return dict(Counter(host for its, host in ends if its == vcenter))

    def claimed(self, datastore: str, *, vcenter: VCenterName) -> dict[str, int]:
        """The bytes that each of them will still take of a datastore; nothing for those that take none."""
        here = [one for one in self.copies if (one.plan.target.vcenter or one.plan.request.vm.vcenter) == vcenter]
        claims = {str(one.job): round(_bytes_on(one.plan, datastore) * one.left) for one in here}
        return {job: size for job, size in claims.items() if size}

    @property
    def legs(self) -> frozenset[frozenset[str]]:
        """The pairs of addresses that their NFC connections are between, as far as their paths are known."""
        controls = (one.plan.path.control for one in self.copies if one.plan.path is not None)
        return frozenset(frozenset({leg.source.address, leg.target.address}) for leg in controls)


async def live_copies(queue: JobQueue | None, *, but: JobId | None) -> LiveCopies:
    """Those that the queue has now. Never raises for the world: without Redis `unread` says so."""
    if queue is None:
        return LiveCopies()
    try:
        jobs = await queue.recent(limit=AT_MOST, live_only=True)
    except OutsideError as error:
        return LiveCopies(unread={CLAIMED: f"what queued and running jobs will take: {error}"})
    return LiveCopies(tuple(_of(jobs, but=but)))


def _of(jobs: Sequence[Job], *, but: JobId | None) -> Iterator[LiveCopy]:
    for job in jobs:
        if job.kind != MIGRATE or job.id == but or not (job.state is Phase.QUEUED or job.state.started):
            continue
        try:
            plan, copied = plan_of(job), copied_of(job)
        except BugError:  # written by another version; what it takes is not known, and the plan can do without it
            continue
        if plan is not None:
            yield LiveCopy(job.id, plan, 1 - (copied.percent / 100 if copied else 0))


def _bytes_on(plan: Plan, datastore: str) -> int:
    """What a plan puts on a datastore: its disks, each where it goes."""
    moved = {move.key: move for move in plan.disk_moves}
    size = 0
    for disk in plan.disks:
        move = moved.get(disk.key)
        if (move.datastore if move else plan.target.datastore) == datastore:
            size += disk_bytes(disk, thin=bool(move and move.thin))
    return size
