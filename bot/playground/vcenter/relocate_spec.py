"""From a VirtualMachineRelocateSpec to a plan: what a vCenter checks before it makes a task, and what it fills in.

Only checks that are answered at once live here; what depends on the moment of the copy is checked in `relocation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from bot.playground.vcenter import faults
from bot.playground.vcenter.inventory import (
    Cluster,
    Datacenter,
    Datastore,
    Disk,
    Entity,
    Folder,
    Host,
    Inventory,
    Network,
    Nic,
    Pool,
    Portgroup,
    Vm,
)
from bot.playground.vcenter.schema import schema
from bot.playground.vcenter.wire import Node

_E = TypeVar("_E", bound=Entity)
_PLAYED = {"service", "folder", "datastore", "diskMoveType", "pool", "host", "disk", "deviceChange", "transform"}
_MOVE_TYPES = {
    "moveAllDiskBackingsAndDisallowSharing",
    "moveAllDiskBackingsAndAllowSharing",
    "moveAllDiskBackingsAndConsolidate",
}


@dataclass(frozen=True)
class Plan:
    """Where everything of a VM goes. `disks` and `nics` are by device key; an unnamed NIC keeps its network."""

    host: Host
    pool: Pool
    folder: Folder
    datastore: Datastore
    disks: dict[int, tuple[Datastore, bool]]
    """Per disk: its datastore, and whether it will be thin."""
    nics: dict[int, Network]

    def moves_files(self, vm: Vm) -> bool:
        return vm.datastore is not self.datastore or any(
            disk.datastore is not self.disks[disk.key][0] for disk in vm.disks
        )


def read_spec(spec: Node, vm: Vm, inventory: Inventory) -> Plan:
    """Make a plan of a spec. Refuses with InvalidArgument, or NotSupported for what this vCenter does not play."""
    _refuse_strangers(spec)
    host = _named(spec, "host", Host, inventory)
    pool = _named(spec, "pool", Pool, inventory)
    if inventory is not vm.home:
        _refuse_gaps(spec, host, pool)
    host, pool = _compute(host, pool, vm)
    datastore = _named(spec, "datastore", Datastore, inventory) or vm.datastore
    if datastore not in host.datastores:
        raise faults.invalid_argument("spec.datastore", f"{host.name} cannot reach {datastore.name}")
    thin = {"sparse": True, "flat": False}.get(spec.value("transform") or "")
    disks = {disk.key: (datastore, disk.thin if thin is None else thin) for disk in vm.disks}
    for locator in spec.all("disk"):
        key, place = _locator(locator, vm, host=host, inventory=inventory)
        disks[key] = place
    return Plan(host, pool, _folder(spec, host, vm, inventory), datastore, disks, _nics(spec, vm, host))


def _refuse_gaps(spec: Node, host: Host | None, pool: Pool | None) -> None:
    """Refuse a move to another vCenter that leaves open where to (VirtualMachineRelocateSpec, API reference)."""
    for name, found in (("host", host), ("pool", pool), ("datastore", spec.one("datastore"))):
        if found is None:
            raise faults.invalid_argument(f"spec.{name}", "it must be named for a move to another vCenter")


def _refuse_strangers(spec: Node) -> None:
    known = schema().types["VirtualMachineRelocateSpec"].fields
    for child in spec.children:
        if child.tag not in known:
            raise faults.invalid_request(f"Unexpected element {child.tag} in VirtualMachineRelocateSpec.")
        if child.tag not in _PLAYED:
            raise faults.not_supported(f"spec.{child.tag} is not played")
    kind = spec.value("diskMoveType")
    if kind is not None and kind not in _MOVE_TYPES:
        raise faults.invalid_argument("spec.diskMoveType", kind)


def _named(spec: Node, name: str, kind: type[_E], inventory: Inventory) -> _E | None:
    ref = spec.reference(name)
    if ref is None:
        return None
    entity = inventory.find(ref)
    if not isinstance(entity, kind):
        raise faults.invalid_argument(f"spec.{name}", f"{ref.type}:{ref.id} is unknown")
    return entity


def _compute(host: Host | None, pool: Pool | None, vm: Vm) -> tuple[Host, Pool]:
    if host is None:
        return (vm.host, vm.pool) if pool is None else (_compatible_host(pool, vm), pool)
    if pool is None:
        if host.parent is not vm.host.parent:
            raise faults.invalid_argument("spec.pool", "a pool must be named when the host is in another cluster")
        return host, vm.pool
    if pool.parent is not host.parent:
        raise faults.invalid_argument("spec.host", f"{host.name} does not belong to the pool")
    return host, pool


def _compatible_host(pool: Pool, vm: Vm) -> Host:
    """Choose as vCenter does when only a pool is named: the VM's own host if it fits, else any."""
    cluster = pool.parent
    fit = [h for h in cluster.hosts if h.connected and not h.maintenance] if isinstance(cluster, Cluster) else []
    if not fit:
        raise faults.invalid_argument("spec.pool", "no host of the pool can take the VM")
    return vm.host if vm.host in fit else fit[0]


