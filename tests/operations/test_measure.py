"""The path of a copy, measured on played hosts: what is seen, what cannot be, and how it reads."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.jobs.port import Job, NewJob
from bot.jobs.queue import RedisQueue
from bot.links.history import RedisLinkHistory
from bot.migration.facts import Vmk
from bot.migration.machine import Phase
from bot.migration.measured import PathMeasurement, When, to_sample
from bot.migration.path import DataPath, Leg, PathKind
from bot.migration.request import JobId, VCenterName
from bot.operations.measure import Depth, look_at_flow, measure, measure_and_tell
from bot.operations.measure_looks import Looks
from bot.operations.measure_words import LIMITS, flow_in_a_sentence, in_a_sentence, sections
from bot.operations.record import measured_of, with_measured, with_plan, with_request
from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world
from bot.store.client import connect
from bot.vsphere.vcenter import PyvmomiVCenter
from tests.migration.conftest import REQUEST, SITE, plan_of
from tests.worlds import TWO_SITES

EAST = VCenterName("east")
SOURCE, TARGET = "esx-site1-01.example.net", "esx-site2-01.example.net"
STACK = "vSphereProvisioning"
AT = datetime(2026, 11, 23, 1, 45, tzinfo=UTC)
ACCOUNTS = """name = "east"
accounts = [
  { user = "svc@vsphere.local", password = "correct horse" },
  { user = "viewer@vsphere.local", password = "correct horse", privileges = ["System.View", "System.Read"] },
]
"""
WORLD = TWO_SITES.replace('name = "east"\n', ACCOUNTS, 1).replace("mtu = 1500", "mtu = 1500\npmtud = false")
for _site in ("site1", "site2"):
    WORLD = WORLD.replace(f'name = "{_site}"\n', f'name = "{_site}"\nprovisioning = "stack"\n', 1)
WORLD += '[[vms]]\nname = "web01"\nsite = "site1"\nhost = 1\ndisks = ["900 GiB thin 800 GiB"]\n'


def vmk(device: str, address: str, stack: str = "defaultTcpipStack") -> Vmk:
    return Vmk(device, address, netstack=stack)


NFC_LEG = Leg(vmk("vmk2", "10.1.2.11", STACK), vmk("vmk2", "10.2.2.11", STACK), 902)
UDT_LEG = Leg(vmk("vmk1", "10.1.1.11"), vmk("vmk1", "10.2.1.11"), 8000)
NFC_PATH = DataPath(PathKind.NFC_PROVISIONING, NFC_LEG, NFC_LEG, why="")
UDT_PATH = DataPath(PathKind.UDT, UDT_LEG, NFC_LEG, why="")


def planned(path: DataPath | None):
    plan = plan_of()
    return replace(
        plan,
        source=replace(plan.source, host=SOURCE, vcenter=EAST),
        target=replace(plan.target, host=TARGET, vcenter=EAST),
        path=path,
    )


@pytest.fixture
async def player(tmp_path):
    async with await play_world(parse_world(WORLD), tmp_path) as running:
        yield running["east"]


@pytest.fixture
async def connected(player):
    opened = []

    def connect_as(user="svc@vsphere.local", **changes):
        given = {"url": player.url, "ca_file": player.ca_file, "read_pauses": (), **changes}
        opened.append(PyvmomiVCenter(EAST, user=user, password=lambda: "correct horse", **given))
        return opened[-1]

    yield connect_as
    for vcenter in opened:
        await vcenter.close()


@pytest.fixture
def probes(connected):
    return connected()


async def quick(probes, path=NFC_PATH) -> PathMeasurement:
    return await measure(probes, planned(path), when=When.BEFORE, depth=Depth.QUICK, at=AT)


async def full(probes, path=NFC_PATH) -> PathMeasurement:
    return await measure(probes, planned(path), when=When.AFTER, depth=Depth.FULL, at=AT)


def lines_of(measured: PathMeasurement) -> str:
    return "\n".join(line for part in sections(measured) for line in (part.heading, part.text, *part.lines))


async def test_a_quick_look_costs_three_calls_to_either_host(player, probes):
    await quick(probes)
    before = player.witness.calls["ExecuteSoap"]
    measured = await quick(probes)
    assert player.witness.calls["ExecuteSoap"] - before == 6
    assert measured.listening == {902: True}
    assert (measured.small.sent, measured.small.lost, measured.full.lost, measured.full.size) == (20, 0, 0, 1500)
    assert measured.resolves == {SOURCE: True, TARGET: True}
    assert (measured.at, measured.when, measured.link, measured.unread) == (AT, When.BEFORE, "site1~site2", ())


async def test_a_full_look_sees_loss_in_counts_listeners_and_counters_of_both_ends(player, probes):
    player.set_link("site1", "site2", loss=0.06)
    measured = await full(probes)
    assert measured.small.sent == 200
    assert 2 <= measured.small.lost <= 30
    assert measured.listening == {902: True}
    assert {one.host for one in measured.nics} == {SOURCE, TARGET}
    assert len(measured.nic_deltas()) == 4
    assert measured.nics_apart is not None
    assert measured.unread == ()
    words = lines_of(measured)
    assert f"{measured.small.lost} of 200 lost" in words
    assert "95 % CI" in words
    assert "2026-11-23 01:45:00 UTC, after the copy. NFC via vmk2: vmk2 10.1.2.11, stack vSphereProvisioning" in words
    assert LIMITS in words


async def test_a_sick_cable_shows_in_what_was_counted_meanwhile(player, probes):
    clock, machine = player.estate.universe.clock, player.machine(SOURCE)
    machine.set_nic("vmnic0", at=clock(), crc_share=0.01)
    machine.set_nic("vmnic1", at=clock(), up=False)
    clock.advance(timedelta(minutes=5))
    words = lines_of(await full(probes))
    assert re.search(rf"{SOURCE} vmnic0 up: since it booted \d+ CRC errors, \d+ errors, \d+ dropped; of the \d+", words)
    assert f"{SOURCE} vmnic1 DOWN: since it booted none damaged or dropped" in words


async def test_the_largest_packet_that_passes_is_found_where_full_size_does_not(player, probes):
    player.set_link("site1", "site2", mtu=1400)
    measured = await full(probes)
    assert (measured.small.lost, measured.full.received) == (0, 0)
    assert (measured.passes_whole, measured.stops_whole) == (1400, 1406)
    assert len(measured.sizes) <= 5
    assert "1400 bytes is the largest tried that passes whole; 1406 does not" in lines_of(measured)
    assert "1500 bytes, not to be fragmented: 20 of 20 lost" in lines_of(measured)


async def test_where_nothing_passes_no_size_is_to_blame(player, probes):
    player.set_link("site1", "site2", loss=1.0)
    measured = await full(probes)
    assert (measured.small.received, measured.sizes, measured.passes_whole) == (0, (), None)
    assert "200 of 200 lost, 100 %" in in_a_sentence(measured)


async def test_with_udt_both_legs_are_looked_at_and_both_listeners(player, probes):
    player.switches.stop_nfcd(TARGET)
    measured = await full(probes, UDT_PATH)
    assert (measured.small.lost, measured.control.lost, measured.control.sent) == (0, 0, 200)
    assert measured.listening == {902: False, 8000: True}
    words = lines_of(measured)
    assert "control of NFC, vmk2" in words
    assert f"{TARGET} does NOT listen on TCP 902 (NFC)" in words
    assert f"{TARGET} listens on TCP 8000 (data of UDT)" in words


async def test_without_a_path_the_name_is_measured_and_that_is_said(probes):
    measured = await quick(probes, None)
    assert measured.path is None
    assert measured.small.lost == 0
    assert "the copy may take another" in measured.unread[0]
    assert "the path is not known" in lines_of(measured)


async def test_names_that_a_host_does_not_find_are_no_reason_to_see_nothing_else(player, probes):
    player.switches.break_dns(TARGET)
    measured = await quick(probes)
    assert measured.resolves == {SOURCE: True, TARGET: False}
    assert measured.small.lost == 0
    assert f"{TARGET} does NOT find the address of {SOURCE}" in lines_of(measured)


async def test_a_missing_privilege_is_told_once_and_nothing_is_made_up(connected):
    measured = await full(connected("viewer@vsphere.local"))
    assert (measured.small, measured.full, measured.nics, measured.listening, measured.resolves) == (
        None, None, (), {}, {},
    )  # fmt: skip
    assert len(measured.unread) == 2  # one for each host
    assert all("grant the privilege Host.Config.Network" in why for why in measured.unread)
    assert in_a_sentence(measured).startswith("Nothing could be measured from")
    assert to_sample(measured) is None


async def test_a_host_that_is_away_leaves_what_the_other_one_tells(player, probes):
    player.set_host(SOURCE, connected=False)
    measured = await full(probes)
    assert measured.small is None
    assert measured.listening == {902: True}
    assert {one.host for one in measured.nics} == {TARGET}
    assert SOURCE in " ".join(measured.unread)


async def test_a_vcenter_that_is_away_and_one_that_nobody_has_are_sentences(player, connected):
    away = connected(url="https://127.0.0.1:9/sdk")
    measured = await measure((away, None), planned(NFC_PATH), when=When.BEFORE, depth=Depth.QUICK, at=AT)
    assert measured.small is None
    assert any("refuses connections" in why for why in measured.unread)
    assert any(f"nobody here can run esxcli on {TARGET}" in why for why in measured.unread)


async def test_a_look_that_takes_too_long_is_given_up_and_told(player, probes):
    await quick(probes)
    release = player.switches.hold_back("ExecuteSoap")  # of one of the two
    looks = Looks(planned(NFC_PATH), probes, probes, patience=timedelta(milliseconds=300))
    (other,) = await looks.names()
    release.set()
    (silent,) = {SOURCE, TARGET} - {other}
    assert looks.told(await quick(probes)).unread == (f"Names on {silent}: no answer within 0.3 s.",)


async def test_a_measurement_is_kept_by_a_job_as_it_is(player, probes):
    measured = await full(probes, UDT_PATH)
    job = replace(JOB, data=with_measured(JOB, measured))
    assert measured_of(job) == (measured,)


JOB = Job(
    id=JobId("abcdefgh"), kind="migrate", state=Phase.ATTACHED, vm_key="", lane="", requester="", channel="", fence=1,
    owner="", attempt=1, created=AT, updated=AT, cancel_by="", data={}, steps=(),
)  # fmt: skip


async def copying(probes):
    """Start web01's copy; its plan."""
    (vm,) = await probes.find_vms("web01")
    stage = planned(NFC_PATH)
    site = await probes.read_site(replace(SITE.spec, networks={}))
    there, store = next(host for host in site.hosts if host.name == TARGET), site.datastores[0]
    facts = await probes.read_vm(vm.ref.uuid)
    plan = replace(
        stage,
        request=replace(stage.request, vm=vm.ref),
        vm_moid=facts.moid,
        disks=facts.disks,
        nics=(),
        target=replace(
            stage.target, host_moid=there.moid, datastore=store.name, datastore_moid=store.moid,
            folder_moid=site.folder_moid, pool_moid=there.pool_moid,
        ),
    )  # fmt: skip
    await probes.relocate(plan, op_id="cm-test-a1")
    return plan


