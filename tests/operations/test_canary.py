"""Who may send a canary, what it is told, and what becomes of its plan: a real queue, without a vCenter."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from bot.errors import RefusedError, UserError
from bot.jobs.port import Job, NewJob
from bot.jobs.queue import RedisQueue
from bot.migration.machine import Phase
from bot.migration.plan import Concern, Severity
from bot.migration.request import SiteName, VCenterName, VmRef
from bot.operations.canary import send_canary
from bot.operations.canary_check import MOST, approve_canary, unfit
from bot.operations.lifting import with_strictness
from bot.operations.record import MIGRATE, request_of, with_plan, with_request
from bot.operations.report import help_for
from bot.operations.retry import retry
from bot.operations.rights import Verb
from bot.operations.tools import Allow
from bot.store.client import connect
from bot.vsphere.port import InventoryVm
from tests.migration.conftest import REQUEST, SITE, plan_of
from tests.operations.counter_stage import ALICE, audited, counter_for, planned

LINK, ENDS = "site1~site2", ("site1", "site2")
CANARY = plan_of(request=replace(REQUEST, canary=True))


class OneVm:
    """An inventory of just the canary, in a datacenter."""

    def __init__(self, datacenter: str) -> None:
        ref = VmRef(VCenterName("east"), "uuid-canary", "canary01")
        self.vm = InventoryVm(ref, f"/{datacenter}/vm/canary01", "esx-9", datacenter, "poweredOff")

    async def find(self, query):
        return [self.vm] if query == "canary01" else []


@dataclass
class Tools:
    """As much of a worker as approves a canary."""

    queue: RedisQueue
    allow: Allow


@pytest.fixture
async def store(valkey_url):
    async with connect(valkey_url) as store:
        yield store


@pytest.fixture
def counter(store):
    def make(*may, at="DC1", sites=("*",), **more):
        places = {
            SiteName(name): replace(SITE.spec, name=SiteName(name), datacenter=datacenter)
            for name, datacenter in (("site1", "DC1"), ("site2", "DC2"))
        }
        told = {"allow": Allow(canary=True), "canaries": {LINK: "canary01"}, **more}
        return replace(counter_for(store, *may, sites=sites, **told), sites=places, inventory=OneVm(at))

    return make


async def sent(counter, **more):
    return await send_canary(counter, ALICE, "C1", ENDS, dedupe="d1", **more)


@pytest.mark.parametrize(("at", "target"), [("DC1", "site2"), ("DC2", "site1")])
async def test_it_goes_to_the_other_end_whichever_is_named_first(counter, at, target):
    stage = counter(Verb.MIGRATE, at=at)
    answer = await sent(stage, host="esx-2")
    assert f"Checking canary01 for {target}" in answer.text
    assert "canary01 is on esx-9" in answer.lines[0]
    (job,) = await stage.queue.recent()
    request = request_of(job)
    assert (request.site, request.host, request.canary, job.state) == (target, "esx-2", True, Phase.DRAFTED)
    assert (await sent(stage)).text  # the same delivery once more
    assert len(await stage.queue.recent()) == 1


@pytest.mark.parametrize("site", ENDS)
async def test_it_takes_the_right_to_migrate_at_both_ends(counter, site):
    with pytest.raises(RefusedError, match="gives you 'migrate'"):
        await sent(counter(Verb.MIGRATE, sites=(site,)))


async def test_it_takes_the_config_too(counter):
    with pytest.raises(RefusedError) as told:
        await sent(counter(Verb.MIGRATE, allow=Allow()))
    assert "canary = true in [allow]" in str(told.value.lifted_by)
    with pytest.raises(UserError, match="has no canary"):
        await sent(counter(Verb.MIGRATE, canaries={}))
    with pytest.raises(UserError, match="at neither end"):
        await sent(counter(Verb.MIGRATE, at="DC3"))


async def fails(counter, **source) -> Job:
    """A copy across the link that fails."""
    plan = plan_of()
    plan = replace(plan, link=LINK, source=replace(plan.source, **source))
    job = await planned(counter, plan)
    await counter.queue.approve(job, fingerprint=plan.fingerprint, by="U2")
    claim = await counter.queue.claim("w")
    await claim.move(Phase.INTENT, why="-", attempt=1)
    return await claim.move(Phase.FAILED, why="it died")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"host": "esx-9"}, "That is the source host of"),
        ({"host": "esx-8"}, "the canary's path begins at another host"),
        ({"host": "esx-8", "site": SiteName("site2")}, "went the other way"),
    ],
)
async def test_it_says_whether_it_takes_the_path_of_the_copy_that_failed(counter, source, said):
    stage = counter(Verb.MIGRATE)
    failed = await fails(stage, **source)
    lines = (await sent(stage)).lines
    assert said in lines[1]
    assert failed.id in lines[1]


async def drafted(counter, plan) -> Job:
    """A canary that was just planned."""
    request = plan.request
    data = {**with_request(request), **with_strictness(counter.strict, request.site)}
    await counter.queue.draft(NewJob(MIGRATE, request.vm.key, ALICE.user_id, "C1", data))
    claim = await counter.queue.claim("w")
    await claim.move(Phase.CHECKING, why="-")
    return await claim.move(Phase.PLANNED, why="-", data=with_plan(plan))


async def test_the_config_approves_it_and_holds_of_its_path_let_it_pass(counter):
    stage = counter()
    await stage.queue.hold(CANARY.link, by="U1", why="loss")
    job = await drafted(stage, CANARY)
    await approve_canary(Tools(stage.queue, Allow(canary=True)), job, CANARY)
    said = ("approve", job.id, "approved, by [allow] canary of the config; asked for by U1")
    assert said in await audited(stage)
    assert await stage.queue.waiting(CANARY.link) == []
    assert (await stage.queue.claim("w")).job.id == job.id


@pytest.mark.parametrize("allowed", [True, False])
async def test_where_the_config_does_not_approve_it_a_person_may_and_it_waits_for_the_release(counter, allowed):
    warned = replace(CANARY, concerns=(Concern("path-loss", Severity.WARN, "It loses packets."),))
    stage = counter(strict=[CANARY.request.site] if allowed else [])
    job = await drafted(stage, warned)
    await approve_canary(Tools(stage.queue, Allow(canary=allowed)), job, warned)
    assert (await stage.queue.get(job.id)).state is Phase.PLANNED
    await stage.queue.hold(CANARY.link, by="U1", why="loss")
    await stage.queue.approve(job.id, fingerprint=warned.fingerprint, by="U2")
    assert await stage.queue.claim("w") is None


def test_what_is_large_or_blocked_is_no_canary():
    block = Concern("vm-powered-on", Severity.BLOCK, "It runs.")
    small = replace(CANARY, size=MOST, concerns=())
    assert unfit(small) == ""
    assert "5.5 GiB to copy, and a canary at most 5.0 GiB" in unfit(replace(small, size=MOST + 2**29))
    assert unfit(replace(small, concerns=(block,))) == "It runs. Nothing was moved."
    assert "no link" in unfit(replace(small, link=""))
    assert unfit(replace(small, request=REQUEST, size=2 * MOST)) == ""  # of others nothing is asked


async def test_a_retry_of_it_takes_what_sending_it_takes(counter):
    job = await drafted(counter(), CANARY)
    await counter().queue.cancel(job.id, by="U1")
    with pytest.raises(RefusedError):
        await retry(counter(Verb.RETRY), ALICE, "C1", job.id, dedupe="r1")
    with pytest.raises(RefusedError, match="not allowed here"):
        await retry(counter(Verb.MIGRATE, allow=Allow()), ALICE, "C1", job.id, dedupe="r1")
    assert "Checking" in (await retry(counter(Verb.MIGRATE), ALICE, "C1", job.id, dedupe="r1")).text


@pytest.mark.parametrize("allowed", [True, False])
async def test_help_names_it_where_it_is_allowed(counter, allowed):
    told = await help_for(counter(Verb.MIGRATE, allow=Allow(canary=allowed)), ALICE)
    assert any("/coldmigrate canary" in line for line in told.lines) is allowed
