"""The short form of the parts of `make chaos` that mistreat workers: the same code, fewer kills."""

from __future__ import annotations

import pytest

from tests.chaos.run import PARTS, parts_in
from tests.chaos.short_form import holds

WORKERS = frozenset({"random", "points", "paused", "links", "cancels", "clocks", "rolling", "poison", "control"})
"""Those of the rest of the world are in test_parts_of_the_world.py, so that two processes can share them."""

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]


def test_every_name_is_that_of_a_part():
    assert {part.name for part in parts_in(PARTS)} > WORKERS


@pytest.mark.parametrize("part", [p for p in parts_in(PARTS) if p.name in WORKERS], ids=lambda part: part.name)
async def test_no_promise_is_broken(part):
    await holds(part)
