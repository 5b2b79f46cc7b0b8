"""The Web API answers the official client as Slack does: its shapes, its error strings, its memory."""

from datetime import timedelta

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.slack.calls import TokenKind
from bot.playground.slack.faults import BreakDown, LoseReply, Refuse, Throttle
from bot.playground.slack.player import SlackPlayer
from bot.playground.slack.records import ChannelKind

METADATA = {"event_type": "cm_card", "event_payload": {"job_id": "j1", "rev": 1}}


async def error_of(call) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return refused.value.response["error"]


async def test_the_token_says_who_calls(slack, client):
    answer = await client.auth_test()
    assert answer["user_id"] == slack.workspace.app.bot_user
    assert answer["bot_id"] == slack.workspace.app.bot_id
    assert "chat:write" in answer.headers["X-OAuth-Scopes"]


async def test_a_wrong_token_is_refused_in_slacks_words(slack, client):
    def with_token(token):
        return AsyncWebClient(token=token, base_url=slack.api_url, session=client.session)

    assert await error_of(with_token(None).auth_test()) == "not_authed"
    assert await error_of(with_token("xoxb-wrong").auth_test()) == "invalid_auth"
    assert await error_of(with_token(slack.app_token).users_list()) == "not_allowed_token_type"
    assert await error_of(client.apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"
    slack.switches.revoke_token()
    assert await error_of(client.auth_test()) == "token_revoked"
    assert (await client.apps_connections_open(app_token=slack.app_token))["url"].startswith("ws://")
    slack.switches.restore_token(TokenKind.BOT)
    assert (await client.auth_test())["ok"]


async def test_a_missing_scope_is_named(slack, client):
    slack.switches.deny("reactions:write")
    with pytest.raises(SlackApiError) as refused:
        await client.reactions_add(channel="C0RANDOM01", timestamp="1.1", name="eyes")
    assert refused.value.response["error"] == "missing_scope"
    assert refused.value.response["needed"] == "reactions:write"


async def test_where_the_bot_may_not_post(slack, client):
    archived = slack.switches.add_channel("old")
    slack.switches.archive("old")
    outside = slack.switches.add_channel("outside", with_bot=False)
    secret = slack.switches.add_channel("secret", private=True, with_bot=False)

    assert await error_of(client.chat_postMessage(channel="C0NOWHERE00", text="x")) == "channel_not_found"
    assert await error_of(client.chat_postMessage(channel=secret, text="x")) == "channel_not_found"
    assert await error_of(client.chat_postMessage(channel=outside, text="x")) == "not_in_channel"
    assert await error_of(client.chat_postMessage(channel=archived, text="x")) == "is_archived"
    assert await error_of(client.api_call("chat.postMessage", json={"channel": "C0RANDOM01"})) == "no_text"
    assert await error_of(client.chat_postMessage(channel="#random", text="x", thread_ts="1.1")) == "thread_not_found"
    assert await error_of(client.conversations_history(channel=outside)) == "not_in_channel"
    slack.switches.grant("chat:write.public")
    assert (await client.chat_postMessage(channel=outside, text="now it may"))["ok"]


async def test_a_form_and_a_get_say_the_same_as_json(slack, client):
    blocks = '[{"type": "section", "text": {"type": "mrkdwn", "text": "in a form"}}]'
    sent = {"channel": "#random", "text": "x", "blocks": blocks}
    posted = await client.api_call("chat.postMessage", data=sent)
    link = await client.chat_getPermalink(channel=posted["channel"], message_ts=posted["ts"])

    assert posted["message"]["blocks"][0]["text"] == {"type": "mrkdwn", "text": "in a form", "verbatim": False}
    assert posted["message"]["blocks"][0]["block_id"]
    assert link["permalink"].endswith("/p" + posted["ts"].replace(".", ""))


async def test_text_is_kept_as_sent_and_timestamps_only_grow(slack, client):
    slack.switches.rate_limits(enforced=False)
    text = "&lt;!channel&gt; <@U0BOB00001> a & b"
    stamps = [(await client.chat_postMessage(channel="#random", text=text))["ts"] for _ in range(20)]
    assert stamps == sorted(set(stamps))
    assert slack.person.history("#random")[0]["text"] == text


async def test_metadata_is_kept_over_edits_until_it_is_emptied(client):
    posted = await client.chat_postMessage(channel="#migrations", text="card", metadata=METADATA)
    where = {"channel": posted["channel"], "ts": posted["ts"]}

    async def read(*, asked):
        history = await client.conversations_history(channel=where["channel"], include_all_metadata=asked)
        return history["messages"][0].get("metadata")

    await client.chat_update(**where, text="card, edited")
    assert await read(asked=True) == METADATA
    assert await read(asked=False) is None
    await client.chat_update(**where, text="card, again", metadata={})
    assert await read(asked=True) is None
    wrong = client.chat_update(**where, text="x", metadata={"event_type": "has blanks", "event_payload": {}})
    assert await error_of(wrong) == "invalid_metadata_format"


async def test_a_thread_counts_its_replies_and_stays_out_of_the_channel(slack, client):
    root = await client.chat_postMessage(channel="#migrations", text="root")
    first = await client.chat_postMessage(channel="#migrations", text="one", thread_ts=root["ts"])
    # A reply to a reply lands in the same thread.
    await client.chat_postMessage(channel="#migrations", text="two", thread_ts=first["ts"])
    shouted = await client.chat_postMessage(
        channel="#migrations", text="three", thread_ts=root["ts"], reply_broadcast=True
    )

    replies = await client.conversations_replies(channel=root["channel"], ts=root["ts"])
    history = await client.conversations_history(channel=root["channel"])
    assert [message["text"] for message in replies["messages"]] == ["root", "one", "two", "three"]
    assert replies["messages"][0]["reply_count"] == 3
    assert replies["messages"][0]["latest_reply"] == shouted["ts"]
    assert replies["messages"][2]["thread_ts"] == root["ts"]
    assert [message["text"] for message in history["messages"]] == ["three", "root"]
    assert await error_of(client.conversations_replies(channel=root["channel"], ts="1.1")) == "thread_not_found"


async def test_history_is_cut_by_time_and_by_page(slack, client):
    slack.switches.rate_limits(enforced=False)
    stamps = [(await client.chat_postMessage(channel="#random", text=str(n)))["ts"] for n in range(5)]
    where = slack.workspace.channel("#random").id

    since = await client.conversations_history(channel=where, oldest=stamps[2])
    including = await client.conversations_history(channel=where, oldest=stamps[2], latest=stamps[3], inclusive=True)
    pages = [
        ([message["text"] for message in page["messages"]], page["has_more"])
        async for page in await client.conversations_history(channel=where, limit=2)
    ]

    assert [message["text"] for message in since["messages"]] == ["4", "3"]
    assert [message["text"] for message in including["messages"]] == ["3", "2"]
    assert pages == [(["4", "3"], True), (["2", "1"], True), (["0"], False)]
    assert await error_of(client.conversations_history(channel=where, cursor="nonsense")) == "invalid_cursor"


async def test_only_its_own_messages_can_be_edited(slack, client):
    theirs = slack.person.post("alice", "#random", "mine")
    where = slack.workspace.channel("#random").id
    ours = await client.chat_postMessage(channel=where, text="ours")

    assert await error_of(client.chat_update(channel=where, ts=theirs, text="x")) == "cant_update_message"
    assert await error_of(client.chat_delete(channel=where, ts=theirs)) == "cant_delete_message"
    assert await error_of(client.chat_update(channel=where, ts="1.1", text="x")) == "message_not_found"
    assert await error_of(client.chat_update(channel=where, ts=ours["ts"], text="x" * 4001)) == "msg_too_long"
    slack.switches.archive("#random")
    assert await error_of(client.chat_update(channel=where, ts=ours["ts"], text="x")) == "is_inactive"


async def test_text_without_blocks_removes_the_blocks(client):
    blocks = [{"type": "divider"}]
    posted = await client.chat_postMessage(channel="#random", text="x", blocks=blocks)
    edited = await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="only text")
    assert "blocks" in posted["message"]
    assert "blocks" not in edited["message"]
    assert edited["message"]["edited"]["user"] == posted["message"]["user"]


