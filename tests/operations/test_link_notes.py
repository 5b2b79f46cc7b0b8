"""What is kept of a link, and the estimates that rest on it: a real history in a real Valkey."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.jobs.port import Job, NewJob, Step
from bot.jobs.queue import RedisQueue
from bot.links.history import RedisLinkHistory
from bot.migration.machine import Phase
from bot.migration.measured import LinkSample, PathMeasurement, Pings, SampleKind, When
from bot.migration.request import JobId
from bot.operations.link_chart import chart_of
from bot.operations.link_notes import copy_sample, note_copy, note_measured
from bot.operations.outlook import outlook_of, usual_rate
from bot.operations.record import Copied, with_copied, with_plan, with_request
from bot.operations.tools import Fleet
from bot.store.client import Store, connect
from tests.migration.conftest import REQUEST, SITE, plan_of

LINK = "site1~site2"
EVER = datetime(2000, 1, 1, tzinfo=UTC)
PLAN = plan_of()


@dataclass
class Tools:
    """As much of a worker's tools as is needed here."""

    queue: RedisQueue
    links: RedisLinkHistory | None
    fleet: Fleet


@pytest.fixture
async def store(valkey_url: str) -> AsyncIterator[Store]:
    async with connect(valkey_url) as store:
        yield store


@pytest.fixture
def tools(store: Store) -> Tools:
    sites = {name: replace(SITE.spec, name=name) for name in ("site1", "site2", "site3")}
    return Tools(RedisQueue(store, slots={LINK: 2}), RedisLinkHistory(store), Fleet({}, sites))


@pytest.fixture
async def no_redis(tools: Tools, tmp_path) -> AsyncIterator[Tools]:
    async with connect(f"unix://{tmp_path}/nobody.sock") as away:
        yield replace(tools, queue=RedisQueue(away, slots={}), links=RedisLinkHistory(away))


def looked(**changes) -> PathMeasurement:
    small = Pings(sent=200, received=188, size=64, whole=False, rtt_avg=timedelta(milliseconds=80))
    fields = {"at": datetime.now(UTC), "when": When.BEFORE, "link": LINK, "path": None, "small": small}
    return PathMeasurement(**{**fields, "source_host": "esx-11", "target_host": "esx-21", **changes})


def copied_job(*steps: tuple[Phase, float, str], rate: float | None = 7e6, now: datetime | None = None) -> Job:
    """A job with its steps: state, minutes ago, who."""
    at = now or datetime.now(UTC)
    return Job(
        id=JobId("abcdefgh"),
        kind="migrate",
        state=Phase.VERIFYING,
        vm_key="east:1",
        lane=LINK,
        requester="U1",
        channel="C1",
        fence=1,
        owner="w1",
        attempt=1,
        created=at,
        updated=at,
        cancel_by="",
        data={**with_request(REQUEST), **with_plan(PLAN), **with_copied(Copied(100, rate, 0, 0))},
        steps=[Step(state, at - timedelta(minutes=ago), by, "") for state, ago, by in steps],
    )


async def test_a_look_at_the_path_is_a_sample_of_its_link(tools):
    look = looked()
    await note_measured(tools, look)
    await note_measured(tools, look)
    (sample,) = await tools.links.samples(LINK, since=EVER)
    assert sample == LinkSample(
        look.at, LINK, SampleKind.PROBE, "esx-11", "esx-21", sent=200, lost=12, rtt=timedelta(milliseconds=80)
    )


@pytest.mark.parametrize("look", [looked(small=None), looked(link=""), looked(small=Pings(0, 0, 64, whole=False))])
async def test_a_look_that_tells_nothing_of_the_link_is_not_kept(tools, look):
    await note_measured(tools, look)
    assert await tools.links.samples(LINK, since=EVER) == []
    assert await tools.links.samples("", since=EVER) == []


