"""The inventory that workers keep in Redis, so that the bot can resolve names without knowing any vCenter.

One worker of the fleet watches a vCenter and publishes what changes (`inventory_shelf`); whoever reads follows the
changes (`inventory_copy`). When that worker dies, another takes its place once the lease is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Final, Protocol

from bot.errors import OutsideError, UserError
from bot.migration.request import VCenterName
from bot.store import keys
from bot.store.client import Store
from bot.telemetry import redact
from bot.vsphere.inventory_copy import InventoryCopy, look
from bot.vsphere.inventory_line import News, line_of
from bot.vsphere.inventory_shelf import LEASE, Shelf
from bot.vsphere.port import InventoryVm

TRIED_EVERY: Final = timedelta(seconds=1)
"""How soon after a lease has ended somebody else takes it."""

AFTER_FAILURE: Final = timedelta(seconds=2)
FOLLOWED_EVERY: Final = timedelta(seconds=1)
LONGEST_TROUBLE: Final = 600
"""Characters of a sentence about a failure: it is shown to the person who asked for a VM."""

log = logging.getLogger(__name__)


class Source(Protocol):
    """Who can watch one vCenter's VMs."""

    @property
    def name(self) -> VCenterName: ...

    def inventory_news(self) -> AsyncGenerator[News, None]:
        """Yield everything, then what changes, and in between that all is still so."""
        ...


class InventoryPublisher:
    """Keeps the inventory of one vCenter fresh; any number of workers may run one each."""

    def __init__(self, store: Store, source: Source, *, lease: timedelta = LEASE) -> None:
        self._store = store
        self._source = source
        self._lease = lease

    async def run(self) -> None:
        """Publish for ever, when it is our turn. An outage, or a secret that is not there, is logged once and outlived.

        Between two tries of ours somebody else may have better luck.
        """
        logged = ""
        while True:
            pause = min(TRIED_EVERY, self._lease / 4)
            try:
                if await self.turn():
                    logged = ""
            except (OutsideError, UserError) as error:
                if str(error) != logged:
                    log.warning("the inventory of vCenter %s is getting old: %s", self._source.name, error)
                logged, pause = str(error), AFTER_FAILURE
            await asyncio.sleep(pause.total_seconds())

    async def turn(self) -> bool:
        """Watch and publish while it is our turn, which is until somebody else takes it or something fails.

        False if it was somebody else's. Raises what vCenter or the config has to say, once the bot can find that.
        """
        shelf = Shelf(self._store, self._source.name, lease=self._lease)
        if not await shelf.take():
            return False
        trouble = ""
        try:
            await self._publish_while_kept(shelf)
        except (OutsideError, UserError) as error:
            trouble = redact(str(error))[:LONGEST_TROUBLE]
            raise
        finally:
            with suppress(OutsideError):  # then the lease ends by itself
                await shelf.release(trouble=trouble)
        return True

    async def _publish_while_kept(self, shelf: Shelf) -> None:
        both = [asyncio.create_task(shelf.keep()), asyncio.create_task(self._publish(shelf))]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _publish(self, shelf: Shelf) -> None:
        async with aclosing(self._source.inventory_news()) as told:
            async for news in told:
                if not await (shelf.replace(news.rows) if news.whole else shelf.change(news.rows)):
                    return


async def publish(store: Store, vcenter: VCenterName, rows: Iterable[InventoryVm]) -> bool:
    """Publish what somebody knows who needs no vCenter for it, as a worker would in its turn."""
    shelf = Shelf(store, vcenter)
    if not await shelf.take():
        return False
    published = await shelf.replace({row.ref.uuid: line_of(row) for row in rows})
    await shelf.release()
    return published


class RedisInventory:
    """The bot's view of all vCenters: `Inventory` of the port, from copies that follow Redis.

    Who runs `run` beside it has them always ready; else the first question after a while reads all rows.
    """

    def __init__(self, store: Store, vcenters: Sequence[VCenterName]) -> None:
        self._store = store
        self._copies = {vcenter: InventoryCopy(store, vcenter) for vcenter in vcenters}

    async def run(self) -> None:
        """Follow for ever. An outage of Redis is for those to tell who ask."""
        while True:
            with suppress(OutsideError):
                await self._fresh()
            await asyncio.sleep(FOLLOWED_EVERY.total_seconds())

    async def find(self, query: str) -> Sequence[InventoryVm]:
        """Return the VMs that `query` names exactly; without one, those it names but for case and ways of writing."""
        copies = await self._fresh()
        text = query.strip()
        exact = [row for copy in copies for row in copy.index.exact(text)]
        return exact or [row for copy in copies for row in copy.index.folded(text)]

    async def suggest(self, query: str, *, limit: int = 5) -> Sequence[InventoryVm]:
        """Return near misses: names that contain the query first, then names that look like it."""
        copies = await self._fresh()
        return [row for copy in copies for row in copy.index.near(query.strip(), limit=limit)][:limit]

    async def age(self) -> float | None:
        """Return the seconds since the oldest inventory was true; None when there is none at all."""
        ages = [seen.age for seen in await look(self._store, *self._copies) if seen.age is not None]
        return max(ages) if ages else None

    async def trouble(self) -> Sequence[str]:
        """Return why vCenters cannot be read at the moment, a sentence each; none when all is well."""
        said = [await self._store.hget(keys.inventory(vcenter), "trouble") for vcenter in self._copies]
        return [str(sentence) for sentence in said if sentence]

    async def _fresh(self) -> list[InventoryCopy]:
        seen = await look(self._store, *self._copies)
        for copy, found in zip(self._copies.values(), seen, strict=True):
            await copy.catch_up(found)
        return list(self._copies.values())
