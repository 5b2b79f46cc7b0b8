"""The running state of a world: one clock, the links, and an estate per vCenter. No wire, no methods."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bot.playground.esxi.diary import Diary
from bot.playground.esxi.machine import Machine
from bot.playground.esxi.syslog import SyslogSender
from bot.playground.vcenter.building import build_inventory
from bot.playground.vcenter.chronicle import Chronicle
from bot.playground.vcenter.clock import Clock, WorldClock
from bot.playground.vcenter.conditions import Conditions
from bot.playground.vcenter.custom_fields import CustomFields
from bot.playground.vcenter.doors import Doors, thumbprint_of
from bot.playground.vcenter.happenings import EventLog
from bot.playground.vcenter.inventory import Datastore, Entity, Host, Inventory, Vm
from bot.playground.vcenter.links import Links
from bot.playground.vcenter.machines import machines_of
from bot.playground.vcenter.outcomes import Ending
from bot.playground.vcenter.paths import Paths
from bot.playground.vcenter.places import Places
from bot.playground.vcenter.privileges import Rights
from bot.playground.vcenter.sessions import Sessions
from bot.playground.vcenter.shelves import Depot
from bot.playground.vcenter.tasks import TaskBoard
from bot.playground.vcenter.timetable import Timetable
from bot.playground.world import VCenter, World


def wall_clock() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


@dataclass
class RelocationRecord:
    """What a referee knows of one accepted RelocateVM_Task. `outcome` is empty while it runs."""

    vm: str
    instance_uuid: str
    op_id: str
    session: str
    task: str
    at: datetime
    outcome: str = ""


class Underway(Protocol):
    """A relocation that runs."""

    @property
    def hosts(self) -> tuple[Host, Host]:
        """Where from and where to."""

    @property
    def target(self) -> Datastore: ...

    @property
    def directory(self) -> str:
        """What it writes into at its target."""

    @property
    def sources(self) -> list[Datastore]: ...

    def break_off(self, ending: Ending) -> None:
        """End it this way."""


@dataclass
class Presence:
    """How others reach this vCenter, once it is served."""

    url: str = ""
    certificate: str = ""
    """As PEM."""
    thumbprint: str = ""
    """SHA-1, in pairs."""
    reachable: bool = False
    impostor: str = ""
    """The thumbprint of whoever stands between this vCenter and the others, as they see it."""
    arrival: str = "honest"
    """How VMs of other vCenters arrive here (`arrivals`)."""

    def show(self, certificate: str) -> None:
        """Present a certificate from now on; an empty one where nothing is encrypted."""
        self.certificate = certificate
        self.thumbprint = thumbprint_of(certificate)

    @property
    def seen(self) -> str:
        """The thumbprint that other vCenters see."""
        return self.impostor or self.thumbprint


class Estate:
    """Everything that belongs to one vCenter."""

    def __init__(self, universe: Universe, spec: VCenter) -> None:
        self.universe = universe
        self.spec = spec
        self.inventory: Inventory = build_inventory(universe.world, spec.name)
        play = universe.world.play
        changes, root = self.inventory.changes, self.inventory.root
        self.events = EventLog(changes, root=root.ref, clock=universe.clock)
        self.tasks = TaskBoard(changes, self.events, clock=universe.clock, retention=play.task_retention)
        self.rights = Rights(self.inventory, spec.accounts)
        self.sessions = Sessions(spec.accounts, self.rights, clock=universe.clock, idle=play.session_idle)
        self.sessions.on_end = lambda _session: self.inventory.changes.touch()
        self.custom_fields = CustomFields()
        self.presence = Presence()
        self.doors = Doors(universe)
        self.relocations: list[RelocationRecord] = []
        self.machines = machines_of(universe.world, self.inventory.each(Host), universe.paths.sites)
        self.diaries = {ref: machine.diary for ref, machine in self.machines.items()}
        self.syslog = SyslogSender()
        self.chronicle = Chronicle(spec.version, seed=universe.world.seed, history=lambda: self.tasks.history)
        self._begin()

    def diary(self, host: Host) -> Diary:
        """Return the diary of a host, of this vCenter or of another one."""
        return self.universe.home_of(host).diaries[host.ref]

    def machine(self, host: Host) -> Machine:
        """Return what a host is apart from its place in the inventory."""
        return self.universe.home_of(host).machines[host.ref]

    def vms(self, name: str) -> list[Vm]:
        """Return the VMs of a name; several may bear it."""
        return [vm for vm in self.inventory.each(Vm) if vm.name == name]

    def vm(self, name: str, folder: str | None = None) -> Vm:
        """Return the VM of a name. KeyError unless exactly one bears it (in that folder)."""
        found = [vm for vm in self.vms(name) if folder is None or self.inventory.placement(vm).folder == folder]
        if len(found) != 1:
            raise KeyError(f"{len(found)} VMs named {name!r}")
        return found[0]

    def host(self, name: str) -> Host:
        """Return the host of a name; KeyError if there is none."""
        for host in self.inventory.each(Host):
            if host.name == name:
                return host
        raise KeyError(f"no host named {name!r}")

    def datastore(self, name: str) -> Datastore:
        """Return the datastore of a name; KeyError if there is none."""
        for store in self.inventory.each(Datastore):
            if store.name == name:
                return store
        raise KeyError(f"no datastore named {name!r}")

    def set_power(self, vm: Vm, state: str, *, user: str = "", chain: int | None = None) -> None:
        """Switch a VM and write down that it happened."""
        vm.power = state
        for nic in vm.nics:
            nic.connected = nic.starts_connected
        for event in ("Starting", "PoweredOn") if state == "poweredOn" else ("Stopping", "PoweredOff"):
            self.events.record(f"Vm{event}Event", vm, user=user, chain=chain)
        self.inventory.changes.touch(vm.ref)

    def note_host(self, host: Host, *, connected: bool, maintenance: bool) -> None:
        """Write down how a host changed; `connected` and `maintenance` are how it was before."""
        if host.connected is not connected:
            self.events.record("HostConnectedEvent" if host.connected else "HostConnectionLostEvent", host)
        if host.maintenance is not maintenance:
            self.events.record("EnteredMaintenanceModeEvent" if host.maintenance else "ExitMaintenanceModeEvent", host)

    def _begin(self) -> None:
        """Write the past: logs that did not start today, tasks that were running before anybody looked."""
        play = self.universe.world.play
        now = self.universe.clock()
        moments = [now - back * play.noise_every for back in range(play.history_lines, 0, -1)]
        for diary in self.diaries.values():
            diary.remember(moments)
        for back in range(play.history_lines, 0, -10):  # of itself a vCenter writes less often than a host
            self.chronicle.write_ordinary_work(now - timedelta(seconds=back * play.noise_every.total_seconds()))
        for vm in self.inventory.each(Vm):
            if vm.held_by:
                self.tasks.start(self.tasks.create(vm.held_by, entity=vm, user="backup@vsphere.local", op_id="backup"))


class Universe:
    """One world that runs: its clock, its network, what is broken, what is to come, and its vCenters."""

    def __init__(self, world: World, *, clock: Clock = wall_clock) -> None:
        self.world = world
        self.clock = WorldClock(clock)
        self.random = random.Random(world.seed)
        self.links = Links(world)
        self.paths = Paths(world.sites, self.links)
        self.conditions = Conditions()
        self.timetable = Timetable(world.events, self.clock)
        self.underway: set[Underway] = set()
        self.places = Places()
        self.depot = Depot(world.seed, conditions=self.conditions, clock=self.clock)
        self.estates = {spec.name: Estate(self, spec) for spec in world.vcenters}
        for estate in self.estates.values():
            self.depot.know(estate.inventory.each(Vm))

    def directories(self, store: Datastore, *, but: Underway | None = None) -> set[str]:
        """Return the directories at the top of a datastore, with those that relocations write into now."""
        written = {path.partition("/")[0] for path in self.depot.directories(store)}
        return written | {under.directory for under in self.underway if under is not but and under.target is store}

    def home_of(self, entity: Entity) -> Estate:
        """Return the vCenter that an entity belongs to."""
        return next(estate for estate in self.estates.values() if estate.inventory is entity.home)
