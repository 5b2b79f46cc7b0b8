"""The files of a VM: datastore paths, disks with their chains, and what they occupy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pyVmomi import vim

from bot.migration.facts import Disk
from bot.vsphere.properties import Row

PATHS = ("config.files.vmPathName", "config.hardware.device", "layoutEx")
DATASTORE = re.compile(r"\[(?P<name>.+?)\] ?")


def datastore_of(path: str | None) -> str:
    """Return the datastore's name in `[ds-c1-01] web01/web01.vmdk`, or empty."""
    found = DATASTORE.match(path or "")
    return found["name"] if found else ""


def disks_of(row: Row) -> tuple[Disk, ...]:
    """Return the virtual disks in the order of their keys."""
    devices = row["config.hardware.device"] or []
    layout = row["layoutEx"]
    disks = (_disk(device, layout) for device in devices if isinstance(device, vim.vm.device.VirtualDisk))
    return tuple(sorted(disks, key=lambda disk: disk.key))


def _disk(device: Any, layout: Any) -> Disk:
    backing = device.backing
    thin = bool(getattr(backing, "thinProvisioned", False))
    capacity = int(device.capacityInBytes or (device.capacityInKB or 0) * 1024)
    used = _used(device.key, layout)
    return Disk(
        key=int(device.key),
        label=device.deviceInfo.label if device.deviceInfo else f"disk {device.key}",
        path=getattr(backing, "fileName", "") or "",
        capacity=capacity,
        used=used if used is not None else capacity,
        thin=thin,
    )


def _used(key: int, layout: Any) -> int | None:
    """Return the size of all files in the disk's chain, or None where the layout does not say."""
    if layout is None:
        return None
    sizes = {entry.key: int(entry.size) for entry in layout.file}
    chains = [disk.chain for disk in layout.disk if disk.key == key]
    if not chains:
        return None
    return sum(sizes.get(file, 0) for link in chains[0] for file in link.fileKey)


def backing_paths(row: Row) -> tuple[str, ...]:
    """Return the path of every disk and of every parent in its chain, disks first."""
    devices = row["config.hardware.device"] or []
    backings: list[Any] = [device.backing for device in devices if isinstance(device, vim.vm.device.VirtualDisk)]
    paths: list[str] = []
    while backings:
        paths += [backing.fileName for backing in backings if getattr(backing, "fileName", None)]
        backings = [backing.parent for backing in backings if getattr(backing, "parent", None) is not None]
    return tuple(dict.fromkeys(paths))


def all_files(row: Row) -> Iterator[str]:
    """Yield the path of every file that vCenter counts to the VM: configuration, disks, and the layout's list."""
    if row["config.files.vmPathName"]:
        yield row["config.files.vmPathName"]
    yield from backing_paths(row)
    if row["layoutEx"] is not None:
        yield from (entry.name for entry in row["layoutEx"].file if entry.name)
