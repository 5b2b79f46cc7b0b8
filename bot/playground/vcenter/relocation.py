"""Carrying out a relocation: wait for a place, check, copy, and end in one of the ways a real one ends.

Whatever happens, the inventory tells the truth afterwards: the VM is at the destination after success and whole at the
source after anything else; what a broken copy wrote is deleted, or stays at the destination and takes space. The ways
to end badly are a table in `outcomes`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.playground.esxi import failures, phrases
from bot.playground.esxi.phrases import Phrase
from bot.playground.vcenter import faults, outcomes
from bot.playground.vcenter.arrivals import Arrival, arrive
from bot.playground.vcenter.building import free_directory
from bot.playground.vcenter.checks import findings
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.freight import kept_of, needs, pieces
from bot.playground.vcenter.inventory import Datastore, Host, Orphan, Vm
from bot.playground.vcenter.links import NFC_PORT, Link
from bot.playground.vcenter.moves import Move
from bot.playground.vcenter.obstacles import first_obstacle
from bot.playground.vcenter.outcomes import EndedBadlyError, Ending, Leftovers, Scene
from bot.playground.vcenter.paths import Path
from bot.playground.vcenter.relocate_spec import Plan
from bot.playground.vcenter.tasks import Task
from bot.playground.vcenter.transfer import Copy, Endurance, Way
from bot.playground.vcenter.universe import Estate, RelocationRecord

_HANDSHAKES = 3
_REMEMBERED = 500
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Relocation:
    """One relocation from its acceptance to its end."""

    estate: Estate
    vm: Vm
    plan: Plan
    task: Task
    record: RelocationRecord
    directory: str = field(init=False)
    """What it writes into at its target."""
    _source: Host = field(init=False)
    _path: Path = field(init=False)
    _copying: Copy | None = field(init=False, default=None)
    _broken: Ending | None = field(init=False, default=None)
    _lro: dict[Host, str] = field(init=False, default_factory=dict)
    _taken: dict[Datastore, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._set_out()

    def _set_out(self) -> None:
        """Note where the VM is; while the task waits for its turn, another one may move it."""
        self._source, self.directory = self.vm.host, self.vm.directory
        self._path = self.estate.universe.paths.between(*self.hosts)

    @property
    def hosts(self) -> tuple[Host, Host]:
        """Where from and where to."""
        return self._source, self.plan.host

    @property
    def _link(self) -> Link | None:
        return self.estate.universe.links.find(*(host.site for host in self.hosts))

    @property
    def target(self) -> Datastore:
        return self.plan.datastore

    @property
    def sources(self) -> list[Datastore]:
        return self.vm.datastores

    def break_off(self, ending: Ending) -> None:
        """Let the copy end this way, or what prepares it; a relocation that waits for its turn is not touched."""
        self._broken = ending
        if self._copying:
            self._copying.break_off(ending)
        elif self._link:
            self._link.changes.touch()

    @property
    def move(self) -> Move:
        """How it looks at this moment."""
        task, copying, fault = self.task, self._copying, self.task.fault
        return Move(
            vm=self.vm.name,
            op_id=task.op_id,
            task=task.id,
            from_site=self._source.site,
            from_host=self._source.name,
            to_site=self.plan.host.site,
            to_host=self.plan.host.name,
            state=task.state,
            percent=100 if task.state == "success" else task.progress or 0,
            bytes=int(copying.moved) if copying else 0,
            size=copying.size if copying else 0,
            bytes_per_second=copying.bytes_per_second if copying else 0.0,
            queued=task.queued,
            ended=task.completed,
            fault=fault.data.type if fault else "",
            message=str(fault) if fault else "",
            path=str(self._path),
        )

    async def run(self) -> None:
        """Run to an end and write it down. Only the end of the player itself leaves the task unfinished."""
        universe = self.estate.universe
        try:
            taken = await universe.places.take(lambda: (self.vm.host, self.plan.host))
            self._set_out()
            universe.underway.add(self)
            try:
                self.estate.tasks.start(self.task)
                await self._carry_out()
            finally:
                universe.underway.discard(self)
                universe.places.give_back(taken)
        except EndedBadlyError as bad:
            self._end(self._told(bad.ending))
        except Fault as fault:
            self._end(fault)
        except asyncio.CancelledError:
            if not self.task.cancelled:
                raise
            self._undo()
            self._end(faults.request_canceled())
        else:
            self._end(None)

    def _end(self, fault: Fault | None) -> None:
        self.record.outcome = fault.data.type if fault else "success"
        self.estate.tasks.finish(self.task, fault)
        _log.info("relocation of %s (%s) ended: %s", self.vm.name, self.task.op_id, self.record.outcome)

    async def _carry_out(self) -> None:
        self._check()
        if self.plan.moves_files(self.vm):
            if self.plan.datastore is not self.vm.datastore:
                taken = self.estate.universe.directories(self.plan.datastore, but=self)
                self.directory = free_directory(self.vm.name, taken)
            await self._connect()
            await self._copy()
        self._arrive()

    def _check(self) -> None:
        """Refuse what the state of this moment does not allow."""
        if self.estate.inventory.find(self.vm.ref) is not self.vm:
            raise faults.not_found(self.vm.ref)
        for finding in findings(self.estate, self.vm, self.plan, asking=self.task):
            if not finding.warning:
                raise finding.fault

    async def _connect(self) -> None:
        """Set up the session: a few round trips, or what stands in its way."""
        universe, destination = self.estate.universe, self.plan.host
        self._path = universe.paths.between(self._source, destination)
        self._write(self._source, phrases.SOURCE_BEGIN)
        self._write(destination, phrases.DESTINATION_BEGIN)
        await self._overcome_obstacles()
        if self._link:
            await asyncio.sleep(_HANDSHAKES * self._link.rtt.total_seconds())

    async def _overcome_obstacles(self) -> None:
        """Go on if nothing stands in the way, or no longer does before the hosts' patience ends."""
        universe = self.estate.universe
        clock, bell = universe.clock, self._link.changes if self._link else universe.clock.changes
        deadline = clock.seconds() + universe.world.play.connect_patience.total_seconds()
        while True:
            revision = bell.revision
            obstacle = self._broken or first_obstacle(
                universe, vm=self.vm, destination=self.plan.host, store=self.plan.datastore, path=self._path
            )
            if obstacle is None:
                return
            if obstacle.percent is not None:
                self.estate.tasks.report(self.task, obstacle.percent)
            left = deadline - clock.seconds()
            if not obstacle.waits or left <= 0:
                raise EndedBadlyError(obstacle)
            await bell.wait(beyond=revision, seconds=left)

    async def _copy(self) -> None:
        universe, play, link = self.estate.universe, self.estate.universe.world.play, self._link
        if self._broken or link is None:
            raise EndedBadlyError(self._broken or outcomes.SILENT_PORT)
        self._copying = Copy(
            sum(piece.sent for piece in pieces(self.vm, self.plan)),
            Way(self._source.site, self.plan.host.site, link, universe.links, self._path),
            endurance=Endurance(play.nfc_patience, play.nfc_breaks_at, play.task_timeout),
            clock=universe.clock,
        )
        await self._copying.run(self._on_percent)
        self._write(self._source, phrases.SOURCE_DONE)
        self._write(self.plan.host, phrases.DESTINATION_DONE)

    def _on_percent(self, percent: int) -> None:
        for store, need in needs(self.vm, self.plan).items():
            step = need * percent // 100 - self._taken.get(store, 0)
            if step > store.free:
                raise EndedBadlyError(outcomes.NO_SPACE)
            self._taken[store] = self._taken.get(store, 0) + step
            self.estate.inventory.allocate(store, step)
        self.estate.tasks.report(self.task, min(percent, 99))
        self.estate.universe.timetable.reached(self.vm.name, percent)

    def _arrive(self) -> None:
        """Let the VM be where it was to go; another vCenter may have its own way with those that arrive."""
        there = self.estate.universe.home_of(self.plan.host)
        if there is self.estate:
            self._settle()
        elif there.presence.arrival == Arrival.NEVER:
            self._clean_up()
        else:
            arrive(there.presence.arrival, self.vm, here=self.estate, there=there, move=self._settle)

    def _settle(self) -> None:
        """Put the VM where it belongs now, and give the space at the source back."""
        inventory, vm, plan = self.estate.inventory, self.vm, self.plan
        for piece in list(pieces(vm, plan)):
            inventory.allocate(piece.source, -piece.held)
        before = [network.ref for network in vm.networks]
        vm.datastore, vm.directory = plan.datastore, self.directory
        for disk in vm.disks:
            moved = disk.datastore is not plan.disks[disk.key][0]
            disk.datastore, thin = plan.disks[disk.key]
            if moved:
                disk.thin, disk.used = thin, kept_of(disk) if thin else disk.capacity
        for nic in vm.nics:
            nic.network = plan.nics.get(nic.key, nic.network)
        self._taken.clear()
        inventory.move(vm, host=plan.host, pool=plan.pool, folder=plan.folder)
        inventory.changes.touch(*before, *(network.ref for network in vm.networks), *(s.ref for s in vm.datastores))

    def _told(self, ending: Ending) -> Fault:
        """Let both hosts write how it ended, leave or delete what has arrived, and return the fault."""
        self._write(self._source, ending.source)
        self._write(self.plan.host, ending.destination)
        if ending.leftovers is Leftovers.ORPHANED:
            self._leave_orphans()
        else:
            self._clean_up()
        return ending.fault(self._scene())

    def _undo(self) -> None:
        """End a cancelled copy: vCenter still reaches the destination, which deletes what arrived."""
        if self._copying:
            self._write(self._source, phrases.SOURCE_CANCELLED)
            self._write(self.plan.host, failures.REMOVED)
        self._clean_up()

    def _clean_up(self) -> None:
        """Delete at the destination what was copied so far."""
        for store, size in self._taken.items():
            self.estate.inventory.allocate(store, -size)
        self._taken.clear()

    def _leave_orphans(self) -> None:
        """Leave at the destination what was copied so far: nobody is there any more to delete it."""
        for store, size in self._taken.items():
            if size:
                store.orphans.append(Orphan(self.directory, size, self.estate.universe.clock()))
        self._taken.clear()

    def _scene(self) -> Scene:
        vm, plan = self.vm, self.plan
        disk = vm.disks[0].file if vm.disks else f"{vm.name}.vmx"
        return Scene(
            file=f"[{vm.datastore.name}] {vm.directory}/{disk}",
            target=f"[{plan.datastore.name}] {self.directory}",
            datastore=plan.datastore.name,
            source=self._source.name,
            destination=plan.host.name,
            peer=f"{self._path.control.address}:{NFC_PORT}",
        )

    def _write(self, host: Host, table: Iterable[Phrase]) -> None:
        diary, vm, path = self.estate.diary(host), self.vm, self._path
        disk = vm.disks[0].file if vm.disks else f"{vm.name}.vmx"
        diary.write(
            [phrase for phrase in table if phrase.log in host.logs.keys],
            at=self.estate.universe.clock(),
            op_id=self.task.op_id,
            task=self.task.id,
            lro=self._lro.setdefault(host, str(diary.number())),
            peer=path.control.address,
            peer_name=self.plan.host.name,
            data=path.data.address,
            sender=path.sender.address,
            migration=_migration(self.task),
            directory=self.directory,
            volume=f"/vmfs/volumes/{self.plan.datastore.uuid}",
            source_path=f"/vmfs/volumes/{vm.datastore.uuid}/{vm.directory}/{disk}",
        )


