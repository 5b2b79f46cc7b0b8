"""The plan: what is chosen, what is counted, and what its fingerprint stands for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pydantic import TypeAdapter

from bot.migration.plan import Plan, Severity, link_name
from bot.migration.planning import datastore_of, other_hosts

GIB = 2**30


def test_a_fitting_pair_has_a_safe_plan_without_concerns(bench):
    plan = bench.plan()
    assert plan.safe
    assert plan.concerns == ()
    assert plan.size == 22 * GIB  # 12 GiB of the thin disk, all 10 GiB of the thick one
    assert (plan.target.host, plan.target.datastore_moid, plan.target.pool_moid) == (
        "esx-02.site2",
        "datastore-2",
        "resgroup-2",
    )
    assert plan.nics[0].target_network == "dvpg-app-dr"
    assert plan.nics[0].switch_uuid == "50 11 aa"
    assert plan.link == link_name("site2", "site1") == "site1~site2"


def test_the_host_that_was_named_is_taken_even_when_it_is_busier(bench):
    assert bench.plan(request=replace(bench.request, host="esx-01.site2")).target.host == "esx-01.site2"


def test_a_host_without_the_datastore_is_not_chosen(bench):
    busy, idle = bench.site.hosts
    site = replace(bench.site, hosts=(busy, replace(idle, datastores=("local",))))
    assert bench.plan(site=site).target.host == busy.name


def test_a_host_to_be_avoided_is_not_chosen_even_when_it_is_the_only_usable_one(bench):
    busy, idle = bench.site.hosts
    avoiding = replace(bench.request, avoid=(idle.name,))
    assert bench.plan(request=avoiding).target.host == busy.name
    resting = replace(bench.site, hosts=(replace(busy, in_maintenance=True), idle))
    assert bench.plan(request=avoiding, site=resting).target.host == busy.name  # and the plan says that it rests


def test_without_another_host_the_plan_says_so_and_cannot_start(bench):
    plan = bench.plan(request=replace(bench.request, avoid=tuple(h.name for h in bench.site.hosts)))
    assert not plan.safe
    assert "has no other host than esx-01.site2, esx-02.site2" in plan.concerns[0].text


def test_a_host_that_was_named_is_taken_although_it_is_to_be_avoided(bench):
    named = replace(bench.request, host="esx-02.site2", avoid=("esx-02.site2",))
    assert bench.plan(request=named).target.host == "esx-02.site2"


def test_other_hosts_are_those_that_could_take_it(bench):
    busy, idle = bench.site.hosts

    def others(*hosts):
        return other_hosts(replace(bench.site, hosts=hosts), than=idle.name, datastore="ds-c2-01")

    assert others(busy, idle) == (busy.name,)
    for unfit in ({"in_maintenance": True}, {"connection": "disconnected"}, {"datastores": ("local",)}):
        assert others(replace(busy, **unfit), idle) == ()


def test_the_network_that_was_asked_for_beats_the_map(bench):
    plan = bench.plan(request=replace(bench.request, networks={"dvpg-app": "VM Network"}))
    assert plan.nics[0].target_network == "VM Network"
    assert plan.nics[0].portgroup_key is None
    assert plan.safe


def test_the_fingerprint_changes_with_the_move_and_not_with_the_time(bench):
    plan = bench.plan()
    later = bench.plan(site=replace(bench.site, read_at=bench.site.read_at + timedelta(minutes=5)))
    assert plan.fingerprint == later.fingerprint
    assert plan.fingerprint != bench.plan(request=replace(bench.request, host="esx-01.site2")).fingerprint
    assert plan.fingerprint != bench.plan(vm=replace(bench.vm, power="poweredOn")).fingerprint


def test_a_plan_survives_its_json(bench):
    plan = bench.plan(vm=replace(bench.vm, power="poweredOn"))
    adapter = TypeAdapter(Plan)
    again = adapter.validate_json(adapter.dump_json(plan))
    assert again == plan
    assert again.fingerprint == plan.fingerprint
    assert again.concerns[0].severity is Severity.BLOCK


def test_without_a_known_source_site_the_link_is_named_by_the_datacenter(bench):
    assert bench.plan(source=None).link == "DC1~site2"


def test_datastore_paths():
    assert datastore_of("[ds 1] a/b.vmx") == "ds 1"
    assert datastore_of("no brackets") == ""
