"""A reader's copy of what is published of one vCenter: it follows the changes, and reads all rows when it missed some.

Everything is done in slices of some milliseconds on the event loop, which acks of commands wait for. A thread would
take as long and hold the loop up by the interpreter's lock instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from bot.migration.request import VCenterName
from bot.store import keys
from bot.store.client import Store
from bot.store.scripts import load
from bot.vsphere.inventory_line import decoded
from bot.vsphere.inventory_shelf import published_rows
from bot.vsphere.name_index import NameIndex

SLICE: Final = 50
"""Rows taken in before others have a turn."""

ENTRIES: Final = 4
"""Changes, of up to 250 rows each, that are fetched at a time: to parse a reply holds others up, too."""

PATIENCE: Final = 0.02
"""Seconds to wait for whoever is taking in changes; then they are many, and people type."""

RACES: Final = 3
"""So often all rows are read when more changes than are kept came meanwhile; the next question goes on."""

_LOOK: Final = load("bot.vsphere", "scripts/inventory_look")


class Seen(NamedTuple):
    """What Redis has of a vCenter: its state, the latest change, and the seconds since it was true."""

    state: str
    mark: str
    age: float | None


async def look(store: Store, *vcenters: VCenterName) -> list[Seen]:
    """Return what there is of each vCenter, in one round trip."""
    found: list[str] = await _LOOK(store, *vcenters, repeatable=True)
    triples = zip(found[::3], found[1::3], found[2::3], strict=True)
    return [Seen(state, mark, int(age) / 1000 if age else None) for state, mark, age in triples]


class InventoryCopy:
    """One vCenter's rows, found by name in `index`."""

    def __init__(self, store: Store, vcenter: VCenterName) -> None:
        self._store = store
        self._vcenter = vcenter
        self._state = ""
        self._mark = ""
        self._turn = asyncio.Lock()
        self._reading = False
        self.index = NameIndex(vcenter)

    async def catch_up(self, seen: Seen) -> None:
        """Be at least what was `seen`. While somebody else sees to that and it takes long, the copy stays as it is.

        A Redis that knows nothing of the vCenter has lost it, and will be told again; until then the copy stays, too.
        """
        if seen.state in {"", self._state} or (self._reading and self._state):
            return
        try:
            async with asyncio.timeout(PATIENCE if self._state else None):
                await self._turn.acquire()
        except TimeoutError:
            return
        try:
            if seen.state != self._state and (self.index.worn or not await self._follow()):
                await self._read_all()
        finally:
            self._turn.release()

    async def _follow(self) -> bool:
        """Take in what changed since; False when that is not to be had without a gap."""
        while self._state:
            entries = await self._changes()
            if not entries:
                (seen,) = await look(self._store, self._vcenter)
                return seen.state == self._state
            for mark, entry in entries:
                after, state = entry.pop("after"), entry.pop("state")
                if after != self._state:
                    return False
                await self._take_in(self.index, entry)
                self._state, self._mark = state, mark
            if len(entries) < ENTRIES:
                return True
        return False

    async def _changes(self) -> list[tuple[str, dict[str, str]]]:
        """Return the next few changes, with the mark of each."""
        found = await self._store.xrange(keys.inventory_changes(self._vcenter), min=f"({self._mark}", count=ENTRIES)
        return cast("list[tuple[str, dict[str, str]]]", found)

    async def _read_all(self) -> None:
        """Make a new copy while the old one answers. Rows that change meanwhile are told of after its mark."""
        self._reading = True
        try:
            for _ in range(RACES):
                (seen,) = await look(self._store, self._vcenter)
                fresh = NameIndex(self._vcenter)
                async for page in published_rows(self._store, self._vcenter):
                    await self._take_in(fresh, page)
                self.index, self._state, self._mark = fresh, seen.state, seen.mark
                if not seen.state or await self._follow():
                    return
        finally:
            self._reading = False

    async def _take_in(self, index: NameIndex, rows: Mapping[str, str]) -> None:
        for number, (vm, text) in enumerate(rows.items(), 1):
            if line := decoded(text):
                index.put(vm, line)
            else:
                index.forget(vm)
            if number % SLICE == 0:
                await asyncio.sleep(0)
