"""The workspace's clock. Whoever waits for a person or a peer uses real time-outs; Slack's own waits follow this."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import timedelta


class Clock:
    """Wall time for message timestamps and steady time for durations.

    Both can be moved forward together, so that a test of a half-hour expiry or of a rate limit need not wait.
    """

    def __init__(self) -> None:
        self._moved = 0.0
        self._advanced = asyncio.Event()

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._moved

    def steady(self) -> float:
        """Seconds that never go backwards, for measuring."""
        return time.monotonic() + self._moved

    def advance(self, by: timedelta) -> None:
        """Move both forward. Sleepers wake as if they had slept; time-outs for a peer are not shortened by it."""
        self._moved += by.total_seconds()
        advanced, self._advanced = self._advanced, asyncio.Event()
        advanced.set()

    async def sleep(self, duration: timedelta) -> None:
        """Wait until this clock, not the machine's, has moved on by `duration`."""
        due = self.steady() + duration.total_seconds()
        while (left := due - self.steady()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._advanced.wait()


class Stamps:
    """Message timestamps as Slack makes them: strings that are unique in a workspace and only ever grow."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> str:
        self._last = max(self._last + 1, int(self._clock.wall() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"
