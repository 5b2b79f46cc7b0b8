"""Every gesture of the page reaches a real Bolt app as a real client's would, and every switch reaches its player."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.playground.page.server import LONGEST_GESTURE
from tests.playground.page.visitor import ALICE, BOB, CHANNEL, visit


def button(action_id: str, text: str = "Press") -> dict:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": text}, "value": "v"}


def option(value: str) -> dict:
    return {"text": {"type": "plain_text", "text": value}, "value": value}


MODAL = {
    "type": "modal",
    "callback_id": "plan",
    "title": {"type": "plain_text", "text": "Plan"},
    "submit": {"type": "plain_text", "text": "Go"},
    "notify_on_close": True,
    "blocks": [
        {
            "type": "input",
            "block_id": "vm",
            "label": {"type": "plain_text", "text": "VM"},
            "element": {"type": "external_select", "action_id": "vm", "min_query_length": 1},
        },
        {"type": "actions", "block_id": "more", "elements": [button("more", "More")]},
    ],
}


@pytest.fixture
def heard(app):  # noqa: C901 - one listener after the other
    """What the app was told: (what, payload), and the listeners that tell it."""
    told: asyncio.Queue[tuple[str, dict]] = asyncio.Queue()

    @app.command("/coldmigrate")
    async def command(ack, body, client):
        await ack(f"heard {body['text']}")
        if body["text"] == "modal":
            await client.views_open(trigger_id=body["trigger_id"], view=MODAL)
        if body["text"] == "card":
            select = {"type": "static_select", "action_id": "pick", "options": [option("one"), option("two")]}
            blocks = [{"type": "actions", "block_id": "b", "elements": [button("press"), select]}]
            await client.chat_postMessage(channel=body["channel_id"], text="card", blocks=blocks)

    @app.action("press")
    @app.action("pick")
    @app.action("more")
    @app.action("home")
    async def action(ack, body):
        await ack()
        told.put_nowait(("action", body))

    @app.options("vm")
    async def options(ack, body):
        await ack(options=[option(f"{body['value']}01")])

    @app.view("plan")
    async def view(ack, body):
        values = body["view"]["state"]["values"]
        if values["vm"]["vm"]["selected_option"]["value"] == "bad01":
            await ack(response_action="errors", errors={"vm": "That one is bad."})
        else:
            await ack()
        told.put_nowait(("view", body))

    @app.view_closed("plan")
    async def closed(ack, body):
        await ack()
        told.put_nowait(("closed", body))

    @app.shortcut("everywhere")
    @app.shortcut("on-message")
    async def shortcut(ack, body):
        await ack()
        told.put_nowait(("shortcut", body))

    @app.event("app_home_opened")
    async def home(event, client):
        blocks = [{"type": "actions", "block_id": "h", "elements": [button("home")]}]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    @app.event("app_mention")
    async def mention(event):
        told.put_nowait(("mention", event))

    async def next_one(kind: str) -> dict:
        async with asyncio.timeout(10):
            what, body = await told.get()
        assert what == kind
        return body

    return next_one


async def test_a_command_is_answered_to_the_one_who_typed_it(alice, heard):
    assert await alice.do("command", channel=CHANNEL, line="/coldmigrate web01 site2") == {
        "error": None,
        "text": "heard web01 site2",
    }
    assert (await alice.message("heard web01 site2"))["ephemeral"] is True


async def test_buttons_and_menus_of_a_message(alice, heard):
    await alice.do("command", channel=CHANNEL, line="/coldmigrate card")
    card = await alice.message("card")
    place = {"channel": CHANNEL, "ts": card["ts"], "block_id": "b"}
    await alice.do("click", **place, action_id="press")
    assert (await heard("action"))["user"]["id"] == ALICE
    await alice.do("click", **place, action_id="pick", value="two")
    assert (await heard("action"))["actions"][0]["selected_option"]["value"] == "two"
    assert "option" in await alice.refused("click", **place, action_id="pick", value="three")


async def test_a_modal_from_its_opening_to_its_end(alice, heard):
    await alice.do("command", channel=CHANNEL, line="/coldmigrate modal")
    (modal,) = await alice.until(lambda parts: parts["views"])
    assert modal["view"]["title"]["text"] == "Plan"
    where = {"view_id": modal["id"], "block_id": "vm", "action_id": "vm"}
    for name in ("bad", "web"):
        assert (await alice.do("options", **where, query=name))["options"][0]["value"] == f"{name}01"
    await alice.do("view_click", view_id=modal["id"], block_id="more", action_id="more")
    assert (await heard("action"))["view"]["callback_id"] == "plan"
    await alice.do("submit_view", view_id=modal["id"], values={"vm": {"vm": None}})
    await alice.until(lambda parts: "vm" in parts["views"][0]["errors"])  # the client itself finds it empty
    await alice.do("submit_view", view_id=modal["id"], values={"vm": {"vm": "bad01"}})
    await heard("view")
    await alice.until(lambda parts: parts["views"][0]["errors"] == {"vm": "That one is bad."})
    await alice.do("submit_view", view_id=modal["id"], values={"vm": {"vm": "web01"}})
    await heard("view")
    await alice.until(lambda parts: parts["views"] == [])


async def test_a_modal_that_is_closed(alice, heard):
    await alice.do("command", channel=CHANNEL, line="/coldmigrate modal")
    (modal,) = await alice.until(lambda parts: parts["views"])
    await alice.do("close_view", view_id=modal["id"])
    await heard("closed")
    await alice.until(lambda parts: parts["views"] == [])
    assert "no open view" in await alice.refused("close_view", view_id=modal["id"])


async def test_the_home_tab_is_published_when_it_is_opened_and_can_be_touched(alice, heard):
    await alice.look(home=True)
    assert (await alice.until(lambda parts: parts["home"]))["type"] == "home"
    await alice.do("home_click", block_id="h", action_id="home")
    assert (await heard("action"))["view"]["type"] == "home"
    await alice.look(user=BOB)
    await alice.until(lambda parts: parts["home"] is None)  # bob has never opened it
    assert "no Home tab" in await alice.refused("home_click", block_id="h", action_id="home")


async def test_a_name_in_typed_text_is_a_mention(alice, heard):
    await alice.do("post", channel=CHANNEL, text="hey @coldmigrate, ask @nobody or a@bob <!channel> & <@U0BOB00001>")
    said = (await heard("mention"))["text"]
    assert said == "hey <@U0COLDBOT1>, ask @nobody or a@bob &lt;!channel&gt; &amp; &lt;@U0BOB00001&gt;"


async def test_replies_reactions_and_shortcuts(alice, heard):
    ts = (await alice.do("post", channel=CHANNEL, text="parent"))["ts"]
    await alice.do("post", channel=CHANNEL, text="child", thread_ts=ts)
    assert (await alice.do("react", channel=CHANNEL, ts=ts, name="eyes"))["stands"] is True
    await alice.until(lambda parts: parts["channel"]["messages"][0]["reactions"][0]["users"] == [ALICE])
    await alice.do("message_shortcut", callback_id="on-message", channel=CHANNEL, ts=ts)
    assert (await heard("shortcut"))["message"]["text"] == "parent"
    await alice.do("shortcut", callback_id="everywhere")
    assert (await heard("shortcut"))["callback_id"] == "everywhere"


async def test_an_app_that_is_not_there_is_told_as_slack_does(alice, slack):
    ts = (await alice.do("post", channel=CHANNEL, text="parent"))["ts"]
    assert (await alice.do("message_shortcut", callback_id="x", channel=CHANNEL, ts=ts))["error"] == "dispatch_failed"
    assert "dispatch_failed" in alice.notes[0]


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"do": "dance"}, "cannot be read"),
        ({"do": "post", "channel": CHANNEL}, "post.text: Field required"),
        ({"do": "post", "channel": CHANNEL, "text": "x" * 40_001}, "at most 40000"),
        ({"do": "post", "channel": "C404", "text": "x"}, "no channel"),
        ({"do": "command", "channel": CHANNEL, "line": "no command"}, "not a slash command"),
        ({"do": "click", "channel": CHANNEL, "ts": "1.1", "block_id": "b", "action_id": "a"}, "no message"),
        ({"do": "submit_view", "view_id": "V404"}, "no open view"),
        ({"do": "options", "action_id": "a", "block_id": "b"}, "no Home tab"),
        ({"do": "world", "order": "explode"}, "no switch 'explode'; there are: link,"),
        ({"do": "world", "order": "kill", "args": {"role": "king"}}, "no role 'king'"),
        ({"do": "world", "order": "link", "args": {"between": ["site1", "mars"]}}, "no link between"),
        ({"do": "world", "order": "link", "args": {"between": ["site1", "site2"], "loss": 2}}, "loss: Input should be"),
        ({"do": "world", "order": "fill", "args": {"datastore": "none", "free": 0}}, "not in this world"),
        ({"do": "world", "order": "host", "args": {"host": "none"}}, "not in this world"),
        ({"do": "world", "order": "vcenter", "args": {"vcenter": "west", "up": False}}, "no vCenter 'west'"),
        ({"do": "world", "order": "advance", "args": {"seconds": -1}}, "seconds: Input should be"),
    ],
)
async def test_a_mistake_gets_a_sentence(alice, sent, sentence):
    assert sentence in await alice.refused(**sent)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"id": "one", "do": "look"}', "\x00"])
async def test_noise_is_answered_and_changes_nothing(alice, text):
    await alice.socket.send_str(text)
    await alice.look()
    assert len(alice.notes) == 1


async def test_nobody_acts_before_saying_who_they_are(page):
    async with visit(page.url) as stranger:
        assert "who you are" in await stranger.refused("post", channel=CHANNEL, text="x")


# The world


async def order(visitor, name: str, **args) -> None:
    await visitor.do("world", order=name, args=args)


async def test_the_link_and_its_ports(alice):
    await order(alice, "link", between=["site1", "site2"], loss=0.04, rate=10**8, rtt=0.2, mtu=1400)
    link = await alice.until(lambda parts: parts["world"]["links"][0]["loss"] == 0.04 and parts["world"]["links"][0])
    assert (link["rate"], link["rtt_ms"], link["mtu"]) == (10**8, 200, 1400)
    blocked = {"from": "site1", "to": "site2", "port": 902, "how": "refused"}
    await order(alice, "block", **blocked, blocked=True)
    await alice.until(lambda parts: parts["world"]["links"][0]["blocked"] == [blocked])
    await order(alice, "block", **blocked, blocked=False)
    await alice.until(lambda parts: parts["world"]["links"][0]["blocked"] == [])


async def test_datastores_and_hosts(alice):
    await order(alice, "fill", datastore="ds-c2-01", free=1000)
    await alice.until(lambda parts: parts["world"]["sites"][1]["datastores"][0]["free"] == 1000)
    host = alice.parts["world"]["sites"][0]["hosts"][0]["name"]
    await order(alice, "host", host=host, connected=False, maintenance=True)
    await alice.until(lambda parts: parts["world"]["sites"][0]["hosts"][0]["connected"] is False)
    assert alice.parts["world"]["sites"][0]["hosts"][0]["maintenance"] is True


async def test_a_vcenter_goes_away_and_comes_back_with_its_sessions_ended(alice, world):
    await order(alice, "vcenter", vcenter="east", up=False)
    await alice.until(lambda parts: parts["world"]["vcenters"][0]["up"] is False)
    await order(alice, "vcenter", vcenter="east", up=False)  # twice does no harm
    await order(alice, "vcenter", vcenter="east", up=True)
    await alice.until(lambda parts: parts["world"]["vcenters"][0]["up"] is True)
    await order(alice, "expire-sessions", vcenter="east")
    await order(alice, "expire-sessions")


async def test_roles_and_time(alice, crew):
    await order(alice, "kill", role="bot")
    await alice.until(lambda parts: parts["world"]["roles"] == [
        {"name": "bot", "state": "running", "pid": 4711, "restarts": 1}
    ])  # fmt: skip
    await order(alice, "advance", seconds=3600)
    assert crew.advanced == timedelta(hours=1)
    await alice.until(lambda parts: parts["world"]["advanced_s"] == 3600)


async def test_slack_throttles_repeats_and_disconnects_for_a_while(alice, slack, app, heard):
    await order(alice, "slack", what="429", times=2)
    for _ in range(2):
        with pytest.raises(SlackApiError, match="ratelimited"):
            await app.client.chat_postMessage(channel=CHANNEL, text="too much")
    await app.client.chat_postMessage(channel=CHANNEL, text="in time")

    def delivered() -> int:
        return sum(ack.kind == "slash_commands" for ack in slack.tally.acks)

    await order(alice, "slack", what="thrice", times=1)
    await alice.do("command", channel=CHANNEL, line="/coldmigrate thrice")
    await slack.person.wait_for(lambda: delivered() == 3)
    await alice.do("command", channel=CHANNEL, line="/coldmigrate once")
    await slack.person.wait_for(lambda: delivered() == 4)
    await order(alice, "slack", what="disconnect")
    await slack.person.wait_for(lambda: slack.tally.calls["apps.connections.open"] == 2)


@pytest.mark.parametrize("text", ["[" * 400_000, '{"id":' * 50_000, "nothing", '{"id": true'])
async def test_what_cannot_even_be_read_is_a_note_and_the_page_stays(alice, text):
    await alice.socket.send_str(text)
    await alice.look()
    assert alice.notes == ["This is not JSON."]


async def test_numbers_and_characters_that_are_none_cost_nothing(alice):
    assert "text" in await alice.refused("post", channel=CHANNEL, text="half a character: \ud800")
    between = ["site1", "site2"]
    assert "loss" in await alice.refused("world", order="link", args={"between": between, "loss": float("nan")})
    assert "seconds" in await alice.refused("world", order="advance", args={"seconds": 1e308})
    await alice.look()


async def test_a_gesture_that_is_a_giant_ends_the_connection(page):
    headers = {"Origin": page.url.rstrip("/")}
    async with aiohttp.ClientSession(headers=headers) as session, session.ws_connect(f"{page.url}ui/socket") as socket:
        await socket.send_str("x" * (LONGEST_GESTURE + 1))
        async with asyncio.timeout(10):
            async for _ in socket:
                """What the page shows first."""
        assert socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
