"""A Slack that repeats, refreshes and refuses more than usual; and what can be seen of the wire."""

import asyncio
import json
from datetime import timedelta

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.errors import UserError
from bot.playground.slack.changes import ChangeKind
from bot.playground.slack.control import SlackControl
from bot.playground.slack.faults import BreakDown, Refuse

VIEW = {
    "type": "modal",
    "callback_id": "plan",
    "title": {"type": "plain_text", "text": "Plan"},
    "blocks": [{"type": "divider"}],
}


async def test_every_envelope_is_delivered_three_times(slack, app: AsyncApp, connect):
    commands, events = asyncio.Queue(), asyncio.Queue()

    @app.command("/coldmigrate")
    async def handle(ack, body):
        await ack("once")
        commands.put_nowait(body)

    @app.event("message")
    async def heard(body, request):
        events.put_nowait((body["event_id"], request.headers.get("x-slack-retry-num")))

    await connect(app)
    slack.switches.deliver_each(3)
    outcome = await slack.person.command("alice", "#random", "/coldmigrate list")
    bodies = [await asyncio.wait_for(commands.get(), 5) for _ in range(3)]
    slack.person.post("alice", "#random", "hello")
    seen = [await asyncio.wait_for(events.get(), 5) for _ in range(3)]

    assert outcome.text == "once"
    assert bodies[0] == bodies[1] == bodies[2]
    assert [shown["text"] for shown in slack.person.ephemerals("alice")] == ["once"]
    assert len({event_id for event_id, _ in seen}) == 1
    assert sorted(attempt[0] for _, attempt in seen) == ["0", "1", "2"]
    envelopes = lambda: {ack.envelope_id for ack in slack.tally.acks if ack.kind == "slash_commands"}  # noqa: E731
    await slack.person.wait_for(lambda: len(envelopes()) == 3)

    slack.switches.deliver_each(1)
    await slack.person.command("alice", "#random", "/coldmigrate list")
    assert await asyncio.wait_for(commands.get(), 5)
    assert commands.empty()
    with pytest.raises(UserError, match="at least once"):
        slack.switches.deliver_each(0)


async def test_connections_are_refreshed_again_and_again(slack, app: AsyncApp, connect):
    @app.command("/coldmigrate")
    async def handle(ack):
        await ack("still here")

    await connect(app)
    slack.switches.disconnect_every(timedelta(seconds=0.3))
    opened = lambda: slack.tally.calls["apps.connections.open"] >= 4  # noqa: E731
    await slack.person.wait_for(opened)
    slack.switches.disconnect_every(None)
    await slack.person.wait_for(lambda: slack.switches.connections)
    assert (await slack.person.command("alice", "#random", "/coldmigrate list")).text == "still here"


async def test_a_deaf_client_is_warned_then_told_then_shut_out(slack, client):
    opened = await client.apps_connections_open(app_token=slack.app_token)
    async with client.session.ws_connect(opened["url"]) as socket:
        await socket.receive_json(timeout=5)
        slack.switches.disconnect_every(timedelta(hours=5))
        await asyncio.sleep(0)  # let the clock's sleeper lie down before it is woken
        slack.switches.advance(timedelta(hours=5))
        reasons = [(await socket.receive_json(timeout=5))["reason"] for _ in range(2)]
        assert reasons == ["warning", "refresh_requested"]
        assert (await socket.receive(timeout=5)).type.name == "CLOSE"


async def test_calls_are_rejected_in_a_row(slack, client):
    slack.switches.reject_next(3, "chat.postMessage", 2)
    for _ in range(3):
        with pytest.raises(SlackApiError) as refused:
            await client.chat_postMessage(channel="#random", text="x")
        assert (refused.value.response.status_code, refused.value.response.headers["Retry-After"]) == (429, "2")
    assert (await client.chat_postMessage(channel="#random", text="x"))["ok"]
    assert slack.tally.throttled == {"chat.postMessage": 3}


