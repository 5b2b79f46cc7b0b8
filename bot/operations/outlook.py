"""What time has to do with a plan: the queue's clock, the calendar, and how fast the last copies of each link were."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from bot.errors import BugError
from bot.jobs.port import Job, JobQueue
from bot.migration.calendar import Calendar
from bot.migration.choice import Outlook
from bot.operations.record import MIGRATE, copied_of

LOOKED_AT: Final = 30
"""The newest jobs, among which the last copy of each link is sought."""


async def outlook_of(queue: JobQueue, calendar: Calendar) -> Outlook:
    """As it is now. UnreachableError when Redis does not answer."""
    now, recent = await asyncio.gather(queue.now(), queue.recent(limit=LOOKED_AT))
    return Outlook(now, calendar, last_rates(recent))


def last_rates(newest_first: Iterable[Job]) -> dict[str, float]:
    """Bytes per second of the newest copy of each link that came so far as to have a rate."""
    found: dict[str, float] = {}
    for job in newest_first:
        if job.kind == MIGRATE and job.lane not in found and (rate := _rate(job)):
            found[job.lane] = rate
    return found


def _rate(job: Job) -> float | None:
    try:
        copied = copied_of(job)
    except BugError:  # written by another version; an estimate can do without it
        return None
    return copied.rate if copied else None
