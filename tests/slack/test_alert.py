"""The message of an incident: what it says, that nothing from outside bends it, and where it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.migration.request import JobId
from bot.slack.alert import OPEN_PAGER, alert_message, is_safe, size_of
from bot.slack.inbox import RedisInbox
from bot.slack.port import AlertCard, AlertLook, Button, ButtonKind
from bot.store import keys
from tests.fixtures_slack import CHANNEL
from tests.slack.test_card import HOSTILE, HUGE, nodes, sent, words
from tests.slack_referee.judge import faults_of_message

INCIDENT = JobId("n2fcalrt")
AT = datetime(2026, 11, 23, 1, 42, tzinfo=UTC)
BUTTONS = [
    Button(kind, INCIDENT)
    for kind in (
        ButtonKind.ACKNOWLEDGE,
        ButtonKind.MUTE,
        ButtonKind.RESOLVE,
        ButtonKind.DIAGNOSE_INCIDENT,
        ButtonKind.LINES,
    )
]
PAGER = "https://acme.pagerduty.com/incidents/PT4KHLK"


def alert(**changes) -> AlertCard:
    plain = AlertCard(
        subject=INCIDENT,
        channel=CHANNEL,
        title="Packet loss between site1 and site2: 3 hosts, 7 failures",
        look=AlertLook.OPEN,
        state="open",
        verdict="NFC sessions died while data was flowing.",
        facts=[("Cause", "packet loss, 60 % sure by the log"), ("Whose copies", "backup")],
        columns=["Host", "Failures", "Last seen", "VMs"],
        rows=[[f"esx-{n:02}.example.net", str(9 - n), "01:58 UTC", "web01"] for n in range(1, 4)],
        buttons=BUTTONS,
        moments=[("First seen", AT), ("last", AT.replace(minute=58))],
    )
    return replace(plain, **changes)


def storm(hosts: int, **changes) -> AlertCard:
    rows = [[f"esx-{n:03}.example.net", "2", "01:58 UTC", f"vm{n}"] for n in range(hosts)]
    return alert(title=f"Packet loss: {hosts} hosts", rows=rows, **changes)


def test_it_says_how_it_stands_and_asks_for_what_people_do():
    text, blocks = sent(alert_message(alert(pager=("Open PagerDuty", PAGER), person=("Woken", "U0ALICE001"))))
    assert text.startswith("Packet loss between site1 and site2: 3 hosts, 7 failures: open. NFC sessions died")
    assert "🔴 Open" in words(blocks)
    dates = [one["timestamp"] for one in nodes(blocks) if one.get("type") == "date"]
    assert dates == [AT.timestamp(), AT.timestamp() + 16 * 60]
    buttons = [one for one in nodes(blocks) if one.get("type") == "button"]
    labels = [one["text"]["text"] for one in buttons]
    assert labels == ["Acknowledge", "Mute …", "Resolve", "Diagnose", "Lines", "Open PagerDuty"]
    assert buttons[-1]["url"] == PAGER
    assert buttons[-1]["action_id"] == OPEN_PAGER
    assert {one["value"] for one in buttons} == {INCIDENT}
    assert [one["user_id"] for one in nodes(blocks) if one.get("type") == "user"] == ["U0ALICE001"]
    assert faults_of_message({"text": text, "blocks": blocks}) == []


@pytest.mark.parametrize("look", AlertLook)
def test_every_look_has_a_sign_of_its_own(look):
    signs = {words(alert_message(alert(look=one))[1]).split("\n")[1][0] for one in AlertLook}
    assert len(signs) == len(AlertLook)
    sent(alert_message(alert(look=look)))


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.pagerduty.com/x",
        "javascript:alert(1)",
        "https://",
        "https://user:secret@acme.pagerduty.com/",
        "https://acme.pagerduty.com/<b>",
        "https://acme.pagerduty.com/\u202egnp",
        "https://[::1",
        "https://acme.pagerduty.com/" + "x" * 3000,
        "",
    ],
)
def test_an_address_that_nobody_should_open_gets_no_button(url):
    assert not is_safe(url)
    _, blocks = sent(alert_message(alert(pager=("Open PagerDuty", url))))
    assert not any("url" in node for node in nodes(blocks))


def test_a_storm_shows_the_worst_hosts_and_says_where_the_others_are():
    text, blocks = sent(alert_message(storm(300)))
    table = next(one for one in blocks if one["type"] == "table")
    assert len(table["rows"]) == 11
    assert "… and 290 more" in words(blocks)
    assert "is in a file in the thread" in words(blocks)
    assert faults_of_message({"text": text, "blocks": blocks}) == []


TEXTS = st.one_of(st.sampled_from([*HOSTILE, HUGE]), st.text(max_size=200))


@settings(max_examples=60, deadline=None)
@given(title=TEXTS, state=TEXTS, verdict=TEXTS, note=TEXTS, cells=st.lists(TEXTS, max_size=5), pager=TEXTS)
def test_whatever_logs_say_slack_takes_it_and_nobody_is_pinged(title, state, verdict, note, cells, pager):
    card = alert(
        title=title,
        state=state,
        verdict=verdict,
        note=note,
        facts=[(cell, cell) for cell in cells],
        columns=["Host", "VMs"],
        rows=[[cell, cell] for cell in cells],
        pager=(pager, pager),
        person=(verdict, title),
    )
    text, blocks = sent(alert_message(card))
    assert "<" not in text
    assert not any(node.get("type") == "mrkdwn" for node in nodes(blocks))
    assert all(node.get("emoji") is False for node in nodes(blocks) if node.get("type") == "plain_text")


async def test_one_message_is_posted_edited_ended_and_opened_again(player, outbox, drain, posted):
    await drain()
    await outbox.show_alert(alert())
    await player.person.wait_for(posted)
    for change in ({"title": "8 failures"}, {"look": AlertLook.RESOLVED, "ended": True}, {"title": "It came back"}):
        await outbox.show_alert(alert(**change))
        wanted = alert_message(alert(**change))[0]
        await player.person.wait_for(lambda wanted=wanted: posted()[0]["text"] == wanted)
    assert len(posted()) == 1
    assert "thread_ts" not in posted()[0]


async def test_a_storm_that_grows_leaves_one_file_for_each_size_and_one_for_its_end(player, outbox, drain, posted):
    await drain()
    cards = [storm(120), storm(130, look=AlertLook.ACKNOWLEDGED), storm(1100), storm(1100, ended=True)]
    for card in cards:
        await outbox.show_alert(card)
    assert [size_of(card) for card in cards] == ["100", "100", "1000", "1000-ended"]
    await player.person.wait_for(posted)
    files = lambda: [f for m in player.person.thread(CHANNEL, posted()[0]["ts"]) for f in m.get("files") or ()]  # noqa: E731
    await player.person.wait_for(lambda: len(files()) == 3)
    assert sorted(file["name"] for file in files()) == [
        f"coldmigrate-{INCIDENT}-hosts-100.txt",
        f"coldmigrate-{INCIDENT}-hosts-1000-ended.txt",
        f"coldmigrate-{INCIDENT}-hosts-1000.txt",
    ]


async def test_roles_without_a_token_know_where_it_is(player, outbox, drain, posted, client):
    assert await outbox.link_to(INCIDENT) == ""
    assert await outbox.place_of(INCIDENT) is None
    await drain()
    await outbox.show_alert(alert())
    ts = (await player.person.wait_for(posted))[0]["ts"]
    async with asyncio.timeout(10):
        while not (link := await outbox.link_to(INCIDENT)):
            await player.person.wait_for(posted)
    said = await client.chat_getPermalink(channel=CHANNEL, message_ts=ts)
    assert link == said["permalink"]


async def test_a_click_on_it_is_known_while_the_incident_is(store, outbox, drain, posted, player):
    await drain()
    await outbox.show_alert(alert())
    ts = (await player.person.wait_for(posted))[0]["ts"]
    inbox = RedisInbox(store)
    assert not await inbox.clicked(INCIDENT, CHANNEL, ts)
    await store.hset(keys.incident(INCIDENT), "id", INCIDENT)
    assert await inbox.clicked(INCIDENT, CHANNEL, ts)
