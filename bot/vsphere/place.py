"""Where a VM really is: all of its files count, because the inventory's own word has been wrong after failures."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from bot.vsphere.files import PATHS, all_files, backing_paths, datastore_of, disks_of
from bot.vsphere.inventory import find_by_uuid
from bot.vsphere.networks import WANTED as NETWORKS
from bot.vsphere.networks import Networks
from bot.vsphere.port import VmPlace
from bot.vsphere.properties import Row, moid, read_each
from bot.vsphere.session import Connected
from bot.vsphere.tree import shown

VM = (*PATHS, "parent", "runtime.host", "datastore", "network")


def read_place(connected: Connected, uuid: str) -> VmPlace | None:
    """Say where the VM and its files are, or None when this vCenter has no such VM."""
    vm = find_by_uuid(connected, uuid)
    rows = read_each(connected, [vm], {vim.VirtualMachine: VM}) if vm is not None else []
    if not rows:
        return None
    row = rows[0]
    related = _related(connected, row)
    names = {entry.moid: shown(entry["name"]) for entry in related}
    holding = _holding(row, related)
    cards, disks = _cards(row), disks_of(row)
    networks = Networks(related)
    return VmPlace(
        host=names.get(moid(row["runtime.host"]), "") if row["runtime.host"] is not None else "",
        host_moid=moid(row["runtime.host"]) if row["runtime.host"] is not None else "",
        folder_moid=moid(row["parent"]) if row["parent"] is not None else None,
        vm_path_name=row["config.files.vmPathName"] or "",
        disk_paths=backing_paths(row),
        datastores=tuple(holding),
        datastore_moids=tuple(found for found in holding.values() if found),
        networks=tuple(names[moid(network)] for network in row["network"] or () if moid(network) in names),
        nics=tuple((_label(card), networks.name_of(card.backing)) for card in cards),
        macs=tuple((_label(card), card.macAddress or "") for card in cards),
        disks=tuple((disk.key, disk.path) for disk in disks),
        thin=tuple(disk.key for disk in disks if disk.thin),
    )


def _cards(row: Row) -> list[Any]:
    devices = row["config.hardware.device"] or []
    found = (device for device in devices if isinstance(device, vim.vm.device.VirtualEthernetCard))
    return sorted(found, key=lambda card: card.key)


def _label(card: Any) -> str:
    return str(card.deviceInfo.label) if card.deviceInfo else f"card {card.key}"


def _related(connected: Connected, row: Row) -> list[Row]:
    objects: list[Any] = [*(row["datastore"] or []), *(row["network"] or [])]
    if row["runtime.host"] is not None:
        objects.append(row["runtime.host"])
    return read_each(
        connected,
        objects,
        {
            vim.HostSystem: ("name",),
            vim.Datastore: ("name",),
            **NETWORKS,
        },
    )


def _holding(row: Row, related: list[Row]) -> dict[str, str]:
    """Map the datastores that hold files of the VM to their ids. An ISO in its drive is not a file of the VM."""
    known = {shown(entry["name"]): entry.moid for entry in related if isinstance(entry.ref, vim.Datastore)}
    names = dict.fromkeys(datastore_of(path) for path in all_files(row))
    return {name: known.get(name, "") for name in names if name}
