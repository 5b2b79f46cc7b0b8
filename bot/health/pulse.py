"""Whether an event loop still turns, told from another thread.

A loop that is blocked cannot say so itself. It beats; whoever watches compares the last beat with the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic
from typing import Final

EVERY: Final = timedelta(seconds=0.5)

STALLED: Final = timedelta(seconds=10)
"""A loop that did not turn for so long is stuck: the longest step that we know takes a tenth of a second. It is less
than the shortest useful lease, so a stuck worker is told from a slow one before its jobs are taken over."""


class Pulse:
    """The beats of one loop. Reading is safe from any thread; only the loop writes."""

    def __init__(self, *, every: timedelta = EVERY, stalled: timedelta = STALLED) -> None:
        self._every = every.total_seconds()
        self._stalled = stalled.total_seconds()
        self._last = monotonic()
        self._longest_lag = 0.0

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Beat until the end of the block."""
        beats = asyncio.create_task(self._beat(), name="pulse")
        try:
            yield
        finally:
            beats.cancel()
            await asyncio.gather(beats, return_exceptions=True)

    @property
    def alive(self) -> bool:
        """Whether the loop turned lately."""
        return self.silent_for < self._stalled

    @property
    def silent_for(self) -> float:
        """Seconds since the last beat."""
        return monotonic() - self._last

    @property
    def longest_lag(self) -> float:
        """Seconds by which the latest beat of all came too late; a block that lasts counts as it grows."""
        return max(self._longest_lag, self.silent_for - self._every, 0.0)

    async def _beat(self) -> None:
        while True:
            now = monotonic()
            self._longest_lag = max(self._longest_lag, now - self._last - self._every)
            self._last = now
            await asyncio.sleep(self._every)
