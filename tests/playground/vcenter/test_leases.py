"""Export and import leases of the played vCenter: real pyvmomi for the lease, real httpx for the disks."""

import hashlib
import random
from datetime import timedelta

import httpx
import pytest
from pyVmomi import vim, vmodl

from bot.playground.esxi.disk_content import sha256_of
from tests.playground.vcenter.disks import ESX1, ESX2, MIB, THERE, WORLD, browsing
from tests.playground.vmdk_by_hand import as_disk, put_together, take_apart

PC = vmodl.query.PropertyCollector
BLOCK = 65_536


@pytest.fixture
def world_text():
    return WORLD


class Leases:
    """What a copying tool does with leases. Every method blocks."""

    def __init__(self, client):
        self.client = client

    def export(self, path="DC1/vm/Web/web01"):
        return self.ready(self.client.find(path).ExportVm())

    def ready(self, lease):
        """Wait for the lease to become ready, by a long poll; returns it."""
        assert self.until(lease, "ready", "error") == "ready", lease.error
        return lease

    def until(self, lease, *states):
        pc = self.client.content.propertyCollector.CreatePropertyCollector()
        props = [PC.PropertySpec(type=vim.HttpNfcLease, pathSet=["state", "initializeProgress"])]
        pc.CreateFilter(PC.FilterSpec(objectSet=[PC.ObjectSpec(obj=lease)], propSet=props), True)
        version, now = "", {}
        while now.get("state") not in states:
            update = pc.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=10))
            assert update is not None, f"the lease is still {now}"
            version = update.version
            now |= {change.name: change.val for change in update.filterSet[0].objectSet[0].changeSet}
        pc.Destroy()
        return now["state"]

    def spec(self, *sizes, name="copy01", store="ds c2-01", thin=True, network="VM Network"):
        """Return an ImportSpec for a VM with disks of these sizes."""
        controller = vim.vm.device.ParaVirtualSCSIController(key=-1, busNumber=0, sharedBus="noSharing")
        disks = [
            vim.vm.device.VirtualDisk(
                key=-10 - number, controllerKey=-1, unitNumber=number, capacityInKB=size // 1024,
                backing=vim.vm.device.VirtualDisk.FlatVer2BackingInfo(
                    fileName="", diskMode="persistent", thinProvisioned=thin
                ),
            )
            for number, size in enumerate(sizes)
        ]  # fmt: skip
        card = vim.vm.device.VirtualVmxnet3(
            key=-50, backing=vim.vm.device.VirtualEthernetCard.NetworkBackingInfo(deviceName=network)
        )
        changes = [
            vim.vm.device.VirtualDeviceSpec(operation="add", fileOperation=made, device=device)
            for device, made in [(controller, None), *((disk, "create") for disk in disks), (card, None)]
        ]
        files = vim.vm.FileInfo(vmPathName=f"[{store}]")
        config = vim.vm.ConfigSpec(name=name, files=files, numCPUs=2, memoryMB=4096, deviceChange=changes)
        return vim.vm.VmImportSpec(configSpec=config)

    def take_in(self, *sizes, **options):
        pool, folder = self.client.find("DC2/host/C2").resourcePool, self.client.find("DC2/vm/Migrated")
        return pool.ImportVApp(self.spec(*sizes, **options), folder)

    def found(self, name="copy01"):
        return self.client.find(f"DC2/vm/Migrated/{name}")


@pytest.fixture
def leases(client):
    return Leases(client)


async def sent(url, player, stream, verb="POST"):
    async with browsing(player, auth=None) as browser:
        return await browser.request(verb, url, content=stream)


async def fetched(url, player):
    async with browsing(player, auth=None) as browser:
        reply = await browser.get(url)
    assert reply.status_code == 200
    return reply.content


