"""What an ESXi host is apart from its place in a vCenter: interfaces, uplinks, account, and how its agents feel.

State only. What shows of it on the wire is in `https`, `esxcli` and, for vCenter's clients, in `vcenter`.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.playground.esxi.diary import Diary
from bot.playground.esxi.host_log import HostLogs, Rotation
from bot.playground.esxi.visitors import LINK_DOWN, LINK_UP
from bot.playground.world import Play, Site, World

DEFAULT_STACK = "defaultTcpipStack"
PROVISIONING = "vSphereProvisioning"
"""Both the name of the service and the key of the TCP/IP stack that is made for it."""
_NARROW, _WIDE, _NONE = "255.255.255.0", "255.0.0.0", "0.0.0.0"  # noqa: S104 - netmasks, and no gateway
_PACKET = 1460
_QUIET_PACKETS = 900.0


@dataclass(frozen=True)
class Route:
    """One row of a routing table; a gateway of 0.0.0.0 means that the network is on the wire."""

    network: str
    netmask: str
    gateway: str
    interface: str
    static: bool = False


@dataclass(frozen=True)
class Interface:
    """One vmkernel interface. `services` are the nicTypes that it is selected for."""

    name: str
    address: str
    netmask: str
    mtu: int
    mac: str
    stack: str
    portgroup: str
    services: tuple[str, ...]

    @property
    def network(self) -> str:
        return self._masked(self.address)

    @property
    def gateway(self) -> str:
        return f"{self.network.rpartition('.')[0]}.1"

    @property
    def broadcast(self) -> str:
        pairs = zip(self.address.split("."), self.netmask.split("."), strict=True)
        return ".".join(str(int(a) | 255 - int(m)) for a, m in pairs)

    def shares_wire_with(self, address: str) -> bool:
        """Say whether an address is in the interface's own network."""
        return self._masked(address) == self.network

    def _masked(self, address: str) -> str:
        pairs = zip(address.split("."), self.netmask.split("."), strict=True)
        return ".".join(str(int(a) & int(m)) for a, m in pairs)


@dataclass(eq=False)
class Uplink:
    """One physical NIC. `crc_share` is the share of received packets that arrive damaged: a bad cable or module."""

    name: str
    mac: str
    pci: str
    up: bool = True
    speed: int = 10_000
    crc_share: float = 0.0
    crc_errors: float = 0.0
    received: float = 0.0
    sent: float = 0.0
    counted: datetime | None = None

    def count(self, now: datetime, *, copied: int = 0) -> None:
        """Bring the counters up to date; `copied` are bytes that copies have moved over it since the last time."""
        passed = (now - self.counted).total_seconds() if self.counted else 0.0
        self.counted = now
        packets = (_QUIET_PACKETS * passed + copied / _PACKET) if self.up else 0.0
        self.received += packets * (1 - self.crc_share)
        self.sent += packets
        self.crc_errors += packets * self.crc_share


class Wiring(Protocol):
    """How the hosts of a site are wired; may change while the world runs."""

    @property
    def provisioning(self) -> str: ...
    @property
    def routes(self) -> Collection[str]: ...
    @property
    def mtu(self) -> int: ...


