"""Somebody else's move, begun without the product: it is a relocation like any other, under an opID of the Client's."""

import asyncio
import re

import pytest

from bot.playground.vcenter.by_hand import SOMEBODY
from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world
from tests.playground.vcenter.test_switch_table import _until_ended
from tests.worlds import TWO_SITES

WORLD = (
    TWO_SITES
    + """
[[vms]]
name = "web"
site = "site1"
networks = ["VM Network"]
disks = ["1 GiB thin 10 MiB"]
[play]
nfc_patience = "100 ms"
history_lines = 0
"""
)


@pytest.mark.parametrize(("loss", "site"), [(0.0, "site2"), (0.04, "site1")])
async def test_it_ends_as_the_link_lets_it(tmp_path, loss, site):
    async with await play_world(parse_world(WORLD), tmp_path) as running:
        player = running["east"]
        player.switches.set_link("site1", "site2", loss=loss)
        task = player.switches.relocate_vm("web", "site2")
        async with asyncio.timeout(20):
            await _until_ended(player)
        assert player.placement("web").site == site
        (record,) = player.relocations
        assert record.task == task
        assert re.fullmatch(r"[0-9A-F]{8}-[0-9A-F]{8}", record.op_id)
        assert {event.user for event in player.estate.events if event.chain > 1000 and event.user} == {SOMEBODY}


async def test_nobody_can_move_to_where_nothing_is(tmp_path):
    async with await play_world(parse_world(WORLD), tmp_path) as running:
        with pytest.raises(KeyError, match="no host at 'site9'"):
            running["east"].switches.relocate_vm("web", "site9")
