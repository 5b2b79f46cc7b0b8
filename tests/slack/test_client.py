"""Slack's refusals and the network's failures, each as what it means for whoever called."""

from __future__ import annotations

import pytest

from bot.errors import LoginError, MaybeSentError, UnreachableError
from bot.playground.slack.faults import BreakDown, LoseReply, Refuse, Throttle
from bot.slack.client import Fault, SlackError, calling, open_client

CHANNEL = "C0MIGRATE1"


async def post(client):
    with calling("chat.postMessage", about=CHANNEL, changes=True):
        return await client.chat_postMessage(channel=CHANNEL, text="hello")


async def read(client):
    with calling("conversations.info", about=CHANNEL):
        return await client.conversations_info(channel=CHANNEL)


async def test_a_rate_limit_says_how_long(player, client):
    player.switches.next_answers("chat.postMessage", Throttle(retry_after=7))
    with pytest.raises(SlackError) as error:
        await post(client)
    assert (error.value.fault, error.value.retry_after, error.value.transient) == (Fault.BUSY, 7, True)


@pytest.mark.parametrize("fault", [LoseReply(), BreakDown(503), Refuse("fatal_error"), Refuse("internal_error")])
async def test_a_post_whose_answer_does_not_say_is_perhaps_posted_and_never_repeated(player, client, fault):
    player.switches.next_answers("chat.postMessage", fault)
    with pytest.raises(MaybeSentError, match=r"chat\.postMessage for C0MIGRATE1"):
        await post(client)
    assert player.tally.calls["chat.postMessage"] == 1


@pytest.mark.parametrize("fault", [BreakDown(503), Refuse("internal_error")])
async def test_a_read_whose_answer_does_not_come_changed_nothing(player, client, fault):
    player.switches.next_answers("conversations.info", fault)
    with pytest.raises(UnreachableError):
        await read(client)


@pytest.mark.parametrize(
    ("code", "fault", "advice"),
    [
        ("not_in_channel", Fault.PLACE, "/invite"),
        ("is_archived", Fault.PLACE, "archived"),
        ("thread_not_found", Fault.GONE, "deleted"),
        ("invalid_blocks", Fault.CONTENT, "defect"),
        ("something_new", Fault.OTHER, "something_new"),
    ],
)
async def test_a_refusal_is_told_with_what_to_do(player, client, code, fault, advice):
    player.switches.next_answers("chat.postMessage", Refuse(code))
    with pytest.raises(SlackError, match=advice) as error:
        await post(client)
    assert error.value.fault is fault


@pytest.mark.parametrize("code", ["token_revoked", "missing_scope", "account_inactive"])
async def test_a_token_that_is_no_good_is_a_login_error(player, client, code):
    player.switches.next_answers("chat.postMessage", Refuse(code))
    with pytest.raises(LoginError):
        await post(client)


async def test_a_slack_that_is_not_there_was_certainly_not_told(player):
    async with open_client("xoxb-1", api_url="http://127.0.0.1:9/api") as client:
        with pytest.raises(UnreachableError) as error:
            await post(client)
    assert "xoxb" not in str(error.value)
