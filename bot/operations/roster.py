"""Who would be woken now, known before anybody asks: a message does not wait for somebody else's API."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bot.incidents.port import Sink
from bot.operations.escalate import on_call_names

EVERY: Final = timedelta(minutes=5)


class Roster:
    """Asks the sinks now and then (`run`), and tells at once what they said last (`names`)."""

    def __init__(self, sinks: Sequence[Sink], *, every: timedelta = EVERY) -> None:
        self._sinks = sinks
        self._every = every.total_seconds()
        self._names: Sequence[str] = ()

    async def names(self) -> Sequence[str]:
        """Empty as long as nobody has said."""
        return self._names

    async def run(self) -> None:
        """For ever."""
        while True:
            self._names = await on_call_names(self._sinks)
            await asyncio.sleep(self._every)
