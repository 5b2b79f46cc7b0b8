"""The judge can condemn: every rule is broken once on purpose, and messages as ours are go free."""

from __future__ import annotations

import copy
import time

import pytest

from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.playground.slack.content import as_stored
from bot.slack.card import card_message
from bot.slack.port import Button, ButtonKind, JobCard
from tests.slack_referee import rules
from tests.slack_referee.judge import faults_of_message, faults_of_view
from tests.slack_referee.shape import faults_of_shape


def plain(text):
    return {"type": "plain_text", "text": text}


def section(text, **more):
    return {"type": "section", "text": text, **more}


def mrkdwn(text):
    return section({"type": "mrkdwn", "text": text})


def button(**more):
    return {"type": "button", "text": plain("Go"), "action_id": "go", **more}


def actions(*elements, **more):
    return {"type": "actions", "elements": list(elements), **more}


def rich(*elements):
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def table(rows=1, columns=1):
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns] * rows}


def menu(**more):
    return {"type": "static_select", "action_id": "site", "options": [{"text": plain("1"), "value": "1"}], **more}


def message(*blocks, **more):
    return {"text": "words", "blocks": list(blocks), **more}


def modal(*blocks, **more):
    return {"type": "modal", "title": plain("Move a VM"), "submit": plain("Plan"), "blocks": list(blocks), **more}


def labelled(element, **more):
    return {"type": "input", "label": plain("Site"), "element": element, **more}


FIRM = [
    message(section(plain("words")), actions(button(style="danger", value="7")), section(plain("more"))),
    message({"type": "header", "text": plain("x" * 150)}, {"type": "divider"}, table(100, 20)),
    message(rich({"type": "text", "text": "<!channel> *no* [x](y)"}, {"type": "user", "user_id": "U0ALICE001"})),
    message(rich({"type": "link", "url": "https://kb.example.net/1", "text": "kb.example.net/1"})),
    message(rich({"type": "link", "url": "https://kb.example.net/1", "text": "the article"})),
    message(metadata={"event_type": "card", "event_payload": {"job": "k3q7m2xa", "rev": 3}}),
    {"text": "a &lt;!channel&gt; that was escaped, at <!date^1392734382^{date_num}|noon>"},
    modal(labelled(menu()), labelled({"type": "external_select", "action_id": "vm", "min_query_length": 0})),
    {"type": "home", "blocks": [section(plain("words"), accessory=button())]},
]
WRONG = {  # what is said of it: what is wrong
    "'plain_text' was expected": message({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}),
    "a header that is not plain text": message({"type": "header", "text": "x"}),
    "type 'chart' is not known here": message({"type": "chart"}),
    "'colour' was unexpected": message(actions(button(colour="red"))),
    "'text' is a required property": message(actions({"type": "button"})),
    "'loud' is not one of": message(actions(button(style="loud"))),
    "is not of type 'array'": {"text": "words", "blocks": {"type": "divider"}},
    "/blocks: 51, where 0 to 50": message(*[{"type": "divider"}] * 51),
    "/blocks/0/text: 151, where 1 to 150": message({"type": "header", "text": plain("x" * 151)}),
    "/blocks/0/text: 3001, where 1 to 3000": message(section(plain("x" * 3001))),
    "/blocks/0/fields/1: 2001": message({"type": "section", "fields": [plain("x"), plain("x" * 2001)]}),
    "/blocks/0/fields: 11": message({"type": "section", "fields": [plain("x")] * 11}),
    "/blocks/0/elements/0/text: 76": message(actions(button(text=plain("x" * 76)))),
    "/blocks/0/elements/0/value: 2001": message(actions(button(value="x" * 2001))),
    "/blocks/0/elements: 26": message(actions(*[button(action_id=str(n)) for n in range(26)])),
    "/blocks/0/elements: 11": message({"type": "context", "elements": [plain("x")] * 11}),
    "options/0/text: 76": message(actions(menu(options=[{"text": plain("x" * 76), "value": "1"}]))),
    "options/0/value: 151": message(actions(menu(options=[{"text": plain("x"), "value": "1" * 151}]))),
    "options: 101": message(actions(menu(options=[{"text": plain("x"), "value": "1"}] * 101))),
    "confirm/confirm: 31": message(
        actions(
            button(confirm={"title": plain("x"), "text": plain("x"), "confirm": plain("x" * 31), "deny": plain("x")})
        )
    ),
    "action_id: 256": message(actions(button(action_id="x" * 256))),
    "block_id: 256": message({"type": "divider", "block_id": "x" * 256}),
    "/blocks/0/rows: 101": message(table(101)),
    "/blocks/0/rows/0: 21": message(table(1, 21)),
    "elements/0/elements/0/text: 0, where": message(rich({"type": "text", "text": ""})),
    "not supported on message surfaces": message({"type": "alert", "text": plain("x")}),
    "block_id 'x' is used 2 times": message({"type": "divider", "block_id": "x"}, {"type": "divider", "block_id": "x"}),
    "action_id 'go' is used 2 times": message(actions(button()), actions(button())),
    "2 tables, where Slack takes one": message(table(), {"type": "markdown", "text": "|a|b|\n|---|---|\n|1|2|"}),
    "12001 characters in blocks": message(*[section(plain("x" * 3000))] * 4, section(plain("x"))),
    "blocks without a text": {"text": " ", "blocks": [{"type": "divider"}]},
    "the option value 7 is no string": message(actions(menu(options=[{"text": plain("x"), "value": 7}]))),
    "/text: '<!channel>' would be": {"text": "a VM named <!channel>"},
    "'<@U0BOB00001>' would be": message(mrkdwn("asked by <@U0BOB00001>")),
    "'<#C0RANDOM01|x>' would be": message(section(plain("x"), fields=[{"type": "mrkdwn", "text": "<#C0RANDOM01|x>"}])),
    "'<https://evil.example|Approve>' would be": message(mrkdwn("<https://evil.example|Approve>")),
    "'<!subteam^S0VMOPS001>' would be": message({"type": "markdown", "text": "<!subteam^S0VMOPS001>"}),
    "'[Approve](https://evil.example)' would be": message(
        {"type": "markdown", "text": "[Approve](https://evil.example)"}
    ),
    "a broadcast pings": message(rich({"type": "broadcast", "range": "here"})),
    "shows kb.example.net and leads to evil.example": message(
        rich({"type": "link", "url": "https://evil.example/", "text": "https://kb.example.net/1"})
    ),
    "RIGHT-TO-LEFT OVERRIDE": message(section(plain("web01\u202egpj.exe"))),
    "U+001B, which steers": {"text": "\x1b[2J"},
    "/metadata: 1": message(metadata={"event_type": "card", "event_payload": {f"k{n}": "x" * 60 for n in range(20)}}),
    "'esx 01' is no id": message(metadata={"event_type": "card", "event_payload": {"host": "esx 01"}}),
    "'event_type' is a required property": message(metadata={"event_payload": {}}),
    "/title: 25, where 1 to 24": modal(labelled(menu()), title=plain("x" * 25)),
    "/private_metadata: 3001": modal(labelled(menu()), private_metadata="x" * 3001),
    "'title' is a required property": {"type": "modal", "blocks": []},
    "not supported on modal surfaces": modal(table()),
    "/placeholder: 151": modal(labelled(menu(placeholder=plain("x" * 151)))),
    "min_query_length": modal(labelled({"type": "external_select", "action_id": "x", "min_query_length": "0"})),
    "/blocks: 101": {"type": "home", "blocks": [{"type": "divider"}] * 101},
}


