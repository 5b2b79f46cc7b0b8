"""The record of what sinks were told, on a real Valkey: leases, fences, openings, and nothing lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.incidents.escalations import KEPT, LOOK_ANYWAY
from bot.incidents.incident import IncidentId
from bot.incidents.port import Action
from bot.incidents.telling import Step
from bot.store import keys
from tests.incidents.sinks.stage import INCIDENT

SINK = "night shift"
LEASE = timedelta(seconds=30)
SOON = timedelta(seconds=1)


def now() -> datetime:
    """A moment ago: what is due then is due for Redis too, whose clock counts milliseconds."""
    return datetime.now(UTC) - timedelta(milliseconds=5)


@pytest.fixture
def take(escalations):
    async def taken(sink: str = SINK):
        return next(iter(await escalations.take(sink, lease=LEASE, limit=1)), None)

    return taken


@pytest.fixture
async def due(escalations, take):
    """A telling that is due and was taken."""
    await escalations.arrange(INCIDENT, SINK, at=now())
    return await take()


async def test_it_is_due_when_it_was_arranged_for_and_not_before(escalations, take, skew_clock):
    at = now() + timedelta(minutes=10)
    await escalations.arrange(INCIDENT, SINK, at=at)
    (known,) = await escalations.of(INCIDENT)
    assert abs(known.due - at) < timedelta(milliseconds=2)
    assert (known.said, known.attempts, known.trouble) == (None, 0, "")
    assert await take() is None
    skew_clock(timedelta(minutes=10, seconds=1))
    telling = await take()
    assert (telling.incident, telling.ripe, telling.said, telling.key) == (INCIDENT, True, None, "n3q7m2xa-1")
    assert timedelta(minutes=9, seconds=59) <= telling.patience <= timedelta(minutes=10)


async def test_it_is_arranged_once_for_each_pair(escalations, store):
    first = now() + timedelta(minutes=10)
    for minutes in (10, 1, 30):
        await escalations.arrange(INCIDENT, SINK, at=now() + timedelta(minutes=minutes))
    await escalations.arrange(INCIDENT, "day shift", at=first)
    assert await store.zcard(keys.escalations(SINK)) == 1
    assert [found.sink for found in await escalations.of(INCIDENT)] == ["day shift", SINK]
    assert await escalations.of(IncidentId("other222")) == []


async def test_one_has_it_until_the_lease_is_over_and_then_there_is_doubt(due, escalations, take, skew_clock):
    assert not due.doubt
    assert await take() is None
    skew_clock(LEASE + SOON)
    second = await take()
    assert (second.doubt, second.fence != due.fence) == (True, True)
    for late in (
        escalations.told(due, Action.TRIGGER),
        escalations.failed(due, delay=SOON, maybe=False, trouble="x"),
        escalations.refuse(due, Action.TRIGGER, trouble="x"),
        escalations.put_off(due, Step.OVER),
    ):
        assert not await late
    (known,) = await escalations.of(INCIDENT)
    assert (known.said, known.attempts, known.trouble) == (None, 0, "")
    assert await escalations.told(second, Action.TRIGGER)
    assert not await escalations.told(second, Action.TRIGGER)  # a reply that was lost is asked for again


async def test_a_hundred_takers_get_each_once(escalations):
    incidents = [IncidentId(f"n3q7m2{a}{b}") for a in "abcd" for b in "abcde"]
    for incident in incidents:
        await escalations.arrange(incident, SINK, at=now())
    found = await asyncio.gather(*(escalations.take(SINK, lease=LEASE, limit=3) for _ in range(100)))
    assert sorted(telling.incident for batch in found for telling in batch) == sorted(incidents)


async def test_what_was_told_is_looked_at_again_at_once_and_then_every_minute(due, escalations, take, skew_clock):
    await escalations.told(due, Action.TRIGGER)
    again = await take()
    assert (again.said, again.failures) == (Action.TRIGGER, 0)
    await escalations.put_off(again, Step.REST)
    assert await take() is None
    skew_clock(LOOK_ANYWAY + SOON)
    assert (await take()).said is Action.TRIGGER
    (known,) = await escalations.of(INCIDENT)
    assert (known.said, known.due) == (Action.TRIGGER, None)


async def test_failures_are_counted_and_put_off(due, escalations, take, skew_clock):
    await escalations.failed(due, delay=timedelta(seconds=5), maybe=False, trouble="nobody there")
    assert await take() is None
    skew_clock(timedelta(seconds=6))
    second = await take()
    assert (second.failures, second.doubt, second.failing >= timedelta(seconds=5)) == (1, False, True)
    await escalations.failed(second, delay=timedelta(seconds=5), maybe=True, trouble="no answer")
    skew_clock(timedelta(seconds=12))
    third = await take()
    assert (third.failures, third.doubt) == (2, True)
    (known,) = await escalations.of(INCIDENT)
    assert (known.attempts, known.trouble) == (2, "no answer")
    await escalations.told(third, Action.TRIGGER)
    fourth = await take()
    assert (fourth.failures, fourth.doubt, fourth.failing) == (0, False, timedelta(0))
    assert (await escalations.of(INCIDENT))[0].trouble == ""


async def test_somebody_says_look_again(due, escalations, take):
    await escalations.told(due, Action.TRIGGER)
    await escalations.put_off(await take(), Step.REST)
    await escalations.look_again(INCIDENT)
    assert (await take()).said is Action.TRIGGER


async def test_what_is_said_while_it_is_being_told_is_not_lost(due, escalations, take):
    await escalations.look_again(INCIDENT)
    assert await take() is None  # whoever has it goes on
    await escalations.put_off(due, Step.OVER)
    assert (await take()).over  # and somebody looks once more


async def test_a_dead_sink_is_not_asked_more_often_because_people_click(due, escalations, take):
    await escalations.failed(due, delay=timedelta(minutes=5), maybe=False, trouble="dead")
    await escalations.look_again(INCIDENT)
    assert await take() is None


async def test_looking_again_before_it_is_due_wakes_nobody(escalations, take, skew_clock):
    await escalations.arrange(INCIDENT, SINK, at=now() + timedelta(minutes=10))
    await escalations.look_again(INCIDENT)
    early = await take()
    assert not early.ripe
    await escalations.put_off(early, Step.WAIT)
    assert await take() is None
    skew_clock(timedelta(minutes=10, seconds=1))
    assert (await take()).ripe


async def test_after_its_end_it_is_arranged_anew_with_another_key(due, escalations, take, store):
    await escalations.told(due, Action.RESOLVE)
    await escalations.put_off(await take(), Step.OVER, note="it is over")
    assert await store.zcard(keys.escalations(SINK)) == 0
    assert (await escalations.of(INCIDENT))[0].trouble == "it is over"
    await escalations.arrange(INCIDENT, SINK, at=now())
    fresh = await take()
    assert (fresh.key, fresh.said, fresh.over, fresh.refused) == ("n3q7m2xa-2", None, False, None)


async def test_a_new_opening_gives_people_the_same_time(escalations, take, skew_clock):
    await escalations.arrange(INCIDENT, SINK, at=now() + timedelta(minutes=10))
    skew_clock(timedelta(minutes=11))
    telling = await take()
    await escalations.told(telling, Action.RESOLVE)
    await escalations.put_off(await take(), Step.ANEW)
    assert await take() is None
    skew_clock(timedelta(minutes=21, seconds=1))
    fresh = await take()
    assert (fresh.key, fresh.ripe, fresh.said) == ("n3q7m2xa-2", True, None)


async def test_what_they_never_take_is_kept(due, escalations, take):
    await escalations.refuse(due, Action.TRIGGER, trouble="PagerDuty answered 400.")
    again = await take()
    assert (again.refused, again.said) == (Action.TRIGGER, None)
    assert (await escalations.of(INCIDENT))[0].trouble == "PagerDuty answered 400."


async def test_where_they_show_it(due, escalations):
    await escalations.found(due, "https://sub.pagerduty.com/incidents/P1")
    assert (await escalations.of(INCIDENT))[0].url == "https://sub.pagerduty.com/incidents/P1"


async def test_waiting_ends_when_something_comes_or_is_due(escalations, take):
    waiting = asyncio.create_task(escalations.wait(SINK, within=timedelta(seconds=20)))
    await asyncio.sleep(0)
    await escalations.arrange(INCIDENT, SINK, at=now() + timedelta(milliseconds=300))
    await asyncio.wait_for(waiting, 5)
    async with asyncio.timeout(5):
        while (found := await take()) is None:
            await escalations.wait(SINK, within=timedelta(seconds=20))
    assert found.incident == INCIDENT


async def test_one_sink_does_not_see_what_is_due_for_another(due, take):
    assert await take("day shift") is None


async def test_it_is_kept_for_90_days_and_what_is_gone_is_not_due(due, escalations, store, take, skew_clock):
    await escalations.told(due, Action.TRIGGER)
    for key in (keys.escalation(INCIDENT, SINK), keys.escalated(INCIDENT), keys.escalations(SINK)):
        assert KEPT - timedelta(hours=1) < timedelta(milliseconds=await store.pttl(key)) <= KEPT
    await store.delete(keys.escalation(INCIDENT, SINK))
    assert await take() is None
    assert await store.zcard(keys.escalations(SINK)) == 0
    assert await escalations.of(INCIDENT) == []
