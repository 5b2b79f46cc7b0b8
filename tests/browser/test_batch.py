"""Many VMs on one card, in a real browser."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.steps import COPY, approve, card, say, shot

TITLE = "@web-tier to site2: 4 VMs"


async def test_a_saved_list_is_approved_and_moved(page):
    await say(page, "/coldmigrate @web-tier site2")
    shown = card(page, TITLE)
    await expect(shown).to_contain_text("Waiting for approval", timeout=COPY)
    for words in ("web01", "cache01", "mail01", "app01 is powered on", "3 of 4 can start", "Approve all"):
        await expect(shown).to_contain_text(words)
    await shot(page, "batch-planned")
    await approve(page, TITLE)
    await expect(shown).to_contain_text("copying", timeout=COPY)
    await shot(page, "batch-under-way")
    await expect(shown).to_contain_text("3 of 4 VMs are at site2.", timeout=2 * COPY)
    await shot(page, "batch-done")
