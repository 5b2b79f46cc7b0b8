"""Hardware that hinders a move, as a world file gives it to a VM and pyvmomi reads it back."""

import pytest
from pyVmomi import vim

Device = vim.vm.device
MORE = """
[[vms]]
name = "odd01"
site = "site1"
disks = ["4 GiB thin 10 MiB", "2 GiB independent", "1 GiB thick shared"]
snapshots = 3
devices = [
  "iso [ds-c1-01] tools/linux.iso", "host-cd", "client-cd", "floppy", "usb", "pci", "vgpu", "serial", "nvdimm",
  "rdm physical", "rdm virtual",
]
bus_sharing = "physical"
hardware_version = 13
encrypted = true
vtpm = true
change_tracking = true
"""


@pytest.fixture
def world_text(world_text):
    fit = MORE.replace("odd01", "odd02").replace(' "pci", "vgpu",', "")
    return world_text + MORE + fit


async def test_everything_is_read_back(player, client, in_thread):
    vm = await in_thread(client.find, "DC1/vm/odd01")
    config = await in_thread(lambda: vm.config)
    by_kind = {}
    for device in config.hardware.device:
        by_kind.setdefault(type(device), []).append(device)
    plain, independent, shared, physical, virtual = by_kind[Device.VirtualDisk]
    assert (independent.backing.diskMode, shared.backing.sharing) == ("independent_persistent", "sharingMultiWriter")
    assert (physical.backing.compatibilityMode, virtual.backing.compatibilityMode) == ("physicalMode", "virtualMode")
    assert plain.backing.changeId
    assert plain.backing.keyId.providerId.id
    iso, host_cd, client_cd = by_kind[Device.VirtualCdrom]
    assert iso.backing.fileName == "[ds-c1-01] tools/linux.iso"
    assert await in_thread(lambda: iso.backing.datastore.name) == "ds-c1-01"
    assert isinstance(host_cd.backing, Device.VirtualCdrom.AtapiBackingInfo)
    assert isinstance(client_cd.backing, Device.VirtualCdrom.RemotePassthroughBackingInfo)
    pci, vgpu = by_kind[Device.VirtualPCIPassthrough]
    assert isinstance(pci.backing, Device.VirtualPCIPassthrough.DeviceBackingInfo)
    assert isinstance(vgpu.backing, Device.VirtualPCIPassthrough.VmiopBackingInfo)
    for kind in ("VirtualFloppy", "VirtualUSB", "VirtualSerialPort", "VirtualNVDIMM", "VirtualTPM"):
        assert len(by_kind[getattr(Device, kind)]) == 1, kind
    assert by_kind[Device.ParaVirtualSCSIController][0].sharedBus == "physicalSharing"
    assert (config.version, config.changeTrackingEnabled, config.keyId is not None) == ("vmx-13", True, True)
    assert (await in_thread(lambda: vm.runtime.cryptoState)) == "safe"
    keys = [device.key for device in config.hardware.device]
    assert len(keys) == len(set(keys))


async def test_a_chain_of_snapshots_is_the_same_everywhere(player, client, in_thread):
    def go():
        vm = client.find("DC1/vm/odd01")
        tree, depth = vm.snapshot.rootSnapshotList[0], 1
        while tree.childSnapshotList:
            (tree,), depth = tree.childSnapshotList, depth + 1
        assert vm.snapshot.currentSnapshot == tree.snapshot
        assert len(vm.rootSnapshot) == 1
        disk = next(d for d in vm.config.hardware.device if isinstance(d, Device.VirtualDisk))
        backing, links = disk.backing, [disk.backing.fileName]
        while backing.parent:
            backing = backing.parent
            links.append(backing.fileName)
        files = {file.key: file for file in vm.layoutEx.file}
        chain = vm.layoutEx.disk[0].chain
        assert sum(file.size for file in files.values()) == vm.summary.storage.committed
        return depth, links, [files[unit.fileKey[0]].name for unit in chain]

    depth, links, units = await in_thread(go)
    assert depth == 3
    assert links == [f"[ds-c1-01] odd01/odd01{tail}.vmdk" for tail in ("-000003", "-000002", "-000001", "")]
    assert units == links[::-1]


async def test_a_relocation_carries_all_of_it(player, client, in_thread):
    def go():
        vm = client.find("DC1/vm/odd02")
        before = vm.summary.storage.committed
        task = client.relocate(vm, client.spec())
        client.watch(task)
        assert task.info.state == "success", task.info.error
        return before, vm.summary.storage.committed, {file.name.partition("]")[0] for file in vm.layoutEx.file}

    before, after, stores = await in_thread(go)
    assert (before, stores) == (after, {"[ds-c2-01"})
