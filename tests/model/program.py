"""The program of a worker in the model, as `bot/operations` has it: one function a step, one touch of the world each.

A step is named in `Worker.at`; what it found out and has not written down yet is in `Worker.held`. Between any two
steps anything may happen to the worker and to the world.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from bot.migration.machine import (
    AtSource,
    AtTarget,
    Cancelled,
    CancelledAtSource,
    CheckStarted,
    Event,
    IntentWritten,
    NothingStarted,
    Phase,
    PlanMade,
    PlanRefused,
    Refused,
    ReplyLost,
    TaskEnded,
    TaskFound,
    Undecidable,
    WriterEnded,
)
from tests.model.guards import Guard
from tests.model.ledger import Step, at, holds, move, put, stop
from tests.model.state import (
    HALFWAY,
    MOST_ATTEMPTS,
    OPEN,
    QUEUED,
    SETTLED,
    SETTLING,
    SOURCE,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    TARGET,
    UNDER_WAY,
    Request,
    State,
    Trace,
)

Guards = Collection[Guard]
Program = Callable[[State, int, Guards], Iterator[Step]]

ENDS: dict[str, Event] = {
    event.__class__.__name__: event
    for event in (Cancelled(), Refused(), CancelledAtSource(), AtTarget(), AtSource(), Undecidable())
}
"""What `finish` may be asked to write."""


def steps(state: State, number: int, guards: Guards) -> Iterator[Step]:
    """Everything that this worker may do next, if it has a job."""
    worker = state.workers[number]
    if worker.at in PROGRAM:
        name = "AB"[number]
        for what, after in PROGRAM[worker.at](state, number, guards):
            yield f"{name} {what}", after


def _moved(state: State, number: int, event: Event, then: str, guards: Guards, **fields: Any) -> Step:
    """A fenced transition and the step after it; or the end of this claim."""
    moved = move(state, number, event, guards, **fields)
    if moved is None:
        return f"is refused by Redis ({event.__class__.__name__})", stop(state, number)
    phase = moved.job.phase
    said = f"writes {event.__class__.__name__}: {phase}"
    closed = phase is None or phase.ended or phase is Phase.PLANNED
    return said, stop(moved, number) if closed else at(moved, number, then)


def _check(state: State, number: int, guards: Guards) -> Iterator[Step]:
    yield _moved(state, number, CheckStarted(), "plan", guards)


def _plan(state: State, number: int, guards: Guards) -> Iterator[Step]:
    yield _moved(state, number, PlanMade(), "", guards)
    yield _moved(state, number, PlanRefused(), "", guards)


def _last_look(state: State, number: int, guards: Guards) -> Iterator[Step]:
    if not holds(state, number, guards):
        yield "is refused by Redis", stop(state, number)
    elif state.job.cancel:
        yield "is told of the cancel", at(state, number, "take trace away", "Cancelled")
    elif state.place != SOURCE or any(task.state in UNDER_WAY for task in state.tasks):
        yield "sees what speaks against it", at(state, number, "take trace away", "Refused")
    else:
        yield "sees nothing against it", _logged_in(state, number, guards)


def _logged_in(state: State, number: int, guards: Guards) -> State:
    """About to write the intent, with the writer session of this process."""
    first = Guard.INTENT_FIRST in guards or state.workers[number].phase is not Phase.QUEUED
    return at(logged_in(state, number), number, "intent" if first else "trace")


def logged_in(state: State, number: int) -> State:
    """The writer session of this process, a new one if it has none."""
    worker = state.workers[number]
    if worker.session:
        return state
    new = state.sessions + 1
    grown = state._replace(sessions=new, alive=state.alive | {new})
    return put(grown, number, worker._replace(session=new))


def _intent(state: State, number: int, guards: Guards) -> Iterator[Step]:
    worker = state.workers[number]
    event = IntentWritten() if worker.phase is Phase.QUEUED else NothingStarted()
    fields = {"attempt": worker.attempt + 1, "session": worker.session, "settle": OPEN}
    yield _moved(state, number, event, "trace", guards, **fields)


def _trace(state: State, number: int, guards: Guards) -> Iterator[Step]:
    worker = state.workers[number]
    if Guard.TRACE not in guards:
        yield "writes no trace", at(state, number, "call")
    elif worker.session in state.alive:
        trace = Trace(worker.session, worker.attempt)
        yield "writes the trace on the VM", at(state._replace(trace=trace), number, "call")
    else:
        yield "is told that its session has ended", at(state, number, "refused", "session")


def _call(state: State, number: int, guards: Guards) -> Iterator[Step]:
    if Guard.SAME_SESSION not in guards and state.workers[number].session not in state.alive:
        state = logged_in(put(state, number, state.workers[number]._replace(session=0)), number)
    worker = state.workers[number]
    request = Request(worker.session, accepted=False, caller=number)
    yield (
        f"calls RelocateVM_Task through session {worker.session}",
        at(state._replace(wire=(*state.wire, request)), number, "wait"),
    )


def _refused(state: State, number: int, guards: Guards) -> Iterator[Step]:
    """A definite answer; the fault is in the worker's hands."""
    worker = state.workers[number]
    if worker.held == "session":
        forgot = put(state, number, worker._replace(session=0))
        if worker.attempt < MOST_ATTEMPTS:
            yield "logs in again", _logged_in(forgot, number, guards)
            return
        state = forgot
    if worker.held == "busy" or worker.attempt > 1:
        task = found(state, guards)
        if task is not None:
            yield "finds its task", at(state, number, "attach", str(task))
            return
    yield "sees that it was refused", at(state, number, "take trace away", "Refused")


