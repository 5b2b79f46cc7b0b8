"""A plan's second look, on played hosts and with a real queue: what it finds, and that each part fails alone."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest

from bot.errors import UnreachableError
from bot.jobs.port import NewJob
from bot.jobs.queue import RedisQueue
from bot.migration.facts import SiteSpec
from bot.migration.machine import Phase
from bot.migration.plan import Severity
from bot.migration.request import MigrationRequest, SiteName, VCenterName
from bot.operations.live_copies import live_copies
from bot.operations.measure import Depth, When, measure
from bot.operations.plan_migration import plan_migration, resolve_vm
from bot.operations.record import Copied, with_copied, with_plan, with_request
from bot.operations.survey import Surveying
from bot.operations.tools import Fleet
from bot.playground.vcenter.player import play_world
from bot.playground.world import World
from bot.store.client import connect
from bot.vsphere.vcenter import PyvmomiVCenter
from tests.worlds import TWO_SITES

GIB = 2**30
LINK, EAST = "site1~site2", VCenterName("east")
USER, VIEWER, PASSWORD = "svc@vsphere.local", "viewer@vsphere.local", "correct horse"
ACCOUNTS = f"""\
name = "east"
accounts = [
  {{ user = "{USER}", password = "{PASSWORD}" }},
  {{ user = "{VIEWER}", password = "{PASSWORD}", privileges = ["System.View", "System.Read"] }},
]
"""
WORLD = (
    TWO_SITES.replace('name = "east"', ACCOUNTS, 1)
    + """
