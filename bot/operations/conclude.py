"""Conclude a migration whose task ended: read where the VM really is, and say what happened and why."""

from __future__ import annotations

import asyncio
from typing import Final

from bot.jobs.port import Claim
from bot.migration.machine import AtSource, AtTarget, CancelledAtSource, Undecidable
from bot.migration.plan import Plan
from bot.migration.size import gib
from bot.operations.diagnose import diagnose
from bot.operations.finish import finish
from bot.operations.holds_break import break_circuit
from bot.operations.record import TaskEnd, approved_plan, task_end_of
from bot.operations.tools import WorkerTools
from bot.operations.verify import Whereabouts, in_words, whereabouts, wrong_networks
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
    place = await _settled_place(tools, plan, end)
    if place is None:
        await finish(tools, claim, Undecidable(), _lost(plan))
        return
    match whereabouts(place, plan):
        case Whereabouts.AT_TARGET:
            await finish(tools, claim, AtTarget(), _landed(plan, place, end))
        case Whereabouts.AT_SOURCE if end is not None and end.cancelled:
            outcome = f"Cancelled. {name} is at its source, whole: {in_words(place)}."
            await finish(tools, claim, CancelledAtSource(), Reply("end", outcome, final=True, quiet=True))
        case Whereabouts.AT_SOURCE:
            await asyncio.sleep(tools.read_on.total_seconds())  # hosts write on after a task's end
            found = await diagnose(tools, claim.job, watch)
            broken = await break_circuit(tools, claim, found.chief)
            sections = [*_sections(place, end), *broken.sections]
            failed = Reply("end", _failed(plan, place, end), sections, _retry(claim))
            data = {**found.data, **broken.data}
            await finish(tools, claim, AtSource(), failed, *found.replies, files=found.files, data=data)
        case Whereabouts.ELSEWHERE:
            await finish(tools, claim, Undecidable(), _halfway(plan, place, end))


async def _settled_place(tools: WorkerTools, plan: Plan, end: TaskEnd | None) -> VmPlace | None:
    """The VM's place, looked at again while it contradicts the task: vCenter's file lists lag behind a move."""
    vcenter = tools.fleet.vcenter(plan.request.vm.vcenter)
    for _ in range(LOOKS - 1):
        place = await vcenter.place(plan.request.vm.uuid)
        if place is not None and fits(whereabouts(place, plan), end):
            return place
        await asyncio.sleep(tools.look_again.total_seconds())
    return await vcenter.place(plan.request.vm.uuid)


def fits(where: Whereabouts, end: TaskEnd | None) -> bool:
    """Whether a place is what one expects after this end; without a known end, anything but halfway."""
    if end is None:
        return where is not Whereabouts.ELSEWHERE
    return where is (Whereabouts.AT_TARGET if end.fault is None else Whereabouts.AT_SOURCE)


def _landed(plan: Plan, place: VmPlace, end: TaskEnd | None) -> Reply:
    name = plan.request.vm.name
    outcome = f"{name} is at {plan.target.site}: {in_words(place)}. {gib(plan.size)} had to be copied."
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


def _sections(place: VmPlace, end: TaskEnd | None) -> list[Section]:
    sections = [Section("Where the VM is", in_words(place))]
    if end is not None and end.fault is not None:
        sections.insert(0, Section("What vCenter says", f"{end.message or 'no text'} ({end.fault})"))
    return sections


def _retry(claim: Claim) -> list[Button]:
    return [Button(ButtonKind.RETRY, claim.job.id)]


def _lost(plan: Plan) -> Reply:
    vm = plan.request.vm
    return Reply(
        "end",
        f"{vm.name} (instance UUID {vm.uuid}) is no longer in vCenter {vm.vcenter}. Please look there; "
        "nothing more will be done by itself.",
        final=True,
    )


def _halfway(plan: Plan, place: VmPlace, end: TaskEnd | None) -> Reply:
    said = f" vCenter says: {end.message or end.fault}." if end is not None and end.fault else ""
    return Reply(
        "end",
        f"{plan.request.vm.name} is neither where it was nor where it should be: {in_words(place)}.{said} "
        "Please look in vCenter before anybody powers it on; nothing more will be done by itself.",
        final=True,
    )
