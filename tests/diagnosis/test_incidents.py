"""Lines are joined into failures by operation, task or time, and rules are weighed against each other."""

from __future__ import annotations

import pytest

from bot.diagnosis.causes import Basis, Cause, Role
from bot.diagnosis.event import SourceLine
from bot.diagnosis.facts import DiskFacts, Facts
from bot.diagnosis.incident import MOST_GROUPS
from bot.diagnosis.opid import belongs_to, is_internal, op_base, op_ids_in, same_operation

DIED = "NfcNet_Send: requested 262040, sent only -1 bytes"
WROTE = "[NFC ERROR] NfcNetTcpWrite: bWritten: -1"
FULL = "2026-01-05T10:00:{second:02}.000Z| vmx| I125: There is no more space for virtual disk 'x/x.vmdk'"


def vpxa(body: str, *, second: int = 0, op_id: str = "cm-abcd1234-a1-5c", minute: int = 0) -> str:
    op = f" opID={op_id}" if op_id else ""
    return f"2026-01-05T10:{minute:02}:{second:02}.000Z Er(163) Vpxa[100]: [Originator@6876 sub=Libs{op}] {body}"


def kernel(body: str, *, second: int = 0, minute: int = 0, op: str = "") -> str:
    return f"2026-01-05T10:{minute:02}:{second:02}.000Z cpu1:2100{' opID=' + op if op else ''}){body}"


CRASH = "User: 2428: wantCoreDump : hostd-worker -enabled : 1"


@pytest.mark.parametrize(
    ("op_id", "base"),
    [
        ("C65743A5-0000024D-5c", "C65743A5-0000024D"),
        ("D6A05DBB-0000170C-d4-bd-7b", "D6A05DBB-0000170C"),
        ("CE15C2BE-00000340-6-1e-4", "CE15C2BE-00000340"),
        ("e6012b2-01-b0", "e6012b2"),
        ("539bc6dd-c7-c39c", "539bc6dd"),
        ("k41obmfo-4080728-auto-2fgpl-h5:70354825-27-02-a3-d55d", "k41obmfo-4080728-auto-2fgpl-h5:70354825"),
        ("cm-abcd1234-a1", "cm-abcd1234-a1"),
        ("cm-abcd1234-a1-5c-01", "cm-abcd1234-a1"),
        ("vsan-d810", "vsan-d810"),
        ("plain", "plain"),
    ],
)
def test_the_base_of_an_operation_id(op_id, base):
    assert op_base(op_id) == base


def test_an_operation_and_what_it_calls_are_one_failure_whatever_their_form(diagnose):
    lines = [
        vpxa(WROTE, op_id="Nightly_9-run"),
        vpxa(DIED, op_id="nightly_9-run-Xq12"),
        vpxa(DIED, op_id="nightly_9-runs"),
    ]
    assert sorted(incident.op_ids for incident in diagnose(lines).incidents) == [
        ("Nightly_9-run",),
        ("nightly_9-runs",),
    ]


def test_a_known_base_wins_whatever_its_form():
    assert op_base("job-aa-bb-5c", known=["job-aa", "job-aa-bb"]) == "job-aa-bb"
    assert belongs_to("CM-X-5c", "cm-x")
    assert not belongs_to("cm-x1", "cm-x")


@pytest.mark.parametrize(
    "op_id",
    ["WFU-79aec678", "HB-host-10@1819-12cd455d-11", "SWI-5441881e", "resourcePoolImpl.cpp:1737-25c61c82", "hostd-7e2d"],
)
def test_housekeeping_is_no_operation(op_id):
    assert is_internal(op_id)
    assert not is_internal("C65743A5-0000024D")


def test_suffixes_and_letter_case_do_not_split_an_operation(diagnose):
    report = diagnose([vpxa(WROTE, op_id="C65743A5-0000024D-5c"), vpxa(DIED, op_id="c65743a5-0000024d-6e-01")])
    (incident,) = report.incidents
    assert (incident.lines, incident.op_ids) == (2, ("C65743A5-0000024D",))


def test_two_operations_are_two_incidents(diagnose):
    report = diagnose([vpxa(DIED, op_id="C65743A5-0000024D-5c"), vpxa(DIED, op_id="C65743A5-0000024E-5c")])
    assert len(report.incidents) == 2
    assert len({incident.id for incident in report.incidents}) == 2


def test_the_same_failure_bears_the_same_id(diagnose):
    lines = [vpxa(WROTE), vpxa(DIED)]
    assert diagnose(lines).incidents[0].id == diagnose(lines[::-1], file="other.log").incidents[0].id


