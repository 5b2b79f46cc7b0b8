"""Answer a migration that asks, before it starts, what to do with a guest that does not shut down."""

from __future__ import annotations

from typing import Final

from bot.errors import UserError
from bot.jobs.port import AnswerOutcome
from bot.migration.machine import WORDS
from bot.migration.request import JobId
from bot.operations.counter import Counter, site_of
from bot.operations.options import require_allowed, source_of
from bot.operations.port import Answer, Person
from bot.operations.record import request_of
from bot.operations.rights import Verb
from bot.operations.show_job import show_job
from bot.operations.shutdown_answer import ShutdownAnswer

_WHY: Final = {
    ShutdownAnswer.WAIT_ON: "the guest gets more time to shut down",
    ShutdownAnswer.POWER_OFF: "the guest does not shut down, and is powered off",
}
_SAID: Final = {
    ShutdownAnswer.WAIT_ON: "{vm} gets more time to shut down.",
    ShutdownAnswer.POWER_OFF: "{vm} is powered off, and then moved.",
}


async def answer_shutdown(counter: Counter, who: Person, job_id: JobId, answer: ShutdownAnswer) -> Answer:
    """Write the answer down, for the worker that takes the job up again.

    RefusedError without the right where the VM runs, or if the config allows no hard power-off; UserError for a job
    that does not ask (any more).
    """
    job = await counter.job(job_id)
    await counter.rights.require(who, Verb.POWER, source_of(job) or site_of(job))
    if answer is ShutdownAnswer.POWER_OFF:
        require_allowed(counter.allow.power_off, "Powering off a guest that does not shut down", key="power_off")
    outcome = await counter.queue.answer(job_id, answer, by=who.user_id, why=_WHY[answer])
    match outcome:
        case AnswerOutcome.HEARD:
            return Answer(_SAID[answer].format(vm=request_of(job).vm.name))
        case AnswerOutcome.WRONG_STATE:
            await show_job(counter.queue, counter.outbox, job_id)
            now = await counter.job(job_id)
            raise UserError(f"Job {job_id} asks nothing any more: it is {WORDS[now.state]}.")
        case AnswerOutcome.UNKNOWN_JOB:
            raise UserError(f"There is no job '{job_id}' any more.")
