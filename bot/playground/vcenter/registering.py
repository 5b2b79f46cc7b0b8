"""VMs that come from files and leave only files: what a registration makes of a .vmx, and how VMs leave the inventory.

The .vmx is taken at its word, as on a host: a disk that cannot be opened does not keep the VM out, it keeps it from
being switched on. What is not played ends with NotSupported: a .vmx in the root of a datastore, a disk in a directory
that is not called as the VM's, a disk that a registered VM has, an extent that is not called after its descriptor.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from bot.playground.esxi.disk_content import Content, pieces
from bot.playground.vcenter import faults
from bot.playground.vcenter.disk_descriptor import BadDescriptorError, Descriptor, parse_descriptor
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.inventory import (
    SMALL_FILES,
    Datastore,
    Disk,
    Folder,
    Hardware,
    Host,
    Network,
    Nic,
    Pool,
    Portgroup,
    Vm,
)
from bot.playground.vcenter.naming import mac_of
from bot.playground.vcenter.shelves import File, Shelf
from bot.playground.vcenter.universe import Estate
from bot.playground.vcenter.vmx import BadVmxError, CardRow, DiskRow, Vmx, is_at_home, parse_vmx, volume_path
from bot.playground.vcenter.wire import Data

_FIRST_DISK, _FIRST_CARD = 2000, 4000
_HEAD = 2**20


@dataclass(frozen=True)
class Arrival:
    """A VM that is to be registered. `path` is that of its .vmx on the datastore; without a name it keeps its own."""

    store: Datastore
    path: str
    folder: Folder
    host: Host
    pool: Pool
    name: str | None = None
    template: bool = False

    @property
    def directory(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def stem(self) -> str:
        return self.path.rpartition("/")[2].removesuffix(".vmx")


def read_vmx(shelf: Shelf, path: str) -> Vmx:
    """Read a .vmx. Refuses with NotFound, AlreadyExists where it is registered, a VmConfigFault where it is rubbish."""
    file, full = shelf.files().get(path), f"[{shelf.store.name}] {path}"
    if file is None:
        raise Fault(Data("NotFound"), f"The object or item referred to could not be found: {full}.")
    if file.vm:
        raise Fault(
            Data("AlreadyExists", name=full), f"The specified key, name, or identifier '{full}' already exists."
        )
    try:
        return parse_vmx(_head(file.content))
    except BadVmxError as error:
        raise faults.vm_config(f"{full}: {error}.") from error


def register(estate: Estate, arrival: Arrival, vmx: Vmx) -> Vm:
    """Make a VM of what a .vmx says. Refuses with NotSupported what is not played."""
    shelf = estate.universe.depot.shelf(arrival.store)
    if not arrival.directory:
        raise faults.not_supported("a .vmx in the root of a datastore is not played")
    opened = [_open(estate, arrival, number, row) for number, row in enumerate(vmx.disks)]
    vm = _vm(estate, arrival, vmx, [disk for disk, _ in opened])
    _take_small_files(estate, shelf, vm, vmx)
    for disk, content in opened:
        if content:
            estate.universe.depot.disks.fill(disk, content)
    _take_over(estate, vm)
    estate.inventory.add(vm)
    _tell(estate, vm)
    return vm


def _vm(estate: Estate, arrival: Arrival, vmx: Vmx, disks: list[Disk]) -> Vm:
    known = {vm.instance_uuid for vm in estate.inventory.each(Vm)}
    instance = vmx.instance_uuid if vmx.instance_uuid not in {None, *known} else None
    drives = [(drive.kind, _drive_file(drive.file, arrival.host)) for drive in vmx.drives]
    unplugged = [number for number, drive in enumerate(vmx.drives) if not drive.starts_connected]
    vm = Vm(
        estate.inventory.new_id("vm-"), arrival.name or vmx.name or arrival.stem, arrival.folder,
        host=arrival.host, pool=arrival.pool, datastore=arrival.store, directory=arrival.directory, stem=arrival.stem,
        instance_uuid=instance or str(uuid.uuid4()), bios_uuid=vmx.bios_uuid or str(uuid.uuid4()),
        disks=disks, nics=[_card(number, row, arrival) for number, row in enumerate(vmx.cards)],
        template=arrival.template, created=estate.universe.clock(), annotation=vmx.annotation, extra=dict(vmx.extra),
        hardware=Hardware(
            vmx.version, change_tracking=any(disk.tracked for disk in vmx.disks), devices=tuple(drives),
            unplugged=frozenset(unplugged), memory_mb=vmx.memory_mb, cpus=vmx.cpus,
        ),
    )  # fmt: skip
    vm.written_for = vmx.location if vmx.location and not is_at_home(vm, vmx.location) else ""
    return vm


def _head(content: Content) -> bytes:
    """Return what a small file says, and a little more than that of one that is none."""
    return b"".join(pieces(content, 0, _HEAD + 1))


# Its disks.


def _open(estate: Estate, arrival: Arrival, number: int, row: DiskRow) -> tuple[Disk, Content | None]:
    """Return a disk that a .vmx names, with what stands on it if it can be opened."""
    store, path = _disk_place(arrival, row.file)
    name, shelf = path.rpartition("/")[2], estate.universe.depot.shelf(store)
    disk = Disk(_FIRST_DISK + number, f"Hard disk {number + 1}", 0, 0, True, store, name, str(uuid.uuid4()))
    try:
        told, extent = open_disk(shelf, path, new_uuid=disk.uuid)
    except Fault as fault:
        if fault.data.type == "NotSupported":
            raise
        disk.flaw = fault
        return disk, None
    if extent.vm or told.extent != f"{name.removesuffix('.vmdk')}-flat.vmdk":
        raise faults.not_supported(f"[{store.name}] {path} is a registered VM's, or its extent is not called after it")
    disk.capacity, disk.used, disk.thin, disk.uuid = told.capacity, extent.space, told.thin, told.uuid
    return disk, extent.content


def _disk_place(arrival: Arrival, file: str) -> tuple[Datastore, str]:
    below = volume_path(file)
    store, path = arrival.store, f"{arrival.directory}/{file}"
    if below:
        found = [store for store in arrival.host.datastores if below[0] in {store.name, store.uuid}]
        store, path = (found[0] if found else store), below[1]
    if path.rpartition("/")[0] != arrival.directory or not path.endswith(".vmdk"):
        raise faults.not_supported(f"a disk such as {file!r} outside of a directory named {arrival.directory!r}")
    return store, path


def open_disk(shelf: Shelf, path: str, *, new_uuid: str) -> tuple[Descriptor, File]:
    """Return what a disk's descriptor tells, and its extent. Refuses as a host does that cannot open the disk."""
    file, full = shelf.find(path), f"[{shelf.store.name}] {path}"
    try:
        told = parse_descriptor(_head(file.content), new_uuid=new_uuid)
    except BadDescriptorError as error:
        raise faults.file_fault(full, f"{error}.") from error
    extent = shelf.find(f"{path.rpartition('/')[0]}/{told.extent}".removeprefix("/"))
    if extent.size != told.capacity:
        why = f"The extent {told.extent} has {extent.size} bytes where its descriptor says {told.capacity}."
        raise faults.file_fault(full, why)
    return told, extent


