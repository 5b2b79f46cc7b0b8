"""The protocol holds in every moment that the model can reach, and the search sees it where it does not."""

from __future__ import annotations

import pytest

from bot.migration.machine import TRANSITIONS, Phase, ReplyLost
from tests.model import proof, search
from tests.model.guards import Guard
from tests.model.invariants import INVARIANTS, reaches_an_end
from tests.model.proof import PURPOSE, WORLDS, without
from tests.model.search import Bounds


@pytest.mark.timeout(400)  # a quarter of a minute of one core, of which others may want their share
@pytest.mark.parametrize("name", WORLDS)
def test_everything_holds_everywhere(name):
    found = search.search(WORLDS[name])
    assert not found.broken, "\n".join([found.broken, *found.trace])
    assert proof.row(found) == proof.kept()[name], "run: python -m tests.model && python -m tests.docs.generated"


@pytest.mark.parametrize("guard", Guard)
def test_without_a_guard_its_invariant_breaks(guard):
    found = without(guard)
    assert found.broken == PURPOSE[guard][1].__name__
    print(f"without '{guard}':", *found.trace, sep="\n  ")


def test_every_invariant_has_a_guard_that_it_needs():
    assert {invariant for _, invariant in PURPOSE.values()} == {*INVARIANTS, reaches_an_end}


def test_the_table_that_is_searched_is_the_products(monkeypatch):
    """A transition that leads elsewhere is seen: here a lost reply is taken for a refusal."""
    monkeypatch.setitem(TRANSITIONS, (Phase.INTENT, ReplyLost), Phase.FAILED)
    assert search.search(Bounds(0, 0)).broken == "not_done_is_at_source"


def test_every_phase_is_reached():
    found = search.search(Bounds(0, 0))
    assert found.phases == set(Phase)
