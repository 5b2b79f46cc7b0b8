"""What Slack would refuse in blocks is refused, at the place where it is wrong."""

import pytest
from slack_sdk.errors import SlackApiError

from bot.playground.slack.block_kit import message_problems, view_problems


def plain(text):
    return {"type": "plain_text", "text": text}


def mrkdwn(text):
    return {"type": "mrkdwn", "text": text}


def button(action_id="a", **more):
    return {"type": "button", "text": plain("Go"), "action_id": action_id} | more


def section(text="x", **more):
    return {"type": "section", "text": mrkdwn(text)} | more


def actions(*elements, **more):
    return {"type": "actions", "elements": list(elements)} | more


def rich(*parts):
    return {"type": "rich_text", "elements": list(parts)}


def lines(kind, *pieces):
    return {"type": kind, "elements": list(pieces)}


def said(text):
    return {"type": "text", "text": text}


def table(rows=1, columns=1):
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns] * rows}


CHOICE = {"text": plain("one"), "value": "1"}
TASK = {"type": "task_card", "task_id": "t", "title": "x", "status": "complete"}

SOUND = [
    section("x" * 3000),
    section(fields=[mrkdwn("x" * 2000)] * 10),
    {"type": "section", "fields": [plain("only fields")]},
    section(accessory=button(style="danger", value="v" * 2000, url="https://example.net")),
    section(accessory={"type": "overflow", "action_id": "o", "options": [CHOICE] * 5}),
    {"type": "header", "text": plain("x" * 150)},
    {"type": "divider", "block_id": "b" * 255},
    {"type": "context", "elements": [mrkdwn("x"), {"type": "image", "image_url": "https://x", "alt_text": "x"}] * 5},
    actions(*(button(str(n)) for n in range(25))),
    actions({"type": "static_select", "action_id": "s", "options": [CHOICE] * 100, "placeholder": plain("site")}),
    actions({"type": "external_select", "action_id": "s", "min_query_length": 0}),
    rich(lines("rich_text_preformatted", said("vpxa: NfcNetTcpWrite"), {"type": "link", "url": "https://x"})),
    rich(lines("rich_text_section", said("x"), {"type": "user", "user_id": "U1"}, {"type": "emoji", "name": "x"})),
    rich({"type": "rich_text_list", "style": "bullet", "elements": [lines("rich_text_section", said("x"))]}),
    rich(lines("rich_text_quote", said("x") | {"style": {"bold": True}})),
    {"type": "markdown", "text": "x" * 12_000},
    table(rows=100, columns=20),
    TASK,
    {"type": "plan", "title": "x", "tasks": [TASK]},
    {"type": "image", "image_url": "https://x", "alt_text": "x", "title": plain("x")},
    {"type": "input", "label": plain("VM"), "element": {"type": "plain_text_input", "action_id": "vm"}},
]

