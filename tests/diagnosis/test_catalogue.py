"""Every rule and grammar does what its own samples say, and the recorded cases are told apart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.diagnosis.causes import CAUSE_IN_WORDS, STAGE_IN_WORDS, Cause, Role, Stage
from bot.diagnosis.checks import load_checks
from bot.diagnosis.event import Event, SourceLine
from bot.diagnosis.formats import check_samples, load_formats
from bot.diagnosis.rulefile import RuleFile, check_rule_files
from bot.diagnosis.rules import Status, load_catalogue, rule_files
from bot.diagnosis.verdict import MatchKind
from bot.diagnosis.workarounds import load_workarounds

RULES = list(load_catalogue().rules.values())
DOCS = Path(__file__).parents[2] / "docs/writing-rules.md"
CORPUS = Path(__file__).parents[3] / "shared/corpus"


def test_every_shipped_rule_file_is_sound():
    assert check_rule_files(rule_files()) == []


def test_every_grammar_reads_its_samples():
    assert check_samples(load_formats()) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_samples_fit_and_near_misses_do_not(rule):
    assert all(rule.read(text) is not None for text in rule.samples)
    assert all(rule.read(text) is None for text in rule.near_misses)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_whole_engine_finds_each_sample(rule, engine, diagnose):
    for text in rule.samples:
        assert engine.is_candidate(text)
        hits = engine.catalogue.read(Event(SourceLine("any", 1, text), None))
        assert rule.id in {hit.rule.id for hit in hits}
        if rule.role is Role.DECISIVE and not rule.needs:
            assert rule.cause in {incident.cause for incident in diagnose([text], file="any").incidents}


def test_a_recorded_failure_is_told(failure_case, engine):
    report = engine.diagnose_paths([failure_case.log])
    surest = max(report.incidents, key=lambda incident: incident.confidence)
    assert surest.cause == failure_case.cause
    assert report.errors == ()


def test_a_recorded_failure_fires_the_rule_it_stands_for(failure_case, engine):
    fired = {
        hit.rule.id
        for number, text in enumerate(failure_case.log.read_text(encoding="utf-8").splitlines(), 1)
        for hit in engine.catalogue.read(Event(SourceLine("any", number, text), None))
    }
    assert failure_case.rule in fired


def test_a_healthy_log_is_silent(healthy_case, engine):
    report = engine.diagnose_paths([healthy_case.log])
    assert report.incidents == ()
    assert report.stats.unparsed_lines == 0


def test_every_stable_rule_has_a_recorded_case(cases, engine):
    lines = [line for case in cases for line in case.log.read_text(encoding="utf-8").splitlines()]
    fired = {hit.rule.id for line in lines for hit in engine.catalogue.read(Event(SourceLine("any", 1, line), None))}
    owing = {rule.id for rule in RULES if rule.status is Status.STABLE} - fired
    assert owing == set()


def test_no_needle_is_greedy_on_healthy_logs(cases):
    healthy = [
        line for case in cases if case.rule == "healthy" for line in case.log.read_text(encoding="utf-8").splitlines()
    ]
    for rule in RULES:
        if rule.role is Role.CONTEXT:
            continue
        hits = sum(any(needle in line for needle in rule.needles) for line in healthy)
        assert hits <= len(healthy) * 0.05, rule.id


def test_every_key_is_documented():
    text = DOCS.read_text(encoding="utf-8")
    assert [key for key in RuleFile.model_fields if f"`{key}`" not in text] == []


def test_checks_and_workarounds_are_all_used():
    assert {name for rule in RULES for name in rule.confirm_by} == set(load_checks())
    assert {name for rule in RULES for name in rule.workarounds} == set(load_workarounds())


def test_every_cause_has_words():
    assert set(CAUSE_IN_WORDS) == set(Cause)
    assert set(STAGE_IN_WORDS) == set(Stage)
    assert MatchKind.EXACT == "exact"


@pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the shared corpus is not on this machine; the recorded cases stand in for it"
)
def test_the_shared_corpus():
    bounds = ["--min-top1", "0.95", "--max-false-alarms", "0"]
    command = [sys.executable, CORPUS / "score.py", "--command", f"{sys.executable} -m bot", *bounds, CORPUS / "nfc"]
    scored = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert scored.returncode == 0, scored.stdout + scored.stderr
