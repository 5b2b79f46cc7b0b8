"""From real lines through the real diagnosis to a failure of the fleet, whose name stays while lines come in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.diagnosis.causes import Basis, Cause, Session
from bot.diagnosis.engine import Engine, load_engine
from bot.diagnosis.event import SourceLine
from bot.diagnosis.verdict import Incident, MatchKind
from bot.hostlog.line import HostKey
from bot.hostlog.roll import Roll, SourceKind, WatchedHost
from bot.incidents.client import client_of, job_of
from bot.incidents.failures import LONGEST_LINE, LONGEST_NAME, MOST_LINES, failure_of, located
from bot.incidents.identity import continued
from bot.incidents.incident import Client, Failure

NOW = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
ONE, TWO = HostKey("vc/esx-11.example.net"), HostKey("vc2/esx-21.example.net")
ROLL = Roll(
    [
        WatchedHost(ONE, "site1", SourceKind.SYSLOG),
        WatchedHost(TWO, "site2", SourceKind.SSH, addresses=frozenset({"10.21.4.7"})),
        WatchedHost(HostKey("vc2/esx-22.example.net"), "", SourceKind.SSH),
    ]
)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine()


def line(
    text: str, *, second: float = 0, op: str = "", host: str = "esx-11.example.net", log: str = "vpxa"
) -> SourceLine:
    moment = NOW - timedelta(minutes=10) + timedelta(seconds=second)
    stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
    head = f"{stamp} warning {log}[2099] [Originator@6876 sub=Libs{f' opID={op}' if op else ''}] "
    return SourceLine(f"{host} {log}.log", int(second * 10) + 1, head + text, host=host)


DIED = "[NFC ERROR] NfcNetTcpWrite: bWritten: -1"
UNSENT = "[NFC ERROR] NfcNet_Send: requested 262040, sent only -1 bytes"
GIVEN_UP = "[NfcCopy] NFC transfer of [ds-1] web 1/web 1.vmdk to 10.21.4.7 aborted at 63 percent"
TIMED_OUT = "[NFC ERROR] NfcNewAuthdConnectionEx: Failed to connect to server 10.21.4.7:902"


def failures(engine: Engine, lines: Sequence[SourceLine], now: datetime = NOW) -> list[Failure]:
    return [failure_of(incident, roll=ROLL, now=now) for incident in engine.diagnose_lines(lines).incidents]


def only(engine: Engine, lines: Sequence[SourceLine], now: datetime = NOW) -> Failure:
    (found,) = failures(engine, lines, now)
    return found


def test_a_failure_is_told_with_hosts_by_name_and_sites_by_link(engine):
    op = "l3xk9-2041-auto-1kq-h5:70000412"
    lines = [
        line(DIED, op=f"{op}-3f"),
        line(UNSENT, op=f"{op}-3f", second=1),
        line(GIVEN_UP, op=f"{op}-3f-01", second=2),
    ]
    found = only(engine, lines)
    assert found.id == f"op {op}"
    assert (found.hosts, found.peer, found.peer_host) == ((ONE,), "esx-21.example.net", TWO)
    assert (found.sites, found.link) == (("site1", "site2"), "site1~site2")
    assert (found.vm, found.datastore, found.failed) == ("web 1", "ds-1", True)
    assert (found.client, found.job) == (Client.MIGRATION, None)
    assert found.cause is Cause.PACKET_LOSS
    assert found.verdict.headline.startswith("Probable cause: packet loss or a reset on the path")
    assert "% sure, from the hosts' logs alone" in found.verdict.headline
    assert found.verdict.lines[0].startswith("esx-11.example.net vpxa.log:1 [")
    assert NOW - found.first == timedelta(minutes=10)


def test_the_other_end_is_who_is_mentioned_if_only_one_is(engine):
    op = "C65743A5-0000024D"
    named = line(
        "[NFC ERROR] NfcNet_Send: requested 262040, sent only -1 bytes to esx-21.example.net:902.", op=op, second=1
    )
    assert only(engine, [line(DIED, op=op), named]).peer_host == TWO
    both = line(UNSENT + " esx-21.example.net, esx-22.example.net", op=op, second=1)
    assert only(engine, [line(DIED, op=op), both]).peer is None
    self_only = line(UNSENT + " esx-11.example.net", op=op, second=1)
    assert only(engine, [line(DIED, op=op), self_only]).peer is None


def test_a_line_of_nfc_alone_is_no_end(engine):
    assert only(engine, [line(TIMED_OUT)]).failed is None


def test_its_name_stays_whatever_lines_are_known_of_an_operation(engine):
    op = "C65743A5-0000024D"
    lines = [
        line(DIED, op=f"{op}-5c"),
        line(UNSENT, op=f"{op}-5c", second=3),
        line(TIMED_OUT, op=f"{op}-5c-d4", second=50),
        line(DIED, op=op, second=-20, host="esx-21.example.net"),
    ]
    seen = [only(engine, lines[:count]) for count in range(1, 5)] + [only(engine, lines[2:])]
    assert {found.id for found in seen} == {f"op {op.casefold()}"}
    assert [found.lines for found in seen[:4]] == [1, 2, 3, 4]


def test_our_own_is_known_by_its_opid_alone(engine):
    found = only(engine, [line(DIED, op="cm-ab2de3fg-a2-7c-01"), line(UNSENT, op="cm-ab2de3fg-a2-7c", second=1)])
    assert (found.client, found.job, found.id) == (Client.OURS, "ab2de3fg", "op cm-ab2de3fg-a2")
    assert job_of(["CM-AB2DE3FG-a11-5c"]) == "ab2de3fg"
    assert job_of(["cm-short-a1", "WFU-1", "xcm-ab2de3fg-a2"]) is None


def test_a_task_names_what_has_no_opid(engine):
    found = only(engine, [line(f"{DIED} task-6")])
    assert found.id == "task vc task-6"


def test_a_nameless_one_keeps_its_name_while_it_grows_and_goes_on_when_it_is_cut(engine):
    lines = [line(DIED, second=second) for second in range(0, 120, 20)]
    grown = [only(engine, lines[:count]) for count in range(1, 7)]
    assert len({found.id for found in grown}) == 1
    cut = only(engine, lines[3:])
    assert cut.id != grown[0].id
    assert continued(cut.id, first=cut.first, last=cut.last, told=[grown[0].id], until=grown[3].last) == grown[0].id
    later = only(engine, [line(DIED, second=300)])
    assert continued(later.id, first=later.first, last=later.last, told=[grown[0].id], until=grown[5].last) is None
    other = only(engine, [line(DIED, second=5, host="esx-21.example.net")])
    assert continued(other.id, first=other.first, last=other.last, told=[grown[0].id], until=grown[5].last) is None
    named = only(engine, [line(DIED, op="C65743A5-0000024D")])
    assert continued(named.id, first=named.first, last=named.last, told=[grown[0].id], until=grown[5].last) is None


def test_a_housekeeping_loop_names_nothing(engine):
    found = only(engine, [line(DIED, op="WFU-2b1f")])
    assert found.id.startswith(f"span {ONE} ")
    assert found.op_ids == ()


def test_a_line_without_a_time_counts_as_now_and_is_known_by_its_text(engine):
    first = only(engine, [SourceLine("vpxa.log", 7, TIMED_OUT, host="esx-11.example.net")])
    again = only(engine, [SourceLine("vpxa.log", 9, TIMED_OUT, host="esx-11.example.net")], NOW + timedelta(minutes=1))
    assert first.id == again.id
    assert first.id.startswith(f"text {ONE} ")
    assert (first.first, first.last) == (NOW, NOW)


def test_a_clock_that_is_ahead_counts_as_now(engine):
    found = only(engine, [line(DIED, second=3600)])
    assert (found.first, found.last) == (NOW, NOW)


@pytest.mark.parametrize(
    ("told", "peer", "known"),
    [
        ("10.21.4.7", "10.21.4.7", TWO),
        ("10.21.4.7:902", "10.21.4.7", TWO),
        ("ESX-21", "ESX-21", TWO),
        ("[fe80::1]:902", "fe80::1", None),
        ("'fe80::1'", "fe80::1", None),
        ("esx-99.example.net", "esx-99.example.net", None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_the_other_end_is_found_by_name_or_address(told, peer, known):
    found = failure_of(incident(peer=told), roll=ROLL, now=NOW)
    assert (found.peer, found.peer_host) == (peer, known)


def test_hosts_that_nobody_knows_and_sites_that_nobody_named_make_no_link():
    found = failure_of(incident(hosts=("esx-11.example.net", "stranger")), roll=ROLL, now=NOW)
    assert (found.hosts, found.sites, found.link) == ((ONE, HostKey("/stranger")), ("site1",), None)
    found = failure_of(incident(hosts=("esx-11.example.net",), peer="esx-22"), roll=ROLL, now=NOW)
    assert (found.peer_host, found.link) == ("vc2/esx-22.example.net", None)
    assert failure_of(incident(hosts=()), roll=ROLL, now=NOW).id.startswith("span / ")


def test_what_vcenter_knows_besides_is_added_and_replaces_nothing():
    blind = failure_of(incident(), roll=ROLL, now=NOW)
    found = located(blind, vm="web", other_end="esx-21.example.net", roll=ROLL)
    assert (found.vm, found.peer, found.peer_host, found.link) == ("web", "esx-21.example.net", TWO, "site1~site2")
    assert located(found, vm="db", other_end="esx-22.example.net", roll=ROLL) == found
    assert located(blind, vm="", other_end="", roll=ROLL) == blind


def test_a_verdict_is_cut_and_never_surer_than_it_is(engine):
    lines = [line(DIED + " x" * 900, op="C65743A5-0000024D", second=second) for second in range(40)]
    found = only(engine, lines)
    assert len(found.verdict.lines) == MOST_LINES
    assert all(len(text) <= LONGEST_LINE for text in found.verdict.lines)
    unknown = failure_of(incident(cause=Cause.UNDETERMINED, confidence=0.0), roll=ROLL, now=NOW)
    assert unknown.verdict.headline == "The logs show the failure, but do not say why."


@pytest.mark.parametrize(
    ("session", "text", "client"),
    [
        (Session.BACKUP, DIED, Client.BACKUP),
        (Session.REPLICATION, DIED, Client.REPLICATION),
        (Session.MIGRATION, "hbrsrv", Client.MIGRATION),
        (Session.OTHER, "veeam", Client.OTHER),
        (None, "hbrsrv[4]: " + DIED, Client.REPLICATION),
        (None, "Veeam.Vddk: " + DIED, Client.BACKUP),
        (None, "[VpxNfcClient] File transfer  failed:", Client.MIGRATION),
        (None, DIED, Client.OTHER),
    ],
)
def test_whose_copy_it_was(engine, session, text, client):
    evidence = engine.diagnose_lines([line(DIED)]).incidents[0].evidence
    shown = tuple(type(one)(one.file, one.line, text, one.role) for one in evidence)
    assert client_of(incident(session=session, evidence=shown)) is client


def incident(**told: object) -> Incident:
    known: dict[str, object] = {
        "id": "abc",
        "cause": Cause.PACKET_LOSS,
        "confidence": 0.45,
        "basis": Basis.LOG,
        "stage": None,
        "first": NOW,
        "last": NOW,
        "op_ids": (),
        "match": MatchKind.PROBABLE,
        "task": None,
        "vm": None,
        "hosts": ("esx-11.example.net",),
        "peer": None,
        "lines": 1,
        "evidence": (),
        "explanation": "",
    }
    empty = dict.fromkeys(
        ("known", "ruled_out", "unreadable", "next_checks", "links", "alternatives", "workarounds"), ()
    )
    return Incident(**(known | empty | told))  # type: ignore[arg-type]


def test_names_as_long_as_a_line_are_cut_and_two_of_them_stay_two(engine):
    hostile = "x" * 900
    found = failures(engine, [line(DIED, op=f"{hostile}a"), line(DIED, op=f"{hostile}b", second=1)])
    assert len({failure.id for failure in found}) == 2
    assert max(len(name) for failure in found for name in (failure.id, *failure.op_ids)) <= LONGEST_NAME
