"""VMs registered from files that somebody copied, unregistered and destroyed: real httpx for files, real pyvmomi."""

import pytest
from pyVmomi import vim, vmodl

from bot.playground.esxi.disk_content import sha256_of
from bot.playground.vcenter.inventory import Datastore, Vm
from tests.playground.vcenter.disks import HERE, MIB, THERE, WORLD, browsing
from tests.playground.vcenter.hand_copies import STORE, Hand, copy_files

VMX = f"[{STORE}] web01/web01.vmx"


@pytest.fixture
def world_text():
    smaller = WORLD.replace('"80 MiB thin 5 MiB"', '"8 MiB thin 5 MiB"')  # nearly every test copies it through TLS
    return smaller.replace(
        "change_tracking = true", 'change_tracking = true\nannotation = """kept by "ops"\nsince 2019"""'
    )


@pytest.fixture
async def hand(client, in_thread):
    return await in_thread(Hand, client)


@pytest.fixture
async def copied(player, hand, in_thread):
    """A VM copied file by file to the other site, and not yet registered."""
    await in_thread(hand.make, "web01")
    await copy_files(player, player.estate.vm("web01"), "web01")
    return hand


def balance(player):
    """Return what is missing or left over on each datastore, with all that is known to lie there."""
    shelves = player.estate.universe.depot
    return {
        store.name: store.capacity - store.free - store.strangers
        - sum(file.space for file in shelves.shelf(store).files().values() if not file.path.endswith("-ctk.vmdk"))
        for store in player.estate.inventory.each(Datastore)
    }  # fmt: skip


@pytest.fixture
def books(player):
    """How it was at the beginning: the world file may say that more lies there than there is room for."""
    return balance(player)


def home_spec(client):
    cluster, folder = client.find("DC1/host/C1"), client.find("DC1/vm/Web")
    return vim.vm.RelocateSpec(
        host=cluster.host[0], pool=cluster.resourcePool, datastore=cluster.datastore[0], folder=folder
    )


async def written(player, directory, files):
    async with browsing(player) as browser:
        for name, content in files.items():
            reply = await browser.put(f"/folder/{directory}/{name}", params=THERE, content=content)
            assert reply.status_code in {200, 201}, reply.text


async def test_a_copy_by_hand_becomes_the_same_vm(player, books, copied, client, in_thread):
    source, store, contents = player.estate.vm("web01"), player.datastore(STORE), player.estate.universe.depot.disks
    free = store.free
    vm = await in_thread(copied.register, VMX, name="web01-copy")

    def look():
        assert client.find("DC2/vm/Migrated/web01-copy") == vm
        config = vm.config
        assert (config.files.vmPathName, config.version, config.uuid) == (VMX, "vmx-21", source.bios_uuid)
        assert config.instanceUuid != source.instance_uuid  # there is one of that already
        assert config.annotation == 'kept by "ops"\nsince 2019'
        assert (config.hardware.memoryMB, config.hardware.numCPU, config.changeTrackingEnabled) == (4096, 2, True)
        disks = [device for device in config.hardware.device if isinstance(device, vim.vm.device.VirtualDisk)]
        assert [disk.backing.fileName for disk in disks] == [
            f"[{STORE}] web01/web01.vmdk",
            f"[{STORE}] web01/web01_1.vmdk",
        ]
        assert [disk.capacityInBytes for disk in disks] == [8 * MIB, 2 * MIB]
        card = copied.device(vm, vim.vm.device.VirtualVmxnet3)
        assert (card.backing.deviceName, card.macAddress) == ("VM Network", source.nics[0].mac)
        assert vm.runtime.powerState == "poweredOff"
        filter_ = vim.event.EventFilterSpec(eventTypeId=["VmRegisteredEvent"])
        return len(client.content.eventManager.QueryEvents(filter_))

    assert await in_thread(look) == 1
    made = player.estate.vm("web01-copy")
    for before, after in zip(source.disks, made.disks, strict=True):
        assert sha256_of(contents.of(after)) == sha256_of(contents.of(before))
    assert [disk.used for disk in made.disks] == [8 * MIB, 2 * MIB]  # /folder carries a thin disk at full size
    assert store.free == free
    assert balance(player) == books
    async with browsing(player) as browser:
        for name in ("web01.nvram", "web01-flat.vmdk"):
            here, there = [
                (await browser.get(f"/folder/web01/{name}", params=where)).content for where in (HERE, THERE)
            ]
            assert here == there
        assert (await browser.delete("/folder/web01/web01.vmdk", params=THERE)).status_code == 500


