"""What people see and may do when rights differ from site to site, and who counts as a second person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.compose import bot_role
from bot.playground.slack.default_workspace import GROUP
from tests import warm
from tests.end_to_end.plant import ALICE, BOB, SITES, Plant, Target, buttons, plant, text_of

# alice may do everything at both sites; bob everything, but at site1 alone; carol is in the group, mallory in nothing.
BY_SITE = f"""
who = ["user:{ALICE}"]
may = ["migrate", "approve", "cancel"]
[[rights]]
who = ["user:{BOB}"]
sites = ["site1"]
"""


@pytest.fixture
async def stage(tmp_path, target: Target, valkey_url) -> AsyncIterator[Plant]:
    async with plant(tmp_path, target, valkey_url, rights=BY_SITE) as running:
        await running.start_bot()
        await running.start_worker()
        await running.inventory()
        yield running


async def test_jobs_to_sites_that_one_may_not_see_are_not_told(stage):
    await stage.type("/coldmigrate web01 site2")
    card = await stage.card(showing="waiting for approval")
    job = card["metadata"]["event_payload"]["job_id"]
    assert job in await stage.type("/coldmigrate list")
    listed = await stage.type("/coldmigrate list", user="bob")
    assert job not in listed
    assert "web01" not in listed
    assert "web01" not in await stage.type(f"/coldmigrate show {job}", user="bob")
    for verb in ("show", "cancel", "retry"):
        assert "may not" in await stage.type(f"/coldmigrate {verb} {job}", user="bob")
    for action in buttons(card):
        assert "may not" in await stage.answer(card, action, user="bob")
    assert "waiting for approval" in text_of(await stage.card(showing="waiting for approval"))


async def test_sites_are_told_to_those_who_may_do_something_there(stage):
    assert "Sites: site1, site2" in await stage.type("/coldmigrate help")
    assert "site2" not in (await stage.type("/coldmigrate help", user="bob")).partition("\n")[0]
    for typed in ("web01 site2", "web01 nosuch", "nosuch site1", "hold a b", "release a b"):
        said = await stage.type(f"/coldmigrate {typed}", user="mallory")
        assert "may not" in said
        assert "Sites:" not in said


async def test_a_live_job_is_listed_however_many_came_after_it(stage):
    await stage.type("/coldmigrate web01 site2")
    await stage.card(showing="waiting for approval")
    for _ in range(25):
        await stage.type("/coldmigrate db01 site2 --dry-run")
    listed = await stage.type("/coldmigrate list")
    assert "web01 to site2" in listed


async def test_the_second_person_may_come_from_a_group_and_the_first_may_not(tmp_path, target, valkey_url, vcenter):
    target.sites = SITES.format(approval="second-person")
    async with plant(tmp_path, target, valkey_url, rights=f'who = ["group:{GROUP}"]') as stage:
        await stage.start_bot()
        await stage.start_worker()
        await stage.inventory()
        members = stage.slack.workspace.groups[GROUP].users
        assert {ALICE, BOB} <= set(members)
        await stage.type("/coldmigrate web01 site2")
        card = await stage.card(showing="waiting for approval")
        assert "second person" in await stage.answer(card, "cm.approve")
        assert vcenter.relocations == []
        clicks = (stage.click(card, "cm.approve", user="bob") for _ in range(2))  # an approval counts once
        await asyncio.gather(*clicks)
        await stage.card(showing="Done")
        assert len(vcenter.relocations) == 1


async def test_who_asked_on_the_command_line_is_nobody_s_second_person(tmp_path, target, valkey_url, vcenter):
    target.sites = SITES.format(approval="second-person")
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        await stage.start_worker()
        await stage.inventory()
        await stage.type("/coldmigrate web01 site2")
        card = await stage.card(showing="waiting for approval")
        await stage.click(card, "cm.cancel")
        await stage.card(showing="Cancelled")
        retry = (*warm.bot(), "jobs", "retry", card["metadata"]["event_payload"]["job_id"])
        process = await asyncio.create_subprocess_exec(*retry, env={"REDIS_URL": valkey_url, "USER": "alice"})
        assert await process.wait() == 0
        again = await stage.card(showing="waiting for approval", number=1)
        for user in ("alice", "bob"):
            await stage.click(again, "cm.approve", user=user)
            told = stage.slack.person.ephemerals
            await stage.until(lambda: any("alice (command line) asked" in text_of(m) for m in told(user)))  # noqa: B023
        assert "waiting for approval" in text_of(stage.cards()[1])
    assert vcenter.relocations == []


async def test_a_site_that_left_the_config_takes_no_approvals(tmp_path, target, valkey_url, vcenter):
    """It may have asked for a second person; starting the bot without it must not lift that."""
    target.sites = SITES.format(approval="second-person")
    async with plant(tmp_path, target, valkey_url) as stage:
        async with bot_role(stage.settings):
            await stage.start_worker()
            await stage.inventory()
            await stage.type("/coldmigrate web01 site2")
            card = await stage.card(showing="waiting for approval")
        sites = {"site1": stage.settings.sites["site1"]}
        stage.settings = stage.settings.model_copy(update={"sites": sites, "links": ()})
        await stage.start_bot()
        await stage.click(card, "cm.approve")
        await stage.until(lambda: "There is no site 'site2'" in stage.told("alice"))
    assert vcenter.relocations == []
