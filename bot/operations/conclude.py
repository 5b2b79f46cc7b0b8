"""Conclude a migration whose task ended: read where the VM really is, and say what happened and why."""

from __future__ import annotations

import asyncio
from typing import Final

from bot.jobs.port import Claim
from bot.migration.machine import AtSource, AtTarget, CancelledAtSource, Undecidable
from bot.migration.plan import Plan
from bot.migration.size import gib
from bot.operations.diagnose import diagnose
from bot.operations.far_faults import what_it_means
from bot.operations.finish import finish
from bot.operations.holds_break import break_circuit
from bot.operations.record import TaskEnd, approved_plan, task_end_of
from bot.operations.tools import WorkerTools
from bot.operations.verify import Sighting, Whereabouts, sight, wrong_networks
from bot.operations.watch_logs import LogWatch
from bot.slack.port import Button, ButtonKind, Reply, Section
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
            await finish(tools, claim, AtTarget(), _landed(seen, place, end))
        case Whereabouts.AT_SOURCE if end is not None and end.cancelled:
            outcome = f"Cancelled. {name} is at its source, whole: {seen.in_words()}."
            await finish(tools, claim, CancelledAtSource(), Reply("end", outcome, final=True, quiet=True))
        case Whereabouts.AT_SOURCE:
            await asyncio.sleep(tools.read_on.total_seconds())  # hosts write on after a task's end
            found = await diagnose(tools, claim.job, watch)
            broken = await break_circuit(tools, claim, found.chief)
            sections = [*_sections(seen, end), *broken.sections]
            failed = Reply("end", _failed(plan, place, end), sections, _retry(claim))
            data = {**found.data, **broken.data}
            await finish(tools, claim, AtSource(), failed, *found.replies, files=found.files, data=data)
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


def _landed(seen: Sighting, place: VmPlace, end: TaskEnd | None) -> Reply:
    plan = seen.plan
    name = plan.request.vm.name
    outcome = f"{name} is at {plan.target.site}: {seen.in_words()}. {gib(plan.size)} had to be copied."
    smoothly = outcome
    if wrong := wrong_networks(place, plan):
        outcome += f" It is not on the planned network {', '.join(wrong)}: check its cards before power-on."
    if end is not None and end.fault is not None:
        outcome += f" vCenter's task ended with an error all the same: {end.message or end.fault}"
    return Reply("end", outcome, final=True, quiet=outcome == smoothly)


def _failed(plan: Plan, place: VmPlace, end: TaskEnd | None) -> str:
    name = plan.request.vm.name
    how = f"The migration of {name} to {plan.target.site} failed"
    if end is None:
        how += ": vCenter no longer knows its task, and the VM did not move"
    elif end.fault is None:
        how += ": vCenter calls its task a success, but the VM did not move"
    return f"{how}. {name} is intact at its source, {place.host}. A retry starts at 0 %."


def _sections(seen: Sighting, end: TaskEnd | None) -> list[Section]:
    sections = [Section("Where the VM is", seen.in_words())]
    if end is not None and end.fault is not None:
        means = what_it_means(end, seen.plan)
        said = " ".join(filter(None, (end.message or "no text", f"({end.fault})", means)))
        sections.insert(0, Section("What vCenter says", said))
    return sections


def _retry(claim: Claim) -> list[Button]:
    return [Button(ButtonKind.RETRY, claim.job.id)]


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