async def own_connections(probes, plan):
    """Look until the copy has a connection."""
    async with asyncio.timeout(20):
        while True:
            seen = await look_at_flow(probes, plan, at=AT)
            if seen.own_connections:
                return seen


async def test_a_copy_that_slows_down_shows_what_waits_in_its_own_connection(player, probes):
    player.switches.set_site("site1", udt=False)
    player.set_link("site1", "site2", rate=8_000_000, loss=0.05)
    plan = await copying(probes)
    seen = await own_connections(probes, plan)
    (first,) = seen.own_connections
    assert (first.foreign, first.state, seen.small.sent, seen.unread) == ("10.2.2.11:902", "ESTABLISHED", 20, ())
    player.estate.universe.clock.advance(timedelta(seconds=1))
    (later,) = (await own_connections(probes, plan)).own_connections
    assert later.send_queue > first.send_queue > 0
    assert f"{later.send_queue} bytes wait to be sent" in lines_of(replace(seen, connections=(later,)))
    told = flow_in_a_sentence(seen)
    assert told.startswith(f"{first.local} to 10.2.2.11:902 is ESTABLISHED, {first.send_queue} bytes wait to be sent;")


async def test_a_copy_whose_port_is_silently_blocked_is_half_open_and_nothing_is_lost_of_its_pings(player, probes):
    player.switches.block_port("site1", "site2")
    seen = await own_connections(probes, await copying(probes))
    assert [(one.foreign, one.state) for one in seen.own_connections] == [("10.2.2.11:902", "SYN_SENT")]
    assert seen.small.lost == 0  # which is why a ping alone clears no port


async def test_who_asks_gets_figures_and_the_history_of_the_link_a_sample(probes, valkey_url):
    async with connect(valkey_url) as store:
        tools = Tools(RedisQueue(store, slots={}), RedisLinkHistory(store), {EAST: probes})
        plan = planned(NFC_PATH)
        data = {**with_request(REQUEST), **with_plan(plan)}
        drafted = await tools.queue.draft(NewJob("migrate", "", "U1", "C1", data))
        reply = await measure_and_tell(tools, await tools.queue.get(drafted.id))
        assert "0 of 200 lost, which excludes more than 1.5 %" in reply.text
        assert [part.heading for part in reply.sections][:1] == ["Packets"]
        (sample,) = await tools.links.samples("site1~site2", since=datetime(2000, 1, 1, tzinfo=UTC))
        assert (sample.sent, sample.lost, sample.source_host) == (200, 0, SOURCE)


@dataclass
class Tools:
    """As much of a worker's tools as is needed here."""

    queue: RedisQueue
    links: RedisLinkHistory | None
    probes: dict
