"""Work of a watcher that has to go on whatever befalls it: a defect in one part must not take the others with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=1)

logger = logging.getLogger(__name__)


async def lasting(
    work: Callable[[], Awaitable[None]],
    *,
    first_pause: timedelta = FIRST_PAUSE,
    longest_pause: timedelta = LONGEST_PAUSE,
) -> None:
    """Until the work returns or is cancelled. What a defect ended is told and begun again, after growing pauses.

    Who has worked for longer than the longest of them is taken for mended.
    """
    clock = asyncio.get_running_loop().time
    pause = first_pause
    while True:
        began = clock()
        try:
            await work()
        except Exception:
            logger.exception("A part of this watcher ended by a defect, and begins again.")
        else:
            return
        if clock() - began > longest_pause.total_seconds():
            pause = first_pause
        await asyncio.sleep(pause.total_seconds())
        pause = min(2 * pause, longest_pause)
