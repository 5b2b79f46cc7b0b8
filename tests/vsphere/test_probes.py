"""What hosts say of the network by esxcli, through a played vCenter with interfaces, stacks, loss and broken names."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.errors import UnreachableError
from bot.migration.facts import Vmk
from bot.migration.path import Leg
from bot.vsphere.esxcli import KIND, read_reply
from bot.vsphere.port import FaultError

SOURCE, TARGET = "esx-site1-01.example.net", "esx-site2-01.example.net"
STACK = "vSphereProvisioning"
MANAGEMENT = Leg(Vmk("vmk0", "10.1.0.11"), Vmk("vmk0", "10.2.0.11"), 902)
PROVISIONING = Leg(Vmk("vmk2", "10.1.2.11", netstack=STACK), Vmk("vmk2", "10.2.2.11", netstack=STACK), 902)
SMALL, FULL = 84, 1500


@pytest.fixture
def world_text(world_text):
    for site in ("site1", "site2"):
        world_text = world_text.replace(f'name = "{site}"\n', f'name = "{site}"\nprovisioning = "stack"\n', 1)
    return world_text.replace('rtt = "0 ms"', 'rtt = "20 ms"')


@pytest.fixture
def peer(player_peer):
    return player_peer


async def test_small_packets_are_counted_and_timed(played):
    pings = await played.ping(SOURCE, MANAGEMENT, count=20, size=SMALL, whole=False)
    assert (pings.sent, pings.received, pings.lost, pings.too_long) == (20, 20, 0, False)
    assert timedelta(milliseconds=20) <= pings.rtt_min <= pings.rtt_avg <= pings.rtt_max < timedelta(milliseconds=30)


async def test_losses_are_counted_and_silence_has_no_round_trip(played, player):
    player.set_link("site1", "site2", loss=0.2)
    some = await played.ping(SOURCE, MANAGEMENT, count=200, size=SMALL, whole=False)
    assert 10 < some.lost < 80
    player.set_link("site1", "site2", loss=1.0)
    none = await played.ping(SOURCE, MANAGEMENT, count=5, size=SMALL, whole=False)
    assert (none.received, none.lost, none.rtt_avg) == (0, 5, None)


async def test_an_interface_in_a_stack_of_its_own_is_pinged_from_that_stack(played):
    assert (await played.ping(SOURCE, PROVISIONING, count=3, size=SMALL, whole=False)).received == 3
    elsewhere = Leg(Vmk("vmk2", "10.1.2.11"), PROVISIONING.target, 902)  # as if it were in the default one
    with pytest.raises(FaultError, match="vmk2") as refused:
        await played.ping(SOURCE, elsewhere, count=3, size=SMALL, whole=False)
    assert refused.value.kind == KIND
    assert SOURCE in str(refused.value)


async def test_sizes_are_those_of_packets_and_one_that_the_host_does_not_send_is_no_error(played, player):
    player.set_link("site1", "site2", mtu=1400, pmtud=False)
    fits = await played.ping(SOURCE, MANAGEMENT, count=3, size=1400, whole=True)
    vanishes = await played.ping(SOURCE, MANAGEMENT, count=3, size=1401, whole=True)
    assert (fits.received, vanishes.received, vanishes.too_long) == (3, 0, False)
    refused = await played.ping(SOURCE, MANAGEMENT, count=3, size=FULL + 1, whole=True)
    assert (refused.sent, refused.received, refused.too_long) == (0, 0, True)


async def test_a_name_that_the_host_cannot_look_up_is_told_from_one_that_does_not_answer(played, player):
    assert await played.resolves(SOURCE, TARGET)
    player.set_link("site1", "site2", loss=1.0)
    assert await played.resolves(SOURCE, TARGET)
    player.switches.break_dns(SOURCE)
    assert not await played.resolves(SOURCE, TARGET)
    assert await played.resolves(TARGET, SOURCE)


async def test_listeners_are_told_by_port_and_a_stopped_service_has_none(played, player):
    listeners = await played.connections(TARGET, ports=(902, 8000))
    assert {(one.local, one.state) for one in listeners} == {("0.0.0.0:902", "LISTEN"), ("0.0.0.0:8000", "LISTEN")}
    player.switches.stop_nfcd(TARGET)
    assert list(await played.connections(TARGET, ports=(902,))) == []


async def test_connections_are_those_of_one_stack(peer, played, player):
    player.switches.set_site("site1", udt=False)
    plan = await peer.plan(played, "slow01", nics=())
    await played.relocate(plan, op_id="cm-ab2cd3ef-a1")

    async def established(stack):
        found = await played.connections(plan.source.host, ports=(902,), netstack=stack)
        return [one for one in found if one.state == "ESTABLISHED"]

    async with asyncio.timeout(20):
        while not (own := await established(STACK)):
            pass
    assert [one.foreign for one in own] == ["10.2.2.11:902"]
    assert own[0].local.startswith("10.1.2.1")
    assert await established("defaultTcpipStack") == []
    with pytest.raises(FaultError, match="vmotion") as refused:
        await established("vmotion")
    assert refused.value.kind == KIND


async def test_counters_of_all_uplinks_come_with_their_links(played, player):
    nics = await played.nic_counters(SOURCE)
    assert [(one.nic, one.up, one.crc_errors) for one in nics] == [("vmnic0", True, 0), ("vmnic1", True, 0)]
    clock = player.estate.universe.clock
    player.machine(SOURCE).set_nic("vmnic0", at=clock(), crc_share=0.01)
    player.machine(SOURCE).set_nic("vmnic1", at=clock(), up=False)
    clock.advance(timedelta(minutes=1))
    sick, pulled = await played.nic_counters(SOURCE)
    assert sick.crc_errors > 100
    assert sick.since(nics[0]).crc_errors == sick.crc_errors
    assert nics[0].since(sick) is None  # it went back: the host has booted since
    assert not pulled.up


async def test_what_stands_in_the_way_is_named(peer, played, player):
    viewer = peer.connect(user="viewer@vsphere.local")
    with pytest.raises(FaultError, match=r"Host\.Config\.Network") as refused:
        await viewer.nic_counters(SOURCE)
    assert refused.value.kind == "vim.fault.NoPermission"
    with pytest.raises(FaultError, match="no host named esx-nowhere"):
        await played.nic_counters("esx-nowhere")
    player.set_host(SOURCE, connected=False)
    with pytest.raises(FaultError) as away:
        await played.ping(SOURCE, MANAGEMENT, count=3, size=SMALL, whole=False)
    assert away.value.kind == "vmodl.fault.HostNotConnected"


async def test_a_command_costs_one_call_once_its_host_is_known(played, player):
    await asyncio.gather(played.resolves(SOURCE, TARGET), played.resolves(TARGET, SOURCE))
    before = dict(player.witness.calls)
    await asyncio.gather(*(played.resolves(SOURCE, TARGET) for _ in range(3)))
    made = {name: count - before.get(name, 0) for name, count in player.witness.calls.items()}
    assert {name: count for name, count in made.items() if count} == {"ExecuteSoap": 3}


async def test_a_ping_that_is_under_way_keeps_nobody_from_closing(peer, player):
    vcenter = peer.connect()
    assert await vcenter.resolves(SOURCE, TARGET)
    release = player.switches.hold_back("ExecuteSoap")
    calls = player.witness.calls["ExecuteSoap"]
    ping = asyncio.create_task(vcenter.ping(SOURCE, MANAGEMENT, count=200, size=SMALL, whole=False))
    async with asyncio.timeout(5):
        await player.witness.until_called("ExecuteSoap", calls + 1)
        await vcenter.close()
    with pytest.raises(UnreachableError):
        await ping
    release.set()


@pytest.mark.parametrize(
    "reply",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa">]><obj><b>&a;</b></obj>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><obj/>',
        "<obj>&a;</obj>",
        "<obj><never><closed></obj>",
        "not xml",
        "<a>" * 100 + "</a>" * 100,
    ],
)
def test_what_is_no_reply_is_refused_and_nothing_in_it_is_expanded(reply):
    with pytest.raises(FaultError) as refused:
        read_reply(reply, SOURCE)
    assert refused.value.kind == KIND


def test_replies_become_rows_whatever_their_namespace():
    rows = '<obj xmlns="urn:vim25"><DataObject><Name>a</Name><Tag>1</Tag><Tag>2</Tag></DataObject></obj>'
    assert read_reply(rows, SOURCE) == [{"Name": "a", "Tag": ["1", "2"]}]
    assert read_reply("<obj>2026-11-23T01:45:00Z</obj>", SOURCE) == "2026-11-23T01:45:00Z"
    assert read_reply("", SOURCE) == []
