"""Diagnose a migration that failed: judge what both hosts logged, and put the verdict into words for the thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Final

from bot.diagnosis.causes import Basis, Cause
from bot.diagnosis.facts import DiskFacts, Facts
from bot.diagnosis.verdict import Incident, MatchKind, Workaround
from bot.jobs.port import Job
from bot.migration.plan import Plan
from bot.migration.planning import datastore_of
from bot.operations.record import approved_plan, intent_of
from bot.operations.tools import WorkerTools
from bot.operations.watch_logs import LogWatch
from bot.slack.port import Reply, Section

SHOWN_LINES: Final = 12
"""Evidence lines in a thread; all of them are in the job's record."""

_BASIS: Final = {
    Basis.LOG: "from the hosts' logs alone",
    Basis.BOTH_ENDS: "from the logs of both ends",
    Basis.MEASURED: "measured",
}
_MATCH: Final = {
    MatchKind.EXACT: "The lines bear this migration's opID.",
    MatchKind.PROBABLE: "The lines do not bear this migration's opID; they fit by VM, task and time.",
}


async def diagnose(tools: WorkerTools, job: Job, watch: LogWatch) -> tuple[list[Reply], dict[str, str]]:
    """The replies that say why and what to do, and the field that keeps the verdict.

    When nothing was found or readable, one reply says that.
    """
    plan = approved_plan(job)
    op_id = intent_of(job).op_id
    report = await asyncio.to_thread(
        tools.engine.diagnose_lines, watch.source_lines(), facts=facts_of(plan, job, op_id), op_id=op_id
    )
    unread = watch.unread()
    incident = max(report.incidents, key=lambda i: (i.match is MatchKind.EXACT, i.confidence), default=None)
    if incident is None:
        return [_nothing_found(plan, watch, unread)], {"verdict": ""}
    return [_verdict(incident, unread), *_ways(incident)], {"verdict": json.dumps(report.to_json(), ensure_ascii=False)}


def facts_of(plan: Plan, job: Job, op_id: str) -> Facts:
    """What the commands of the workarounds are filled with."""
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
    )


def _directory(path: str) -> str:
    """The VM's directory in a datastore path: `[ds] web01/web01.vmx` gives `web01`."""
    return path.removeprefix(f"[{datastore_of(path)}] ").rpartition("/")[0]


def _verdict(incident: Incident, unread: Sequence[str]) -> Reply:
    cause = incident.cause.value.replace("_", " ")
    sure = f"{incident.confidence:.0%} sure, {_BASIS[incident.basis]}"
    if incident.cause is Cause.UNDETERMINED:
        headline = "The logs show the failure, but do not say why."
    else:
        headline = f"Probable cause: {cause} ({sure})."
    sections = [
        Section("Why", f"{incident.explanation} {_MATCH[incident.match]}"),
        Section("The lines that show it", "", _lines(incident)),
        *_list("Known", incident.known),
        *_list("Ruled out", incident.ruled_out),
        *_list("Could not be read", [*incident.unreadable, *unread]),
        *_list("Check next", [_check(c.what, c.command, c.where) for c in incident.next_checks]),
    ]
    if incident.links:
        sections.append(Section("Read more", ", ".join(incident.links)))
    return Reply("verdict", headline, sections, final=True)


def _ways(incident: Incident) -> list[Reply]:
    """The workarounds, apart from the verdict: whoever only wants to know why need not scroll past commands."""
    if not incident.workarounds:
        return []
    count = len(incident.workarounds)
    said = f"{count} ways on from here, the best first." if count > 1 else "One way on from here."
    return [Reply("ways", said, [_workaround(w) for w in incident.workarounds], final=True)]


def _lines(incident: Incident) -> list[str]:
    """The decisive line first among its neighbours' order; what does not fit is counted."""
    shown = [f"{e.file}:{e.line} [{e.role.value}] {e.text}" for e in incident.evidence[:SHOWN_LINES]]
    rest = len(incident.evidence) - len(shown)
    return [*shown, f"... and {rest} more lines"] if rest > 0 else shown


def _list(heading: str, items: Sequence[str]) -> list[Section]:
    return [Section(heading, "\n".join(f"• {item}" for item in items))] if items else []


def _check(what: str, command: str, where: str) -> str:
    return what + (f" ({where}): {command}" if command and where else f": {command}" if command else "")


def _workaround(workaround: Workaround) -> Section:
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(workaround.steps, 1))
    caveat = f"\nCaveat: {workaround.caveat}" if workaround.caveat else ""
    return Section(workaround.title, steps + caveat, workaround.commands)


def _nothing_found(plan: Plan, watch: LogWatch, unread: Sequence[str]) -> Reply:
    read = f"{len(watch.lines)} lines of {plan.source.host} and {plan.target.host}"
    if unread:
        said = f"No cause can be named: not all logs could be read, and {read} that were read show no NFC failure."
    else:
        said = f"No cause can be named: {read} were read and show no NFC failure."
    return Reply("verdict", said, _list("Could not be read", unread), final=True)
