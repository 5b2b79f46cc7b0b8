"""Ends and pauses on purpose, for the tests that kill real processes: a signal at a named point of the work."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable


def dying_at(point: str) -> Callable[[str], None]:
    """A process that is told how far it is, and ends by SIGKILL at `point`; `point:3` is the third time there."""
    return _signalling(point, signal.SIGKILL)


def stopping_at(point: str) -> Callable[[str], None]:
    """The same, pausing by SIGSTOP; once, so that it goes on when it is let."""
    return _signalling(point, signal.SIGSTOP)


def _signalling(point: str, sent: signal.Signals) -> Callable[[str], None]:
    name, _, times = point.partition(":")
    left = int(times or "1")

    def reached(now: str) -> None:
        nonlocal left
        if now == name:
            left -= 1
            if not left:
                os.kill(os.getpid(), sent)

    return reached
