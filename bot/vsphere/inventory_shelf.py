"""The published inventory of one vCenter, from the side of the one worker that keeps it.

`inv:<vcenter>:rows` has a row for each VM, `inv:<vcenter>:changes` the latest changes of it, and `inv:<vcenter>` says
who keeps both, until when, and which state they are in. A change writes the rows that it is about, tells of them in the
stream, and makes a new state, in one step. Each change names the state before: who follows notices a gap, and who
writes notices that Redis has lost something, or has gone back to what an old replica knew.

Whoever keeps it proves in the same step that nobody else does by now: the lease is a fence, too.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Final, cast

from bot.migration.request import VCenterName
from bot.store import keys
from bot.store.client import Store
from bot.store.scripts import load
from bot.vsphere.inventory_line import Line, encoded

LEASE: Final = timedelta(seconds=4)
RENEWED: Final = timedelta(seconds=1)

AT_ONCE: Final = 250
"""Rows of one change: writing or following it takes some milliseconds, in which Redis or a bot does nothing else."""

CHANGES_KEPT: Final = 256
"""Minutes of them while VMs are busy, and 10 MB if all of them were of `AT_ONCE` rows."""

SCANNED: Final = 200
"""Rows that are read at a time: to parse a reply holds others up, too."""

_TAKE: Final = load("bot.vsphere", "scripts/inventory_take")
_PUBLISH: Final = load("bot.vsphere", "scripts/inventory_publish", constants=f"local KEPT = {CHANGES_KEPT}")
_RELEASE: Final = load("bot.vsphere", "scripts/inventory_release")


class Shelf:
    """A wish to keep the inventory of one vCenter; `take` says if it is granted."""

    def __init__(self, store: Store, vcenter: VCenterName, *, lease: timedelta = LEASE) -> None:
        self._store = store
        self._vcenter = vcenter
        self._lease = lease
        self._owner = secrets.token_hex(8)
        self._state = ""

    async def take(self) -> bool:
        """Become the one who keeps it, unless somebody else does."""
        taken, self._state = await _TAKE(self._store, self._vcenter, self._owner, self._lease, 1, repeatable=True)
        return bool(taken)

    async def keep(self) -> None:
        """Stay the one, until somebody else is or Redis has forgotten that we were."""
        every = min(RENEWED, self._lease / 4).total_seconds()
        kept = True
        while kept:
            await asyncio.sleep(every)
            kept, _ = await _TAKE(self._store, self._vcenter, self._owner, self._lease, 0, repeatable=True)

    async def release(self, *, trouble: str = "") -> None:
        """Let somebody else; with a sentence that says why vCenter could not be read."""
        await _RELEASE(self._store, self._vcenter, self._owner, trouble, repeatable=True)

    async def replace(self, rows: Mapping[str, Line | None]) -> bool:
        """Publish what is all there is. Only rows that differ are written. False as of `change`."""
        return await self.change(await self._unlike(rows))

    async def change(self, rows: Mapping[str, Line | None]) -> bool:
        """Publish new rows, and that all is true now. False: we do not keep it any more, or it is not as we left it."""
        entries = list(rows.items())
        for at in range(0, len(entries), AT_ONCE):
            if not await self._put(dict(entries[at : at + AT_ONCE]), last=at + AT_ONCE >= len(entries)):
                return False
        return bool(entries) or await self._put({}, last=True)

    async def _put(self, rows: Mapping[str, Line | None], *, last: bool) -> bool:
        after = secrets.token_hex(8) if rows else self._state
        words = [word for name, line in rows.items() for word in (name, encoded(line))]
        done = await _PUBLISH(
            self._store, self._vcenter, self._owner, self._state, after, int(last), *words, repeatable=True
        )
        self._state = after
        return bool(done)

    async def _unlike(self, rows: Mapping[str, Line | None]) -> dict[str, Line | None]:
        """Return what must change for just these rows to be published."""
        unlike = dict(rows)
        async for page in published_rows(self._store, self._vcenter):
            for name, text in page.items():
                if encoded(rows.get(name)) == text:
                    unlike.pop(name, None)
                elif name not in rows:
                    unlike[name] = None
            await asyncio.sleep(0)
        return unlike


async def published_rows(store: Store, vcenter: VCenterName) -> AsyncIterator[Mapping[str, str]]:
    """Yield what is published, some hundred rows at a time. Those that change meanwhile come as they were or are."""
    cursor = 0
    while True:
        cursor, page = await store.hscan(keys.inventory_rows(vcenter), cursor, count=SCANNED)
        yield cast("Mapping[str, str]", page)
        if not cursor:
            return
