"""`/folder` of the played vCenter and its hosts, asked with a real httpx over verified TLS."""

import hashlib
import html
import random
import re
from datetime import timedelta
from time import perf_counter
from urllib.parse import quote

import httpx
import pytest
from pyVmomi import vim

from bot.playground.esxi.disk_content import sha256_of
from bot.playground.vcenter.inventory import Orphan
from tests.playground.vcenter.disks import (
    EAST,
    ESX1,
    ESX2,
    HERE,
    MIB,
    ROOT,
    THERE,
    TINY,
    WORLD,
    browsing,
)

FLAT = "/folder/web01/web01-flat.vmdk"


@pytest.fixture
def world_text():
    return WORLD


def rows(page):
    """Return {name: (link, size)} of a listing."""
    found = re.findall(r'<a href="([^"]*)">([^<]*)</a></td><td[^>]*>[^<]*</td><td[^>]*>(\d*)</td>', page)
    return {html.unescape(name): (html.unescape(link), int(size) if size else None) for link, name, size in found}


def relocated(client, path, **changes):
    """Move a VM to site2; returns the error."""
    host = client.find("DC2/host/C2").host[0]
    store = next(store for store in host.datastore if store.name == "ds c2-01")
    spec = vim.vm.RelocateSpec(
        host=host, pool=host.parent.resourcePool, folder=client.find("DC2/vm/Migrated"), datastore=store, **changes
    )
    return client.watch(client.relocate(client.find(path), spec))[1]


async def test_one_walks_from_the_datacenters_down_to_a_file(player):
    async with browsing(player) as client:
        datacenters = rows((await client.get("/folder")).text)
        assert set(datacenters) == {"DC1", "DC2"}
        stores = rows((await client.get(datacenters["DC2"][0])).text)
        assert set(stores) == {"ds c2-01", "tiny"}
        assert rows((await client.get(stores["tiny"][0])).text) == {}
        top = rows((await client.get("/folder", params=HERE)).text)
        assert {"web01/", "on01/", "db01/"} <= set(top)
        files = rows((await client.get(top["web01/"][0])).text)
        disk = await client.get(files["web01.vmdk"][0])
        vmx = await client.get(files["web01.vmx"][0])
    assert {name: size for name, (_, size) in files.items()} == {
        "web01.vmx": 3211, "web01.nvram": 8684, "web01.vmsd": 43, "vmware.log": 231_072,
        "web01.vmdk": 521, "web01-flat.vmdk": 80 * MIB, "web01-ctk.vmdk": 523,
        "web01_1.vmdk": 521, "web01_1-flat.vmdk": 2 * MIB, "web01_1-ctk.vmdk": 513,
    }  # fmt: skip
    assert f'RW {80 * MIB // 512} VMFS "web01-flat.vmdk"' in disk.text
    assert 'scsi0:1.fileName = "web01_1.vmdk"' in vmx.text
    assert len(vmx.content) == 3211


async def test_a_thin_flat_travels_at_full_size_and_always_alike(player):
    vm = player.estate.vm("web01")
    async with browsing(player) as client:
        digest, size = hashlib.sha256(), 0
        async with client.stream("GET", FLAT, params=HERE) as reply:
            assert reply.headers["content-length"] == str(80 * MIB)
            async for piece in reply.aiter_bytes():
                digest.update(piece)
                size += len(piece)
    assert size == 80 * MIB
    assert digest.hexdigest() == sha256_of(player.estate.universe.depot.disks.of(vm.disks[0]))


