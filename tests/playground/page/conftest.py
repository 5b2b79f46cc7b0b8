"""The page's server over a played Slack, a played world, and a real Bolt app that answers."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.cli.init import MANIFEST
from bot.playground.page.server import PageServer
from bot.playground.slack.player import SlackPlayer
from bot.playground.vcenter.player import RunningWorld, play_world
from bot.playground.world import World
from tests.playground.page.visitor import Crew, Visitor, visit
from tests.worlds import TWO_SITES

VMS = """
[[vms]]
name = "web01"
site = "site1"
folder = "Web"
disks = ["16 GiB thin 500 MiB"]
"""
QUIET = logging.getLogger("quiet")
QUIET.setLevel(logging.CRITICAL)


@pytest.fixture
async def slack() -> AsyncIterator[SlackPlayer]:
    player = SlackPlayer()
    await player.start()
    yield player
    await player.stop()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[RunningWorld]:
    async with await play_world(World.model_validate(tomllib.loads(TWO_SITES + VMS)), tmp_path) as world:
        yield world


@pytest.fixture
def crew() -> Crew:
    return Crew()


@pytest.fixture
async def page(slack: SlackPlayer, world: RunningWorld, crew: Crew) -> AsyncIterator[PageServer]:
    server = PageServer(slack, world, crew, manifest=MANIFEST)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def alice(page: PageServer) -> AsyncIterator[Visitor]:
    async with visit(page.url) as visitor:
        await visitor.look()
        yield visitor


@pytest.fixture
async def app(slack: SlackPlayer) -> AsyncIterator[AsyncApp]:
    """A Bolt app that is connected; tests add their listeners."""
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, session=session)
        app = AsyncApp(client=client, logger=QUIET)
        handler = AsyncSocketModeHandler(app, slack.app_token, logger=QUIET)
        await handler.connect_async()
        await slack.person.wait_for(lambda: slack.switches.connections)
        yield app
        await handler.close_async()
