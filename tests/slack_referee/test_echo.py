"""Slack's official JavaScript Bolt works against the simulated Slack: what both sides saw of everything agrees."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from bot.playground.slack.player import SlackPlayer
from bot.playground.slack.sockets import DisconnectReason
from tests.slack_referee.echo import EchoApp

ALICE, BOB = "U0ALICE001", "U0BOB00001"
PLACE = "#migrations"


@pytest.fixture
async def slack():
    player = SlackPlayer()
    await player.start()
    yield player
    await player.stop()


@pytest.fixture
async def app(slack):
    """The app; at the test's end the official client must have had nothing to complain of."""
    async with EchoApp(slack) as app:
        yield app
        assert app.complaints == []


@pytest.fixture
def shown(slack):
    """Wait until somebody's message of the app is there; `look` finds it among those of the channel."""

    async def wait(text, *, channel=PLACE):
        look = lambda: [m for m in slack.person.history(channel) if m.get("bot_id") and m["text"] == text]  # noqa: E731
        return (await slack.person.wait_for(look))[0]

    return wait


@pytest.fixture
async def card(slack, app, shown):
    await slack.person.command("alice", PLACE, "/echo card")
    posted = await app.heard("posted")
    assert (await shown("Clicked 0 times"))["ts"] == posted["ts"]
    return posted["ts"]


@pytest.fixture
async def form(slack, app, card):
    """A modal in front of alice."""
    await slack.person.click("alice", PLACE, card, "form")
    opened = await app.heard("opened")
    (view,) = await slack.person.wait_for(lambda: slack.person.views("alice"))
    assert view["id"] == opened["view"]
    return view["id"]


async def test_a_command_is_answered_in_its_ack(slack, app):
    outcome = await slack.person.command("alice", PLACE, "/echo move <web01> & go")
    assert outcome.error is None
    assert outcome.text == "You said: move <web01> & go"
    heard = await app.heard("command")
    assert heard == {"kind": "command", "text": "move <web01> & go", "user": ALICE, "channel": "C0MIGRATE1"}
    assert slack.person.ephemerals("alice")[-1]["text"] == outcome.text
    assert slack.person.ephemerals("bob") == []


async def test_an_ack_can_speak_to_the_channel(slack, app, shown):
    await slack.person.command("alice", PLACE, "/echo aloud good morning")
    assert (await shown("good morning"))["bot_id"]


async def test_response_urls_whisper_and_speak(slack, app, shown):
    await slack.person.command("alice", PLACE, "/echo respond hello")
    await shown("aloud: hello")
    assert [m["text"] for m in slack.person.ephemerals("alice")] == ["hello"]


async def test_a_button_is_pressed_and_the_message_edited_in_place(slack, app, card):
    for clicks in (1, 2):
        await slack.person.click("bob", PLACE, card, "again")
        heard = await app.heard("click", times=clicks)
        assert heard == {"kind": "click", "value": str(clicks - 1), "user": BOB, "block": f"buttons-{clicks - 1}"}
        await slack.person.wait_for(lambda c=clicks: slack.person.message(PLACE, card)["text"] == f"Clicked {c} times")
    assert len([m for m in slack.person.history(PLACE) if m.get("bot_id")]) == 1


async def test_a_click_is_answered_for_one_person_and_the_card_replaced(slack, app, card):
    await slack.person.click("bob", PLACE, card, "whisper")
    await slack.person.wait_for(lambda: slack.person.message(PLACE, card)["text"] == "This card was replaced")
    assert [m["text"] for m in slack.person.ephemerals("bob")] == ["only you: psst"]
    assert slack.person.ephemerals("alice") == []


async def test_a_menu_asks_while_somebody_types(slack, app, form):
    offered = await slack.person.type_ahead("alice", "vm", "web", view_id=form)
    assert [option["value"] for option in offered["options"]] == ["web01", "web02"]
    assert await app.heard("options") == {"kind": "options", "value": "web", "block": "vm"}
    assert (await slack.person.type_ahead("alice", "vm", "zz", view_id=form))["options"] == []


