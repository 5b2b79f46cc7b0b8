"""Look at the link right before a start: kept with the job, as what was before, and in the link's history.

Before a guest is shut down the look decides, too: an outage for a copy that will die is the worst of both.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.jobs.port import Claim
from bot.migration.concerns.path_port import GUARD as SILENCE
from bot.migration.intervals import exceeds, in_words, percent
from bot.migration.measured import PathMeasurement, When
from bot.operations.clean_link import USUAL_BOUND
from bot.operations.link_notes import note_measured
from bot.operations.measure import Depth, measure, probes_of
from bot.operations.record import approved_plan, measured_of, with_measured
from bot.operations.tools import WorkerTools

FRESH: Final = timedelta(minutes=10)
"""A look that is younger still counts as the one before the start."""


SILENT: Final = SILENCE.id
"""The concern that told of it."""


async def look_before_start(tools: WorkerTools, claim: Claim) -> None:
    """Measure quickly, unless that was done a moment ago or nobody can. LostLeaseError when another worker has it."""
    seen = measured_of(claim.job)
    if seen and await tools.queue.now() - seen[-1].at < FRESH:
        return
    if any(probes_of(tools, approved_plan(claim.job))):
        await _look(tools, claim)


async def link_trouble(tools: WorkerTools, claim: Claim) -> str:
    """Why the link is not fit for a copy at this moment, or empty. What cannot be measured is no trouble, nor is a path
    on which no echo request was answered when it was planned: whoever approved it knows that none passes there.
    """
    plan = approved_plan(claim.job)
    if not any(probes_of(tools, plan)):
        return ""
    measured = await _look(tools, claim)
    bound = tools.fleet.max_loss.get(plan.link, USUAL_BOUND)
    small = measured.small
    if small is None or not exceeds(small.lost, small.sent, bound):
        return ""
    if not small.received and any(concern.id == SILENT for concern in plan.concerns):
        return ""
    way = f"{plan.source.host} to {plan.target.host}"
    return f"of small packets from {way} {in_words(small.lost, small.sent)}, and the bound is {percent(bound)}."


async def _look(tools: WorkerTools, claim: Claim) -> PathMeasurement:
    plan, now = approved_plan(claim.job), await tools.queue.now()
    measured = await measure(probes_of(tools, plan), plan, when=When.BEFORE, depth=Depth.QUICK, at=now)
    await claim.note(with_measured(claim.job, measured))
    await note_measured(tools, measured)
    return measured
