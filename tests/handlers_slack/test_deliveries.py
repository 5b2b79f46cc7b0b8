"""What is delivered twice is done once and said once, whichever bot it reaches and whoever died over it before."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.errors import UserError
from bot.operations.port import Answer
from bot.slack.inbox import RedisInbox
from bot.slack.port import Begin
from bot.store import keys
from bot.store.scripts import load
from handlers.slack.deliveries import ABANDONED, Deliveries
from tests.fixtures_slack import CHANNEL

JOB = "k3q7m2xa"
AGAIN = "it may have been done before"


@pytest.fixture
def inbox(store) -> RedisInbox:
    return RedisInbox(store)


@pytest.fixture
def deliveries(inbox):
    """Another process's, each time it is called."""
    return lambda: Deliveries(inbox, reached=lambda _: None)


def acked(player, kind: str) -> list:
    """Acks of commands or of clicks; the played Slack tells of new messages, too."""
    return [ack for ack in player.tally.acks if ack.kind == kind]


COMMAND, CLICK = "slash_commands", "interactive"


class Work:
    """A verb that counts how often it was carried out."""

    def __init__(self, *, answer: str = "Done.", error: Exception | None = None) -> None:
        self.times = 0
        self.answer, self.error = answer, error

    async def __call__(self) -> Answer:
        self.times += 1
        if self.error is not None:
            raise self.error
        return Answer(self.answer, ["a line"], public=True)


# Through the socket


@pytest.mark.usefixtures("bot")
async def test_a_command_that_comes_three_times_is_one_command_with_one_answer(player, say, desk):
    player.switches.deliver_each(3)
    assert f"Job {JOB}" in await say("web01 site2")
    await player.person.wait_for(lambda: len(acked(player, COMMAND)) == 3)
    assert len(desk.calls) == 1
    assert len({str(ack.payload) for ack in acked(player, COMMAND)}) == 1


@pytest.mark.usefixtures("bot")
async def test_a_click_that_comes_three_times_is_one_click_with_one_answer(player, say, desk, card, told):
    await say("web01 site2")
    ts = (await card())["ts"]
    player.switches.deliver_each(3)
    await player.person.click("bob", "#migrations", ts, "cm.approve")
    assert "Approved" in await told("bob")
    await player.person.wait_for(lambda: len(acked(player, CLICK)) == 3)
    assert [call[0] for call in desk.calls] == ["migrate", "approve"]
    assert len(player.person.ephemerals("bob")) == 1


@pytest.mark.usefixtures("bot")
async def test_a_public_answer_is_public_once(player, say):
    player.switches.deliver_each(3)
    await say(f"cancel {JOB}")
    await player.person.wait_for(lambda: len(acked(player, COMMAND)) == 3)
    public = [ack for ack in player.tally.acks if (ack.payload or {}).get("response_type") == "in_channel"]
    assert len(public) == 1


async def test_copies_that_reach_two_bots_are_one_command(player, start, say, desk):
    await start()
    await start()
    player.switches.deliver_each(4)
    for number in range(5):
        await say(f"web{number:02} site2")
    await player.person.wait_for(lambda: len(acked(player, COMMAND)) == 20)
    assert len(desk.calls) == 5


@pytest.mark.usefixtures("bot")
async def test_a_button_of_a_job_that_nobody_knows_goes_with_a_word(player, client, told, desk, store):
    button = {
        "type": "button",
        "action_id": "cm.cancel",
        "value": "aaaaaaaa",
        "text": {"type": "plain_text", "text": "X"},
    }
    blocks = [
        {"type": "section", "text": {"type": "plain_text", "text": "what was known"}},
        {"type": "actions", "elements": [button]},
    ]
    old = (await client.chat_postMessage(channel=CHANNEL, text="old", blocks=blocks))["ts"]
    await player.person.click("alice", "#migrations", old, "cm.cancel")
    assert "not known any more" in await told("alice")
    shown = lambda: str(player.person.message(CHANNEL, old)["blocks"])  # noqa: E731
    await player.person.wait_for(lambda: "cm.cancel" not in shown())
    assert "what was known" in shown()
    assert "no longer known" in shown()
    assert desk.calls == []


