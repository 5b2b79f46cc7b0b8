"""Alerts as people meet them: the message, its buttons, the form of a mute, /nfcalerts and App Home; on a real desk."""

from __future__ import annotations

import pytest

from bot.incidents.incident import State
from bot.jobs.queue import RedisQueue
from bot.operations.alert_card import show_alert
from bot.operations.counter import Counter
from bot.operations.desk import Desk
from bot.operations.rights import Grant, Rights, Verb
from bot.playground.slack.default_workspace import GROUP
from bot.slack.channels import SlackChannels
from bot.slack.groups import SlackGroupMembers
from bot.slack.outbox import RedisOutbox
from bot.slack.port import AlertCard, AlertLook
from bot.store import keys
from tests.fixtures_slack import CHANNEL
from tests.handlers_slack.conftest import words
from tests.operations.alerts_stage import INCIDENT, SPECS, alert_counter, an_incident, keep, standing
from tests.slack.test_card import HOSTILE
from tests.slack_referee.judge import faults_of_view

pytestmark = pytest.mark.usefixtures("bot")
PAGER = "https://acme.pagerduty.com/incidents/P1"


@pytest.fixture
async def counter(store, client) -> Counter:
    """@vm-ops may do everything everywhere; mallory, who is in no group, nothing."""
    rights = Rights([Grant((f"group:{GROUP}",), frozenset(Verb), ("*",))], SlackGroupMembers(client))
    plain = alert_counter(store)
    channels = SlackChannels(client)
    return Counter(
        RedisQueue(store),
        RedisOutbox(store),
        plain.inventory,
        rights,
        channels,
        SPECS,
        {},
        None,
        incidents=plain.incidents,
    )


@pytest.fixture
async def desk(counter) -> Desk:
    """Instead of the verbs that only remember."""
    return Desk(counter)


@pytest.fixture
async def message(player, store, counter):
    """The message of an incident, once it is in the channel; as it is now with each call."""
    await keep(store, an_incident(), channel=CHANNEL)
    await show_alert(counter.incidents, counter.outbox, INCIDENT)
    look = lambda: [m for m in player.person.history(CHANNEL) if m.get("bot_id")]  # noqa: E731
    await player.person.wait_for(look)
    return lambda: look()[0]


@pytest.fixture
def click(player, message):
    async def clicked(name: str, user: str = "alice"):
        outcome = await player.person.click(user, CHANNEL, message()["ts"], f"cm.{name}")
        assert outcome.error is None, outcome.error
        return outcome

    return clicked


@pytest.fixture
def typed(player):
    async def say(line: str, user: str = "alice", channel: str = "#migrations") -> str:
        outcome = await player.person.command(user, channel, f"/nfcalerts {line}")
        assert outcome.error is None, outcome.error
        return words(outcome.ack)

    return say


async def test_a_click_takes_it_and_the_message_says_who(player, store, message, click, told):
    await click("acknowledge")
    assert "nobody else is woken" in await told("alice")
    await player.person.wait_for(lambda: "acknowledged" in message()["text"])
    assert (await standing(store)).by == "U0ALICE001"
    assert "U0ALICE001" in str(message()["blocks"])
    await click("resolve", "bob")
    await player.person.wait_for(lambda: "resolved" in message()["text"])
    assert (await standing(store)).state is State.RESOLVED


@pytest.mark.parametrize("button", ["acknowledge", "resolve", "mute", "diagnose-incident", "lines"])
async def test_who_has_no_right_only_reads_that(store, click, told, button, player):
    await click(button, "mallory")
    assert "may not" in await told("mallory")
    assert (await standing(store)).state is State.OPEN
    assert player.person.views("mallory") == []


async def test_a_mute_asks_what_and_for_how_long_and_says_until_when(player, counter, message, click):
    await click("mute")
    [view] = await player.person.wait_for(lambda: player.person.views("alice"))
    assert "This incident" in words(view)
    wrong = await player.person.submit_view("alice", view["id"], {"cm.mute-form.other": "10 minutes"})
    assert wrong.ack["response_action"] == "errors"
    assert await counter.incidents.mutes() == []
    filled = {
        "cm.mute-form.scope": f"incident:{INCIDENT}",
        "cm.mute-form.span": "1d",
        "cm.mute-form.other": "36h",
        "cm.mute-form.why": "planned <!channel> work",
    }
    done = await player.person.submit_view("alice", view["id"], filled)
    assert done.ack["response_action"] == "update"
    [mute] = await counter.incidents.mutes()
    assert ((mute.until - mute.at).total_seconds(), mute.why) == (36 * 3600, "planned <!channel> work")
    await player.person.wait_for(lambda: "muted" in message()["text"])
    assert "muted until" in words(message()["blocks"])


