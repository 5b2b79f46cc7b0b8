"""Every pair of phase and event is allowed or refused, and the table has no dead ends."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from bot.errors import BugError
from bot.migration.machine import ENDS, STARTED, TRANSITIONS, WORDS, Event, Phase, advance

EVENTS = get_args(Event)


@pytest.mark.parametrize(("phase", "event"), list(product(Phase, EVENTS)))
def test_every_pair_is_allowed_or_refused(phase, event):
    if (phase, event) in TRANSITIONS:
        assert advance(phase, event()) is TRANSITIONS[phase, event]
    else:
        with pytest.raises(BugError, match=f"cannot happen in the phase '{phase}'"):
            advance(phase, event())


def test_every_event_is_used_and_every_phase_has_a_word():
    assert {event for _, event in TRANSITIONS} == set(EVENTS)
    assert set(WORDS) == set(Phase)


def test_an_end_allows_nothing_and_every_other_phase_leads_to_one():
    assert not {phase for phase, _ in TRANSITIONS} & ENDS
    reach = {end: {end} for end in ENDS}
    for _ in Phase:
        for (phase, _event), to in TRANSITIONS.items():
            if to in reach:
                reach[phase] = reach.get(phase, set()) | reach[to]
    assert all(reach.get(phase) for phase in Phase)


def test_nothing_starts_without_an_approval():
    """Into `intent` from `queued`, or again when it is certain that nothing started; into `queued` from `planned`.

    And back there from an approved start that vCenter refused for the moment.
    """
    into = {(phase, event.__name__) for (phase, event), to in TRANSITIONS.items() if to is Phase.INTENT}
    assert into == {
        (Phase.QUEUED, "IntentWritten"),
        (Phase.UNKNOWN, "NothingStarted"),
        (Phase.INTENT, "NothingStarted"),
    }
    into = {(phase, event.__name__) for (phase, event), to in TRANSITIONS.items() if to is Phase.QUEUED}
    assert into - {(Phase.PLANNED, "Approved")} == {
        (phase, "PutOff") for phase in (Phase.INTENT, Phase.UNKNOWN, Phase.ATTACHED)
    }


def test_a_started_job_is_never_cancelled_without_a_look():
    """From the phases in which a task may run, `cancelled` is reached by CancelledAtSource alone.

    A batch has no task: each of its migrations was looked at when the batch ends.
    """
    events = {e.__name__ for (phase, e), to in TRANSITIONS.items() if phase in STARTED and to is Phase.CANCELLED}
    assert events == {"CancelledAtSource", "PartsCancelled"}


def test_unknown_never_becomes_done_directly():
    assert Phase.DONE not in {to for (phase, _), to in TRANSITIONS.items() if phase is Phase.UNKNOWN}
