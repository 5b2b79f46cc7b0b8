"""`Turn` on Redis: one process of the fleet at a time, by a lease and an epoch. The script decides.

The lease alone keeps two from working side by side only as long as clocks run; whatever the work writes has to bear
the epoch, too.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from bot.errors import OutsideError
from bot.store.client import Store
from bot.store.scripts import load

JUDGE: Final = "judge"
"""The turn of whoever judges what hosts say."""

LEASE: Final = timedelta(seconds=10)
_AGAIN: Final = 1.0
"""Seconds until a turn that was given back is stood for again."""

log = logging.getLogger(__name__)


class RedisTurn:
    """`Turn` as `bot.logs.port` promises it. `name` is the turn's in the whole fleet; `shard:<name>` keeps it."""

    def __init__(self, store: Store, name: str, *, lease: timedelta = LEASE, owner: str = "") -> None:
        self._store = store
        self._name = name
        self._lease = lease
        self._owner = owner or secrets.token_hex(8)

    async def serve(self, work: Callable[[str], Awaitable[None]]) -> None:
        """Until cancelled. A defect in the work is raised, once the turn was given back."""
        while True:
            try:
                await self._serve(await self._wait_for_it(), work)
            except OutsideError as error:
                log.warning("%s cannot be done at the moment: %s", self._name, error)
            await asyncio.sleep(min(_AGAIN, self._lease.total_seconds() / 4))

    async def _wait_for_it(self) -> str:
        """The epoch, once it is ours. Who leaves in peace is followed within an eighth of a lease."""
        while True:
            epoch, free_in = await self._ask("")
            if epoch:
                return epoch
            await asyncio.sleep(max(0.01, min(free_in, self._lease.total_seconds() / 8)))

    async def _serve(self, epoch: str, work: Callable[[str], Awaitable[None]]) -> None:
        working = asyncio.ensure_future(work(epoch))
        renewing = asyncio.create_task(self._renew(epoch), name=f"turn {self._name}")
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (working, renewing):
                task.cancel()
            await asyncio.gather(working, renewing, return_exceptions=True)
            with suppress(OutsideError):
                await _OVER(self._store, self._name, epoch, repeatable=True)
        for task in (working, renewing):
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _renew(self, epoch: str) -> None:
        """Return when the turn is lost, or when that can no longer be excluded."""
        clock = asyncio.get_running_loop().time
        lease = self._lease.total_seconds()
        sure_until = clock() + 0.75 * lease
        while True:
            await asyncio.sleep(lease / 4)
            asked = clock()
            try:
                async with asyncio.timeout_at(sure_until):
                    mine, _ = await self._ask(epoch)
            except TimeoutError:
                log.warning("%s is left to others: its lease could not be renewed", self._name)
                return
            except OutsideError:
                continue
            if not mine:
                log.warning("%s is somebody else's now", self._name)
                return
            sure_until = asked + 0.75 * lease

    async def _ask(self, epoch: str) -> tuple[str, float]:
        mine, free_in = await _TURN(self._store, self._name, self._owner, self._lease, epoch, repeatable=True)
        return mine, int(free_in) / 1000


async def whose_turn(store: Store, name: str) -> str:
    """The owner of whoever serves now; empty if nobody does. UnreachableError when Redis does not answer."""
    return str(await _WHOSE(store, name, repeatable=True))


_TURN: Final = load("bot.logs", "scripts/turn")
_OVER: Final = load("bot.logs", "scripts/turn_over")
_WHOSE: Final = load("bot.logs", "scripts/turn_of")
