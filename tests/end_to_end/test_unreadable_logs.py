"""Logs that cannot be read are said to be unread; a cause is not made up for them."""

from __future__ import annotations

import tomllib

from bot.playground.vcenter.player import play_world
from bot.playground.world import World
from tests.end_to_end.conftest import WORLD
from tests.end_to_end.plant import SITES, Target, plant, text_of

PRIVILEGES = (
    "System.Anonymous",
    "System.View",
    "System.Read",
    "Resource.ColdMigrate",
    "Resource.AssignVMToPool",
    "Datastore.AllocateSpace",
    "VirtualMachine.Inventory.Move",
    "Network.Assign",
    "Sessions.TerminateSession",
    "Global.ManageCustomFields",
    "Global.SetCustomField",
)


async def test_without_the_privilege_the_thread_says_what_was_not_read(tmp_path, valkey_url):
    listed = ", ".join(f'"{name}"' for name in PRIVILEGES)
    account = f'accounts = [{{ user = "svc@vsphere.local", password = "correct horse", privileges = [{listed}] }}]'
    text = WORLD.replace('name = "east"\n', f'name = "east"\n{account}\n', 1)
    async with await play_world(World.model_validate(tomllib.loads(text)), tmp_path / "world") as world:
        vcenter = world["east"]
        target = Target(
            vcenter.url, vcenter.ca_file or "", vcenter.user, vcenter.password, SITES.format(approval="requester")
        )
        async with plant(tmp_path, target, valkey_url) as stage:
            await stage.start_bot()
            await stage.start_worker()
            await stage.inventory()
            await stage.type("/coldmigrate db01 site2")
            await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
            card = await stage.card(showing="failed")
            said = text_of(await stage.reply(card, saying="No cause can be named"))
            assert "not all logs could be read" in said
            assert "Global.Diagnostics" in said  # what to grant
            assert "packet loss" not in stage.thread_text(card)
            assert "intact at its source" in stage.thread_text(card)
