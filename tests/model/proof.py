"""What is searched, and what each guard is for: without it this invariant does not hold in this world.

`found.json` keeps what the last search found, for the page in the docs; a test searches again and compares.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tests.model import invariants as must
from tests.model.guards import Guard
from tests.model.invariants import Invariant
from tests.model.search import ALL, Bounds, Found, search

FILE: Final = Path(__file__).with_name("found.json")

WORLDS: Final = {
    "two mishaps": Bounds(mishaps=2, losses=0),
    "a mishap, and Redis loses everything": Bounds(mishaps=1, losses=1),
}
"""A mishap: a worker is killed, or is paused for longer than its lease and wakes up, or its session ends by itself.

Lost calls, lost replies, calls that land late, cancels and forgotten tasks are none: they may happen at any time.
"""

CALM, ONE, LOST, BOTH = Bounds(0, 0), Bounds(1, 0), Bounds(0, 1), Bounds(1, 1)

PURPOSE: Final[dict[Guard, tuple[Bounds, Invariant]]] = {
    Guard.FENCE: (ONE, must.no_stale_write),
    Guard.FRESH_FENCE: (BOTH, must.no_stale_write),
    Guard.LEASE: (ONE, must.reaches_an_end),
    Guard.CANCEL_AT_INTENT: (CALM, must.cancelled_early_never_runs),
    Guard.INTENT_FIRST: (ONE, must.one_relocation),
    Guard.SAME_SESSION: (ONE, must.one_relocation),
    Guard.ONE_SEND: (CALM, must.one_relocation),
    Guard.END_SESSION: (ONE, must.one_relocation),
    Guard.SETTLE: (ONE, must.one_relocation),
    Guard.LOOK_UP: (ONE, must.one_relocation),
    Guard.HISTORY: (ONE, must.one_relocation),
    Guard.PATIENCE: (CALM, must.a_person_only_where_vcenter_cannot_decide),
    Guard.PLACE: (CALM, must.done_is_at_target),
    Guard.TRACE: (LOST, must.started_is_in_somebodys_hands),
    Guard.OWN_TRACE: (BOTH, must.started_is_in_somebodys_hands),
    Guard.ADOPTED_ENDS_ALL: (LOST, must.not_done_is_at_source),
    Guard.ADOPTED_STARTS_NOTHING: (LOST, must.over_stays_over),
}


def without(guard: Guard) -> Found:
    """The search for what this guard keeps from happening, with it taken away."""
    bounds, invariant = PURPOSE[guard]
    looked_at = () if invariant is must.reaches_an_end else (invariant,)
    return search(bounds, ALL - {guard}, looked_at)


def sentence(invariant: Invariant) -> str:
    """What an invariant says, on one line."""
    return " ".join((invariant.__doc__ or "").split()).partition(". ")[0].rstrip(".") + "."


def row(found: Found) -> dict[str, int]:
    """What is kept of a search in which everything held."""
    return {"states": found.states, "steps": found.steps, "depth": found.depth}


def kept() -> dict[str, dict[str, Any]]:
    """What was found when somebody last wrote it down, by world."""
    known: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return known


def keep(worlds: dict[str, dict[str, int]]) -> None:
    """Write it down."""
    FILE.write_text(json.dumps(worlds, indent=1) + "\n", encoding="utf-8")
