"""How every source of ours behaves towards a host that cannot be read: told once, tried again, ever more rarely."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.errors import LoginError, OutsideError, UserError
from bot.logs.port import Batch

Attempt = Callable[[], AsyncGenerator[Batch, None]]
"""One look, or one connection as long as it lasts. It returns when there is nothing more for now."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long to wait after failures in a row. A refused login waits longer: ESXi locks an account after five."""

    first: timedelta = timedelta(seconds=1)
    most: timedelta = timedelta(minutes=1)
    refused: timedelta = timedelta(minutes=4)

    def after(self, failures: int, error: Exception) -> float:
        """Seconds to wait; not quite the same for all who lost one host together."""
        if isinstance(error, LoginError):
            return self.refused.total_seconds()
        seconds = min(self.most.total_seconds(), self.first.total_seconds() * float(2 ** min(failures - 1, 16)))
        return seconds * random.uniform(0.75, 1.0)  # noqa: S311 - spreads load, hides nothing


PAUSES: Final = Pauses()


async def persistently(
    attempt: Attempt, *, cursor: str, every: timedelta, pauses: Pauses = PAUSES
) -> AsyncGenerator[Batch, None]:
    """Attempt for ever, `every` so often, and yield what comes of it.

    A failure is told once as a gap, until an attempt gets through again. The first one after a success is tried again
    without a word, because what a short break hides is read afterwards. That it is over shows in a batch without a gap.
    """
    worked, failures, told = False, 0, False
    while True:
        try:
            async with aclosing(attempt()) as batches:
                async for batch in batches:
                    worked, failures, told, cursor = True, 0, False, batch.cursor
                    yield batch
            if told:
                yield Batch((), cursor)
            worked, failures, told, pause = True, 0, False, every.total_seconds()
        except (OutsideError, UserError) as error:
            failures += 1
            if not told and (failures > 1 or not worked):
                told = True
                yield Batch((), cursor, gap=str(error))
            pause = pauses.after(failures, error)
        await asyncio.sleep(pause)


async def told(batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
    """Yield these once; a failure becomes a gap at the end."""
    try:
        async for batch in batches:
            yield batch
    except (OutsideError, UserError) as error:
        yield Batch((), "", gap=str(error))
