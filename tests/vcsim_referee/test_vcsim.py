"""The referee keeps its word: verified TLS, a truthful relocation, all or nothing, and no orphans."""

from __future__ import annotations

import json
import os
import select
import ssl
import subprocess
import sys

import pytest
from pyVmomi import SoapStubAdapter, vim, vmodl

from tests.vcsim.vcsim import Vcsim, VcsimError, find_binary

VERSION = "vim.version.v8_0_3_0"


def connect(vcsim, *, context=None, password=None):
    stub = SoapStubAdapter(
        host=vcsim.host, port=vcsim.port, path="/sdk", version=VERSION, sslContext=context or vcsim.trust()
    )
    content = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
    content.sessionManager.Login(vcsim.user, password or vcsim.password, None)
    return content


@pytest.fixture
def content(vcsim):
    content = connect(vcsim)
    yield content
    content.sessionManager.Logout()
    content.sessionManager._stub.DropConnections()


class Site:
    """What a relocation needs to know of one datacenter."""

    def __init__(self, content, name):
        find = content.searchIndex.FindByInventoryPath
        self.datacenter = find(name)
        self.cluster = find(f"{name}/host/{name}_C0")
        self.host = self.cluster.host[0]
        self.stores = {store.name: store for store in self.datacenter.datastore}
        self.networks = {network.name: network for network in self.datacenter.network}

    def vm(self, content, number=0):
        name = self.datacenter.name
        return content.searchIndex.FindByInventoryPath(f"{name}/vm/{name}_C0_RP0_VM{number}")


def to(site, *, store="LocalDS_1", **more):
    return vim.vm.RelocateSpec(host=site.host, pool=site.cluster.resourcePool, datastore=site.stores[store], **more)


def network_edit(vm, group):
    card = next(d for d in vm.config.hardware.device if isinstance(d, vim.vm.device.VirtualEthernetCard))
    port = vim.dvs.PortConnection(portgroupKey=group.key, switchUuid=group.config.distributedVirtualSwitch.uuid)
    card.backing = vim.vm.device.VirtualEthernetCard.DistributedVirtualPortBackingInfo(port=port)
    return vim.vm.device.VirtualDeviceSpec(operation="edit", device=card)


def finish(content, task):
    """Wait on the task's state through a property collector of its own, never by asking again and again."""
    collector = content.propertyCollector.CreatePropertyCollector()
    wanted = vmodl.query.PropertyCollector.FilterSpec(
        propSet=[vmodl.query.PropertyCollector.PropertySpec(type=vim.Task, pathSet=["info.state"])],
        objectSet=[vmodl.query.PropertyCollector.ObjectSpec(obj=task)],
    )
    collector.CreateFilter(wanted, partialUpdates=False)
    version = ""
    while task.info.state not in {"success", "error"}:
        update = collector.WaitForUpdatesEx(version, vmodl.query.PropertyCollector.WaitOptions(maxWaitSeconds=30))
        assert update is not None, "the task did not end within 30 s"
        version = update.version
    collector.DestroyPropertyCollector()
    return task.info


def disk_of(vm):
    return next(d for d in vm.config.hardware.device if isinstance(d, vim.vm.device.VirtualDisk))


def everything_about(vm):
    """Return what a half-done relocation would have changed."""
    return (
        vm.runtime.host,
        vm.resourcePool,
        vm.parent,
        list(vm.datastore),
        list(vm.network),
        vm.config.files.vmPathName,
        disk_of(vm).backing.fileName,
    )


def test_login_is_over_verified_tls_as_a_current_vcenter(vcsim, content):
    assert vcsim.url.startswith("https://127.0.0.1:")
    assert content.about.apiVersion == "8.0.3.0"
    assert content.about.version == "8.0.3"


def test_nobody_else_may_trust_it_or_log_in(vcsim):
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(vcsim, context=ssl.create_default_context())
    with pytest.raises(vim.fault.InvalidLogin):
        connect(vcsim, password="wrong")


def test_machines_start_powered_off_and_networks_match_by_name(content):
    here, there = Site(content, "DC0"), Site(content, "DC1")
    assert here.vm(content).runtime.powerState == "poweredOff"
    assert {"VM Network", "DVPG0"} <= here.networks.keys() & there.networks.keys()
    assert here.networks["DVPG0"] != there.networks["DVPG0"]


