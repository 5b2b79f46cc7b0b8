"""How a virtual machine looks on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.playground.vcenter.inventory import Nic, Portgroup, Vm
from bot.playground.vcenter.wire import Data, Ref

if TYPE_CHECKING:
    from bot.playground.vcenter.properties import Maker, Reader

_SCSI = 1000
_SCSI_SELF = 7
_HARDWARE = {"9": "vmx-21", "8": "vmx-21", "7": "vmx-19", "6": "vmx-14", "5": "vmx-10", "4": "vmx-07"}


def _config(reader: Reader, vm: Vm) -> Data:
    now = reader.estate.universe.clock()
    return Data(
        "VirtualMachineConfigInfo",
        changeVersion=str(reader.estate.inventory.changes.of(vm.ref)),
        modified=vm.created or now,
        name=vm.name,
        guestFullName="Other Linux (64-bit)",
        version=_HARDWARE.get(vm.host.version.partition(".")[0], "vmx-21"),
        uuid=vm.bios_uuid,
        createDate=vm.created,
        instanceUuid=vm.instance_uuid,
        template=vm.template,
        guestId="otherLinux64Guest",
        alternateGuestName="",
        files=Data(
            "VirtualMachineFileInfo",
            vmPathName=vm.vmx_path,
            snapshotDirectory=f"[{vm.datastore.name}] {vm.directory}/",
            suspendDirectory=f"[{vm.datastore.name}] {vm.directory}/",
            logDirectory=f"[{vm.datastore.name}] {vm.directory}/",
        ),
        flags=Data("VirtualMachineFlagInfo"),
        defaultPowerOps=Data("VirtualMachineDefaultPowerOpInfo"),
        hardware=Data("VirtualHardware", numCPU=2, numCoresPerSocket=1, memoryMB=4096, device=_devices(vm)),
        changeTrackingEnabled=False,
    )


def _devices(vm: Vm) -> list[Data]:
    controller = Data(
        "ParaVirtualSCSIController",
        key=_SCSI,
        deviceInfo=Data("Description", label="SCSI controller 0", summary="VMware paravirtual SCSI"),
        busNumber=0,
        device=[disk.key for disk in vm.disks],
        hotAddRemove=True,
        sharedBus="noSharing",
        scsiCtlrUnitNumber=_SCSI_SELF,
    )
    return [controller, *_disks(vm), *(_nic(nic, vm) for nic in vm.nics)]


def _disks(vm: Vm) -> list[Data]:
    return [
        Data(
            "VirtualDisk",
            key=disk.key,
            deviceInfo=Data("Description", label=disk.label, summary=f"{disk.capacity // 1024:,} KB"),
            backing=Data(
                "VirtualDiskFlatVer2BackingInfo",
                fileName=f"[{disk.datastore.name}] {vm.directory}/{disk.file}",
                datastore=disk.datastore.ref,
                diskMode="persistent",
                split=False,
                writeThrough=False,
                thinProvisioned=disk.thin,
                uuid=disk.uuid,
            ),
            controllerKey=_SCSI,
            unitNumber=number if number < _SCSI_SELF else number + 1,
            capacityInKB=disk.capacity // 1024,
            capacityInBytes=disk.capacity,
        )
        for number, disk in enumerate(vm.disks)
    ]


def _nic(nic: Nic, vm: Vm) -> Data:
    on = vm.power == "poweredOn"
    return Data(
        "VirtualVmxnet3",
        key=nic.key,
        deviceInfo=Data("Description", label=nic.label, summary=nic.network.name),
        backing=nic_backing(nic),
        connectable=Data(
            "VirtualDeviceConnectInfo",
            startConnected=True,
            allowGuestControl=True,
            connected=on,
            status="ok" if on else "untried",
        ),
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


def _runtime(_reader: Reader, vm: Vm) -> Data:
    return Data(
        "VirtualMachineRuntimeInfo",
        host=vm.host.ref,
        connectionState="connected" if vm.host.connected else "disconnected",
        powerState=vm.power,
        toolsInstallerMounted=False,
        question=_question(vm),
        numMksConnections=0,
        recordReplayState="inactive",
        onlineStandby=False,
        consolidationNeeded=False,
        faultToleranceState="notConfigured",
    )


def _question(vm: Vm) -> Data | None:
    if vm.question is None:
        return None
    answers = [
        Data("ElementDescription", label=word, summary=word, key=str(at)) for at, word in enumerate(("Yes", "No"))
    ]
    choice = Data("ChoiceOption", valueIsReadonly=False, choiceInfo=answers)
    return Data("VirtualMachineQuestionInfo", id="1", text=vm.question, choice=choice)


def _storage_summary(reader: Reader, vm: Vm) -> Data:
    capacity = sum(disk.capacity for disk in vm.disks)
    return Data(
        "VirtualMachineStorageSummary",
        committed=vm.committed,
        uncommitted=capacity - sum(disk.used for disk in vm.disks),
        unshared=vm.committed,
        timestamp=reader.estate.universe.clock(),
    )


def _summary(reader: Reader, vm: Vm) -> Data:
    return Data(
        "VirtualMachineSummary",
        vm=vm.ref,
        runtime=_runtime(reader, vm),
        config=Data(
            "VirtualMachineConfigSummary",
            name=vm.name,
            template=vm.template,
            vmPathName=vm.vmx_path,
            memorySizeMB=4096,
            numCpu=2,
            numEthernetCards=len(vm.nics),
            numVirtualDisks=len(vm.disks),
            uuid=vm.bios_uuid,
            instanceUuid=vm.instance_uuid,
            guestId="otherLinux64Guest",
            guestFullName="Other Linux (64-bit)",
        ),
        storage=_storage_summary(reader, vm),
        quickStats=Data("VirtualMachineQuickStats", guestHeartbeatStatus="gray"),
        overallStatus="green",
    )


def _layout(reader: Reader, vm: Vm) -> Data:
    files, disks = [], {disk.key: list[int]() for disk in vm.disks}
    for key, file in enumerate(vm.files):
        files.append(
            Data(
                "VirtualMachineFileLayoutExFileInfo",
                key=key,
                name=f"[{file.datastore.name}] {vm.directory}/{file.path}",
                type_=file.kind,
                size=file.size,
                uniqueSize=file.size,
                accessible=True,
            )
        )
        if file.disk:
            disks[file.disk].append(key)
    chains = [
        Data(
            "VirtualMachineFileLayoutExDiskLayout",
            key=disk,
            chain=[
                Data("VirtualMachineFileLayoutExDiskUnit", fileKey=keys[at : at + 2]) for at in range(0, len(keys), 2)
            ],
        )
        for disk, keys in disks.items()
    ]
    return Data("VirtualMachineFileLayoutEx", file=files, disk=chains, timestamp=reader.estate.universe.clock())


def _storage(reader: Reader, vm: Vm) -> Data:
    usage = []
    for store in vm.datastores:
        used = sum(file.size for file in vm.files if file.datastore is store)
        usage.append(
            Data("VirtualMachineUsageOnDatastore", datastore=store.ref, committed=used, uncommitted=0, unshared=used)
        )
    return Data("VirtualMachineStorageInfo", perDatastoreUsage=usage, timestamp=reader.estate.universe.clock())


def _snapshot(_reader: Reader, vm: Vm) -> Data | None:
    if vm.snapshot is None:
        return None
    ref = Ref("VirtualMachineSnapshot", vm.snapshot)
    tree = Data(
        "VirtualMachineSnapshotTree",
        snapshot=ref,
        vm=vm.ref,
        name="before update",
        description="",
        id=1,
        createTime=vm.created,
        state="poweredOff",
        quiesced=False,
        replaySupported=False,
    )
    return Data("VirtualMachineSnapshotInfo", currentSnapshot=ref, rootSnapshotList=[tree])


def _guest(_reader: Reader, vm: Vm) -> Data:
    on = vm.power == "poweredOn"
    running = "guestToolsRunning" if on else "guestToolsNotRunning"
    return Data("GuestInfo", toolsRunningStatus=running, guestState="running" if on else "notRunning")


VM: dict[str, Maker] = {
    "config": _config,
    "runtime": _runtime,
    "summary": _summary,
    "layoutEx": _layout,
    "storage": _storage,
    "snapshot": _snapshot,
    "guest": _guest,
    "rootSnapshot": lambda _reader, vm: [Ref("VirtualMachineSnapshot", vm.snapshot)] if vm.snapshot else [],
    "resourcePool": lambda _reader, vm: vm.pool.ref,
    "datastore": lambda _reader, vm: [store.ref for store in vm.datastores],
    "network": lambda _reader, vm: [network.ref for network in vm.networks],
    "disabledMethod": lambda _reader, vm: list(vm.disabled_methods),
    "guestHeartbeatStatus": lambda _reader, _vm: "gray",
}
