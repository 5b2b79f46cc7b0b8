"""What stands in the files of a VM: its disks byte by byte, and texts as short as they may be. No inventory changes.

Keys of the .vmx and of the descriptor are those that VMware's own files have (KB 1714 for the first, "Virtual Disk
Format 5.0" section 1.3 for the second); their order and what fills the rest is `invented`.
"""

from __future__ import annotations

import zlib

from bot.playground.esxi.disk_content import Content, Library, Seeded, Text
from bot.playground.vcenter.inventory import Disk, Vm, VmFile

_SECTOR = 512
_UNTOUCHED = {"nvram", "snapshotData"}
_CHANGE_BLOCKS = 2**20
_CHANGE_HEAD = 512


class DiskContents:
    """What stands on every disk of a world, by the disk's UUID: a move takes it along, whatever the disk becomes."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._by_disk: dict[str, Content] = {}

    def of(self, disk: Disk) -> Content:
        """Return what stands on a disk; the first time it is made from how full the disk is now."""
        if disk.uuid not in self._by_disk:
            self._by_disk[disk.uuid] = self.library.seeded(disk.uuid, size=disk.capacity, used=disk.used)
        return self._by_disk[disk.uuid]

    def fill(self, disk: Disk, content: Content) -> None:
        """Let this stand on a disk from now on."""
        self._by_disk[disk.uuid] = content

    def forget(self, disk: Disk) -> None:
        self._by_disk.pop(disk.uuid, None)


def content_of(vm: Vm, file: VmFile, disks: DiskContents) -> Content:
    """Return what stands in one of the VM's files."""
    disk = next((disk for disk in vm.disks if disk.key == file.disk), None)
    if disk and file.kind == "diskDescriptor":
        return Text(_filled(disk_descriptor(disk, file.path), file.size))
    if disk and file.kind == "diskExtent" and not file.path.endswith("-sesparse.vmdk"):
        return disks.of(disk)
    if file.kind in _UNTOUCHED or disk:
        return Seeded(f"{vm.instance_uuid}/{file.path}", file.size, file.size)
    make = {"config": _vmx, "snapshotList": _vmsd}.get(file.kind, _log)
    return Text(_filled(make(vm), file.size))


def change_tracking_files(vm: Vm) -> list[VmFile]:
    """Return the -ctk files of a VM whose changed blocks are tracked: a bit for each block of the disk."""
    if not vm.hardware.change_tracking:
        return []
    return [
        VmFile(
            "changeTracking", f"{disk.file.removesuffix('.vmdk')}-ctk.vmdk",
            _CHANGE_HEAD + disk.capacity // _CHANGE_BLOCKS // 8 + 1, disk.key, disk.datastore,
        )
        for disk in vm.disks
    ]  # fmt: skip


def disk_descriptor(disk: Disk, path: str) -> str:
    """Return the text that makes an extent a disk."""
    extent = path.rpartition("/")[2].removesuffix(".vmdk")
    digits = disk.uuid.replace("-", "")
    pairs = [digits[at : at + 2] for at in range(0, 32, 2)]
    return (
        "# Disk DescriptorFile\n"
        "version=1\n"
        'encoding="UTF-8"\n'
        f"CID={content_id(disk)}\n"
        "parentCID=ffffffff\n"
        'createType="vmfs"\n'
        "\n# Extent description\n"
        f'RW {disk.capacity // _SECTOR} VMFS "{extent}-flat.vmdk"\n'
        "\n# The Disk Data Base\n#DDB\n\n"
        'ddb.adapterType = "lsilogic"\n'
        f'ddb.thinProvisioned = "{int(disk.thin)}"\n'
        f'ddb.uuid = "{" ".join(pairs[:8])}-{" ".join(pairs[8:])}"\n'
        'ddb.virtualHWVersion = "21"\n'
    )


def content_id(disk: Disk) -> str:
    """Return the CID of a disk."""
    return f"{zlib.crc32(disk.uuid.encode()):08x}"


def _vmx(vm: Vm) -> bytes:
    rows = {
        ".encoding": "UTF-8", "config.version": "8", "displayName": vm.wire_name, "guestOS": "otherlinux-64",
        "memSize": "4096", "numvcpus": "2", "uuid.bios": vm.bios_uuid, "vc.uuid": vm.instance_uuid,
        "nvram": f"{vm.file_name}.nvram", "scsi0.present": "TRUE", "scsi0.virtualDev": "pvscsi",
    }  # fmt: skip
    for number, disk in enumerate(vm.disks):
        rows |= {f"scsi0:{number}.present": "TRUE", f"scsi0:{number}.fileName": disk.file}
        if vm.hardware.change_tracking:
            rows[f"scsi0:{number}.ctkEnabled"] = "TRUE"
    for number, nic in enumerate(vm.nics):
        rows |= {
            f"ethernet{number}.present": "TRUE", f"ethernet{number}.virtualDev": "vmxnet3",
            f"ethernet{number}.networkName": nic.network.wire_name, f"ethernet{number}.address": nic.mac,
        }  # fmt: skip
    return "".join(f'{key} = "{_quoted(value)}"\n' for key, value in rows.items()).encode()


def _quoted(value: str) -> str:
    """Escape what would end a value, as a .vmx does it: a bar and the code."""
    return value.replace("|", "|7C").replace('"', "|22")


def _vmsd(_vm: Vm) -> bytes:
    return b'.encoding = "UTF-8"\n'


def _log(vm: Vm) -> bytes:
    at = f"{vm.created:%Y-%m-%dT%H:%M:%S.000Z}" if vm.created else "2025-03-01T09:00:00.000Z"
    return f"{at} In(05) vmx - Log for VMware ESX pid=2099513 version={vm.host.version}\n".encode()


def _filled(text: str | bytes, size: int) -> bytes:
    """Bring a text to the size that its file has; a longer one stays whole."""
    text = text.encode() if isinstance(text, str) else text
    return text.ljust(size, b"\n")
