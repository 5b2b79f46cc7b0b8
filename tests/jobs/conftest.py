"""What the queue's tests share: a queue on a real Valkey, drafts, and a clock that moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from bot.jobs.port import Claim, Job, NewJob
from bot.jobs.queue import RedisQueue
from bot.migration.machine import Phase
from bot.store.client import Store, connect

LINK = "site1~site2"


@pytest.fixture
async def store(valkey_url: str) -> AsyncIterator[Store]:
    async with connect(valkey_url) as store:
        yield store


@pytest.fixture
def queue(store: Store) -> RedisQueue:
    return RedisQueue(store, slots={LINK: 2})


@pytest.fixture
def new() -> Callable[..., NewJob]:
    """A draft for one VM."""

    def make(vm: str = "web01", **changes) -> NewJob:
        fields = {"kind": "migrate", "vm_key": f"east:{vm}", "requester": "U1", "channel": "C1", "data": {"vm": vm}}
        return NewJob(**{**fields, **changes})

    return make


PATH = {
    Phase.PLANNED: (Phase.CHECKING, Phase.PLANNED),
    Phase.INTENT: (Phase.INTENT,),
    Phase.UNKNOWN: (Phase.INTENT, Phase.UNKNOWN),
    Phase.ATTACHED: (Phase.INTENT, Phase.ATTACHED),
    Phase.VERIFYING: (Phase.INTENT, Phase.ATTACHED, Phase.VERIFYING),
}


@pytest.fixture
def planned(queue: RedisQueue, new: Callable[..., NewJob]) -> Callable[..., Awaitable[Job]]:
    """A job that waits for approval, with the fingerprint `f1`."""

    async def make(vm: str = "web01", *, link: str = LINK, **changes) -> Job:
        drafted = await queue.draft(new(vm, **changes))
        claim = await queue.claim("w0")
        assert claim.job.id == drafted.id, "plan all jobs before the first is approved"
        await claim.move(Phase.CHECKING, why="a worker took it")
        return await claim.move(Phase.PLANNED, why="the plan is made", data={"fingerprint": "f1", "link": link})

    return make


@pytest.fixture
def claimed(queue: RedisQueue, planned: Callable[..., Awaitable[Job]]) -> Callable[..., Awaitable[Claim]]:
    """A claim on a job in any phase from `queued` on."""

    async def make(phase: Phase = Phase.QUEUED, vm: str = "web01", *, worker: str = "w1", **changes) -> Claim:
        job = await planned(vm, **changes)
        await queue.approve(job.id, fingerprint="f1", by="U2")
        claim = await queue.claim(worker)
        assert claim.job.id == job.id
        for step in PATH.get(phase, ()):
            await claim.move(step, why="on its way", attempt=1 if step is Phase.INTENT else None)
        return claim

    return make


@pytest.fixture
def eventually() -> Callable[..., Awaitable[None]]:
    """Wait for a condition, for five seconds at most."""

    async def wait(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(5):
            while not await condition():
                await asyncio.sleep(0.005)

    return wait