async def test_a_download_is_resumed_where_it_broke(player):
    async with browsing(player) as client:
        size = int((await client.head(FLAT, params=HERE)).headers["content-length"])
        whole = (await client.get(FLAT, params=HERE)).content
        for start, stop in ((0, 10), (65_530, 65_545), (5 * MIB + 3, 5 * MIB + 70_000), (size - 7, size)):
            part = await client.get(FLAT, params=HERE, headers={"Range": f"bytes={start}-{stop - 1}"})
            assert (part.status_code, part.content) == (206, whole[start:stop])
            assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        tail = await client.get(FLAT, params=HERE, headers={"Range": f"bytes={size - 9}-"})
        beyond = await client.get(FLAT, params=HERE, headers={"Range": f"bytes={size}-"})
        alone = await client.head(FLAT, params=HERE, headers={"Range": "bytes=5-9"})
    assert tail.content == whole[-9:]
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert (alone.status_code, alone.headers["content-length"], alone.content) == (206, "5", b"")


async def test_a_copied_disk_is_the_same_and_costs_the_player_nothing(player):
    store, spool = player.datastore("ds c2-01"), player.estate.universe.depot.spool
    free = store.free
    async with browsing(player) as client:

        async def read():
            async with client.stream("GET", FLAT, params=HERE) as reply:
                async for piece in reply.aiter_bytes():
                    yield piece

        assert (await client.put("/folder/copy.vmdk", params=THERE, content=read())).status_code == 201
        copied = await client.get("/folder/copy.vmdk", params=THERE)
        original = await client.get(FLAT, params=HERE)
    assert copied.content == original.content
    assert store.free == free - 80 * MIB
    assert spool.block(0) is None


async def test_files_are_made_replaced_and_deleted(player):
    store, dice = player.datastore("ds c2-01"), random.Random(3)
    free, old, new = store.free, dice.randbytes(200_001), dice.randbytes(70_000)
    async with browsing(player) as client:
        path = "/folder/a%20b%25.bin"
        assert (await client.put(path, params=THERE, content=old)).status_code == 201
        assert (await client.get(path, params=THERE)).content == old
        assert store.free == free - len(old)
        assert (await client.put(path, params=THERE, content=new)).status_code == 200
        assert (await client.get(path, params=THERE)).content == new
        assert store.free == free - len(new)
        assert rows((await client.get("/folder", params=THERE)).text)["a b%.bin"][1] == len(new)
        assert (await client.delete(path, params=THERE)).status_code == 204
        assert (await client.get(path, params=THERE)).status_code == 404
        assert (await client.delete(path, params=THERE)).status_code == 404
    assert store.free == free


async def test_a_full_datastore_says_507(player):
    store = player.datastore("tiny")

    async def endless():
        for _ in range(40):
            yield b"x" * 100_000

    async with browsing(player) as client:
        refused = await client.put("/folder/big", params=TINY, content=b"x" * (3 * MIB + 1))
        assert (refused.status_code, store.free) == (507, 3 * MIB)
        assert (await client.get("/folder/big", params=TINY)).status_code == 404
        broken = await client.put("/folder/big", params=TINY, content=endless())
        assert broken.status_code == 507
        left = int((await client.head("/folder/big", params=TINY)).headers["content-length"])
    assert 0 < left <= 3 * MIB
    assert store.free == 3 * MIB - left


async def test_a_put_that_breaks_off_leaves_what_had_come(player):
    store = player.datastore("ds c2-01")
    free = store.free

    async def dies():
        for _ in range(3):
            yield b"y" * 65_536
        raise ConnectionAbortedError("the worker was killed")

    async with browsing(player) as client:
        with pytest.raises(ConnectionAbortedError):
            await client.put("/folder/half", params=THERE, content=dies())
    async with browsing(player) as client:
        left = int((await client.head("/folder/half", params=THERE)).headers["content-length"])
    assert left <= 3 * 65_536
    assert store.free == free - left


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/folder/web01/nothing", HERE),
        ("/folder/nobody/x", HERE),
        ("/folder/web01/web01.vmx", THERE),
        ("/folder/web01/web01.vmx", {"dcPath": "DC9", "dsName": "ds-c1-01"}),
        ("/folder/web01/web01.vmx", {"dcPath": "DC1", "dsName": "ds c2-01"}),
        ("/folder/web01/web01.vmx", {"dcPath": "DC1"}),
        ("/folder/web01/web01.vmx", {"dsName": "ds-c1-01"}),
        ("/folder/web01/..%2f..%2fetc%2fpasswd", HERE),
    ],
)
async def test_what_there_is_not_is_not_found(player, path, params):
    async with browsing(player) as client:
        assert (await client.get(path, params=params)).status_code == 404
        assert (await client.put("/folder/nobody/x", params=HERE, content=b"x")).status_code == 404


