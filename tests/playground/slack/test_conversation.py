"""The real Bolt app talks with people: commands, messages, buttons, events and mentions."""

import asyncio

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.models.blocks import ActionsBlock, ButtonElement, SectionBlock
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.errors import UserError
from bot.playground.slack.block_kit import message_problems
from bot.playground.slack.typed import typed_blocks

CARD = [
    SectionBlock(text="Move *web01* to site2?").to_dict(),
    ActionsBlock(
        block_id="decide-1",
        elements=[
            ButtonElement(text="Approve", action_id="approve", value="job-1", style="primary").to_dict(),
            ButtonElement(text="Cancel", action_id="cancel", value="job-1").to_dict(),
        ],
    ).to_dict(),
]


async def test_a_commands_ack_is_shown_to_that_person_alone(slack, app: AsyncApp, connect):
    seen = []

    @app.command("/coldmigrate")
    async def handle(ack, body):
        seen.append(body)
        await ack(f"planning {body['text']}")

    await connect(app)
    outcome = await slack.person.command("alice", "#migrations", "/coldmigrate web01 site2")

    assert outcome.text == "planning web01 site2"
    assert outcome.error is None
    assert 0 < outcome.latency < 1
    assert [shown["text"] for shown in slack.person.ephemerals("alice")] == ["planning web01 site2"]
    assert slack.person.ephemerals("bob") == []
    assert slack.person.history("#migrations") == []
    (body,) = seen
    assert body["command"] == "/coldmigrate"
    assert body["user_id"] == slack.workspace.user("alice").id
    assert body["channel_name"] == "migrations"
    assert body["response_url"].startswith(slack.origin)
    assert slack.tally.latencies("slash_commands") == [outcome.latency]


async def test_an_ack_in_channel_is_a_message(slack, app: AsyncApp, connect):
    @app.command("/coldmigrate")
    async def handle(ack):
        await ack(text="for all", response_type="in_channel")

    await connect(app)
    await slack.person.command("alice", "#migrations", "/coldmigrate list")

    assert [message["text"] for message in slack.person.history("#migrations")] == ["for all"]
    assert slack.person.ephemerals("alice") == []


async def test_a_click_reaches_the_app_and_the_card_is_edited_in_place(slack, client, app: AsyncApp, connect):
    clicked = asyncio.Queue()

    @app.action("approve")
    async def approve(ack, body, client):
        await ack()
        await client.chat_update(
            channel=body["channel"]["id"], ts=body["message"]["ts"], text="Approved by a person", blocks=CARD[:1]
        )
        clicked.put_nowait(body)

    await connect(app)
    posted = await client.chat_postMessage(channel="#migrations", text="Move web01?", blocks=CARD)
    outcome = await slack.person.click("bob", "#migrations", posted["ts"], "approve")
    body = await asyncio.wait_for(clicked.get(), 5)

    assert outcome.error is None
    assert body["type"] == "block_actions"
    assert body["user"] == {
        "id": slack.workspace.user("bob").id,
        "username": "bob",
        "name": "bob",
        "team_id": slack.workspace.team.id,
    }
    assert body["container"]["message_ts"] == posted["ts"]
    assert body["message"]["blocks"][1]["block_id"] == "decide-1"
    (action,) = body["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("approve", "decide-1", "job-1")
    assert float(action["action_ts"]) > float(posted["ts"])
    (card,) = slack.person.history("#migrations")
    assert card["text"] == "Approved by a person"
    assert card["edited"]["user"] == slack.workspace.app.bot_user


async def test_only_a_button_that_is_there_can_be_clicked(slack, client):
    posted = await client.chat_postMessage(channel="#migrations", text="Move web01?", blocks=CARD)

    with pytest.raises(UserError, match=r"found none; the message has: approve \[Approve\], cancel \[Cancel\]"):
        await slack.person.click("alice", "#migrations", posted["ts"], "retry")
    with pytest.raises(UserError, match="found none"):
        await slack.person.click("alice", "#migrations", posted["ts"], "approve", value="job-2")
    await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="over")
    with pytest.raises(UserError, match="nothing to click"):
        await slack.person.click("alice", "#migrations", posted["ts"], "approve")


