"""A migration waits until its link is measured to be clean: pings of played hosts, a real queue, a clock that moves."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.jobs.port import NewJob
from bot.jobs.queue import RedisQueue
from bot.links.history import RedisLinkHistory
from bot.migration.facts import SiteSpec
from bot.migration.machine import Phase
from bot.migration.measured import LinkSample, SampleKind
from bot.migration.plan import Concern, Severity
from bot.migration.request import MigrationRequest, SiteName, VCenterName
from bot.operations.clean_link import LOOK_EVERY, WINDOW, waits_for_clean_link
from bot.operations.link_check import link_trouble
from bot.operations.plan_migration import plan_migration, resolve_vm
from bot.operations.record import approved_plan, request_of, waits_for, with_plan, with_request
from bot.operations.tools import Allow, Fleet
from bot.playground.vcenter.player import play_world
from bot.playground.world import World
from bot.slack.outbox import RedisOutbox
from bot.store.client import connect
from bot.vsphere.vcenter import PyvmomiVCenter
from tests.worlds import TWO_SITES

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
disks = ["1 GiB thin 10 MiB"]
[[vms]]
name = "canary01"
site = "site1"
disks = ["1 GiB thin 10 MiB"]
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


SILENT = Concern("path-port", Severity.WARN, "It answers no echo request.")


@dataclass
class Tools:
    """As much of a worker's tools as is needed here."""

    queue: RedisQueue
    outbox: RedisOutbox
    fleet: Fleet
    links: RedisLinkHistory | None
    probes: dict
    patience: timedelta = timedelta(hours=1)
    allow: Allow = field(default_factory=Allow)
    points: list = field(default_factory=list)

    def reached(self, point):
        self.points.append(point)


@pytest.fixture
async def player(tmp_path):
    async with await play_world(World.model_validate(tomllib.loads(WORLD)), tmp_path / "world") as world:
        yield world["east"]


@pytest.fixture
async def machine(player):
    made = []

    def make(user=player.user):
        made.append(
            PyvmomiVCenter(
                EAST,
                url=player.url,
                user=user,
                password=lambda: player.password,
                ca_file=player.ca_file,
                thumbprint=None,
            )
        )
        return made[-1]

    yield make
    for vcenter in made:
        await vcenter.close()


@pytest.fixture
async def tools(machine, valkey_url):
    vcenter = machine()
    async with connect(valkey_url) as store:
        queue = RedisQueue(store, slots={LINK: 1})
        fleet = Fleet({EAST: vcenter}, SITES, max_loss={LINK: 0.001})
        yield Tools(queue, RedisOutbox(store), fleet, RedisLinkHistory(store), {EAST: vcenter})


@pytest.fixture
def planned(tools):
    async def make(vm, **changes):
        ref = await resolve_vm(tools.fleet, vm)
        fields = {"when_clean": True, **changes}
        plan = await plan_migration(tools.fleet, MigrationRequest(vm=ref, site=SiteName("site2"), **fields))
        new = NewJob(kind="migrate", vm_key=ref.key, requester="U1", channel="C1", data=with_request(plan.request))
        drafted = await tools.queue.draft(new)
        claim = await tools.queue.claim("w0")
        assert claim.job.id == drafted.id, "plan all jobs before the first is approved"
        await claim.move(Phase.CHECKING, why="")
        await claim.move(Phase.PLANNED, why="", data={**with_plan(plan), "needs": "[]"})
        return drafted.id, plan.fingerprint

    return make


@pytest.fixture
def queued(tools, planned):
    async def make(*vms, **changes):
        made = [await planned(vm, **changes) for vm in vms or ("web01",)]
        for job, fingerprint in made:
            await tools.queue.approve(job, fingerprint=fingerprint, by="U2")
        return made[0][0]

    return make


@pytest.fixture
def later(skew_clock):
    """Move the clock on by so much more."""
    moved = timedelta(0)

    def by(more):
        nonlocal moved
        moved += more
        skew_clock(moved)

    return by


async def looked(tools, later, *, most=20):
    """Claim and ask until it may start: how often it was put off, and what it said."""
    said = []
    for _ in range(most):
        claim = await tools.queue.claim("w1")
        assert claim is not None
        if not await waits_for_clean_link(tools, claim):
            return said, claim
        job = await tools.queue.get(claim.job.id)
        if job.state.ended:
            return [*said, job.data["outcome"]], None
        said.append(waits_for(job))
        later(LOOK_EVERY + timedelta(seconds=1))
    return said, None


