"""A canary tries a link, from the first key to the last reply: past a hold, kept as what it was; and one that dies."""

from __future__ import annotations

import asyncio
import dataclasses
import tomllib
from datetime import UTC, datetime, timedelta

import pytest

from bot.compose import queue_of, store_of
from bot.links.history import RedisLinkHistory
from bot.migration.measured import SampleKind
from bot.playground.vcenter.player import play_world
from bot.playground.world import World
from tests import warm
from tests.end_to_end.conftest import WORLD
from tests.end_to_end.plant import buttons, plant, text_of

LINK = "site1~site2"
EVER = datetime(2000, 1, 1, tzinfo=UTC)
CANARY = """
[[vms]]
name = "canary01"
site = "site1"
disks = ["2 GiB thin 800 MiB"]
[play]
nfc_patience = "200 ms"
"""


@pytest.fixture
async def vcenter(tmp_path):
    async with await play_world(World.model_validate(tomllib.loads(WORLD + CANARY)), tmp_path / "world") as world:
        yield world["east"]


@pytest.fixture
async def stage(tmp_path, target, valkey_url):
    allowed = dataclasses.replace(target, sites=target.sites + "[allow]\ncanary = true\n", link='canary = "canary01"')
    async with plant(tmp_path, allowed, valkey_url) as running:
        await running.start_bot()
        await running.start_worker()
        await running.inventory()
        yield running


async def history(stage, kind):
    async with store_of(stage.settings) as store:
        return [one for one in await RedisLinkHistory(store).samples(LINK, since=EVER) if one.kind is kind]


async def audited(stage):
    async with store_of(stage.settings) as store:
        return [(act.verb, act.by, act.why) for act in await queue_of(stage.settings, store).acts()]


async def on_the_command_line(stage, *words, redis):
    """Its exit code, and all that it prints; the card goes to the channel of the latest job."""
    async with store_of(stage.settings) as store:
        (latest,) = await queue_of(stage.settings, store).recent(limit=1)
    words = [*warm.bot(), *map(str, words), "--channel", latest.channel]
    piped = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *words, env={"REDIS_URL": redis}, stdout=piped, stderr=asyncio.subprocess.STDOUT
    )
    told, _ = await process.communicate()
    return process.returncode, told.decode()


async def test_a_canary_crosses_a_held_link_without_a_click_and_is_remembered_as_one(stage, vcenter):
    await stage.type("/coldmigrate hold site1 site2 the provider works on it")
    await stage.card(showing="is held")
    said = await stage.type("/coldmigrate canary site2 site1")
    assert "Checking canary01 for site2" in said
    host = vcenter.placement("canary01").host
    assert f"canary01 is on {host} at site1, and starts there" in said
    card = await stage.card(showing="canary01 is at site2", number=1)
    assert "a canary: it moves only to try the path" in text_of(card)
    assert vcenter.placement("canary01").site == "site2"
    (sample,) = await history(stage, SampleKind.CANARY)
    assert (sample.source_host, sample.rate is not None) == (host, True)
    assert await history(stage, SampleKind.COPY) == []
    ((_, by, why),) = [act for act in await audited(stage) if act[0] == "approve"]
    assert by == "coldmigrate"
    assert "by [allow] canary of the config; asked for by U0ALICE001" in why

    def told():
        return any("a canary went well at" in text_of(v) for v in stage.slack.person.views("alice"))

    stage.slack.person.open_home("alice")
    await stage.until(told)


async def test_a_canary_that_dies_is_diagnosed_and_holds_nothing(stage, vcenter):
    vcenter.set_link("site1", "site2", loss=0.04)
    await stage.type("/coldmigrate canary site1 site2")
    card = await stage.card(showing="failed")
    ended = await stage.reply(card, saying="Nothing is held because a canary failed")
    assert "canary01" in text_of(ended)
    await stage.until(lambda: "packet loss" in stage.thread_text(card).casefold())
    assert vcenter.placement("canary01").site == "site1"
    async with store_of(stage.settings) as store:
        assert await queue_of(stage.settings, store).holds() == []
    assert await history(stage, SampleKind.CANARY) == []


async def test_a_copy_that_dies_names_the_canary_which_comes_back_from_the_command_line(
    stage, vcenter, tmp_path, valkey_url
):
    await stage.type("/coldmigrate db01 site2")
    await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
    failed = await stage.card(showing="failed")
    ended = await stage.reply(failed, saying="/coldmigrate canary site1 site2 --host")
    target = text_of(ended).partition("canary site1 site2 --host ")[2].split()[0]
    assert "cm.retry" in buttons(ended)
    await stage.card(showing="is held", number=1)
    vcenter.set_link("site1", "site2", loss=0.0)
    said = await stage.type(f"/coldmigrate canary site1 site2 --host {target}")
    assert "the last copy that failed on this link" in said
    await stage.card(showing="canary01 is at site2", number=2)
    assert vcenter.placement("canary01").host == target
    code, told = await on_the_command_line(
        stage, "link", "--config", tmp_path / "coldmigrate.toml", "canary", "site2", "site1", redis=valkey_url
    )
    assert code == 0, told
    assert "canary01 is on" in told
    await stage.card(showing="canary01 is at site1", number=3)


async def test_a_canary_goes_ahead_of_what_waits_for_a_clean_link(stage, vcenter, skew_clock):
    await stage.type("/coldmigrate web01 site2 --when-clean")
    await stage.click(await stage.card(showing="waiting for approval"), "cm.approve")
    for look in range(4):
        skew_clock(look * timedelta(minutes=4))
        await stage.card(showing=f"0 of {750 * (look + 1)} lost" if look < 3 else "tries it first: job")
    await stage.card(showing="canary01 is at site2", number=1)
    assert vcenter.placement("web01").site == "site1"
    skew_clock(timedelta(minutes=14))
    await stage.card(showing="done")
    assert [move.vm for move in vcenter.relocations] == ["canary01", "web01"]
