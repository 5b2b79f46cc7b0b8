"""Modals and the Home tab as a person uses them: inputs are checked, menus ask, stacks close."""

import asyncio
from datetime import timedelta

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.errors import UserError
from bot.playground.slack.control import SlackControl


def plain(text):
    return {"type": "plain_text", "text": text}


def option(value, text=""):
    return {"text": plain(text or value.title()), "value": value}


def asks(action_id, kind, *, optional=False, **more):
    element = {"type": kind, "action_id": action_id} | more
    return {
        "type": "input",
        "block_id": f"in-{action_id}",
        "label": plain(action_id),
        "element": element,
        "optional": optional,
    }


def modal(*blocks, **more):
    return {
        "type": "modal",
        "callback_id": "plan",
        "title": plain("Move a VM"),
        "submit": plain("Plan"),
        "blocks": list(blocks) or [{"type": "divider"}],
    } | more


SITES = [option("site1"), option("site2")]
FORM = modal(
    asks("vm", "plain_text_input", min_length=2, max_length=8),
    asks("site", "static_select", options=SITES),
    asks("count", "number_input", is_decimal_allowed=False, min_value="1", max_value="9", optional=True),
    asks("owner", "email_text_input", optional=True),
    asks("page", "url_text_input", optional=True),
    asks("who", "multi_users_select", optional=True, max_selected_items=2),
    asks("day", "datepicker", optional=True, initial_date="2026-11-20"),
    asks("at", "datetimepicker", optional=True),
    asks("note", "rich_text_input", optional=True),
    asks("how", "checkboxes", optional=True, options=SITES, initial_options=SITES[:1]),
)


@pytest.fixture
def trigger(slack):
    """A fresh trigger id of a person, as any interaction would bring one."""
    return lambda name="alice": slack.person._triggers.issue(slack.workspace.user(name).id)


@pytest.fixture
async def heard(app: AsyncApp, connect):
    """Whatever interactions reach the app, all acked without a word."""
    seen = asyncio.Queue()

    async def listen(ack, body):
        await ack()
        seen.put_nowait(body)

    app.view("plan")(listen)
    app.view_closed("plan")(listen)
    app.action("x")(listen)
    await connect(app)
    return lambda: asyncio.wait_for(seen.get(), 5)


async def error_of(call) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return refused.value.response["error"]


WRONG = [
    ({"vm": "w"}, "in-vm", "at least 2"),
    ({"vm": "w" * 9}, "in-vm", "at most 8"),
    ({"vm": ""}, "in-vm", "complete this required field"),
    ({"site": None}, "in-site", "complete this required field"),
    ({"count": "1.5"}, "in-count", "whole number"),
    ({"count": "0"}, "in-count", "1 or more"),
    ({"count": "10"}, "in-count", "9 or less"),
    ({"owner": "alice"}, "in-owner", "email address"),
    ({"page": "vcenter"}, "in-page", "a URL"),
]


@pytest.mark.parametrize(("typed", "block", "sentence"), WRONG, ids=lambda value: str(value)[:24])
async def test_what_the_client_finds_wanting_is_not_sent(slack, client, trigger, typed, block, sentence):
    view = (await client.views_open(trigger_id=trigger(), view=FORM))["view"]
    outcome = await slack.person.submit_view("alice", view["id"], {"vm": "web01", "site": "site2"} | typed)
    assert outcome.error == "inputs_wrong"
    assert list(outcome.errors) == [block]
    assert sentence in outcome.errors[block]
    assert slack.tally.acks == []
    assert [shown["id"] for shown in slack.person.views("alice")] == [view["id"]]


async def test_a_submission_carries_the_state_of_every_input(slack, client, trigger, heard):
    view = (await client.views_open(trigger_id=trigger(), view=FORM | {"private_metadata": "C1 1.1"}))["view"]
    bob = slack.workspace.user("bob").id
    typed = {
        "in-vm": {"vm": "web01"},
        "site": "site2",
        "who": [bob],
        "at": 1_795_200_000,
        "note": "tonight",
        "how": ["site1", "site2"],
        "count": 3,
    }
    assert (await slack.person.submit_view("alice", view["id"], typed)).error is None
    body = await heard()
    values = {action: held for block in body["view"]["state"]["values"].values() for action, held in block.items()}
    assert values["vm"] == {"type": "plain_text_input", "value": "web01"}
    assert values["site"]["selected_option"] == SITES[1] | {"text": plain("Site2") | {"emoji": True}}
    assert values["who"] == {"type": "multi_users_select", "selected_users": [bob]}
    assert values["day"] == {"type": "datepicker", "selected_date": "2026-11-20"}
    assert values["at"] == {"type": "datetimepicker", "selected_date_time": 1_795_200_000}
    assert values["note"]["rich_text_value"]["elements"][0]["elements"][0]["text"] == "tonight"
    assert [one["value"] for one in values["how"]["selected_options"]] == ["site1", "site2"]
    assert values["count"] == {"type": "number_input", "value": "3"}
    assert values["owner"] == {"type": "email_text_input", "value": None}
    assert body["view"]["private_metadata"] == "C1 1.1"
    assert body["view"]["root_view_id"] == view["id"]
    assert slack.person.views("alice") == []