async def test_a_vm_that_came_by_hand_moves_like_any_other(player, books, copied, client, in_thread):
    await in_thread(copied.register, VMX, name="web01-copy")
    contents, made = player.estate.universe.depot.disks, player.estate.vm("web01-copy")
    before = [sha256_of(contents.of(disk)) for disk in made.disks]

    def move():
        return copied.result(client.find("DC2/vm/Migrated/web01-copy").Relocate(home_spec(client)))

    await in_thread(move)
    assert made.directory == "web01-copy"
    assert [sha256_of(contents.of(disk)) for disk in made.disks] == before
    assert balance(player) == books


@pytest.mark.parametrize(
    ("answer", "action", "copy"),
    [("1", None, False), ("2", None, True), ("0", None, None), (None, "keep", False), (None, "create", True)],
)
async def test_it_asks_how_it_came_here_unless_that_is_settled(player, copied, client, in_thread, answer, action, copy):
    source = player.estate.vm("web01")

    def start():
        vm = copied.register(VMX, name="web01-copy")
        if action:
            option = vim.option.OptionValue(key="uuid.action", value=action)
            copied.reconfigure(vm, extraConfig=[option])
            assert [(o.key, o.value) for o in vm.config.extraConfig] == [("uuid.action", action)]
        task = vm.PowerOn()
        if answer:
            question = vm.runtime.question
            assert question.text.startswith("msg.uuid.altered:")
            assert [choice.key for choice in question.choice.choiceInfo] == ["0", "1", "2"]
            assert (task.info.state, vm.runtime.powerState) == ("running", "poweredOff")
            with pytest.raises(vmodl.fault.InvalidArgument):
                vm.Answer(question.id, "9")
            vm.Answer(question.id, answer)
        try:
            copied.result(task)
        except vmodl.fault.RequestCanceled:
            assert answer == "0"
        assert vm.runtime.question is None
        return vm.runtime.powerState, vm.config.uuid, copied.device(vm, vim.vm.device.VirtualVmxnet3).macAddress

    power, bios, mac = await in_thread(start)
    assert power == ("poweredOff" if copy is None else "poweredOn")
    assert (bios != source.bios_uuid, mac != source.nics[0].mac) == (bool(copy), bool(copy))


async def test_it_asks_only_once_and_never_at_home(player, copied, client, in_thread):
    def go():
        vm = copied.register(VMX, name="web01-copy")
        task = vm.PowerOn()
        vm.Answer(vm.runtime.question.id, "1")
        copied.result(task)
        copied.result(vm.PowerOff())
        copied.result(vm.PowerOn())
        copied.result(vm.PowerOff())
        vm.Unregister()
        back = copied.register(VMX, name="again")
        copied.result(back.PowerOn())
        return back.runtime.powerState

    assert await in_thread(go) == "poweredOn"


async def test_a_disk_that_is_not_right_keeps_it_from_starting(player, books, hand, client, in_thread):
    await in_thread(hand.make, "web01")
    await copy_files(
        player, player.estate.vm("web01"), "web01", renamed={"web01_1-flat.vmdk": lambda flat: flat[:-512]}
    )
    async with browsing(player) as browser:
        await browser.delete("/folder/web01/web01-flat.vmdk", params=THERE)

    def go():
        vm = hand.register(VMX, name="half")
        assert [d.capacityInKB for d in vm.config.hardware.device if isinstance(d, vim.vm.device.VirtualDisk)] == [0, 0]
        with pytest.raises(vim.fault.FileNotFound) as missing:
            hand.result(vm.PowerOn())
        assert missing.value.file == f"[{STORE}] web01/web01-flat.vmdk"
        with pytest.raises(vim.fault.FileNotFound):
            vm.ExportVm()
        with pytest.raises(vim.fault.FileNotFound):
            hand.result(vm.Relocate(home_spec(client)))
        hand.result(vm.Destroy())
        return [vm.name for vm in client.find("DC2/vm/Migrated").childEntity]

    assert await in_thread(go) == []
    left = player.estate.universe.depot.shelf(player.datastore(STORE)).below("web01")
    assert sorted(file.path for file in left) == ["web01/web01.vmdk", "web01/web01_1-flat.vmdk", "web01/web01_1.vmdk"]
    assert balance(player) == books


RUBBISH = {
    "empty": b"",
    "no rows": b"this is no configuration\n",
    "not text": bytes(range(256)),
    "a page": b"<html>404 Not Found</html>",
    "no version": b'displayName = "x"\n',
    "no number": b'config.version = "8"\nmemSize = "lots"\n',
    "no uuid": b'config.version = "8"\nuuid.bios = "56 4d"\n',
    "large": b'config.version = "8"\n' + b"#" * 2**21,
    "encrypted": b'config.version = "8"\nencryption.keySafe = "vmware:key"\n',
}


