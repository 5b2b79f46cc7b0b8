"""Things that happen at a bad moment of a relocation: while it connects, while the clock leaps, at the last percent."""

import asyncio
from datetime import timedelta

import pytest
from pyVmomi import vim, vmodl

SOURCE, DESTINATION = "esx-site1-02.example.net", "esx-site2-01.example.net"
SITES = ("site1", "site2")
SPARE = '{ name = "ds-c1-01", capacity = "4 TiB", free = "2 TiB" }'


@pytest.fixture
def move(client, in_thread):
    """Start a relocation of db01 and return its task once it has the state."""

    async def start(state="running"):
        def go():
            task = client.relocate(client.find("DC1/vm/db01"), client.spec())
            client.watch(task, until=(state, "error"))
            return task

        return await in_thread(go)

    return start


@pytest.fixture
def end_of(client, in_thread):
    async def follow(task):
        async with asyncio.timeout(10):
            return (await in_thread(client.watch, task))[1]

    return follow


@pytest.fixture
def world_text(world_text, request):
    patient = world_text.replace('connect_patience = "50 ms"', 'connect_patience = "10 min"\nsession_idle = "48 h"')
    patient = patient.replace('nfc_patience = "100 ms"', 'nfc_patience = "5 min"')
    spacious = patient.replace(SPARE, f'{SPARE}, {{ name = "spare" }}')
    return spacious.partition("[[events]]")[0] + getattr(request, "param", "")


def at(moment, what):
    return f'[[events]]\nat = "{moment} % of db01"\n{what}\n'


async def until_percent(player, percent):
    async with asyncio.timeout(5):
        while not any(move.percent >= percent for move in player.moves()):
            changes = player.estate.inventory.changes
            await changes.wait(beyond=changes.revision, seconds=1)


async def test_a_clock_that_leaps_does_not_carry_a_copy_past_the_death_of_its_session(
    player, client, in_thread, move, end_of
):
    """A day at the rate of a lossy link would be enough for all of it; its session lives for five minutes."""
    player.set_link(*SITES, rate=80_000_000)
    task = await move()
    await until_percent(player, 1)
    player.switches.set_link(*SITES, loss=0.04, rtt=timedelta(seconds=1))
    await in_thread(client.si.CurrentTime)  # the copy has felt it by then
    player.switches.advance_time(timedelta(days=1))
    error = await end_of(task)
    assert isinstance(error, vim.fault.NetworkCopyFault)
    assert player.moves()[0].percent < 50


async def test_a_session_that_loses_much_is_not_an_idle_one(player, client, in_thread, move, end_of):
    """A firewall forgets who is silent; retransmissions are not."""
    player.set_link(*SITES, rate=80_000_000)
    task = await move()
    player.switches.set_link(*SITES, loss=0.04, rtt=timedelta(seconds=1), idle_timeout=timedelta(minutes=1))
    await in_thread(client.si.CurrentTime)
    player.switches.advance_time(timedelta(minutes=2))
    await in_thread(client.si.CurrentTime)
    assert player.moves()[0].state == "running"
    player.switches.set_link(*SITES, loss=0.0, rtt=timedelta(0), rate=40_000_000_000)
    assert await end_of(task) is None


@pytest.mark.parametrize("site", ["site2", "site1"], ids=["between sites", "within a site"])
async def test_a_clock_that_leaps_over_vcenters_patience_ends_the_copy(player, client, in_thread, end_of, site):
    player.estate.universe.links.find("site1", site).set(rate=100_000)

    def go():
        spec = client.spec()
        if site == "site1":
            spec = vim.vm.RelocateSpec(datastore=client.find("DC1/datastore/spare"))
        task = client.relocate(client.find("DC1/vm/db01"), spec)
        client.watch(task, until=("running", "error"))
        return task

    task = await in_thread(go)
    player.switches.advance_time(timedelta(hours=24))
    assert isinstance(await end_of(task), vim.fault.Timedout)


@pytest.mark.parametrize(
    ("world_text", "fault"),
    [
        (at(99, f'host = "{DESTINATION}"\nconnected = false'), vmodl.fault.HostNotConnected),
        (at(99, f'host = "{SOURCE}"\nrestart = "vpxa"'), vmodl.fault.HostCommunication),
    ],
    ids=["the destination is lost", "the agent restarts"],
    indirect=["world_text"],
)
async def test_what_breaks_at_the_last_percent_still_breaks_it(player, move, end_of, fault):
    assert isinstance(await end_of(await move()), fault)
    assert player.placement("db01").site == "site1"


async def test_a_port_that_opens_while_the_hosts_still_knock_lets_the_move_go_on(player, move, end_of):
    player.block_port(*SITES)
    task = await move()
    player.block_port(*SITES, blocked=False)
    assert await end_of(task) is None


async def test_hosts_that_knock_in_vain_give_up_by_the_worlds_clock(player, move, end_of):
    player.block_port(*SITES)
    task = await move()
    player.switches.advance_time(timedelta(minutes=10))
    assert isinstance(await end_of(task), vim.fault.HostConnectFault)


async def test_a_host_that_is_lost_while_it_knocks_is_what_the_fault_names(player, move, end_of):
    player.block_port(*SITES)
    task = await move()
    player.set_host(DESTINATION, connected=False)
    assert isinstance(await end_of(task), vmodl.fault.HostNotConnected)
