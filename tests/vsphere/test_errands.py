"""Power, drives, consolidation: done once whoever asks how often, joined by a second worker, told when they wait."""

from __future__ import annotations

import asyncio

import pytest
from pyVmomi import vim

from bot.errors import MaybeSentError
from bot.vsphere.port import QUESTION, FaultError

WORLD_VMS = """
[[vms]]
name = "stubborn"
site = "site1"
power = "on"
ignores_shutdown = true
[[vms]]
name = "toolless"
site = "site1"
power = "on"
tools = false
[[vms]]
name = "hungry"
site = "site1"
start = "no-resources"
[[vms]]
name = "traveller"
site = "site1"
start = "asks"
[[vms]]
name = "media"
site = "site1"
networks = ["dvpg-app"]
devices = ["iso [ds-c1-01] tools/linux.iso", "floppy [ds-c1-01] drivers.flp", "host-cd", "usb", "client-cd"]
[[vms]]
name = "locked"
site = "site1"
power = "on"
locks_drive = true
devices = ["iso [ds-c1-01] tools/linux.iso"]
[[vms]]
name = "backedup"
site = "site1"
snapshots = 1
stray_deltas = 2
"""


@pytest.fixture
def world_text(world_text):
    quick = 'noise_every = "1 h"\nguest_shutdown = "50 ms"\nconsolidation = "200 ms"\n'
    return world_text.replace('noise_every = "1 h"\n', quick) + WORLD_VMS


async def uuid_of(vcenter, name):
    (found,) = await vcenter.find_vms(name)
    return found.ref.uuid


async def until_off(player, name):
    changes = player.estate.inventory.changes
    async with asyncio.timeout(10):
        while player.estate.vm(name).power != "poweredOff":
            await changes.wait(beyond=changes.revision, seconds=1)


# Power.


async def test_a_guest_shuts_down_when_it_is_asked(played, player):
    uuid = await uuid_of(played, "app01")
    guest = await played.guest(uuid)
    assert (guest.power, guest.tools_running, guest.question) == ("poweredOn", True, None)
    await played.shut_down_guest(uuid)
    await until_off(player, "app01")
    await played.shut_down_guest(uuid)  # off counts as asked
    assert player.calls["ShutdownGuest"] == 1


async def test_a_guest_may_ignore_it_and_can_be_powered_off(played, player):
    uuid = await uuid_of(played, "stubborn")
    await played.shut_down_guest(uuid)
    await played.shut_down_guest(uuid)
    assert (await played.guest(uuid)).power == "poweredOn"
    await played.power_off(uuid)
    await played.power_off(uuid)
    assert (await played.guest(uuid)).power == "poweredOff"
    assert player.calls["PowerOffVM_Task"] == 1


async def test_without_tools_nobody_can_ask(played):
    uuid = await uuid_of(played, "toolless")
    assert not (await played.guest(uuid)).tools_running
    with pytest.raises(FaultError) as caught:
        await played.shut_down_guest(uuid)
    assert caught.value.kind == "vim.fault.ToolsUnavailable"


@pytest.mark.parametrize("lose", ["drop_reply", "drop_request"])
async def test_a_lost_reply_is_looked_for_before_it_is_asked_again(played, player, lose):
    uuid = await uuid_of(played, "web01")
    getattr(player, lose)("PowerOnVM_Task")
    await played.power_on(uuid)
    assert player.estate.vm("web01").power == "poweredOn"
    assert player.calls["PowerOnVM_Task"] == (1 if lose == "drop_reply" else 2)


async def test_patience_with_lost_requests_ends_in_doubt(played, player):
    uuid = await uuid_of(played, "web01")
    for nth in range(1, 5):
        player.drop_request("PowerOnVM_Task", nth=nth)
    with pytest.raises(MaybeSentError):
        await played.power_on(uuid)
    assert player.calls["PowerOnVM_Task"] == 4


async def test_a_host_without_resources_says_so(played):
    uuid = await uuid_of(played, "hungry")
    with pytest.raises(FaultError, match="memory resources") as caught:
        await played.power_on(uuid)
    assert caught.value.kind == "vim.fault.InsufficientMemoryResourcesFault"


async def test_a_question_is_told_and_not_answered(played, player):
    uuid = await uuid_of(played, "traveller")
    with pytest.raises(FaultError, match=r"traveller waits for an answer .* moved or copied") as caught:
        await played.power_on(uuid)
    assert caught.value.kind == QUESTION
    with pytest.raises(FaultError) as again:  # its task still runs: it is joined, not started anew
        await played.power_on(uuid)
    assert again.value.kind == QUESTION
    assert player.calls["PowerOnVM_Task"] == 1
    assert "AnswerVM" not in player.calls
    assert "moved or copied" in (await played.guest(uuid)).question


