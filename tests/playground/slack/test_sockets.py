"""Socket Mode with the real client: one envelope for one connection, deadlines, reconnects, retries."""

import asyncio
from datetime import timedelta

import aiohttp
import pytest
from slack_bolt.app.async_app import AsyncApp

from bot.playground.slack.sockets import MOST_CONNECTIONS, DisconnectReason
from bot.playground.slack.tally import AckOutcome

SHORT = timedelta(seconds=0.2)


async def open_raw(slack, client, session):
    """A connection that acks nothing, and the first frame it hears."""
    ticket = await client.apps_connections_open(app_token=slack.app_token)
    socket = await session.ws_connect(ticket["url"])
    return socket, await socket.receive_json(timeout=5)


async def test_each_envelope_goes_to_one_of_two_connections(slack, app: AsyncApp, connect):
    ran = []

    @app.command("/coldmigrate")
    async def handle(ack, body):
        ran.append(body["text"])
        await ack()

    await connect(app)
    await connect(app)
    for n in range(6):
        await slack.person.command("alice", "#migrations", f"/coldmigrate {n}")

    assert ran == [str(n) for n in range(6)]
    assert [one["envelopes"] for one in slack.switches.statistics()["connections"]] == [3, 3]


async def test_hello_says_how_many_there_are_and_the_eleventh_is_sent_away(slack, client):
    async with aiohttp.ClientSession() as session:
        held = [await open_raw(slack, client, session) for _ in range(MOST_CONNECTIONS)]
        hellos = [hello for _, hello in held]
        assert [hello["num_connections"] for hello in hellos] == list(range(1, 11))
        assert hellos[0]["type"] == "hello"
        assert hellos[0]["connection_info"] == {"app_id": slack.workspace.app.id}
        assert hellos[0]["debug_info"]["approximate_connection_time"] == 18060
        socket, frame = await open_raw(slack, client, session)
        assert (frame["type"], frame["reason"]) == ("disconnect", "too_many_websockets")
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
        assert slack.switches.connections == MOST_CONNECTIONS


async def test_a_url_opens_one_connection(slack, client):
    async with aiohttp.ClientSession() as session:
        url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
        await session.ws_connect(url)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url)
        assert refused.value.status == 408


async def test_a_late_ack_is_a_timeout_for_the_person(slack, app: AsyncApp, connect):
    may_ack = asyncio.Event()

    @app.command("/coldmigrate")
    async def handle(ack):
        await may_ack.wait()
        await ack("too late to be seen")

    await connect(app)
    slack.switches.ack_deadline(SHORT)
    outcome = await slack.person.command("alice", "#migrations", "/coldmigrate web01 site2")
    may_ack.set()
    await slack.person.wait_for(lambda: slack.tally.late_acks)

    assert outcome.timed_out
    assert outcome.latency >= SHORT.total_seconds()
    (shown,) = slack.person.ephemerals("alice")
    assert shown["text"] == '/coldmigrate failed with the error "operation_timeout"'
    assert shown["source"] == "slackbot"
    (ack,) = slack.tally.acks
    assert ack.outcome is AckOutcome.TIMED_OUT
    assert slack.tally.late_acks == [ack.envelope_id]
    assert slack.tally.latencies() == []


async def test_without_a_connection_a_command_fails_at_once(slack):
    outcome = await slack.person.command("alice", "#migrations", "/coldmigrate web01 site2")
    assert outcome.error == "dispatch_failed"
    assert not outcome.timed_out


@pytest.mark.parametrize("reason", [DisconnectReason.REFRESH, DisconnectReason.WARNING])
async def test_the_client_comes_back_after_a_disconnect_frame(slack, app: AsyncApp, connect, reason):
    @app.command("/coldmigrate")
    async def handle(ack):
        await ack("still here")

    await connect(app)
    (first,) = slack.switches.statistics()["connections"]
    assert await slack.switches.disconnect(reason) == 1

    def replaced():
        now = slack.switches.statistics()["connections"]
        return len(now) == 1 and now[0]["number"] > first["number"]

    await slack.person.wait_for(replaced)
    assert (await slack.person.command("alice", "#migrations", "/coldmigrate list")).text == "still here"
    assert slack.tally.calls["apps.connections.open"] == 2


