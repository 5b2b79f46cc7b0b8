"""What the door promises beside the relocation, asked of both vCenters: power, drives, consolidation, leftovers."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pyVmomi import vim

from tests.vsphere.raw import PC

Drive = vim.vm.device.VirtualCdrom


@pytest.fixture
def world_text(world_text):
    return world_text.replace('name = "web01"\n', 'name = "web01"\ndevices = ["client-cd"]\n', 1)


@pytest.fixture
async def put(peer, raw, in_thread):
    """Put a file into a directory of its own on a datastore of a site."""
    context = ssl.create_default_context(cafile=str(peer.ca_file))
    async with httpx.AsyncClient(verify=context, auth=(peer.user, peer.password), timeout=20) as web:

        async def put(site, path, content):
            top, _, _ = path.partition("/")
            where = await in_thread(raw.find, f"/{site.datacenter}")
            await in_thread(raw.content.fileManager.MakeDirectory, f"[{site.datastore}] {top}", where, True)
            params = {"dcPath": site.datacenter, "dsName": site.datastore}
            url = f"{peer.url.removesuffix('/sdk')}/folder/{path}"
            (await web.put(url, params=params, content=content)).raise_for_status()
            return f"[{site.datastore}] {path}"

        yield put


@pytest.fixture
async def uuid(peer, vcenter):
    (found,) = await vcenter.find_vms(peer.vm_path)
    return found.ref.uuid


async def test_power_follows_the_order(vcenter, uuid):
    assert (await vcenter.guest(uuid)).power == "poweredOff"
    await vcenter.power_on(uuid)
    await vcenter.power_on(uuid)
    guest = await vcenter.guest(uuid)
    assert (guest.power, guest.question) == ("poweredOn", None)
    await vcenter.power_off(uuid)
    await vcenter.power_off(uuid)
    assert (await vcenter.guest(uuid)).power == "poweredOff"


async def test_a_guest_goes_down(vcenter, uuid, raw, in_thread):
    def until_off():
        pc, version = raw.collector(raw.about(raw.vm, "runtime.powerState"))
        if raw.vm.runtime.powerState != "poweredOff":
            assert pc.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=10)) is not None
        pc.Destroy()

    await vcenter.power_on(uuid)
    await vcenter.shut_down_guest(uuid)
    await in_thread(until_off)
    assert (await vcenter.guest(uuid)).power == "poweredOff"
    await vcenter.shut_down_guest(uuid)  # off counts as asked


async def test_an_image_is_taken_out_of_its_drive(peer, vcenter, uuid, raw, in_thread, put):
    image = await put(peer.source, "tools/linux.iso", b"iso")

    def put_in():
        drive = next(device for device in raw.vm.config.hardware.device if isinstance(device, Drive))
        drive.backing = Drive.IsoBackingInfo(fileName=image)
        edit = vim.vm.device.VirtualDeviceSpec(operation="edit", device=drive)
        assert raw.finish(raw.vm.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=[edit]))).state == "success"

    def backing():
        (drive,) = (device for device in raw.vm.config.hardware.device if isinstance(device, Drive))
        return type(drive.backing)

    await in_thread(put_in)
    assert await in_thread(backing) is Drive.IsoBackingInfo
    await vcenter.disconnect_drives(uuid)
    assert await in_thread(backing) is Drive.RemotePassthroughBackingInfo
    await vcenter.disconnect_drives(uuid)


async def test_without_stray_deltas_there_is_nothing_to_merge(vcenter, uuid):
    await vcenter.consolidate(uuid)


async def test_the_place_tells_cards_and_disks(peer, vcenter, uuid):
    place = await vcenter.place(uuid)
    facts = await vcenter.read_vm(uuid)
    assert place.nics == tuple((nic.label, nic.network) for nic in facts.nics)
    assert place.macs == tuple((nic.label, nic.mac) for nic in facts.nics)
    assert place.disks == tuple((disk.key, disk.path) for disk in facts.disks)
    assert {network for _, network in place.nics} == set(peer.cards)


async def test_files_that_nobody_owns_are_found_and_deleted(peer, put):
    vcenter = peer.connect(leftovers_settle_in=timedelta(milliseconds=20))
    plan = await peer.plan(vcenter, made_at=datetime.now(UTC) - timedelta(minutes=5))
    assert list(await vcenter.leftovers(plan)) == []
    left = await put(peer.target, f"{peer.vm}_1/{peer.vm}.nvram", b"12345")
    beside = await put(peer.target, f"{peer.vm}x/notes.txt", b"67890")
    (found,) = await vcenter.leftovers(plan)
    assert (found.path, found.size) == (left, 5)
    assert abs(found.changed_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert list(await vcenter.delete_leftovers(plan, [beside, left])) == [left]
    assert list(await vcenter.leftovers(plan)) == []


async def test_the_files_of_the_vm_itself_are_never_left_over(peer, vcenter, uuid):
    plan = await peer.plan(vcenter, made_at=datetime(2020, 1, 1, tzinfo=UTC))
    task = await vcenter.relocate(plan, op_id="cm-ab2cd3ef-a1")
    async for _ in vcenter.follow(task):
        pass
    assert list(await vcenter.leftovers(plan)) == []