async def test_it_starts_once_enough_packets_came_through(tools, queued, later):
    job = await queued()
    said, claim = await looked(tools, later)
    assert claim.job.id == job
    assert claim.job.state is Phase.QUEUED
    # 0.1 % is excluded by 3,000 packets: four looks of 750.
    assert [text.split("So far: ")[1].split(" lost")[0] for text in said] == ["0 of 750", "0 of 1500", "0 of 2250"]
    assert said[0] == (
        "It starts when site1~site2 is clean: less than 0.1 % of at least 2,995 packets lost in 30 min. "
        "So far: 0 of 750 lost, which excludes more than 0.4 %. It looks again in 3 min."
    )


async def test_it_waits_while_packets_are_lost_and_starts_when_that_is_half_an_hour_ago(tools, queued, later, player):
    player.set_link("site1", "site2", loss=0.05)
    await queued()
    said, claim = await looked(tools, later, most=3)
    assert claim is None
    assert "95 % CI" in said[-1]
    player.set_link("site1", "site2", loss=0.0)
    said, claim = await looked(tools, later)
    assert claim is not None
    assert len(said) >= WINDOW / LOOK_EVERY - 3, "what was lost is not forgotten at once"


async def test_between_two_looks_it_holds_no_slot_and_cancel_works(tools, queued, later):
    waiting = await queued()
    claim = await tools.queue.claim("w1")
    assert await waits_for_clean_link(tools, claim)
    other = await queued("web02", when_clean=False)
    claim = await tools.queue.claim("w1")
    assert claim.job.id == other
    assert not await waits_for_clean_link(tools, claim), "nobody asked for that"
    await tools.queue.cancel(waiting, by="U1")
    assert (await tools.queue.get(waiting)).state is Phase.CANCELLED


async def test_all_jobs_of_a_link_share_its_looks(tools, queued, later, player):
    await queued("web01", "web02")
    for _ in range(2):
        assert await waits_for_clean_link(tools, await tools.queue.claim("w1"))
    assert player.witness.calls["ExecuteSoap"] == 3
    now = await tools.queue.now()
    assert len(await tools.links.samples(LINK, since=now - WINDOW)) == 3


async def test_what_was_clean_long_ago_does_not_count(tools, queued, later):
    long_ago = await tools.queue.now() - timedelta(minutes=20)
    for second in range(20):
        sample = LinkSample(long_ago + timedelta(seconds=second), LINK, SampleKind.PROBE, "a", "b", sent=500)
        await tools.links.note(sample)
    await queued()
    await tools.queue.chore(f"look:{LINK}", worker="w2", every=LOOK_EVERY)  # another worker looks now
    claim = await tools.queue.claim("w1")
    assert await waits_for_clean_link(tools, claim)
    later(LOOK_EVERY + timedelta(seconds=1))
    assert not await waits_for_clean_link(tools, await tools.queue.claim("w1"))


async def test_without_the_privilege_it_ends_with_a_sentence(tools, queued, later, machine):
    tools.probes = {EAST: machine(VIEWER)}
    await queued()
    said, claim = await looked(tools, later)
    assert claim is None
    assert len(said) == 1
    assert "cannot be measured" in said[0]
    assert "Host.Config.Network" in said[0]


async def test_where_nobody_can_ask_hosts_it_ends_at_once(tools, queued, later):
    tools.probes = {}
    await queued()
    said, _ = await looked(tools, later)
    assert len(said) == 1
    assert "nobody here can run esxcli" in said[0]


async def test_a_host_that_is_away_is_waited_for_and_not_for_ever(tools, queued, later, player):
    job = await queued()
    host = "esx-site1-01.example.net"
    for name in (host, host.replace("01", "02")):
        player.set_host(name, connected=False)
    said, claim = await looked(tools, later, most=2)
    assert claim is None
    assert "could not be measured now" in said[-1]
    for name in (host, host.replace("01", "02")):
        player.set_host(name, connected=True)
    said, claim = await looked(tools, later, most=1)
    assert "750 lost" in said[-1]
    assert not (await tools.queue.get(job)).data.get("busy_since")
    for name in (host, host.replace("01", "02")):
        player.set_host(name, connected=False)
    said, claim = await looked(tools, later, most=40)
    assert len(said) > 15
    assert "cannot be measured" in said[-1]


async def test_a_link_that_lets_no_echo_pass_is_said(tools, queued, later, player):
    player.set_link("site1", "site2", loss=1.0)
    await queued()
    said, _ = await looked(tools, later, most=1)
    assert "The link is down, or lets no echo requests pass." in said[0]


