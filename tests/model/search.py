"""Exhaustive search: every moment that can be reached, breadth first, so that a counterexample is a shortest one."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from time import process_time

from bot.migration.machine import Phase
from tests.model import ledger, program, world
from tests.model.guards import Guard
from tests.model.invariants import INVARIANTS, Invariant, under_way
from tests.model.ledger import Step
from tests.model.likeness import condensed, key
from tests.model.state import WORKERS, State

ALL = frozenset(Guard)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How often something may go wrong in one run."""

    mishaps: int
    losses: int


@dataclass(slots=True)
class Found:
    """What a search found. `broken` names the invariant that does not hold, `trace` is the way to where it fails.

    `seconds` are of one core: they do not depend on who else uses the machine.
    """

    states: int = 0
    steps: int = 0
    depth: int = 0
    seconds: float = 0.0
    broken: str = ""
    trace: list[str] = field(default_factory=list)
    phases: set[Phase] = field(default_factory=set)


def benign(state: State, guards: Collection[Guard]) -> Iterator[Step]:
    """Everything that may happen next without a mishap."""
    for number in WORKERS:
        if state.workers[number].at == "idle":
            yield from ledger.claim(state, number, guards)
        else:
            yield from program.steps(state, number, guards)
    yield from ledger.person(state)
    yield from ledger.time_passes(state, guards)
    yield from ledger.reconciled(state, guards)
    yield from world.wire(state, guards)
    yield from world.vcenter(state)


def search(bounds: Bounds, guards: Collection[Guard] = ALL, invariants: Collection[Invariant] = INVARIANTS) -> Found:
    """Go everywhere, or to the first moment at which one of the invariants does not hold."""
    began = process_time()
    world_map = _Map(frozenset(guards), tuple(invariants))
    collecting = gc.isenabled()
    gc.disable()  # nothing here is a cycle, and looking for some takes a third of the time
    try:
        found = world_map.explored(State(mishaps=bounds.mishaps, losses=bounds.losses))
    finally:
        if collecting:
            gc.enable()
    found.seconds = process_time() - began
    return found


class _Map:
    """Every moment by its number: how it was reached first, and from where it is reached without a mishap."""

    def __init__(self, guards: frozenset[Guard], invariants: tuple[Invariant, ...]) -> None:
        self.guards = guards
        self.invariants = invariants
        self.numbers: dict[object, int] = {}
        self.first: list[tuple[int, str]] = []
        self.depths: list[int] = []
        self.before: list[list[int]] = []
        self.ends: list[int] = []
        self.waiting: deque[tuple[int, State]] = deque()
        self.found = Found()

    def explored(self, start: State) -> Found:
        bad = self._visit(-1, ("a person asks for a migration", start), mishap=True)
        while self.waiting and bad is None:
            bad = self._go_on(*self.waiting.popleft())
        if bad is None and (bad := _stuck(self.before, self.ends)) is not None:
            self.found.broken = "reaches_an_end"
        self.found.states, self.found.depth = len(self.first), max(self.depths)
        self.found.trace = _way(self.first, bad)
        return self.found

    def _go_on(self, number: int, state: State) -> int | None:
        for mishap, options in ((False, benign(state, self.guards)), (True, world.mishaps(state, self.guards))):
            for step in options:
                self.found.steps += 1
                bad = self._visit(number, step, mishap=mishap)
                if bad is not None:
                    return bad
        return None

    def _visit(self, origin: int, step: Step, *, mishap: bool) -> int | None:
        """The number of this moment if it is new and bad, else None."""
        state = condensed(step[1], self.guards)
        name = key(state, self.guards)
        number = self.numbers.get(name)
        if number is None:
            number = self._add(name, origin, step[0], state)
            broken = next((invariant for invariant in self.invariants if not invariant(state)), None)
            if broken is not None:
                self.found.broken = broken.__name__
                return number
        if not mishap:
            self.before[number].append(origin)
        return None

    def _add(self, name: object, origin: int, label: str, state: State) -> int:
        number = self.numbers[name] = len(self.first)
        self.first.append((origin, label))
        self.depths.append(self.depths[origin] + 1 if origin >= 0 else 0)
        self.before.append([])
        if state.job.phase is not None:
            self.found.phases.add(state.job.phase)
        if _over(state):
            self.ends.append(number)
        self.waiting.append((number, state))
        return number


def _over(state: State) -> bool:
    """An end. What Redis forgot is over too once no trace tells of it, and nothing moves or a person was told."""
    if state.job.phase is None:
        return state.trace is None and (state.blind or not under_way(state))
    return state.job.phase.ended


def _stuck(before: list[list[int]], ends: list[int]) -> int | None:
    """The first moment from which no end can be reached."""
    good = bytearray(len(before))
    waiting = deque(ends)
    for end in ends:
        good[end] = 1
    while waiting:
        for number in before[waiting.popleft()]:
            if not good[number]:
                good[number] = 1
                waiting.append(number)
    found = good.find(0)
    return None if found < 0 else found


def _way(first: list[tuple[int, str]], bad: int | None) -> list[str]:
    """From the start to the bad moment, one sentence a step."""
    labels: list[str] = []
    while bad is not None and bad >= 0:
        bad, label = first[bad]
        labels.append(label)
    return labels[::-1]
