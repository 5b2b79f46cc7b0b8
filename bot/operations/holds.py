"""What a hold keeps waiting, read at one moment; and a hold in words. Nothing here changes anything.

A hold starts nothing and stops nothing: jobs that need what is held stay queued, and what runs goes on to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.errors import BugError
from bot.jobs.port import Hold, Job, JobQueue
from bot.migration.capacity import EVERYTHING, PAIR, in_words
from bot.migration.machine import Phase
from bot.migration.plan import Plan
from bot.migration.request import JobId
from bot.operations.record import MIGRATE, plan_of, request_of

BREAKER: Final = "coldmigrate"
"""Who holds when no person does."""

LOOKED_AT: Final = 200
"""Live jobs among which those are sought that run on what is held; slots keep them few."""

LOOKED_BACK: Final = 50
"""The latest jobs, among which those are sought that have ended on it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A hold and everything it concerns. `failed`: the job that made it, if one did and is known still.

    `running` have started and go on; `ended` did so when it was held, and have ended since.
    """

    hold: Hold
    failed: Job | None
    waiting: Sequence[Job]
    running: Sequence[Job] = ()
    ended: Sequence[Job] = ()


async def queue_behind(queue: JobQueue, hold: Hold) -> Scene:
    """What made the hold and what waits behind it; nothing waits behind one that was released."""
    failed = await queue.get(JobId(hold.job)) if hold.job else None
    return Scene(hold, failed, await queue.waiting(hold.resource) if hold.released is None else ())


async def scene_of(queue: JobQueue, hold: Hold) -> Scene:
    """Everything that the hold concerns now. Of one that was released, only what made it."""
    if hold.released is not None:
        return await queue_behind(queue, hold)
    scene, live, recent = await asyncio.gather(
        queue_behind(queue, hold),
        queue.recent(limit=LOOKED_AT, live_only=True),
        queue.recent(limit=LOOKED_BACK),
    )
    running = [job for job in live if job.state.started and _concerned(job, hold)]
    ended = [job for job in recent if job.state.ended and _concerned(job, hold) and _ran(job, at=hold.at)]
    return replace(scene, running=running[::-1], ended=ended[::-1])


def uses(job: Job, resource: str) -> bool:
    """Whether the job holds the resource while it runs."""
    return resource in (EVERYTHING, job.lane, *job.needs)


def behind(job: Job, holds: Sequence[Hold]) -> Hold | None:
    """The hold that an approved job waits behind, the oldest of several."""
    if job.state is not Phase.QUEUED:
        return None
    return next((hold for hold in holds if job.is_kept_by(hold.resource)), None)


async def what_holds(queue: JobQueue, job: Job) -> Hold | None:
    """The hold that the job waits behind at this moment. Only approved jobs are worth the question."""
    return behind(job, await queue.holds()) if job.state is Phase.QUEUED else None


def held_words(hold: Hold) -> str:
    """One sentence: what is held, since when, and why."""
    what = in_words(hold.resource)
    verb = "are" if hold.resource.startswith(f"{PAIR}:") else "is"
    return f"{what[:1].upper()}{what[1:]} {verb} held since {moment(hold.at)}: {hold.why.rstrip('.')}."


def moment(at: datetime) -> str:
    """A time as it is shown in channels that several time zones read."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def vm_name(job: Job) -> str:
    """The VM of a job for people; of a record of another version, its key."""
    try:
        return request_of(job).vm.name
    except BugError:
        return job.vm_key


def planned(job: Job | None) -> Plan | None:
    """The job's plan, if there is one that can be read."""
    try:
        return plan_of(job) if job is not None else None
    except BugError:
        return None


def _concerned(job: Job, hold: Hold) -> bool:
    return job.kind == MIGRATE and job.id != hold.job and uses(job, hold.resource)


def _ran(job: Job, *, at: datetime) -> bool:
    started = next((step.at for step in job.steps if step.state.started), None)
    return started is not None and started <= at <= job.updated
