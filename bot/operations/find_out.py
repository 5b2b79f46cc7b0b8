"""Find out whether a relocation was started whose reply nobody has. Looks, waits, decides; starts nothing itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.errors import LoginError, OutsideError, UnreachableError
from bot.jobs.port import Claim
from bot.migration.plan import Plan
from bot.operations.record import Intent, approved_plan, intent_of
from bot.operations.tools import WorkerTools
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
    """Certain: the old session is ended, the settle time is over, no relocation since the intent, VM at the source."""


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
    vCenter cannot be read the search goes on until `tools.patience` is over.
    """
    plan, intent = approved_plan(claim.job), intent_of(claim.job)
    vcenter = tools.fleet.vcenter(plan.request.vm.vcenter)
    fenced = False
    unreadable_since: datetime | None = None
    while True:
        now = await tools.queue.now()
        try:
            if not fenced:
                await vcenter.end_session(intent.session)
                fenced = True
            finding = await _look(vcenter, plan, intent, settled=now >= intent.at + tools.settle)
            unreadable_since = None
        except (UnreachableError, LoginError, FaultError) as error:
            unreadable_since = unreadable_since or now
            finding = _unreadable(error, now - unreadable_since, tools.patience)
        if finding is not None:
            return finding
        await claim.cancel_asked()  # a lost lease ends the search here
        await asyncio.sleep(LOOK_EVERY)


async def _look(vcenter: VCenter, plan: Plan, intent: Intent, *, settled: bool) -> Finding | None:
    uuid = plan.request.vm.uuid
    tasks = await vcenter.find_relocations(uuid, since=intent.vcenter_time)
    ours = [task for task in tasks if same_user(task.user, vcenter.user)]
    if (task := _most_telling(ours)) is not None:
        return Started(task)
    place = await vcenter.place(uuid)
    if place is not None and whereabouts(place, plan) is Whereabouts.AT_TARGET:
        return Moved()
    if not settled or any(not task.ended for task in tasks):
        return None
    return _settled(plan, place, tasks)


def _settled(plan: Plan, place: VmPlace | None, others: Sequence[TaskSnapshot]) -> Finding:
    name = plan.request.vm.name
    if place is None:
        return Unclear(f"{name} is no longer in vCenter {plan.request.vm.vcenter}.")
    if whereabouts(place, plan) is not Whereabouts.AT_SOURCE:
        return Unclear(f"{name} is neither at its source nor at its target: {in_words(place)}.")
    if others:
        whom = ", ".join(sorted({task.user or "somebody" for task in others}))
        return NotOurs(f"{whom} relocated {name} at the same time; nothing of ours was started.")
    return NotStarted()


def _most_telling(tasks: Sequence[TaskSnapshot]) -> TaskSnapshot | None:
    """A task that still runs, else the last one that ended: the place of the VM is read in either case."""
    return next(reversed([task for task in tasks if not task.ended] or tasks), None)


def _unreadable(error: OutsideError, for_how_long: timedelta, patience: timedelta) -> Unclear | None:
    log.warning("cannot find out what became of the relocation yet: %s", error)
    if for_how_long < patience:
        return None
    minutes = int(for_how_long.total_seconds() // 60)
    return Unclear(f"vCenter could not be read for {minutes} minutes ({error}).")


def same_user(task_user: str, ours: str) -> bool:
    r"""Whether two spellings name one account: `VSPHERE.LOCAL\svc` and `svc@vsphere.local` do."""
    return _account(task_user) == _account(ours)


def _account(user: str) -> tuple[str, str]:
    if "\\" in user:
        domain, _, name = user.partition("\\")
    else:
        name, _, domain = user.partition("@")
    return name.casefold(), domain.casefold()