async def test_its_lines_and_a_diagnosis_come_below_it(player, message, click, told):
    await click("lines")
    await click("diagnose-incident")
    thread = lambda: player.person.thread(CHANNEL, message()["ts"])  # noqa: E731
    await player.person.wait_for(lambda: len(thread()) == 3)
    assert "bWritten: -1" in words([one.get("blocks") for one in thread()])
    assert "Diagnosis of esx-01.example.net" in str(thread())
    assert len([one for one in player.person.history(CHANNEL) if one.get("bot_id")]) == 1


async def test_asked_for_a_diagnosis_in_its_thread_the_bot_knows_what_is_meant(player, message, store):
    player.person.mention("alice", CHANNEL, "diagnose", thread_ts=message()["ts"])
    thread = lambda: str(player.person.thread(CHANNEL, message()["ts"]))  # noqa: E731
    await player.person.wait_for(lambda: "Diagnosis of esx-01.example.net" in thread())


async def test_the_way_to_the_pager_is_a_link_and_clicking_it_changes_nothing(player, counter, message, click, store):
    await counter.outbox.show_alert(
        AlertCard(INCIDENT, CHANNEL, "x", AlertLook.OPEN, "open", "", pager=("Open PagerDuty", PAGER))
    )
    await player.person.wait_for(lambda: PAGER in str(message()["blocks"]))
    await click("open-pager")
    assert player.person.ephemerals("alice") == []
    assert (await standing(store)).state is State.OPEN


async def test_what_redis_lost_is_said_and_its_buttons_go(player, store, message, click, told):
    await store.delete(keys.incident(INCIDENT))
    await click("acknowledge")
    assert f"Incident {INCIDENT} is not known any more" in await told("alice")
    await player.person.wait_for(lambda: "cm.acknowledge" not in str(message()["blocks"]))
    assert "no longer known" in words(message()["blocks"])


async def test_the_command_lists_mutes_and_says_where(player, message, typed, counter):
    shown = await typed("list")
    assert "Packet loss at site1, site2" in shown
    ack = (await player.person.command("alice", "#migrations", "/nfcalerts list")).ack
    assert f"/archives/{CHANNEL}/p{message()['ts'].replace('.', '')}" in str(ack)
    assert "Muted: the host esx-01.example.net" in await typed("mute esx-01 2h tests")
    assert "The host esx-01.example.net (tests)" in await typed("list")
    assert "No longer muted" in await typed("unmute esx-01")
    assert "Alerts come here" in await typed("here")
    assert (await counter.incidents.place()).channel == CHANNEL
    player.switches.remove_bot("#random")
    assert "Invite me" in (await typed("here", channel="#random"))
    assert (await counter.incidents.place()).channel == CHANNEL
    assert "No host is watched" in await typed("status")
    assert "Did you mean 'list'" in await typed("lst")
    for nothing in ("", "help"):
        assert "/nfcalerts mute <host> 2h" in await typed(nothing)
    assert "may do nothing" in await typed("help", user="mallory")
    assert "may not" in await typed("off", user="mallory")


async def test_home_shows_what_is_wrong_and_what_is_muted(player, message, typed):
    await typed("mute client backup 1d")
    player.person.open_home("alice")
    look = lambda: [view for view in player.person.views("alice") if view["type"] == "home"]  # noqa: E731
    [view] = await player.person.wait_for(look)
    assert "🔕 Packet loss at site1, site2: 3 hosts, 7 failures" in words(view)
    assert "All copies of the client 'backup'" in words(view)


@pytest.mark.parametrize("name", HOSTILE[:6])
async def test_names_from_logs_neither_ping_nor_format(player, store, counter, typed, name):
    named = name.replace("\x00", "")
    await keep(store, an_incident(vms=(named,), op_ids=(named,), peers=(named,)), channel=CHANNEL)
    await show_alert(counter.incidents, counter.outbox, INCIDENT)
    await player.person.wait_for(lambda: [m for m in player.person.history(CHANNEL) if m.get("bot_id")])
    [posted] = [m for m in player.person.history(CHANNEL) if m.get("bot_id")]
    assert "<" not in posted["text"]
    assert "mrkdwn" not in str(posted["blocks"])
    ack = (await player.person.command("alice", "#migrations", "/nfcalerts list")).ack
    assert "mrkdwn" not in str(ack["blocks"])
    await player.person.click("alice", CHANNEL, posted["ts"], "cm.mute")
    player.person.open_home("alice")
    views = await player.person.wait_for(
        lambda: len(player.person.views("alice")) == 2 and player.person.views("alice")
    )
    sent = [{name: view[name] for name in ("type", "title", "submit", "blocks") if view.get(name)} for view in views]
    assert [faults_of_view(view) for view in sent] == [[], []]
