"""Wait for the opening: an approved job that is about to be started, while one of its sites is closed or frozen.

It goes back into the queue without its slots. What was approved stays approved; only the config can shorten the wait.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bot.jobs.port import Claim
from bot.migration.calendar import Closed
from bot.operations.cards import job_card
from bot.operations.record import NO_TROUBLE, NOT_BUSY, approved_plan, busy_since, trouble_of, waits_for, with_wait
from bot.operations.tools import WorkerTools

ASK_AGAIN: Final = timedelta(minutes=15)
"""The config may change while a job waits: workers that start with the new one look at the job within this time."""


async def waits_for_opening(tools: WorkerTools, claim: Claim) -> bool:
    """Put the job off while it may not start, and say on its card until when. False: it may start now.

    LostLeaseError when another worker has it.
    """
    now = await tools.queue.now()
    found = _reason(tools, claim, now)
    if found is None:
        return False
    until, why = found
    if waits_for(claim.job) != why or busy_since(claim.job) or trouble_of(claim.job):
        # What was in its way before the window closed is not what may be in its way when it opens.
        await claim.note({**NO_TROUBLE, **NOT_BUSY, **with_wait(why)})
        await tools.outbox.show(job_card(claim.job))
    await claim.later(min(until - now, ASK_AGAIN) if until else ASK_AGAIN, why=f"waits: {why}")
    return True


async def is_closed(tools: WorkerTools, claim: Claim) -> bool:
    """Whether the job may not start at this moment."""
    return _reason(tools, claim, await tools.queue.now()) is not None


def _reason(tools: WorkerTools, claim: Claim, now: datetime) -> tuple[datetime | None, str] | None:
    """Until when it has to wait, None for nobody knows; and what for."""
    plan = approved_plan(claim.job)
    calendar, asked = tools.fleet.calendar, plan.request.not_before
    if asked is not None and asked > now:
        return asked, f"It does not start before {calendar.in_words(asked)}, as was asked for."
    opening = calendar.opening((plan.source.site, plan.target.site), now)
    return (opening.until, opening.why) if isinstance(opening, Closed) else None
