"""A network that accepts and never answers, and replies that never come: the client must have a time-out of its own."""

import asyncio

import pytest
from pyVmomi import vim

VM = "DC1/vm/Web/web01"


@pytest.fixture
async def hasty(player, in_thread, client_of):
    """A client that waits half a second for an answer."""
    client = await in_thread(client_of, player)
    client.stub.schemeArgs["timeout"] = 0.5
    client.stub.DropConnections()
    return client


async def test_a_reply_that_never_comes_leaves_the_work_done(player, hasty, in_thread):
    def go():
        vm = hasty.find(VM)
        spec = hasty.spec(deviceChange=hasty.network_map(vm))
        with pytest.raises(TimeoutError):
            hasty.relocate(vm, spec)

    player.switches.swallow_reply()
    await in_thread(go)
    assert [record.vm for record in player.relocations] == ["web01"]


async def test_a_request_that_vanishes_leaves_nothing_done(player, hasty, in_thread):
    def go():
        vm = hasty.find(VM)
        spec = hasty.spec(deviceChange=hasty.network_map(vm))
        with pytest.raises(TimeoutError):
            hasty.relocate(vm, spec)
        return hasty.relocate(vm, spec)

    player.switches.swallow_request()
    task = await in_thread(go)
    assert [record.task for record in player.relocations] == [task._moId]


async def test_a_silent_network_takes_connections_and_says_nothing(player, hasty, in_thread):
    player.switches.fall_silent()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await in_thread(hasty.si.CurrentTime)
    player.switches.fall_silent(silent=False)
    assert await in_thread(hasty.si.CurrentTime)


async def test_who_waits_without_a_time_out_is_released_when_the_network_speaks(player, client, in_thread):
    player.switches.fall_silent()
    calls = player.calls.get("CurrentTime", 0)
    waiting = asyncio.create_task(in_thread(client.si.CurrentTime))
    await player.until_called("CurrentTime", calls + 1)
    assert not waiting.done()
    player.switches.fall_silent(silent=False)
    with pytest.raises((OSError, ConnectionError, Exception)) as broken:
        await waiting
    assert not isinstance(broken.value, vim.fault.VimFault)