def faults(thing):
    return faults_of_view(thing) if thing.get("type") in {"modal", "home"} else faults_of_message(thing)


@pytest.mark.parametrize("thing", FIRM, ids=range(len(FIRM)))
def test_what_slack_takes_goes_free(thing):
    assert faults(thing) == []


@pytest.mark.parametrize("saying", WRONG)
def test_a_planted_fault_is_found(saying):
    found = faults(WRONG[saying])
    assert any(saying in fault for fault in found), found


def test_every_rule_of_ours_has_its_planted_fault():
    every = [fault for thing in WRONG.values() for fault in faults(thing)]
    for rule in rules.MESSAGE_RULES:
        broken = [thing for thing in WRONG.values() if isinstance(thing.get("blocks", []), list) and [*rule(thing)]]
        assert broken, rule.__name__
        assert set(every) & set(rule(broken[0])), rule.__name__


def test_a_card_of_ours_is_judged_as_sent_and_as_slack_shows_it():
    buttons = [Button(ButtonKind.APPROVE, "k3q7m2xa 0123"), Button(ButtonKind.CANCEL, "k3q7m2xa")]
    facts = [("From", "site1: esx-01"), ("To", "<!channel>")] * 20
    text, blocks = card_message(
        JobCard(JobId("k3q7m2xa"), "C1", Phase.PLANNED, "*web01* to site2", "U0ALICE001", facts, buttons=buttons)
    )
    assert faults_of_message({"text": text, "blocks": blocks}) == []
    shown = {"type": "message", "ts": "1.2", "bot_id": "B1", "text": text, "blocks": as_stored(blocks)}
    assert faults_of_message(shown) == []
    spoiled = copy.deepcopy(blocks)
    spoiled[0]["text"]["type"] = "mrkdwn"
    assert faults_of_message({"text": text, "blocks": spoiled}) != []


def test_what_slack_adds_to_a_view_is_not_held_against_us():
    added = {"id": "V1", "hash": "1.a", "team_id": "T1", "state": {"values": {}}, "external_id": "", "app_id": "A1"}
    assert faults_of_view(modal(labelled(menu())) | added) == []


def test_judging_is_cheap():
    """A night of tests says thousands of things: a new one takes milliseconds, one that was seen before almost none."""
    thing = message(*[section(plain(f"row {number}")) for number in range(40)], actions(button()))
    began = time.process_time()
    faults_of_message(thing)
    first = time.process_time() - began
    began = time.process_time()
    for _ in range(100):
        faults_of_message(thing)
    assert first < 1
    assert (time.process_time() - began) / 100 < 0.01


def test_a_manifest_with_a_mistake_is_seen():
    manifest = {"display_information": {"name": "x"}, "settings": {"event_subscriptions": {"bot_events": ["app_home"]}}}
    assert "'app_home' is not one of" in "\n".join(faults_of_shape(manifest, definition="AppManifest"))


async def test_every_player_of_this_process_is_listened_to(client):
    """The fixture that all tests have heard it, so it is asked here and not left to condemn this test."""
    from tests.fixtures_judgement import HEARING  # noqa: PLC0415 - what pytest loaded as a plugin

    await client.chat_postMessage(channel="#migrations", text="a VM named <!channel>")
    assert HEARING.verdict() == ["message 'a VM named <!channel>': /text: '<!channel>' would be a mention or a link"]
    assert HEARING.verdict() == []
