"""A line of a host's log and a gap in it, as values; and the door through which all logs are read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NewType, Protocol

HostKey = NewType("HostKey", str)
"""A host in the whole fleet: `<vcenter>/<host name>`."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line. `number` counts from 1 in the file as the source numbers it and may restart after a rotation.

    `seen_at` is when it was read here (UTC); the line's own time is inside `text` and is not trusted.
    """

    host: HostKey
    log: str
    number: int
    text: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines may be missing here, and why: a rotation, a missing privilege, a host that did not answer."""

    host: HostKey
    log: str
    reason: str
    seen_at: datetime


class LogFeed(Protocol):
    """One reader per host log in the whole fleet; any number of consumers."""

    def open(
        self, host: HostKey, log: str, *, since: datetime | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[LogLine | Gap]]:
        """Read on from now (`since` None), or from what the fleet has kept since a moment.

        Entering waits until the feed stands (its place in the log is taken), so that nothing written afterwards
        is missed. What cannot be read arrives as a `Gap`, never as an exception. Only candidate lines and their
        neighbours are delivered, in order. The iterator ends only when the context is left.
        """
        ...
