"""Batches among other jobs, where people look at many at once: one line for each, and none for its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bot.errors import BugError
from bot.jobs.port import Job, JobQueue
from bot.migration.request import JobId, SiteName
from bot.operations.batch_card import state_in_words
from bot.operations.batch_record import BATCH, batch_of
from bot.operations.record import MIGRATE, request_of


async def folded(queue: JobQueue, jobs: Iterable[Job]) -> list[Job]:
    """Migrations and batches in their order, with each batch in the place of the first of its parts.

    One whose record another version wrote stays, for whoever shows them to say so.
    """
    shown = {batch_of_part(job) or job.id: job for job in jobs if job.kind in (MIGRATE, BATCH)}
    batches = await queue.get_many([place for place, job in shown.items() if place != job.id])
    shown.update({batch.id: batch for batch in batches})
    return [job for place, job in shown.items() if place == job.id]


def is_visible(job: Job, visible: Callable[[SiteName], bool]) -> bool:
    """Whether somebody who sees these sites may see the job: of a batch, all that it goes to."""
    sites: Sequence[SiteName] = batch_of(job).sites if job.kind == BATCH else (request_of(job).site,)
    return all(visible(site) for site in sites)


def batch_line(job: Job) -> str:
    """A batch in one line of a list."""
    batch = batch_of(job)
    since = f"{job.updated:%Y-%m-%d %H:%M}Z"
    return f"{job.id}  {batch.title} ({len(batch.requests)} VMs)  {state_in_words(job.state)}  since {since}"


def batch_of_part(job: Job) -> JobId:
    """The batch that a migration is a part of; empty for one that is none."""
    try:
        return JobId(request_of(job).batch) if job.kind == MIGRATE else JobId("")
    except BugError:
        return JobId("")