@pytest.fixture
async def clean(tools):
    """The link is known to be clean, has a canary, and waits for nothing but it."""
    tools.fleet = replace(tools.fleet, canaries={LINK: "canary01"})
    tools.allow = Allow(canary=True)
    at = await tools.queue.now() - timedelta(seconds=30)
    await tools.links.note(LinkSample(at, LINK, SampleKind.PROBE, "a", "b", sent=5000))


async def sent_ahead(tools, queued):
    """The job that waits and the claim on the canary that it sent, both once."""
    waiting = await queued()
    claim = await tools.queue.claim("w1")
    assert await waits_for_clean_link(tools, claim)
    (said,) = [waits_for(await tools.queue.get(waiting))]
    canary = await tools.queue.claim("w1")
    assert f"canary01, its canary, tries it first: job {canary.job.id}." in said
    return canary


async def asked_again(tools, later):
    later(LOOK_EVERY)
    claim = await tools.queue.claim("w1")
    return await waits_for_clean_link(tools, claim), await tools.queue.get(claim.job.id)


async def test_the_canary_of_a_clean_link_goes_ahead_once(tools, queued, clean, later):
    canary = await sent_ahead(tools, queued)
    request = request_of(canary.job)
    assert (request.site, request.canary, request.vm.name) == ("site2", True, "canary01")
    assert request.host.startswith("esx-site2")
    await canary.move(Phase.CHECKING, why="-")
    await canary.later(timedelta(hours=9), why="it takes its time")
    assert (await asked_again(tools, later))[0]
    assert len(await tools.queue.recent()) == 2
    await tools.links.note(LinkSample(await tools.queue.now(), LINK, SampleKind.CANARY, "a", "b"))
    waits, job = await asked_again(tools, later)
    assert (waits, job.state) == (False, Phase.QUEUED)


@pytest.mark.parametrize("started", [True, False])
async def test_a_canary_that_dies_ends_it_and_one_that_never_started_does_not(tools, queued, clean, later, started):
    canary = await sent_ahead(tools, queued)
    await canary.move(Phase.CHECKING, why="-")
    await canary.move(Phase.FAILED, why="-", attempt=1 if started else 0)
    waits, job = await asked_again(tools, later)
    assert (waits, job.state) == ((True, Phase.FAILED) if started else (False, Phase.QUEUED))
    assert ("did not arrive. Nothing was started." in job.data.get("outcome", "")) is started


@pytest.mark.parametrize(("named", "allowed"), [("nobody", True), ("canary01", False)])
async def test_without_the_config_or_the_canary_the_packets_alone_count(tools, queued, clean, named, allowed):
    tools.fleet, tools.allow = replace(tools.fleet, canaries={LINK: named}), Allow(canary=allowed)
    await queued()
    assert not await waits_for_clean_link(tools, await tools.queue.claim("w1"))
    assert len(await tools.queue.recent()) == 1


@pytest.mark.parametrize(
    ("loss", "known", "trouble"), [(0.0, False, ""), (0.5, True, "20 lost"), (1.0, False, "20 lost")]
)
async def test_before_a_guest_is_shut_down_a_lossy_link_is_trouble(tools, queued, player, loss, known, trouble):
    await queued(when_clean=False)
    claim = await tools.queue.claim("w1")
    player.set_link("site1", "site2", loss=loss)
    await claim.note(with_plan(replace(approved_plan(claim.job), concerns=(SILENT,) if known else ())))
    said = await link_trouble(tools, claim)
    assert trouble in said
    assert bool(said) is bool(trouble)


async def test_where_echo_requests_never_pass_a_guest_can_be_shut_down_all_the_same(tools, queued, player):
    """Many networks drop them, and whoever approved the plan had read that nothing answers."""
    await queued(when_clean=False)
    claim = await tools.queue.claim("w1")
    player.set_link("site1", "site2", loss=1.0)
    await claim.note(with_plan(replace(approved_plan(claim.job), concerns=(SILENT,))))
    assert await link_trouble(tools, claim) == ""


async def test_a_link_that_the_config_does_not_name_has_the_usual_bound(tools, queued, player):
    tools.fleet = replace(tools.fleet, max_loss={})
    await queued(when_clean=False)
    claim = await tools.queue.claim("w1")
    player.set_link("site1", "site2", loss=0.5)
    assert "the bound is 0.1 %" in await link_trouble(tools, claim)
