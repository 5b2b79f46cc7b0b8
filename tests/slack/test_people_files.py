"""Files of people: read from Slack's own host alone, with the token, within bounds of size and time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from bot.errors import OutsideError, UnreachableError, UserError
from bot.slack.client import open_client
from bot.slack.files import WebFiles
from tests.fixtures_slack import CHANNEL

LOG = b"16:31:45 NfcNetTcpWrite: bWritten: -1\n" * 1000


@pytest.fixture
def files(client) -> WebFiles:
    return WebFiles(client)


@pytest.fixture
async def glance(player, files):
    """A file that lies in a thread, as it is known."""
    root = player.person.post("alice", CHANNEL, "look")
    file = player.person.upload("alice", CHANNEL, "vpxa.log", LOG, thread_ts=root)
    return await files.look(file["id"], channel=CHANNEL)


@pytest.fixture
async def elsewhere():
    """Another host, which remembers what it was asked, and answers with more than was wanted, or never ends."""
    asked: list[dict] = []

    async def give(request: web.Request) -> web.StreamResponse:
        asked.append(dict(request.headers))
        answer = web.StreamResponse()
        await answer.prepare(request)
        with_end = request.path != "/endless"
        await answer.write(LOG)
        while not with_end:
            await answer.write(b"x")
            await asyncio.sleep(0.01)
        return answer

    app = web.Application()
    app.router.add_get("/{path:.*}", give)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}", asked
    await runner.cleanup()


async def test_a_file_is_known_by_its_place_and_read_whole(player, files, glance):
    message, thread = player.person.history(CHANNEL)[-1]["ts"], glance.thread
    assert (glance.name, glance.size) == ("vpxa.log", len(LOG))
    assert thread == message
    assert glance.message == player.person.thread(CHANNEL, thread)[1]["ts"]
    assert await files.fetch(glance, at_most=len(LOG)) == LOG


async def test_the_same_file_is_nowhere_in_another_channel(files, glance):
    assert (await files.look(glance.id, channel="C0RANDOM01")).message == ""


async def test_the_token_is_sent_to_no_other_host(files, glance, elsewhere):
    origin, asked = elsewhere
    with pytest.raises(OutsideError, match="my token is not sent") as error:
        await files.fetch(replace(glance, url=f"{origin}/files-pri/x"), at_most=10**6)
    assert not error.value.transient
    assert asked == []


@pytest.mark.parametrize(
    "url",
    [
        "https://files.slack.com@evil.example.net/x",
        "https://files.slack.com.evil.example.net/x",
        "http://files.slack.com/x",
        "https://files.slack.com:8443/x",
        "https://slack.com.evil.example.net\\@files.slack.com/x",
        "file:///etc/passwd",
        "//files.slack.com/x",
        "",
    ],
)
async def test_addresses_that_only_look_like_slacks_are_not_asked(glance, url):
    async with open_client("xoxb-secret") as client:
        with pytest.raises(OutsideError, match="my token is not sent"):
            await WebFiles(client).fetch(replace(glance, url=url), at_most=10**6)


async def test_no_redirect_is_followed(player, files, glance, elsewhere):
    origin, asked = elsewhere
    player.switches.spoil_file(glance.id, redirect=f"{origin}/x")
    with pytest.raises(OutsideError, match="HTTP 302"):
        await files.fetch(glance, at_most=10**6)
    assert asked == []


async def test_reading_stops_at_the_size_whatever_was_said(files, glance):
    with pytest.raises(UserError, match="there is room for"):
        await files.fetch(replace(glance, size=1), at_most=1000)


async def test_what_is_said_to_be_too_large_is_not_asked_for(player, files, glance):
    with pytest.raises(UserError, match=r"has 2000\.0 MB"):
        await files.fetch(replace(glance, size=2 * 10**9, url="https://elsewhere.example.net"), at_most=1000)


async def test_a_sign_in_page_is_not_taken_for_a_log(player, files, glance):
    player.switches.deny("files:read")
    with pytest.raises(OutsideError, match="files:read") as error:
        await files.fetch(glance, at_most=10**6)
    assert not error.value.transient


async def test_a_file_that_drips_is_given_up_in_time(elsewhere, player, glance):
    origin, _ = elsewhere
    async with open_client(player.bot_token, api_url=f"{origin}/api/") as client:
        slow = WebFiles(client, in_all=timedelta(milliseconds=300))
        with pytest.raises(UnreachableError, match="could not be read from Slack"):
            await slow.fetch(replace(glance, url=f"{origin}/endless"), at_most=10**6)


async def test_the_token_stands_in_no_sentence(player, files, glance, elsewhere):
    with pytest.raises(OutsideError) as error:
        await files.fetch(replace(glance, url=f"{elsewhere[0]}/{player.bot_token}"), at_most=10**6)
    assert player.bot_token not in str(error.value)


@pytest.mark.parametrize(
    ("oddities", "said"),
    [
        ({"link": "https://drive.example.net/x"}, "vpxa.log is only a link"),
        ({"hidden": True}, "beyond the limits"),
    ],
)
async def test_what_slack_does_not_keep_for_us_is_said(player, files, glance, oddities, said):
    player.switches.spoil_file(glance.id, **oddities)
    with pytest.raises(UserError, match=said):
        await files.look(glance.id, channel=CHANNEL)


async def test_what_is_gone_or_not_ours_is_said(player, files, glance):
    player.person.delete_file("alice", glance.id)
    with pytest.raises(UserError, match="not there any more, or I may not see it"):
        await files.look(glance.id, channel=CHANNEL)


async def test_a_name_is_harmless_in_a_sentence(player, files):
    file = player.person.upload("alice", CHANNEL, "a\nb\x1b[31m" + "x" * 300, LOG)
    name = (await files.look(file["id"], channel=CHANNEL)).name
    assert len(name) <= 120
    assert name.isprintable()
