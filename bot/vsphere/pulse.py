"""Whether vCenter answers at all: when a thousand silent tasks make a thousand wonder, it is asked once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from bot.errors import OutsideError

RECENT: Final = timedelta(seconds=10)


class Pulse:
    """Asks by `ask` when nothing was `answered` recently; whoever comes meanwhile shares the question and its outcome.

    A failure is believed as long as an answer is, so an outage is not met with a storm. To be used in one event loop.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[object]],
        *,
        answered: Callable[[timedelta], bool],
        recent: timedelta = RECENT,
    ) -> None:
        self._ask = ask
        self._answered = answered
        self._recent = recent
        self._asking: asyncio.Task[OutsideError | None] | None = None
        self._failed_at: float | None = None
        self._failure: OutsideError | None = None

    async def feel(self) -> None:
        """Return if vCenter answers. OutsideError, in the words of what happened, if it did not when last asked."""
        if self._answered(self._recent):
            return
        if (failure := self._known_failure() or await self._asked()) is not None:
            raise OutsideError(str(failure), transient=failure.transient) from failure

    def _known_failure(self) -> OutsideError | None:
        if self._failed_at is None or time.monotonic() - self._failed_at >= self._recent.total_seconds():
            return None
        return self._failure

    async def _asked(self) -> OutsideError | None:
        """Return what became of the question; whoever stops waiting for it does not stop it for the others."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._find_out())
        return await asyncio.shield(self._asking)

    async def _find_out(self) -> OutsideError | None:
        self._failure, self._failed_at = None, None
        try:
            await self._ask()
        except OutsideError as error:
            self._failure, self._failed_at = error, time.monotonic()
        finally:
            self._asking = None
        return self._failure
