"""Many tasks cost no more calls than few: one list, a paced poll, and one question whether vCenter is there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import LoginError, OutsideError, UnreachableError
from bot.vsphere.pulse import Pulse
from bot.vsphere.tasks import LONGEST_PAUSE, SAVED_POLLS, Allowance

FEW, MANY = 3, 30  # all of them run: a host copies eight at a time, and there are four at each site
SMALL = "".join(
    f'[[vms]]\nname = "small{n:02}"\nsite = "site1"\ndisks = ["100 GiB thin 90 GiB"]\n' for n in range(MANY)
)
ONE_PERCENT_IN_50_MS = int(90 * 2**30 / 100 * 8 * 20)
SEEN_UP_TO = 40


@pytest.fixture
def world_text(world_text):
    return world_text.replace("hosts = 2", "hosts = 4") + SMALL


async def begin(peer, vcenter, many):
    """Start relocations that crawl until the link is widened; their tasks."""
    peer.player.set_link("site1", "site2", rate=1000)
    hosts = (await vcenter.read_site(peer.target)).hosts
    plans = [await peer.plan(vcenter, f"small{n:02}", nics=()) for n in range(many)]
    for n, plan in enumerate(plans):
        host = hosts[n % len(hosts)]
        plans[n] = replace(plan, target=replace(plan.target, host=host.name, host_moid=host.moid))
    return [await vcenter.relocate(plan, op_id=f"cm-ab2cd3ef-a{n}") for n, plan in enumerate(plans)]


async def follow_up_to(vcenter, tasks):
    """Follow each until it has come a good way; how many snapshots were heard in all."""

    async def one(task):
        heard = 0
        async for snapshot in vcenter.follow(task):
            heard += 1
            if (snapshot.progress or 0) >= SEEN_UP_TO or snapshot.ended:
                break
        return heard

    async with asyncio.timeout(60):
        return sum(await asyncio.gather(*map(one, tasks)))


@pytest.mark.parametrize("many", [FEW, MANY])
async def test_calls_do_not_grow_with_the_tasks_that_are_followed(player_peer, played, player, many):
    tasks = await begin(player_peer, played, many)
    before = sum(player.calls.values())
    player.set_link("site1", "site2", rate=ONE_PERCENT_IN_50_MS * many)
    heard = await follow_up_to(played, tasks)
    calls = sum(player.calls.values()) - before
    assert heard >= many * 5
    assert calls < SAVED_POLLS + 25, dict(player.calls)


async def test_who_follows_many_begins_with_few_calls(player_peer, played, player):
    tasks = await begin(player_peer, played, MANY)
    followers = [played.follow(task) for task in tasks]
    before = sum(player.calls.values())
    async with asyncio.timeout(20):
        first = await asyncio.gather(*map(anext, followers))
    calls = sum(player.calls.values()) - before
    assert [snapshot.task for snapshot in first] == tasks
    assert calls < 15, dict(player.calls)
    for follower in followers:
        await follower.aclose()


async def test_a_lost_session_costs_no_call_for_each_task(player_peer, played, player):
    tasks = await begin(player_peer, played, MANY)
    followers = [played.follow(task) for task in tasks]
    async with asyncio.timeout(20):
        await asyncio.gather(*map(anext, followers))
        before = sum(player.calls.values())
        player.expire_sessions()
        player.estate.tasks.report(player.estate.tasks.find(tasks[0]), 7)
        while (await anext(followers[0])).progress != 7:
            pass
    assert sum(player.calls.values()) - before < 15, dict(player.calls)
    for follower in followers:
        await follower.aclose()


# ---- the pace of polls


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def busy(allowance, clock, seconds):
    """How many polls an hour of endless news takes, each poll being answered at once."""
    polls, end = 0, clock.now + seconds
    while clock.now < end:
        clock.now += allowance.spend().total_seconds()
        polls += 1
    return polls


def test_endless_news_is_taken_together():
    clock = Clock()
    allowance = Allowance(clock)
    assert busy(allowance, clock, 3600) <= SAVED_POLLS + 3600 / 2 * 1.1
    assert busy(allowance, clock, 60) <= 35


def test_the_first_news_is_told_at_once():
    clock = Clock()
    allowance = Allowance(clock)
    pauses = [allowance.spend() for _ in range(SAVED_POLLS + 1)]
    assert pauses[0] == timedelta(0)
    assert sum(pauses[:10], timedelta(0)) < timedelta(milliseconds=20)
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE


def test_after_a_quiet_minute_news_is_told_at_once_again():
    clock = Clock()
    allowance = Allowance(clock)
    busy(allowance, clock, 600)
    clock.now += 120
    assert allowance.spend() == timedelta(0)


# ---- is it there?


class Asked:
    """A vCenter that is asked whether it is there."""

    def __init__(self):
        self.times = 0
        self.answer = asyncio.Event()
        self.error = None

    async def __call__(self):
        self.times += 1
        await self.answer.wait()
        if self.error is not None:
            raise self.error


def never(_span):
    return False


async def test_many_who_wonder_ask_once():
    asked = Asked()
    pulse = Pulse(asked, answered=never)
    wondering = [asyncio.create_task(pulse.feel()) for _ in range(1000)]
    await asyncio.sleep(0)
    wondering[0].cancel()  # who loses interest does not spoil it for the others
    asked.answer.set()
    await asyncio.gather(*wondering[1:])
    assert asked.times == 1


async def test_what_was_answered_to_others_is_sign_enough():
    asked = Asked()
    await Pulse(asked, answered=lambda span: span >= timedelta(seconds=5)).feel()
    assert asked.times == 0


async def test_a_failure_is_shared_and_then_asked_about_again():
    asked = Asked()
    asked.answer.set()
    asked.error = UnreachableError("vCenter east refuses connections.")
    pulse = Pulse(asked, answered=never, recent=timedelta(milliseconds=50))
    for _ in range(10):
        with pytest.raises(OutsideError, match="refuses connections"):
            await pulse.feel()
    assert asked.times <= 2
    asked.error = LoginError("The password has expired.")
    async with asyncio.timeout(5):
        while True:
            try:
                await pulse.feel()
            except OutsideError as error:
                if "expired" in str(error):
                    break
            await asyncio.sleep(0.01)
    asked.error = None
    async with asyncio.timeout(5):
        while True:
            try:
                await pulse.feel()
            except OutsideError:
                await asyncio.sleep(0.01)
            else:
                break


async def test_what_vcenter_answered_just_now_is_not_asked_again(played, player):
    await played.now()
    asked = player.calls["CurrentTime"]
    await asyncio.gather(*(played.alive() for _ in range(100)))
    assert player.calls["CurrentTime"] == asked


async def test_a_vcenter_that_never_answered_is_asked_and_told_to_be_away(played, player):
    await player.go_down()
    told = await asyncio.gather(*(played.alive() for _ in range(100)), return_exceptions=True)
    assert {type(error) for error in told} == {OutsideError}
    assert all("refuses connections" in str(error) and error.transient for error in told)
    await player.come_up()
