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


async def copy(size: int, link: Link, *, endurance: Endurance, on_percent: Callable[[int], None]) -> None:
    """Move `size` bytes. `on_percent` is called for every percent, in order; it may change the link.

    Refuses with NfcSessionDiedError when the link was too lossy for too long; whatever `on_percent` raises ends the
    copy too. The rate is the link's at each moment, so a change of it bites at once.
    """
    clock = asyncio.get_running_loop().time
    moved, percent, ill_since = 0.0, 0, None
    link.join()
    try:
        while percent < _DONE:
            now = clock()
            ill_since = (ill_since or now) if link.loss >= endurance.breaks_at else None
            left = endurance.patience.total_seconds() - (now - ill_since) if ill_since else _LONGEST_NAP
            if left <= 0:
                raise NfcSessionDiedError
            rate, revision = link.bytes_per_second, link.changes.revision
            to_next = (size * (percent + 1) / _DONE - moved) / rate if rate else _LONGEST_NAP
            await link.changes.wait(beyond=revision, seconds=max(0.0, min(to_next, left, _LONGEST_NAP)))
            moved += rate * (clock() - now)
            while percent < _DONE and moved >= size * (percent + 1) / _DONE:
                percent += 1
                before = link.changes.revision
                on_percent(percent)
                if link.changes.revision != before:  # the world changed at this percent: what came after it is void
                    moved = size * percent / _DONE
                    break
    finally:
        link.leave()
