"""One part in its short form, as a test: no promise is broken."""

from __future__ import annotations

from tests.chaos.run import Part, one
from tests.chaos.stage import Scale

SEED = 7


async def holds(part: Part) -> None:
    rows = await one(part, seed=SEED, scale=Scale.SHORT)
    assert rows
    broken = {row.name: row.breaches for row in rows if row.breaches}
    assert not broken, broken