@pytest.mark.parametrize("kind", RUBBISH)
async def test_rubbish_is_refused(player, books, hand, in_thread, kind):
    await in_thread(hand.make, "x")
    await written(player, "x", {"x.vmx": RUBBISH[kind]})
    with pytest.raises(vim.fault.VmConfigFault):
        await in_thread(hand.register, f"[{STORE}] x/x.vmx")
    assert player.estate.vms("x") == []
    assert balance(player) == books


async def test_what_cannot_be_registered_is_refused(player, copied, client, client_of, in_thread):
    def go():
        register, dc1 = copied.register, client.find("DC1")
        for path in (
            "web01/web01.vmx",
            "[nowhere] web01/web01.vmx",
            f"[{STORE}] ../x.vmx",
            "[ds-c1-01] web01/web01.vmx",
        ):
            with pytest.raises(vim.fault.InvalidDatastorePath):
                register(path)
        with pytest.raises(vim.fault.NotFound):
            register(f"[{STORE}] web01/other.vmx")
        with pytest.raises(vim.fault.InvalidName):
            register(VMX, name="x" * 81)
        for wrong in ({"pool": dc1.hostFolder.childEntity[0].resourcePool}, {"pool": None}):
            with pytest.raises((vim.fault.InvalidDatastore, vmodl.fault.InvalidArgument)):
                register(VMX, **wrong)
        with pytest.raises(vmodl.fault.InvalidArgument):
            register(VMX, host=dc1.hostFolder.childEntity[0].host[0])
        with pytest.raises(vmodl.fault.InvalidArgument):
            register(f"[{STORE}] web01/web01.vmdk")
        register(VMX)
        with pytest.raises(vim.fault.AlreadyExists) as twice:
            register(VMX, name="other")
        assert twice.value.name == VMX
        with pytest.raises(vim.fault.AlreadyExists):
            register("[ds-c1-01] web01/web01.vmx", folder=client.find("DC1/vm/Web"),
                     pool=client.find("DC1/host/C1").resourcePool)  # fmt: skip
        copied.make("second")
        copied.result(copied.files.CopyFile(VMX, copied.dc2, f"[{STORE}] second/web01.vmx", copied.dc2))
        with pytest.raises(vim.fault.DuplicateName):
            register(f"[{STORE}] second/web01.vmx")
        reader = Hand(client_of(player, user="viewer@vsphere.local"))
        with pytest.raises(vim.fault.NoPermission) as refused:
            reader.register(VMX)
        assert refused.value.privilegeId == "VirtualMachine.Inventory.Register"

    await in_thread(go)
    assert [vm.name for vm in player.estate.inventory.each(Vm)].count("web01") == 2


async def test_a_vmx_by_hand_says_what_it_gets(player, hand, client, in_thread):
    """Nothing of it is this player's own: as an operator types it who has only the disks."""
    text = (
        '# typed at night\r\nconfig.version = "8"\r\nVIRTUALHW.VERSION = "13"\r\ndisplayName = "night|22shift"\r\n'
        'memsize = "1024"\nnumvcpus = "1"\nuuid.action = "keep"\nguestinfo.x = "|7C"\n\n'
        'scsi0:0.present = "TRUE"\nscsi0:0.fileName = "disk.vmdk"\n'
        'scsi0:1.present = "FALSE"\nscsi0:1.fileName = "gone.vmdk"\n'
        'ide0:0.present = "TRUE"\nide0:0.deviceType = "cdrom-image"\nide0:0.startConnected = "FALSE"\n'
        f'ide0:0.fileName = "/vmfs/volumes/{STORE}/iso/tools.iso"\n'
        'ethernet0.present = "TRUE"\nethernet0.networkName = "Nowhere"\nethernet0.startConnected = "FALSE"\n'
        'ethernet1.present = "TRUE"\nethernet1.networkName = "VM Network"\nethernet1.address = "00:50:56:00:00:01"\n'
    )
    await in_thread(hand.make, "night")
    await written(player, "night", {"night.vmx": text.encode()})

    def go():
        spec = vim.VirtualDiskManager.FileBackedVirtualDiskSpec(
            diskType="thin", adapterType="lsiLogic", capacityKb=4096
        )
        hand.result(hand.disks.CreateVirtualDisk(f"[{STORE}] night/disk.vmdk", hand.dc2, spec))
        vm = hand.register(f"[{STORE}] night/night.vmx")
        config = vm.config
        assert (vm.name, config.version, config.hardware.memoryMB) == ('night"shift', "vmx-13", 1024)
        assert [(o.key, o.value) for o in config.extraConfig] == [("uuid.action", "keep"), ("guestinfo.x", "|")]
        one, two = [d for d in config.hardware.device if isinstance(d, vim.vm.device.VirtualEthernetCard)]
        assert (one.backing.deviceName, one.connectable.startConnected) == ("Nowhere", False)
        assert (two.macAddress, two.connectable.startConnected) == ("00:50:56:00:00:01", True)
        drive = hand.device(vm, vim.vm.device.VirtualCdrom)
        assert (drive.backing.fileName, drive.connectable.startConnected) == (f"[{STORE}] iso/tools.iso", False)
        assert {net.name: net.summary.accessible for net in vm.network} == {"Nowhere": False, "VM Network": True}
        disk = hand.device(vm, vim.vm.device.VirtualDisk)
        assert (disk.capacityInKB, disk.backing.thinProvisioned) == (4096, True)
        hand.result(vm.PowerOn())
        return vm.runtime.powerState

    assert await in_thread(go) == "poweredOn"


