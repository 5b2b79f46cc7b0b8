"""A copy that dies of packet loss holds its link: what waits stays untouched, what runs ends, one card asks people."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import AsyncIterator, Sequence

import pytest

from bot.compose import queue_of, store_of
from bot.operations.record import plan_of
from bot.playground.vcenter.inventory import Placement
from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import World
from tests.end_to_end.conftest import WORLD
from tests.end_to_end.plant import ALICE, BOB, CHANNEL, Json, Plant, Target, buttons, plant, text_of

WAITING = ("web01", '"list"', '"Weekly report \U0001f680 (do not touch)"')
NAMES = ("web01", "list", "Weekly report \U0001f680 (do not touch)")
NEIGHBOUR = "/DC1/vm/Old/report01"
FAST, SLOW = 10**13, 10**6

# alice and bob may do everything; carol may only look, and approve at the wrong site.
BY_SITE = f"""
who = ["user:{ALICE}", "user:{BOB}"]
may = ["migrate", "approve", "cancel", "retry", "see"]
[[rights]]
who = ["user:U0CAROL001"]
sites = ["site1"]
"""


@pytest.fixture
def patience() -> str:
    """How long a copy lives on a bad link."""
    return "1 s"


@pytest.fixture
async def vcenter(tmp_path, patience) -> AsyncIterator[VCenterPlayer]:
    world = World.model_validate(tomllib.loads(f'{WORLD}\n[play]\nnfc_patience = "{patience}"\n'))
    async with await play_world(world, tmp_path / "world") as players:
        yield players["east"]


@pytest.fixture
async def stage(tmp_path, target: Target, valkey_url) -> AsyncIterator[Plant]:
    async with plant(tmp_path, target, valkey_url, rights=BY_SITE) as running:
        await running.start_bot()
        await running.start_worker()
        await running.inventory()
        yield running


def place(vcenter: VCenterPlayer, name: str) -> Placement:
    return vcenter.placement(name, "Old" if name == "report01" else None)


def hold_cards(stage: Plant) -> list[Json]:
    return [card for card in stage.cards() if "held" in text_of(card).partition("\n")[0]]


async def hold_card(stage: Plant, *, showing: str = "", number: int = 0) -> Json:
    def seen() -> Json | None:
        cards = hold_cards(stage)
        return cards[number] if len(cards) > number and showing in text_of(cards[number]) else None

    card: Json = await stage.until(seen)
    return card


async def card_of(stage: Plant, vm: str, *, showing: str, last: bool = False) -> Json:
    def seen() -> Json | None:
        found = [c for c in stage.cards() if text_of(c).startswith(f"{vm} to site2")]
        wanted = found[-1:] if last else found[:1]
        return next((c for c in wanted if showing in text_of(c)), None)

    card: Json = await stage.until(seen)
    return card


async def planned(stage: Plant, typed: str, name: str, *options: str) -> Json:
    said = await stage.type(" ".join(("/coldmigrate", typed, "site2", *options)))
    assert "Checking" in said
    return await card_of(stage, name, showing="waiting for approval", last=True)


async def ended(vcenter: VCenterPlayer, vm: str) -> None:
    """Until vCenter's task for this VM is over, and not a moment longer: the link is about to be mended."""
    async with asyncio.timeout(20):
        while not any(r.vm == vm and r.outcome for r in vcenter.relocations):
            await asyncio.sleep(0.005)


async def lossy(vcenter: VCenterPlayer) -> None:
    """Until the world's event has spoilt the link."""
    async with asyncio.timeout(20):
        while not any(move.vm == "db01" and move.percent >= 63 for move in vcenter.moves()):
            await asyncio.sleep(0.005)


async def told(stage: Plant, user: str, saying: str) -> None:
    """Once the last thing that this person alone sees says so: answers to clicks come by themselves."""

    def heard() -> list[str]:
        return [text_of(message) for message in stage.slack.person.ephemerals(user)[-1:]]

    try:
        await stage.until(lambda: any(saying in text for text in heard()))
    except AssertionError:
        raise AssertionError(f"{user} was not told '{saying}' but {heard()}") from None


def job_of(card: Json) -> str:
    return str(card["metadata"]["event_payload"]["job_id"])


def answered(stage: Plant, user: str) -> bool:
    return any("released" in text_of(m).casefold() for m in stage.slack.person.ephemerals(user)[-1:])


async def hosts_of(stage: Plant, card: Json) -> tuple[str, str]:
    async with store_of(stage.settings) as store:
        plan = plan_of(await queue_of(stage.settings, store).get(job_of(card)))
    return plan.source.host, plan.target.host


async def dead_link(stage: Plant) -> Json:
    """db01 dies of packet loss while nothing else runs; the hold's card."""
    await stage.click(await planned(stage, "db01", "db01"), "cm.approve")
    return await hold_card(stage, showing="packet loss")


