"""What a failed copy left is found and deleted, and nothing else: a test for each way to hit somebody else's file."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import BugError
from bot.migration.plan import FarVCenter
from bot.migration.request import VCenterName
from bot.playground.esxi.disk_content import Text
from bot.playground.vcenter.inventory import Orphan
from bot.vsphere.port import FaultError, TaskState

STORE = "ds-c2-01"
MIB = 2**20
SOON = timedelta(milliseconds=20)


@pytest.fixture
def world_text(world_text):
    names = ["System.View", "System.Read", "Datastore.Browse", "Datastore.FileManagement"]

    def account(user, *, without="", more=""):
        listed = ", ".join(f'"{name}"' for name in names if name != without)
        return f'  {{ user = "{user}", password = "correct horse", privileges = [{listed}]{more} }},\n'

    accounts = (
        account("blind", more=', withheld = ["VirtualMachine.config.files"]')
        + account("unable to browse", without="Datastore.Browse")
        + account("unable to delete", without="Datastore.FileManagement")
        + account("cleaner")
    )
    tenant = '[[vms]]\nname = "tenant"\nsite = "site2"\n'
    return world_text.replace("accounts = [\n", f"accounts = [\n{accounts}", 1) + tenant


@pytest.fixture
def played(player_peer):
    return player_peer.connect(leftovers_settle_in=SOON)


@pytest.fixture
def store(player):
    return player.datastore(STORE)


@pytest.fixture
def shelf(player, store):
    return player.estate.universe.depot.shelf(store)


@pytest.fixture
async def failed(player_peer, played):
    """The plan of a copy that broke and left something behind."""
    plan = await player_peer.plan(played, "db01", nics=())
    async with asyncio.timeout(20):
        heard = [s async for s in played.follow(await played.relocate(plan, op_id="cm-ab2cd3ef-a1"))]
    assert heard[-1].state is TaskState.ERROR
    return plan


def settle(player, vm, directory):
    """Let a VM have its files in a directory of the target, as one that was registered there has."""
    vm = player.estate.vm(vm)
    vm.datastore, vm.directory = player.datastore(STORE), directory
    for disk in vm.disks:
        disk.datastore = vm.datastore
    player.estate.inventory.changes.touch(vm.ref, vm.datastore.ref)


async def test_what_a_broken_copy_left_is_found_and_deleted(failed, played, store):
    taken = sum(orphan.size for orphan in store.orphans)
    free = store.free
    (left,) = await played.leftovers(failed)
    assert (left.path, left.size) == ("[ds-c2-01] db01/db01.vmdk", taken - 521)  # a disk, the size of its extent
    assert left.changed_at >= failed.made_at
    assert await played.delete_leftovers(failed, [left.path]) == [left.path]
    assert store.orphans == []
    assert store.free == free + taken
    assert list(await played.leftovers(failed)) == []


async def test_a_whole_disk_goes_with_its_extent(failed, played, player, shelf):
    shelf.delete("db01")
    shelf.make_directory("db01", with_parents=False)
    for name, size in (("db01.nvram", 80), ("vmware.log", 200)):
        shelf.put(f"db01/{name}", Text(b"x" * size))
    left = await played.leftovers(failed)
    assert [file.path.rpartition("/")[2] for file in left] == ["vmware.log", "db01.nvram"]  # the largest first
    assert list(await played.delete_leftovers(failed, [left[1].path])) == ["[ds-c2-01] db01/db01.nvram"]
    assert [file.path for file in shelf.below("db01")] == ["db01/vmware.log"]
    assert "DeleteVirtualDisk_Task" not in player.calls


async def test_only_directories_of_the_name_count(failed, played, store):
    now = failed.made_at + timedelta(seconds=1)
    for name in ("db01_1", "db012", "db01_old", "mydb01", "db01_1x", "DB01"):
        store.orphans.append(Orphan(name, 10 * MIB, now))
    paths = {left.path for left in await played.leftovers(failed)}
    assert paths == {"[ds-c2-01] db01/db01.vmdk", "[ds-c2-01] db01_1/db01_1.vmdk"}


async def test_the_vm_itself_is_no_leftover_where_source_and_target_share_the_datastore(player_peer, played, player):
    source = player.datastore("ds-c1-01")
    plan = await player_peer.plan(played, "db01", nics=())
    here = player.estate.vm("db01")
    target = replace(plan.target, datastore=source.name, datastore_moid=source.id)
    plan = await player_peer.plan(played, "db01", nics=(), target=target, made_at=here.created - timedelta(days=1))
    assert list(await played.leftovers(plan)) == []
    mine = f"[ds-c1-01] {here.directory}/{here.disks[0].file}"
    assert list(await played.delete_leftovers(plan, [mine])) == []
    assert "DeleteVirtualDisk_Task" not in player.calls


async def test_the_vm_of_another_vcenter_that_shares_the_datastore_is_no_leftover(failed, played):
    """It is not registered here, and whatever shut it down has written its files after the plan."""
    (left,) = await played.leftovers(failed)
    far = FarVCenter(played.name, "https://east", "uuid", "AA")
    disks = (replace(failed.disks[0], path=left.path),)
    shared = replace(failed, far=far, vm_path_name="[ds-c2-01] db01/db01.vmx", disks=disks)
    assert list(await played.leftovers(shared)) == []
    assert list(await played.delete_leftovers(shared, [left.path])) == []
    assert [file.path for file in await played.leftovers(replace(failed, far=far))] == [left.path]


async def test_a_vm_that_was_registered_from_these_files_keeps_them(failed, played, player):
    (left,) = await played.leftovers(failed)
    settle(player, "tenant", "db01")
    assert list(await played.leftovers(failed)) == []
    assert list(await played.delete_leftovers(failed, [left.path])) == []
    assert "DeleteVirtualDisk_Task" not in player.calls


async def test_a_vm_that_is_registered_while_we_wait_keeps_them(failed, player_peer, player, store):
    patient = player_peer.connect(leftovers_settle_in=timedelta(milliseconds=400))
    (left,) = await patient.leftovers(failed)
    searches = player.calls["SearchDatastoreSubFolders_Task"]
    deleting = asyncio.create_task(patient.delete_leftovers(failed, [left.path]))
    await player.until_called("SearchDatastoreSubFolders_Task", searches + 1)
    settle(player, "tenant", "db01")
    assert list(await deleting) == []
    assert len(store.orphans) == 1


async def test_an_image_in_a_drive_is_somebodys(failed, played, player):
    vm = player.estate.vm("tenant")
    vm.hardware = replace(vm.hardware, devices=(("iso", "[ds-c2-01] db01/tools.iso"),))
    player.estate.inventory.changes.touch(vm.ref)
    assert list(await played.leftovers(failed)) == []


async def test_what_another_vm_of_the_name_copies_there_now_is_not_told_apart(failed, player_peer, played, player):
    player.set_link("site1", "site2", loss=0.0, rate=1000)
    slow = await player_peer.plan(played, "slow01", nics=())
    player.estate.inventory.rename(player.estate.vm("slow01"), "db01_1")
    await played.relocate(slow, op_id="cm-ab2cd3ef-a2")
    for asked in (played.leftovers(failed), played.delete_leftovers(failed, ["[ds-c2-01] db01/db01.vmdk"])):
        with pytest.raises(FaultError, match="a VM named db01_1 is being moved") as caught:
            await asked
        assert caught.value.kind == "vim.fault.TaskInProgress"
        assert caught.value.transient


async def test_a_move_of_another_name_is_in_nobodys_way(failed, player_peer, played, player):
    player.set_link("site1", "site2", loss=0.0, rate=1000)
    await played.relocate(await player_peer.plan(played, "slow01", nics=()), op_id="cm-ab2cd3ef-a2")
    assert len(await played.leftovers(failed)) == 1


async def test_an_import_may_be_writing_anywhere(failed, played, player):
    tasks, pool = player.estate.tasks, player.estate.vm("db01").pool
    task = tasks.create("ImportVApp", entity=pool, user="other", op_id="x")
    with pytest.raises(FaultError, match="importvapplro"):
        await played.leftovers(failed)
    tasks.start(task)
    tasks.finish(task)
    assert len(await played.leftovers(failed)) == 1


async def test_what_is_older_than_the_plan_is_somebodys(failed, player_peer, played):
    later = await player_peer.plan(played, "db01", nics=(), made_at=failed.made_at + timedelta(hours=1))
    assert list(await played.leftovers(later)) == []


async def test_one_older_file_speaks_for_the_whole_directory(failed, played, store, shelf, player):
    (left,) = await played.leftovers(failed)
    store.orphans.append(Orphan("db01", MIB, failed.made_at - timedelta(minutes=1)))
    shelf.put("db01/notes.txt", Text(b"mine"))
    assert list(await played.leftovers(failed)) == []
    assert list(await played.delete_leftovers(failed, [left.path])) == []


async def test_a_file_without_a_time_is_somebodys(failed, played, store, shelf):
    store.orphans[:] = [Orphan("db01", 10 * MIB)]
    shelf.put("db01/db01.nvram", Text(b"of now, beside it"))
    assert list(await played.leftovers(failed)) == []


async def test_what_still_changes_stays(failed, player_peer, player, shelf):
    """Whoever copies by hand has no task: the directory looks different a moment later."""
    patient = player_peer.connect(leftovers_settle_in=timedelta(milliseconds=400))
    (left,) = await patient.leftovers(failed)
    searches = player.calls["SearchDatastoreSubFolders_Task"]
    deleting = asyncio.create_task(patient.delete_leftovers(failed, [left.path]))
    await player.until_called("SearchDatastoreSubFolders_Task", searches + 1)
    shelf.put("db01/copied-by-hand.iso", Text(b"x"))
    assert list(await deleting) == []
    assert {file.path for file in shelf.below("db01")} > {"db01/copied-by-hand.iso"}


async def test_files_elsewhere_are_never_deleted_whatever_is_asked(failed, played, player):
    asked = ["[ds-c1-01] db01/db01.vmdk", "[ds-c2-01] tenant/tenant.vmdk", "[ds-c2-01] db01", "[ds-c2-01] db01/../x"]
    assert list(await played.delete_leftovers(failed, asked)) == []
    assert not {"DeleteVirtualDisk_Task", "DeleteDatastoreFile_Task"} & player.calls.keys()


async def test_a_vm_that_does_not_tell_its_files_might_own_them(failed, player_peer):
    with pytest.raises(FaultError, match="tenant on ds-c2-01 does not tell which files are its own"):
        await player_peer.connect(user="blind").leftovers(failed)


async def test_the_empty_directory_stays(failed, played, player, shelf):
    """vCenter deletes a directory with all that is in it, also with what somebody put there a moment ago."""
    (left,) = await played.leftovers(failed)
    await played.delete_leftovers(failed, [left.path])
    assert shelf.below("db01") == []


@pytest.mark.parametrize("lose", ["drop_reply", "drop_request"])
async def test_a_lost_reply_is_looked_for(failed, played, player, shelf, lose):
    shelf.delete("db01")
    shelf.make_directory("db01", with_parents=False)
    shelf.put("db01/db01.nvram", Text(b"x"))
    getattr(player, lose)("DeleteDatastoreFile_Task")
    path = "[ds-c2-01] db01/db01.nvram"
    assert list(await played.delete_leftovers(failed, [path])) == [path]
    assert shelf.below("db01") == []
    assert player.calls["DeleteDatastoreFile_Task"] == (1 if lose == "drop_reply" else 2)


async def test_missing_privileges_are_named(failed, player_peer, store):
    with pytest.raises(FaultError, match=r"Datastore\.Browse"):
        await player_peer.connect(user="unable to browse").leftovers(failed)
    unable = player_peer.connect(user="unable to delete", leftovers_settle_in=SOON)
    (left,) = await unable.leftovers(failed)
    with pytest.raises(FaultError, match=r"Datastore\.FileManagement"):
        await unable.delete_leftovers(failed, [left.path])
    cleaner = player_peer.connect(user="cleaner", leftovers_settle_in=SOON)
    assert await cleaner.delete_leftovers(failed, [left.path]) == [left.path]
    assert store.orphans == []


async def test_a_plan_for_another_vcenter_is_asked_of_that_one(failed, player_peer, played):
    far = FarVCenter(VCenterName("west"), "https://west", "uuid", "AA")
    plan = await player_peer.plan(played, "db01", nics=(), far=far)
    with pytest.raises(BugError, match="goes to west"):
        await played.leftovers(plan)
