"""A real browser in front of the real demo: the players, and the real bot and worker as processes."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

from bot.cli.stage import WORLD, Stage, page_of, set_stage
from bot.playground.page.server import PageServer
from tests import warm
from tests.browser.witness import Witness

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FOUND_BY_SETUP = Path("build/browser")
BUILD = Path("build")
HOSTILE = '"><img src=x onerror=alert(1)>'
MORE_VMS = f"""
[[vms]]
name = "big01"
site = "site1"
disks = ["40 GiB thin 3 GiB"]
[[vms]]
name = '{HOSTILE}'
site = "site2"
disks = ["1 GiB thin 10 MiB"]
""" + "".join(
    f"""
[[vms]]
name = "tiny{number:02}"
site = "site1"
disks = ["4 GiB thin 40 MiB"]
"""
    for number in range(1, 8)
)


def find_browser() -> str | None:
    """The one that the set-up found, else any on PATH."""
    named = FOUND_BY_SETUP.read_text(encoding="utf-8").strip() if FOUND_BY_SETUP.exists() else ""
    return named or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture
async def stage(tmp_path: Path, valkey_url: str) -> AsyncIterator[Stage]:
    """The world of the demo, with one VM that takes a while, some that take none, and one whose name is an attack."""
    world = tmp_path / "world.toml"
    world.write_text(WORLD.read_text(encoding="utf-8") + MORE_VMS, encoding="utf-8")
    async with set_stage(tmp_path / "stage", redis_url=valkey_url, world=world, command=warm.bot()) as stage:
        await stage.ready()
        yield stage


@pytest.fixture
async def server(stage: Stage) -> AsyncIterator[PageServer]:
    server = page_of(stage, port=0)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    program = find_browser()
    if program is None:
        reason = f"no browser: none of {', '.join(NAMES)} is on PATH"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)  # noqa: TID251 - says where we run
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser, server: PageServer, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """The page, open, with a trace in build/ if the test fails and a witness of all that must not happen."""
    context = await browser.new_context(viewport={"width": 1500, "height": 950}, color_scheme="light")
    await context.tracing.start(snapshots=True)  # which can be looked at; a picture of every frame costs a sixth more
    page = await context.new_page()
    page.set_default_timeout(20_000)
    witness = Witness(page, server.url)
    failed_before = request.session.testsfailed
    await page.goto(server.url)
    yield page
    failed = request.session.testsfailed > failed_before
    if failed:
        await page.screenshot(path=BUILD / "screenshots" / "failed.png")
    await context.tracing.stop(path=BUILD / f"trace-{request.node.name}.zip" if failed else None)
    await context.close()
    witness.swear()
