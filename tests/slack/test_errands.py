"""What bots were told and have yet to do: kept once, done by one at a time, never forgotten, and answered once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.slack.errands import RedisErrands
from bot.slack.port import Errand, ErrandKind
from bot.store import keys
from tests.fixtures_slack import CHANNEL

LEASE = timedelta(seconds=10)
ERRAND = Errand(
    id="said-C1-1.1",
    kind=ErrandKind.MENTION,
    user="U0ALICE001",
    channel=CHANNEL,
    ts="1.1",
    text="diagnose \ud800 <!channel>",
    files=("F1", "F2"),
)


@pytest.fixture
def errands(store) -> RedisErrands:
    return RedisErrands(store)


async def test_it_comes_back_as_it_was_kept(errands):
    assert await errands.keep(ERRAND)
    taken = await errands.take(lease=LEASE)
    assert taken is not None
    assert (taken.errand, taken.attempt) == (ERRAND, 1)


async def test_it_is_kept_once_also_after_it_was_done(errands):
    assert await errands.keep(ERRAND)
    assert not await errands.keep(ERRAND)
    taken = await errands.take(lease=LEASE)
    await errands.end(taken)
    assert not await errands.keep(ERRAND)
    assert await errands.take(lease=LEASE) is None


async def test_one_does_it_until_the_lease_is_over(errands, skew_clock):
    await errands.keep(ERRAND)
    first = await errands.take(lease=LEASE)
    assert await errands.take(lease=LEASE) is None
    skew_clock(LEASE + timedelta(seconds=1))
    second = await errands.take(lease=LEASE)
    assert (second.attempt, second.fence != first.fence) == (2, True)
    await errands.end(first)  # too late: it is somebody else's
    await errands.later(first, timedelta(0))
    assert await errands.take(lease=LEASE) is None
    skew_clock(2 * LEASE + timedelta(seconds=2))
    assert (await errands.take(lease=LEASE)).attempt == 3


async def test_a_lease_that_is_renewed_is_not_over(errands, skew_clock):
    await errands.keep(ERRAND)
    taken = await errands.take(lease=LEASE)
    skew_clock(LEASE - timedelta(seconds=1))
    await errands.later(taken, LEASE)
    skew_clock(LEASE + timedelta(seconds=1))
    assert await errands.take(lease=LEASE) is None


async def test_what_was_put_off_is_due_later(errands, skew_clock):
    await errands.keep(ERRAND)
    await errands.later(await errands.take(lease=LEASE), timedelta(seconds=3))
    assert await errands.take(lease=LEASE) is None
    skew_clock(timedelta(seconds=4))
    assert (await errands.take(lease=LEASE)).attempt == 2


async def test_one_that_cannot_be_read_keeps_no_other_from_being_done(errands, store, caplog):
    await errands.keep(ERRAND)
    await store.hset(keys.errand(ERRAND.id), "told", '{"kind": "of another version"}')
    await errands.keep(Errand("another", ErrandKind.DROP, "U1", CHANNEL))
    assert (await errands.take(lease=LEASE)).errand.id == "another"
    assert await errands.take(lease=LEASE) is None  # of two of one millisecond, either may be the first
    assert await store.zcard(keys.ERRANDS) == 1
    assert "cannot be read" in caplog.text


async def test_one_that_is_a_day_old_is_forgotten(errands, store):
    await errands.keep(ERRAND)
    assert timedelta(hours=23) < timedelta(milliseconds=await store.pttl(keys.errand(ERRAND.id))) <= timedelta(days=1)
    await store.delete(keys.errand(ERRAND.id))
    assert await errands.take(lease=LEASE) is None
    assert await store.zcard(keys.ERRANDS) == 0


async def test_what_is_said_of_it_is_said_once_and_in_its_thread(player, outbox, drain):
    root = player.person.post("alice", CHANNEL, "it broke")
    await drain()
    for _ in range(3):
        await outbox.say("said-1", CHANNEL, thread=root, text="There is no log <!channel>.", lines=["a", "b"])
    await outbox.say("said-2", CHANNEL, thread="", text="To the channel.")
    await player.person.wait_for(lambda: len(player.person.history(CHANNEL)) == 2)
    (said,) = await player.person.wait_for(lambda: player.person.thread(CHANNEL, root)[1:])
    assert said["text"] == "There is no log &lt;!channel&gt;."
    assert player.person.history(CHANNEL)[1]["text"] == "To the channel."
