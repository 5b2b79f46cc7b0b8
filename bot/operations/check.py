"""Check a draft: make its plan and show it. Repeating it is harmless, so a worker that died here costs nothing."""

from __future__ import annotations

from bot.errors import OutsideError, UserError
from bot.jobs.port import Claim
from bot.migration.machine import CheckStarted, DryRunMade, Phase, PlanMade, PlanRefused, advance
from bot.migration.plan import Plan
from bot.operations.canary_check import approve_canary, unfit
from bot.operations.cards import job_card
from bot.operations.outlook import outlook_of
from bot.operations.plan_migration import plan_migration
from bot.operations.record import request_of, with_plan
from bot.operations.show_job import show_job
from bot.operations.survey import surveying_of
from bot.operations.tools import WorkerTools


async def start_check(tools: WorkerTools, claim: Claim) -> None:
    """drafted -> checking, seen by the person."""
    await claim.move(advance(claim.job.state, CheckStarted()), why="reading the facts")
    await tools.outbox.show(job_card(claim.job))


async def check(tools: WorkerTools, claim: Claim) -> None:
    """checking -> planned (or done for a dry run, or failed with the reason), and the card says so.

    A world that does not answer ends the check with its sentence: the person is waiting, and asking again is cheap.
    """
    request = request_of(claim.job)
    outlook = await outlook_of(tools, request)
    try:
        plan = await plan_migration(tools.fleet, request, outlook=outlook, surveying=surveying_of(tools, claim.job.id))
    except (UserError, OutsideError) as error:
        why = str(error)
        await claim.move(advance(claim.job.state, PlanRefused()), why=why, data={"outcome": why})
    else:
        await _planned(claim, plan)
        if plan.request.canary and claim.job.state is Phase.PLANNED:
            await approve_canary(tools, claim.job, plan)
            await show_job(tools.queue, tools.outbox, claim.job.id)  # it may be another worker's by now
            return
    await tools.outbox.show(job_card(claim.job))


async def _planned(claim: Claim, plan: Plan) -> None:
    if why := unfit(plan):
        refused = advance(claim.job.state, PlanRefused())
        await claim.move(refused, why=why, data={**with_plan(plan), "outcome": why})
        return
    if plan.request.dry_run:
        await claim.move(
            advance(claim.job.state, DryRunMade()),
            why="dry run",
            data={**with_plan(plan), "outcome": "Dry run: this is the plan. Nothing was moved or queued."},
        )
        return
    blocks = [c for c in plan.concerns if c.severity == "block"]
    why = f"{len(plan.concerns)} concerns, {len(blocks)} of them block it" if plan.concerns else "no concerns"
    await claim.move(advance(claim.job.state, PlanMade()), why=why, data=with_plan(plan))
