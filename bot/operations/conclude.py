"""Conclude a migration whose task ended: read where the VM really is, and say what happened and why."""

from __future__ import annotations

import asyncio
from typing import Final

from bot.jobs.port import Claim
from bot.migration.machine import AtTarget, CancelledAtSource, Undecidable
from bot.migration.plan import Plan
from bot.migration.size import gib
from bot.operations.arrival import differences
from bot.operations.conclude_failure import conclude_failure
from bot.operations.finish import finish
from bot.operations.link_notes import note_copy
from bot.operations.power_on import power_on
from bot.operations.record import TaskEnd, approved_plan, power_words, task_end_of
from bot.operations.tools import WorkerTools
from bot.operations.verify import Sighting, Whereabouts, sight
from bot.operations.watch_logs import LogWatch
from bot.slack.port import Reply
from bot.vsphere.port import VmPlace

LOOKS: Final = 4
"""At a place that contradicts the task, before it is believed."""


async def conclude(tools: WorkerTools, claim: Claim, watch: LogWatch) -> None:
    """From verifying to an end, by the VM's real place; what the task says is an explanation."""
    tools.reached("verifying")
    plan = approved_plan(claim.job)
    name = plan.request.vm.name
    end = task_end_of(claim.job)
    seen = await _settled(tools, plan, end)
    if (place := seen.place) is None:
        await finish(tools, claim, Undecidable(), _lost(seen, end))
        return
    match seen.where:
        case Whereabouts.AT_TARGET:
            await note_copy(tools, claim.job)
            landed = _landed(seen, place, end, power=await power_on(tools, claim, place))
            await finish(tools, claim, AtTarget(), landed)
        case Whereabouts.AT_SOURCE if end is not None and end.cancelled:
            outcome = f"Cancelled. {name} is at its source, whole: {seen.in_words()}. {power_words(claim.job)}".strip()
            await finish(tools, claim, CancelledAtSource(), Reply("end", outcome, final=True, quiet=True))
        case Whereabouts.AT_SOURCE:
            await conclude_failure(tools, claim, watch, seen=seen, end=end)
        case Whereabouts.ELSEWHERE:
            await finish(tools, claim, Undecidable(), _halfway(seen, end))


async def _settled(tools: WorkerTools, plan: Plan, end: TaskEnd | None) -> Sighting:
    """Where the VM is, looked at again while it contradicts the task: vCenter's file lists lag behind a move, and two
    vCenters behind each other.
    """
    for _ in range(LOOKS - 1):
        seen = await sight(tools.fleet, plan)
        if fits(seen.where, end):
            return seen
        await asyncio.sleep(tools.look_again.total_seconds())
    return await sight(tools.fleet, plan)


def fits(where: Whereabouts, end: TaskEnd | None) -> bool:
    """Whether a place is what one expects after this end; without a known end, anything but halfway."""
    if end is None:
        return where in {Whereabouts.AT_TARGET, Whereabouts.AT_SOURCE}
    return where is (Whereabouts.AT_TARGET if end.fault is None else Whereabouts.AT_SOURCE)


def _landed(seen: Sighting, place: VmPlace, end: TaskEnd | None, *, power: str) -> Reply:
    plan = seen.plan
    name = plan.request.vm.name
    outcome = f"{name} is at {plan.target.site}: {seen.in_words()}. {gib(plan.size)} had to be copied."
    smoothly = outcome
    if wrong := differences(place, plan):
        outcome += f" Not as planned: {' '.join(wrong)}"
    if power:
        outcome += f" {power}"
    if end is not None and end.fault is not None:
        outcome += f" vCenter's task ended with an error all the same: {end.message or end.fault}"
    return Reply("end", outcome, final=True, quiet=outcome == smoothly)


def _lost(seen: Sighting, end: TaskEnd | None) -> Reply:
    told = " vCenter calls its task a success." if end is not None and end.fault is None else _said(end)
    return Reply("end", f"{seen.in_words()}.{told} Please look there; nothing more will be done by itself.", final=True)


def _halfway(seen: Sighting, end: TaskEnd | None) -> Reply:
    return Reply(
        "end",
        f"{seen.plan.request.vm.name} is neither where it was nor where it should be: {seen.in_words()}.{_said(end)} "
        "Please look in vCenter before anybody powers it on; nothing more will be done by itself.",
        final=True,
    )


def _said(end: TaskEnd | None) -> str:
    return f" vCenter says: {(end.message or end.fault).rstrip('.')}." if end is not None and end.fault else ""