async def test_an_ack_on_a_newer_connection_counts(slack, client):
    """Clients answer on whatever connection they have by then."""
    async with aiohttp.ClientSession() as session:
        old, _ = await open_raw(slack, client, session)
        command = asyncio.create_task(slack.person.command("alice", "#migrations", "/coldmigrate x"))
        envelope = await old.receive_json(timeout=5)
        new, _ = await open_raw(slack, client, session)
        await old.close()
        await new.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "from the new one"}})
        assert (await command).text == "from the new one"


async def test_a_cut_connection_loses_the_command_it_held(slack, client):
    slack.switches.ack_deadline(SHORT)
    async with aiohttp.ClientSession() as session:
        socket, _ = await open_raw(slack, client, session)
        command = asyncio.create_task(slack.person.command("alice", "#migrations", "/coldmigrate x"))
        envelope = await socket.receive_json(timeout=5)
        assert slack.switches.cut() == 1
        assert (await command).timed_out
        assert envelope["type"] == "slash_commands"
        assert envelope["accepts_response_payload"] is True
        await slack.person.wait_for(lambda: slack.switches.connections == 0)


async def test_an_event_is_sent_again_until_it_is_acked(slack, client):
    slack.switches.ack_deadline(SHORT)
    slack.switches.event_retries(timedelta(0), timedelta(0))
    async with aiohttp.ClientSession() as session:
        socket, _ = await open_raw(slack, client, session)
        slack.person.post("alice", "#random", "hello")
        first = await socket.receive_json(timeout=5)
        slack.switches.ack_deadline(timedelta(seconds=10))
        second = await socket.receive_json(timeout=5)
        await socket.send_json({"envelope_id": second["envelope_id"]})
        await slack.person.wait_for(lambda: slack.tally.latencies("events_api"))

    assert (first["retry_attempt"], first["retry_reason"]) == (0, "")
    assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
    assert first["envelope_id"] != second["envelope_id"]
    assert first["payload"]["event_id"] == second["payload"]["event_id"]
    assert [ack.outcome for ack in slack.tally.acks] == [AckOutcome.TIMED_OUT, AckOutcome.ACKED]


async def test_events_that_nobody_acks_are_given_up(slack):
    slack.switches.event_retries(timedelta(0), timedelta(0), timedelta(0))
    slack.person.post("alice", "#random", "hello")
    await slack.person.wait_for(lambda: len(slack.tally.acks) == 4)
    assert {ack.outcome for ack in slack.tally.acks} == {AckOutcome.NO_CONNECTION}


async def test_repetitions_of_an_event_wait_by_the_workspaces_clock(slack, client):
    slack.switches.ack_deadline(SHORT)
    async with aiohttp.ClientSession() as session:
        socket, _ = await open_raw(slack, client, session)
        slack.person.post("alice", "#random", "hello")
        heard = [await socket.receive_json(timeout=5)]
        for number, wait in enumerate((1, 60, 300), 1):
            await slack.person.wait_for(lambda number=number: len(slack.tally.acks) == number)
            slack.switches.advance(timedelta(seconds=wait))
            heard.append(await socket.receive_json(timeout=5))
        await slack.person.wait_for(lambda: len(slack.tally.acks) == 4)
    assert [envelope["retry_attempt"] for envelope in heard] == [0, 1, 2, 3]
    assert [envelope["retry_reason"] for envelope in heard] == ["", "timeout", "timeout", "timeout"]
    assert len({envelope["payload"]["event_id"] for envelope in heard}) == 1
    assert len({envelope["envelope_id"] for envelope in heard}) == 4


async def test_a_connection_grows_old(slack, client):
    async with aiohttp.ClientSession() as session:
        usual, hello = await open_raw(slack, client, session)
        url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
        debugged = await session.ws_connect(url + "&debug_reconnects=true")
        lifetime = (await debugged.receive_json(timeout=5))["debug_info"]["approximate_connection_time"]
        assert (hello["debug_info"]["approximate_connection_time"], lifetime) == (18_060, 360)

        slack.switches.advance(timedelta(seconds=360))
        assert (await debugged.receive_json(timeout=5))["reason"] == "warning"
        await debugged.close()
        slack.switches.advance(timedelta(hours=5, seconds=60))
        assert (await usual.receive_json(timeout=5))["reason"] == "warning"