async def test_an_export_carries_every_disk_as_a_true_vmdk(player, leases, in_thread):
    lease = await in_thread(leases.export)
    info = await in_thread(lambda: lease.info)
    vm = player.estate.vm("web01")
    assert info.leaseTimeout == 300
    assert info.totalDiskCapacityInKB == 82 * 1024
    assert info.entity._moId == vm.id
    assert [url.disk for url in info.deviceUrl] == [True, True, False]
    assert [url.key for url in info.deviceUrl][:2] == [f"/{vm.id}/ParaVirtualSCSIController0:{n}" for n in (0, 1)]
    depot = player.estate.universe.depot
    for url, disk in zip(info.deviceUrl, vm.disks, strict=False):
        assert url.url.startswith(f"{player.host_url(ESX1)}/nfc/")
        assert url.sslThumbprint == player.estate.doors.thumbprint(vm.host) != ""
        capacity, grains, _ = take_apart(await fetched(url.url, player))
        assert capacity == disk.capacity
        assert hashlib.sha256(as_disk(capacity, grains)).hexdigest() == sha256_of(depot.disks.of(disk))
    assert len(await fetched(info.deviceUrl[2].url, player)) == 8684
    manifest = await in_thread(lease.GetManifest)
    first = await fetched(info.deviceUrl[0].url, player)
    assert manifest[0].sha1 == hashlib.sha1(first, usedforsecurity=False).hexdigest()
    assert (manifest[0].size, manifest[0].capacity, manifest[0].populatedSize) == (len(first), 80 * MIB, 5 * MIB)
    await in_thread(lease.Complete)
    assert await in_thread(lambda: lease.state) == "done"
    assert (await sent(info.deviceUrl[0].url, player, b"", "GET")).status_code == 404


async def test_a_disk_that_went_out_and_came_in_is_the_same(player, leases, client, in_thread):
    source, store = player.estate.vm("web01"), player.datastore("ds c2-01")
    free, depot = store.free, player.estate.universe.depot
    out = await in_thread(leases.export)
    into = await in_thread(lambda: leases.ready(leases.take_in(80 * MIB, 2 * MIB)))
    pairs = await in_thread(lambda: list(zip(out.info.deviceUrl, into.info.deviceUrl, strict=False)))
    for number, (here, there) in enumerate(pairs):
        assert there.importKey == f"/copy01/ParaVirtualSCSIController0:{number}"
        assert there.url.startswith(f"{player.host_url(ESX2)}/nfc/")
        assert (await sent(there.url, player, await fetched(here.url, player))).status_code == 200
        await in_thread(into.Progress, 50 * (number + 1))
        assert await in_thread(lambda: into.transferProgress) == 50 * (number + 1)
    for lease in (out, into):
        await in_thread(lease.Complete)
    copy = player.estate.vm("copy01")
    for before, after in zip(source.disks, copy.disks, strict=True):
        assert sha256_of(depot.disks.of(after)) == sha256_of(depot.disks.of(before))
    assert [disk.used for disk in copy.disks] == [5 * MIB, 2 * MIB]
    assert free - store.free == copy.committed
    assert depot.spool.block(0) is None

    def look():
        vm = leases.found()
        assert vm.runtime.powerState == "poweredOff"
        assert vm.config.files.vmPathName == "[ds c2-01] copy01/copy01.vmx"
        assert [network.name for network in vm.network] == ["VM Network"]
        _, error = client.watch(vm.PowerOnVM_Task())
        assert error is None
        tasks = client.content.taskManager.recentTask
        return {task.info.descriptionId: task.info.state for task in tasks}

    states = await in_thread(look)
    assert states["VirtualMachine.ExportVmLRO"] == states["ResourcePool.ImportVAppLRO"] == "success"


