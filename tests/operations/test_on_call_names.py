"""What the words of a question are taken for, and which hosts and times follow from what vCenter remembers. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.diagnosis.event import SourceLine
from bot.errors import BugError
from bot.migration.request import VCenterName
from bot.operations.inquiry import DIAGNOSE, Inquiry, SubjectKind, inquiry_job
from bot.operations.on_call_find import _OP_ID, _OUR_OP_ID, in_words
from bot.operations.on_call_judge import op_id_of
from bot.operations.on_call_reading import event_lines
from bot.operations.on_call_subject import Ends, HostAt, ends_of, sided, window_of
from bot.vsphere.port import EventWeight, VCenterEvent

EAST = VCenterName("east")
T = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def event(key: int, kind: str, **places: str) -> VCenterEvent:
    return VCenterEvent(key, T + timedelta(seconds=key), kind, EventWeight.INFO, f"{kind}\nhappened", 1, **places)


@pytest.mark.parametrize(
    "typed", ["C65743A5-0000024D", "C65743A5-0000024D-5c", "7b9d4753", "lgfd4abh-70005-auto-1i0b-h5:70005734-88"]
)
def test_operation_ids_of_other_clients_are_known_by_their_form(typed):
    assert _OP_ID.fullmatch(typed)


@pytest.mark.parametrize("typed", ["web01", "esx-site2-01", "db-prod-7", "nonsense", "task-12", "10.0.0.1", "facade"])
def test_names_are_no_operation_ids(typed):
    assert not _OP_ID.fullmatch(typed)


@pytest.mark.parametrize("typed", ["cm-ab2cd3ef", "CM-AB2CD3EF-A1", "cm-ab2cd3ef-a2-5c-27a0"])
def test_ours_name_their_job(typed):
    assert _OUR_OP_ID.fullmatch(typed)["job"].lower() == "ab2cd3ef"


def test_a_move_has_its_ends_whether_it_failed_or_arrived():
    begun = event(1, "VmBeingMigratedEvent", host="a", to_host="b", datastore="ds-a", to_datastore="ds-b")
    failed = event(2, "VmFailedMigrateEvent", host="a", to_host="b", datastore="ds-a", to_datastore="ds-b")
    arrived = event(2, "VmMigratedEvent", host="b", from_host="a", datastore="ds-b")
    assert ends_of([begun, failed]) == Ends("a", "b", "ds-a", "ds-b")
    assert ends_of([begun, arrived]) == Ends("a", "b", "", "ds-b")
    assert ends_of([event(1, "VmPoweredOnEvent", host="a")]) == Ends()


def test_both_ends_come_first_and_each_host_once():
    hosts = sided([(EAST, "c"), (EAST, "b"), (EAST, "a"), (EAST, "b"), (EAST, "")], Ends("a", "b"))
    assert hosts == (HostAt(EAST, "a", "source"), HostAt(EAST, "b", "destination"), HostAt(EAST, "c"))


def test_of_a_long_copy_its_last_hour_is_read():
    assert window_of(T, T + timedelta(hours=9)).since == T + timedelta(hours=8)
    short = window_of(T, T + timedelta(minutes=2))
    assert (short.since, short.until) == (T - timedelta(minutes=1), T + timedelta(minutes=7))
    assert window_of(T, None).until is None


def test_the_op_id_of_a_task_is_told_by_lines_that_name_both():
    def line(text: str) -> SourceLine:
        return SourceLine("vpxd.log", 1, text)

    lines = [
        line("info vpxd [sub=vpxLro opID=C65743A5-0000024D] [VpxLRO] -- BEGIN task-10646 -- vm-1"),
        line("info vpxa [sub=Libs opID=C65743A5-0000024D-5c] task task-10646"),
        line("info vpxd [sub=vpxLro opID=AAAAAAAA-00000001] [VpxLRO] -- BEGIN task-106461 -- vm-2"),
        line("info vpxd [sub=x opID=HB-host-12@99-1234] task-10646 seen"),
    ]
    assert op_id_of("task-10646", lines) == "C65743A5-0000024D"
    assert op_id_of("task-1", lines) == ""
    assert op_id_of("", lines) == ""


def test_events_are_lines_on_one_clock_without_line_breaks():
    (line,) = event_lines([event(5, "VmFailedMigrateEvent")], file="vCenter events", ahead=timedelta(seconds=5))
    assert line.text == "2026-11-23T04:00:00.000Z info [VmFailedMigrateEvent] VmFailedMigrateEvent happened"
    assert (line.file, line.line, line.side) == ("vCenter events", 1, "vcenter")


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(hours=2), "2 h"),
        (timedelta(minutes=90), "90 min"),
        (timedelta(days=1), "1 d"),
        (timedelta(0), "0 min"),
    ],
)
def test_lengths_of_time_are_said_as_people_do(length, words):
    assert in_words(length) == words


@pytest.mark.parametrize(
    "inquiry",
    [
        Inquiry(SubjectKind.NAME, "C1", typed="web01", since=timedelta(minutes=90), thread="1.2"),
        Inquiry(SubjectKind.FILE, "C1", blob="ab" * 32, file_name="vpxa.log"),
        Inquiry(SubjectKind.TEXT, "C1", blob="ab" * 32),
    ],
)
def test_an_inquiry_survives_the_queue(inquiry):
    job = inquiry_job(inquiry, requester="U1", dedupe="d1")
    assert (job.kind, job.lane, job.vm_key) == (DIAGNOSE, DIAGNOSE, "")
    assert Inquiry.from_data(job.data) == inquiry


@pytest.mark.parametrize("broken", [{}, {"inquiry_kind": "poem"}, {"inquiry_since": "soon"}])
def test_what_another_version_wrote_is_a_bug_and_not_a_guess(broken):
    whole = Inquiry(SubjectKind.NAME, "C1", typed="web01").to_data()
    with pytest.raises(BugError):
        Inquiry.from_data({**whole, **broken} if broken else {})
    with pytest.raises(BugError):
        Inquiry(SubjectKind.FILE, "C1", typed="web01")
