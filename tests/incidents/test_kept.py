"""Incidents on a real Valkey: a judge's commit is whole, fenced, and never in the way of a person's click."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from bot.errors import BugError, UnreachableError
from bot.incidents.grouping import judge, silent
from bot.incidents.incident import Case, Change, Failure, IncidentId, Mute, Scope, ScopeKind, Standing, State
from bot.incidents.kept import KEPT, SHOWN, RedisIncidents
from bot.incidents.port import AlertPlace
from bot.store import keys
from bot.store.client import connect
from tests.incidents.conftest import EPOCH
from tests.incidents.night import dead_link, failure, host, minutes

ONE = IncidentId("aaaaaaaa")
TWO = IncidentId("bbbbbbbb")


def now() -> datetime:
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def opened(name: IncidentId = ONE, first: str = "op1", **told: object) -> Change:
    (change,) = judge([failure(first, at=now(), **told)], [], now=now(), new_id=lambda: name)
    return change


def to(case: Case, state: State, **standing: object) -> Change:
    return Change(case.incident, replace(case.standing, state=state, at=now(), **standing), case.standing)


async def commit(incidents: RedisIncidents, *changes: Change, after: str = "1-1", epoch: str = EPOCH) -> bool:
    return await incidents.commit(epoch, after=after, changes=changes)


async def get(incidents: RedisIncidents, name: IncidentId = ONE) -> Case:
    case = await incidents.get(name)
    assert case is not None
    return case


def names(cases: Sequence[Case]) -> list[str]:
    return [case.incident.id for case in cases]


async def test_what_was_committed_comes_back_whole_and_with_it_how_far_it_was_read(incidents):
    assert await incidents.begin(EPOCH) == ""
    change = opened(vm="a", peer="p", link="a~b", sites=("a", "b"), task="task-1", datastore="l", failed=True)
    assert await commit(incidents, change, after="5-0")
    assert await incidents.begin("8") == "5-0"
    assert change.standing is not None
    assert await get(incidents) == Case(change.incident, change.standing)
    assert await incidents.live() == [await get(incidents)]
    assert await incidents.get(TWO) is None


async def test_a_judge_that_was_replaced_keeps_nothing(incidents, store):
    assert not await commit(incidents, opened(), epoch="6")
    assert await store.keys("*incident*") == []
    assert await incidents.begin(EPOCH) == ""
    await store.delete(keys.shard("judge"))
    assert not await commit(incidents, opened())


async def test_a_commit_changes_nothing_that_people_did(incidents):
    await commit(incidents, opened())
    read = await get(incidents)
    (grown,) = judge([failure("op2", at=now())], [read], now=now(), new_id=lambda: TWO)
    await incidents.move(ONE, State.ACKNOWLEDGED, by="U1")
    await incidents.spoken(ONE, "C1")
    assert await commit(incidents, grown)
    case = await get(incidents)
    assert (case.incident.count, case.standing.state, case.standing.by) == (2, State.ACKNOWLEDGED, "U1")
    assert case.standing.channel == "C1"


@pytest.mark.parametrize("done", [State.ACKNOWLEDGED, State.RESOLVED])
async def test_silence_does_not_overtake_a_click_that_it_did_not_see(incidents, done):
    await commit(incidents, opened())
    read = await incidents.live()
    await incidents.move(ONE, done, by="U1")
    assert await commit(incidents, *silent(read, now=now() + minutes(90), after=minutes(60)))
    case = await get(incidents)
    assert (case.standing.state, case.standing.by) == (done, "U1")
    assert await commit(incidents, *silent([case], now=now() + minutes(90), after=minutes(60)))
    assert (await get(incidents)).standing.state is State.RESOLVED


async def test_clicks_and_commits_side_by_side_lose_nothing(incidents, valkey_url):
    await commit(incidents, opened())

    async def judging() -> None:
        for number in range(40):
            (case,) = [case for case in await incidents.live() if case.incident.id == ONE]
            found = judge([failure(f"op1{number}", at=now())], [case], now=now(), new_id=lambda: TWO)
            assert await commit(incidents, *found, after=f"{number}-1")

    async def clicking() -> None:
        async with connect(valkey_url) as own:
            people = RedisIncidents(own)
            for number in range(20):
                for state in (State.ACKNOWLEDGED, State.OPEN):
                    case = await people.move(ONE, state, by=f"U{number}")
                    assert case is not None
                    assert (case.standing.state, case.standing.by) == (state, f"U{number}")
            await people.move(ONE, State.ACKNOWLEDGED, by="last")

    await asyncio.gather(judging(), clicking())
    case = await get(incidents)
    assert (case.incident.count, case.standing.state, case.standing.by) == (41, State.ACKNOWLEDGED, "last")


async def test_a_commit_that_is_sent_twice_is_one(incidents):
    change = opened()
    await commit(incidents, change)
    await incidents.move(ONE, State.ACKNOWLEDGED, by="U1")
    await commit(incidents, change)
    assert (await get(incidents)).standing.state is State.ACKNOWLEDGED


async def test_what_goes_up_in_another_is_gone_from_the_living_whatever_was_clicked(incidents):
    await commit(incidents, opened(), opened(TWO, "op2", hosts=[host(2)]))
    read = await get(incidents, TWO)
    await incidents.move(TWO, State.ACKNOWLEDGED, by="U1")
    await commit(incidents, to(read, State.MERGED, into=ONE))
    assert names(await incidents.live()) == [ONE]
    case = await get(incidents, TWO)
    assert (case.standing.state, case.standing.into) == (State.MERGED, ONE)
    for state in State:
        moved = await incidents.move(TWO, state, by="U2")
        assert moved == case, "what was merged never comes back"


async def test_a_message_that_has_to_say_that_its_incident_is_part_of_another_is_found(incidents, skew_clock):
    await commit(incidents, opened(), opened(TWO, "op2", hosts=[host(2)]))
    await incidents.spoken(TWO, "C1")
    await commit(incidents, to(await get(incidents, TWO), State.MERGED, into=ONE))
    assert sorted(names(await incidents.live())) == [ONE, TWO]
    skew_clock(SHOWN + minutes(1))
    assert names(await incidents.live()) == [ONE]


async def test_moves_are_those_that_make_sense_and_the_first_is_named(incidents, skew_clock):
    await commit(incidents, opened())
    assert await incidents.move(IncidentId("unknown"), State.RESOLVED, by="U1") is None
    first = await incidents.move(ONE, State.ACKNOWLEDGED, by="U1")
    skew_clock(minutes(1))
    assert await incidents.move(ONE, State.ACKNOWLEDGED, by="U2") == first
    resolved = await incidents.move(ONE, State.RESOLVED, by="U2")
    assert await incidents.move(ONE, State.RESOLVED, by="U3") == resolved
    assert await incidents.move(ONE, State.ACKNOWLEDGED, by="U3") == resolved
    assert resolved is not None
    assert resolved.standing.at is not None
    assert abs(resolved.standing.at - now() - minutes(1)) < minutes(1)
    again = await incidents.move(ONE, State.OPEN, by="U4")
    assert again is not None
    assert (again.standing.state, again.standing.by) == (State.OPEN, "U4")
    assert await incidents.live() == [again]


async def test_the_first_to_speak_decides_the_channel(incidents):
    assert await incidents.spoken(ONE, "C1") is None
    await commit(incidents, replace(opened(), standing=Standing(opened_at=now(), hushed="quiet hours")))
    assert (await get(incidents)).standing.hushed == "quiet hours"
    first = await incidents.spoken(ONE, "C1")
    assert first is not None
    assert (first.standing.channel, first.standing.hushed) == ("C1", "")
    assert first.standing.spoken_at is not None
    assert await incidents.spoken(ONE, "C2") == first
    (back,) = [to(await get(incidents), State.RESOLVED)]
    await commit(incidents, back)
    assert (await get(incidents)).standing.channel == "C1", "what comes back has its message"


async def test_why_it_has_no_message_is_kept_until_it_has_one(incidents, store):
    await incidents.hush(ONE, "nobody knows it")
    assert not await store.exists(keys.incident(ONE))
    await commit(incidents, opened())
    await incidents.hush(ONE, "observe")
    await incidents.hush(ONE, "quiet hours")
    await commit(incidents, to(await get(incidents), State.RESOLVED))
    assert (await get(incidents)).standing.hushed == "quiet hours"
    await incidents.spoken(ONE, "C1")
    await incidents.hush(ONE, "too late")
    assert (await get(incidents)).standing.hushed == ""


async def test_what_was_resolved_is_shown_a_day_and_kept_ninety(incidents, store, skew_clock):
    await commit(incidents, opened(), opened(TWO, "op2"))
    assert await store.pttl(keys.incident(ONE)) == -1, "what lives is kept"
    await incidents.move(ONE, State.RESOLVED, by="U1")
    left = timedelta(milliseconds=await store.pttl(keys.incident(ONE)))
    assert timedelta(0) < left <= KEPT
    skew_clock(SHOWN - minutes(1))
    assert sorted(names(await incidents.live())) == [ONE, TWO]
    skew_clock(SHOWN + minutes(1))
    assert names(await incidents.live()) == [TWO]
    assert (await get(incidents)).standing.state is State.RESOLVED
    back = to(await get(incidents), State.OPEN, by="")
    await commit(incidents, back)
    assert sorted(names(await incidents.live())) == [ONE, TWO]
    assert await store.pttl(keys.incident(ONE)) == -1
    assert await store.zcard(keys.INCIDENTS_ENDED) == 0
    await incidents.move(ONE, State.RESOLVED, by="U1")
    skew_clock(SHOWN + KEPT + minutes(2))
    await commit(incidents)
    assert await store.zcard(keys.INCIDENTS_ENDED) == 0


async def test_a_digest_finds_what_was_open_since(incidents, skew_clock):
    await commit(incidents, opened(), opened(TWO, "op2"), opened(IncidentId("cccccccc"), "op3"))
    await incidents.move(ONE, State.RESOLVED, by="U1")
    skew_clock(timedelta(days=2))
    await incidents.move(TWO, State.RESOLVED, by="U1")
    assert names(await incidents.ended_since(now() - timedelta(days=1))) == [ONE, TWO, "cccccccc"]
    assert names(await incidents.ended_since(now() + timedelta(days=1))) == [TWO, "cccccccc"]


async def test_records_that_are_gone_or_of_another_version_stop_nobody(incidents, store, caplog):
    await commit(incidents, opened(), opened(TWO, "op2"))
    await store.hset(keys.incident(ONE), "form", "9")
    assert names(await incidents.live()) == [TWO]
    assert "cannot be read by this version" in caplog.text
    with pytest.raises(BugError, match=r"aaaaaaaa cannot be read .*form 9"):
        await incidents.get(ONE)
    await store.hset(keys.incident(ONE), mapping={"form": "1", "incident": "{}"})
    assert names(await incidents.live()) == [TWO]
    await store.delete(keys.incident(TWO))
    assert await incidents.live() == []
    assert await store.zrange(keys.INCIDENTS, 0, -1) == [ONE]


async def test_an_incident_that_redis_forgot_stands_open_again(incidents, store):
    await commit(incidents, opened())
    (grown,) = judge([failure("op2", at=now())], [await get(incidents)], now=now(), new_id=lambda: TWO)
    await store.delete(keys.incident(ONE), keys.INCIDENTS)
    await commit(incidents, grown)
    assert [case.standing.state for case in await incidents.live()] == [State.OPEN]


async def test_a_mute_is_by_scope_and_ends_by_redis_clock(incidents, store, skew_clock):
    scope = Scope(ScopeKind.HOST, "esx-1.example")
    mute = Mute(scope, now() + timedelta(hours=2), "U1", now(), "disk is changed")
    other = Mute(Scope(ScopeKind.ALL), now() + timedelta(hours=1), "U2", now())
    await incidents.mute(mute)
    await incidents.mute(other)
    assert await incidents.mutes() == [other, mute]
    longer = replace(mute, until=now() + timedelta(hours=3), by="U3")
    await incidents.mute(longer)
    assert await incidents.mutes() == [other, longer]
    skew_clock(timedelta(hours=2, minutes=30))
    assert await incidents.mutes() == [longer]
    assert await incidents.unmute(scope)
    assert not await incidents.unmute(scope)
    assert await incidents.mutes() == []
    await incidents.mute(mute)
    assert await incidents.mutes() == [], "it was over before it began"
    assert await store.keys("*mute*") == []


async def test_a_mute_that_cannot_be_read_does_not_count(incidents, store, caplog):
    await incidents.mute(Mute(Scope(ScopeKind.ALL), now() + timedelta(hours=1), "U2", now()))
    await store.hset(keys.mute("all"), "mute", "{}")
    assert await incidents.mutes() == []
    assert "cannot be read" in caplog.text
    await store.delete(keys.mute("all"))
    assert await incidents.mutes() == []
    assert await store.zcard(keys.MUTES) == 0


async def test_the_place_of_alerts_is_where_somebody_last_said(incidents):
    assert await incidents.place() is None
    await incidents.set_place("C1", by="U1")
    await incidents.set_place("", by="U2")
    place = await incidents.place()
    assert place is not None
    assert (place.channel, place.by) == ("", "U2")
    assert place == AlertPlace("", "U2", place.at)
    assert place.at is not None
    assert abs(place.at - now()) < minutes(1)


async def test_a_redis_that_is_away_is_said(tmp_path):
    async with connect(f"unix://{tmp_path}/nobody.sock") as away:
        incidents = RedisIncidents(away)
        for asked in (incidents.live(), incidents.mutes(), incidents.place(), commit(incidents), incidents.begin("1")):
            with pytest.raises(UnreachableError):
                await asked


async def test_a_storm_whose_judges_die_is_counted_once(incidents, store):
    """Each portion is judged twice: by one that is replaced before it could commit, and by the one that takes over."""
    moment = now()
    failures = dead_link(120, seed=5, start=moment - minutes(4))
    numbers = count(1)

    def judged(portion: Sequence[Failure], cases: Sequence[Case]) -> Sequence[Change]:
        return judge(portion, cases, now=moment, new_id=lambda: IncidentId(f"i{next(numbers)}"))

    for epoch, begin in enumerate(range(0, len(failures), 20), 10):
        late = judged(failures[begin : begin + 20], await incidents.live())
        await store.hset(keys.shard("judge"), "epoch", str(epoch))
        assert not await commit(incidents, *late)
        portion = failures[max(0, begin - 40) : begin + 20]  # what it remembers of before, read again
        assert await commit(incidents, *judged(portion, await incidents.live()), epoch=str(epoch))
    (case,) = await incidents.live()
    assert (case.incident.count, case.incident.storm) == (len(failures), True)
    assert case.incident.lines == sum(failure.lines for failure in failures)
    ended = await incidents.ended_since(moment - minutes(1))
    assert {one.incident.id for one in ended} == {case.incident.id, *case.incident.merged}
