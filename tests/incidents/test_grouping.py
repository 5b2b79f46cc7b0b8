"""What holds whatever comes: each failure once, in one incident; and the ties that the scenarios do not need."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.diagnosis.causes import Cause
from bot.incidents.grouping import GroupingRules, place
from bot.incidents.growth import MOST_FAILURES, MOST_HOSTS, MOST_NAMES
from bot.incidents.incident import Case, Client, Failure, IncidentId, State
from tests.incidents.night import DUSK, Night, failure, host, minutes

PEERS = [None, "esx-2001.example", "esx-2002.example"]


@st.composite
def any_failure(draw: st.DrawFn) -> Failure:
    number = draw(st.integers(0, 25))
    at = DUSK + minutes(draw(st.integers(-90, 0)))
    peer = draw(st.sampled_from(PEERS))
    return failure(
        f"op{number}",
        at=at,
        hosts=[host(draw(st.integers(1, 5)))],
        cause=draw(st.sampled_from([Cause.PACKET_LOSS, Cause.UNDETERMINED, Cause.DEST_FULL, Cause.FILE_LOCKED])),
        confidence=draw(st.sampled_from([0.0, 0.45, 0.8])),
        client=draw(st.sampled_from([Client.MIGRATION, Client.OTHER, Client.BACKUP])),
        peer=peer,
        link=draw(st.sampled_from([None, "site1~site2", "site1~site3"])) if peer else None,
        vm=draw(st.sampled_from([None, "a", "b"])),
        datastore=draw(st.sampled_from([None, "lun-1"])),
        lines=draw(st.integers(1, 9)),
        failed=draw(st.sampled_from([None, True])),
    )


batches = st.lists(st.lists(any_failure(), max_size=8), max_size=6)


@settings(max_examples=80, deadline=None)
@given(batches)
def test_each_failure_counts_once_in_one_incident_and_each_line_once(told):
    night = Night()
    largest: dict[str, int] = {}
    for number, batch in enumerate(told):
        night.hear(batch, at=DUSK + minutes(number))
        night.hear(batch, at=DUSK + minutes(number))  # read again, after a restart say
        for one in batch:
            largest[one.id] = max(largest.get(one.id, 0), one.lines)
    kept = [case for case in night.cases.values() if case.standing.state is not State.MERGED]
    names = [name for case in kept for name in case.incident.failures]
    assert sorted(names) == sorted(largest)
    for case in kept:
        incident = case.incident
        assert incident.count == len(incident.failures)
        assert incident.lines == sum(incident.failures.values())
        assert incident.failed == len(incident.ended) <= incident.count
        assert incident.first <= incident.last
        assert set(incident.hosts) <= {host(number) for number in range(1, 6)}
        assert incident.link is None or incident.links == (incident.link,)
    assert all(
        lines <= incident.lines for case in kept for incident in [case.incident] for lines in [len(incident.ended)]
    )
    for case in night.cases.values():
        if case.standing.state is State.MERGED:
            assert case.standing.into in night.cases


def test_what_went_up_in_an_incident_that_nobody_heard_of_is_found_where_that_went():
    """A new failure starts a third incident, which takes in the small one and goes up in the one with a message."""
    night, hour_ago = Night(), DUSK - minutes(61)
    small = failure("op0", lines=1, failed=None)
    spoken = [
        failure("op2", at=hour_ago, hosts=[host(1)], peer=PEERS[1], lines=1),
        failure("op2", at=hour_ago - minutes(1), hosts=[host(3)], lines=1),
    ]
    third = failure("op1", at=DUSK - minutes(52), hosts=[host(2)], client=Client.BACKUP, peer=PEERS[1], lines=1)
    night.hear([small, small, replace(small, failed=True), *spoken])
    night.hear([small, third], at=DUSK + minutes(1))
    gone = [case.standing for case in night.cases.values() if case.standing.state is State.MERGED]
    assert gone
    assert all(standing.into in night.cases for standing in gone)
    assert all("op0" in night.cases[standing.into].incident.failures for standing in gone)


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(12)), st.integers(1, 12))
def test_a_dead_link_is_one_in_any_order_and_any_portions(order, portion):
    causes = [Cause.PACKET_LOSS, Cause.PORT_BLOCKED, Cause.UNDETERMINED]
    clients = [Client.MIGRATION, Client.BACKUP, Client.OTHER]
    every = [
        failure(
            f"op{number}",
            hosts=[host(number // 2)],
            cause=causes[number % 3],
            client=clients[number % 3],
            **({} if number % 4 == 3 else {"peer": f"esx-2{number % 5:03}.example", "link": "site1~site2"}),
        )
        for number in range(12)
    ]
    shuffled = [every[number] for number in order]
    night = Night()
    for begin in range(0, 12, portion):
        night.hear(shuffled[begin : begin + portion])
    (storm,) = night.live
    assert (storm.count, storm.link, len(storm.hosts), storm.storm) == (12, "site1~site2", 6, True)


def only(night: Night) -> Case:
    (case,) = night.cases.values()
    return case


def test_nothing_new_is_no_change():
    night = Night()
    assert len(night.hear([failure("op1")])) == 1
    assert night.hear([failure("op1")]) == []


FULL = {"cause": Cause.DEST_FULL}
FULL_LUN = {**FULL, "datastore": "lun-1"}
MUTE_AUTHD = {"cause": Cause.AUTHD_UNRESPONSIVE, "peer": "p"}


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ({"op_ids": ("abcdef12-00000001-5c",)}, {"op_ids": ("abcdef12-00000001-5c-7a",), **FULL}, True),
        ({"task": "task-7"}, {"task": "task-7", "hosts": [host(2)], **FULL}, True),
        ({"task": "task-7"}, {"task": "task-7", "hosts": ["other/esx"], **FULL}, False),
        ({"vm": "a"}, {"vm": "a", "cause": Cause.DEST_FULL, "hosts": [host(2)]}, True),
        ({"vm": "a"}, {"vm": "a", "cause": Cause.DEST_FULL, "hosts": ["other/esx"]}, False),
        ({"vm": "a"}, {"vm": "a", "cause": Cause.DEST_FULL, "client": Client.BACKUP}, False),
        ({"peer": "p"}, {"peer": "p", "hosts": [host(2)], "cause": Cause.PORT_BLOCKED}, True),
        ({"peer": "p"}, {"peer": "q", "hosts": [host(2)]}, False),
        ({"peer": "p"}, {"peer": "q", "cause": Cause.PACKET_LOSS}, True),
        ({"peer": "p"}, {"peer": "q", "cause": Cause.PORT_BLOCKED}, False),
        ({"peer": "p", "link": "a~b"}, {"peer": "q", "link": "a~c"}, False),
        ({"peer": "p", "link": "a~b"}, {"peer": "p", "link": "b~c", "hosts": [host(2)]}, True),
        ({"peer": "esx-1002.example"}, {"hosts": [host(2)], "peer": "esx-1001.example", "cause": Cause.NAT}, True),
        ({"peer": "p"}, {"cause": Cause.UNDETERMINED}, True),
        ({}, {"peer": "p", "cause": Cause.PORT_BLOCKED}, True),
        ({}, {"hosts": [host(2)], "cause": Cause.UNDETERMINED}, False),
        (MUTE_AUTHD, {**MUTE_AUTHD, "hosts": [host(2)]}, True),
        ({**FULL}, {**FULL}, True),
        ({**FULL}, {"cause": Cause.FILE_LOCKED}, False),
        (FULL_LUN, {**FULL_LUN, "hosts": [host(2)]}, True),
        (FULL_LUN, {**FULL_LUN, "hosts": ["other/esx"]}, False),
        ({}, {"at": DUSK + minutes(61)}, False),
    ],
)  # fmt: skip
def test_what_binds_two_failures(one, other, together):
    for told in ([one, other], [other, one]):
        night = Night()
        for number, about in enumerate(told):
            hosts = about.get("hosts", [host(1)])
            night.hear([failure(f"n{number}", **{**about, "hosts": hosts})])
        assert (len(night.cases) == 1) is together, told


def test_a_host_that_is_down_is_one_thing_and_a_link_that_is_dead_another():
    night = Night()
    night.hear([failure("op1", peer="p", link="a~b"), failure("op2", hosts=[host(2)], peer="p", link="b~c")])
    down = only(night).incident
    assert (down.link, down.links) == (None, ("a~b", "b~c"))
    many = [failure(f"op1{number}", hosts=[host(number)], peer="q", link="a~b") for number in range(10, 14)]
    night.hear(many)
    assert sorted(incident.count for incident in night.live) == [2, 4]
    night.hear([failure(f"op2{number}", hosts=[host(number)], peer="p", link="b~c") for number in range(20, 24)])
    assert sorted((incident.count, incident.storm) for incident in night.live) == [(4, True), (6, True)]
    night.hear([failure("op30", hosts=[host(30)], peer="p", link="b~c")])
    assert sorted(incident.count for incident in night.live) == [4, 7]


def test_what_names_nobody_joins_the_storm_of_its_site_if_it_is_of_the_network():
    night = Night()
    across = {"peer": "p", "link": "site1~site2", "sites": ("site1", "site2")}
    alone = failure("text lone", hosts=[host(50)], sites=("site1",))
    unclear = replace(alone, id="text unclear", hosts=(host(51),), cause=Cause.UNDETERMINED)
    elsewhere = replace(alone, id="text elsewhere", hosts=(host(1, site=3),), sites=("site3",))
    night.hear([alone, unclear, elsewhere])
    assert len(night.live) == 3
    night.hear([failure(f"op{number}", hosts=[host(number)], **across) for number in range(3)])
    assert sorted(incident.count for incident in night.live) == [1, 1, 4]
    assert night.hear([replace(alone, id="text later", hosts=(host(52),))])
    assert sorted(incident.count for incident in night.live) == [1, 1, 5]


def test_one_copy_that_ended_for_another_reason_does_not_explain_a_storm():
    night = Night()
    across = {"peer": "p", "link": "site1~site2"}
    night.hear([failure(f"op{number}", hosts=[host(number)], vm=f"vm{number}", **across) for number in range(3)])
    night.hear([failure("op1", hosts=[host(1)], cause=Cause.DEST_FULL, confidence=0.9, vm="vm1", lines=9, **across)])
    assert only(night).incident.cause is Cause.PACKET_LOSS
    night.hear([failure("op9", hosts=[host(9)], vm="vm1", cause=Cause.DEST_FULL, confidence=0.9)])
    assert len(night.live) == 2, "in a storm the same VM says nothing"


def test_whoever_is_surest_speaks_and_may_change_their_mind():
    night = Night()
    night.hear([failure("op1", peer="p", cause=Cause.UNDETERMINED, confidence=0.0)])
    night.hear([failure("op2", peer="p", confidence=0.45)])
    assert only(night).incident.verdict.headline == "verdict of op2"
    night.hear([failure("op3", peer="p", confidence=0.3)])
    assert only(night).incident.cause is Cause.PACKET_LOSS
    night.hear([failure("op2", peer="p", cause=Cause.PORT_BLOCKED, confidence=0.6, lines=4)])
    assert (only(night).incident.cause, only(night).incident.confidence) == (Cause.PORT_BLOCKED, 0.6)


def test_a_nameless_failure_goes_on_under_its_first_name():
    night = Night()
    start = DUSK.timestamp() * 1000

    def told(begin: int, end: int, lines: int) -> Failure:
        first, last = DUSK + timedelta(seconds=begin), DUSK + timedelta(seconds=end)
        return failure(f"span {host(1)} {start + begin * 1000:.0f}", first=first, last=last, lines=lines)

    night.hear([told(0, 20, 5)])
    night.hear([told(10, 45, 5)])  # the first lines were forgotten, and at least one is new
    night.hear([told(-5, 45, 9)])  # another log of the host was read later
    night.hear([told(-5, 45, 9)])
    incident = only(night).incident
    assert (incident.count, incident.lines) == (1, 9)
    night.hear([told(90, 95, 2)])
    assert (only(night).incident.count, only(night).incident.lines) == (2, 11)


def test_lists_are_bounded_and_counts_are_exact():
    night = Night()
    many = MOST_FAILURES + 100
    night.hear(
        failure(
            f"op{number}",
            at=DUSK + timedelta(milliseconds=number),
            hosts=[host(number)],
            vm=f"vm{number}",
            peer=f"p{number}",
            link="site1~site2",
            failed=True,
        )
        for number in range(many)
    )
    incident = only(night).incident
    assert (incident.count, incident.failed, incident.lines) == (many, many, 3 * many)
    assert (len(incident.hosts), len(incident.failures)) == (MOST_HOSTS, MOST_FAILURES)
    assert {len(names) for names in (incident.vms, incident.op_ids, incident.peers)} == {MOST_NAMES}
    assert f"op{many - 1}" in incident.failures


def test_what_was_merged_leads_to_what_it_went_up_in():
    night = Night()
    across = {"peer": "p", "link": "site1~site2"}
    night.hear([failure("op1", client=Client.BACKUP, **across)])
    night.hear([failure(f"op1{number}", hosts=[host(number)], **across) for number in range(3)])
    merged = next(case for case in night.cases.values() if case.standing.state is State.MERGED)
    found = place(failure("op1"), night.cases.values(), now=night.now)
    assert found is not None
    assert found.incident.id == merged.standing.into
    assert place(failure("op1"), [merged], now=night.now) is None
    loop = replace(merged, standing=replace(merged.standing, into=merged.incident.id))
    assert place(failure("op1"), [loop], now=night.now) is None
    lost = replace(merged, standing=replace(merged.standing, into=IncidentId("gone")))
    assert place(failure("op1"), [lost], now=night.now) is None


def test_the_number_of_hosts_is_the_configs():
    night = Night(rules=GroupingRules(hosts=2))
    night.hear([failure("op1", hosts=[host(1), host(2)], peer="p")])
    assert not only(night).incident.storm, "both ends of one copy are no cluster"
    night.hear([failure("op2", hosts=[host(3)], peer="p")])
    assert only(night).incident.storm


def test_hosts_that_fail_hours_apart_are_no_storm():
    night = Night()
    for number in range(4):
        at = DUSK + number * minutes(30)
        night.hear([failure(f"op{number}", at=at, hosts=[host(number)], peer="p")], at=at)
    assert not only(night).incident.storm
