"""What people decide about a batch: approve it, with or without a stop at the first failure, cancel it, try again."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bot.errors import UserError
from bot.jobs.port import ApproveOutcome, CancelOutcome, Job, JobQueue
from bot.migration.capacity import EVERYTHING, needs_of
from bot.migration.request import JobId
from bot.operations.approve import require_force
from bot.operations.batch_card import again, in_order, state_in_words, tally, why, word
from bot.operations.batch_glance import batch_line
from bot.operations.batch_record import BATCH, Batch, Row, batch_of, plans_of, read_rows, with_approval
from bot.operations.batch_request import draft_batch, live_vms
from bot.operations.batch_show import put_away, show_batch
from bot.operations.counter import Counter, require_second_person
from bot.operations.holds import held_words
from bot.operations.lifting import with_strictness
from bot.operations.options import require_options, source_of
from bot.operations.port import Answer, Person
from bot.operations.record import plan_of
from bot.operations.rights import Verb

_AGAIN: Final = ", again"


async def find_batch(counter: Counter, job: JobId) -> Job | None:
    """The batch of this id; None for anything else, and for nothing."""
    found = await counter.queue.get(job)
    return found if found is not None and found.kind == BATCH else None


async def approve_batch(counter: Counter, who: Person, job: Job, fingerprint: str, *, stop: bool) -> Answer:
    """Approve the plans of all that can start, by the rules of every site that any of them goes to.

    RefusedError without the right at one of them, or for the requester where one asks for a second person; UserError
    for plans that changed since they were shown, or that are no longer waiting.
    """
    await _require(counter, who, Verb.APPROVE, job)
    for site in batch_of(job).sites:
        counter.site(site)  # of a site that left the config nobody knows any more who may approve
        require_second_person(counter, who, job, site)
    strict = await _lifts_warnings(counter, who, job)
    data = {**with_approval(who.user_id, stop=stop), **strict}
    match await counter.queue.approve(job.id, fingerprint=fingerprint, by=who.user_id, data=data):
        case ApproveOutcome.QUEUED:
            await show_batch(counter.queue, counter.outbox, job.id)
            rest = "If one fails, what has not started is cancelled." if stop else "If one fails, the others go on."
            waits = await _waits(counter.queue, job)
            return Answer(" ".join([f"Approved: batch {job.id} is queued. {rest}", *waits]))
        case ApproveOutcome.OUTDATED:
            raise UserError("The plans changed since this button was shown. Look at the card again.")
        case ApproveOutcome.WRONG_STATE:
            await show_batch(counter.queue, counter.outbox, job.id)
            now = await counter.queue.get(job.id) or job
            raise UserError(f"Batch {job.id} does not wait for an approval: it is {_state(now)}.")
        case ApproveOutcome.UNKNOWN_JOB:
            raise UserError(f"There is no batch '{job.id}' any more.")


async def _lifts_warnings(counter: Counter, who: Person, job: Job) -> dict[str, str]:
    """Pass if this person may lift what warnings there are at sites that are strict about them; the field for it."""
    sites = [site for site in batch_of(job).sites if site in counter.strict]
    if not sites:
        return {}
    rows, approved = await read_rows(counter.queue, job), plans_of(job)
    plans = [plan for row in rows if row.own and row.own.id in approved and (plan := plan_of(row.own)) is not None]
    forced: dict[str, str] = {}
    for site in sites:
        if warned := [plan for plan in plans if plan.request.site == site and plan.needs_force]:
            await require_force(counter, who, site, many=sum(len(plan.warnings) for plan in warned))
            forced |= with_strictness(counter.strict, site)
    return forced


async def cancel_batch(counter: Counter, who: Person, job: Job) -> Answer:
    """Cancel all that has not ended. RefusedError without the right at every site of it."""
    await _require(counter, who, Verb.CANCEL, job)
    outcome = await counter.queue.cancel(job.id, by=who.user_id)
    now = await counter.queue.get(job.id) or job
    match outcome:
        case CancelOutcome.CANCELLED:
            await put_away(counter.queue, counter.outbox, now)
            return Answer(f"Cancelled: batch {job.id}. Nothing had been started.")
        case CancelOutcome.REQUESTED:
            await show_batch(counter.queue, counter.outbox, job.id)
            return Answer(
                f"Cancelling batch {job.id}: what waits is not started, and vCenter is asked to stop what is copying. "
                "The card tells where each VM ends up."
            )
        case CancelOutcome.ENDED | CancelOutcome.STARTED:
            raise UserError(f"Batch {job.id} has ended: it is {_state(now)}.")
        case CancelOutcome.UNKNOWN_JOB:
            raise UserError(f"There is no batch '{job.id}' any more.")


async def retry_batch(
    counter: Counter, who: Person, channel: str, job: Job, *, dedupe: str, when_clean: bool = False
) -> Answer:
    """A new batch of what did not arrive, with fresh plans and a fresh approval. UserError while it is live."""
    await _require(counter, who, Verb.RETRY, job)
    if not job.state.ended:
        raise UserError(f"Batch {job.id} is {_state(job)}: it can be tried again once it has ended.")
    rows = again(await read_rows(counter.queue, job))
    if not rows:
        raise UserError(f"Of batch {job.id} nothing is left to try again. What needs a person is not repeated.")
    live = {} if batch_of(job).dry_run else await live_vms(counter, but_for=dedupe)
    requests = [
        replace(row.request, force=False, when_clean=when_clean or row.request.when_clean)
        for row in rows
        if row.request.vm.key not in live
    ]
    if not requests:
        which = live[rows[0].request.vm.key]
        raise UserError(
            f"All that is left of batch {job.id} is tried again already: {rows[0].request.vm.name} has {which}."
        )
    for row in rows:
        source = source_of(row.job) if row.job else None
        await require_options(counter, who, replace(row.request, force=False), source=source)
    await counter.channels.require_member(channel)
    title, now = batch_of(job).title, await counter.queue.now()
    fresh = Batch(
        title if title.endswith(_AGAIN) else f"{title}{_AGAIN}",
        tuple(replace(one, not_before=None) if one.not_before and one.not_before <= now else one for one in requests),
    )
    return await draft_batch(counter, who, channel, fresh, dedupe=dedupe)


async def show_batch_record(counter: Counter, who: Person, job: Job) -> Answer:
    """A batch, its VMs and its history, for one person."""
    await _require(counter, who, Verb.SEE, job)
    rows = await read_rows(counter.queue, job)
    parts = [_part(row) for row in in_order(rows)]
    steps = [f"{step.at:%Y-%m-%d %H:%M:%S}Z  {step.state:<11} {step.by}: {step.why}" for step in job.steps]
    return Answer(f"{batch_line(job)}: {tally(rows)}", [*steps, "", *parts])  # the last lines may not be shown


async def _waits(queue: JobQueue, job: Job) -> list[str]:
    """What it waits behind, as an approval of one VM says it: all of it, or so many of its VMs."""
    if not (holds := await queue.holds()):
        return []
    rows, approved = await read_rows(queue, job), plans_of(job)
    plans = [plan for row in rows if row.own and row.own.id in approved and (plan := plan_of(row.own)) is not None]
    said: list[str] = []
    for hold in holds:
        many = sum(hold.resource in (EVERYTHING, plan.link, *needs_of(plan)) for plan in plans)
        if many:
            whom = "It waits" if many == len(plans) else f"{many} of {len(plans)} wait"
            said.append(f"{whom}: {held_words(hold)}")
    return said


def _part(row: Row) -> str:
    known = f"{row.part.job}  " if row.part is not None else ""
    speaks = why(row)
    return f"{known}{row.request.vm.name} to {row.request.site}  {word(row)}" + (f": {speaks}" if speaks else "")


def _state(job: Job) -> str:
    return state_in_words(job.state)


async def _require(counter: Counter, who: Person, verb: Verb, job: Job) -> None:
    """The right at every site of it."""
    for site in batch_of(job).sites:
        await counter.rights.require(who, verb, site)
