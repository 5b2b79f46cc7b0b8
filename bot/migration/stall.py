"""Whether a copy slows down or stands still, from when its percentage last changed. Pure.

vCenter tells whole percents, and of a large VM each takes minutes: silence alone is no stall. What it does tell is how
fast the copy can be at most, for in that time less than another percent has come across.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

SLOW: Final = 1 / 3
"""Of the usual rate: below it somebody should look, and most hiccups of a link end before it comes to that."""

LATE: Final = 2.0
"""Times as long as a percent should take at the present rate, after which the copy is called stalled."""

LEAST: Final = timedelta(seconds=20)
"""vCenter reports in steps of some seconds: nothing shorter is a stall, however small the VM is."""

UNKNOWN: Final = timedelta(minutes=5)
"""How long a percent may take while no rate is known: at the beginning of the first copy across a link."""


@dataclass(frozen=True, slots=True)
class Stand:
    """How a copy stands at a moment. `since`: when its percentage last changed, or it began.

    `rate` is what was measured up to then, `usual` what copies across the link have; bytes per second.
    """

    size: int
    since: datetime
    now: datetime
    rate: float | None = None
    usual: float | None = None

    @property
    def still(self) -> timedelta:
        """For how long the percentage has not changed."""
        return max(self.now - self.since, timedelta())

    @property
    def rate_now(self) -> float | None:
        """What was measured, or less once that is refuted: by now another percent would have been seen."""
        seconds = self.still.total_seconds()
        if self.rate is None or seconds <= 0:
            return self.rate
        return min(self.rate, self._percent / seconds)

    @property
    def slow(self) -> bool:
        """Far below what is usual; False while either is not known."""
        now = self.rate_now
        return now is not None and self.usual is not None and now < self.usual * SLOW

    def stalled(self, *, least: timedelta = LEAST) -> timedelta | None:
        """For how long it has stood still, once that is longer than a percent should take; else None.

        The pace that it last had is the measure, and only before there is one the usual rate.
        """
        if self.size <= 0:
            return None
        rate = self.rate or self.usual
        due = timedelta(seconds=self._percent / rate * LATE) if rate else UNKNOWN
        return self.still if self.still > max(due, least) else None

    @property
    def _percent(self) -> float:
        return self.size / 100
