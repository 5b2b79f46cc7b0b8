"""What a sink has yet to hear of an incident, and the door to the record of it. Pure; nothing is sent here.

One telling is one pair of incident and sink. It has openings, counted from 1: what is sent of one opening has the same
key, so whoever is told sees one incident of theirs, and another one once ours came back after its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Protocol

from bot.incidents.incident import IncidentId, State
from bot.incidents.port import Action, Escalations


class Step(Enum):
    """What to do about a telling, when it is not something to send."""

    WAIT = "wait"  # until it is due
    REST = "rest"  # they know all there is; look again in a while, should nobody say when
    OVER = "over"  # nothing is left to tell
    ANEW = "anew"  # it was opened again before all this was over: a new opening


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One telling under a lease. Whoever has it and is alive is the only one who sends.

    `over`: nothing was left to tell. `ripe`: its time has come. `doubt`: an attempt was made of which nobody knows
    whether it arrived. `refused`: what they will never take. `failures`: attempts in vain since something was last
    taken, `failing` how long that is. `patience`: how long somebody had to acknowledge it.
    """

    incident: IncidentId
    sink: str
    opening: int
    fence: str
    seen: str
    """How often somebody had said "look again" when it was taken."""
    over: bool
    said: Action | None
    ripe: bool
    doubt: bool
    refused: Action | None
    failures: int
    failing: timedelta
    patience: timedelta
    url: str

    @property
    def key(self) -> str:
        """What all messages of one opening have in common."""
        return f"{self.incident}-{self.opening}"

    def id_of(self, action: Action) -> str:
        """The same however often this is sent, by whomever."""
        return f"{self.key}-{action}"


def next_step(telling: Telling, state: State | None) -> Action | Step:  # noqa: PLR0911 - a table
    """What comes next of a telling whose incident stands like this; None: there is no such incident any more.

    Trigger, acknowledge, resolve, in this order and each at most once; what nobody needs any more is left out.
    """
    if telling.over:  # should it come back, whoever knows the policy arranges it anew
        return Step.OVER
    if telling.said is None:
        return _first(telling, state)
    if state is State.OPEN:
        match telling.said:
            case Action.TRIGGER:
                return Step.REST
            case Action.ACKNOWLEDGE:  # whoever was on it is not: their incident ends, and a new one wakes somebody
                return _unless_refused(telling, Action.RESOLVE)
            case Action.RESOLVE:
                return Step.ANEW
    if telling.said is Action.RESOLVE:
        return Step.REST if state is State.ACKNOWLEDGED else Step.OVER
    if state is not State.ACKNOWLEDGED:
        return _unless_refused(telling, Action.RESOLVE)
    return Step.REST if telling.said is Action.ACKNOWLEDGE else _unless_refused(telling, Action.ACKNOWLEDGE)


def _first(telling: Telling, state: State | None) -> Action | Step:
    """Nothing is known to have arrived. A trigger that may have is taken back; what certainly has not is old news."""
    match state:
        case State.OPEN:
            return _unless_refused(telling, Action.TRIGGER) if telling.ripe else Step.WAIT
        case State.ACKNOWLEDGED:
            return _unless_refused(telling, Action.ACKNOWLEDGE) if telling.doubt else Step.REST
        case _:
            return _unless_refused(telling, Action.RESOLVE) if telling.doubt else Step.OVER


def _unless_refused(telling: Telling, action: Action) -> Action | Step:
    if telling.refused is not action:
        return action
    return Step.OVER if action is Action.RESOLVE else Step.REST


class Tellings(Escalations, Protocol):
    """What whoever serves a sink needs besides. UnreachableError when Redis does not answer.

    Everything but `take` may be asked twice, and answers False when the lease is somebody else's by now: then it
    changed nothing.
    """

    async def take(self, sink: str, *, lease: timedelta, limit: int) -> Sequence[Telling]:
        """What is due for this sink, longest first, each for as long as the lease; then somebody else gets it."""
        ...

    async def told(self, telling: Telling, action: Action) -> bool:
        """They have it. What is left to tell is due at once."""
        ...

    async def failed(self, telling: Telling, *, delay: timedelta, maybe: bool, trouble: str) -> bool:
        """They do not have it, or `maybe` they do; it is due again after `delay`."""
        ...

    async def refuse(self, telling: Telling, action: Action, *, trouble: str) -> bool:
        """They will never take this."""
        ...

    async def put_off(self, telling: Telling, step: Step, *, note: str = "") -> bool:
        """Nothing is to be sent now. `note`: why something never will be."""
        ...

    async def found(self, telling: Telling, url: str) -> None:
        """Where people see it there."""
        ...
