"""How fast a copy runs and when it will be done, from percent over time. Pure; an estimate, and shown as one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WEIGHT = 0.3
"""Of the newest measurement in the moving average: a link's hiccup shows within a few updates."""


_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


def time_for(size: int, rate: float | None) -> timedelta | None:
    """How long so many bytes take; None when no rate is known."""
    return timedelta(seconds=size / rate) if rate and rate > 0 else None


def in_words(time: timedelta) -> str:
    """As in 9 h 10 min, 3 d 4 h or 50 s: two units, as an estimate deserves no more."""
    seconds = max(round(time.total_seconds()), 0)
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE:02} min"
    return f"{seconds // _DAY} d {seconds % _DAY // _HOUR} h"


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of a copy's speed. `rate` is bytes per second, None until two different percents were seen."""

    size: int
    percent: int = 0
    at: datetime | None = None
    rate: float | None = None

    @property
    def done(self) -> int:
        """Bytes copied so far, as far as the percent tells."""
        return self.size * self.percent // 100

    @property
    def eta(self) -> float | None:
        """Seconds to the end at the present rate."""
        if not self.rate or self.rate <= 0:
            return None
        return (self.size - self.done) / self.rate

    def seen(self, percent: int, at: datetime) -> Pace:
        """The pace after another look. A percent that went back starts the measurement anew."""
        if self.at is None or percent < self.percent:
            return Pace(self.size, percent, at, self.rate)
        elapsed = (at - self.at).total_seconds()
        if percent == self.percent or elapsed <= 0:
            return self
        now = self.size * (percent - self.percent) / 100 / elapsed
        rate = now if self.rate is None else WEIGHT * now + (1 - WEIGHT) * self.rate
        return Pace(self.size, percent, at, rate)