async def test_what_cannot_be_typed_at_all(slack, client, trigger):
    view = (await client.views_open(trigger_id=trigger(), view=FORM))["view"]["id"]
    with pytest.raises(UserError, match="At most 2 can be chosen here, not 3"):
        await slack.person.submit_view("alice", view, {"who": ["U1", "U2", "U3"]})
    with pytest.raises(UserError, match="A datepicker cannot hold 'tomorrow'"):
        await slack.person.submit_view("alice", view, {"day": "tomorrow"})
    with pytest.raises(UserError, match="no option 'site9'"):
        await slack.person.submit_view("alice", view, {"site": "site9"})
    with pytest.raises(UserError, match="has no open view"):
        await slack.person.submit_view("bob", view)


async def test_errors_of_the_app_stand_under_the_inputs(slack, client, trigger, app: AsyncApp, connect):
    answers = [{"in-vm": "no such VM"}, {"elsewhere": "x"}]

    @app.view("plan")
    async def submitted(ack):
        await ack(response_action="errors", errors=answers.pop(0))

    await connect(app)
    view = (await client.views_open(trigger_id=trigger(), view=modal(asks("vm", "plain_text_input"))))["view"]["id"]
    refused = await slack.person.submit_view("alice", view, {"vm": "nope"})
    assert (refused.error, refused.errors) == (None, {"in-vm": "no such VM"})
    # Typed once, it stays typed. What names no input is no answer that Slack takes.
    assert (await slack.person.submit_view("alice", view)).error == "invalid_errors"
    assert len(slack.person.views("alice")) == 1


async def test_a_click_in_a_modal_brings_the_view_and_its_state(slack, client, trigger, heard):
    menu = {"type": "static_select", "action_id": "x", "options": SITES, "placeholder": plain("site")}
    blocks = [asks("vm", "plain_text_input"), {"type": "actions", "block_id": "b", "elements": [menu]}]
    view = (await client.views_open(trigger_id=trigger(), view=modal(*blocks)))["view"]
    # An input block says nothing when it is used, unless it was told to.
    assert (await slack.person.click_in_view("alice", view["id"], "vm", value="web01")).ack is None
    assert slack.tally.acks == []
    await slack.person.click_in_view("alice", view["id"], "x", value="site2")
    body = await heard()
    assert body["container"] == {"type": "view", "view_id": view["id"]}
    assert body["view"]["hash"] == view["hash"]
    assert body["view"]["state"]["values"]["in-vm"]["vm"]["value"] == "web01"
    assert body["view"]["state"]["values"]["b"]["x"]["selected_option"]["value"] == "site2"
    (action,) = body["actions"]
    assert (action["type"], action["selected_option"]["value"]) == ("static_select", "site2")
    assert not {"message", "channel", "response_url"} & set(body)
    # The trigger of a click opens the next modal of the stack.
    pushed = await client.views_push(trigger_id=body["trigger_id"], view=modal())
    assert pushed["view"]["root_view_id"] == view["id"]
    with pytest.raises(UserError, match="lies under another one"):
        await slack.person.click_in_view("alice", view["id"], "x", value="site1")


async def test_an_input_that_speaks(slack, client, trigger, heard):
    block = asks("x", "plain_text_input") | {"dispatch_action": True}
    view = (await client.views_open(trigger_id=trigger(), view=modal(block)))["view"]["id"]
    await slack.person.click_in_view("alice", view, "x", value="web")
    assert (await heard())["actions"][0]["value"] == "web"
    await client.views_update(view_id=view, view=modal(block, title=plain("Another")))
    outcome = await slack.person.submit_view("alice", view)
    assert outcome.error is None, "what was typed outlives an update that keeps the ids"
    assert (await heard())["view"]["state"]["values"]["in-x"]["x"]["value"] == "web"


async def test_the_home_tab_has_buttons_too(slack, client, heard):
    alice = slack.workspace.user("alice").id
    button = {"type": "button", "action_id": "x", "text": plain("Queue"), "value": "q"}
    home = {"type": "home", "blocks": [{"type": "actions", "elements": [button]}]}
    first = (await client.views_publish(user_id=alice, view=home))["view"]
    stale = client.views_publish(user_id=alice, view=home, hash="older")
    assert await error_of(stale) == "hash_conflict"
    second = (await client.views_publish(user_id=alice, view=home, hash=first["hash"]))["view"]
    assert (second["id"], second["hash"] != first["hash"]) == (first["id"], True)
    await slack.person.click_in_view("alice", first["id"], "x")
    body = await heard()
    assert (body["view"]["type"], body["actions"][0]["value"]) == ("home", "q")
    with pytest.raises(UserError, match="has no open view"):
        await slack.person.submit_view("alice", first["id"])


