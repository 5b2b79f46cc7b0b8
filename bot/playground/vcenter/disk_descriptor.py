"""The small file that makes an extent a disk: written for the disks of VMs, and read where people copied one.

Keys are those of "Virtual Disk Format 5.0", section 1.3; what fills the rest is `invented`.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from bot.playground.vcenter.inventory import Disk
from bot.playground.vcenter.naming import plain_uuid, spelled_uuid

_SECTOR = 512
_LARGEST = 64 * 2**10
_EXTENT = re.compile(r'^RW\s+(\d{1,15})\s+(\w+)\s+"([^"/]+)"(?:\s+\d+)?\s*$', re.MULTILINE)
_NO_PARENT = "ffffffff"
_RAW = {"physical": ("vmfsPassthroughRawDeviceMap", "rdmp"), "virtual": ("vmfsRawDeviceMap", "rdm")}


class BadDescriptorError(ValueError):
    """It does not describe a disk that a host of this player would open; the message says why."""


@dataclass(frozen=True)
class Descriptor:
    """A flat disk. `extent` is the name of the file beside it."""

    capacity: int
    extent: str
    thin: bool
    uuid: str
    adapter: str = "lsilogic"

    @property
    def text(self) -> bytes:
        return _text(self, f'RW {self.capacity // _SECTOR} VMFS "{self.extent}"', kind="vmfs")


def disk_descriptor(disk: Disk, path: str) -> bytes:
    """Return the descriptor of a VM's disk, or of a delta above it."""
    stem = path.rpartition("/")[2].removesuffix(".vmdk")
    base = disk.file.removesuffix(".vmdk")
    told = Descriptor(disk.capacity, f"{stem}-flat.vmdk", disk.thin, disk.uuid)
    if disk.raw:
        kind, ending = _RAW[disk.raw]
        return _text(told, f'RW {disk.capacity // _SECTOR} VMFSRDM "{stem}-{ending}.vmdk"', kind=kind)
    if stem == base:
        return told.text
    number = int(stem.rpartition("-")[2])
    parent = f"{base}-{number - 1:06d}.vmdk" if number > 1 else disk.file
    extent = f'RW {disk.capacity // _SECTOR} SESPARSE "{stem}-sesparse.vmdk"'
    return _text(told, extent, kind="seSparse", parent=parent)


def content_id(disk: Disk) -> str:
    """Return the CID of a disk."""
    return _content_id(disk.uuid)


def _content_id(uuid: str) -> str:
    return f"{zlib.crc32(uuid.encode()):08x}"


def _text(told: Descriptor, extent: str, *, kind: str, parent: str = "") -> bytes:
    hint = f'parentFileNameHint="{parent}"\n' if parent else ""
    return (
        "# Disk DescriptorFile\n"
        "version=1\n"
        'encoding="UTF-8"\n'
        f"CID={_content_id(told.uuid)}\n"
        f"parentCID={_content_id(told.uuid) if parent else _NO_PARENT}\n"
        f'createType="{kind}"\n{hint}'
        f"\n# Extent description\n{extent}\n"
        "\n# The Disk Data Base\n#DDB\n\n"
        f'ddb.adapterType = "{told.adapter}"\n'
        f'ddb.thinProvisioned = "{int(told.thin)}"\n'
        f'ddb.uuid = "{spelled_uuid(told.uuid)}"\n'
        'ddb.virtualHWVersion = "21"\n'
    ).encode()


def parse_descriptor(raw: bytes, *, new_uuid: str) -> Descriptor:
    """Read the descriptor of a flat disk; `new_uuid` is for one that has none.

    Refuses with BadDescriptorError what is no descriptor, and disks of other kinds, which only the tools read that
    wrote them: sparse ones, raw device mappings, deltas.
    """
    head = raw[:_LARGEST]
    if not head.lstrip().startswith(b"# Disk DescriptorFile"):
        raise BadDescriptorError("The file specified is not a virtual disk")
    text = head.decode(errors="replace")
    if _value(text, "parentCID", _NO_PARENT) != _NO_PARENT:
        raise BadDescriptorError(
            "One of the disks it depends on is a snapshot's parent, and chains are not played here"
        )
    kind = _value(text, "createType", "")
    extents = _EXTENT.findall(text)
    if kind != "vmfs" or len(extents) != 1 or extents[0][1] != "VMFS":
        raise BadDescriptorError(f"Unsupported or invalid disk type {kind!r}. Ensure that the disk has been imported")
    sectors, _, extent = extents[0]
    uuid = plain_uuid(_value(text, "ddb.uuid", "")) or new_uuid
    adapter = _value(text, "ddb.adapterType", "lsilogic")
    return Descriptor(int(sectors) * _SECTOR, extent, _value(text, "ddb.thinProvisioned", "0") == "1", uuid, adapter)


def _value(text: str, key: str, otherwise: str) -> str:
    found = re.search(rf'^{re.escape(key)}\s*=\s*"?([^"\n]*?)"?\s*$', text, re.MULTILINE)
    return found[1] if found else otherwise
