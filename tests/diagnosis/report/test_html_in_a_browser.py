"""The page in a real browser: it runs and fetches nothing, tells a line when it is pointed at, fits and prints."""

from __future__ import annotations

import os
import shutil
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from bot.diagnosis.report.html import html_of

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FOUND_BY_SETUP = Path(__file__).parents[3] / "build/browser"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    """One for all tests: each has a profile of its own in it."""
    named = FOUND_BY_SETUP.read_text(encoding="utf-8").strip() if FOUND_BY_SETUP.exists() else ""
    program = named or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no browser")  # noqa: TID251 - says where we run
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def show(browser, tmp_path):
    """Open a report; what it asks of the network, and what it says in the console, is kept."""
    async with AsyncExitStack() as profiles:

        async def opened(report, **options):
            file = tmp_path / "report.html"
            file.write_text(html_of(report), encoding="utf-8")
            profile = await browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
            profiles.push_async_callback(profile.close)
            page = await profile.new_page()
            page.asked, page.said = [], []
            page.on("request", lambda request: page.asked.append(request.url))
            page.on("console", lambda message: page.said.append(message.text))
            page.on("dialog", lambda dialog: page.said.append(dialog.message))
            await page.goto(file.as_uri())
            return page

        yield opened


async def test_hostile_text_runs_and_fetches_nothing(show, hostile):
    page = await show(hostile)
    assert await page.evaluate("window.pwned === undefined")
    assert len(page.asked) == 1
    assert page.said == []


@pytest.mark.parametrize("width", [1440, 800, 420])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_and_can_be_read(show, incident, line, report, width, scheme):
    long = incident(evidence=(line("x" * 3000, file="/very/" + "long/" * 60 + "vpxa.log"), *incident().evidence))
    page = await show(report(long, incident()), viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    ink, paper = await page.evaluate(
        "() => { const style = getComputedStyle(document.querySelector('.incident'));"
        " return [style.color, style.backgroundColor]; }"
    )
    brightness = [sum(map(int, colour[4:-1].split(","))) for colour in (ink, paper)]
    assert (brightness[0] > brightness[1]) is (scheme == "dark")
    assert abs(brightness[0] - brightness[1]) > 400


async def test_a_mark_tells_its_line_when_pointed_at_and_leads_to_its_row(show, incident, report):
    page = await show(report(incident()))
    marks = page.locator("#i1 .timeline a")
    assert await marks.count() == 3
    unasked = page.locator("#i1 .timeline .unasked")
    assert "sent only -1 bytes" in await unasked.text_content()
    await marks.nth(2).locator("path").hover()
    assert await marks.nth(2).locator(".told").is_visible()
    assert "goodbye" in await marks.nth(2).locator(".told").text_content()
    assert not await unasked.is_visible()
    await marks.nth(1).locator("path").click()
    assert page.url.endswith("#e1-2")
    assert "names the cause" in await page.locator("#e1-2").inner_text()


async def test_one_click_takes_a_whole_command(show, incident, report):
    page = await show(report(incident()))
    await page.locator("#i1 pre.command").first.click()
    assert await page.evaluate("getSelection().toString().trim()") == "vmkping -I vmk1 10.2.0.9"


async def test_a_thousand_incidents_stay_readable(show, flood):
    page = await show(flood(1000))
    assert await page.locator("#all tbody tr").count() == 1000
    assert await page.evaluate("document.querySelectorAll('*').length") < 30_000
    assert await page.evaluate("document.documentElement.scrollHeight") < 12_000


async def test_it_prints_with_every_line(show, incident, line, report):
    evidence = tuple(line(f"line {n}", number=n, seconds=n) for n in range(1, 41))
    page = await show(report(incident(evidence=evidence)))
    await page.emulate_media(media="print")
    box = await page.locator("#e1-40").bounding_box()
    table = await page.locator("#i1 .scroll").first.bounding_box()
    assert box["y"] + box["height"] <= table["y"] + table["height"] + 2, "nothing is behind a scroll bar"
