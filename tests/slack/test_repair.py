"""Cards that nobody knows any more, cards that are there twice, messages that are far back: all become one card."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.slack.inbox import RedisInbox
from bot.slack.lookup import metadata
from bot.slack.outbox import RedisOutbox
from bot.slack.records import GivenUp, Records, Sent
from bot.store import keys

CHANNEL = "C0MIGRATE1"
JOB = JobId("k3q7m2xa")


@pytest.fixture
async def inbox(store) -> RedisInbox:
    """There is one job."""
    await store.hset(keys.job(JOB), "id", JOB)
    return RedisInbox(store)


@pytest.fixture
def post(client):
    """Post a record as a drainer would that dies before it says so."""

    async def posted(record) -> str:
        answer = await client.chat_postMessage(
            channel=record.channel,
            text=record.text,
            blocks=record.blocks,
            metadata=metadata(record),
            thread_ts=record.ts or None,
        )
        return answer["ts"]

    return posted


async def _shown(player, outbox, card, posted, until) -> str:
    await outbox.show(card())
    await player.person.wait_for(posted)
    return (await until(keys.card(JOB), lambda found: found.get("ts")))["ts"]


async def test_a_click_on_a_card_that_redis_forgot_makes_it_the_card_again(
    player, outbox, drain, card, posted, inbox, store, until
):
    await drain()
    ts = await _shown(player, outbox, card, posted, until)
    await store.delete(keys.card(JOB))
    assert await inbox.clicked(JOB, CHANNEL, ts)
    await outbox.show(card(phase=Phase.DONE))
    await player.person.wait_for(lambda: "done" in posted()[0]["text"])
    assert len(posted()) == 1
    assert await store.hget(keys.card(JOB), "ts") == ts


async def test_a_click_on_something_else_with_our_button_is_no_card(
    player, outbox, drain, card, posted, inbox, store, client, until
):
    """Ours, but of another job; and not ours, but with our metadata."""
    other = await client.chat_postMessage(channel=CHANNEL, text="another job's card")
    forged = player.person.post("mallory", "#migrations", "look here")
    await outbox.show(card())
    ((record,), _) = await Records(store, "doomed").claim(1)
    player.workspace.channels[CHANNEL].messages[forged].metadata = metadata(record)
    for ts in (other["ts"], forged):
        await inbox.clicked(JOB, CHANNEL, ts)
    await store.delete(keys.outbox(f"card:{JOB}"), keys.OUTBOX)
    await outbox.show(card(phase=Phase.FAILED))
    await drain()
    saved = await until(keys.card(JOB), lambda found: found.get("ts"))
    assert saved["ts"] not in (other["ts"], forged)


async def test_whoever_shows_a_card_while_redis_loses_it_makes_no_second_one(
    player, store, outbox, drain, card, posted, until
):
    """The job was read before the loss, and is shown after it."""
    await drain()
    first = await _shown(player, outbox, card, posted, until)
    await store.flushall()
    await outbox.show(card(phase=Phase.DONE))
    await player.person.wait_for(lambda: "done" in posted()[-1]["text"])
    assert [message["ts"] for message in posted()] == [first]


async def test_of_two_cards_the_saved_one_stays_and_the_clicked_one_points_to_it(
    player, outbox, drain, card, posted, inbox, store, post, until
):
    await outbox.show(card())
    ((record,), _) = await Records(store, "doomed").claim(1)
    first = await post(record)
    await store.delete(keys.outbox(f"card:{JOB}"), keys.OUTBOX, keys.card(JOB))
    await drain()
    saved = await _shown(player, RedisOutbox(store), card, posted, until)  # of a process that never showed it before
    assert saved != first
    await inbox.clicked(JOB, CHANNEL, first)
    await player.person.wait_for(lambda: "moved" in player.person.message(CHANNEL, first)["text"])
    pointer = player.person.message(CHANNEL, first)
    assert saved.replace(".", "") in str(pointer["blocks"])
    assert "cm." not in str(pointer["blocks"])
    assert "queued" in player.person.message(CHANNEL, saved)["text"]
    await inbox.clicked(JOB, CHANNEL, saved)
    assert await store.hget(keys.card(JOB), "ts") == saved


async def test_a_click_on_something_else_turns_it_into_no_pointer(
    player, outbox, drain, card, posted, inbox, client, until
):
    """Another job's card that bears a button of this job would be edited away, as it is ours."""
    await drain()
    saved = await _shown(player, outbox, card, posted, until)
    other = await client.chat_postMessage(channel=CHANNEL, text="another job's card")
    await inbox.clicked(JOB, CHANNEL, other["ts"])
    await until(keys.outbox(f"amend:{CHANNEL}:{other['ts']}"), lambda found: not found)
    assert [message["text"] for message in posted()] == ["web01 to site2: queued", "another job's card"]
    assert posted()[0]["ts"] == saved


async def test_a_click_on_a_reply_moves_nothing(player, outbox, drain, card, reply, posted, inbox, store, until):
    await drain()
    saved = await _shown(player, outbox, card, posted, until)
    assert await inbox.clicked(JOB, CHANNEL, "")
    assert await store.zcard(keys.OUTBOX) == 0
    assert await store.hget(keys.card(JOB), "ts") == saved


async def test_a_job_that_nobody_knows_is_said_to_be_unknown(inbox):
    assert not await inbox.clicked(JobId("aaaaaaaa"), CHANNEL, "1.1")


