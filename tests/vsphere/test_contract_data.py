"""What both vCenters answer at their data doors: /folder to a bare httpx, leases and files to a bare pyvmomi."""

from __future__ import annotations

import ssl
from hashlib import sha1

import httpx
import pytest
from pyVmomi import vim

from tests.playground.vmdk_by_hand import put_together
from tests.vsphere.raw import PC, name_of, outcome

MIB = 2**20
BODY = bytes(range(256)) * 1000


@pytest.fixture
def says(peer):
    return peer.says


@pytest.fixture
def where(peer):
    return {"dcPath": peer.source.datacenter, "dsName": peer.source.datastore}


@pytest.fixture
async def web(peer):
    context = ssl.create_default_context(cafile=str(peer.ca_file))
    async with httpx.AsyncClient(
        base_url=peer.url.removesuffix("/sdk"), verify=context, auth=(peer.user, peer.password), timeout=20
    ) as client:
        yield client


def disk_spec(peer, *sizes):
    controller = vim.vm.device.ParaVirtualSCSIController(key=-1, busNumber=0, sharedBus="noSharing")
    backing = vim.vm.device.VirtualDisk.FlatVer2BackingInfo(fileName="", diskMode="persistent", thinProvisioned=True)
    disks = [
        vim.vm.device.VirtualDisk(
            key=-10 - number, controllerKey=-1, unitNumber=number, capacityInKB=size // 1024, backing=backing
        )
        for number, size in enumerate(sizes)
    ]
    changes = [vim.vm.device.VirtualDeviceSpec(operation="add", device=controller)]
    changes += [vim.vm.device.VirtualDeviceSpec(operation="add", fileOperation="create", device=d) for d in disks]
    config = vim.vm.ConfigSpec(
        name="copy01", numCPUs=1, memoryMB=64, guestId="otherGuest",
        files=vim.vm.FileInfo(vmPathName=f"[{peer.source.datastore}]"), deviceChange=changes,
    )  # fmt: skip
    return vim.vm.VmImportSpec(configSpec=config)


def ended(raw, task):
    """Wait for a task's end; its state, result and the fault's name. Its entity may be of no kind pyvmomi expects."""
    pc = raw.content.propertyCollector.CreatePropertyCollector()
    pc.CreateFilter(raw.about(task, "info.state"), True)
    version, state = "", None
    while state not in {"success", "error"}:
        update = pc.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=20))
        version, state = update.version, update.filterSet[0].objectSet[0].changeSet[0].val
    pc.Destroy()
    read = raw.read(task, "info.result", "info.error")
    error = read.get("info.error")
    return state, read.get("info.result"), name_of(getattr(error, "fault", error)) if error else None


def take_in(raw, *sizes):
    site = raw.peer.source
    pool = raw.find(f"/{site.datacenter}/host/{site.cluster}").resourcePool
    lease = pool.ImportVApp(disk_spec(raw.peer, *sizes), raw.find(f"/{site.datacenter}/vm"))
    pc = raw.content.propertyCollector.CreatePropertyCollector()
    pc.CreateFilter(raw.about(lease, "state"), True)
    version, state = "", None
    while state != "ready":
        update = pc.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=20))
        version, state = update.version, update.filterSet[0].objectSet[0].changeSet[0].val
        assert state in {"initializing", "ready"}, lease.error
    pc.Destroy()
    return lease


