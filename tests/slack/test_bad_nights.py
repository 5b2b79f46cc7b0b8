"""Everything at once: lost answers, 429s, servers that break down, drainers that die, a Redis that goes away."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from datetime import timedelta

import pytest

from bot.errors import OutsideError
from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.playground.slack.faults import BreakDown, LoseReply, Throttle
from bot.slack.drain import OutboxDrainer
from bot.slack.outbox import RedisOutbox
from bot.slack.records import Pace
from bot.store import embedded, keys
from bot.store.client import connect

UNPACED = Pace(post_gap=timedelta(0), edit_gap=timedelta(0), card_gap=timedelta(0))
CHANNEL = "C0MIGRATE1"
FAULTS = [LoseReply(), LoseReply(), BreakDown(503), Throttle(retry_after=2)]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_each_card_and_reply_is_there_once_and_in_order(
    player, client, store, outbox, card, copying, reply, until, skew_clock, seed
):
    """Drainers are killed at any moment, and a third of all posts goes wrong."""
    dice = random.Random(seed)
    jobs = [JobId(f"aaaaaaa{letter}") for letter in "abcdefgh"]
    names = ["plan", "halfway", "end"]
    for _ in range(12):
        player.switches.next_answers("chat.postMessage", dice.choice(FAULTS))
        player.switches.next_answers("chat.update", dice.choice(FAULTS))
    running = [_drainer(store, client) for _ in range(2)]
    for job in jobs:
        await outbox.show(card(job=job, title=job))
        for percent, name in zip((1, 50, 99), names, strict=True):
            await outbox.show(copying(percent, job=job, title=job))
            await outbox.reply(job, CHANNEL, reply(name))
        await outbox.show(card(job=job, title=job, phase=Phase.DONE))

    for step in range(400):
        skew_clock(timedelta(seconds=3 * step))
        await store.rpush(keys.outbox("bell"), "1")
        if step < 40 and step % 4 == 0:
            victim = dice.randrange(2)
            await _kill(running[victim])
            running[victim] = _drainer(store, client)
        if not await _next_change(until, store):
            break
    for drainer in running:
        await _kill(drainer)

    cards = [message for message in player.person.history(CHANNEL) if message.get("bot_id")]
    assert sorted(message["text"] for message in cards) == [f"{job}: done" for job in jobs]
    for message in cards:
        replies = [one["text"] for one in player.person.thread(CHANNEL, message["ts"])[1:]]
        assert replies == [f"About {name}." for name in names]


def _drainer(store, client) -> asyncio.Task[None]:
    return asyncio.create_task(OutboxDrainer(store, client, pace=UNPACED).run())


async def _kill(drainer: asyncio.Task[None]) -> None:
    """As a power cut would: nothing is finished and nothing is written down."""
    drainer.cancel()
    with suppress(asyncio.CancelledError):
        await drainer


async def _next_change(until, store) -> bool:
    """Wait for the next change in the outbox, not for long. False once it is empty."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.05):
            await until(keys.outbox("none"), lambda _: False)
    return bool(await store.zcard(keys.OUTBOX)) or bool(await store.keys(keys.outbox("replies:*")))


async def test_a_redis_that_goes_away_stops_nothing_for_good(player, client, card, tmp_path):
    server = embedded.start(tmp_path)
    async with connect(server.url) as store:
        outbox = RedisOutbox(store)
        drainer = OutboxDrainer(store, client, pace=UNPACED)
        task = asyncio.create_task(drainer.run())
        await outbox.show(card())
        await player.person.wait_for(lambda: _texts(player))
        server.stop()
        with pytest.raises(OutsideError):
            await outbox.show(card(phase=Phase.FAILED))
        server = embedded.start(tmp_path)
        await outbox.show(card(phase=Phase.DONE))
        await player.person.wait_for(lambda: _texts(player) == ["web01 to site2: done"])
        drainer.stop()
        await asyncio.wait_for(task, 5)
    server.stop()


def _texts(player) -> list[str]:
    return [message["text"] for message in player.person.history(CHANNEL) if message.get("bot_id")]
