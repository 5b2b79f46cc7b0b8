"""What changed in the workspace, in order, and a way to wait for it. Knows nothing of what a change means."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

Json = dict[str, Any]
Answer = TypeVar("Answer")


class ChangeKind(StrEnum):
    POSTED = "posted"
    UPDATED = "updated"
    DELETED = "deleted"
    EPHEMERAL = "ephemeral"
    REACTION = "reaction"
    CHANNEL = "channel"
    MEMBERS = "members"
    VIEW = "view"
    CONNECTIONS = "connections"
    DELIVERY = "delivery"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that happened. `subject` is a message ts, a user or a view id, whatever `kind` speaks of."""

    seq: int
    kind: ChangeKind
    channel: str = ""
    subject: str = ""

    def to_json(self) -> Json:
        return {"seq": self.seq, "kind": self.kind.value, "channel": self.channel, "subject": self.subject}


class ChangeFeed:
    """An append-only list of changes. One event loop only: publishing never waits."""

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._grown = asyncio.Event()

    @property
    def last(self) -> int:
        """The number of the newest change; 0 while nothing has happened."""
        return len(self._changes)

    def publish(self, kind: ChangeKind, *, channel: str = "", subject: str = "") -> None:
        self._changes.append(Change(seq=self.last + 1, kind=kind, channel=channel, subject=subject))
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    def after(self, seq: int) -> list[Change]:
        return self._changes[max(seq, 0) :]

    async def wait_after(self, seq: int, within: timedelta) -> list[Change]:
        """Changes newer than `seq`, as soon as there are any; an empty list when `within` has passed without one."""
        try:
            async with asyncio.timeout(within.total_seconds()):
                while self.last <= seq:
                    await self._grown.wait()
        except TimeoutError:
            return []
        return self.after(seq)

    async def wait_for(self, predicate: Callable[[], Answer], within: timedelta) -> Answer:
        """The first true answer of `predicate`, which is asked now and after every change.

        Raises TimeoutError with the newest changes in its sentence, so that a failed test says what happened instead.
        """
        try:
            async with asyncio.timeout(within.total_seconds()):
                while not (answer := predicate()):
                    await self._grown.wait()
        except TimeoutError:
            newest = ", ".join(f"{c.kind} {c.channel} {c.subject}".strip() for c in self._changes[-5:]) or "nothing"
            raise TimeoutError(
                f"The workspace did not get there within {within.total_seconds():g} s; it last saw: {newest}."
            ) from None
        return answer
