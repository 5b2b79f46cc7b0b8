"""VirtualDiskManager of the played vCenter, and directories that a move finds taken: real pyvmomi, real httpx."""

import pytest
from pyVmomi import vim, vmodl

from bot.playground.esxi.disk_content import sha256_of
from tests.playground.vcenter.disks import MIB, THERE, WORLD, browsing
from tests.playground.vcenter.hand_copies import STORE, Hand

Spec = vim.VirtualDiskManager.FileBackedVirtualDiskSpec


@pytest.fixture
def world_text():
    return WORLD


@pytest.fixture
async def hand(client, in_thread):
    made = await in_thread(Hand, client)
    await in_thread(made.make, "web01")
    return made


def copied(hand, source, target, spec=None, *, force=False):
    return hand.result(hand.disks.CopyVirtualDisk(source, hand.dc1, target, hand.dc2, spec, force))


@pytest.mark.parametrize(("kind", "size"), [("thin", 5 * MIB), ("preallocated", 80 * MIB), (None, 80 * MIB)])
async def test_a_disk_is_copied_with_its_content(player, hand, in_thread, kind, size):
    store, source = player.datastore(STORE), player.estate.vm("web01").disks[0]
    free, target = store.free, f"[{STORE}] web01/copy.vmdk"
    spec = Spec(diskType=kind, adapterType="lsiLogic") if kind else None
    await in_thread(lambda: copied(hand, "[ds-c1-01] web01/web01.vmdk", target, spec))
    shelf, contents = player.estate.universe.depot.shelf(store), player.estate.universe.depot.disks
    flat = shelf.find("web01/copy-flat.vmdk")
    assert (flat.size, flat.space) == (80 * MIB, size)
    assert sha256_of(flat.content) == sha256_of(contents.of(source))
    async with browsing(player) as browser:
        text = (await browser.get("/folder/web01/copy.vmdk", params=THERE)).text
    assert f'ddb.thinProvisioned = "{int(kind == "thin")}"' in text
    assert 'RW 163840 VMFS "copy-flat.vmdk"' in text
    assert free - store.free == size + len(text)

    def ask():
        return [
            hand.disks.QueryVirtualDiskUuid(path, dc)
            for path, dc in ((target, hand.dc2), ("[ds-c1-01] web01/web01.vmdk", hand.dc1))
        ]

    new, old = await in_thread(ask)
    assert len(new) == len(old) == 47
    assert new != old
    await in_thread(lambda: hand.result(hand.disks.DeleteVirtualDisk(target, hand.dc2)))
    assert store.free == free
    assert shelf.below("web01") == []


async def test_a_thin_disk_is_inflated(player, hand, in_thread):
    store = player.datastore(STORE)

    def go():
        path = f"[{STORE}] web01/new.vmdk"
        hand.result(
            hand.disks.CreateVirtualDisk(path, hand.dc2, Spec(diskType="thin", adapterType="ide", capacityKb=8192))
        )
        before = store.free
        flat = f"[{STORE}] web01/new-flat.vmdk"
        for here, there in ((flat, f"[{STORE}] flat"), (f"[{STORE}] flat", flat)):
            hand.result(hand.files.MoveFile(here, hand.dc2, there, hand.dc2))
        assert store.free == before  # a thin disk that is moved stays thin
        hand.result(hand.disks.InflateVirtualDisk(path, hand.dc2))
        return before - store.free

    assert await in_thread(go) == 8 * MIB
    shelf = player.estate.universe.depot.shelf(store)
    assert shelf.find("web01/new-flat.vmdk").space == 8 * MIB
    async with browsing(player) as browser:
        text = (await browser.get("/folder/web01/new.vmdk", params=THERE)).text
    assert 'ddb.thinProvisioned = "0"' in text
    assert 'ddb.adapterType = "ide"' in text


async def test_what_cannot_be_done_leaves_nothing(player, hand, client_of, in_thread):
    source, target = "[ds-c1-01] web01/web01.vmdk", f"[{STORE}] web01/copy.vmdk"
    tiny = player.datastore("tiny").free

    def go():
        copied(hand, source, target)
        free = player.datastore(STORE).free
        copied(
            hand,
            "[ds-c1-01] web01/web01.vmdk",
            target.replace("copy", "other"),
            Spec(diskType="thin", adapterType="ide"),
        )
        hand.result(hand.disks.DeleteVirtualDisk(target.replace("copy", "other"), hand.dc2))
        for force in (False, True):  # which is ignored
            with pytest.raises(vim.fault.FileAlreadyExists):
                copied(hand, source, target, force=force)
        with pytest.raises(vim.fault.FileNotFound):
            copied(hand, source, f"[{STORE}] nowhere/copy.vmdk")
        with pytest.raises(vim.fault.FileNotFound):
            copied(hand, "[ds-c1-01] web01/none.vmdk", f"[{STORE}] web01/x.vmdk")
        with pytest.raises(vim.fault.FileLocked):
            copied(hand, "[ds-c1-01] on01/on01.vmdk", f"[{STORE}] web01/x.vmdk")
        with pytest.raises(vim.fault.FileLocked):
            hand.result(hand.disks.DeleteVirtualDisk(source, hand.dc1))
        with pytest.raises(vim.fault.FileFault):
            copied(hand, "[ds-c1-01] chain01/chain01-000002.vmdk", f"[{STORE}] web01/x.vmdk")
        with pytest.raises(vim.fault.NoDiskSpace):
            copied(hand, source, "[tiny] x.vmdk")
        with pytest.raises(vmodl.fault.InvalidArgument):
            copied(hand, source, target, Spec(diskType="rdm", adapterType="ide"))
        with pytest.raises(vmodl.fault.InvalidArgument):
            copied(hand, source, f"[{STORE}] web01/x.img")
        hand.result(hand.disks.CopyVirtualDisk(source, hand.dc1, source, hand.dc1, None, False))
        reader = Hand(client_of(player, user="reader@vsphere.local"))
        with pytest.raises(vim.fault.NoPermission) as refused:
            copied(reader, source, target)
        assert refused.value.privilegeId == "Datastore.FileManagement"
        return free

    free = await in_thread(go)
    assert (player.datastore(STORE).free, player.datastore("tiny").free) == (free, tiny)
    lying = player.estate.universe.depot.shelf(player.datastore(STORE)).below("web01")
    assert sorted(file.path for file in lying) == ["web01/copy-flat.vmdk", "web01/copy.vmdk"]


@pytest.mark.parametrize("made", ["directory", "file"])
async def test_a_move_keeps_out_of_what_people_made(player, hand, client, in_thread, made):
    """A directory may be empty, or be there only because something lies in it."""
    if made == "file":
        async with browsing(player) as browser:
            await browser.put("/folder/web01/note.txt", params=THERE, content=b"mine")

    def go():
        cluster = client.find("DC2/host/C2")
        store = next(store for store in cluster.datastore if store.name == STORE)
        spec = vim.vm.RelocateSpec(host=cluster.host[0], pool=cluster.resourcePool, datastore=store)
        spec.folder = client.find("DC2/vm/Migrated")
        vm = client.find("DC1/vm/Web/web01")
        hand.result(vm.Relocate(spec))
        return vm.config.files.vmPathName

    assert await in_thread(go) == f"[{STORE}] web01_1/web01.vmx"
