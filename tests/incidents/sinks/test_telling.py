"""What a sink has yet to hear, for every state that a telling and its incident can be in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from bot.incidents.incident import State
from bot.incidents.port import Action
from bot.incidents.telling import Step, Telling, next_step
from tests.incidents.sinks.stage import INCIDENT

OPEN, ACKED, RESOLVED, MERGED = State.OPEN, State.ACKNOWLEDGED, State.RESOLVED, State.MERGED
TRIGGER, ACKNOWLEDGE, RESOLVE = Action.TRIGGER, Action.ACKNOWLEDGE, Action.RESOLVE

FRESH = Telling(
    incident=INCIDENT,
    sink="night shift",
    opening=1,
    fence="1",
    seen="0",
    over=False,
    said=None,
    ripe=True,
    doubt=False,
    refused=None,
    failures=0,
    failing=timedelta(0),
    patience=timedelta(minutes=10),
    url="",
)
EVERY = [
    replace(FRESH, said=said, ripe=ripe, doubt=doubt, refused=refused, over=over)
    for said, ripe, doubt, refused, over in product(
        (None, *Action), (False, True), (False, True), (None, *Action), (False, True)
    )
]


@pytest.mark.parametrize(
    ("changes", "state", "step"),
    [
        ({"ripe": False}, OPEN, Step.WAIT),
        ({}, OPEN, TRIGGER),
        ({"said": TRIGGER}, OPEN, Step.REST),
        ({"said": TRIGGER}, ACKED, ACKNOWLEDGE),
        ({"said": ACKNOWLEDGE}, ACKED, Step.REST),
        ({"said": TRIGGER}, RESOLVED, RESOLVE),
        ({"said": ACKNOWLEDGE}, RESOLVED, RESOLVE),
        ({"said": TRIGGER}, MERGED, RESOLVE),
        ({"said": TRIGGER}, None, RESOLVE),
        ({"said": RESOLVE}, RESOLVED, Step.OVER),
        # acknowledged or resolved before anything was sent: nothing ever is
        ({"ripe": False}, ACKED, Step.REST),
        ({}, ACKED, Step.REST),
        ({}, RESOLVED, Step.OVER),
        ({}, MERGED, Step.OVER),
        ({}, None, Step.OVER),
        # a trigger may have arrived: it is taken back, and nobody is woken now
        ({"doubt": True}, OPEN, TRIGGER),
        ({"doubt": True}, ACKED, ACKNOWLEDGE),
        ({"doubt": True}, RESOLVED, RESOLVE),
        # it came back
        ({"said": RESOLVE}, OPEN, Step.ANEW),
        ({"over": True}, OPEN, Step.OVER),  # whoever knows the policy arranges it anew
        ({"said": RESOLVE, "over": True}, OPEN, Step.OVER),
        ({"said": ACKNOWLEDGE}, OPEN, RESOLVE),  # whoever was on it is not any more
        ({"said": RESOLVE}, ACKED, Step.REST),
        ({"over": True}, ACKED, Step.OVER),
        ({"over": True}, RESOLVED, Step.OVER),
        # what they will never take is not sent again
        ({"refused": TRIGGER}, OPEN, Step.REST),
        ({"said": TRIGGER, "refused": ACKNOWLEDGE}, ACKED, Step.REST),
        ({"said": TRIGGER, "refused": ACKNOWLEDGE}, RESOLVED, RESOLVE),
        ({"said": TRIGGER, "refused": RESOLVE}, RESOLVED, Step.OVER),
        ({"refused": TRIGGER}, RESOLVED, Step.OVER),
    ],
)
def test_what_comes_next(changes, state, step):
    assert next_step(replace(FRESH, **changes), state) is step


@pytest.mark.parametrize("state", [*State, None])
def test_nobody_is_woken_but_for_what_is_open_and_ripe(state):
    for telling in EVERY:
        if next_step(telling, state) is TRIGGER:
            assert state is OPEN
            assert telling.ripe
            assert telling.said is None
            assert not telling.over


@pytest.mark.parametrize("state", [*State, None])
def test_nothing_is_said_twice_or_out_of_order_or_after_a_refusal(state):
    order = [None, *Action]
    for telling in EVERY:
        step = next_step(telling, state)
        if isinstance(step, Action):
            assert order.index(step) > order.index(telling.said)
            assert step is not telling.refused
            assert telling.said is not None or telling.doubt or step is TRIGGER


@pytest.mark.parametrize("state", [*State, None])
def test_every_telling_comes_to_rest(state):
    """However it stands, a few rounds of doing what comes next lead to where nothing is left to do."""
    for start in EVERY:
        telling = start
        for _ in range(5):
            step = next_step(telling, state)
            if step in {Step.REST, Step.OVER, Step.WAIT}:
                break
            if step is Step.ANEW:
                telling = replace(FRESH, opening=2, ripe=False)
            else:
                telling = replace(telling, said=step, doubt=False)
        else:
            pytest.fail(f"{start} goes round in circles while {state}")


def test_ids_are_of_one_opening_and_one_message():
    again = replace(FRESH, opening=2)
    assert FRESH.id_of(TRIGGER) == "n3q7m2xa-1-trigger"
    assert len({t.id_of(action) for t in (FRESH, again) for action in Action}) == 6
    assert "." not in again.id_of(RESOLVE)  # the specification of webhooks forbids it
