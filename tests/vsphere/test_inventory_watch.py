"""A vCenter is watched by one worker of the fleet, and what changes is found at once, whatever breaks meanwhile."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from pyVmomi import vim

from bot.errors import UnreachableError
from bot.migration.request import VCenterName
from bot.playground.vcenter.collector import DEFAULT_COLLECTOR, Collector
from bot.store.client import connect
from bot.vsphere.inventory_line import Line
from bot.vsphere.inventory_shelf import Shelf
from bot.vsphere.inventory_store import InventoryPublisher, RedisInventory
from bot.vsphere.inventory_watch import watching
from bot.vsphere.session import Reader
from tests.vsphere.conftest import EAST, QUICK
from tests.vsphere.raw import Raw

SOON = timedelta(seconds=10)
LEASE = timedelta(milliseconds=400)


@pytest.fixture
async def store(valkey_url):
    async with connect(valkey_url) as store:
        yield store


@pytest.fixture
def inventory(store):
    return RedisInventory(store, [EAST])


@pytest.fixture
async def publishing(store):
    """Start a worker's publisher; whoever gets its task may cancel it."""
    async with AsyncExitStack() as stack:

        def start(vcenter, lease=LEASE):
            task = asyncio.create_task(InventoryPublisher(store, vcenter, lease=lease).run())
            stack.push_async_callback(asyncio.gather, task, return_exceptions=True)
            stack.callback(task.cancel)
            return task

        yield start


@pytest.fixture
async def threads():
    threads = ThreadPoolExecutor(2)
    yield threads
    await asyncio.to_thread(threads.shutdown)  # the player lives in this loop


@dataclass
class Watched:
    """A vCenter whose polls are short: govmomi's simulator ends none for the sake of some changes."""

    reader: Reader
    threads: ThreadPoolExecutor
    name: VCenterName = EAST

    def inventory_news(self):
        return watching(self.reader, self.threads, longest_wait=timedelta(seconds=1))


@asynccontextmanager
async def watching_briefly(peer, threads):
    reader = Reader(peer.endpoint(), pauses=QUICK)
    yield Watched(reader, threads)
    await asyncio.to_thread(reader.close)


@pytest.fixture
async def watched(peer, threads):
    async with watching_briefly(peer, threads) as watched:
        yield watched


async def until(inventory, query, *, there=True, within=SOON):
    """Wait until something is found, or is not; returns what."""
    async with asyncio.timeout(within.total_seconds()):
        while bool(found := await inventory.find(query)) is not there:
            await asyncio.sleep(0.02)
    return found


async def test_what_happens_to_a_vm_is_found_at_once(
    store, inventory, publishing, peer, watched, vcenter, raw, in_thread
):
    publishing(watched)
    (before,) = await until(inventory, peer.vm_path)
    assert [before] == list(await vcenter.find_vms(peer.vm_path))
    vm = await in_thread(raw.find, peer.vm_path)

    await in_thread(raw.finish, await in_thread(vm.Rename_Task, "renamed"))
    (renamed,) = await until(inventory, "renamed")
    assert renamed.ref.uuid == before.ref.uuid
    assert not await inventory.find(before.ref.name)

    folder = await in_thread(raw.find, peer.vm_path.rsplit("/", 1)[0])
    inside = await in_thread(folder.CreateFolder, "Inside")
    await in_thread(raw.finish, await in_thread(inside.MoveIntoFolder_Task, [vm]))
    path = f"{peer.vm_path.rsplit('/', 1)[0]}/Inside/renamed"
    (moved,) = await until(inventory, path)
    assert moved.ref.uuid == before.ref.uuid
    await in_thread(raw.finish, await in_thread(inside.Rename_Task, "Within"))
    assert await until(inventory, path.replace("Inside", "Within"))

    await in_thread(vm.UnregisterVM)
    await until(inventory, "renamed", there=False)
    assert not await inventory.find(before.ref.uuid)


