"""A VM's hardware beside disks and cards, as far as it hinders a move: drives, passthrough, ports, NVDIMM and TPM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pyVmomi import vim

from bot.migration.facts import Device

Hardware = vim.vm.device

_KINDS: Final[Mapping[type, str]] = {
    Hardware.VirtualFloppy: "floppy",
    Hardware.VirtualUSB: "usb",
    Hardware.VirtualSerialPort: "serial",
    Hardware.VirtualParallelPort: "parallel",
    Hardware.VirtualNVDIMM: "nvdimm",
    Hardware.VirtualTPM: "tpm",
}


def devices_of(devices: Iterable[Any]) -> tuple[Device, ...]:
    """Return those devices that facts have a kind for, in the order of their keys."""
    found = (_device(device) for device in devices)
    return tuple(sorted((device for device in found if device is not None), key=lambda device: device.key))


def bus_sharing_of(devices: Iterable[Any]) -> tuple[str, ...]:
    """Return how SCSI controllers share their bus; those that do not are left out."""
    controllers = (device for device in devices if isinstance(device, Hardware.VirtualSCSIController))
    return tuple(str(one.sharedBus) for one in controllers if str(one.sharedBus) != "noSharing")


def _device(device: Any) -> Device | None:
    kind = _kind(device)
    if not kind:
        return None
    return Device(
        key=int(device.key),
        kind=kind,
        label=device.deviceInfo.label if device.deviceInfo else f"{kind} {device.key}",
        detail=_detail(device.backing),
        connected=_connected(device),
    )


def _kind(device: Any) -> str:
    if isinstance(device, Hardware.VirtualCdrom):
        return _drive(device.backing)
    if isinstance(device, Hardware.VirtualPCIPassthrough):
        shared = isinstance(device.backing, Hardware.VirtualPCIPassthrough.VmiopBackingInfo)
        return "vgpu" if shared else "pci"
    return next((kind for type_, kind in _KINDS.items() if isinstance(device, type_)), "")


def _drive(backing: Any) -> str:
    match backing:
        case Hardware.VirtualCdrom.IsoBackingInfo():
            return "cdrom-iso"
        case Hardware.VirtualCdrom.AtapiBackingInfo() | Hardware.VirtualCdrom.PassthroughBackingInfo():
            return "cdrom-host"
        case _:
            return "cdrom-client"


def _detail(backing: Any) -> str:
    names = ("fileName", "vgpu", "deviceName", "serviceURI")
    return next((str(value) for name in names if (value := getattr(backing, name, None))), "")


def _connected(device: Any) -> bool:
    """Say whether it is connected now, or would be when the VM is powered on. What cannot be unplugged always is."""
    plug = device.connectable
    return plug is None or bool(plug.connected or plug.startConnected)
