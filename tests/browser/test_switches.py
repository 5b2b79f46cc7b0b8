"""Every switch beside the workspace, clicked once: what it breaks is seen on the page, in the players, and mended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.async_api import Locator, Page, expect

from bot.cli.stage import VCENTER, Stage
from bot.playground.vcenter.inventory import Datastore, Host
from bot.playground.vcenter.links import Closed, Link
from bot.playground.vcenter.player import VCenterPlayer
from tests.browser.steps import COPY, approve, become, card, cards, percent, planned, press, say, shot

HERE, THERE = "site1", "site2"
STORE = "ds-c2-01"
AWAY = "esx-site2-01.example.net"
MBIT = 1_000_000
BOB, ALICE = "U0BOB00001", "U0ALICE001"


def switch(page: Page, order: str, **args: object) -> Locator:
    """The switch that sends this order, whatever else it sends."""
    parts = [json.dumps({name: value}, separators=(",", ":"))[1:-1] for name, value in args.items()]
    having = "".join(f":is([data-args*='{part},'],[data-args*='{part}}}'])" for part in parts)
    return page.locator(f"[data-testid='world-switch-{order}']{having}")


async def comes_true(seen: Callable[[], bool]) -> None:
    """What a player says follows what the page asked of it, within moments."""
    async with asyncio.timeout(10):
        while not seen():
            await asyncio.sleep(0.02)  # players have bells of their own, each another one


async def arrived(page: Page, vm: str) -> None:
    await expect(card(page, f"{vm} to {THERE}")).to_contain_text("Done", timeout=COPY)
    await expect(page.get_by_test_id(f"site-{THERE}")).to_contain_text(vm)


def east(stage: Stage) -> VCenterPlayer:
    return stage.world[VCENTER]


def link_of(stage: Stage) -> Link:
    link = east(stage).estate.universe.links.find(HERE, THERE)
    assert link is not None
    return link


def host_of(stage: Stage) -> Host:
    return next(host for host in east(stage).estate.inventory.each(Host) if host.name == AWAY)


def store_of(stage: Stage) -> Datastore:
    return east(stage).datastore(STORE)


@pytest.mark.timeout(150)
async def test_every_switch(page: Page, stage: Stage) -> None:
    await page.get_by_test_id("map").wait_for()
    await a_form_to_the_end(page)
    await a_clock_that_leaps(page, stage)
    await everything_three_times(page)
    await a_connection_that_ends(page, stage)
    await what_crossed_the_wire(page)
    await ports_that_are_blocked(page, stage)
    await a_full_datastore(page, stage)
    await a_host_that_is_gone(page, stage)
    await sessions_that_end(page, stage)
    await a_vcenter_that_is_down(page, stage)
    await a_copy_that_outlives_all_this(page, stage)
    await a_copy_that_is_cancelled(page)


async def a_form_to_the_end(page: Page) -> None:
    await page.get_by_test_id("shortcut-cm.open-form").click()
    form = page.get_by_test_id("modal")
    vm, site = (form.get_by_test_id("block-menu").nth(number) for number in (0, 1))
    await vm.click()
    await page.keyboard.type("tiny01")
    await expect(page.get_by_test_id("menu-option").first).to_contain_text("tiny01")
    await page.keyboard.press("Enter")
    await site.click()
    await page.get_by_test_id("menu-option").filter(has_text=THERE).click()
    await form.get_by_test_id("modal-submit").click()
    await expect(form).to_contain_text("tiny01")
    await form.get_by_test_id("modal-close").click()
    await expect(form).to_have_count(0)
    await approve(page, f"tiny01 to {THERE}")
    await arrived(page, "tiny01")


async def a_clock_that_leaps(page: Page, stage: Stage) -> None:
    await say(page, f"/coldmigrate tiny02 {THERE}")
    forgotten = await planned(page, f"tiny02 to {THERE}")
    await switch(page, "advance", seconds=3600).click()
    await expect(page.locator(".played-time")).to_contain_text("1 h ahead")
    await expect(forgotten).to_contain_text("nobody approved it in time", timeout=COPY)
    await expect(forgotten.locator("[data-action-id='cm.approve']")).to_have_count(0)
    assert stage.crew.advanced == timedelta(hours=1)
    for seconds in (60, 600):
        await switch(page, "advance", seconds=seconds).click()
    await expect(page.locator(".played-time")).to_contain_text("1 h 11 min ahead")


async def everything_three_times(page: Page) -> None:
    await switch(page, "slack", what="thrice").click()
    await say(page, f"/coldmigrate tiny03 {THERE}")
    await become(page, BOB)  # the second person may approve what the first one asked for
    await approve(page, f"tiny03 to {THERE}")
    await arrived(page, "tiny03")
    await expect(cards(page, f"tiny03 to {THERE}")).to_have_count(1)
    await become(page, ALICE)


async def a_connection_that_ends(page: Page, stage: Stage) -> None:
    await page.get_by_test_id("tab-inspector").click()
    connections = page.get_by_test_id("inspector").locator("dl > div").filter(has_text="connection").locator("dd")
    before = int(await connections.inner_text())
    await page.get_by_test_id("tab-map").click()
    await switch(page, "slack", what="disconnect").click()
    await say(page, "/coldmigrate list")
    await expect(page.get_by_test_id("message").last).to_contain_text("Only visible to you")
    await page.get_by_test_id("tab-inspector").click()
    await expect(connections).not_to_have_text(str(before))
    assert sum(stage.player.tally.refused.values()) == 0


async def what_crossed_the_wire(page: Page) -> None:
    inspector = page.get_by_test_id("inspector")
    await inspector.get_by_label("Filter the traffic").fill("chat.update")
    rows = inspector.locator("details")
    await expect(rows.first.locator("summary")).to_contain_text("chat.update")
    await rows.first.locator("summary").click()
    await expect(rows.first.locator("pre").first).to_contain_text('"blocks"')
    await expect(rows.first).to_contain_text("Answer")
    await shot(page, "20-inspector")
    await inspector.get_by_label("Filter the traffic").fill("nothing like this")
    await expect(inspector).to_contain_text("Nothing like that crossed the wire")
    await inspector.get_by_label("Filter the traffic").fill("")
    await page.get_by_test_id("tab-map").click()


async def ports_that_are_blocked(page: Page, stage: Stage) -> None:
    """One way without a word, the other with a refusal; then the other way round."""
    link = page.get_by_test_id(f"link-{HERE}-{THERE}")
    closed = east(stage).estate.universe.links.closed_ports
    for going, coming in (("silent", "refused"), ("refused", "silent")):
        await page.get_by_label(f"902 from {HERE} to {THERE}: {going}").click()
        await page.get_by_label(f"902 from {THERE} to {HERE}: {coming}").click()
        for way, how in (((HERE, THERE), going), ((THERE, HERE), coming)):
            words = {"silent": "dropped without a word", "refused": "refused"}[how]
            await expect(link).to_contain_text(f"{way[0]} → {way[1]}, port 902: {words}")
            await comes_true(lambda way=way, how=how: (*way, 902, Closed(how)) in closed())
        if going == "silent":
            await both_ways_fail(page)
    await shot(page, "21-blocked")
    for one, other in ((HERE, THERE), (THERE, HERE)):
        await page.get_by_label(f"902 from {one} to {other}: open").click()
    await expect(link.locator(".blocked")).to_have_count(0)
    assert closed() == []
    await say(page, f"/coldmigrate release {HERE} {THERE}")  # the copy that died of it holds the link
    await expect(page.get_by_test_id("message").last).to_contain_text("Released")


async def both_ways_fail(page: Page) -> None:
    orders = [("tiny04", THERE), ("tiny01", HERE)]
    for vm, site in orders:
        await say(page, f"/coldmigrate {vm} {site}")
    for shown in [await approve(page, f"{vm} to {site}") for vm, site in orders]:
        await expect(shown).to_contain_text("Failed", timeout=COPY)


async def a_full_datastore(page: Page, stage: Stage) -> None:
    bar = page.get_by_test_id(f"datastore-{STORE}")
    before = store_of(stage).free
    await page.get_by_label(f"Fill {STORE}").click()
    await expect(bar).to_contain_text("full: 0 B free")
    assert store_of(stage).free == 0
    await say(page, f"/coldmigrate tiny05 {THERE}")
    await expect(card(page, f"tiny05 to {THERE}")).to_contain_text(STORE, timeout=COPY)
    await expect(card(page, f"tiny05 to {THERE}")).to_contain_text("Blocks:", timeout=COPY)
    await shot(page, "22-full")
    await page.get_by_label(f"Empty {STORE}").click()
    await expect(bar).not_to_contain_text("full")
    assert store_of(stage).free == before


async def a_host_that_is_gone(page: Page, stage: Stage) -> None:
    host = page.get_by_test_id(f"host-{AWAY}")
    await page.get_by_label(f"Disconnect {AWAY}").click()
    await expect(host).to_have_attribute("data-state", "disconnected")
    assert not host_of(stage).connected
    await say(page, f"/coldmigrate tiny06 {THERE} --host {AWAY}")
    await expect(card(page, f"tiny06 to {THERE}")).to_contain_text("Blocks:", timeout=COPY)
    await page.get_by_label(f"Reconnect {AWAY}").click()
    await expect(host).to_have_attribute("data-state", "connected")
    assert host_of(stage).connected


async def sessions_that_end(page: Page, stage: Stage) -> None:
    before = {session.key for session in east(stage).estate.sessions.all()}
    await switch(page, "expire-sessions").click()
    await comes_true(lambda: bool(now := {one.key for one in east(stage).estate.sessions.all()}) and not now & before)
    await say(page, f"/coldmigrate tiny07 {THERE}")
    await approve(page, f"tiny07 to {THERE}")
    await arrived(page, "tiny07")


async def a_vcenter_that_is_down(page: Page, stage: Stage) -> None:
    site = page.get_by_test_id(f"site-{HERE}")
    await switch(page, "vcenter", up=False).click()
    await expect(site).to_contain_text("is down")
    await say(page, f"/coldmigrate cache01 {THERE}")
    waiting = card(page, f"cache01 to {THERE}")
    await expect(waiting).to_contain_text("Checking", timeout=COPY)
    await shot(page, "23-down")
    await switch(page, "vcenter", up=True).click()
    await expect(site).not_to_contain_text("is down")
    await approve(page, f"cache01 to {THERE}")
    await arrived(page, "cache01")
    assert east(stage).placement("cache01").site == THERE


async def a_copy_that_outlives_all_this(page: Page, stage: Stage) -> None:
    """Its link slows down, worker and bot are killed, and Slack refuses what the new bot has to say."""
    link = page.get_by_test_id(f"link-{HERE}-{THERE}")
    await link.get_by_label("100 Mbit/s").click()
    await expect(link).to_contain_text("100 Mbit/s")
    assert link_of(stage).rate == 100 * MBIT
    await say(page, f"/coldmigrate web01 {THERE}")
    moving = await approve(page, f"web01 to {THERE}")
    at = await percent(page, "web01", beyond=1)
    await switch(page, "slack", what="429").click()
    for role in ("worker", "bot"):
        await page.get_by_label(f"Kill the {role}").click()
    for role in ("worker", "bot"):
        row = page.get_by_test_id(f"role-{role}")
        await expect(row).to_contain_text("1 restart", timeout=COPY)
        await expect(row).to_have_attribute("data-state", "running")
    await shot(page, "24-killed")
    await percent(page, "web01", beyond=at)
    await link.get_by_label("10 Gbit/s").click()
    await switch(page, "advance", seconds=60).click()  # what the dead worker held is free then
    await arrived(page, "web01")
    await expect(cards(page, f"web01 to {THERE}")).to_have_count(1)
    await expect(moving).to_contain_text("Done")
    assert sum(stage.player.tally.throttled.values()) > 0
    relocations = [move for move in east(stage).moves() if move.vm == "web01"]
    assert len(relocations) == 1
    await link.get_by_label("1 Gbit/s").click()


async def a_copy_that_is_cancelled(page: Page) -> None:
    await say(page, f"/coldmigrate big01 {THERE}")
    ending = await approve(page, f"big01 to {THERE}")
    await percent(page, "big01", beyond=3)
    await press(page, ending, "cancel")
    await expect(ending).to_contain_text("Cancelled", timeout=COPY)
    await expect(page.get_by_test_id(f"site-{HERE}")).to_contain_text("big01")
    await ending.locator("[data-action-id='cm.retry']").click()
    again = cards(page, f"big01 to {THERE}").last
    await expect(again).to_contain_text("Waiting for approval", timeout=COPY)
    await expect(cards(page, f"big01 to {THERE}")).to_have_count(2)
    await press(page, again, "cancel")
    await expect(again).to_contain_text("Cancelled", timeout=COPY)