async def test_the_switches_from_elsewhere(slack, client):
    async with SlackControl(slack.control_url) as control:
        await control.ask("reject-next", n=1, method="auth.test", retry_after=3)
        await control.ask("deliver-each", times=2)
        await control.ask("disconnect-every", seconds=10)
        await control.ask("disconnect-every")
        with pytest.raises(SlackApiError, match="ratelimited"):
            await client.auth_test()
        (refused,) = await control.traffic()
        assert (refused["what"], refused["answer"]["error"]) == ("auth.test", "ratelimited")
        assert await control.traffic(since=refused["n"]) == []


async def test_traffic_shows_both_ways_and_no_secret(slack, client, app: AsyncApp, connect):
    @app.command("/coldmigrate")
    async def handle(ack):
        await ack("planned")

    await connect(app)
    await slack.person.command("alice", "#random", "/coldmigrate list")
    await client.api_call("chat.postMessage", params={"channel": "#random", "text": slack.bot_token})
    await client.files_upload_v2(channel="C0RANDOM01", filename="x.log", content=b"x")
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="C0NOWHERE0", text="x")

    heard = list(slack.traffic)
    by_name = {exchange["what"]: exchange for exchange in heard}
    command = by_name["slash_commands"]
    assert (command["way"], command["body"]["payload"]["text"]) == ("slack>app", "list")
    assert command["answer"] == {"text": "planned"}
    assert by_name["chat.postMessage"]["answer"]["error"] == "channel_not_found"
    assert [exchange["n"] for exchange in heard] == list(range(1, len(heard) + 1))
    written = json.dumps(heard)
    assert slack.bot_token not in written
    assert slack.app_token not in written
    assert "ticket=(hidden)" in written
    assert "/upload/v1/(hidden)" in written


async def test_only_the_last_exchanges_are_kept(slack, client):
    for _ in range(205):
        await client.auth_test()
    assert [slack.traffic[0]["n"], slack.traffic[-1]["n"], len(slack.traffic)] == [6, 205, 200]


async def test_whatever_the_app_sends_to_be_seen_can_be_checked(slack, client, app: AsyncApp, connect):
    said = []
    slack.on_said.append(lambda kind, payload: said.append((kind, payload)))
    urls = asyncio.Queue()

    @app.command("/coldmigrate")
    async def handle(ack, body, client):
        await client.views_open(trigger_id=body["trigger_id"], view=VIEW)
        await ack("planning")
        urls.put_nowait(body["response_url"])

    @app.view("plan")
    async def submitted(ack):
        await ack(response_action="update", view=VIEW)

    await connect(app)
    blocks = '[{"type": "divider"}]'
    posted = await client.api_call("chat.postMessage", data={"channel": "#random", "text": "[x]", "blocks": blocks})
    await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="edited")
    await client.chat_postEphemeral(channel="C0RANDOM01", user="U0ALICE001", text="you")
    await slack.person.command("alice", "#random", "/coldmigrate")
    await slack.person.submit_view("alice", slack.person.views("alice")[0]["id"])
    await AsyncWebhookClient(await asyncio.wait_for(urls.get(), 5)).send(text="later")
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="#random", text="x", blocks=[{"type": "marquee"}])

    kinds = [kind for kind, _ in said]
    assert kinds == ["message", "message", "ephemeral", "view", "ephemeral", "view", "response_url"]
    assert said[0][1] == {"channel": "#random", "text": "[x]", "blocks": [{"type": "divider"}]}
    assert said[3][1] == said[5][1] == VIEW


async def test_a_refusal_wakes_those_who_wait(slack, client):
    seen = slack.workspace.changes.last
    slack.switches.next_answers("chat.postMessage", BreakDown(503))
    slack.switches.reject_next(1, "chat.postMessage")
    slack.switches.next_answers("chat.postMessage", Refuse("fatal_error"))
    for _ in range(3):
        with pytest.raises(SlackApiError):
            await client.chat_postMessage(channel="#random", text="x")
    assert [(one.kind, one.subject) for one in slack.workspace.changes.after(seen)] == [
        (ChangeKind.REFUSAL, "chat.postMessage")
    ] * 3