def test_lines_without_operation_are_joined_by_time(diagnose):
    near = diagnose([vpxa(WROTE, op_id=""), vpxa(DIED, op_id="", second=20)])
    far = diagnose([vpxa(DIED, op_id=""), vpxa(DIED, op_id="", minute=5)])
    assert [incident.lines for incident in near.incidents] == [2]
    assert [incident.lines for incident in far.incidents] == [1, 1]
    assert near.incidents[0].match == "probable"


def test_lines_of_one_housekeeping_call_are_joined_while_they_are_near(diagnose):
    call = "HB-host-10@1819-12cd455d-11"
    near = diagnose([vpxa(WROTE, op_id=call), vpxa(DIED, op_id=call.lower(), second=1)])
    assert [(incident.lines, incident.op_ids) for incident in near.incidents] == [(2, (call,))]
    far = diagnose([vpxa(WROTE, op_id=call), vpxa(DIED, op_id=call, minute=5)])
    assert [incident.lines for incident in far.incidents] == [1, 1]
    other = diagnose([vpxa(WROTE, op_id="WFU-1a2b3c4d"), vpxa(DIED, op_id=call, second=1)])
    assert [incident.op_ids for incident in other.incidents] == [("WFU-1a2b3c4d",), (call,)]


def test_lines_without_any_header_are_joined_by_their_place(diagnose):
    report = diagnose([WROTE, DIED, *["nothing"] * 80, DIED], file="paste")
    assert [incident.lines for incident in report.incidents] == [2, 1]
    assert report.stats.unparsed_lines == 83
    assert report.incidents[0].first is None


def test_a_task_joins_lines_with_and_without_operation(diagnose):
    assigned = vpxa("RecordOp ASSIGN: info.state, task-77")
    report = diagnose(
        [vpxa(DIED), assigned, "[NFC ERROR] transfer of task-77 failed", "[NFC ERROR] transfer of task-78 failed"]
    )
    assert sorted((incident.task, incident.lines) for incident in report.incidents) == [("task-77", 2), ("task-78", 1)]


def test_a_task_named_before_the_failure_is_remembered(diagnose):
    (incident,) = diagnose([vpxa("RecordOp ASSIGN: info.state, task-77"), vpxa(DIED, second=9)]).incidents
    assert incident.task == "task-77"
    assert incident.evidence[0].role is Role.CONTEXT


def test_context_alone_is_no_incident(diagnose):
    context = ["RecordOp ASSIGN: info.state, task-77", "[VpxNfcClient] Closing NFC connection to server"]
    assert diagnose([*map(vpxa, context), vpxa(context[1], op_id="")]).incidents == ()


def test_context_of_many_healthy_operations_is_forgotten(diagnose):
    assign = "RecordOp ASSIGN: info.state, task-{}"
    many = [vpxa(assign.format(n), op_id=f"{n:08x}-00000001-5c") for n in range(4200)]
    report = diagnose([*many, vpxa(DIED, op_id="00000000-00000001-5c"), vpxa(DIED, op_id="00001067-00000001-5c")])
    assert sorted(incident.task or "" for incident in report.incidents) == ["", "task-4199"]


def test_the_kernels_own_operation_id_is_translated(diagnose):
    mapping = kernel("World: 14299: VC opID cm-abcd1234-a1-5c maps to vmkernel opID dc2104c4", op="dc2104c4")
    io_error = kernel("Failed to clone disk: No such device or address (393225).", op="dc2104c4")
    report = diagnose([mapping, io_error, vpxa(WROTE)])
    (incident,) = report.incidents
    assert (incident.cause, incident.op_ids, incident.lines) == (Cause.DISK_IO_ERROR, ("cm-abcd1234-a1",), 2)


def test_a_kernel_operation_that_nothing_translates_stays_nameless(diagnose):
    internal = kernel("World: 14299: VC opID hostd-7e2d maps to vmkernel opID 1d142f34")
    (incident,) = diagnose([internal, kernel(CRASH, op="1d142f34")]).incidents
    assert (incident.op_ids, incident.match) == ((), "probable")


def test_a_continuation_belongs_to_the_entry_above(diagnose):
    report = diagnose([vpxa("something"), "--> [NFC ERROR] NfcNet_Send: requested 262040, sent only -1 bytes"])
    (incident,) = report.incidents
    assert incident.op_ids == ("cm-abcd1234-a1",)
    assert report.stats.unparsed_lines == 0


def test_a_continuation_with_a_header_of_its_own_takes_the_operation(diagnose):
    head = "2026-01-05T10:00:00.000Z Er(163) Vpxa[100]: --> "
    (incident,) = diagnose([vpxa("something"), head + DIED]).incidents
    assert incident.op_ids == ("cm-abcd1234-a1",)


