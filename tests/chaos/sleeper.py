"""A process that does nothing until it is killed; it takes hold of a forked role that is to be there and no more."""

from __future__ import annotations

import signal


def take_hold(_argument: str) -> None:
    """Never return."""
    while True:
        signal.pause()
