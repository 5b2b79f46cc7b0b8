"""Hand a night over: gather what whoever takes over has to know. Reads the queue alone; nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from bot.errors import BugError
from bot.jobs.port import Hold, Job, JobQueue
from bot.migration.plan import link_name
from bot.migration.request import SiteName
from bot.operations.aftercare_record import AFTERCARE
from bot.operations.batch_glance import is_visible
from bot.operations.counter import Counter
from bot.operations.handover_words import Night, paragraphs, summary
from bot.operations.holds import planned
from bot.operations.port import Answer, Person
from bot.operations.record import MIGRATE
from bot.operations.rights import Verb

BACK: Final = timedelta(hours=12)
LOOKED_AT: Final = 400
"""The newest jobs, among which those of the night are sought."""


async def handover(counter: Counter, who: Person, ends: tuple[str, str] | None = None) -> Answer:
    """For somebody in Slack: of one link, or of all that they may see. RefusedError without the right to see any."""
    await counter.rights.require(who, Verb.SEE, None)
    visible = await counter.rights.sites(who, Verb.SEE)
    link = ""
    if ends is not None:
        sites = [counter.site(end).name for end in ends]
        for site in sites:
            await counter.rights.require(who, Verb.SEE, site)
        link = link_name(*sites)
    night = await night_of(counter.queue, visible=visible, link=link)
    people = sorted({act.requester for act in night.acts})
    return Answer("\n\n".join((summary(night), *paragraphs(night))), people=people)


async def night_of(
    queue: JobQueue, *, visible: Callable[[SiteName], bool], back: timedelta = BACK, link: str = ""
) -> Night:
    """What there is to tell, as far as it is visible; of one link if that is named."""
    now, recent, live, holds = await asyncio.gather(
        queue.now(), queue.recent(limit=LOOKED_AT), queue.recent(limit=LOOKED_AT, live_only=True), queue.holds()
    )
    every = {job.id: job for job in (*recent, *live)}.values()
    jobs = [job for job in every if _is_shown(job, visible) and (not link or _on(job, link))]
    shown = {job.id for job in jobs}
    behind = await asyncio.gather(*(queue.waiting(hold.resource) for hold in holds))
    waiting = {
        hold.id: [job for job in jobs_of if job.id in shown] for hold, jobs_of in zip(holds, behind, strict=True)
    }
    kept = [hold for hold in holds if _concerns(hold, jobs, waiting[hold.id], visible, link)]
    acts = sorted((job for job in every if job.kind == AFTERCARE), key=lambda job: job.created)
    return Night(now - back, now, jobs, acts, kept, waiting)


def _is_shown(job: Job, visible: Callable[[SiteName], bool]) -> bool:
    """A record of another version is not told of: whose it is cannot be read."""
    try:
        return job.kind == MIGRATE and is_visible(job, visible)
    except BugError:
        return False


def _on(job: Job, link: str) -> bool:
    plan = planned(job)
    return plan is not None and plan.link == link


def _concerns(
    hold: Hold, jobs: Sequence[Job], waiting: Sequence[Job], visible: Callable[[SiteName], bool], link: str
) -> bool:
    """What holds something that they may see, or a link between two sites of theirs."""
    if link and hold.resource != link:
        return bool(waiting)
    ends = hold.resource.split("~")
    if ":" not in hold.resource and len(ends) > 1:
        return all(visible(SiteName(end)) for end in ends)
    return bool(waiting) or any(job.id == hold.job for job in jobs)
