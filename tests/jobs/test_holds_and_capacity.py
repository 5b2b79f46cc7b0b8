"""What keeps an approved job waiting: full hosts and datastores, holds, a time that has not come, others' turns."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.jobs import ledger
from bot.jobs.port import PASSES_HOLDS, ApproveOutcome, CancelOutcome
from bot.jobs.queue import RedisQueue
from bot.migration.capacity import EVERYTHING, datastore, host, pair
from bot.migration.machine import Phase
from bot.store import keys

LINK = "site1~site2"
BUSY, FREE, STORE = host("east", "esx-1"), host("east", "esx-2"), datastore("east", "ds-1")


@pytest.fixture
def queue(store):
    return RedisQueue(store, slots={"wide": 50, "host:": 1, "datastore:": 2})


@pytest.fixture
def queued(queue, new):
    """Approved jobs, planned all before the first is approved."""

    async def make(*orders, **approval):
        jobs = []
        for order in orders:
            needs = json.dumps(sorted(order.pop("needs", ())))
            link = order.pop("link", "wide")
            drafted = await queue.draft(new(**order))
            claim = await queue.claim("w0")
            assert claim.job.id == drafted.id
            data = {"fingerprint": "f1", "link": link, "needs": needs}
            jobs.append(await claim.move(Phase.PLANNED, why="planned", data=data))
        for job in jobs:
            assert await queue.approve(job.id, fingerprint="f1", by="U2", **approval) is ApproveOutcome.QUEUED
        return [job.id for job in jobs]

    return make


async def names(queue, most=50, worker="w1"):
    return [claim.job.data["vm"] for claim in await queue.claim_several(worker, most)]


async def test_a_busy_host_keeps_its_own_jobs_waiting_and_nobody_else(queue, queued):
    await queued({"vm": "a", "needs": [BUSY]}, {"vm": "b", "needs": [BUSY]}, {"vm": "c", "needs": [FREE]})
    assert await names(queue) == ["a", "c"]


async def test_every_need_has_to_be_free(queue, queued, store):
    ids = await queued(*({"vm": vm, "needs": [STORE]} for vm in "abc"))
    first, _ = await queue.claim_several("w1", 50)
    assert await store.smembers(keys.slot(STORE)) == set(ids[:2])
    await first.move(Phase.FAILED, why="over")
    assert await names(queue) == ["c"]


async def test_what_is_put_off_gives_back_all_that_it_held(queue, queued, store):
    await queued({"vm": "a", "needs": [BUSY, STORE]}, {"vm": "b", "needs": [BUSY]})
    (claim,) = await queue.claim_several("w1", 50)
    await claim.later(timedelta(hours=1), why="its window is closed")
    assert await store.scard(keys.slot(STORE)) == 0
    assert await names(queue) == ["b"]


async def test_a_pair_of_hosts_has_no_limit_and_can_be_held(queue, queued):
    both = pair("esx-1", "esx-9")
    await queued({"vm": "a", "needs": [both]}, {"vm": "b", "needs": [both]}, {"vm": "c", "needs": [FREE]})
    hold = await queue.hold(both, by="U1", why="one of them loses packets")
    assert await names(queue) == ["c"]
    await queue.release(hold.id, by="U1", why="mended")
    assert await names(queue) == ["a", "b"]


async def test_a_hold_keeps_what_is_queued_and_lets_go_on_what_has_started(queue, queued, skew_clock):
    await queued({"vm": "a"}, {"vm": "b"})
    running = await queue.claim("w1")
    await running.move(Phase.INTENT, why="about to call", attempt=1)
    hold = await queue.hold("wide", by="coldmigrate", why="packet loss", job=running.job.id, channel="C1")
    assert await names(queue) == []
    await running.move(Phase.ATTACHED, why="runs")
    skew_clock(timedelta(minutes=1))
    assert await names(queue) == ["a"]  # taken over, because its worker has not renewed its lease
    assert [job.data["vm"] for job in await queue.waiting("wide")] == ["b"]
    assert await queue.holds() == [hold]
    assert (hold.resource, hold.by, hold.job, hold.channel) == ("wide", "coldmigrate", running.job.id, "C1")


async def test_a_second_hold_of_the_same_is_the_first(queue):
    first = await queue.hold("wide", by="U1", why="loss")
    assert await queue.hold("wide", by="U2", why="loss again") == first
    assert (await queue.release(first.id, by="U2", why="")).resource == "wide"
    assert await queue.release(first.id, by="U2", why="") is None
    assert await queue.holds() == []


async def test_checks_go_on_while_everything_is_held(queue, new, queued):
    await queued({"vm": "a"})
    await queue.hold(EVERYTHING, by="U1", why="upgrade")
    await queue.draft(new("b"))
    assert await names(queue) == ["b"]


async def test_held_between_claim_and_intent_it_is_not_started(queue, queued, store):
    await queued({"vm": "a", "needs": [BUSY]})
    claim = await queue.claim("w1")
    hold = await queue.hold("wide", by="U1", why="loss")
    assert (await claim.move(Phase.INTENT, why="about to call", attempt=1)).state is Phase.QUEUED
    assert claim.closed
    assert await store.scard(keys.slot(BUSY)) == 0
    await queue.release(hold.id, by="U1", why="mended")
    again = await queue.claim("w2")
    assert (await again.move(Phase.INTENT, why="about to call", attempt=1)).state is Phase.INTENT


async def test_a_worker_that_died_before_the_start_leaves_a_held_job_waiting(queue, queued, skew_clock):
    (job,) = await queued({"vm": "a"})
    await queue.claim("w1")
    await queue.hold("wide", by="U1", why="loss")
    skew_clock(timedelta(minutes=1))
    assert await names(queue) == []
    assert [waiting.id for waiting in await queue.waiting(EVERYTHING)] == [job]
    assert await queue.cancel(job, by="U1") is CancelOutcome.CANCELLED


async def test_asked_to_cancel_and_then_held_it_ends(queue, queued, skew_clock):
    (job,) = await queued({"vm": "a"})
    await queue.claim("w1")
    assert await queue.cancel(job, by="U1") is CancelOutcome.REQUESTED
    await queue.hold("wide", by="U1", why="loss")
    skew_clock(timedelta(minutes=1))
    assert await names(queue) == []
    assert (await queue.get(job)).state is Phase.CANCELLED


async def test_not_before_its_time(queue, queued, skew_clock):
    at = await queue.now() + timedelta(hours=3)
    await queued({"vm": "a"}, not_before=at)
    assert await names(queue) == []
    skew_clock(timedelta(hours=3, seconds=1))
    assert await names(queue) == ["a"]


async def test_requesters_take_turns(queue, queued):
    bulk = [{"vm": f"bulk{n}", "requester": "U1"} for n in range(4)]
    await queued(*bulk, {"vm": "single", "requester": "U2"}, {"vm": "second", "requester": "U2"})
    order = [(await names(queue, most=1))[0] for _ in range(6)]
    assert order == ["bulk0", "single", "bulk1", "second", "bulk2", "bulk3"]


async def test_what_is_due_at_one_moment_goes_in_turns(queue, queued, skew_clock):
    at = await queue.now() + timedelta(hours=1)
    bulk = [{"vm": f"bulk{n}", "requester": "U1"} for n in range(3)]
    await queued(*bulk, {"vm": "single", "requester": "U2"}, not_before=at)
    skew_clock(timedelta(hours=1, seconds=1))
    assert "single" in await names(queue, most=2)


async def test_whoever_comes_later_joins_the_round_that_is_served(queue, queued):
    await queued(*({"vm": f"bulk{n}", "requester": "U1"} for n in range(5)))
    assert await names(queue, most=3) == ["bulk0", "bulk1", "bulk2"]
    await queued({"vm": "late", "requester": "U2"})
    assert await names(queue) == ["late", "bulk3", "bulk4"]


async def test_urgent_goes_before_any_turn(queue, queued):
    await queued({"vm": "a"}, {"vm": "b", "priority": 0, "requester": "U2"})
    assert await names(queue) == ["b", "a"]


async def test_what_redis_forgot_is_taken_up_where_it_was(queue, new, store):
    data = {"vm": "a", "link": "wide", "needs": json.dumps([BUSY])}
    order = new("a", data=data)
    assert await queue.adopt("aaaaaaaa", order, state=Phase.UNKNOWN, attempt=2, why="found on the VM")
    assert not await queue.adopt("aaaaaaaa", order, state=Phase.UNKNOWN, attempt=2, why="found on the VM")
    assert (await queue.draft(new("a"))).id == "aaaaaaaa"
    assert await store.smembers(keys.slot(BUSY)) == {"aaaaaaaa"}
    claim = await queue.claim("w1")
    assert (claim.job.state, claim.job.attempt, claim.taken_over) == (Phase.UNKNOWN, 2, True)
    await claim.move(Phase.DONE, why="at its target")
    assert await store.scard(keys.slot(BUSY)) == 0


async def test_what_runs_goes_before_what_somebody_asked_for_meanwhile(queue, new):
    drafted = await queue.draft(new("a"))
    assert await queue.adopt("aaaaaaaa", new("a"), state=Phase.UNKNOWN, attempt=1, why="found on the VM")
    assert (await queue.get(drafted.id)).state is Phase.CANCELLED
    assert (await queue.draft(new("a"))).id == "aaaaaaaa"


async def test_and_before_what_a_worker_is_about_to_start(queue, queued, new):
    await queued({"vm": "a"})
    claim = await queue.claim("w1")
    assert await queue.adopt("aaaaaaaa", new("a"), state=Phase.UNKNOWN, attempt=1, why="found on the VM")
    assert (await claim.move(Phase.INTENT, why="about to call", attempt=1)).state is Phase.CANCELLED
    assert (await queue.draft(new("a"))).id == "aaaaaaaa"


async def test_a_vm_whose_job_has_started_is_not_adopted(queue, queued, new):
    await queued({"vm": "a"})
    await (await queue.claim("w1")).move(Phase.INTENT, why="about to call", attempt=1)
    assert not await queue.adopt("aaaaaaaa", new("a"), state=Phase.UNKNOWN, attempt=1, why="found on the VM")


async def test_a_chore_is_done_by_one_and_only_so_often(queue, skew_clock):
    every = timedelta(minutes=5)
    assert [await queue.chore("tidy", worker=worker, every=every) for worker in ("w1", "w2")] == [True, False]
    skew_clock(timedelta(minutes=5))
    assert [await queue.chore("tidy", worker=worker, every=every) for worker in ("w2", "w1")] == [True, False]


async def test_acts_of_people_and_ends_are_on_record(queue, queued):
    (job,) = await queued({"vm": "a"})
    await queue.cancel(job, by="U3")
    hold = await queue.hold("wide", by="U4", why="loss")
    await queue.release(hold.id, by="U5", why="mended")
    await queue.note_act(by="U6", verb="refused", on=job, why="may not")
    acts = await queue.acts()
    assert [(act.verb, act.by, act.on) for act in acts] == [
        ("draft", "U1", job),
        ("approve", "U2", job),
        ("cancelled", "U3", job),
        ("hold", "U4", "wide"),
        ("release", "U5", "wide"),
        ("refused", "U6", job),
    ]
    assert [act.verb for act in await queue.acts(since=acts[3].id)] == ["release", "refused"]


async def test_live_jobs_are_counted_by_state(queue, queued, new):
    await queued({"vm": "a"}, {"vm": "b"})
    await queue.draft(new("c"))
    assert await queue.counts() == {"queued": 2, "drafted": 1}


async def test_one_request_keeps_all_leases(queue, new, store, eventually):
    quick = RedisQueue(store, lease=timedelta(seconds=3))
    for vm in "abc":
        await queue.draft(new(vm))
    claims = await quick.claim_several("w1", 3)
    before = await store.zrange(keys.LEASE, 0, -1, withscores=True)
    for claim in claims:
        await claim.__aenter__()

    async def renewed():
        after = dict(await store.zrange(keys.LEASE, 0, -1, withscores=True))
        return all(after[job] > score for job, score in before)

    await eventually(renewed)
    for claim in claims:
        await claim.__aexit__(None, None, None)


async def test_many_of_a_held_pair_do_not_keep_the_rest_of_their_lane_waiting(queue, queued):
    both = pair("esx-1", "esx-9")
    await queue.hold(both, by="U1", why="one of them loses packets")
    await queued(*({"vm": f"held{n}", "needs": [both]} for n in range(40)), {"vm": "free", "needs": [FREE]})
    assert await names(queue) == ["free"]


async def test_many_of_a_busy_host_do_not_keep_the_rest_of_their_lane_waiting(queue, queued):
    await queued(*({"vm": f"busy{n}", "needs": [BUSY]} for n in range(40)), {"vm": "free", "needs": [FREE]})
    assert await names(queue) == ["busy0", "free"]


async def test_behind_thousands_that_wait_for_the_same_somebody_is_found_after_a_few_looks(queue, queued, store):
    await queued({"vm": "free", "needs": [FREE]})
    lane = keys.ready("wide")
    (free,) = await store.zrange(lane, 0, 0)
    await store.zadd(lane, {free: 3_000})
    pipeline = store.pipeline(transaction=False)
    for number in range(2_500):
        pipeline.hset(keys.job(f"held{number}"), mapping={"state": "queued", "needs": json.dumps([BUSY])})
        pipeline.zadd(lane, {f"held{number}": number})
    await pipeline.execute()
    await queue.hold(BUSY, by="U1", why="its card is broken")
    looks = [await names(queue) for _ in range(3)]
    assert looks == [[], [], ["free"]]


@pytest.mark.parametrize("before", [Phase.INTENT, Phase.UNKNOWN])
async def test_held_since_its_first_call_came_to_nothing_it_is_not_started_again(queue, queued, store, before):
    await queued({"vm": "a", "needs": [BUSY]})
    claim = await queue.claim("w1")
    await claim.move(Phase.INTENT, why="about to call", attempt=1)
    if before is Phase.UNKNOWN:
        await claim.move(Phase.UNKNOWN, why="the reply was lost")
    hold = await queue.hold("wide", by="coldmigrate", why="packet loss")
    assert (await claim.move(Phase.INTENT, why="certain that it had not started", attempt=2)).state is Phase.QUEUED
    assert claim.closed
    assert await store.scard(keys.slot(BUSY)) == 0
    assert await names(queue) == []
    await queue.release(hold.id, by="U1", why="mended")
    again = await queue.claim("w2")
    assert (await again.move(Phase.INTENT, why="about to call", attempt=2)).state is Phase.INTENT


async def test_a_clock_that_was_set_back_keeps_nobody_from_a_chore(queue, skew_clock):
    """Of a failover to a machine whose clock is behind: what is done every few minutes is not left for hours."""
    every = timedelta(minutes=5)
    skew_clock(timedelta(hours=1))
    assert await queue.chore("reconcile", worker="w1", every=every)
    skew_clock(timedelta(0))
    assert await queue.chore("reconcile", worker="w1", every=every)
    assert not await queue.chore("reconcile", worker="w2", every=every)


async def test_whoever_released_it_and_asks_again_because_the_answer_was_lost_is_told_so(queue, store):
    hold = await queue.hold("wide", by="U1", why="loss")
    first, second = [await ledger.RELEASE(store, "request", hold.id, "U2", "mended") for _ in range(2)]
    assert ledger.to_hold(ledger.pairs(second)) == ledger.to_hold(ledger.pairs(first))
    assert await queue.release(hold.id, by="U3", why="mended") is None
    assert [act.verb for act in await queue.acts()] == ["hold", "release"]


async def test_what_tries_a_path_passes_its_holds_and_no_other(queue, queued, store):
    """The link, then its two hosts; a host by itself and everything keep it waiting."""
    both = pair("esx-1", "esx-9")
    holds = [await queue.hold(what, by="U1", why="loss") for what in ("wide", both, BUSY, EVERYTHING)]
    await queued({"vm": "a", "needs": [both, BUSY]}, {"vm": "b", "needs": [both, FREE]})
    (canary,) = await queued({"vm": "canary", "needs": [both, BUSY]}, data={PASSES_HOLDS: "yes"})
    for hold in holds[:1:-1]:  # first everything, then the host
        assert await names(queue) == []
        assert [job.id for job in await queue.waiting(hold.resource)][-1] == canary
        await queue.release(hold.id, by="U1", why="mended")
    assert [job.data["vm"] for job in await queue.waiting("wide")] == ["a", "b"]
    (claim,) = await queue.claim_several("w1", 50)
    assert claim.job.data["vm"] == "canary"
    assert await store.sismember(keys.slot("wide"), canary)
    assert (await claim.move(Phase.INTENT, why="about to call", attempt=1)).state is Phase.INTENT


async def test_what_tries_a_path_is_put_back_when_all_is_held_after_its_claim(queue, queued):
    await queued({"vm": "canary"}, data={PASSES_HOLDS: "yes"})
    claim = await queue.claim("w1")
    await queue.hold("wide", by="U1", why="loss")
    await queue.hold(EVERYTHING, by="U1", why="upgrade")
    assert (await claim.move(Phase.INTENT, why="about to call", attempt=1)).state is Phase.QUEUED
