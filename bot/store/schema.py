"""The version of what is kept in Redis."""

from __future__ import annotations

from typing import Final

from bot.errors import UserError
from bot.store import keys
from bot.store.client import Store

VERSION: Final = "1"


async def check_schema(store: Store) -> None:
    """Mark an empty Redis as ours. Raises `UserError` if another version of this program wrote what is there."""
    await store.set(keys.SCHEMA, VERSION, nx=True)
    found = await store.text(keys.SCHEMA)
    if found != VERSION:
        raise UserError(
            f"Redis at {store.where} holds data of schema {found}; this version of coldmigrate reads schema {VERSION}. "
            "Run the version that wrote it, or use another database number in the URL."
        )