async def test_events_and_mentions_arrive_where_the_bot_is(slack, app: AsyncApp, connect):
    heard = asyncio.Queue()

    @app.event("app_mention")
    async def mentioned(event, say):
        await say(text="at your service", thread_ts=event["ts"])
        heard.put_nowait(event)

    @app.event("message")
    async def said(event):
        heard.put_nowait(event)

    await connect(app)
    slack.switches.remove_bot("#random")
    slack.person.post("alice", "#random", "nobody listens here")
    slack.person.post("alice", "@alice", "psst")
    direct = await asyncio.wait_for(heard.get(), 5)
    ts = slack.person.mention("alice", "#migrations", "diagnose web01")
    both = {event["type"]: event for event in [await asyncio.wait_for(heard.get(), 5) for _ in range(2)]}

    assert (direct["text"], direct["channel_type"]) == ("psst", "im")
    assert both["app_mention"]["text"] == f"<@{slack.workspace.app.bot_user}> diagnose web01"
    assert both["message"]["ts"] == both["app_mention"]["ts"] == ts
    assert "channel_type" not in both["app_mention"]
    thread = await slack.person.wait_for(
        lambda: slack.person.thread("#migrations", ts) if len(slack.person.thread("#migrations", ts)) == 2 else None
    )
    assert thread[1]["text"] == "at your service"
    assert thread[0]["reply_count"] == 1


async def test_response_url_replaces_the_clicked_message(slack, client, app: AsyncApp, connect):
    urls = asyncio.Queue()

    @app.action("cancel")
    async def cancel(ack, respond, body):
        await ack()
        await respond(text="gone", replace_original=True)
        urls.put_nowait(body["response_url"])

    await connect(app)
    posted = await client.chat_postMessage(channel="#migrations", text="Move web01?", blocks=CARD)
    await slack.person.click("alice", "#migrations", posted["ts"], "cancel")
    url = await asyncio.wait_for(urls.get(), 5)

    assert slack.person.message("#migrations", posted["ts"])["text"] == "gone"
    webhook = AsyncWebhookClient(url)
    answers = [await webhook.send(text=f"{n}") for n in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 404]
    assert "used_url" in answers[-1].body
    assert [shown["text"] for shown in slack.person.ephemerals("alice")] == ["0", "1", "2", "3"]


async def test_a_modal_is_opened_checked_and_submitted(slack, app: AsyncApp, connect):
    def modal(title):
        field = {"type": "plain_text_input", "action_id": "vm"}
        label = {"type": "plain_text", "text": "VM"}
        return {
            "type": "modal",
            "callback_id": "plan",
            "title": {"type": "plain_text", "text": title},
            "submit": {"type": "plain_text", "text": "Plan"},
            "blocks": [{"type": "input", "block_id": "which", "label": label, "element": field}],
        }

    @app.command("/coldmigrate")
    async def handle(ack, body, client):
        await client.views_open(trigger_id=body["trigger_id"], view=modal("Move a VM"))
        await ack()

    @app.view("plan")
    async def submitted(ack, view):
        typed = view["state"]["values"]["which"]["vm"]["value"]
        if typed == "nope":
            await ack(response_action="errors", errors={"which": "no such VM"})
        else:
            await ack()

    await connect(app)
    await slack.person.command("alice", "#migrations", "/coldmigrate")
    (view,) = slack.person.views("alice")

    assert view["title"]["text"] == "Move a VM"
    refused = await slack.person.submit_view("alice", view["id"], {"vm": "nope"})
    assert refused.ack == {"response_action": "errors", "errors": {"which": "no such VM"}}
    assert len(slack.person.views("alice")) == 1
    assert (await slack.person.submit_view("alice", view["id"], {"vm": "web01"})).ack is None
    assert slack.person.views("alice") == []


def test_typed_text_becomes_things_of_its_own():
    text = "<@U1> see <#C1|random>, <!here> &lt;!channel&gt; <https://x.net?a&amp;b|log> <odd> <!subteam^S1>"
    (block,) = typed_blocks(text)
    (section,) = block["elements"]
    assert section["elements"] == [
        {"type": "user", "user_id": "U1"},
        {"type": "text", "text": " see "},
        {"type": "channel", "channel_id": "C1"},
        {"type": "text", "text": ", "},
        {"type": "broadcast", "range": "here"},
        {"type": "text", "text": " <!channel> "},
        {"type": "link", "url": "https://x.net?a&b", "text": "log"},
        {"type": "text", "text": " <odd> "},
        {"type": "usergroup", "usergroup_id": "S1"},
    ]
    assert message_problems([block]) == []
    assert typed_blocks("") == []
