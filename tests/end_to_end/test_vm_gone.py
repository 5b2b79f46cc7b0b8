"""Somebody takes the VM out of vCenter while nobody looks: that is said at once, and not after a day of asking."""

from __future__ import annotations

import asyncio

from tests.end_to_end.plant import plant


async def test_its_task_is_forgotten_and_the_vm_is_no_more(tmp_path, target, valkey_url, vcenter):
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        stop = await stage.start_worker()
        await stage.inventory()
        vcenter.set_link("site1", "site2", rate=20_000_000)
        await stage.type("/coldmigrate web01 site2")
        await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
        await stage.card(showing="copying")
        await stop()
        vcenter.set_link("site1", "site2", rate=8_000_000_000)
        async with asyncio.timeout(20):
            while vcenter.placement("web01").site != "site2":
                await asyncio.sleep(0.05)
        vcenter.estate.tasks.forget_ended()
        vcenter.estate.inventory.remove(vcenter.estate.vm("web01"))
        await stage.start_worker()
        card = await stage.card(showing="needs a person")
        await stage.reply(card, saying="is no longer in vCenter")