def _migration(task: Task) -> str:
    """Return the number under which kernels know a migration: nineteen digits, the same on both ends."""
    return str(int(hashlib.sha256(task.op_id.encode()).hexdigest(), 16))[:19]


class Works:
    """The relocations of one vCenter that are under way, run in the task group of its player."""

    def __init__(self, estate: Estate, group: asyncio.TaskGroup) -> None:
        self._estate = estate
        self._group = group
        self._running: set[asyncio.Task[None]] = set()
        self._seen: deque[Relocation] = deque(maxlen=_REMEMBERED)

    def start(self, vm: Vm, plan: Plan, *, task: Task, record: RelocationRecord) -> None:
        """Let a relocation run; its task can be cancelled from now on."""
        relocation = Relocation(self._estate, vm, plan, task, record)
        self._seen.append(relocation)
        work = self._group.create_task(relocation.run(), name=f"relocate {vm.name}")
        self._running.add(work)
        work.add_done_callback(self._running.discard)
        task.abort = work.cancel

    def moves(self) -> list[Move]:
        """Say how every relocation stands that is under way or ended not long ago, oldest first."""
        horizon = self._estate.universe.clock() - self._estate.tasks.retention
        moves = (relocation.move for relocation in self._seen)
        return [move for move in moves if move.ended is None or move.ended > horizon]

    def stop(self) -> None:
        """Give up everything that is under way; its tasks stay unfinished."""
        for work in self._running:
            work.cancel()
