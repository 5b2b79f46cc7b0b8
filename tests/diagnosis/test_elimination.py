"""The elimination table: clean only when everything was read, dirty by a sign, and unreadable said with its reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.diagnosis.causes import Cause
from bot.diagnosis.elimination import Look, Part, State, UplinkLook, eliminate
from bot.diagnosis.event import SourceLine
from bot.diagnosis.facts import Facts
from bot.diagnosis.measurements import Measurement, Says

BROKE = datetime(2026, 11, 23, 1, 42, tzinfo=UTC)
HOSTS = ("esx-1", "esx-2")
EVERYTHING = frozenset(
    {(host, log) for host in HOSTS for log in ("vpxa", "hostd", "vmkernel", "vobd")} | {("", "vpxd"), ("", "events")}
)
CLEAN_NICS = {host: UplinkLook(clean=True, text=f"{host}: 0 CRC errors of 20,000 packets") for host in HOSTS}
LOSS = Measurement(check="probe.loss", says=((Cause.PACKET_LOSS, Says.CONFIRMS),), text="12 of 200 lost", at=BROKE)
NONE_LOST = Measurement(check="probe.loss", says=((Cause.PACKET_LOSS, Says.REFUTES),), text="0 of 200 lost", at=BROKE)
FULL = Measurement(check="space.destination", says=((Cause.DEST_FULL, Says.CONFIRMS),), text="0 bytes free", at=BROKE)

DIED = "warning vpxa[21] [Originator@6876 sub=Libs] [NFC ERROR] NfcNet_Send: requested 262040, sent only -1 bytes"
RESTARTED = "info hostd[21] [Originator@6876 sub=Default] *** In-memory logs end ***"
FLAP = "cpu3:2097)vmnic0: link down"
APD = "cpu3:2097)StorageApd: Device or filesystem with identifier [naa.6] has entered the All Paths Down state."


@dataclass(frozen=True)
class Written:
    host: str | None
    log: str
    text: str
    after: float = 0.0

    def line(self, number):
        stamp = (BROKE + timedelta(seconds=self.after)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        side = {"esx-1": "source", "esx-2": "destination"}.get(self.host, "vcenter")
        return SourceLine(f"{self.host or 'vCenter'} {self.log}.log", number, f"{stamp} {self.text}", self.host, side)


@pytest.fixture
def table(engine):
    def table(*written, read=EVERYTHING, unread=None, measured=(NONE_LOST,), uplinks=CLEAN_NICS, **given):
        facts = Facts(
            source_host="esx-1", destination_host="esx-2", measured=measured, offsets=given.get("offsets", {})
        )
        lines = [one.line(number) for number, one in enumerate(written, 1)]
        look = Look(broke=BROKE, facts=facts, lines=lines, read=read, unread=unread or {}, uplinks=uplinks)
        return eliminate(replace(look, read_at=given.get("read_at")), engine)

    return table


def test_with_everything_read_and_nothing_found_all_is_clean_however_the_session_died(table):
    result = table(Written("esx-1", "vpxa", DIED))
    assert [row.part for row in result.rows] == list(Part)
    assert {row.state for row in result.rows} == {State.CLEAN}
    assert result.dirty == ()


def test_nothing_is_called_clean_for_a_time_that_was_still_to_come(table):
    result = table(read_at=BROKE + timedelta(seconds=9))
    assert result.until == BROKE + timedelta(seconds=9)
    assert "01:42:09 UTC" in result.of(Part.SOURCE_HOST).why
    later = Written("esx-2", "hostd", RESTARTED, after=12)  # written while it was read
    assert table(later, read_at=BROKE + timedelta(seconds=9)).of(Part.DESTINATION_HOST).state is State.DIRTY
    assert table(read_at=BROKE + timedelta(hours=1)).until == table().until


@pytest.mark.parametrize(
    ("written", "part"),
    [
        (Written("esx-2", "hostd", RESTARTED), Part.DESTINATION_HOST),
        (Written("esx-1", "hostd", RESTARTED), Part.SOURCE_HOST),
        (Written("esx-1", "vmkernel", FLAP), Part.SOURCE_NICS),
        (Written("esx-2", "vmkernel", APD), Part.DESTINATION_STORAGE),
    ],
)
def test_a_sign_makes_its_part_dirty_and_no_other(table, written, part):
    result = table(written)
    assert [row.part for row in result.dirty] == [part]
    assert result.of(part).evidence == (f"{written.host} {written.log}.log:1",)
    assert "01:42:00 UTC" in result.of(part).why


def test_a_host_that_vcenter_lost_is_that_hosts_trouble_and_two_at_once_are_its_own(table):
    def lost(host):
        text = f"error vpxd[21] [Originator@6876 sub=vpxLro] Host {host} is in the state 'notResponding'"
        return Written(None, "vpxd", text)

    assert [row.part for row in table(lost("esx-2")).dirty] == [Part.DESTINATION_HOST]
    assert Part.VCENTER in {row.part for row in table(lost("esx-1"), lost("esx-2")).dirty}


def test_a_sign_counts_only_near_the_break_and_on_the_common_clock(table):
    late = Written("esx-2", "hostd", RESTARTED, after=300)
    assert table(late).dirty == ()
    assert [row.part for row in table(late, offsets={"esx-2": timedelta(seconds=300)}).dirty] == [Part.DESTINATION_HOST]


def test_a_sign_is_enough_where_not_everything_was_read(table):
    result = table(Written("esx-2", "hostd", RESTARTED), read=frozenset())
    assert result.of(Part.DESTINATION_HOST).state is State.DIRTY
    assert result.of(Part.SOURCE_HOST).state is State.UNREADABLE


@pytest.mark.parametrize(
    ("missing", "parts"),
    [
        (("esx-1", "hostd"), {Part.SOURCE_HOST, Part.SOURCE_STORAGE}),
        (("esx-2", "vobd"), {Part.DESTINATION_STORAGE, Part.DESTINATION_NICS}),
        (("", "vpxd"), {Part.VCENTER}),
        (("", "events"), {Part.VCENTER}),
    ],
)
def test_what_was_not_read_makes_a_part_unreadable_with_the_reason(table, missing, parts):
    result = table(read=EVERYTHING - {missing}, unread={missing: "it did not answer in time"})
    unreadable = {row.part: row.why for row in result.rows if row.state is State.UNREADABLE}
    assert unreadable == dict.fromkeys(parts, "it did not answer in time")


def test_the_path_is_judged_by_measurements_alone(table):
    assert table(measured=(LOSS,)).of(Part.PATH).state is State.DIRTY
    assert table(measured=(NONE_LOST,)).of(Part.PATH).evidence == ("probe.loss",)
    assert table(measured=()).of(Part.PATH).state is State.UNREADABLE


def test_counters_make_uplinks_dirty_and_without_them_nobody_knows(table):
    damaged = {**CLEAN_NICS, "esx-1": UplinkLook(clean=False, text="vmnic0 of esx-1: 812 CRC errors more")}
    assert table(uplinks=damaged).of(Part.SOURCE_NICS).why.startswith("vmnic0 of esx-1")
    unknown = table(uplinks={}).of(Part.DESTINATION_NICS)
    assert (unknown.state, unknown.why) == (State.UNREADABLE, "the counters of esx-2 were not read")


def test_a_full_datastore_that_was_measured_is_the_destinations_storage(table):
    result = table(measured=(FULL,))
    assert result.of(Part.DESTINATION_STORAGE).state is State.DIRTY
    assert result.of(Part.SOURCE_STORAGE).state is State.CLEAN


REACHED = Measurement(
    check="interface.provisioning",
    says=((Cause.PROVISIONING_PATH, Says.REFUTES),),
    text="They reach each other",
    at=BROKE,
)
TOO_FEW = Measurement(check="probe.loss", says=(), text="1 of 200 lost, 0.5 %: too few to tell", at=BROKE)


@pytest.mark.parametrize(
    ("measured", "why"),
    [
        ((REACHED, TOO_FEW), "too few packets to call it clean: 1 of 200 lost, 0.5 %: too few to tell"),
        (
            (REACHED, replace(NONE_LOST, text="0 of 20 lost", weight=0.2)),
            "too few packets to call it clean: 0 of 20 lost",
        ),
        ((replace(NONE_LOST, at=BROKE - timedelta(hours=6)),), "none within 15 minutes of the break"),
        ((replace(LOSS, at=BROKE - timedelta(hours=6)),), "none within 15 minutes of the break"),
        ((REACHED,), "its loss was not measured"),
    ],
)
def test_a_path_is_clean_or_dirty_only_by_packets_enough_and_near_the_break(table, measured, why):
    row = table(measured=measured).of(Part.PATH)
    assert row.state is State.UNREADABLE
    assert why in row.why
