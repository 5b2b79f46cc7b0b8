"""How a virtual machine looks on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.playground.vcenter.inventory import VApp, Vm
from bot.playground.vcenter.properties_devices import devices, key_id, snapshot_refs
from bot.playground.vcenter.questions import choices
from bot.playground.vcenter.vmx import hardware_version
from bot.playground.vcenter.wire import Data

if TYPE_CHECKING:
    from bot.playground.vcenter.properties import Maker, Reader


def _config(reader: Reader, vm: Vm) -> Data:
    now = reader.estate.universe.clock()
    return Data(
        "VirtualMachineConfigInfo",
        changeVersion=str(reader.estate.inventory.changes.of(vm.ref)),
        modified=vm.created or now,
        name=vm.wire_name,
        guestFullName="Other Linux (64-bit)",
        version=f"vmx-{hardware_version(vm):02d}",
        uuid=vm.bios_uuid,
        createDate=vm.created,
        instanceUuid=vm.instance_uuid,
        template=vm.template,
        guestId="otherLinux64Guest",
        alternateGuestName="",
        annotation=vm.annotation,
        files=Data(
            "VirtualMachineFileInfo",
            vmPathName=vm.vmx_path,
            snapshotDirectory=f"[{vm.datastore.name}] {vm.directory}/",
            suspendDirectory=f"[{vm.datastore.name}] {vm.directory}/",
            logDirectory=f"[{vm.datastore.name}] {vm.directory}/",
        ),
        flags=Data("VirtualMachineFlagInfo"),
        defaultPowerOps=Data("VirtualMachineDefaultPowerOpInfo"),
        hardware=Data(
            "VirtualHardware",
            numCPU=vm.hardware.cpus,
            numCoresPerSocket=1,
            memoryMB=vm.hardware.memory_mb,
            device=devices(vm),
        ),
        extraConfig=[Data("OptionValue", key=key, value=value) for key, value in vm.extra.items()],
        memoryAllocation=Data("ResourceAllocationInfo", reservation=vm.hardware.reserved_mb, limit=-1),
        ftInfo=_pair(vm),
        managedBy=_owner(vm),
        changeTrackingEnabled=vm.hardware.change_tracking,
        keyId=key_id(vm),
    )


def _pair(vm: Vm) -> Data | None:
    """Return what makes the VM the primary of a pair for Fault Tolerance, or None."""
    if not vm.hardware.fault_tolerance:
        return None
    return Data("FaultToleranceConfigInfo", role=1, instanceUuids=[vm.instance_uuid], configPaths=[vm.vmx_path])


def _owner(vm: Vm) -> Data | None:
    return Data("ManagedByInfo", extensionKey=vm.hardware.managed_by, type_="vm") if vm.hardware.managed_by else None


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
        consolidationNeeded=vm.strays > 0,
        cryptoState="safe" if vm.hardware.encrypted else None,
        faultToleranceState=_fault_tolerance(vm),
        minRequiredEVCModeKey=vm.hardware.min_evc or None,
    )


def _fault_tolerance(vm: Vm) -> str:
    if not vm.hardware.fault_tolerance:
        return "notConfigured"
    return "running" if vm.power == "poweredOn" else "enabled"


def _question(vm: Vm) -> Data | None:
    if vm.question is None:
        return None
    answers = [Data("ElementDescription", label=word, summary=word, key=str(at)) for at, word in enumerate(choices(vm))]
    choice = Data("ChoiceOption", valueIsReadonly=False, choiceInfo=answers)
    return Data("VirtualMachineQuestionInfo", id=vm.question_id, text=vm.question, choice=choice)


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
            name=vm.wire_name,
            template=vm.template,
            vmPathName=vm.vmx_path,
            memorySizeMB=vm.hardware.memory_mb,
            numCpu=vm.hardware.cpus,
            numEthernetCards=len(vm.nics),
            numVirtualDisks=len(vm.disks),
            uuid=vm.bios_uuid,
            instanceUuid=vm.instance_uuid,
            guestId="otherLinux64Guest",
            guestFullName="Other Linux (64-bit)",
            annotation=vm.annotation,
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
    tree: Data | None = None
    refs = snapshot_refs(vm)
    for number in range(len(refs), 0, -1):
        tree = Data(
            "VirtualMachineSnapshotTree",
            snapshot=refs[number - 1],
            vm=vm.ref,
            name="before update" if number == 1 else f"before update {number}",
            description="",
            id=number,
            createTime=vm.created,
            state="poweredOff",
            quiesced=False,
            childSnapshotList=[tree] if tree else None,
            replaySupported=False,
        )
    return Data("VirtualMachineSnapshotInfo", currentSnapshot=refs[-1], rootSnapshotList=[tree]) if tree else None


def _guest(_reader: Reader, vm: Vm) -> Data:
    on = vm.power == "poweredOn" and vm.hardware.tools
    running = "guestToolsRunning" if on else "guestToolsNotRunning"
    return Data("GuestInfo", toolsRunningStatus=running, guestState="running" if on else "notRunning")


VM: dict[str, Maker] = {
    "parent": lambda _reader, vm: vm.parent.ref if vm.parent and not isinstance(vm.parent, VApp) else None,
    "parentVApp": lambda _reader, vm: vm.parent.ref if isinstance(vm.parent, VApp) else None,
    "config": _config,
    "runtime": _runtime,
    "summary": _summary,
    "layoutEx": _layout,
    "storage": _storage,
    "snapshot": _snapshot,
    "guest": _guest,
    "rootSnapshot": lambda _reader, vm: snapshot_refs(vm)[:1],
    "resourcePool": lambda _reader, vm: vm.pool.ref,
    "datastore": lambda _reader, vm: [store.ref for store in vm.datastores],
    "network": lambda _reader, vm: [network.ref for network in vm.networks],
    "disabledMethod": lambda _reader, vm: list(vm.disabled_methods),
    "guestHeartbeatStatus": lambda _reader, _vm: "gray",
}
