"""After a failure: gather what clears or accuses each part of a copy, and show the table in the thread."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.diagnosis.elimination import Elimination, Look, Row, State, eliminate
from bot.diagnosis.verdict import Report
from bot.jobs.port import Job
from bot.migration.measured import PathMeasurement
from bot.operations.around_break import AroundBreak, read_around_break
from bot.operations.diagnose import chief_of, facts_of
from bot.operations.measurements import measurements_of, uplinks_of
from bot.operations.record import approved_plan, intent_of
from bot.operations.tools import WorkerTools
from bot.operations.watch_logs import LogWatch
from bot.slack.port import Section

_SIGN: Final = {State.CLEAN: "clean", State.DIRTY: "DIRTY", State.UNREADABLE: "unreadable"}
_ORDER: Final = (State.DIRTY, State.UNREADABLE, State.CLEAN)
_HEADING: Final = "Clean, dirty, unreadable"
_SHOWN_EVIDENCE: Final = 2


async def elimination_of(
    tools: WorkerTools,
    job: Job,
    watch: LogWatch,
    report: Report,
    measured: Sequence[PathMeasurement],
    *,
    around: AroundBreak | None = None,
) -> Elimination:
    """The table of a failed migration. `around`: what its diagnosis read already; without it that is read anew.

    UnreachableError when Redis does not answer; nothing else of the world is raised.
    """
    plan, around = approved_plan(job), around or await read_around_break(tools, job)
    chief = chief_of(report)
    facts = facts_of(plan, job, intent_of(job).op_id, around=around.surroundings)
    look = Look(
        broke=chief.last if chief is not None and chief.last is not None else around.ended,
        facts=replace(facts, measured=measurements_of(measured, ahead=around.ahead)),
        lines=[*watch.source_lines(), *around.lines],
        read=frozenset(around.read | _watched(watch, tools.logs)),
        unread={**{(gap.host.partition("/")[2], gap.log): gap.reason for gap in watch.gaps}, **around.unread},
        uplinks=uplinks_of(measured),
        read_at=around.read_at,
    )
    return await asyncio.to_thread(eliminate, look, tools.engine)


def _watched(watch: LogWatch, logs: Sequence[str]) -> set[tuple[str, str]]:
    """The logs that were followed without a gap."""
    missing = {(gap.host, gap.log) for gap in watch.gaps}
    return {(host.partition("/")[2], log) for host in watch.sides for log in logs if (host, log) not in missing}


def elimination_section(elimination: Elimination) -> Section:
    """The table for the thread: what was looked at, and a line for each part, the dirty ones first.

    Why a part is clean is in the evidence pack: in the thread it would hide what is not.
    """
    dirty = [row.part.value for row in elimination.dirty]
    said = f"Dirty: {', '.join(dirty)}." if dirty else "Nothing that could be read is dirty."
    when = f"{elimination.since:%H:%M:%S} to {elimination.until:%H:%M:%S} UTC"
    rows = sorted(elimination.rows, key=lambda row: _ORDER.index(row.state))
    return Section(_HEADING, f"{said} Logs and events from {when}.", [_line(row) for row in rows])


def _line(row: Row) -> str:
    begins = f"{_SIGN[row.state]:<10} {row.part.value}"
    if row.state is State.CLEAN:
        return begins
    shown = ", ".join(row.evidence[:_SHOWN_EVIDENCE])
    where = f" [{shown}]" if shown and row.state is State.DIRTY else ""
    return f"{begins}: {row.why}{where}"
