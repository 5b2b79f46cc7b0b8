"""Ends on purpose, for the tests that kill real processes: SIGKILL at a named point of the work."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable


def dying_at(point: str) -> Callable[[str], None]:
    """A process that is told how far it is, and ends at `point`; `point:3` is the third time there."""
    name, _, number = point.partition(":")
    left = int(number or "1")

    def reached(now: str) -> None:
        nonlocal left
        if now == name:
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    return reached
