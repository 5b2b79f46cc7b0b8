"""A lease lasts as long as its claim is open, and Redis' absence is told apart from a loss."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest

from bot.errors import UnconfirmedError, UnreachableError
from bot.jobs.port import LostLeaseError
from bot.jobs.queue import RedisQueue
from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.store import embedded, keys
from bot.store.client import connect
from bot.store.durability import Durability

SHORT = timedelta(milliseconds=300)


async def test_the_lease_of_an_open_claim_is_renewed(store, new, eventually):
    queue = RedisQueue(store, lease=SHORT)
    drafted = await queue.draft(new())
    async with await queue.claim("w1") as claim:
        first = await store.zscore(keys.LEASE, drafted.id)

        async def renewed() -> bool:
            assert await queue.claim("w2") is None
            return await store.zscore(keys.LEASE, drafted.id) > first + 2 * SHORT.total_seconds() * 1000

        await eventually(renewed)
        await claim.move(Phase.CHECKING, why="taken")


async def test_the_lease_of_a_left_claim_ends(store, new, eventually):
    queue = RedisQueue(store, lease=SHORT)
    await queue.draft(new())
    async with await queue.claim("w1"):
        pass

    async def taken_over() -> bool:
        return await queue.claim("w2") is not None

    await eventually(taken_over)


async def test_an_open_claim_learns_that_it_lost_the_job(store, new, skew_clock, eventually):
    queue = RedisQueue(store, lease=SHORT)
    await queue.draft(new())
    async with await queue.claim("w1") as old:
        skew_clock(timedelta(minutes=1))
        new_claim = await RedisQueue(store).claim("w2")
        assert new_claim.taken_over

        async def noticed() -> bool:
            return old.closed

        await eventually(noticed)
        with pytest.raises(LostLeaseError):
            await old.note({})


async def test_leaving_a_claim_twice_or_without_entering_is_no_mistake(queue, new):
    await queue.draft(new())
    claim = await queue.claim("w1")
    await claim.__aexit__(None, None, None)
    async with claim:
        pass


@pytest.fixture
async def mortal(tmp_path):
    """A server that a test may kill, and a queue on it."""
    server = embedded.start(tmp_path)
    async with connect(server.url) as store:
        yield server, RedisQueue(store, lease=SHORT)
    embedded.start(tmp_path).stop()
    server.stop()


async def test_redis_away_is_a_sentence_on_every_method(mortal, new):
    server, queue = mortal
    await queue.draft(new())
    claim = await queue.claim("w1")
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    job = JobId("aaaaaaaa")
    calls = [
        lambda: queue.draft(new("x")),
        lambda: queue.approve(job, fingerprint="f", by="U"),
        lambda: queue.cancel(job, by="U"),
        lambda: queue.get(job),
        queue.recent,
        lambda: queue.claim("w1"),
        lambda: queue.claim_next("w1", 1, alone=True, at_most=timedelta(seconds=1)),
        queue.expire_drafts,
        queue.now,
        lambda: anext(queue.events()),
        lambda: claim.move(Phase.CHECKING, why="taken"),
        lambda: claim.note({}),
        lambda: claim.later(SHORT, why="later"),
        claim.hand_over,
        lambda: claim.give_up(why="enough"),
        claim.cancel_asked,
    ]
    for call in calls:
        with pytest.raises(UnreachableError, match=r"Redis at .*valkey\.sock does not answer .* Check that it runs"):
            await call()
    assert not claim.closed


async def test_acknowledged_jobs_survive_a_killed_server_and_claims_go_on(mortal, new, tmp_path, eventually):
    server, queue = mortal
    ids = [(await queue.draft(new(f"vm{number}"))).id for number in range(50)]
    async with await queue.claim("w1") as claim:
        await claim.move(Phase.CHECKING, why="taken")
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        with pytest.raises(UnreachableError):
            await queue.now()
        with embedded.start(tmp_path):
            assert {job.id for job in await queue.recent(limit=100)} == set(ids)
            assert not (await queue.draft(new("vm7"))).fresh

            async def renewed() -> bool:
                return await queue.now() > claim.job.updated + 3 * SHORT

            await eventually(renewed)
            await claim.move(Phase.FAILED, why="there is no such VM")


async def test_an_intent_that_nobody_confirms_is_known_to_its_claim(store, queue, claimed):
    claim = await claimed(Phase.QUEUED)
    store.durability = Durability(replicas=1)
    with pytest.raises(UnconfirmedError):
        await claim.move(Phase.INTENT, why="about to call", attempt=1)
    assert (claim.job.state, claim.job.attempt, claim.closed) == (Phase.INTENT, 1, False)
    await claim.move(Phase.QUEUED, why="put off", attempt=0)
    found = await queue.get(claim.job.id)
    assert (found.state, found.attempt) == (Phase.QUEUED, 0)
