"""Redis loses all it knew: every card in the channel ends up telling the truth, whatever its job was doing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.compose import store_of
from bot.slack.census import SETTLE
from bot.store import keys
from tests.end_to_end.conftest import SITES
from tests.end_to_end.plant import CHANNEL, Target, buttons, plant, text_of

SLOW, FAST = 20_000_000, 8_000_000_000
LISTS = '[lists]\npair = ["big01", "app01"]\n'
LOST = "Redis lost what it knew"


@pytest.fixture
def target(vcenter) -> Target:
    sites = SITES.format(approval="requester") + LISTS
    return Target(vcenter.url, vcenter.ca_file or "", vcenter.user, vcenter.password, sites)


async def lose_all(stage, skew_clock):
    """The data goes, a bot sees it, and then the time passes that workers have."""
    async with store_of(stage.settings) as store, asyncio.timeout(20):
        await store.flushall()
        while not await store.hget(keys.CENSUS, "due"):
            await asyncio.sleep(0.05)
    skew_clock(SETTLE + timedelta(seconds=5))


async def card_of(stage, title, *, showing):
    def seen():
        found = [card for card in stage.cards() if text_of(card).startswith(title)]
        return next((card for card in found if showing in text_of(card)), None)

    return await stage.until(seen)


async def ask(stage, vm):
    await stage.type(f'/coldmigrate "{vm}" site2')
    return await card_of(stage, f"{vm} to site2", showing="waiting for approval")


async def approve(stage, vm, *, until):
    await stage.click(await ask(stage, vm), "cm.approve")
    return await card_of(stage, f"{vm} to site2", showing=until)


async def test_every_card_tells_the_truth_after_redis_lost_all(stage, vcenter, skew_clock):
    await stage.start_bot()  # a second one: whoever looks, it is done once
    vcenter.set_link("site1", "site2", rate=SLOW)
    runs = await approve(stage, "web01", until="copying")
    await stage.type("/coldmigrate hold site1 site2 the provider works on it")
    await approve(stage, "list", until="held")
    await ask(stage, "db01")
    await stage.type("/coldmigrate @pair site2")
    await card_of(stage, "The link site1~site2 is held", showing="goes on to its end")
    await card_of(stage, "@pair to site2", showing="1 of 2 can start")
    assert len(stage.cards()) == 5

    await lose_all(stage, skew_clock)
    await stage.reply(runs, saying="Redis lost its data")
    await stage.until(lambda: sum(LOST in text_of(card) for card in stage.cards()) == 4)
    for title in ("list to site2", "db01 to site2", "@pair to site2", "The link site1~site2 is held"):
        assert buttons(await card_of(stage, title, showing=LOST)) == set()
    assert len(stage.cards()) == 5  # although somebody may have been drawing one of them at that very moment
    assert [card["ts"] for card in stage.cards() if LOST not in text_of(card)] == [runs["ts"]]
    assert "Queued" not in text_of(await card_of(stage, "list", showing=LOST))
    assert "From\nsite1" in text_of(await card_of(stage, "list", showing=LOST))

    vcenter.set_link("site1", "site2", rate=FAST)
    assert (await card_of(stage, "web01", showing="done"))["ts"] == runs["ts"]
    await stage.inventory()
    again = await approve(stage, "list", until="done")
    assert again["ts"] == stage.cards()[-1]["ts"]
    assert len(vcenter.relocations) == 2


async def test_a_copy_that_is_found_only_later_gets_its_card_back(tmp_path, target, valkey_url, vcenter, skew_clock):
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        stop = await stage.start_worker()
        await stage.inventory()
        vcenter.set_link("site1", "site2", rate=SLOW)
        before = await approve(stage, "web01", until="copying")
        await stop()
        await lose_all(stage, skew_clock)
        await card_of(stage, "web01", showing=LOST)
        await stage.start_worker()
        await card_of(stage, "web01", showing="copying")
        vcenter.set_link("site1", "site2", rate=FAST)
        after = await card_of(stage, "web01", showing="done")
        assert after["ts"] == before["ts"]
        assert len([m for m in stage.slack.person.history(CHANNEL) if m.get("blocks")]) == 1
    assert len(vcenter.relocations) == 1
