"""What the tests of links share: a history on a real Valkey, and samples."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.links.history import RedisLinkHistory
from bot.store.client import Store, connect


@pytest.fixture
async def store(valkey_url: str) -> AsyncIterator[Store]:
    async with connect(valkey_url) as store:
        yield store


@pytest.fixture
def history(store: Store) -> RedisLinkHistory:
    return RedisLinkHistory(store)
