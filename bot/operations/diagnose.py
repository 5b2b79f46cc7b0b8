"""Diagnose a migration that failed: judge what both hosts logged, and put the verdict into words for the thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.diagnosis.facts import DiskFacts, Facts
from bot.diagnosis.verdict import Incident, MatchKind, Report
from bot.jobs.port import Job
from bot.migration.plan import Plan
from bot.migration.planning import datastore_of
from bot.operations.on_call_files import Attachment, files_of
from bot.operations.record import approved_plan, intent_of
from bot.operations.surroundings import Surroundings, surroundings
from bot.operations.tools import WorkerTools
from bot.operations.verdict_words import headline, match_words, nothing_found, verdict_reply, ways_reply
from bot.operations.watch_logs import LogWatch
from bot.slack.port import Reply

OURS = "this migration's opID"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What there is to say: replies, files, and the fields that keep the verdict with the job."""

    replies: Sequence[Reply]
    files: Sequence[Attachment]
    data: Mapping[str, str]
    chief: Incident | None = None


async def diagnose(tools: WorkerTools, job: Job, watch: LogWatch) -> Diagnosis:
    """Say why and what to do. When nothing was found or readable, one reply says that."""
    plan = approved_plan(job)
    op_id = intent_of(job).op_id
    around = await _around(tools, plan)
    facts = facts_of(plan, job, op_id, around=around, read=watch.read_sides())
    report = await asyncio.to_thread(tools.engine.diagnose_lines, watch.source_lines(), facts=facts, op_id=op_id)
    unread = [*watch.unread(), *around.unread]
    if (incident := chief_of(report)) is None:
        read = f"{len(watch.lines)} lines of {plan.source.host} and {plan.target.host}"
        return Diagnosis([nothing_found(read, unread)], (), {"verdict": "", "cause": ""})
    about = f"The migration of {plan.request.vm.name}"
    return Diagnosis(
        replies=[
            verdict_reply(incident, matched=match_words(incident, whose=OURS), unread=unread),
            *ways_reply(incident),
        ],
        files=await asyncio.to_thread(files_of, report, about=about, offsets=around.offsets),
        data={"verdict": json.dumps(report.to_json(), ensure_ascii=False), "cause": headline(incident)},
        chief=incident,
    )


def chief_of(report: Report) -> Incident | None:
    """The incident that answers the question: one that surely belongs to it, and of those the surest."""
    return max(report.incidents, key=lambda i: (i.match is MatchKind.EXACT, i.confidence), default=None)


async def _around(tools: WorkerTools, plan: Plan) -> Surroundings:
    scene = tools.on_call.scenes.get(plan.request.vm.vcenter)
    if scene is None:
        return Surroundings()
    return await surroundings(scene, list(dict.fromkeys((plan.source.host, plan.target.host))))


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
