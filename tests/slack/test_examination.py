"""What doctor says of Slack: nothing where all is well, and each fault by its name."""

from __future__ import annotations

from bot.finding import Verdict
from bot.playground.slack.default_workspace import GROUP
from bot.playground.slack.faults import BreakDown
from bot.slack.client import open_client
from bot.slack.examination import Needed, examine
from tests.fixtures_slack import CHANNEL


async def examined(client, player, **changes):
    needed = Needed(**{"scopes": frozenset({"chat:write"}), **changes})
    return {one.about: one for one in await examine(client, player.app_token, needed)}


async def test_all_is_well(client, player):
    player.switches.set_group(GROUP, ["U0ALICE001"])
    found = await examined(client, player, alerts=CHANNEL, groups=(GROUP,), channels=(CHANNEL,))
    assert {one.verdict for one in found.values()} == {Verdict.OK}
    assert "1 person is" in found[f"slack.group.{GROUP}"].says


async def test_scopes_are_compared_by_what_slack_says(client, player):
    found = await examined(client, player, scopes=frozenset({"chat:write", "admin.nothing:read"}))
    assert found["slack.scopes"].says == "The app lacks admin.nothing:read."
    assert found["slack.scopes"].verdict is Verdict.ERROR


async def test_without_a_good_bot_token_nothing_else_is_asked_with_it(player):
    async with open_client("xoxb-nonsense", api_url=player.api_url) as stranger:
        found = await examined(stranger, player, alerts=CHANNEL, groups=(GROUP,))
    assert set(found) == {"slack.bot-token", "slack.app-token"}
    assert "invalid_auth" in found["slack.bot-token"].says
    assert found["slack.app-token"].verdict is Verdict.OK


async def test_an_app_token_that_is_none(client, player):
    found = {one.about: one for one in await examine(client, player.bot_token, Needed(frozenset()))}
    assert "not_allowed_token_type" in found["slack.app-token"].says
    assert player.app_token not in str(found)


async def test_a_channel_that_is_archived_or_without_the_bot(client, player):
    secret = player.switches.add_channel("secret", private=True, with_bot=False)
    open_one = player.switches.add_channel("open", with_bot=False)
    player.switches.archive(CHANNEL)
    found = await examined(client, player, alerts=CHANNEL, channels=(secret, open_one))
    assert "is archived" in found["slack.alerts"].says
    assert "channel_not_found" in found[f"slack.channel.{secret}"].says
    assert "The bot is not in #open" in found[f"slack.channel.{open_one}"].says


async def test_an_empty_group_and_an_unknown_one(client, player):
    player.switches.set_group(GROUP, [])
    found = await examined(client, player, groups=(GROUP, "S0NOBODY"))
    assert found[f"slack.group.{GROUP}"].verdict is Verdict.WARNING
    assert "no_such_subteam" in found["slack.group.S0NOBODY"].says


async def test_one_call_that_fails_spoils_no_other(client, player):
    player.switches.next_answers("conversations.info", BreakDown(500))
    found = await examined(client, player, alerts=CHANNEL, channels=(CHANNEL,))
    assert found["slack.alerts"].verdict is Verdict.ERROR
    assert found[f"slack.channel.{CHANNEL}"].verdict is Verdict.OK