async def test_a_vm_that_is_registered_is_found_at_once(inventory, publishing, player_peer, played):
    publishing(played)
    (known,) = await until(inventory, player_peer.vm_path)
    raw = await asyncio.to_thread(Raw, player_peer)
    file = await asyncio.to_thread(_unregister, raw)
    await until(inventory, known.ref.uuid, there=False)
    await asyncio.to_thread(_register, raw, file, "new01")
    (found,) = await until(inventory, "new01")
    assert found.host == known.host
    await asyncio.to_thread(raw.close)


def _unregister(raw):
    vm = raw.vm
    file = vm.config.files.vmPathName
    vm.UnregisterVM()
    return file


def _register(raw, file, name):
    host = raw.find("/DC1/host/C1").host[0]
    task = raw.find("/DC1/vm/Web").RegisterVM_Task(file, name, False, host.parent.resourcePool, host)
    raw.finish(task)


async def test_a_vm_that_is_made_is_found_at_once(inventory, publishing, vcsim_peer, threads):
    async with watching_briefly(vcsim_peer, threads) as watched:
        publishing(watched)
        await until(inventory, vcsim_peer.vm_path)
        raw = await asyncio.to_thread(Raw, vcsim_peer)
        await asyncio.to_thread(_make, raw, "new01")
        (found,) = await until(inventory, "new01")
        assert found.path == "/DC0/vm/new01"
        await asyncio.to_thread(raw.close)


def _make(raw, name):
    files = vim.vm.FileInfo(vmPathName="[LocalDS_0]")
    spec = vim.vm.ConfigSpec(name=name, guestId="otherGuest", numCPUs=1, memoryMB=32, files=files)
    pool = raw.find("/DC0/host/DC0_C0").resourcePool
    raw.finish(raw.find("/DC0/vm").CreateVM_Task(spec, pool))


async def test_a_move_of_a_vm_is_told(inventory, publishing, player_peer, played, player):
    publishing(played)
    (before,) = await until(inventory, "web01")
    task = await played.relocate(await player_peer.plan(played, "web01"), op_id="cm-ab2cd3ef-a1")
    async for _ in played.follow(task):
        pass
    (moved,) = await until(inventory, player_peer.target_path)
    assert (moved.site_hint, moved.ref) == ("DC2", before.ref)
    assert moved.host != before.host


async def test_one_worker_watches_and_another_takes_its_place(inventory, publishing, player_peer, player):
    workers = [publishing(player_peer.connect()) for _ in range(3)]
    await until(inventory, "web01")
    await asyncio.sleep(0)
    assert player.calls["CreatePropertyCollector"] == 1
    for worker in workers[:2]:  # whoever it was, at the latest now it is another
        worker.cancel()
    await asyncio.gather(*workers[:2], return_exceptions=True)
    (vm,) = player.estate.vms("web01")
    player.estate.inventory.rename(vm, "renamed")
    await until(inventory, "renamed")
    assert player.calls["CreatePropertyCollector"] <= 3


async def test_a_worker_that_dies_is_replaced_once_its_lease_is_over(store, inventory, publishing, played, player):
    dead = Shelf(store, EAST, lease=LEASE)
    assert await dead.take()
    publishing(played)
    assert await inventory.age() is None
    await until(inventory, "web01")
    assert not await dead.change({"vm-zombie": Line("uuid", "zombie", "/zombie", "", "", "")})
    assert not await inventory.find("zombie")


async def test_a_session_that_ends_is_opened_again(inventory, publishing, player_peer, played, player):
    publishing(played)
    await until(inventory, "web01")
    player.expire_sessions()
    (vm,) = player.estate.vms("web01")
    player.estate.inventory.rename(vm, "renamed")
    await until(inventory, "renamed")
    assert list(await inventory.trouble()) == []
    assert player.calls["CreatePropertyCollector"] == 2


