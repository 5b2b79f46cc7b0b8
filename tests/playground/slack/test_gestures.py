"""Everything a person can touch besides a plain button, and what a client would not let them do."""

import asyncio
from datetime import timedelta

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.errors import UserError
from bot.playground.slack.client_state import ClientState
from bot.playground.slack.gestures import action_json, filled_in, find_control


def plain(text):
    return {"type": "plain_text", "text": text}


def option(value):
    return {"text": plain(value.title()), "value": value}


def element(kind, **more):
    return {"type": kind, "action_id": "x"} | more


def actions(*elements):
    return [{"type": "actions", "block_id": "b", "elements": list(elements)}]


def modal(*blocks, title="Move a VM"):
    return {
        "type": "modal",
        "callback_id": "plan",
        "title": plain(title),
        "submit": plain("Plan"),
        "blocks": list(blocks) or [{"type": "divider"}],
    }


def asks(action_id, kind, **more):
    field = {"type": kind, "action_id": action_id} | more
    return {"type": "input", "block_id": f"in-{action_id}", "label": plain(action_id), "element": field}


SITES = [option("site1"), option("site2")]
USED = [
    (element("static_select", options=SITES), "site2", {"selected_option": SITES[1]}),
    (element("static_select", option_groups=[{"label": plain("east"), "options": SITES}]), "site1", None),
    (element("overflow", options=SITES), "site1", {"selected_option": SITES[0]}),
    (element("checkboxes", options=SITES), "site1,site2", {"selected_options": SITES}),
    (element("users_select"), "U1", {"selected_user": "U1"}),
    (element("datepicker"), "2026-11-20", {"selected_date": "2026-11-20"}),
    (
        element("external_select"),
        "vm-7",
        {"selected_option": option("vm-7") | {"text": plain("vm-7") | {"emoji": True}}},
    ),
]


@pytest.mark.parametrize(("menu", "value", "says"), USED, ids=lambda value: str(value)[:30])
def test_what_choosing_in_a_menu_says(menu, value, says):
    said = action_json(find_control(actions(menu), "x"), value, action_ts="1.1")
    assert (says or {"selected_option": SITES[0]}).items() <= said.items()
    assert (said["block_id"], said["action_id"], said["action_ts"]) == ("b", "x", "1.1")


def test_what_a_client_would_not_let_a_person_do():
    menu = find_control(actions(element("static_select", options=SITES)), "x")
    with pytest.raises(UserError, match="no option 'site9'; there are: site1, site2"):
        action_json(menu, "site9", action_ts="1.1")
    with pytest.raises(UserError, match="file_upload cannot be used here yet"):
        action_json(find_control(actions(element("file_upload")), "x"), "y", action_ts="1.1")
    twins = [*actions(element("button")), {"type": "actions", "block_id": "c", "elements": [element("button")]}]
    with pytest.raises(UserError, match="found 2"):
        find_control(twins, "x")
    assert find_control(twins, "x", block_id="c").block_id == "c"
    with pytest.raises(UserError, match="no input host; it has: vm"):
        filled_in([asks("vm", "plain_text_input")], {"host": "esx-01"})


def test_inputs_that_are_left_alone_keep_what_they_began_with():
    blocks = [
        asks("vm", "plain_text_input", initial_value="web01"),
        asks("site", "static_select", options=SITES, initial_option=SITES[0]),
        asks("note", "plain_text_input"),
    ]
    client = ClientState()
    client.use("U1", "V1", find_control(blocks, "note"), "tonight")
    state = client.values("U1", "V1", blocks)
    assert state["in-vm"]["vm"] == {"type": "plain_text_input", "value": "web01"}
    assert state["in-site"]["site"]["selected_option"]["value"] == "site1"
    assert state["in-note"]["note"]["value"] == "tonight"


async def test_a_menu_in_a_message_carries_its_state(slack, client, app: AsyncApp, connect):
    seen = asyncio.Queue()

    @app.action("x")
    async def chosen(ack, body):
        await ack()
        seen.put_nowait(body)

    await connect(app)
    menu = element("static_select", options=SITES, placeholder=plain("site"))
    posted = await client.chat_postMessage(channel="#random", text="where?", blocks=actions(menu))
    await slack.person.click("alice", "#random", posted["ts"], "x", value="site2")
    body = await asyncio.wait_for(seen.get(), 5)
    assert body["state"]["values"]["b"]["x"]["selected_option"]["value"] == "site2"
    assert body["actions"][0]["placeholder"]["text"] == "site"


