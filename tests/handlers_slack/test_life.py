"""The connection that is always there, and the drainer that begins again."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from bot.errors import BugError
from bot.migration.machine import Phase
from bot.playground.slack.faults import Refuse, Throttle
from bot.playground.slack.sockets import DisconnectReason
from bot.slack.drain import OutboxDrainer
from bot.slack.inbox import RedisInbox
from bot.slack.port import JobCard
from handlers.slack.run import MOST_DEATHS, SlackBot
from tests.fixtures_slack import CHANNEL
from tests.handlers_slack.conftest import errander

OPEN = "apps.connections.open"


def opened(player) -> int:
    return player.tally.calls[OPEN]


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("reason", [DisconnectReason.WARNING, DisconnectReason.REFRESH])
async def test_the_new_connection_is_there_before_the_old_one_goes(player, say, reason):
    """Commands are typed all the while, and each is answered."""
    telling = asyncio.create_task(player.switches.disconnect(reason))
    for _ in range(20):
        assert "live" in await say("list")
    await telling
    await player.person.wait_for(lambda: opened(player) == 2)
    assert "live" in await say("list")
    assert opened(player) == 2, "one goodbye, one new connection"


@pytest.mark.usefixtures("bot")
async def test_an_old_connection_is_listened_to_until_what_slack_sent_on_it_has_arrived(player, say):
    await player.switches.disconnect(DisconnectReason.WARNING)
    await player.person.wait_for(lambda: opened(player) == 2 and player.switches.connections == 2)
    for _ in range(4):  # Slack gives them to both in turn
        assert "live" in await say("list")
    assert player.switches.connections == 2


@pytest.mark.usefixtures("bot")
async def test_a_slack_that_is_away_is_asked_less_and_less_often(player, say, caplog):
    player.switches.next_answers(OPEN, Refuse("internal_error"), times=2)
    player.switches.cut()
    await player.person.wait_for(lambda: opened(player) == 4 and player.switches.connections)
    waits = [line.getMessage() for line in caplog.records if "Next try in" in line.getMessage()]
    assert [line.split()[-2] for line in waits] == ["0.5", "1.0"]
    assert "live" in await say("list")


@pytest.mark.usefixtures("bot")
async def test_a_connection_that_is_cut_without_a_word_is_replaced_at_once(player, say):
    player.switches.cut()
    await player.person.wait_for(lambda: opened(player) == 2 and player.switches.connections, timedelta(seconds=1))
    assert "live" in await say("list")


@pytest.mark.usefixtures("bot")
async def test_a_goodbye_and_a_cut_in_one_moment_make_one_new_connection(player, say):
    await player.switches.disconnect(DisconnectReason.WARNING)
    player.switches.cut()
    await player.person.wait_for(lambda: opened(player) == 2 and player.switches.connections == 1)
    assert "live" in await say("list")
    assert opened(player) == 2


@pytest.mark.usefixtures("bot")
async def test_a_slack_that_refuses_connections_is_asked_until_it_gives_one(player, say):
    player.switches.next_answers(OPEN, Refuse("internal_error"))
    player.switches.next_answers(OPEN, Throttle(retry_after=1))
    player.switches.cut()
    await player.person.wait_for(lambda: opened(player) == 4 and player.switches.connections)
    assert "live" in await say("list")


async def test_a_start_waits_for_as_long_as_slack_asks(player, start, say):
    player.switches.next_answers(OPEN, Throttle(retry_after=1))
    await start()
    assert "live" in await say("list")


async def test_an_ack_that_found_its_connection_gone_goes_out_on_the_next(player, bot, hold, desk):
    arrived, go_on = hold
    typed = asyncio.create_task(player.person.command("alice", "#migrations", "/coldmigrate web01 site2"))
    await asyncio.wait_for(arrived.wait(), 5)
    player.switches.cut()
    go_on.set()
    outcome = await typed
    assert outcome.error is None
    assert len(desk.calls) == 1


class Mortal(OutboxDrainer):
    """Dies of something unforeseen so often, and then does its work."""

    deaths = 0

    async def run(self) -> None:
        if self.deaths:
            self.deaths -= 1
            raise KeyError("unforeseen")
        await super().run()


@pytest.fixture
async def mortal(player, client, store, desk):
    """A bot whose drainer dies `deaths` times."""
    async with AsyncExitStack() as stack:

        async def started(deaths: int) -> SlackBot:
            drainer = Mortal(store, client)
            drainer.deaths = deaths
            bot = SlackBot(
                player.app_token,
                client,
                desk,
                drainer,
                RedisInbox(store),
                errander=errander(store, client, desk),
                rest=timedelta(milliseconds=1),
            )
            stack.push_async_callback(bot.stop)
            await bot.start()
            return bot

        yield started


async def test_a_drainer_that_dies_begins_again_and_loses_nothing(player, mortal, desk, card):
    await mortal(MOST_DEATHS - 1)
    await desk.outbox.show(JobCard("aaaaaaaa", CHANNEL, Phase.QUEUED, "web01 to site2", "U0ALICE001", []))
    assert "queued" in (await card())["text"]


async def test_a_drainer_that_only_dies_ends_the_bot_with_an_error(mortal):
    bot = await mortal(MOST_DEATHS)
    with pytest.raises(BugError, match="could not be drained"):
        await asyncio.wait_for(bot.wait(), 5)