def test_a_relocation_between_datacenters_leaves_a_truthful_inventory(content):
    here, there = Site(content, "DC0"), Site(content, "DC1")
    vm, source = here.vm(content), here.vm(content).runtime.host
    name, group = vm.name, there.networks["DVPG0"]

    info = finish(content, vm.RelocateVM_Task(to(there, deviceChange=[network_edit(vm, group)])))

    assert info.state == "success", info.error
    assert vm.runtime.host == there.host
    assert vm.resourcePool == there.cluster.resourcePool
    assert vm.parent == there.datacenter.vmFolder
    store = there.stores["LocalDS_1"]
    assert list(vm.datastore) == [store]
    assert list(vm.network) == [group]
    home = f"[LocalDS_1] {name}"
    assert vm.config.files.vmPathName == vm.summary.config.vmPathName
    assert vm.config.files.vmPathName.startswith(f"{home}/")
    assert vm.config.files.logDirectory.startswith(home)
    disk = disk_of(vm)
    assert (disk.backing.datastore, disk.backing.fileName) == (store, f"{home}/disk1.vmdk")
    assert {file.name.split("/")[0] for file in vm.layoutEx.file} == {home}
    assert f"{home}/disk1.vmdk" in {file.name for file in vm.layoutEx.file}
    assert [usage.datastore for usage in vm.storage.perDatastoreUsage] == [store]
    assert vm in there.host.vm
    assert vm not in source.vm
    assert vm in store.vm
    assert all(vm not in old.vm for old in here.datacenter.datastore)
    assert vm in group.vm
    assert vm not in here.networks["DVPG0"].vm
    assert vm in there.cluster.resourcePool.vm
    assert vm not in here.cluster.resourcePool.vm


def test_the_files_are_where_the_inventory_says(content):
    here, there = Site(content, "DC0"), Site(content, "DC1")
    vm = here.vm(content)
    finish(content, vm.RelocateVM_Task(to(there, deviceChange=[network_edit(vm, there.networks["DVPG0"])])))
    spec = vim.host.DatastoreBrowser.SearchSpec(matchPattern=["*.vmdk"])

    found = finish(content, there.stores["LocalDS_1"].browser.SearchDatastore_Task(f"[LocalDS_1] {vm.name}", spec))
    left = finish(content, here.stores["LocalDS_0"].browser.SearchDatastore_Task(f"[LocalDS_0] {vm.name}", spec))

    assert {file.path for file in found.result.file} >= {"disk1.vmdk"}
    assert isinstance(left.error, vim.fault.FileNotFound)


def test_it_can_come_back_and_power_on(content):
    here, there = Site(content, "DC0"), Site(content, "DC1")
    vm = here.vm(content)
    finish(content, vm.RelocateVM_Task(to(there, deviceChange=[network_edit(vm, there.networks["DVPG0"])])))
    back = to(here, store="LocalDS_0", deviceChange=[network_edit(vm, here.networks["DVPG0"])])
    assert finish(content, vm.RelocateVM_Task(back)).state == "success"
    assert vm.config.files.vmPathName.startswith("[LocalDS_0]")
    assert vm.parent == here.datacenter.vmFolder
    assert finish(content, vm.PowerOn()).state == "success"


def test_a_disk_can_go_elsewhere_and_become_thick(content):
    here = Site(content, "DC0")
    vm, store = here.vm(content), here.stores["LocalDS_1"]
    backing = vim.vm.device.VirtualDisk.FlatVer2BackingInfo(fileName="", diskMode="persistent", thinProvisioned=False)
    locator = vim.vm.RelocateSpec.DiskLocator(diskId=disk_of(vm).key, datastore=store, diskBackingInfo=backing)

    info = finish(content, vm.RelocateVM_Task(vim.vm.RelocateSpec(disk=[locator])))

    assert info.state == "success", info.error
    assert disk_of(vm).backing.fileName == f"[LocalDS_1] {vm.name}/disk1.vmdk"
    assert disk_of(vm).backing.thinProvisioned is False
    assert vm.config.files.vmPathName.startswith("[LocalDS_0]")
    assert set(vm.datastore) == {here.stores["LocalDS_0"], store}


def without_a_network_map(here, there):
    return to(there)


def to_a_host_outside_the_pool(here, there):
    return vim.vm.RelocateSpec(host=there.host)


