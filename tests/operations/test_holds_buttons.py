"""The buttons of a hold's card on a real queue: what waits is cancelled, or planned anew with other hosts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from bot.errors import RefusedError, UserError
from bot.jobs.port import Claim, NewJob
from bot.jobs.queue import RedisQueue
from bot.migration.capacity import EVERYTHING, pair
from bot.migration.machine import Phase
from bot.migration.request import SiteName
from bot.operations.batch_decide import approve_batch, retry_batch
from bot.operations.batch_record import (
    BATCH,
    Batch,
    Part,
    batch_of,
    read_rows,
    startable,
    with_batch,
    with_parts,
    with_plans,
)
from bot.operations.batch_show import show_batch
from bot.operations.counter import Counter
from bot.operations.holds_other_host import other_host
from bot.operations.holds_verbs import cancel_waiting, release_link
from bot.operations.port import Person
from bot.operations.record import MIGRATE, request_of, starts, with_plan, with_request, with_start
from bot.operations.rights import Grant, Rights, Verb
from bot.slack.outbox import RedisOutbox
from bot.store.client import connect
from tests.migration.conftest import NOW, REQUEST, VM, plan_of
from tests.operations.counter_stage import counter_for

MANY = 30
ADMIN = Person(user_id="U1", channel="C1")


class Everywhere:
    """A workspace of one channel."""

    async def require_member(self, channel):
        """It is."""

    async def require_person(self, channel, user_id):
        """They are."""

    async def members(self, group):
        return frozenset()


class Drawing(RedisOutbox):
    """An outbox that knows how many tables were drawn."""

    tables = 0

    async def show_table(self, card):
        self.tables += 1
        await super().show_table(card)


async def _batch(queue: RedisQueue, *, approved: bool = True, force: bool = False) -> Claim:
    """A claimed batch whose parts are all planned; if they are approved, they wait for their link."""
    vms = [replace(VM.ref, uuid=f"u{n}", name=f"web{n:02}") for n in range(MANY)]
    asked = [replace(REQUEST, vm=vm, force=force) for vm in vms]
    new = NewJob(
        kind=BATCH, vm_key="", requester="U2", channel="C1", data=with_batch(Batch("all", tuple(asked))), lane=BATCH
    )
    batch = (await queue.draft(new)).id
    whole = await queue.claim("w")
    for one in asked:
        data = with_request(replace(one, batch=batch))
        await queue.draft(NewJob(kind=MIGRATE, vm_key=one.vm.key, requester="U2", channel="C1", data=data))
    plans = {}
    while (claim := await queue.claim("w")) is not None:
        request = request_of(claim.job)
        plan = plan_of(request=request, vm=replace(VM, ref=request.vm))
        await claim.move(Phase.CHECKING, why="-")
        await claim.move(Phase.PLANNED, why="-", data=with_plan(plan))
        plans[claim.job.id] = plan.fingerprint
    await whole.move(Phase.CHECKING, why="-", data=with_parts(Part(job, own=True) for job in plans))
    for job, fingerprint in plans.items() if approved else ():
        await queue.approve(job, fingerprint=fingerprint, by="U3")
    return whole


def _counter(queue: RedisQueue, outbox: RedisOutbox) -> Counter:
    workspace = Everywhere()
    rights = Rights([Grant(("user:U1",), frozenset(Verb))], workspace)
    return Counter(queue, outbox, None, rights, workspace, {}, {}, None)


async def test_the_card_of_their_batch_is_drawn_once_and_not_for_each(valkey_url):
    async with connect(valkey_url) as store:
        queue, outbox = RedisQueue(store), Drawing(store)
        hold = await queue.hold("site1~site2", by="U1", why="-")
        await _batch(queue)
        assert len(await queue.waiting(hold.resource)) == MANY
        said = await cancel_waiting(_counter(queue, outbox), ADMIN, hold.id)
        assert "web19 and 10 more." in said.text
        assert await queue.waiting(hold.resource) == []
        assert outbox.tables == 1


async def _round_trips(store) -> int:
    return int((await store.info("stats"))["total_reads_processed"])


async def test_what_people_decide_about_many_costs_no_round_trip_for_each(valkey_url):
    async with connect(valkey_url) as store:
        queue, outbox = RedisQueue(store), RedisOutbox(store)
        hold = await queue.hold("site1~site2", by="U1", why="-")
        whole = await _batch(queue)
        before = await _round_trips(store)
        await show_batch(queue, outbox, whole.job.id)
        assert await _round_trips(store) - before < MANY
        before = await _round_trips(store)
        await cancel_waiting(_counter(queue, outbox), ADMIN, hold.id)
        assert await _round_trips(store) - before < 3 * MANY


async def test_other_host_avoids_the_target_of_each_whichever_way_it_goes_and_keeps_its_start(valkey_url):
    later = replace(REQUEST, not_before=NOW + timedelta(days=3))
    there = plan_of(request=later)
    back = replace(
        there,
        source=replace(there.source, host=there.target.host, site=SiteName("site2")),
        target=replace(there.target, host=there.source.host, site=SiteName("site1")),
    )
    async with connect(valkey_url) as store:
        queue = RedisQueue(store)
        for name, plan in (("dead", there), ("web01", there), ("web02", back)):
            request = replace(later, vm=replace(VM.ref, uuid=name, name=name))
            data = {**with_request(request), **with_start("Thu")}
            new = NewJob(kind=MIGRATE, vm_key=request.vm.key, requester="U2", channel="C1", data=data)
            drafted = await queue.draft(new)
            claim = await queue.claim("w")
            await claim.move(Phase.CHECKING, why="-")
            await claim.move(Phase.PLANNED, why="-", data=with_plan(replace(plan, request=request)))
            if name == "dead":
                hold = await queue.hold("site1~site2", by="coldmigrate", why="-", job=drafted.id, channel="C1")
            else:
                await queue.approve(drafted.id, fingerprint=replace(plan, request=request).fingerprint, by="U3")
        said = await other_host(_counter(queue, RedisOutbox(store)), ADMIN, hold.id)
        assert "2 planned anew" in said.text
        anew = [job for job in await queue.recent() if job.state is Phase.DRAFTED]
        assert {request_of(job).vm.name: request_of(job).avoid for job in anew} == {
            "web01": (there.target.host,),
            "web02": (there.source.host,),
        }
        assert [starts(job) for job in anew] == ["Thu", "Thu"]


async def test_a_retry_that_is_delivered_again_is_the_same_and_another_one_is_refused(valkey_url):
    async with connect(valkey_url) as store:
        queue = RedisQueue(store)
        counter = _counter(queue, RedisOutbox(store))
        whole = await _batch(queue)
        for part in await queue.recent(limit=100, live_only=True):
            if part.kind == MIGRATE:
                await queue.cancel(part.id, by="U2")
        await whole.move(Phase.CANCELLED, why="-")
        job = whole.job
        first = await retry_batch(counter, ADMIN, "C1", job, dedupe="d1")
        again = await retry_batch(counter, ADMIN, "C1", job, dedupe="d1")
        assert first.text == again.text
        with pytest.raises(UserError, match="is tried again already: web00 has a place in batch"):
            await retry_batch(counter, ADMIN, "C1", job, dedupe="d2")
        assert [found.kind for found in await queue.recent(limit=100, live_only=True)] == [BATCH]


async def test_what_was_forced_is_tried_again_by_somebody_who_may_not_force_and_then_it_is_not(valkey_url):
    async with connect(valkey_url) as store:
        whole = await _batch(RedisQueue(store), force=True)
        counter = counter_for(store, Verb.RETRY)
        for part in await counter.queue.recent(limit=100, live_only=True):
            if part.kind == MIGRATE:
                await counter.queue.cancel(part.id, by="U2")
        await whole.move(Phase.CANCELLED, why="-")
        await retry_batch(counter, ADMIN, "C1", whole.job, dedupe="d1")
        (fresh,) = await counter.queue.recent(limit=100, live_only=True)
        assert not any(request.force for request in batch_of(fresh).requests)


async def test_of_several_holds_of_a_link_what_was_released_is_told_beside_what_was_not(valkey_url):
    async with connect(valkey_url) as store:
        queue = RedisQueue(store)
        await queue.hold("site1~site2", by="U9", why="-", channel="C1")
        dead = await _failed(queue, "site3")
        await queue.hold(pair("esx-01.site1", "esx-02.site2"), by="U9", why="-", job=dead, channel="C1")
        workspace = Everywhere()
        grant = Grant(("user:U1",), frozenset(Verb), frozenset({"site1", "site2"}))
        sites = {SiteName(name): SimpleNamespace(name=name) for name in ("site1", "site2")}
        counter = replace(_counter(queue, RedisOutbox(store)), rights=Rights([grant], workspace), sites=sites)
        said = await release_link(counter, ADMIN, ("site1", "site2"))
        assert said.text.startswith("Released: the link site1~site2.")
        assert len(said.lines) == 1
        assert said.lines[0].startswith("Not released: the hosts esx-01.site1 and esx-02.site2. You (U1) may not")
        with pytest.raises(RefusedError):
            await release_link(counter, ADMIN, ("site1", "site2"))


async def _failed(queue: RedisQueue, site: str) -> str:
    """A job that failed across the link, on its way to a site of somebody else."""
    request = replace(REQUEST, site=SiteName(site))
    new = NewJob(kind=MIGRATE, vm_key="dead", requester="U2", channel="C1", data=with_request(request))
    dead = (await queue.draft(new)).id
    claim = await queue.claim("w")
    plan = plan_of()
    await claim.move(Phase.CHECKING, why="-")
    await claim.move(Phase.PLANNED, why="-", data=with_plan(plan))
    await queue.approve(dead, fingerprint=plan.fingerprint, by="U3")
    await queue.cancel(dead, by="U3")
    return dead


@pytest.mark.parametrize(
    ("resource", "waits"),
    [
        ("site1~site2", "It waits: The link site1~site2 is held since "),
        (EVERYTHING, "It waits: Everything is held since "),
        ("site1~site3", ""),
    ],
)
async def test_who_approves_a_batch_behind_a_hold_is_told_so_at_once(valkey_url, resource, waits):
    async with connect(valkey_url) as store:
        queue = RedisQueue(store)
        whole = await _batch(queue, approved=False)
        await whole.move(Phase.PLANNED, why="-", data=with_plans(startable(await read_rows(queue, whole.job))))
        await queue.hold(resource, by="U9", why="work", channel="C1")
        job = await queue.get(whole.job.id)
        counter = replace(_counter(queue, RedisOutbox(store)), sites={REQUEST.site: SimpleNamespace(name=REQUEST.site)})
        said = await approve_batch(counter, ADMIN, job, job.data["fingerprint"], stop=False)
        assert said.text.startswith(f"Approved: batch {job.id} is queued. If one fails, the others go on.")
        assert said.text.partition("go on. ")[2].startswith(waits)
        assert bool(waits) is ("waits" in said.text)