async def test_a_deleted_root_leaves_a_tombstone(slack, client):
    root = await client.chat_postMessage(channel="#random", text="root")
    reply = await client.chat_postMessage(channel="#random", text="reply", thread_ts=root["ts"])
    await client.chat_delete(channel=root["channel"], ts=root["ts"])
    assert slack.person.message("#random", root["ts"])["subtype"] == "tombstone"
    await client.chat_delete(channel=root["channel"], ts=reply["ts"])
    assert len(slack.person.thread("#random", root["ts"])) == 1


async def test_people_groups_and_channels_can_be_read(slack, client):
    alice = slack.workspace.user("alice").id
    private = slack.switches.add_channel("quiet", private=True)
    (group,) = (await client.usergroups_list())["usergroups"]
    listed = await client.conversations_list(types="public_channel,private_channel")

    assert (await client.users_info(user=alice, include_locale=True))["user"]["locale"]
    assert len((await client.users_list())["members"]) == 5
    assert alice in (await client.usergroups_users_list(usergroup=group["id"]))["users"]
    assert {channel["name"] for channel in listed["channels"]} >= {"migrations", "quiet"}
    assert (await client.conversations_info(channel=private))["channel"]["is_private"]
    assert alice in (await client.conversations_members(channel=private))["members"]
    assert await error_of(client.users_info(user="U0NOBODY00")) == "user_not_found"
    assert await error_of(client.api_call("chat.whisper")) == "unknown_method"


