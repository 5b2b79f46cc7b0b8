"""The inventory that workers keep in Redis, so that the bot can resolve names without knowing any vCenter.

`inv:<vcenter>` holds all rows of one vCenter with a version and the time they were last true, and why the last reading
failed if it did. One worker of the fleet reads a vCenter per interval; the bot keeps a copy and fetches rows only when
the version has changed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final, Protocol

from bot.errors import OutsideError, UserError
from bot.migration.request import VCenterName, VmRef
from bot.store import keys
from bot.store.client import Store
from bot.store.scripts import load
from bot.telemetry import redact
from bot.vsphere.name_index import NameIndex
from bot.vsphere.port import InventoryVm

EVERY: Final = timedelta(seconds=10)
LONGEST_TROUBLE: Final = 600
"""Characters of a sentence about a failure: it is shown to the person who asked for a VM."""

_DUE: Final = load("bot.vsphere", "scripts/inventory_due")
_PUBLISH: Final = load("bot.vsphere", "scripts/inventory_publish")
_LOOK: Final = load("bot.vsphere", "scripts/inventory_look")

log = logging.getLogger(__name__)


class Source(Protocol):
    """Who can list all VMs of one vCenter."""

    @property
    def name(self) -> VCenterName: ...

    async def list_vms(self) -> Sequence[InventoryVm]: ...


class InventoryPublisher:
    """Keeps the inventory of one vCenter fresh; any number of workers may run one each."""

    def __init__(self, store: Store, source: Source, *, every: timedelta = EVERY) -> None:
        self._store = store
        self._source = source
        self._every = every

    async def run(self) -> None:
        """Publish for ever. An outage, or a secret that is not there, is logged once and outlived."""
        logged = ""
        while True:
            try:
                if await self.turn():
                    logged = ""
            except (OutsideError, UserError) as error:
                if str(error) != logged:
                    log.warning("the inventory of vCenter %s is getting old: %s", self._source.name, error)
                logged = str(error)
            await asyncio.sleep(self._every.total_seconds())

    async def turn(self) -> bool:
        """Read and publish, if nobody else has within the interval. Say whether it was our turn.

        Raises what vCenter or the config has to say, once that is where the bot finds it.
        """
        if not await _DUE(self._store, self._source.name, self._every * 0.9):
            return False
        try:
            rows = await self._source.list_vms()
        except (OutsideError, UserError) as error:
            sentence = redact(str(error))[:LONGEST_TROUBLE]
            await self._store.hset(keys.inventory(self._source.name), "trouble", sentence)
            raise
        await publish(self._store, self._source.name, rows)
        return True


async def publish(store: Store, vcenter: VCenterName, rows: Iterable[InventoryVm]) -> None:
    """Replace what is known of a vCenter, in one step. Whatever the trouble was, it is over."""
    text = json.dumps([_to_json(row) for row in rows], ensure_ascii=False, separators=(",", ":"))
    version = hashlib.sha256(text.encode()).hexdigest()[:16]
    await _PUBLISH(store, vcenter, version, text, repeatable=True)


def _to_json(row: InventoryVm) -> list[str]:
    return [row.ref.uuid, row.ref.name, row.path, row.host, row.site_hint, row.power]


def _from_json(vcenter: VCenterName, entry: list[str]) -> InventoryVm:
    uuid, name, path, host, site_hint, power = entry
    return InventoryVm(VmRef(vcenter, uuid, name), path, host, site_hint, power)


class RedisInventory:
    """The bot's view of all vCenters: `Inventory` of the port, from a copy that follows Redis."""

    def __init__(self, store: Store, vcenters: Sequence[VCenterName]) -> None:
        self._store = store
        self._vcenters = tuple(vcenters)
        self._versions: dict[VCenterName, str] = {}
        self._indexes: dict[VCenterName, NameIndex] = {}
        self._fetching = asyncio.Lock()

    async def find(self, query: str) -> Sequence[InventoryVm]:
        """Return the VMs that `query` names exactly; without one, those it names but for case and ways of writing."""
        indexes = await self._fresh()
        text = query.strip()
        exact = [row for index in indexes for row in index.exact(text)]
        return exact or [row for index in indexes for row in index.folded(text)]

    async def suggest(self, query: str, *, limit: int = 5) -> Sequence[InventoryVm]:
        """Return near misses: names that contain the query first, then names that look like it."""
        indexes = await self._fresh()
        return [row for index in indexes for row in index.near(query.strip(), limit=limit)][:limit]

    async def age(self) -> float | None:
        """Return the seconds since the oldest inventory was true; None when there is none at all."""
        ages = [age for _, age in (await self._look()).values() if age is not None]
        return max(ages) if ages else None

    async def trouble(self) -> Sequence[str]:
        """Return why vCenters cannot be read at the moment, a sentence each; none when all is well."""
        said = [await self._store.hget(keys.inventory(vcenter), "trouble") for vcenter in self._vcenters]
        return [str(sentence) for sentence in said if sentence]

    async def _fresh(self) -> list[NameIndex]:
        for vcenter, (version, _) in (await self._look()).items():
            if version and version != self._versions.get(vcenter):
                await self._fetch(vcenter, version)
        return [self._indexes[vcenter] for vcenter in self._vcenters if vcenter in self._indexes]

    async def _look(self) -> dict[VCenterName, tuple[str, float | None]]:
        found: list[str] = await _LOOK(self._store, *self._vcenters, repeatable=True)
        pairs = zip(found[::2], found[1::2], strict=True)
        return {
            vcenter: (version, int(age) / 1000 if age else None)
            for vcenter, (version, age) in zip(self._vcenters, pairs, strict=True)
        }

    async def _fetch(self, vcenter: VCenterName, wanted: str) -> None:
        """Fetch once, however many commands noticed the new version; on a thread, for no ack may wait for it."""
        async with self._fetching:
            if wanted == self._versions.get(vcenter):
                return
            version, text = map(str, await self._store.hmget(keys.inventory(vcenter), ["version", "rows"]))
            if text != "None":
                self._indexes[vcenter] = await asyncio.to_thread(_index, vcenter, text)
                self._versions[vcenter] = version


def _index(vcenter: VCenterName, text: str) -> NameIndex:
    return NameIndex(_from_json(vcenter, entry) for entry in json.loads(text))