async def test_sessions_that_an_administrator_ends_are_opened_again(inventory, publishing, peer, watched):
    publishing(watched)
    await until(inventory, peer.vm_path)
    await peer.end_all_sessions()
    administrator = Reader(peer.endpoint())
    rename = lambda session: session.content.searchIndex.FindByInventoryPath(peer.vm_path).Rename_Task("renamed")  # noqa: E731
    await asyncio.to_thread(administrator.ask, rename)
    await until(inventory, "renamed", within=timedelta(seconds=15))
    await asyncio.to_thread(administrator.close)


async def test_a_vcenter_that_restarts_is_watched_anew(inventory, publishing, played, player):
    publishing(played)
    await until(inventory, "web01")
    await player.switches.restart_vcenter()
    (vm,) = player.estate.vms("web01")
    player.estate.inventory.rename(vm, "renamed")
    await until(inventory, "renamed")


async def test_an_outage_is_told_and_outlived(store, inventory, publishing, played, player):
    await player.go_down()
    with pytest.raises(UnreachableError) as error:
        await InventoryPublisher(store, played).turn()
    assert list(await inventory.trouble()) == [str(error.value)]
    await player.come_up()
    publishing(played)
    await until(inventory, "web01")
    assert list(await inventory.trouble()) == []


@pytest.mark.parametrize("what", ["PropertyCollector", "ContainerView"])
async def test_what_is_lost_of_the_watch_is_made_anew(inventory, publishing, played, player, what):
    publishing(played)
    await until(inventory, "web01")
    for session in player.estate.sessions.all():
        for ref in [ref for ref in session.objects if ref.type == what and ref != DEFAULT_COLLECTOR]:
            lost = session.objects.pop(ref)
            if isinstance(lost, Collector):
                lost.destroy()
    player.estate.inventory.changes.touch()
    (vm,) = player.estate.vms("web01")
    player.estate.inventory.rename(vm, "renamed")
    await until(inventory, "renamed")


async def test_a_version_that_vcenter_does_not_know_begins_anew(reader, player, threads):
    async with aclosing(watching(reader, threads, longest_wait=timedelta(seconds=1))) as told:
        first = await anext(told)
        for session in player.estate.sessions.all():
            for collector in (thing for ref, thing in session.objects.items() if ref.type == "PropertyCollector"):
                collector._version = 77  # as a vCenter that was restored from a backup
                collector._answered = None
        again = await anext(told)
    assert again.whole
    assert again.rows == first.rows


async def test_lost_replies_cost_no_reading_anew(inventory, publishing, played, player):
    publishing(played)
    await until(inventory, "web01")
    player.drop_reply("WaitForUpdatesEx")
    (vm,) = player.estate.vms("web01")
    player.estate.inventory.rename(vm, "renamed")
    await until(inventory, "renamed")
    assert player.calls["CreatePropertyCollector"] == 1


async def test_all_is_read_again_now_and_then(reader, player, threads):
    """What the filter did not tell is told then: here of a VM that went without a word."""
    wait = timedelta(seconds=1)
    async with aclosing(watching(reader, threads, longest_wait=wait, read_anew=timedelta(0))) as told:
        first = await anext(told)
        assert first.whole
        again = await anext(told)
    assert again.whole
    assert again.rows == first.rows


async def test_what_redis_forgets_is_published_again(store, inventory, publishing, played):
    publishing(played)
    await until(inventory, "web01")
    await store.flushdb()
    reader = RedisInventory(store, [EAST])
    await until(reader, "web01")
    assert await inventory.find("web01")


async def test_closing_waits_for_no_poll(player_peer, store):
    vcenter = player_peer.connect()
    publisher = asyncio.create_task(InventoryPublisher(store, vcenter).run())
    await until(RedisInventory(store, [EAST]), "web01")
    async with asyncio.timeout(3):
        publisher.cancel()
        await asyncio.gather(publisher, return_exceptions=True)
        await vcenter.close()
