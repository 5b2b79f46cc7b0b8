"""Bad input gets a sentence, big input gets constant memory, and nothing crashes."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.diagnosis.causes import Cause
from bot.diagnosis.engine import load_engine
from bot.diagnosis.event import LINE_LIMIT, SourceLine
from bot.diagnosis.needles import Needles
from bot.diagnosis.scan import BLOCK, Tally, scan, text_of

ENGINE = load_engine()
HEADER = b"2026-01-05T10:00:00.000Z Er(163) Vpxa[100]: [Originator@6876 sub=Libs opID=cm-abcd1234-a1-5c] "
DIED = HEADER + b"NfcNet_Send: requested 262040, sent only -1 bytes\n"
PLAIN = HEADER.replace(b"cm-abcd1234-a1-5c", b"HB-host-1@2-3") + b"[VpxLRO] -- FINISH lro-1\n"


def reasons(report):
    return [trouble.reason for trouble in report.errors]


@pytest.fixture
def log(tmp_path):
    def write(data, name="vpxa.log"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def test_a_gzipped_log_reads_like_a_plain_one(log, seed_file):
    packed = log(gzip.compress(seed_file.read_bytes()), "vpxa.0.gz")
    (incident,) = ENGINE.diagnose_paths([packed]).incidents
    assert incident.cause is Cause.PACKET_LOSS
    assert incident.evidence[0].file == str(packed)


def test_standard_input_is_read_and_not_closed(seed_file):
    stream = io.BytesIO(seed_file.read_bytes())
    report = ENGINE.diagnose_paths(["-"], stdin=stream)
    assert report.incidents[0].evidence[0].file == "-"
    assert not stream.closed


def test_standard_input_may_be_missing():
    assert reasons(ENGINE.diagnose_paths(["-"])) == ["standard input is not available here"]


def test_a_folder_is_read_whole_and_in_order(tmp_path, seed_file):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "vpxa.log").write_bytes(seed_file.read_bytes())
    (tmp_path / "a.log").write_bytes(PLAIN)
    (tmp_path / "empty.log").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    report = ENGINE.diagnose_paths([tmp_path])
    assert (report.stats.files, report.errors) == (2, ())  # what is empty was not read
    assert [gap.file for gap in report.gaps] == [str(tmp_path / "empty.log")]
    assert report.incidents[0].evidence[0].file == str(tmp_path / "b" / "vpxa.log")


def test_one_unreadable_file_does_not_spoil_the_rest(tmp_path, seed_file):
    report = ENGINE.diagnose_paths([tmp_path / "missing.log", seed_file])
    assert reasons(report) == ["no such file"]
    assert len(report.incidents) == 1
    assert report.stats.files == 1


def test_an_empty_file_is_said_to_be_empty(log):
    assert reasons(ENGINE.diagnose_paths([log(b"")])) == ["empty: there is nothing to read"]


def test_a_device_is_refused():
    assert reasons(ENGINE.diagnose_paths(["/dev/zero"])) == ["a device, not a file"]


def test_a_file_that_may_not_be_read(log):
    path = log(DIED)
    path.chmod(0)
    report = ENGINE.diagnose_paths([path])
    assert reasons(report) == ["permission denied"] or os.geteuid() == 0


def test_a_path_that_is_no_path():
    assert reasons(ENGINE.diagnose_paths(["x" * 5000])) == ["file name too long"]
    assert reasons(ENGINE.diagnose_paths(["a\0b"])) == ["embedded null byte"]


def test_binary_data_is_refused(log):
    assert reasons(ENGINE.diagnose_paths([log(random.Random(1).randbytes(9000))])) == ["binary data, not a log"]
    assert reasons(ENGINE.diagnose_paths([log(bytes(9000))])) == ["nothing but NUL bytes"]


def test_archives_of_every_kind_are_read(tmp_path, seed_file):
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
        packed.write(seed_file, "vpxa.log")
    for mode, name in (("w", "b.tar"), ("w:gz", "b.tgz"), ("w:xz", "b.txz"), ("w:bz2", "b.tbz")):
        with tarfile.open(tmp_path / name, mode) as tar:
            tar.add(seed_file, "vpxa.log")
    report = ENGINE.diagnose_paths(sorted(tmp_path.iterdir()))
    assert (report.stats.files, report.errors) == (5, ())
    (incident,) = report.incidents
    assert incident.lines == 5 * 9
    assert incident.evidence[0].file.endswith(".tar!/vpxa.log")


def test_a_cut_gzip_gives_what_came_before_the_cut(log, seed_file):
    noise = b"".join(b"%s %d\n" % (PLAIN.strip(), number * 7919 % 104729) for number in range(5000))
    packed = gzip.compress(seed_file.read_bytes() + noise)
    report = ENGINE.diagnose_paths([log(packed[: len(packed) // 2], "vpxa.gz")])
    assert reasons(report) == ["the gzip stream is cut off; what came before the cut was read"]
    assert report.incidents[0].cause is Cause.PACKET_LOSS


def test_a_damaged_gzip_is_called_damaged(log):
    packed = bytearray(gzip.compress(PLAIN * 100))
    packed[20:40] = b"\xff" * 20
    assert (
        "damaged gzip data"
        in reasons(ENGINE.diagnose_paths([log(bytes(packed), "a.gz"), log(b"\x1f\x8bnonsense", "b.gz")]))[1]
    )


def test_utf_16_from_a_windows_machine_is_read(log, seed_file):
    text = seed_file.read_text(encoding="utf-8").encode("utf-16")
    assert ENGINE.diagnose_paths([log(text)]).incidents[0].lines == 9


def test_invalid_utf_8_stays_visible(log):
    report = ENGINE.diagnose_paths([log(DIED.replace(b"sub=Libs", b"sub=L\xffbs"))])
    assert r"L\xffbs" in report.incidents[0].evidence[0].text


def test_a_last_line_without_newline_is_read(log):
    assert ENGINE.diagnose_paths([log(DIED.strip())]).stats.lines == 1


@pytest.mark.parametrize("name", [b"caf\xe9.log", b"\xff\xfe"])
def test_a_file_name_that_is_not_utf_8(tmp_path, name, schema):
    path = os.path.join(os.fsencode(tmp_path), name)  # noqa: PTH118 - bytes
    with open(path, "wb") as file:  # noqa: PTH123 - bytes
        file.write(DIED)
    report = ENGINE.diagnose_paths([os.fsdecode(path)])
    assert report.incidents[0].evidence[0].file.encode().endswith(name.decode("utf-8", "backslashreplace").encode())


class TestBigFiles:
    def test_lines_are_numbered_beyond_the_first_block(self, log):
        many = BLOCK // len(PLAIN) * 3
        report = ENGINE.diagnose_paths([log(PLAIN * many + DIED + PLAIN * many + DIED)])
        (incident,) = report.incidents
        assert [line.line for line in incident.evidence] == [many + 1, 2 * many + 2]
        assert report.stats.lines == 2 * many + 2
        assert report.stats.bytes == len(PLAIN) * 2 * many + 2 * len(DIED)

    def test_a_hit_across_a_block_boundary_is_found(self, log):
        for shift in range(0, len(DIED), 13):
            filler = PLAIN * (BLOCK // len(PLAIN)) + b"x" * (BLOCK % len(PLAIN) - 1 - shift) + b"\n"
            assert ENGINE.diagnose_paths([log(filler + DIED)]).incidents, shift

    def test_a_continuation_far_down_belongs_to_its_entry(self, log):
        entry = DIED.replace(b"NfcNet_Send: requested 262040, sent only -1 bytes", b"fault:")
        arrows = b"--> {\n" * 5 + b"--> NfcNet_Send: requested 262040, sent only -1 bytes\n"
        for shift in range(0, 400, 29):
            filler = PLAIN * (BLOCK * 2 // len(PLAIN)) + b"y" * shift + b"\n"
            (incident,) = ENGINE.diagnose_paths([log(filler + entry + arrows)]).incidents
            assert incident.op_ids == ("cm-abcd1234-a1",), shift

    def test_an_endless_line_is_cut_and_the_next_one_read(self, log):
        report = ENGINE.diagnose_paths([log(PLAIN + b"z" * (3 * BLOCK) + b"\n" + DIED)])
        assert (report.stats.lines, len(report.incidents)) == (3, 1)
        assert ENGINE.diagnose_paths([log(b"z" * (3 * BLOCK))]).stats.lines == 1

    def test_what_lies_behind_the_limit_of_a_line_is_not_matched(self, log):
        late = PLAIN.strip() + b" " * LINE_LIMIT + b"NfcNet_Send: requested 262040, sent only -1 bytes\n"
        assert ENGINE.diagnose_paths([log(late + PLAIN * 5000 + late)]).incidents == ()


class Cut(io.BytesIO):
    """A stream that hands out odd pieces, as a pipe does."""

    def readinto(self, buffer, /):
        return super().readinto(memoryview(buffer)[:7])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"").replace(b"\0", b"")), max_size=30),
    st.booleans(),
)
def test_every_line_is_counted_and_every_needle_found(lines, ended):
    # No first line begins with a byte order mark, which would be dropped.
    lines = [(b"" if place else b"x") + line + (b"" if place % 3 else b"needle") for place, line in enumerate(lines)]
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    tally = Tally()
    found = list(scan(Cut(data), Needles(["needle"]), tally))
    expected = data.split(b"\n")[: -1 if data.endswith(b"\n") or not data else None]
    assert (tally.lines, tally.bytes) == (len(expected), len(data))
    hits = [line for line in found if line.hit]
    assert [line.number for line in hits] == [place for place, line in enumerate(expected, 1) if b"needle" in line]
    assert all(text_of(line.raw) == line.raw.rstrip(b"\r\n").decode("utf-8", "backslashreplace") for line in hits)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=3000))
def test_no_bytes_crash_it(data):
    report = ENGINE.diagnose_paths(["-"], stdin=io.BytesIO(data))
    assert report.stats.bytes <= len(data) or data.startswith(b"\x1f\x8b")
    assert not report.incidents or data
    report.to_json()


KNOWN = [sample for rule in ENGINE.catalogue.rules.values() for sample in (*rule.samples, *rule.near_misses)]
LINES = st.lists(st.one_of(st.sampled_from(KNOWN), st.text(max_size=60)), max_size=40)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LINES, st.randoms(use_true_random=False), st.sampled_from([None, "C65743A5-0000024D"]))
def test_lines_in_any_order_keep_the_counts_consistent(texts, rng, op_id):
    lines = [SourceLine(rng.choice(["vpxa.log", "x.log"]), number, text) for number, text in enumerate(texts, 1)]
    rng.shuffle(lines)
    report = ENGINE.diagnose_lines(lines, op_id=op_id)
    candidates = sum(ENGINE.is_candidate(line.text) for line in lines)
    assert report.stats.lines == len(lines)
    assert report.stats.unparsed_lines <= len(lines)
    assert (
        sum(incident.lines for incident in report.incidents) <= candidates * 2
    )  # a host's crash counts for each copy it ended
    for incident in report.incidents:
        assert incident.lines >= 1
        assert incident.evidence
        assert 0 <= incident.confidence <= 1
        assert (incident.cause is Cause.UNDETERMINED) == (not incident.decisive)
        assert incident.first is None or incident.first <= incident.last
    report.to_json()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_a_line_of_strange_text_is_no_trouble(text):
    ENGINE.is_candidate(text)
    report = ENGINE.diagnose_lines([SourceLine("x", 1, "[NFC ERROR] " + text)])
    report.to_json()


def test_lone_surrogates_do_not_reach_the_report():
    (incident,) = ENGINE.diagnose_lines([SourceLine("x", 1, "[NFC ERROR] \ud800")]).incidents
    assert incident.evidence[0].text == r"[NFC ERROR] \ud800"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    for number in range(4):
        body = b"".join(b"%s %d\n" % (PLAIN.strip(), line) for line in range(40_000))
        died = DIED.replace(b"abcd1234", b"abcd000%d" % number)
        many = died * 3000  # more than a pipe holds: no child ends before it is heard
        (folder / f"vpxa-{number}.log").write_bytes(body + many + body)
    return folder


class TestSeveralFiles:
    """Portions are read by children; what comes out is the same."""

    def test_children_find_what_one_process_finds(self, bundle):
        seen = []
        alone = ENGINE.diagnose_paths([bundle], processes=1, progress=seen.append)
        command = [sys.executable, "-m", "bot", "diagnose", "--format", "json", str(bundle)]
        together = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
        mine = alone.to_json()
        assert len(mine["incidents"]) == 4
        assert together["incidents"] == mine["incidents"]
        assert {**together["stats"], "seconds": 0} == {**mine["stats"], "seconds": 0}
        assert seen == sorted(seen)
        assert seen[-1] == sum(path.stat().st_size for path in bundle.iterdir())

    @staticmethod
    def outcome(what, bundle):
        command = [sys.executable, "-m", "tests.diagnosis.several", what, str(bundle)]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    def test_a_child_that_is_killed_is_said_and_the_rest_is_read(self, bundle):
        outcome = self.outcome("killed", bundle)
        assert (outcome["children"], outcome["left"]) == (2, 0)
        assert outcome["troubles"] == ["the process that read this was ended from outside; not all of it was read"]
        assert outcome["hits"] >= 3

    def test_whoever_stops_listening_leaves_no_child(self, bundle):
        outcome = self.outcome("left", bundle)
        assert (outcome["children"], outcome["left"]) == (2, 0)