def found(state: State, guards: Guards) -> int | None:
    """A relocation of ours in vCenter: one under way, else the last."""
    if Guard.LOOK_UP not in guards:
        return None
    known = [n for n, task in enumerate(state.tasks) if task.recent or Guard.HISTORY in guards]
    under_way = [n for n in known if state.tasks[n].state in UNDER_WAY]
    return next(reversed(under_way or known), None)


def _lost(state: State, number: int, guards: Guards) -> Iterator[Step]:
    if state.workers[number].phase is Phase.QUEUED:  # without INTENT_FIRST
        yield _moved(state, number, IntentWritten(), "lost", guards, **_belated(state, number))
        return
    yield _moved(state, number, ReplyLost(), "end session", guards)


def _belated(state: State, number: int) -> dict[str, Any]:
    return {"attempt": 1, "session": state.workers[number].session}


def _attach(state: State, number: int, guards: Guards) -> Iterator[Step]:
    worker = state.workers[number]
    if worker.phase is Phase.QUEUED:  # without INTENT_FIRST
        step, after = _moved(state, number, IntentWritten(), "attach", guards, **_belated(state, number))
        kept = after.workers[number].at == "attach"
        yield step, at(after, number, "attach", worker.held) if kept else after
        return
    yield _moved(state, number, TaskFound(), "follow", guards, task=int(worker.held))


def _end_session(state: State, number: int, guards: Guards) -> Iterator[Step]:
    worker = state.workers[number]
    known = holds(state, number, guards) and state.job.settle != OPEN  # as this claim last read it
    if known or Guard.END_SESSION not in guards:
        yield "has nothing to end", at(state, number, "look")
    else:
        every = state.job.adopted and Guard.ADOPTED_ENDS_ALL in guards
        ending = state.alive if every else {worker.of}
        own = worker._replace(session=0) if worker.session in ending else worker
        ended = put(state._replace(alive=state.alive - ending), number, own)
        which = "every writer session" if every else f"session {worker.of}"
        yield f"ends {which} in vCenter", at(ended, number, "note end")


def _note_end(state: State, number: int, guards: Guards) -> Iterator[Step]:
    yield _moved(state, number, WriterEnded(), "look", guards, settle=SETTLING)


def _look(state: State, number: int, guards: Guards) -> Iterator[Step]:
    """The place first, then the tasks: what lands between the two questions is found as a task."""
    settled = (
        state.job.settle == SETTLED
        or Guard.END_SESSION not in guards
        or (Guard.SETTLE not in guards and state.job.settle == SETTLING)
    )
    if not holds(state, number, guards):
        yield "is refused by Redis", stop(state, number)
        return
    yield f"reads the VM's place: {state.place}", at(state, number, "weigh", f"{state.place} {settled}")
    yield (
        "cannot read vCenter for as long as patience lasts",
        at(state._replace(blind=True), number, "take trace away", "Undecidable"),
    )


