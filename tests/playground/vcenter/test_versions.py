"""A vCenter of each version can be read whole by pyvmomi, and negotiates what it is."""

import pytest
from pyVmomi import vim
from pyVmomi.VmomiSupport import versionIdMap

from tests.playground.vcenter.test_hardware import MORE

KINDS = [
    vim.Folder, vim.Datacenter, vim.ClusterComputeResource, vim.ResourcePool, vim.HostSystem, vim.Datastore,
    vim.Network, vim.VirtualMachine, vim.dvs.VmwareDistributedVirtualSwitch,
]  # fmt: skip


@pytest.fixture(params=[("6.7", "6.7"), ("7.0.3", "7.0.3.0"), ("8.0.3", "8.0.3.0")], ids=["6.7", "7.0.3", "8.0.3"])
def version(request):
    return request.param


@pytest.fixture
def world_text(world_text, version):
    product, _ = version
    return world_text.replace('version = "8.0.3"', f'version = "{product}"') + MORE


async def test_everything_is_readable_at_its_version(player, client, version, in_thread):
    _, api = version
    assert versionIdMap[client.stub.version] == api

    def go():
        for kind in KINDS:
            assert client.read(kind), kind
        vm = client.find("DC1/vm/Web/web01")
        client.watch(client.content.vmProvisioningChecker.CheckRelocate_Task(vm, client.spec()))
        client.watch(client.relocate(vm, client.spec(deviceChange=client.network_map(vm))))
        events = client.content.eventManager.QueryEvents(vim.event.EventFilterSpec())
        assert client.content.authorizationManager.roleList
        return client.content.about.version, {type(event) for event in events}

    product, kinds = await in_thread(go)
    assert product == version[0]
    assert {vim.event.VmMigratedEvent, vim.event.UserLoginSessionEvent, vim.event.TaskEvent} <= kinds
