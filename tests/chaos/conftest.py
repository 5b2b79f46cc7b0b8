"""A world with enough small VMs for a night of kills; a copy takes a tenth of a second."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import World

VMS = 24
WORLD = """
seed = 11
[[vcenters]]
name = "east"
[[sites]]
name = "site1"
vcenter = "east"
datacenter = "DC1"
cluster = "C1"
hosts = 2
version = "8.0.3"
datastores = [{ name = "ds-c1-01", capacity = "4 TiB", free = "2 TiB" }]
networks = ["VM Network"]
[[sites]]
name = "site2"
vcenter = "east"
datacenter = "DC2"
cluster = "C2"
hosts = 2
version = "8.0.3"
datastores = [{ name = "ds-c2-01", capacity = "4 TiB", free = "3 TiB" }]
networks = ["VM Network"]
folders = ["Migrated"]
[[links]]
between = ["site1", "site2"]
rate = "8 Gbit/s"
rtt = "1 ms"
loss = "0 %"
mtu = 1500
"""


@pytest.fixture
async def vcenter(tmp_path: Path) -> AsyncIterator[VCenterPlayer]:
    vms = "".join(
        f'[[vms]]\nname = "vm{n:02}"\nsite = "site1"\ndisks = ["1 GiB thin 100 MiB"]\n' for n in range(1, VMS + 1)
    )
    async with await play_world(World.model_validate(tomllib.loads(WORLD + vms)), tmp_path / "world") as world:
        yield world["east"]