async def test_a_modal_is_corrected_and_then_submitted(slack, app, form, shown):
    await slack.person.type_ahead("alice", "vm", "web", view_id=form)
    refused = await slack.person.submit_view("alice", form, {"vm": "web02", "site": "site1", "why": "full"})
    assert refused.ack == {"response_action": "errors", "errors": {"site": "It is there already."}}
    assert [view["id"] for view in slack.person.views("alice")] == [form]
    taken = await slack.person.submit_view("alice", form, {"vm": "web02", "site": "site2"})
    assert taken.error is None
    assert slack.person.views("alice") == []
    heard = await app.heard("submitted", times=2)
    assert heard == {"kind": "submitted", "vm": "web02", "site": "site2", "why": "full", "kept": "kept"}
    await shown("web02 goes to site2", channel="@alice")


async def test_a_shortcut_on_a_message_quotes_it_in_its_thread(slack, app):
    ts = slack.person.post("bob", PLACE, "vpxa: NFC error")
    outcome = await slack.person.message_shortcut("alice", PLACE, ts, "quote")
    assert outcome.error is None
    assert await app.heard("shortcut") == {"kind": "shortcut", "text": "vpxa: NFC error", "user": ALICE}
    await slack.person.wait_for(lambda: len(slack.person.thread(PLACE, ts)) == 2)
    assert slack.person.thread(PLACE, ts)[1]["text"] == "Quoted: vpxa: NFC error"


async def test_a_mention_is_answered_in_its_thread_with_a_reaction(slack, app):
    ts = slack.person.mention("alice", PLACE, "diagnose")
    heard = await app.heard("mention")
    assert heard["user"] == ALICE
    assert heard["text"].endswith(" diagnose")
    await slack.person.wait_for(lambda: slack.person.message(PLACE, ts).get("reactions"))
    assert [m["text"] for m in slack.person.thread(PLACE, ts)[1:]] == ["Yes?"]
    assert slack.person.message(PLACE, ts)["reactions"][0]["name"] == "eyes"


async def test_the_home_tab_is_drawn_when_it_is_opened(slack, app):
    slack.person.open_home("carol")
    (home,) = await slack.person.wait_for(lambda: slack.person.views("carol"))
    assert home["type"] == "home"
    assert home["blocks"][0]["text"]["text"] == "Hello U0CAROL001"


async def test_a_file_is_read_and_another_one_given_back(slack, app):
    content = bytes(range(256)) * 100
    slack.person.upload("alice", PLACE, "vpxa.log", content, comment="look")
    heard = await app.heard("file", lambda line: line["name"] == "vpxa.log")
    digest = hashlib.sha256(content).hexdigest()
    assert heard == {"kind": "file", "name": "vpxa.log", "size": len(content), "sha256": digest, "user": ALICE}

    def answered():
        return [m for m in slack.person.history(PLACE) if m.get("bot_id") and m.get("files")]

    (message,) = await slack.person.wait_for(answered)
    assert message["text"] == "Read vpxa.log"
    assert slack.person.download("bob", message["files"][0]["id"]) == ("echo.txt", digest.encode())


@pytest.fixture
async def hasty(slack):
    """The app, with a client that comes back soon. It may complain: that is what being cut off is for."""
    async with EchoApp(slack, reconnects_after=timedelta(seconds=0.5)) as app:
        yield app


async def test_it_comes_back_when_slack_sends_it_away(slack, hasty):
    for times in (2, 3):
        assert await slack.switches.disconnect(DisconnectReason.REFRESH) == 1
        await hasty.heard("connected", times=times)
        outcome = await slack.person.command("alice", PLACE, "/echo still there")
        assert outcome.text == "You said: still there"


async def test_it_comes_back_when_the_network_fails_without_a_word(slack, hasty):
    assert slack.switches.cut() == 1
    await hasty.heard("connected", times=2)
    assert (await slack.person.command("alice", PLACE, "/echo back")).text == "You said: back"


async def test_envelopes_go_to_one_of_two_connections(slack, app):
    async with EchoApp(slack) as other:
        for number in range(6):
            outcome = await slack.person.command("alice", PLACE, f"/echo {number}")
            assert outcome.text == f"You said: {number}"
        counts = [sum(line["kind"] == "command" for line in each.lines) for each in (app, other)]
        assert counts == [3, 3]
