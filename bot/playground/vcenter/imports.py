"""What a lease for an import makes: a VM that is in the inventory from the start and gone again unless it completes.

That the VM is there before its disks are is documented (HttpNfcLease, "initializing": an import creates inventory
objects then); until the lease completes it can be neither switched on nor moved.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from bot.playground.esxi.disk_content import BLOCK, Written
from bot.playground.vcenter import faults
from bot.playground.vcenter.building import free_directory
from bot.playground.vcenter.import_spec import DiskPlan, ImportPlan
from bot.playground.vcenter.inventory import Datastore, Disk, Nic, Vm, file_name
from bot.playground.vcenter.leases import Device, device_key
from bot.playground.vcenter.naming import mac_of
from bot.playground.vcenter.universe import Estate

_FIRST_DISK, _FIRST_CARD = 2000, 4000


@dataclass(eq=False)
class Import:
    """The purpose of a lease that fills a new VM."""

    estate: Estate
    vm: Vm
    _taken: bool = False

    def prepare(self) -> None:
        """Take the space that is needed whatever comes: small files, and thick disks as a whole."""
        needs: dict[Datastore, int] = {}
        for file in self.vm.files:
            needs[file.datastore] = needs.get(file.datastore, 0) + file.size
        for store, size in needs.items():
            if size > store.free:
                raise faults.no_disk_space(self.vm.vmx_path, store.name)
        for store, size in needs.items():
            self.estate.inventory.allocate(store, size)
        self._taken = True

    def settle(self) -> None:
        self.estate.events.record("VmRegisteredEvent", self.vm)
        self._tell()

    def undo(self) -> None:
        """Take the VM away, and give back what its files took."""
        if self._taken:
            for file in self.vm.files:
                self.estate.inventory.allocate(file.datastore, -file.size)
        self.estate.universe.depot.disks.forget_vm(self.vm)
        self.estate.inventory.remove(self.vm)
        self._tell()

    def _tell(self) -> None:
        vm = self.vm
        around = (vm.host, vm.pool, *vm.datastores, *vm.networks)
        self.estate.inventory.changes.touch(vm.ref, *(entity.ref for entity in around))

    def blank(self, disk: Disk) -> Written:
        """Return an empty disk to write on; whatever an upload before this one brought is gone."""
        if disk.thin:
            self.estate.inventory.allocate(disk.datastore, -disk.used)
            disk.used = 0
        content = Written(self.estate.universe.depot.library, size=disk.capacity)
        self.estate.universe.depot.disks.fill(disk, content)
        return content

    def write(self, disk: Disk, content: Written, number: int, grain: bytes) -> None:
        """Write a grain. Refuses with NoDiskSpace."""
        if disk.thin:
            if disk.datastore.free < BLOCK:
                raise faults.no_disk_space(f"[{disk.datastore.name}] {disk.file}", disk.datastore.name)
            disk.used += BLOCK
            self.estate.inventory.allocate(disk.datastore, BLOCK)
        content.put(number, grain)


def add_vm(estate: Estate, plan: ImportPlan) -> Vm:
    """Put the VM of a plan into the inventory, switched off and with empty disks. Refuses with DuplicateName."""
    inventory = estate.inventory
    for other in plan.folder.children:
        if other.name == plan.name:
            raise faults.duplicate_name(other.wire_name, other.ref)
    estate.universe.depot.refuse_lost(plan.store)
    directory = free_directory(plan.name, estate.universe.directories(plan.store))
    vm = Vm(
        inventory.new_id("vm-"), plan.name, plan.folder,
        host=plan.host, pool=plan.pool, datastore=plan.store, directory=directory,
        instance_uuid=plan.instance_uuid or str(uuid.uuid4()), bios_uuid=plan.bios_uuid or str(uuid.uuid4()),
        disks=[_disk(number, disk, directory) for number, disk in enumerate(plan.disks)], nics=[],
        stem=file_name(plan.name), created=estate.universe.clock(),
    )  # fmt: skip
    for number, network in enumerate(plan.networks):
        vm.nics.append(Nic(_FIRST_CARD + number, f"Network adapter {number + 1}", mac_of(uuid.uuid4().hex), network))
    for disk in vm.disks:
        estate.universe.depot.disks.fill(disk, Written(estate.universe.depot.library, size=disk.capacity))
    inventory.add(vm)
    inventory.changes.touch(vm.ref, plan.folder.ref, plan.host.ref, plan.pool.ref, plan.store.ref)
    return vm


def imported_devices(vm: Vm, plan: ImportPlan) -> list[Device]:
    """Return what has to be uploaded: one file per disk."""
    return [
        Device(f"disk-{number}.vmdk", device_key(vm.id, *planned.place), planned.import_key, disk.datastore, disk=disk)
        for number, (disk, planned) in enumerate(zip(vm.disks, plan.disks, strict=True))
    ]


def _disk(number: int, plan: DiskPlan, directory: str) -> Disk:
    return Disk(
        _FIRST_DISK + number, f"Hard disk {number + 1}", plan.capacity, 0 if plan.thin else plan.capacity, plan.thin,
        plan.store, f"{directory}{f'_{number}' if number else ''}.vmdk", str(uuid.uuid4()),
    )  # fmt: skip
