"""Nights of a fleet, judged on what the channel shows at their end."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.diagnosis.causes import Cause
from bot.incidents.digest import digest
from bot.incidents.incident import Client, IncidentId, Mute, Scope, ScopeKind, State
from bot.incidents.policy import Hushed, Loudness, Mode, speaks
from tests.incidents.night import ALERT, DUSK, LINK, SYMPTOMS, Night, dead_link, failure, host, minutes


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("at_once", [1, 40, 1000])
def test_one_dead_link_and_300_hosts_are_one_incident(seed, at_once):
    hosts = 300 if at_once > 1 else 60
    failures = dead_link(hosts, seed)
    apart = failure("op other", hosts=[host(1, site=3)], cause=Cause.DEST_FULL, confidence=0.85, vm="db", failed=True)
    night = Night()
    for begin in range(0, len(failures), at_once):
        night.hear(failures[begin : begin + at_once], at=DUSK + minutes(4))
    night.hear([apart], at=DUSK + minutes(5))
    storm, other = sorted(night.live, key=lambda incident: -incident.count)
    assert storm.storm
    assert storm.link == LINK
    assert len(storm.hosts) == hosts
    assert storm.count == len(failures), "each failure once"
    assert storm.lines == sum(one.lines for one in failures)
    assert sum(count.failures for count in storm.hosts.values()) == len(failures)
    assert storm.cause in SYMPTOMS
    assert (other.count, other.cause, other.storm) == (1, Cause.DEST_FULL, False)
    ended = Counter(case.standing.state for case in night.cases.values())
    assert set(ended) <= {State.OPEN, State.MERGED}
    merged = [case for case in night.cases.values() if case.standing.state is State.MERGED]
    assert all(case.standing.into in night.cases for case in merged)
    assert {case.incident.id for case in merged} <= {*storm.merged}
    assert [case.incident.id for case in night.shown if case.standing.state is State.OPEN] == [storm.id, other.id]


def test_a_storm_that_goes_on_stays_one_and_ends_once():
    night = Night()
    night.hear(dead_link(30, seed=1), at=DUSK + minutes(4))
    (storm,) = night.live
    for minute in range(5, 50, 5):
        at = DUSK + minutes(minute)
        night.hear([failure(f"op late {minute}", hosts=[host(minute)], at=at, link=LINK, peer="x")], at=at)
    assert [incident.id for incident in night.live] == [storm.id]
    night.sit(minutes(59))
    assert night.live
    night.sit(minutes(2))
    assert not night.live
    assert [case.standing.state for case in night.shown] == [State.RESOLVED]


def test_what_is_learned_later_of_the_other_ends_makes_one_of_many():
    night = Night()
    blind = [failure(f"op{number}", hosts=[host(number)], sites=("site1",)) for number in range(4)]
    night.hear(blind)
    assert len(night.live) == 4
    peer = {"peer": "esx-2001.example", "peer_host": host(1, site=2), "sites": ("site1", "site2"), "link": LINK}
    for number, one in enumerate(blind):
        night.hear([replace(one, vm=f"vm{number}", failed=True, **peer)])
    (storm,) = night.live
    assert (storm.count, storm.lines, storm.failed, storm.link, storm.storm) == (4, 12, 4, LINK, True)
    assert [count.vms for _, count in sorted(storm.hosts.items())] == [("vm0",), ("vm1",), ("vm2",), ("vm3",)]
    assert [case.standing.channel for case in night.shown] == ["C1"]


def test_20_times_on_and_off_is_one_incident():
    night = Night()
    for time in range(21):
        at = DUSK + time * timedelta(hours=2)
        hosts = [host(1)]
        night.hear([failure(f"op{time}", at=at, hosts=hosts, peer="esx-2001.example", failed=True)], at=at)
        night.sit(minutes(61))
    (case,) = night.cases.values()
    assert (case.incident.flaps, case.incident.count, case.incident.failed) == (20, 21, 21)
    assert case.standing.state is State.RESOLVED
    assert len(night.shown) == 1


def test_what_comes_back_a_day_later_is_another_one():
    night = Night()
    for day in range(2):
        at = DUSK + timedelta(days=day)
        night.hear([failure(f"op{day}", at=at, vm="web", failed=True)], at=at)
        night.sit(minutes(61))
    assert [case.incident.flaps for case in night.cases.values()] == [0, 0]


def test_a_mute_survives_the_end_the_return_and_a_restart():
    night = Night()
    night.mutes.append(Mute(Scope(ScopeKind.HOST, "ESX-1001.example"), DUSK + timedelta(hours=9), "U7", DUSK))
    for time in range(4):
        at = DUSK + time * timedelta(hours=2)
        night.hear([failure(f"op{time}", at=at, failed=True)], at=at)
        night.restart()
        night.sit(minutes(61))
    assert not night.shown
    at = DUSK + timedelta(hours=8, minutes=30)
    night.hear([failure("op9", at=at, failed=True)], at=at)
    (case,) = night.cases.values()
    verdict = speaks(case, loudness=ALERT, mutes=night.mutes, now=night.now)
    assert verdict == Hushed("host:ESX-1001.example muted by U7 until 2026-03-03 07:00 UTC", night.mutes[0].until)
    night.sit(minutes(31))
    assert [case.standing.spoken_at for case in night.shown] == [night.now], "it is still open, and still deserves it"


def test_a_second_host_is_not_muted_with_the_first():
    night = Night()
    night.mutes.append(Mute(Scope(ScopeKind.HOST, "esx-1001.example"), DUSK + timedelta(days=9), "U7", DUSK))
    night.hear([failure("op1", failed=True, peer="x"), failure("op2", hosts=[host(2)], peer="x")])
    assert len(night.live) == len(night.shown) == 1


def test_seven_nights_of_a_backup_are_not_a_word_and_a_line_in_each_digest():
    night = Night()
    for day in range(7):
        at = DUSK + timedelta(days=day, hours=3)
        tries = [
            failure(f"op{day}-{time}", at=at + minutes(10 * time), client=Client.BACKUP, vm="sql", failed=True)
            for time in range(3)
        ]
        for one in tries:
            night.hear([one], at=one.last)
        night.sit(timedelta(hours=4))
        told = digest(
            [*night.cases.values()],
            title=lambda incident: f"{incident.cause} of {incident.vms[0]}",
            loudness=ALERT,
            begin=DUSK + timedelta(days=day),
            end=DUSK + timedelta(days=day + 1),
        )
        ((what, why, count, ended, whose, _),) = told.rows
        assert (what, whose, count, ended) == ("packet_loss of sql", "backup", "3", "3")
        assert "[alerts].clients does not name it" in why
        assert told.loud == 0
    assert not night.shown
    assert len(night.cases) == 7


def test_backups_speak_when_the_config_names_them_or_hosts_are_a_cluster():
    named = Night(loudness=replace(ALERT, clients={Client.BACKUP}))
    named.hear([failure("op1", client=Client.BACKUP, failed=True)])
    assert len(named.shown) == 1
    cluster = Night()
    for number in range(3):
        assert not cluster.shown
        cluster.hear([failure(f"op{number}", hosts=[host(number)], client=Client.BACKUP, link=LINK, peer="proxy")])
    assert [case.incident.storm for case in cluster.shown] == [True]


def test_a_backup_does_not_join_a_migration_unless_one_link_is_dead():
    night = Night()
    across = {"link": LINK, "peer": "esx-2001.example"}
    night.hear([failure("op1", **across), failure("op2", client=Client.BACKUP, **across)])
    assert len(night.live) == 2
    night.hear([failure("op3", hosts=[host(2)], client=Client.REPLICATION, **across)])
    assert len(night.live) == 3
    night.hear([failure("op4", hosts=[host(3)], **across)])
    (storm,) = night.live
    assert (storm.count, storm.client, len(storm.merged)) == (4, Client.MIGRATION, 2)


def test_our_own_migration_is_its_jobs_and_no_part_of_a_storm():
    night = Night()
    ours = failure("op cm-abcdefgh-a1", client=Client.OURS, job="abcdefgh", link=LINK, peer="x", failed=True)
    again = replace(ours, id="op cm-abcdefgh-a2", hosts=(host(2),))
    another = replace(ours, id="op cm-hhhhhhhh-a1", job="hhhhhhhh", op_ids=())
    night.hear(
        [ours, again, another, replace(another, id="n", hosts=(host(3),)), replace(another, id="m", hosts=(host(4),))]
    )
    assert {incident.job: incident.count for incident in night.live} == {"abcdefgh": 2, "hhhhhhhh": 3}
    assert not any(incident.storm for incident in night.live)
    assert not night.shown
    case = next(case for case in night.cases.values() if case.incident.count == 2)
    assert speaks(case, loudness=ALERT, mutes=(), now=DUSK) == Hushed("ours: in the thread of job abcdefgh")


def test_two_unrelated_failures_stay_two():
    night = Night()
    night.hear(
        [
            failure("op1", link=LINK, peer="esx-2001.example", vm="a"),
            failure("op2", hosts=[host(2)], link="site1~site3", peer="esx-3001.example", vm="b"),
            failure("op3", hosts=[host(3)], cause=Cause.DEST_FULL, datastore="lun-1", vm="c"),
            failure("op4", hosts=[host(4)], cause=Cause.DEST_FULL, datastore="lun-2", vm="d"),
            failure("op5", hosts=[host(5)], cause=Cause.FILE_LOCKED, datastore="lun-1", vm="e"),
        ]
    )
    assert [incident.count for incident in night.live] == [1] * 5


def test_one_vm_that_fails_on_every_try_is_one():
    night = Night()
    causes = (Cause.PACKET_LOSS, Cause.DEST_FULL, Cause.FILE_LOCKED)
    for number, cause in enumerate(causes):
        at = DUSK + number * minutes(20)
        night.hear([failure(f"op{number}", at=at, hosts=[host(number)], cause=cause, vm="erp", confidence=0.8)], at=at)
    (incident,) = night.live
    assert (incident.count, incident.vms, incident.storm) == (3, ("erp",), False)


def test_a_full_datastore_is_one_incident_of_many_hosts():
    night = Night()
    full = {"cause": Cause.DEST_FULL, "confidence": 0.85, "datastore": "lun-1"}
    night.hear([failure(f"op{number}", hosts=[host(number)], vm=f"vm{number}", **full) for number in range(5)])
    (incident,) = night.live
    assert incident.storm
    assert incident.datastores == ("lun-1",)


def test_a_person_resolves_and_what_is_under_way_only_counts():
    night = Night()
    night.hear([failure("op1", failed=True, peer="x", lines=2)])
    (name,) = night.cases
    night.move(name, State.RESOLVED)
    late = failure("op1", failed=True, peer="x", lines=5, at=DUSK + minutes(3))
    night.hear([replace(late, first=DUSK)], at=DUSK + minutes(3))
    night.hear([failure("op2", peer="x", at=DUSK - minutes(1))], at=DUSK + minutes(8))
    assert night.state(name) is State.RESOLVED
    assert (night.cases[name].incident.count, night.cases[name].incident.lines) == (2, 8)


def test_what_dies_after_a_person_resolved_is_told_again_in_the_same_message():
    night = Night()
    night.hear([failure("op1", failed=True, peer="x", lines=2)])
    (name,) = night.cases
    night.move(name, State.RESOLVED)
    night.hear([failure("op2", failed=True, peer="x", at=DUSK + minutes(2))], at=DUSK + minutes(2))
    assert list(night.cases) == [name]
    assert night.state(name) is State.OPEN
    assert night.cases[name].incident.flaps == 1
    assert len(night.shown) == 1


def test_what_vcenter_says_afterwards_opens_nothing_again():
    night = Night()
    one = failure("op1", peer="x")
    night.hear([one])
    assert not night.shown, "no operation surely failed"
    night.sit(minutes(61))
    night.hear([replace(one, failed=True)])
    (case,) = night.cases.values()
    assert (case.standing.state, case.incident.failed) == (State.RESOLVED, 1)
    night.hear([replace(one, failed=False)])
    (case,) = night.cases.values()
    assert case.incident.failed == 0


def test_silence_is_counted_from_what_a_person_did_and_by_our_clock():
    night = Night()
    slow = DUSK - timedelta(hours=5)
    night.hear([failure("op1", at=slow, failed=True)], at=DUSK)
    (name,) = night.cases
    night.sit(minutes(50))
    assert night.state(name) is State.OPEN, "the clock of a host that is five hours late resolves nothing"
    night.move(name, State.ACKNOWLEDGED)
    night.sit(minutes(50))
    assert night.state(name) is State.ACKNOWLEDGED
    night.sit(minutes(11))
    assert night.state(name) is State.RESOLVED
    assert night.cases[name].standing.by == ""


def test_quiet_hours_end_and_then_it_is_told():
    from bot.migration.calendar import Window  # noqa: PLC0415 - only here

    night = Night(
        loudness=replace(ALERT, quiet=(Window.read("Mon-Sun 21:00-06:00 UTC"),)), resolve_after=timedelta(days=1)
    )
    night.hear([failure("op1", failed=True)])
    (case,) = night.cases.values()
    verdict = speaks(case, loudness=night.loudness, mutes=(), now=night.now)
    assert isinstance(verdict, Hushed)
    assert verdict.reason == "quiet hours until 2026-03-03 06:00 UTC"
    night.sit(timedelta(hours=7, minutes=59))
    assert not night.shown
    night.sit(minutes(1))
    assert night.shown


def test_observe_says_nothing_and_the_digest_what_would_have_been_said():
    night = Night(loudness=Loudness())
    night.hear([*dead_link(5, seed=3), failure("op x", hosts=[host(9, site=4)], vm="lone")])
    assert not night.shown
    told = digest(
        [*night.cases.values()],
        title=lambda incident: str(incident.cause),
        loudness=night.loudness,
        begin=DUSK - timedelta(days=1),
        end=DUSK + minutes(1),
    )
    assert told.loud == 1
    assert [row[1] for row in told.rows] == [
        "would have",
        "no operation surely failed yet, and it is no cluster of hosts",
    ]
    assert told.sentences[0] == (
        '1 message would have been posted in alert mode. The mode is "observe": this digest is all that is said.'
    )
    assert IncidentId("i1") in night.cases
    assert Mode("observe") is night.loudness.mode


def test_what_had_a_message_before_the_storm_keeps_the_storms_or_says_where_it_went():
    night = Night()
    night.hear([failure("op1", vm="a", failed=True, link=LINK, peer="p")])
    night.hear([failure("op2", vm="b", hosts=[host(2)], failed=True, link="site1~site3", peer="q")])
    night.hear([failure("op3", vm="c", hosts=[host(3)], failed=True, client=Client.BACKUP, link=LINK, peer="p")])
    night.loudness = replace(ALERT, clients={Client.MIGRATION, Client.BACKUP})
    night.sit(minutes(1))
    assert len(night.shown) == 3
    night.hear([failure("op4", vm="d", hosts=[host(4)], failed=True, link=LINK, peer="p")])
    storm, apart, gone = night.shown
    assert [storm.incident.count, storm.incident.storm, storm.standing.state] == [3, True, State.OPEN]
    assert (apart.incident.count, apart.standing.state) == (1, State.OPEN)
    assert (gone.standing.state, gone.standing.into) == (State.MERGED, storm.incident.id)
    assert gone in night.kept(), "its message has to be drawn once more"
    night.hear(
        [failure("op3", vm="c", hosts=[host(3)], failed=True, client=Client.BACKUP, link=LINK, peer="p", lines=9)]
    )
    assert [incident.count for incident in night.live] == [3, 1], "more of it is more of the storm"
