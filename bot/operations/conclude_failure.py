"""Conclude a copy that failed while its VM is whole at its source: why, what was measured, what is left behind, what a
retry costs and what can be done. It is what somebody at night decides by, so it comes as one answer and soon.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from bot.jobs.port import Claim
from bot.migration.machine import AtSource
from bot.migration.measured import PathMeasurement, When
from bot.migration.plan import Plan
from bot.operations.after_failure import aftermath
from bot.operations.diagnose import diagnose
from bot.operations.far_faults import what_it_means
from bot.operations.finish import finish
from bot.operations.holds_break import break_circuit
from bot.operations.link_notes import note_measured
from bot.operations.measure import Depth, measure, probes_of
from bot.operations.record import TaskEnd, approved_plan, with_measured, with_offers
from bot.operations.tools import WorkerTools
from bot.operations.verify import Sighting
from bot.operations.watch_logs import LogWatch
from bot.slack.port import Button, ButtonKind, Reply, Section

MEASURED_WITHIN: Final = timedelta(seconds=90)
"""A measurement says more, the sooner after the break it is made; whoever waits for the answer waits no longer."""


async def conclude_failure(
    tools: WorkerTools, claim: Claim, watch: LogWatch, *, seen: Sighting, end: TaskEnd | None
) -> None:
    """verifying -> failed, with all there is to say about it."""
    plan = approved_plan(claim.job)
    measured, _ = await asyncio.gather(
        _measured(tools, plan),
        asyncio.sleep(tools.read_on.total_seconds()),  # hosts write on after a task's end
    )
    if measured is not None:
        await claim.note(with_measured(claim.job, measured))
        await note_measured(tools, measured)
    found = await diagnose(tools, claim.job, watch)
    broken, after = await asyncio.gather(
        break_circuit(tools, claim, found.chief), aftermath(tools, claim.job, found.chief)
    )
    sections = [*_sections(seen, end), *after.sections, *broken.sections]
    buttons = [Button(kind, claim.job.id) for kind in (ButtonKind.RETRY, *after.offers)]
    failed = Reply("end", f"{_failed(seen, end)} {after.cost}", sections, buttons)
    data = {**found.data, **broken.data, **with_offers(after.offers)}
    await finish(tools, claim, AtSource(), failed, *found.replies, files=found.files, data=data)


async def _measured(tools: WorkerTools, plan: Plan) -> PathMeasurement | None:
    """The path as it is now; None where nobody can look, or the look takes too long."""
    probes = probes_of(tools, plan)
    if not any(probes):
        return None
    now = await tools.queue.now()
    try:
        async with asyncio.timeout(MEASURED_WITHIN.total_seconds()):
            return await measure(probes, plan, when=When.AFTER, depth=Depth.FULL, at=now)
    except TimeoutError:
        return None


def _failed(seen: Sighting, end: TaskEnd | None) -> str:
    plan, name = seen.plan, seen.plan.request.vm.name
    how = f"The migration of {name} to {plan.target.site} failed"
    if end is None:
        how += ": vCenter no longer knows its task, and the VM did not move"
    elif end.fault is None:
        how += ": vCenter calls its task a success, but the VM did not move"
    return f"{how}. {name} is intact at its source{f', {seen.place.host}' if seen.place else ''}."


def _sections(seen: Sighting, end: TaskEnd | None) -> list[Section]:
    sections = [Section("Where the VM is", seen.in_words())]
    if end is not None and end.fault is not None:
        means = what_it_means(end, seen.plan)
        said = " ".join(filter(None, (end.message or "no text", f"({end.fault})", means)))
        sections.insert(0, Section("What vCenter says", said))
    return sections
