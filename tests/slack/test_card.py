"""Cards and replies: what they say, that nothing from outside bends them, and that Slack takes every one of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.migration.machine import Phase
from bot.migration.plan import Concern, Severity
from bot.migration.request import JobId
from bot.playground.slack.block_kit import message_problems, total_characters
from bot.playground.slack.chat_methods import UPDATED_TEXT
from bot.slack.card import card_message
from bot.slack.port import Button, ButtonKind, JobCard, Progress, Reply, Section
from bot.slack.reply import reply_message
from tests.slack_referee.judge import faults_of_message

JOB = JobId("k3q7m2xa")
HUGE = "x" * 50_000
HOSTILE = [
    "<!channel>",
    "<@U0ALICE001>",
    "<https://evil.example|web01>",
    "*bold* _it_ ~no~ `code` :fire:",
    "&lt;!here&gt;",
    "a\u202egnp.exe",
    "a\x1b[31mred\x00\x07",
    "two\nlines\r\nand\u2028more",
    "\ud800 half a character",
    "\u200b",
    "   ",
    "",
    "名前 🙂" * 40,
]


def sent(message) -> tuple[str, list[dict]]:
    """What Slack would get, after the checks of a Slack that we did not write."""
    text, blocks = json.loads(json.dumps(message).encode("utf-8"))
    assert message_problems(blocks) == []
    # Slack's limit is undocumented and containers count too: about 20 characters each is a guess on the safe side.
    texts = sum(1 for node in nodes(blocks) if "text" in node)
    assert total_characters(blocks) + 20 * texts <= 10_000
    assert 0 < len(text) <= UPDATED_TEXT
    return text, blocks


def nodes(node):
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def words(blocks) -> str:
    return "\n".join(node["text"] for node in nodes(blocks) if isinstance(node.get("text"), str))


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_words_and_an_emoji(card, phase):
    text, blocks = sent(card_message(card(phase=phase)))
    assert text.startswith("web01 to site2: ")
    assert words(blocks).count("\n") > 2


def test_progress_is_said_as_people_say_it(copying):
    text, blocks = sent(card_message(copying(63)))
    assert text == "web01 to site2: copying, 63 %"
    assert "63 %\n58.7 GiB of 93.1 GiB, 160 Mbit/s, about 4 min left" in words(blocks)
    assert "NFC" not in words(blocks)


def test_nfc_errors_are_shown_once_there_are_any(card):
    progress = Progress(percent=3, done=3, total=100, rate=None, eta=None, nfc_errors=7)
    _, blocks = sent(card_message(card(phase=Phase.ATTACHED, progress=progress)))
    assert "NFC errors in the hosts' logs so far: 7" in words(blocks)


@pytest.mark.parametrize("rate", [None, -1.0, float("nan"), float("inf"), 0.0])
@pytest.mark.parametrize("percent", [-5, 0, 100, 4000])
def test_figures_that_make_no_sense_do_no_harm(card, rate, percent):
    progress = Progress(percent=percent, done=0, total=0, rate=rate, eta=rate)
    sent(card_message(card(phase=Phase.ATTACHED, progress=progress)))


def test_concerns_come_heaviest_first_with_who_can_lift_them(card):
    concerns = [
        Concern("a", Severity.NOTE, "It is small."),
        Concern("b", Severity.BLOCK, "It is powered on.", "the VM's owner"),
        Concern("c", Severity.WARN, "It has a snapshot."),
    ]
    _, blocks = sent(card_message(card(concerns=concerns)))
    said = words(blocks)
    assert said.index("powered on") < said.index("snapshot") < said.index("small")
    assert "Lifted by: the VM's owner." in said


def test_everybody_reads_the_start_in_their_own_zone(card):
    start = datetime(2026, 11, 28, 20, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    text, blocks = sent(card_message(card(phase=Phase.QUEUED, start=start)))
    assert faults_of_message({"text": text, "blocks": blocks}) == []
    (date,) = [node for node in nodes(blocks) if node.get("type") == "date"]
    assert date["timestamp"] == int(start.timestamp())
    assert date["fallback"] == "2026-11-28 19:00 UTC"  # for clients that cannot
    _, without = sent(card_message(card(phase=Phase.QUEUED)))
    assert not [node for node in nodes(without) if node.get("type") == "date"]


def test_buttons_carry_the_job_and_only_those_that_were_given_are_drawn(card):
    buttons = [Button(ButtonKind.APPROVE, f"{JOB} 0123456789abcdef"), Button(ButtonKind.CANCEL, JOB)]
    _, blocks = sent(card_message(card(phase=Phase.PLANNED, buttons=buttons)))
    drawn = [node for node in nodes(blocks) if node.get("type") == "button"]
    assert [(b["action_id"], b["value"]) for b in drawn] == [
        ("cm.approve", f"{JOB} 0123456789abcdef"),
        ("cm.cancel", JOB),
    ]
    assert all("confirm" in button for button in drawn)
    _, bare = sent(card_message(card()))
    assert not [node for node in nodes(bare) if node.get("type") == "button"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_can_neither_ping_nor_format_nor_hide(card, name):
    shown = card(
        title=f"{name} to site2",
        facts=[(name, name)],
        concerns=[Concern("x", Severity.WARN, name, name)],
        note=name,
        requester=name,
        buttons=[Button(ButtonKind.APPROVE, JOB)],
    )
    text, blocks = sent(card_message(shown))
    assert not {"<", ">"} & set(text)
    kinds = {node.get("type") for node in nodes(blocks)}
    assert not kinds & {"mrkdwn", "broadcast", "usergroup", "channel", "link", "emoji"}
    assert all(node.get("emoji") is False for node in nodes(blocks) if node.get("type") == "plain_text")
    assert not set("\u202e\x1b\x00\x07\r\u2028\u200b") & set(words(blocks) + text)


def test_only_a_real_user_id_becomes_a_mention(card):
    _, blocks = sent(card_message(card(requester="U0ALICE001")))
    assert [node["user_id"] for node in nodes(blocks) if node.get("type") == "user"] == ["U0ALICE001"]
    _, blocks = sent(card_message(card(requester="U1> <!channel")))
    assert not [node for node in nodes(blocks) if node.get("type") == "user"]


def test_too_much_of_everything_is_cut_with_a_sentence_and_keeps_its_buttons(card):
    shown = card(
        title=HUGE,
        facts=[(HUGE, HUGE)] * 40,
        concerns=[Concern("x", Severity.WARN, HUGE, HUGE)] * 200,
        note=HUGE,
        buttons=[Button(ButtonKind.CANCEL, JOB)],
    )
    _, blocks = sent(card_message(shown))
    assert "Not whole here: " in words(blocks)
    assert f"coldmigrate jobs show {JOB} --format json" in words(blocks)
    assert blocks[-1]["type"] == "actions"


def test_a_card_that_fits_says_nothing_of_cuts(card):
    _, blocks = sent(card_message(card()))
    assert "Not whole" not in words(blocks)


def test_long_log_lines_are_all_begun_and_the_sentence_says_what_was_cut():
    """A verdict with twelve lines of 16 KiB: the deciding one may be any of them."""
    lines = [f"host{n} vpxa.log:{n} [decisive] {'z' * 16_384}" for n in range(12)]
    sections = [Section("Why", "It broke."), Section("The lines that show it", "", lines), Section("Known", "• This.")]
    text, blocks = sent(reply_message(JOB, Reply("verdict", "Probable cause: packet loss.", sections)))
    said = words(blocks)
    assert all(f"host{n} vpxa.log:{n} [decisive] zzz" in said for n in range(12))
    assert "• This." in said
    assert "Not whole here: The lines that show it. " in said
    assert text == "Probable cause: packet loss."


def test_short_lines_keep_their_length_beside_a_long_one():
    lines = ["a" * 300, "z" * 50_000, "b" * 300]
    _, blocks = sent(reply_message(JOB, Reply("x", "It failed.", [Section("Log", "", lines)])))
    assert "a" * 300 in words(blocks)
    assert "b" * 300 in words(blocks)


def test_log_lines_are_shown_as_they_are():
    line = "vpxa[1]: NfcNetTcpWrite: bWritten: -1 <conn> a&b *x* `y`"
    reply = Reply("why", "It failed.", [Section("Both ends", "What the logs say:", [line, "", "next"])])
    _, blocks = sent(reply_message(JOB, reply))
    (block,) = [node for node in nodes(blocks) if node.get("type") == "rich_text_preformatted"]
    assert block["elements"] == [{"type": "text", "text": f"{line}\n\nnext"}]


def test_too_many_log_lines_are_counted():
    reply = Reply("why", "It failed.", [Section("Log", "", [f"line {n} " + "z" * 200 for n in range(500)])])
    _, blocks = sent(reply_message(JOB, reply))
    assert "… and 4" in words(blocks)
    assert "Not whole here: Log. " in words(blocks)


def test_a_reply_of_nothing_but_excess_is_still_taken():
    sections = [Section(HUGE, HUGE, [HUGE] * 9)] * 80
    sent(reply_message(JOB, Reply("x", HUGE, sections, [Button(ButtonKind.RETRY, JOB)])))


TEXTS = st.text(max_size=400) | st.sampled_from(HOSTILE)


@settings(max_examples=60, deadline=None)
@given(
    title=TEXTS,
    facts=st.lists(st.tuples(TEXTS, TEXTS), max_size=25),
    concerns=st.lists(st.builds(Concern, id=TEXTS, severity=st.sampled_from(Severity), text=TEXTS, lifted_by=TEXTS)),
    note=TEXTS,
    phase=st.sampled_from(Phase),
)
def test_slack_takes_every_card(title, facts, concerns, note, phase):
    made = JobCard(
        job=JOB, channel="C1", phase=phase, title=title, requester="U1", facts=facts, concerns=concerns, note=note
    )
    sent(card_message(made))
    sent(card_message(replace(made, buttons=[Button(kind, JOB) for kind in ButtonKind])))


@settings(max_examples=60, deadline=None)
@given(text=TEXTS, sections=st.lists(st.builds(Section, heading=TEXTS, text=TEXTS, lines=st.lists(TEXTS, max_size=9))))
def test_slack_takes_every_reply(text, sections):
    sent(reply_message(JOB, Reply("key", text, sections)))
