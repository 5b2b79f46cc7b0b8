"""What changed, in order: the one bell that long polls wait for. No knowledge of what the things are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from bot.playground.vcenter.wire import Ref


class Changes:
    """A revision counter with, per object, the revision of its last change."""

    def __init__(self) -> None:
        self.revision = 1
        self._last: dict[Ref, int] = {}
        self._waiting: set[asyncio.Future[None]] = set()

    def touch(self, *refs: Ref) -> None:
        """Note that these objects changed, and wake whoever waits."""
        self.revision += 1
        for ref in refs:
            self._last.pop(ref, None)
            self._last[ref] = self.revision
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    def of(self, ref: Ref) -> int:
        """Return the revision of the object's last change, 0 for never."""
        return self._last.get(ref, 0)

    def since(self, revision: int) -> Iterator[Ref]:
        """Yield what changed after a revision, newest first."""
        for ref, changed in reversed(self._last.items()):
            if changed <= revision:
                return
            yield ref

    async def wait(self, *, beyond: int, seconds: float) -> None:
        """Return when something changed after `beyond`, or when the time is over."""
        if self.revision > beyond:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            async with asyncio.timeout(seconds):
                await waiter
        except TimeoutError:
            return
        finally:
            self._waiting.discard(waiter)