async def test_direct_messages_open_once(slack, client):
    alice = slack.workspace.user("alice").id
    opened = await client.conversations_open(users=[alice])
    await client.chat_postMessage(channel=alice, text="to you")
    assert slack.workspace.channels[opened["channel"]["id"]].kind is ChannelKind.DIRECT
    assert [message["text"] for message in slack.person.history("@alice")] == ["to you"]


async def test_joining_and_reacting(slack, client):
    outside = slack.switches.add_channel("outside", with_bot=False)
    assert "warning" not in (await client.conversations_join(channel=outside)).data
    assert (await client.conversations_join(channel=outside))["warning"] == "already_in_channel"
    ts = slack.person.post("alice", "#outside", "hello")
    await client.reactions_add(channel=outside, timestamp=ts, name="eyes")
    assert await error_of(client.reactions_add(channel=outside, timestamp=ts, name="eyes")) == "already_reacted"
    assert slack.person.message("#outside", ts)["reactions"][0]["name"] == "eyes"
    await client.reactions_remove(channel=outside, timestamp=ts, name="eyes")
    assert await error_of(client.reactions_remove(channel=outside, timestamp=ts, name="eyes")) == "no_reaction"


async def test_an_ephemeral_is_seen_by_one_person(slack, client):
    bob = slack.workspace.user("bob").id
    sent = await client.chat_postEphemeral(channel="C0MIGRATE1", user=bob, text="only you")
    assert [shown["ts"] for shown in slack.person.ephemerals("bob")] == [sent["message_ts"]]
    assert slack.person.ephemerals("alice") == []
    assert await error_of(client.chat_update(channel="C0MIGRATE1", ts=sent["message_ts"], text="x")) == (
        "message_not_found"
    )


async def test_faults_come_once_each_and_in_order(slack, client):
    slack.switches.next_answers("chat.postMessage", Refuse("fatal_error"))
    slack.switches.next_answers("chat.postMessage", Throttle(7))
    slack.switches.next_answers("chat.postMessage", BreakDown(503))

    assert await error_of(client.chat_postMessage(channel="#random", text="x")) == "fatal_error"
    with pytest.raises(SlackApiError) as throttled:
        await client.chat_postMessage(channel="#random", text="x")
    assert throttled.value.response.status_code == 429
    assert throttled.value.response.headers["Retry-After"] == "7"
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="#random", text="x")
    assert slack.person.history("#random") == []
    assert (await client.chat_postMessage(channel="#random", text="x"))["ok"]


async def test_a_lost_reply_has_had_its_effect(slack, client):
    slack.switches.next_answers("chat.postMessage", LoseReply())
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.chat_postMessage(channel="#random", text="posted after all")
    assert [message["text"] for message in slack.person.history("#random")] == ["posted after all"]


async def test_a_body_that_cannot_be_read_is_refused(slack, client):
    async def say(body):
        headers = {"Authorization": f"Bearer {slack.bot_token}", "Content-Type": "application/json"}
        async with client.session.post(slack.api_url + "chat.postMessage", data=body, headers=headers) as answer:
            return (await answer.json())["error"]

    assert await say(b"{") == "invalid_json"
    assert await say(b"[]") == "json_not_object"
    assert await say(b"{}") == "invalid_arguments"


