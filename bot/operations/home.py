"""Home: what one person wants to know at a glance. Reads the queue and the history of links."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from bot.errors import BugError
from bot.jobs.port import Job
from bot.migration.machine import Phase
from bot.migration.request import SiteName
from bot.operations.alerts_list import incident_glances, mute_glances
from bot.operations.batch_card import state_in_words
from bot.operations.batch_glance import folded, is_visible
from bot.operations.batch_record import BATCH, batch_of
from bot.operations.counter import Counter
from bot.operations.link_glance import link_glances
from bot.operations.port import Home, IncidentGlance, JobGlance, MuteGlance, Person
from bot.operations.record import asks_of, copied_of, doing, is_blocked, request_of
from bot.operations.rights import Verb

MINE: Final = 8
LIVE: Final = 15
INCIDENTS: Final = 10
LOOKED_AT: Final = 300
"""Jobs among which those are sought that concern this person."""


async def home(counter: Counter, who: Person) -> Home:
    """See `port.Verbs.home`. Somebody without any right sees an empty one: opening a tab is no offence."""
    visible = await counter.rights.sites(who, Verb.SEE)
    may_migrate = await counter.rights.sites(who, Verb.MIGRATE)
    live, recent = await asyncio.gather(
        counter.queue.recent(limit=LOOKED_AT, live_only=True), counter.queue.recent(limit=LOOKED_AT)
    )
    live, recent = await folded(counter.queue, live), await folded(counter.queue, recent)
    sites = [site for site in sorted(counter.sites) if visible(site)]
    incidents, mutes = await _alerts(counter, who)
    others = _glances((job for job in live if job.requester != who.user_id), visible)
    return Home(
        mine=_glances((job for job in recent if job.requester == who.user_id), visible)[:MINE],
        live=others[:LIVE],
        more_live=max(len(others) - LIVE, 0),
        visible_sites=sites,
        target_sites=[site for site in sorted(counter.sites) if may_migrate(site)],
        links=await link_glances(counter, sites),
        incidents=incidents,
        mutes=mutes,
    )


async def _alerts(counter: Counter, who: Person) -> tuple[Sequence[IncidentGlance], Sequence[MuteGlance]]:
    if counter.incidents is None:
        return (), ()
    incidents, _ = await incident_glances(counter, who, limit=INCIDENTS)
    return incidents, await mute_glances(counter, who)


def _glances(jobs: Iterable[Job], visible: Callable[[SiteName], bool]) -> list[JobGlance]:
    """Those that may be seen; one whose record another version wrote must not hide the others."""
    found: list[JobGlance] = []
    for job in jobs:
        try:
            if is_visible(job, visible):
                found.append(_glance(job))
        except BugError:
            continue
    return found


def _glance(job: Job) -> JobGlance:
    if job.kind == BATCH:
        batch = batch_of(job)
        title = f"{batch.title} ({len(batch.requests)} VMs)"
        return JobGlance(job.id, title, job.state, job.updated, state=state_in_words(job.state))
    request, copied = request_of(job), copied_of(job)
    percent = copied.percent if copied and not job.state.ended else None
    title = f"{request.vm.name} to {request.site}"
    return JobGlance(job.id, title, job.state, job.updated, percent, state=_before_the_move(job))


def _before_the_move(job: Job) -> str:
    """What goes on with a VM whose copy has not begun, beside waiting; empty: nothing."""
    if is_blocked(job):
        return "cannot start as it is"
    if job.state is not Phase.QUEUED:
        return ""
    if asks_of(job):
        return "asks in its thread what to do"
    return "being prepared" if doing(job) else ""
