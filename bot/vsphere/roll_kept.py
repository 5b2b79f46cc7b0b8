"""Which hosts there are, as a watcher knows it all day: read from every vCenter now and then, and kept in Redis.

What is kept serves whoever starts while a vCenter is away: its hosts go on logging, and go on being watched. What hosts
mean (their sites, how they are read) is for `make` to say.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

from bot.errors import OutsideError, UserError
from bot.hostlog.roll import Roll
from bot.store import keys
from bot.store.client import Store
from bot.telemetry import redact
from bot.vsphere.port import HostEntry, HostRoll

EVERY: Final = timedelta(minutes=5)
FIRST_WITHIN: Final = timedelta(seconds=20)
AFTER_FAILURE: Final = timedelta(seconds=15)

Make = Callable[[Mapping[str, Sequence[HostEntry]]], Roll]

log = logging.getLogger(__name__)


class KeptRoll:
    """The roll of all vCenters. `roll` is another object only when something of it has changed."""

    def __init__(
        self,
        store: Store,
        vcenters: Mapping[str, HostRoll],
        *,
        make: Make,
        every: timedelta = EVERY,
        after_failure: timedelta = AFTER_FAILURE,
    ) -> None:
        self._store = store
        self._vcenters = vcenters
        self._make = make
        self._every, self._after_failure = every.total_seconds(), after_failure.total_seconds()
        self._entries: dict[str, Sequence[HostEntry]] = {}
        self._roll = make({})
        self._trouble: dict[str, str] = {}

    @property
    def roll(self) -> Roll:
        """All hosts as last read, in any process, of vCenters that are in the config."""
        return self._roll

    @property
    def trouble(self) -> Mapping[str, str]:
        """Why vCenters cannot be read now, by their names; empty while all is well."""
        return dict(self._trouble)

    async def begin(self, *, within: timedelta = FIRST_WITHIN) -> None:
        """Take what any watcher has kept; where nothing is kept, ask vCenter, and wait so long for its answer.

        Who listens to hosts that it does not know hears nothing of them.
        """
        with suppress(OutsideError):
            for name in self._vcenters:
                self._learn(name, decoded(await self._store.text(keys.inventory_hosts(name))))
        unknown = [self._read(name, vcenter) for name, vcenter in self._vcenters.items() if not self._entries.get(name)]
        with suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                await asyncio.gather(*unknown)

    async def run(self) -> None:
        """Read every vCenter for ever; one that is away keeps none of the others waiting."""
        async with asyncio.TaskGroup() as group:
            for name, vcenter in self._vcenters.items():
                group.create_task(self._follow(name, vcenter), name=f"roll of {name}")

    async def _follow(self, name: str, vcenter: HostRoll) -> None:
        while True:
            pause = self._every if await self._read(name, vcenter) else self._after_failure
            await asyncio.sleep(pause)

    async def _read(self, name: str, vcenter: HostRoll) -> bool:
        try:
            entries = await vcenter.roll()
            self._learn(name, entries)
            await self._store.execute_command("SET", keys.inventory_hosts(name), encoded(entries))
        except (OutsideError, UserError) as error:
            said = redact(str(error))
            if self._trouble.get(name) != said:
                log.warning("The hosts of vCenter %s are watched as they were last known: %s", name, said)
            self._trouble[name] = said
            return False
        except Exception:  # of one vCenter must not keep the hosts of the others from being known
            log.exception("The hosts of vCenter %s could not be read.", name)
            self._trouble[name] = "reading its hosts failed by a defect of ours; the log has the details"
            return False
        self._trouble.pop(name, None)
        return True

    def _learn(self, name: str, entries: Sequence[HostEntry]) -> None:
        if list(self._entries.get(name, ())) != list(entries):
            self._entries[name] = entries
            self._roll = self._make(self._entries)


def encoded(entries: Sequence[HostEntry]) -> str:
    """Write a vCenter's hosts as text; the same hosts give the same text."""
    rows = [[e.name, e.datacenter, e.cluster, e.connection, sorted(e.addresses)] for e in entries]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def decoded(text: str | None) -> list[HostEntry]:
    """Read them back; what another version of the program wrote otherwise is as good as not there."""
    try:
        rows = json.loads(text) if text else []
        return [_entry(*row) for row in rows]
    except (ValueError, TypeError, LookupError):
        return []


def _entry(name: str, datacenter: str, cluster: str, connection: str, addresses: list[str]) -> HostEntry:
    return HostEntry(str(name), str(datacenter), str(cluster), str(connection), frozenset(map(str, addresses)))