async def test_opening_home_says_which_tab_and_what_it_shows(slack, client, app: AsyncApp, connect):
    seen = asyncio.Queue()

    @app.event("app_home_opened")
    async def opened(event):
        seen.put_nowait(event)

    await connect(app)
    slack.person.open_home("alice", tab="messages")
    first = await asyncio.wait_for(seen.get(), 5)
    assert (first["tab"], "view" in first) == ("messages", False)
    await client.views_publish(user_id=first["user"], view={"type": "home", "blocks": [{"type": "divider"}]})
    slack.person.open_home("alice")
    assert (await asyncio.wait_for(seen.get(), 5))["view"]["type"] == "home"


async def test_closing_is_told_to_those_who_asked(slack, client, trigger, heard):
    first = (await client.views_open(trigger_id=trigger(), view=modal(notify_on_close=True)))["view"]["id"]
    quiet = (await client.views_push(trigger_id=trigger(), view=modal()))["view"]["id"]
    await slack.person.close_view("alice", quiet)
    assert slack.tally.acks == []
    await client.views_push(trigger_id=trigger(), view=modal(notify_on_close=True))
    top = slack.person.views("alice")[-1]["id"]
    await slack.person.close_view("alice", top, whole_stack=True)
    closed = [await heard() for _ in range(2)]
    assert [body["view"]["id"] for body in closed] == [top, first]
    assert {(body["type"], body["is_cleared"]) for body in closed} == {("view_closed", True)}
    assert "trigger_id" not in closed[0]
    assert slack.person.views("alice") == []


async def test_what_cannot_be_opened(slack, client, trigger):
    named = modal(external_id="ours")
    opened = (await client.views_open(trigger_id=trigger(), view=named))["view"]["id"]
    assert await error_of(client.views_open(trigger_id=trigger(), view=named)) == "duplicate_external_id"
    assert (await client.views_update(view_id=opened, view=named))["ok"]
    # 100 blocks below every limit of their own are more than 250 kB together.
    large = modal(*[{"type": "section", "text": plain("x" * 3000)}] * 100)
    assert await error_of(client.views_open(trigger_id=trigger(), view=large)) == "view_too_large"
    assert await error_of(client.views_open(trigger_id=trigger(), view=modal(*[{"type": "divider"}] * 101))) == (
        "invalid_arguments"
    )


async def test_an_unknown_answer_to_a_submission_is_an_error(slack, client, trigger, app: AsyncApp, connect):
    @app.view("plan")
    async def submitted(ack):
        await ack(response_action="dance")

    await connect(app)
    view = (await client.views_open(trigger_id=trigger(), view=modal()))["view"]["id"]
    assert (await slack.person.submit_view("alice", view)).error == "invalid_response_action"


ASKING = {"type": "external_select", "action_id": "vm", "min_query_length": 1}
ANSWERS = [
    ({"options": [option("vm-7", "web01 - DC1/Apps - site1")]}, None),
    ({"option_groups": [{"label": plain("site1"), "options": [option("vm-7")]}]}, None),
    ({"options": []}, None),
    ({"options": [option("v")] * 101}, "no more than 100 items allowed"),
    ({"options": [option("v", "x" * 76)]}, "must be less than 76 characters"),
    ({"options": [option("v" * 151, "x")]}, "must be less than 151 characters"),
    ({"options": [{"text": plain("x"), "value": 7}]}, "must provide a string"),
    ({"options": [{"text": {"type": "mrkdwn", "text": "*x*"}, "value": "v"}]}, "unsupported type: mrkdwn"),
    ({"option_groups": [{"label": plain("x" * 76), "options": [option("v")]}]}, "must be less than 76 characters"),
]


@pytest.mark.parametrize(("answer", "problem"), ANSWERS, ids=lambda value: str(value)[:40])
async def test_type_ahead_in_a_modal(slack, client, trigger, app: AsyncApp, connect, answer, problem):
    seen = asyncio.Queue()

    @app.options("vm")
    async def suggest(ack, body):
        await ack(answer)
        seen.put_nowait(body)

    await connect(app)
    view = modal(asks("vm", "external_select", min_query_length=1))
    view_id = (await client.views_open(trigger_id=trigger(), view=view))["view"]["id"]
    shown = await slack.person.type_ahead("alice", "vm", "web", view_id=view_id)
    body = await asyncio.wait_for(seen.get(), 5)

    assert (body["type"], body["value"], body["action_id"], body["block_id"]) == (
        "block_suggestion",
        "web",
        "vm",
        "in-vm",
    )
    assert body["view"]["id"] == view_id
    assert "trigger_id" not in body
    if problem is None:
        assert shown == answer
    else:
        assert (shown["options"], shown["error"]) == ([], "invalid_options")
        assert problem in shown["messages"][0]


