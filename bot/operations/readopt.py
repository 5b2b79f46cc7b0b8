"""Take up again what Redis has forgotten: a migration whose trace is on its VM, and of which no job is on file.

What is taken up starts nothing: its call is looked for, followed to its end if it was made, and not made again if it
was not. All that is needed for that is in the trace, and in what can be read from vCenter again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from bot.errors import OutsideError, UserError
from bot.jobs.port import NewJob
from bot.migration.machine import Phase
from bot.migration.plan import Plan
from bot.migration.planning import make_plan
from bot.migration.request import JobId, MigrationRequest, VCenterName, VmRef
from bot.operations.cards import job_card
from bot.operations.plan_migration import plan_migration
from bot.operations.record import (
    ADOPTED,
    MIGRATE,
    Intent,
    op_base,
    with_intent,
    with_offers,
    with_plan,
    with_request,
    with_shutdown,
)
from bot.operations.take_trace_away import GONE
from bot.operations.tools import WorkerTools
from bot.operations.trace import BEFORE_CALL, JobTrace, read
from bot.slack.port import ButtonKind, Reply
from bot.vsphere.port import FaultError, Trace

log = logging.getLogger(__name__)

CARD_BEFORE: Final = timedelta(days=7)
"""How long before its start a migration may have been asked for, as far as its card is looked for."""

_WHY: Final = "found on its VM: Redis had lost what it knew of it"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A trace whose job is not on file."""

    ref: VmRef
    trace: JobTrace

    @property
    def job(self) -> JobId:
        return self.trace.job

    @property
    def vm(self) -> str:
        return self.ref.name


async def forgotten(tools: WorkerTools, found: Trace) -> Forgotten | None:
    """The migration that a trace tells of, if no job of that id is on file. One of another form is only logged."""
    if not found.text:
        return None
    trace = read(found.text)
    if trace is None:
        log.error("The trace on %s cannot be read by this version of coldmigrate: %.80r", found.vm.name, found.text)
        return None
    if await tools.queue.get(trace.job):
        return None
    # A trace that went along with its VM is found where that arrived; the job is of the vCenter that the VM left.
    vm = replace(found.vm, vcenter=VCenterName(trace.vcenter)) if trace.vcenter else found.vm
    return Forgotten(vm, trace)


async def adopt(tools: WorkerTools, lost: Forgotten) -> bool:
    """Put the job back, for any worker to find out what became of it; its card and its thread go on.

    False, and a line in the log, when that cannot be done now: the next round tries again.
    """
    trace = lost.trace
    try:
        plan = await _plan(tools, lost)
    except (OutsideError, UserError) as error:
        log.error("The migration %s of %s is not known to Redis and cannot be taken up: %s", trace.job, lost.vm, error)  # noqa: TRY400 - the cause is in the sentence
        return False
    intent = Intent(f"{op_base(trace.job)}-a{trace.attempt}", trace.session, trace.since, await tools.queue.now())
    new = NewJob(
        kind=MIGRATE,
        vm_key=lost.ref.key,
        requester=trace.requester,
        channel=trace.channel,
        data={
            **with_request(plan.request),
            **with_plan(plan),
            **with_intent(intent),
            **ADOPTED,
            **_power(tools, trace),
        },
    )
    if not await tools.queue.adopt(trace.job, new, state=Phase.UNKNOWN, attempt=trace.attempt, why=_WHY):
        return False
    log.warning("The migration %s of %s was not known to Redis and is followed again.", trace.job, lost.vm)
    await _say(tools, trace)
    return True


def _power(tools: WorkerTools, trace: JobTrace) -> dict[str, str]:
    """What is known of the VM's power: a trace without a call was written before the guest was shut down."""
    if trace.attempt != BEFORE_CALL:
        return {}
    return {**with_shutdown(), **with_offers([ButtonKind.POWER_ON_SOURCE] if tools.allow.power_on else [])}


async def _plan(tools: WorkerTools, lost: Forgotten) -> Plan:
    """The plan as it must have been. Where the VM has left its source already, the trace knows that source."""
    trace = lost.trace
    known = trace.batch and await tools.queue.get(JobId(trace.batch))
    request = MigrationRequest(
        vm=lost.ref,
        site=trace.site,
        host=trace.host,
        datastore=trace.datastore or None,
        batch=trace.batch if known else "",  # a batch that was forgotten has no card: then this gets one of its own
    )
    plan = await _planned(tools, request)
    source = replace(
        plan.source,
        host=trace.source_host or plan.source.host,
        datastore=trace.source_datastore or plan.source.datastore,
    )
    is_canary = tools.fleet.canaries.get(plan.link) in {lost.ref.name, lost.ref.uuid}  # its trace has no room for that
    return replace(plan, request=replace(request, canary=is_canary), source=source)


async def _planned(tools: WorkerTools, request: MigrationRequest) -> Plan:
    """The plan anew; from what is there, if the VM has left its vCenter already and cannot be read where it was."""
    try:
        return await plan_migration(tools.fleet, request)
    except FaultError as error:
        if error.kind != GONE:
            raise
        spec = tools.fleet.site(request.site)
        there = tools.fleet.vcenter(spec.vcenter)
        if there.name == request.vm.vcenter:
            raise
        vm, site, far = await asyncio.gather(there.read_vm(request.vm.uuid), there.read_site(spec), there.identity())
        return make_plan(request, replace(vm, ref=request.vm), site, source_site=None, far=far)


async def _say(tools: WorkerTools, trace: JobTrace) -> None:
    job = await tools.queue.get(trace.job)
    if job is None or not job.channel:
        return
    await tools.outbox.recall(job.id, job.channel, since=trace.since - CARD_BEFORE)
    await tools.outbox.show(job_card(job))
    said = (
        "Redis lost its data, and this migration with it. Its trace was found on the VM: what became of it is being "
        "looked up, and nothing is started twice."
    )
    await tools.outbox.reply(job.id, job.channel, Reply("adopted", said))
