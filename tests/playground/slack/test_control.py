"""The control API as another process uses it, with a player that is a process of its own."""

import asyncio
import json
import signal
import stat
import sys
from datetime import timedelta

import httpx
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import UnreachableError, UserError
from bot.playground.slack.changes import ChangeFeed, ChangeKind
from bot.playground.slack.control import SlackControl

PROGRAM = """
import asyncio, sys
from pathlib import Path
from bot.playground.slack.player import play_slack
asyncio.run(play_slack(Path(sys.argv[1]), ready=lambda player: print(player.api_url, flush=True)))
"""


@pytest.fixture
async def control(slack):
    async with SlackControl(slack.control_url) as control:
        yield control


async def test_a_player_in_its_own_process(tmp_path):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    try:
        said = await asyncio.wait_for(process.stdout.readline(), 20)
        file = tmp_path / "players-slack.json"
        found = json.loads(file.read_text())
        assert said.decode().strip() == found["api_url"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert (await AsyncWebClient(token=found["bot_token"], base_url=found["api_url"]).auth_test())["ok"]

        async with SlackControl(found["control_url"]) as control:
            ts = await control.post("alice", "#random", "hello from elsewhere")
            assert (await control.message("#random", ts))["text"] == "hello from elsewhere"
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 10) == 0
            with pytest.raises(UnreachableError, match="does not answer"):
                await control.history("#random")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_same_gestures_over_http(slack, control, client, app: AsyncApp, connect):
    @app.command("/coldmigrate")
    async def handle(ack):
        await ack("planning")

    @app.action("approve")
    async def approve(ack, body, client):
        await ack()
        await client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text="approved")

    await connect(app)
    outcome = await control.command("alice", "#migrations", "/coldmigrate web01 site2")
    button = {"type": "button", "text": {"type": "plain_text", "text": "Approve"}, "action_id": "approve", "value": "1"}
    posted = await client.chat_postMessage(
        channel="#migrations", text="card", blocks=[{"type": "actions", "elements": [button]}]
    )
    since = slack.workspace.changes.last
    clicked = await control.click("bob", "#migrations", posted["ts"], "approve", value="1")

    async def approved():
        return (await control.message("#migrations", posted["ts"]))["text"] == "approved"

    assert await control.wait_for(approved)
    assert (outcome.text, outcome.error, clicked.error) == ("planning", None, None)
    assert [shown["text"] for shown in await control.ephemerals("alice")] == ["planning"]
    assert [message["text"] for message in await control.history("#migrations")] == ["approved"]
    last, changes = await control.wait_for_change(since)
    assert last > since
    assert ("updated", posted["ts"]) in {(change["kind"], change["subject"]) for change in changes}
    assert (await control.statistics())["calls"]["chat.update"] == 1
    assert (await control.names())[slack.workspace.app.bot_user] == "coldmigrate"


async def test_mistakes_come_back_as_sentences(slack, control):
    with pytest.raises(UserError, match=r"There is no user 'dave' in this workspace: alice, bob, carol"):
        await control.post("dave", "#random", "x")
    with pytest.raises(UserError, match="There is no channel '#nowhere'"):
        await control.history("#nowhere")
    with pytest.raises(UserError, match="The argument 'line' is missing"):
        await control.ask("command", user="alice", channel="#random")
    with pytest.raises(UserError, match="Unknown verb"):
        await control.ask("dance")
    with pytest.raises(UserError, match="There is no fault 'meteor'; there are: refuse, throttle"):
        await control.ask("fault", method="chat.update", kind="meteor")


async def test_switches_over_http(slack, control, client):
    await control.ask("fault", method="chat.postMessage", kind="refuse", error="fatal_error")
    with pytest.raises(Exception, match="fatal_error"):
        await client.chat_postMessage(channel="#random", text="x")
    await control.ask("archive", channel="#random")
    with pytest.raises(UserError, match="is archived"):
        await control.post("alice", "#random", "x")
    await control.ask("revoke-token")
    with pytest.raises(Exception, match="token_revoked"):
        await client.auth_test()
    await control.ask("rate-limits", enforced=False)
    await control.ask("ack-deadline", seconds=0.1)
    await control.ask("add-channel", name="fresh")
    names = {channel.get("name") for channel in (await control.places())["channels"]}
    assert "fresh" in names


@pytest.mark.parametrize("host", ["evil.example.net", "[half-an-address"])
async def test_a_web_page_of_another_name_is_kept_out(slack, host):
    async with httpx.AsyncClient(trust_env=False) as stranger:
        answer = await stranger.get(slack.control_url + "places", headers={"Host": host})
    assert answer.status_code == 403


async def test_a_poll_without_news_ends_empty(slack, control):
    last = slack.workspace.changes.last
    assert await control.wait_for_change(last, timedelta(0)) == (last, [])


async def test_a_wait_that_fails_says_what_happened_instead():
    feed = ChangeFeed()
    feed.publish(ChangeKind.POSTED, channel="C1", subject="1.1")
    with pytest.raises(TimeoutError, match=r"within 0 s; it last saw: posted C1 1\.1"):
        await feed.wait_for(lambda: False, timedelta(0))


async def test_the_bolt_handler_needs_nothing_but_the_file(slack, connect):
    """What a bot process reads from players-slack.json is enough to connect."""
    app = AsyncApp(client=AsyncWebClient(token=slack.bot_token, base_url=slack.api_url))
    handler = AsyncSocketModeHandler(app, slack.app_token)
    await handler.connect_async()
    await slack.person.wait_for(lambda: slack.switches.connections)
    await handler.close_async()


async def test_a_wait_over_http_ends_in_time(control):
    async def never():
        return False

    with pytest.raises(TimeoutError, match="did not get there"):
        await control.wait_for(never, timedelta(seconds=0.05))


async def test_a_modal_over_http(slack, control, app: AsyncApp, connect):
    title = {"type": "plain_text", "text": "x"}

    @app.shortcut("plan")
    async def plan(ack, body, client):
        view = {"type": "modal", "callback_id": "v", "title": title, "blocks": [{"type": "divider"}]}
        await client.views_open(trigger_id=body["trigger_id"], view=view)
        await ack()

    @app.view("v")
    async def submitted(ack):
        await ack()

    await connect(app)
    assert (await control.ask("shortcut", user="alice", callback_id="plan"))["error"] is None
    (view,) = await control.views("alice")
    assert (await control.submit_view("alice", view["id"])).error is None
    assert await control.views("alice") == []
    root = await control.mention("alice", "#random", "hello")
    await control.post("bob", "#random", "hello too", thread_ts=root)
    assert len(await control.thread("#random", root)) == 2
