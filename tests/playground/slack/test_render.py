"""Messages as text: readable, and harmless whatever is in them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.slack.mrkdwn import mrkdwn_plain, safe
from bot.playground.slack.render import render_message, render_thread

NAMES = {"U0BOT": "coldmigrate", "U1": "alice", "C1": "migrations", "S1": "vm-ops"}


def mrkdwn(text):
    return {"type": "mrkdwn", "text": text}


def plain(text):
    return {"type": "plain_text", "text": text}


def message(*blocks, **more):
    return (
        {"type": "message", "user": "U0BOT", "ts": "1331742705.288000", "text": "fallback"}
        | more
        | ({"blocks": list(blocks)} if blocks else {})
    )


CARD = message(
    {"type": "header", "text": plain("web01 to site2")},
    {"type": "section", "text": mrkdwn("*Plan* by <@U1>: `web01` moves\nno concerns")},
    {"type": "section", "fields": [mrkdwn("*Disks*\n40 GiB"), mrkdwn("*Network*\nVM Network")]},
    {"type": "context", "elements": [mrkdwn("job _cm-1_"), mrkdwn("<https://x.example|runbook>")]},
    {
        "type": "actions",
        "elements": [
            {"type": "button", "text": plain("Approve"), "action_id": "a"},
            {"type": "button", "text": plain("Cancel"), "action_id": "c"},
            {"type": "static_select", "placeholder": plain("Other site"), "action_id": "s"},
        ],
    },
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_preformatted",
                "elements": [{"type": "text", "text": "NfcNetTcpWrite: bWritten: -1\n  <!channel> *stars*"}],
            },
            {
                "type": "rich_text_list",
                "style": "ordered",
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": "fix the network"}]},
                    {"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U1"}]},
                ],
            },
        ],
    },
)


def test_a_card_reads_like_a_card():
    assert render_message(CARD, names=NAMES).split("\n") == [
        "coldmigrate 16:31:45",
        "  ## web01 to site2",
        "  Plan by @alice: web01 moves",
        "  no concerns",
        "  Disks 40 GiB",
        "  Network VM Network",
        "  job cm-1  runbook (https://x.example)",
        "  [Approve] [Cancel] [Other site v]",
        "      NfcNetTcpWrite: bWritten: -1",
        "        <!channel> *stars*",
        "  1. fix the network",
        "  2. @alice",
    ]


def test_a_thread_is_set_in_under_its_root():
    reply = message(user="U1", text="why?", edited={"ts": "1"}, reactions=[{"name": "eyes", "count": 2}])
    assert render_thread([message(text="failed"), reply], names=NAMES).split("\n") == [
        "coldmigrate 16:31:45",
        "  failed",
        "  | alice 16:31:45 (edited)",
        "  |   why?",
        "  |   :eyes: 2",
    ]


def test_files_are_named_and_cannot_steer_the_terminal():
    files = [{"name": "a.png", "title": "db01 in time"}, {"name": "\x1b[31mred.log"}, {"id": "F1", "mode": "tombstone"}]
    shown = render_message({"ts": "1795200000.000100", "user": "U1", "text": "", "files": files})
    assert "[file: db01 in time]" in shown
    assert "red.log]" in shown
    assert "\x1b" not in shown


def test_the_other_blocks_are_drawn_too():
    cell = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "z"}]}],
    }
    task = {"type": "task_card", "task_id": "t", "title": "copy disks", "status": "in_progress", "details": cell}
    shown = render_message(
        message(
            {
                "type": "table",
                "rows": [[{"type": "raw_text", "text": "host"}, cell], [{"type": "raw_number", "value": 7}]],
            },
            {"type": "divider"},
            {"type": "plan", "title": "Move", "tasks": [task]},
            {
                "type": "input",
                "label": plain("VM"),
                "element": {"type": "plain_text_input", "placeholder": plain("name")},
            },
            {"type": "image", "image_url": "https://x", "alt_text": "rate over time"},
            {"type": "section", "text": plain("x"), "accessory": {"type": "image", "alt_text": "logo"}},
            {"type": "carousel"},
        )
    )
    assert shown.split("\n")[1:] == [
        "      host  z",
        "      7",
        "  " + "-" * 40,
        "  Move",
        "  (in_progress) copy disks",
        "    z",
        "  VM: [name v]",
        "  [rate over time]",
        "  x",
        "  [logo]",
        "  (carousel)",
    ]


def test_long_prose_is_folded_and_log_lines_are_not():
    log = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "y" * 60}]}
    shown = render_message(
        message({"type": "section", "text": plain("word " * 20)}, {"type": "rich_text", "elements": [log]}), width=40
    )
    assert max(len(line) for line in shown.split("\n")[:-1]) <= 40
    assert shown.split("\n")[-1] == " " * 6 + "y" * 60


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("*bold* _it_ ~gone~ `code`", "bold it gone code"),
        ("*_both_*", "both"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2*3*4"),
        ("<@U1> in <#C1> with <!subteam^S1>", "@alice in #migrations with @vm-ops"),
        ("<!here> <!date^1^{date}|14 March>", "@here 14 March"),
        ("<@U404|ghost> <https://a.example>", "@ghost https://a.example"),
        ("&lt;!channel&gt; a &amp;lt; b", "<!channel> a &lt; b"),
        ("`<@U1> *x*`", "<@U1> *x*"),
        ("```\nlog *line*\n```", "log *line*"),
        (":white_check_mark: :shrug:", "[ok] :shrug:"),
    ],
)
def test_markup_becomes_what_a_reader_sees(sent, shown):
    assert mrkdwn_plain(sent, NAMES) == shown


HOSTILE = [
    "\x1b[2J\x1b]0;owned\x07 clear the screen",
    "first\rsecond overwrites",
    "back\b\b\b\bspace",
    "\x9b31m eight-bit colour",
    "\u202egnp.exe right to left",
    "in\u200bvisible\u2060\ufeff",
    "\U000e0041 tag",
    "line\u2028separator",
    "\ud800 lone",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_cannot_steer_the_terminal(text):
    everywhere = message(
        {"type": "header", "text": plain(text)},
        {"type": "section", "text": mrkdwn(f"`{text}` <https://x|{text}> <@{text}>"), "fields": [plain(text)]},
        {"type": "actions", "elements": [{"type": "button", "text": plain(text), "action_id": "a"}]},
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_preformatted",
                    "elements": [{"type": "text", "text": text}, {"type": "link", "url": text, "text": text}],
                }
            ],
        },
        {"type": "table", "rows": [[{"type": "raw_text", "text": text}]]},
        {"type": "markdown", "text": text},
        {"type": text},
        reactions=[{"name": text, "count": 1}],
        user=text,
    )
    assert_harmless(render_message(everywhere, names={text: text}))
    assert_harmless(render_message(message(text=text)))


@given(st.text(max_size=300))
def test_any_text_can_be_printed(text):
    assert_harmless(mrkdwn_plain(text))
    assert_harmless(render_message(message(text=text)))
    assert safe(safe(text)) == safe(text)


def assert_harmless(shown: str) -> None:
    shown.encode()  # a lone surrogate would fail here, and at the terminal
    bad = [c for c in shown if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}]
    assert bad == []
