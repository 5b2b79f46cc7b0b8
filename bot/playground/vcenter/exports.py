"""What a lease for an export is made of: the VM's disks as they are now, without the chain of snapshots below them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.playground.vcenter import faults
from bot.playground.vcenter.inventory import Vm
from bot.playground.vcenter.leases import Device, device_key
from bot.playground.vcenter.universe import Estate
from bot.playground.vcenter.vm_files import content_of

CONTROLLER = "ParaVirtualSCSIController0"
_CONTROLLERS_UNIT = 7


@dataclass(frozen=True)
class Export:
    """The purpose of a lease that only reads."""

    estate: Estate
    vm: Vm

    def prepare(self) -> None:
        if self.estate.universe.conditions.is_locked(self.vm):
            raise faults.file_locked(self.vm.vmx_path)

    def settle(self) -> None:
        """Leave everything as it was."""

    def undo(self) -> None:
        """Leave everything as it was."""


def exported_devices(estate: Estate, vm: Vm) -> Iterator[Device]:
    """Yield the disks and the .nvram of a VM. Raw device mappings travel with the content of their LUN."""
    disks = estate.universe.depot.disks
    for number, disk in enumerate(vm.disks):
        key = device_key(vm.id, CONTROLLER, number if number < _CONTROLLERS_UNIT else number + 1)
        yield Device(f"disk-{number}.vmdk", key, key, disk.datastore, disk=disk, content=disks.of(disk))
    for file in vm.files:
        if file.kind == "nvram":
            key = f"/{vm.id}/nvram"
            content = content_of(vm, file, disks)
            yield Device(f"disk-{len(vm.disks)}.nvram", key, key, file.datastore, content=content)
