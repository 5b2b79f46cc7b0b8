"""What Slack would refuse in blocks is refused, at the place where it is wrong."""

import pytest
from slack_sdk.errors import SlackApiError

from bot.playground.slack.block_kit import message_problems, only_one_table, view_problems


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
GOOD = {"text": plain("Good"), "value": "good"}
FEEDBACK = {"type": "feedback_buttons", "positive_button": GOOD, "negative_button": GOOD | {"value": "bad"}}
CARD = {"type": "card", "title": mrkdwn("x" * 150), "body": mrkdwn("x" * 200), "actions": [button()]}
SLICE = {"label": "lost", "value": 4}
PIE = {"type": "pie", "segments": [SLICE]}
SERIES = {"name": "site1", "data": [{"label": "Mon", "value": 1.5}]}
LINE = {"type": "line", "series": [SERIES], "axis_config": {"categories": ["Mon"], "y_label": "MB/s"}}
VIDEO = {
    "type": "video",
    "alt_text": "x",
    "title": plain("x"),
    "video_url": "https://v.example.net",
    "thumbnail_url": "https://t.example.net",
}


def data_table(rows=2, cell=None, **more):
    row = [cell or {"type": "raw_number", "value": 7, "text": "7"}]
    return {"type": "data_table", "caption": "moves", "rows": [row] * rows} | more


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
    CARD,
    {"type": "carousel", "elements": [CARD] * 10},
    {"type": "container", "title": plain("x"), "child_blocks": [section(), table()], "is_collapsible": True},
    {"type": "container", "rich_text_title": rich(lines("rich_text_section", said("x"))), "child_blocks": [section()]},
    {"type": "context_actions", "elements": [FEEDBACK, {"type": "icon_button", "icon": "trash", "text": plain("x")}]},
    data_table(rows=201),
    {"type": "data_visualization", "title": "Loss", "chart": PIE},
    {"type": "data_visualization", "title": "Rate", "chart": LINE},
    {"type": "file", "external_id": "f", "source": "remote"},
    VIDEO,
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
    (actions(), "/blocks/0/elements", "must provide at least 1 items"),
    (actions(button(text=plain("x" * 76))), "/blocks/0/elements/0/text/text", "must be less than 76 characters"),
    (actions(button(value="v" * 2001)), "/blocks/0/elements/0/value", "must be less than 2001 characters"),
    (actions(button(value=7)), "/blocks/0/elements/0/value", "must provide a string"),
    (actions(button(style="green")), "/blocks/0/elements/0/style", "must be one of: primary, danger"),
    (actions(button("a" * 256)), "/blocks/0/elements/0/action_id", "must be less than 256 characters"),
    (actions(button(), button()), "/blocks/0/elements/1/action_id", '`action_id` "a" already exists'),
    (actions({"type": "slider"}), "/blocks/0/elements/0/type", "unsupported type: slider"),
    (
        actions({"type": "static_select", "options": [{"text": plain("x"), "value": 1}]}),
        "/blocks/0/elements/0/options/0/value",
        "must provide a string",
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
    (TASK | {"status": "pending"}, "/blocks/0/status", "must be one of: in_progress, complete, error"),
    (TASK | {"title": plain("x")}, "/blocks/0/title", "must provide a string"),
    ({"type": "plan", "title": "x", "tasks": [TASK] * 51}, "/blocks/0/tasks", "no more than 50 items allowed"),
    (CARD | {"title": "x"}, "/blocks/0/title", "must provide an object"),
    (CARD | {"body": mrkdwn("x" * 201)}, "/blocks/0/body/text", "must be less than 201 characters"),
    (CARD | {"actions": [button(str(n)) for n in range(4)]}, "/blocks/0/actions", "no more than 3 items allowed"),
    (CARD | {"actions": [button(), button()]}, "/blocks/0/actions/1/action_id", '`action_id` "a" already exists'),
    (CARD | {"slack_icon": {"image_url": "https://x"}}, "/blocks/0/slack_icon", "missing required field: name"),
    ({"type": "card", "subtitle": plain("x")}, "/blocks/0", "missing required field: hero_image or title"),
    ({"type": "carousel", "elements": [CARD] * 11}, "/blocks/0/elements", "no more than 10 items allowed"),
    ({"type": "container", "child_blocks": [section()]}, "/blocks/0", "missing required field: title or rich_text"),
    (
        {"type": "container", "title": plain("x"), "child_blocks": [TASK]},
        "/blocks/0/child_blocks/0/type",
        "unsupported type: task_card",
    ),
    (
        {"type": "container", "title": plain("x"), "child_blocks": [section(block_id="b"), section(block_id="b")]},
        "/blocks/0/child_blocks/1/block_id",
        '`block_id` "b" already exists',
    ),
    (
        {"type": "context_actions", "elements": [{"type": "feedback_buttons", "positive_button": GOOD}]},
        "/blocks/0/elements/0",
        "missing required field: negative_button",
    ),
    (data_table(rows=1), "/blocks/0/rows", "must provide at least 2 items"),
    (data_table(rows=202), "/blocks/0/rows", "no more than 201 items allowed"),
    (data_table(page_size=101), "/blocks/0/page_size", "must be between 1 and 100"),
    (
        data_table(cell={"type": "raw_text", "text": "x" * 3000}, rows=8),
        "/blocks/0/rows",
        "must be less than 20001 characters",
    ),
    (
        data_table() | {"rows": [[{"type": "raw_text", "text": "x"}], [{"type": "raw_text", "text": "x"}] * 2]},
        "/blocks/0/rows/1",
        "must have 1 cells",
    ),
    (
        data_table() | {"rows": [[rich(lines("rich_text_section", said("x")))], [{"type": "raw_text", "text": "x"}]]},
        "/blocks/0/rows/0/0/type",
        "unsupported type: rich_text",
    ),
    (
        {"type": "table", "rows": [[{"type": "raw_number", "text": "7"}]]},
        "/blocks/0/rows/0/0",
        "missing required field: value",
    ),
    (
        {"type": "data_visualization", "title": "x", "chart": {"type": "pie", "segments": [SLICE] * 13}},
        "/blocks/0/chart/segments",
        "no more than 12 items allowed",
    ),
    ({"type": "alert", "text": plain("x")}, "/blocks/0/type", "unsupported type: alert"),
    (VIDEO | {"title": plain("x" * 201)}, "/blocks/0/title/text", "must be less than 201 characters"),
    (VIDEO | {"colour": "red"}, "/blocks/0", "invalid additional property: colour"),
    (
        actions({"type": "static_select", "options": [{"text": mrkdwn("*x*"), "value": "1"}]}),
        "/blocks/0/elements/0/options/0/text/type",
        "unsupported type: mrkdwn",
    ),
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
    assert [str(p) for p in message_problems(twice)] == [
        '`block_id` "b" already exists [json-pointer:/blocks/1/block_id]'
    ]
    assert message_problems([section()] * 51)[0].message == "no more than 50 items allowed"
    assert message_problems([actions(button()), actions(button())]) == []
    halves = [{"type": "markdown", "text": "x" * 6001}] * 2
    assert message_problems(halves)[0].message == "markdown text must be less than 12001 characters"


def test_a_modal_with_inputs_needs_a_submit_button():
    field = {"type": "input", "label": plain("VM"), "element": {"type": "plain_text_input"}}
    view = {"type": "modal", "title": plain("x"), "blocks": [field]}
    assert [str(p) for p in view_problems(view)] == [
        "must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/0/input]"
    ]
    assert view_problems(view | {"submit": plain("Go")}) == []
    assert view_problems(view | {"submit": plain("Go"), "private_metadata": "x" * 3001})[0].pointer == (
        "/view/private_metadata"
    )


def test_each_surface_takes_its_own_blocks():
    home = {"type": "home", "blocks": [{"type": "alert", "text": plain("x")}]}
    modal = {"type": "modal", "title": plain("x")}
    alert = [{"type": "alert", "text": plain("x" * 200), "level": "warning"}]
    assert view_problems(modal | {"blocks": alert}) == []
    assert [str(p) for p in view_problems(home)] == ["unsupported type: alert [json-pointer:/view/blocks/0/type]"]
    assert view_problems({"type": "home", "blocks": [table(), CARD]}) == []
    for block in ({"type": "markdown", "text": "x"}, table(), TASK, {"type": "carousel", "elements": [CARD]}):
        (problem,) = view_problems(modal | {"blocks": [block]})
        assert problem.message == f"unsupported type: {block['type']}"
    level = alert[0] | {"level": "loud"}
    assert view_problems(modal | {"blocks": [level]})[0].pointer == "/view/blocks/0/level"


def test_tables_of_every_kind_are_counted():
    drawn = {"type": "markdown", "text": "| host | loss |\n|---|---:|\n| esx-01 | 4 % |"}
    contained = {"type": "container", "title": plain("x"), "child_blocks": [table()]}
    for one in (drawn, contained, data_table(), table()):
        assert only_one_table([one, section()])
        assert not only_one_table([one, table()])
    chart = {"type": "data_visualization", "title": "Loss", "chart": PIE}
    assert message_problems([chart] * 2) == []
    assert message_problems([chart] * 3)[0].message == "too many data_visualization blocks"


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