async def approved(stage: Plant, names: Sequence[tuple[str, str]], *options: str) -> None:
    for typed, name in names:
        card = await planned(stage, typed, name, *options)
        await stage.click(card, "cm.approve")
        await told(stage, "alice", f"{job_of(card)} is queued. It waits: The link site1~site2 is held since")


@pytest.mark.parametrize("patience", ["12 s"])  # in which everything else is approved
async def test_the_link_is_held_by_itself_and_released_by_a_person(stage, vcenter):
    cards = {name: await planned(stage, typed, name) for typed, name in zip(WAITING, NAMES, strict=True)}
    dying = await planned(stage, "db01", "db01")
    hosts = await hosts_of(stage, dying)
    running = await planned(stage, NEIGHBOUR, "report01", "--host", hosts[1])
    assert await hosts_of(stage, running) == hosts  # what goes on well between them says nothing of the link
    places = {name: place(vcenter, name) for name in NAMES}
    await stage.click(dying, "cm.approve")
    await lossy(vcenter)
    vcenter.set_link("site1", "site2", rate=SLOW)
    await stage.click(running, "cm.approve")  # it begins on a bad link, which is mended in time for it
    for card in cards.values():
        await stage.click(card, "cm.approve")
    await ended(vcenter, "db01")
    vcenter.set_link("site1", "site2", loss=0.0)

    card = await hold_card(stage, showing="Weekly report")
    said = text_of(card)
    assert said.splitlines()[1] == "The link site1~site2 is held"
    assert "packet loss ended the copy of db01" in said
    assert said.count("waits; the VM stays as it is") == 3
    assert "goes on to its end" in said
    assert buttons(card) == {"cm.release", "cm.other-host", "cm.cancel-waiting"}
    failed = await card_of(stage, "db01", showing="failed")
    await stage.reply(failed, saying="3 migrations wait behind it; their VMs stay as they are")
    for name in NAMES:
        note = text_of(await card_of(stage, name, showing="is held since"))
        assert "Nothing was started." in note
    assert {r.vm for r in vcenter.relocations} == {"db01", "report01"}
    assert {name: place(vcenter, name) for name in NAMES} == places

    vcenter.set_link("site1", "site2", rate=FAST)
    await card_of(stage, "report01", showing="done")  # the neighbour ends well behind the hold
    await hold_card(stage, showing="ended meanwhile: done")
    assert {r.vm for r in vcenter.relocations} == {"db01", "report01"}

    await asyncio.gather(*(stage.click(card, "cm.release", user=user) for user in ("alice", "bob")))
    await stage.until(lambda: {"alice", "bob"} == {user for user in ("alice", "bob") if answered(stage, user)})
    answers = {text for user in ("alice", "bob") for text in (stage.told(user),)}
    assert len([text for text in answers if "3 migrations go on" in text]) == 1  # and the other one came too late
    assert len([text for text in answers if "was released at" in text]) == 1
    for name in NAMES:
        await card_of(stage, name, showing="done")
    card = await hold_card(stage, showing="Released at")
    assert buttons(card) == set()
    assert len(hold_cards(stage)) == 1
    assert len(stage.slack.person.thread(CHANNEL, card["ts"])) == 1  # edited in place, without chatter


async def test_a_second_failure_behind_the_hold_makes_no_second_card(stage, vcenter):
    running = await planned(stage, "big01", "big01")
    await stage.click(running, "cm.approve")
    await stage.click(await planned(stage, "db01", "db01"), "cm.approve")
    await card_of(stage, "db01", showing="failed")
    await card_of(stage, "big01", showing="failed")
    await hold_card(stage, showing="packet loss")
    assert len(hold_cards(stage)) == 1
    async with store_of(stage.settings) as store:
        (hold,) = await queue_of(stage.settings, store).holds()
    assert hold.resource == "site1~site2"

    failed = await card_of(stage, "db01", showing="failed")
    await stage.click(failed, "cm.retry")  # a retry is planned, approved, and waits like anything else
    again = await card_of(stage, "db01", showing="waiting for approval", last=True)
    await stage.click(again, "cm.approve")
    await told(stage, "alice", "It waits")
    await hold_card(stage, showing="waits; the VM stays as it is")
    assert len([r for r in vcenter.relocations if r.vm == "db01"]) == 1