[[vms]]
name = "web01"
site = "site1"
disks = ["1 GiB thin 10 MiB"]
[[vms]]
name = "web02"
site = "site1"
disks = ["8 GiB thin 4 GiB", "2 GiB thin 1 GiB"]
"""
)
SITES = {
    SiteName(name): SiteSpec(
        name=SiteName(name),
        vcenter=EAST,
        datacenter=f"DC{number}",
        cluster=f"C{number}",
        host=None,
        datastore=f"ds-c{number}-01",
        folder="",
        networks={"VM Network": "VM Network"},
    )
    for number, name in enumerate(("site1", "site2"), start=1)
}


@pytest.fixture
async def player(tmp_path):
    async with await play_world(World.model_validate(tomllib.loads(WORLD)), tmp_path / "world") as world:
        yield world["east"]


@pytest.fixture
async def machine(player):
    made = []

    def make(user=USER, **change):
        keys = {"url": player.url, "password": lambda: PASSWORD, "ca_file": player.ca_file, "thumbprint": None}
        made.append(PyvmomiVCenter(EAST, user=user, **{**keys, **change}))
        return made[-1]

    yield make
    for vcenter in made:
        await vcenter.close()


@pytest.fixture
async def queue(valkey_url):
    async with connect(valkey_url) as store:
        yield RedisQueue(store, slots={LINK: 1})


def everything(vcenter, queue=None, **change):
    async def look(plan):
        now = plan.made_at
        return await measure(vcenter, plan, when=When.BEFORE, depth=Depth.QUICK, at=now)

    keys = {"queue": queue, "scenes": {EAST: vcenter}, "probes": {EAST: vcenter}, "measure": look}
    return Surveying(**{**keys, **change})


async def planned(vcenter, surveying, *, vm="web01", **asked):
    fleet = Fleet({EAST: vcenter}, SITES, max_loss={LINK: 0.001})
    ref = await resolve_vm(fleet, vm)
    return await plan_migration(fleet, MigrationRequest(vm=ref, site=SiteName("site2"), **asked), surveying=surveying)


def told(plan):
    return {concern.id: concern for concern in plan.concerns}


async def test_of_a_healthy_pair_only_the_path_is_told(machine):
    vcenter = machine()
    plan = await planned(vcenter, everything(vcenter))
    assert list(told(plan)) == ["data-path"]
    assert "NFC via vmk0 (10.1.0.11 to 10.2.0.11, TCP 902)" in told(plan)["data-path"].text
    assert plan.path is not None


async def test_what_a_lossy_path_of_small_packets_shows(machine, player):
    player.set_link("site1", "site2", loss=0.5, mtu=1400)
    vcenter = machine()
    plan = await planned(vcenter, everything(vcenter))
    loss, mtu = told(plan)["path-loss"], told(plan)["path-mtu"]
    assert (loss.severity, mtu.severity) == (Severity.WARN, Severity.WARN)
    assert "of 20 lost" in loss.text
    assert "site1~site2 may lose 0.1 %" in loss.text
    assert "Packets of 1500 bytes do not pass whole" in mtu.text
    assert plan.safe
    assert plan.needs_force


async def test_an_account_that_may_only_look(machine):
    vcenter = machine(VIEWER)
    plan = await planned(vcenter, everything(vcenter))
    lacking = [c.text for c in plan.concerns if c.id == "privileges" and c.severity is Severity.BLOCK]
    assert any("Resource.ColdMigrate on the VM web01" in text for text in lacking)
    assert told(plan)["path-loss"].unreadable
    assert not plan.safe


async def test_each_part_fails_alone(machine):
    """Scene, probes and measuring are of a vCenter that is away; all else is read and judged."""
    vcenter, away = machine(), machine(url="https://127.0.0.1:9")

    async def look(plan):
        raise UnreachableError("the path cannot be looked at")

    plan = await planned(
        vcenter, everything(vcenter, scenes={EAST: away}, probes={EAST: away}, measure=look), disconnect_drives=True
    )
    unknown = {concern.id for concern in plan.concerns if concern.unreadable}
    assert unknown == {"clock-offsets", "nfc-buffers", "path-loss", "path-mtu", "path-names", "path-port"}
    assert "the path cannot be looked at" in told(plan)["path-port"].text
    assert "the clock of host esx-site1-01" in told(plan)["clock-offsets"].text
    assert plan.safe


async def test_without_redis_the_plan_does_not_know_what_others_will_take(machine):
    vcenter = machine()
    async with connect("redis://127.0.0.1:9/0") as nowhere:
        plan = await planned(vcenter, everything(vcenter, RedisQueue(nowhere, slots={LINK: 1})))
    assert [c.id for c in plan.concerns if c.unreadable] == ["free-space"]
    assert plan.safe


async def test_without_a_survey_nothing_of_it_is_told(machine):
    vcenter = machine(VIEWER)
    assert list(told(await planned(vcenter, None))) == ["data-path"]


@pytest.fixture
def approved(queue):
    """A queued job with a plan; how far it is may be said."""

    async def make(plan, *, percent=None, approve=True):
        new = NewJob(
            kind="migrate", vm_key=plan.request.vm.key, requester="U1", channel="C1", data=with_request(plan.request)
        )
        drafted = await queue.draft(new)
        claim = await queue.claim("w0")
        await claim.move(Phase.CHECKING, why="")
        data = {**with_plan(plan), "needs": "[]"}
        if percent is not None:
            data |= with_copied(Copied(percent, None, None, 0))
        await claim.move(Phase.PLANNED, why="", data=data)
        if approve:
            await queue.approve(drafted.id, fingerprint=plan.fingerprint, by="U1")
        return drafted.id

    return make


async def test_what_our_queued_jobs_will_take_is_counted_and_their_hosts_are_left_alone(machine, queue, approved):
    vcenter = machine()
    other = await planned(vcenter, None, vm="web02")
    job = await approved(other, percent=20)
    live = await live_copies(queue, but=None)
    assert live.claimed("ds-c2-01", vcenter=EAST) == {job: pytest.approx(4 * GIB, rel=1e-5)}  # 80 % of 5 GiB
    assert live.claimed("ds-c1-01", vcenter=EAST) == {}
    assert live.claimed("ds-c2-01", vcenter=VCenterName("west")) == {}
    assert live.busy(EAST) == {other.source.host: 1, other.target.host: 1}
    assert (await live_copies(queue, but=job)).copies == ()
    plan = await planned(vcenter, everything(vcenter, queue))
    assert plan.target.host != other.target.host


async def test_a_plan_that_nobody_approved_takes_nothing(machine, queue, approved):
    await approved(await planned(machine(), None, vm="web02"), approve=False)
    assert (await live_copies(queue, but=None)).copies == ()


async def test_the_claim_is_in_the_way_where_space_is_short(machine, queue, approved, player):
    vcenter = machine()
    other = await planned(vcenter, None, vm="web02")
    disk = replace(other.disks[0], capacity=3 * 2**40, used=3 * 2**40)
    job = await approved(replace(other, disks=(disk,)))
    found = told(await planned(vcenter, everything(vcenter, queue)))["free-space"]
    assert f"of which 3.00 TiB are for {job}" in found.text


async def test_vcenters_check_is_not_asked_of_a_vm_that_is_to_be_shut_down_first(machine, player):
    """It would check a move of the VM as it runs, and every plan with --shutdown had a warning that means nothing."""
    player.set_power("web01", on=True)
    vcenter = machine()
    plan = await planned(vcenter, everything(vcenter), shutdown=True)
    assert told(plan)["check-relocate"].unreadable
    assert not plan.needs_force
    assert "CheckRelocate_Task" not in player.calls
