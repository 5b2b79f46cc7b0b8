"""Find out whether a relocation was started whose reply nobody has. Looks, waits, decides; starts nothing itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.errors import LoginError, OutsideError, UnreachableError
from bot.jobs.port import Claim
from bot.migration.machine import WriterEnded, advance
from bot.migration.plan import Plan
from bot.operations.record import Intent, approved_plan, intent_of, is_adopted, with_intent
from bot.operations.tools import WorkerTools
from bot.operations.trouble import tell_trouble, trouble_is_over
from bot.operations.verify import Whereabouts, in_words, whereabouts
from bot.vsphere.port import FaultError, TaskSnapshot, VCenter, VmPlace

LOOK_EVERY: Final = 1.0
"""Seconds between two looks while the settle time runs."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Started:
    """Our task, running or ended."""

    task: TaskSnapshot


@dataclass(frozen=True, slots=True)
class Moved:
    """The VM is at its target, and no task is left to read."""


@dataclass(frozen=True, slots=True)
class NotStarted:
    """Certain: the old session is ended, for the settle time nothing has arrived from it, and the VM is at the source.

    Nothing: no relocation of this VM since the first intent.
    """


@dataclass(frozen=True, slots=True)
class NotOurs:
    """Nothing of ours was started and the VM is at the source, but somebody else was at work: not to be repeated."""

    why: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """A person must look; `why` says what is known."""

    why: str


Finding = Started | Moved | NotStarted | NotOurs | Unclear


async def find_out(tools: WorkerTools, claim: Claim) -> Finding:
    """What became of the intent of this job (DESIGN, Decided 2).

    A task that is found ends the search at once. "Not started" is said only when all four conditions hold. While
    vCenter does not let us find out the search goes on, until `tools.patience` is over.
    """
    plan = approved_plan(claim.job)
    vcenter = tools.fleet.vcenter(plan.request.vm.vcenter)
    hindered_since: datetime | None = None
    while True:
        finding: Finding | None = None
        hindrance: OutsideError | None = None
        try:
            hindrance = await _end_writer(tools, claim, vcenter)
            intent = intent_of(claim.job)
            settled = intent.ended is not None and await tools.queue.now() >= intent.ended + tools.settle
            finding = await look(vcenter, plan, intent, settled=settled)
        except (UnreachableError, LoginError, FaultError) as error:
            hindrance = error
        if finding is None and hindrance is not None:
            now = await tools.queue.now()
            hindered_since = hindered_since or now
            finding = _hindered(hindrance, now - hindered_since, tools.patience)
        if finding is not None:
            return finding
        if hindrance is not None:
            await tell_trouble(tools, claim, str(hindrance))
        else:
            hindered_since = None
            await trouble_is_over(tools, claim)
        await claim.cancel_asked()  # a lost lease ends the search here
        await asyncio.sleep(LOOK_EVERY)


async def _end_writer(tools: WorkerTools, claim: Claim, vcenter: VCenter) -> FaultError | None:
    """End the session that may have called, once, and write down when: from then on nothing leaves it any more.

    Whoever had it may have been paused for any time, and may have called a moment ago: only now the wait begins for
    what is under way. A refusal is answered, not raised: what vCenter already shows can be looked for all the same.
    """
    intent = intent_of(claim.job)
    if intent.ended is not None:
        return None
    try:
        if is_adopted(claim.job):
            # What Redis forgot may have called again since, through a session that the trace does not name.
            await vcenter.end_writers()
        await vcenter.end_session(intent.session)
    except FaultError as refusal:
        return refusal
    ended = replace(intent, ended=await tools.queue.now())
    seconds = tools.settle.total_seconds()
    why = f"the session that may have called is ended; what it sent may arrive for {seconds:.0f} s"
    await claim.move(advance(claim.job.state, WriterEnded()), why=why, data=with_intent(ended))
    return None


async def look(vcenter: VCenter, plan: Plan, intent: Intent, *, settled: bool) -> Finding | None:
    """What vCenter shows now; None while that does not say it."""
    uuid = plan.request.vm.uuid
    place = await vcenter.place(uuid)
    if place is None:
        return Unclear(f"{plan.request.vm.name} is no longer in vCenter {vcenter.name}.") if settled else None
    # In this order: a call that lands between the two questions is found as a task, never missed as a place.
    tasks = await vcenter.find_relocations(uuid, since=intent.vcenter_time)
    ours = [task for task in tasks if same_user(task.user, vcenter.user)]
    if (task := _most_telling(ours)) is not None:
        return Started(task)
    if whereabouts(place, plan) is Whereabouts.AT_TARGET:
        return Moved()
    if not settled or any(not task.ended for task in tasks):
        return None
    return _settled(plan, place, tasks)


def _settled(plan: Plan, place: VmPlace, others: Sequence[TaskSnapshot]) -> Finding:
    name = plan.request.vm.name
    if whereabouts(place, plan) is not Whereabouts.AT_SOURCE:
        return Unclear(f"{name} is neither at its source nor at its target: {in_words(place)}.")
    if others:
        whom = ", ".join(sorted({task.user or "somebody" for task in others}))
        return NotOurs(f"{whom} relocated {name} at the same time; nothing of ours was started.")
    return NotStarted()


def _most_telling(tasks: Sequence[TaskSnapshot]) -> TaskSnapshot | None:
    """A task that still runs, else the last one that ended: the place of the VM is read in either case."""
    return next(reversed([task for task in tasks if not task.ended] or tasks), None)


def _hindered(error: OutsideError, for_how_long: timedelta, patience: timedelta) -> Unclear | None:
    log.warning("cannot find out what became of the relocation yet: %s", error)
    if for_how_long < patience:
        return None
    minutes = int(for_how_long.total_seconds() // 60)
    return Unclear(f"For {minutes} minutes it could not be found out whether the copy started ({error}).")


def same_user(task_user: str, ours: str) -> bool:
    r"""Whether two spellings name one account: `VSPHERE.LOCAL\svc` and `svc@vsphere.local` do."""
    return _account(task_user) == _account(ours)


def _account(user: str) -> tuple[str, str]:
    if "\\" in user:
        domain, _, name = user.partition("\\")
    else:
        name, _, domain = user.partition("@")
    return name.casefold(), domain.casefold()
