"""Many VMs as one batch, from the first key to the last reply: real Bolt, a played vCenter, a real Valkey."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.compose import queue_of, store_of
from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import World
from tests.end_to_end.plant import CHANNEL, SITES, Plant, Target, buttons, plant, text_of
from tests.slack_referee.judge import faults_of_message
from tests.worlds import TWO_SITES

NAMES = ("web01", "web02", "web03", "web04")
SLOW = "100 GiB thin 4 GiB"
WORLD = TWO_SITES + "".join(
    f"""
[[vms]]
name = "{name}"
site = "site1"
disks = ["{"1 GiB thin 10 MiB" if name in NAMES else SLOW}"]
power = "{"on" if name == "app01" else "off"}"
"""
    for name in (*NAMES, "app01", "slow01", "slow02", "slow03", "slow04")
)
LOSSY = """
[[events]]
at = "40 % of slow01"
link = ["site1", "site2"]
loss = "4 %"
"""
LISTS = """
[lists]
web-tier = ["web01", "web02", "web03", "app01", "web04"]
slow = ["web01", "slow01", "slow02", "slow03"]
lossy = ["slow01", "slow02", "slow03", "slow04"]
"""


@pytest.fixture
def world(request) -> str:
    return WORLD + getattr(request, "param", "")


@pytest.fixture
async def vcenter(tmp_path: Path, world: str) -> AsyncIterator[VCenterPlayer]:
    async with await play_world(World.model_validate(tomllib.loads(world)), tmp_path / "world") as playing:
        yield playing["east"]


@pytest.fixture
def approval() -> str:
    return "requester"


@pytest.fixture
def target(vcenter: VCenterPlayer, approval: str) -> Target:
    sites = SITES.format(approval=approval) + LISTS
    return Target(vcenter.url, vcenter.ca_file or "", vcenter.user, vcenter.password, sites)


@pytest.fixture
async def stage(tmp_path: Path, target: Target, valkey_url: str) -> AsyncIterator[Plant]:
    async with plant(tmp_path, target, valkey_url) as running:
        await running.start_bot()
        await running.start_worker()
        await running.inventory()
        yield running


def rows(card: dict) -> dict[str, dict[str, str]]:
    """What the table says of each VM, by the head of its columns."""
    assert faults_of_message(card) == []
    (table,) = [block for block in card["blocks"] if block["type"] == "table"]
    head, *lines = [[cell["text"] for cell in line] for line in table["rows"]]
    return {line[0]: dict(zip(head, line, strict=True)) for line in lines}


def states(card: dict) -> dict[str, str]:
    return {name: row["State"] for name, row in rows(card).items()}


async def table_of(stage: Plant, *, showing: str) -> dict:
    """The card with a table, in a channel where people post as well."""

    def seen() -> dict | None:
        drawn = [m for m in stage.cards() if any(block["type"] == "table" for block in m["blocks"])]
        return next((m for m in drawn if showing in text_of(m)), None)

    return await stage.until(seen)


async def test_a_list_is_planned_on_one_card_and_nothing_moves_before_it_is_approved(stage, vcenter):
    said = await stage.type("/coldmigrate @web-tier site2")
    assert "Checking 5 VMs: batch " in said
    card = await stage.card(showing="Waiting for approval")
    assert states(card) == {"web01": "ready", "web02": "ready", "web03": "ready", "app01": "blocked", "web04": "ready"}
    assert "powered on" in rows(card)["app01"]["Concerns"]
    assert rows(card)["web01"]["From"].startswith("site1: ")
    assert rows(card)["web01"]["To"].startswith("site2: ")
    assert "4 of 5 can start. 1 cannot start and is left out." in text_of(card)
    assert "40 MiB" in text_of(card)
    assert buttons(card) == {"cm.approve", "cm.approve-stop", "cm.cancel"}
    assert len(stage.cards()) == 1
    assert vcenter.relocations == []


async def test_the_others_go_on_when_one_fails_and_each_is_moved_once(stage, vcenter):
    await stage.type("/coldmigrate @web-tier site2")
    card = await stage.card(showing="Waiting for approval")
    vcenter.set_power("web03", on=True)  # since it was planned, so that it fails when it is to start
    await stage.click(card, "cm.approve")
    end = await stage.reply(card, saying="3 of 5 VMs are at site2.")
    card = await stage.card(showing="Failed")
    assert states(card) == {"web01": "done", "web02": "done", "web03": "failed", "app01": "left out", "web04": "done"}
    assert "Failed: web03. Left out: app01." in text_of(end)
    assert buttons(card) == buttons(end) == {"cm.retry"}
    thread = stage.thread_text(card)
    assert "web03" in thread
    assert "Since it was approved" in thread
    assert "web01 is at site2" not in thread  # the table says so
    assert len(stage.cards()) == 1
    assert sorted(r.op_id[-3:] for r in vcenter.relocations) == ["-a1"] * 3
    assert {name: vcenter.placement(name).site for name in NAMES} == {
        "web01": "site2",
        "web02": "site2",
        "web03": "site1",
        "web04": "site2",
    }


async def test_one_failure_stops_what_has_not_started_if_that_was_chosen(stage, vcenter):
    await stage.type("/coldmigrate @slow site2")
    card = await stage.card(showing="Waiting for approval")
    vcenter.set_power("web01", on=True)
    await stage.click(card, "cm.approve-stop")
    await stage.reply(card, saying="web01 failed, so ")
    card = await stage.card(showing="Failed")
    found = states(card)
    assert found.pop("web01") == "failed"
    assert set(found.values()) == {"done", "cancelled"}  # what ran went on
    assert {name for name, state in found.items() if state == "done"} == {
        name for name in ("slow01", "slow02", "slow03") if vcenter.placement(name).site == "site2"
    }
    assert "What has not started is cancelled" in text_of(card)
    thread = stage.thread_text(card)
    assert "cancelled before anything was started" not in thread


@pytest.mark.parametrize("world", [LOSSY], indirect=True)
async def test_a_copy_that_dies_is_diagnosed_in_the_threads_of_its_batch(stage):
    await stage.type("/coldmigrate @lossy site2")
    await stage.click(await stage.card(showing="Waiting for approval"), "cm.approve-stop")
    card = await stage.card(showing="Failed")
    assert "slow01 failed" in text_of(card) or states(card)["slow01"] == "failed"
    await stage.reply(card, saying="slow01: Probable cause: ")
    await stage.reply(card, saying="slow01 is intact at its source")
    assert rows(card)["slow01"]["Concerns"].startswith("Probable cause") or rows(card)["slow01"]["Concerns"]


async def test_a_batch_is_cancelled_as_a_whole(stage, vcenter):
    await stage.type("/coldmigrate @web-tier site2")
    card = await stage.card(showing="Waiting for approval")
    await stage.click(card, "cm.cancel")
    card = await stage.card(showing="Cancelled")
    await stage.until(lambda: set(states(stage.cards()[0]).values()) == {"cancelled", "left out"})
    assert buttons(card) == {"cm.retry"}
    assert vcenter.relocations == []
    assert "Checking web01 for site2" in await stage.type("/coldmigrate web01 site2")  # its VM is free again


async def test_a_running_batch_is_cancelled_and_every_vm_is_whole(stage, vcenter):
    await stage.type("/coldmigrate @slow site2")
    card = await stage.card(showing="Waiting for approval")
    await stage.click(card, "cm.approve")
    await stage.until(lambda: "copying" in text_of(stage.cards()[0]))
    await stage.click(card, "cm.cancel")
    card = await stage.card(showing="Cancelled")
    for name, state in states(card).items():
        assert vcenter.placement(name).site == ("site2" if state == "done" else "site1")
    assert "cancelled" in states(card).values()


async def test_what_failed_is_tried_again_as_a_batch_of_its_own(stage, vcenter):
    await stage.type("/coldmigrate @web-tier site2")
    card = await stage.card(showing="Waiting for approval")
    vcenter.set_power("web03", on=True)
    await stage.click(card, "cm.approve")
    card = await stage.card(showing="Failed")
    vcenter.set_power("web03", on=False)
    vcenter.set_power("app01", on=False)
    await stage.click(card, "cm.retry")
    again = await stage.card(showing="Waiting for approval", number=1)
    assert states(again) == {"web03": "ready", "app01": "ready"}
    await stage.click(again, "cm.approve")
    await stage.card(showing="2 of 2 VMs are at site2.", number=1)
    assert buttons(stage.cards()[1]) == set()


@pytest.mark.parametrize("approval", ["second-person"])
async def test_a_second_person_approves_a_batch_too_and_an_approval_is_used_once(stage, vcenter):
    await stage.type("/coldmigrate @web-tier site2")
    card = await stage.card(showing="Waiting for approval")
    await stage.click(card, "cm.approve")
    await stage.until(lambda: "asks for a second person" in stage.told("alice"))
    assert vcenter.relocations == []
    await asyncio.gather(*(stage.click(card, "cm.approve", user="bob") for _ in range(2)))
    await stage.card(showing="Done")
    assert len(vcenter.relocations) == 4


async def test_list_and_show_tell_of_a_batch_in_one_line_and_of_each_vm(stage):
    await stage.type("/coldmigrate @web-tier site2")
    card = await stage.card(showing="Waiting for approval")
    batch = card["metadata"]["event_payload"]["job_id"]
    listed = await stage.type("/coldmigrate list")
    assert f"{batch}  @web-tier to site2 (5 VMs)  waiting for approval" in listed
    assert "web01" not in listed
    shown = await stage.type(f"/coldmigrate show {batch}")
    assert "web01 to site2  ready" in shown
    assert "app01 to site2  blocked: " in shown
    stage.slack.person.open_home("alice")
    home = await stage.until(lambda: [view for view in stage.slack.person.views("alice") if view["type"] == "home"])
    told = text_of(home[-1])
    assert "@web-tier to site2 (5 VMs)" in told
    assert "web01" not in told


async def test_a_dry_run_of_a_list_takes_no_vm(stage, vcenter):
    await stage.type("/coldmigrate @web-tier site2 --dry-run")
    card = await stage.card(showing="Dry run: these are the plans.")
    assert states(card)["web01"] == "ready"
    assert states(card)["app01"] == "blocked"
    assert buttons(card) == set()
    assert "Checking web01" in await stage.type("/coldmigrate web01 site2")
    assert vcenter.relocations == []


async def test_a_csv_in_a_message_says_where_each_goes(stage):
    csv = '\ufeffVM;Site;Datastore\r\nweb01;site2;ds-c2-01\r\n\r\n"web02";;\r\n'.encode()
    stage.slack.person.upload("alice", CHANNEL, "tier.csv", csv, comment="<@U0COLDBOT1> migrate site2")
    card = await table_of(stage, showing="Waiting for approval")
    assert states(card) == {"web01": "ready", "web02": "ready"}
    assert "tier.csv to site2: 2 VMs" in text_of(card)


async def test_a_csv_in_the_thread_is_taken_and_every_wrong_line_is_told(stage):
    root = stage.slack.person.post("alice", CHANNEL, "Tonight, please")
    csv = b"vm,site\nwebb01,site2\nweb02,site9\nweb03,site2\nweb03,site2\n,site2\n"
    stage.slack.person.upload("alice", CHANNEL, "tonight.csv", csv, thread_ts=root)
    stage.slack.person.mention("alice", CHANNEL, "migrate these", thread_ts=root)
    await stage.until(lambda: "Nothing was drafted" in thread_of(stage, root))
    said = thread_of(stage, root)
    assert "line 2: No VM is called 'webb01'. Near to it: web01" in said
    assert "line 3: There is no site 'site9'" in said
    assert "line 5: web03 is there twice, first as line 4." in said
    assert "line 6: it names no VM." in said
    assert "line 4" not in said.replace("first as line 4", "")
    assert stage.cards() == [] or all("Waiting" not in text_of(card) for card in stage.cards())


async def test_names_below_a_mention_are_a_list_too(stage):
    stage.slack.person.mention("alice", CHANNEL, "migrate site2\nweb01\nweb02")
    card = await table_of(stage, showing="Waiting for approval")
    assert states(card) == {"web01": "ready", "web02": "ready"}


async def test_a_vm_with_a_live_job_is_named_and_nothing_is_drafted(stage):
    await stage.type("/coldmigrate web02 site2")
    await stage.card(showing="waiting for approval")
    said = await stage.type("/coldmigrate @web-tier site2")
    assert "Nothing was drafted, of 5 VMs none. One line of the list cannot be carried out:" in said
    assert "name 2: web02 has job " in said
    assert "Take it off the list." in said
    assert len(stage.cards()) == 1


async def test_an_unknown_list_names_those_there_are(stage):
    assert "Lists: @lossy, @slow, @web-tier." in await stage.type("/coldmigrate @web site2")


def thread_of(stage: Plant, root: str) -> str:
    return "\n".join(text_of(message) for message in stage.slack.person.thread(CHANNEL, root))


class DiedError(BaseException):
    """Nothing catches it: what was under way is left as a SIGKILL would leave it."""


async def test_a_batch_says_when_it_may_start(stage):
    said = await stage.type("/coldmigrate @web-tier site2 --at window --dry-run")
    assert "starts before" not in said  # a site without windows is open
    said = await stage.type('/coldmigrate @web-tier site2 --at "tomorrow 22:00 UTC"')
    assert " 22:00 UTC." in said.partition("None of them starts before")[2]
    card = await stage.card(showing="Waiting for approval", number=1)
    assert " 22:00 UTC" in text_of(card).partition("Not before\n")[2]


async def test_what_did_not_arrive_is_tried_again_once_however_often_it_is_clicked(stage, vcenter):
    await stage.type("/coldmigrate @web-tier site2")
    card = await stage.card(showing="Waiting for approval")
    vcenter.set_power("web03", on=True)
    await stage.click(card, "cm.approve")
    card = await stage.card(showing="Failed")
    vcenter.set_power("web03", on=False)
    await stage.click(card, "cm.retry")
    await stage.click(card, "cm.retry", user="bob")
    told = stage.slack.person.ephemerals
    await stage.until(lambda: any("is tried again already: web03 has " in text_of(m) for m in told("bob")))
    await stage.card(showing="Waiting for approval", number=1)
    assert len(stage.cards()) == 2


async def test_a_list_that_was_taken_is_not_taken_again_before_its_jobs_are_drafted(tmp_path, target, valkey_url):
    async with plant(tmp_path, target, valkey_url) as stage:
        await stage.start_bot()
        stop = await stage.start_worker()
        await stage.inventory()
        await stop()
        assert "Checking 5 VMs" in await stage.type("/coldmigrate @web-tier site2")
        said = await stage.type("/coldmigrate @web-tier site2")
        assert "Nothing was drafted" in said
        assert "name 1: web01 has a place in batch " in said


async def test_who_was_refused_a_batch_is_in_the_audit_log(stage):
    assert "may not" in await stage.type("/coldmigrate @web-tier site2", user="carol")
    async with store_of(stage.settings) as store:
        acts = await queue_of(stage.settings, store).acts()
    assert [(act.verb, act.on) for act in acts] == [("refused", "@web-tier to site2")]


async def test_a_batch_behind_a_hold_says_so_until_it_is_released(stage, vcenter):
    await stage.type("/coldmigrate hold site1 site2 the provider works on it")
    await stage.type("/coldmigrate @web-tier site2")
    card = await table_of(stage, showing="Waiting for approval")
    await stage.click(card, "cm.approve")
    card = await table_of(stage, showing="the provider works on it. Waiting behind it: 4.")
    assert rows(card)["web01"]["Concerns"] == "waits behind the hold of the link site1~site2"
    assert vcenter.relocations == []
    await stage.type("/coldmigrate release site1 site2")
    card = await table_of(stage, showing="4 of 5 VMs are at site2.")
    assert "Waiting behind it" not in text_of(card)
