"""Datastore browser and file manager of the played vCenter, by a real pyvmomi."""

import pytest
from pyVmomi import vim

from bot.playground.esxi.disk_content import sha256_of
from bot.playground.vcenter.inventory import Orphan
from tests.playground.vcenter.disks import MIB, WORLD

Browser = vim.host.DatastoreBrowser


@pytest.fixture
def world_text():
    return WORLD


class Files:
    """What an operator does with datastores. Every method blocks."""

    def __init__(self, client):
        self.client = client
        self.manager = client.content.fileManager

    def store(self, name):
        view = self.client.content.viewManager.CreateContainerView(
            self.client.content.rootFolder, [vim.Datastore], True
        )
        return next(store for store in view.view if store.name == name)

    def result(self, task):
        _, error = self.client.watch(task)
        if error:
            raise error
        return task.info.result

    def search(self, path, *, below=False, patterns=("*",), **details):
        browser = self.store(path.partition("]")[0].removeprefix("[")).browser
        flags = Browser.FileInfo.Details(
            **{"fileType": True, "fileSize": True, "modification": True, "fileOwner": True} | details
        )
        spec = Browser.SearchSpec(matchPattern=list(patterns), details=flags)
        return self.result((browser.SearchSubFolders if below else browser.Search)(path, spec))

    def listing(self, path, **options):
        return {
            file.path: (type(file).__name__.rpartition(".")[2], file.fileSize)
            for file in self.search(path, **options).file
        }

    def copy(self, source, target, **options):
        here, there = self.client.find("DC1"), self.client.find("DC2")
        return self.result(self.manager.CopyFile(source, here, target, there, **options))


@pytest.fixture
async def files(client, in_thread):
    return await in_thread(Files, client)


async def test_a_disk_is_seen_as_one_file_with_what_it_takes(files, in_thread):
    listing = await in_thread(files.listing, "[ds-c1-01] web01")
    assert listing == {
        "web01.vmx": ("VmConfigInfo", 3211), "web01.nvram": ("VmNvramInfo", 8684),
        "web01.vmsd": ("FileInfo", 43), "vmware.log": ("VmLogInfo", 231_072),
        "web01.vmdk": ("VmDiskInfo", 5 * MIB), "web01-ctk.vmdk": ("VmDiskInfo", 523),
        "web01_1.vmdk": ("VmDiskInfo", 2 * MIB), "web01_1-ctk.vmdk": ("VmDiskInfo", 513),
    }  # fmt: skip
    top = await in_thread(files.listing, "[ds-c1-01]")
    assert top["web01"][0] == "FolderInfo"
    (log,) = (await in_thread(lambda: files.search("[ds-c1-01] web01/", patterns=["*.LOG"]))).file
    assert (log.path, log.owner) == ("vmware.log", "root")
    assert log.modification is not None
    bare = await in_thread(lambda: files.search("[ds-c1-01] web01", fileType=False, fileSize=False, fileOwner=False))
    assert {(type(file), file.fileSize, file.owner) for file in bare.file} == {(Browser.FileInfo, None, None)}


async def test_orphans_are_found_below_and_their_space_is_freed(player, files, in_thread):
    store = player.datastore("ds c2-01")
    store.orphans.append(Orphan("web01_1", 10 * MIB))
    free = store.free
    found = await in_thread(lambda: files.search("[ds c2-01]", below=True, patterns=["*.vmdk"]))
    assert {folder.folderPath: [(f.path, f.fileSize) for f in folder.file] for folder in found} == {
        "[ds c2-01] ": [], "[ds c2-01] web01_1/": [("web01_1.vmdk", 10 * MIB - 521)],
    }  # fmt: skip
    await in_thread(lambda: files.result(files.manager.DeleteFile("[ds c2-01] web01_1", files.client.find("DC2"))))
    assert store.free == free + 10 * MIB
    assert await in_thread(files.listing, "[ds c2-01]") == {}


async def test_directories_are_made(files, client, in_thread):
    def go():
        dc = client.find("DC2")
        files.manager.MakeDirectory("[ds c2-01] a", dc, False)
        with pytest.raises(vim.fault.FileAlreadyExists):
            files.manager.MakeDirectory("[ds c2-01] a", dc, False)
        with pytest.raises(vim.fault.FileNotFound):
            files.manager.MakeDirectory("[ds c2-01] b/c", dc, False)
        files.manager.MakeDirectory("[ds c2-01] b/c", dc, True)
        return files.listing("[ds c2-01]"), files.listing("[ds c2-01] b")

    assert await in_thread(go) == ({"a": ("FolderInfo", 0), "b": ("FolderInfo", 0)}, {"c": ("FolderInfo", 0)})


