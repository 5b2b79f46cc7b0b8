"""Which lines are ours: by operation id surely, by VM, task and time probably, another migration's never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.hostlog.line import HostKey, LogLine
from bot.hostlog.selection import Match, Subject, derived_from, match, op_ids_in, same_operation, select

NOW = datetime(2026, 11, 23, 1, 40, tzinfo=UTC)
OURS = "cm-ab2cd3ef-a1"
SUBJECT = Subject(
    op_id=OURS,
    vm_name="web01",
    vm_path_name="[ds-c1-01] web01/web01.vmx",
    task="task-10646",
    since=NOW - timedelta(minutes=1),
    until=NOW + timedelta(minutes=1),
)


def line(text, *, at=NOW):
    return LogLine(HostKey("east/esx-1"), "vpxa", 1, text, at)


@pytest.mark.parametrize(
    ("found", "same"),
    [
        (OURS, True),
        (f"{OURS}-5f", True),
        (f"{OURS}-5f-01-39-6b81", True),
        (OURS.upper(), True),
        ("cm-ab2cd3ef-a10", False),
        ("cm-ab2cd3ef-a10-5f", False),
        ("cm-ab2cd3ef", False),
        (f"x{OURS}", False),
        ("", False),
    ],
)
def test_a_derived_operation_id_goes_on_with_a_dash(found, same):
    assert derived_from(found, OURS) is same
    assert same_operation(f"[2026 warning 'Libs' opID={found}] [NFC ERROR] x", OURS) is same


def test_no_operation_id_is_like_none():
    assert not derived_from("anything", "")


@pytest.mark.parametrize(
    "text",
    [
        f"[2012-03-14 16:31:45.288 1C69CB90 warning 'Libs' opID={OURS}-5c] [NFC ERROR] NfcNetTcpWrite: bWritten: -1",
        f"2026-11-23T01:40:00.000Z warning vpxa[2103591] [Originator@6876 sub=Libs opID={OURS}-5f-01] [NFC ERROR]",
        f"2026-11-23T01:40:00.000Z Wa(164) Vpxa[2103591]: [Originator@6876 sub=Libs opId={OURS}] x",
    ],
)
def test_operation_ids_are_found_in_all_forms_of_lines(text):
    assert [found[: len(OURS)] for found in op_ids_in(text)] == [OURS]
    assert match(line(text), SUBJECT) is Match.EXACT


@pytest.mark.parametrize(
    "text",
    [
        "Nfc_PutFile: [ds-c1-01] web01/web01-flat.vmdk failed",
        "task-10646 failed",
        "opening /vmfs/volumes/5f3/web01/web01.vmdk",
        "VM web01: relocate failed",
        "opID=HB-host-16@5 [VpxNfcClient] web01",
    ],
)
def test_lines_that_name_the_vm_or_the_task_are_probable(text):
    assert match(line(text), SUBJECT) is Match.PROBABLE


@pytest.mark.parametrize(
    "text",
    [
        "VM web010: relocate failed",
        "VM web01-old: relocate failed",
        "VM old-web01: relocate failed",
        "[ds-c1-01] web01-old/web01-old.vmdk",
        "task-106461 failed",
        "[NFC ERROR] nothing of ours",
        "opID=cm-zzzzzzzz-a1-5f VM web01: another migration's",
    ],
)
def test_lines_of_others_are_not_ours(text):
    assert match(line(text), SUBJECT) is None


@pytest.mark.parametrize("off", [timedelta(minutes=-2), timedelta(minutes=2)])
def test_out_of_time_is_never_probable_but_may_be_exact(off):
    assert match(line("VM web01: failed", at=NOW + off), SUBJECT) is None
    assert match(line(f"opID={OURS} x", at=NOW + off), SUBJECT) is Match.EXACT


def test_probable_lines_count_only_without_exact_ones():
    exact, probable, other = line(f"opID={OURS}-1 x"), line("VM web01: failed"), line("nothing")
    assert select([probable, exact, other], SUBJECT) == [(exact, Match.EXACT)]
    assert select([probable, other], SUBJECT) == [(probable, Match.PROBABLE)]
    assert select([other], SUBJECT) == []


def test_a_subject_without_a_task_or_a_path():
    bare = Subject(op_id=OURS, vm_name="web01", vm_path_name="")
    assert match(line("VM web01 failed"), bare) is Match.PROBABLE
    assert match(line("None"), bare) is None
