"""Which shares of the hosts this watcher has: fenced leases in Redis, handed over without haste and without a leader.

Every watcher works out by itself who should have what (`rendezvous`) and asks for that. Nobody takes anything: what
somebody else should have is let go of, a few shards at a time, and what nobody holds is free.

One call to Redis a tick says that we live, renews, gives up and claims. With a tick of a second and 24 shards a tick,
a newcomer has its share within ten seconds, the second of two watchers (which gets 128 shards from one) too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Final, Protocol

from bot.errors import OutsideError
from bot.logs.rendezvous import due_to
from bot.store.client import Store
from bot.store.scripts import load

LEASE: Final = timedelta(seconds=10)
TICKS_OF_A_LEASE: Final = 10
LET_GO: Final = 24
"""Shards that are let go of in one tick, at most."""

_SURE: Final = 0.75
"""After this part of a lease without a renewal we behave as if all was lost, before it is."""

log = logging.getLogger(__name__)


class Holder(Protocol):
    """Who works on what is held. Nothing is awaited but `let_go`, and nothing may be raised."""

    def gained(self, shards: Mapping[int, int]) -> None:
        """These are ours from now on, each with its epoch."""
        ...

    async def let_go(self, shards: Collection[int]) -> None:
        """Finish with these; once this returns they are free for others."""
        ...

    def lost(self, shards: Collection[int]) -> None:
        """These are, or may be, somebody else's: stop at once; nothing that is still written is taken."""
        ...


class Shards:
    """The shards of one watcher. `name` is unique in the fleet; `held` maps those that are ours to their epochs."""

    def __init__(self, store: Store, name: str, *, lease: timedelta = LEASE, let_go: int = LET_GO) -> None:
        self._store = store
        self._name = name
        self._lease = lease
        self._tick = lease.total_seconds() / TICKS_OF_A_LEASE
        self._let_go = let_go
        self._watchers: tuple[str, ...] = ()
        self._due: frozenset[int] = frozenset()
        self._leaving: dict[int, int] = {}
        self._left: dict[int, int] = {}
        self._goodbyes: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._asking = asyncio.Lock()
        self._closing = False
        self.held: dict[int, int] = {}

    @property
    def watchers(self) -> tuple[str, ...]:
        """Who lives, as of the last tick."""
        return self._watchers

    async def run(self, holder: Holder) -> None:
        """Until `close`. Cancelled, it leaves what it holds to the end of the leases."""
        clock = asyncio.get_running_loop().time
        sure_until = clock()
        while not self._closing:
            asked = clock()
            try:
                async with asyncio.timeout_at(max(sure_until, asked + self._lease.total_seconds() / 2)), self._asking:
                    settled = self._closing or await self._ask(holder)
                sure_until = asked + _SURE * self._lease.total_seconds()
            except (OutsideError, TimeoutError) as error:
                settled = True
                if clock() >= sure_until - self._tick:
                    self._lose_all(holder, error)
            if settled:
                await self._pause()

    async def close(self, holder: Holder) -> None:
        """Leave in peace: finish everything, then free it at once, so that others have it at their next tick."""
        self._closing = True
        self._wake.set()
        async with self._asking:  # what was asked for last is ours to give back, too
            for goodbye in self._goodbyes:
                goodbye.cancel()
        await asyncio.gather(*self._goodbyes, return_exceptions=True)
        everything = {**self.held, **self._leaving, **self._left}
        self.held.clear()
        await holder.let_go(everything)
        with suppress(OutsideError):  # then the leases end by themselves
            await _OVER(self._store, self._name, *_words("", everything), repeatable=True)

    async def _ask(self, holder: Holder) -> bool:
        """One tick. False: something changed that makes another one worth while at once."""
        left = dict(self._left)
        wanted = self._due - self.held.keys() - self._leaving.keys() - left.keys()
        words = [
            *_words("=", {**self.held, **self._leaving}),
            *_words("-", left),
            *(f"+{shard}" for shard in sorted(wanted)),
        ]
        found = await _SHARDS(self._store, self._name, self._lease, self._lease, *words, repeatable=True)
        watchers, lost, gained = found
        for shard in left:
            del self._left[shard]
        self._take_note(holder, {int(shard) for shard in lost}, _pairs(gained))
        settled = tuple(watchers) == self._watchers
        if not settled:
            self._watchers = tuple(watchers)
            self._due = due_to(self._name, watchers)
            log.info("Watchers alive: %d. Of the shards, %d are due to this one.", len(watchers), len(self._due))
        self._say_goodbye(holder)
        return settled

    def _take_note(self, holder: Holder, lost: Collection[int], gained: Mapping[int, int]) -> None:
        if ours := [shard for shard in lost if self.held.pop(shard, None) is not None]:
            log.warning("%d shards are somebody else's now", len(ours))
            holder.lost(ours)
        for shard in lost:
            self._leaving.pop(shard, None)
        if gained:
            self.held.update(gained)
            holder.gained(gained)

    def _say_goodbye(self, holder: Holder) -> None:
        """Let go of a few that others should have; only once the ones before are gone."""
        if self._leaving or self._left:
            return
        surplus = sorted(self.held.keys() - self._due)[: self._let_go]
        if not surplus:
            return
        self._leaving = {shard: self.held.pop(shard) for shard in surplus}
        goodbye = asyncio.create_task(self._finish(holder), name="shards that are let go of")
        self._goodbyes.add(goodbye)
        goodbye.add_done_callback(self._goodbyes.discard)

    async def _finish(self, holder: Holder) -> None:
        try:
            await holder.let_go(list(self._leaving))
        except Exception:  # nobody here works on them any more, and nobody else would ever get them
            log.exception("letting go of %d shards failed; they are free all the same", len(self._leaving))
        self._left.update(self._leaving)
        self._leaving.clear()

    def _lose_all(self, holder: Holder, error: BaseException) -> None:
        if self.held:
            log.warning("the shards of this watcher could not be renewed in time and are left to others: %s", error)
            holder.lost(list(self.held))
            self.held.clear()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._tick):
                await self._wake.wait()
        self._wake.clear()


def _words(sign: str, shards: Mapping[int, int]) -> Iterator[str]:
    return (f"{sign}{shard}.{epoch}" for shard, epoch in shards.items())


def _pairs(flat: list[str]) -> dict[int, int]:
    return {int(shard): int(epoch) for shard, epoch in zip(flat[::2], flat[1::2], strict=True)}


_SHARDS: Final = load("bot.logs", "scripts/shards")
_OVER: Final = load("bot.logs", "scripts/shards_over")
