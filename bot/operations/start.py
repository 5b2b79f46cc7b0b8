"""Start an approved migration: a last look, the intent in Redis, the trace on the VM, the call. In this order.

Each of these can be the last thing that a worker does; whoever comes next finds out what came of it (`find_out`). A
call that vCenter refused was not carried out: it is given up, or put off if the reason passes by itself.
"""

from __future__ import annotations

from typing import Final

from bot.errors import LoginError, MaybeSentError, UnconfirmedError, UnreachableError
from bot.jobs.port import LostLeaseError
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
    TaskFound,
)
from bot.operations.clean_link import waits_for_clean_link
from bot.operations.far_faults import OUT_OF_DATE, OUTDATED
from bot.operations.find_out import Started, look
from bot.operations.last_look import No, NotNow, last_look, patience_is_over, put_off
from bot.operations.link_check import look_before_start
from bot.operations.orders import Prepared
from bot.operations.prepare import prepare
from bot.operations.readopt import adopt, forgotten
from bot.operations.record import (
    ADOPTED,
    NO_INTENT,
    Intent,
    fruitless,
    intent_of,
    offers_of,
    op_base,
    power_words,
    was_on,
    with_fruitless,
    with_intent,
)
from bot.operations.run import TASK_IN_PROGRESS, Run
from bot.operations.shut_down import cancelled_words
from bot.operations.since import in_its_time
from bot.operations.take_trace_away import take_trace_away
from bot.operations.trace import JobTrace, read, trace_of, write
from bot.operations.wait_for_opening import waits_for_opening
from bot.slack.port import Button, Reply
from bot.vsphere.port import FaultError, Trace

SESSION_ENDED: Final = "vim.fault.NotAuthenticated"
MOST_FRUITLESS: Final = 10
"""Calls whose answer was lost, one after the other: they have a cause that a person must see."""

MOST_SESSIONS: Final = 3
"""Sessions that may end between login and call before it is left alone for a minute."""


async def start(run: Run) -> None:
    """queued -> attached, if nothing speaks against it; else put off, or ended with nothing started."""
    if await run.claim.cancel_asked():
        await run.end(Cancelled(), cancelled_words(run))
        return
    if await waits_for_opening(run.tools, run.claim) or await waits_for_clean_link(run.tools, run.claim):
        return
    trace = await _trace_on_vm(run)
    if trace is not None and await _called_before(run, read(trace.text)):
        return
    if not await _may_start(run) or (trace is not None and await _makes_way(run, trace)) or not await _is_ready(run):
        return
    await look_before_start(run.tools, run.claim)
    run.tools.reached("link-looked-at")
    if await is_off(run):
        await submit(run, IntentWritten(), why="about to ask vCenter")
    else:
        await put_off(run.tools, run.claim, f"{run.plan.request.vm.name} has just been powered on.")


async def _may_start(run: Run) -> bool:
    """The last look; what speaks against it ends the job, or puts it off."""
    match await last_look(run.tools, run.claim):
        case No(why):
            await run.end(Refused(), f"{why} Nothing was started.")
            return False
        case NotNow(why):
            await put_off(run.tools, run.claim, why)
            return False
    return True


async def _is_ready(run: Run) -> bool:
    """Whether the VM is as its options want it; what is done to it may take hours, so then it is looked at again."""
    try:
        prepared = await prepare(run)
    except FaultError as error:
        if error.transient and not await patience_is_over(run.tools, run.claim):
            await put_off(run.tools, run.claim, str(error))
        else:
            await run.end(Refused(), f"vCenter refused to prepare the VM: {error} Nothing was moved.")
        return False
    return prepared is Prepared.NOTHING or (prepared is Prepared.READY and await _may_start(run))


async def _trace_on_vm(run: Run) -> Trace | None:
    vm = run.plan.request.vm
    try:
        return Trace(vm, await run.vcenter.read_trace(vm.uuid))
    except FaultError:
        return None  # what cannot be read is said by the last look, or by the write that follows


async def _called_before(run: Run, trace: JobTrace | None) -> bool:
    """Whether the trace tells of a call of this very job that is later than what Redis knows.

    Then Redis came back with an older record. What became of that call is found out, and the job starts nothing.
    """
    job = run.claim.job
    if trace is None or trace.job != job.id or trace.attempt <= job.attempt:
        return False
    op_id = f"{op_base(job.id)}-a{trace.attempt}"
    intent = Intent(op_id, trace.session, trace.since, await run.tools.queue.now())
    why = "its trace is on the VM: Redis had forgotten the call"
    await run.move(IntentWritten(), why=why, data={**with_intent(intent), **ADOPTED}, attempt=trace.attempt)
    return True


async def is_off(run: Run) -> bool:
    """Asked right before a call: a vCenter that has the right to would move the VM as it runs."""
    return (await run.vcenter.guest(run.plan.request.vm.uuid)).power != "poweredOn"


async def _makes_way(run: Run, trace: Trace) -> bool:
    """Only the trace on the VM tells of the migration that is under way: that one goes on, and this one ends."""
    if (lost := await forgotten(run.tools, trace)) is None:
        return False
    why = f"{lost.vm} is being migrated already, by a job that Redis had forgotten: {lost.job}."
    await run.end(Refused(), f"{why} It is followed again from now on. Nothing was started by this job.")
    await adopt(run.tools, lost)
    return True


