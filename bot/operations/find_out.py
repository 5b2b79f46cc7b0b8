"""Find out whether a relocation was started whose reply nobody has. Looks, waits, decides; starts nothing itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from bot.errors import LoginError, OutsideError, UnreachableError
from bot.jobs.port import Claim, Job
from bot.migration.machine import WriterEnded, advance
from bot.migration.plan import Plan
from bot.operations.record import Intent, approved_plan, intent_of, is_adopted, op_base, with_intent
from bot.operations.since import in_its_time
from bot.operations.tools import Fleet, WorkerTools
from bot.operations.trace import JobTrace, read
from bot.operations.trouble import tell_trouble, trouble_is_over
from bot.operations.verify import Sighting, Whereabouts, sight
from bot.slack.port import Reply
from bot.vsphere.port import FaultError, TaskSnapshot, VCenter

LOOK_EVERY: Final = 1.0
"""Seconds between two looks while the settle time runs."""

DOUBTS: Final = 3
"""Looks that must find nothing clear before a person is asked: a VM that changes its vCenter is for a moment in both,
or in none.
"""

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
    vCenter refuses to let us find out the search goes on until `tools.patience` is over; while it is away, for ever.
    """
    plan = approved_plan(claim.job)
    vcenter = tools.fleet.vcenter(plan.request.vm.vcenter)
    hindered, settling, doubts = _Hindered(tools, claim), _Settling(tools), 0
    trace: _TraceRead | None = None
    while True:
        finding: Finding | None = None
        hindrance: OutsideError | None = None
        try:
            trace = trace or await _read_trace(vcenter, plan)
            hindrance = await _end_writer(tools, claim, vcenter, trace)
            intent = intent_of(claim.job)
            settled = await settling.is_over(intent)
            finding = await look(tools.fleet, plan, await in_its_time(tools, vcenter, intent), settled=settled)
            if isinstance(finding, Unclear) and (doubts := doubts + 1) < DOUBTS:
                finding = None  # it may just be changing from one vCenter to the other
        except (UnreachableError, LoginError, FaultError) as error:
            hindrance = error
        if finding is None and hindrance is not None:
            finding = await hindered.by(hindrance)
        if finding is not None:
            return finding
        if hindrance is not None:
            await tell_trouble(tools, claim, str(hindrance))
        else:
            hindered = _Hindered(tools, claim)
            await trouble_is_over(tools, claim)
        await claim.cancel_asked()  # a lost lease ends the search here
        await asyncio.sleep(LOOK_EVERY)


@dataclass(slots=True)
class _Settling:
    """The time in which a call that had left its session may still arrive.

    It goes by Redis' clock, which outlives workers. A server that took over since may be ahead by any time, and the
    call be under way nevertheless: then it has to be over by this process's own clock too.
    """

    tools: WorkerTools
    since: timedelta | None = None

    async def is_over(self, intent: Intent) -> bool:
        tools = self.tools
        if intent.ended is None or await tools.queue.now() < intent.ended + tools.settle:
            return False
        if await tools.whose_clock() == intent.ended_by:
            return True
        here = await tools.steady()
        if self.since is None:
            self.since = here
        return here >= self.since + tools.settle


@dataclass(frozen=True, slots=True)
class _TraceRead:
    """What was on the VM once this claim had the job; whoever writes there later asks Redis before it calls."""

    trace: JobTrace | None

    def later_than(self, job: Job) -> JobTrace | None:
        """The trace, if it is of a call of this job that Redis has forgotten: it came back with an older record."""
        found = self.trace
        return found if found is not None and found.job == job.id and found.attempt > job.attempt else None


async def _read_trace(vcenter: VCenter, plan: Plan) -> _TraceRead:
    try:
        return _TraceRead(read(await vcenter.read_trace(plan.request.vm.uuid)))
    except FaultError:
        return _TraceRead(None)  # a VM that is no more has none, and what may not be read was not written either


async def _end_writer(tools: WorkerTools, claim: Claim, vcenter: VCenter, on_vm: _TraceRead) -> FaultError | None:
    """End the session that may have called, once, and write down when: from then on nothing leaves it any more.

    Whoever had it may have been paused for any time, and may have called a moment ago: only now the wait begins for
    what is under way. A refusal is answered, not raised: what vCenter already shows can be looked for all the same.
    """
    job, intent, later = claim.job, intent_of(claim.job), on_vm.later_than(claim.job)
    if intent.ended is not None and later is None:
        return None
    try:
        if later is not None or is_adopted(job):
            # What Redis forgot may have called again since, through a session that nobody names.
            await vcenter.end_writers()
        await vcenter.end_session(intent.session)
    except FaultError as refusal:
        return refusal
    ended_by = await tools.whose_clock()  # before its clock is read: if another takes over in between, that is noticed
    ended = replace(intent, ended=await tools.queue.now(), ended_by=ended_by)
    if later is not None:
        ended = replace(ended, op_id=f"{op_base(job.id)}-a{later.attempt}", session=later.session)
    seconds = tools.settle.total_seconds()
    why = f"the session that may have called is ended; what it sent may arrive for {seconds:.0f} s"
    attempt = later.attempt if later is not None else None
    await claim.move(advance(job.state, WriterEnded()), why=why, data=with_intent(ended), attempt=attempt)
    return None


