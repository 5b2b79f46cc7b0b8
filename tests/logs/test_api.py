"""The watch reads through vCenter within its budget, beside jobs that go first, and goes on where it was."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime, timedelta

import pytest

from bot.hostlog.line import HostKey
from bot.hostlog.roll import Roll, SourceKind, WatchedHost
from bot.logs.api import ApiSource
from bot.logs.budget import CallBudget
from bot.logs.intake import RedisIntake
from bot.logs.port import Batch
from bot.logs.shards import Shards
from bot.logs.stream import RedisWatchedLines
from bot.logs.watcher import Watcher

ERROR = "[NFC ERROR] NfcNetTcpWrite: bWritten: -1"
SIGN = timedelta(milliseconds=50)


class Reader:
    """Logs of made-up hosts, and when each was asked for."""

    def __init__(self):
        self.calls = []
        self.logs = Counter()

    async def last_line(self, host, log):
        self.note(host)
        return self.logs[host]

    async def read(self, host, log, *, start, lines):
        self.note(host)
        last = self.logs[host]
        return last, [f"{host} {ERROR} {number}" for number in range(start, min(last, start + lines - 1) + 1)]

    def note(self, host):
        self.calls.append((asyncio.get_running_loop().time(), host))

    def of(self, host):
        return [at for at, whose in self.calls if whose == host]


async def batches_of(source, host, cursor="", log="vpxa"):
    """The batches that hold something, one after the other."""
    async with aclosing(source.follow(host, log, cursor=cursor)) as batches:
        async for batch in batches:
            if batch.lines or batch.gap:
                yield batch


async def take(batches):
    async with asyncio.timeout(10):
        return await anext(batches)


@pytest.fixture
def follow():
    """A source that is followed from the first moment on."""

    async def follow(source, host, cursor=""):
        batches = aiter(source.follow(host, "vpxa", cursor=cursor))
        async with asyncio.timeout(10):
            first = await anext(batches)
        return first, batches

    return follow


async def test_lines_come_sieved_and_reading_goes_on_at_the_cursor(feed_of, host, write, follow):
    source = ApiSource(await feed_of(), {}, sign_every=SIGN)
    begin, batches = await follow(source, host)
    assert begin == Batch((), begin.cursor, sieved=True)
    async with asyncio.timeout(10):
        while not (begin := await anext(batches)).lines:
            write("a", "b", "c", ERROR)
    assert begin.sieved
    assert ERROR in [line.text for line in begin.lines]
    await batches.aclose()
    write("d", "e", "f", "g", "h", "i", ERROR + " 2")
    other = ApiSource(await feed_of(), {}, sign_every=SIGN)
    texts = []
    async with aclosing(batches_of(other, host, begin.cursor)) as again:
        while ERROR + " 2" not in texts:
            batch = await take(again)
            assert not batch.gap
            texts += [line.text for line in batch.lines]


async def test_who_comes_back_after_long_hears_of_a_gap(feed_of, host, write, follow, skew_clock):
    source = ApiSource(await feed_of(), {}, sign_every=SIGN)
    begin, batches = await follow(source, host)
    await batches.aclose()
    skew_clock(timedelta(hours=1))
    async with aclosing(batches_of(source, host, begin.cursor)) as again:
        assert (await take(again)).gap


async def test_what_cannot_be_read_is_a_gap_at_the_same_cursor(feed_of, follow):
    source = ApiSource(await feed_of(), {}, sign_every=SIGN)
    async with aclosing(batches_of(source, HostKey("west/esx-9"))) as batches:
        gap = await take(batches)
    assert "no vCenter named west" in gap.gap
    assert not gap.lines


async def test_the_calls_of_the_whole_fleet_stay_within_the_budget_and_nobody_starves(feed_of, at_the_end):
    reader, rate, hosts = Reader(), 40.0, [HostKey(f"east/esx-{number}") for number in range(20)]
    feeds = [await feed_of(readers={"east": reader}, calls_per_second=rate) for _ in range(2)]
    polled = {}
    following = []
    for number, host in enumerate(hosts):
        source = ApiSource(feeds[number % 2], {}, polled=polled.__setitem__, sign_every=SIGN)
        batches = aiter(source.follow(host, "vpxa", cursor=""))
        following.append(asyncio.create_task(drain(batches)))
    begun = asyncio.get_running_loop().time()
    await asyncio.sleep(3)
    seconds = asyncio.get_running_loop().time() - begun
    calls = len(reader.calls)
    assert calls <= rate * seconds + 2 * rate  # the bucket, and what one look may run up
    assert calls > rate * seconds * 0.3
    looks = Counter(host for _, host in reader.calls)
    assert len(looks) == len(hosts)
    assert min(looks.values()) >= max(looks.values()) / 3
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)


async def drain(batches):
    async with aclosing(batches):
        async for _ in batches:
            pass


async def test_a_job_goes_first_and_counts(feed_of):
    reader, rate = Reader(), 4.0
    feed = await feed_of(readers={"east": reader}, calls_per_second=rate, every=timedelta(milliseconds=100))
    hosts = [HostKey(f"east/esx-{number}") for number in range(12)]
    async with AsyncExitStack() as stack:
        for host in hosts:
            await stack.enter_async_context(feed.watch(host, "vpxa", after=""))
        await asyncio.sleep(1.5)
        job = hosts[-1]
        async with feed.open(job, "vpxa") as items:
            at = asyncio.get_running_loop().time()
            reader.logs["esx-11"] += 1
            async with asyncio.timeout(5):
                assert ERROR in (await anext(items)).text
            await asyncio.sleep(1.5)
        span = asyncio.get_running_loop().time() - at
        looks = [moment for moment in reader.of("esx-11") if moment > at]
        others = [host for moment, host in reader.calls if moment > at and host != "esx-11"]
        assert len(looks) > rate * span  # every tenth of a second, whatever the budget says
        assert len(others) <= 2  # it eats up what they would have had


async def test_a_budget_is_one_for_all_and_forgets_who_does_not_come(store, skew_clock):
    one, other = (CallBudget(store, "east", calls_per_second=2) for _ in range(2))
    assert not (await one.turn(0))[0]
    waits = [await other.turn(0) for _ in range(100)]
    assert waits[0][0] < waits[50][0] < waits[99][0]
    assert timedelta(seconds=45) < waits[99][0] < timedelta(seconds=51)
    skew_clock(timedelta(seconds=60))
    assert not (await one.turn(waits[99][1]))[0]  # the 99 before it died
    for _ in range(200):
        await one.hurry()
    wait, _ = await other.turn(0)
    assert timedelta(seconds=25) < wait < timedelta(seconds=35)  # no debt silences the watch for longer


async def test_a_watcher_follows_hosts_through_vcenter(feed_of, host, write, store):
    intake = RedisIntake(store, keep=lambda _text: False, watcher="w1")  # what comes is sieved already
    source = ApiSource(await feed_of(calls_per_second=50), {}, polled=intake.tallies.polled, sign_every=SIGN)
    roll = Roll([WatchedHost(host, "site1", SourceKind.API)])
    watcher = Watcher(
        roll=lambda: roll, sources={None: source}, logs=["vpxa"], intake=intake, shards=Shards(store, "w1")
    )
    running = asyncio.create_task(watcher.run())
    lines, found = RedisWatchedLines(store), []
    async with asyncio.timeout(10):
        while not found:
            write("a", "b", ERROR)
            found = await lines.read("0-0", within=timedelta(milliseconds=200))
    assert found[0].kind is SourceKind.API
    assert [item.text for item in found[0].items][:3] == ["a", "b", ERROR]
    async with asyncio.timeout(10):
        while sum(tally.candidates for tally in intake.tallies.all()) < 3:
            await asyncio.sleep(0.01)
    await watcher.close()
    await running
    assert await store.hget(f"{{cm}}:watch:{host.replace('/', ':')}:vpxa", "cursor")


async def test_once_begins_near_the_moment(host, vcenter_of, write, player):
    source = ApiSource(None, {"east": vcenter_of()})
    old, new = (datetime.now(UTC) - timedelta(hours=hours) for hours in (5, 0))
    write(*(f"{old:%Y-%m-%dT%H:%M:%S}.000Z old {number}" for number in range(1200)))
    write(*(f"{new:%Y-%m-%dT%H:%M:%S}.000Z new {number}" for number in range(700)))
    texts = [line.text async for batch in source.once(host, "vpxa", since=timedelta(hours=1)) for line in batch.lines]
    assert sum(" new " in text for text in texts) == 700
    assert len(texts) <= 700 + 500
    (gap,) = [batch.gap async for batch in source.once(HostKey("west/x"), "vpxa", since=timedelta(hours=1))]
    assert "no vCenter named west" in gap
