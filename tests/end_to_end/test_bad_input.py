"""What people really type, and what the world really does: a sentence where it was typed, and nothing half-started."""

from __future__ import annotations

import asyncio

import pytest

from bot.playground.slack.records import ChannelKind
from bot.playground.vcenter.certificates import Authority
from bot.store import embedded
from tests.end_to_end.plant import ALICE, BOB, PATIENCE, SITES, Target, buttons, formatted_text, plant, text_of

SENTENCES = [
    ("web0l site2", "No VM is called 'web0l'", "web01"),
    ("report01 site2", "'report01' means 2 VMs", "/DC1/vm/Old/report01"),
    ("web01 site9", "There is no site 'site9'", "site1, site2"),
    ("web01", "site", "/coldmigrate"),
    ("web01 site2 --thni", "--thni", ""),
    ("web01 site2 --shutdown", "shutdown = true in [allow]", ""),
    ("web01 site2 --host", "--host", ""),
    ("'web01 site2", "quote", ""),
    ("web01 site2 site2", "", "/coldmigrate"),
    ("<!channel> site2", "No VM is called", '/coldmigrate "<!channel> *bold*'),
    ("show aaaaaaaa", "There is no job 'aaaaaaaa'", ""),
]


@pytest.mark.parametrize(("typed", "says", "helps"), SENTENCES, ids=[s[0] for s in SENTENCES])
async def test_a_sentence_and_nothing_queued(stage, vcenter, typed, says, helps):
    said = await stage.type(f"/coldmigrate {typed}")
    assert says in said
    assert helps in said
    assert "There are no jobs" in await stage.type("/coldmigrate list")
    assert vcenter.relocations == []


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("“Weekly report 🚀 (do not touch)” site2", "Weekly report 🚀 (do not touch)"),  # a phone's quotes
        ('"list" site2', "list"),
        ("/DC1/vm/Old/report01 site2", "report01"),
        ("web01 site2 —dry-run", "web01"),  # a phone's dash
    ],
)
async def test_names_that_need_care(stage, typed, name):
    assert f"Checking {name} for site2" in await stage.type(f"/coldmigrate {typed}")
    await stage.card(showing=name)


async def test_a_hostile_name_pings_and_formats_nothing(stage):
    await stage.type('/coldmigrate "<!channel> *bold* `code` <@U0BOB00001>" site2')
    card = await stage.card(showing="waiting for approval")
    parsed = formatted_text(card)
    assert "<!channel>" not in parsed
    assert "U0BOB00001>" not in parsed.replace("&lt;@U0BOB00001&gt;", "")
    assert "broadcast" not in parsed
    assert "*bold*" in text_of(card)  # said as it is


async def test_a_powered_on_vm_has_a_plan_that_cannot_be_approved(stage):
    await stage.type("/coldmigrate app01 site2")
    card = await stage.card(showing="powered on")
    assert buttons(card) == {"cm.cancel"}
    assert "Cannot start as it is" in str(card)
    assert "Waiting for approval" not in str(card)
    assert "cannot start as it is" in await stage.type("/coldmigrate list")


async def test_whoever_may_ask_again_may_do_so_at_once(stage):
    await stage.type("/coldmigrate app01 site2")
    await stage.card(showing="powered on")
    by_bob = await stage.type("/coldmigrate app01 site2 --thin", user="bob")
    assert "cannot start" in by_bob
    assert "/coldmigrate cancel" in by_bob  # what alice asked for, bob does not take away by asking
    said = await stage.type("/coldmigrate app01 site2 --thin")
    assert "Checking app01 for site2" in said
    await stage.card(showing="Cancelled")
    await stage.card(showing="Mend what blocks it", number=1)
    assert len(stage.cards()) == 2


async def test_the_site_where_it_is(stage):
    await stage.type("/coldmigrate web01 site1")
    card = await stage.card(showing="already is at site1")
    assert "cm.approve" not in buttons(card)


async def test_typed_twice_is_one_job(stage):
    await stage.type("/coldmigrate web01 site2")
    said = await stage.type("/coldmigrate web01 site2", user="bob")
    assert "web01 already has job" in said
    await stage.card(showing="waiting for approval")
    assert len(stage.cards()) == 1


async def test_a_channel_that_the_bot_is_not_in(stage):
    stage.slack.switches.remove_bot("#random")
    said = await stage.type("/coldmigrate web01 site2", channel="#random")
    assert "/invite" in said
    assert "There are no jobs" in await stage.type("/coldmigrate list")


