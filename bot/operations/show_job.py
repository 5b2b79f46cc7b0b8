"""Show a job that somebody else may be changing at this very moment: what is shown last is how it is."""

from __future__ import annotations

from bot.jobs.port import Job, JobQueue
from bot.migration.request import JobId
from bot.operations.cards import job_card
from bot.operations.holds import what_holds
from bot.slack.port import Outbox


async def show_job(queue: JobQueue, outbox: Outbox, job_id: JobId) -> None:
    """Show the job's card as the queue has it now.

    For everybody who does not hold a claim on the job. Between reading and showing a worker may have shown something
    newer, which an old card would cover for as long as nothing happens: so it is read again until it was current.
    """
    shown = await queue.get(job_id)
    while shown is not None:
        held = await what_holds(queue, shown)
        await outbox.show(job_card(shown, held))
        now = await queue.get(job_id)
        if now is None or (_turn(now) == _turn(shown) and await what_holds(queue, now) == held):
            return
        shown = now


def _turn(job: Job) -> tuple[object, ...]:
    """What tells two looks at a job apart; progress alone is not worth another."""
    return job.state, job.fence, job.cancel_by, job.steps[-1:]
