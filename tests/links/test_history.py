"""The history of links on a real Valkey: kept once, for thirty days, and never too much of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import UnreachableError
from bot.links import history as room
from bot.links.history import AHEAD, KEPT, RedisLinkHistory
from bot.migration.measured import LinkSample, SampleKind
from bot.store import keys
from bot.store.client import connect

LINK = "site1~site2"
EVER = datetime(2000, 1, 1, tzinfo=UTC)


def probe(at: datetime, *, lost: int = 0, sent: int = 200, link: str = LINK) -> LinkSample:
    rtt = timedelta(milliseconds=80.25)
    return LinkSample(at, link, SampleKind.PROBE, "esx-11", "esx-21", sent=sent, lost=lost, rtt=rtt)


def copy(at: datetime, rate: float | None, kind: SampleKind = SampleKind.COPY) -> LinkSample:
    return LinkSample(at, LINK, kind, "esx-11", "esx-21", rate=rate)


def now() -> datetime:
    return datetime.now(UTC)


async def test_what_was_noted_comes_back_whole_and_oldest_first(history):
    at = now()
    noted = [copy(at, 2.5e7), probe(at - timedelta(hours=1), lost=3), probe(at - timedelta(minutes=1))]
    for sample in noted:
        await history.note(sample)
    assert await history.samples(LINK, since=EVER) == [noted[1], noted[2], noted[0]]
    assert await history.samples(LINK, since=at - timedelta(minutes=2)) == [noted[2], noted[0]]
    assert await history.samples("site1~site3", since=EVER) == []


async def test_the_same_sample_twice_is_kept_once_and_another_of_that_moment_beside_it(history):
    sample = probe(now(), lost=1)
    other = replace(sample, source_host="esx-12")
    for one in (sample, sample, other, sample):
        await history.note(one)
    assert len(await history.samples(LINK, since=EVER)) == 2


async def test_what_is_older_than_thirty_days_goes_and_does_not_come_back(history, store, skew_clock):
    first = probe(now())
    await history.note(first)
    skew_clock(KEPT + timedelta(minutes=1))
    await history.note(first)
    assert await store.zcard(keys.link(LINK)) == 0, "too old to be kept"
    later = probe(now() + KEPT + timedelta(minutes=1))
    await history.note(later)
    assert await history.samples(LINK, since=EVER) == [later]
    assert timedelta(0) < timedelta(milliseconds=await store.pttl(keys.link(LINK))) <= KEPT


async def test_a_clock_that_went_ahead_leaves_nothing_that_is_the_newest_for_ever(history, skew_clock):
    skew_clock(timedelta(days=2))
    ahead = probe(now() + timedelta(days=2), lost=200)
    await history.note(ahead)
    assert await history.samples(LINK, since=EVER) == [ahead]
    skew_clock(timedelta(0))
    right = probe(now())
    await history.note(right)
    await history.note(probe(now() + AHEAD + timedelta(minutes=1)))
    assert await history.samples(LINK, since=EVER) == [right]


async def test_only_the_newest_stay_and_probes_do_not_push_out_copies(history, store):
    at = now()
    await history.note(copy(at - timedelta(days=1), 1e7))
    old = {f"old {number}": (at - timedelta(hours=2)).timestamp() * 1000 + number for number in range(room.PROBES_KEPT)}
    await store.zadd(keys.link(LINK), old)
    await history.note(probe(at))
    assert await store.zcard(keys.link(LINK)) == room.PROBES_KEPT
    assert await store.zscore(keys.link(LINK), "old 0") is None
    assert await store.zscore(keys.link(LINK), "old 1") is not None
    # What cannot be read is left out.
    assert await history.samples(LINK, since=EVER) == [copy(at - timedelta(days=1), 1e7), probe(at)]


async def test_the_usual_rate_is_the_median_of_the_last_copies_that_had_one(history):
    assert await history.usual_rate(LINK) is None
    at = now() - timedelta(hours=1)
    await history.note(copy(at, 9e9, SampleKind.CANARY))
    await history.note(copy(at, None))
    assert await history.usual_rate(LINK) is None
    for minute, rate in enumerate([1e9, 1e9, *[3e7, 2e7, 1e6] * 3]):
        await history.note(copy(at + timedelta(minutes=minute), rate))
    assert await history.usual_rate(LINK) == 2e7
    assert await history.usual_rate("site1~site3") is None


async def test_a_redis_that_is_away_is_said(tmp_path):
    async with connect(f"unix://{tmp_path}/nobody.sock") as away:
        history = RedisLinkHistory(away)
        with pytest.raises(UnreachableError):
            await history.note(probe(now()))
        with pytest.raises(UnreachableError):
            await history.samples(LINK, since=EVER)
        with pytest.raises(UnreachableError):
            await history.usual_rate(LINK)
