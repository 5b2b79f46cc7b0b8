"""What browsers are shown: at once, each what it looks at, only what changed, and nobody waits for a slow one."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from urllib.parse import urlsplit

import pytest
from slack_sdk.errors import SlackApiError

from bot.playground.page.slack_parts import NEWEST
from tests.playground.page.visitor import ALICE, BOB, CHANNEL, MALLORY, visit

RANDOM = "C0RANDOM01"


async def test_a_newcomer_sees_the_workspace_and_the_world_before_saying_who_they_are(page):
    async with visit(page.url) as visitor:
        await visitor.until(lambda parts: parts.keys() >= {"workspace", "world", "tally", "traffic"})
        assert "channel" not in visitor.parts
        workspace = visitor.parts["workspace"]
        assert {u["name"]: u["groups"] for u in workspace["users"] if not u["is_bot"]} == {
            "alice": ["vm-ops"], "bob": ["vm-ops"], "carol": ["vm-ops"], "mallory": []
        }  # fmt: skip
        assert workspace["commands"][0]["command"] == "/coldmigrate"
        direct = [c for c in workspace["channels"] if c["is_im"]]
        assert sorted(member for c in direct for member in c["members"] if member != "U0COLDBOT1") == sorted(
            user["id"] for user in workspace["users"] if not user["is_bot"]
        )
        site1, site2 = visitor.parts["world"]["sites"]
        assert [vm["name"] for vm in site1["vms"]] == ["web01"]
        assert len(site2["hosts"]) == 2
        assert visitor.parts["world"]["links"][0]["between"] == ["site1", "site2"]


async def test_each_sees_what_they_look_at_and_their_own_whispers(page, slack):
    async with visit(page.url) as alice, visit(page.url) as bob:
        await alice.look()
        await bob.look(user=BOB)
        slack.person.post(BOB, CHANNEL, "to all")
        await alice.message("to all")
        await bob.message("to all")
        await slack.person.command(ALICE, CHANNEL, "/coldmigrate help")  # nobody answers: Slackbot tells alice alone
        whisper = await alice.message("dispatch_failed")
        assert whisper["ephemeral"] is True
        assert whisper["username"] == "Slackbot"
        slack.person.post(BOB, CHANNEL, "the end")
        await bob.message("the end")
        assert "dispatch_failed" not in json.dumps(bob.parts["channel"])
        await bob.look(user=ALICE)  # bob becomes alice
        await bob.message("dispatch_failed")


async def test_a_thread_is_shown_and_goes_when_it_is_deleted(alice, slack):
    parent = slack.person.post(ALICE, CHANNEL, "parent")
    slack.person.post(BOB, CHANNEL, "reply", thread_ts=parent)
    await alice.look(thread=parent)
    await alice.message("reply", "thread")
    assert (await alice.message("parent"))["reply_count"] == 1
    assert "reply" not in [m["text"] for m in alice.parts["channel"]["messages"]]
    await alice.look(thread="1.000000")
    await alice.until(lambda parts: parts["thread"] is None)


async def test_a_channel_of_many_messages_shows_the_newest(alice, slack):
    for number in range(NEWEST + 20):
        slack.person.post(BOB, RANDOM, f"number {number}")
    await alice.look(channel=RANDOM)
    await alice.message(f"number {NEWEST + 19}")
    shown = alice.parts["channel"]["messages"]
    assert len(shown) == NEWEST
    assert [m["ts"] for m in shown] == sorted(m["ts"] for m in shown)


async def test_only_what_changed_is_sent_and_an_idle_page_hears_nothing(alice, slack):
    slack.person.post(BOB, CHANNEL, "something")
    await alice.message("something")
    await alice.until(lambda parts: parts["workspace"]["channels"][0]["last_ts"])
    await asyncio.sleep(1.2)  # longer than any part's pause: whatever was under way has come
    before, used = dict(alice.puts), time.process_time()
    await asyncio.sleep(1.2)
    assert alice.puts == before
    assert time.process_time() - used < 0.2  # the players of two sites included


async def test_a_burst_becomes_few_puts_and_ends_with_the_newest(alice, slack):
    before = alice.puts.get("channel", 0)
    for number in range(200):
        slack.person.post(BOB, CHANNEL, f"line {number}")
        await asyncio.sleep(0.002)
    await alice.message("line 199")
    assert alice.puts["channel"] - before < 20


async def test_the_map_follows_a_copy_at_its_pace(alice, world):
    world["east"].set_link("site1", "site2", rate=400_000_000)
    await alice.until(lambda parts: parts["world"]["links"][0]["rate"] == 400_000_000)
    before, began = alice.puts["world"], time.monotonic()
    link = world["east"].estate.universe.links.find("site1", "site2")
    while time.monotonic() - began < 1.0:  # a copy would ring like this
        link.set(mtu=link.mtu % 9000 + 1)
        await asyncio.sleep(0.01)
    assert 2 <= alice.puts["world"] - before <= 6


async def test_one_who_does_not_read_delays_nobody(page, slack, alice):
    """A socket by hand, which says who it is and then never reads."""
    address = urlsplit(page.url)
    with socket.create_connection((address.hostname, address.port)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        hello = (
            f"GET /ui/socket HTTP/1.1\r\nHost: {address.netloc}\r\nOrigin: http://{address.netloc}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        await loop.sock_sendall(deaf, hello.encode())
        look = json.dumps({"id": 1, "do": "look", "user": ALICE, "channel": CHANNEL}).encode()
        await loop.sock_sendall(deaf, bytes([0x81, 0x80 | len(look), 0, 0, 0, 0]) + look)
        text = "x" * 30_000
        for number in range(100):
            slack.person.post(BOB, CHANNEL, f"{number} {text}")
            await asyncio.sleep(0)
        started = time.monotonic()
        await alice.message("99 x")
        slack.person.post(BOB, CHANNEL, "still quick")
        await alice.message("still quick")
        assert time.monotonic() - started < 5
    await page.stop()  # and the end does not wait for it


async def test_the_wire_can_be_read_and_bears_no_token(alice, slack, app):
    await app.client.chat_postMessage(channel=CHANNEL, text="hello from the app")
    with pytest.raises(SlackApiError):
        await app.client.chat_postMessage(channel="C404", text="lost")
    traffic = await alice.until(
        lambda parts: [t for t in parts["traffic"] if t["what"] == "chat.postMessage"][1:] and parts["traffic"]
    )
    assert {exchange["way"] for exchange in traffic} <= {"app>slack", "slack>app"}
    assert slack.bot_token not in json.dumps(alice.parts)
    assert slack.app_token not in json.dumps(alice.parts)
    assert (await alice.until(lambda parts: parts["tally"]["posts"] == 2 and parts["tally"]))["posts"] == 2


async def test_one_without_a_seat_in_a_private_conversation_cannot_look_at_it(alice, slack):
    theirs = slack.workspace.direct_channel(BOB)
    assert "not in that conversation" in await alice.refused("look", user=MALLORY, channel=theirs.id)
    assert "no user" in await alice.refused("look", user="U404", channel=CHANNEL)
    assert "no channel" in await alice.refused("look", user=ALICE, channel="C404")
