"""A failure that nobody asked about, at the page: somebody else moves a VM, the channel of alerts hears of it."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from bot.cli.stage import Stage
from tests.browser.steps import COPY, press, shot

ALERTS = "channel-C0NFCALERT"
TITLE = re.compile(r"^Packet loss between site1 and site2: ")


async def test_somebody_elses_copy_dies_and_alice_takes_it(page: Page, stage: Stage) -> None:
    stage.world["east"].switches.set_link("site1", "site2", loss=0.04)
    await page.get_by_test_id("map").wait_for()
    await page.get_by_label("The VM that somebody else moves").select_option("cache01")
    await page.get_by_label("Let somebody else move cache01 to site2").click()
    await page.get_by_test_id(ALERTS).click()
    alert = page.get_by_test_id("message").filter(has=page.get_by_text(TITLE))
    await expect(alert).to_contain_text("cache01", timeout=COPY)
    await expect(alert).to_contain_text("Carol Example")  # is on call
    await shot(page, "30-alert")
    await alert.locator("[data-action-id='cm.acknowledge']").click()
    await expect(alert).to_contain_text("Acknowledged by", timeout=COPY)
    await press(page, alert, "resolve")
    await expect(alert).to_contain_text("Resolved by", timeout=COPY)
    await shot(page, "31-resolved")
    await expect(alert).to_have_count(1)
    assert stage.paged == []  # it was acknowledged in time
