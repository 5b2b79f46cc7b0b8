"""How lines and files look in each version: headers, continuations, clocks, rotation, operation ids."""

import gzip
from datetime import UTC, datetime, timedelta

import pytest

from bot.playground.esxi.diary import Diary, derived_op_id
from bot.playground.esxi.host_log import HostLogs, Rotation, host_keys
from bot.playground.esxi.line_forms import Entry, Generation, vcenter_section_line, written
from bot.playground.esxi.ordinary import Noise
from bot.playground.esxi.phrases import Phrase
from bot.playground.esxi.visitors import FLAPS

AT = datetime(2026, 3, 1, 12, 0, 0, 288_000, tzinfo=UTC)
UPTIME = timedelta(days=2, hours=16, minutes=49, seconds=12, milliseconds=573)


def line(process, version, **fields):
    entry = {"level": "info", "component": "Libs", "op_id": "", "body": "text", "thread": 2_098_914, "uptime": UPTIME}
    return written(Entry(at=AT, process=process, **(entry | fields)), version)


@pytest.mark.parametrize(
    ("process", "version", "expected"),
    [
        ("hostd", "4.1", "[2026-03-01 12:00:00.288 002006E2 info 'Libs'] text"),
        ("hostd", "5.5", "2026-03-01T12:00:00.288Z [002006E2 info 'Libs'] text"),
        ("vpxa", "6.5", "2026-03-01T12:00:00.288Z info vpxa[2006E2] [Originator@6876 sub=Libs] text"),
        ("vpxa", "7.0.3", "2026-03-01T12:00:00.288Z info vpxa[2098914] [Originator@6876 sub=Libs] text"),
        ("vpxa", "9.0", "2026-03-01T12:00:00.288Z In(166) Vpxa[2098914]: [Originator@6876 sub=Libs] text"),
        ("vmkernel", "4.1", "Mar 1 12:00:00 vmkernel: 2:16:49:12.573 cpu2:2098914)text"),
        ("vmkernel", "6.7", "2026-03-01T12:00:00.288Z cpu2:2098914)text"),
        ("vmkernel", "8.0.3", "2026-03-01T12:00:00.288Z In(182) vmkernel: cpu2:2098914)text"),
        ("vobd", "6.7", "2026-03-01T12:00:00.288Z: [Libs] 233352573000us: text"),
        ("vobd", "8.0.3", "2026-03-01T12:00:00.288Z In(14) vobd[2098914]: [Libs] 233352573000us: text"),
        ("vpxd", "4.1", "[2026-03-01 12:00:00.288 98914 info 'Libs'] text"),
        ("vpxd", "5.5", "2026-03-01T12:00:00.288Z [7F03002006E2 info 'Libs'] text"),
        ("vpxd", "8.0.3", "2026-03-01T12:00:00.288Z info vpxd[98914] [Originator@6876 sub=Libs] text"),
        ("vpxd", "9.0", '2026-03-01T12:00:00.288Z INFO vpxd 98914 [Originator@4413 sub="Libs"] text'),
    ],
)
def test_headers(process, version, expected):
    assert line(process, version) == [expected]


def test_warnings_of_the_kernel_are_loud():
    assert ")WARNING: text" in line("vmkernel", "6.7", level="warning")[0]
    assert " Wa(180) vmkwarning: cpu2:2098914)WARNING: text" in line("vmkernel", "8.0.3", level="warning")[0]


def test_continuations_follow_an_arrow_with_a_header_of_their_own_from_8_0_on():
    assert line("hostd", "6.7", body="first\nsecond\n")[1:] == ["--> second", "-->"]
    first, second = line("hostd", "8.0.3", body="first\nsecond")
    assert first.endswith("] first")
    assert second == "2026-03-01T12:00:00.288Z In(166) Hostd[2098914]: --> second"


