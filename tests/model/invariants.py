"""What must be true at every moment, each a function with a sentence. `reaches_an_end` is about all moments at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bot.migration.machine import Phase
from tests.model.state import HALFWAY, LAPSED, LIVE, SOURCE, TARGET, UNDER_WAY, State

Invariant = Callable[[State], bool]


def one_relocation(state: State) -> bool:
    """For one approval vCenter starts one relocation at most."""
    return len(state.tasks) <= 1


def no_stale_write(state: State) -> bool:
    """No write is accepted from a claim that is not the last one."""
    return not state.stale


def done_is_at_target(state: State) -> bool:
    """A job that is done has its VM at the target, and nothing of it is under way."""
    return state.job.phase is not Phase.DONE or (state.place == TARGET and not under_way(state))


def not_done_is_at_source(state: State) -> bool:
    """A job that failed or was cancelled has its VM at the source, and nothing can start or move it any more."""
    over = state.job.phase in {Phase.FAILED, Phase.CANCELLED}
    return not over or (state.place == SOURCE and not under_way(state))


def under_way(state: State) -> bool:
    """Whether anything in vCenter, or on its way there, can still move the VM."""
    can_land = any(request.accepted or request.session in state.alive for request in state.wire)
    return can_land or any(task.state in UNDER_WAY for task in state.tasks)


def a_person_only_where_vcenter_cannot_decide(state: State) -> bool:
    """A person is asked only if the VM is halfway, or if vCenter could not be read for as long as patience lasts."""
    return state.job.phase is not Phase.NEEDS_HUMAN or state.blind or state.place == HALFWAY


def started_is_in_somebodys_hands(state: State) -> bool:
    """A job that has started is held under a lease; one that Redis forgot is still told of by its trace.

    Unless it was about to be handed to a person, because vCenter could not be read.
    """
    phase = state.job.phase
    if phase is None:
        return state.trace is not None or state.blind or not under_way(state)
    return not phase.started or state.job.lease in {LIVE, LAPSED}


def cancelled_early_never_runs(state: State) -> bool:
    """What a person cancelled before it was started is never started."""
    return not (state.too_early and state.tasks)


def over_stays_over(state: State) -> bool:
    """Once a person was told that a job is over, nothing of it is started any more."""
    return state.told < 0 or len(state.tasks) == state.told


INVARIANTS: Final[tuple[Invariant, ...]] = (
    one_relocation,
    no_stale_write,
    done_is_at_target,
    not_done_is_at_source,
    a_person_only_where_vcenter_cannot_decide,
    started_is_in_somebodys_hands,
    cancelled_early_never_runs,
    over_stays_over,
)


def reaches_an_end(_: State) -> bool:
    """From every moment an end can be reached, without any further mishap.

    No single moment tells: the search looks for it when it has been everywhere.
    """
    return True