async def test_what_was_offered_is_chosen_with_its_own_words(slack, client, heard, app: AsyncApp):
    @app.options("x")
    async def suggest(ack):
        await ack(options=[option("vm-7", "web01 in site1")])

    menu = ASKING | {"action_id": "x"}
    posted = await client.chat_postMessage(
        channel="#random", text="which?", blocks=[{"type": "actions", "block_id": "b", "elements": [menu]}]
    )
    where = {"channel": "#random", "ts": posted["ts"]}
    assert (await slack.person.type_ahead("alice", "x", "", **where)) == {"options": []}
    assert slack.tally.acks == [], "below min_query_length nobody is asked"
    assert (await slack.person.type_ahead("alice", "x", "w", **where))["options"][0]["value"] == "vm-7"
    await slack.person.click("alice", "#random", posted["ts"], "x", value="vm-7")
    body = await heard()
    assert body["actions"][0]["selected_option"]["text"]["text"] == "web01 in site1"
    assert body["state"]["values"]["b"]["x"]["selected_option"]["value"] == "vm-7"


async def test_a_menu_whose_app_is_late_shows_nothing(slack, client, trigger, app: AsyncApp, connect):
    may_ack = asyncio.Event()

    @app.options("vm")
    async def suggest(ack):
        await may_ack.wait()
        await ack(options=[])

    await connect(app)
    view = modal(asks("vm", "external_select"), asks("site", "static_select", options=SITES))
    view_id = (await client.views_open(trigger_id=trigger(), view=view))["view"]["id"]
    slack.switches.ack_deadline(timedelta(seconds=0.1))
    assert await slack.person.type_ahead("alice", "vm", "web", view_id=view_id) == {
        "options": [],
        "error": "operation_timeout",
    }
    may_ack.set()
    assert await slack.person.type_ahead("alice", "vm", "we", view_id=view_id) == {"options": []}
    with pytest.raises(UserError, match="does not ask the app"):
        await slack.person.type_ahead("alice", "site", "s", view_id=view_id)
    with pytest.raises(UserError, match="Say where the menu stands"):
        await slack.person.type_ahead("alice", "vm", "web")


async def test_a_conversation_chosen_in_a_modal_can_be_answered(slack, client, trigger, heard):
    block = asks("where", "conversations_select", response_url_enabled=True)
    view = (await client.views_open(trigger_id=trigger(), view=modal(block)))["view"]["id"]
    channel = slack.workspace.channel("#random").id
    await slack.person.submit_view("alice", view, {"where": channel})
    (issued,) = (await heard())["response_urls"]
    assert (issued["channel_id"], issued["action_id"]) == (channel, "where")
    assert issued["response_url"].startswith(slack.origin)


async def test_a_file_given_to_a_modal(slack, client, trigger, heard):
    log = slack.person.upload("alice", "#random", "vpxa.log", b"x")
    view = (await client.views_open(trigger_id=trigger(), view=modal(asks("log", "file_input", max_files=1))))["view"]
    await slack.person.submit_view("alice", view["id"], {"log": [log["id"]]})
    (file,) = (await heard())["view"]["state"]["values"]["in-log"]["log"]["files"]
    assert file["url_private_download"] == log["url_private_download"]


async def test_the_same_through_the_control_api(slack, client, trigger, heard, app: AsyncApp):
    @app.options("vm")
    async def suggest(ack):
        await ack(options=[option("vm-7")])

    button = {"type": "button", "action_id": "x", "text": plain("Go")}
    view = modal(asks("vm", "external_select"), {"type": "actions", "elements": [button]}, notify_on_close=True)
    view_id = (await client.views_open(trigger_id=trigger(), view=view))["view"]["id"]
    async with SlackControl(slack.control_url) as control:
        assert (await control.type_ahead("alice", "vm", "web", view_id=view_id))["options"][0]["value"] == "vm-7"
        assert (await control.submit_view("alice", view_id)).errors["in-vm"]
        assert (await control.click_in_view("alice", view_id, "x")).error is None
        assert (await heard())["type"] == "block_actions"
        assert (await control.close_view("alice", view_id)).error is None
        assert (await heard())["type"] == "view_closed"
        await control.open_home("alice")
        ts = await control.post("alice", "#random", "hello")
        assert await control.react("bob", "#random", ts, ":eyes:")
        assert not await control.react("bob", "#random", ts, "eyes")
