"""Time as this process counts it: for what must not be over because a server with another clock took over."""

from __future__ import annotations

import time
from datetime import timedelta

from bot.store import keys
from bot.store.client import Store


async def steady(store: Store) -> timedelta:
    """Time since some moment. Nothing moves this clock but `clock-skew`, which only tests set, as all others."""
    skew = int(await store.text(keys.CLOCK_SKEW) or 0)
    return timedelta(seconds=time.monotonic(), milliseconds=skew)
