"""Conclude a copy that failed while its VM is whole at its source. Where the VM is, is said at once: that is what
whoever is woken asks first. What takes up to a minute follows in the order in which somebody at night decides: what a
retry costs, what is left behind and what can be done; why; what is clean and what is not; the ways on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bot.jobs.port import Claim
from bot.migration.machine import AtSource
from bot.migration.measured import PathMeasurement, When
from bot.migration.plan import Plan
from bot.operations.after_failure import aftermath
from bot.operations.cards import buttons_after
from bot.operations.diagnose import Diagnosis, diagnose
from bot.operations.elimination import elimination_of, elimination_section
from bot.operations.evidence_record import Examined, with_examined
from bot.operations.far_faults import what_it_means
from bot.operations.finish import finish
from bot.operations.holds_break import break_circuit
from bot.operations.link_notes import note_measured
from bot.operations.measure import Depth, measure, probes_of
from bot.operations.record import TaskEnd, approved_plan, measured_of, with_measured, with_offers
from bot.operations.tools import WorkerTools
from bot.operations.verify import Sighting
from bot.operations.watch_logs import LogWatch
from bot.slack.port import Reply, Section

MEASURED_WITHIN: Final = timedelta(seconds=90)
"""A measurement says more, the sooner after the break it is made; whoever waits for the answer waits no longer."""


async def conclude_failure(
    tools: WorkerTools, claim: Claim, watch: LogWatch, *, seen: Sighting, end: TaskEnd | None
) -> None:
    """verifying -> failed, with all there is to say about it.

    All of it bears keys, so a successor repeats what a worker that died had said, and nobody reads it twice.
    """
    plan = approved_plan(claim.job)
    await _say_where(tools, claim, seen, end)
    tools.reached("at-source")
    measured, _ = await asyncio.gather(
        _measured(tools, plan),
        asyncio.sleep(tools.read_on.total_seconds()),  # hosts write on after a task's end
    )
    if measured is not None:
        await claim.note(with_measured(claim.job, measured))
        await note_measured(tools, measured)
    tools.reached("measured")
    looks = measured_of(claim.job)
    found = await diagnose(tools, claim.job, watch, measured=looks)
    broken, after, examined = await asyncio.gather(
        break_circuit(tools, claim, found.chief),
        aftermath(tools, claim.job, found.chief),
        _examined(tools, claim, watch, found, looks),
    )
    first = _sections(seen, end) if plan.request.batch else []  # in whose thread the first word is not posted
    sections = [*first, *after.sections, *broken.sections]
    failed = Reply("end", f"{_intact(seen)} {after.cost}", sections, buttons_after(claim.job.id, after.offers))
    verdict, *ways = found.replies
    data = {**found.data, **broken.data, **with_offers(after.offers), **with_examined(examined)}
    replies = (failed, verdict, *_table(examined), *ways)
    outcome = f"{_failed(seen, end)} {after.cost}"
    await finish(tools, claim, AtSource(), *replies, files=found.files, data=data, outcome=outcome)


async def _say_where(tools: WorkerTools, claim: Claim, seen: Sighting, end: TaskEnd | None) -> None:
    """Say what is known by now. No buttons: the VM is this job's until it has ended."""
    await claim.cancel_asked()  # refuses to speak for a job that another worker has
    said = f"{_failed(seen, end)} Why, and what can be done, follows within a minute or two."
    await tools.outbox.reply(claim.job.id, claim.job.channel, Reply("failed", said, _sections(seen, end), quiet=True))


async def _examined(
    tools: WorkerTools, claim: Claim, watch: LogWatch, found: Diagnosis, looks: Sequence[PathMeasurement]
) -> Examined:
    """Judge each part of the copy by what the diagnosis has read."""
    if found.report is None or found.around is None:
        return Examined(None)
    elimination = await elimination_of(tools, claim.job, watch, found.report, looks, around=found.around)
    return Examined(elimination, found.around.ahead, found.around.offsets)


def _table(examined: Examined) -> list[Reply]:
    if examined.elimination is None:
        return []
    said = "What could have been to blame, part by part: by both hosts' logs, vCenter's events, and what was measured."
    return [Reply("table", said, [elimination_section(examined.elimination)], final=True, quiet=True)]


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


def _intact(seen: Sighting) -> str:
    return f"{seen.plan.request.vm.name} is intact at its source{f', {seen.place.host}' if seen.place else ''}."


def _failed(seen: Sighting, end: TaskEnd | None) -> str:
    plan, name = seen.plan, seen.plan.request.vm.name
    how = f"The migration of {name} to {plan.target.site} failed"
    if end is None:
        how += ": vCenter no longer knows its task, and the VM did not move"
    elif end.fault is None:
        how += ": vCenter calls its task a success, but the VM did not move"
    return f"{how}. {_intact(seen)}"


def _sections(seen: Sighting, end: TaskEnd | None) -> list[Section]:
    sections = [Section("Where the VM is", seen.in_words())]
    if end is not None and end.fault is not None:
        means = what_it_means(end, seen.plan)
        said = " ".join(filter(None, (end.message or "no text", f"({end.fault})", means)))
        sections.insert(0, Section("What vCenter says", said))
    return sections