class Machine:
    """One host. Whoever changes a field of it sees the change at once in everything that the host says."""

    def __init__(self, name: str, site: Site, logs: HostLogs, diary: Diary, *, address: str, world: World) -> None:
        self.name = name
        self.site = site
        self.logs = logs
        self.diary = diary
        self.address = address
        self.account = site.host_account
        self.wiring: Wiring = site
        self._world = world
        self.uplinks = tuple(
            Uplink(f"vmnic{number}", _mac(name, f"vmnic{number}"), f"0000:3b:00.{number}") for number in range(2)
        )
        self.lockdown = False
        self.restarting = False
        """The host agent is on its way up: HTTPS says 503."""
        self.honours_ranges = True
        """Whether a Range header counts under /host (invented: no source says what ESXi does there)."""
        self.answers_after = timedelta(0)
        """A host under strain answers late, to vCenter too."""
        self.dice = random.Random(f"{world.seed}/{name}/pings")
        self.lossy_since: dict[str, datetime] = {}
        """Since when copies, by their task, have been seen to wait for a lossy link."""
        self._copied = 0

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The vmkernel interfaces as the site is wired now."""
        return tuple(interfaces_of(self.name, self.wiring, self.address, stretched=self._stretched))

    @property
    def routes(self) -> list[tuple[str, Route]]:
        """The routing tables as (stack, row)."""
        return list(_routes(self.interfaces, self.wiring, self._places))

    @property
    def _stretched(self) -> bool:
        return any(link.provisioning_stretched for link in self._world.links if self.site.name in link.between)

    @property
    def _places(self) -> dict[str, int]:
        """The second octet of the networks of every other site, by its name."""
        sites = enumerate(self._world.sites, start=1)
        return {site.name: place % 250 for place, site in sites if site.name != self.site.name}

    async def think(self) -> None:
        """Take as long for an answer as this host does now."""
        await self.busy(self.answers_after)

    async def busy(self, time: timedelta) -> None:
        """Let this much time pass; the clock on the wall is meant, whatever the world's says."""
        if time:
            await asyncio.sleep(time.total_seconds())

    def interface(self, name: str) -> Interface | None:
        return next((interface for interface in self.interfaces if interface.name == name), None)

    def serving(self, service: str) -> Interface | None:
        """Return the interface that carries a service, such as "vmotion" or "vSphereProvisioning"."""
        return next((interface for interface in self.interfaces if service in interface.services), None)

    @property
    def stacks(self) -> list[str]:
        return list(dict.fromkeys(interface.stack for interface in self.interfaces))

    def uplink(self, name: str) -> Uplink | None:
        return next((uplink for uplink in self.uplinks if uplink.name == name), None)

    def set_nic(self, name: str, *, at: datetime, up: bool | None = None, crc_share: float | None = None) -> None:
        """Pull the cable of a NIC or put it back, which vobd notes, or damage it. KeyError for an unknown NIC."""
        uplink = self.uplink(name)
        if uplink is None:
            raise KeyError(f"{self.name} has no NIC {name!r}")
        uplink.count(at)
        if up is not None and up is not uplink.up:
            uplink.up = up
            self.diary.write(LINK_UP if up else LINK_DOWN, at=at, op_id="", nic=name)
        uplink.crc_share = uplink.crc_share if crc_share is None else crc_share

    def count_traffic(self, now: datetime, *, copied: int) -> None:
        """Bring the counters of the first uplink up to date: all copies so far have moved `copied` bytes over it."""
        more, self._copied = max(copied - self._copied, 0), copied
        for uplink in self.uplinks:
            uplink.count(now, copied=more if uplink is self.uplinks[0] else 0)


def machine_of(name: str, site: Site, logs: HostLogs, *, number: int, address: str, world: World) -> Machine:
    """Set a host up as the world file says; `number` is its place in the site, counted from 1."""
    play = world.play
    logs.rotation = rotation_of(play)
    offset = site.clock_offsets[number - 1] if number <= len(site.clock_offsets) else timedelta(0)
    diary = Diary(name, logs, seed=world.seed, offset=offset, noise=play.noise)
    return Machine(name, site, logs, diary, address=address, world=world)


def rotation_of(play: Play) -> Rotation:
    return Rotation(size=play.log_size, lines=play.log_lines, kept=play.logs_kept)


def interfaces_of(name: str, wiring: Wiring, address: str, *, stretched: bool) -> Iterator[Interface]:
    """Yield management, vMotion and, where the site has it, provisioning; each in a network of its own."""
    plan = [("Management", "management", DEFAULT_STACK), ("vMotion", "vmotion", DEFAULT_STACK)]
    if wiring.provisioning != "none":
        plan.append(("Provisioning", PROVISIONING, PROVISIONING if wiring.provisioning == "stack" else DEFAULT_STACK))
    for index, (portgroup, service, stack) in enumerate(plan):
        octets = address.split(".")
        octets[2] = str(index)
        mask = _WIDE if stretched and service == PROVISIONING else _NARROW
        vmk = f"vmk{index}"
        yield Interface(vmk, ".".join(octets), mask, wiring.mtu, _mac(name, vmk), stack, portgroup, (service,))


def _routes(interfaces: Iterable[Interface], wiring: Wiring, places: Mapping[str, int]) -> Iterator[tuple[str, Route]]:
    """Yield (stack, row): each stack's default route, the networks on the wire, and static routes to other sites."""
    stacks: set[str] = set()
    for interface in interfaces:
        if interface.stack not in stacks:
            yield interface.stack, Route("default", _NONE, interface.gateway, interface.name)
        yield interface.stack, Route(interface.network, interface.netmask, _NONE, interface.name)
        for name in _reached_by_hand(interface, wiring, places) if interface.stack in stacks else ():
            there = f"10.{places[name]}.{interface.address.split('.')[2]}.0"
            yield interface.stack, Route(there, _NARROW, interface.gateway, interface.name, static=True)
        stacks.add(interface.stack)


def _reached_by_hand(interface: Interface, wiring: Wiring, places: Mapping[str, int]) -> list[str]:
    """Name the sites that a static route leads to: by provisioning those of the world file, by vMotion all."""
    if PROVISIONING in interface.services:
        return [name for name in wiring.routes if name in places]
    return list(places)


def _mac(*parts: str) -> str:
    digest = hashlib.sha256("/".join(parts).encode()).hexdigest()
    return ":".join(("00", "50", "56", f"6{digest[0]}", digest[1:3], digest[3:5]))
