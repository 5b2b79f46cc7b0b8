"""A simulated workspace, and the real Bolt app that tests connect to it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.slack.player import SlackPlayer

Connect = Callable[[AsyncApp], Awaitable[AsyncSocketModeHandler]]
# Bolt logs every unhandled event; nobody reads it here.
QUIET = logging.getLogger("quiet")
QUIET.setLevel(logging.CRITICAL)


@pytest.fixture
async def slack() -> AsyncIterator[SlackPlayer]:
    player = SlackPlayer()
    await player.start()
    yield player
    await player.stop()


@pytest.fixture
async def client(slack: SlackPlayer) -> AsyncIterator[AsyncWebClient]:
    """The official client, which repeats nothing by itself."""
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, session=session, retry_handlers=[])


@pytest.fixture
def app(client: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=client, logger=QUIET)


@pytest.fixture
async def connect(slack: SlackPlayer) -> AsyncIterator[Connect]:
    """Connects an app by Socket Mode, as often as a test likes; all are closed at its end."""
    async with AsyncExitStack() as opened:

        async def connect(app: AsyncApp) -> AsyncSocketModeHandler:
            handler = AsyncSocketModeHandler(app, slack.app_token, logger=QUIET, ping_interval=1)
            opened.push_async_callback(handler.close_async)
            before = slack.switches.connections
            await handler.connect_async()
            await slack.person.wait_for(lambda: slack.switches.connections > before)
            return handler

        yield connect