async def test_other_host_narrows_the_hold_and_plans_anew_what_it_concerns(stage, vcenter):
    card = await dead_link(stage)
    vcenter.set_link("site1", "site2", loss=0.0, rate=FAST)
    source, target = await hosts_of(stage, await card_of(stage, "db01", showing="failed"))
    pairs = [*zip(WAITING, NAMES, strict=True), (NEIGHBOUR, "report01")]
    same = [(typed, name) for typed, name in pairs if place(vcenter, name).host == source]
    other = [(typed, name) for typed, name in pairs if place(vcenter, name).host != source]
    assert same
    assert other
    await approved(stage, pairs, "--host", target)
    card = await hold_card(stage, showing="Weekly report")

    await stage.click(card, "cm.other-host")
    await told(stage, "alice", f"{len(same)} planned anew with another host")
    for _, name in other:
        await card_of(stage, name, showing="done")  # those between other hosts go on at once
    narrow = await hold_card(stage, showing="hosts", number=1)
    assert source in text_of(narrow)
    assert f'"user_id": "{ALICE}"' in json.dumps(await hold_card(stage, showing="Released"))
    for _, name in same:
        old = await card_of(stage, name, showing="cancelled")
        await stage.reply(old, saying="planned anew without")
        new = await card_of(stage, name, showing="waiting for approval", last=True)
        assert target not in text_of(new)
        assert place(vcenter, name).host == source
        await stage.click(new, "cm.approve")
        done = await card_of(stage, name, showing="done", last=True)
        assert f"host {target}" not in text_of(done)


async def test_without_another_host_it_is_said_and_nothing_changes(stage, vcenter):
    for host in vcenter.hosts():
        if "site2" in host:
            lonely = host
    vcenter.set_host(lonely, maintenance=True)
    await dead_link(stage)
    await approved(stage, [("web01", "web01")])
    card = await hold_card(stage, showing="web01")
    await stage.click(card, "cm.other-host")
    await told(stage, "alice", "There is no other host at site2")
    await card_of(stage, "web01", showing="is held since")
    assert buttons(await hold_card(stage)) == buttons(card)


async def test_cancel_ends_what_waits_and_releases_nothing(stage, vcenter):
    await dead_link(stage)
    vcenter.set_link("site1", "site2", loss=0.0, rate=FAST)
    await approved(stage, list(zip(WAITING, NAMES, strict=True)))
    card = await hold_card(stage, showing="Weekly report")

    for action in ("cm.release", "cm.other-host", "cm.cancel-waiting"):
        for user in ("carol", "mallory"):
            assert "may not" in await stage.answer(card, action, user=user), (action, user)
    assert {r.vm for r in vcenter.relocations} == {"db01"}

    await stage.click(card, "cm.cancel-waiting", user="bob")
    await told(stage, "bob", "Cancelled: ")
    for name in NAMES:
        await card_of(stage, name, showing="cancelled")
    card = await hold_card(stage, showing="packet loss ended")
    await stage.until(lambda: buttons(hold_cards(stage)[0]) == {"cm.release"})
    assert {r.vm for r in vcenter.relocations} == {"db01"}
    async with store_of(stage.settings) as store:
        acts = await queue_of(stage.settings, store).acts()
    refused = [act for act in acts if act.verb == "refused"]
    assert {act.on for act in refused} == {acts_on(card)}
    assert len(refused) == 6
    assert {act.by for act in refused} == {"U0CAROL001", "U0MALLORY1"}


def acts_on(card: Json) -> str:
    values = [e["value"] for block in card["blocks"] for e in block.get("elements", ()) if "value" in e]
    return str(values[0])


async def test_a_link_is_held_and_released_by_word(stage, vcenter):
    said = await stage.type("/coldmigrate hold site2 site1 the provider works on it <!channel>")
    assert "Held: the link site1~site2" in said
    card = await hold_card(stage, showing="the provider works on it")
    assert buttons(card) == {"cm.release"}
    await approved(stage, [("web01", "web01")])
    await hold_card(stage, showing="waits; the VM stays as it is")
    card = await hold_card(stage)
    assert buttons(card) == {"cm.release", "cm.cancel-waiting"}  # nobody knows a host to avoid
    held = "The link site1~site2 is held since"
    assert held in await stage.type("/coldmigrate list")
    assert held in await stage.type(f"/coldmigrate show {job_of(await card_of(stage, 'web01', showing='held'))}")
    assert held not in await stage.type("/coldmigrate list", user="carol")
    assert "Nothing changed" in await stage.type("/coldmigrate hold site1 site2")
    assert "may not" in await stage.type("/coldmigrate hold site1 site2", user="carol")
    assert "may not" in await stage.type("/coldmigrate release site1 site2", user="carol")
    assert "There is no site 'site3'" in await stage.type("/coldmigrate hold site1 site3")
    assert "two different ends" in await stage.type("/coldmigrate hold site1 site1")
    assert vcenter.relocations == []

    assert "One migration goes on" in await stage.type("/coldmigrate release site1 site2", user="bob")
    await card_of(stage, "web01", showing="done")
    assert f'"user_id": "{BOB}"' in json.dumps(await hold_card(stage, showing="Released"))
    assert "is not held" in await stage.type("/coldmigrate release site1 site2")
    assert len(hold_cards(stage)) == 1
