"""Who is told when Slack refuses for good: an admin what to do, the requester how it ended, the log when nobody can."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.slack.complaints import BROKEN_FOR
from bot.store import keys

CHANNEL = "C0MIGRATE1"
JOB = JobId("k3q7m2xa")
ADMINS = ["U0CAROL001", "U0BOB00001"]


async def test_every_admin_is_told_once_a_day_what_to_do(player, outbox, drain, card, until, skew_clock, store):
    player.switches.remove_bot(CHANNEL)
    await drain(admins=ADMINS)
    await outbox.show(card())
    await outbox.show(card(job=JobId("aaaaaaaa")))
    for job in (JOB, "aaaaaaaa"):
        await until(keys.card(job), lambda found: found.get("error") == "not_in_channel")
    for admin in ("@carol", "@bob"):
        (told,) = await player.person.wait_for(lambda admin=admin: player.person.history(admin))
        assert "not_in_channel" in told["text"]
        assert "/invite" in told["text"]
        assert CHANNEL in told["text"]
    tried = player.tally.calls["chat.postMessage"]
    skew_clock(timedelta(minutes=5))
    await player.person.wait_for(lambda: player.tally.calls["chat.postMessage"] >= tried + 2)
    assert len(player.person.history("@carol")) == 1
    again = timedelta(milliseconds=await store.pttl(keys.seen("note", f"not_in_channel:{CHANNEL}")))
    assert timedelta(hours=23) < again <= timedelta(days=1)


async def test_another_place_is_another_problem(player, outbox, drain, card):
    player.switches.archive(CHANNEL)
    player.switches.remove_bot("#random")
    await drain(admins=ADMINS)
    await outbox.show(card())
    await outbox.show(card(job=JobId("aaaaaaaa"), channel="C0RANDOM01"))
    told = await player.person.wait_for(
        lambda: len(player.person.history("@carol")) == 2 and player.person.history("@carol")
    )
    assert {"is_archived" in message["text"] for message in told} == {True, False}


async def test_without_admins_the_log_says_so(player, outbox, drain, card, until, caplog):
    player.switches.archive(CHANNEL)
    await drain()
    await outbox.show(card())
    await until(keys.card(JOB), lambda found: found.get("error") == "is_archived")
    assert "slack.admins" in caplog.text


async def test_the_requester_reads_the_end_when_the_channel_takes_nothing(
    player, outbox, drain, card, until, skew_clock
):
    player.switches.archive(CHANNEL)
    await drain()
    await outbox.show(card(phase=Phase.DONE, note="web01 is at site2."))
    await until(keys.card(JOB), lambda found: found.get("error") == "is_archived")
    assert player.person.history("@alice") == []
    skew_clock(BROKEN_FOR + timedelta(minutes=1))
    (told,) = await player.person.wait_for(lambda: player.person.history("@alice"))
    assert told["text"] == "web01 to site2: done. web01 is at site2."
    assert "is_archived" in json.dumps(told["blocks"])
    player.switches.archive(CHANNEL, archived=False)
    skew_clock(BROKEN_FOR + timedelta(minutes=5))
    await player.person.wait_for(lambda: [m for m in player.person.history(CHANNEL) if m.get("bot_id")])
    assert len(player.person.history("@alice")) == 1


async def test_progress_is_not_worth_a_direct_message(player, outbox, drain, copying, until, skew_clock):
    player.switches.archive(CHANNEL)
    await drain()
    await outbox.show(copying(12))
    await until(keys.card(JOB), lambda found: found.get("error") == "is_archived")
    tried = player.tally.calls["chat.postMessage"]
    skew_clock(BROKEN_FOR + timedelta(minutes=5))
    await player.person.wait_for(lambda: player.tally.calls["chat.postMessage"] > tried)
    assert player.person.history("@alice") == []


async def test_a_token_that_is_gone_is_an_error_in_the_log_and_stands_in_redis_until_it_is_back(
    player, outbox, drain, card, until, skew_clock, caplog
):
    player.switches.revoke_token()
    await drain(admins=ADMINS)
    await outbox.show(card())
    trouble = await until(keys.outbox("trouble"), lambda found: found)
    assert "token was revoked" in trouble["token_revoked"]
    assert any(line.levelno == logging.ERROR and "Nothing reaches Slack" in line.message for line in caplog.records)
    await until(keys.card(JOB), lambda found: found.get("error") == "token_revoked")
    player.switches.restore_token()
    skew_clock(timedelta(minutes=3))
    await until(keys.outbox("trouble"), lambda found: not found)


async def test_an_admin_who_cannot_be_reached_keeps_nothing_waiting(player, outbox, drain, card, store, until):
    player.switches.archive(CHANNEL)
    await drain(admins=["U0NOBODY00"])
    await outbox.show(card())
    await until(keys.outbox(f"note:is_archived:{CHANNEL}:U0NOBODY00"), lambda found: not found)
    await until(keys.card(JOB), lambda found: found.get("error") == "is_archived")