def test_a_full_datastore_at_that_second_is_the_cause_not_the_network(engine):
    lines = [
        SourceLine("esx-01 vpxa.log", 1, vpxa(WROTE), "esx-01", "source"),
        SourceLine("esx-01 vpxa.log", 2, vpxa(DIED), "esx-01", "source"),
        SourceLine("esx-02 vmware.log", 1, FULL.format(second=2), "esx-02", "destination"),
    ]
    (incident,) = engine.diagnose_lines(lines).incidents
    assert (incident.cause, incident.basis) == (Cause.DEST_FULL, Basis.BOTH_ENDS)
    assert [line.file for line in incident.decisive] == ["esx-02 vmware.log"]
    assert {other.cause: other.confidence for other in incident.alternatives}[Cause.PACKET_LOSS] <= 0.3
    assert incident.vm is None


def test_a_crash_long_before_is_another_story(diagnose):
    report = diagnose([kernel(CRASH), vpxa(DIED, minute=30)])
    assert [incident.cause for incident in report.incidents] == [Cause.HOST_AGENT_DOWN, Cause.PACKET_LOSS]


LOST = [
    "NfcNet_Send: requested 262040, sent only -1 bytes",
    "NfcNet_Recv: requested 262144, received only 0 bytes",
    "NfcNetTcpRead: bRead: -1, errno 104: Connection reset by peer",
    'Post "https://esx/nfc/52ab/disk-0.vmdk": write tcp 10.0.0.5:40000->10.0.0.6:443: write: connection reset by peer',
]
STRONGER = {
    "There is no more space for virtual disk 'x/x.vmdk'": Cause.DEST_FULL,
    CRASH: Cause.HOST_AGENT_DOWN,
    "FileIO error: No space left : /var/lib/vmware/hostd/stats": Cause.HOST_AGENT_DOWN,
}


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("stronger", STRONGER)
def test_what_contradicts_packet_loss_wins(diagnose, lost, stronger):
    assert diagnose([lost], file="paste").incidents[0].cause is Cause.PACKET_LOSS
    (incident,) = diagnose([lost, stronger], file="paste").incidents
    assert incident.cause is STRONGER[stronger]
    assert {other.cause: other.confidence for other in incident.alternatives}[Cause.PACKET_LOSS] <= 0.3


def test_a_failed_lookup_wins_over_the_port_that_repeats_it(diagnose):
    lines = [
        "CnxOpenTCPSocket: Cannot connect to server esx-07.example.net:902: Name or service not known",
        "CnxAuthdConnect: Returning false because CnxAuthdConnectTCP failed",
        "[NFC ERROR]NfcNewAuthdConnectionEx: Failed to connect to server esx-07.example.net:902",
    ]
    (incident,) = diagnose(lines, file="client.log").incidents
    assert (incident.cause, incident.peer) == (Cause.DNS_RESOLUTION, "esx-07.example.net")
    assert [line.role for line in incident.evidence] == [Role.DECISIVE, Role.UNWINDING, Role.SYMPTOM]


def test_a_wrapper_that_repeats_the_decisive_text_is_unwinding(diagnose):
    inner = vpxa("CnxOpenTCPSocket: Timed out connecting to server 10.0.0.7:902: Operation now in progress")
    outer = vpxa("Cnx_Connect: Error message: Failed to connect to server 10.0.0.7:902")
    (incident,) = diagnose([inner, outer]).incidents
    assert [line.role for line in incident.evidence] == [Role.DECISIVE, Role.UNWINDING]
    assert (incident.cause, incident.peer, incident.confidence) == (Cause.PORT_BLOCKED, "10.0.0.7", 0.55)


def test_an_unknown_nfc_error_is_undetermined_and_shows_what_was_read(diagnose):
    (incident,) = diagnose([vpxa("[NFC ERROR]NfcBrandNew: failed with code 99")]).incidents
    assert incident.cause is Cause.UNDETERMINED
    assert incident.evidence[0].text.endswith("code 99")
    assert incident.known == ("An NFC error that no other rule knows: 1 line.",)
    assert incident.workarounds == ()
    assert "none of the lines" in incident.explanation
    assert incident.next_checks


def test_the_vm_is_read_from_a_path(diagnose):
    (incident,) = diagnose(
        ["NfcFssrvr_DiskOpen: received diskLib error 1048585: Failed to open '/vmfs/volumes/ds/web01/web01.vmdk': x"]
    ).incidents
    assert (incident.cause, incident.vm) == (Cause.FILE_LOCKED, "web01")


def test_a_rule_reads_only_the_logs_it_names(diagnose):
    header = "2026-01-05T10:00:00.000Z warning {}[123] [Originator@6876 sub=x] "
    heartbeat = header + "Connection not alive due to missing heartbeats"
    assert diagnose([heartbeat.format("vpxd")], file="x.log").incidents
    assert not diagnose([heartbeat.format("hostd")], file="x.log").incidents
    assert not diagnose(["Connection not alive due to missing heartbeats"], file="hostd.log").incidents