def test_the_rate_of_a_copy_is_its_mean_if_one_worker_saw_all_of_it():
    began = (Phase.INTENT, 11, "w1"), (Phase.ATTACHED, 10, "w1")
    whole = copied_job(*began, (Phase.VERIFYING, 0, "w1"))
    assert copy_sample(whole).rate == pytest.approx(PLAN.size / 600)
    # An earlier attempt came to nothing; the copy is the one of the last call.
    again = copied_job((Phase.INTENT, 99, "w1"), (Phase.ATTACHED, 98, "w1"), *began, (Phase.VERIFYING, 0, "w1"))
    assert copy_sample(again).rate == pytest.approx(PLAN.size / 600)
    # Nobody knows when it ended while the first worker was dead, and a short one is beginning and end.
    assert copy_sample(copied_job(*began, (Phase.VERIFYING, 0, "w2"))).rate == 7e6
    assert copy_sample(copied_job((Phase.ATTACHED, 0.5, "w1"), (Phase.VERIFYING, 0, "w1"))).rate == 7e6
    assert copy_sample(copied_job((Phase.VERIFYING, 0, "w1"), rate=None)).rate is None


def test_a_canary_is_kept_as_one_with_the_rate_of_its_seconds():
    canary = with_plan(replace(PLAN, request=replace(REQUEST, canary=True)))
    seconds = [(Phase.ATTACHED, 0.5, "w1"), (Phase.VERIFYING, 0.0, "w1")]
    job = copied_job(*seconds, rate=None)
    assert copy_sample(job).rate is None  # of a copy that is too short
    sample = copy_sample(replace(job, data={**job.data, **canary}))
    assert (sample.kind, sample.rate) == (SampleKind.CANARY, pytest.approx(PLAN.size / 30))


def test_a_copy_of_which_nothing_is_known_is_no_sample():
    job = copied_job((Phase.VERIFYING, 0, "w1"))
    local = {**job.data, **with_plan(replace(PLAN, link=""))}
    assert copy_sample(replace(job, data=local)) is None
    assert copy_sample(replace(job, data={**job.data, "plan": ""})) is None
    assert copy_sample(replace(job, steps=[])) is None


async def test_plans_and_cards_rest_on_the_usual_rate(tools):
    assert await usual_rate(tools, LINK) is None
    assert (await outlook_of(tools, REQUEST)).rates == {}
    now = datetime.now(UTC)
    for minutes, rate in enumerate([5e6, 7e6, 9e6]):
        job = copied_job((Phase.VERIFYING, 0, "w1"), rate=rate, now=now - timedelta(minutes=minutes))
        await note_copy(tools, job)
        await note_copy(tools, job)
    assert len(await tools.links.samples(LINK, since=EVER)) == 3
    assert await usual_rate(tools, LINK) == 7e6
    assert (await outlook_of(tools, REQUEST)).rates == {LINK: 7e6}
    assert (await outlook_of(tools, replace(REQUEST, site="site3"))).rates == {}


async def test_a_link_without_history_has_the_rate_of_its_last_copy(tools):
    fields = with_copied(Copied(50, 3e6, 60, 0))
    new = NewJob(kind="migrate", vm_key="east:1", requester="U1", channel="C1", data=fields, lane=LINK)
    await tools.queue.draft(new)
    for known in (tools, replace(tools, links=None)):
        assert await usual_rate(known, LINK) == 3e6
        assert (await outlook_of(known, REQUEST)).rates == {LINK: 3e6}


async def test_no_migration_stumbles_over_what_cannot_be_noted(no_redis, tools):
    await note_measured(no_redis, looked())
    job = copied_job((Phase.VERIFYING, 0, "w1"))
    await note_copy(no_redis, job)
    await note_copy(tools, replace(job, data={**job.data, "plan": "of another version"}))
    await note_copy(replace(tools, links=None), job)
    assert await usual_rate(no_redis, LINK) is None


async def test_a_link_of_which_something_is_known_has_a_picture(tools, no_redis):
    day = datetime.now(UTC) - timedelta(days=1)
    assert await chart_of(tools, LINK, day) is None
    await note_measured(tools, looked())
    assert (await chart_of(tools, LINK, day)).startswith(b"\x89PNG")
    assert await chart_of(tools, "site1~site3", day) is None
    assert await chart_of(no_redis, LINK, day) is None
    assert await chart_of(replace(tools, links=None), LINK, day) is None
