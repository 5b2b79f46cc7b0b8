"""Retry a job that ended: a new draft of the same request, with a fresh plan and a fresh approval."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.errors import RefusedError, UserError
from bot.jobs.port import Job
from bot.migration.machine import WORDS, Phase
from bot.migration.request import JobId, MigrationRequest
from bot.operations.canary import require_canary
from bot.operations.counter import Counter, site_of
from bot.operations.options import require_options, source_of
from bot.operations.port import Answer, Person
from bot.operations.record import request_of
from bot.operations.request_migration import draft
from bot.operations.rights import Verb


async def retry(
    counter: Counter, who: Person, channel: str, job_id: JobId, *, dedupe: str, when_clean: bool = False
) -> Answer:
    """Draft it again, by itself and not as a part of a batch; with its start, if that is still to come.

    UserError while it is live or when it succeeded; RefusedError when a person must look first, or for an option that
    is not for this person.
    """
    job = await counter.job(job_id)
    await counter.rights.require(who, Verb.RETRY, site_of(job))
    request = request_again(job, now=await counter.queue.now(), when_clean=when_clean)
    await require_options(counter, who, request, source=source_of(job))
    await require_canary(counter, who, request, source=source_of(job))
    await counter.channels.require_member(channel)
    return await draft(counter, who, channel, request, dedupe=dedupe)


def request_again(job: Job, *, now: datetime, when_clean: bool = False) -> MigrationRequest:
    """What the job was asked for, to be asked for once more. UserError or RefusedError for one that may not be.

    Warnings that somebody lifted beforehand are looked at anew: it has failed since.
    """
    if job.state is Phase.NEEDS_HUMAN:
        raise RefusedError(
            f"What became of job {job.id} is not known, so it is not repeated.",
            lifted_by="looking in vCenter, and asking for the VM anew with /coldmigrate once it is clear",
        )
    if job.state not in (Phase.FAILED, Phase.CANCELLED):
        raise UserError(f"Job {job.id} is {WORDS[job.state]}: there is nothing to retry.")
    request = request_of(job)
    # It gets a card of its own: its batch may have ended long ago.
    request = replace(request, batch="", force=False, when_clean=when_clean or request.when_clean)
    late = request.not_before is not None and request.not_before <= now
    return replace(request, not_before=None) if late else request
