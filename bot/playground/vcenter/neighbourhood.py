"""What the commands of one host show of the world around it: the way to other hosts, its copies, its datastores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from ipaddress import ip_address
from zlib import crc32

from bot.playground.esxi.esxcli import Flow, Volume, Way
from bot.playground.esxi.machine import PROVISIONING, Interface, Machine
from bot.playground.vcenter.inventory import Host
from bot.playground.vcenter.links import NFC_PORT, Closed, Link
from bot.playground.vcenter.moves import Move
from bot.playground.vcenter.paths import Carrier
from bot.playground.vcenter.relocation import Works
from bot.playground.vcenter.universe import Estate

_SEND_BUFFER = 262_144
"""vpxa hands NFC messages of 262,040 bytes to the socket (the seed); more does not wait in it."""
_FIRST_QUEUE = 32_768
_QUEUE_FILLS_IN = timedelta(seconds=3)
_FIRST_PORT = 20_000
_PORTS = 40_000
_BACKUP_PROXY = "10.99.0.20"
_REPLICATION_SERVER = "10.99.0.21"
_HBR_PORT = 31_031


class Neighbourhood:
    """Looks at the running world for one host."""

    def __init__(self, host: Host, estate: Estate, works: Works) -> None:
        self._host = host
        self._universe = estate.universe
        self._machine = estate.machine(host)
        self._volumes = host.datastores
        self._works = works

    @property
    def now(self) -> datetime:
        return self._universe.clock() + self._machine.diary.offset

    @property
    def volumes(self) -> list[Volume]:
        return [Volume(store.name, store.uuid, store.capacity, store.free) for store in self._volumes]

    @property
    def nfc_listens(self) -> bool:
        return self._universe.conditions.of(self._host).nfcd

    def way(self, interface: Interface, address: str) -> Way:
        found = self._find(address)
        if found is None:
            return Way(answers=False)
        host, machine, there = found
        link = self._universe.links.find(self._host.site, host.site)
        if link is None or link.rate <= 0 or not host.connected or not self._routed(interface, there, machine, link):
            return Way(answers=False)
        return Way(answers=True, loss=link.loss, rtt=link.rtt, mtu=link.mtu)

    def look_up(self, name: str) -> str | None:
        """Return the management address of the host of this name; None for a stranger, and while DNS is broken."""
        with suppress(ValueError):
            return str(ip_address(name))
        if not self._universe.conditions.of(self._host).dns:
            return None
        machines = (machine for estate in self._universe.estates.values() for machine in estate.machines.values())
        return next((machine.address for machine in machines if machine.name == name), None)

    def _find(self, address: str) -> tuple[Host, Machine, Interface] | None:
        """Return who has an address."""
        for estate in self._universe.estates.values():
            for ref, machine in estate.machines.items():
                for interface in machine.interfaces:
                    if address == interface.address:
                        host = estate.inventory.find(ref)
                        return (host, machine, interface) if isinstance(host, Host) else None
        return None

    def _routed(self, here: Interface, there: Interface, machine: Machine, link: Link) -> bool:
        """Say whether packets of an interface find their way (KB 340170: provisioning needs routes of its own)."""
        ends = [interface for interface in (here, there) if PROVISIONING in interface.services]
        if not ends or machine.site.name == self._host.site or link.provisioning_stretched:
            return True
        leaves = PROVISIONING not in here.services or here.stack == PROVISIONING
        return link.provisioning_routed and (leaves or machine.site.name in self._machine.wiring.routes)

    def copied(self) -> int:
        mine = (move for move in self._works.moves() if self._host.name in {move.from_host, move.to_host})
        return sum(move.bytes for move in mine)

    def flows(self) -> list[Flow]:
        """Return the open connections of copies to and from the host, and those of its regular visitors."""
        running = [move for move in self._works.moves() if move.state == "running"]
        mine = [move for move in running if self._host.name in {move.from_host, move.to_host}]
        copies = (flow for move in mine for flow in (self._of_move(move) if move.size else self._knocking(move)))
        return [*copies, *self._visitors()]

    def _knocking(self, move: Move) -> Iterator[Flow]:
        """Show how a source sets a copy up: half open where its packets vanish, nothing where it is turned away."""
        names, conditions = self._hosts_by_name(), self._universe.conditions
        source, target = names[move.from_host], names[move.to_host]
        if self._host.name != source.name or not conditions.of(source).dns:
            return
        path, port = self._universe.paths.between(source, target), self._port(move)
        knocks = [(path.source, path.control, NFC_PORT, "vpxa-worker")]
        if path.carrier is Carrier.UDT:
            knocks.append((path.sender, path.data, path.port, ""))
        link = self._universe.links.find(source.site, target.site)
        lost = link is None or link.rate <= 0 or not path.routed
        for number, (here, there, door, world) in enumerate(knocks):
            closed = self._universe.links.closed(source.site, target.site, door)
            if closed is Closed.REFUSED or (door == NFC_PORT and not conditions.of(target).nfcd):
                return
            ends = (f"{here.address}:{port + number}", f"{there.address}:{door}")
            if lost or closed is Closed.SILENT:
                yield Flow(*ends, 0, world, "SYN_SENT")
                return  # the data's connection is made once that of the control stands
            yield Flow(*ends, 0, world)

    def _hosts_by_name(self) -> dict[str, Host]:
        return {host.name: host for estate in self._universe.estates.values() for host in estate.inventory.each(Host)}

    def _port(self, move: Move) -> int:
        return _FIRST_PORT + crc32(move.task.encode()) % _PORTS

    def _of_move(self, move: Move) -> Iterator[Flow]:
        names, port = self._hosts_by_name(), self._port(move)
        path = self._universe.paths.between(names[move.from_host], names[move.to_host])
        queued = self._queued(move)
        nfc = (f"{path.source.address}:{port}", f"{path.control.address}:{NFC_PORT}")
        carries_data = path.carrier is Carrier.NFC
        yield self._seen(move, nfc, queued if carries_data else 0, "vpxa-worker")
        if not carries_data:
            yield self._seen(
                move, (f"{path.sender.address}:{port + 1}", f"{path.data.address}:{path.port}"), queued, ""
            )

    def _seen(self, move: Move, ends: tuple[str, str], queued: int, world: str) -> Flow:
        """Look at a connection from this host's end; only the sender has something waiting."""
        if self._host.name == move.from_host:
            return Flow(*ends, queued, world)
        return Flow(ends[1], ends[0], 0, "nfcd" if world else "")

    def _queued(self, move: Move) -> int:
        """Say what waits in the sender's buffer: nothing on a clean link, more the longer it has been lossy."""
        link = self._universe.links.find(move.from_site, move.to_site)
        since = self._machine.lossy_since
        if link is None or (link.loss <= 0 and move.bytes_per_second > 0):
            since.pop(move.task, None)
            return 0
        begun = since.setdefault(move.task, self._universe.clock())
        full = min((self._universe.clock() - begun) / _QUEUE_FILLS_IN, 1.0)
        return _FIRST_QUEUE + int((_SEND_BUFFER - _FIRST_QUEUE) * full)

    def _visitors(self) -> Iterator[Flow]:
        noise = self._universe.world.play.noise
        port = _FIRST_PORT + crc32(self._host.name.encode()) % _PORTS
        if "backup" in noise:
            yield Flow(f"{self._host.address}:{NFC_PORT}", f"{_BACKUP_PROXY}:{port}", 0, "hostd-worker")
        if "replication" in noise:
            yield Flow(f"{self._host.address}:{port}", f"{_REPLICATION_SERVER}:{_HBR_PORT}", 0, "hbr")
