"""What was read is kept once, with the place after it, by the owner of the host alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import UnreachableError
from bot.hostlog.cursor import Line
from bot.hostlog.line import Gap, HostKey
from bot.hostlog.roll import SourceKind
from bot.logs import intake as intake_module
from bot.logs.intake import RedisIntake
from bot.logs.port import Batch
from bot.logs.rendezvous import shard_of
from bot.logs.stream import LINES_OF_AN_ENTRY, RedisWatchedLines
from bot.logs.tallies import read_tallies
from bot.store.scripts import Script

HOST = HostKey("east/esx-01.example.net")
ERROR = "[NFC ERROR] NfcNetTcpWrite: bWritten: -1"
PLACE = "{cm}:watch:east:esx-01.example.net:vpxa"
SSH = {"kind": SourceKind.SSH}


def batch(first, *texts, cursor="", **more):
    lines = [Line(number, text) for number, text in enumerate(texts, start=first)]
    return Batch(lines, cursor or f"after {first + len(texts) - 1}", read=len(texts), **more)


@pytest.fixture
def intake_of(store):
    return lambda watcher="w1": RedisIntake(store, keep=lambda text: "[NFC ERROR]" in text, watcher=watcher)


@pytest.fixture
def intake(intake_of):
    return intake_of()


@pytest.fixture
def lines(store):
    return RedisWatchedLines(store)


@pytest.fixture
def own(store):
    async def own(epoch, host=HOST):
        await store.hset(f"{{cm}}:shard:{shard_of(host)}", "epoch", epoch)

    return own


@pytest.fixture
def tight_push(store):
    """What `push` runs, with room for little, which is looked at each time."""

    async def push(*words):
        source = intake_module._PUSH.source
        tight = source.replace("128 * 1024 * 1024", "400 * 1024").replace("LOOK_EVERY = 50", "LOOK_EVERY = 1")
        assert tight != source
        await Script(tight)(store, *words)

    return push


async def told(lines):
    found = await lines.read("0-0", within=timedelta(milliseconds=1))
    return [item.reason if isinstance(item, Gap) else item.text for entry in found for item in entry.items]


async def test_candidates_with_their_neighbours_and_the_place_after_them(intake, lines, own, store):
    await own(5)
    assert await intake.cursor(HOST, "vpxa") == ""
    assert await intake.take(HOST, "vpxa", batch(1, "a", "b", "c", ERROR, "d"), **SSH, epoch=5)
    assert await intake.take(HOST, "vpxa", batch(6, "e", "f", "g"), **SSH, epoch=5)
    (first, second) = await lines.read("0-0", within=timedelta(seconds=1))
    assert [(line.number, line.text) for line in first.items] == [(2, "b"), (3, "c"), (4, ERROR), (5, "d")]
    assert [line.text for line in second.items] == ["e", "f"]
    assert (first.host, first.log, first.kind) == (HOST, "vpxa", SourceKind.SSH)
    assert abs(datetime.now(UTC) - first.at) < timedelta(seconds=5)
    assert first.items[0].seen_at == first.at
    assert await store.hget(PLACE, "cursor") == "after 8"
    assert await lines.last_id() == second.id


async def test_who_lost_the_host_keeps_nothing(intake, lines, own, store):
    await own(5)
    await intake.take(HOST, "vpxa", batch(1, ERROR), **SSH, epoch=5)
    await own(6)
    assert not await intake.take(HOST, "vpxa", batch(2, ERROR), **SSH, epoch=5)
    assert not await intake.take(HOST, "vpxa", batch(3, "quiet"), **SSH, epoch=5)
    assert await told(lines) == [ERROR]
    assert await store.hget(PLACE, "cursor") == "after 1"


async def test_a_quiet_log_is_written_down_late_and_refused_late(intake, lines, own, store):
    await own(5)
    assert await intake.take(HOST, "vpxa", batch(0, "begin"), **SSH, epoch=5)
    assert await store.hget(PLACE, "cursor") == "after 0"  # where it begins is not to be sought twice
    assert await intake.take(HOST, "vpxa", batch(1, "a", "b"), **SSH, epoch=5)
    assert await store.hget(PLACE, "cursor") == "after 0"
    await intake.settle()
    assert await store.hget(PLACE, "cursor") == "after 2"
    await own(6)
    assert await intake.take(HOST, "vpxa", batch(3, "c"), **SSH, epoch=5)
    await intake.settle([HOST])
    assert await store.hget(PLACE, "cursor") == "after 2"
    assert not await intake.take(HOST, "vpxa", batch(4, "d"), **SSH, epoch=5)


async def test_the_next_owner_has_the_neighbours_too(intake, intake_of, lines, own):
    await own(5)
    await intake.take(HOST, "vpxa", batch(1, "a", "b", "c"), **SSH, epoch=5)
    await intake.settle()
    await own(6)
    other = intake_of("w2")
    assert await other.cursor(HOST, "vpxa") == "after 3"
    assert await other.take(HOST, "vpxa", batch(4, ERROR), **SSH, epoch=6)
    assert await told(lines) == ["b", "c", ERROR]


async def test_a_late_place_never_goes_back_behind_lines_that_were_told(intake, intake_of, own, store, lines):
    """Two writes of one process on two connections: the older one arrives last."""
    await own(5)
    await intake.take(HOST, "vpxa", batch(0, "begin"), **SSH, epoch=5)
    await intake.take(HOST, "vpxa", batch(1, "a"), **SSH, epoch=5)
    late = intake_of("w1")
    await late.take(HOST, "vpxa", batch(1, "a"), **SSH, epoch=5)
    await intake.take(HOST, "vpxa", batch(2, ERROR), **SSH, epoch=5)
    await late.settle()
    assert await store.hget(PLACE, "cursor") == "after 2"
    with pytest.raises(UnreachableError):
        await late.take(HOST, "vpxa", batch(2, ERROR), **SSH, epoch=5)
    assert await late.cursor(HOST, "vpxa") == "after 2"
    assert await late.take(HOST, "vpxa", batch(3, ERROR), **SSH, epoch=5)
    assert await told(lines) == ["begin", "a", ERROR, ERROR]


async def test_a_gap_comes_first_and_parts_neighbours(intake, lines, own):
    await own(5)
    await intake.take(HOST, "vpxa", batch(1, "a"), **SSH, epoch=5)
    await intake.take(HOST, "vpxa", batch(1, ERROR, gap="rotated"), **SSH, epoch=5)
    assert await told(lines) == ["rotated", ERROR]


async def test_what_is_sieved_already_is_kept_as_it_is(intake, lines, own):
    await own(5)
    await intake.take(HOST, "vpxa", batch(1, "neighbour", sieved=True), **SSH, epoch=5)
    assert await told(lines) == ["neighbour"]


async def test_huge_lines_are_cut_and_many_lines_make_more_entries(intake, lines):
    many = [Line(number, "x" * 20_000) for number in range(3)] + [Line(number, "y") for number in range(1200)]
    await intake.push(HOST, "vpxa", many, read=5000, kind=SourceKind.SYSLOG)
    found = await lines.read("0-0", within=timedelta(seconds=1))
    assert [len(entry.items) for entry in found] == [LINES_OF_AN_ENTRY, LINES_OF_AN_ENTRY, 203]
    assert len(found[0].items[0].text) == 16 * 1024


async def test_hostile_text_arrives_as_it_is(intake, lines):
    hostile = 'half \ud800, "quotes"\\ <!channel> \x00 {cm}'
    await intake.push(HOST, "vpxa", [Line(1, hostile)], read=1, kind=SourceKind.SYSLOG)
    assert await told(lines) == [hostile]


async def test_hostile_neighbours_can_be_kept(intake, own):
    await own(5)
    await intake.take(HOST, "vpxa", batch(1, "half \ud800"), **SSH, epoch=5)
    await intake.settle()
    assert await intake.cursor(HOST, "vpxa") == "after 1"


async def test_pushes_of_many_hosts_share_a_round_trip_and_quiet_ones_cost_none(intake, store, lines):
    before = int((await store.info("stats"))["total_reads_processed"])
    async with asyncio.TaskGroup() as group:
        for number in range(500):
            host = HostKey(f"east/esx-{number}")
            group.create_task(intake.push(host, "vpxa", [Line(1, ERROR)], read=20, kind=SourceKind.SYSLOG))
            group.create_task(intake.push(host, "hostd", [], read=20, kind=SourceKind.SYSLOG))
    reads = int((await store.info("stats"))["total_reads_processed"]) - before
    assert len(await lines.read("0-0", within=timedelta(seconds=1), limit=1000)) == 500
    assert reads < 50


async def test_a_thousand_quiet_hosts_cost_a_few_round_trips(intake, store):
    hosts = [HostKey(f"east/esx-{number}") for number in range(1000)]
    for shard in range(256):
        await store.hset(f"{{cm}}:shard:{shard}", "epoch", 5)
    await asyncio.gather(*(intake.take(host, "vpxa", batch(0, "begin"), **SSH, epoch=5) for host in hosts))
    before = int((await store.info("stats"))["total_reads_processed"])
    for number in range(1, 4):
        for host in hosts:
            assert await intake.take(host, "vpxa", batch(number, "quiet"), **SSH, epoch=5)
    await intake.settle()
    await intake.write_tallies()
    assert int((await store.info("stats"))["total_reads_processed"]) - before < 100
    assert await store.hget("{cm}:watch:east:esx-999:vpxa", "cursor") == "after 3"


async def test_a_flood_is_bounded_in_bytes(store, lines, tight_push):
    for number in range(400):
        await tight_push(HOST, "vpxa", "ssh", f'[[{number},"{"x" * 2000}"]]')
    kept = await lines.read("0-0", within=timedelta(seconds=1), limit=1000)
    assert kept[-1].items[0].number == 399
    assert len(kept) < 300


async def test_since_gives_the_newest_oldest_first(intake, lines, skew_clock):
    skew_clock(timedelta(hours=1))
    for number in range(5):
        await intake.push(HOST, "vpxa", [Line(number, str(number))], read=1, kind=SourceKind.SYSLOG)
    every = await lines.read("", within=timedelta(seconds=1))
    assert [entry.items[0].number for entry in every] == [0, 1, 2, 3, 4]
    found = await lines.since(every[0].at, until=every[3].id, limit=2)
    assert [entry.items[0].number for entry in found] == [2, 3]
    assert await lines.since(every[-1].at + timedelta(seconds=1)) == []
    assert len(await lines.since(every[0].at)) == 5


async def test_tallies_of_all_watchers_that_live(intake_of, store, own):
    one, other = intake_of("w1"), intake_of("w2")
    await own(5)
    await one.take(HOST, "vpxa", batch(1, ERROR, "a", behind=timedelta(seconds=3)), **SSH, epoch=5)
    await other.push(HOST, "vpxa", [], read=7, throttled=4, gap="flooded", kind=SourceKind.SYSLOG)
    away = HostKey("east/esx-02")
    await own(5, away)
    await other.take(away, "vpxa", batch(1, gap="no route to host", cursor="x"), **SSH, epoch=5)
    for intake in (one, other):
        await intake.write_tallies()
    assert await read_tallies(store) == []
    now = datetime.now(UTC).timestamp() * 1000
    await store.zadd("{cm}:watchers", {"w1": now, "w2": now, "w0": now - 60_000})
    first, second = await read_tallies(store)
    assert (first.host, first.kind, first.lines, first.candidates) == (HOST, SourceKind.SYSLOG, 9, 2)
    assert (first.gaps, first.throttled, first.trouble) == (1, 4, "")
    assert (second.lines, second.gaps, second.trouble, second.heard_at) == (0, 1, "no route to host", None)


async def test_a_watcher_that_gave_a_host_away_says_nothing_of_it_any_more(intake_of, store, own):
    one, other = intake_of("w1"), intake_of("w2")
    now = datetime.now(UTC).timestamp() * 1000
    await store.zadd("{cm}:watchers", {"w1": now, "w2": now})
    await own(5)
    await one.take(HOST, "vpxa", batch(1, "a"), **SSH, epoch=5)
    await one.write_tallies()
    one.leave([HOST])
    other.tallies.trouble(HOST, SourceKind.SSH, "login refused")
    assert one.tallies.all() == []  # else `watch_up` of 1 would stay here for ever
    for intake in (one, other):
        await intake.write_tallies()
    (left,) = await read_tallies(store)
    assert (left.trouble, left.lines) == ("login refused", 0)


async def test_a_watcher_that_died_is_mourned_once_over_the_fleet(intake_of, store, lines, own):
    died, first, second = intake_of("died"), intake_of("w1"), intake_of("w2")
    await own(5)
    await died.push(HOST, "vpxa", [], read=7, kind=SourceKind.SYSLOG)
    pulled = HostKey("east/esx-02")
    await own(5, pulled)
    await died.take(pulled, "vpxa", batch(1, "a"), **SSH, epoch=5)
    await died.write_tallies()
    now = datetime.now(UTC).timestamp() * 1000
    await store.zadd("{cm}:watchers", {"died": now - 5_000, "w1": now})
    assert await first.mourn() == 0
    await store.zadd("{cm}:watchers", {"died": now - 11_000})
    assert sorted(await asyncio.gather(first.mourn(), second.mourn(), first.mourn())) == [0, 0, 1]
    (reason,) = await told(lines)
    assert reason.startswith("the watcher that received its syslog died; lines between ")
    assert await store.zrange("{cm}:watchers", 0, -1) == ["w1"]
    assert await store.exists("{cm}:watch:died") == 0


@pytest.mark.parametrize("settled", [False, True])
async def test_a_place_that_redis_forgot_after_a_week_of_silence_costs_no_line(intake, lines, own, store, settled):
    await own(5)
    await intake.cursor(HOST, "vpxa")
    assert await intake.take(HOST, "vpxa", batch(1, ERROR), **SSH, epoch=5)
    await store.delete(PLACE)
    if settled:
        assert await intake.take(HOST, "vpxa", batch(2, "a"), **SSH, epoch=5)
        await intake.settle()
    assert await intake.take(HOST, "vpxa", batch(3, f"{ERROR} again"), **SSH, epoch=5)
    assert [text for text in await told(lines) if ERROR in text] == [ERROR, f"{ERROR} again"]
    assert await intake.cursor(HOST, "vpxa") == "after 3"


async def test_whose_syslog_came_for_the_first_time_is_known_to_the_fleet_at_once(store):
    """Else nobody could tell the gap of a watcher that dies soon after."""
    patient = timedelta(hours=1)
    intake = RedisIntake(store, keep=bool, watcher="w1", tallies_every=patient)
    running = asyncio.create_task(intake.run())
    await intake.push(HOST, "vpxa", [], read=7, kind=SourceKind.SYSLOG)
    async with asyncio.timeout(5):
        while not await store.hexists("{cm}:watch:w1", HOST):
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_nobody_is_mourned_by_who_has_just_found_redis_again(intake_of, store, lines):
    """While Redis is away nobody can give a sign; afterwards everybody first has the time to."""
    await (other := intake_of("other")).push(HOST, "vpxa", [], read=7, kind=SourceKind.SYSLOG)
    await other.write_tallies()
    away = {"other": datetime.now(UTC).timestamp() * 1000 - 60_000}
    await store.zadd("{cm}:watchers", away)
    intake = RedisIntake(store, keep=bool, watcher="w1", gone_after=timedelta(seconds=0.6))
    running = asyncio.create_task(intake.run())
    await asyncio.sleep(0.4)
    assert await store.zrange("{cm}:watchers", 0, -1) == ["other"]
    async with asyncio.timeout(5):
        while await store.zrange("{cm}:watchers", 0, -1):
            await asyncio.sleep(0.05)
    assert len(await told(lines)) == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
