"""The last proof that a link is clean, where it has a canary: that goes ahead of a job that waits for a clean link.

Packets say that small things pass. Whether a copy does, only a copy tells, and this one puts nothing at stake.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from bot.errors import UserError
from bot.jobs.port import Claim, Job, NewJob
from bot.links.port import LinkHistory
from bot.migration.machine import Phase, Refused
from bot.migration.measured import SampleKind
from bot.migration.plan import Plan
from bot.migration.request import JobId, MigrationRequest, SiteName
from bot.operations.cards import job_card
from bot.operations.finish import finish
from bot.operations.lifting import strictness_of
from bot.operations.plan_migration import resolve_vm
from bot.operations.record import MIGRATE, NO_TROUBLE, NOT_BUSY, waits_for, with_request, with_wait
from bot.operations.tools import WorkerTools
from bot.slack.port import Reply
from bot.vsphere.port import FaultError

RECENT: Final = timedelta(minutes=30)
"""A canary that arrived within this time counts for everybody."""

LOOK_EVERY: Final = timedelta(minutes=1)

_SENT: Final = "canary"
"""The field of a job that names the canary that went ahead of it; `-`: none could be sent."""

log = logging.getLogger(__name__)


async def waits_for_canary(tools: WorkerTools, links: LinkHistory, claim: Claim, plan: Plan) -> bool:
    """Send the canary of the link ahead, once for each job, and put the job off until that has ended.

    False: it may start, as one arrived, or none could be sent. True, too, when it was ended because the canary failed
    on its way. OutsideError when the world cannot be asked at the moment.
    """
    if plan.link not in tools.fleet.canaries or not tools.allow.canary or plan.request.canary:
        return False
    since = await tools.queue.now() - RECENT
    if any(sample.kind is SampleKind.CANARY for sample in await links.samples(plan.link, since=since)):
        return False
    sent = claim.job.data.get(_SENT) or await _send(tools, claim, plan)
    canary = await tools.queue.get(JobId(sent)) if sent != "-" else None
    if canary is None or (canary.state.ended and not _died(canary)):
        return False
    if _died(canary):
        await _end(tools, claim, canary)
    else:
        await _put_off(tools, claim, canary, plan)
    return True


def _died(canary: Job) -> bool:
    """It was started and did not arrive. One that never started, or that a person cancelled, tells nothing."""
    return canary.state in (Phase.FAILED, Phase.NEEDS_HUMAN) and canary.attempt > 0


async def _send(tools: WorkerTools, claim: Claim, plan: Plan) -> str:
    """The job that moves the canary, also if it is under way already; written down, so that it is sent once."""
    try:
        request = await _request(tools, plan)
    except (UserError, FaultError) as error:
        if isinstance(error, FaultError) and error.transient:
            raise
        log.warning("No canary goes ahead of job %s: %s", claim.job.id, error)
        await claim.note({_SENT: "-"})
        return "-"
    job = claim.job
    drafted = await tools.queue.draft(
        NewJob(
            kind=MIGRATE,
            vm_key=request.vm.key,
            requester=job.requester,
            channel=job.channel,
            data={**with_request(request), **strictness_of(job)},
            dedupe=f"canary:{job.id}",
        )
    )
    await claim.note({_SENT: drafted.id})
    return drafted.id


async def _request(tools: WorkerTools, plan: Plan) -> MigrationRequest:
    """From where the canary is to the other end; to the very host of the plan, if it goes the same way."""
    vm = await resolve_vm(tools.fleet, tools.fleet.canaries[plan.link])
    here = tools.fleet.site_of(await tools.fleet.vcenter(vm.vcenter).read_vm(vm.uuid))
    ends = {SiteName(end) for end in plan.link.split("~")}
    if here not in ends:
        raise UserError(f"{vm.name} is at neither end of {plan.link}.")
    (target,) = ends - {here}
    return MigrationRequest(vm, target, host=plan.target.host if target == plan.target.site else None, canary=True)


async def _put_off(tools: WorkerTools, claim: Claim, canary: Job, plan: Plan) -> None:
    name = tools.fleet.canaries[plan.link]
    why = f"{plan.link} is clean by its packets. {name}, its canary, tries it first: job {canary.id}."
    if waits_for(claim.job) != why:
        await claim.note({**NO_TROUBLE, **NOT_BUSY, **with_wait(why)})
        await tools.outbox.show(job_card(claim.job))
    await claim.later(LOOK_EVERY, why="waits for the canary of its link")


async def _end(tools: WorkerTools, claim: Claim, canary: Job) -> None:
    outcome = (
        f"Its link was clean by its packets, and the canary that went ahead, job {canary.id}, did not arrive. "
        "Nothing was started."
    )
    await finish(tools, claim, Refused(), Reply("end", outcome, final=True))