async def test_somebody_without_rights(stage, vcenter):
    said = await stage.type("/coldmigrate web01 site2", user="mallory")
    assert "may not" in said
    await stage.type("/coldmigrate web01 site2")
    card = await stage.card(showing="waiting for approval")
    for action in ("cm.approve", "cm.cancel"):
        assert "may not" in await stage.answer(card, action, user="mallory")
    assert "may do nothing here yet" in await stage.type("/coldmigrate help", user="mallory")
    assert vcenter.relocations == []


async def test_a_second_person(tmp_path, target, valkey_url, vcenter):
    target.sites = SITES.format(approval="second-person")
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        await stage.start_worker()
        await stage.inventory()
        await stage.type("/coldmigrate web01 site2")
        card = await stage.card(showing="waiting for approval")
        assert "second person" in await stage.answer(card, "cm.approve")
        assert vcenter.relocations == []
        await stage.click(card, "cm.approve", user="bob")
        await stage.card(showing="done")


async def told_in_slack(stage, sentence: str) -> str:
    """Type until the answer has this in it: the worker needs a moment to find out."""
    said = ""
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while sentence not in said:
            said = await stage.type("/coldmigrate web01 site2")
            assert "No inventory was read from vCenter yet" in said
    return said


async def test_a_wrong_password(tmp_path, target: Target, valkey_url, caplog):
    target.password = "not-the-password-4711"
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        assert "Is a worker running?" in await stage.type("/coldmigrate web01 site2")
        await stage.start_worker()
        said = await told_in_slack(stage, "does not accept the password")
        assert "vCenter east" in said
        assert "not-the-password-4711" not in said + caplog.text


async def test_a_password_that_is_not_set(tmp_path, target: Target, valkey_url):
    target.password = ""
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        await stage.start_worker()
        assert "vcenters.east.password_env names PASSWORD" in await told_in_slack(stage, "not set")


async def test_vcenter_goes_away_before_the_check(stage, vcenter):
    await vcenter.go_down()
    await stage.type("/coldmigrate web01 site2")
    card = await stage.card(showing="failed")
    assert "east" in text_of(card)
    assert buttons(card) == {"cm.retry"}
    await vcenter.come_up()
    await stage.click(card, "cm.retry")
    await stage.card(showing="waiting for approval", number=1)


async def test_a_wrong_certificate(tmp_path, target: Target, valkey_url):
    target.ca_file = Authority(tmp_path, name="stranger").file
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        await stage.start_worker()
        assert "ca_file" in await told_in_slack(stage, "certificate is not trusted")  # and what to set


async def test_redis_is_down_when_the_command_comes(tmp_path, target: Target, vcenter):
    with embedded.start(tmp_path / "valkey") as server:
        async with plant(tmp_path, target, server.url) as stage:
            await stage.start_bot()
            stop = await stage.start_worker()
            await stage.inventory()
            await stop()
            server.stop()
            said = await stage.type("/coldmigrate web01 site2")
            assert "Redis" in said
            assert "othing was" in said  # queued, changed
            with embedded.start(tmp_path / "valkey"):
                assert "There are no jobs" in await stage.type("/coldmigrate list")
    assert vcenter.relocations == []


async def test_more_than_a_message_holds_is_answered_all_the_same(stage):
    for typed in (
        "x" * 8_000 + " site2",
        "web01 site2 " + "--network a=b " * 600,
        "< " * 4_000,
        '"' + "\u202e" * 8_000,
    ):
        said = await stage.type(f"/coldmigrate {typed}")
        assert said
        assert len(said) < 10_000
    assert "There are no jobs" in await stage.type("/coldmigrate list")


async def test_typed_where_two_people_talk(stage):
    """The bot is not there: nothing may be queued whose card nobody would ever see."""
    talk = stage.slack.workspace.add_channel(
        "talk", channel_id="D0TALK0001", kind=ChannelKind.DIRECT, members=[ALICE, BOB]
    )
    said = await stage.type("/coldmigrate web01 site2", channel=talk.id)
    assert "I am not in this channel" in said
    assert "There are no jobs" in await stage.type("/coldmigrate list")


async def test_typed_to_the_bot_itself(stage):
    direct = stage.slack.workspace.direct_channel(ALICE)
    await stage.type("/coldmigrate web01 site2 --dry-run", channel=direct.id)
    await stage.until(lambda: any("Dry run" in text_of(card) for card in stage.cards(direct.id)))
