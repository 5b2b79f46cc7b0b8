"""A rule must be silent on healthy logs, and a stable one tell its recorded case."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.diagnosis.rules import read_rule
from bot.diagnosis.vetting import GREEDY, disturbances, healthy_lines, owing, rates, recorded, untold


def rule(needle, *, role="symptom", match=()):
    raw = {"id": "x", "title": "x", "status": "stable", "role": role, "needles": [needle], "match": list(match)}
    return read_rule(raw)


def complaints(found):
    return [mistake.expected for mistake in disturbances(Path("x.toml"), found)]


def test_there_are_a_few_thousand_ordinary_lines_of_all_generations(engine):
    lines = healthy_lines()
    assert len(lines) > 2000
    assert not any(line.startswith("# ") for line in lines)
    for layout in ("'Libs'", "[Originator@6876 sub=", "Er(163)", "INFO vpxd", "cpu", "| host-", "<16", " Vpxa: ["):
        assert any(layout in line for line in lines), layout


def test_ordinary_lines_are_no_incident(engine, diagnose):
    assert diagnose(healthy_lines(), file="any.log").incidents == ()


def test_a_greedy_needle_is_refused_with_its_rate_and_a_line():
    (told,) = complaints(rule("[Originator@6876", match=["no line is like this"]))
    rate = next(rates(rule("[Originator@6876")))
    assert rate.share > 0.3
    assert f"{rate.share:.1%} of ordinary lines" in told
    assert f"{GREEDY:.1%} is the most" in told
    assert rate.example[:100] in told


def test_a_rule_that_fits_an_ordinary_line_is_refused():
    line = next(line for line in healthy_lines() if "USB Arbitrator" in line)
    assert any("fits a line of a healthy log" in told for told in complaints(rule("USB Arbitrator")))
    assert complaints(rule("USB Arbitrator", role="context")) == []
    assert "USB Arbitrator" in line


def test_a_selective_needle_is_not_refused():
    assert complaints(rule("sent only -1 bytes")) == []


@pytest.fixture
def case(tmp_path):
    def write(name, text, cause):
        folder = tmp_path / "cases" / name / "one"
        folder.mkdir(parents=True)
        (folder / "vpxa.log").write_text(text, encoding="utf-8")
        (folder / "expect.toml").write_text(f'source = "invented"\ncause = "{cause}"\n', encoding="utf-8")
        return recorded([tmp_path / "cases"])

    return write


DEAD = "[NFC ERROR] NfcNet_Send: requested 262040, sent only -1 bytes\n"


def test_a_case_that_is_told_is_no_mistake(engine, case):
    assert list(untold(engine, case("nfc-session-died-mid-write", DEAD, "packet_loss"))) == []


@pytest.mark.parametrize(
    ("name", "text", "cause", "told"),
    [
        ("nfc-session-died-mid-write", DEAD, "dest_full", "dest_full was recorded, and packet_loss is told"),
        (
            "nfc-session-died-mid-write",
            "all is well\n",
            "packet_loss",
            "packet_loss was recorded, and nothing is found",
        ),
        ("healthy", DEAD, "", "a healthy log, and packet_loss is told of it"),
        ("nfc-session-died-mid-write", "", "packet_loss", "cannot be read"),
    ],
)
def test_a_case_that_is_told_otherwise_is(engine, case, name, text, cause, told):
    (mistake,) = untold(engine, case(name, text, cause))
    assert told in str(mistake)


def test_a_stable_rule_owes_a_case(engine, case):
    files = {Path("a.toml"): "nfc-session-died-mid-write", Path("b.toml"): "dest-out-of-space"}
    (mistake,) = owing(engine, files, case("nfc-session-died-mid-write", DEAD, "packet_loss"))
    assert str(mistake).startswith("b.toml: status: a stable rule needs a recorded case, a folder cases/dest-out-of")
