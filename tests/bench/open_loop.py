"""Load that does not wait for answers: each shot is due at a fixed time and its latency is counted from then.

So a system that falls behind cannot slow its own load down, and a generator that is late makes the figures worse.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Shot(Generic[Answer]):
    """`due`, `fired` and `answered` are times of the event loop's clock, which is `time.monotonic`."""

    due: float
    fired: float
    answered: float
    answer: Answer

    @property
    def latency(self) -> float:
        """Milliseconds from when it was due."""
        return (self.answered - self.due) * 1000

    @property
    def lateness(self) -> float:
        """Milliseconds by which the generator itself was late."""
        return (self.fired - self.due) * 1000


async def open_loop(
    fire: Callable[[int], Awaitable[Answer]], *, per_second: float, count: int, first: int = 0
) -> list[Shot[Answer]]:
    """Fire shots number `first` and following at an even pace; return when all have been answered."""
    clock = asyncio.get_running_loop().time
    start = clock()

    async def shoot(number: int, due: float) -> Shot[Answer]:
        fired = clock()
        answer = await fire(number)
        return Shot(due, fired, clock(), answer)

    async with asyncio.TaskGroup() as group:
        shots = []
        for index in range(count):
            due = start + index / per_second
            await asyncio.sleep(due - clock())
            shots.append(group.create_task(shoot(first + index, due)))
    return [shot.result() for shot in shots]
