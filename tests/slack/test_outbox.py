"""What the outbox promises, seen in Slack: one card, its newest look, each reply once and in order, nothing twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.playground.slack.faults import BreakDown, LoseReply, Refuse, Throttle
from bot.slack.lookup import metadata
from bot.slack.records import Pace, Records, Sent
from bot.store import keys

CHANNEL = "C0MIGRATE1"
JOB = JobId("k3q7m2xa")


async def test_a_card_is_posted_once_and_then_edited(player, outbox, drain, card, posted):
    await drain()
    await outbox.show(card())
    await player.person.wait_for(posted)
    await outbox.show(card(phase=Phase.DONE, note="It is there."))
    await player.person.wait_for(lambda: "done" in posted()[0]["text"])
    assert len(posted()) == 1


async def test_the_same_card_again_is_not_sent(player, outbox, drain, card, posted, store):
    await drain()
    await outbox.show(card())
    await player.person.wait_for(posted)
    await outbox.reply(JOB, CHANNEL, _reply("after"))
    await player.person.wait_for(lambda: player.tally.calls["chat.postMessage"] == 2)
    waiting = await store.zcard(keys.OUTBOX)  # the reply was heard, and may not be crossed off yet
    await outbox.show(card())
    assert await store.zcard(keys.OUTBOX) <= waiting
    assert player.tally.calls["chat.update"] == 0


async def test_only_the_newest_of_the_waiting_edits_is_sent(player, outbox, drain, copying, posted):
    for percent in range(50):
        await outbox.show(copying(percent))
    await drain()
    await player.person.wait_for(lambda: posted() and "49 %" in posted()[0]["text"])
    assert player.tally.calls["chat.postMessage"] == 1
    assert player.tally.calls["chat.update"] == 0


async def test_an_end_is_never_overtaken_by_older_news(outbox, drain, card, copying, posted, store, until):
    await drain()
    await outbox.show(card(phase=Phase.FAILED))
    await until(keys.card(JOB), lambda found: found.get("ts"))
    await outbox.show(copying(64))
    assert await store.zcard(keys.OUTBOX) == 0
    assert "failed" in posted()[0]["text"]


async def test_replies_wait_for_the_card_and_keep_their_order(player, outbox, drain, card, reply, thread):
    names = [f"thing-{number}" for number in range(8)]
    for name in names:
        await outbox.reply(JOB, CHANNEL, reply(name, final=name == "thing-7"))
    await drain()
    await outbox.show(card())
    await player.person.wait_for(lambda: len(thread()) == len(names))
    assert thread() == [f"About {name}." for name in names]


async def test_a_reply_is_posted_once_however_often_it_is_given(player, outbox, drain, card, reply, thread):
    await drain()
    await outbox.show(card())
    await asyncio.gather(*(outbox.reply(JOB, CHANNEL, reply("diagnosis")) for _ in range(10)))
    await player.person.wait_for(thread)
    await outbox.reply(JOB, CHANNEL, reply("diagnosis"))
    await outbox.reply(JOB, CHANNEL, reply("end"))
    await player.person.wait_for(lambda: "About end." in thread())
    assert thread() == ["About diagnosis.", "About end."]


async def test_two_drainers_post_nothing_twice(player, outbox, drain, card, reply, posted):
    await asyncio.gather(drain(), drain(), drain())
    jobs = [JobId(f"aaaaaaa{letter}") for letter in "abcdefghijklmnop"]
    for job in jobs:
        await outbox.show(card(job=job, title=f"vm-{job} to site2"))
        await outbox.reply(job, CHANNEL, reply("one"))
        await outbox.reply(job, CHANNEL, reply("two"))
    await player.person.wait_for(lambda: player.tally.calls["chat.postMessage"] >= 3 * len(jobs))
    assert player.tally.calls["chat.postMessage"] == 3 * len(jobs)
    assert sorted(message["text"] for message in posted()) == sorted(f"vm-{job} to site2: queued" for job in jobs)
    for message in posted():
        texts = [one["text"] for one in player.person.thread(CHANNEL, message["ts"])[1:]]
        assert texts == ["About one.", "About two."]


async def test_a_post_whose_answer_was_lost_is_found_and_not_repeated(
    player, outbox, drain, card, posted, store, skew_clock, released, until
):
    player.switches.next_answers("chat.postMessage", LoseReply())
    await drain()
    await outbox.show(card())
    await player.person.wait_for(posted)
    await released(f"card:{JOB}")
    skew_clock(timedelta(seconds=30))
    await until(keys.card(JOB), lambda found: "ts" in found)
    assert len(posted()) == 1
    assert await store.hget(keys.card(JOB), "ts") == posted()[0]["ts"]


async def test_a_reply_whose_answer_was_lost_is_found_in_the_thread(
    player, outbox, drain, card, reply, thread, store, skew_clock, posted, released, until
):
    await drain()
    await outbox.show(card())
    await player.person.wait_for(posted)
    player.switches.next_answers("chat.postMessage", LoseReply())
    await outbox.reply(JOB, CHANNEL, reply("once"))
    await player.person.wait_for(thread)
    await released(f"reply:{JOB}:once")
    skew_clock(timedelta(seconds=30))
    await until(keys.card(JOB), lambda found: found.get("reply:once"))
    await outbox.reply(JOB, CHANNEL, reply("next"))
    await player.person.wait_for(lambda: len(thread()) == 2)
    assert thread() == ["About once.", "About next."]


async def test_a_bot_that_died_between_post_and_save_leaves_a_card_that_the_next_adopts(
    player, client, outbox, drain, card, copying, posted, store, skew_clock
):
    await outbox.show(card())
    ((record,), _) = await Records(store, "doomed").claim(1)
    await client.chat_postMessage(
        channel=record.channel, text=record.text, blocks=record.blocks, metadata=metadata(record)
    )
    await outbox.show(copying(12))  # news that came while it lay dead
    skew_clock(timedelta(minutes=1))
    await drain()
    await player.person.wait_for(lambda: "12 %" in posted()[0]["text"])
    assert len(posted()) == 1
    assert not await Records(store, "doomed").conclude(record, Sent(ts="1.1", revision=1)), "its fence is worth nothing"
    assert await store.hget(keys.card(JOB), "ts") == posted()[0]["ts"]


async def test_a_message_of_somebody_else_with_our_metadata_is_not_adopted(
    player, outbox, drain, card, posted, store, skew_clock, client
):
    await outbox.show(card())
    ((record,), _) = await Records(store, "doomed").claim(1)
    forged = player.person.post("mallory", "#migrations", "look here")
    player.workspace.channels[CHANNEL].messages[forged].metadata = metadata(record)
    skew_clock(timedelta(minutes=1))
    await drain()
    await player.person.wait_for(posted)
    assert posted()[0]["ts"] != forged


async def test_a_throttled_channel_pauses_alone(player, outbox, drain, card, posted, skew_clock, until):
    other = player.switches.add_channel("others")
    player.switches.next_answers("chat.postMessage", Throttle(retry_after=20))
    await drain()
    await outbox.show(card())
    await until(keys.outbox("pace"), lambda pace: f"pause:post:{CHANNEL}" in pace)
    await outbox.show(card(job=JobId("otherjob"), channel=other))
    await player.person.wait_for(lambda: posted(other))
    assert posted() == []
    skew_clock(timedelta(seconds=21))
    await player.person.wait_for(posted)
    assert player.tally.calls["chat.postMessage"] == 3


async def test_a_throttled_edit_loses_nothing_and_the_end_comes_first(
    player, outbox, drain, card, copying, posted, skew_clock, store, until
):
    await drain()
    for job in ("aaaaaaaa", "bbbbbbbb"):
        await outbox.show(copying(1, job=JobId(job), title=job))
    await player.person.wait_for(lambda: len(posted()) == 2)
    await until(keys.outbox(f"card:{JOB}"), lambda found: not found)
    player.switches.next_answers("chat.update", Throttle(retry_after=20))
    await outbox.show(copying(2, job=JobId("aaaaaaaa"), title="aaaaaaaa"))
    await until(keys.outbox("pace"), lambda pace: "pause:edit" in pace)
    await outbox.show(copying(3, job=JobId("aaaaaaaa"), title="aaaaaaaa"))
    await outbox.show(card(job=JobId("bbbbbbbb"), title="bbbbbbbb", phase=Phase.DONE))
    edits = len(player.workspace.traffic)
    skew_clock(timedelta(seconds=21))
    await player.person.wait_for(lambda: all("3 %" in m["text"] or "done" in m["text"] for m in posted()))
    assert len(player.workspace.traffic) == edits + 2, "2 % was never shown: 3 % took its place"


async def test_server_errors_are_tried_again(player, outbox, drain, card, posted, store, skew_clock, released):
    player.switches.next_answers("chat.postMessage", BreakDown(503))
    await drain()
    await outbox.show(card())
    await released(f"card:{JOB}")
    skew_clock(timedelta(seconds=30))
    await player.person.wait_for(posted)
    assert len(posted()) == 1


async def test_a_channel_that_is_closed_to_us_is_noted_on_the_card_and_tried_again(
    player, outbox, drain, card, posted, store, skew_clock, caplog, until
):
    player.switches.remove_bot(CHANNEL)
    await drain()
    await outbox.show(card())
    noted = await until(keys.card(JOB), lambda found: "error" in found)
    assert noted["error"] == "not_in_channel"
    assert "/invite" in caplog.text
    player.switches.invite_bot(CHANNEL)
    skew_clock(timedelta(minutes=3))
    await player.person.wait_for(posted)
    await until(keys.card(JOB), lambda found: "error" not in found)


async def test_news_for_a_channel_that_stays_closed_is_given_up_after_a_day(
    player, outbox, drain, card, reply, store, valkey_url, until
):
    player.switches.archive(CHANNEL)
    await outbox.show(card())
    await outbox.reply(JOB, CHANNEL, reply("lost"))
    await store.hset(keys.outbox(f"card:{JOB}"), "created", "1000000000000")
    await drain()
    await until(keys.outbox(f"card:{JOB}"), lambda found: not found)
    assert await store.hget(keys.card(JOB), "error") == "is_archived"
    assert await store.exists(keys.outbox(f"reply:{JOB}:lost"), keys.outbox(f"replies:{JOB}"), keys.OUTBOX) == 0


async def test_a_revoked_token_keeps_everything_until_it_is_renewed(
    player, outbox, drain, card, reply, posted, thread, store, skew_clock, until
):
    player.switches.revoke_token()
    await drain()
    await outbox.show(card())
    await outbox.reply(JOB, CHANNEL, reply("news"))
    await until(keys.card(JOB), lambda found: found.get("error") == "token_revoked")
    player.switches.restore_token()
    skew_clock(timedelta(minutes=3))
    await player.person.wait_for(thread)
    assert len(posted()) == 1


async def test_a_card_that_somebody_deleted_is_posted_anew(player, outbox, drain, card, posted, client):
    await drain()
    await outbox.show(card())
    await player.person.wait_for(posted)
    await client.chat_delete(channel=CHANNEL, ts=posted()[0]["ts"])
    await outbox.show(card(phase=Phase.DONE))
    await player.person.wait_for(lambda: posted() and "done" in posted()[0]["text"])


async def test_blocks_that_slack_refuses_are_left_out_rather_than_the_news(player, outbox, drain, card, posted, caplog):
    player.switches.next_answers("chat.postMessage", Refuse("invalid_blocks"))
    await drain()
    await outbox.show(card())
    await player.person.wait_for(posted)
    assert posted()[0]["text"] == "web01 to site2: queued"
    assert "defect" in caplog.text


async def test_a_message_that_slack_refuses_even_without_blocks_is_given_up_and_the_next_goes_on(
    player, outbox, drain, card, reply, posted, thread, store
):
    await drain()
    await outbox.show(card())
    await player.person.wait_for(posted)
    player.switches.next_answers("chat.postMessage", Refuse("msg_too_long"), times=2)
    await outbox.reply(JOB, CHANNEL, reply("bad"))
    await outbox.reply(JOB, CHANNEL, reply("good"))
    await player.person.wait_for(thread)
    assert thread() == ["About good."]


async def test_the_metadata_holds_ids_only(player, outbox, drain, card, posted, reply, thread):
    await drain()
    await outbox.show(card(title="secret-vm to site2"))
    await player.person.wait_for(posted)
    await outbox.reply(JOB, CHANNEL, reply("end"))
    await player.person.wait_for(thread)
    shown = player.person.thread(CHANNEL, posted()[0]["ts"])
    assert [message["metadata"] for message in shown] == [
        {"event_type": "coldmigrate_job", "event_payload": {"job_id": JOB, "kind": "card", "rev": 1}},
        {"event_type": "coldmigrate_job", "event_payload": {"job_id": JOB, "kind": "reply", "reply": "end"}},
    ]


async def test_a_stop_leaves_nothing_half_done(player, outbox, store, client, card, drain, posted, until):
    drainer = await drain()
    await outbox.show(card())
    await player.person.wait_for(posted)
    drainer.stop()
    await until(keys.outbox(f"card:{JOB}"), lambda found: not found)
    assert await store.hget(keys.card(JOB), "ts") == posted()[0]["ts"]


# Pace, by the clock of Redis alone: what a claim hands out at one moment.


async def test_posts_of_one_channel_come_four_at_once_and_then_one_a_second(outbox, store, card, skew_clock):
    records = Records(store, "me")
    for letter in "abcdefgh":
        await outbox.show(card(job=JobId(f"aaaaaaa{letter}")))
    await outbox.show(card(job=JobId("elsewher"), channel="C2"))
    taken, wait = await records.claim(20)
    assert sum(record.channel == CHANNEL for record in taken) == 4
    assert set(await store.hash(keys.outbox("pace"))) == {f"post:{CHANNEL}", "post:C2"}
    assert sum(record.channel == "C2" for record in taken) == 1
    assert timedelta(0) < wait <= timedelta(seconds=1)
    skew_clock(timedelta(seconds=1.1))
    taken, _ = await records.claim(20)
    assert len(taken) == 1
    skew_clock(timedelta(seconds=20))
    taken, _ = await records.claim(20)
    assert len(taken) == 3
    skew_clock(timedelta(seconds=40))
    await records.claim(0)
    assert await store.hash(keys.outbox("pace")) == {}, "what no channel is in debt with is not kept"


async def test_progress_leaves_room_for_news(outbox, store, card, copying, skew_clock):
    records = Records(store, "me")
    jobs = [JobId(f"aaaaaaa{letter}") for letter in "abcdefghijkl"]
    await _shown(outbox, store, records, [copying(1, job=job, channel=f"C{job}") for job in jobs], skew_clock)
    for job in jobs:
        await outbox.show(copying(2, job=job, channel=f"C{job}"))
    progress, _ = await records.claim(20)
    assert len(progress) == Pace().edit_burst - Pace().reserve
    for job in jobs[-3:]:
        await outbox.show(card(job=job, channel=f"C{job}", phase=Phase.DONE))
    ends, _ = await records.claim(20)
    assert {record.job for record in ends} == set(jobs[-3:])
    assert (await records.claim(20))[0] == []


async def test_edits_that_waited_longest_go_first(outbox, store, copying, skew_clock):
    records = Records(store, "me")
    jobs = [JobId(f"aaaaaaa{letter}") for letter in "abcdef"]
    await _shown(outbox, store, records, [copying(1, job=job, channel=f"C{job}") for job in jobs], skew_clock)
    for job in jobs:
        await outbox.show(copying(2, job=job, channel=f"C{job}"))
    first, _ = await records.claim(20)
    for record in first:
        await records.conclude(record, _sent(record))
    for job in jobs:
        await outbox.show(copying(3, job=job, channel=f"C{job}"))
    skew_clock(timedelta(minutes=11))
    second, _ = await records.claim(3)
    assert {record.job for record in first} | {record.job for record in second} == set(jobs)


async def test_an_edit_that_came_while_another_was_on_its_way_is_next_and_not_beside_it(outbox, store, card, copying):
    records = Records(store, "me")
    await outbox.show(card())
    ((first,), _) = await records.claim(5)
    await outbox.show(copying(1))
    assert (await records.claim(5))[0] == [], "two edits at once could arrive in the wrong order"
    await records.conclude(first, _sent(first, ts="1.000001"))
    ((second,), _) = await records.claim(5)
    assert (second.ts, second.revision) == ("1.000001", 2)
    assert not second.posts


async def _shown(outbox, store, records, cards, skew_clock):
    """Have these cards posted, as if by a drainer, and let all buckets fill up again."""
    for card in cards:
        await outbox.show(card)
    taken, _ = await records.claim(len(cards))
    assert len(taken) == len(cards)
    for number, record in enumerate(taken):
        await records.conclude(record, _sent(record, ts=f"1.{number:06d}"))
    skew_clock(timedelta(minutes=10))


def _sent(record, *, ts: str = "") -> Sent:
    return Sent(ts=ts or record.ts, revision=record.revision, outline=record.outline, digest=record.digest)


def _reply(key: str):
    from bot.slack.port import Reply  # noqa: PLC0415

    return Reply(key=key, text=f"About {key}.")