async def look(fleet: Fleet, plan: Plan, intent: Intent, *, settled: bool) -> Finding | None:
    """What vCenter shows now, or both do of a move between two; None while that does not say it."""
    vcenter = fleet.vcenter(plan.request.vm.vcenter)
    try:
        seen = await sight(fleet, plan)
    except OutsideError:
        # A task at the source decides without the other vCenter, if it is that one which cannot be asked.
        with suppress(FaultError):
            if plan.far and (task := _most_telling(_ours(vcenter, await _relocations(vcenter, plan, intent)))):
                return Started(task)
        raise
    # In this order: a call that lands between the two questions is found as a task, never missed as a place. A vCenter
    # that has no such VM knows no tasks of it either.
    tasks = await _relocations(vcenter, plan, intent) if seen.here else ()
    if (task := _most_telling(_ours(vcenter, tasks))) is not None:
        return Started(task)
    if seen.where is Whereabouts.AT_TARGET:
        return Moved()
    if not settled or any(not task.ended for task in tasks):
        return None
    return _settled(seen, tasks)


async def _relocations(vcenter: VCenter, plan: Plan, intent: Intent) -> Sequence[TaskSnapshot]:
    return await vcenter.find_relocations(plan.request.vm.uuid, since=intent.vcenter_time)


def _ours(vcenter: VCenter, tasks: Sequence[TaskSnapshot]) -> list[TaskSnapshot]:
    return [task for task in tasks if same_user(task.user, vcenter.user)]


def _settled(seen: Sighting, others: Sequence[TaskSnapshot]) -> Finding:
    name = seen.plan.request.vm.name
    match seen.where:
        case Whereabouts.GONE | Whereabouts.TWICE:
            return Unclear(f"{seen.in_words()}.")
        case Whereabouts.ELSEWHERE | Whereabouts.AT_TARGET:
            return Unclear(f"{name} is neither at its source nor at its target: {seen.in_words()}.")
        case Whereabouts.AT_SOURCE if others:
            whom = ", ".join(sorted({task.user or "somebody" for task in others}))
            return NotOurs(f"{whom} relocated {name} at the same time; nothing of ours was started.")
        case Whereabouts.AT_SOURCE:
            return NotStarted()


def _most_telling(tasks: Sequence[TaskSnapshot]) -> TaskSnapshot | None:
    """A task that still runs, else the last one that ended: the place of the VM is read in either case."""
    return next(reversed([task for task in tasks if not task.ended] or tasks), None)


@dataclass(slots=True)
class _Hindered:
    """How long vCenter has kept us from finding out, in one way: refusals and absences are not added up."""

    tools: WorkerTools
    claim: Claim
    away: bool = False
    since: timedelta | None = None
    told: bool = False

    async def by(self, error: OutsideError) -> Unclear | None:
        """A refusal, of a login or of a right, is for a person once `tools.patience` is over. A vCenter that is away is
        awaited, as an upgrade may take hours and what it knows afterwards decides; the thread is told once of that.
        """
        log.warning("cannot find out what became of the relocation yet: %s", error)
        now, away = await self.tools.steady(), isinstance(error, UnreachableError)
        if self.since is None or away is not self.away:
            self.away, self.since = away, now
        if now - self.since < self.tools.patience:
            return None
        if away:
            await self._tell(error)
            return None
        minutes = int((now - self.since).total_seconds() // 60)
        return Unclear(f"For {minutes} minutes it could not be found out whether the copy started ({error}).")

    async def _tell(self, error: OutsideError) -> None:
        if self.told:
            return
        vm, job = approved_plan(self.claim.job).request.vm, self.claim.job
        said = (
            f"vCenter {vm.vcenter} is away for long ({error}) Whether the copy of {vm.name} started is looked up as "
            "soon as it answers, however long that takes. Please do not start it by hand."
        )
        await self.tools.outbox.reply(job.id, job.channel, Reply("away", said))
        self.told = True


def same_user(task_user: str, ours: str) -> bool:
    r"""Whether two spellings name one account: `VSPHERE.LOCAL\svc` and `svc@vsphere.local` do."""
    return _account(task_user) == _account(ours)


def _account(user: str) -> tuple[str, str]:
    if "\\" in user:
        domain, _, name = user.partition("\\")
    else:
        name, _, domain = user.partition("@")
    return name.casefold(), domain.casefold()
