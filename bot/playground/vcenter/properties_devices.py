"""How a VM's hardware looks on the wire: controllers, disks with their chains, cards, and what hinders a move."""

from __future__ import annotations

from bot.playground.vcenter.inventory import Disk, Nic, Portgroup, Vm
from bot.playground.vcenter.wire import Data, Ref

_SCSI = 1000
_SCSI_SELF = 7
_IDE = 200
FIRST_DRIVE = 3000
OTHERS = 12000
_SHARING = {"none": "noSharing", "virtual": "virtualSharing", "physical": "physicalSharing"}
_LABELS = {
    "iso": "CD/DVD drive",
    "host-cd": "CD/DVD drive",
    "client-cd": "CD/DVD drive",
    "floppy": "Floppy drive",
    "client-floppy": "Floppy drive",
    "usb": "USB device",
    "pci": "PCI device",
    "vgpu": "PCI device",
    "serial": "Serial port",
    "parallel": "Parallel port",
    "nvdimm": "NVDIMM",
    "vtpm": "Virtual TPM",
}
_TYPES = {
    "iso": "VirtualCdrom",
    "host-cd": "VirtualCdrom",
    "client-cd": "VirtualCdrom",
    "floppy": "VirtualFloppy",
    "client-floppy": "VirtualFloppy",
    "usb": "VirtualUSB",
    "pci": "VirtualPCIPassthrough",
    "vgpu": "VirtualPCIPassthrough",
    "serial": "VirtualSerialPort",
    "parallel": "VirtualParallelPort",
    "nvdimm": "VirtualNVDIMM",
    "vtpm": "VirtualTPM",
}
ON_IDE = {"iso", "host-cd", "client-cd"}
"""The kinds of devices that are CD drives."""


def devices(vm: Vm) -> list[Data]:
    """Return config.hardware.device."""
    others = list(vm.hardware.devices) + ([("vtpm", "")] if vm.hardware.vtpm else [])
    extra = [_other(number, kind, detail, vm) for number, (kind, detail) in enumerate(others)]
    drives = any(kind in ON_IDE for kind, _ in others)
    ide = [Data("VirtualIDEController", key=_IDE, deviceInfo=_info("IDE 0", "IDE 0"), busNumber=0)] if drives else []
    return [*ide, _controller(vm), *_disks(vm), *extra, *(_nic(nic, vm) for nic in vm.nics)]


def _info(label: str, summary: str) -> Data:
    return Data("Description", label=label, summary=summary)


def _controller(vm: Vm) -> Data:
    return Data(
        "ParaVirtualSCSIController",
        key=_SCSI,
        deviceInfo=_info("SCSI controller 0", "VMware paravirtual SCSI"),
        busNumber=0,
        device=[disk.key for disk in vm.disks],
        hotAddRemove=True,
        sharedBus=_SHARING[vm.hardware.bus_sharing],
        scsiCtlrUnitNumber=_SCSI_SELF,
    )


def _disks(vm: Vm) -> list[Data]:
    return [
        Data(
            "VirtualDisk",
            key=disk.key,
            deviceInfo=_info(disk.label, f"{disk.capacity // 1024:,} KB"),
            backing=_backing(disk, vm),
            controllerKey=_SCSI,
            unitNumber=number if number < _SCSI_SELF else number + 1,
            capacityInKB=disk.capacity // 1024,
            capacityInBytes=disk.capacity,
        )
        for number, disk in enumerate(vm.disks)
    ]


def _backing(disk: Disk, vm: Vm) -> Data:
    if disk.pmem:
        return _pmem(disk, vm)
    return _raw_backing(disk, vm) if disk.raw else _chain(disk, vm)


def _chain(disk: Disk, vm: Vm) -> Data:
    """Return the disk's backing: the newest delta, its parent, down to the flat file."""
    stem = disk.file.removesuffix(".vmdk")
    files = [disk.file, *(f"{stem}-{number:06d}.vmdk" for number in range(1, vm.deltas(disk) + 1))]
    backing = _foreign(disk, vm) if vm.hardware.linked_to else None
    for file in files:
        backing = _flat(disk, vm, file, below=backing)
    return backing or _flat(disk, vm, disk.file, below=None)


def _foreign(disk: Disk, vm: Vm) -> Data:
    """Return the disk of another VM that a linked clone's own rests on."""
    there = vm.hardware.linked_to
    return Data(
        "VirtualDiskFlatVer2BackingInfo",
        fileName=f"[{disk.datastore.name}] {there}/{there}.vmdk",
        datastore=disk.datastore.ref,
        diskMode="persistent",
        thinProvisioned=disk.thin,
    )


def _pmem(disk: Disk, vm: Vm) -> Data:
    return Data(
        "VirtualDiskLocalPMemBackingInfo",
        fileName=f"[{disk.datastore.name}] {vm.directory}/{disk.file}",
        datastore=disk.datastore.ref,
        diskMode="independent_persistent",
        uuid=disk.uuid,
        volumeUUID=vm.host.uuid,
    )


def _flat(disk: Disk, vm: Vm, file: str, *, below: Data | None) -> Data:
    return Data(
        "VirtualDiskFlatVer2BackingInfo",
        fileName=f"[{disk.datastore.name}] {vm.directory}/{file}",
        datastore=disk.datastore.ref,
        diskMode="independent_persistent" if disk.independent else "persistent",
        split=False,
        writeThrough=False,
        thinProvisioned=disk.thin,
        uuid=disk.uuid,
        sharing="sharingMultiWriter" if disk.shared else "sharingNone",
        changeId=f"{disk.uuid}/1" if vm.hardware.change_tracking else None,
        keyId=key_id(vm),
        parent=below,
        deltaDiskFormat="seSparseFormat" if below else None,
    )


