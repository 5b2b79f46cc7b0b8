"""One process at a time, and never an old one beside a new one."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta

import pytest

from bot.errors import UnreachableError
from bot.logs.turn import RedisTurn
from bot.store import embedded
from bot.store.client import connect

SHORT = timedelta(seconds=1)


class Work:
    """Work of a turn that says when it began and ended."""

    def __init__(self):
        self.began = asyncio.Queue()
        self.ended = asyncio.Event()
        self.stop = asyncio.Event()

    async def __call__(self, epoch):
        self.began.put_nowait(epoch)
        try:
            await self.stop.wait()
        finally:
            self.ended.set()


async def soon(waiting, seconds=10):
    async with asyncio.timeout(seconds):
        return await waiting


@pytest.fixture
async def serving():
    tasks = []

    def serve(turn, work):
        tasks.append(asyncio.create_task(turn.serve(work)))
        return tasks[-1]

    yield serve
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_one_at_a_time_and_who_leaves_is_followed_at_once(store, serving):
    one, other = Work(), Work()
    first = serving(RedisTurn(store, "judge"), one)
    epoch = await soon(one.began.get())
    serving(RedisTurn(store, "judge"), other)
    assert await store.hget("{cm}:shard:judge", "epoch") == epoch
    first.cancel()
    next_epoch = await soon(other.began.get(), 5)  # the lease is ten seconds
    assert one.ended.is_set()
    assert int(next_epoch) > int(epoch)


async def test_epochs_grow_even_when_redis_forgets(store, serving):
    one, other = Work(), Work()
    first = serving(RedisTurn(store, "judge"), one)
    epoch = await soon(one.began.get())
    first.cancel()
    await soon(one.ended.wait())
    await store.delete("{cm}:shard:judge")
    serving(RedisTurn(store, "judge"), other)
    assert int(await soon(other.began.get())) > int(epoch)


async def test_who_was_away_for_a_lease_stops_as_soon_as_it_hears_that(store, serving, skew_clock):
    one, other = Work(), Work()
    serving(RedisTurn(store, "judge", lease=SHORT), one)
    await soon(one.began.get())
    skew_clock(timedelta(seconds=30))
    serving(RedisTurn(store, "judge", lease=SHORT), other)
    await soon(other.began.get())
    await soon(one.ended.wait())


async def test_work_is_cancelled_before_the_lease_can_end_when_redis_is_away(tmp_path, serving):
    work = Work()
    with embedded.start(tmp_path) as server:
        async with connect(server.url) as store:
            task = serving(RedisTurn(store, "judge", lease=SHORT), work)
            await soon(work.began.get())
            server.process.send_signal(signal.SIGSTOP)
            begun = asyncio.get_running_loop().time()
            try:
                await soon(work.ended.wait())
                assert asyncio.get_running_loop().time() - begun < SHORT.total_seconds()
            finally:
                server.process.send_signal(signal.SIGCONT)
            assert await soon(work.began.get())
            task.cancel()
            await asyncio.wait({task})


async def test_a_failure_of_the_world_gives_the_turn_back_and_a_defect_is_raised(store, serving):
    seen = asyncio.Queue()

    async def fail(epoch):
        seen.put_nowait(epoch)
        if seen.qsize() == 1:
            raise UnreachableError("no Slack")
        raise ValueError("a defect")

    task = serving(RedisTurn(store, "judge", lease=SHORT), fail)
    with pytest.raises(ValueError, match="a defect"):
        await soon(task)
    assert await store.hget("{cm}:shard:judge", "owner") is None
