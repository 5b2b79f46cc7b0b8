"""Any number of readers, one look at each log; nothing lost, nothing twice, whoever dies."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.hostlog.line import Gap, HostKey, LogFeed
from bot.logs.poller import ROTATED

ERROR = "[NFC ERROR] NfcNetTcpWrite: bWritten: -1"


class Watched:
    """A reader that tells how often it was asked."""

    def __init__(self, reader):
        self._reader = reader
        self._asked = asyncio.Condition()
        self.count = 0

    async def last_line(self, host, log):
        await self._note()
        return await self._reader.last_line(host, log)

    async def read(self, host, log, *, start, lines):
        await self._note()
        return await self._reader.read(host, log, start=start, lines=lines)

    async def _note(self):
        async with self._asked:
            self.count += 1
            self._asked.notify_all()

    async def asked(self, *, more):
        """Return when it was asked so many times more."""
        wanted = self.count + more
        async with asyncio.timeout(10), self._asked:
            await self._asked.wait_for(lambda: self.count >= wanted)


async def test_candidates_come_with_their_neighbours(feed_of, host, write, take):
    feed: LogFeed = await feed_of()
    async with feed.open(host, "vpxa") as items:
        write("a", "b", "c", ERROR, "d", "e", "f", "g", ERROR, "h")
        assert await take(items, 6) == ["b", "c", ERROR, "d", "e", "f"]
        assert await take(items, 3) == ["g", ERROR, "h"]


async def test_a_line_tells_where_it_is_from(feed_of, host, write, player):
    async with (await feed_of()).open(host, "hostd") as items:
        number = len(player.log_lines(host.partition("/")[2], "hostd"))
        write(ERROR, log="hostd")
        before = [await anext(items) for _ in range(1)]
        assert [(line.host, line.log, line.number, line.text) for line in before] == [
            (host, "hostd", number + 1, ERROR)
        ]
        assert abs(datetime.now(UTC) - before[0].seen_at) < timedelta(seconds=5)


async def test_what_was_written_before_is_not_told(feed_of, host, write, take):
    write(ERROR, "old")
    async with (await feed_of()).open(host, "vpxa") as items:
        write("new " + ERROR)
        assert (await take(items, 1)) == ["new " + ERROR]


async def test_two_processes_have_one_reader(feed_of, vcenter_of, host, write, take, player):
    first, second = Watched(vcenter_of()), Watched(vcenter_of())
    one, other = await feed_of(readers={"east": first}), await feed_of(readers={"east": second})
    async with one.open(host, "vpxa") as here, other.open(host, "vpxa") as there, other.open(host, "vpxa") as again:
        await first.asked(more=10)
        write(ERROR, "next")
        assert await take(here, 2) == await take(there, 2) == await take(again, 2) == [ERROR, "next"]
    assert second.count == 0
    assert player.calls["Login"] == 1


async def test_a_quiet_log_costs_one_call_per_look(feed_of, vcenter_of, host, player):
    reader = Watched(vcenter_of())
    async with (await feed_of(readers={"east": reader})).open(host, "vpxa"):
        before = player.calls["BrowseDiagnosticLog"]
        await reader.asked(more=5)
        assert player.calls["BrowseDiagnosticLog"] - before <= 6


async def test_a_rotation_is_one_gap_and_the_new_file_is_read(feed_of, host, write, take, player):
    async with (await feed_of()).open(host, "vpxa") as items:
        write(ERROR + " 1")
        assert await take(items, 1) == [ERROR + " 1"]
        player.rotate_log(host.partition("/")[2])
        write(ERROR + " 2", "end")
        gap, *rest = await take(items, 4)
        assert isinstance(gap, Gap)
        assert gap.reason == ROTATED
        assert rest[1:] == [ERROR + " 2", "end"]


async def test_a_missing_privilege_is_one_gap_for_everybody(feed_of, vcenter_of, host, take):
    reader = Watched(vcenter_of("viewer@vsphere.local"))
    feed = await feed_of(readers={"east": reader})
    async with feed.open(host, "vpxa") as items:
        (gap,) = await take(items, 1)
        assert "Global.Diagnostics" in gap.reason
        await reader.asked(more=5)
        async with feed.open(host, "vpxa") as late:
            assert [item.reason for item in await take(late, 1)] == [gap.reason]
        await reader.asked(more=5)
        assert items._items.empty()


async def test_an_outage_is_one_gap_and_nothing_is_lost(feed_of, vcenter_of, host, write, take, player):
    reader = Watched(vcenter_of())
    async with (await feed_of(readers={"east": reader})).open(host, "vpxa") as items:
        await player.go_down()
        (gap,) = await take(items, 1)
        assert isinstance(gap, Gap)
        assert "vCenter east" in gap.reason
        write(ERROR, "during")
        await reader.asked(more=5)
        await player.come_up()
        assert await take(items, 2) == [ERROR, "during"]


async def test_an_unknown_host_and_an_unknown_vcenter_are_gaps(feed_of, take):
    feed = await feed_of()
    async with feed.open(HostKey("east/esx-9"), "vpxa") as items:
        assert "no host named esx-9" in (await take(items, 1))[0].reason
    async with feed.open(HostKey("west/esx-9"), "vpxa") as items:
        assert "no vCenter named west" in (await take(items, 1))[0].reason


async def test_a_killed_reader_is_replaced_without_loss(feed_of, host, write, take, player, valkey_url, skew_clock):
    told = {
        "redis": valkey_url, "url": player.url, "user": player.user, "password": player.password,
        "ca_file": str(player.ca_file), "host": host,
    }  # fmt: skip
    script = Path(__file__).with_name("reader_process.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), json.dumps(told), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"stands\n"
    async with (await feed_of()).open(host, "vpxa") as items:
        write("a", "b", ERROR + " 1", "c")
        assert await take(items, 4) == ["a", "b", ERROR + " 1", "c"]
        process.kill()
        await process.wait()
        write("d", "e", "f", "g", ERROR + " 2")
        assert items._items.empty()
        skew_clock(timedelta(seconds=11))  # longer than a lease lives
        assert await take(items, 5) == ["d", "e", "f", "g", ERROR + " 2"]


async def test_a_reader_that_closes_hands_over_at_once(feed_of, host, write, take):
    one, other = await feed_of(), await feed_of()
    async with one.open(host, "vpxa"), other.open(host, "vpxa") as items:
        write(ERROR + " 1", "a")
        assert await take(items, 2) == [ERROR + " 1", "a"]
        await one.close()
        write("b", ERROR + " 2")
        assert await take(items, 2) == ["b", ERROR + " 2"]


async def test_readers_are_shared_out_among_processes_and_nothing_is_lost(feed_of):
    class Growing:
        """Hosts whose logs grow by one line at each look, whoever looks."""

        def __init__(self):
            self.logs = Counter()
            self.looked = Counter()

        async def last_line(self, host, log):
            return self.logs[host]

        async def read(self, host, log, *, start, lines):
            self.looked[host] += 1
            self.logs[host] += 1
            return self.logs[host], [f"{ERROR} {number}" for number in range(start, self.logs[host] + 1)][:lines]

    one, other = Growing(), Growing()
    other.logs = one.logs  # the same hosts

    async def shared_out():
        one.looked.clear()
        other.looked.clear()
        while len({*one.looked, *other.looked}) < len(hosts):
            await asyncio.sleep(0.01)
        return min(len(one.looked), len(other.looked)) >= 4

    hosts = [HostKey(f"east/esx-{number}") for number in range(12)]
    short = timedelta(milliseconds=300)
    first = await feed_of(readers={"east": one}, lease=short)
    async with AsyncExitStack() as stack:
        items = [await stack.enter_async_context(first.open(host, "vpxa")) for host in hosts]
        second = await feed_of(readers={"east": other}, lease=short)
        for host in hosts:
            await stack.enter_async_context(second.open(host, "vpxa"))
        async with asyncio.timeout(20):
            while len(other.looked) < 5:
                await asyncio.sleep(0.01)
        for of_host in items:
            numbers = [(await anext(of_host)).number for _ in range(50)]
            assert numbers == list(range(numbers[0], numbers[0] + 50))
        async with asyncio.timeout(20):  # a lease that is short may be lost, and then it takes another moment
            while not await shared_out():
                pass


async def test_the_reader_stops_when_nobody_wants_the_log(feed_of, host, write, take, skew_clock):
    feed = await feed_of()
    async with feed.open(host, "vpxa") as items:
        write(ERROR)
        await take(items, 1)
    ((_, reading),) = feed._pollers.values()
    skew_clock(timedelta(seconds=31))
    async with asyncio.timeout(10):
        await reading
    write(ERROR + " unheard")
    async with feed.open(host, "vpxa") as items:
        write(ERROR + " heard")
        assert await take(items, 1) == [ERROR + " heard"]


async def test_what_the_fleet_kept_can_be_read_again(feed_of, host, write, take, skew_clock):
    skew_clock(timedelta(hours=1))
    feed = await feed_of()
    async with feed.open(host, "vpxa") as items:
        write(ERROR + " 1")
        first = await anext(items)
        async with feed.open(host, "vpxa", since=first.seen_at) as again:
            assert await take(again, 1) == [ERROR + " 1"]
        async with feed.open(host, "vpxa", since=first.seen_at + timedelta(milliseconds=1)) as later:
            write("x", ERROR + " 2")
            assert await take(later, 2) == ["x", ERROR + " 2"]


async def test_many_logs_are_followed_through_one_connection(feed_of, host, write, take, valkey_url):
    feed = await feed_of()
    async with (
        feed.open(host, "vpxa") as vpxa,
        feed.open(host, "hostd") as hostd,
        feed.open(host, "vmkernel") as vmkernel,
    ):
        for log, items in (("vmkernel", vmkernel), ("vpxa", vpxa), ("hostd", hostd)):
            write(f"{ERROR} {log}", log=log)
            assert await take(items, 1) == [f"{ERROR} {log}"]


async def test_iteration_ends_with_the_context(feed_of, host):
    async with (await feed_of()).open(host, "vpxa") as items:
        reading = asyncio.create_task(drain(items))
    async with asyncio.timeout(5):
        assert await reading == []


async def drain(items):
    return [item async for item in items]
