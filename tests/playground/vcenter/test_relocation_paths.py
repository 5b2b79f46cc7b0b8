"""Which interfaces a relocation takes: the five scenarios of KB 340170, and Unified Data Transport."""

import pytest
from pyVmomi import vim

from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world

SOURCE, DESTINATION = "esx-site1-01.example.net", "esx-site2-01.example.net"
HAS, ROUTED = 'provisioning = "interface"\nudt = false', 'provisioning = "interface"\nudt = false\nroutes = ["site2"]'
STACK = 'provisioning = "stack"\nudt = false'
UDT = 'provisioning = "interface"'
_WORLD = """
[play]
nfc_patience = "100 ms"
connect_patience = "30 ms"
history_lines = 0
[[vcenters]]
name = "east"
accounts = [{{ user = "svc@vsphere.local", password = "right" }}]
[[sites]]
name = "site1"
vcenter = "east"
hosts = 1
version = "{version}"
{source}
[[sites]]
name = "site2"
vcenter = "east"
hosts = 1
folders = ["Migrated"]
version = "{version}"
{destination}
[[links]]
between = ["site1", "site2"]
rate = "40 Gbit/s"
rtt = "0 ms"
{link}
[[vms]]
name = "web"
site = "site1"
disks = ["1 GiB thin 50 MiB"]
"""


@pytest.fixture
def relocate(tmp_path, client_of, in_thread):
    async def go(*, source="", destination="", link="", version="8.0.3", block=None):
        text = _WORLD.format(source=source, destination=destination, link=link, version=version)
        async with await play_world(parse_world(text), tmp_path) as running:
            player = running["east"]
            if block:
                player.switches.block_port("site1", "site2", port=block)
            client = await in_thread(client_of, player)
            _, error = await in_thread(lambda: client.watch(client.relocate(client.find("DC1/vm/web"), client.spec())))
            (move,) = player.moves()
            return move, error, player

    return go


@pytest.mark.parametrize(
    ("source", "destination", "link", "path", "peer"),
    [
        pytest.param("", "", "", "NFC via vmk0", "10.2.0.11:902", id="1-nobody-has-provisioning"),
        pytest.param(HAS, HAS, "provisioning_stretched = true", "NFC via vmk2", "10.2.2.11:902", id="2-one-subnet"),
        pytest.param(ROUTED, HAS, "", "NFC via vmk2", "10.2.2.11:902", id="3-static-routes"),
        pytest.param(STACK, STACK, "", "NFC via vmk2", "10.2.2.11:902", id="3-a-stack-with-its-own-gateway"),
        pytest.param(HAS, HAS, "", "NFC via vmk0", "10.2.2.11:902", id="4-source-falls-to-vmk0"),
        pytest.param(HAS, "", "", "NFC via vmk0", "10.2.0.11:902", id="only-the-source-has-it"),
    ],
)
async def test_where_the_bytes_go(relocate, source, destination, link, path, peer):
    move, error, _ = await relocate(source=source, destination=destination, link=link)
    assert (error, move.path) == (None, path)
    _, error, player = await relocate(source=source, destination=destination, link=link, block=902)
    assert isinstance(error, vim.fault.HostConnectFault)
    assert error.msg == f"Cannot connect to host {peer}."
    assert any(peer in line for line in player.log_lines(SOURCE))


async def test_without_any_route_it_ends_at_23_percent(relocate):
    move, error, player = await relocate(source=HAS, destination=HAS, link="provisioning_routed = false")
    assert isinstance(error, vim.fault.HostConnectFault)
    assert (move.percent, move.state, error.msg) == (23, "error", "Cannot connect to host 10.2.2.11:902.")
    assert any("10.2.2.11:902: No route to host" in line for line in player.log_lines(SOURCE))


@pytest.mark.parametrize(("version", "path"), [("8.0.3", "UDT via vmk1"), ("7.0.3", "NFC via vmk0")])
async def test_udt_needs_version_8_and_provisioning_at_both_ends(relocate, version, path):
    move, error, _ = await relocate(source=UDT, destination=UDT, version=version)
    assert (error, move.path) == (None, path)
    move, error, _ = await relocate(source=UDT, destination="", version=version)
    assert (error, move.path) == (None, "NFC via vmk0")


async def test_under_udt_902_only_controls_and_8000_carries(relocate):
    move, error, player = await relocate(source=UDT, destination=UDT, block=8000)
    assert isinstance(error, vim.fault.GenericVmConfigFault)
    assert move.percent == 0
    assert any("connect over the VMotion network" in line for line in player.log_lines(SOURCE, "vmkernel"))
    assert not any("NFC ERROR" in line for line in player.log_lines(SOURCE))
    _, error, _ = await relocate(source="", destination="", block=8000)
    assert error is None