async def test_a_template_is_registered_on_a_host(player, copied, client, in_thread):
    def go():
        host = client.find("DC2/host/C2").host[0]
        with pytest.raises(vmodl.fault.InvalidArgument):
            copied.register(VMX, template=True)
        vm = copied.register(VMX, template=True, host=host, name="golden")
        return vm.config.template, vm.runtime.host == host

    assert await in_thread(go) == (True, True)


async def test_unregistering_leaves_files_and_destroying_does_not(player, books, client, hand, in_thread):
    source, store, contents = (
        player.estate.vm("web01"),
        player.datastore("ds-c1-01"),
        player.estate.universe.depot.disks,
    )
    free, size, before = store.free, source.committed, [sha256_of(contents.of(disk)) for disk in source.disks]

    def go():
        where = {"folder": client.find("DC1/vm/Web"), "pool": client.find("DC1/host/C1").resourcePool}
        vm = client.find("DC1/vm/Web/web01")
        vm.Unregister()
        with pytest.raises(vmodl.fault.ManagedObjectNotFound):
            assert vm.name
        back = hand.register("[ds-c1-01] web01/web01.vmx", **where)
        assert (back.name, back.config.instanceUuid) == ("web01", source.instance_uuid)
        with pytest.raises(vim.fault.TaskInProgress):
            client.find("DC1/vm/busy01").Unregister()
        for leave in (client.find("DC1/vm/on01").Unregister, lambda: hand.result(client.find("DC1/vm/on01").Destroy())):
            with pytest.raises(vim.fault.InvalidPowerState):
                leave()
        with pytest.raises(vmodl.fault.NotSupported):
            client.find("DC1/vm/Web").Destroy()
        return back

    back = await in_thread(go)
    again = player.estate.vm("web01")
    assert [sha256_of(contents.of(disk)) for disk in again.disks] == before
    assert ([disk.used for disk in again.disks], store.free) == ([5 * MIB, 2 * MIB], free)
    assert balance(player) == books
    await in_thread(lambda: hand.result(back.Destroy()))
    assert store.free == free + size
    assert balance(player) == books
    async with browsing(player) as browser:
        assert (await browser.get("/folder/web01", params=HERE)).status_code == 404


async def test_a_chain_of_snapshots_is_not_made_up(player, client, hand, in_thread):
    """What leaves with snapshots comes back with disks that do not open, and with all of its files."""
    files = {file.path for file in player.estate.vm("chain01").files}

    def go():
        where = {"folder": client.find("DC1/vm"), "pool": client.find("DC1/host/C1").resourcePool}
        client.find("DC1/vm/chain01").Unregister()
        vm = hand.register("[ds-c1-01] chain01/chain01.vmx", **where)
        with pytest.raises(vim.fault.FileFault) as broken:
            hand.result(vm.PowerOn())
        assert "chain" in broken.value.msg

    await in_thread(go)
    lying = player.estate.universe.depot.shelf(player.datastore("ds-c1-01")).below("chain01")
    assert {file.path.removeprefix("chain01/") for file in lying} == files


async def test_leaving_needs_its_own_privileges(player, client_of, in_thread):
    def go():
        client = client_of(player, user="viewer@vsphere.local")
        vm = client.find("DC1/vm/Web/web01")
        for leave, privilege in ((vm.Unregister, "Unregister"), (vm.Destroy, "Delete")):
            with pytest.raises(vim.fault.NoPermission) as refused:
                leave()
            assert refused.value.privilegeId == f"VirtualMachine.Inventory.{privilege}"

    await in_thread(go)
