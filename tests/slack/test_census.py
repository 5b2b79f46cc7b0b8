"""Redis lost its data: cards of what nobody knows any more say so, by however many bots that is looked for."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.playground.slack.faults import Refuse
from bot.slack.census import SETTLE, Census
from bot.slack.port import AlertCard, AlertLook, Button, ButtonKind, InquiryCard, TableCard
from bot.store import keys

CHANNEL = "C0MIGRATE1"
JOB, OTHER = JobId("k3q7m2xa"), JobId("k3q7m2xb")
CANCEL = Button(ButtonKind.CANCEL, JOB)
SOON = timedelta(milliseconds=10)


@pytest.fixture
def census(store, client):
    """Another bot's share in it."""
    return lambda gap=SOON: Census(store, client, gap=gap, ask_every=SOON)


@pytest.fixture
async def drained(store):
    """Until all that was queued is in Slack."""

    async def wait() -> None:
        async with asyncio.timeout(10):
            while await store.execute_command("ZCARD", keys.OUTBOX):
                await asyncio.sleep(0.01)

    return wait


@asynccontextmanager
async def running(census: Census):
    task = asyncio.create_task(census.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def due(census, skew_clock):
    """It was seen that the data is gone, and then the time of the workers is over."""
    await census.ask()
    skew_clock(SETTLE + timedelta(seconds=1))


def passes(player) -> int:
    """How often somebody began to look through the channels."""
    return player.tally.calls["users.conversations"]


def asked(player) -> int:
    return player.tally.calls["conversations.history"]


async def test_cards_that_show_no_end_are_lost_and_others_stay(
    player, store, outbox, drain, card, reply, posted, census, drained, skew_clock
):
    await drain()
    await outbox.show(card(note="Waits for a free slot.", buttons=[CANCEL]))
    await outbox.show(card(job=OTHER, phase=Phase.DONE, title="db01 to site2"))
    await outbox.show_table(TableCard(JobId("k3q7m2xc"), CHANNEL, "12 VMs", "queued", "U0ALICE001", ["VM"], [["w1"]]))
    await outbox.show_inquiry(InquiryCard(JobId("k3q7m2xd"), CHANNEL, "", "U0ALICE001", "Diagnosis of web01", []))
    await outbox.reply(JOB, CHANNEL, reply("note"))
    await drained()
    await store.flushall()
    bot = census()
    await due(bot, skew_clock)
    await bot.ask()
    await drained()
    texts = {message["ts"]: message["text"] for message in posted()}
    assert len(texts) == 4
    assert [text for text in texts.values() if "lost. Redis lost" not in text] == ["db01 to site2: done"]
    single = next(message for message in posted() if message["text"].startswith("web01 to site2"))
    shown = str(single["blocks"])
    assert "site1: esx-01" in shown
    assert "Queued" not in shown
    assert "free slot" not in shown
    assert "'actions'" not in shown
    assert passes(player) == 1


async def test_a_job_that_is_taken_up_late_gets_its_card_back(
    store, outbox, drain, copying, posted, census, drained, skew_clock
):
    await drain()
    await outbox.show(copying(10))
    await drained()
    (before,) = posted()
    await store.flushall()
    bot = census()
    await due(bot, skew_clock)
    await bot.ask()
    await drained()
    assert "lost. Redis lost" in posted()[0]["text"]
    await store.hset(keys.job(JOB), "id", JOB)
    await outbox.show(copying(20))
    await drained()
    (after,) = posted()
    assert (after["ts"], "20 %" in after["text"]) == (before["ts"], True)
    assert "over" not in after["metadata"]["event_payload"]


async def test_a_job_that_is_taken_up_while_the_edit_waits_shows_what_it_does(
    store, outbox, drain, copying, posted, census, drained, skew_clock
):
    """The two looks are one record: the later one is what Slack gets last."""
    drainer = await drain()
    await outbox.show(copying(10))
    await drained()
    drainer.stop()
    await store.flushall()
    bot = census()
    await due(bot, skew_clock)
    await bot.ask()
    assert await store.hget(keys.outbox(f"card:{JOB}"), "over") == "1"
    await store.hset(keys.job(JOB), "id", JOB)
    await outbox.show(copying(20))
    await drain()
    await drained()
    (after,) = posted()
    assert "20 %" in after["text"]


async def test_a_job_that_was_taken_up_in_time_keeps_its_card(
    player, store, outbox, drain, copying, posted, census, drained, skew_clock
):
    await drain()
    await outbox.show(copying(10))
    await drained()
    before = player.tally.calls["chat.update"]
    await store.flushall()
    bot = census()
    await due(bot, skew_clock)
    await store.hset(keys.job(JOB), "id", JOB)
    await bot.ask()
    await drained()
    assert "copying" in posted()[0]["text"]
    assert player.tally.calls["chat.update"] == before


async def test_nothing_is_read_before_workers_had_their_time_nor_twice(player, store, census, skew_clock):
    bot = census()
    await bot.ask()
    await bot.ask()
    assert passes(player) == 0
    skew_clock(SETTLE + timedelta(seconds=1))
    await bot.ask()
    await bot.ask()
    await census().ask()
    assert passes(player) == 1
    skew_clock(timedelta(hours=2))
    await bot.ask()
    assert passes(player) == 1  # it has a reason only when it starts


async def test_a_bot_that_starts_much_later_looks_again(player, census, skew_clock):
    """The data may have come back older while no bot ran to see it."""
    bot = census()
    await due(bot, skew_clock)
    await bot.ask()
    skew_clock(timedelta(hours=2))
    await due_again(census(), skew_clock)
    assert passes(player) == 2


async def due_again(bot, skew_clock):
    await bot.ask()
    skew_clock(timedelta(hours=3))
    await bot.ask()


async def test_a_redis_that_came_back_older_is_one_that_lost_something(
    player, store, outbox, drain, card, posted, census, drained, skew_clock
):
    await drain()
    bot = census()
    await due(bot, skew_clock)
    await bot.ask()
    older = await store.hash(keys.CENSUS)
    skew_clock(SETTLE * 2)
    await bot.ask()
    await outbox.show(card())
    await drained()
    await store.flushall()
    await store.hset(keys.CENSUS, mapping=older)
    skew_clock(SETTLE * 2)
    await bot.ask()
    skew_clock(SETTLE * 4)
    await bot.ask()
    await drained()
    assert "lost. Redis lost" in posted()[0]["text"]


async def test_of_two_bots_one_reads(player, store, outbox, drain, card, posted, census, drained, skew_clock):
    await drain()
    await outbox.show(card())
    await drained()
    await store.flushall()
    await due(census(), skew_clock)
    await asyncio.gather(*(census().ask() for _ in range(5)))
    await drained()
    assert passes(player) == 1
    assert "lost. Redis lost" in posted()[0]["text"]


async def test_a_bot_that_is_killed_in_the_middle_is_followed_by_another_one(
    player, store, outbox, drain, card, posted, census, drained, skew_clock, until
):
    """The first channel was done; the second is read by whoever comes next, once the lease is over."""
    second = player.switches.add_channel("zz-second")
    await drain()
    await outbox.show(card())
    await outbox.show(card(job=OTHER, channel=second))
    await drained()
    await store.flushall()
    await due(census(), skew_clock)
    async with running(census(gap=timedelta(hours=1))):
        await until(keys.outbox(f"card:{JOB}"), lambda found: found.get("over") or asked(player))
        await until(keys.CENSUS, lambda found: found.get("leased"))
        await player.person.wait_for(lambda: "lost" in posted()[0]["text"])
    assert "queued" in posted(second)[0]["text"]
    await census().ask()
    assert asked(player) == 1  # the lease of the dead one
    skew_clock(SETTLE * 2)
    await census().ask()
    await drained()
    assert "lost. Redis lost" in posted(second)[0]["text"]
    assert len(posted()) == len(posted(second)) == 1


async def test_a_slack_that_has_enough_is_left_alone_as_long_as_it_says(
    player, store, outbox, drain, card, posted, census, drained, skew_clock
):
    await drain()
    await outbox.show(card())
    await drained()
    await store.flushall()
    bot = census()
    await due(bot, skew_clock)
    player.switches.reject_next(1, "conversations.history", retry_after=300)
    await bot.ask()
    await bot.ask()
    assert "queued" in posted()[0]["text"]
    skew_clock(SETTLE + timedelta(seconds=299))
    asked_before = asked(player)
    await bot.ask()
    assert asked(player) == asked_before
    skew_clock(SETTLE + timedelta(seconds=310))
    await bot.ask()
    await drained()
    assert "lost. Redis lost" in posted()[0]["text"]


async def test_a_channel_that_cannot_be_read_keeps_no_other_from_being_read(
    player, store, outbox, drain, card, posted, census, drained, skew_clock
):
    second = player.switches.add_channel("zz-second")
    await drain()
    await outbox.show(card())
    await outbox.show(card(job=OTHER, channel=second))
    await drained()
    await store.flushall()
    bot = census()
    await due(bot, skew_clock)
    player.switches.next_answers("conversations.history", Refuse("not_in_channel"))
    await bot.ask()
    await drained()
    assert sorted("lost" in posted(channel)[0]["text"] for channel in (CHANNEL, second)) == [False, True]


async def test_what_is_no_card_of_ours_is_left_alone(
    player, client, outbox, drain, posted, census, skew_clock, drained
):
    """Messages of ours may bear metadata that make no sense to this version."""
    bot = census()
    await due(bot, skew_clock)
    player.person.post("alice", CHANNEL, "web01 to site2: queued")
    for payload in (
        {},
        {"kind": "card"},
        {"kind": "card", "job_id": 3},
        {"kind": "reply", "job_id": JOB, "reply": "x"},
    ):
        told = {"event_type": "coldmigrate_job", "event_payload": payload}
        await client.chat_postMessage(channel=CHANNEL, text="queued", metadata=told)
    await bot.ask()
    await drained()
    assert player.tally.calls["chat.update"] == 0
    assert asked(player) > 0


async def test_a_bot_goes_on_for_ever(store, outbox, drain, card, posted, census, drained, skew_clock, until):
    """Through one loss and another; what said so before is not told again."""
    await drain()
    async with running(census()):
        for job in (JOB, OTHER):
            await until(keys.CENSUS, lambda found: found.get("due") or found.get("done"))
            await outbox.show(card(job=job))
            await drained()
            await store.flushall()
            await until(keys.CENSUS, lambda found: found.get("due"))
            skew_clock(SETTLE + timedelta(seconds=1))
            await until(keys.CENSUS, lambda found: found.get("done"))
            await drained()
            assert "lost. Redis lost" in posted()[-1]["text"]
    assert [message["text"].count("lost. Redis lost") for message in posted()] == [1, 1]


async def test_an_incident_that_redis_lost_is_said_to_be_and_one_that_is_known_or_over_stays(
    player, store, outbox, drain, posted, census, drained, skew_clock
):
    await drain()
    lost, known, over = JobId("n2fcalrt"), JobId("n2fcalru"), JobId("n2fcalrv")
    for subject, look in ((lost, AlertLook.OPEN), (known, AlertLook.OPEN), (over, AlertLook.RESOLVED)):
        card = AlertCard(subject, CHANNEL, f"About {subject}", look, "x", "", ended=look is AlertLook.RESOLVED)
        await outbox.show_alert(replace(card, buttons=[Button(ButtonKind.ACKNOWLEDGE, subject)]))
    await drained()
    await store.flushall()
    await store.hset(keys.incident(known), "id", known)
    bot = census()
    await due(bot, skew_clock)
    await bot.ask()
    await drained()
    first, *others = posted()
    assert first["text"].startswith("About n2fcalrt: lost. Redis lost what it knew of this incident")
    assert "cm.acknowledge" not in str(first["blocks"])
    assert ["cm.acknowledge" in str(other["blocks"]) for other in others] == [True, True]