async def test_the_manifest_decides_what_the_app_may_do():
    manifest = {
        "features": {"slash_commands": [{"command": "/coldmigrate"}]},
        "oauth_config": {"scopes": {"bot": ["chat:write"]}},
        "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}},
    }
    player = SlackPlayer(manifest=manifest)
    await player.start()
    try:
        client = AsyncWebClient(token=player.bot_token, base_url=player.api_url)
        assert await error_of(client.users_list()) == "missing_scope"
        assert (await client.chat_postMessage(channel="#random", text="x"))["ok"]
        outcome = await player.person.command("alice", "#random", "/diagnose web01")
        assert outcome.error == "invalid_command"
    finally:
        await player.stop()


async def test_trigger_ids_age_and_are_used_up(slack, client):
    view = {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": [{"type": "divider"}]}
    issue = slack.person._triggers.issue
    alice = slack.workspace.user("alice").id
    fresh, late = issue(alice), issue(alice)

    opened = await client.views_open(trigger_id=fresh, view=view)
    assert await error_of(client.views_open(trigger_id=fresh, view=view)) == "exchanged_trigger_id"
    slack.switches.advance(timedelta(seconds=4))
    assert await error_of(client.views_open(trigger_id=late, view=view)) == "expired_trigger_id"
    assert await error_of(client.views_open(trigger_id="1.2.x", view=view)) == "invalid_trigger_id"
    stale = client.views_update(view_id=opened["view"]["id"], hash="older", view=view)
    assert await error_of(stale) == "hash_conflict"
    assert (await client.views_update(view_id=opened["view"]["id"], view=view))["view"]["hash"] != opened["view"][
        "hash"
    ]
    too_long = view | {"title": {"type": "plain_text", "text": "x" * 25}}
    assert await error_of(client.views_open(trigger_id=issue(alice), view=too_long)) == "invalid_arguments"
    home = await client.views_publish(user_id=alice, view={"type": "home", "blocks": [{"type": "divider"}]})
    assert home["view"]["type"] == "home"


async def test_modals_stack_three_high_and_answer_to_their_own_names(slack, client):
    alice = slack.workspace.user("alice").id
    issue = slack.person._triggers.issue
    view = {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": [{"type": "divider"}]}

    first = await client.views_open(trigger_id=issue(alice), view=view | {"external_id": "ours"})
    second = await client.views_push(trigger_id=issue(alice), view=view)
    await client.views_push(trigger_id=issue(alice), view=view)
    assert second["view"]["previous_view_id"] == first["view"]["id"]
    assert await error_of(client.views_push(trigger_id=issue(alice), view=view)) == "push_limit_reached"
    assert (await client.views_update(external_id="ours", view=view))["view"]["id"] == first["view"]["id"]
    assert await error_of(client.views_update(external_id="theirs", view=view)) == "not_found"
    assert await error_of(client.views_update(view_id="V0", view=view)) == "not_found"


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"text": 7}, "invalid_arguments"),
        ({"text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"text": "x", "blocks": ["loose"]}, "invalid_blocks_format"),
        ({"text": "x", "metadata": "{"}, "invalid_metadata_format"),
        ({"text": "x", "metadata": METADATA | {"more": 1}}, "invalid_metadata_format"),
        ({"text": "x", "metadata": METADATA | {"event_payload": {"log": "x" * 20_000}}}, "metadata_too_large"),
    ],
)
async def test_content_that_slack_would_not_take(client, sent, error):
    assert await error_of(client.api_call("chat.postMessage", json={"channel": "#random"} | sent)) == error


async def test_very_long_text_is_cut(client):
    posted = await client.chat_postMessage(channel="#random", text="x" * 40_001)
    assert len(posted["message"]["text"]) == 40_000


@pytest.mark.parametrize(
    ("method", "sent", "error"),
    [
        ("conversations.list", {"types": "secret"}, "invalid_types"),
        ("conversations.list", {"limit": "many"}, "invalid_arguments"),
        ("conversations.list", {"limit": -1}, "invalid_limit"),
        ("conversations.history", {"channel": "C0RANDOM01", "oldest": "noon"}, "invalid_ts_oldest"),
        ("conversations.open", {"users": "U0NOBODY00"}, "user_not_found"),
        ("conversations.open", {"users": "U0COLDBOT1"}, "cannot_dm_bot"),
        ("usergroups.users.list", {"usergroup": "S0"}, "no_such_subteam"),
        ("chat.postEphemeral", {"channel": "C0RANDOM01", "user": "U0NOBODY00", "text": "x"}, "user_not_found"),
    ],
)
async def test_arguments_that_make_no_sense(client, method, sent, error):
    assert await error_of(client.api_call(method, params=sent)) == error


