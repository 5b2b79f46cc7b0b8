"""One long poll for all tasks, which outlives lost connections, sessions and tasks."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from bot.errors import UnreachableError
from bot.vsphere.port import TaskGoneError, TaskState


@pytest.fixture
async def running(player_peer, played):
    """A relocation that runs for minutes, followed, with its first state heard."""
    plan = await player_peer.plan(played, "slow01", nics=())
    task = await played.relocate(plan, op_id="cm-ab2cd3ef-a1")
    following = played.follow(task)
    async with asyncio.timeout(10):
        while (await anext(following)).state is not TaskState.RUNNING:
            pass
    yield task, following
    await following.aclose()


async def next_progress(following, *, beyond):
    """Return the first news of a copy that is further than that, or over."""
    async with asyncio.timeout(20):
        while True:
            snapshot = await anext(following)
            if (snapshot.progress or 0) > beyond or snapshot.state is TaskState.SUCCESS:
                return snapshot


def speed_up(player):
    """Let the slow relocation move, one percent every few ms."""
    player.set_link("site1", "site2", rate=40_000_000_000_000)


async def test_all_tasks_share_one_collector_and_one_poll(player_peer, played, player, running):
    others = [
        await played.relocate(await player_peer.plan(played, name), op_id=f"cm-ab2cd3ef-a{n}")
        for n, name in enumerate(("web01", "50% a-b \\ Ünï 🚀"), 2)
    ]
    async with asyncio.timeout(20):
        ended = await asyncio.gather(*(last_of(played.follow(task)) for task in others))
    assert [snapshot.state for snapshot in ended] == [TaskState.SUCCESS] * 2
    assert player.calls["CreatePropertyCollector"] == 1


async def last_of(following):
    last = None
    async for snapshot in following:
        last = snapshot
    return last


async def test_two_may_follow_one_task(played, player, running):
    task, first = running
    second = played.follow(task)
    assert (await anext(second)).task == task
    speed_up(player)
    assert await next_progress(first, beyond=5)
    assert await next_progress(second, beyond=5)
    await second.aclose()
    assert await next_progress(first, beyond=7)


async def test_a_session_that_ends_is_opened_again_under_the_poll(player, running):
    _, following = running
    assert player.expire_sessions() >= 2
    speed_up(player)
    assert await next_progress(following, beyond=5)
    assert player.calls["CreatePropertyCollector"] == 2


async def test_an_outage_of_vcenter_is_outlived(player, running):
    _, following = running
    await player.go_down()
    await player.come_up()
    speed_up(player)
    assert await next_progress(following, beyond=5)


async def test_patience_ends(player_peer, player):
    vcenter = player_peer.connect(follow_patience=timedelta(0))
    plan = await player_peer.plan(vcenter, "slow01", nics=())
    following = vcenter.follow(await vcenter.relocate(plan, op_id="cm-ab2cd3ef-a1"))
    async with asyncio.timeout(20):
        while (await anext(following)).state is not TaskState.RUNNING:
            pass
        await player.go_down()
        with pytest.raises(UnreachableError):
            await last_of(following)
    await player.come_up()


async def test_a_task_that_vanishes_while_it_is_followed_is_told(player, running):
    _, following = running
    task = player.estate.tasks.history[-1]
    player.estate.tasks.retention = timedelta(0)
    player.estate.tasks.finish(task)  # told at once or not at all: the object goes with the same breath
    player.estate.tasks.sweep()
    async with asyncio.timeout(20):
        with pytest.raises(TaskGoneError, match="no longer knows"):
            await last_of(following)


async def test_closing_does_not_wait_for_the_poll(player_peer, played, running):
    async with asyncio.timeout(5):
        await played.close()


async def test_a_task_that_is_followed_anew_at_once_is_not_taken_for_gone(played, running):
    """It leaves the list of what is followed and comes back between two polls."""
    task, following = running
    async with asyncio.timeout(60):
        for _ in range(15):
            await following.aclose()
            following = played.follow(task)
            heard = await anext(following)
            assert heard.state is TaskState.RUNNING
            with suppress(TimeoutError):  # the poll looks; nothing more is heard, least of all that it is gone
                assert (await asyncio.wait_for(anext(following), 0.3)).state is TaskState.RUNNING
                continue
            following = played.follow(task)
    await following.aclose()
