"""Which moments are alike, so that only one of them need be looked at.

Each likeness is one of two: names that mean nothing (which worker, the number of a session), and what nobody can
ever see or do again (the steps of a worker that lost its job, until it would touch the world).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from bot.migration.machine import Phase
from tests.model.guards import Guard
from tests.model.state import WORKERS, Job, State, Task, Worker

TOUCHING: Final = frozenset({"trace", "call", "wait", "end session", "take it"})
"""Steps that a worker takes in vCenter without asking Redis first; before any other step Redis would stop it."""

_ORDER: Final = {False: (0, 1), True: (1, 0)}


def condensed(state: State, guards: Collection[Guard]) -> State:
    """The same moment without what nobody can see, and after steps that are sure to come and touch nothing.

    A worker whose claim is lost stops at its next question to Redis; it may as well have stopped already. Of a job
    that has ended only its phase is ever read. Which tasks are recent is seen by nobody who asks the history too, and
    the trace by nobody while Redis cannot forget.
    """
    job = state.job
    if job.phase is not None and job.phase.ended and (job.attempt or job.cancel or not state.asked):
        job = Job(job.phase, fence=job.fence, owner=job.owner)
        state = state._replace(job=job, asked=True, blind=state.blind and job.phase is Phase.NEEDS_HUMAN)
    remembers = not state.losses and job.phase is not None
    if remembers and state.trace is not None:
        state = state._replace(trace=None)
    if Guard.FENCE in guards and Guard.FRESH_FENCE in guards:
        for number in WORKERS:
            worker = state.workers[number]
            if worker.at != "idle" and not _has(job, worker) and not _touches(worker, remembers=remembers):
                workers = list(state.workers)
                session = 0 if worker.at == "refused" and worker.held == "session" else worker.session
                workers[number] = Worker(session=session)
                state = state._replace(workers=(workers[0], workers[1]))
    if Guard.HISTORY in guards and any(not task.recent for task in state.tasks):
        state = state._replace(tasks=tuple(Task(task.state) for task in state.tasks))
    return state


def _touches(worker: Worker, *, remembers: bool) -> bool:
    return worker.at in TOUCHING and not (remembers and worker.at == "take it")


def _has(job: Job, worker: Worker) -> bool:
    return job.phase is not None and not job.phase.ended and job.fence == worker.fence


def key(state: State, guards: Collection[Guard]) -> tuple[object, ...]:
    """Equal for moments that are alike but for the names of workers and sessions."""
    job, trace = state.job, state.trace
    first, second = state.workers
    order = _ORDER[(first.at, first.held, -first.fence) > (second.at, second.held, -second.fence)]
    number = {0: 0}
    for session in (job.session, trace.session if trace else 0):
        number.setdefault(session, len(number))
    for place in order:
        worker = state.workers[place]
        number.setdefault(worker.session, len(number))
        number.setdefault(worker.of, len(number))
    for request in state.wire:
        number.setdefault(request.session, len(number))
    raw = Guard.FRESH_FENCE not in guards
    workers = tuple(
        (w.at, w.held, w.fence if raw else w.fence == job.fence, number[w.session], w.phase, w.attempt, number[w.of])
        for w in (state.workers[place] for place in order)
    )
    return (
        job.phase,
        job.lease,
        job.fence if raw else 0,
        job.owner if job.owner < 0 else order[job.owner],
        job.cancel,
        job.attempt,
        number[job.session],
        job.settle,
        job.task,
        job.end,
        job.adopted,
        workers,
        tuple(
            sorted((number[r.session], r.accepted, r.caller if r.caller < 0 else order[r.caller]) for r in state.wire)
        ),
        sum(1 << number[session] for session in state.alive if session in number),
        trace and (number[trace.session], trace.attempt),
        state.tasks,
        *state[6:7],
        *state[8:],
    )
