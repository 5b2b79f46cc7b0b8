"""What was measured confirms, refutes or decides, and never says more than it saw."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from bot.diagnosis import report as room
from bot.diagnosis.causes import Basis, Cause
from bot.diagnosis.event import SourceLine
from bot.diagnosis.facts import Facts
from bot.diagnosis.measurements import Measurement, Says

BROKE = datetime(2026, 11, 23, 1, 42, 0, 100_000, tzinfo=UTC)
SOON = BROKE + timedelta(minutes=2)
OP_ID = "cm-abcdefgh-a1"
DIED = ("[NFC ERROR] NfcNetTcpWrite: bWritten: -1", "[NFC ERROR] NfcNet_Send: requested 262040, sent only -1 bytes")
NAMELESS = ("[VpxNfcClient] File transfer  failed:",)
FULL = ("[NFC ERROR] NfcFssrvrProcessErrorMsg: received NFC error from server: No space left on device",)


def said(check, *, at=SOON, text="it was measured", weight=1.0, basis=Basis.MEASURED, **says):
    told = tuple((Cause[name.upper()], meaning) for name, meaning in says.items())
    return Measurement(check=check, says=told, text=text, at=at, weight=weight, basis=basis)


@pytest.fixture
def judged(engine):
    def judge(*measured, lines=DIED):
        texts = [
            f"2026-11-23T01:42:00.1{n:02d}Z warning vpxa[2100000] [Originator@6876 sub=Libs opID={OP_ID}-5c] {text}"
            for n, text in enumerate(lines)
        ]
        given = [SourceLine("esx-1 vpxa.log", n, text, "esx-1", "source") for n, text in enumerate(texts, 1)]
        (only,) = engine.diagnose_lines(given, facts=Facts(measured=measured), op_id=OP_ID).incidents
        return only

    return judge


LOSS = said("probe.loss", text="12 of 200 lost, 6 %", packet_loss=Says.CONFIRMS)
CLEAN = said("probe.loss", text="0 of 200 lost", weight=0.5, packet_loss=Says.REFUTES)
MTU = said("probe.mtu", text="0 of 20 of 1500 bytes passed", mtu_mismatch=Says.CONFIRMS)


def test_without_measurements_a_log_stays_modest(judged):
    incident = judged()
    assert (incident.cause, incident.confidence, incident.basis) == (Cause.PACKET_LOSS, 0.6, Basis.LOG)
    assert incident.measured == ()


def test_what_confirms_the_lines_lifts_the_verdict_over_the_ceiling_of_logs(judged):
    incident = judged(LOSS)
    assert incident.cause is Cause.PACKET_LOSS
    assert incident.basis is Basis.MEASURED
    assert 0.9 <= incident.confidence <= 0.95
    assert incident.known[0] == "12 of 200 lost, 6 %; measured 2 min after the failure."
    assert incident.explanation.startswith("The copy's connection (NFC, TCP 902)")


def test_what_refutes_lowers_it_and_is_told_as_ruled_out(judged):
    incident = judged(CLEAN)
    assert (incident.cause, incident.basis) == (Cause.PACKET_LOSS, Basis.LOG)
    assert incident.confidence < 0.6
    assert "0 of 200 lost; measured 2 min after the failure." in incident.ruled_out
    assert all(other.confidence <= incident.confidence for other in incident.alternatives)


def test_nothing_rules_out_what_another_look_showed(judged):
    incident = judged(CLEAN, LOSS)
    assert (incident.cause, incident.basis) == (Cause.PACKET_LOSS, Basis.MEASURED)
    assert not any("0 of 200 lost" in line for line in incident.ruled_out)
    assert any("0 of 200 lost" in line for line in incident.known)  # and it is not hushed up


def test_an_alternative_of_the_lines_wins_when_it_is_shown(judged):
    incident = judged(CLEAN, MTU)
    assert (incident.cause, incident.basis) == (Cause.MTU_MISMATCH, Basis.MEASURED)
    assert incident.confidence > 0.7
    assert "0 of 20 of 1500 bytes passed" in incident.explanation
    assert incident.workarounds
    assert Cause.PACKET_LOSS in {other.cause for other in incident.alternatives}


@pytest.mark.parametrize("lines", [DIED, NAMELESS, FULL])
def test_nothing_is_invented_that_no_line_allows(judged, lines):
    stranger = said("cbt.state", cbt_snapshot=Says.CONFIRMS)
    plain, incident = judged(lines=lines), judged(stranger, lines=lines)
    assert (incident.cause, incident.confidence, incident.basis) == (plain.cause, plain.confidence, plain.basis)


def test_lines_that_name_no_cause_get_the_one_that_was_shown_with_what_the_measurement_alone_carries(judged):
    assert judged(lines=NAMELESS).cause is Cause.UNDETERMINED
    incident = judged(LOSS, lines=NAMELESS)
    assert (incident.cause, incident.confidence, incident.basis) == (Cause.PACKET_LOSS, 0.8, Basis.MEASURED)
    assert incident.evidence


def test_what_refutes_makes_no_cause_of_an_undetermined_failure(judged):
    assert judged(CLEAN, lines=NAMELESS).cause is Cause.UNDETERMINED


@pytest.mark.parametrize("later", [timedelta(hours=1), timedelta(days=1)])
def test_the_later_it_was_measured_the_less_it_says(judged, later):
    soon, late = judged(LOSS), judged(said("probe.loss", at=BROKE + later, packet_loss=Says.CONFIRMS))
    assert late.confidence < soon.confidence
    assert "tells less surely" in late.known[0]
    overturned = judged(said("probe.mtu", at=BROKE + later, mtu_mismatch=Says.CONFIRMS))
    assert overturned.cause is Cause.PACKET_LOSS


def test_a_check_that_was_carried_out_is_not_asked_for_again(judged):
    before, after = judged(), judged(CLEAN)
    assert "Loss on the path was not measured." in before.unreadable
    assert "Loss on the path was not measured." not in after.unreadable
    assert len(after.next_checks) == len(before.next_checks) - 1


def test_what_was_worked_out_from_both_ends_is_not_called_measured(judged):
    age = said("path.idle_timers", basis=Basis.BOTH_ENDS, idle_timeout_reset=Says.CONFIRMS)
    incident = judged(CLEAN, age)
    assert (incident.cause, incident.basis) == (Cause.IDLE_TIMEOUT_RESET, Basis.BOTH_ENDS)
    assert incident.confidence <= 0.7


def test_causes_that_texts_name_are_not_made_less_sure_by_agreement(judged):
    space = said("space.destination", dest_full=Says.CONFIRMS)
    plain, incident = judged(lines=FULL), judged(space, lines=FULL)
    assert plain.cause is incident.cause is Cause.DEST_FULL
    assert incident.confidence >= plain.confidence
    assert incident.basis is Basis.MEASURED


def test_the_contract_holds_with_measurements(engine, judged):
    schema = json.loads((Path(room.__file__).parents[1] / "report.schema.json").read_text(encoding="utf-8"))
    given = [SourceLine("vpxa.log", 1, DIED[1])]
    report = engine.diagnose_lines(given, facts=Facts(measured=(LOSS, MTU))).to_json()
    jsonschema.validate(report, schema)
    assert [one["check"] for one in report["incidents"][0]["measured"]] == ["probe.loss", "probe.mtu"]
