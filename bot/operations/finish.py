"""End a job: say so to the people, then write it down. In this order a worker may die anywhere without silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.jobs.port import Claim, Job
from bot.migration.machine import Event, advance
from bot.operations.cards import job_card
from bot.operations.on_call_files import Attachment
from bot.operations.record import request_of
from bot.operations.take_trace_away import take_trace_away
from bot.operations.tools import WorkerTools
from bot.slack.port import Reply


async def finish(
    tools: WorkerTools,
    claim: Claim,
    event: Event,
    *replies: Reply,
    files: Sequence[Attachment] = (),
    data: Mapping[str, str] | None = None,
    outcome: str = "",
) -> None:
    """The job's last transition. Its outcome is that sentence, or the first reply's; the replies and files explain it.

    Replies and card are handed to the outbox first: they are recognised when a successor repeats them, while a
    transition that nobody announced would never be announced. The card comes last of them: it brings the buttons, and
    whoever clicks at once must find the job ended. LostLeaseError: a successor decides, from the same facts.
    """
    outcome = outcome or replies[0].text
    state = advance(claim.job.state, event)
    fields = {**(data or {}), "outcome": outcome}
    await claim.cancel_asked()  # refuses to speak for a job that another worker has
    ended = replace(claim.job, state=state, data={**claim.job.data, **fields})
    whose = _whose(ended)
    for reply in replies:
        named = reply if whose.rstrip(": ") in reply.text else replace(reply, text=f"{whose}{reply.text}")
        await tools.outbox.reply(ended.id, ended.channel, named)
    for file in files:
        await tools.outbox.attach(
            ended.id,
            ended.channel,
            name=file.name,
            data=file.data,
            title=f"{whose}{file.title}",
            alt_text=file.alt_text,
        )
    await tools.outbox.show(job_card(ended))
    tools.reached("before-finish")
    await claim.move(state, why=outcome, data=fields)
    tools.reached("after-finish")
    await take_trace_away(tools, ended)


def _whose(job: Job) -> str:
    """In the thread of a batch nobody knows which VM is spoken of, unless it is said."""
    request = request_of(job)
    return f"{request.vm.name}: " if request.batch else ""
