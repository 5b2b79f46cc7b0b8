"""Cancel a job: at once while nothing was started, else by asking vCenter to stop."""

from __future__ import annotations

from bot.errors import UserError
from bot.jobs.port import CancelOutcome
from bot.migration.machine import WORDS
from bot.migration.request import JobId
from bot.operations.cards import job_card
from bot.operations.counter import Counter, site_of
from bot.operations.port import Answer, Person
from bot.operations.record import request_of
from bot.operations.rights import Verb
from bot.slack.port import Reply


async def cancel(counter: Counter, who: Person, job_id: JobId) -> Answer:
    """What became of the wish. RefusedError without the right; UserError for a job that has ended or is unknown."""
    job = await counter.job(job_id)
    await counter.rights.require(who, Verb.CANCEL, site_of(job))
    outcome = await counter.queue.cancel(job_id, by=who.user_id)
    job = await counter.job(job_id)
    name = request_of(job).vm.name
    match outcome:
        case CancelOutcome.CANCELLED:
            await counter.outbox.show(job_card(job))
            said = f"{name} was cancelled before anything was started."
            await counter.outbox.reply(job.id, job.channel, Reply("end", said, final=True))
            return Answer(f"Cancelled: job {job_id}. Nothing had been started.")
        case CancelOutcome.REQUESTED:
            await counter.outbox.show(job_card(job))
            return Answer(
                f"Cancelling job {job_id}: vCenter is asked to stop, and the thread tells where {name} ends up."
            )
        case CancelOutcome.ENDED:
            raise UserError(f"Job {job_id} has ended: it is {WORDS[job.state]}.")
        case CancelOutcome.UNKNOWN_JOB:
            raise UserError(f"There is no job '{job_id}' any more.")