def to_a_datastore_of_the_other_site(here, there):
    return vim.vm.RelocateSpec(datastore=there.stores["LocalDS_0"])


def into_a_folder_of_the_old_site(here, there):
    return to(there, folder=here.datacenter.vmFolder)


def to_another_vcenter(here, there):
    login = vim.ServiceLocator.NamePassword(username="u", password="p")
    return to(there, service=vim.ServiceLocator(instanceUuid="x", url="https://127.0.0.1", credential=login))


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        (without_a_network_map, vim.fault.CannotAccessNetwork),
        (to_a_host_outside_the_pool, vmodl.fault.InvalidArgument),
        (to_a_datastore_of_the_other_site, vim.fault.InaccessibleDatastore),
        (into_a_folder_of_the_old_site, vmodl.fault.InvalidArgument),
        (to_another_vcenter, vmodl.fault.NotSupported),
    ],
)
def test_a_refused_relocation_moves_nothing(content, spec, fault):
    here, there = Site(content, "DC0"), Site(content, "DC1")
    vm = here.vm(content)
    before = everything_about(vm)
    info = finish(content, vm.RelocateVM_Task(spec(here, there)))
    assert isinstance(info.error, fault), info
    assert everything_about(vm) == before


def test_an_unknown_reference_is_a_fault_and_not_a_crash(content):
    here = Site(content, "DC0")
    vm = here.vm(content)
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        vm.RelocateVM_Task(vim.vm.RelocateSpec(datastore=vim.Datastore("datastore-0", vm._stub)))
    assert vm.runtime.powerState == "poweredOff"


def test_the_history_tells_one_relocation_and_where_it_came_from(content):
    here, there = Site(content, "DC0"), Site(content, "DC1")
    vm, source = here.vm(content), here.vm(content).runtime.host
    finish(content, vm.RelocateVM_Task(to(there, deviceChange=[network_edit(vm, there.networks["DVPG0"])])))
    assert [task.info.descriptionId for task in vm.recentTask].count("VirtualMachine.relocateVm") == 1
    wanted = vim.event.EventFilterSpec(
        entity=vim.event.EventFilterSpec.ByEntity(entity=vm, recursion="self"), eventTypeId=["VmMigratedEvent"]
    )
    (event,) = content.eventManager.QueryEvents(wanted)
    assert (event.sourceHost.host, event.host.host) == (source, there.host)
    assert (event.sourceDatacenter.name, event.datacenter.name) == ("DC0", "DC1")


def test_it_dies_with_its_parent(tmp_path):
    """The parent is killed outright, and a sibling keeps a copy of the pipe open: the worst case."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(find_binary()), str(tmp_path / "ca.pem")], stdout=subprocess.PIPE
    )
    child = json.loads(parent.stdout.readline())
    watch = os.pidfd_open(child["vcsim"])
    parent.kill()
    parent.wait()
    parent.stdout.close()
    ended, _, _ = select.select([watch], [], [], 10)
    os.close(watch)
    os.kill(child["sibling"], 9)
    assert ended


PARENT = """
import json, subprocess, sys
vcsim = subprocess.Popen(
    [sys.argv[1], "-password", "x", "-cert-out", sys.argv[2]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
)
vcsim.stdout.readline()
sibling = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[vcsim.stdin.fileno()])
print(json.dumps({"vcsim": vcsim.pid, "sibling": sibling.pid}), flush=True)
sys.stdin.read()
vcsim.wait()
"""


def test_a_missing_binary_says_how_to_get_it(tmp_path):
    with pytest.raises(VcsimError, match="make setup"):
        find_binary(places=[tmp_path / "vcsim"])


def test_a_start_that_fails_says_what_the_simulator_said(vcsim):
    with pytest.raises(VcsimError, match="address already in use"):
        Vcsim(port=vcsim.port).start()


async def test_it_serves_coroutines_too():
    async with Vcsim(datacenters=1, clusters=1, hosts=1, datastores=1, vms=1, powered_off=False) as vcsim:
        content = connect(vcsim)
        vm = content.searchIndex.FindByInventoryPath("DC0/vm/DC0_C0_RP0_VM0")
        assert vm.runtime.powerState == "poweredOn"
        content.sessionManager.Logout()
        content.sessionManager._stub.DropConnections()