async def submit(run: Run, event: Event, *, why: str) -> None:
    """Write the intent, write the trace, call once, and write down what came of it."""
    plan, vcenter = run.plan, run.vcenter
    attempt = run.claim.job.attempt + 1
    op_id = f"{op_base(run.claim.job.id)}-a{attempt}"
    try:
        session = await vcenter.writer_session()
        await run.watching(op_id)  # which may take its time, hence before the clocks are read
        # A call that went before may still have an effect, and is looked for from its time on.
        since = intent_of(run.claim.job).vcenter_time if run.claim.job.data.get("intent") else await vcenter.now()
        intent = Intent(op_id, session, since, await run.tools.queue.now())
    except (FaultError, LoginError) as error:
        await run.end(Refused(), f"{error} Nothing was started.")
        return
    run.tools.reached("before-intent")
    try:
        await run.move(event, why=why, data=with_intent(intent), attempt=attempt)
    except UnconfirmedError as error:
        await _unconfirmed(run, error)
        return
    if run.claim.closed:
        await _not_started(run)
        return
    run.tools.reached("after-intent")
    trace = trace_of(run.claim.job, plan, intent, attempt=attempt)
    try:
        await vcenter.write_trace(plan.request.vm.uuid, write(trace), session=session)
        run.tools.reached("after-trace")
        if await _is_cancelled(run):
            await run.end(CancelledAtSource(), "Cancelled before anything was started.")
            return
        run.tools.reached("before-call")
        task = await vcenter.relocate(plan, op_id=op_id, session=session)
    except FaultError as error:
        await _refused(run, error)
    except (MaybeSentError, UnreachableError) as error:
        # Never sent is as safe to look up as maybe sent, and the look-up then repeats the call by its rule.
        await run.move(ReplyLost(), why=str(error))
    else:
        run.tools.reached("after-submit")
        await run.move(TaskFound(), why=f"{task} is running", data={"task": task})
        run.tools.reached("attached")


async def submit_again(run: Run, *, why: str) -> None:
    """Call once more, as nothing came for certain of the last call, whose answer was lost; not for ever."""
    count = fruitless(run.claim.job) + 1
    if count >= MOST_FRUITLESS:
        said = f"vCenter was asked {count} times and its answer was lost each time. Nothing was started, for certain."
        await run.end(Refused(), said)
        return
    await run.claim.note(with_fruitless(count))
    await submit(run, NothingStarted(), why=why)


async def put_off_start(run: Run, said: str) -> None:
    """vCenter could not carry this call out at the moment, and did not: it is asked by the minute, for an hour."""
    why = f"vCenter cannot start it at the moment: {said}"
    if await patience_is_over(run.tools, run.claim):
        await run.end(Refused(), f"{why} Nothing was started.")
        return
    await run.move(PutOff(), why=why, data=NO_INTENT)
    await put_off(run.tools, run.claim, why)


async def found(run: Run, started: Started) -> None:
    """Our task is known."""
    task = started.task.task
    await run.move(TaskFound(), why=f"{task} was found in vCenter", data={"task": task})


async def _unconfirmed(run: Run, error: UnconfirmedError) -> None:
    """The intent may be forgotten by a Redis that takes over, so nothing is called, and it counts as no attempt."""
    if run.claim.closed:
        await _not_started(run)
        return
    await run.move(PutOff(), why=str(error), attempt=run.claim.job.attempt - 1)
    await put_off(run.tools, run.claim, str(error))


async def _is_cancelled(run: Run) -> bool:
    """The last question before the call, and only once the trace is on the VM.

    Whoever was paused before it, while Redis lost its data and somebody else moved the VM, finds the job lost and
    calls nothing; whoever is paused after it has left a trace that everybody else finds first.
    """
    try:
        return bool(await run.claim.cancel_asked())
    except LostLeaseError:
        await take_trace_away(run.tools, run.claim.job)
        raise


async def _refused(run: Run, error: FaultError) -> None:
    """A definite answer: this call was not carried out."""
    if error.kind == SESSION_ENDED and run.sessions_lost < MOST_SESSIONS:
        # The next one needs an intent of its own session.
        run.sessions_lost += 1
        await submit(run, NothingStarted(), why="the session had ended before the call")
        return
    if error.kind == TASK_IN_PROGRESS or run.claim.job.attempt > 1:
        # What is in its way may be an earlier call of this very job, which arrived after all.
        intent = await in_its_time(run.tools, run.vcenter, intent_of(run.claim.job))
        seen = await look(run.tools.fleet, run.plan, intent, settled=False)
        if isinstance(seen, Started):
            await found(run, seen)
            return
    if error.transient:
        await put_off_start(run, str(error))
        return
    why = OUT_OF_DATE if error.kind in OUTDATED else ""
    await run.end(Refused(), f"vCenter refused to start it: {error} ({error.kind}) {why}".strip())


async def _not_started(run: Run) -> None:
    """Cancelled, or held, between the claim and the intent: Redis decided that in the very write of the intent."""
    job = run.claim.job
    if job.state is not Phase.CANCELLED:
        return  # its card was shown by the move, and it waits for the release
    said = f"{run.plan.request.vm.name} was cancelled before anything was started. {power_words(job)}".strip()
    buttons = [Button(kind, job.id) for kind in offers_of(job)]
    reply = Reply("end", said, buttons=buttons, final=True, quiet=not was_on(job))
    await run.tools.outbox.reply(job.id, job.channel, reply)
