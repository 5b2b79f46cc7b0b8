"""Work of a watcher that has to go on whatever befalls it: a defect in one part must not take the others with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

AFTER_A_DEFECT: Final = timedelta(seconds=1)

logger = logging.getLogger(__name__)


async def lasting(work: Callable[[], Awaitable[None]], *, pause: timedelta = AFTER_A_DEFECT) -> None:
    """Until the work returns or is cancelled. What a defect ended is told and begun again, after a moment."""
    while True:
        try:
            await work()
        except Exception:
            logger.exception("A part of this watcher ended by a defect, and begins again.")
            await asyncio.sleep(pause.total_seconds())
        else:
            return