def _weigh(state: State, number: int, guards: Guards) -> Iterator[Step]:
    place, settled = state.workers[number].held.split()
    task = found(state, guards)
    if task is not None:
        yield "finds its task", at(state, number, "attach", str(task))
    elif place == TARGET:
        yield "finds the VM at its target", at(state, number, "arrived")
    elif settled == "False":
        if Guard.PATIENCE not in guards:
            yield "asks a person at once", at(state, number, "take trace away", "Undecidable")
        yield "waits", at(state, number, "look")
    elif place == HALFWAY:
        yield "finds the VM halfway", at(state, number, "take trace away", "Undecidable")
    else:
        yield "is certain that nothing was started", at(state, number, "not started")


def _arrived(state: State, number: int, guards: Guards) -> Iterator[Step]:
    yield _moved(state, number, TaskEnded(), "verify", guards)


def _not_started(state: State, number: int, guards: Guards) -> Iterator[Step]:
    if not holds(state, number, guards):
        yield "is refused by Redis", stop(state, number)
    elif state.job.cancel:
        yield "is told of the cancel", at(state, number, "take trace away", "CancelledAtSource")
    elif state.job.adopted and Guard.ADOPTED_STARTS_NOTHING in guards:
        yield "starts nothing that was forgotten", at(state, number, "take trace away", "Refused")
    elif state.workers[number].attempt >= MOST_ATTEMPTS:
        yield "has tried often enough", at(state, number, "take trace away", "Refused")
    else:
        yield "will try again", _logged_in(state, number, guards)


def _follow(state: State, number: int, guards: Guards) -> Iterator[Step]:
    if not holds(state, number, guards):
        yield "is refused by Redis", stop(state, number)
        return
    task = state.tasks[state.job.task]
    if task.state not in UNDER_WAY:
        yield f"reads that the task {task.state}", at(state, number, "task ended", task.state)
    elif state.job.cancel and task.state != STOPPING:
        stopping = task._replace(state=STOPPED if task.state == QUEUED else STOPPING)
        tasks = (*state.tasks[: state.job.task], stopping, *state.tasks[state.job.task + 1 :])
        yield "asks vCenter to stop the task", state._replace(tasks=tasks)


def _task_ended(state: State, number: int, guards: Guards) -> Iterator[Step]:
    yield _moved(state, number, TaskEnded(), "verify", guards, end=state.workers[number].held)


def _verify(state: State, number: int, guards: Guards) -> Iterator[Step]:
    if not holds(state, number, guards):
        yield "is refused by Redis", stop(state, number)
        return
    end = state.job.end
    if Guard.PLACE in guards:
        said = {TARGET: "AtTarget", HALFWAY: "Undecidable"}.get(state.place, "AtSource")
    else:
        said = "AtTarget" if end == SUCCEEDED else "AtSource"
    said = "CancelledAtSource" if said == "AtSource" and end == STOPPED else said
    yield f"reads the VM's place: {state.place}", at(state, number, "take trace away", said)


def _take_trace_away(state: State, number: int, guards: Guards) -> Iterator[Step]:
    worker = state.workers[number]
    if worker.phase is Phase.QUEUED:
        yield "has left no trace", at(state, number, "finish", worker.held)
    elif not holds(state, number, guards):
        yield "is refused by Redis", stop(state, number)
    else:
        yield "goes to take the trace away", at(state, number, "take it", worker.held)


def _take_it(state: State, number: int, guards: Guards) -> Iterator[Step]:
    worker, trace = state.workers[number], state.trace
    own = trace is not None and trace == Trace(worker.of, worker.attempt)
    if trace is None or (Guard.OWN_TRACE in guards and not own):
        yield "finds no trace of its own", at(state, number, "finish", worker.held)
    else:
        yield "takes the trace away", at(state._replace(trace=None), number, "finish", worker.held)
        yield "cannot take the trace away", at(state, number, "finish", worker.held)


def _finish(state: State, number: int, guards: Guards) -> Iterator[Step]:
    yield _moved(state, number, ENDS[state.workers[number].held], "", guards)


PROGRAM: dict[str, Program] = {
    "check": _check,
    "plan": _plan,
    "last look": _last_look,
    "intent": _intent,
    "trace": _trace,
    "call": _call,
    "refused": _refused,
    "lost": _lost,
    "doubt": _lost,
    "attach": _attach,
    "end session": _end_session,
    "note end": _note_end,
    "look": _look,
    "weigh": _weigh,
    "arrived": _arrived,
    "not started": _not_started,
    "follow": _follow,
    "task ended": _task_ended,
    "verify": _verify,
    "take trace away": _take_trace_away,
    "take it": _take_it,
    "finish": _finish,
}
"""The steps by their names; "idle" and "wait" are not the worker's to end."""
