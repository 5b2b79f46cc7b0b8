"""The bot as people meet it: commands, clicks, and the words that come back."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest

from bot.errors import BugError, LoginError, MaybeSentError, OutsideError, UnconfirmedError, UnreachableError
from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.operations.aftercare_record import Act
from bot.operations.port import MigrateOrder
from bot.operations.rights import Grant, Rights, Verb
from bot.operations.shutdown_answer import ShutdownAnswer
from bot.playground.slack.calls import TokenKind
from bot.playground.slack.faults import Refuse
from bot.playground.slack.sockets import DisconnectReason
from bot.slack.client import open_client
from bot.slack.port import ButtonKind, JobCard

CHANNEL = "C0MIGRATE1"
JOB = "k3q7m2xa"
PLAN = "0123456789abcdef"
ALICE = "U0ALICE001"

pytestmark = pytest.mark.usefixtures("bot")


async def test_a_command_is_carried_out_once_with_what_was_typed(player, say, desk, card):
    assert f"Job {JOB}" in await say('web01 site2 --host esx-11 --network "VM Network=Prod" —dry-run')
    ((verb, user, channel, order, dedupe),) = desk.calls
    assert (verb, user, channel) == ("migrate", "U0ALICE001", CHANNEL)
    assert order == MigrateOrder("web01", "site2", "esx-11", None, {"VM Network": "Prod"}, dry_run=True)
    assert dedupe
    assert (await card())["text"] == "web01 to site2: waiting for approval"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("web01", "which site"),
        ("web01 site2 --hots x", "Did you mean --host?"),
        ('"web01 site2', "never closed"),
        ("list", f"{JOB}  <!channel> to site2"),
        (f"show {JOB}", f"Job {JOB}."),
        ("help", "approve, cancel, clean, diagnose, force, migrate, power, retry, see"),
    ],
)
async def test_answers_come_in_the_ack(say, line, said):
    assert said in await say(line)


async def test_an_empty_answer_is_an_ack_without_words(player, say, desk):
    assert await say(f"retry {JOB}") == ""
    assert desk.calls[0][:4] == ("retry", "U0ALICE001", CHANNEL, JOB)


async def test_acks_are_quick(player, say):
    await asyncio.gather(*(say("list", user=user) for user in ("alice", "bob", "carol") for _ in range(30)))
    latencies = sorted(player.tally.latencies())
    assert latencies[-1] < 1
    assert latencies[len(latencies) // 2] < 0.5


async def test_first_cards_come_within_a_second(player, desk):
    """As many channels as a busy night may bring."""
    channels = {player.switches.add_channel(f"room-{letter}"): letter for letter in "abcdefghijklmnopqrst"}
    asked = {}
    for channel, letter in channels.items():
        asked[channel] = player.clock.steady()
        await desk.outbox.show(JobCard(JobId(f"aaaaaaa{letter}"), channel, Phase.DRAFTED, channel, "U0ALICE001", []))
        await player.person.wait_for(lambda channel=channel: player.person.history(channel))
    waited = [item.at - asked[item.channel] for item in player.workspace.traffic if item.by_app]
    assert len(waited) == len(channels)
    assert max(waited) < 1


async def test_a_public_answer_is_for_all(player, say):
    await say(f"cancel {JOB}")
    assert any("is cancelled" in message["text"] for message in player.person.history("#migrations"))


async def test_who_has_no_right_is_told_who_can_give_it_and_nothing_happens(say, desk):
    said = await say("web01 site2", user="mallory")
    assert "may not ask for migrations to site2" in said
    assert "coldmigrate.toml" in said
    assert "may not" in await say("web01 site1")
    assert await say("help", user="mallory")
    assert desk.calls == []


async def test_rights_are_asked_again_at_the_click(player, say, desk, card, told):
    await say("web01 site2")
    ts = (await card())["ts"]
    await player.person.click("mallory", "#migrations", ts, "cm.approve")
    assert "may not approve" in await told("mallory")
    assert [call[0] for call in desk.calls] == ["migrate"]


async def test_clicks_carry_what_they_act_on(player, say, desk, card, told):
    await say("web01 site2")
    ts = (await card())["ts"]
    outcome = await player.person.click("bob", "#migrations", ts, "cm.approve")
    assert outcome.error is None
    assert "Approved" in await told("bob")
    await player.person.click("carol", "#migrations", ts, "cm.cancel")
    await player.person.wait_for(lambda: "is cancelled" in str(player.person.history("#migrations")))
    assert desk.calls[1:] == [("approve", "U0BOB00001", JOB, PLAN), ("cancel", "U0CAROL001", JOB)]


@pytest.mark.parametrize(
    ("kind", "value", "call"),
    [
        (ButtonKind.FORCE, f"{JOB} {PLAN}", ("approve", ALICE, JOB, PLAN)),
        (ButtonKind.WAIT_ON, JOB, ("answer", ALICE, JOB, ShutdownAnswer.WAIT_ON)),
        (ButtonKind.POWER_OFF, JOB, ("answer", ALICE, JOB, ShutdownAnswer.POWER_OFF)),
        (ButtonKind.POWER_ON_SOURCE, JOB, ("aftercare", ALICE, JOB, Act.POWER_ON_SOURCE, "")),
        (ButtonKind.DELETE_LEFTOVERS, JOB, ("aftercare", ALICE, JOB, Act.DELETE_LEFTOVERS, "")),
        (ButtonKind.DELETE_LEFTOVERS, f"{JOB} {PLAN}", ("aftercare", ALICE, JOB, Act.DELETE_LEFTOVERS, PLAN)),
        (ButtonKind.EVIDENCE, JOB, ("aftercare", ALICE, JOB, Act.EVIDENCE, "")),
        (ButtonKind.MEASURE, JOB, ("aftercare", ALICE, JOB, Act.MEASURE, "")),
        (ButtonKind.RETRY_WHEN_CLEAN, JOB, ("retry", ALICE, CHANNEL, JOB, "clean")),
    ],
)
async def test_every_button_calls_its_verb_once_however_often_it_is_delivered(player, client, desk, kind, value, call):
    desk.rights = Rights([Grant((f"user:{ALICE}",), frozenset(Verb))], desk.groups)
    elements = [
        {"type": "button", "action_id": f"cm.{kind}", "value": value, "text": {"type": "plain_text", "text": "-"}}
    ]
    card = await client.chat_postMessage(channel=CHANNEL, text="-", blocks=[{"type": "actions", "elements": elements}])
    player.switches.deliver_each(2)
    outcome = await player.person.click("alice", "#migrations", card["ts"], f"cm.{kind}")
    assert outcome.error is None
    (asked,) = desk.calls
    assert tuple(part for part in asked if part in call) == call


@pytest.mark.parametrize(
    ("action_id", "value", "said"),
    [
        ("cm.approve", f"{JOB} ffffffffffffffff", "The plan changed"),
        ("cm.approve", JOB, "The plan changed"),
        ("cm.approve", "rubbish", "older version"),
        ("cm.teleport", JOB, "older version"),
    ],
)
async def test_outdated_buttons_say_so_to_the_clicker(player, client, told, desk, action_id, value, said):
    button = {"type": "button", "action_id": action_id, "value": value, "text": {"type": "plain_text", "text": "Old"}}
    old = await client.chat_postMessage(channel=CHANNEL, text="old", blocks=[{"type": "actions", "elements": [button]}])
    outcome = await player.person.click("alice", "#migrations", old["ts"], action_id)
    assert outcome.error is None
    assert said in await told("alice")
    assert desk.calls == []


async def test_a_channel_without_the_bot_gets_no_job(player, say, desk):
    player.switches.remove_bot("#random")
    said = await say("web01 site2", channel="#random")
    assert "/invite" in said
    assert desk.calls == []
    player.switches.invite_bot("#random")
    assert f"Job {JOB}" in await say("web01 site2", channel="#random")


@pytest.mark.parametrize("code", ["missing_scope", "fatal_error"])
async def test_a_slack_that_cannot_say_who_is_a_member_stops_nobody(player, say, desk, code):
    player.switches.next_answers("conversations.info", Refuse(code))
    assert f"Job {JOB}" in await say("web01 site2")


async def test_a_group_that_cannot_be_read_is_never_a_yes(player, say, desk):
    player.switches.next_answers("usergroups.users.list", Refuse("missing_scope"), times=2)
    said = await say("web01 site2")
    assert "missing_scope" in said
    assert "Nothing was queued" in said
    assert desk.calls == []


async def test_groups_are_asked_once_in_five_minutes(player, say):
    for _ in range(5):
        await say("list")
    assert player.tally.calls["usergroups.users.list"] == 1


@pytest.mark.parametrize("name", ["<!channel>", "&lt;!channel&gt;", "<!here|here>", "*web01*"])
async def test_a_hostile_name_is_only_a_name(player, say, card, name):
    await say(f'"{name}" site2')
    shown = await card()
    assert "<" not in shown["text"]
    assert {"mrkdwn", "broadcast"}.isdisjoint(re.findall(r"'type': '(\w+)'", str(shown["blocks"])))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UnreachableError("Redis does not answer."), "Nothing was queued and nothing was changed"),
        (UnconfirmedError("Redis made the change, but no replica has it."), "It may be lost again: ask once more"),
        (MaybeSentError("The reply was lost."), "may have been carried out"),
        (OutsideError("Redis is full.", transient=True, retry_after=7), "Try again in 7 s"),
    ],
)
async def test_the_worlds_failures_are_said_with_what_they_mean(say, desk, error, said):
    async def fail():
        raise error

    desk.trouble = fail
    answer = await say("web01 site2")
    assert str(error) in answer
    assert said in answer


@pytest.mark.parametrize("error", [BugError("a promise"), KeyError("surprise")])
async def test_a_defect_gets_a_reference_that_the_log_has_too(say, desk, error, caplog):
    async def fail():
        raise error

    desk.trouble = fail
    answer = await say("web01 site2")
    reference = re.search(r"reference\s+([0-9a-f]{8})", answer)
    assert reference
    assert reference[1] in caplog.text
    assert "surprise" not in answer


async def test_a_redis_that_hangs_is_said_in_time_and_the_call_is_cancelled(player, desk, hold):
    outcome = await player.person.command("alice", "#migrations", "/coldmigrate web01 site2")
    assert outcome.error is None
    assert outcome.latency < 2.5
    assert "Nothing was queued, unless" in outcome.text
    hold[1].set()
    await asyncio.gather(
        *(task for task in asyncio.all_tasks() if "_carried_out" in repr(task)), return_exceptions=True
    )
    assert desk.calls == [], "the cancelled call did not go on"


async def test_a_stop_lets_commands_end_and_be_acked(player, bot, hold):
    arrived, go_on = hold
    typed = asyncio.create_task(player.person.command("alice", "#migrations", "/coldmigrate web01 site2"))
    await asyncio.wait_for(arrived.wait(), 5)
    stopping = asyncio.create_task(bot.stop())
    go_on.set()
    outcome = await typed
    assert outcome.error is None
    assert f"Job {JOB}" in outcome.text
    await asyncio.wait_for(stopping, 5)
    assert not await bot.is_connected()


async def test_it_reconnects_when_slack_asks_for_it(player, bot, say):
    assert await bot.is_connected()
    await player.switches.disconnect(DisconnectReason.REFRESH)
    await player.person.wait_for(
        lambda: player.tally.calls["apps.connections.open"] == 2 and player.switches.connections
    )
    assert f"Job {JOB}" in await say("web01 site2")


async def test_two_bots_share_the_work_and_each_command_is_answered_once(player, start, say, desk):
    await start()
    for number in range(10):
        await say(f"web{number:02d} site2")
    assert [call[3].vm for call in desk.calls] == [f"web{number:02d}" for number in range(10)]


async def test_a_bad_bot_token_is_said_at_the_start(player, start):
    async with open_client("xoxb-wrong", api_url=player.api_url) as client:
        with pytest.raises(LoginError, match="bot_token_env"):
            await start(with_client=client)


async def test_a_bad_app_token_is_said_at_the_start(player, start):
    with pytest.raises(LoginError):
        await start(app_token="xapp-wrong")
    player.switches.revoke_token(TokenKind.APP)
    with pytest.raises(LoginError, match="token_revoked"):
        await start()


async def test_no_token_is_logged(player, say, start, caplog):
    caplog.set_level(logging.DEBUG, logger="bot")
    caplog.set_level(logging.DEBUG, logger="handlers")
    await start()
    await say("web01 site2")
    assert player.bot_token not in caplog.text
    assert player.app_token not in caplog.text


async def test_half_a_character_is_answered_like_anything_else(say, bot):
    """Slack sends none; JSON can say it, and Redis cannot keep it."""
    assert "To which site should 'web\ufffd' go?" in await say("web\ud800")
