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


async def whose_clock(store: Store) -> str:
    """Which server tells the time: another one after a failover or a restart. Empty where it does not say."""
    told = await store.execute_command("INFO", "server", repeatable=True)
    return str(told.get("run_id", ""))
