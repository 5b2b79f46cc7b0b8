"""A relocation that goes well, and the rules of the ones that never begin."""

import pytest
from pyVmomi import vim, vmodl

FREE = 100 * 2**30


async def test_a_vm_moves_to_the_other_site(player, client, in_thread):
    before = player.datastore("ds-c1-01").free

    def go():
        vm = client.find("DC1/vm/Web/web01")
        task = client.relocate(vm, client.spec(deviceChange=client.network_map(vm)))
        return client.watch(task), task.info

    (seen, error), info = await in_thread(go)
    percents = [percent for _, percent in seen if percent is not None]
    assert error is None
    assert percents == sorted(percents)
    assert len(percents) > 3
    assert (info.state, info.descriptionId, info.entityName) == ("success", "VirtualMachine.relocate", "web01")
    assert info.reason.userName == "VSPHERE.LOCAL\\svc"
    assert info.queueTime <= info.startTime <= info.completeTime
    place = player.placement("web01")
    assert (place.site, place.host, place.datastore) == ("site2", "esx-site2-01.example.net", "ds-c2-01")
    assert place.folder == "Migrated"
    record = player.relocations[0]
    assert (record.vm, record.op_id, record.task, record.outcome) == ("web01", "cm-ab12cd34-a1", info.key, "success")
    assert record.session == client.session.key
    moved = player.datastore("ds-c1-01").free - before
    assert moved == FREE - player.datastore("ds-c2-01").free > 200 * 2**20


async def test_the_inventory_tells_the_truth_afterwards(player, client, in_thread):
    def go():
        vm = client.find("DC1/vm/Web/web01")
        client.watch(client.relocate(vm, client.spec(deviceChange=client.network_map(vm))))
        moved = client.find("DC2/vm/Migrated/web01")
        assert moved == vm
        assert client.find("DC1/vm/Web/web01") is None
        disk = next(device for device in vm.config.hardware.device if isinstance(device, vim.vm.device.VirtualDisk))
        host = vm.runtime.host
        return (
            vm.config.files.vmPathName, disk.backing.fileName, disk.backing.datastore.name,
            [network.name for network in vm.network], [store.name for store in vm.datastore],
            vm in host.vm, vm in vm.datastore[0].vm, host.parent.resourcePool == vm.resourcePool,
        )  # fmt: skip

    assert await in_thread(go) == (
        "[ds-c2-01] web01/web01.vmx", "[ds-c2-01] web01/web01.vmdk", "ds-c2-01",
        ["VM Network", "dvpg-app-dr"], ["ds-c2-01"], True, True, True,
    )  # fmt: skip


async def test_hosts_log_a_healthy_relocation_under_derived_op_ids(player, client, in_thread):
    def go():
        vm = client.find("DC1/vm/Web/web01")
        client.watch(client.relocate(vm, client.spec(deviceChange=client.network_map(vm))))

    await in_thread(go)
    source = [line for line in player.log_lines("esx-site1-01.example.net") if "cm-ab12cd34-a1" in line]
    destination = [line for line in player.log_lines("esx-site2-01.example.net") if "cm-ab12cd34-a1" in line]
    other = [line for line in player.log_lines("esx-site1-02.example.net") if "cm-ab12cd34-a1" in line]
    assert "BEGIN lro-" in source[0]
    assert "FINISH lro-" in source[-1]
    assert any("vpxapi.VpxaService.reserveName" in line for line in destination)
    assert other == []
    assert not any("NFC ERROR" in line for line in source + destination)
    kernel = player.log_lines("esx-site1-01.example.net", "vmkernel")
    assert any("VC opID cm-ab12cd34-a1-" in line for line in kernel)


@pytest.mark.parametrize("thin", [True, False])
async def test_a_thick_disk_takes_what_its_new_form_takes(player, client, in_thread, thin):
    def go():
        vm = client.find("DC1/vm/web01") or client.find("DC1/vm/Web/web01")
        disk = next(device for device in vm.config.hardware.device if isinstance(device, vim.vm.device.VirtualDisk))
        spec = client.spec(deviceChange=client.network_map(vm))
        backing = vim.vm.device.VirtualDisk.FlatVer2BackingInfo(
            fileName="", diskMode="persistent", thinProvisioned=thin
        )
        spec.disk = [
            vim.vm.RelocateSpec.DiskLocator(diskId=disk.key, datastore=spec.datastore, diskBackingInfo=backing)
        ]
        client.watch(client.relocate(vm, spec))
        return vm.summary.storage.committed

    committed = await in_thread(go)
    assert FREE - player.datastore("ds-c2-01").free == committed
    assert (committed > 16 * 2**30) is not thin