async def test_what_people_write_themselves_comes_in_too(player, leases, in_thread):
    dice = random.Random(5)
    grains = {number: dice.randbytes(BLOCK) for number in (0, 17, 600)}
    lease = await in_thread(lambda: leases.ready(leases.take_in(64 * MIB)))
    url = (await in_thread(lambda: lease.info)).deviceUrl[0].url
    stream = put_together(64 * MIB, grains)
    assert (await sent(url, player, stream, "PUT")).status_code == 200
    await in_thread(lease.Complete)
    (entry,) = await in_thread(lease.GetManifest)
    assert (entry.sha1, entry.size, entry.populatedSize) == (
        hashlib.sha1(stream, usedforsecurity=False).hexdigest(),
        len(stream),
        3 * BLOCK,
    )
    async with browsing(player) as browser:
        flat = await browser.get("/folder/copy01/copy01-flat.vmdk", params=THERE)
    assert flat.content == as_disk(64 * MIB, grains)


async def test_the_vm_is_there_from_the_start_and_cannot_be_used(player, leases, client, in_thread):
    lease = await in_thread(lambda: leases.ready(leases.take_in(4 * MIB)))

    def try_it():
        vm = leases.found()
        assert lease.info.entity == vm
        _, error = client.watch(vm.PowerOnVM_Task())
        assert isinstance(error, vim.fault.TaskInProgress)
        with pytest.raises(vim.fault.TaskInProgress):
            vm.ExportVm()

    await in_thread(try_it)


@pytest.mark.parametrize("thin", [True, False])
async def test_an_abort_leaves_nothing_behind(player, leases, in_thread, thin):
    store = player.datastore("ds c2-01")
    free = store.free
    lease = await in_thread(lambda: leases.ready(leases.take_in(4 * MIB, thin=thin)))
    url = (await in_thread(lambda: lease.info)).deviceUrl[0].url
    stream = put_together(4 * MIB, {3: b"z" * BLOCK})
    assert (await sent(url, player, stream)).status_code == 200
    taken = free - store.free
    assert taken == player.estate.vm("copy01").committed
    assert taken > (4 * MIB if not thin else BLOCK)
    await in_thread(lease.Abort)
    assert await in_thread(lambda: (lease.state, type(lease.error), leases.found())) == (
        "error", vmodl.fault.RequestCanceled, None,
    )  # fmt: skip
    assert store.free == free
    assert (await sent(url, player, stream)).status_code == 404
    async with browsing(player) as browser:
        assert (await browser.get("/folder/copy01", params=THERE)).status_code == 404
    with pytest.raises(vim.fault.InvalidState):
        await in_thread(lease.Complete)
    with pytest.raises(vim.fault.InvalidState):
        await in_thread(lease.Abort)


async def test_the_task_of_a_lease_can_be_cancelled(player, leases, client, in_thread):
    def go():
        lease = leases.ready(leases.take_in(4 * MIB))
        (task,) = leases.found().recentTask
        task.CancelTask()
        assert leases.until(lease, "error") == "error"
        return task.info

    info = await in_thread(go)
    assert (info.state, info.cancelled) == ("error", True)
    assert player.estate.vms("copy01") == []


async def test_who_reports_no_progress_loses_the_lease(player, leases, client, in_thread):
    clock, store = player.estate.universe.clock, player.datastore("ds c2-01")
    free = store.free
    lease = await in_thread(lambda: leases.ready(leases.take_in(4 * MIB)))
    for _ in range(3):
        clock.advance(timedelta(seconds=299))
        await in_thread(lease.Progress, 1)
    clock.advance(timedelta(seconds=301))
    assert await in_thread(leases.until, lease, "error") == "error"
    error = await in_thread(lambda: lease.error)
    assert isinstance(error, vim.fault.Timedout)
    for call in (lease.Complete, lease.Abort, lease.GetManifest, lambda: lease.Progress(2)):
        with pytest.raises(vim.fault.Timedout):
            await in_thread(call)
    assert store.free == free
    assert player.estate.vms("copy01") == []


