"""Reading an ImportSpec: what VM is to be made, of which disks and cards. No lease, no bytes.

Played are name, annotation, place of the files, SCSI and NVMe controllers, disks and network cards; devices of other
kinds are passed over, as they have no content here.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.playground.vcenter import faults
from bot.playground.vcenter.datastore_paths import locate
from bot.playground.vcenter.inventory import Datastore, Folder, Host, Network, Pool, Portgroup
from bot.playground.vcenter.leases import device_key
from bot.playground.vcenter.wire import Node

_CARDS = {"VirtualVmxnet3", "VirtualVmxnet2", "VirtualE1000", "VirtualE1000e", "VirtualPCNet32", "VirtualEthernetCard"}
_UNNAMED = "VirtualLsiLogicController0"


@dataclass(frozen=True)
class DiskPlan:
    capacity: int
    thin: bool
    store: Datastore
    import_key: str
    place: tuple[str, int]
    """Controller and unit."""


@dataclass(frozen=True)
class ImportPlan:
    """A VM that is to be made."""

    name: str
    host: Host
    pool: Pool
    folder: Folder
    store: Datastore
    disks: tuple[DiskPlan, ...]
    networks: tuple[Network, ...]
    bios_uuid: str | None
    instance_uuid: str | None


def parse_import_spec(spec: Node, *, host: Host, pool: Pool, folder: Folder) -> ImportPlan:
    """Read a spec. Refuses with NotSupported what is no VM, with InvalidArgument what cannot be made there."""
    config = spec.one("configSpec")
    if spec.type != "VirtualMachineImportSpec" or config is None:
        raise faults.not_supported("only a VirtualMachineImportSpec is played")
    name = config.value("name")
    if not name:
        raise faults.invalid_argument("spec.configSpec.name")
    store = _store(config, host)
    devices = [device for change in config.all("deviceChange") if (device := change.one("device"))]
    controllers = {key: _controller(device) for device in devices if (key := device.number("key")) is not None}
    disks = tuple(_disk(device, name, store, controllers) for device in devices if device.type == "VirtualDisk")
    cards = [device for device in devices if device.type in _CARDS]
    return ImportPlan(
        name, host, pool, folder, store, disks, tuple(_network(card, host) for card in cards),
        config.value("uuid"), config.value("instanceUuid"),
    )  # fmt: skip


def _store(config: Node, host: Host) -> Datastore:
    files = config.one("files")
    store, _ = locate((files.value("vmPathName") if files else None) or "", host.home, host.datacenter)
    if store not in host.datastores:
        raise faults.invalid_argument("spec.configSpec.files.vmPathName", f"{host.name} cannot reach {store.name}")
    return store


def _controller(device: Node) -> str:
    return f"{device.type}{device.number('busNumber') or 0}"


def _disk(device: Node, owner: str, store: Datastore, controllers: dict[int, str]) -> DiskPlan:
    capacity = device.number("capacityInBytes") or (device.number("capacityInKB") or 0) * 1024
    if capacity <= 0:
        raise faults.invalid_argument("spec.configSpec.deviceChange.device.capacityInKB")
    backing = device.one("backing")
    place = controllers.get(device.number("controllerKey") or 0, _UNNAMED), device.number("unitNumber") or 0
    thin = backing is not None and backing.flag("thinProvisioned")
    return DiskPlan(capacity, thin, store, device_key(owner, *place), place)


def _network(card: Node, host: Host) -> Network:
    backing = card.one("backing")
    port = backing.one("port") if backing else None
    wanted = port.value("portgroupKey") if port else backing.value("deviceName") if backing else None
    for network in host.networks:
        if wanted == (network.id if isinstance(network, Portgroup) else network.name):
            return network
    raise faults.invalid_argument("spec.configSpec.deviceChange.device.backing", f"{host.name} has no {wanted}")
