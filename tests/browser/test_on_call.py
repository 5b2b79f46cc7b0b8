"""A person on call, at the page: all four ways to ask why a copy failed, each answered where it was asked."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import Page, expect

from tests.browser.steps import COPY, cards, composer, say, shot

LINE = "2012-03-14T16:31:45.288Z [27E81B90 error 'Libs' opID=C65743A5-24D] [NFC ERROR] NfcNetTcpWrite: bWritten: -1 <b>"


async def test_the_four_ways_to_ask(page: Page, tmp_path: Path) -> None:
    log = tmp_path / "vpxa.log"
    log.write_text(f"{LINE}\n")

    await composer(page).fill("/di")
    await page.get_by_test_id("suggestion").filter(has_text="/diagnose").click()
    await expect(composer(page)).to_have_value(re.compile(r"^/diagnose "))
    await composer(page).press_sequentially("db01 --since 2h")
    await composer(page).press("Enter")
    await expect(cards(page, "Diagnosis of db01")).to_have_count(1, timeout=COPY)

    await say(page, f"what is this?\n{LINE}")
    pasted = page.get_by_test_id("message").filter(has_text="what is this?").first
    await pasted.hover()
    await pasted.get_by_test_id("more-actions").click()
    await page.get_by_test_id("message-shortcut-cm.diagnose-log").click()
    thread = page.get_by_test_id("thread-pane")
    await pasted.get_by_test_id("thread-summary").click(timeout=COPY)
    await expect(thread).to_contain_text("Diagnosis of the pasted log", timeout=COPY)

    await thread.get_by_test_id("composer").fill("@coldmigrate diagnose this")
    await thread.get_by_test_id("composer").press("Enter")
    await expect(cards(page, "Diagnosis of the pasted log")).to_have_count(2, timeout=COPY)
    await shot(page, "on-call-thread")

    await page.get_by_test_id("home-entry").click()
    await page.get_by_test_id("app-tab-messages").click()
    await page.get_by_test_id("file-input").first.set_input_files(log)
    await page.get_by_test_id("thread-summary").first.click(timeout=COPY)
    await expect(cards(page, "Diagnosis of vpxa.log")).to_have_count(1, timeout=COPY)
    await shot(page, "on-call-direct")
