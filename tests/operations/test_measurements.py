"""What looks at a path say of causes: each by its own rule, no more than it shows, nothing where it shows nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.diagnosis.causes import Basis, Cause
from bot.diagnosis.measurements import Says
from bot.migration.facts import Vmk
from bot.migration.measured import Connection, NicCounters, PathMeasurement, Pings, When
from bot.migration.path import DataPath, Leg, PathKind
from bot.operations.measurements import free_space, measurements_of, session_age, uplinks_of

AT = datetime(2026, 11, 23, 1, 45, tzinfo=UTC)
SOURCE, TARGET = "esx-1", "esx-2"
MANAGEMENT = Leg(Vmk("vmk0", "10.1.0.11"), Vmk("vmk0", "10.2.0.11"), 902)
APART = Leg(Vmk("vmk0", "10.1.0.11"), Vmk("vmk2", "10.2.2.11", services=("vSphereProvisioning",)), 902)
VMOTION = Leg(Vmk("vmk1", "10.1.1.11"), Vmk("vmk1", "10.2.1.11"), 8000)
NFC = DataPath(PathKind.NFC_MANAGEMENT, MANAGEMENT, MANAGEMENT, why="")
LOPSIDED = DataPath(PathKind.NFC_MANAGEMENT, APART, APART, why="")
UDT = DataPath(PathKind.UDT, VMOTION, MANAGEMENT, why="")


def pings(received, sent, *, size=84, whole=False):
    return Pings(sent=sent, received=received, size=size, whole=whole)


def look(path=NFC, *, at=AT, when=When.AFTER, **seen):
    return PathMeasurement(
        at=at, when=when, link="site1~site2", source_host=SOURCE, target_host=TARGET, path=path, **seen
    )


def said(*looks):
    """Everything that is said of causes: (cause, what, check)."""
    return {(cause, says, one.check) for one in measurements_of(looks) for cause, says in one.says}


def of(cause, *looks):
    return {says for named, says, _ in said(*looks) if named is cause}


@pytest.mark.parametrize(
    ("received", "sent", "says"),
    [
        (188, 200, {Says.CONFIRMS}),
        (198, 200, {Says.CONFIRMS}),
        (199, 200, set()),  # one packet is lost on any network now and then
        (19, 20, set()),
        (200, 200, {Says.REFUTES}),
        (0, 200, set()),  # that is no loss, there is no way
        (0, 0, set()),
    ],
)
def test_loss_is_told_by_counts_and_their_interval(received, sent, says):
    assert of(Cause.PACKET_LOSS, look(small=pings(received, sent))) == says


def test_the_sentence_of_a_loss_has_its_interval_and_few_clean_packets_weigh_little():
    (lossy, *_) = measurements_of([look(small=pings(188, 200))])
    assert "12 of 200 lost, 6 %, 95 % CI" in lossy.text
    many, few = (measurements_of([look(small=pings(n, n))])[0].weight for n in (200, 20))
    assert few < many < 1


def test_full_size_that_dies_where_small_packets_pass_is_the_mtu_and_the_size_that_passes_is_told():
    sizes = (pings(5, 5, size=1400, whole=True), pings(0, 5, size=1406, whole=True))
    seen = look(small=pings(200, 200), full=pings(0, 20, size=1500, whole=True), sizes=sizes)
    assert of(Cause.MTU_MISMATCH, seen) == {Says.CONFIRMS}
    assert any("1400 bytes is the largest" in one.text for one in measurements_of([seen]))


@pytest.mark.parametrize(
    ("small", "full", "says"),
    [
        (pings(200, 200), pings(20, 20, size=1500, whole=True), {Says.REFUTES}),
        (pings(0, 200), pings(0, 20, size=1500, whole=True), set()),  # nothing passes: not its size
        (pings(20, 200), pings(0, 20, size=1500, whole=True), set()),  # hardly anything does
        (pings(200, 200), None, set()),
        (pings(200, 200), Pings(0, 0, 1500, whole=True, too_long=True), set()),  # the host knew, and TCP would adapt
    ],
)
def test_what_is_no_proof_of_an_mtu(small, full, says):
    assert of(Cause.MTU_MISMATCH, look(small=small, full=full)) == says


def test_a_port_without_a_listener_on_a_host_that_answers_is_closed():
    seen = look(small=pings(20, 20), listening={902: False})
    assert of(Cause.PORT_BLOCKED, seen) == {Says.CONFIRMS}
    assert of(Cause.HOST_AGENT_DOWN, seen) == {Says.CONFIRMS}
    assert said(look(small=pings(0, 20), listening={902: False})) == {
        (Cause.PORT_BLOCKED, Says.CONFIRMS, "interface.provisioning")
    }


def test_a_listener_says_nothing_of_an_agent_that_may_have_restarted_and_what_is_between_is_not_called_measured():
    seen = look(small=pings(20, 20), listening={902: True})
    listens = [one for one in measurements_of([seen]) if one.says_of(Cause.PORT_BLOCKED)]
    assert [one.basis for one in listens] == [Basis.BOTH_ENDS]
    assert of(Cause.HOST_AGENT_DOWN, seen) == set()


@pytest.mark.parametrize(
    ("path", "foreign", "state", "cause"),
    [
        (NFC, "10.2.0.11:902", "SYN_SENT", Cause.PORT_BLOCKED),
        (UDT, "10.2.1.11:8000", "SYN_SENT", Cause.UDT_PATH),
        (NFC, "10.2.0.11:902", "ESTABLISHED", None),
        (NFC, "10.9.9.9:902", "SYN_SENT", None),  # somebody else's
    ],
)
def test_a_connection_that_waits_for_its_first_answer(path, foreign, state, cause):
    local = "10.1.1.11:50001" if path is UDT else "10.1.0.11:50001"
    seen = look(path, when=When.DURING, connections=(Connection(SOURCE, local, foreign, state, 0, 0, "vpxa"),))
    assert {named for named, _, _ in said(seen)} == ({cause} if cause else set())


@pytest.mark.parametrize(
    ("path", "cause"), [(LOPSIDED, Cause.PROVISIONING_PATH), (NFC, Cause.PORT_BLOCKED), (UDT, Cause.UDT_PATH)]
)
def test_a_path_that_carries_nothing_is_named_by_what_it_is(path, cause):
    assert (cause, Says.CONFIRMS) in {(named, says) for named, says, _ in said(look(path, small=pings(0, 200)))}


def test_names_that_are_not_found():
    assert of(Cause.DNS_RESOLUTION, look(resolves={SOURCE: False, TARGET: True})) == {Says.CONFIRMS}
    assert of(Cause.DNS_RESOLUTION, look(resolves={SOURCE: True, TARGET: True})) == {Says.REFUTES}
    assert of(Cause.DNS_RESOLUTION, look()) == set()


def counters(received, crc, *, host=SOURCE, up=True):
    return NicCounters(host, "vmnic0", up, received, received, crc, crc, 0, 0, 0)


def test_uplinks_are_judged_by_what_they_counted_in_between():
    seen = look(nics_before=(counters(1000, 5),), nics=(counters(9000, 400),), nics_apart=timedelta(seconds=20))
    assert of(Cause.PACKET_LOSS, seen) == {Says.CONFIRMS}
    assert uplinks_of([seen])[SOURCE].clean is False
    quiet = replace(seen, nics=(counters(9000, 5),))
    assert of(Cause.PACKET_LOSS, quiet) == set()  # clean cards say nothing of the way between
    assert uplinks_of([quiet])[SOURCE].clean is True
    assert uplinks_of([look(nics=(counters(1000, 5),))])[SOURCE].clean is None
    assert uplinks_of([]) == {}


def test_looks_apart_in_time_are_counters_too():
    first, later = look(nics=(counters(1000, 5),)), look(at=AT + timedelta(minutes=9), nics=(counters(9000, 900),))
    assert uplinks_of([later, first])[SOURCE].clean is False


@pytest.mark.parametrize(("free", "says"), [(10, Says.CONFIRMS), (1000, Says.REFUTES)])
def test_free_space_against_what_the_copy_needs(free, says):
    one = free_space("ds-1", free=free * 2**30, needed=100 * 2**30, at=AT)
    assert one.says_of(Cause.DEST_FULL) is says
    assert "the copy needs 100.0 GiB" in one.text


CLEAN = (look(small=pings(200, 200), full=pings(20, 20, size=1500, whole=True)),)
BOTH = frozenset({"source", "destination"})


@pytest.mark.parametrize(
    ("age", "looks", "read", "is_udt", "found"),
    [
        (3610, CLEAN, BOTH, False, True),
        (5000, CLEAN, BOTH, True, True),
        (5000, CLEAN, BOTH, False, False),  # no age at which anything ends sessions
        (600, CLEAN, BOTH, True, False),
        (3610, (), BOTH, False, False),
        (3610, (look(small=pings(190, 200)),), BOTH, False, False),
        (3610, (look(small=pings(20, 20)),), BOTH, False, False),
        (3610, CLEAN, frozenset({"source"}), False, False),
    ],
)
def test_an_age_says_something_beside_a_clean_link_and_both_logs_alone(age, looks, read, is_udt, found):
    one = session_age(began=AT, broke=AT + timedelta(seconds=age), looks=looks, read=read, is_udt=is_udt)
    assert (one is not None) is found
    if one is not None:
        assert one.basis is Basis.BOTH_ENDS


def test_moments_are_told_by_the_clock_of_the_lines():
    (one, *_) = measurements_of([look(small=pings(20, 20))], ahead=timedelta(seconds=90))
    assert one.at == AT + timedelta(seconds=90)
