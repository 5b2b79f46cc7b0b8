"""One NFC copy: bytes over a link in real time, percent by percent, until it is through or the session dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.playground.vcenter.links import Link

_LONGEST_NAP = 1.0
_DONE = 100


class NfcSessionDiedError(Exception):
    """The connection broke while data was flowing."""


@dataclass(frozen=True)
class Endurance:
    """What an NFC session can take: it dies after `patience` on a link that loses `breaks_at` or more."""

    patience: timedelta
    breaks_at: float


class Copy:
    """`size` bytes on their way over a link. `moved` and `percent` say how far they are, whatever became of them."""

    def __init__(self, size: int, link: Link, *, endurance: Endurance) -> None:
        self.size = size
        self.moved = 0.0
        self.percent = 0
        self._link = link
        self._endurance = endurance
        self._flowing = False

    @property
    def bytes_per_second(self) -> float:
        """What flows at this moment; 0 before the copy and after it."""
        return self._link.bytes_per_second if self._flowing else 0.0

    async def run(self, on_percent: Callable[[int], None]) -> None:
        """Move the bytes. `on_percent` is called for every percent, in order; it may change the link.

        Refuses with NfcSessionDiedError when the link was too lossy for too long; whatever `on_percent` raises ends
        the copy too. The rate is the link's at each moment, so a change of it bites at once.
        """
        self._link.join()
        self._flowing = True
        try:
            await self._move(on_percent)
        finally:
            self._flowing = False
            self._link.leave()

    async def _move(self, on_percent: Callable[[int], None]) -> None:
        clock, link, endurance = asyncio.get_running_loop().time, self._link, self._endurance
        ill_since = None
        while self.percent < _DONE:
            now = clock()
            ill_since = (ill_since or now) if link.loss >= endurance.breaks_at else None
            left = endurance.patience.total_seconds() - (now - ill_since) if ill_since else _LONGEST_NAP
            if left <= 0:
                raise NfcSessionDiedError
            rate, revision = link.bytes_per_second, link.changes.revision
            to_next = (self._goal(self.percent + 1) - self.moved) / rate if rate else _LONGEST_NAP
            await link.changes.wait(beyond=revision, seconds=max(0.0, min(to_next, left, _LONGEST_NAP)))
            self.moved += rate * (clock() - now)
            while self.percent < _DONE and self.moved >= self._goal(self.percent + 1):
                self.percent += 1
                before = link.changes.revision
                on_percent(self.percent)
                if link.changes.revision != before:  # the world changed at this percent: what came after it is void
                    self.moved = self._goal(self.percent)
                    break

    def _goal(self, percent: int) -> float:
        return self.size * percent / _DONE