async def test_files_are_copied_and_moved_and_take_space(player, files, in_thread):
    store = player.datastore("ds c2-01")
    free, disk = store.free, player.estate.vm("web01").disks[1]
    flat = "[ds-c1-01] web01/web01_1-flat.vmdk"
    await in_thread(files.copy, flat, "[ds c2-01] copy.vmdk")
    assert store.free == free - 2 * MIB
    with pytest.raises(vim.fault.FileAlreadyExists):
        await in_thread(files.copy, flat, "[ds c2-01] copy.vmdk")
    await in_thread(lambda: files.copy(flat, "[ds c2-01] copy.vmdk", force=True))
    assert store.free == free - 2 * MIB
    with pytest.raises(vim.fault.NoDiskSpace):
        await in_thread(files.copy, "[ds-c1-01] web01/web01-flat.vmdk", "[tiny] copy.vmdk")
    with pytest.raises(vim.fault.FileNotFound):
        await in_thread(files.copy, flat, "[ds c2-01] nowhere/copy.vmdk")

    def move():
        dc = files.client.find("DC2")
        return files.result(files.manager.MoveFile("[ds c2-01] copy.vmdk", dc, "[tiny] moved.vmdk", dc))

    await in_thread(move)
    assert (store.free, player.datastore("tiny").free) == (free, MIB)
    moved = player.estate.universe.depot.shelf(player.datastore("tiny")).find("moved.vmdk")
    assert sha256_of(moved.content) == sha256_of(player.estate.universe.depot.disks.of(disk))


async def test_what_is_in_use_stays(player, files, client, in_thread):
    def go():
        dc = client.find("DC1")
        for path in ("[ds-c1-01] web01/web01.vmdk", "[ds-c1-01] web01"):
            with pytest.raises(vim.fault.FileLocked):
                files.result(files.manager.DeleteFile(path, dc))
        with pytest.raises(vim.fault.FileLocked):
            files.copy("[ds-c1-01] on01/on01-flat.vmdk", "[ds c2-01] x")
        with pytest.raises(vim.fault.FileLocked):
            files.result(files.manager.MoveFile("[ds-c1-01] web01/web01.vmx", dc, "[ds-c1-01] x", dc))
        with pytest.raises(vim.fault.FileNotFound):
            files.result(files.manager.DeleteFile("[ds-c1-01] nothing", dc))
        with pytest.raises(vim.fault.FileNotFound):
            files.search("[ds-c1-01] nothing")
        for path in ("ds-c1-01/web01", "[nonsense] x", "[ds-c1-01] ../x", "[ds c2-01] x"):
            with pytest.raises(vim.fault.InvalidDatastorePath):
                files.manager.DeleteFile(path, dc)

    free = player.datastore("ds-c1-01").free
    await in_thread(go)
    assert player.datastore("ds-c1-01").free == free


async def test_rights_are_asked_for(player, client_of, in_thread):
    def go():
        files = Files(client_of(player, user="reader@vsphere.local"))
        dc = files.client.find("DC1")
        with pytest.raises(vim.fault.NoPermission) as refused:
            files.manager.DeleteFile("[ds-c1-01] x", dc)
        assert refused.value.privilegeId == "Datastore.FileManagement"
        viewer = client_of(player, user="viewer@vsphere.local")
        (store,) = viewer.find("DC1/host/C1").datastore
        with pytest.raises(vim.fault.NoPermission) as refused:
            store.browser.Search("[ds-c1-01] web01")
        assert refused.value.privilegeId == "Datastore.Browse"

    await in_thread(go)


async def test_a_disks_uuid_is_asked_for_by_its_path(player, client, in_thread):
    def go():
        manager, dc = client.content.virtualDiskManager, client.find("DC1")
        with pytest.raises(vim.fault.FileFault):
            manager.QueryVirtualDiskUuid("[ds-c1-01] web01/web01.vmx", dc)
        return manager.QueryVirtualDiskUuid("[ds-c1-01] web01/web01.vmdk", dc)

    uuid = await in_thread(go)
    assert uuid.replace(" ", "").replace("-", "") == player.estate.vm("web01").disks[0].uuid.replace("-", "")
