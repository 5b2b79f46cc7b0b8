"""What becomes of a canary on a worker: it is looked at more strictly than others, and approved by the config."""

from __future__ import annotations

import logging
from typing import Final

from bot.errors import OutsideError
from bot.jobs.port import PASSES_HOLDS, Job
from bot.migration.plan import Plan, Severity
from bot.migration.size import gib
from bot.operations.holds import BREAKER
from bot.operations.lifting import approval_in_words, asks_for_force, is_strict
from bot.operations.tools import WorkerTools
from bot.slack.port import Section

MOST: Final = 5 * 2**30
"""A canary is sent while the link may be bad, and beside what goes on there."""

APPROVED: Final = "by [allow] canary of the config"

log = logging.getLogger(__name__)


def unfit(plan: Plan) -> str:
    """Why the plan of a canary comes to nothing, in sentences; empty: it may go, or it is no canary."""
    if not plan.request.canary:
        return ""
    name = plan.request.vm.name
    said = [concern.text for concern in plan.concerns if concern.severity is Severity.BLOCK]
    if plan.size > MOST:
        said.append(f"{name} has {gib(plan.size)} to copy, and a canary at most {gib(MOST)}.")
    if not plan.link:
        said.append(f"{name} would cross no link.")
    return " ".join([*said, "Nothing was moved."]) if said else ""


async def approve_canary(tools: WorkerTools, job: Job, plan: Plan) -> None:
    """Put a canary that was planned into its link's queue, where it passes holds of the link and of its two hosts: to
    try what is held is what it is for.

    Where the site takes somebody with the right to force it, or the config allows no canaries any more, it waits for a
    person like anything else, and passes no hold. So it does when this worker dies, or Redis is away, just now.
    """
    if not plan.request.canary or not tools.allow.canary or asks_for_force(job, plan):
        return
    why = f"{approval_in_words(plan, strict=is_strict(job))}, {APPROVED}; asked for by {job.requester}"
    data = {PASSES_HOLDS: "yes"}
    try:
        await tools.queue.approve(job.id, fingerprint=plan.fingerprint, by=BREAKER, why=why, data=data)
    except OutsideError as error:
        log.warning("The canary %s waits for a person, because it could not be approved: %s", job.id, error)


def invitation(tools: WorkerTools, plan: Plan) -> list[Section]:
    """How the path of a copy that failed may be tried with little at stake; nothing where there is no canary."""
    canary = tools.fleet.canaries.get(plan.link)
    if canary is None or not tools.allow.canary or plan.request.canary:
        return []
    ends = plan.link.replace("~", " ")
    command = f"/coldmigrate canary {ends} --host {plan.target.host}"
    return [Section("Try the path", f"{command} moves {canary}, which is small, and passes a hold of the link.")]
