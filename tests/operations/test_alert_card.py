"""What the message of an incident says, from the incident and how it stands alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.diagnosis.causes import Cause
from bot.incidents.incident import Case, Client, IncidentId, Mute, Scope, ScopeKind, Standing, State
from bot.incidents.port import Action, Escalation
from bot.operations.alert_card import alert_card, cause_in_words, title_of
from bot.slack.alert import alert_message
from bot.slack.port import AlertLook, ButtonKind
from tests.operations.alerts_stage import FIRST, INCIDENT, a_count, an_incident

LATER = FIRST + timedelta(minutes=5)
MUTE = Mute(Scope(ScopeKind.INCIDENT, INCIDENT), FIRST + timedelta(hours=4), "U2", LATER, "planned work")


def case(state: State = State.OPEN, by: str = "", **changes) -> Case:
    standing = Standing(state=state, opened_at=FIRST, channel="C1", by=by, at=LATER if by else None)
    return Case(an_incident(**changes), standing)


def test_an_open_one_names_what_is_known_and_asks_for_somebody():
    card = alert_card(case())
    assert card.title == "Packet loss at site1, site2: 3 hosts, 7 failures"
    assert (card.look, card.state, card.ended) == (AlertLook.OPEN, "open", False)
    assert dict(card.facts) == {
        "Whose copies": "backup",
        "Failures": "7, of which 3 surely ended a copy; 41 lines",
        "VMs": "web01, db01",
        "opID": "C65743A5-0000024D",
    }
    assert card.columns[-1] == "VMs"
    nameless = alert_card(case(hosts={f"east/esx-{n}": a_count(1) for n in range(3)}))
    assert {len(row) for row in nameless.rows} == {len(nameless.columns)} == {4}
    assert [row[0] for row in card.rows] == ["esx-01.example.net", "esx-02.example.net", "esx-11.example.net"]
    assert card.verdict.splitlines()[1] == "Check next: Measure the loss between the sites."
    assert card.note == ""
    assert ButtonKind.ACKNOWLEDGE in {button.kind for button in card.buttons}
    alert_message(card)


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"link": "site1~site2"}, "Packet loss between site1 and site2: 3 hosts, 7 failures"),
        ({"cause": Cause.NFC_MEMORY_LIMIT, "sites": ()}, "NFC memory limit: 3 hosts, 7 failures"),
        (
            {"hosts": {"east/esx-01.example.net": a_count(1)}, "peers": ("10.0.0.9",), "count": 1},
            "Packet loss between esx-01 and 10.0.0.9: 1 failure, web01, db01",
        ),
        (
            {"hosts": {"east/esx-01.example.net": a_count(1)}, "vms": (), "cause": Cause.UNDETERMINED},
            "NFC failures on esx-01: 7 failures",
        ),
    ],
)
def test_the_title_says_what_it_is_about(changes, title):
    assert title_of(an_incident(**changes)) == title


def test_every_cause_has_a_name_that_begins_a_title():
    assert all(cause_in_words(cause)[0].isupper() and "_" not in cause_in_words(cause) for cause in Cause)


def test_who_took_it_is_named_and_the_question_is_gone():
    card = alert_card(case(State.ACKNOWLEDGED, "U1"))
    assert (card.look, card.person) == (AlertLook.ACKNOWLEDGED, ("Acknowledged by", "U1"))
    assert ButtonKind.ACKNOWLEDGE not in {button.kind for button in card.buttons}
    assert ("acknowledged", LATER) in card.moments


@pytest.mark.parametrize(
    ("by", "state", "person"),
    [("U1", "resolved", ("Resolved by", "U1")), ("", "over: nothing more of it was seen", None)],
)
def test_an_end_says_who_ended_it(by, state, person):
    card = alert_card(case(State.RESOLVED, by))
    assert (card.look, card.state, card.person, card.ended) == (AlertLook.RESOLVED, state, person, True)
    assert "Check next" not in card.verdict


def test_what_is_read_at_night_is_short_and_whole_sentences():
    told = replace(
        an_incident().verdict, headline="Probable cause: loss.", explanation="It broke. " + "So it goes on. " * 30
    )
    verdict = alert_card(case(verdict=told)).verdict
    assert verdict.startswith("Probable cause: loss.\nCheck next: ")
    assert verdict.endswith("So it goes on.")
    assert len(verdict) < 700


def test_one_failure_says_whether_it_ended_a_copy_and_a_storm_lists_no_opids():
    one = alert_card(case(count=1, failed=1, lines=1, op_ids=tuple(f"{n:08X}" for n in range(5))))
    assert dict(one.facts)["Failures"] == "1, which surely ended a copy; 1 line"
    assert "opID" not in dict(one.facts)


def test_one_that_went_up_in_another_says_in_which():
    merged = case(State.MERGED)
    card = alert_card(replace(merged, standing=replace(merged.standing, into=IncidentId("k3q7m2xa"))))
    assert card.state == "part of a larger incident now, k3q7m2xa"
    assert [button.kind for button in card.buttons] == [ButtonKind.LINES]


def test_a_mute_says_who_until_when_and_why():
    card = alert_card(case(), mutes=[MUTE])
    assert (card.look, card.state, card.person) == (AlertLook.MUTED, "muted", ("Muted by", "U2"))
    assert ("muted until", MUTE.until) in card.moments
    assert ("Muted because", "planned work") in card.facts
    wide = replace(MUTE, scope=Scope(ScopeKind.CLIENT, Client.BACKUP))
    assert ("Muted with it", "client:backup") in alert_card(case(), mutes=[wide]).facts
    other = replace(MUTE, scope=Scope(ScopeKind.INCIDENT, "another2"))
    assert alert_card(case(), mutes=[other]).look is AlertLook.OPEN


def test_who_is_woken_when_and_where_that_is_seen():
    waiting = Escalation(incident=INCIDENT, sink="pagerduty", due=LATER)
    assert ("pagerduty is told", LATER) in alert_card(case(), escalations=[waiting]).moments
    told = replace(waiting, said=Action.TRIGGER, url="https://acme.pagerduty.com/incidents/P1")
    card = alert_card(case(), escalations=[told], on_call=["Dana"])
    assert card.pager == ("Open PagerDuty", told.url)
    assert {("Told", "pagerduty"), ("On call", "Dana")} <= set(card.facts)
    broken = replace(waiting, trouble="HTTP 400")
    assert "pagerduty could not be told: HTTP 400" in alert_card(case(), escalations=[broken]).note
