"""Diagnose a migration that failed: judge what both hosts logged and what was measured; the verdict for the thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from bot.diagnosis.event import SourceLine
from bot.diagnosis.facts import DiskFacts, Facts
from bot.diagnosis.measurements import Measurement
from bot.diagnosis.verdict import Incident, MatchKind, Report
from bot.errors import OutsideError, UserError
from bot.jobs.port import Job
from bot.migration.measured import PathMeasurement
from bot.migration.path import PathKind
from bot.migration.plan import Plan
from bot.migration.planning import datastore_of
from bot.operations.around_break import AroundBreak, read_around_break
from bot.operations.measurements import free_space, measurements_of, session_age
from bot.operations.on_call_files import Attachment, files_of
from bot.operations.record import approved_plan, intent_of
from bot.operations.surroundings import Surroundings
from bot.operations.tools import WorkerTools
from bot.operations.verdict_words import headline, match_words, nothing_found, verdict_reply, ways_reply
from bot.operations.watch_logs import LogWatch
from bot.slack.port import Reply

OURS: Final = "this migration's opID"
ASKED_WITHIN: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What there is to say: replies, files, and the fields that keep the verdict with the job.

    `report` is all of it, and `around` what was read for it, for the table of what could have been to blame.
    """

    replies: Sequence[Reply]
    files: Sequence[Attachment]
    data: Mapping[str, str]
    chief: Incident | None = None
    report: Report | None = None
    around: AroundBreak | None = None


async def diagnose(
    tools: WorkerTools, job: Job, watch: LogWatch, *, measured: Sequence[PathMeasurement] = ()
) -> Diagnosis:
    """Say why and what to do. When nothing was found or readable, one reply says that."""
    plan = approved_plan(job)
    around, (space, unread_space) = await asyncio.gather(read_around_break(tools, job), _space(tools, plan))
    said = (*measurements_of(measured, ahead=around.ahead), *space(around.ahead))
    material = _Material(watch, around, measured, said)
    report, facts = await asyncio.to_thread(_judge, tools, job, material)
    unread = [*watch.unread(), *around.surroundings.unread, *unread_space]
    if (incident := chief_of(report)) is None:
        read = f"{len(material.lines)} lines of {plan.source.host} and {plan.target.host}"
        told = dict.fromkeys(one.text for one in facts.measured)  # looks before and after may say the same
        reply = nothing_found(read, unread, measured=[*told])
        return Diagnosis([reply], (), {"verdict": "", "cause": ""}, report=report, around=around)
    about = f"The migration of {plan.request.vm.name}"
    return Diagnosis(
        replies=[
            verdict_reply(incident, matched=match_words(incident, whose=OURS), unread=unread),
            *ways_reply(incident),
        ],
        files=await asyncio.to_thread(files_of, report, about=about, offsets=around.offsets),
        data={"verdict": json.dumps(report.to_json(), ensure_ascii=False), "cause": headline(incident)},
        chief=incident,
        report=report,
        around=around,
    )


@dataclass(frozen=True, slots=True)
class _Material:
    """What there is to judge by: lines, looks at the path, and what all that was measured says."""

    watch: LogWatch
    around: AroundBreak
    paths: Sequence[PathMeasurement]
    said: tuple[Measurement, ...]

    @property
    def lines(self) -> list[SourceLine]:
        return [*self.watch.source_lines(), *self.around.lines]


def _judge(tools: WorkerTools, job: Job, material: _Material) -> tuple[Report, Facts]:
    """Judge once; and again with the session's age, which is only known when it is known when it broke."""
    plan, intent, around, lines = approved_plan(job), intent_of(job), material.around, material.lines
    read = material.watch.read_sides() | around.sides_read((plan.source.host, plan.target.host))
    facts = replace(facts_of(plan, job, intent.op_id, around=around.surroundings, read=read), measured=material.said)
    report = tools.engine.diagnose_lines(lines, facts=facts, op_id=intent.op_id)
    chief = chief_of(report)
    if chief is None or chief.last is None:
        return report, facts
    age = session_age(
        began=intent.vcenter_time,
        broke=chief.last,
        looks=material.paths,
        read=read,
        is_udt=plan.path is not None and plan.path.kind is PathKind.UDT,
    )
    if age is None:
        return report, facts
    facts = replace(facts, measured=(*material.said, age))
    return tools.engine.diagnose_lines(lines, facts=facts, op_id=intent.op_id), facts


async def _space(
    tools: WorkerTools, plan: Plan
) -> tuple[Callable[[timedelta], tuple[Measurement, ...]], tuple[str, ...]]:
    """What the target datastore has free now, on whichever clock it is asked for; and why that could not be read."""
    try:
        async with asyncio.timeout(ASKED_WITHIN.total_seconds()):
            site = tools.fleet.site(plan.target.site) if plan.target.site else None
            if site is None:
                return _nothing, ()
            facts = await tools.fleet.vcenter(site.vcenter).read_site(site)
    except (OutsideError, UserError, TimeoutError) as error:
        return _nothing, (f"The free space of {plan.target.datastore}: {error or 'no answer in time'}",)
    store = next((one for one in facts.datastores if one.name == plan.target.datastore), None)
    if store is None:
        return _nothing, (f"The free space of {plan.target.datastore}: it is no longer there",)
    now, free, name, size = await tools.queue.now(), store.free, store.name, plan.size
    return lambda ahead: (free_space(name, free=free, needed=size, at=now + ahead),), ()


def _nothing(_ahead: timedelta) -> tuple[Measurement, ...]:
    return ()


def chief_of(report: Report) -> Incident | None:
    """The incident that answers the question: one that surely belongs to it, and of those the surest."""
    return max(report.incidents, key=lambda i: (i.match is MatchKind.EXACT, i.confidence), default=None)


def facts_of(
    plan: Plan, job: Job, op_id: str, *, around: Surroundings | None = None, read: frozenset[str] = frozenset()
) -> Facts:
    """What sentences, checks and the commands of the workarounds are filled with."""
    around = around or Surroundings()
    return Facts(
        vm=plan.request.vm.name,
        source_host=plan.source.host,
        destination_host=plan.target.host,
        source_site=plan.source.site,
        destination_site=plan.target.site,
        source_datastore=plan.source.datastore,
        destination_datastore=plan.target.datastore,
        source_folder=_directory(plan.vm_path_name),
        destination_folder=_directory(plan.vm_path_name),
        disks=tuple(DiskFacts(descriptor=d.path, flat_bytes=d.capacity, thin=d.thin) for d in plan.disks),
        op_id=op_id,
        task=job.data.get("task"),
        hosts=around.hosts,
        offsets=around.offsets,
        read=read,
    )


def _directory(path: str) -> str:
    """The VM's directory in a datastore path: `[ds] web01/web01.vmx` gives `web01`."""
    return path.removeprefix(f"[{datastore_of(path)}] ").rpartition("/")[0]