def _folder(spec: Node, host: Host, vm: Vm, inventory: Inventory) -> Folder:
    named = _named(spec, "folder", Folder, inventory)
    target = _datacenter(host)
    if named is None:
        here = vm.parent
        return here if isinstance(here, Folder) and vm.datacenter is target else target.folders["vm"]
    if "VirtualMachine" not in named.child_types or named.datacenter is not target:
        raise faults.invalid_argument("spec.folder", f"{named.name} holds no VMs of {target.name}")
    return named


def _datacenter(host: Host) -> Datacenter:
    found = host.datacenter
    if found is None:
        raise faults.invalid_argument("spec.host", "a host outside of every datacenter")
    return found


def _locator(node: Node, vm: Vm, *, host: Host, inventory: Inventory) -> tuple[int, tuple[Datastore, bool]]:
    disk = _device(vm.disks, node.number("diskId"), "spec.disk.diskId")
    datastore = _named(node, "datastore", Datastore, inventory)
    if datastore is None or datastore not in host.datastores:
        raise faults.invalid_argument("spec.disk.datastore")
    backing = node.one("diskBackingInfo")
    wish = backing.value("thinProvisioned") if backing else None
    return disk.key, (datastore, disk.thin if wish is None else wish in {"true", "1"})


_D = TypeVar("_D", Disk, Nic)


def _device(devices: list[_D], key: int | None, argument: str) -> _D:
    for device in devices:
        if device.key == key:
            return device
    raise faults.invalid_argument(argument, f"device {key} is unknown")


def _nics(spec: Node, vm: Vm, host: Host) -> dict[int, Network]:
    chosen: dict[int, Network] = {}
    for number, change in enumerate(spec.all("deviceChange")):
        argument = f"spec.deviceChange[{number}]"
        device = change.one("device")
        if change.value("operation") != "edit" or device is None:
            raise faults.invalid_argument(f"{argument}.operation", "only NICs may be edited")
        nic = _device(vm.nics, device.number("key"), f"{argument}.device.key")
        if (device.value("macAddress") or nic.mac) != nic.mac:
            why = f"relocateSpec may not modify any property other than the network backing of device {nic.key}"
            raise faults.invalid_argument(f"{argument}.device", why)
        chosen[nic.key] = network_of(device.one("backing"), host, argument=f"{argument}.device.backing")
    home = {network.name: network for network in host.networks}
    for nic in vm.nics:  # a standard network is known by its name, so it is the one of that name over there
        if nic.key not in chosen and nic.network not in host.networks and not isinstance(nic.network, Portgroup):
            same = home.get(nic.network.name)
            if same is not None and not isinstance(same, Portgroup):
                chosen[nic.key] = same
    return chosen


def network_of(backing: Node | None, host: Host, *, argument: str) -> Network:
    """Return the network of a host that a card's backing means. Refuses with InvalidArgument what it has not."""
    if backing is None:
        raise faults.invalid_argument(argument)
    port = backing.one("port")
    for network in host.networks:
        if isinstance(network, Portgroup):
            if port and (port.value("portgroupKey"), port.value("switchUuid")) == (network.id, network.switch.uuid):
                return network
        elif not port and backing.value("deviceName") == network.name:
            return network
    name = port.value("portgroupKey") if port else backing.value("deviceName")
    raise faults.invalid_argument(argument, f"{host.name} has no network {name}")
