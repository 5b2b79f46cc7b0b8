"""Answer somebody on call: find what they mean, read what it left behind, and say why it failed, in their thread.

Everything here only reads, so a worker that dies costs nothing but time: the next one begins again, and what the
thread has already is recognised. First it is said, then it is written down that it was.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.diagnosis.report.phrases import count, ranked, summary, trouble_in_words
from bot.diagnosis.verdict import Incident, Report
from bot.errors import BugError, UserError
from bot.jobs.port import Claim
from bot.migration.machine import Answered, CheckStarted, NoAnswer, Phase, advance
from bot.operations.diagnose import chief_of
from bot.operations.inquiry import Inquiry, SubjectKind
from bot.operations.measurements import measurements_of
from bot.operations.on_call_ask import AllAwayError
from bot.operations.on_call_card import Steps
from bot.operations.on_call_files import Attachment, files_of
from bot.operations.on_call_find import find_subject
from bot.operations.on_call_judge import judge
from bot.operations.on_call_measure import look_at_path
from bot.operations.on_call_reading import collect
from bot.operations.on_call_upload import Upload, read_upload
from bot.operations.tools import WorkerTools
from bot.operations.verdict_words import headline, listed, match_words, nothing_found, verdict_reply, ways_reply
from bot.slack.port import Reply

LONGEST_KEPT: Final = 300_000
GONE: Final = "It was kept for an hour, and nobody came to read it in that time. Please hand it over again."


@dataclass(frozen=True, slots=True)
class Answer:
    """What the thread reads: `outcome` in one line, replies, files. `report` is kept with the job."""

    outcome: str
    replies: Sequence[Reply]
    files: Sequence[Attachment] = ()
    report: Report | None = None


async def diagnose_inquiry(tools: WorkerTools, claim: Claim) -> None:
    """Carry a claimed diagnosis to its end: done when there is an answer, failed when there can be none.

    Raises LostLeaseError when another worker has it, and UnreachableError when Redis is away.
    """
    tools.reached("inquiry-claimed")
    inquiry = Inquiry.from_data(claim.job.data)
    steps = Steps(tools.outbox, claim.job, inquiry)
    if claim.job.state is Phase.DRAFTED:
        await claim.move(advance(claim.job.state, CheckStarted()), why="reading the logs")
    if claim.job.state is not Phase.CHECKING:
        raise BugError(f"nothing is to be answered in the phase '{claim.job.state}'")
    try:
        answer = await _answer(tools, inquiry, steps)
    except (UserError, AllAwayError) as error:
        await _finish(tools, claim, steps, _no_answer(error), ended=Phase.FAILED)
    else:
        await _finish(tools, claim, steps, answer, ended=Phase.DONE)


async def _answer(tools: WorkerTools, inquiry: Inquiry, steps: Steps) -> Answer:
    match inquiry.kind:
        case SubjectKind.NAME:
            return await _about_name(tools, inquiry, steps)
        case SubjectKind.TEXT | SubjectKind.FILE:
            return await _about_material(tools, inquiry, steps)


# ---- something that vCenter knows


async def _about_name(tools: WorkerTools, inquiry: Inquiry, steps: Steps) -> Answer:
    async with steps.step(f"Looking for {inquiry.typed}") as step:
        subject = await find_subject(tools, inquiry)
        steps.title = f"Diagnosis of {subject.title}"
        step.done(f"Found {subject.title}: {count(len(subject.hosts), 'host')} to read, {subject.when}")
    tools.reached("inquiry-found")
    collected = await collect(tools, subject, steps)
    tools.reached("inquiry-read")
    looked = await look_at_path(tools, subject, steps, silent=collected.silent)
    collected.measured = measurements_of(looked.measured)
    collected.unread.extend(looked.unread)
    async with steps.step("Weighing what was read") as step:
        report, op_id = await judge(tools, subject, collected)
        step.done(f"Weighed {count(len(collected.lines), 'line')} that may matter")
    unread = tuple(dict.fromkeys(collected.unread))
    chief = next(iter(ranked(report.incidents)), None) if subject.exact else chief_of(report)
    if chief is None:
        said = nothing_found(collected.in_words(subject), unread, measured=[one.text for one in collected.measured])
        return Answer(said.text, [said], report=report)
    whose = f"the opID {op_id}" if op_id else "an opID that is known to be its own"
    matched = "" if subject.exact else match_words(chief, whose=whose)
    return await _told(report, chief, about=subject.title, matched=matched, unread=unread, offsets=collected.offsets)


# ---- something that somebody handed over


async def _about_material(tools: WorkerTools, inquiry: Inquiry, steps: Steps) -> Answer:
    async with steps.step(f"Reading {inquiry.subject}") as step:
        data = await tools.on_call.material(inquiry.blob)
        if data is None:
            raise UserError(GONE)
        since = datetime.now(UTC) - inquiry.since if inquiry.since is not None else None
        upload = Upload(data, inquiry.file_name, since)
        report = await read_upload(upload, rules=tools.on_call.rules)
        step.done(f"Read {inquiry.subject}: {summary(report)}")
    tools.reached("inquiry-read")
    unread = [trouble_in_words(trouble) for trouble in (*report.errors, *report.gaps)]
    chief = next(iter(ranked(report.incidents)), None)
    if chief is None:
        said = _nothing_in_it(report, unread)
        return Answer(said.text, [said], report=report)
    return await _told(report, chief, about=inquiry.subject, unread=unread)


def _nothing_in_it(report: Report, unread: Sequence[str]) -> Reply:
    stats = report.stats
    if not stats.lines and unread:
        return Reply("verdict", "Nothing of it could be read.", listed("Why", unread), final=True)
    return nothing_found(f"{count(stats.lines, 'line')} in {count(stats.files, 'file')}", unread)


# ---- saying it


async def _told(
    report: Report,
    chief: Incident,
    *,
    about: str,
    matched: str = "",
    unread: Sequence[str] = (),
    offsets: Mapping[str, timedelta] | None = None,
) -> Answer:
    others = len(report.incidents) - 1
    more = f"{count(others, 'other incident')}: in the full report." if others else ""
    verdict = verdict_reply(chief, matched=matched, unread=unread, more=more)
    return Answer(
        outcome=headline(chief),
        replies=[verdict, *ways_reply(chief)],
        files=await asyncio.to_thread(files_of, report, about=about, offsets=offsets or {}),
        report=report,
    )


def _no_answer(error: UserError | AllAwayError) -> Answer:
    example = error.example if isinstance(error, UserError) else None
    sections = listed("For example", [example] if example else [])
    return Answer(str(error), [Reply("verdict", str(error), sections, final=True)])


async def _finish(tools: WorkerTools, claim: Claim, steps: Steps, answer: Answer, *, ended: Phase) -> None:
    await claim.cancel_asked()  # refuses to speak for a job that another worker has
    job = claim.job
    for reply in answer.replies:
        await tools.outbox.reply(job.id, job.channel, reply)
    for file in answer.files:
        await tools.outbox.attach(
            job.id, job.channel, name=file.name, data=file.data, title=file.title, alt_text=file.alt_text
        )
    tools.reached("inquiry-answered")
    await steps.show(outcome=answer.outcome, ended=True)
    event = Answered() if ended is Phase.DONE else NoAnswer()
    data = {"outcome": answer.outcome, "verdict": _kept(answer.report)}
    await claim.move(advance(job.state, event), why=answer.outcome, data=data)


def _kept(report: Report | None) -> str:
    """The report as the job keeps it for 90 days: all of it or, of a long one, the incident that answers."""
    if report is None or not report.incidents:
        return ""
    whole = json.dumps(report.to_json(), ensure_ascii=False)
    if len(whole) <= LONGEST_KEPT:
        return whole
    short = json.dumps(replace(report, incidents=(ranked(report.incidents)[0],)).to_json(), ensure_ascii=False)
    return short if len(short) <= LONGEST_KEPT else ""
