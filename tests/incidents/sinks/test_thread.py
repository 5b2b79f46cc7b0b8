"""What the thread of an incident hears of its escalation, in a played Slack: each thing once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import OutsideError, UnreachableError
from bot.incidents.incident import State
from bot.migration.request import JobId
from bot.operations.escalate import MESSAGE_TIME
from bot.slack.drain import OutboxDrainer
from bot.slack.outbox import RedisOutbox
from bot.slack.port import AlertCard, AlertLook
from bot.slack.records import Pace
from tests.incidents.sinks.stage import CHANNEL, INCIDENT, PATIENCE, serving, settled, tools_of

PAGER = "https://pager.example.net/n3q7m2xa-1"
UNPACED = Pace(post_gap=timedelta(0), edit_gap=timedelta(0), card_gap=timedelta(0))


@pytest.fixture
async def posting(store, client) -> AsyncIterator:
    """Call it, and the message of an incident is arranged and on its way to Slack."""
    drainer = OutboxDrainer(store, client, pace=UNPACED)
    running = []

    async def post() -> None:
        card = AlertCard(
            subject=JobId(INCIDENT),
            channel=CHANNEL,
            title="NFC",
            look=AlertLook.OPEN,
            state="open",
            verdict="NFC broke",
        )
        await RedisOutbox(store).show_alert(card)
        running.append(asyncio.create_task(drainer.run()))

    yield post
    drainer.stop()
    await asyncio.wait_for(asyncio.gather(*running), 10)


@pytest.fixture
async def thread(posting, player):
    """The message of an open incident is in Slack, or soon; the replies below it, once there are so many."""
    await posting()

    def found() -> list[str]:
        cards = [message for message in player.person.history(CHANNEL) if message.get("bot_id")]
        return [message["text"] for message in player.person.thread(CHANNEL, cards[0]["ts"])[1:]] if cards else []

    async def replies(count: int) -> list[str]:
        await player.person.wait_for(lambda: len(found()) >= count)
        return found()

    return replies


@pytest.fixture
async def page(escalations, cases, store, skew_clock, sink):
    """Serve the sink until it knows of an incident that nobody acknowledged for ten minutes."""

    async def run(*, rounds: int = 1) -> None:
        await cases.stands(State.OPEN)
        await escalations.arrange(INCIDENT, sink.name, at=datetime.now(UTC) + PATIENCE)
        async with serving(tools_of(store, message_within=MESSAGE_TIME), sink):
            for number in range(1, rounds + 1):
                skew_clock(PATIENCE * 2 * number)
                await settled(store)

    return run


async def test_who_was_told_why_and_who_is_on_call(page, thread, sink, player):
    await page(rounds=3)
    assert await thread(1) == ["Told night shift: nobody acknowledged within 10 min; on call: Ada Lovelace."]
    assert sink.pages[0].link.startswith("https://")  # the page leads to the message
    shown = await player.person.wait_for(lambda: [m for m in player.person.history(CHANNEL) if PAGER in repr(m)])
    assert len(shown) == 1  # and the message to the page
    assert "Ada Lovelace" in repr(shown)


async def test_a_page_that_is_due_at_once_waits_for_its_message(store, cases, escalations, sink, posting):
    """The message and the page are arranged together; the page must lead to the message all the same."""
    await cases.stands(State.OPEN)
    await escalations.arrange(INCIDENT, sink.name, at=datetime.now(UTC) - timedelta(milliseconds=5))
    waits = asyncio.Event()
    tools = tools_of(store, message_within=MESSAGE_TIME, reached=lambda point: point == "no message" and waits.set())
    async with serving(tools, sink):
        await asyncio.wait_for(waits.wait(), 20)
        assert sink.tries == 0
        await posting()
        await settled(store)
    assert [page.link.startswith("https://") for page in sink.pages] == [True]


async def test_a_page_does_not_wait_for_a_slack_that_is_down(cases, escalations, sink, store):
    await cases.stands(State.OPEN)
    await escalations.arrange(INCIDENT, sink.name, at=datetime.now(UTC) - timedelta(milliseconds=5))
    async with serving(tools_of(store, message_within=timedelta(milliseconds=300)), sink):
        await settled(store)
    assert [page.link for page in sink.pages] == [""]


async def test_a_permanent_refusal_is_told_once(page, thread, sink, escalations, caplog):
    sink.fails = OutsideError("PagerDuty answered 400 (<!channel> Event object is invalid).")
    await page(rounds=4)
    (said,) = await thread(1)
    assert said == (
        "night shift does not take this (trigger), and it is not tried again: "
        "PagerDuty answered 400 (&lt;!channel&gt; Event object is invalid)."
    )
    assert sink.tries == 1
    assert "will not take" in caplog.text
    (known,) = await escalations.of(INCIDENT)
    assert (known.said, known.trouble) == (None, "PagerDuty answered 400 (<!channel> Event object is invalid).")


async def test_a_sink_that_is_dead_for_long_is_told_once_and_tried_on(page, thread, sink):
    sink.fails = UnreachableError("PagerDuty does not answer.")
    await page(rounds=5)
    assert sink.tries == 5
    (said,) = await thread(1)
    assert said == (
        "night shift could not be told for 20 min: PagerDuty does not answer. It is tried again until it is taken."
    )


async def test_an_incident_without_a_message_is_told_to_the_sink_alone(store, cases, escalations, sink):
    await cases.stands(State.OPEN, channel="")
    await escalations.arrange(INCIDENT, sink.name, at=datetime.now(UTC))
    async with serving(tools_of(store), sink):
        await settled(store)
    assert sink.told == [("n3q7m2xa-1", "trigger")]
    assert await store.keys("{cm}:outbox:reply*") == []
