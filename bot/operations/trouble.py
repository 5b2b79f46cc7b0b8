"""Tell what a job waits for while the world is away. Kept in its data and shown on its card until it is over."""

from __future__ import annotations

from bot.jobs.port import Claim
from bot.operations.cards import job_card
from bot.operations.record import NO_TROUBLE, trouble_of, with_trouble
from bot.operations.tools import WorkerTools


async def tell_trouble(tools: WorkerTools, claim: Claim, why: str) -> None:
    """Show the sentence, unless it is shown already. LostLeaseError when another worker has the job."""
    if trouble_of(claim.job) != why:
        await claim.note(with_trouble(why))
        await tools.outbox.show(job_card(claim.job))


async def trouble_is_over(tools: WorkerTools, claim: Claim) -> None:
    """Take the sentence away again."""
    if trouble_of(claim.job):
        await claim.note(NO_TROUBLE)
        await tools.outbox.show(job_card(claim.job))
