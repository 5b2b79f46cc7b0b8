"""Who gets which job, and that nobody else can write to it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import timedelta

import pytest

from bot.jobs import ledger
from bot.jobs.port import LostLeaseError
from bot.jobs.queue import RedisQueue
from bot.migration.machine import STARTED, Phase
from bot.store import keys
from bot.store.client import connect

LINK = "site1~site2"
MINUTE = timedelta(minutes=1)


async def test_a_claim_is_the_draft_with_an_owner(queue, new):
    drafted = await queue.draft(new())
    claim = await queue.claim("w1")
    assert (claim.job.id, claim.job.state, claim.job.owner) == (drafted.id, Phase.DRAFTED, "w1")
    assert claim.job.fence > 0
    assert not claim.taken_over
    assert not claim.closed
    assert await queue.claim("w2") is None


async def test_a_move_writes_state_fields_and_attempt_together(queue, claimed):
    claim = await claimed(Phase.QUEUED)
    job = await claim.move(Phase.INTENT, why="about to call", data={"session": "s1"}, attempt=1)
    assert job == claim.job == await queue.get(job.id)
    assert (job.state, job.attempt, job.data["session"], job.data["vm"]) == (Phase.INTENT, 1, "s1", "web01")
    assert (job.steps[-1].by, job.steps[-1].why) == ("w1", "about to call")


async def test_a_note_adds_fields_and_no_step(queue, claimed):
    claim = await claimed(Phase.ATTACHED)
    steps = len(claim.job.steps)
    assert not await claim.note({"percent": "63"})
    assert claim.job.data["percent"] == "63"
    job = await queue.get(claim.job.id)
    assert (job.data["percent"], len(job.steps)) == ("63", steps)


async def test_planned_gives_up_lease_and_slot_but_not_the_vm(queue, planned, new, store):
    await planned()
    assert await store.zcard(keys.LEASE) == 0
    assert await store.scard(keys.slot("check")) == 0
    assert not (await queue.draft(new())).fresh
    assert await queue.claim("w1") is None


async def test_urgent_first_then_oldest(queue, new, skew_clock):
    for seconds, (vm, priority) in enumerate([("a", 5), ("b", 5), ("c", 0), ("d", 9)]):
        skew_clock(timedelta(seconds=seconds))
        await queue.draft(new(vm, priority=priority))
    assert [(await queue.claim("w1")).job.data["vm"] for _ in range(4)] == ["c", "a", "b", "d"]


async def test_lapsed_leases_go_before_due_ones_and_those_before_ready_ones(queue, new, skew_clock):
    for seconds, vm in enumerate(("lapsed", "due", "ready")):
        skew_clock(timedelta(seconds=seconds))
        await queue.draft(new(vm))
    lapsed = await queue.claim("w1")
    assert lapsed.job.data["vm"] == "lapsed"
    due = await queue.claim("w1")
    assert due.job.data["vm"] == "due"
    await due.later(timedelta(seconds=5), why="not yet")
    skew_clock(MINUTE)
    claims = [await queue.claim("w2") for _ in range(3)]
    assert [(claim.job.data["vm"], claim.taken_over) for claim in claims] == [
        ("lapsed", True),
        ("due", False),
        ("ready", False),
    ]


async def test_lanes_have_their_own_slots(store, new, skew_clock):
    queue = RedisQueue(store, slots={"check": 2})
    for vm in range(3):
        skew_clock(timedelta(seconds=vm))
        await queue.draft(new(f"vm{vm}"))
    first, second = await queue.claim("w1"), await queue.claim("w1")
    assert await queue.claim("w1") is None
    await first.move(Phase.CHECKING, why="taken")
    await first.move(Phase.FAILED, why="there is no such VM")
    assert (await queue.claim("w1")).job.data["vm"] == "vm2"
    assert second.job.data["vm"] == "vm1"


async def test_sixteen_checks_at_once_unless_told_otherwise(queue, new):
    for vm in range(17):
        await queue.draft(new(f"vm{vm}"))
    assert all([await queue.claim("w1") for _ in range(16)])
    assert await queue.claim("w1") is None


async def test_a_full_link_holds_up_no_other(store, planned, queue, skew_clock):
    jobs = [await planned(f"vm{number}", link="narrow") for number in range(3)]
    jobs.append(await planned("other", link="wide"))
    for seconds, job in enumerate(jobs):
        skew_clock(timedelta(seconds=seconds))
        await queue.approve(job.id, fingerprint="f1", by="U2")
    names = [claim.job.data["vm"] for _ in range(4) if (claim := await queue.claim("w1"))]
    assert sorted(names) == ["other", "vm0", "vm1"]  # two per link, unless the config says more
    more = RedisQueue(store, slots={"narrow": 3})
    assert (await more.claim("w1")).job.data["vm"] == "vm2"


@pytest.mark.parametrize("phase", [Phase.QUEUED, *sorted(STARTED)])
async def test_a_silent_worker_is_replaced_in_the_same_phase_with_a_new_fence(queue, claimed, skew_clock, store, phase):
    old = await claimed(phase)
    skew_clock(timedelta(seconds=29))
    assert await queue.claim("w2") is None
    skew_clock(timedelta(seconds=31))
    new = await queue.claim("w2")
    assert new.taken_over
    assert (new.job.id, new.job.state, new.job.owner) == (old.job.id, phase, "w2")
    assert new.job.fence > old.job.fence
    assert new.job.steps[-1].why == "taken over from w1"
    assert await store.smembers(keys.slot(LINK)) == {old.job.id}
    assert await queue.claim("w3") is None


@pytest.mark.parametrize(
    "write",
    [
        lambda claim: claim.move(Phase.ATTACHED, why="found"),
        lambda claim: claim.note({"percent": "1"}),
        lambda claim: claim.cancel_asked(),
        lambda claim: claim.later(MINUTE, why="later"),
        lambda claim: claim.give_up(why="enough"),
        lambda claim: claim.hand_over(),
    ],
    ids=["move", "note", "cancel_asked", "later", "give_up", "hand_over"],
)
async def test_every_write_of_a_replaced_worker_is_refused(queue, claimed, skew_clock, write):
    old = await claimed(Phase.INTENT)
    skew_clock(MINUTE)
    new = await queue.claim("w1")  # even by the same worker: a claim is one go at the job
    before = await queue.get(old.job.id)
    for _ in range(2):
        with pytest.raises(LostLeaseError, match="no longer ours"):
            await write(old)
    assert old.closed
    assert await queue.get(old.job.id) == before
    await new.note({"still": "mine"})


async def test_a_claim_whose_lease_lapsed_unnoticed_may_go_on(claimed, skew_clock):
    claim = await claimed(Phase.INTENT)
    skew_clock(MINUTE)
    await claim.move(Phase.ATTACHED, why="found")


async def test_a_move_from_a_state_that_the_claim_did_not_see_is_refused(queue, claimed, store):
    claim = await claimed(Phase.INTENT)
    await store.hset(keys.job(claim.job.id), "state", "unknown")
    with pytest.raises(LostLeaseError):
        await claim.move(Phase.ATTACHED, why="found")
    assert (await queue.get(claim.job.id)).state is Phase.UNKNOWN


@pytest.mark.parametrize("phase", sorted(STARTED))
async def test_what_has_started_keeps_its_slot_while_it_waits(queue, claimed, skew_clock, store, phase):
    claim = await claimed(phase)
    await claim.later(MINUTE, why="the vCenter is away")
    assert claim.closed
    assert await store.smembers(keys.slot(LINK)) == {claim.job.id}
    assert await queue.claim("w2") is None
    skew_clock(MINUTE)
    again = await queue.claim("w2")
    assert (again.job.state, again.taken_over) == (phase, False)
    assert again.job.steps[-1].why == "the vCenter is away"


async def test_what_has_not_started_gives_its_slot_to_others(store, queue, planned, skew_clock):
    narrow = RedisQueue(store, slots={LINK: 1})
    jobs = [await planned(vm) for vm in ("first", "second")]
    for seconds, job in enumerate(jobs):
        skew_clock(timedelta(seconds=seconds))
        await queue.approve(job.id, fingerprint="f1", by="U2")
    first = await narrow.claim("w1")
    await first.later(timedelta(seconds=5), why="another task holds the VM")
    second = await narrow.claim("w1")
    assert second.job.data["vm"] == "second"
    skew_clock(timedelta(seconds=6))
    assert await narrow.claim("w1") is None
    await second.move(Phase.FAILED, why="refused")
    again = await narrow.claim("w1")
    assert (again.job.data["vm"], again.taken_over) == ("first", False)


async def test_failures_in_a_row_are_counted_until_something_moves(queue, claimed):
    claim = await claimed(Phase.QUEUED)
    for failures in (1, 2):
        await claim.later(timedelta(0), why="oops", failed="bug")
        claim = await queue.claim("w1")
        assert claim.job.failures == failures
    await claim.later(timedelta(0), why="the host is busy")
    claim = await queue.claim("w1")
    assert claim.job.failures == 2
    await claim.move(Phase.INTENT, why="about to call")
    assert claim.job.failures == 0


async def test_a_handed_over_job_is_free_at_once(queue, claimed):
    old = await claimed(Phase.ATTACHED)
    await old.hand_over()
    assert old.closed
    new = await queue.claim("w2")
    assert new.taken_over
    assert new.job.state is Phase.ATTACHED
    with pytest.raises(LostLeaseError):
        await old.note({})


@pytest.mark.parametrize(
    ("phase", "end"),
    [(Phase.QUEUED, Phase.FAILED), (Phase.INTENT, Phase.NEEDS_HUMAN), (Phase.ATTACHED, Phase.NEEDS_HUMAN)],
)
async def test_a_job_that_kills_its_workers_is_given_up(store, planned, queue, skew_clock, phase, end):
    queue = RedisQueue(store, most_claims=3)
    job = await planned()
    await queue.approve(job.id, fingerprint="f1", by="U2")
    claim = await queue.claim("w0")
    if phase is not Phase.QUEUED:
        await claim.move(phase, why="started")
        deaths = 4  # the claim that made the transition does not count
    else:
        deaths = 3
    for death in range(1, deaths):
        skew_clock(MINUTE * death)
        assert (await queue.claim("w")).taken_over
    skew_clock(MINUTE * deaths)
    assert await queue.claim("w") is None
    job = await queue.get(job.id)
    assert (job.state, job.steps[-1].why) == (end, "given up: its worker died again and again")
    assert await store.zrange(keys.DEAD, 0, -1) == [job.id]
    assert await store.scard(keys.slot(LINK)) == 0


async def test_rolling_restarts_are_no_sign_of_poison(store, claimed):
    queue = RedisQueue(store, most_claims=3)
    claim = await claimed(Phase.ATTACHED)
    for _ in range(10):
        await claim.hand_over()
        claim = await queue.claim("w")
    await claim.move(Phase.VERIFYING, why="the task ended")


@pytest.mark.parametrize(("phase", "end"), [(Phase.QUEUED, Phase.FAILED), (Phase.UNKNOWN, Phase.NEEDS_HUMAN)])
async def test_giving_up_fails_what_has_not_started_and_asks_a_person_about_the_rest(claimed, store, phase, end):
    claim = await claimed(phase)
    job = await claim.give_up(why="unexpected error")
    assert (job.state, claim.closed) == (end, True)
    assert await store.zrange(keys.DEAD, 0, -1) == [job.id]


async def test_entries_without_a_job_are_skipped_and_forgotten(queue, new, store):
    drafted = await queue.draft(new())
    for index in (keys.LEASE, keys.DELAYED, keys.ready("check"), keys.JOBS):
        await store.zadd(index, {"gone": 1})
    assert (await queue.claim("w1")).job.id == drafted.id
    assert [job.id for job in await queue.recent()] == [drafted.id]
    assert await queue.claim("w1") is None
    assert await store.zrange(keys.LEASE, 0, -1) == [drafted.id]


async def test_only_the_first_and_the_latest_steps_are_kept(queue, claimed):
    claim = await claimed(Phase.ATTACHED)
    for number in range(200):
        await claim.later(timedelta(0), why=f"again {number} " + 100 * ".")
        claim = await queue.claim("w1")
    steps = claim.job.steps
    assert len(steps) < 150
    assert steps[0].why == "asked for"
    assert steps[-1].why.startswith("again 199 ")


async def test_a_fence_of_a_redis_that_forgot_is_worth_nothing(queue, claimed, new, store):
    """Whoever was paused since before the loss holds no fence that anybody gets again."""
    paused = await claimed(Phase.INTENT)
    await store.flushall()
    data = {**paused.job.data, "link": LINK}
    assert await queue.adopt(paused.job.id, new(data=data), state=Phase.UNKNOWN, attempt=1, why="found on its VM")
    successor = await queue.claim("w2")
    await successor.move(Phase.INTENT, why="certain that it had not started", attempt=2)
    with pytest.raises(LostLeaseError):
        await paused.move(Phase.INTENT, why="the session had ended", attempt=2)
    assert (await queue.get(paused.job.id)).owner == "w2"


async def test_many_workers_never_share_a_job_or_overfill_a_link(valkey_url, queue, planned, store):
    links = {f"l{number}": number + 1 for number in range(3)}
    for job in [await planned(f"vm{number}", link=f"l{number % 3}") for number in range(30)]:
        await queue.approve(job.id, fingerprint="f1", by="U2")
    stores = [connect(valkey_url) for _ in range(8)]
    worked: Counter[str] = Counter()
    peaks: Counter[str] = Counter()

    async def work(number: int) -> None:
        mine = RedisQueue(stores[number], slots=links)
        while await mine.recent(live_only=True):
            claim = await mine.claim(f"w{number}")
            if claim is None:
                claims = await mine.claim_next(f"w{number}", 1, alone=True, at_most=timedelta(seconds=1))
                if not claims:
                    continue
                claim = claims[0]
            lane = claim.job.lane
            peaks[lane] = max(peaks[lane], await stores[number].scard(keys.slot(lane)))
            await claim.move(Phase.INTENT, why="about to call", attempt=1)
            worked[claim.job.id] += 1
            await claim.move(Phase.ATTACHED, why="started")
            await claim.move(Phase.VERIFYING, why="ended")
            await claim.move(Phase.DONE, why="there")

    await asyncio.gather(*(work(number) for number in range(8)))
    assert len(worked) == 30
    assert set(worked.values()) == {1}
    assert all(peaks[lane] <= slots for lane, slots in links.items())
    assert all([await store.scard(keys.slot(lane)) == 0 for lane in links])
    await asyncio.gather(*(store.aclose() for store in stores))


async def test_a_suspect_takes_no_neighbours_along(queue, new, skew_clock):
    """The workers of a poisonous job die with all that they have: from the third time on they have nothing else."""
    ids = {(await queue.draft(new(vm))).id for vm in ("poison", "a", "b")}
    for deaths in range(3):
        assert len(await queue.claim_several("w1", 16)) == 3
        skew_clock(31 * timedelta(seconds=deaths + 1))
    await queue.draft(new("fresh"))
    assert [claim.job.data["vm"] for claim in await queue.claim_several("w2", 16, alone=False)] == ["fresh"]
    found = set()
    for _ in ids:
        (claim,) = await queue.claim_several("w3", 16)
        assert (claim.suspect, claim.taken_over) == (True, True)
        found.add(claim.job.id)
    assert found == ids


async def test_a_suspect_waits_for_a_lonely_worker_only_so_long(queue, new, skew_clock):
    await queue.draft(new())
    for deaths in range(3):
        assert await queue.claim("w1")
        skew_clock(31 * timedelta(seconds=deaths + 1))
    assert await queue.claim_several("w2", 1, alone=False) == []
    skew_clock(timedelta(seconds=93 + 31) + MINUTE)
    assert len(await queue.claim_several("w2", 1, alone=False)) == 1


async def test_a_renewal_clears_a_job_that_died_with_its_worker(queue, new, store, skew_clock):
    quick = RedisQueue(store, lease=timedelta(seconds=3))
    drafted = await queue.draft(new())
    claim = await quick.claim("w1")
    async with claim:
        async with asyncio.timeout(5):
            await claim.proven()
    assert await store.hget(keys.job(drafted.id), "claims") == "0"


async def test_a_claim_reads_no_more_of_what_is_due_than_it_takes(queue, claimed, skew_clock, store):
    """After an outage of vCenter all copies are due at once, and each worker takes a few at a time."""
    for number in range(20):
        claim = await claimed(Phase.ATTACHED, f"vm{number}", link=f"link{number}")
        await claim.later(MINUTE, why="the vCenter is away")
    skew_clock(2 * MINUTE)
    await store.config_resetstat()
    assert len(await queue.claim_several("w1", 2)) == 2
    assert (await store.info("commandstats"))["cmdstat_hgetall"]["calls"] < 10
    assert len(await queue.claim_several("w1", 50)) == 18


async def test_a_clock_that_was_set_back_keeps_no_job_from_a_successor_for_as_long(queue, claimed, skew_clock):
    """A new primary may be behind by any time; the worker died meanwhile."""
    skew_clock(timedelta(days=1))
    await claimed(Phase.ATTACHED)
    skew_clock(timedelta(0))
    assert await queue.claim("w2") is None
    skew_clock(timedelta(minutes=6))
    assert (await queue.claim("w2")).taken_over


async def suspect_that_lives(store, claimed, skew_clock, *, seconds):
    """A claim on a job that looks like poison; its worker renews its lease for so long."""
    claim = await claimed(Phase.ATTACHED)
    await store.hset(keys.job(claim.job.id), "claims", ledger.SUSPECT)
    skew_clock(MINUTE)
    claim = await RedisQueue(store).claim("w2")
    assert claim.suspect
    for lived in range(0, seconds + 1, 10):
        skew_clock(MINUTE + timedelta(seconds=lived))
        renewed = json.dumps([[claim.job.id, str(claim.job.fence)]])
        assert await ledger.RENEW(store, timedelta(seconds=30), renewed) == []
    return claim


async def test_what_lived_for_minutes_is_not_buried_for_what_killed_its_workers(store, claimed, skew_clock):
    """Somebody else's poison took its workers along; at its next death it is counted anew."""
    await suspect_that_lives(store, claimed, skew_clock, seconds=190)
    queue = RedisQueue(store, most_claims=ledger.SUSPECT + 1)
    skew_clock(timedelta(minutes=6))
    assert not (await queue.claim("w3")).suspect


async def test_what_kills_its_workers_after_a_minute_is_counted_on(store, claimed, skew_clock):
    suspect = await suspect_that_lives(store, claimed, skew_clock, seconds=60)
    queue = RedisQueue(store, most_claims=ledger.SUSPECT + 1)
    skew_clock(timedelta(minutes=6))
    assert await queue.claim("w3") is None
    assert (await queue.get(suspect.job.id)).state is Phase.NEEDS_HUMAN
