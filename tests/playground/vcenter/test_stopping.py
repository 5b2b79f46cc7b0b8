"""The end of a player: whatever is under way, nothing of it is left behind."""

import asyncio
import contextlib
import http.client
import socket

import pytest
from pyVmomi import vim

from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world


@pytest.fixture
def world_text(world_text):
    return world_text + '[[vcenters]]\nname = "west"\n[[sites]]\nname = "site3"\nvcenter = "west"\n'


def refused(url):
    port = int(url.rpartition(":")[2].partition("/")[0])
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


async def test_nothing_is_left_of_a_player_that_ends_while_everything_waits(world_text, tmp_path, client_of, in_thread):
    before = asyncio.all_tasks()
    running = await play_world(parse_world(world_text), tmp_path)
    east = running["east"]
    ports = [east.url, east.control_url, running["west"].url, east.host_url("esx-site1-01.example.net")]
    client, held, unheard, polling = [await in_thread(client_of, east) for _ in range(4)]
    east.set_link("site1", "site2", rate=8_000)
    east.switches.hold_back("RefreshDatastore")
    east.switches.swallow_request("QueryEvents")

    def poll():
        collector = polling.content.propertyCollector
        collector.CreateFilter(polling.all_of(vim.Datastore, ["name"]), partialUpdates=True)
        first = collector.WaitForUpdatesEx("", None)
        return collector.WaitForUpdatesEx(first.version, None)

    vm = await in_thread(client.find, "DC1/vm/db01")
    await in_thread(lambda: client.relocate(vm, client.spec()))
    store, events = vim.Datastore(east.datastore("tiny").id, held.stub), vim.EventManager("EventManager", unheard.stub)
    waiting = [
        asyncio.create_task(asyncio.to_thread(call))
        for call in (store.RefreshDatastore, lambda: events.QueryEvents(vim.event.EventFilterSpec()), poll)
    ]
    await east.until_called("RefreshDatastore")
    await east.until_called("QueryEvents")
    await east.until_called("WaitForUpdatesEx", 2)
    async with asyncio.timeout(5):
        await running.stop()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(error, OSError | http.client.HTTPException) for error in ended), ended
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left or not (await asyncio.wait(left, timeout=1))[1]
    assert [refused(url) for url in ports] == [True] * 4


async def test_one_that_ends_in_a_defect_does_not_keep_the_others_alive(world_text, tmp_path, client_of, in_thread):
    running = await play_world(parse_world(world_text), tmp_path)
    east, west = running["east"], running["west"]
    east.set_link("site1", "site2", rate=80_000_000)
    client = await in_thread(client_of, east)
    task = await in_thread(lambda: client.relocate(client.find("DC1/vm/thick01"), client.spec()))
    await in_thread(client.watch, task, until=("running",))
    east.estate.vm("thick01").parent.children.clear()  # what can never happen
    east.set_link("site1", "site2", rate=10**12)
    with pytest.raises((OSError, http.client.HTTPException)):
        await in_thread(client.watch, task)
    with pytest.raises(BaseExceptionGroup):
        await running.stop()
    assert refused(west.url)