async def test_an_ephemeral_can_be_clicked_by_the_one_who_sees_it(slack, app: AsyncApp, connect):
    seen = asyncio.Queue()

    @app.command("/coldmigrate")
    async def handle(ack):
        await ack(text="really?", blocks=actions(element("button", text=plain("Yes"))))

    @app.action("x")
    async def clicked(ack, body, respond):
        await ack()
        await respond(text="as you wish", replace_original=True)
        seen.put_nowait(body)

    await connect(app)
    await slack.person.command("alice", "#random", "/coldmigrate cancel")
    (asked,) = slack.person.ephemerals("alice")
    with pytest.raises(UserError, match="There is no message"):
        await slack.person.click("bob", "#random", asked["ts"], "x")
    await slack.person.click("alice", "#random", asked["ts"], "x")
    body = await asyncio.wait_for(seen.get(), 5)
    assert body["container"]["is_ephemeral"] is True
    assert "message" not in body
    assert [shown["text"] for shown in slack.person.ephemerals("alice")] == ["as you wish"]
    await AsyncWebhookClient(body["response_url"]).send_dict({"delete_original": True})
    assert slack.person.ephemerals("alice") == []


async def test_response_urls_speak_in_channels_and_grow_old(slack, app: AsyncApp, connect):
    urls = asyncio.Queue()

    @app.command("/coldmigrate")
    async def handle(ack, body):
        await ack()
        urls.put_nowait(body["response_url"])

    await connect(app)
    await slack.person.command("alice", "#random", "/coldmigrate list")
    webhook = AsyncWebhookClient(await asyncio.wait_for(urls.get(), 5))
    said = await webhook.send(text="for all", response_type="in_channel")
    wrong = await webhook.send(text="x", blocks=[{"type": "header", "text": plain("x" * 151)}])
    slack.switches.advance(timedelta(minutes=31))
    late = await webhook.send(text="late")
    nobody = await AsyncWebhookClient(slack.origin + "/response/guessed").send(text="x")

    assert [said.status_code, wrong.status_code, late.status_code, nobody.status_code] == [200, 400, 404, 404]
    assert "invalid_blocks" in wrong.body
    assert "expired_url" in late.body
    assert [message["text"] for message in slack.person.history("#random")] == ["for all"]


async def test_a_bad_ack_fails_the_command(slack, app: AsyncApp, connect):
    @app.command("/coldmigrate")
    async def handle(ack):
        await ack(text="x", blocks=[{"type": "marquee"}])

    await connect(app)
    outcome = await slack.person.command("alice", "#random", "/coldmigrate list")
    assert outcome.error == "invalid_blocks"
    assert "invalid_command_response" in slack.person.ephemerals("alice")[0]["text"]


async def test_shortcuts_and_a_stack_of_modals(slack, client, app: AsyncApp, connect):
    seen = asyncio.Queue()

    @app.shortcut("diagnose")
    async def run(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal(title="first"))
        seen.put_nowait(body)

    @app.view("plan")
    async def submitted(ack, view):
        title = view["title"]["text"]
        if title == "first":
            await ack(response_action="push", view=modal(title="second"))
        elif title == "second":
            await ack(response_action="update", view=modal(title="third"))
        else:
            await ack(response_action="clear")

    await connect(app)
    outside = slack.switches.add_channel("outside", with_bot=False)
    ts = slack.person.post("alice", outside, "vpxa: NfcNetTcpWrite")
    await slack.person.message_shortcut("alice", outside, ts, "diagnose")
    body = await asyncio.wait_for(seen.get(), 5)
    titles = []
    while slack.person.views("alice"):
        top = slack.person.views("alice")[-1]
        titles.append(top["title"]["text"])
        assert (await slack.person.submit_view("alice", top["id"])).error is None
    assert titles == ["first", "second", "third"]
    assert (body["type"], body["message"]["ts"], body["channel"]["id"]) == ("message_action", ts, outside)
    await slack.person.shortcut("alice", "diagnose")
    assert (await asyncio.wait_for(seen.get(), 5))["type"] == "shortcut"


async def test_the_home_tab_is_asked_for(slack, app: AsyncApp, connect):
    seen = asyncio.Queue()

    @app.event("app_home_opened")
    async def opened(event, client):
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [{"type": "divider"}]})
        seen.put_nowait(event)

    await connect(app)
    for _ in range(2):
        slack.person.open_home("alice")
        await asyncio.wait_for(seen.get(), 5)
    assert [view["type"] for view in slack.person.views("alice")] == ["home"]


async def test_where_a_person_cannot_go(slack, client):
    alice = slack.workspace.user("alice").id
    direct = (await client.conversations_open(users=[alice]))["channel"]["id"]
    with pytest.raises(UserError, match="bob is not in"):
        slack.person.post("bob", direct, "let me in")
    with pytest.raises(UserError, match="not a slash command"):
        await slack.person.command("alice", "#random", "coldmigrate web01")
    with pytest.raises(UserError, match="has no open view"):
        await slack.person.submit_view("alice", "V0")
    slack.switches.archive("#random")
    with pytest.raises(UserError, match="is archived"):
        await slack.person.command("alice", "#random", "/coldmigrate list")
