"""Slack's rate limits, seen by the official client: bursts pass, streams do not, and 429 says when to come back."""

from datetime import timedelta

import pytest
from slack_sdk.errors import SlackApiError

from bot.playground.slack.clock import Clock
from bot.playground.slack.player import SlackPlayer
from bot.playground.slack.rates import RATES


class StillClock(Clock):
    """Moves only when it is told to, so that a slow machine earns no tokens."""

    def steady(self) -> float:
        return self._moved


@pytest.fixture
async def slack():
    player = SlackPlayer(clock=StillClock())
    await player.start()
    yield player
    await player.stop()


async def throttled(call) -> int:
    """0 if the call passed, else the seconds of Retry-After."""
    try:
        await call
    except SlackApiError as refused:
        answer = refused.response
    else:
        return 0
    assert (answer.status_code, answer["error"]) == (429, "ratelimited")
    return int(answer.headers["Retry-After"])


async def test_posting_is_limited_in_each_channel_by_itself(slack, client):
    for n in range(5):
        await client.chat_postMessage(channel="#random", text=str(n))
    assert await throttled(client.chat_postMessage(channel="#random", text="too many")) == 1
    by_id = slack.workspace.channel("#random").id
    assert await throttled(client.chat_postMessage(channel=by_id, text="the same by id")) == 1
    assert await throttled(client.chat_postMessage(channel="#migrations", text="elsewhere")) == 0
    slack.switches.advance(timedelta(seconds=1))
    assert await throttled(client.chat_postMessage(channel="#random", text="a second later")) == 0

    statistics = slack.switches.statistics()
    assert statistics["throttled"] == {"chat.postMessage": 2}
    assert statistics["calls"]["chat.postMessage"] == 9
    assert [sent["kind"] for sent in statistics["messages"][by_id]] == ["posted"] * 6


async def test_edits_of_all_messages_share_one_limit(slack, client):
    cards = [await client.chat_postMessage(channel="#random", text=str(n)) for n in range(2)]

    async def edit(n):
        card = cards[n % 2]
        return await throttled(client.chat_update(channel=card["channel"], ts=card["ts"], text=f"edit {n}"))

    waits = [await edit(n) for n in range(16)]
    assert waits[:15] == [0] * 15
    assert waits[15] == 2  # 50 a minute is one every 1.2 s
    slack.switches.advance(timedelta(minutes=1))
    assert await edit(0) == 0


@pytest.mark.parametrize("enforced", [True, False])
async def test_the_switch_turns_limits_off(slack, client, enforced):
    slack.switches.rate_limits(enforced=enforced)
    waits = [await throttled(client.chat_postMessage(channel="#random", text=str(n))) for n in range(8)]
    assert any(waits) is enforced


async def test_all_channels_together_have_a_limit_of_their_own(slack, client):
    channels = [slack.switches.add_channel(f"c{number}") for number in range(40)]
    waits = [await throttled(client.chat_postMessage(channel=channel, text="x")) for channel in channels * 4]
    assert waits[:150] == [0] * 150
    assert waits[150:] == [1] * 10
    slack.switches.advance(timedelta(seconds=1))
    assert await throttled(client.chat_postMessage(channel=channels[0], text="x")) == 0


async def test_every_method_has_a_rate(slack):
    methods = slack._api_methods()
    assert set(methods) == set(RATES)