async def test_an_order_of_a_session_that_was_ended_is_refused(player_peer, played, player):
    uuid = await uuid_of(played, "web01")
    key = await played.writer_session()
    await player_peer.end_all_sessions()
    with pytest.raises(FaultError) as caught:
        await played.power_on(uuid, session=key)
    assert caught.value.kind == "vim.fault.NotAuthenticated"
    assert player.estate.vm("web01").power == "poweredOff"
    await played.power_on(uuid)  # without a session any will do
    assert player.estate.vm("web01").power == "poweredOn"


# Drives.


async def test_images_are_taken_out_and_nothing_else_is_touched(played, player, raw_of):
    uuid = await uuid_of(played, "media")
    before = await raw_of("media")
    await played.disconnect_drives(uuid)
    await played.disconnect_drives(uuid)
    after = await raw_of("media")
    assert player.calls["ReconfigVM_Task"] == 1
    backings = {key: type(device.backing).__name__.rpartition("vm.device.")[2] for key, device in after.items()}
    assert [backings[key] for key in (3000, 12001, 3002)] == [
        "VirtualCdrom.RemotePassthroughBackingInfo",
        "VirtualFloppy.RemoteDeviceBackingInfo",
        "VirtualCdrom.RemotePassthroughBackingInfo",
    ]
    untouched = before.keys() - {3000, 12001, 3002}
    assert {type(after[key].backing) for key in untouched} == {type(before[key].backing) for key in untouched}
    assert after.keys() == before.keys()


@pytest.fixture
async def raw_of(played, reader, in_thread):
    def devices(name):
        connected = reader.open()
        found = connected.content.searchIndex.FindByInventoryPath(f"/DC1/vm/{name}")
        return {device.key: device for device in vim.VirtualMachine(found._moId, connected.wire).config.hardware.device}

    return lambda name: in_thread(devices, name)


async def test_a_guest_that_holds_the_door_is_told(played, player):
    uuid = await uuid_of(played, "locked")
    with pytest.raises(FaultError, match="locked the CD-ROM door") as caught:
        await played.disconnect_drives(uuid)
    assert caught.value.kind == QUESTION
    with pytest.raises(FaultError):
        await played.disconnect_drives(uuid)
    assert player.calls["ReconfigVM_Task"] == 1
    assert player.estate.vm("locked").hardware.devices[0][0] == "iso"


async def test_a_lost_reply_to_the_edit_does_no_harm(played, player):
    player.drop_reply("ReconfigVM_Task")
    await played.disconnect_drives(await uuid_of(played, "media"))
    assert player.calls["ReconfigVM_Task"] == 1


# Consolidation.


async def test_strays_are_merged_and_snapshots_stay(played, player):
    uuid, vm = await uuid_of(played, "backedup"), player.estate.vm("backedup")
    free, held = player.datastore("ds-c1-01").free, vm.committed
    await played.consolidate(uuid)
    await played.consolidate(uuid)
    assert (vm.strays, len(vm.snapshots)) == (0, 1)
    assert player.calls["ConsolidateVMDisks_Task"] == 1
    assert player.datastore("ds-c1-01").free - free == held - vm.committed > 0


async def test_whoever_comes_second_joins_the_task_of_the_first(player_peer, played, player):
    uuid = await uuid_of(played, "backedup")
    first = asyncio.create_task(played.consolidate(uuid))
    await player.until_called("ConsolidateVMDisks_Task")
    first.cancel()  # as a worker that dies
    with pytest.raises(asyncio.CancelledError):
        await first
    second = player_peer.connect()
    await second.consolidate(uuid)
    assert player.calls["ConsolidateVMDisks_Task"] == 1
    assert player.estate.vm("backedup").strays == 0


async def test_a_cancelled_caller_leaves_no_submitting_thread_behind(played, player):
    uuid = await uuid_of(played, "backedup")
    player.delay_reply("ConsolidateVMDisks_Task", 0.3)
    caller = asyncio.create_task(played.consolidate(uuid))
    await player.until_called("ConsolidateVMDisks_Task")
    caller.cancel()
    assert not (await asyncio.wait({caller}, timeout=0.05))[0]
    with pytest.raises(asyncio.CancelledError):
        await caller


async def test_a_busy_vm_is_refused_for_now(played, player):
    with pytest.raises(FaultError) as caught:
        await played.power_on(await uuid_of(played, "files01"))
    assert caught.value.kind == "vim.fault.TaskInProgress"
    assert caught.value.transient


async def test_a_vm_that_is_gone_is_said_to_be_gone(played):
    for order in (played.guest, played.power_on, played.consolidate, played.disconnect_drives, played.shut_down_guest):
        with pytest.raises(FaultError) as caught:
            await order("00000000-0000-0000-0000-000000000000")
        assert caught.value.kind == "vmodl.fault.ManagedObjectNotFound"
