"""Run a migration on a worker: one step per phase, each looking before it acts, so that any worker can go on.

Ledger first, effect second. The call is made once (`bot.vsphere`), its reply may be lost, and a lost reply is looked
up (`find_out`), never guessed. This file matches on the phase; what each phase does is in the files beside it.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Final, assert_never

from bot.errors import (
    BugError,
    LoginError,
    MaybeSentError,
    OutsideError,
    UnconfirmedError,
    UnreachableError,
    UserError,
)
from bot.jobs.port import Claim, LostLeaseError
from bot.migration.machine import (
    Cancelled,
    CancelledAtSource,
    Event,
    IntentWritten,
    NothingStarted,
    Phase,
    PutOff,
    Refused,
    ReplyLost,
    TaskEnded,
    TaskFound,
    Undecidable,
    advance,
)
from bot.migration.plan import Plan
from bot.operations.cards import job_card
from bot.operations.check import check, start_check
from bot.operations.conclude import conclude
from bot.operations.find_out import Moved, NotOurs, NotStarted, Started, Unclear, find_out, look, same_user
from bot.operations.finish import finish
from bot.operations.follow_task import follow_task
from bot.operations.last_look import No, NotNow, last_look, put_off
from bot.operations.readopt import Forgotten, adopt, forgotten
from bot.operations.record import (
    ADOPTED,
    NO_TROUBLE,
    Intent,
    TaskEnd,
    approved_plan,
    intent_of,
    is_adopted,
    op_base,
    with_intent,
    with_task_end,
)
from bot.operations.take_trace_away import take_trace_away
from bot.operations.tools import WorkerTools
from bot.operations.trace import read, trace_of, write
from bot.operations.trouble import tell_trouble
from bot.operations.verify import Whereabouts, whereabouts
from bot.operations.wait_for_opening import waits_for_opening
from bot.operations.watch_logs import LogWatch, watching
from bot.slack.port import Reply
from bot.vsphere.port import FaultError, Trace, VCenter

SESSION_ENDED: Final = "vim.fault.NotAuthenticated"
TASK_IN_PROGRESS: Final = "vim.fault.TaskInProgress"
MOST_ATTEMPTS: Final = 10
"""Intents of one job; calls that come to nothing again and again have a cause that a person must see."""


async def run_migration(tools: WorkerTools, claim: Claim) -> None:
    """Carry a claimed job as far as it goes without a person. Raises LostLeaseError when another worker has it.

    What it raises because the world is away is on the card before: whoever waits for the job reads why.
    """
    tools.reached("claimed")
    try:
        async with AsyncExitStack() as stack:
            run = _Run(tools, claim, stack)
            while not claim.closed:
                await run.step()
    except (OutsideError, UserError) as error:
        with suppress(OutsideError, LostLeaseError):  # the error itself is what the worker has to hear of
            await tell_trouble(tools, claim, str(error))
        raise


@dataclass(slots=True)
class _Run:
    tools: WorkerTools
    claim: Claim
    stack: AsyncExitStack
    watch: LogWatch | None = None

    async def step(self) -> None:
        match self.claim.job.state:
            case Phase.DRAFTED:
                await start_check(self.tools, self.claim)
            case Phase.CHECKING:
                await check(self.tools, self.claim)
            case Phase.QUEUED:
                await self._start()
            case Phase.INTENT:
                # Written by a claim that is gone: this one did not make the call, so its reply is not known.
                await self._move(ReplyLost(), why="the worker that was starting it is gone")
            case Phase.UNKNOWN:
                await self._find_out()
            case Phase.ATTACHED:
                await self._follow()
            case Phase.VERIFYING:
                await conclude(self.tools, self.claim, await self._watching())
            case Phase.PLANNED | Phase.DONE | Phase.FAILED | Phase.CANCELLED | Phase.NEEDS_HUMAN:
                raise BugError(f"nothing is to be done in the phase '{self.claim.job.state}'")
            case state:
                assert_never(state)

    async def _start(self) -> None:
        """Look once more, open the logs, write the intent, make the call."""
        if await self.claim.cancel_asked():
            await self._end(Cancelled(), "Cancelled before anything was started.")
            return
        if await waits_for_opening(self.tools, self.claim):
            return
        if await self._called_before():
            return
        match await last_look(self.tools, self.claim):
            case No(why):
                await self._end(Refused(), f"{why} Nothing was started.")
                return
            case NotNow(why):
                await put_off(self.tools, self.claim, why)
                return
        if (forgotten := await self._forgotten()) is not None:
            why = f"{forgotten.vm} is being migrated already, by a job that Redis had forgotten: {forgotten.job}."
            await self._end(Refused(), f"{why} It is followed again from now on. Nothing was started by this job.")
            await adopt(self.tools, forgotten)
            return
        await self._submit(IntentWritten(), why="about to ask vCenter", attempt=self.claim.job.attempt + 1)

    async def _called_before(self) -> bool:
        """Whether the trace on the VM tells of a call of this very job that is later than what Redis knows.

        Then Redis came back with an older record. What became of that call is found out, and the job starts nothing.
        """
        job, (plan, vcenter) = self.claim.job, self._known()
        try:
            trace = read(await vcenter.read_trace(plan.request.vm.uuid))
        except FaultError:
            return False  # as of `_forgotten`
        if trace is None or trace.job != job.id or trace.attempt <= job.attempt:
            return False
        op_id = f"{op_base(job.id)}-a{trace.attempt}"
        intent = Intent(op_id, trace.session, trace.since, await self.tools.queue.now())
        why = "its trace is on the VM: Redis had forgotten the call"
        await self._move(IntentWritten(), why=why, data={**with_intent(intent), **ADOPTED}, attempt=trace.attempt)
        return True

    async def _forgotten(self) -> Forgotten | None:
        """A migration of this VM that may still be under way, and of which only its trace on the VM tells."""
        plan, vcenter = self._known()
        vm = plan.request.vm
        try:
            return await forgotten(self.tools, Trace(vm, await vcenter.read_trace(vm.uuid)))
        except FaultError:
            return None  # what cannot be read is said by the objection, or by the write that follows

    async def _submit(self, event: Event, *, why: str, attempt: int) -> None:
        plan, vcenter = self._known()
        op_id = f"{op_base(self.claim.job.id)}-a{attempt}"
        try:
            session = await vcenter.writer_session()
            await self._watching(op_id)  # which may take its time, hence before the clocks are read
            first = isinstance(event, IntentWritten)  # else an earlier call of this start may still have an effect
            since = await vcenter.now() if first else intent_of(self.claim.job).vcenter_time
            intent = Intent(op_id, session, since, await self.tools.queue.now())
        except (FaultError, LoginError) as error:
            await self._end(Refused(), f"{error} Nothing was started.")
            return
        self.tools.reached("before-intent")
        try:
            await self._move(event, why=why, data=with_intent(intent), attempt=attempt)
        except UnconfirmedError as error:
            await self._unconfirmed(error, attempt)
            return
        if self.claim.closed:
            await self._not_started()
            return
        self.tools.reached("after-intent")
        trace = trace_of(self.claim.job, plan, intent, attempt=attempt)
        try:
            await vcenter.write_trace(plan.request.vm.uuid, write(trace), session=session)
            self.tools.reached("after-trace")
            if await self._is_cancelled():
                await self._end(CancelledAtSource(), "Cancelled before anything was started.")
                return
            task = await vcenter.relocate(plan, op_id=op_id, session=session)
        except FaultError as error:
            await self._refused(error, attempt)
        except (MaybeSentError, UnreachableError) as error:
            # Never sent is as safe to look up as maybe sent, and the look-up then repeats the call by its rule.
            await self._move(ReplyLost(), why=str(error))
        else:
            self.tools.reached("after-submit")
            await self._move(TaskFound(), why=f"{task} is running", data={"task": task})
            self.tools.reached("attached")

    async def _unconfirmed(self, error: UnconfirmedError, attempt: int) -> None:
        """The intent may be forgotten by a Redis that takes over, so nothing is called, and it counts as no attempt."""
        if self.claim.closed:
            await self._not_started()
            return
        await self._move(PutOff(), why=str(error), attempt=attempt - 1)
        await put_off(self.tools, self.claim, str(error))

    async def _is_cancelled(self) -> bool:
        """The last question before the call, and only once the trace is on the VM.

        Whoever was paused before it, while Redis lost its data and somebody else moved the VM, finds the job lost and
        calls nothing; whoever is paused after it has left a trace that everybody else finds first.
        """
        try:
            return bool(await self.claim.cancel_asked())
        except LostLeaseError:
            await take_trace_away(self.tools, self.claim.job)
            raise

    async def _refused(self, error: FaultError, attempt: int) -> None:
        """A definite answer: this call was not carried out."""
        if error.kind == SESSION_ENDED and attempt < MOST_ATTEMPTS:
            # The next one needs an intent of its own session.
            await self._submit(NothingStarted(), why="the session had ended before the call", attempt=attempt + 1)
            return
        if error.kind == TASK_IN_PROGRESS or attempt > 1:
            # What is in its way may be an earlier call of this very job, which arrived after all.
            plan, vcenter = self._known()
            found = await look(vcenter, plan, intent_of(self.claim.job), settled=False)
            if isinstance(found, Started):
                await self._found(found)
                return
        if error.transient and attempt < MOST_ATTEMPTS:
            await self._put_off(str(error))
            return
        await self._end(Refused(), f"vCenter refused to start it: {error} ({error.kind})")

    async def _put_off(self, said: str) -> None:
        """vCenter keeps tasks of one VM apart: this one did nothing, and is asked for again when the other is over."""
        why = f"vCenter cannot start it at the moment: {said}"
        await self._move(PutOff(), why=why)
        await put_off(self.tools, self.claim, why)

    async def _found(self, started: Started) -> None:
        task = started.task.task
        await self._move(TaskFound(), why=f"{task} was found in vCenter", data={"task": task})

    async def _not_started(self) -> None:
        """Cancelled, or held, between the claim and the intent: Redis decided that in the very write of the intent."""
        job = self.claim.job
        if job.state is not Phase.CANCELLED:
            return  # its card was shown by the move, and it waits for the release
        said = f"{approved_plan(job).request.vm.name} was cancelled before anything was started."
        await self.tools.outbox.reply(job.id, job.channel, Reply("end", said, final=True, quiet=True))

    async def _find_out(self) -> None:
        if not self.tools.look_up:
            await self._submit(NothingStarted(), why="look-up is switched off", attempt=self.claim.job.attempt + 1)
            return
        match await find_out(self.tools, self.claim):
            case Started() as started:
                await self._found(started)
            case Moved():
                await self._move(TaskEnded(), why="the VM is at its target")
            case NotStarted() if await self.claim.cancel_asked():
                await self._end(CancelledAtSource(), "Cancelled. The copy had not started; the VM is at its source.")
            case NotStarted() if is_adopted(self.claim.job):
                why = "Redis had lost what it knew of this migration. It is certain that nothing was started"
                await self._end(Refused(), f"{why}, and the VM is at its source: ask for it again.")
            case NotStarted() if self.claim.job.attempt >= MOST_ATTEMPTS:
                why = f"vCenter was asked {self.claim.job.attempt} times and its answer was lost each time."
                await self._end(Refused(), f"{why} It is certain that nothing was started.")
            case NotStarted():
                await self._submit(
                    NothingStarted(), why="certain that it had not started", attempt=self.claim.job.attempt + 1
                )
            case NotOurs(why):
                await self._end(Refused(), why)
            case Unclear(why):
                await self._end(Undecidable(), f"{why} Please look in vCenter; nothing will be started by itself.")

    async def _follow(self) -> None:
        plan, vcenter = self._known()
        end = await follow_task(self.tools, self.claim, vcenter, plan, await self._watching())
        if end is not None and end.fault == TASK_IN_PROGRESS:
            if other := await self._other(plan, vcenter):
                await self.claim.note({"task": other})
                return
            place = await vcenter.place(plan.request.vm.uuid)
            if place is not None and whereabouts(place, plan) is Whereabouts.AT_SOURCE:
                await self._put_off(end.message or end.fault)
                return
        await self._move(TaskEnded(), why=_ended_how(end), data=with_task_end(end) if end else {})

    async def _other(self, plan: Plan, vcenter: VCenter) -> str | None:
        """A relocation of ours that runs still and stood in the way of the one that ended: it is the one to follow."""
        tasks = await vcenter.find_relocations(plan.request.vm.uuid, since=intent_of(self.claim.job).vcenter_time)
        return next((t.task for t in tasks if not t.ended and same_user(t.user, vcenter.user)), None)

    async def _watching(self, op_id: str | None = None) -> LogWatch:
        """The logs of both hosts, opened once per run; after a take-over from the intent on."""
        plan, _ = self._known()
        if self.watch is None:
            since = None if op_id else intent_of(self.claim.job).at
            self.watch = await self.stack.enter_async_context(
                watching(
                    self.tools.feed,
                    plan,
                    op_id=op_id or intent_of(self.claim.job).op_id,
                    logs=self.tools.logs,
                    since=since,
                )
            )
        if op_id:
            self.watch.op_id = op_id
        return self.watch

    def _known(self) -> tuple[Plan, VCenter]:
        plan = approved_plan(self.claim.job)
        return plan, self.tools.fleet.vcenter(plan.request.vm.vcenter)

    async def _move(
        self, event: Event, *, why: str, data: dict[str, str] | None = None, attempt: int | None = None
    ) -> None:
        fields = {**NO_TROUBLE, **(data or {})}
        await self.claim.move(advance(self.claim.job.state, event), why=why, data=fields, attempt=attempt)
        # A job that was held in this very moment is queued again, and anybody's to show.
        await self.tools.outbox.show(job_card(self.claim.job))

    async def _end(self, event: Event, outcome: str) -> None:
        cancelled = isinstance(event, Cancelled | CancelledAtSource)
        await finish(self.tools, self.claim, event, Reply("end", outcome, final=True, quiet=cancelled))


def _ended_how(end: TaskEnd | None) -> str:
    if end is None:
        return "vCenter no longer knows the task"
    return "the task succeeded" if end.fault is None else f"the task ended: {end.message or end.fault}"
