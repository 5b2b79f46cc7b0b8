"""Deliveries by HTTP to a real Bolt server, which checks the signatures itself."""

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp

from bot.errors import UserError
from bot.playground.slack.tally import AckOutcome


@pytest.fixture
async def serve():
    """Serve requests on loopback; returns the address."""
    runners = []

    async def started(handle):
        app = web.Application()
        app.router.add_post("/slack/events", handle)
        runner = web.AppRunner(app)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"

    yield started
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
def bolt(slack, client, serve):
    async def started(*, secret=slack.signing_secret):
        app = AsyncApp(client=client, signing_secret=secret)

        async def handle(request):
            return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

        return app, await serve(handle)

    return started


async def test_commands_clicks_and_events_by_http(slack, client, bolt):
    app, url = await bolt()
    heard = asyncio.Queue()

    @app.command("/coldmigrate")
    async def handle(ack, body):
        await ack(f"planning {body['text']}")

    @app.action("go")
    async def clicked(ack, body):
        await ack()
        heard.put_nowait(body["actions"][0]["value"])

    @app.event("app_mention")
    async def mentioned(event):
        heard.put_nowait(event["text"])

    @app.event("message")
    async def said():
        pass

    await slack.switches.request_url(url)
    assert (await slack.person.command("alice", "#random", "/coldmigrate web01 site2")).text == "planning web01 site2"
    button = {"type": "button", "action_id": "go", "value": "7", "text": {"type": "plain_text", "text": "Go"}}
    posted = await client.chat_postMessage(
        channel="#random", text="?", blocks=[{"type": "actions", "elements": [button]}]
    )
    assert (await slack.person.click("bob", "#random", posted["ts"], "go")).error is None
    assert await asyncio.wait_for(heard.get(), 5) == "7"
    slack.person.mention("alice", "#random", "hello")
    assert "hello" in await asyncio.wait_for(heard.get(), 5)

    await slack.switches.request_url(None)
    assert (await slack.person.command("alice", "#random", "/coldmigrate list")).error == "dispatch_failed"


async def test_a_wrong_secret_never_passes_the_handshake(slack, bolt):
    _, url = await bolt(secret="somebody-elses")
    with pytest.raises(UserError, match="did not answer the challenge: refused"):
        await slack.switches.request_url(url)
    with pytest.raises(UserError, match="no_connection"):
        await slack.switches.request_url("http://127.0.0.1:9/slack/events")


async def test_retries_say_so_and_can_be_declined(slack, serve):
    slack.switches.event_retries(timedelta(0), timedelta(0), timedelta(0))
    heard = []

    async def handle(request):
        if request.content_type != "application/json":
            return web.Response(status=503)
        body = await request.json()
        if body["type"] == "url_verification":
            return web.json_response({"challenge": body["challenge"]})
        heard.append((request.headers.get("X-Slack-Retry-Num"), request.headers.get("X-Slack-Retry-Reason")))
        headers = {"X-Slack-No-Retry": "1"} if len(heard) == 3 else {}
        return web.Response(status=503, headers=headers)

    await slack.switches.request_url(await serve(handle))
    slack.person.post("alice", "#random", "hello")
    await slack.person.wait_for(lambda: len(slack.tally.acks) == 3)
    assert (await slack.person.command("alice", "#random", "/coldmigrate")).error == "http_service_error"
    assert heard == [(None, None), ("1", "http_error"), ("2", "http_error")]
    assert {ack.outcome for ack in slack.tally.acks} == {AckOutcome.REFUSED}


async def test_a_slow_server_is_a_timeout(slack, bolt):
    app, url = await bolt()
    may_ack = asyncio.Event()

    @app.command("/coldmigrate")
    async def handle(ack):
        await may_ack.wait()
        await ack()

    await slack.switches.request_url(url)
    slack.switches.ack_deadline(timedelta(seconds=0.1))
    assert (await slack.person.command("alice", "#random", "/coldmigrate")).timed_out
    may_ack.set()
