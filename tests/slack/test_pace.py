"""Few edits, and honest ones: a card waits a moment for its plan, and says when Slack kept it back for long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.playground.slack.faults import LoseReply, Throttle
from bot.store import keys

CHANNEL = "C0MIGRATE1"
JOB = JobId("k3q7m2xa")


async def test_a_plan_that_comes_at_once_is_the_first_thing_that_is_posted(player, outbox, drain, card, posted):
    await drain()
    await outbox.show(card(phase=Phase.DRAFTED))
    await outbox.show(card(phase=Phase.CHECKING))
    await outbox.show(card(phase=Phase.PLANNED))
    await player.person.wait_for(posted)
    assert "waiting for approval" in posted()[0]["text"]
    assert player.tally.calls["chat.update"] == 0


async def test_a_plan_that_takes_its_time_is_announced_meanwhile(player, outbox, drain, card, posted):
    await drain()
    await outbox.show(card(phase=Phase.CHECKING))
    await player.person.wait_for(posted, timedelta(seconds=1))
    await outbox.show(card(phase=Phase.PLANNED))
    await player.person.wait_for(lambda: "waiting for approval" in posted()[0]["text"])


@pytest.mark.parametrize(("waits", "said"), [(5, False), (90, True)])
async def test_a_card_that_slack_kept_back_for_long_says_so_until_its_next_edit(
    player, outbox, drain, copying, posted, skew_clock, until, waits, said
):
    await drain()
    await outbox.show(copying(1))
    await player.person.wait_for(posted)
    await until(keys.outbox(f"card:{JOB}"), lambda found: not found)
    player.switches.next_answers("chat.update", Throttle(retry_after=waits))
    await outbox.show(copying(2))
    await until(keys.outbox("pace"), lambda pace: "pause:edit" in pace)
    skew_clock(timedelta(seconds=waits + 1))
    await player.person.wait_for(lambda: "2 %" in posted()[0]["text"])
    assert ("lets us edit slowly" in str(posted()[0]["blocks"])) is said
    await outbox.show(copying(3))
    await player.person.wait_for(lambda: "3 %" in posted()[0]["text"])
    assert "lets us edit slowly" not in str(posted()[0]["blocks"])


async def test_a_look_up_that_is_throttled_stops_no_posts(
    player, outbox, drain, card, posted, store, skew_clock, until, released
):
    """Slack counts reading and writing apart."""
    player.switches.next_answers("chat.postMessage", LoseReply())
    await drain()
    await outbox.show(card())
    await player.person.wait_for(posted)
    await released(f"card:{JOB}")
    player.switches.next_answers("conversations.history", Throttle(retry_after=60))
    skew_clock(timedelta(seconds=5))
    await player.person.wait_for(lambda: player.tally.throttled["conversations.history"])
    await until(keys.outbox(f"card:{JOB}"), lambda found: found.get("owner") == "" and found["attempts"] == "1")
    await outbox.show(card(job=JobId("aaaaaaaa")))
    await player.person.wait_for(lambda: len(posted()) == 2)
    skew_clock(timedelta(seconds=70))
    await until(keys.card(JOB), lambda found: found.get("ts"))
    assert len(posted()) == 2
