"""The inventory as a migration tool reads it, and the WSDL knowledge behind it."""

import pytest
from pyVmomi import VmomiSupport, vim, vmodl

from bot.playground.vcenter.schema import schema

PC = vmodl.query.PropertyCollector
_ADDED_BY_PYVMOMI = {"dynamicType", "dynamicProperty", "msg"}
_TRAVEL_AS_STRINGS = {"childType", "disabledMethod"}


def _pyvmomi(name):
    try:
        return VmomiSupport.GetWsdlType("urn:vim25", name)
    except KeyError:
        return VmomiSupport.GetWsdlType(VmomiSupport.XMLNS_VMODL_BASE, name)


_MERGED_BY_PYVMOMI = {"LocalizedMethodFault"}
_TYPES = sorted(name for name, found in schema().types.items() if found.kind != "enum")


@pytest.mark.parametrize("name", [name for name in _TYPES if name not in _MERGED_BY_PYVMOMI])
def test_the_players_wsdl_agrees_with_pyvmomis(name):
    theirs = [
        (prop.name, issubclass(prop.type, list))
        for prop in _pyvmomi(name)._GetPropertyList(True)
        if prop.name not in _ADDED_BY_PYVMOMI
    ]
    ours = [(field, declared.array) for field, declared in schema().types[name].fields.items()]
    assert ours == theirs


async def test_every_property_that_is_played_can_be_read_back(player, client, in_thread):
    kinds = [
        vim.Folder, vim.Datacenter, vim.ClusterComputeResource, vim.ResourcePool, vim.HostSystem, vim.Datastore,
        vim.Network, vim.dvs.DistributedVirtualPortgroup, vim.dvs.VmwareDistributedVirtualSwitch, vim.VirtualMachine,
    ]  # fmt: skip

    for kind in kinds:
        found = await in_thread(client.read, kind)
        assert found, kind
        for thing, values in found:
            assert "name" in values
            for name, value in values.items():
                declared = type(thing)._GetPropertyInfo(name).type
                if issubclass(declared, list) and name not in _TRAVEL_AS_STRINGS:
                    assert all(isinstance(entry, declared.Item) for entry in value), (kind, name)
                elif name not in _TRAVEL_AS_STRINGS:
                    assert isinstance(value, declared), (kind, name)


async def test_vms_are_read_in_bulk_by_dotted_paths(player, client, in_thread):
    paths = [
        "name", "config.instanceUuid", "config.template", "config.hardware.device", "config.files.vmPathName",
        "runtime.powerState", "runtime.host", "summary.storage.committed", "layoutEx.file", "datastore", "network",
        "resourcePool", "disabledMethod", "recentTask", "snapshot", "parent", "runtime.question",
    ]  # fmt: skip
    found = {values["name"]: values for _, values in await in_thread(client.read, vim.VirtualMachine, paths)}
    web, thick = found["web01"], found["thick01"]
    assert web["config.files.vmPathName"] == "[ds-c1-01] web01/web01.vmx"
    assert web["runtime.powerState"] == "poweredOff"
    disks = [device for device in web["config.hardware.device"] if isinstance(device, vim.vm.device.VirtualDisk)]
    assert [(disk.capacityInBytes, disk.backing.thinProvisioned) for disk in disks] == [(16 * 2**30, True)]
    nics = [device for device in web["config.hardware.device"] if isinstance(device, vim.vm.device.VirtualEthernetCard)]
    assert nics[0].backing.deviceName == "VM Network"
    assert nics[1].backing.port.portgroupKey.startswith("dvportgroup-")
    assert web["summary.storage.committed"] == sum(file.size for file in web["layoutEx.file"])
    assert 200 * 2**20 < web["summary.storage.committed"] < 201 * 2**20
    assert "snapshot" not in web
    assert "disabledMethod" not in web
    assert "runtime.question" not in web
    assert thick["snapshot"].rootSnapshotList[0].name == "before update"
    assert found["held01"]["disabledMethod"] == ["RelocateVM_Task"]
    assert found["held01"]["runtime.question"].text == "Was it moved or copied?"
    assert len(found["busy01"]["recentTask"]) == 1