def _raw_backing(disk: Disk, vm: Vm) -> Data:
    return Data(
        "VirtualDiskRawDiskMappingVer1BackingInfo",
        fileName=f"[{disk.datastore.name}] {vm.directory}/{disk.file}",
        datastore=disk.datastore.ref,
        lunUuid=f"0200000000{disk.uuid.replace('-', '')}",
        deviceName=f"vml.0200000000{disk.uuid.replace('-', '')}",
        compatibilityMode=f"{disk.raw}Mode",
        diskMode="independent_persistent" if disk.raw == "physical" else "persistent",
        uuid=disk.uuid,
        sharing="sharingNone",
    )


def key_id(vm: Vm) -> Data | None:
    """Return the key that the VM's home is encrypted with, or None."""
    if not vm.hardware.encrypted:
        return None
    return Data("CryptoKeyId", keyId=vm.bios_uuid, providerId=Data("KeyProviderId", id="native-1"))


def _other(number: int, kind: str, detail: str, vm: Vm) -> Data:
    on_ide = kind in ON_IDE
    return Data(
        _TYPES[kind],
        key=(FIRST_DRIVE if on_ide else OTHERS) + number,
        deviceInfo=_info(f"{_LABELS[kind]} {number + 1}", detail or kind),
        backing=_other_backing(kind, detail, vm),
        connectable=_plugged(number, kind, vm) if on_ide or kind in {"floppy", "client-floppy", "serial"} else None,
        controllerKey=_IDE if on_ide else None,
        unitNumber=number if on_ide else None,
        **_peculiar(kind),
    )


def _peculiar(kind: str) -> dict[str, object]:
    fields: dict[str, dict[str, object]] = {
        "usb": {"connected": True},
        "serial": {"yieldOnPoll": True},
        "nvdimm": {"capacityInMB": 1024},
    }
    return fields.get(kind, {})


def _other_backing(kind: str, detail: str, vm: Vm) -> Data | None:
    if kind in {"iso", "nvdimm"}:
        name = detail or f"[{vm.datastore.name}] {vm.directory}/{vm.file_name}_1.vmdk"
        store = name[1:].partition("]")[0]
        found = next((store_.ref for store_ in vm.host.datastores if store_.name == store), None)
        type_ = "VirtualCdromIsoBackingInfo" if kind == "iso" else "VirtualNVDIMMBackingInfo"
        return Data(type_, fileName=name, datastore=found)
    if kind == "vgpu":
        return Data("VirtualPCIPassthroughVmiopBackingInfo", vgpu=detail or "grid_a100-4c", migrateSupported=True)
    if kind == "pci":
        return Data(
            "VirtualPCIPassthroughDeviceBackingInfo", deviceName=detail or "NIC", id="0000:3b:00.0", deviceId="1572",
            systemId=vm.host.uuid, vendorId=-32634,
        )  # fmt: skip
    plain = {
        "host-cd": ("VirtualCdromAtapiBackingInfo", "/vmfs/devices/cdrom/mpx.vmhba32:C0:T0:L0"),
        "client-cd": ("VirtualCdromRemotePassthroughBackingInfo", ""),
        "client-floppy": ("VirtualFloppyRemoteDeviceBackingInfo", ""),
        "usb": ("VirtualUSBUSBBackingInfo", "path:1/0/1"),
        "serial": ("VirtualSerialPortDeviceBackingInfo", "/dev/char/serial/uart0"),
        "parallel": ("VirtualParallelPortDeviceBackingInfo", "/dev/char/parallel/parallel0"),
    }
    if kind == "floppy":
        return Data("VirtualFloppyImageBackingInfo", fileName=detail or f"[{vm.datastore.name}] floppy.flp")
    if kind not in plain:
        return None
    type_, device = plain[kind]
    fields = {"exclusive": False} if kind == "client-cd" else {}
    return Data(type_, deviceName=detail or device, **fields)


def _plugged(number: int, kind: str, vm: Vm) -> Data:
    plugged = kind not in {"client-cd", "client-floppy"} and number not in vm.hardware.unplugged
    return _connectable(vm, starts=plugged, connected=plugged)


def _connectable(vm: Vm, *, starts: bool, connected: bool) -> Data:
    on = vm.power == "poweredOn"
    return Data(
        "VirtualDeviceConnectInfo",
        startConnected=starts,
        allowGuestControl=True,
        connected=on and connected,
        status="ok" if on else "untried",
    )


def _nic(nic: Nic, vm: Vm) -> Data:
    return Data(
        "VirtualVmxnet3",
        key=nic.key,
        deviceInfo=_info(nic.label, nic.network.wire_name),
        backing=nic_backing(nic),
        connectable=_connectable(vm, starts=nic.starts_connected, connected=nic.connected),
        unitNumber=nic.key - 4000 + _SCSI_SELF,
        addressType="assigned",
        macAddress=nic.mac,
        wakeOnLanEnabled=True,
    )


def nic_backing(nic: Nic) -> Data:
    """Return the backing of a NIC: a standard network by name, or a distributed portgroup by key."""
    if not isinstance(nic.network, Portgroup):
        return Data("VirtualEthernetCardNetworkBackingInfo", deviceName=nic.network.name, network=nic.network.ref)
    port = Data(
        "DistributedVirtualSwitchPortConnection",
        switchUuid=nic.network.switch.uuid,
        portgroupKey=nic.network.id,
    )
    return Data("VirtualEthernetCardDistributedVirtualPortBackingInfo", port=port)


def snapshot_refs(vm: Vm) -> list[Ref]:
    """Return the VM's snapshots, root first."""
    return [Ref("VirtualMachineSnapshot", id_) for id_ in vm.snapshots]
