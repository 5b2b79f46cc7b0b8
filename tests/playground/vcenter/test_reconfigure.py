"""ReconfigVM_Task of the played vCenter, by a real pyvmomi: what a copy by hand needs, and nothing else."""

import pytest
from pyVmomi import vim, vmodl

from tests.playground.vcenter.disks import HERE, WORLD, browsing
from tests.playground.vcenter.hand_copies import Hand

CARD, DRIVE = vim.vm.device.VirtualVmxnet3, vim.vm.device.VirtualCdrom
_ACCOUNT = '  { user = "reader@vsphere.local"'
_EDITOR = (
    '  { user = "plugger@vsphere.local", password = "right", '
    'privileges = ["System.View", "System.Read", "VirtualMachine.Config.EditDevice"] },\n'
)


@pytest.fixture
def world_text():
    drive = 'change_tracking = true\ndevices = ["iso [ds-c1-01] iso/tools.iso"]\nannotation = "first"'
    return WORLD.replace(_ACCOUNT, f"{_EDITOR}{_ACCOUNT}").replace("change_tracking = true", drive)


@pytest.fixture
async def hand(client, in_thread):
    return await in_thread(Hand, client)


async def test_name_notes_and_extra_configuration(player, hand, client, in_thread):
    option = vim.option.OptionValue

    def go():
        vm = client.find("DC1/vm/Web/web01")
        assert (vm.config.annotation, vm.summary.config.annotation) == ("first", "first")
        extra = [option(key="uuid.action", value="keep"), option(key="a.b", value="1")]
        hand.reconfigure(vm, name="web01-old", annotation="copied to site2\nby hand", extraConfig=extra)
        assert vm == client.find("DC1/vm/Web/web01-old")
        hand.reconfigure(vm, extraConfig=[option(key="A.B", value="")])
        assert [(entry.key, entry.value) for entry in vm.config.extraConfig] == [("uuid.action", "keep")]
        assert vm.config.annotation == "copied to site2\nby hand"
        assert vm.recentTask[-1].info.descriptionId == "VirtualMachine.reconfigure"

    await in_thread(go)
    async with browsing(player) as browser:
        vmx = (await browser.get("/folder/web01/web01.vmx", params=HERE)).text
    assert 'annotation = "copied to site2|0Aby hand"' in vmx
    assert 'uuid.action = "keep"' in vmx
    assert 'displayName = "web01-old"' in vmx


async def test_cards_and_drives_are_unplugged(player, hand, client, in_thread):
    def go():
        vm = client.find("DC1/vm/Web/web01")
        for kind in (CARD, DRIVE):
            device = hand.device(vm, kind)
            assert device.connectable.startConnected
            device.connectable.startConnected = False
            hand.edit(vm, device)
            assert not hand.device(vm, kind).connectable.startConnected
        hand.result(vm.PowerOn())
        card, drive = hand.device(vm, CARD), hand.device(vm, DRIVE)
        assert (card.connectable.connected, drive.connectable.connected) == (False, False)
        for device in (card, drive):
            device.connectable.connected = True
            hand.edit(vm, device)
        card, drive = hand.device(vm, CARD), hand.device(vm, DRIVE)
        assert (card.connectable.connected, card.connectable.startConnected) == (True, False)
        assert drive.connectable.connected
        drive.backing = DRIVE.RemotePassthroughBackingInfo(deviceName="", exclusive=False)
        hand.edit(vm, drive)
        return type(hand.device(vm, DRIVE).backing)

    assert await in_thread(go) == DRIVE.RemotePassthroughBackingInfo


async def test_a_card_gets_another_network(player, hand, client, in_thread):
    def go():
        vm = client.find("DC1/vm/Web/web01")
        (group,) = [net for net in client.find("DC1/host/C1").network if net.name == "dvpg-app"]
        card = hand.device(vm, CARD)
        card.backing = vim.vm.device.VirtualEthernetCard.DistributedVirtualPortBackingInfo(
            port=vim.dvs.PortConnection(portgroupKey=group.key, switchUuid=group.config.distributedVirtualSwitch.uuid)
        )
        hand.edit(vm, card)
        assert [net.name for net in vm.network] == ["dvpg-app"]
        assert group.vm == [vm]
        vm.Unregister()
        pool, folder = client.find("DC1/host/C1").resourcePool, client.find("DC1/vm/Web")
        back = hand.register("[ds-c1-01] web01/web01.vmx", pool=pool, folder=folder)
        return [net.name for net in back.network], hand.device(back, DRIVE).backing.fileName

    assert await in_thread(go) == (["dvpg-app"], "[ds-c1-01] iso/tools.iso")


async def test_what_is_not_played_or_not_allowed_changes_nothing(player, hand, client, client_of, in_thread):
    def go():
        vm = client.find("DC1/vm/Web/web01")
        disk = next(iter(d for d in vm.config.hardware.device if isinstance(d, vim.vm.device.VirtualDisk)))
        card = hand.device(vm, CARD)
        add = vim.vm.device.VirtualDeviceSpec(operation="add", device=card)
        with pytest.raises(vmodl.fault.NotSupported):
            hand.reconfigure(vm, annotation="x", memoryMB=1)
        with pytest.raises(vmodl.fault.NotSupported):
            hand.reconfigure(vm, annotation="x", deviceChange=[add])
        with pytest.raises(vmodl.fault.InvalidArgument):
            hand.edit(vm, disk)
        with pytest.raises(vim.fault.InvalidName):
            hand.reconfigure(vm, annotation="x", name="n" * 81)
        with pytest.raises(vim.fault.ConcurrentAccess):
            hand.reconfigure(vm, annotation="x", changeVersion="1")
        with pytest.raises(vim.fault.TaskInProgress):
            hand.reconfigure(client.find("DC1/vm/busy01"), annotation="x")
        reader = Hand(client_of(player, user="viewer@vsphere.local"))
        mine = reader.client.find("DC1/vm/Web/web01")
        option = vim.option.OptionValue(key="a", value="b")
        card.connectable.startConnected = False
        plug = vim.vm.device.VirtualDeviceSpec(operation="edit", device=card)
        for fields, privilege in (
            ({"annotation": "x"}, "Config.Annotation"), ({"name": "x"}, "Config.Rename"),
            ({"extraConfig": [option]}, "Config.AdvancedConfig"), ({"deviceChange": [plug]}, "Config.EditDevice"),
        ):  # fmt: skip
            with pytest.raises(vim.fault.NoPermission) as refused:
                reader.reconfigure(mine, **fields)
            assert refused.value.privilegeId == f"VirtualMachine.{privilege}"
        plugger = Hand(client_of(player, user="plugger@vsphere.local"))
        plugger.edit(plugger.client.find("DC1/vm/Web/web01"), card)
        hand.reconfigure(vm, changeVersion=vm.config.changeVersion, annotation=vm.config.annotation)
        return vm.name, vm.config.annotation

    assert await in_thread(go) == ("web01", "first")