@pytest.mark.parametrize("auth", [None, (EAST, "wrong"), ("nobody@vsphere.local", "right"), ROOT])
async def test_strangers_are_asked_who_they_are(player, auth):
    async with browsing(player, auth=auth) as client:
        for verb in ("GET", "HEAD", "PUT", "DELETE"):
            refused = await client.request(verb, FLAT, params=HERE)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Basic")


async def test_rights_are_those_on_the_datastore(player):
    async with browsing(player, auth=("reader@vsphere.local", "right")) as client:
        assert (await client.head(FLAT, params=HERE)).status_code == 200
        assert (await client.put("/folder/x", params=HERE, content=b"x")).status_code == 403
        assert (await client.delete("/folder/x", params=HERE)).status_code == 403
    async with browsing(player, auth=("viewer@vsphere.local", "right")) as client:
        assert (await client.get(FLAT, params=HERE)).status_code == 403


async def test_the_session_of_the_sdk_opens_it_as_long_as_it_lives(player, client):
    cookie = {"Cookie": client.stub.cookie.partition(";")[0]}
    async with browsing(player, auth=None, headers=cookie) as browser:
        assert (await browser.head(FLAT, params=HERE)).status_code == 200
        player.expire_sessions()
        assert (await browser.head(FLAT, params=HERE)).status_code == 401


async def test_hosts_serve_their_own_datastores_to_their_own_user(player):
    async with browsing(player, player.host_url(ESX1), auth=ROOT) as client:
        assert set(rows((await client.get("/folder")).text)) == {"ha-datacenter"}
        page = (await client.get("/folder", params={"dcPath": "ha-datacenter"})).text
        assert set(rows(page)) == {"ds-c1-01"}
        for params in ({"dsName": "ds-c1-01"}, {"dsName": "ds-c1-01", "dcPath": "ha-datacenter"}):
            assert (await client.head(FLAT, params=params)).headers["content-length"] == str(80 * MIB)
        assert (await client.head(FLAT, params=HERE)).status_code == 404
        assert (await client.head(FLAT, params={"dsName": "tiny"})).status_code == 404
        assert (await client.put("/folder/x", params={"dsName": "ds-c1-01"}, content=b"x")).status_code == 201
        player.machine(ESX1).lockdown = True
        assert (await client.head(FLAT, params={"dsName": "ds-c1-01"})).status_code == 403
    async with browsing(player, player.host_url(ESX1)) as client:
        assert (await client.head(FLAT, params={"dsName": "ds-c1-01"})).status_code == 401


async def test_disks_in_use_are_locked_and_registered_files_stay(player):
    async with browsing(player) as client:
        assert (await client.get("/folder/on01/on01-flat.vmdk", params=HERE)).status_code == 500
        assert (await client.get("/folder/on01/vmware.log", params=HERE)).status_code == 200
        for path in ("web01/web01.vmx", "web01", "on01/on01-flat.vmdk"):
            assert (await client.delete(f"/folder/{path}", params=HERE)).status_code == 500
        assert (await client.put(FLAT, params=HERE, content=b"x")).status_code == 500


async def test_a_moved_disk_takes_its_content_along(player, client, in_thread):
    contents = player.estate.universe.depot.disks
    before = sha256_of(contents.of(player.estate.vm("web01").disks[0]))
    error = await in_thread(relocated, client, "DC1/vm/Web/web01", transform="flat")
    assert error is None
    async with browsing(player) as browser:
        assert (await browser.head(FLAT, params=HERE)).status_code == 404
        moved = await browser.get(FLAT, params=THERE)
    assert hashlib.sha256(moved.content).hexdigest() == before
    assert player.estate.vm("web01").disks[0].used == 80 * MIB  # thick now, and yet the same bytes


