"""What the world file lets happen: at a percentage, at a time, to whatever it names; and how a page watches it."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from pyVmomi import vim, vmodl

from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world

SOURCE, DESTINATION = "esx-site1-01.example.net", "esx-site2-01.example.net"
_WORLD = """
[play]
nfc_patience = "100 ms"
connect_patience = "30 ms"
history_lines = 0
[[vcenters]]
name = "east"
accounts = [{ user = "svc@vsphere.local", password = "right" }]
[[sites]]
name = "site1"
vcenter = "east"
hosts = 1
[[sites]]
name = "site2"
vcenter = "east"
hosts = 1
folders = ["Migrated"]
[[links]]
between = ["site1", "site2"]
rate = "2 Gbit/s"
rtt = "0 ms"
[[vms]]
name = "web"
site = "site1"
disks = ["1 GiB thin 50 MiB"]
"""


@pytest.fixture
def play(tmp_path):
    return lambda events: play_world(parse_world(_WORLD + events), tmp_path)


def _go(client):
    return client.watch(client.relocate(client.find("DC1/vm/web"), client.spec()))[1]


async def _rung(changes, ready):
    async with asyncio.timeout(10):
        while not ready():
            await changes.wait(beyond=changes.revision, seconds=5)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ('link = ["site1", "site2"]\nmtu = 1400\npmtud = false', "NetworkCopyFault"),
        ('block = [{ from = "site1", to = "site2", port = 902, how = "refused" }]', "NetworkCopyFault"),
        ('datastore = "ds-c2-01"\nfree = "0 B"', "NoDiskSpace"),
        ('datastore = "ds-c2-01"\naccessible = false', "FileFault"),
        (f'host = "{DESTINATION}"\nconnected = false', "HostNotConnected"),
        (f'host = "{DESTINATION}"\nrestart = "vpxa"', "HostCommunication"),
        ('vcenter = "east"\nsessions = "expired"', "success"),
    ],
)
async def test_an_event_at_a_percentage_ends_the_copy_there(play, client_of, in_thread, words, fault):
    async with await play(f'[[events]]\nat = "50 % of web"\n{words}\n') as running:
        player = running["east"]
        client = await in_thread(client_of, player)
        try:
            await in_thread(_go, client)
        except vim.fault.NotAuthenticated:
            assert "sessions" in words
        await _rung(player.estate.inventory.changes, lambda: player.moves()[0].ended)
        assert (player.relocations[0].outcome, player.moves()[0].percent) == (fault, 100 if fault == "success" else 50)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (f'host = "{DESTINATION}"\nnfcd = "stopped"', vim.fault.HostConnectFault),
        (f'host = "{DESTINATION}"\nauthd = "hanging"', vim.fault.HostConnectFault),
        (f'host = "{SOURCE}"\ndns = "broken"', vim.fault.HostConnectFault),
        (f'host = "{DESTINATION}"\nnfc_memory = "exhausted"', vmodl.fault.SystemError),
        (f'host = "{DESTINATION}"\ntickets = "expired"', vim.fault.CannotAccessFile),
        ('vm = "web"\nlocked = true', vim.fault.FileLocked),
        ('vm = "web"\npower = "on"', vim.fault.InvalidPowerState),
    ],
)
async def test_an_event_at_a_time_happens_when_the_clock_is_moved(play, client_of, in_thread, words, fault):
    async with await play(f'[[events]]\nat = "30 s"\n{words}\n') as running:
        player = running["east"]
        due = player.estate.universe.timetable
        client = await in_thread(client_of, player)
        heard = asyncio.Event()
        due.follow(lambda _event: heard.set())
        player.switches.advance_time(timedelta(seconds=29))
        await in_thread(client.si.CurrentTime)
        assert not heard.is_set()
        player.switches.advance_time(timedelta(seconds=2))
        async with asyncio.timeout(5):
            await heard.wait()
        assert isinstance(await in_thread(_go, client), fault)


async def test_a_blocked_port_is_opened_again_by_a_later_event(play, client_of, in_thread):
    port = '{ from = "site1", to = "site2", port = 902 }'
    events = f'[[events]]\nat = "1 min"\nblock = [{port}]\n[[events]]\nat = "2 min"\nunblock = [{port}]\n'
    async with await play(events) as running:
        player = running["east"]
        links = player.estate.universe.links
        count = []
        player.estate.universe.timetable.follow(lambda _event: count.append(links.closed_ports()))
        player.switches.advance_time(timedelta(minutes=3))
        await _rung(player.estate.universe.links.find("site1", "site2").changes, lambda: len(count) == 2)
        assert [len(closed) for closed in count] == [1, 0]
        client = await in_thread(client_of, player)
        assert await in_thread(_go, client) is None


async def test_moving_the_clock_moves_a_copy(play, client_of, in_thread):
    async with await play("") as running:
        player = running["east"]
        player.switches.set_link("site1", "site2", rate=8_000_000)
        client = await in_thread(client_of, player)
        task = await in_thread(lambda: client.relocate(client.find("DC1/vm/web"), client.spec()))
        await _rung(player.estate.inventory.changes, lambda: player.moves()[0].size)
        player.switches.advance_time(timedelta(minutes=2))
        assert (await in_thread(client.watch, task))[1] is None
        with pytest.raises(ValueError, match="ahead"):
            player.switches.advance_time(timedelta(seconds=-1))


async def test_a_page_sees_moves_and_flows(play, client_of, in_thread):
    async with await play('[[events]]\nat = "10 % of web"\nlink = ["site1", "site2"]\nrate = "8 Mbit/s"\n') as running:
        player = running["east"]
        ((one, other, link),) = player.estate.universe.links.each()
        assert (one, other, link.flows, link.traffic) == ("site1", "site2", 0, 0)
        client = await in_thread(client_of, player)
        task = await in_thread(lambda: client.relocate(client.find("DC1/vm/web"), client.spec()))
        await _rung(link.changes, lambda: link.rate == 8_000_000)
        (move,) = player.moves()
        assert (move.vm, move.op_id, move.task) == ("web", "cm-ab12cd34-a1", task._moId)
        assert (move.from_site, move.from_host, move.to_site, move.to_host) == ("site1", SOURCE, "site2", DESTINATION)
        assert (move.state, move.percent, move.ended, move.fault) == ("running", 10, None, "")
        assert move.bytes == move.size // 10
        assert (link.flows, link.traffic, move.bytes_per_second) == (1, 1_000_000, 1_000_000)
        async with httpx.AsyncClient(base_url=player.control_url + "/") as http:
            assert (await http.get("moves")).json()[0]["path"] == "NFC via vmk0"
        await in_thread(task.CancelTask)
        await in_thread(client.watch, task)
        (move,) = player.moves()
        assert (move.state, move.fault, move.bytes_per_second) == ("error", "RequestCanceled", 0)
        assert (link.flows, link.traffic) == (0, 0)


async def test_a_cancelled_copy_is_deleted_by_the_destination(play, client_of, in_thread):
    async with await play('[[events]]\nat = "10 % of web"\nlink = ["site1", "site2"]\nrate = "8 kbit/s"\n') as running:
        player = running["east"]
        client, store = await in_thread(client_of, player), player.datastore("ds-c2-01")
        before = store.free
        task = await in_thread(lambda: client.relocate(client.find("DC1/vm/web"), client.spec()))
        await _rung(player.estate.inventory.changes, lambda: player.moves() and player.moves()[0].percent == 10)
        assert store.free < before
        await in_thread(task.CancelTask)
        await in_thread(client.watch, task)
        assert (store.free, store.orphans, player.placement("web").site) == (before, [], "site1")
        assert any("was canceled" in line for line in player.log_lines(SOURCE))
        assert any("Removed what was received" in line for line in player.log_lines(DESTINATION))
