"""A real Valkey for the store's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.store.client import Store, connect


@pytest.fixture
async def store(valkey_url: str) -> AsyncIterator[Store]:
    async with connect(valkey_url) as store:
        yield store
