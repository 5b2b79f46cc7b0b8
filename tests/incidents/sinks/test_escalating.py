"""Incidents that nobody acknowledges, from the record in Redis to a played PagerDuty and a played receiver."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import UnreachableError
from bot.incidents.incident import Client, HostCount, IncidentId, Mute, Scope, ScopeKind, State
from bot.incidents.port import Action
from bot.operations.escalate import AGAIN, delay_after, on_call_names
from bot.operations.escalation_page import severity_of, summary_of, where_of
from bot.playground.pager.board import Standing
from bot.store import keys
from tests.incidents.sinks.stage import (
    AT,
    INCIDENT,
    PATIENCE,
    Recording,
    incident_of,
    serving,
    settled,
    tools_of,
    until,
)

NIGHT = "night shift"
HOUR = timedelta(hours=1)


def now() -> datetime:
    """A moment ago: what is due then is due for Redis too, whose clock counts milliseconds."""
    return datetime.now(UTC) - timedelta(milliseconds=5)


@pytest.fixture
def tools(store):
    return tools_of(store)


@pytest.fixture
def arranged(escalations, cases):
    """An open incident of which a sink is told at once."""

    async def arrange(sink: str = NIGHT, incident: IncidentId = INCIDENT, *, after: timedelta = timedelta(0)) -> None:
        await cases.stands(State.OPEN, incident)
        await escalations.arrange(incident, sink, at=now() + after)

    return arrange


async def test_a_telling_from_trigger_to_resolution(tools, arranged, cases, escalations, sink, store):
    await arranged()
    async with serving(tools, sink):
        await settled(store)
        for state in (State.ACKNOWLEDGED, State.RESOLVED):
            await cases.stands(state)
            await escalations.look_again(INCIDENT)
            await until(lambda state=state: len(sink.pages) == 2 + (state is State.RESOLVED))
        await settled(store)
        await escalations.look_again(INCIDENT)
        await settled(store)
    assert sink.told == [("n3q7m2xa-1", "trigger"), ("n3q7m2xa-1", "acknowledge"), ("n3q7m2xa-1", "resolve")]
    assert len({page.id for page in sink.pages}) == 3
    (known,) = await escalations.of(INCIDENT)
    assert (known.said, known.url) == (Action.RESOLVE, "https://pager.example.net/n3q7m2xa-1")


async def test_acknowledged_in_time_nobody_is_ever_told(tools, arranged, cases, escalations, sink, store, skew_clock):
    await arranged(after=PATIENCE)
    async with serving(tools, sink):
        await cases.stands(State.ACKNOWLEDGED)
        await escalations.look_again(INCIDENT)
        await settled(store)
        skew_clock(PATIENCE + HOUR)
        await settled(store)
        await cases.stands(State.RESOLVED)
        await escalations.look_again(INCIDENT)
        assert (await settled(store))["state"] == "over"
    assert sink.tries == 0


async def test_what_is_muted_wakes_nobody_until_the_mute_is_over(tools, arranged, incidents, sink, store, skew_clock):
    await arranged()
    await incidents.mute(Mute(Scope(ScopeKind.LINK, "site1~site2"), now() + HOUR, "U0ALICE001", now()))
    async with serving(tools, sink):
        await settled(store)
        skew_clock(HOUR / 2)
        await settled(store)
        assert sink.tries == 0
        skew_clock(HOUR * 1.1)
        await until(lambda: sink.told == [("n3q7m2xa-1", "trigger")])


async def test_acknowledged_but_the_bot_died_before_it_could_say_so(tools, arranged, cases, sink, store, skew_clock):
    """`move` was kept and `look_again` never called: the record is looked at all the same."""
    await arranged()
    async with serving(tools, sink):
        await settled(store)
        await cases.stands(State.ACKNOWLEDGED)
        skew_clock(timedelta(minutes=2))
        await until(lambda: len(sink.pages) == 2)
    assert sink.told[-1] == ("n3q7m2xa-1", "acknowledge")


async def test_a_dead_sink_loses_nothing_and_gets_it_all_in_order(
    tools, arranged, cases, escalations, pagerduty, pager, store, skew_clock
):
    incidents = [IncidentId(f"n3q7m2a{n}") for n in "234567"]
    await pager.die()
    for incident in incidents:
        await arranged("pagerduty", incident)
    async with serving(tools, pagerduty):
        for hours in range(1, 9):  # many times due, and never taken
            for incident in incidents:
                await settled(store, "pagerduty", incident)
            skew_clock(hours * HOUR)
        assert pager.board.taken == []
        (known,) = await escalations.of(incidents[0])
        assert known.attempts >= 7
        assert "PagerDuty does not answer" in known.trouble
        await pager.revive()
        skew_clock(10 * HOUR)
        await until(lambda: pager.board.woken == len(incidents))
        assert sorted(found.key for found in pager.board.incidents) == [f"{incident}-1" for incident in incidents]
        for incident in incidents:
            await cases.stands(State.RESOLVED, incident)
            await escalations.look_again(incident)
        await until(lambda: all(i.standing is Standing.RESOLVED for i in pager.board.incidents))
    assert pager.board.woken == len(incidents)


async def test_what_ended_while_the_sink_was_dead_wakes_nobody(
    tools, arranged, cases, escalations, pagerduty, pager, store, skew_clock
):
    await pager.die()
    await arranged("pagerduty")
    async with serving(tools, pagerduty):
        await settled(store, "pagerduty")
        await cases.stands(State.RESOLVED)
        await escalations.look_again(INCIDENT)
        await pager.revive()
        skew_clock(HOUR)
        record = await settled(store, "pagerduty")
    assert record["state"] == "over"
    assert record["trouble"] == "The incident ended before pagerduty could be told, so nobody was woken."
    assert pager.board.taken == []


async def test_a_trigger_that_may_have_arrived_is_taken_back(
    tools, arranged, cases, escalations, pagerduty, pager, store, skew_clock
):
    pager.conduct.swallows = True
    await arranged("pagerduty")
    async with serving(tools, pagerduty):
        await settled(store, "pagerduty")
        assert pager.board.woken == 1
        assert (await escalations.of(INCIDENT))[0].said is None  # as far as anybody here knows
        await cases.stands(State.RESOLVED)
        pager.conduct.well()
        skew_clock(HOUR)
        await until(lambda: pager.board.incidents[0].standing is Standing.RESOLVED)
    assert [event["event_action"] for event in pager.board.taken] == ["trigger", "resolve"]


async def test_a_slow_sink_delays_nobody(tools, arranged, escalations, webhook, receiver, pagerduty, pager):
    receiver.conduct.slow = timedelta(seconds=30)  # more than it is given
    incidents = [IncidentId(f"n3q7m2b{n}") for n in "234567"]
    loop = asyncio.get_running_loop()
    async with serving(tools, webhook, pagerduty):
        for incident in incidents:
            await arranged("hook", incident)
        await until(lambda: receiver.conduct.called > 0)
        began = loop.time()
        for incident in incidents:
            await escalations.arrange(incident, "pagerduty", at=now())
        await until(lambda: pager.board.woken == len(incidents), within=5)
        assert loop.time() - began < 5
        assert [found.said for found in await escalations.of(incidents[0])] == [None, Action.TRIGGER]


async def test_two_watchers_serve_one_sink_and_each_thing_is_sent_once(store, cases, arranged, escalations, sink):
    twin = Recording()
    incidents = [IncidentId(f"n3q7m2{a}{b}") for a in "cdef" for b in "23456"]
    async with serving(tools_of(store), sink), serving(tools_of(store), twin):
        for incident in incidents:
            await arranged(NIGHT, incident)
        await until(lambda: len(sink.pages) + len(twin.pages) >= len(incidents))
        for incident in incidents:
            await settled(store, NIGHT, incident)
    ids = [page.id for page in (*sink.pages, *twin.pages)]
    assert sorted(ids) == [f"{incident}-1-trigger" for incident in sorted(incidents)]


async def test_a_busy_sink_is_left_alone_for_as_long_as_it_asks(tools, arranged, pagerduty, pager, store, skew_clock):
    pager.conduct.status, pager.conduct.retry_after = 429, "900"
    await arranged("pagerduty")
    async with serving(tools, pagerduty):
        await settled(store, "pagerduty")
        due = float(await store.zscore(keys.escalations("pagerduty"), INCIDENT)) / 1000
        assert 890 < due - now().timestamp() <= 900
        assert pager.conduct.called == 1
        pager.conduct.well()
        skew_clock(timedelta(seconds=901))
        await until(lambda: pager.board.woken == 1)


async def test_it_comes_back_after_its_end_and_is_another_incident_there(
    tools, arranged, cases, escalations, pagerduty, pager, store
):
    await arranged("pagerduty")
    async with serving(tools, pagerduty):
        await until(lambda: pager.board.woken == 1)
        await cases.stands(State.RESOLVED)
        await escalations.look_again(INCIDENT)
        await until(lambda: pager.board.incidents[0].standing is Standing.RESOLVED)
        assert (await settled(store, "pagerduty"))["state"] == "over"
        await arranged("pagerduty")
        await until(lambda: pager.board.woken == 2)
    assert [found.key for found in pager.board.incidents] == ["n3q7m2xa-1", "n3q7m2xa-2"]


async def test_whoever_was_on_it_is_not_and_somebody_else_is_woken(
    tools, arranged, cases, escalations, pagerduty, pager, store, skew_clock
):
    await arranged("pagerduty", after=PATIENCE)
    async with serving(tools, pagerduty):
        skew_clock(PATIENCE + timedelta(seconds=1))
        await until(lambda: pager.board.woken == 1)
        await cases.stands(State.ACKNOWLEDGED)
        await escalations.look_again(INCIDENT)
        await until(lambda: pager.board.incidents[0].standing is Standing.ACKNOWLEDGED)
        await cases.stands(State.OPEN)
        await escalations.look_again(INCIDENT)
        await until(lambda: pager.board.incidents[0].standing is Standing.RESOLVED)
        assert (await settled(store, "pagerduty"))["opening"] == "2"
        assert pager.board.woken == 1  # it has its ten minutes again
        skew_clock(2 * PATIENCE + timedelta(seconds=5))
        await until(lambda: pager.board.woken == 2)


async def test_what_this_version_cannot_read_is_put_off_and_keeps_no_other_waiting(
    tools, arranged, escalations, sink, store, caplog, skew_clock
):
    strange = IncidentId("n3q7m2zz")
    await arranged(NIGHT, strange)
    incident = await store.hget(keys.incident(strange), "incident")
    await store.hset(keys.incident(strange), "incident", "of another version")
    async with serving(tools, sink):
        await settled(store, NIGHT, strange)
        await arranged()
        await until(lambda: sink.told == [("n3q7m2xa-1", "trigger")])
        (known,) = await escalations.of(strange)
        assert known.attempts == 1
        assert "cannot be read by this version" in known.trouble
        await store.hset(keys.incident(strange), "incident", incident)  # and then it is upgraded
        skew_clock(HOUR)
        await until(lambda: len(sink.pages) == 2)
    assert "cannot be read by this version" in caplog.text


async def test_a_redis_that_takes_nothing_for_a_while_stops_nothing(tools, arranged, sink, store, caplog):
    await arranged()
    await store.execute_command("CONFIG", "SET", "maxmemory", "1")
    try:
        async with serving(tools, sink):
            await until(lambda: "cannot be read" in caplog.text)
            await store.execute_command("CONFIG", "SET", "maxmemory", "0")
            await until(lambda: len(sink.pages) == 1)
    finally:
        await store.execute_command("CONFIG", "SET", "maxmemory", "0")


async def test_names_of_who_is_on_call(pagerduty, pager, webhook):
    assert await on_call_names([webhook, pagerduty, Recording()]) == ("Ada Lovelace",)
    dumb = Recording()

    async def nothing():
        raise UnreachableError("nobody there")

    dumb.on_call = nothing
    assert await on_call_names([dumb, pagerduty]) == ("Ada Lovelace",)
    assert await on_call_names([]) == ()


def test_retries_grow_to_five_minutes_and_honour_what_was_asked():
    delays = [delay_after(n, AGAIN) for n in range(1, 60)]
    assert timedelta(seconds=1.5) <= delays[0] <= timedelta(seconds=2)
    assert all(timedelta(seconds=225) <= delay <= timedelta(minutes=5) for delay in delays[10:])
    assert len(set(delays[10:])) > 10  # by chance
    assert delay_after(1, AGAIN, asked=600) == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({"storm": True}, "critical"),
        ({"storm": True, "client": Client.BACKUP}, "critical"),
        ({}, "error"),
        ({"failed": 0}, "warning"),
        ({"client": Client.BACKUP}, "warning"),
        ({"client": Client.REPLICATION}, "warning"),
        ({"client": Client.OTHER}, "error"),
    ],
)
def test_how_bad_it_is(changes, severity):
    assert severity_of(incident_of(**changes)) == severity


def test_what_a_page_says_in_one_line():
    assert summary_of(incident_of()) == (
        "NFC session died while data was flowing, between site1 and site2 (3 hosts, 7 failures)"
    )
    one = {"east/esx-01.example.net": HostCount(failures=1, lines=1, last=AT)}
    alone = incident_of(link=None, hosts=one, count=1)
    assert summary_of(alone).endswith(", on esx-01.example.net (1 failure)")
    assert where_of(incident_of(link=None, sites=("site1", "site2"))) == "at site1, site2"
    assert where_of(incident_of(link=None)) == "on several hosts"
    assert where_of(incident_of(link=None, hosts={})) == "on a host that is not known"