@pytest.mark.usefixtures("bot")
async def test_a_click_still_works_when_the_card_was_never_saved(player, say, desk, card, told, store):
    await say("web01 site2")
    ts = (await card())["ts"]
    await store.delete(keys.card(JOB))
    await player.person.click("bob", "#migrations", ts, "cm.approve")
    assert "Approved" in await told("bob")
    assert await store.hget(keys.card(JOB), "hint") == ts


# Between processes


async def test_what_another_process_did_is_answered_with_what_it_said(deliveries):
    work = Work()
    first = await deliveries().once("order", "1", work)
    second = await deliveries().once("order", "1", work)
    assert (first.again, second.again, work.times) == (False, True, 1)
    assert second.answer == Answer("Done.", ["a line"], public=False)


async def test_another_delivery_is_another_command(deliveries):
    work = Work()
    one = deliveries()
    assert not (await one.once("order", "1", work)).again
    assert not (await one.once("order", "2", work)).again
    assert not (await one.once("click", "1", work)).again
    assert work.times == 3


async def test_an_error_is_said_again_and_not_tried_again(deliveries):
    work = Work(error=UserError("There is no VM of that name."))
    for _ in range(2):
        told = await deliveries().once("order", "1", work)
        assert told.answer.text == "There is no VM of that name."
    assert work.times == 1


async def test_while_another_bot_is_at_it_the_copy_waits_for_its_words(deliveries, inbox):
    begun = await inbox.begin("order", "1", within=ABANDONED)
    waiting = asyncio.create_task(deliveries().once("order", "1", Work()))
    await asyncio.sleep(0)
    await inbox.finish("order", "1", begun, said='{"text": "Theirs.", "lines": []}')
    told = await waiting
    assert (told.answer.text, told.again) == ("Theirs.", True)


async def test_what_a_bot_died_over_is_resumed_and_says_that_it_may_have_been_done(deliveries, inbox, skew_clock):
    assert (await inbox.begin("click", "1", within=ABANDONED)).state is Begin.FIRST
    skew_clock(ABANDONED + timedelta(seconds=1))
    work = Work(error=UserError("It does not wait for an approval: it is queued."))
    told = await deliveries().once("click", "1", work)
    assert AGAIN in told.answer.text
    assert not told.again
    assert work.times == 1


async def test_a_bot_that_was_too_slow_does_not_overwrite_what_the_next_one_said(inbox, skew_clock):
    slow = await inbox.begin("order", "1", within=ABANDONED)
    skew_clock(ABANDONED + timedelta(seconds=1))
    quick = await inbox.begin("order", "1", within=ABANDONED)
    assert quick.state is Begin.RESUMED
    await inbox.finish("order", "1", quick, said='{"text": "Quick.", "lines": []}')
    await inbox.finish("order", "1", slow, said='{"text": "Slow.", "lines": []}')
    assert "Quick." in (await inbox.begin("order", "1", within=ABANDONED)).said


async def test_marks_are_kept_for_a_day(inbox, deliveries, store):
    await deliveries().once("event", "Ev1", Work())
    assert 86_000 < await store.ttl(keys.seen("event", "Ev1")) <= 86_400


async def test_who_asks_again_because_the_answer_was_lost_hears_the_same(store, skew_clock):
    begin = load("bot.slack.scripts", "begin")

    async def ask(token: str) -> list[str]:
        return await begin(store, "order", "T1", token, 2500, 86_400_000, repeatable=True)

    assert await ask("mine") == await ask("mine") == ["first", ""]
    assert await ask("another's") == ["busy", ""]
    skew_clock(timedelta(seconds=3))
    assert await ask("another's") == await ask("another's") == ["resumed", ""]


async def test_a_delivery_is_remembered_for_a_day_whether_or_not_it_was_finished(store, inbox):
    """Longer than it takes: Slack and networks repeat for minutes, and a bot that died may be away for a night."""
    begun = await inbox.begin("order", "T1", within=ABANDONED)
    kept = [await store.pttl(keys.seen("order", "T1"))]
    await inbox.finish("order", "T1", begun, said="{}")
    kept.append(await store.pttl(keys.seen("order", "T1")))
    assert all(timedelta(hours=23) < timedelta(milliseconds=left) <= timedelta(days=1) for left in kept)
