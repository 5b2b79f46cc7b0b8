"""A Slack without limits and a Valkey, for rooms tested against both; `tests/conftest.py` makes them known to all."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.slack.player import SlackPlayer
from bot.slack.client import open_client
from bot.store.client import Store, connect

CHANNEL = "C0MIGRATE1"


@pytest.fixture
async def store(valkey_url: str) -> AsyncIterator[Store]:
    async with connect(valkey_url) as store:
        yield store


@pytest.fixture
async def player() -> AsyncIterator[SlackPlayer]:
    """Without Slack's own limits; the bot is in #migrations."""
    player = SlackPlayer(rate_limits=False)
    await player.start()
    player.switches.invite_bot(CHANNEL)
    yield player
    await player.stop()


@pytest.fixture
async def client(player: SlackPlayer) -> AsyncIterator[AsyncWebClient]:
    async with open_client(player.bot_token, api_url=player.api_url) as client:
        yield client