async def test_data_alone_does_not_keep_a_lease(player, leases, in_thread):
    lease = await in_thread(leases.export)
    url = (await in_thread(lambda: lease.info)).deviceUrl[0].url
    async with browsing(player, auth=None) as browser, browser.stream("GET", url) as reply:
        player.estate.doors.traffic.cap(ESX1, 200_000)
        player.estate.universe.clock.advance(timedelta(seconds=301))
        with pytest.raises(httpx.HTTPError):
            await reply.aread()
    assert isinstance(await in_thread(lambda: lease.error), vim.fault.Timedout)


DISK = put_together(4 * MIB, {0: b"a" * BLOCK, 5: b"b" * BLOCK})


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (DISK[:-512], "broke off"),
        (DISK[:70_000], "broke off"),
        (DISK[:65_556] + b"\xff" * 20 + DISK[65_576:], "decompressed"),
        (put_together(8 * MIB, {}), "the disk has"),
        (b"PK\x03\x04" + bytes(2000), "does not begin"),
        (b"", "broke off"),
    ],
)
async def test_a_disk_that_is_no_disk_ends_the_lease(player, leases, in_thread, stream, says):
    store = player.datastore("ds c2-01")
    free = store.free
    lease = await in_thread(lambda: leases.ready(leases.take_in(4 * MIB)))
    url = (await in_thread(lambda: lease.info)).deviceUrl[0].url
    refused = await sent(url, player, stream)
    assert refused.status_code == 400
    error = await in_thread(lambda: lease.error)
    assert isinstance(error, vim.fault.InvalidDiskFormat)
    assert any(word in error.msg for word in says.split("|")), error.msg
    assert store.free == free
    assert player.estate.vms("copy01") == []


async def test_a_client_that_dies_while_sending_ends_the_lease(player, leases, in_thread):
    lease = await in_thread(lambda: leases.ready(leases.take_in(4 * MIB)))
    url = (await in_thread(lambda: lease.info)).deviceUrl[0].url

    async def dies():
        yield DISK[:66_000]
        raise ConnectionAbortedError("the worker was killed")

    with pytest.raises(ConnectionAbortedError):
        await sent(url, player, dies())
    assert await in_thread(leases.until, lease, "error") == "error"
    assert isinstance(await in_thread(lambda: lease.error), vmodl.fault.SystemError)
    assert player.estate.vms("copy01") == []


async def test_a_datastore_that_fills_up_ends_the_lease(player, leases, in_thread):
    store = player.datastore("tiny")
    free = store.free
    lease = await in_thread(lambda: leases.ready(leases.take_in(8 * MIB, store="tiny")))
    url = (await in_thread(lambda: lease.info)).deviceUrl[0].url
    full = put_together(8 * MIB, {number: bytes([number + 1]) * BLOCK for number in range(100)})
    assert (await sent(url, player, full)).status_code == 507
    assert isinstance(await in_thread(lambda: lease.error), vim.fault.NoDiskSpace)
    assert store.free == free
    thick = await in_thread(lambda: leases.take_in(8 * MIB, store="tiny", thin=False))
    assert await in_thread(leases.until, thick, "ready", "error") == "error"
    assert isinstance(await in_thread(lambda: thick.error), vim.fault.NoDiskSpace)
    assert store.free == free
    assert player.estate.vms("copy01") == []


async def test_an_upload_can_be_repeated_while_the_lease_lives(player, leases, in_thread):
    store = player.datastore("ds c2-01")
    lease = await in_thread(lambda: leases.ready(leases.take_in(4 * MIB)))
    url = (await in_thread(lambda: lease.info)).deviceUrl[0].url
    before = store.free
    for grains in ({1: b"x" * BLOCK, 2: b"y" * BLOCK}, {0: b"z" * BLOCK}):
        assert (await sent(url, player, put_together(4 * MIB, grains))).status_code == 200
    assert before - store.free == BLOCK
    await in_thread(lease.Complete)
    disk = player.estate.vm("copy01").disks[0]
    content = player.estate.universe.depot.disks.of(disk)
    assert (content.block(0), content.block(1)) == (b"z" * BLOCK, None)


