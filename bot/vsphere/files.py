"""The files of a VM: datastore paths, disks with their chains, and what they occupy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pyVmomi import vim

from bot.migration.facts import Disk
from bot.vsphere.properties import Row

PATHS = ("config.files.vmPathName", "config.hardware.device", "layoutEx")
Backing = vim.vm.device.VirtualDisk
_FORMS: Final[Mapping[type, str]] = {
    Backing.RawDiskMappingVer1BackingInfo: "rdm",
    Backing.SeSparseBackingInfo: "sesparse",
    Backing.SparseVer2BackingInfo: "delta",
    Backing.LocalPMemBackingInfo: "pmem",
    Backing.FlatVer2BackingInfo: "flat",
}
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
    path = getattr(backing, "fileName", "") or ""
    return Disk(
        key=int(device.key),
        label=device.deviceInfo.label if device.deviceInfo else f"disk {device.key}",
        path=path,
        capacity=capacity,
        used=used if used is not None else capacity,
        thin=thin,
        datastore=datastore_of(path),
        mode=str(getattr(backing, "diskMode", None) or "persistent"),
        sharing=str(getattr(backing, "sharing", None) or "sharingNone"),
        rdm=str(getattr(backing, "compatibilityMode", None) or ""),
        parents=sum(1 for _ in _behind(backing)),
        form=_form(backing),
        encrypted=getattr(backing, "keyId", None) is not None,
    )


def _form(backing: Any) -> str:
    """Return the kind of the backing that is written to; what is no kind of ours keeps the name of its type."""
    known = next((form for type_, form in _FORMS.items() if isinstance(backing, type_)), "")
    if known == "flat" and backing.parent is not None:
        return "sesparse" if backing.deltaDiskFormat == "seSparseFormat" else "delta"
    return known or type(backing).__name__.rpartition(".")[2].removesuffix("BackingInfo")


def _behind(backing: Any) -> Iterator[Any]:
    """Yield the backings that this one rests on, the nearest first."""
    while (backing := getattr(backing, "parent", None)) is not None:
        yield backing


def base_paths(row: Row) -> frozenset[str]:
    """Return the paths of those backings that rest on nothing: the disks themselves, without deltas."""
    found = ([backing, *_behind(backing)][-1] for backing in _backings(row))
    return frozenset(base.fileName for base in found if getattr(base, "fileName", None))


def is_linked_clone(row: Row) -> bool:
    """Say whether a disk rests on one in another directory, which is another VM's. Snapshots lie beside their disk."""
    chains = ([backing, *_behind(backing)] for backing in _backings(row))
    folders = ([_folder(getattr(one, "fileName", None)) for one in chain] for chain in chains)
    return any(len({folder for folder in chain if folder}) > 1 for chain in folders)


def _folder(path: str | None) -> str:
    return (path or "").rpartition("/")[0]


def _backings(row: Row) -> list[Any]:
    devices = row["config.hardware.device"] or []
    return [device.backing for device in devices if isinstance(device, vim.vm.device.VirtualDisk)]


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
    backings = _backings(row)
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
