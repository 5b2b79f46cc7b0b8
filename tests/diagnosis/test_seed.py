"""Where it all started: a cold migration over a lossy WAN, seen from the source host's vpxa."""

from __future__ import annotations

import json

import jsonschema
import pytest

from bot.diagnosis.causes import Basis, Cause, Role
from bot.diagnosis.event import SourceLine


@pytest.fixture
def incident(diagnose, seed):
    (only,) = diagnose(seed).incidents
    return only


def test_the_cause_is_packet_loss_and_a_log_alone_says_so_modestly(incident):
    assert (incident.cause, incident.confidence, incident.basis) == (Cause.PACKET_LOSS, 0.6, Basis.LOG)
    assert incident.stage == "data"


def test_operation_task_and_times_are_read(incident):
    assert incident.op_ids == ("C65743A5-0000024D",)
    assert incident.task == "task-10646"
    assert incident.first.isoformat(timespec="milliseconds") == "2012-03-14T16:31:45.288+00:00"
    assert incident.last.isoformat(timespec="milliseconds") == "2012-03-14T16:31:45.324+00:00"
    assert incident.match == "exact"


def test_the_write_of_file_data_decides_and_the_goodbye_is_unwinding(incident):
    roles = {line.line: line.role for line in incident.evidence}
    assert [line.line for line in incident.decisive] == [2]
    assert roles[9] is Role.UNWINDING
    assert roles[1] is Role.SYMPTOM
    assert roles[7] is roles[11] is Role.CONTEXT
    assert incident.lines == 9


def test_every_way_round_that_the_article_names_is_offered_after_fixing_the_network(incident):
    assert [way.id for way in incident.workarounds] == [
        "fix-network",
        "https-lease",
        "ssh-gzip",
        "converter",
        "fastscp",
    ]
    by_id = {way.id: way for way in incident.workarounds}
    assert "withdrew" in by_id["fastscp"].steps[0]
    assert "fix the network first" in by_id["ssh-gzip"].caveat
    assert not any(way.executable for way in incident.workarounds)
    assert any("gunzip" in command for command in by_id["ssh-gzip"].commands)


def test_the_explanation_is_two_sentences_that_point_to_the_network(incident):
    assert incident.explanation.count(". ") == 1
    assert "262040 bytes" in incident.explanation
    assert "fix the network first" in incident.explanation
    assert "{" not in incident.explanation


def test_what_was_not_read_is_said(incident):
    assert "The destination host's log was not among what was read." in incident.unreadable
    assert incident.alternatives
    assert incident.next_checks[0].where == "destination host"


def test_the_report_keeps_the_contract(diagnose, seed, schema):
    report = json.loads(json.dumps(diagnose(seed).to_json()))
    jsonschema.validate(report, schema)
    assert report["schema"] == "coldmigrate.diagnosis/1"
    assert report["incidents"][0]["first"] == "2012-03-14T16:31:45.288+00:00"
    assert report["stats"]["unparsed_lines"] == 0


def test_without_the_decisive_line_nothing_is_guessed(diagnose, seed):
    (incident,) = diagnose([line for line in seed if "262040" not in line]).incidents
    assert incident.cause is Cause.UNDETERMINED
    assert incident.confidence == 0
    assert incident.alternatives[0].cause is Cause.PACKET_LOSS
    assert incident.stage == "data"
    assert incident.known


def test_the_decisive_line_alone_is_less_sure(diagnose, seed):
    (incident,) = diagnose([seed[1]]).incidents
    assert (incident.cause, incident.confidence) == (Cause.PACKET_LOSS, 0.55)


def test_the_goodbye_alone_is_undetermined(diagnose, seed):
    (incident,) = diagnose(seed[7:10]).incidents
    assert incident.cause is Cause.UNDETERMINED


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\0\r\n"])
def test_line_endings_do_not_matter(engine, seed, tmp_path, ending):
    log = tmp_path / "vpxa.log"
    log.write_bytes("".join(line + ending for line in seed).encode())
    (incident,) = engine.diagnose_paths([log]).incidents
    assert (incident.cause, incident.lines) == (Cause.PACKET_LOSS, 9)


def test_both_ends_make_it_surer(engine, seed):
    source = [SourceLine("esx-01 vpxa.log", n, text, "esx-01", "source") for n, text in enumerate(seed, 1)]
    eof = (
        seed[0].replace("NfcNetTcpWrite: bWritten: -1", "NfcFile_ContinueReceive: reached EOF").replace("-5c]", "-6d]")
    )
    there = [SourceLine("esx-02 vpxa.log", 1, eof, "esx-02", "destination")]
    (incident,) = engine.diagnose_lines([*source, *there]).incidents
    assert incident.basis is Basis.BOTH_ENDS
    assert incident.cause is Cause.PACKET_LOSS
    assert incident.hosts == ("esx-01", "esx-02")
    assert not any("destination host's log" in sentence for sentence in incident.unreadable)