# What else it has.


def _drive_file(file: str, host: Host) -> str:
    below = volume_path(file)
    name = next((store.name for store in host.datastores if below and below[0] in {store.name, store.uuid}), None)
    return f"[{name or below[0]}] {below[1]}" if below else file


def _card(number: int, row: CardRow, arrival: Arrival) -> Nic:
    return Nic(
        _FIRST_CARD + number, f"Network adapter {number + 1}", row.mac or mac_of(uuid.uuid4().hex),
        _network(row, arrival), row.starts_connected,
    )  # fmt: skip


def _network(row: CardRow, arrival: Arrival) -> Network:
    """Return the network of a card. One that the host has not is in the inventory too, and nobody reaches it."""
    for network in arrival.host.networks:
        if isinstance(network, Portgroup):
            if (network.id, network.switch.uuid) == (row.portgroup, row.switch):
                return network
        elif not row.portgroup and network.name == row.network:
            return network
    name, home = row.network or row.portgroup or "none", arrival.host.home
    for network in home.each(Network):
        if network.name == name and network.site == arrival.host.site and not isinstance(network, Portgroup):
            return network
    above = arrival.host.datacenter
    unreachable = Network(home.new_id("network-"), name, above and above.folders["network"], site=arrival.host.site)
    home.add(unreachable)
    return unreachable


def _take_small_files(estate: Estate, shelf: Shelf, vm: Vm, vmx: Vmx) -> None:
    """Let the VM have the small files that lie beside its .vmx, as they are."""
    found: list[tuple[str, str, int]] = []
    here = shelf.files()
    for kind, pattern, _ in SMALL_FILES:
        name = vmx.nvram if kind == "nvram" and vmx.nvram else pattern.format(name=vm.file_name)
        file = here.get(f"{vm.directory}/{name}")
        if file is None or file.vm:
            continue
        found.append((kind, name.replace("{", "{{").replace("}", "}}"), file.space))
        estate.universe.depot.disks.bring(vm, name, file.content)
    vm.small_files = tuple(found)


def _take_over(estate: Estate, vm: Vm) -> None:
    """Let the files on all datastores become the VM's; it takes what they took."""
    for store in vm.datastores:
        estate.universe.depot.shelf(store).hand_over({f"{vm.directory}/{path}" for path in _paths(vm, store)})
    for file in vm.files:
        estate.inventory.allocate(file.datastore, file.size)


def _paths(vm: Vm, store: Datastore) -> Iterator[str]:
    yield from (file.path for file in vm.files if file.datastore is store)
    if vm.hardware.change_tracking:
        yield from (f"{disk.file.removesuffix('.vmdk')}-ctk.vmdk" for disk in vm.disks if disk.datastore is store)


# Leaving.


def unregister(estate: Estate, vm: Vm) -> None:
    """Take a VM out of the inventory; its files stay where they are."""
    depot = estate.universe.depot
    counted = {(file.datastore, f"{vm.directory}/{file.path}") for file in vm.files}
    left = [
        (store, file) for store in vm.datastores for file in depot.shelf(store).below(vm.directory) if file.vm is vm
    ]
    _remove(estate, vm)
    for store, file in left:
        depot.shelf(store).keep(file.path, file.content, space=file.space if (store, file.path) in counted else 0)
    depot.disks.forget_vm(vm)


def destroy(estate: Estate, vm: Vm) -> None:
    """Take a VM out of the inventory with its files. Its directory goes too if nothing else lies in it."""
    depot, stores = estate.universe.depot, vm.datastores
    shelves = [depot.shelf(store) for store in stores]
    for file in vm.files:
        estate.inventory.allocate(file.datastore, -file.size)
    _remove(estate, vm)
    depot.disks.forget_vm(vm)
    for shelf in shelves:
        shelf.forget_directory(vm.directory)


def _remove(estate: Estate, vm: Vm) -> None:
    estate.inventory.remove(vm)
    _tell(estate, vm)


def _tell(estate: Estate, vm: Vm) -> None:
    above = [vm.parent] if vm.parent else []
    around = (vm.host, vm.pool, *above, *vm.datastores, *vm.networks)
    estate.inventory.changes.touch(vm.ref, *(entity.ref for entity in around))