async def test_a_bot_that_slept_through_its_lease_takes_back_the_reply_it_posted_too_late(
    player, outbox, drain, card, reply, posted, thread, store, post, skew_clock, until
):
    """Two bots at once: the second one looked before the first one's message was there."""
    await drain_once(drain, player, outbox, card, posted, until)
    await outbox.reply(JOB, CHANNEL, reply("end"))
    slow = Records(store, "asleep")
    ((late,), _) = await slow.claim(1)
    skew_clock(timedelta(minutes=1))
    quick = Records(store, "quick")
    ((record,), _) = await quick.claim(1)
    assert record.suspect
    await quick.conclude(record, Sent(ts=await post(record), posted=True))
    assert not await slow.conclude(late, Sent(ts=await post(late), posted=True))
    assert thread() == ["About end.", "About end."]
    skew_clock(timedelta(minutes=2))
    await drain()
    await player.person.wait_for(lambda: thread() == ["About end."])


async def test_a_bot_that_slept_through_its_lease_turns_its_late_card_into_a_pointer(
    player, outbox, drain, card, posted, store, post, skew_clock
):
    await outbox.show(card())
    slow, quick = Records(store, "asleep"), Records(store, "quick")
    ((late,), _) = await slow.claim(1)
    skew_clock(timedelta(minutes=1))
    ((record,), _) = await quick.claim(1)
    saved = await post(record)
    await quick.conclude(record, Sent(ts=saved, revision=record.revision, posted=True))
    surplus = await post(late)
    assert not await slow.conclude(late, Sent(ts=surplus, revision=late.revision, posted=True))
    skew_clock(timedelta(minutes=2))
    await drain()
    await player.person.wait_for(lambda: "moved" in player.person.message(CHANNEL, surplus)["text"])
    assert "queued" in player.person.message(CHANNEL, saved)["text"]


async def test_a_late_bot_whose_message_was_found_by_the_next_takes_nothing_back(
    player, outbox, drain, card, posted, store, post, skew_clock, until
):
    await outbox.show(card())
    slow = Records(store, "asleep")
    ((late,), _) = await slow.claim(1)
    ts = await post(late)
    skew_clock(timedelta(minutes=1))
    await drain()
    await until(keys.card(JOB), lambda found: found.get("ts") == ts)
    assert not await slow.conclude(late, Sent(ts=ts, revision=late.revision, posted=True))
    skew_clock(timedelta(minutes=2))
    await until(keys.outbox(f"amend:{CHANNEL}:{ts}"), lambda found: not found)
    assert [message["text"] for message in posted()] == ["web01 to site2: queued"]


async def test_a_card_is_found_behind_thousands_of_messages_after_a_night_without_a_bot(
    player, outbox, drain, card, posted, store, post, skew_clock, until
):
    await outbox.show(card())
    ((record,), _) = await Records(store, "doomed").claim(1)
    ts = await post(record)
    for number in range(2500):
        player.person.post("alice", "#migrations", f"message {number}")
    skew_clock(timedelta(hours=9))
    await drain()
    await until(keys.card(JOB), lambda found: found.get("ts") == ts)
    assert len(posted()) == 1


async def test_a_card_that_was_deleted_before_anybody_saved_it_is_posted_anew(
    player, client, outbox, drain, card, posted, store, post, skew_clock, until
):
    await outbox.show(card())
    ((record,), _) = await Records(store, "doomed").claim(1)
    await client.chat_delete(channel=CHANNEL, ts=await post(record))
    skew_clock(timedelta(minutes=1))
    await drain()
    await until(keys.card(JOB), lambda found: found.get("ts"))
    assert len(posted()) == 1


async def test_replies_after_the_end_reach_the_channel_when_somebody_deleted_the_card(
    player, outbox, drain, card, reply, posted, client, until
):
    """The end was shown, so no card is posted any more that they could wait for."""
    await drain()
    await outbox.show(card(phase=Phase.FAILED))
    ts = (await until(keys.card(JOB), lambda found: found.get("ts")))["ts"]
    await client.chat_delete(channel=CHANNEL, ts=ts)
    for key in ("first", "second"):
        await outbox.reply(JOB, CHANNEL, reply(key))
        await until(keys.card(JOB), lambda found, key=key: found.get(f"reply:{key}"))
    assert [message["text"] for message in posted()] == ["About first.", "About second."]


async def test_a_message_that_nobody_else_posted_after_all_is_left_alone_at_last(
    player, outbox, drain, card, posted, store, post, skew_clock, until
):
    """It was posted under a lost lease, and whoever took over gave up: nobody looks for the other one for ever."""
    await outbox.show(card())
    slow, quick = Records(store, "asleep"), Records(store, "quick")
    ((late,), _) = await slow.claim(1)
    skew_clock(timedelta(minutes=1))
    ((record,), _) = await quick.claim(1)
    await quick.conclude(record, GivenUp(problem="is_archived"))
    only = await post(late)
    assert not await slow.conclude(late, Sent(ts=only, revision=late.revision, posted=True))
    skew_clock(timedelta(days=1, minutes=5))
    await drain()
    await until(keys.outbox(f"amend:{CHANNEL}:{only}"), lambda found: not found)
    assert [message["ts"] for message in posted()] == [only]


async def drain_once(drain, player, outbox, card, posted, until) -> None:
    """Have the card posted, and nobody at work afterwards."""
    drainer = await drain()
    await _shown(player, outbox, card, posted, until)
    drainer.stop()
