"""The short form of the parts of `make chaos` that mistreat Redis, vCenter, Slack and the rest of the world."""

from __future__ import annotations

import pytest

from tests.chaos.run import PARTS, parts_in
from tests.chaos.short_form import holds
from tests.chaos.test_parts import WORKERS

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]


@pytest.mark.parametrize("part", [p for p in parts_in(PARTS) if p.name not in WORKERS], ids=lambda part: part.name)
async def test_no_promise_is_broken(part):
    await holds(part)
