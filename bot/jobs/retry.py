"""When a handler failed: whether and when its job is tried again. A retry is a value, chosen by the error's class."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.errors import OutsideError, RefusedError, UserError


@dataclass(frozen=True, slots=True)
class Retry:
    """`tries`: how many failures of this kind in a row are borne; None is any number, never more often than `longest`
    apart.
    """

    kind: str
    first: timedelta
    longest: timedelta
    tries: int | None

    def delay(self, failures: int) -> timedelta | None:
        """How long to wait after this many failures in a row, doubling each time; None: that was the last try."""
        if self.tries is not None and failures >= self.tries:
            return None
        doublings = min(failures - 1, 30)
        return min(self.first * (1 << doublings), self.longest)


TRANSIENT: Final = Retry("away", first=timedelta(seconds=1), longest=timedelta(minutes=1), tries=None)
"""The world is away. It comes back, and the job is no worse for the waiting."""

OUTSIDE: Final = Retry("refused", first=timedelta(seconds=10), longest=timedelta(minutes=5), tries=6)
"""The world said no. A password or a right may be mended meanwhile."""

WATCHFUL: Final = Retry("refused", first=timedelta(seconds=10), longest=timedelta(minutes=5), tries=300)
"""The world or the config said no while a copy may be running: that is worth a day of asking, for whoever mends it."""

HOPELESS: Final = Retry("hopeless", first=timedelta(0), longest=timedelta(0), tries=1)
"""Nothing changes by asking again."""

UNFORESEEN: Final = Retry("bug", first=timedelta(seconds=5), longest=timedelta(minutes=1), tries=5)
"""A bug of ours, which may depend on what another worker or a later moment finds."""


def retry_for(error: Exception, *, started: bool = False) -> Retry:
    """The retry of a class of errors. `started`: the job cannot be given up without leaving a copy to itself."""
    match error:
        case OutsideError(transient=True):
            return TRANSIENT
        case OutsideError() | UserError() | RefusedError() if started:
            return WATCHFUL
        case OutsideError():
            return OUTSIDE
        case UserError() | RefusedError():
            return HOPELESS
        case _:
            return UNFORESEEN


def delay_for(error: Exception, *, failures: int, started: bool = False) -> timedelta | None:
    """How long to wait when this is the error and `failures` counts it in; never less than the world asked for."""
    delay = retry_for(error, started=started).delay(failures)
    if delay is not None and isinstance(error, OutsideError) and error.retry_after is not None:
        return max(delay, timedelta(seconds=error.retry_after))
    return delay