async def test_an_unclear_spec_is_refused_at_once(player, client, in_thread):
    vm = await in_thread(client.find, "DC1/vm/Web/web01")
    specs = {
        "spec.host": {"host": vim.HostSystem("host-999")},
        "spec.pool": {"pool": None},
        "spec.datastore": {"datastore": None},
        "spec.folder": {"folder": await in_thread(client.find, "DC1/vm/Web")},
        "spec.diskMoveType": {"diskMoveType": "moveChildMostDiskBacking"},
    }
    for argument, changes in specs.items():
        spec = await in_thread(lambda changes=changes: client.spec(**changes))
        with pytest.raises(vmodl.fault.InvalidArgument) as refused:
            await in_thread(client.relocate, vm, spec)
        assert refused.value.invalidProperty == argument
    assert player.relocations == []


async def test_a_nic_edit_may_only_change_the_network(player, client, in_thread):
    def go():
        vm = client.find("DC1/vm/Web/web01")
        edits = client.network_map(vm)
        edits[0].device.macAddress = "00:50:56:00:00:01"
        client.relocate(vm, client.spec(deviceChange=edits))

    with pytest.raises(vmodl.fault.InvalidArgument, match="may not modify any property other than the network backing"):
        await in_thread(go)


async def test_what_is_not_played_is_not_ignored(player, client, in_thread):
    def go():
        profile = [vim.vm.DefinedProfileSpec(profileId="gold")]
        client.relocate(client.find("DC1/vm/Web/web01"), client.spec(profile=profile))

    with pytest.raises(vmodl.fault.NotSupported):
        await in_thread(go)


async def test_privileges_are_asked_for(player, client_of, in_thread):
    reader = await in_thread(client_of, player, user="reader@vsphere.local")
    vm = await in_thread(reader.find, "DC1/vm/Web/web01")
    spec = await in_thread(reader.spec)
    with pytest.raises(vim.fault.NoPermission) as refused:
        await in_thread(vm.RelocateVM_Task, spec)
    assert refused.value.privilegeId == "Resource.ColdMigrate"


async def test_a_disabled_method_is_refused(player, client, in_thread):
    vm = await in_thread(client.find, "DC1/vm/held01")
    with pytest.raises(vim.fault.MethodDisabled):
        await in_thread(vm.RelocateVM_Task, await in_thread(client.spec))


@pytest.mark.parametrize(
    ("name", "fault"),
    [("on01", vim.fault.InvalidPowerState), ("busy01", vim.fault.TaskInProgress)],
)
async def test_a_vm_that_cannot_move_now_fails_its_task(player, client, in_thread, name, fault):
    vm = await in_thread(client.find, f"DC1/vm/{name}")
    task = await in_thread(client.relocate, vm, await in_thread(client.spec))
    seen, error = await in_thread(client.watch, task)
    assert seen[-1][0] == "error"
    assert isinstance(error, fault)
    assert player.placement(name).site == "site1"


async def test_a_full_datastore_a_taken_name_and_a_lost_network_fail_the_task(player, client, in_thread):
    def fail(path, **changes):
        spec = client.spec(**changes)
        return client.watch(client.relocate(client.find(path), spec))[1]

    stores = await in_thread(client.read, vim.Datastore, ["name"])
    tiny = next(store for store, values in stores if values["name"] == "tiny")
    assert await in_thread(fail, "DC1/vm/thick01") is None
    error = await in_thread(lambda: fail("DC1/vm/db01", datastore=tiny))
    assert isinstance(error, vim.fault.NoDiskSpace)
    assert error.datastore == "tiny"
    assert isinstance(await in_thread(fail, "DC1/vm/Web/web01"), vim.fault.CannotAccessNetwork)
    assert await in_thread(fail, "DC1/vm/twin & <co>") is None
    assert isinstance(await in_thread(fail, "DC1/vm/A/B/twin & <co>"), vim.fault.DuplicateName)


async def test_a_host_in_maintenance_takes_nothing(player, client, in_thread):
    player.set_host("esx-site2-01.example.net", maintenance=True)
    task = await in_thread(lambda: client.relocate(client.find("DC1/vm/thick01"), client.spec()))
    _, error = await in_thread(client.watch, task)
    assert isinstance(error, vim.fault.InvalidState)


async def test_a_host_in_maintenance_lets_its_vms_go(player, client, in_thread):
    player.set_host("esx-site1-01.example.net", maintenance=True)
    player.set_host("esx-site1-02.example.net", maintenance=True)
    task = await in_thread(lambda: client.relocate(client.find("DC1/vm/thick01"), client.spec()))
    assert (await in_thread(client.watch, task))[1] is None


@pytest.mark.parametrize("end", ["source", "destination"])
async def test_a_host_that_is_away_neither_gives_nor_takes_until_it_is_back(player, client, in_thread, end):
    def move():
        task = client.relocate(client.find("DC1/vm/thick01"), client.spec())
        return client.watch(task)[1]

    host = player.placement("thick01").host if end == "source" else "esx-site2-01.example.net"
    player.set_host(host, connected=False)
    assert isinstance(await in_thread(move), vmodl.fault.HostNotConnected)
    player.set_host(host, connected=True)
    assert await in_thread(move) is None
