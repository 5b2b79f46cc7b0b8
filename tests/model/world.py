"""The world of the model: the wire, vCenter, and what may go wrong. Nothing here knows what the product intends."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tests.model import ledger
from tests.model.guards import Guard
from tests.model.ledger import Step, at, put
from tests.model.state import (
    FAILED,
    HALFWAY,
    QUEUED,
    RUNNING,
    SETTLED,
    SETTLING,
    SOURCE,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    TARGET,
    UNDER_WAY,
    WORKERS,
    Request,
    State,
    Task,
    Worker,
)

OUTCOMES = {
    RUNNING: ((SUCCEEDED, TARGET), (SUCCEEDED, SOURCE), (FAILED, SOURCE), (FAILED, TARGET), (FAILED, HALFWAY)),
    STOPPING: ((SUCCEEDED, TARGET), (FAILED, SOURCE), (STOPPED, SOURCE)),
}
"""How a task may end, and where the VM is then; neither success nor error says where."""


def wire(state: State, guards: Collection[Guard]) -> Iterator[Step]:
    """Calls under way: they arrive at any time, land at any later time, get lost, and so do their replies."""
    for number, request in enumerate(state.wire):
        others = state.wire[:number] + state.wire[number + 1 :]
        yield from _one(state, request, others)
        if request.caller >= 0:
            on = (*others, request._replace(caller=-1))
            yield "the reply is lost", at(state._replace(wire=on), request.caller, "lost")
            if Guard.ONE_SEND not in guards and not others:
                again = request._replace(accepted=False)
                yield "the connection sends the call again", state._replace(wire=(request._replace(caller=-1), again))


def _one(state: State, request: Request, others: tuple[Request, ...]) -> Iterator[Step]:
    gone = state._replace(wire=others)
    if not request.accepted:
        if request.session in state.alive:
            let_in = request._replace(accepted=True)
            yield "vCenter lets the call in", state._replace(wire=(*others, let_in))
        else:
            yield "vCenter refuses the call: its session has ended", _reply(gone, request, "refused", "session")
        yield "the call is lost on its way", _reply(gone, request, "lost")
        return
    if any(task.state in UNDER_WAY for task in state.tasks):
        yield "vCenter refuses the call: the VM is busy", _reply(gone, request, "refused", "busy")
        return
    task = len(state.tasks)
    queued = gone._replace(tasks=(*state.tasks, Task(QUEUED)))
    yield "vCenter queues a relocation", _reply(queued, request, "attach", str(task))
    yield "vCenter refuses the call", _reply(gone, request, "refused", "other")


def _reply(state: State, request: Request, step: str, held: str = "") -> State:
    return at(state, request.caller, step, held) if request.caller >= 0 else state


def vcenter(state: State) -> Iterator[Step]:
    """Tasks run, end, and are forgotten; what an ended session sent has landed after some time."""
    for number, task in enumerate(state.tasks):

        def became(new: Task, place: str = state.place, number: int = number) -> State:
            tasks = (*state.tasks[:number], new, *state.tasks[number + 1 :])
            return state._replace(tasks=tasks, place=place)

        if task.state == QUEUED:
            yield "the relocation runs", became(Task(RUNNING))
        for outcome, place in OUTCOMES.get(task.state, ()):
            yield f"the relocation {outcome}, the VM is at {place}", became(Task(outcome), place)
        if task.state not in UNDER_WAY and task.recent:
            yield "vCenter forgets the task", became(task._replace(recent=False))
    job = state.job
    if job.settle == SETTLING and not any(_may_come_of(state, request.session) for request in state.wire):
        yield "the settle time is over", state._replace(job=job._replace(settle=SETTLED))


def _may_come_of(state: State, session: int) -> bool:
    """Whether the time that is being waited covers this call: its session was ended before the waiting began."""
    return session == state.job.session or (state.job.adopted and session not in state.alive)


def mishaps(state: State, guards: Collection[Guard]) -> Iterator[Step]:
    """What may go wrong, so often and no more often."""
    if state.losses:
        yield from ledger.forgets(state)
    if not state.mishaps:
        return
    once = state._replace(mishaps=state.mishaps - 1)
    yield from ledger.paused(once, guards)
    for number in WORKERS:
        worker = state.workers[number]
        if worker.at != "idle":
            yield f"{'AB'[number]} is killed", _killed(once, number)
        if worker.session in state.alive:
            yield f"session {worker.session} ends by itself", once._replace(alive=state.alive - {worker.session})


def _killed(state: State, number: int) -> State:
    unheard = tuple(r._replace(caller=-1) if r.caller == number else r for r in state.wire)
    return put(state._replace(wire=unheard), number, Worker())
