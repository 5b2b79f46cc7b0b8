"""Cancel a job: at once while nothing was started, else by asking vCenter to stop."""

from __future__ import annotations

from bot.errors import UserError
from bot.jobs.port import CancelOutcome
from bot.migration.machine import WORDS, Phase
from bot.migration.request import JobId
from bot.operations.batch_show import show_batch
from bot.operations.counter import Counter, site_of
from bot.operations.port import Answer, Person
from bot.operations.record import offers_of, power_words, request_of, was_on
from bot.operations.rights import Verb
from bot.operations.show_job import show_job
from bot.slack.port import Button, Reply


async def cancel(counter: Counter, who: Person, job_id: JobId, *, with_batch: bool = True) -> Answer:
    """What became of the wish. RefusedError without the right; UserError for a job that has ended or is unknown.

    `with_batch` False: whoever cancels many of one batch shows its card once they are done.
    """
    job = await counter.job(job_id)
    await counter.rights.require(who, Verb.CANCEL, site_of(job))
    outcome = await counter.queue.cancel(job_id, by=who.user_id)
    job = await counter.job(job_id)
    name = request_of(job).vm.name
    match outcome:
        case CancelOutcome.CANCELLED:
            await show_job(counter.queue, counter.outbox, job_id)
            said = f"{name} was cancelled before anything was started. {power_words(job)}".strip()
            offers = [Button(kind, job.id) for kind in offers_of(job)]
            reply = Reply("end", said, buttons=offers, final=True, quiet=not was_on(job))
            await counter.outbox.reply(job.id, job.channel, reply)
            if with_batch and (batch := request_of(job).batch):
                await show_batch(counter.queue, counter.outbox, JobId(batch))
            return Answer(f"Cancelled: job {job_id}. Nothing had been started. {power_words(job)}".strip())
        case CancelOutcome.REQUESTED:
            await show_job(counter.queue, counter.outbox, job_id)
            return Answer(f"Cancelling job {job_id}. {_next(job.state)} The thread tells where {name} ends up.")
        case CancelOutcome.ENDED | CancelOutcome.STARTED:
            raise UserError(f"Job {job_id} has ended: it is {WORDS[job.state]}.")
        case CancelOutcome.UNKNOWN_JOB:
            raise UserError(f"There is no job '{job_id}' any more.")


def _next(phase: Phase) -> str:
    """What the wish leads to, for whoever waits; no more than is known."""
    match phase:
        case Phase.ATTACHED:
            return "The worker that follows the copy asks vCenter to stop it."
        case Phase.INTENT | Phase.UNKNOWN:
            return "Once it is known whether the copy started, it is stopped or not started."
        case Phase.VERIFYING:
            return "The copy has ended already; where the VM is now is being read."
        case _:
            return "Nothing was started yet, and nothing will be."
