"""Bytes that cross from one role to another, named by their digest: at most 20 MB, for one hour or as asked."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

from bot.errors import UserError
from bot.store import keys
from bot.store.client import Store

LARGEST: Final = 20 * 1000 * 1000
KEPT: Final = timedelta(hours=1)


async def put(store: Store, data: bytes, *, keep: timedelta = KEPT) -> str:
    """Keep the bytes for `keep`; their SHA-256 in hex. Raises `UserError` above 20 MB."""
    if len(data) > LARGEST:
        raise UserError(f"This is {len(data) / 1e6:.1f} MB; at most {LARGEST / 1e6:.0f} MB can be passed on.")
    digest = hashlib.sha256(data).hexdigest()
    await store.set(keys.blob(digest), data, ex=keep)
    return digest


async def get(store: Store, digest: str) -> bytes | None:
    """The bytes, or None once their hour is over."""
    return await store.raw(keys.blob(digest))
