"""Redis in the model: claims, fenced moves, a person's word, and the loss of everything.

What `bot/jobs/scripts` do, one script one step. A phase changes here and only by the product's own `advance`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from bot.migration.machine import (
    Approved,
    Cancelled,
    CancelledAtSource,
    Event,
    Expired,
    IntentWritten,
    NothingStarted,
    Phase,
    PlanMade,
    advance,
)
from tests.model.guards import Guard
from tests.model.state import LAPSED, LIVE, NONE, OPEN, WORKERS, Job, State, Worker

Step = tuple[str, State]

FIRST_STEP = {
    Phase.DRAFTED: "check",
    Phase.CHECKING: "plan",
    Phase.QUEUED: "last look",
    Phase.INTENT: "doubt",
    Phase.UNKNOWN: "end session",
    Phase.ATTACHED: "follow",
    Phase.VERIFYING: "verify",
}
"""What a worker does first with a job that it claimed in this phase."""


def put(state: State, number: int, worker: Worker) -> State:
    """The state with one of the workers in another condition."""
    first, second = state.workers
    return state._replace(workers=(worker, second) if number == 0 else (first, worker))


def at(state: State, number: int, step: str, held: str = "") -> State:
    """The state with this worker before another step."""
    return put(state, number, state.workers[number]._replace(at=step, held=held))


def stop(state: State, number: int) -> State:
    """Redis refused: somebody else has the job, and this worker leaves it."""
    return put(state, number, Worker(session=state.workers[number].session))


def holds(state: State, number: int, guards: Collection[Guard]) -> bool:
    """Whether Redis takes a write of this worker's claim."""
    job = state.job
    if job.phase is None or job.phase.ended or job.lease == NONE:
        return False
    return Guard.FENCE not in guards or job.fence == state.workers[number].fence


def move(state: State, number: int, event: Event, guards: Collection[Guard], **fields: Any) -> State | None:
    """One fenced transition; None when Redis refuses it."""
    job = state.job
    if not holds(state, number, guards) or job.phase is None or job.phase is not state.workers[number].phase:
        return None
    if job.cancel and isinstance(event, PlanMade):
        event, fields = Cancelled(), {}
    if job.cancel and isinstance(event, IntentWritten | NothingStarted) and Guard.CANCEL_AT_INTENT in guards:
        event, fields = Cancelled() if job.phase is Phase.QUEUED else CancelledAtSource(), {}
    phase = advance(job.phase, event)
    lease = NONE if phase.ended or phase is Phase.PLANNED else job.lease
    moved = job._replace(phase=phase, lease=lease, **fields)
    worker = state.workers[number]._replace(phase=phase, attempt=moved.attempt, of=moved.session)
    told = len(state.tasks) if phase.ended and phase is not Phase.NEEDS_HUMAN else state.told
    return put(state._replace(job=moved, stale=state.stale or job.owner != number, told=told), number, worker)


def claim(state: State, number: int, guards: Collection[Guard]) -> Iterator[Step]:
    """Script claim.lua: what waits in line, and what was somebody's whose lease has lapsed."""
    job = state.job
    if job.phase is None or job.phase.ended or job.phase is Phase.PLANNED or job.lease == LIVE:
        return
    fence = _next_fence(state, guards)
    taken = job._replace(lease=LIVE, fence=fence, owner=number)
    session = state.workers[number].session
    worker = Worker(FIRST_STEP[job.phase], "", fence, session, job.phase, job.attempt, job.session)
    how = "takes the job over" if job.lease == LAPSED else "claims the job"
    yield f"{'AB'[number]} {how}", put(state._replace(job=taken), number, worker)


def _next_fence(state: State, guards: Collection[Guard]) -> int:
    if Guard.FRESH_FENCE in guards:
        return max(state.job.fence, *(worker.fence for worker in state.workers)) + 1
    return state.job.fence + 1


def person(state: State) -> Iterator[Step]:
    """Whoever asked, approves and cancels; approve.lua, expire.lua and cancel.lua."""
    job = state.job
    if job.phase is None or job.phase.ended:
        return
    if job.phase is Phase.PLANNED:
        approved = job._replace(phase=advance(job.phase, Approved()))
        yield "a person approves", state._replace(job=approved)
        yield "nobody approves in time", state._replace(job=job._replace(phase=advance(job.phase, Expired())))
    if state.asked:
        return
    asked = state._replace(asked=True, too_early=not job.phase.started)
    if job.lease != LIVE and not job.phase.started:
        over = job._replace(phase=advance(job.phase, Cancelled()), lease=NONE)
        yield "a person cancels, at once", asked._replace(job=over, told=len(state.tasks))
    else:
        yield "a person asks to cancel", asked._replace(job=job._replace(cancel=True))


def time_passes(state: State, guards: Collection[Guard]) -> Iterator[Step]:
    """Leases lapse: that of a dead worker surely, that of a paused one as a mishap."""
    job = state.job
    if job.phase is None or job.lease != LIVE or Guard.LEASE not in guards:
        return
    lapsed = state._replace(job=job._replace(lease=LAPSED))
    if not any(worker.at != "idle" and worker.fence == job.fence for worker in state.workers):
        yield "the lease of the dead worker lapses", lapsed


def paused(state: State, guards: Collection[Guard]) -> Iterator[Step]:
    """A mishap: whoever has the job is away for longer than its lease, and will wake up and go on."""
    job = state.job
    if job.phase is None or job.lease != LIVE or Guard.LEASE not in guards:
        return
    for number in WORKERS:
        worker = state.workers[number]
        if worker.at != "idle" and worker.fence == job.fence:
            yield f"{'AB'[number]} is paused, its lease lapses", state._replace(job=job._replace(lease=LAPSED))


def forgets(state: State) -> Iterator[Step]:
    """A mishap: Redis has lost everything."""
    if state.job.phase is not None:
        yield "Redis loses everything", state._replace(job=Job(phase=None), asked=False, losses=state.losses - 1)


def reconciled(state: State, guards: Collection[Guard]) -> Iterator[Step]:
    """What nobody knows of any more is taken up from its trace; adopt.lua."""
    trace = state.trace
    if state.job.phase is not None or trace is None or Guard.TRACE not in guards:
        return
    fence = _next_fence(state, guards) if Guard.FRESH_FENCE in guards else 0
    job = Job(
        phase=Phase.UNKNOWN,
        lease=LAPSED,
        fence=fence,
        attempt=trace.attempt,
        session=trace.session,
        settle=OPEN,
        adopted=True,
    )
    yield "the job is taken up from its trace", state._replace(job=job)
