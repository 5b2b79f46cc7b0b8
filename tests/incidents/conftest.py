"""What the tests of incidents share: failures by a few words, and incidents kept in a real Valkey."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.incidents.kept import RedisIncidents
from bot.store import keys
from bot.store.client import Store, connect

EPOCH = "7"


@pytest.fixture
async def store(valkey_url: str) -> AsyncIterator[Store]:
    async with connect(valkey_url) as store:
        await store.hset(keys.shard("judge"), "epoch", EPOCH)
        yield store


@pytest.fixture
def incidents(store: Store) -> RedisIncidents:
    return RedisIncidents(store)
