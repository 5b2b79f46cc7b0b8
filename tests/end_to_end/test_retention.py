"""When all was told and everybody has gone home, Redis holds what docs/redis-keys.md says and no more."""

from __future__ import annotations

import asyncio

from bot.compose import queue_of, store_of
from tests.end_to_end.plant import PATIENCE
from tests.store.leftovers import breaches, family_of


async def test_nothing_is_left_of_what_was_done_failed_cancelled_and_told(stage, vcenter):
    await stage.type("/coldmigrate web01 site2")
    await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
    await stage.card(showing="done")
    await stage.type("/coldmigrate db01 site2")
    await stage.click(await stage.card(showing="waiting for approval", number=1), "cm.approve")
    failed = await stage.card(showing="failed", number=1)
    await stage.reply(failed, saying="ways on from here")
    await stage.card(showing="Release", number=2)  # of the link, which the failure held
    await stage.type("/coldmigrate big01 site2")
    await stage.click(await stage.card(showing="waiting for approval", number=3), "cm.cancel")
    await stage.card(showing="cancelled", number=3)
    async with store_of(stage.settings) as store:
        queue = queue_of(stage.settings, store)
        for hold in await queue.holds():  # which stays until somebody says otherwise
            await queue.release(hold.id, by="U1", why="mended")
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while told := await breaches(store):
                await asyncio.sleep(0.1)
        assert told == []
        left = {family_of(key).name for key in await store.keys("*")}
    assert {"job:<job>", "card:<job>", "seen:<kind>:<delivery>", "ev", "audit", "inv:<vcenter>"} <= left
