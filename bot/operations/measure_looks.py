"""The single looks of one measurement: each with a time-out of its own, and none raises for the world.

What could not be seen is kept as a sentence, each reason once, however many looks it spoiled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, TypeVar

from bot.diagnosis.facts import DEFAULT_STACK
from bot.errors import OutsideError
from bot.migration.facts import Vmk
from bot.migration.measured import Connection, NicCounters, PathMeasurement, Pings
from bot.migration.path import Leg, PathKind
from bot.migration.plan import Plan
from bot.vsphere.port import HostProbes

NFC: Final = 902
UDT: Final = 8000
PORTS: Final = (NFC, UDT)

_USUAL_MTU: Final = 1500
_UNKNOWN_PATH: Final = (
    "The path of the copy: it is not known. The packets went to {host} by its name, by the interface that the source's"
    " routes choose; the copy may take another."
)

Found = TypeVar("Found")
Probes = HostProbes | None
"""None: there is nobody who could ask this end's hosts."""


@dataclass
class Looks:
    """What is looked at of a plan's path. `patience`: how long one look may take, waiting for its turn included."""

    plan: Plan
    source: Probes
    target: Probes
    patience: timedelta
    unseen: dict[str, list[str]] = field(default_factory=dict)

    @property
    def legs(self) -> tuple[Leg, ...]:
        """The leg of the data, and that of the control where it is another."""
        if self.plan.path is None:
            return (Leg(Vmk("", ""), Vmk("", self.plan.target.host), NFC),)
        path = self.plan.path
        return (path.data, path.control) if path.kind is PathKind.UDT else (path.data,)

    @property
    def data(self) -> Leg:
        return self.legs[0]

    @property
    def full_size(self) -> int:
        """The largest packet that both ends of the data's leg take."""
        if self.plan.path is None:
            return _USUAL_MTU
        return min(self.data.source.mtu, self.data.target.mtu)

    async def ping(self, what: str, leg: Leg, *, count: int, size: int, whole: bool = False) -> Pings | None:
        """Send packets from the source."""
        host = self.plan.source.host
        return await self._look(
            what, host, self.source, lambda probes: probes.ping(host, leg, count=count, size=size, whole=whole)
        )

    async def names(self) -> dict[str, bool]:
        """Ask each host for the other's name."""
        here, there = self.plan.source.host, self.plan.target.host
        ends = ((here, there, self.source), (there, here, self.target))
        told = await asyncio.gather(*(self._resolves(*end) for end in ends))
        return {host: found for host, found in zip((here, there), told, strict=True) if found is not None}

    async def _resolves(self, host: str, other: str, probes: Probes) -> bool | None:
        return await self._look(f"Names on {host}", host, probes, lambda probes: probes.resolves(host, other))

    async def source_connections(self) -> list[Sequence[Connection] | None]:
        """List the source's connections, by stack."""
        return await self._connections(self.source, self.plan.source.host, [leg.source for leg in self.legs])

    async def target_connections(self) -> list[Sequence[Connection] | None]:
        """List the destination's connections, by stack."""
        return await self._connections(self.target, self.plan.target.host, [leg.target for leg in self.legs])

    async def _connections(self, probes: Probes, host: str, ends: Sequence[Vmk]) -> list[Sequence[Connection] | None]:
        """Look into every stack that the path uses at this end, and into the default one: a list shows one stack."""
        stacks = dict.fromkeys((DEFAULT_STACK, *(end.netstack or DEFAULT_STACK for end in ends)))
        return list(await asyncio.gather(*(self._of_stack(probes, host, stack) for stack in stacks)))

    async def _of_stack(self, probes: Probes, host: str, stack: str) -> Sequence[Connection] | None:
        return await self._look(
            f"Connections of {host}",
            host,
            probes,
            lambda probes: probes.connections(host, ports=PORTS, netstack=stack),
        )

    async def nics(self) -> tuple[NicCounters, ...]:
        """Read the counters of both hosts."""
        ends = ((self.source, self.plan.source.host), (self.target, self.plan.target.host))
        return flat(await asyncio.gather(*(self._nics(*end) for end in ends)))

    async def _nics(self, probes: Probes, host: str) -> Sequence[NicCounters] | None:
        return await self._look(f"Uplinks of {host}", host, probes, lambda probes: probes.nic_counters(host))

    async def _look(
        self, what: str, host: str, probes: Probes, ask: Callable[[HostProbes], Awaitable[Found]]
    ) -> Found | None:
        if probes is None:
            self._note(what, f"nobody here can run esxcli on {host}.")
            return None
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                return await ask(probes)
        except TimeoutError:
            self._note(what, f"no answer within {self.patience.total_seconds():g} s.")
        except OutsideError as error:
            self._note(what, str(error))
        return None

    def _note(self, what: str, why: str) -> None:
        unseen = self.unseen.setdefault(why, [])
        if what not in unseen:
            unseen.append(what)

    def told(self, measured: PathMeasurement) -> PathMeasurement:
        """Add what could not be seen, and what was taken for the path if that is not known."""
        unread = [f"{', '.join(whats)}: {why}" for why, whats in self.unseen.items()]
        if self.plan.path is None:
            unread.insert(0, _UNKNOWN_PATH.format(host=self.plan.target.host))
        return replace(measured, unread=tuple(unread))


def flat(found: Iterable[Sequence[Found] | None]) -> tuple[Found, ...]:
    """All that was found; what could not be looked at is none."""
    return tuple(one for some in found for one in some or ())
