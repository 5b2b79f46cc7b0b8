"""Note what is learned of a link: each look at a path, and how fast a copy that went well was.

A history with a gap is a smaller harm than a migration that stumbles over it: nothing here raises for the world.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from bot.errors import BugError, OutsideError
from bot.jobs.port import Job, Step
from bot.migration.machine import Phase
from bot.migration.measured import LinkSample, PathMeasurement, SampleKind, to_sample
from bot.migration.plan import Plan
from bot.operations.record import copied_of, plan_of
from bot.operations.tools import WorkerTools

LONG_ENOUGH: Final = timedelta(minutes=1)
"""Of a shorter copy most is beginning and end, and its mean says little about the link."""

log = logging.getLogger(__name__)


async def note_measured(tools: WorkerTools, measurement: PathMeasurement) -> None:
    """Keep what small packets told of the link. A look without them tells nothing of its loss."""
    sample = to_sample(measurement)
    if sample is not None and sample.link:
        await _note(tools, sample)


async def note_copy(tools: WorkerTools, job: Job) -> None:
    """Keep how fast a copy was whose VM is known to be at its target. Safe to repeat."""
    try:
        sample = copy_sample(job)
    except BugError as error:  # written by another version
        log.warning("The rate of %s is not kept: %s", job.id, error)
        return
    if sample is not None:
        await _note(tools, sample)


def copy_sample(job: Job) -> LinkSample | None:
    """One point of the history, at the moment when the task was seen to have ended; None for a copy across no link.

    Pure. BugError when this version cannot read the job.
    """
    plan = plan_of(job)
    ended = _last(job, Phase.VERIFYING)
    if plan is None or not plan.link or ended is None:
        return None
    hosts = plan.source.host, plan.target.host
    kind = SampleKind.CANARY if plan.request.canary else SampleKind.COPY
    return LinkSample(ended.at, plan.link, kind, *hosts, rate=_rate(job, plan, ended))


def _rate(job: Job, plan: Plan, ended: Step) -> float | None:
    """The mean from beginning to end, if one worker saw both: what nobody saw may have ended long before."""
    began = _first_after(job, Phase.ATTACHED, _last(job, Phase.INTENT))
    enough = timedelta(seconds=1) if plan.request.canary else LONG_ENOUGH  # a canary's is told beside the usual rate
    if began is not None and began.by == ended.by and (took := ended.at - began.at) >= enough:
        return plan.size / took.total_seconds() or None
    copied = copied_of(job)
    return copied.rate if copied else None


def _last(job: Job, state: Phase) -> Step | None:
    return next((step for step in reversed(job.steps) if step.state is state), None)


def _first_after(job: Job, state: Phase, after: Step | None) -> Step | None:
    since: datetime | None = after.at if after else None
    return next((step for step in job.steps if step.state is state and (since is None or step.at >= since)), None)


async def _note(tools: WorkerTools, sample: LinkSample) -> None:
    if tools.links is None:
        return
    try:
        await tools.links.note(sample)
    except OutsideError as error:
        log.warning("What was learned of %s at %s is not kept: %s", sample.link, sample.at, error)
