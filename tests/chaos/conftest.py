"""A world with enough small VMs for a night of kills; a copy takes a tenth of a second."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import World
from tests.worlds import TWO_SITES

VMS = 24


@pytest.fixture
async def vcenter(tmp_path: Path) -> AsyncIterator[VCenterPlayer]:
    vms = "".join(
        f'[[vms]]\nname = "vm{n:02}"\nsite = "site1"\ndisks = ["1 GiB thin 100 MiB"]\n' for n in range(1, VMS + 1)
    )
    async with await play_world(World.model_validate(tomllib.loads(TWO_SITES + vms)), tmp_path / "world") as world:
        yield world["east"]
