"""Run a migration on a worker: one step per phase, each looking before it acts, so that any worker can go on.

Ledger first, effect second. The call is made once (`start`), its reply may be lost, and a lost reply is looked up
(`find_out`), never guessed. This file matches on the phase; what each phase does is in the files beside it.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress
from typing import assert_never

from bot.errors import BugError, OutsideError, UserError
from bot.jobs.port import Claim, LostLeaseError
from bot.migration.machine import (
    CancelledAtSource,
    Phase,
    PutOff,
    Refused,
    ReplyLost,
    TaskEnded,
    Undecidable,
)
from bot.operations.check import check, start_check
from bot.operations.conclude import conclude
from bot.operations.find_out import Moved, NotOurs, NotStarted, Started, Unclear, find_out, same_user
from bot.operations.follow_task import follow_task
from bot.operations.record import TaskEnd, intent_of, is_adopted, with_task_end
from bot.operations.run import TASK_IN_PROGRESS, Run
from bot.operations.since import in_its_time
from bot.operations.start import found, is_off, put_off_start, start, submit_again
from bot.operations.tools import WorkerTools
from bot.operations.trouble import tell_trouble
from bot.operations.verify import Whereabouts, whereabouts
from bot.operations.wait_for_opening import is_closed


async def run_migration(tools: WorkerTools, claim: Claim) -> None:
    """Carry a claimed job as far as it goes without a person. Raises LostLeaseError when another worker has it.

    What it raises because the world is away is on the card before: whoever waits for the job reads why.
    """
    tools.reached("claimed")
    try:
        async with AsyncExitStack() as stack:
            run = Run(tools, claim, stack)
            while not claim.closed:
                await _step(run)
    except (OutsideError, UserError) as error:
        with suppress(OutsideError, LostLeaseError):  # the error itself is what the worker has to hear of
            await tell_trouble(tools, claim, str(error))
        raise


async def _step(run: Run) -> None:
    match run.claim.job.state:
        case Phase.DRAFTED:
            await start_check(run.tools, run.claim)
        case Phase.CHECKING:
            await check(run.tools, run.claim)
        case Phase.QUEUED:
            await start(run)
        case Phase.INTENT:
            # Written by a claim that is gone: this one did not make the call, so its reply is not known.
            await run.move(ReplyLost(), why="the worker that was starting it is gone")
        case Phase.UNKNOWN:
            await _find_out(run)
        case Phase.ATTACHED:
            await _follow(run)
        case Phase.VERIFYING:
            await conclude(run.tools, run.claim, await run.watching())
        case Phase.PLANNED | Phase.DONE | Phase.FAILED | Phase.CANCELLED | Phase.NEEDS_HUMAN:
            raise BugError(f"nothing is to be done in the phase '{run.claim.job.state}'")
        case state:
            assert_never(state)


async def _find_out(run: Run) -> None:
    if not run.tools.look_up:
        await submit_again(run, why="look-up is switched off")
        return
    match await find_out(run.tools, run.claim):
        case Started() as started:
            await found(run, started)
        case Moved():
            await run.move(TaskEnded(), why="the VM is at its target")
        case NotStarted():
            await _not_started(run)
        case NotOurs(why):
            await run.end(Refused(), why)
        case Unclear(why):
            await run.end(Undecidable(), f"{why} Please look in vCenter; nothing will be started by itself.")


async def _not_started(run: Run) -> None:
    """It is certain that the call came to nothing: it may be made again, if it still should."""
    if await run.claim.cancel_asked():
        await run.end(CancelledAtSource(), "Cancelled. The copy had not started; the VM is at its source.")
    elif is_adopted(run.claim.job):
        why = "Redis had lost what it knew of this migration. It is certain that nothing was started"
        await run.end(Refused(), f"{why}, and the VM is at its source: ask for it again.")
    elif await is_closed(run.tools, run.claim):
        await run.move(PutOff(), why="certain that it had not started, and by now it has to wait")
    elif not await is_off(run):
        await put_off_start(run, f"{run.plan.request.vm.name} has been powered on since.")
    else:
        await submit_again(run, why="certain that it had not started")


async def _follow(run: Run) -> None:
    end = await follow_task(run.tools, run.claim, run.vcenter, run.plan, await run.watching())
    if end is not None and end.fault == TASK_IN_PROGRESS:
        if other := await _other(run):
            await run.claim.note({"task": other})
            return
        place = await run.vcenter.place(run.plan.request.vm.uuid)
        if place is not None and whereabouts(place, run.plan) is Whereabouts.AT_SOURCE:
            await put_off_start(run, end.message or end.fault)
            return
    await run.move(TaskEnded(), why=_ended_how(end), data=with_task_end(end) if end else {})


async def _other(run: Run) -> str | None:
    """A relocation of ours that runs still and stood in the way of the one that ended: it is the one to follow."""
    intent = await in_its_time(run.tools, run.vcenter, intent_of(run.claim.job))
    tasks = await run.vcenter.find_relocations(run.plan.request.vm.uuid, since=intent.vcenter_time)
    return next((t.task for t in tasks if not t.ended and same_user(t.user, run.vcenter.user)), None)


def _ended_how(end: TaskEnd | None) -> str:
    if end is None:
        return "vCenter no longer knows the task"
    return "the task succeeded" if end.fault is None else f"the task ended: {end.message or end.fault}"
