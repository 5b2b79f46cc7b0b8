"""What can be read off a measurement: sizes that pass, counters between looks, whose connections, which listeners."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.migration.facts import Vmk
from bot.migration.measured import (
    Connection,
    NicCounters,
    PathMeasurement,
    Pings,
    SampleKind,
    When,
    opens,
    port_of,
    to_sample,
)
from bot.migration.path import DataPath, Leg, PathKind

AT = datetime(2026, 11, 23, 1, 45, tzinfo=UTC)
LEG = Leg(Vmk("vmk2", "10.1.2.11"), Vmk("vmk2", "10.2.2.11"), 902)
PATH = DataPath(PathKind.NFC_PROVISIONING, LEG, LEG, why="")
LOOK = PathMeasurement(AT, When.AFTER, "site1~site2", "esx1", "esx2", PATH)
NIC = NicCounters("esx1", "vmnic0", True, 1000, 900, 5, 4, 1, 0, 0)


def whole(size: int, received: int, **changes) -> Pings:
    return Pings(5, received, size, whole=True, **changes)


def connection(local: str, foreign: str) -> Connection:
    return Connection("esx1", local, foreign, "ESTABLISHED", 0, 0, "vpxa-worker")


@pytest.mark.parametrize(
    ("full", "sizes", "passes", "stops"),
    [
        (None, (), None, None),
        (whole(1500, 5), (), 1500, None),
        (whole(1500, 0), (whole(1400, 2), whole(1436, 0), whole(1406, 0)), 1400, 1406),
        (whole(1500, 0), (whole(576, 0),), None, 576),
        (replace(whole(9000, 0), sent=0, too_long=True), (whole(1500, 5),), 1500, 9000),
    ],
)
def test_the_largest_size_that_passes_and_the_smallest_that_does_not(full, sizes, passes, stops):
    look = replace(LOOK, full=full, sizes=sizes)
    assert (look.passes_whole, look.stops_whole) == (passes, stops)


def test_counters_are_compared_with_themselves_alone_and_never_across_a_reboot():
    later = replace(NIC, received=1500, crc_errors=14, receive_errors=15)
    look = replace(LOOK, nics=(later, replace(later, nic="vmnic1")), nics_before=(NIC,))
    (delta,) = look.nic_deltas()
    assert (delta.nic, delta.received, delta.crc_errors, delta.sent, delta.faults) == ("vmnic0", 500, 10, 0, 10)
    assert NIC.since(later) is None
    assert replace(later, crc_errors=0).since(NIC) is None
    assert later.since(replace(NIC, host="esx2")) is None


def test_connections_are_the_copys_own_by_both_addresses_in_either_direction():
    own = connection("10.1.2.11:38325", "10.2.2.11:902")
    mirror = connection("10.2.2.11:902", "10.1.2.11:38325")
    backup = connection("10.1.2.11:902", "10.99.0.20:40000")
    look = replace(LOOK, connections=(backup, own, mirror))
    assert look.own_connections == (own, mirror)
    assert replace(look, path=None).own_connections == ()


@pytest.mark.parametrize(
    ("door", "listens"),
    [
        ("0.0.0.0:902", True),
        ("10.2.2.11:902", True),
        (":::902", True),
        ("10.2.0.11:902", False),  # another interface's
        ("127.0.0.1:902", False),
        ("0.0.0.0:8000", False),
    ],
)
def test_a_listener_counts_where_the_copy_arrives(door, listens):
    assert opens(door, LEG) is listens


@pytest.mark.parametrize(("door", "listens"), [("10.2.0.11:902", True), ("127.0.0.1:902", False)])
def test_to_a_name_any_listener_counts_that_others_can_reach(door, listens):
    assert opens(door, Leg(Vmk("", ""), Vmk("", "esx2"), 902)) is listens


@pytest.mark.parametrize(("end", "port"), [("10.1.0.11:902", 902), ("::1:443", 443), ("*:*", 0), ("", 0)])
def test_ports_of_ends(end, port):
    assert port_of(end) == port


def test_a_sample_is_made_of_small_packets_and_of_nothing_else():
    assert to_sample(replace(LOOK, full=whole(1500, 0))) is None
    assert to_sample(replace(LOOK, small=Pings(0, 0, 84, whole=False, too_long=True))) is None
    sample = to_sample(replace(LOOK, small=Pings(200, 188, 84, whole=False)))
    assert (sample.at, sample.link, sample.kind, sample.sent, sample.lost) == (
        AT,
        "site1~site2",
        SampleKind.PROBE,
        200,
        12,
    )
