"""Approve a plan: the very plan that was shown, once, by somebody who may."""

from __future__ import annotations

from typing import Final

from bot.errors import RefusedError, UserError
from bot.jobs.port import ApproveOutcome
from bot.migration.machine import WORDS, Phase
from bot.migration.request import JobId, SiteName
from bot.operations.counter import Counter, require_second_person, site_of
from bot.operations.holds import held_words, what_holds
from bot.operations.lifting import approval_in_words
from bot.operations.port import Answer, Person
from bot.operations.record import plan_of, request_of
from bot.operations.rights import Verb
from bot.operations.show_job import show_job
from bot.operations.start_time import not_before_in_words

_OUTDATED: Final = "The plan changed since this button was shown. Look at the card again."


async def require_force(counter: Counter, who: Person, site: SiteName, *, many: int) -> None:
    """Pass if this person may lift so many warnings at a site that is strict about them. RefusedError says who may."""
    try:
        await counter.rights.require(who, Verb.FORCE, site)
    except RefusedError as error:
        warnings = "There is a warning" if many == 1 else f"There are {many} warnings"
        raise RefusedError(
            f"{warnings}, and {site} asks for the right 'force' to lift them, which you ({who.user_id}) do not have.",
            lifted_by="anybody who may 'approve' and 'force' there, with the same button; or nobody needs to, once "
            "what the warnings tell of is mended and the plan made anew",
        ) from error


async def approve(counter: Counter, who: Person, job_id: JobId, fingerprint: str) -> Answer:
    """Put the plan into its link's queue; of its warnings the ledger tells.

    RefusedError without the right, without that to force at a site that is strict about warnings, or for the
    requester where the site asks for a second person. UserError for a plan that changed since it was shown, that is
    blocked, or that is no longer waiting.
    """
    job = await counter.job(job_id)
    site = site_of(job)
    await counter.rights.require(who, Verb.APPROVE, site)
    counter.site(site)  # of a site that left the config nobody knows any more who may approve
    require_second_person(counter, who, job, site)
    plan = plan_of(job)
    if plan is not None and not plan.safe:
        raise UserError("This plan cannot start: mend what blocks it, then ask again.")
    if plan is not None and job.state is Phase.PLANNED and plan.fingerprint != fingerprint:
        raise UserError(_OUTDATED)  # what follows is about the plan that was shown, and about no other
    strict = site in counter.strict
    if plan is not None and strict and plan.needs_force:
        await require_force(counter, who, site, many=len(plan.warnings))
    why, start = approval_in_words(plan, strict=strict), request_of(job).not_before
    match await counter.queue.approve(job_id, fingerprint=fingerprint, by=who.user_id, not_before=start, why=why):
        case ApproveOutcome.QUEUED:
            await show_job(counter.queue, counter.outbox, job_id)
            when = not_before_in_words(counter.calendar, start) if start and start > await counter.queue.now() else ""
            held = await what_holds(counter.queue, await counter.job(job_id))
            waits = f" It waits: {held_words(held)}" if held is not None else ""
            return Answer(f"Approved: job {job_id} is queued.{when}{waits}")
        case ApproveOutcome.OUTDATED:
            raise UserError(_OUTDATED)
        case ApproveOutcome.WRONG_STATE:
            await show_job(counter.queue, counter.outbox, job_id)
            job = await counter.job(job_id)
            raise UserError(f"Job {job_id} does not wait for an approval: it is {WORDS[job.state]}.")
        case ApproveOutcome.UNKNOWN_JOB:
            raise UserError(f"There is no job '{job_id}' any more.")
