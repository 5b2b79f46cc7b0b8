"""What time it is for everybody: Redis' clock, by which all that is kept there is stamped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.store import keys
from bot.store.client import Store


async def moment(store: Store) -> datetime:
    """Now, UTC. UnreachableError when Redis does not answer."""
    seconds, micros = await store.execute_command("TIME", repeatable=True)
    skew = int(await store.text(keys.CLOCK_SKEW) or 0)
    return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(micros), milliseconds=skew)
