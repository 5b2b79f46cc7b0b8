"""Every concern has its yes, by weight, its no, and says once when it cannot tell; for the whole catalogue."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from pyVmomi import vim

from bot.migration.concerns.catalogue import GUARDS, PASSING
from bot.migration.concerns.guard import Of
from bot.migration.facts import RunningTask
from bot.migration.plan import Severity
from bot.migration.survey import Survey
from bot.operations.option import Option
from bot.vsphere.host_rows import HOST
from bot.vsphere.site_facts import NEAR, PARTS
from bot.vsphere.vm_facts import VM
from tests.migration.concern_cases import ASKED_FOR, NO, UNKNOWN, YES

BY_ID = {guard.id: guard for guard in GUARDS}
FACTS = [(guard.id, fact) for guard in GUARDS for fact in (*guard.rests_on, *guard.refined_by)]


@pytest.mark.parametrize(
    ("concern", "severity", "says", "bend"),
    [(concern, *case) for concern, cases in YES.items() for case in cases],
    ids=[f"{concern}: {case[1][:40]}" for concern, cases in YES.items() for case in cases],
)
def test_yes(bench, concern, severity, says, bend):
    plan = bend(bench)
    found = [c for c in plan.concerns if c.id == concern and says in c.text]
    assert [(c.severity, c.unreadable) for c in found] == [(severity, False)]
    assert found[0].lifted_by
    assert severity is not Severity.BLOCK or not plan.safe


@pytest.mark.parametrize(
    ("concern", "bend"),
    [(concern, bend) for concern, bends in NO.items() for bend in bends],
    ids=[f"{concern}: {number}" for concern, bends in NO.items() for number in range(len(bends))],
)
def test_what_comes_near_is_nobodys_concern(bench, concern, bend):
    assert [c.text for c in bend(bench).concerns if c.id == concern] == []


def test_no(bench):
    """The fitting pair, with everything known and a clean survey: only its path is named."""
    assert [c.id for c in bench.full().concerns] == ["data-path"]


@pytest.mark.parametrize(
    ("concern", "fact"), FACTS, ids=[f"{concern}: {fact.of} {fact.path}" for concern, fact in FACTS]
)
def test_unreadable(bench, concern, fact):
    """Whatever a guard declares to rest on, without it there is one concern that says so."""
    plan = without(bench, fact.of, fact.path)
    found = [c for c in plan.concerns if c.id == concern and c.unreadable]
    assert [c.severity for c in found] == [BY_ID[concern].ignorance]
    assert fact.path in found[0].text or "no answer" in found[0].text
    assert plan.safe


@pytest.mark.parametrize(
    ("concern", "says", "bend"),
    [(concern, *case) for concern, cases in UNKNOWN.items() for case in cases],
    ids=[f"{concern}: {case[0]}" for concern, cases in UNKNOWN.items() for case in cases],
)
def test_unknown(bench, concern, says, bend):
    found = [c for c in bend(bench).concerns if c.id == concern and c.unreadable]
    assert [c.severity for c in found] == [BY_ID[concern].ignorance]
    assert says in found[0].text


def without(bench, owner, path):
    """The fitting plan with one property that could not be read, or one part of the survey that failed."""
    match owner:
        case Of.VM:
            return bench.full(unread=(path,))
        case Of.SOURCE_HOST:
            return bench.full(on={"unread": (path,)})
        case Of.HOST:
            return bench.full(host={"unread": (path,)})
        case Of.DATASTORE:
            return bench.full(site=replace(bench.site, datastores=(replace(bench.site.datastores[0], unread=(path,)),)))
        case Of.SITE:
            return bench.full(site=replace(bench.site, unread=(path,)))
        case _:
            lost = {} if path == "claimed" else {path: None}
            return bench.full(survey=lost | {"unread": {path: "no answer from vCenter east"}})


def test_the_whole_catalogue_has_cases():
    assert set(YES) == set(BY_ID)
    assert set(NO) | set(UNKNOWN) <= set(BY_ID)
    for guard in GUARDS:
        assert {case[0] for case in YES[guard.id]} == set(guard.weights), guard.id
        can_be_unknown = bool(guard.rests_on or guard.refined_by or guard.id in UNKNOWN)
        assert can_be_unknown is (guard.id not in ASKED_FOR), guard.id
        assert guard.ignorance is not Severity.BLOCK


def test_a_part_or_the_whole_of_a_property_counts(bench):
    """vCenter may refuse `config` as a whole, or `config.hardware.device[2000].backing` alone."""
    for path in ("config", "config.hardware", "config.hardware.device.backing"):
        assert "rdm" in [c.id for c in bench.full(unread=(path,)).concerns if c.unreadable]
    assert [c.id for c in bench.full(unread=("configuration",)).concerns] == ["data-path"]


def test_what_blocks_anyway_needs_no_word_of_what_is_not_known(bench):
    plan = bench.full(encrypted=True, host={"crypto_safe": False, "unread": ("runtime.cryptoState",)})
    assert [(c.severity, c.unreadable) for c in plan.concerns if c.id == "encryption"] == [(Severity.BLOCK, False)]


def test_what_passes_by_itself_is_a_block_that_needs_nobody():
    assert {"running-task", "disabled-method"} == PASSING


def test_without_an_outlook_nothing_is_said_of_time(bench):
    request = replace(bench.request, not_before=bench.now + timedelta(days=1))
    assert bench.plan(request=request, outlook=None).concerns == ()


def test_a_running_backup_is_told_once(bench):
    vm = replace(bench.vm, running_tasks=(RunningTask("backup", ""),), disabled_methods=("RelocateVM_Task",))
    assert [c.id for c in bench.plan(vm=vm).concerns] == ["running-task"]


READ = {
    Of.VM: VM,
    Of.SOURCE_HOST: HOST,
    Of.HOST: HOST,
    Of.DATASTORE: PARTS[vim.Datastore],
    Of.SITE: (*NEAR, *PARTS[vim.Datacenter], "macs"),
    Of.SURVEY: tuple(field.name for field in fields(Survey)),
}


@pytest.mark.parametrize(
    ("concern", "fact"), FACTS, ids=[f"{concern}: {fact.of} {fact.path}" for concern, fact in FACTS]
)
def test_what_a_guard_rests_on_is_read(concern, fact):
    """A path that nobody reads is never in `unread`, and would only look like care."""
    assert fact.path in READ[fact.of]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.id)
def test_an_option_that_a_concern_names_is_typed_so(guard):
    """Whoever reads that it lifts a warning will type it."""
    known = {"--host", "--datastore", "--disk", "--network", "--at", "--dry-run", *(option.typed for option in Option)}
    assert set(re.findall(r"--[a-z-]+", f"{guard.when} {guard.lifted_by}")) <= known