async def test_an_app_token_can_be_tested_too(slack, client):
    answer = await AsyncWebClient(token=slack.app_token, base_url=slack.api_url, session=client.session).auth_test()
    assert answer["app_id"] == slack.workspace.app.id


async def test_scopes_that_would_do_are_all_named(slack, client):
    slack.switches.deny("channels:read", "groups:read", "im:read")
    with pytest.raises(SlackApiError) as refused:
        await client.conversations_list()
    assert refused.value.response["needed"] == "channels:read,groups:read,im:read"
    assert "chat:write" in refused.value.response["provided"]


async def test_a_channel_where_apps_may_not_post(slack, client):
    slack.switches.restrict("#random")
    assert await error_of(client.chat_postMessage(channel="#random", text="x")) == "restricted_action"
    slack.switches.restrict("#random", restricted=False)
    assert (await client.chat_postMessage(channel="#random", text="x"))["ok"]


async def test_the_team_the_bot_and_people_by_address(slack, client):
    address = slack.workspace.user("alice").email
    assert (await client.users_lookupByEmail(email=address.upper()))["user"]["name"] == "alice"
    assert await error_of(client.users_lookupByEmail(email="nobody@example.net")) == "users_not_found"
    slack.switches.deny("users:read.email")
    assert "email" not in (await client.users_info(user=slack.workspace.user("alice").id))["user"]["profile"]
    assert (await client.team_info())["team"]["id"] == slack.workspace.team.id
    assert (await client.bots_info(bot=slack.workspace.app.bot_id))["bot"]["user_id"] == slack.workspace.app.bot_user
    assert await error_of(client.bots_info(bot="B0")) == "bot_not_found"
    slack.switches.remove_bot("#random")
    mine = (await client.users_conversations(types="public_channel,im"))["channels"]
    assert {channel["name"] for channel in mine} == {"migrations", "nfc-alerts"}


async def test_blocks_can_be_validated_without_being_shown(client):
    good = {"type": "divider"}
    bad = {"type": "header", "text": {"type": "mrkdwn", "text": "x"}}
    assert (await client.blocks_validate(blocks=[good]))["ok"]
    with pytest.raises(SlackApiError) as refused:
        await client.blocks_validate(blocks=[good, bad])
    answer = refused.value.response
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == [
        {"pointer": "/1/text/type", "code": "failed_constraint", "message": "unsupported type: mrkdwn"}
    ]
    with pytest.raises(SlackApiError) as refused:
        await client.blocks_validate(message={"text": "x", "blocks": [bad]})
    assert refused.value.response["errors"][0]["pointer"] == "/blocks/0/text/type"
    assert await error_of(client.blocks_validate(view={"type": "modal", "blocks": []})) == "invalid_view"
    assert await error_of(client.api_call("blocks.validate")) == "invalid_arguments"


async def test_a_message_that_grows(slack, client):
    alice, team = slack.workspace.user("alice").id, slack.workspace.team.id
    root = slack.person.post("alice", "#random", "why?")
    where = slack.workspace.channel("#random").id
    lost = client.chat_startStream(channel=where, thread_ts=root)
    assert await error_of(lost) == "missing_recipient_team_id"
    stream = await client.chat_stream(
        channel=where, thread_ts=root, recipient_team_id=team, recipient_user_id=alice, buffer_size=1
    )
    await stream.append(markdown_text="Packets ")
    await stream.append(markdown_text="were *lost*.")
    task = {"type": "task_update", "id": "t", "title": "Read vpxa.log", "status": "complete", "output": "9 lines"}
    await client.chat_appendStream(channel=where, ts=stream._stream_ts, chunks=[task])
    await stream.stop(blocks=[{"type": "divider"}])

    (_, grown) = slack.person.thread("#random", root)
    assert grown["text"] == "Packets were *lost*."
    assert [block["type"] for block in grown["blocks"]] == ["markdown", "task_card", "divider"]
    late = client.chat_appendStream(channel=where, ts=grown["ts"], markdown_text="more")
    assert await error_of(late) == "message_not_in_streaming_state"
    begun = await client.chat_startStream(
        channel=where, thread_ts=root, recipient_team_id=team, recipient_user_id=alice
    )
    wrong = client.chat_appendStream(channel=where, ts=begun["ts"], chunks=[task | {"output": "x" * 257}])
    assert await error_of(wrong) == "invalid_chunks"
