"""Show a batch that somebody else may be changing at this very moment; and put away what a batch that ended left."""

from __future__ import annotations

import asyncio

from bot.jobs.port import Job, JobQueue
from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.operations.batch_card import batch_card
from bot.operations.batch_record import batch_of, read_rows
from bot.operations.holds import what_holds
from bot.slack.port import Outbox, Reply


async def show_batch(queue: JobQueue, outbox: Outbox, batch: JobId) -> None:
    """Show the batch's card as the queue has it now, as `show_job` does for a job."""
    shown = await queue.get(batch)
    while shown is not None:
        held = await what_holds(queue, shown)
        await outbox.show_table(batch_card(shown, await read_rows(queue, shown), held))
        now = await queue.get(batch)
        if now is None or (_turn(now) == _turn(shown) and await what_holds(queue, now) == held):
            return
        shown = now


async def put_away(queue: JobQueue, outbox: Outbox, batch: Job) -> None:
    """Of a batch that ended: cancel what was never started, give it its last word if it had none, and show it.

    Doing it again changes nothing, so whoever sees the end may do it.
    """
    rows = await read_rows(queue, batch) if batch.state is not Phase.NEEDS_HUMAN else ()
    left = [row.own.id for row in rows if row.own is not None and not row.own.state.ended]
    by = batch.cancel_by or "coldmigrate"
    await asyncio.gather(*(queue.cancel(job, by=by, waiting_only=True) for job in left))
    if (said := last_word(batch)) is not None:
        await outbox.reply(batch.id, batch.channel, said)
    await show_batch(queue, outbox, batch.id)


def last_word(batch: Job) -> Reply | None:
    """What the thread reads of a batch that ended without anybody saying so; None when that was done, or is no news."""
    if not batch.state.ended or batch.data.get("outcome") or not batch.steps:
        return None
    title, why = batch_of(batch).title, batch.steps[-1].why.rstrip(".")
    match batch.state:
        case Phase.CANCELLED if batch.cancel_by:
            said = f"The batch {title} was cancelled before anything was started."
        case Phase.FAILED:
            said = f"The batch {title} ended before anything was started: {why}."
        case Phase.NEEDS_HUMAN:
            said = (
                f"Nobody follows the batch {title} any more: {why}. Its VMs are jobs of their own and go on; "
                f"/coldmigrate show {batch.id} tells of each."
            )
        case _:
            return None
    return Reply("end", said, final=True)


def _turn(job: Job) -> tuple[object, ...]:
    return job.state, job.fence, job.cancel_by, job.steps[-1:]
