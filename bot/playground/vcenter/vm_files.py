"""What stands in the files of a VM: its disks byte by byte, and texts as short as they may be. No inventory changes.

The .vmx is written in `vmx`, descriptors in `disk_descriptor`; how the others look is `invented`.
"""

from __future__ import annotations

from bot.playground.esxi.disk_content import Content, Library, Seeded, Text
from bot.playground.vcenter.disk_descriptor import disk_descriptor
from bot.playground.vcenter.freight import kept_of
from bot.playground.vcenter.inventory import Disk, Vm, VmFile
from bot.playground.vcenter.vmx import vmx_of

_UNTOUCHED = {"nvram", "snapshotData"}
_CHANGE_BLOCKS = 2**20
_CHANGE_HEAD = 512


class DiskContents:
    """What stands on every disk of a world: a move takes it along, whatever the disk becomes. Small files that came
    with a VM are kept here too, by the VM's instance UUID and their path below its directory.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self._by_disk: dict[Disk, Content] = {}
        self._brought: dict[tuple[str, str], Content] = {}

    def of(self, disk: Disk) -> Content:
        """Return what stands on a disk; the first time it is made from how full the disk is now."""
        if disk not in self._by_disk:
            self._by_disk[disk] = self.library.seeded(disk.uuid, size=disk.capacity, used=kept_of(disk))
        return self._by_disk[disk]

    def fill(self, disk: Disk, content: Content) -> None:
        """Let this stand on a disk from now on."""
        self._by_disk[disk] = content

    def forget(self, disk: Disk) -> None:
        self._by_disk.pop(disk, None)

    def bring(self, vm: Vm, path: str, content: Content) -> None:
        """Let this stand in one of a VM's small files."""
        self._brought[vm.instance_uuid, path] = content

    def brought(self, vm: Vm, path: str) -> Content | None:
        return self._brought.get((vm.instance_uuid, path))

    def forget_vm(self, vm: Vm) -> None:
        """Forget all that stands in a VM's files."""
        for disk in vm.disks:
            self.forget(disk)
        for key in [key for key in self._brought if key[0] == vm.instance_uuid]:
            del self._brought[key]


def content_of(vm: Vm, file: VmFile, disks: DiskContents) -> Content:
    """Return what stands in one of the VM's files. Its host writes the .vmx, whatever stood there before."""
    brought = disks.brought(vm, file.path)
    if brought and file.kind != "config":
        return brought
    disk = next((disk for disk in vm.disks if disk.key == file.disk), None)
    if disk and file.kind == "diskDescriptor":
        return Text(_filled(disk_descriptor(disk, file.path), file.size))
    if disk and file.kind == "diskExtent" and not file.path.endswith("-sesparse.vmdk"):
        return disks.of(disk)
    if file.kind in _UNTOUCHED or disk:
        return Seeded(f"{vm.instance_uuid}/{file.path}", file.size, file.size)
    make = {"config": vmx_of, "snapshotList": _vmsd}.get(file.kind, _log)
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
        for disk in vm.disks if disk.flaw is None
    ]  # fmt: skip


def _vmsd(_vm: Vm) -> bytes:
    return b'.encoding = "UTF-8"\n'


def _log(vm: Vm) -> bytes:
    at = f"{vm.created:%Y-%m-%dT%H:%M:%S.000Z}" if vm.created else "2025-03-01T09:00:00.000Z"
    return f"{at} In(05) vmx - Log for VMware ESX pid=2099513 version={vm.host.version}\n".encode()


def _filled(text: bytes, size: int) -> bytes:
    """Bring a text to the size that its file has; a longer one stays whole."""
    return text.ljust(size, b"\n")
