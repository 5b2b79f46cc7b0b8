"""What a person does on the page again and again, and where things stand on it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from playwright.async_api import Locator, Page, expect

SHOTS = Path("build/screenshots")
COPY = 30_000
"""Milliseconds for a copy, or for its post-mortem, on a slow machine."""


async def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SHOTS / f"{name}.png", animations="disabled")


def composer(page: Page) -> Locator:
    return page.get_by_test_id("composer").first


async def say(page: Page, line: str) -> None:
    await composer(page).fill(line)
    await composer(page).press("Enter")


def cards(page: Page, title: str) -> Locator:
    """The messages of the channel whose heading this is."""
    heading = re.compile(rf"^{re.escape(title)}$")
    return page.get_by_test_id("message").filter(has=page.get_by_text(heading))


def card(page: Page, title: str) -> Locator:
    return cards(page, title).first


async def press(page: Page, card: Locator, button: str) -> None:
    """Click a button of a card, and answer yes if it asks."""
    await card.locator(f"[data-action-id='cm.{button}']").click()
    await page.get_by_test_id("confirm-yes").click()


async def planned(page: Page, title: str) -> Locator:
    shown = card(page, title)
    await expect(shown).to_contain_text("Waiting for approval", timeout=COPY)
    return shown


async def approve(page: Page, title: str) -> Locator:
    shown = await planned(page, title)
    await press(page, shown, "approve")
    return shown


async def percent(page: Page, vm: str, *, beyond: int) -> int:
    """What the link on the map says of the copy that crosses it, once that is more."""
    at = page.get_by_test_id("move").filter(has_text=vm).get_by_test_id("link-percent")
    async with asyncio.timeout(COPY / 1000):
        while True:
            if (found := re.search(r"\d+", await at.inner_text())) and int(found[0]) > beyond:
                return int(found[0])
            await asyncio.sleep(0.05)  # the page has no event for this


async def become(page: Page, user: str) -> None:
    await page.get_by_test_id("user-switch").click()
    await page.get_by_test_id(f"user-{user}").click()
