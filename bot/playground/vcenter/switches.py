"""Every switch of a world, in one place: what a test, a page, a story or an event of the world file does to it.

Each takes effect at once, on what runs too. Names that nobody bears are refused with KeyError. How a relocation then
ends is told in `relocation` and `outcomes`; what a referee asks is in `witness`.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Protocol

from bot.playground.vcenter.inventory import Vm
from bot.playground.vcenter.links import NFC_PORT, Closed, Link
from bot.playground.vcenter.mishaps import Loss, Mishaps
from bot.playground.vcenter.universe import Estate


class Wire(Protocol):
    """The endpoint that clients talk to."""

    @property
    def mishaps(self) -> Mishaps: ...
    async def up(self) -> None: ...
    async def down(self) -> None: ...


class Switches:
    """The switches of one vCenter and of the links that its world has."""

    def __init__(self, estate: Estate, wire: Wire) -> None:
        self._estate = estate
        self._wire = wire

    # The network.

    def set_link(
        self,
        one: str,
        other: str,
        *,
        loss: float | None = None,
        rate: int | None = None,
        rtt: timedelta | None = None,
        mtu: int | None = None,
        pmtud: bool | None = None,
        idle_timeout: timedelta | None = None,
    ) -> None:
        """Change a link: loss as a share of 1, rate in bits per second; an idle_timeout of 0 means none."""
        link = self._link(one, other)
        link.set(rate=rate, loss=loss, rtt=rtt, mtu=mtu, pmtud=pmtud, idle_timeout=idle_timeout)

    def block_port(
        self,
        source: str,
        destination: str,
        *,
        port: int = NFC_PORT,
        blocked: bool = True,
        how: Closed = Closed.SILENT,
    ) -> None:
        """Close a port from one site to another, silently or with resets, or open it again."""
        self._link(source, destination)
        self._estate.universe.links.block(source, destination, port=port, blocked=blocked, how=how)

    def _link(self, one: str, other: str) -> Link:
        link = self._estate.universe.links.find(one, other)
        if link is None:
            raise KeyError(f"no link between {one!r} and {other!r}")
        return link

    # Datastores, hosts and VMs.

    def fill_datastore(self, name: str, *, free: int = 0) -> None:
        """Let somebody else take the space of a datastore until only `free` bytes are left, or give it back."""
        store = self._estate.datastore(name)
        self._estate.inventory.allocate(store, store.free - free)

    def set_host(self, host: str, *, connected: bool | None = None, maintenance: bool | None = None) -> None:
        """Disconnect a host, put it into maintenance mode, or back."""
        found = self._estate.host(host)
        found.connected = found.connected if connected is None else connected
        found.maintenance = found.maintenance if maintenance is None else maintenance
        seen_with_it = [*found.datastores, *(vm for vm in self._estate.inventory.each(Vm) if vm.host is found)]
        self._estate.inventory.changes.touch(found.ref, *(entity.ref for entity in (*seen_with_it, *found.ancestors)))

    def rotate_log(self, host: str, log: str = "vpxa") -> None:
        """Rotate one log of a host: line numbers begin again."""
        self._estate.host(host).logs.rotate(log, at=self._estate.universe.clock())

    def set_power(self, vm: str, *, on: bool, folder: str | None = None) -> None:
        """Switch a VM as somebody at its console would."""
        self._estate.set_power(self._estate.vm(vm, folder), "poweredOn" if on else "poweredOff")

    # Between a client and the vCenter.

    def expire_sessions(self) -> int:
        """End every session as if it had been idle for too long; returns how many there were."""
        sessions = self._estate.sessions.all()
        for session in sessions:
            self._estate.sessions.end(session)
        return len(sessions)

    def drop_reply(self, method: str = "RelocateVM_Task", *, nth: int = 1) -> None:
        """Break the connection of the n-th next call of a method after it was carried out."""
        self._wire.mishaps.drop(method, Loss.REPLY, nth=nth)

    def drop_request(self, method: str = "RelocateVM_Task", *, nth: int = 1) -> None:
        """Break the connection of the n-th next call of a method before it is carried out."""
        self._wire.mishaps.drop(method, Loss.REQUEST, nth=nth)

    def delay_reply(self, method: str, seconds: float) -> None:
        """Hold back every reply to a method from now on; 0 ends it."""
        self._wire.mishaps.delay(method, seconds)

    def hold_back(self, method: str) -> asyncio.Event:
        """Let the next call of a method in, and carry it out only when the event is set: it is under way till then."""
        return self._wire.mishaps.hold_back(method)

    async def go_down(self) -> None:
        """Refuse connections and break the open ones. Tasks go on, sessions stay."""
        await self._wire.down()

    async def come_up(self) -> None:
        """Listen again, on the same port."""
        await self._wire.up()
