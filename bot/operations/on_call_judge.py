"""Judge what was read about a subject: the operation's own lines where they are known, else those that speak of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.diagnosis.engine import Engine
from bot.diagnosis.event import SourceLine
from bot.diagnosis.facts import Facts
from bot.diagnosis.opid import is_internal, is_ours, op_base, op_ids_in
from bot.diagnosis.scope import Scope
from bot.diagnosis.verdict import MatchKind, Report
from bot.operations.on_call_reading import Collected
from bot.operations.on_call_subject import Subject
from bot.operations.tools import WorkerTools

NEAR: Final = timedelta(minutes=5)
"""How far from its task's end a failure may be that bears no name, to be taken for this copy's."""

BY_NAME: Final = "by-name-alone"
"""Asks for an operation that no line has: then only lines count that speak of the VM, its files or its task."""


async def judge(tools: WorkerTools, subject: Subject, collected: Collected) -> tuple[Report, str]:
    """The report, and the opID that its exact lines bear, if one is known."""
    return await asyncio.to_thread(_judge, tools.engine, subject, collected)


def _judge(engine: Engine, subject: Subject, collected: Collected) -> tuple[Report, str]:
    facts = replace(
        subject.facts,
        hosts=tuple(collected.hosts),
        offsets=collected.offsets,
        read=frozenset(collected.read),
        measured=collected.measured,
    )
    if subject.exact:
        return engine.diagnose_lines(collected.lines, facts=facts), ""
    op_id = subject.op_id or op_id_of(subject.task, collected.lines)
    report = engine.diagnose_lines(collected.lines, facts=replace(facts, op_id=op_id or None), op_id=op_id or BY_NAME)
    if report.incidents or op_id or subject.failed_at is None:
        return report, op_id
    return _by_time(engine, subject, collected, facts), ""


def _by_time(engine: Engine, subject: Subject, collected: Collected, facts: Facts) -> Report:
    """Failures beside the end of the task, by whomever: told as probable. Those that are surely another's are not."""
    if subject.failed_at is None:
        raise ValueError("a copy that did not fail has no time of failure")
    near = Scope(since=subject.failed_at - NEAR, until=subject.failed_at + NEAR)
    report = engine.diagnose_lines(collected.lines, facts=facts, scope=near)
    anybodys = (one for one in report.incidents if not any(map(is_ours, one.op_ids)))
    return replace(report, incidents=tuple(replace(one, match=MatchKind.PROBABLE) for one in anybodys))


def op_id_of(task: str, lines: Iterable[SourceLine]) -> str:
    """The opID of most lines that name the task: vpxd and vpxa write both where they begin it. Empty if none does."""
    if not task:
        return ""
    named = (line.text for line in lines if _names(line.text, task))
    bases = Counter(op_base(found) for text in named for found in op_ids_in(text) if not is_internal(found))
    return bases.most_common(1)[0][0] if bases else ""


def _names(text: str, task: str) -> bool:
    at = text.find(task)
    return at >= 0 and not text[at + len(task) : at + len(task) + 1].isdigit()
