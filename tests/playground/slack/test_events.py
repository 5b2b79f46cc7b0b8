"""What the Events API tells the app, and what it keeps to itself."""

import asyncio
import re

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.errors import UserError
from bot.playground.slack.default_workspace import GROUP
from bot.playground.slack.player import SlackPlayer


@pytest.fixture
async def heard(app: AsyncApp, connect):
    """The next event that reaches the app, of any kind."""
    seen = asyncio.Queue()

    @app.event(re.compile("."))
    async def every(event):
        seen.put_nowait(event)

    await connect(app)

    async def next_of(kind):
        async with asyncio.timeout(5):
            while (event := await seen.get())["type"] != kind:
                pass
        return event

    next_of.queue = seen
    return next_of


async def test_reactions(slack, client, heard):
    alice, bob = slack.workspace.user("alice").id, slack.workspace.user("bob").id
    ts = slack.person.post("alice", "#random", "done?")
    assert slack.person.react("bob", "#random", ts, ":white_check_mark:")
    event = await heard("reaction_added")
    where = slack.workspace.channel("#random").id
    assert (event["user"], event["reaction"], event["item_user"]) == (bob, "white_check_mark", alice)
    assert event["item"] == {"type": "message", "channel": where, "ts": ts}
    got = await client.reactions_get(channel=where, timestamp=ts)
    assert got["message"]["reactions"] == [{"name": "white_check_mark", "users": [bob], "count": 1}]
    assert not slack.person.react("bob", "#random", ts, "white_check_mark")
    assert (await heard("reaction_removed"))["reaction"] == "white_check_mark"
    with pytest.raises(UserError, match="is no emoji"):
        slack.person.react("bob", "#random", ts, "not an emoji")
    with pytest.raises(SlackApiError, match="invalid_name"):
        await client.reactions_add(channel=where, timestamp=ts, name="not an emoji")


async def test_groups_people_and_channels(slack, heard):
    carol = slack.workspace.user("carol").id
    slack.switches.set_group("@vm-ops", ["alice", "mallory"])
    updated, changed = await heard("subteam_updated"), await heard("subteam_members_changed")
    assert (updated["subteam"]["id"], carol in updated["subteam"]["users"]) == (GROUP, False)
    assert changed["added_users"] == [slack.workspace.user("mallory").id]
    assert carol in changed["removed_users"]
    with pytest.raises(UserError, match="There is no user group '@nobody': @vm-ops"):
        slack.switches.set_group("@nobody", [])

    slack.switches.remove_bot("#random")
    assert (await heard("member_left_channel"))["user"] == slack.workspace.app.bot_user
    slack.switches.invite_bot("#random")
    assert (await heard("member_joined_channel"))["user"] == slack.workspace.app.bot_user
    slack.switches.archive("#random")
    assert (await heard("channel_archive"))["channel"] == slack.workspace.channel("#random").id
    slack.switches.archive("#random", archived=False)
    await heard("channel_unarchive")


async def test_the_end_of_an_installation(slack, client, heard):
    slack.switches.revoke_token()
    assert (await heard("tokens_revoked"))["tokens"] == {"oauth": [], "bot": [slack.workspace.app.bot_user]}
    with pytest.raises(SlackApiError, match="token_revoked"):
        await client.auth_test()
    slack.switches.restore_token()
    slack.switches.uninstall()
    await heard("app_uninstalled")
    with pytest.raises(SlackApiError, match="account_inactive"):
        await client.auth_test()


async def test_without_the_scope_there_is_no_event(slack, heard):
    slack.switches.deny("reactions:read", "channels:history")
    ts = slack.person.mention("alice", "#random", "hello")
    slack.person.react("bob", "#random", ts, "eyes")
    assert (await heard("app_mention"))["ts"] == ts
    slack.switches.grant("reactions:read")
    slack.person.react("bob", "#random", ts, "tada")
    assert (await heard("reaction_added"))["reaction"] == "tada"
    assert heard.queue.empty()


async def test_without_a_subscription_there_is_no_event():
    player = SlackPlayer(manifest={"oauth_config": {"scopes": {"bot": ["channels:history", "reactions:read"]}}})
    await player.start()
    try:
        ts = player.person.post("alice", "#random", "hello")
        player.person.react("bob", "#random", ts, "eyes")
        assert player._events._under_way == set()
    finally:
        await player.stop()
