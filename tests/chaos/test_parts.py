"""The short form of every part of `make chaos`: the same code, fewer kills."""

from __future__ import annotations

import pytest

from tests.chaos.run import PARTS, Part, one, parts_in
from tests.chaos.stage import Scale

SEED = 7

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]


@pytest.mark.parametrize("part", parts_in(PARTS), ids=lambda part: part.name)
async def test_no_promise_is_broken(part: Part):
    rows = await one(part, seed=SEED, scale=Scale.SHORT)
    assert rows
    assert {row.name: row.breaches for row in rows if row.breaches} == {}