async def test_hosts_and_datastores_tell_what_a_plan_needs(player, client, in_thread):
    hosts = await in_thread(
        client.read,
        vim.HostSystem,
        ["name", "runtime.connectionState", "runtime.inMaintenanceMode", "config.product.version",
         "config.virtualNicManagerInfo.netConfig", "datastore", "network", "parent"],
    )  # fmt: skip
    assert [values["name"] for _, values in hosts] == player.hosts()
    assert {values["config.product.version"] for _, values in hosts} == {"8.0.3"}
    services = {config.nicType for config in hosts[0][1]["config.virtualNicManagerInfo.netConfig"]}
    assert "vSphereProvisioning" in services
    stores = await in_thread(
        client.read,
        vim.Datastore,
        ["name", "summary.freeSpace", "summary.accessible", "summary.maintenanceMode", "host"],
    )
    free = {values["name"]: values["summary.freeSpace"] for _, values in stores}
    assert free == {"ds-c1-01": 2 * 2**40, "ds-c2-01": 100 * 2**30, "tiny": 2**20}


async def test_attributes_can_be_read_one_by_one(player, client, in_thread):
    def walk():
        root = client.content.rootFolder
        dc = root.childEntity[0]
        cluster = dc.hostFolder.childEntity[0]
        return root.name, dc.name, cluster.name, [host.name for host in cluster.host], cluster.resourcePool.owner.name

    assert await in_thread(walk) == ("Datacenters", "DC1", "C1", player.hosts()[:2], "C1")


async def test_things_are_found_by_path_and_by_uuid(player, client, in_thread):
    def look():
        index = client.content.searchIndex
        vm = index.FindByInventoryPath("/DC1/vm/A%2fB/twin & <co>")
        nested = index.FindByInventoryPath("DC1/vm/A/B/twin & <co>")
        uuid = nested.config.instanceUuid
        return vm, nested, index.FindByUuid(None, uuid, True, True), index.FindByUuid(None, uuid, True, False)

    slash, nested, by_uuid, by_bios = await in_thread(look)
    assert slash is None
    assert nested is not None
    assert by_uuid == nested
    assert by_bios is None


async def test_large_answers_come_in_pages(player, client, in_thread):
    def pages():
        collector, spec = client.content.propertyCollector, client.all_of(vim.VirtualMachine, ["name"])
        answer = collector.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=3))
        sizes = [len(answer.objects)]
        while answer.token:
            answer = collector.ContinueRetrievePropertiesEx(answer.token)
            sizes.append(len(answer.objects))
        return sizes

    assert await in_thread(pages) == [3, 3, 2]


async def test_unknown_things_are_refused_by_name(player, client, in_thread):
    with pytest.raises(vmodl.query.InvalidProperty) as refused:
        await in_thread(client.read, vim.VirtualMachine, ["config.hardwar"])
    assert refused.value.name == "config.hardwar"
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        await in_thread(lambda: vim.VirtualMachine("vm-999", client.stub).name)


async def test_what_may_not_be_read_is_listed_as_missing(player, client_of, in_thread):
    viewer = await in_thread(client_of, player, user="viewer@vsphere.local")

    def read():
        content = viewer.content
        spec = PC.FilterSpec(
            objectSet=[PC.ObjectSpec(obj=content.rootFolder, skip=False)],
            propSet=[PC.PropertySpec(type=vim.Folder, pathSet=["name", "childEntity"])],
        )
        return content.propertyCollector.RetrieveContents([spec])[0]

    found = await in_thread(read)
    assert [prop.name for prop in found.propSet] == ["name"]
    assert [(entry.path, entry.fault.privilegeId) for entry in found.missingSet] == [("childEntity", "System.Read")]


async def test_a_silent_host_shows_in_everything_that_hangs_on_it(player, client, in_thread):
    paths = ["name", "runtime.connectionState"]
    before = dict(values.values() for _, values in await in_thread(client.read, vim.VirtualMachine, paths))
    player.set_host("esx-site1-01.example.net", connected=False)
    after = dict(values.values() for _, values in await in_thread(client.read, vim.VirtualMachine, paths))
    assert before["web01"] == "connected"
    assert after["web01"] == "disconnected"
    assert after["db01"] == "connected"


async def test_a_datastore_without_paths_is_told_to_be_inaccessible(player, client, in_thread):
    def look():
        store = client.find("DC2/datastore/ds-c2-01")
        return store.summary.accessible, [mount.mountInfo.accessible for mount in store.host]

    player.switches.set_datastore("ds-c2-01", accessible=False)
    assert await in_thread(look) == (False, [False])
    player.switches.set_datastore("ds-c2-01", accessible=True)
    assert await in_thread(look) == (True, [True])
    player.switches.set_host("esx-site2-01.example.net", connected=False)
    assert await in_thread(look) == (False, [False])