def test_operation_ids_grow_by_hops_in_the_manner_of_the_version():
    for generation, length, more in ((Generation.A, 3, 3), (Generation.C, 6, 5), (Generation.D, 3, 5)):
        vpxa = derived_op_id("cm-ab12cd34-a1", "esx", generation=generation)
        hostd = derived_op_id("cm-ab12cd34-a1", "esx", "hostd", generation=generation)
        assert vpxa.startswith("cm-ab12cd34-a1-")
        assert len(vpxa) == len("cm-ab12cd34-a1") + length
        assert hostd.startswith(f"{vpxa}-")
        assert len(hostd) == len(vpxa) + more
    assert derived_op_id("x", "esx") != derived_op_id("x", "other")


def test_a_file_that_is_full_is_put_aside_and_the_oldest_goes():
    logs = HostLogs("8.0.3", rotation=Rotation(size=1000, kept=3))
    for number in range(60):
        logs.append("vpxa", [f"{number:03} {'x' * 96}"], at=AT)
    old = [name for name in logs.files() if name.startswith("vpxa.") and name.endswith(".gz")]
    assert old == ["vpxa.0.gz", "vpxa.1.gz", "vpxa.2.gz"]
    newest, oldest = (gzip.decompress(logs.file(name)).decode().splitlines() for name in (old[0], old[2]))
    assert newest[0].startswith("2026-03-01T12:00:00.288Z In(14) vmsyslogd")
    assert oldest[-1] < newest[-1] < logs.lines("vpxa")[-1]
    assert logs.everything("vpxa")[-1] == logs.lines("vpxa")[-1]
    with pytest.raises(KeyError):
        logs.file("vpxa.3.gz")


def test_a_number_of_lines_can_be_the_limit_too():
    logs = HostLogs("8.0.3", rotation=Rotation(lines=10))
    for _ in range(11):
        logs.append("vpxa", ["x"], at=AT)
    assert len(logs.lines("vpxa")) == 2


def test_4x_numbers_its_old_files_upwards_and_packs_nothing():
    logs = HostLogs("4.1", rotation=Rotation(kept=2))
    for _ in range(4):
        logs.append("hostd", ["a line"], at=AT)
        logs.rotate("hostd", at=AT)
        logs.rotate("vmkernel", at=AT)
    assert logs.files() == [
        "hostd.log", "hostd-3.log", "hostd-2.log", "vpxa.log", "vmkernel.log", "vmkernel.3", "vmkernel.2",
    ]  # fmt: skip
    assert b"a line" in logs.file("hostd-3.log")
    assert "vobd" not in host_keys("4.1")


def test_section_lines_name_the_product():
    logs = HostLogs("6.7")
    logs.rotate("vpxa", at=AT)
    assert "last log rotation time" in logs.lines("vpxa")[0]
    assert "Section for VMware ESX," in logs.lines("vpxa")[0]
    assert "Section for VMware VirtualCenter, pid=" in vcenter_section_line(AT, "6.0.0")


def test_what_comes_later_is_written_when_its_time_has_come():
    logs = HostLogs("8.0.3")
    diary = Diary("esx", logs, seed=1, offset=timedelta(seconds=-5))
    late = Noise("", (Phrase("vpxa", "info", "a", "now", "x"), Phrase("vpxa", "info", "a", "later", "x", 60_000)))
    diary.write_noise(late, AT)
    diary.write_noise(Noise("", ()), AT + timedelta(seconds=59))
    assert [entry.rpartition(" ")[2] for entry in logs.lines("vpxa")] == ["now"]
    diary.write_noise(Noise("", ()), AT + timedelta(seconds=60))
    assert [entry.rpartition(" ")[2] for entry in logs.lines("vpxa")] == ["now", "later"]
    assert logs.lines("vpxa")[1].startswith("2026-03-01T12:00:55.288Z")


def test_a_link_that_flaps_is_in_vobd_where_there_is_one():
    flap = FLAPS[Generation.D][1]
    for version, lines in (("8.0.3", 5), ("6.7", 5)):
        logs = HostLogs(version)
        diary = Diary("esx", logs, seed=1)
        diary.write_noise(flap, AT)
        diary.write_noise(Noise("", ()), AT + timedelta(minutes=1))
        assert len(logs.lines("vobd")) == lines
    Diary("old", HostLogs("4.1"), seed=1).write_noise(flap, AT)
