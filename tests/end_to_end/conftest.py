"""The stage: a world with fast links and small VMs, so that a copy takes a fraction of a second."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import World
from tests.end_to_end.plant import SITES, Plant, Target, plant
from tests.worlds import TWO_SITES

WORLD = (
    TWO_SITES
    + """
[[vms]]
name = "web01"
site = "site1"
folder = "Web"
disks = ["16 GiB thin 500 MiB"]
networks = ["dvpg-app"]
[[vms]]
name = "db01"
site = "site1"
disks = ["16 GiB thin 700 MiB", "8 GiB thin 100 MiB"]
networks = ["VM Network", "dvpg-app"]
[[vms]]
name = "big01"
site = "site1"
disks = ["900 GiB thin 800 GiB"]
[[vms]]
name = "app01"
site = "site1"
disks = ["1 GiB thin 10 MiB"]
power = "on"
[[vms]]
name = "report01"
site = "site1"
folder = "Web"
disks = ["1 GiB thin 10 MiB"]
[[vms]]
name = "report01"
site = "site1"
folder = "Old"
disks = ["1 GiB thin 10 MiB"]
[[vms]]
name = "Weekly report \U0001f680 (do not touch)"
site = "site1"
disks = ["1 GiB thin 10 MiB"]
[[vms]]
name = "<!channel> *bold* `code` <@U0BOB00001>"
site = "site1"
disks = ["1 GiB thin 10 MiB"]
[[vms]]
name = "list"
site = "site1"
disks = ["1 GiB thin 10 MiB"]
[[vms]]
name = "kept01"
site = "site1"
disks = ["16 GiB thin 500 MiB"]
snapshots = true
[[events]]
at = "63 % of db01"
link = ["site1", "site2"]
loss = "4 %"
"""
)


@pytest.fixture
async def vcenter(tmp_path: Path) -> AsyncIterator[VCenterPlayer]:
    async with await play_world(World.model_validate(tomllib.loads(WORLD)), tmp_path / "world") as world:
        yield world["east"]


@pytest.fixture
def target(vcenter: VCenterPlayer) -> Target:
    return Target(
        vcenter.url, vcenter.ca_file or "", vcenter.user, vcenter.password, SITES.format(approval="requester")
    )


@pytest.fixture
async def stage(tmp_path: Path, target: Target, valkey_url: str) -> AsyncIterator[Plant]:
    """Bot and worker run, and the inventory is known."""
    async with plant(tmp_path, target, valkey_url) as running:
        await running.start_bot()
        await running.start_worker()
        await running.inventory()
        yield running