def test_counts_cover_what_is_not_shown(diagnose):
    (incident,) = diagnose([vpxa(DIED, second=n % 60) for n in range(500)]).incidents
    assert incident.lines == 500
    assert len(incident.evidence) <= 60


def test_a_flood_of_failures_is_bounded_and_says_so(diagnose):
    report = diagnose(vpxa(DIED, op_id=f"{n:08x}-00000001-5c") for n in range(MOST_GROUPS + 7))
    assert len(report.incidents) == MOST_GROUPS
    assert "7 lines" in report.gaps[0].reason


def test_a_long_line_is_shown_cut(diagnose):
    (incident,) = diagnose([vpxa(DIED + " x" * 9000)]).incidents
    assert incident.evidence[0].text.endswith("[cut]")


class TestOneOperation:
    """A caller that knows its opID gets its own failure, and what probably belongs to it."""

    FACTS = Facts(
        vm="web01", source_folder="web01_1", disks=(DiskFacts(descriptor="[ds-1] web01_1/web01.vmdk"),), task="task-9"
    )

    def test_its_own_lines_are_exact(self, diagnose):
        (incident,) = diagnose([vpxa(DIED)], op_id="cm-abcd1234-a1", facts=self.FACTS).incidents
        assert (incident.match, incident.vm, incident.task) == ("exact", "web01", "task-9")

    def test_the_lines_of_others_are_left_out(self, diagnose):
        others = [vpxa(DIED, op_id="C65743A5-0000024D-5c"), vpxa(DIED, op_id="")]
        assert diagnose(others, op_id="cm-abcd1234-a1", facts=self.FACTS).incidents == ()

    @pytest.mark.parametrize(
        "mention", ["vm web01 gone", "[ds-1] web01_1/web01.vmdk", "/vmfs/volumes/x/web01_1/y", "task-9"]
    )
    def test_lines_that_mention_the_migration_are_probable(self, diagnose, mention):
        (incident,) = diagnose(
            [vpxa(f"[NFC ERROR] {mention}", op_id="")], op_id="cm-abcd1234-a1", facts=self.FACTS
        ).incidents
        assert incident.match == "probable"

    def test_a_name_within_a_name_is_no_mention(self, diagnose):
        lines = [vpxa("[NFC ERROR] vm web011 gone, vm myweb01 gone, web01-old", op_id="")]
        assert diagnose(lines, op_id="cm-abcd1234-a1", facts=self.FACTS).incidents == ()

    def test_a_crash_of_the_whole_host_is_probable(self, diagnose):
        (incident,) = diagnose([kernel(CRASH)], op_id="cm-abcd1234-a1").incidents
        assert (incident.match, incident.cause) == ("probable", Cause.HOST_AGENT_DOWN)

    @pytest.mark.parametrize("asked", ["C65743A5-0000024D", "c65743a5-0000024d-5c", "C65743A5-0000024D-5c"])
    def test_it_may_be_asked_with_or_without_suffix(self, diagnose, asked):
        (incident,) = diagnose([vpxa(DIED, op_id="C65743A5-0000024D-5c")], op_id=asked).incidents
        assert incident.match == "exact"

    def test_an_operation_of_unknown_form(self, diagnose):
        (incident,) = diagnose(
            [vpxa(DIED, op_id="night-ab-cd-5c"), vpxa(WROTE, op_id="night-ab-cd")], op_id="night-ab-cd"
        ).incidents
        assert (incident.match, incident.lines, incident.op_ids) == ("exact", 2, ("night-ab-cd",))


def test_whose_copy_it_was_does_not_silence_what_nobody_knows(diagnose):
    line = (
        "2026-01-05T10:00:00.000Z Er(163) hbrsrv[123]: [Originator@6876 sub=Main] [NFC ERROR] NfcSomethingNew: failed"
    )
    (incident,) = diagnose([line], file="hbrsrv.log").incidents
    assert (incident.cause, incident.session) == (Cause.UNDETERMINED, "replication")


@pytest.mark.parametrize(
    ("carried", "same"),
    [
        ("cm-ab2cd3ef-a1", True),
        ("CM-AB2CD3EF-A1-5f-01-39-6b81", True),
        ("cm-ab2cd3ef-a10", False),
        ("cm-ab2cd3ef", False),
        ("xcm-ab2cd3ef-a1", False),
    ],
)
def test_a_derived_operation_id_goes_on_with_a_dash(carried, same):
    for text in (
        f"[2026 warning 'Libs' opID={carried}] x",
        f"Vpxa[21]: [Originator@6876 sub=Libs opId={carried} user=u] x",
    ):
        assert op_ids_in(text) == [carried]
        assert same_operation(text, "cm-ab2cd3ef-a1") is same
    assert not same_operation("opID=anything", "")