async def test_files_are_written_read_in_parts_and_listed(web, where, says):
    put = await web.put("/folder/a.bin", params=where, content=BODY)
    assert put.status_code == says("the status of a new file")
    assert (await web.put("/folder/a.bin", params=where, content=BODY)).status_code == 200
    whole, head = await web.get("/folder/a.bin", params=where), await web.head("/folder/a.bin", params=where)
    assert (whole.status_code, whole.content) == (200, BODY)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(BODY)))
    assert whole.headers["accept-ranges"] == "bytes"
    part = await web.get("/folder/a.bin", params=where, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, BODY[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(BODY)}"
    tail = await web.get("/folder/a.bin", params=where, headers={"Range": f"bytes={len(BODY) - 5}-"})
    assert (tail.status_code, tail.content) == (206, BODY[-5:])
    beyond = await web.get("/folder/a.bin", params=where, headers={"Range": f"bytes={len(BODY)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(BODY)}")
    page = await web.get("/folder/", params=where, follow_redirects=True)
    assert (page.status_code, ">a.bin</a>" in page.text) == (200, True)
    await web.delete("/folder/a.bin", params=where)
    gone = await web.get("/folder/a.bin", params=where)
    assert gone.status_code == says("a file that was deleted")


async def test_what_is_not_there(web, where, says):
    for params in (where, {**where, "dsName": "nonsense"}, {**where, "dcPath": "nonsense"}):
        assert (await web.get("/folder/nothing/x", params=params)).status_code == 404
    put = await web.put("/folder/nothing/x", params=where, content=b"x")
    assert put.status_code == says("a new file in a directory that is not there")


async def test_who_may_ask(web, where, says, raw):
    web.auth = None
    await web.put("/folder/b.bin", params=where, content=b"x")
    stranger = await web.get("/folder/b.bin", params=where)
    assert stranger.status_code == says("files to a stranger")
    cookie = {"Cookie": raw.stub.cookie.partition(";")[0]}
    put = await web.put("/folder/b.bin", params=where, content=b"xyz", headers=cookie)
    assert put.status_code in {200, 201}
    assert (await web.get("/folder/b.bin", params=where, headers=cookie)).content == b"xyz"


async def test_tickets(raw, web, where, says, in_thread):
    url = str(httpx.URL(f"{web.base_url}/folder/c.bin", params=where))
    spec = vim.SessionManager.HttpServiceRequestSpec(method="httpPut", url=url)
    ticket = await in_thread(raw.sessions.AcquireGenericServiceTicket, spec)
    assert ticket.id
    assert bool(ticket.sslThumbprint) is says("a ticket names the certificate")
    web.auth, cookie = None, {"Cookie": f"vmware_cgi_ticket={ticket.id}"}
    first = await web.put("/folder/c.bin", params=where, content=b"x", headers=cookie)
    again = await web.put("/folder/c.bin", params=where, content=b"x", headers=cookie)
    assert first.status_code in {200, 201}
    assert again.status_code == says("a ticket that was used")


async def test_a_disk_is_imported(raw, web, says, in_thread):
    lease = await in_thread(take_in, raw, 4 * MIB)
    info = await in_thread(lambda: lease.info)
    (device,) = info.deviceUrl
    assert device.disk
    assert info.leaseTimeout == 300
    assert device.importKey == says("a disk's key in an import")
    stream = put_together(4 * MIB, {0: b"a" * 65_536})
    web.auth = None
    assert (await web.put(device.url.replace("*", "127.0.0.1"), content=stream)).status_code == 200

    def finish():
        lease.Progress(100)
        (entry,) = lease.GetManifest()
        lease.Complete()
        vm = raw.find(f"/{raw.peer.source.datacenter}/vm/copy01")
        return entry, vm and vm.name

    entry, name = await in_thread(finish)
    assert (entry.sha1, entry.size, name) == (sha1(stream, usedforsecurity=False).hexdigest(), len(stream), "copy01")
    assert (await web.put(device.url, content=stream)).status_code == 404


async def test_an_import_that_is_given_up(raw, says, in_thread):
    def go():
        lease = take_in(raw, 4 * MIB)
        lease.Abort()
        return outcome(lambda: lease.state), raw.find(f"/{raw.peer.source.datacenter}/vm/copy01") is not None

    assert await in_thread(go) == says("an import that was aborted")


async def test_a_disk_that_is_no_disk(raw, web, says, in_thread):
    lease = await in_thread(take_in, raw, 4 * MIB)
    url = (await in_thread(lambda: lease.info)).deviceUrl[0].url
    web.auth = None
    answer = await web.put(url, content=b"no disk at all")
    assert (answer.status_code, await in_thread(lambda: lease.state)) == says("bytes that are no disk")


async def test_an_export(raw, says, in_thread):
    def go():
        answer = outcome(raw.vm.ExportVm)
        return answer if isinstance(answer, str) else "lease"

    assert await in_thread(go) == says("ExportVm")


async def test_directories_and_files_by_their_manager(raw, web, where, in_thread):
    def go():
        manager, dc = raw.content.fileManager, raw.find(f"/{raw.peer.source.datacenter}")
        top = f"[{raw.peer.source.datastore}] "
        manager.MakeDirectory(f"{top}d", dc, False)
        again = outcome(lambda: manager.MakeDirectory(f"{top}d", dc, False))
        below = outcome(lambda: manager.MakeDirectory(f"{top}e/f", dc, False))
        manager.MakeDirectory(f"{top}e/f", dc, True)
        return again, below

    assert await in_thread(go) == ("FileAlreadyExists", "FileNotFound")
    await web.put("/folder/d/one.bin", params=where, content=BODY)

    def move():
        manager, dc = raw.content.fileManager, raw.find(f"/{raw.peer.source.datacenter}")
        top = f"[{raw.peer.source.datastore}] "
        states = [
            ended(raw, manager.CopyFile(f"{top}d/one.bin", dc, f"{top}d/two.bin", dc))[0],
            ended(raw, manager.MoveFile(f"{top}d/two.bin", dc, f"{top}e/f/three.bin", dc))[0],
            ended(raw, manager.DeleteFile(f"{top}d", dc))[0],
        ]
        store = next(s for s in raw.find(f"/{raw.peer.source.datacenter}/host/{raw.peer.source.cluster}").datastore
                     if s.name == raw.peer.source.datastore)  # fmt: skip
        details = vim.host.DatastoreBrowser.FileInfo.Details(
            fileType=True, fileSize=True, modification=False, fileOwner=False
        )
        spec = vim.host.DatastoreBrowser.SearchSpec(matchPattern=["*.bin"], details=details)
        _, found, _ = ended(raw, store.browser.SearchSubFolders(f"{top}e", spec))
        files = [(folder.folderPath.rstrip("/"), file.path, file.fileSize) for folder in found for file in folder.file]
        _, _, missing = ended(raw, store.browser.Search(f"{top}d", spec))
        return states, files, missing

    states, files, missing = await in_thread(move)
    assert states == ["success"] * 3
    assert files == [(f"[{raw.peer.source.datastore}] e/f", "three.bin", len(BODY))]
    assert missing == "FileNotFound"
