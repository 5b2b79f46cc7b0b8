"""What somebody at night wants to know of a copy that failed, beside why: what is left behind, what a retry costs, and
what can be done about it with a click.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bot.diagnosis.causes import TRANSPORT
from bot.diagnosis.verdict import Incident
from bot.errors import OutsideError
from bot.jobs.port import Job
from bot.migration.plan import Plan
from bot.migration.size import gib
from bot.operations.record import approved_plan, copied_of, was_on
from bot.operations.retry_cost import retry_cost
from bot.operations.tools import WorkerTools
from bot.slack.port import ButtonKind, Section
from bot.vsphere.port import Leftover


@dataclass(frozen=True, slots=True)
class Aftermath:
    """`cost`: of a retry, in words. `sections` go below the last word; `offers` onto it and onto the card."""

    cost: str
    sections: Sequence[Section]
    offers: Sequence[ButtonKind]


async def aftermath(tools: WorkerTools, job: Job, incident: Incident | None) -> Aftermath:
    """Look at what is left. Never raises for the world: what could not be looked at is said."""
    plan, copied = approved_plan(job), copied_of(job)
    left, cost = await asyncio.gather(
        _left(tools, plan), retry_cost(tools, plan, last_rate=copied.good or copied.rate if copied else None)
    )
    sections = [Section("Left behind", left if isinstance(left, str) else left_in_words(left, plan))]
    if was_on(job):
        sections.insert(0, Section("Its power", f"{plan.request.vm.name} is off: this migration shut it down."))
    return Aftermath(cost, sections, _offers(tools, plan, incident, left=not isinstance(left, str) and bool(left)))


async def _left(tools: WorkerTools, plan: Plan) -> Sequence[Leftover] | str:
    vcenter = tools.fleet.vcenter(plan.target.vcenter or plan.request.vm.vcenter)
    try:
        return await vcenter.leftovers(plan)
    except OutsideError as error:
        return f"What is left on {plan.target.datastore} could not be looked at: {error}"


def left_in_words(left: Sequence[Leftover], plan: Plan) -> str:
    """How much of a failed copy is left at its destination."""
    if not left:
        return f"Nothing of it is left on {plan.target.datastore}."
    files = f"{len(left)} file{'s' if len(left) > 1 else ''}"
    return (
        f"{gib(sum(file.size for file in left))} in {files} on {plan.target.datastore}, which no registered VM has. "
        f"The largest: {left[0].path}."
    )


def _offers(tools: WorkerTools, plan: Plan, incident: Incident | None, *, left: bool) -> list[ButtonKind]:
    """Only what is allowed, and can be done."""
    probing = plan.request.vm.vcenter in tools.probes
    possible = {
        ButtonKind.POWER_ON_SOURCE: tools.allow.power_on,
        ButtonKind.RETRY_WHEN_CLEAN: probing and incident is not None and incident.cause in TRANSPORT,
        ButtonKind.MEASURE: probing,
        ButtonKind.DELETE_LEFTOVERS: left and tools.allow.delete_leftovers,
        ButtonKind.EVIDENCE: True,
    }
    return [kind for kind, can in possible.items() if can]
