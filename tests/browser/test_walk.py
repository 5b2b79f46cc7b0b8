"""A person walks through the demo: asks for a migration, sees it happen, breaks the next, reads why it broke."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bot.playground.page.server import PageServer
from tests.browser.conftest import HOSTILE
from tests.browser.steps import COPY, approve, become, card, composer, percent, say, shot

LOG = b"2026-11-23T04:41:09.100Z error vpxa[1] [NFC ERROR]NfcNetTcpWrite: bWritten: -1\n"
ATTACK = "</script><img src=x onerror=alert(2)> <b>bold</b> {{7*7}} javascript:alert(3)"


@pytest.mark.timeout(150)
async def test_a_walk_through_the_demo(page: Page, server: PageServer, tmp_path: Path) -> None:
    await a_hint_for_the_first_step(page)
    await a_migration_that_succeeds(page)
    await a_migration_that_dies(page)
    await a_narrow_window(page)
    await a_log_in_the_thread(page, tmp_path)
    await somebody_else(page)
    await at_night(page)
    await at_home(page)
    await an_attack(page)
    await the_end(page, server)


async def a_hint_for_the_first_step(page: Page) -> None:
    hint = page.get_by_test_id("first-steps")
    await expect(hint).to_contain_text("/coldmigrate db01 site2")
    await shot(page, "0-welcome")
    await hint.get_by_text("/coldmigrate web01 site2").click()
    await expect(composer(page)).to_have_value("/coldmigrate web01 site2")
    await expect(composer(page)).to_be_focused()
    assert await page.title() == "#migrations | coldmigrate demo"


async def a_migration_that_succeeds(page: Page) -> None:
    await page.get_by_test_id("map").wait_for()
    await composer(page).fill("/cold")
    suggestion = page.get_by_test_id("suggestion").filter(has_text="/coldmigrate").first
    await expect(suggestion).to_contain_text("<vm> <site>")
    await shot(page, "1-suggestion")
    await suggestion.click()
    await composer(page).press_sequentially("web01 site2")
    await expect(composer(page)).to_have_value("/coldmigrate web01 site2")
    await composer(page).press("Enter")
    await expect(page.get_by_test_id("message").filter(has_text="Only visible to you").first).to_contain_text("web01")
    await expect(page.get_by_test_id("first-steps")).to_have_count(0)
    moving = await approve(page, "web01 to site2")
    first = await percent(page, "web01", beyond=2)
    await expect(moving).to_contain_text(re.compile(r"[1-9]\d* %"), timeout=COPY)
    said = await moving.inner_text()
    await shot(page, "2-copying")
    assert await percent(page, "web01", beyond=first + 10) > first
    await expect(moving).not_to_have_text(said)
    await expect(page.get_by_test_id("site-site2")).to_contain_text("web01", timeout=COPY)
    await expect(moving.locator("[data-action-id='cm.cancel']")).to_have_count(0, timeout=COPY)
    await shot(page, "3-done")


async def a_migration_that_dies(page: Page) -> None:
    await say(page, "/coldmigrate big01 site2")
    dying = await approve(page, "big01 to site2")
    await percent(page, "big01", beyond=10)
    loss = page.get_by_test_id("link-loss").first
    await loss.fill("4")
    await expect(page.get_by_test_id("link-site1-site2")).to_contain_text("4 % loss")
    await shot(page, "4-lossy")
    await expect(dying.locator("[data-action-id='cm.retry']")).to_be_visible(timeout=COPY)
    await expect(dying).to_contain_text("intact at its source")
    await dying.get_by_test_id("thread-summary").click()
    thread = page.get_by_test_id("thread-pane")
    await expect(thread).to_contain_text("packet loss", timeout=COPY)
    await expect(thread).to_contain_text("[NFC ERROR]NfcNet_Send", timeout=COPY)
    for way in ("Converter", "FastSCP", "SSH"):
        await expect(thread).to_contain_text(way, timeout=COPY)
    await expect(thread.get_by_text("What vCenter says").first).to_be_in_viewport()  # read from its beginning
    await shot(page, "5-verdict")
    await loss.fill("0")


async def a_narrow_window(page: Page) -> None:
    """Thread and sites share one side; the channel stays, and stays where it was."""
    newest = page.get_by_label("Messages in #migrations").get_by_test_id("message").last
    await expect(newest).to_be_in_viewport()
    thread = page.get_by_test_id("thread-pane")
    for width in (1280, 1000, 860):
        await page.set_viewport_size({"width": width, "height": 700})
        await expect(thread).to_be_in_viewport()
        await expect(newest).to_be_in_viewport()
        await expect(page.get_by_test_id("map")).to_have_count(0)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await shot(page, "5-narrow")
    await page.get_by_test_id("tab-map").click()
    await expect(page.get_by_test_id("map")).to_be_visible()
    await expect(thread).to_have_count(0)
    await page.get_by_test_id("tab-thread").click()
    await expect(thread.get_by_text("What vCenter says").first).to_be_in_viewport()
    await page.set_viewport_size({"width": 1500, "height": 950})
    await expect(page.get_by_test_id("map")).to_be_visible()


async def a_log_in_the_thread(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "vpxa.log"
    file.write_bytes(LOG)
    thread = page.get_by_test_id("thread-pane")
    await thread.get_by_test_id("composer").fill("this is the other end's")
    await thread.get_by_test_id("file-input").set_input_files(file)
    dropped = thread.get_by_test_id("message").filter(has_text="vpxa.log").last
    await expect(dropped).to_contain_text("this is the other end's")
    async with page.expect_download() as download:
        await dropped.get_by_role("link", name="Download").click()
    assert (await (await download.value).path()).read_bytes() == LOG
    await shot(page, "6-file")


async def somebody_else(page: Page) -> None:
    whispers = page.get_by_test_id("message").filter(has_text="Only visible to you")
    assert await whispers.count() > 0
    await become(page, "U0MALLORY1")
    await expect(whispers).to_have_count(0)
    await expect(card(page, "web01 to site2")).to_be_visible()
    await say(page, "/coldmigrate cache01 site2")
    await expect(whispers).to_have_count(1)
    await expect(whispers).to_contain_text("may not")
    await shot(page, "7-mallory")
    await become(page, "U0CAROL001")
    await page.get_by_test_id("channel-C0RANDOM01").click()
    await expect(page.get_by_text("Nothing was said here yet.")).to_be_visible()
    await page.get_by_test_id("channel-C0MIGRATE1").click()
    await become(page, "U0ALICE001")
    await expect(page.get_by_text("may not")).to_have_count(0)


async def at_night(page: Page) -> None:
    brightness = "getComputedStyle(document.querySelector('[data-testid=message]').closest('main, section')).color"
    before = await page.evaluate(brightness)
    await page.get_by_test_id("theme-toggle").click()
    await page.wait_for_function(f"{brightness} !== '{before}'")
    await shot(page, "8-dark")


async def at_home(page: Page) -> None:
    await page.get_by_test_id("home-entry").click()
    await page.get_by_test_id("app-home").wait_for()
    await shot(page, "9-home")
    await page.get_by_test_id("app-home").locator("[data-action-id='cm.open-form']").click()
    form = page.get_by_test_id("modal")
    await form.get_by_test_id("block-menu").first.click()
    await page.keyboard.type("cache")
    await page.get_by_test_id("menu-option").filter(has_text="cache01").first.click()
    await shot(page, "10-form")
    await form.get_by_test_id("modal-close").click()
    await expect(form).to_have_count(0)
    await page.get_by_test_id("channel-C0MIGRATE1").click()


async def an_attack(page: Page) -> None:
    await say(page, ATTACK)
    await expect(page.get_by_test_id("message").last).to_contain_text("<img src=x onerror=alert(2)>")
    await expect(page.get_by_test_id("site-site2")).to_contain_text('"><img src=x')
    await say(page, f"/coldmigrate '{HOSTILE}' site1")
    await expect(page.get_by_test_id("message").filter(has_text="img src=x onerror=alert(1)").first).to_be_visible()
    assert await page.locator("img[src=x]").count() == 0
    await say(page, "<!channel> is 2 > 1 -> yes")
    await expect(page.get_by_test_id("message").last).to_contain_text("<\u2060!channel> is 2 > 1 -> yes")
    await shot(page, "11-attack")


async def the_end(page: Page, server: PageServer) -> None:
    """A page that is open when the demo is stopped says so. The watched one is closed: it must not complain."""
    other = await page.context.new_page()
    await other.goto(server.url)
    await other.get_by_test_id("map").wait_for()
    await page.close()
    await server.stop()
    await expect(other.get_by_test_id("connection-banner")).to_contain_text("coldmigrate demo")
    await expect(other).to_have_title("(stopped) coldmigrate demo")
    await shot(other, "12-stopped")
