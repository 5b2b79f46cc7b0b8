"""Redraw the cards that no worker holds: plans that wait for a person, approved jobs that wait for a slot, ended jobs.

Whoever brought a job there may have died between the ledger and the card, and nobody takes such a job up to say so.
What ended without an operation at hand (given up, cancelled while it was put off) gets its last word here too.
Showing a card that is right, or repeating a reply, changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Final

from bot.errors import BugError, OutsideError
from bot.jobs.port import Job, JobQueue
from bot.migration.machine import ENDS, Phase
from bot.migration.request import JobId
from bot.operations.aftercare_record import AFTERCARE, IN_WORDS, Aftercare
from bot.operations.batch_record import BATCH
from bot.operations.batch_show import put_away, show_batch
from bot.operations.inquiry import DIAGNOSE
from bot.operations.on_call_card import last_look
from bot.operations.record import MIGRATE, offers_of, power_words, request_of, was_on
from bot.operations.show_job import show_job
from bot.slack.port import Button, Outbox, Reply

UNATTENDED: Final = ENDS | {Phase.PLANNED, Phase.QUEUED}

LOOK_BACK: Final = 50
"""Jobs looked at when it starts: what ended or was planned while nobody ran."""

AGAIN_AFTER: Final = timedelta(seconds=5)

log = logging.getLogger(__name__)


async def redraw_unattended(queue: JobQueue, outbox: Outbox) -> None:
    """For ever. Any number of workers may do this at once; an outage is outlived, a broken record is passed over."""
    while True:
        try:
            since = await queue.last_event()  # before looking back, so that nothing falls between the two
            for job in [*await queue.recent(limit=LOOK_BACK), *await queue.recent(limit=LOOK_BACK, live_only=True)]:
                await _attend(queue, outbox, job.id)
            async for _, event in queue.events(since=since):
                if event.get("state") in UNATTENDED:
                    await _attend(queue, outbox, JobId(event["job"]))
        except OutsideError as error:
            log.warning("cards that nobody holds are not redrawn for the moment: %s", error)
        except BugError:
            log.exception("redrawing stumbled, and begins again")
        await asyncio.sleep(AGAIN_AFTER.total_seconds())


async def _attend(queue: JobQueue, outbox: Outbox, job_id: JobId) -> None:
    try:
        job = await queue.get(job_id)
        if job is not None and job.kind == DIAGNOSE:
            await _attend_diagnosis(outbox, job)
        if job is not None and job.kind == BATCH and job.state in UNATTENDED:
            await _attend_batch(queue, outbox, job)
        if job is not None and job.kind == AFTERCARE:
            await _attend_aftercare(outbox, job)
        if job is None or job.kind != MIGRATE or job.state not in UNATTENDED:
            return
        if (said := last_word(job)) is not None:
            await outbox.reply(job.id, job.channel, said)
        await show_job(queue, outbox, job.id)
    except BugError as error:
        log.error("the card of job %s cannot be drawn: %s", job_id, error)  # noqa: TRY400 - the cause is in the sentence


async def _attend_batch(queue: JobQueue, outbox: Outbox, job: Job) -> None:
    if job.state.ended:
        await put_away(queue, outbox, job)
    else:
        await show_batch(queue, outbox, job.id)


async def _attend_diagnosis(outbox: Outbox, job: Job) -> None:
    if (look := last_look(job)) is not None:
        card, said = look
        await outbox.reply(job.id, job.channel, said)
        await outbox.show_inquiry(card)


async def _attend_aftercare(outbox: Outbox, job: Job) -> None:
    """Whoever clicked hears of an act that was given up; one that was done has said so itself."""
    if job.state not in (Phase.FAILED, Phase.CANCELLED) or job.data.get("outcome"):
        return
    asked = Aftercare.from_data(job.data)
    why = job.steps[-1].why.rstrip(".") if job.steps else "nobody knows why"
    said = f"{IN_WORDS[asked.act]} came to nothing: {why}. Click again, or look in vCenter."
    await outbox.reply(asked.of, job.channel, Reply(asked.reply_key(job.id), said))


def last_word(job: Job) -> Reply | None:
    """What the thread reads of a job that ended without anybody saying so; None when that was done, or is no news."""
    if not job.state.ended or job.data.get("outcome") or not job.steps:
        return None
    name, why = _name(job), job.steps[-1].why.rstrip(".")
    match job.state:
        case Phase.NEEDS_HUMAN:
            said = (
                f"Nobody follows the migration of {name} any more: {why}. The copy may be running or have ended; "
                "please look in vCenter. Nothing more will be done by itself."
            )
        case Phase.FAILED:
            said = f"The migration of {name} failed before anything was started: {why}. {power_words(job)}".strip()
        case Phase.CANCELLED if job.cancel_by:
            said = f"{name} was cancelled before anything was started. {power_words(job)}".strip()
        case _:
            return None
    buttons = [Button(kind, job.id) for kind in offers_of(job)]
    return Reply("end", said, buttons=buttons, final=True, quiet=job.state is Phase.CANCELLED and not was_on(job))


def _name(job: Job) -> str:
    try:
        return request_of(job).vm.name
    except BugError:
        return f"the VM {job.vm_key}"
