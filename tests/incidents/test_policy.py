"""Who hears of an incident, when, and why nobody does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.diagnosis.causes import Cause
from bot.incidents.digest import COLUMNS, MOST_ROWS, digest
from bot.incidents.incident import Case, Client, Mute, Scope, ScopeKind, State
from bot.incidents.policy import (
    Due,
    Hushed,
    Loudness,
    Mode,
    SinkPolicy,
    Speak,
    mutes_of,
    quiet_until,
    sinks_for,
    speaks,
)
from bot.migration.calendar import Window
from tests.incidents.night import ALERT, DUSK, Night, failure, host, minutes

NIGHT = (Window.read("Mon-Fri 20:00-06:00 UTC"),)


def case(*others: dict[str, object], **told: object) -> Case:
    """One incident of failures of one VM."""
    night = Night(loudness=Loudness())
    about = {"vm": "web", "failed": True, "link": "site1~site2", "peer": "p", "sites": ("site1", "site2"), **told}
    night.hear([failure(f"op{number}", **{**about, **more}) for number, more in enumerate([{}, *others])])
    (found,) = night.cases.values()
    return found


def mute(kind: ScopeKind, name: str = "", *, hours: float = 1) -> Mute:
    return Mute(Scope(kind, name), DUSK + timedelta(hours=hours), "U1", DUSK)


def reason(found: Case, loudness: Loudness = ALERT, *mutes: Mute) -> str:
    verdict = speaks(found, loudness=loudness, mutes=mutes, now=DUSK)
    return verdict.reason if isinstance(verdict, Hushed) else ""


def test_alert_mode_speaks_of_what_surely_failed_and_of_clusters():
    assert reason(case()) == ""
    assert reason(case(failed=None)) == "no operation surely failed yet, and it is no cluster of hosts"
    storm = case({"hosts": [host(2)]}, {"hosts": [host(3)]}, failed=None)
    assert storm.incident.storm
    assert reason(storm) == ""
    assert reason(case(client=Client.BACKUP)).startswith("backup: [alerts].clients does not name it")
    assert reason(case(), Loudness()) == "observe"
    assert reason(case(client=Client.OURS, job=None)) == "ours"
    over = case()
    assert reason(replace(over, standing=replace(over.standing, state=State.RESOLVED))) == "it is over"


@pytest.mark.parametrize(
    ("mutes", "held"),
    [
        ([mute(ScopeKind.ALL)], True),
        ([mute(ScopeKind.INCIDENT, "i1")], True),
        ([mute(ScopeKind.INCIDENT, "i2")], False),
        ([mute(ScopeKind.CAUSE, "packet_loss")], True),
        ([mute(ScopeKind.CLIENT, "migration")], True),
        ([mute(ScopeKind.CLIENT, "backup")], False),
        ([mute(ScopeKind.LINK, "site1~site2")], True),
        ([mute(ScopeKind.VM, "WEB")], True),
        ([mute(ScopeKind.HOST, "esx-1001.example")], False),
        ([mute(ScopeKind.HOST, "esx-1001.example"), mute(ScopeKind.HOST, "esx-1002.example", hours=0.5)], True),
        ([mute(ScopeKind.HOST, "esx-1001.example"), mute(ScopeKind.HOST, "esx-1002.example", hours=0)], False),
        ([mute(ScopeKind.ALL, hours=0)], False),
    ],
)
def test_a_mute_holds_what_it_covers(mutes, held):
    found = case({"hosts": [host(2)]})
    assert bool(mutes_of(found.incident, mutes, now=DUSK)) is held
    assert ("muted by U1 until" in reason(found, ALERT, *mutes)) is held


def test_a_mute_of_several_names_ends_with_the_first_of_them():
    hosts = [mute(ScopeKind.HOST, f"esx-100{number}.example", hours=number) for number in range(1, 5)]
    found = case(*({"hosts": [host(number)]} for number in range(2, 5)))
    verdict = speaks(found, loudness=ALERT, mutes=hosts, now=DUSK)
    assert isinstance(verdict, Hushed)
    assert verdict.until == DUSK + timedelta(hours=1)
    assert "host:esx-1003.example ... muted" in verdict.reason


def test_quiet_hours_end_when_the_last_of_them_does():
    windows = [Window.read(text) for text in ("Mon-Sun 21:00-23:00 UTC", "Mon-Sun 22:30-01:00 UTC")]
    assert quiet_until(windows, DUSK) == DUSK + timedelta(hours=3)
    assert quiet_until(windows, DUSK + timedelta(hours=3)) is None
    assert quiet_until([], DUSK) is None
    ever = [Window.read("Mon-Sun 00:00-24:00 UTC")]
    assert quiet_until(ever, DUSK) is not None


@pytest.mark.parametrize(
    ("sink", "quiet"),
    [
        (SinkPolicy(name="always"), False),
        (SinkPolicy(name="full", causes=("dest_full",)), True),
        (SinkPolicy(name="office", hours=(Window.read("Mon-Sun 08:00-17:00 UTC"),)), True),
        (SinkPolicy(name="slow", after=timedelta(days=1)), True),
    ],
)
def test_quiet_hours_hold_back_nothing_that_somebody_is_woken_for(sink, quiet):
    hushed = replace(ALERT, quiet=(Window.read("Mon-Sun 21:00-06:00 UTC"),))
    verdict = speaks(case(), loudness=hushed, mutes=(), now=DUSK, sinks=[sink])
    assert isinstance(verdict, Hushed) is quiet


def test_sinks_are_told_by_cause_and_site_and_in_their_hours():
    now = datetime(2026, 3, 2, 19, 55, tzinfo=UTC)  # a Monday
    found = case()
    spoken = replace(found, standing=replace(found.standing, channel="C1", spoken_at=now))
    policies = [
        SinkPolicy(name="always"),
        SinkPolicy(name="night", hours=NIGHT, after=minutes(0)),
        SinkPolicy(name="soon", hours=NIGHT, after=minutes(20)),
        SinkPolicy(name="full", causes=("dest_full",)),
        SinkPolicy(name="site1", sites=("site1",), causes=("packet_loss", "nat")),
        SinkPolicy(name="site9", sites=("site9",)),
    ]
    assert sinks_for(spoken, policies, now=now + minutes(3)) == [
        Due("always", now + minutes(10)),
        Due("night", now + minutes(5)),
        Due("soon", now + minutes(20)),
        Due("site1", now + minutes(10)),
    ]
    assert sinks_for(found, policies[:1], now=now) == [Due("always", now + minutes(10))]
    back = replace(spoken, standing=replace(spoken.standing, at=now + timedelta(hours=2)))
    assert sinks_for(back, policies[:1], now=now) == [Due("always", now + timedelta(hours=2, minutes=10))]
    saturday = replace(spoken, standing=replace(spoken.standing, spoken_at=datetime(2026, 3, 7, 12, tzinfo=UTC)))
    assert sinks_for(saturday, policies[1:2], now=now) == [Due("night", datetime(2026, 3, 9, 20, tzinfo=UTC))]
    seen = replace(spoken, standing=replace(spoken.standing, state=State.ACKNOWLEDGED))
    assert sinks_for(seen, policies, now=now) == ()


def told(cases: list[Case], loudness: Loudness = ALERT, *mutes: Mute, days: float = 1):
    return digest(
        cases,
        title=lambda incident: f"{incident.cause} {incident.count}",
        loudness=loudness,
        mutes=mutes,
        begin=DUSK - timedelta(days=days),
        end=DUSK + minutes(1),
    )


def test_an_empty_day_is_said():
    said = told([])
    assert said.title == "No NFC failures, 2026-03-01 22:00 to 2026-03-02 22:01 UTC"
    assert (said.rows, said.sentences, said.loud) == ([], [], 0)
    assert told([], Loudness()).sentences[0].startswith("Nothing would have been posted in alert mode.")


def test_a_digest_says_why_what_was_quiet_was_quiet():
    night = Night()
    night.hear(
        [
            failure("op1", failed=True, vm="a"),
            failure("op2", hosts=[host(2)], vm="b"),
            failure("op3", hosts=[host(3)], vm="c", cause=Cause.FILE_LOCKED, failed=True),
            failure("op4", hosts=[host(4)], vm="d", cause=Cause.DEST_FULL, failed=True),
        ]
    )
    first, second, third, fourth = night.cases.values()
    hushed = replace(third, standing=replace(third.standing, channel="", hushed="quiet hours until dawn"))
    over = replace(fourth, standing=replace(fourth.standing, channel="", state=State.RESOLVED))
    said = told([second, hushed, first, over])
    assert len(COLUMNS) == len(said.rows[0])
    assert sorted(row[1] for row in said.rows) == [
        "no operation surely failed yet, and it is no cluster of hosts",
        "over before it could be told",
        "quiet hours until dawn",
        "yes",
    ]
    assert said.rows[0][1] == "yes"
    assert said.title.startswith("4 NFC failures in 4 incidents, ")
    assert said.sentences == [
        "1 incident had a message, 3 had none; the table says why.",
        "Whose copies: 4 migration.",
        "4 hosts told of them; 3 failures surely ended a copy.",
        "3 incidents are not over.",
    ]
    assert told([hushed], Loudness()).rows[0][1] == "would have", "why it is quiet in observe mode, everybody knows"
    muted = told([over], ALERT, mute(ScopeKind.ALL))
    assert muted.rows[0][1].startswith("all muted by U1")


def test_a_digest_is_bounded_and_leaves_out_what_was_not_that_day_or_is_part_of_another():
    found = case()
    many = [replace(found, incident=replace(found.incident, count=number)) for number in range(1, MOST_ROWS + 6)]
    said = told(many, Loudness(mode=Mode.OBSERVE))
    assert (len(said.rows), said.left_out, said.loud) == (MOST_ROWS, 5, MOST_ROWS + 5)
    assert said.rows[0][2] == str(MOST_ROWS + 5)
    merged = replace(found, standing=replace(found.standing, state=State.MERGED))
    old = replace(found, incident=replace(found.incident, heard=DUSK - timedelta(days=2)))
    later = replace(found, standing=replace(found.standing, opened_at=DUSK + minutes(2)))
    assert told([merged, old, later]).rows == []
    long = digest([found], title=lambda _: "x" * 999, loudness=ALERT, begin=DUSK, end=DUSK + minutes(1))
    assert len(long.rows[0][0]) < 200


def test_speak_is_what_is_left():
    assert speaks(case(), loudness=ALERT, mutes=(), now=DUSK) == Speak()
