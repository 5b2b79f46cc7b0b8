"""The clock of a world: this machine's time, plus what somebody has moved it ahead. It never goes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.playground.vcenter.changes import Changes

Clock = Callable[[], datetime]


class WorldClock:
    """Read it by calling it. `changes` rings when it was moved, so that whoever waits for a moment looks again."""

    def __init__(self, source: Clock) -> None:
        self._source = source
        self.ahead = timedelta(0)
        self.changes = Changes()

    def __call__(self) -> datetime:
        return self._source() + self.ahead

    def seconds(self) -> float:
        """Return a steady count of seconds that the moves of the clock are part of."""
        return asyncio.get_running_loop().time() + self.ahead.total_seconds()

    def advance(self, by: timedelta) -> None:
        """Move the clock ahead. Refuses to move it back with ValueError."""
        if by < timedelta(0):
            raise ValueError("a clock is only moved ahead")
        self.ahead += by
        self.changes.touch()
