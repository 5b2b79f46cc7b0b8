"""Every concern has a yes; its no is the fitting pair, which has none at all (test_planning)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.migration.concerns.catalogue import GUARDS
from bot.migration.facts import RunningTask
from bot.migration.plan import Severity

GIB = 2**30
BLOCK, WARN, NOTE = Severity.BLOCK, Severity.WARN, Severity.NOTE

CASES = [
    ("power-state", BLOCK, "powered on", lambda b: b.plan(vm=replace(b.vm, power="poweredOn"))),
    ("power-state", BLOCK, "suspended", lambda b: b.plan(vm=replace(b.vm, power="suspended"))),
    ("same-place", BLOCK, "already is at site2", lambda b: b.plan(source="site2")),
    ("connection-state", BLOCK, "orphaned", lambda b: b.plan(vm=replace(b.vm, connection="orphaned"))),
    ("template", BLOCK, "template", lambda b: b.plan(vm=replace(b.vm, template=True))),
    ("question", BLOCK, "msg.uuid", lambda b: b.plan(vm=replace(b.vm, question="msg.uuid.altered"))),
    (
        "running-task",
        BLOCK,
        "'backup'",
        lambda b: b.plan(vm=replace(b.vm, running_tasks=(RunningTask("backup", "veeam"),))),
    ),
    (
        "disabled-method",
        BLOCK,
        "RelocateVM_Task",
        lambda b: b.plan(vm=replace(b.vm, disabled_methods=("RelocateVM_Task",))),
    ),
    ("host-state", BLOCK, "esx-01.site2, esx-02.site2", lambda b: b.plan(request=replace(b.request, host="nope"))),
    ("host-state", BLOCK, "notResponding", lambda b: b.plan(site=b.with_host(connection="notResponding"))),
    ("host-state", BLOCK, "maintenance", lambda b: b.plan(site=b.with_host(in_maintenance=True))),
    ("host-state", BLOCK, "its hosts: none", lambda b: b.plan(site=replace(b.site, hosts=()))),
    ("host-datastore", BLOCK, "does not mount", lambda b: b.plan(site=b.with_host(datastores=()))),
    ("datastore-state", BLOCK, "it has: ds-c2-01", lambda b: b.plan(request=replace(b.request, datastore="nope"))),
    ("datastore-state", BLOCK, "not accessible", lambda b: b.plan(site=b.with_datastore(accessible=False))),
    ("datastore-state", BLOCK, "inMaintenance", lambda b: b.plan(site=b.with_datastore(maintenance="inMaintenance"))),
    ("free-space", BLOCK, "needs 23.0 GiB", lambda b: b.plan(site=b.with_datastore(free=22 * GIB, capacity=30 * GIB))),
    ("free-space", WARN, "reserve", lambda b: b.plan(site=b.with_datastore(free=400 * GIB))),
    ("network-map", BLOCK, "no network 'x'", lambda b: b.plan(request=replace(b.request, networks={"dvpg-app": "x"}))),
    ("network-map", BLOCK, "does not offer", lambda b: b.plan(site=b.with_host(networks=()))),
    ("network-map", WARN, "has no card", lambda b: b.plan(request=replace(b.request, networks={"typo": "VM Network"}))),
    ("folder", BLOCK, "no VM folder 'Migrated'", lambda b: b.plan(site=replace(b.site, folder_moid=None))),
    ("name-clash", BLOCK, "already has a VM", lambda b: b.plan(site=replace(b.site, names_in_folder=("web01",)))),
    (
        "start-time",
        NOTE,
        "does not start before Mon 2026-11-23 22:00 UTC",
        lambda b: b.plan(request=replace(b.request, not_before=b.now + timedelta(hours=18))),
    ),
    (
        "opening",
        WARN,
        "is closed until Mon 2026-11-23 20:00 UTC. Approved, it waits",
        lambda b: b.plan(outlook=b.at_night()),
    ),
    (
        "opening",
        WARN,
        "At the time that was asked for: The window of site2 is closed until Tue 2026-11-24 20:00 UTC.",
        lambda b: b.plan(
            request=replace(b.request, not_before=b.now + timedelta(hours=30)),
            outlook=b.at_night("Tue-Fri 20:00-06:00 UTC"),
        ),
    ),
    (
        "opening",
        WARN,
        "site1 and site2 are frozen until Thu 2026-11-26 04:00 UTC: inventory.",
        lambda b: b.plan(outlook=b.at_night("Mon-Sun 00:00-24:00 UTC", frozen=3)),
    ),
    (
        "opening",
        BLOCK,
        "site1 and site2 are never open at the same time",
        lambda b: b.plan(outlook=b.at_night("Mon 20:00-22:00 UTC", source="Tue 20:00-22:00 UTC")),
    ),
    (
        "window-fit",
        WARN,
        "it takes 6 h 15 min, and of the window that closes Mon 2026-11-23 06:00 UTC there are 2 h 00 min",
        lambda b: b.plan(outlook=b.at_night("Mon-Sun 20:00-06:00 UTC", rate=22 * GIB / 22_500)),
    ),
    (
        "window-fit",
        WARN,
        "there are 10 h 00 min",
        lambda b: b.plan(outlook=b.at_night(rate=22 * GIB / 40_000)),
    ),
    ("snapshots", WARN, "chain", lambda b: b.plan(vm=replace(b.vm, has_snapshots=True))),
]


@pytest.mark.parametrize(("concern", "severity", "says", "bend"), CASES, ids=[f"{c[0]}: {c[2]}" for c in CASES])
def test_yes(bench, concern, severity, says, bend):
    plan = bend(bench)
    (found,) = [c for c in plan.concerns if c.id == concern]
    assert found.severity is severity
    assert says in found.text
    assert found.lifted_by
    assert plan.safe is (severity is not BLOCK)


def test_every_check_is_covered_by_a_case():
    assert {case[0] for case in CASES} >= {"power-state"}


def test_a_card_without_a_network_is_nobodys_concern(bench):
    vm = replace(bench.vm, nics=(replace(bench.vm.nics[0], network=""),))
    assert bench.plan(vm=vm).safe


def test_what_fits_into_the_window_or_has_no_known_rate_is_nobodys_concern(bench):
    for outlook in (
        bench.at_night("Mon-Sun 20:00-06:00 UTC", rate=22 * GIB / 7000),
        bench.at_night("Mon-Sun 20:00-06:00 UTC"),
        bench.at_night("Mon-Sun 00:00-24:00 UTC", rate=1.0),
    ):
        assert bench.plan(outlook=outlook).concerns == ()
    never = bench.at_night("Mon 20:00-22:00 UTC", source="Tue 20:00-22:00 UTC", rate=1.0)
    assert [concern.id for concern in bench.plan(outlook=never).concerns] == ["opening"]


def test_without_an_outlook_nothing_is_said_of_time(bench):
    request = replace(bench.request, not_before=bench.now + timedelta(days=1))
    assert bench.plan(request=request, outlook=None).concerns == ()


def test_a_start_that_is_past_is_nobodys_concern(bench):
    assert bench.plan(request=replace(bench.request, not_before=bench.now)).concerns == ()


def test_a_running_backup_is_told_once(bench):
    vm = replace(bench.vm, running_tasks=(RunningTask("backup", ""),), disabled_methods=("RelocateVM_Task",))
    assert [c.id for c in bench.plan(vm=vm).concerns] == ["running-task"]
