"""An inquiry's card: in the thread it belongs to, once, edited in place, with its replies and files beside it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.migration.request import JobId
from bot.playground.slack.faults import LoseReply, Refuse
from bot.slack.port import InquiryCard, InquiryStep, Reply, StepState
from bot.store import keys

CHANNEL = "C0MIGRATE1"
JOB = JobId("q7m2xak3")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture
def inquiry():
    def make(thread: str = "", *states: StepState, outcome: str | None = None) -> InquiryCard:
        return InquiryCard(
            job=JOB,
            channel=CHANNEL,
            thread=thread,
            asked_by="U0ALICE001",
            title="Diagnosis of <!channel> web01",
            steps=[InquiryStep(f"Step {n}", state) for n, state in enumerate(states or [StepState.RUNNING])],
            outcome=outcome,
            ended=outcome is not None,
        )

    return make


@pytest.fixture
async def root(player):
    """Somebody's message, whose thread is asked about."""
    return player.person.post("alice", CHANNEL, "It broke again")


def said(player, thread: str) -> list[dict]:
    """What the bot said in a thread."""
    return [message for message in player.person.thread(CHANNEL, thread)[1:] if message.get("bot_id")]


def files(player, messages: list[dict]) -> list[dict]:
    shown = [player.person.message(CHANNEL, message["ts"]) for message in messages]
    return [file for message in shown for file in message.get("files") or ()]


async def test_its_card_its_replies_and_its_files_are_all_in_the_thread_it_was_asked_in(
    player, outbox, drain, inquiry, root, posted
):
    await drain()
    await outbox.show_inquiry(inquiry(root))
    await outbox.reply(JOB, CHANNEL, Reply("verdict", "Packet loss.", final=True))
    await outbox.attach(JOB, CHANNEL, name="timeline.png", data=PNG, title="Timeline", alt_text="Errors by minute.")
    await outbox.show_inquiry(inquiry(root, StepState.DONE, outcome="Probable cause: packet loss."))
    await player.person.wait_for(lambda: len(said(player, root)) == 3)
    await player.person.wait_for(lambda: "packet loss" in said(player, root)[0]["text"])
    assert [message for message in posted() if message["ts"] != root and not message.get("thread_ts")] == []
    (file,) = files(player, said(player, root))
    assert (file["name"], file["title"]) == (f"coldmigrate-{JOB}-timeline.png", "Timeline")
    assert player.person.download("alice", file["id"])[1] == PNG


async def test_without_a_thread_it_is_a_message_of_its_own_whose_thread_takes_the_rest(
    player, outbox, drain, inquiry, posted, thread
):
    await drain()
    await outbox.show_inquiry(inquiry())
    await outbox.reply(JOB, CHANNEL, Reply("verdict", "Packet loss."))
    await player.person.wait_for(lambda: thread() == ["Packet loss."])
    assert len(posted()) == 1


async def test_nothing_in_it_can_ping_and_every_state_has_a_mark(player, outbox, drain, inquiry, posted):
    await drain()
    await outbox.show_inquiry(inquiry("", *StepState))
    (message,) = await player.person.wait_for(posted)
    assert "<!channel>" not in message["text"]
    drawn = json.dumps(message["blocks"], ensure_ascii=False)
    assert '"mrkdwn"' not in drawn
    assert all(mark in drawn for mark in ("▫️ Step 0", "⏳ Step 1", "✅ Step 2", "⚠️ Step 3"))


async def test_the_latest_look_wins_and_an_end_is_not_overtaken(player, outbox, drain, inquiry, root):
    await outbox.show_inquiry(inquiry(root, StepState.RUNNING, StepState.WAITING))
    await outbox.show_inquiry(inquiry(root, StepState.DONE, StepState.DONE, outcome="Nothing was found."))
    await outbox.show_inquiry(inquiry(root, StepState.DONE, StepState.RUNNING))
    await drain()
    (card,) = await player.person.wait_for(lambda: said(player, root))
    assert "Nothing was found." in card["text"]


async def test_a_card_whose_answer_was_lost_is_found_in_the_thread(
    player, outbox, drain, inquiry, root, store, skew_clock, released, until
):
    player.switches.next_answers("chat.postMessage", LoseReply())
    await drain()
    await outbox.show_inquiry(inquiry(root))
    await released(f"card:{JOB}")
    skew_clock(timedelta(seconds=30))
    found = await until(keys.card(JOB), lambda card: card.get("ts"))
    assert [card["ts"] for card in said(player, root)] == [found["ts"]]


async def test_a_file_is_attached_once_however_often_it_is_asked_for(player, outbox, drain, inquiry, root):
    await drain()
    await outbox.show_inquiry(inquiry(root))
    for _ in range(3):
        await outbox.attach(JOB, CHANNEL, name="report.html", data=b"<p>ok</p>", title="Report", alt_text="All of it.")
    await outbox.reply(JOB, CHANNEL, Reply("last", "That is all."))
    await player.person.wait_for(lambda: len(said(player, root)) == 3)
    assert len(files(player, said(player, root))) == 1


async def test_where_slack_takes_no_file_its_words_are_said_instead(player, outbox, drain, inquiry, root):
    player.switches.deny("files:write")
    await drain()
    await outbox.show_inquiry(inquiry(root))
    await outbox.attach(JOB, CHANNEL, name="timeline.png", data=PNG, title="Timeline", alt_text="Errors at 16:31.")
    await player.person.wait_for(lambda: len(said(player, root)) == 2)
    assert "Errors at 16:31." in said(player, root)[1]["text"]


async def test_when_the_thread_is_gone_the_channel_gets_the_answer(player, outbox, drain, inquiry, root, posted):
    player.switches.next_answers("chat.postMessage", Refuse("thread_not_found"))
    await drain()
    await outbox.show_inquiry(inquiry(root))
    await outbox.reply(JOB, CHANNEL, Reply("verdict", "Packet loss."))
    (card,) = await player.person.wait_for(posted)
    await player.person.wait_for(lambda: len(player.person.thread(CHANNEL, card["ts"])) == 2)
    await outbox.show_inquiry(inquiry(root, StepState.DONE, outcome="Packet loss."))
    await player.person.wait_for(lambda: "Packet loss" in posted()[0]["text"])
    assert said(player, root) == []