async def test_a_lease_that_completes_without_data_leaves_empty_disks(player, leases, in_thread):
    lease = await in_thread(lambda: leases.ready(leases.take_in(4 * MIB, thin=False)))
    await in_thread(lease.Complete)
    disk = player.estate.vm("copy01").disks[0]
    assert player.estate.universe.depot.disks.of(disk).used == 0


async def test_snapshots_do_not_travel(player, leases, in_thread):
    lease = await in_thread(leases.export, "DC1/vm/chain01")
    info = await in_thread(lambda: lease.info)
    assert [url.targetId for url in info.deviceUrl] == ["disk-0.vmdk", "disk-1.nvram"]
    assert len(take_apart(await fetched(info.deviceUrl[0].url, player))[1]) * BLOCK == 2 * MIB


async def test_what_cannot_be_exported_is_refused(player, leases, client, client_of, in_thread):
    def go(path, who=client):
        return who.find(path).ExportVm()

    with pytest.raises(vim.fault.InvalidPowerState):
        await in_thread(go, "DC1/vm/on01")
    with pytest.raises(vim.fault.TaskInProgress):
        await in_thread(go, "DC1/vm/busy01")
    with pytest.raises(vmodl.fault.NotSupported):
        await in_thread(go, "DC1/vm/secret01")
    viewer = await in_thread(lambda: client_of(player, user="viewer@vsphere.local"))
    with pytest.raises(vim.fault.NoPermission) as refused:
        await in_thread(go, "DC1/vm/Web/web01", viewer)
    assert refused.value.privilegeId == "VApp.Export"
    player.estate.universe.conditions.lock(player.estate.vm("chain01"), locked=True)
    locked = await in_thread(go, "DC1/vm/chain01")
    assert await in_thread(leases.until, locked, "ready", "error") == "error"
    assert isinstance(await in_thread(lambda: locked.error), vim.fault.FileLocked)
    player.set_host(ESX1, connected=False)
    with pytest.raises(vmodl.fault.HostNotConnected):
        await in_thread(go, "DC1/vm/Web/web01")


async def test_what_cannot_be_imported_is_refused(player, leases, client_of, in_thread):
    with pytest.raises(vmodl.fault.InvalidArgument):
        await in_thread(lambda: leases.take_in(MIB, network="nonsense"))
    with pytest.raises(vmodl.fault.InvalidArgument):
        await in_thread(lambda: leases.take_in(0))
    with pytest.raises(vim.fault.InvalidDatastorePath):
        await in_thread(lambda: leases.take_in(MIB, store="nonsense"))
    await in_thread(lambda: leases.take_in(MIB))
    with pytest.raises(vim.fault.DuplicateName):
        await in_thread(lambda: leases.take_in(MIB))
    viewer = await in_thread(lambda: client_of(player, user="viewer@vsphere.local"))
    with pytest.raises(vim.fault.NoPermission) as refused:
        await in_thread(lambda: Leases(viewer).take_in(MIB, name="other"))
    assert refused.value.privilegeId == "VApp.Import"
    assert [vm.name for vm in player.estate.vms("other")] == []


async def test_urls_of_a_lease_lead_nowhere_else(player, leases, in_thread):
    lease = await in_thread(leases.export)
    url = (await in_thread(lambda: lease.info)).deviceUrl[0].url
    path = httpx.URL(url).path
    async with browsing(player, player.host_url(ESX2), auth=None) as other:
        assert (await other.get(path)).status_code == 404
    async with browsing(player, auth=None) as browser:
        assert (await browser.get(path)).status_code == 404
        assert (await browser.get(url[:-1])).status_code == 404
        assert (await browser.get(url.replace(path.split("/")[2], "0" * 32))).status_code == 404
        assert (await browser.post(url, content=b"x")).status_code == 405
    with pytest.raises(vmodl.fault.InvalidArgument):
        await in_thread(lease.Progress, 101)