WRONG = [
    (section("x" * 3001), "/blocks/0/text/text", "must be less than 3001 characters"),
    (section(""), "/blocks/0/text/text", "must be more than 0 characters"),
    ({"type": "section"}, "/blocks/0", "missing required field: text or fields"),
    (section(fields=[mrkdwn("x")] * 11), "/blocks/0/fields", "no more than 10 items allowed"),
    (section(fields=[mrkdwn("x" * 2001)]), "/blocks/0/fields/0/text", "must be less than 2001 characters"),
    (section(colour="red"), "/blocks/0", "invalid additional property: colour"),
    (section(block_id="b" * 256), "/blocks/0/block_id", "must be less than 256 characters"),
    ({"type": "header", "text": plain("x" * 151)}, "/blocks/0/text/text", "must be less than 151 characters"),
    ({"type": "header", "text": mrkdwn("*x*")}, "/blocks/0/text/type", "unsupported type: mrkdwn"),
    ({"type": "header"}, "/blocks/0", "missing required field: text"),
    ({"type": "context", "elements": [mrkdwn("x")] * 11}, "/blocks/0/elements", "no more than 10 items allowed"),
    (actions(*(button(str(n)) for n in range(26))), "/blocks/0/elements", "no more than 25 items allowed"),
    (actions(), "/blocks/0/elements", "no fewer than 1 items allowed"),
    (actions(button(text=plain("x" * 76))), "/blocks/0/elements/0/text/text", "must be less than 76 characters"),
    (actions(button(value="v" * 2001)), "/blocks/0/elements/0/value", "must be less than 2001 characters"),
    (actions(button(value=7)), "/blocks/0/elements/0/value", "must be a string"),
    (actions(button(style="green")), "/blocks/0/elements/0/style", "must be one of: primary, danger"),
    (actions(button("a" * 256)), "/blocks/0/elements/0/action_id", "must be less than 256 characters"),
    (actions(button(), button()), "/blocks/0/elements/1/action_id", "action_id already exists: a"),
    (actions({"type": "slider"}), "/blocks/0/elements/0/type", "unsupported type: slider"),
    (
        actions({"type": "static_select", "options": [{"text": plain("x"), "value": 1}]}),
        "/blocks/0/elements/0/options/0/value",
        "must be a string",
    ),
    (
        actions({"type": "static_select"}),
        "/blocks/0/elements/0",
        "must define exactly one of: options, option_groups",
    ),
    (rich(lines("rich_text_preformatted", said(""))), "/blocks/0/elements/0/elements/0/text", "must be more than 0"),
    (
        rich(lines("rich_text_preformatted", {"type": "user", "user_id": "U1"})),
        "/blocks/0/elements/0/elements/0/type",
        "unsupported type: user",
    ),
    (rich(said("loose")), "/blocks/0/elements/0/type", "unsupported type: text"),
    (table(rows=101), "/blocks/0/rows", "no more than 100 items allowed"),
    (table(columns=21), "/blocks/0/rows/0", "no more than 20 items allowed"),
    (TASK | {"status": "done"}, "/blocks/0/status", "must be one of: pending, in_progress, complete, error"),
    ({"type": "marquee"}, "/blocks/0/type", "unsupported type: marquee"),
    ({"text": plain("x")}, "/blocks/0", "missing required field: type"),
]


@pytest.mark.parametrize("block", SOUND, ids=lambda block: block["type"])
def test_sound_blocks_pass(block):
    assert message_problems([block]) == []


@pytest.mark.parametrize(("block", "pointer", "message"), WRONG, ids=lambda value: str(value)[:40])
def test_a_wrong_block_is_refused_where_it_is_wrong(block, pointer, message):
    problems = message_problems([block])
    assert [problem.pointer for problem in problems] == [pointer]
    assert problems[0].message.startswith(message)


def test_rules_over_the_whole_message():
    twice = [section(block_id="b"), section(block_id="b")]
    assert [str(p) for p in message_problems(twice)] == ["block_id already exists: b [json-pointer:/blocks/1/block_id]"]
    assert message_problems([section()] * 51)[0].message == "no more than 50 items allowed"
    assert message_problems([actions(button()), actions(button())]) == []
    halves = [{"type": "markdown", "text": "x" * 6001}] * 2
    assert message_problems(halves)[0].message == "markdown text must be less than 12001 characters"


def test_a_modal_with_inputs_needs_a_submit_button():
    field = {"type": "input", "label": plain("VM"), "element": {"type": "plain_text_input"}}
    view = {"type": "modal", "title": plain("x"), "blocks": [field]}
    assert [str(p) for p in view_problems(view)] == ["missing required field: submit [json-pointer:/view]"]
    assert view_problems(view | {"submit": plain("Go")}) == []
    assert view_problems(view | {"submit": plain("Go"), "private_metadata": "x" * 3001})[0].pointer == (
        "/view/private_metadata"
    )


async def refused(client, blocks):
    with pytest.raises(SlackApiError) as error:
        await client.chat_postMessage(channel="#random", text="x", blocks=blocks)
    return error.value.response


async def test_the_client_is_told_what_is_wrong_and_where(client):
    answer = await refused(client, [section(), section("x" * 3001)])
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    ]
    assert answer["errors"] == ["must be less than 3001 characters [json-pointer:/blocks/1/text/text]"]


async def test_blocks_that_are_too_long_together(slack, client):
    await client.chat_postMessage(channel="#random", text="x", blocks=[section("x" * 2640)] * 5)
    assert (await refused(client, [section("x" * 2641)] * 5))["error"] == "msg_blocks_too_long"
    assert (await refused(client, [table(), table()]))["error"] == "invalid_attachments"
    assert (await refused(client, "not json"))["error"] == "invalid_blocks_format"
    assert len(slack.person.history("#random")) == 1