async def test_what_a_broken_copy_left_is_seen_and_can_be_deleted(player, client, in_thread):
    store = player.datastore("ds c2-01")
    free = store.free
    error = await in_thread(relocated, client, "DC1/vm/db01")
    assert error is not None
    assert store.free < free
    async with browsing(player) as browser:
        files = rows((await browser.get("/folder/db01", params=THERE)).text)
        assert sum(size for _, size in files.values()) == free - store.free
        assert (await browser.delete("/folder/db01", params=THERE)).status_code == 204
        assert rows((await browser.get("/folder", params=THERE)).text) == {}
    assert store.free == free
    assert store.orphans == []


async def test_of_an_orphan_one_file_can_be_deleted_and_the_other_stays(player):
    store = player.datastore("ds c2-01")
    store.orphans.append(Orphan("old01", 10 * MIB))
    free = store.free
    async with browsing(player) as client:
        assert (await client.delete("/folder/old01/old01-flat.vmdk", params=THERE)).status_code == 204
        assert set(rows((await client.get("/folder/old01", params=THERE)).text)) == {"old01.vmdk"}
    assert store.free == free + 10 * MIB - 521


async def test_a_cap_slows_a_host_down_and_a_cut_link_breaks_the_transfer(player):
    traffic = player.estate.doors.traffic
    traffic.cap(ESX2, 2 * MIB)
    async with browsing(player, player.host_url(ESX2), auth=ROOT) as client:
        begun = perf_counter()
        await client.put("/folder/x", params={"dsName": "tiny"}, content=b"x" * MIB)
        assert perf_counter() - begun >= 0.4
        traffic.cap(ESX2, None)
        traffic.put_client("site1")
        player.set_link("site1", "site2", loss=1.0)
        with pytest.raises(httpx.HTTPError):
            await client.get("/folder/x", params={"dsName": "tiny"})


async def test_no_connected_host_no_files(player):
    player.set_host(ESX2, connected=False)
    async with browsing(player) as client:
        assert (await client.get("/folder", params=THERE)).status_code == 503


async def test_a_datastore_that_hosts_have_lost_serves_nothing(player):
    player.estate.universe.conditions.lose(player.datastore("ds-c1-01"), lost=True)
    async with browsing(player) as client:
        assert (await client.head(FLAT, params=HERE)).status_code == 500


async def test_what_the_player_cannot_keep_is_refused(player):
    player.estate.universe.depot.spool.largest = 65_536
    async with browsing(player) as client:
        refused = await client.put("/folder/x", params=THERE, content=random.Random(1).randbytes(200_000))
    assert refused.status_code == 507
    assert "not of its own disks" in refused.text


async def test_hostile_names_cannot_break_out_of_a_listing(player):
    name = "<script>alert(1)<!--&\"'"
    async with browsing(player) as client:
        assert (await client.put(f"/folder/{quote(name, safe='')}", params=THERE, content=b"x")).status_code == 201
        page = (await client.get("/folder", params=THERE)).text
        assert "<script>" not in page
        assert (await client.get(rows(page)[name][0])).content == b"x"


async def test_asking_for_files_keeps_a_session_from_being_idle(player, client):
    universe = player.estate.universe
    cookie = {"Cookie": client.stub.cookie.partition(";")[0]}
    async with browsing(player, auth=None, headers=cookie) as browser:
        universe.clock.advance(timedelta(minutes=20))
        assert (await browser.head(FLAT, params=HERE)).status_code == 200
        universe.clock.advance(timedelta(minutes=20))
        assert (await browser.head(FLAT, params=HERE)).status_code == 200
